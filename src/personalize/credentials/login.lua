--- Credentials that `aws login` left behind, renewed with a proof that the key
-- beside them is held (DPoP, RFC 9449).
-- Knows the file and the proof; refuses to know how one logs in.

local ascii = require "personalize.ascii"
local core = require "personalize.core"
local files = require "personalize.files"
local source = require "personalize.credentials.source"

local M = {}

-- Renewed while they have so many seconds to live.
local EARLY = 5 * 60
local ATTEMPTS = 3

local LOG_IN = "run `aws login`"

local NAMES = { access_key_id = "accessKeyId", session_token = "sessionToken",
  secret_access_key = "secretAccessKey" }
-- Beside the credentials themselves.
local REQUIRED = { "clientId", "refreshToken", "dpopKey" }

local function unusable(path, why)
  return source.fail(("the login session's file %s: %s; %s"):format(path, why,
    LOG_IN), { unrecoverable = true })
end

local function credentials(token, account, expires)
  local found, why = source.credentials(token, NAMES)
  if not found then
    return nil, why
  end
  found.account_id, found.expiration = account, expires
  found.source, found.is_stable = "login session", true
  return found
end

-- The file's document and the credentials in it.
local function parse(text)
  local document = source.decode(text)
  local token = document and document.accessToken
  if type(token) ~= "table" then
    return nil, document and "accessToken is missing" or "it is not JSON"
  end
  for _, name in ipairs(REQUIRED) do
    if not source.text(document, name) then
      return nil, name .. " is missing"
    end
  end
  local expires = source.time(token, "expiresAt")
  if not expires then
    return nil, "expiresAt is missing"
  end
  local found, why =
    credentials(token, source.text(token, "accountId"), expires)
  if not found then
    return nil, why
  end
  return { document = document, credentials = found }
end

local function load(world, path)
  local held, text, failure = source.load(world, path, parse)
  if held then
    held.text = text
    return held
  elseif failure then
    return nil, failure
  end
  return unusable(path, text)
end

local function uuid(bytes)
  local hex = bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  return ("%s-%s-4%s-a%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12),
    hex:sub(14, 16), hex:sub(18, 20), hex:sub(21, 32))
end

-- A proof for one request: once used, it may be refused.
local function proof(world, pem, url)
  local is_key, x, y = core.es256(pem, "")
  if not is_key then
    return nil
  end
  local function part(value)
    return core.base64url(source.encode(value))
  end
  local text = part { typ = "dpop+jwt", alg = "ES256",
    jwk = { kty = "EC", crv = "P-256", x = core.base64url(x),
      y = core.base64url(y) } } .. "." ..
    part { jti = uuid(world.random(16)), htm = "POST", htu = url,
      iat = math.floor(world.now()) }
  return text .. "." .. core.base64url((core.es256(pem, text)))
end

-- Asks until an answer is final. The requests have no attempts of their own,
-- since each needs its own proof.
local function ask(world, endpoint, document, path)
  local secrets = { document.refreshToken,
    source.text(document.accessToken, "sessionToken") }
  local failure, refusal
  for _ = 1, ATTEMPTS do
    local dpop = proof(world, document.dpopKey,
      endpoint:gsub("/$", "") .. "/v1/token")
    if not dpop then
      return unusable(path, "dpopKey is no key of P-256 in PEM")
    end
    local response
    response, failure, refusal = world.request {
      service = "signin",
      operation = "CreateOAuth2Token",
      endpoint = endpoint,
      region = world.region,
      method = "POST",
      path = "/v1/token",
      headers = { { "content-type", "application/json" }, { "dpop", dpop } },
      body = source.encode { clientId = document.clientId,
        grantType = "refresh_token", refreshToken = document.refreshToken },
      secrets = secrets,
      unsigned = true,
      protocol = "json",
      max_attempts = 1,
    }
    if response then
      return response
    elseif not failure.retryable then
      break
    end
  end
  local is_final = source.is_final(failure)
  return source.refused("renewing the login session" ..
    (is_final and " (" .. LOG_IN .. ")" or ""), failure, secrets,
    is_final, refusal)
end

local function endpoint_of(world)
  local url = world.endpoint and world.endpoint "signin"
  if url then
    -- The proof names the URL as it is asked for.
    return (url:gsub("^%a+", ascii.lower))
  elseif not world.region then
    return source.misconfigured("renewing the login session needs a region: " ..
      "set AWS_REGION, or region in the profile")
  end
  local why
  url, why = core.endpoint { service = "signin", region = world.region,
    use_fips = world.use_fips, use_dualstack = world.use_dualstack }
  if not url then
    return source.misconfigured(why)
  end
  return url
end

local function renew(world, held, path)
  local endpoint, fault = endpoint_of(world)
  if not endpoint then
    return nil, fault
  end
  local document = held.document
  local response
  response, fault = ask(world, endpoint, document, path)
  if not response then
    return nil, fault
  end
  local answer = source.decode(response.body) or {}
  local token, seconds = answer.accessToken, answer.expiresIn
  if type(token) ~= "table" or type(seconds) ~= "number" or seconds <= 0 then
    return source.fail("the answer to renewing the login session cannot be " ..
      "used")
  end
  local expires = math.floor(world.now() + seconds)
  local found, why = credentials(token, held.credentials.account_id, expires)
  if not found then
    return source.fail("the answer to renewing the login session cannot be " ..
      "used: " .. why)
  end
  -- What else stands in the file is kept.
  for _, name in pairs(NAMES) do
    document.accessToken[name] = token[name]
  end
  document.accessToken.expiresAt = core.time_text(expires)
  document.refreshToken = source.text(answer, "refreshToken") or
    document.refreshToken
  document.idToken = source.text(answer, "idToken") or document.idToken
  source.keep(world, "login session", path, document, held.text)
  return found
end

---@param world personalize.World
---@param base { login_session: string, profile: string }
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world, base)
  local folder = world.env "AWS_LOGIN_CACHE_DIRECTORY"
  folder = folder and files.expand(folder, world.env) or
    not folder and world.home and world.home .. "/.aws/login/cache" or nil
  if not folder then
    return source.misconfigured("the login session needs a home folder " ..
      "(HOME) or AWS_LOGIN_CACHE_DIRECTORY: it is kept there")
  end
  local path = ("%s/%s.json"):format(folder,
    core.sha256_hex(base.login_session))
  local held, fault = load(world, path)
  if not held then
    return nil, fault
  end
  local found = held.credentials
  local left = found.expiration - world.now()
  if left > EARLY then
    return found
  end
  local renewed
  renewed, fault = renew(world, held, path)
  if renewed then
    return renewed
  end
  -- Another process may have been first.
  local again = load(world, path)
  if again and again.credentials.access_key_id ~= found.access_key_id then
    found = again.credentials
  end
  if found.expiration > world.now() then
    return found
  end
  return nil, fault
end

return M
