--- Credentials of a role, with credentials that may assume it.
-- Knows the keys of a profile that are about a role; refuses to know where the
-- first credentials come from.

local callback = require "personalize.callback"
local source = require "personalize.credentials.source"
local sts = require "personalize.credentials.sts"

local M = {}

local LEAST_SECONDS, MOST_SECONDS = 900, 43200

local function duration(role)
  local text = role.duration_seconds
  local seconds = text:find "^%d+$" and tonumber(text)
  if seconds and seconds >= LEAST_SECONDS and seconds <= MOST_SECONDS then
    return ("%.0f"):format(seconds)
  end
  return source.misconfigured(("duration_seconds of profile %s must be a " ..
    "whole number from %d to %d"):format(role.profile, LEAST_SECONDS,
    MOST_SECONDS))
end

-- The code of the device, from the user's function.
local function mfa_code(world, role)
  local ask = world.options and world.options.mfa_token
  if not ask then
    return source.fail(("profile %s asks for a code (mfa_serial): give the " ..
      "option mfa_token, function(serial) -> code"):format(role.profile))
  end
  local ok, code = callback.call("CredentialsError", "the mfa_token function",
    ask, role.mfa_serial)
  if not ok then
    return nil, code
  end
  if type(code) == "number" and code >= 0 and code < 1e6 and
    code % 1 == 0 then
    code = ("%06d"):format(code)
  end
  if type(code) ~= "string" or not code:find "^%d%d%d%d%d%d$" then
    return source.fail("the mfa_token function did not return six digits")
  end
  return code
end

---@param world personalize.World
---@param role table a role of a profile's plan
---@param keys table credentials to assume it with
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world, role, keys)
  local parameters = {
    { "RoleArn", role.role_arn },
    { "RoleSessionName", role.role_session_name or sts.session_name(world) },
  }
  local function add(name, value)
    parameters[#parameters + 1] = { name, value }
  end
  if role.external_id then
    add("ExternalId", role.external_id)
  end
  if role.duration_seconds then
    local seconds, fault = duration(role)
    if not seconds then
      return nil, fault
    end
    add("DurationSeconds", seconds)
  end
  local code
  if role.mfa_serial then
    local fault
    code, fault = mfa_code(world, role)
    if not code then
      return nil, fault
    end
    add("SerialNumber", role.mfa_serial)
    add("TokenCode", code)
  end
  local found, failure = sts.assume(world, "AssumeRole",
    "assuming the role of profile " .. role.profile, parameters, keys,
    code and { code })
  if found then
    found.source = "assumed role"
  end
  return found, failure
end

return M
