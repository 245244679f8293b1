--- Credentials and region of an EC2 instance, from its metadata service.
-- Knows both versions of the service (IMDS); refuses to know why somebody
-- asks.

local ascii = require "personalize.ascii"
local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local DISABLED = "AWS_EC2_METADATA_DISABLED"
local ENDPOINT = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
local MODE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
local V1_DISABLED = "AWS_EC2_METADATA_V1_DISABLED"
local TIMEOUT = "AWS_METADATA_SERVICE_TIMEOUT"
local ATTEMPTS = "AWS_METADATA_SERVICE_NUM_ATTEMPTS"
local PROFILE_NAME = "AWS_EC2_INSTANCE_PROFILE_NAME"

local ROLES = "/latest/meta-data/iam/security-credentials/"
-- As of 2025, with the account in the answer. Asked only for a name that is
-- configured: as long as not every instance has it, the older path, which
-- names the role, costs one request less.
local EXTENDED_ROLES = "/latest/meta-data/iam/security-credentials-extended/"
local PLACEMENT = "/latest/meta-data/placement/"
local TOKEN_SECONDS = "21600"

local ADDRESSES = { ipv4 = "http://169.254.169.254",
  ipv6 = "http://[fd00:ec2::254]" }

local NAMES = { access_key_id = "accesskeyid", session_token = "token",
  secret_access_key = "secretaccesskey", expiration = "expiration" }

-- A setting's value and, for errors, its name: option, variable, profile. The
-- files are read only where neither of the others says anything.
local function setting(world, given, variable, key)
  if given ~= nil then
    return given, "the option"
  end
  local value = world.env(variable)
  if value then
    return value, variable
  end
  local files, fault = world.files()
  if not files then
    return nil, nil, fault
  end
  return source.text(files.profiles[world.profile or "default"], key), key
end

--- Where the service is.
---@param world personalize.World
---@param given? { endpoint: string?, mode: string? } options in code
---@return string? url
---@return table? failure
function M.endpoint(world, given)
  given = given or {}
  local url, name, fault = setting(world, given.endpoint, ENDPOINT,
    "ec2_metadata_service_endpoint")
  if fault then
    return nil, fault
  elseif url then
    if not core.is_endpoint(url) then
      return source.misconfigured(name .. " must be http://HOST or " ..
        "https://HOST, with an optional port and path")
    end
    return url
  end
  local mode
  mode, name, fault = setting(world, given.mode, MODE,
    "ec2_metadata_service_endpoint_mode")
  if fault then
    return nil, fault
  end
  url = ADDRESSES[ascii.lower(mode or "ipv4")]
  if not url then
    return source.misconfigured(name .. " must be IPv4 or IPv6")
  end
  return url
end

-- A number above 0 from a variable.
local function number(world, variable, default)
  local text = world.env(variable)
  if not text then
    return default
  end
  local value = ascii.number(text)
  if not value or value <= 0 then
    return source.misconfigured(variable .. " must be a number above 0")
  end
  return value
end

-- What all requests of one visit share.
local function visit(world)
  local disabled, name, fault = setting(world, nil, DISABLED,
    "disable_ec2_metadata")
  if fault then
    return nil, fault
  elseif disabled and ascii.lower(disabled) == "true" then
    return nil, nil, name .. " is true"
  end
  local url
  url, fault = M.endpoint(world,
    { endpoint = world.endpoint and world.endpoint "metadata" })
  if not url then
    return nil, fault
  end
  local timeout, attempts
  timeout, fault = number(world, TIMEOUT, 1)
  if timeout then
    attempts, fault = number(world, ATTEMPTS, 4)
  end
  if not attempts then
    return nil, fault
  end
  return { world = world, url = url, timeout = timeout,
    attempts = math.max(1, math.floor(attempts)) }
end

local function ask(at, method, path, header, timeout)
  return at.world.request {
    service = "metadata",
    operation = "InstanceMetadata",
    endpoint = at.url,
    method = method,
    path = path,
    headers = { header },
    secrets = { at.token },
    unsigned = true,
    protocol = "text",
    direct = true,
    connect_timeout = at.timeout,
    timeout = timeout,
    max_attempts = at.attempts,
  }
end

local function is_v1_allowed(world)
  local value, name, fault = setting(world, nil, V1_DISABLED,
    "ec2_metadata_v1_disabled")
  local lower = value and ascii.lower(value)
  if fault then
    return nil, fault
  elseif lower and lower ~= "true" and lower ~= "false" then
    return source.misconfigured(name .. " must be true or false")
  end
  return lower ~= "true"
end

-- A service that has no tokens, or whose answer with the token does not reach
-- a container (it makes one hop only), is asked as its first version.
local function without_token(at, why)
  local allowed, fault = is_v1_allowed(at.world)
  if fault then
    return nil, fault
  elseif not allowed then
    return source.fail("the instance metadata service gave no token (" ..
      why .. "), and its version 1 is disabled")
  end
  at.token, at.is_v1 = nil, true
  return true
end

-- Nobody is there: which a machine that is no instance has in common with an
-- endpoint that is wrong.
local function unanswered(at, failure)
  return nil, nil, ("no instance metadata service answered at %s (%s)"):format(
    at.url, tostring(failure.message or failure.code))
end

