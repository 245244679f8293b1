--- Takes secrets out of texts from outside.
-- A service may quote what it was sent: the canonical request with its token,
-- the authorization, a tag. Knows what of a call is secret; refuses to know
-- how it may be spelled, and where the text goes.

local core = require "personalize.core"

local M = {}

-- A longer message was cut: to 1024 bytes, or less by a space and an escape.
local CUT = 1024 - 11
-- The core looks for 1000 texts; a resource has 50 tags.
local TEXTS_MOST = 900

-- Every text in the tags of an input, in either of their forms.
local function add_texts(texts, value)
  if type(value) == "string" then
    texts[#texts + 1] = value
  elseif type(value) == "table" then
    for key, inner in pairs(value) do
      if type(key) == "string" and key ~= "tagKey" and key ~= "tagValue" then
        texts[#texts + 1] = key
      end
      add_texts(texts, inner)
    end
  end
end

-- The password of a proxy's URL, without its percent escapes.
local function password_of(proxy)
  local text = type(proxy) == "string" and
    proxy:match "^[^/]*//[^/@]*:([^/@]*)@"
  return text and text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end) or nil
end

-- What of a call is secret: a list of secrets, a list of private texts.
local function secrets_of(keys, plan)
  local secrets, texts = {}, {}
  local function add(secret)
    if type(secret) == "string" then
      secrets[#secrets + 1] = secret
    end
  end
  add(keys.secret_access_key)
  add(keys.session_token)
  add(password_of(plan.proxy))
  for _, secret in pairs(plan.secrets or {}) do
    add(secret)
  end
  if type(plan.input) == "table" then
    add_texts(texts, rawget(plan.input, "tags"))
    add_texts(texts, rawget(plan.input, "tagKeys"))
  end
  return secrets, texts
end

--- A text without what a call has that is secret.
---@param text string
---@param keys? table credentials that signed it
---@param plan? { input?: table, secrets?: table, proxy?: string } tags are
--- looked for in the input; other secrets that were sent are named
---@return string
function M.text(text, keys, plan)
  local secrets, texts = secrets_of(keys or {}, plan or {})
  if #texts > TEXTS_MOST then
    return "[redacted]"
  end
  return core.redact(text, secrets, texts, #text >= CUT)
end

-- An id as Personalize gives it, which cannot be a part of a secret unless the
-- secret has all of it.
local function is_plain_id(id, keys)
  return id:find "^%x+%-%x+%-%x+%-%x+%-%x+$" and #id == 36 and
    not (keys.secret_access_key or ""):find(id, 1, true) and
    not (keys.session_token or ""):find(id, 1, true)
end

-- What names something is of no use with a hole in it.
local function is_clean(name, keys, plan)
  return M.text(name, keys, plan) == name
end

--- Takes what a call has that is secret out of a verdict: its code, message,
--- request id and cause.
---@param verdict table changed
---@param is_outside boolean the message is not of our own words
---@param keys? table
---@param plan table
function M.verdict(verdict, is_outside, keys, plan)
  keys = keys or {}
  local id, code = verdict.request_id, verdict.code
  if id and not is_plain_id(id, keys) and not is_clean(id, keys, plan) then
    verdict.request_id = nil
  end
  if not is_outside then
    return
  end
  if code and not is_clean(code, keys, plan) then
    verdict.code = verdict.status and "HTTP " .. verdict.status or
      "ConnectionError"
  end
  for _, name in ipairs { "message", "cause" } do
    if type(verdict[name]) == "string" then
      verdict[name] = M.text(verdict[name], keys, plan)
    end
  end
end

--- Takes headers out of an answer that quote a secret.
---@param headers any of a response; changed
---@param keys? table
---@param plan table
function M.headers(headers, keys, plan)
  for name, value in pairs(type(headers) == "table" and headers or {}) do
    if type(value) == "string" and not is_clean(value, keys, plan) then
      headers[name] = nil
    end
  end
end

return M
