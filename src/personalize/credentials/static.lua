--- Keys that stand in a profile.
-- Knows their names; refuses to know where profiles come from.

local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local ID, SECRET = "aws_access_key_id", "aws_secret_access_key"
local TOKEN = "aws_session_token"

--- The keys of a profile.
---@param profile table
---@return table? keys
---@return string? missing the half that is absent; nil where there are none
function M.keys(profile)
  local id, secret = source.text(profile, ID), source.text(profile, SECRET)
  local token = source.text(profile, TOKEN)
  if not id and not secret and not token then
    return nil
  elseif not id or not secret then
    return nil, id and SECRET or ID
  end
  return { kind = "static", access_key_id = id, secret_access_key = secret,
    session_token = token,
    account_id = source.text(profile, "aws_account_id") }
end

---@param _ personalize.World
---@param keys table as `keys` made them, with the profile's name
---@return personalize.Credentials?
---@return table? failure
function M.fetch(_, keys)
  local found = { access_key_id = keys.access_key_id,
    secret_access_key = keys.secret_access_key,
    session_token = keys.session_token, account_id = keys.account_id,
    source = "shared files" }
  local fault = core.credentials_fault(found)
  if fault then
    return source.fail(("the keys of profile %s: %s"):format(keys.profile,
      fault))
  end
  return found
end

return M
