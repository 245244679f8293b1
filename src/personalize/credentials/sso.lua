--- Credentials of a role in IAM Identity Center, for the token that
-- `aws sso login` left behind.
-- Knows the token's file, both forms of it; refuses to know how one logs in.

local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local MINUTE = 60
-- A token is renewed while it has so long to live, where it can be.
local EARLY = 15 * MINUTE

local LOG_IN = "run `aws sso login`"

local NAMES = { access_key_id = "accessKeyId", session_token = "sessionToken",
  secret_access_key = "secretAccessKey" }

-- The token's document and what counts of it.
local function parse(text)
  local document = source.decode(text)
  local token = source.text(document, "accessToken")
  local expires = source.time(document, "expiresAt")
  if not document then
    return nil, "it is not JSON"
  elseif not token or not expires then
    return nil, "it lacks accessToken or expiresAt"
  elseif not source.token(token) or token:find "%c" then
    return nil, "it is not one that can be sent"
  end
  return { document = document, token = token, expires = expires }
end

local function load(world, path)
  local held, text, failure = source.load(world, path, parse)
  if held then
    held.text = text
    return held
  elseif failure then
    return nil, failure
  end
  return source.fail(("the single sign-on token %s: %s; %s"):format(path, text,
    LOG_IN), { unrecoverable = true })
end

-- Has it all that renewing asks for?
local function is_renewable(world, base, document)
  local registered = source.time(document, "registrationExpiresAt")
  return base.sso_session and source.text(document, "refreshToken") and
    source.text(document, "clientId") and
    source.text(document, "clientSecret") and
    registered ~= nil and registered > world.now()
end

-- A token for a refresh token; the document as it is to be written.
local function renew(world, base, document)
  local secrets = { document.refreshToken, document.clientSecret,
    source.text(document, "accessToken") }
  local response, failure, refusal = world.request {
    service = "sso_oidc",
    operation = "CreateToken",
    region = base.sso_region,
    method = "POST",
    path = "/token",
    headers = { { "content-type", "application/json" } },
    body = source.encode { clientId = document.clientId,
      clientSecret = document.clientSecret, grantType = "refresh_token",
      refreshToken = document.refreshToken },
    secrets = secrets,
    unsigned = true,
    protocol = "json",
  }
  if not response then
    return source.refused("renewing the single sign-on token", failure,
      secrets, source.is_final(failure), refusal)
  end
  local answer = source.decode(response.body) or {}
  local token, seconds = source.text(answer, "accessToken"), answer.expiresIn
  if not token or token:find "%c" or type(seconds) ~= "number" or
    seconds <= 0 then
    return source.fail("the answer to renewing the single sign-on token " ..
      "cannot be used")
  end
  document.accessToken = token
  document.expiresAt = core.time_text(world.now() + seconds)
  document.refreshToken = source.text(answer, "refreshToken") or
    document.refreshToken
  return { document = document, token = token,
    expires = world.now() + seconds }
end

-- A token that can be used now.
local function token_of(world, base, path)
  local held, fault = load(world, path)
  if not held then
    return nil, fault
  end
  local left = held.expires - world.now()
  if left > EARLY then
    return held.token
  end
  if is_renewable(world, base, held.document) then
    local spent = held.token
    local renewed
    renewed, fault = renew(world, base, held.document)
    if renewed then
      source.keep(world, "single sign-on token", path, renewed.document,
        held.text)
      return renewed.token
    end
    -- Another process may have been first: then the refresh token is spent,
    -- but its successor is in the file.
    local again = load(world, path)
    if again and again.token ~= spent and again.expires > world.now() then
      return again.token
    end
  end
  if left > 0 then
    return held.token
  end
  return nil, fault or select(2, source.fail("the single sign-on token has " ..
    "expired; " .. LOG_IN, { unrecoverable = true }))
end

---@param world personalize.World
---@param base table a profile's: sso_session, sso_account_id, sso_role_name,
--- sso_region, sso_start_url
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world, base)
  if not base.sso_account_id or not base.sso_role_name then
    return source.misconfigured(("profile %s has sso_session, but not " ..
      "sso_account_id and sso_role_name, which credentials need"):format(
      base.profile))
  elseif not core.is_region(base.sso_region) then
    return source.misconfigured(("sso_region of profile %s is not a " ..
      "region"):format(base.profile))
  elseif not world.home then
    return source.misconfigured("single sign-on needs a home folder " ..
      "(HOME): its token is kept below it")
  end
  local path = ("%s/.aws/sso/cache/%s.json"):format(world.home,
    core.sha1_hex(base.sso_session or base.sso_start_url))
  local token, fault = token_of(world, base, path)
  if not token then
    return nil, fault
  end
  local response, failure = world.request {
    service = "sso",
    operation = "GetRoleCredentials",
    region = base.sso_region,
    method = "GET",
    path = "/federation/credentials",
    query = ("account_id=%s&role_name=%s"):format(
      core.uri_encode(base.sso_account_id),
      core.uri_encode(base.sso_role_name)),
    headers = { { "x-amz-sso_bearer_token", token } },
    secrets = { token },
    unsigned = true,
    protocol = "json",
  }
  if not response then
    local is_invalid = failure.status == 401
    return source.refused("asking for the role of profile " .. base.profile ..
      (is_invalid and " (" .. LOG_IN .. ")" or ""), failure, { token },
      is_invalid)
  end
  local answer = (source.decode(response.body) or {}).roleCredentials
  if type(answer) ~= "table" then
    return source.fail "the single sign-on portal's answer has no credentials"
  end
  local found, why = source.credentials(answer, NAMES)
  if not found or type(answer.expiration) ~= "number" then
    return source.fail("the single sign-on portal's credentials cannot be " ..
      "used: " .. (why or "expiration is missing"))
  end
  found.expiration = math.floor(answer.expiration / 1000)
  found.account_id = base.sso_account_id
  found.source, found.is_stable = "single sign-on", true
  return found
end

return M