-- Opens a session; true, or as a source ends.
local function authorize(at)
  local response, failure = ask(at, "PUT", "/latest/api/token",
    { "x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS }, at.timeout)
  if response then
    local token, why = source.token(response.body or "")
    if not token then
      return source.fail("the token of the instance metadata service " .. why)
    end
    at.token = token
    return true
  elseif failure.status == 403 then
    return nil, nil, "the instance metadata service is turned off (HTTP 403)"
  elseif failure.status == 404 or failure.status == 405 then
    return without_token(at, "HTTP " .. failure.status)
  elseif failure.code == "TimeoutError" and failure.unclear then
    return without_token(at, "no answer")
  elseif failure.status == nil and (failure.code == "TimeoutError" or
    failure.code == "ConnectionError") then
    return unanswered(at, failure)
  end
  return source.refused("asking the instance metadata service for a token",
    failure)
end

-- The text at a path, or nil and the request's failure. A token that is not
-- taken any more is renewed.
local function get(at, path, times)
  times = times or 1
  local header = at.token and { "x-aws-ec2-metadata-token", at.token } or nil
  -- That the service is there is known by its token; without one it may be
  -- that nobody is.
  local response, failure = ask(at, "GET", path, header,
    at.is_v1 and at.timeout or 5 * at.timeout)
  if response then
    return response.body or ""
  elseif failure.status == 401 and at.token and times < at.attempts then
    local ok = authorize(at)
    if ok then
      return get(at, path, times + 1)
    end
  end
  return nil, failure
end

local function open(world)
  local at, fault, why = visit(world)
  if not at then
    return nil, fault, why
  end
  local ok
  ok, fault, why = authorize(at)
  if not ok then
    return nil, fault, why
  end
  return at
end

-- The name of the instance's role.
local function role_of(at)
  local text, failure = get(at, ROLES)
  if not text then
    if failure.status == 404 then
      return nil, nil, "the instance has no role"
    elseif at.is_v1 and failure.status == nil and
      (failure.code == "TimeoutError" or
      failure.code == "ConnectionError") then
      return unanswered(at, failure)
    end
    return source.refused("asking for the instance's role", failure,
      { at.token })
  end
  local role = text:match("^%s*([^\r\n]*)"):gsub("%s+$", "")
  if role == "" then
    return nil, nil, "the instance has no role"
  end
  return role
end

-- The document of a profile whose name is configured.
local function document_of_profile(at, name, where)
  if not name:find "^[A-Za-z0-9+=,.@_-]+$" or name:find "^%.+$" then
    return source.misconfigured(where .. " must be the name of an instance " ..
      "profile: letters, digits and +=,.@_-")
  end
  local text, failure
  for _, path in ipairs { EXTENDED_ROLES, ROLES } do
    text, failure = get(at, path .. name)
    if text or failure.status ~= 404 then
      break
    end
  end
  if not text and failure.status == 404 then
    return source.fail(("the instance has no profile %s, which %s names")
      :format(name, where))
  elseif not text then
    return source.refused(("asking for the credentials of the instance " ..
      "profile %s"):format(name), failure, { at.token })
  end
  return text
end

-- The document of the role that the instance has.
local function document_of_role(at)
  local role, fault, why = role_of(at)
  if not role then
    return nil, fault, why
  end
  local text, failure = get(at, ROLES .. core.uri_encode(role))
  if not text then
    return source.refused("asking for the credentials of the instance's " ..
      "role", failure, { at.token })
  end
  return text
end

---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
---@return string? why where nothing is configured
function M.fetch(world)
  local at, fault, why = open(world)
  if not at then
    return nil, fault, why
  end
  local name, where, text
  name, where, fault = setting(world, nil, PROFILE_NAME,
    "ec2_instance_profile_name")
  if name then
    text, fault, why = document_of_profile(at, name, where)
  elseif not fault then
    text, fault, why = document_of_role(at)
  end
  if not text then
    return nil, fault, why
  end
  local document = source.document(text)
  if not document then
    return source.fail("the instance metadata service answered with " ..
      "credentials that are not JSON")
  end
  local code = source.text(document, "code") or "Success"
  if code ~= "Success" then
    return source.fail(("the instance metadata service has no credentials: " ..
      "%s: %s"):format(code:sub(1, 100), (source.text(document, "message") or
      "no reason given"):sub(1, 300):gsub("%c", " ")))
  end
  local found
  found, why = source.credentials(document, NAMES)
  if not found then
    return source.fail("the instance metadata service's credentials cannot " ..
      "be used: " .. why)
  end
  found.account_id = source.text(document, "accountid")
  found.source, found.is_stable = "instance metadata", true
  return found
end

--- The instance's region.
---@param world personalize.World
---@return string?
---@return table? failure
---@return string? why where there is none to ask
function M.region(world)
  local at, fault, why = open(world)
  if not at then
    return nil, fault, why
  end
  local text, failure = get(at, PLACEMENT .. "region")
  if not text and failure.status == 404 then
    -- A zone is its region's name and a letter.
    text, failure = get(at, PLACEMENT .. "availability-zone")
    text = text and text:gsub("%a%s*$", "")
  end
  if not text then
    return source.refused("asking for the instance's region", failure,
      { at.token })
  end
  text = text:match "^%s*(.-)%s*$"
  if not core.is_region(text) then
    return source.fail "the instance metadata service gave no region"
  end
  return text
end

return M
