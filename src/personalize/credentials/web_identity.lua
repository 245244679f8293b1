--- Credentials of a role, for a token that somebody else issued (EKS, CI
-- systems).
-- Knows the token's file and the variables; refuses to know what the token
-- says.

local source = require "personalize.credentials.source"
local sts = require "personalize.credentials.sts"

local M = {}

local FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"

-- What AWS says of a token that was cut, or renewed in the meantime.
local IS_OF_TOKEN = { ExpiredTokenException = true, InvalidIdentityToken = true }

local function token_in(world, path)
  local token, why, failure = source.token_in(world, path)
  if token then
    return token
  elseif failure then
    return nil, failure
  end
  return source.fail(("the web identity token file %s: %s"):format(path, why))
end

local function exchange(world, role, token)
  return sts.assume(world, "AssumeRoleWithWebIdentity",
    "assuming a role with a web identity", {
      { "RoleArn", role.role_arn },
      { "RoleSessionName", role.role_session_name or
        sts.session_name(world) },
      { "WebIdentityToken", token },
    }, nil, { token })
end

--- Reads the file each time: the token in it is renewed.
---@param world personalize.World
---@param role { role_arn: string, web_identity_token_file: string,
--- role_session_name: string? }
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world, role)
  local path = role.web_identity_token_file
  local token, failure = token_in(world, path)
  if not token then
    return nil, failure
  end
  local found
  found, failure = exchange(world, role, token)
  if failure and failure.cause and IS_OF_TOKEN[failure.cause.code] then
    local again = token_in(world, path)
    if again and again ~= token then
      found, failure = exchange(world, role, again)
    end
  end
  if found then
    found.source = "web identity"
  end
  return found, failure
end

--- The same, as the environment has it.
---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
---@return string? why where nothing is configured
function M.from_environment(world)
  local path, arn = world.env(FILE), world.env "AWS_ROLE_ARN"
  if not path then
    return nil, nil, FILE .. " is not set"
  elseif not arn then
    return source.misconfigured(FILE .. " is set, but AWS_ROLE_ARN is not")
  end
  return M.fetch(world, { role_arn = arn, web_identity_token_file = path,
    role_session_name = world.env "AWS_ROLE_SESSION_NAME" })
end

return M
