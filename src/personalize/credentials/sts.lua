--- AWS STS: temporary credentials of a role.
-- Knows the query protocol as far as the two actions need it; refuses to know
-- what entitles to the role.

local core = require "personalize.core"
local query = require "personalize.query"
local source = require "personalize.credentials.source"

local M = {}

local NAMES = { access_key_id = "AccessKeyId", session_token = "SessionToken",
  secret_access_key = "SecretAccessKey", expiration = "Expiration" }

local function child(value, name)
  return type(value) == "table" and value[name] or nil
end

local function read(action, body)
  local name, value = core.xml(body)
  if name ~= action .. "Response" then
    return nil, name and "it is another action's" or value
  end
  local result = child(value, action .. "Result")
  local found, why = source.credentials(child(result, "Credentials") or {},
    NAMES)
  if not found then
    return nil, why
  end
  local arn = source.text(child(result, "AssumedRoleUser"), "Arn")
  -- arn:aws:sts::123456789012:assumed-role/role/session
  found.account_id = arn and arn:match("^arn:[^:]*:sts:[^:]*:(%d+):")
  return found
end

--- Asks for the credentials of a role.
---@param world personalize.World
---@param action "AssumeRole"|"AssumeRoleWithWebIdentity"
---@param what string what is done, for people
---@param parameters string[][] name and value each
---@param keys? table to sign with
---@param secrets? string[] among the parameters
---@return personalize.Credentials?
---@return table? failure
function M.assume(world, action, what, parameters, keys, secrets)
  if not world.region then
    return source.misconfigured(what .. " needs a region for AWS STS: set " ..
      "AWS_REGION, or region in the profile")
  end
  table.insert(parameters, 1, { "Action", action })
  table.insert(parameters, 2, { "Version", "2011-06-15" })
  local response, failure = world.request {
    service = "sts",
    operation = action,
    region = world.region,
    method = "POST",
    path = "/",
    headers = { { "content-type",
      "application/x-www-form-urlencoded; charset=utf-8" } },
    body = query.form(parameters),
    secrets = secrets,
    unsigned = keys == nil,
    credentials = keys,
    protocol = "xml",
  }
  if not response then
    return source.refused(what, failure, secrets)
  end
  local found, why = read(action, response.body or "")
  if not found then
    return source.fail(("%s: the answer of AWS STS cannot be used: %s"):format(
      what, why))
  end
  found.is_stable = true
  return found
end

--- A name for a session where none is configured.
---@param world personalize.World
---@return string
function M.session_name(world)
  return ("personalize-%.0f"):format(math.floor(world.now() * 1000))
end

return M
