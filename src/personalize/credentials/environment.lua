--- Credentials in the environment.
-- Knows the variables; refuses to know which other sources there are.

local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local ID, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
local EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"

---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
---@return string? why where nothing is configured
function M.fetch(world)
  local id, secret = world.env(ID), world.env(SECRET)
  if not id and not secret then
    return nil, nil, ("%s and %s are not set"):format(ID, SECRET)
  elseif not id or not secret then
    return source.fail(("%s is set, but %s is not"):format(
      id and ID or SECRET, id and SECRET or ID))
  end
  local found = { access_key_id = id, secret_access_key = secret,
    session_token = world.env "AWS_SESSION_TOKEN",
    account_id = world.env "AWS_ACCOUNT_ID", source = "environment" }
  local fault = core.credentials_fault(found)
  if fault then
    return source.fail("the environment's credentials: " .. fault)
  end
  local expiration = world.env(EXPIRATION)
  if expiration then
    found.expiration = core.time(expiration)
    if not found.expiration then
      return source.misconfigured(EXPIRATION .. " must be a date such as " ..
        "2026-11-24T12:00:00Z")
    end
  end
  return found
end

return M
