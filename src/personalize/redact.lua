--- Takes secrets out of texts from outside.
-- A service's message may quote what it was sent: the canonical request with
-- its token, the authorization, a tag. Knows what of a call is secret; refuses
-- to know where the text goes.

local core = require "personalize.core"

local M = {}

-- The core cuts a message to this many bytes.
local MESSAGE_MAX = 1024

-- The text of a message that holds nothing of `secret`. In a message, white
-- space is one space; short secrets count only as whole words, or a tag
-- "e" would leave nothing to read; a long one may be cut by the end.
local function without(text, secret, is_cut)
  secret = core.prose(secret)
  local pattern = secret:gsub("%W", "%%%0")
  if #secret >= 4 then
    text = text:gsub(pattern, "[redacted]")
    for length = is_cut and math.min(#secret, #text) or 0, 4, -1 do
      if text:sub(-length) == secret:sub(1, length) then
        return text:sub(1, -length - 1) .. "[redacted]"
      end
    end
  elseif #secret > 0 then
    -- A word's end on either side; what has none is told by its quotes.
    text = text:gsub("%f[%w]" .. pattern .. "%f[%W]", "[redacted]")
    text = text:gsub("(['\"])" .. pattern .. "%1", "%1[redacted]%1")
  end
  return text
end

-- `text` without the values in `secrets`, and without signatures.
local function redact(text, secrets)
  local is_cut = #text >= MESSAGE_MAX - 4 -- or a part of a character less
  text = text:gsub("(Signature=)%x+", "%1[redacted]")
  for _, secret in ipairs(secrets) do
    text = without(text, secret, is_cut)
  end
  return text
end

-- Every text in the tags of an input, in either of their forms.
local function add_texts(secrets, value)
  if type(value) == "string" then
    secrets[#secrets + 1] = value
  elseif type(value) == "table" then
    for key, inner in pairs(value) do
      if type(key) == "string" and key ~= "tagKey" and key ~= "tagValue" then
        secrets[#secrets + 1] = key
      end
      add_texts(secrets, inner)
    end
  end
end

local function secrets_of(credentials, input)
  local secrets = { credentials.secret_access_key }
  secrets[#secrets + 1] = credentials.session_token
  if type(input) == "table" then
    add_texts(secrets, rawget(input, "tags"))
    add_texts(secrets, rawget(input, "tagKeys"))
  end
  -- Longest first: one may be part of another.
  table.sort(secrets, function(a, b) return #a > #b end)
  return secrets
end

--- A message without what a call has that is secret.
---@param text string
---@param credentials? table those that signed it
---@param input? table tags are looked for in it
---@return string
function M.message(text, credentials, input)
  return redact(text, secrets_of(credentials or {}, input))
end

return M
