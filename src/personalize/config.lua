--- From options, environment and profile to checked settings.
-- Knows every option of `personalize.new`, the variable and the profile's key
-- behind it. Reads no files by itself and makes no requests.

local Error = require "personalize.error"
local ascii = require "personalize.ascii"
local checks = require "personalize.checks"
local core = require "personalize.core"
local files = require "personalize.files"
local version = require "personalize.version"

local is_boolean, is_function = checks.is_boolean, checks.is_function
local is_positive, is_text = checks.is_positive, checks.is_text

local M = {}

---@class personalize.Credentials
---@field access_key_id string
---@field secret_access_key string
---@field session_token? string needed with temporary credentials
---@field expiration? number seconds since 1970, UTC

---@class personalize.Endpoints
---@field personalize? string
---@field s3? string
---@field sts? string
---@field iam? string asked by preflight
---@field sso? string
---@field sso_oidc? string
---@field signin? string
---@field metadata? string of an EC2 instance

---@alias personalize.Transport
---| fun(request: personalize.Request): personalize.Response?, personalize.TransportError?

---@class personalize.Options
---@field region? string such as "eu-west-1"; else AWS_REGION, then
--- AWS_DEFAULT_REGION
---@field credentials? personalize.Credentials|fun(): personalize.Credentials
--- else AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
---@field endpoint? string a URL for every service
---@field endpoints? personalize.Endpoints URLs for one service each; else
--- AWS_ENDPOINT_URL_PERSONALIZE and the like,
--- then AWS_ENDPOINT_URL, then the profile's services section and endpoint_url
---@field profile? string of the shared files; the environment's keys are then
--- not looked at; else AWS_PROFILE, AWS_DEFAULT_PROFILE, then "default"
---@field mfa_token? fun(serial: string): string the code of an MFA device, for
--- roles that ask for one
---@field use_fips? boolean default false; else AWS_USE_FIPS_ENDPOINT
---@field use_dualstack? boolean default false; else AWS_USE_DUALSTACK_ENDPOINT
---@field timeout? number seconds for a whole call, default 60
---@field connect_timeout? number seconds for name look-up, connect and TLS
--- together, default 3.1
---@field ca_bundle? string file of trusted certificates; else AWS_CA_BUNDLE,
--- the profile's, REQUESTS_CA_BUNDLE (as the AWS CLI has it), then the system's.
--- Inside nginx an error: lua_ssl_trusted_certificate
---@field proxy? string URL; else HTTPS_PROXY and its kin. Inside nginx http://
---@field app_id? string for the User-Agent, at most 50 characters; else
--- AWS_SDK_UA_APP_ID. One that is wrong there is left out, with a warning
---@field parameter_validation? boolean default true; false leaves lengths and
--- patterns to the service
---@field max_attempts? integer of a call, the first included; default 3; else
--- AWS_MAX_ATTEMPTS
---@field s3_addressing? "auto"|"virtual"|"path" where a bucket's name stands
--- in URLs; default auto: in the host name where it can, in the path below IP
--- addresses and localhost; else addressing_style of the profile's s3 settings
---@field sts_regional_endpoints? "regional"|"legacy" default regional; else
--- AWS_STS_REGIONAL_ENDPOINTS. legacy asks the global STS in old regions
---@field retry_mode? "standard"|"adaptive" default standard; else
--- AWS_RETRY_MODE. adaptive also slows down after throttling
---@field disable_clock_skew_correction? boolean default false: requests are
--- signed by AWS's clock as its answers tell it; else
--- AWS_DISABLE_CLOCK_SKEW_CORRECTION
---@field shared_dict? string inside nginx: the lua_shared_dict in which
--- workers share what the chain found
---@field on_event? fun(event: personalize.Event) told of every attempt,
--- every retry and the end of every call; its errors are swallowed
---@field sleep? fun(seconds: number): any in place of the system's; a false
--- result interrupts the call
---@field transport? personalize.Transport

---@class personalize.Request
---@field method string
---@field url string
---@field headers string[][] list of { name, value }, to be sent as they are
---@field body string|personalize.Source
---@field progress? fun(bytes: integer) to be told, now and then, how much of
--- the body was sent; what it raises has to come out of the transport
---@field timeout number seconds left of the call
---@field connect_timeout number seconds
---@field ca_bundle? string
---@field proxy? string
---@field address? string to connect to in place of what the URL's host stands
--- for (IPv6 in brackets): it was looked up and found safe; the host still names
--- the peer

--- A body that is read while it is sent; at its beginning when the transport
--- gets it.
---@class personalize.Source
---@field length integer bytes, all of it
---@field read fun(self, most: integer): string?, string? nil at the end; nil
--- and why after a failure, which makes a UserListError of the transport
---@field rewind fun(self): true?, string?

---@class personalize.Event
---@field name "attempt"|"retry"|"call"|"wait"|"credentials"|"warning" a call
--- is told when it ends; credentials, when a source gave some
---@field message? string of a warning, which has no other members
---@field source? string (name "credentials") as `identity` has it
---@field expiration? number (name "credentials") seconds since 1970, UTC
---@field operation? string
---@field attempt? integer from 1
---@field status? integer|string HTTP status; of a job (name "wait")
---@field code? string the failure's
---@field request_id? string
---@field endpoint? string URL
---@field region? string
---@field elapsed? number seconds the attempt, or all of the call, took
---@field delay? number seconds until the next attempt (name "retry"), or the
--- next look (name "wait")
---@field attempts? integer of the call (name "call")
---@field kind? "client"|"transport"|"service" of the failure (name "call")
---@field reconciled? boolean (name "call") as in the meta of a create

---@class personalize.Response
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string

---@class personalize.TransportError
---@field code? string ConnectionError (the default), TimeoutError, TlsError,
--- ResponseError; UserListError for a source that failed
---@field message string
---@field sent? boolean false only if no byte of the request reached the peer
---@field retryable? boolean whether trying again may help; by its code, where
--- absent
---@field status? integer where the head of an answer had come

local function config_error(message)
  Error.raise { code = "ConfigError", kind = "client", message = message }
end

local function is_region(value)
  return type(value) == "string" and core.is_region(value)
end

local function is_endpoint(value)
  return type(value) == "string" and core.is_endpoint(value)
end

local function is_app_id(value)
  return type(value) == "string" and #value <= 50 and
    value:find("^[A-Za-z0-9!#$%%&'*+%-.^_`|~]+$") ~= nil
end

local function is_attempts(value)
  return type(value) == "number" and value >= 1 and value <= 1e6 and
    value % 1 == 0
end

local function is_retry_mode(value)
  return value == "standard" or value == "adaptive"
end

local function is_addressing(value)
  return value == "auto" or value == "virtual" or value == "path"
end

local function is_sts_mode(value)
  return value == "regional" or value == "legacy"
end

local A_BOOLEAN = "true or false"
local AN_ENDPOINT = "http://HOST or https://HOST, with an optional port and " ..
  "path"

-- tonumber alone would take "0x3" and "1e1", too.
local function read_digits(text)
  return text:find("^%d+$") and tonumber(text)
end

-- What an option must be. Where it is absent, `env` is asked, then the
-- profile's `key` (where that is nested, its `sub`), then the variables in
-- `last`. What is `dispensable` never ends a call: a wrong value that is no
-- argument is left out, with a warning.
local OPTIONS = {
  app_id = { check = is_app_id, env = { "AWS_SDK_UA_APP_ID" },
    key = "sdk_ua_app_id", dispensable = true,
    must = "at most 50 letters, digits and !#$%&'*+-.^_`|~" },
  ca_bundle = { check = is_text, env = { "AWS_CA_BUNDLE" },
    key = "ca_bundle", last = "REQUESTS_CA_BUNDLE", must = "a file name" },
  connect_timeout = { check = is_positive, default = 3.1,
    must = "a number of seconds above 0" },
  credentials = { must = "a table or a function",
    check = function(value)
      return type(value) == "table" or is_function(value)
    end },
  disable_clock_skew_correction = { check = is_boolean, default = false,
    must = A_BOOLEAN, env = { "AWS_DISABLE_CLOCK_SKEW_CORRECTION" },
    key = "disable_clock_skew_correction" },
  endpoint = { check = is_endpoint, must = AN_ENDPOINT },
  endpoints = { must = "a table of endpoints",
    check = function(value) return type(value) == "table" end },
  max_attempts = { check = is_attempts, default = 3, read = read_digits,
    env = { "AWS_MAX_ATTEMPTS" }, key = "max_attempts", must = "a whole number above 0" },
  mfa_token = { check = is_function, must = "a function" },
  on_event = { check = is_function, must = "a function" },
  parameter_validation = { check = is_boolean, default = true,
    must = A_BOOLEAN },
  profile = { check = is_text, must = "the name of a profile",
    env = { "AWS_PROFILE", "AWS_DEFAULT_PROFILE" } },
  proxy = { check = is_text, must = "a URL" },
  region = { check = is_region, env = { "AWS_REGION", "AWS_DEFAULT_REGION" },
    key = "region", must = "1 to 63 letters, digits and inner hyphens" },
  retry_mode = { check = is_retry_mode, default = "standard",
    read = ascii.lower, env = { "AWS_RETRY_MODE" }, key = "retry_mode",
    must = "standard or adaptive (legacy is not offered: standard retries " ..
      "more kinds of failure, and sooner)" },
  s3_addressing = { check = is_addressing, default = "auto",
    read = ascii.lower, key = "s3", sub = "addressing_style",
    must = "auto, virtual or path" },
  shared_dict = { check = is_text, must = "the name of a lua_shared_dict" },
  sleep = { check = is_function, must = "a function" },
  sts_regional_endpoints = { check = is_sts_mode, default = "regional",
    read = ascii.lower, env = { "AWS_STS_REGIONAL_ENDPOINTS" },
    key = "sts_regional_endpoints", must = "regional or legacy" },
  timeout = { check = is_positive, default = 60,
    must = "a number of seconds above 0" },
  transport = { check = is_function, must = "a function" },
  use_dualstack = { check = is_boolean, default = false, must = A_BOOLEAN,
    env = { "AWS_USE_DUALSTACK_ENDPOINT" }, key = "use_dualstack_endpoint" },
  use_fips = { check = is_boolean, default = false, must = A_BOOLEAN,
    env = { "AWS_USE_FIPS_ENDPOINT" }, key = "use_fips_endpoint" },
}

-- The services a client talks to, and what AWS calls them in variables.
local SERVICES = { personalize = "PERSONALIZE", s3 = "S3", sts = "STS",
  iam = "IAM", sso = "SSO", sso_oidc = "SSO_OIDC", signin = "SIGNIN", metadata = false }

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- Refuses a key that `known` has not, naming the nearest that it has.
local function check_keys(given, known, what)
  for key in pairs(given) do
    if type(key) ~= "string" then
      config_error(what .. " has a key that is no name")
    elseif known[key] == nil then
      local nearest = core.nearest(key, sorted_keys(known))
      -- Only a plain name is shown: a value may have come to stand there.
      local shown = #key <= 64 and key:find("^[A-Za-z_][A-Za-z0-9_]*$") and " " .. key
      config_error(("unknown %s%s%s"):format(what, shown or "",
        nearest and ("; did you mean %s?"):format(nearest) or ""))
    end
  end
end

-- A variable's value without outer white space; empty counts as unset.
local function env(name)
  local value = core.getenv(name)
  value = value and value:match("^%s*(.-)%s*$")
  return value ~= "" and value or nil
end

-- The readers of a variable's text answer nil or the text itself where it is
-- none of theirs; the check then refuses it and names the variable.
local function read_boolean(text)
  local lower = ascii.lower(text)
  if lower == "true" or lower == "false" then
    return lower == "true"
  end
  return text
end

-- A text from a variable or a profile as the option's type.
local function typed(option, text)
  if option.check == is_boolean then
    return read_boolean(text)
  end
  return option.read and option.read(text) or text
end

-- The value of one option and, for errors, where it came from.
local function find(name, option, given)
  if given[name] ~= nil then
    return given[name], name
  end
  for _, variable in ipairs(option.env or {}) do
    local value = env(variable)
    if value then
      return typed(option, value), variable
    end
  end
end

local CREDENTIALS = { access_key_id = "string",
  secret_access_key = "string", session_token = "string",
  expiration = "number" }

--- What is wrong with credentials, or nil where they can be signed with.
---@param given table
---@return string? fault
function M.credentials_fault(given)
  for key, kind in pairs(CREDENTIALS) do
    if given[key] ~= nil and type(given[key]) ~= kind then
      return ("%s must be a %s"):format(key, kind)
    end
  end
  return core.credentials_fault(given)
end

-- A copy, so that a later change of the caller's table is no surprise.
local function check_credentials(given)
  if type(given) ~= "table" then
    return given
  end
  check_keys(given, CREDENTIALS, "member of credentials")
  local copy = {}
  for key in pairs(CREDENTIALS) do
    copy[key] = given[key]
  end
  local fault = M.credentials_fault(copy)
  if fault then
    config_error("credentials: " .. fault)
  end
  return copy
end

local function check_endpoints(given)
  check_keys(given, SERVICES, "service in endpoints:")
  for name, url in pairs(given) do
    if not is_endpoint(url) then
      config_error(("endpoints.%s must be %s"):format(name, AN_ENDPOINT))
    end
  end
end

local function is_ignoring(profile)
  local ignored = env "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" or
    profile.ignore_configured_endpoint_urls
  return ignored ~= nil and ascii.lower(ignored) == "true"
end

-- A URL that was configured, or an error that says where; an empty one is
-- none.
local function configured(url, where)
  if url == nil or url == "" then
    return nil
  elseif not is_endpoint(url) then
    config_error(where .. " must be " .. AN_ENDPOINT)
  end
  return url
end

-- The service's URL out of the profile's services section.
local function from_services(shared, profile, service)
  if not profile.services or profile.services == "" then
    return nil
  end
  local section = shared.services[profile.services]
  if not section then
    config_error(("there is no section [services %s], which the profile " ..
      "names%s"):format(profile.services,
      files.missing(shared, "services", profile.services)))
  end
  local of_service = section[service] and core.ini_sub(section[service])
  return of_service and of_service.endpoint_url
end

-- A function from a service to the URL it was given: code, then the service's
-- variable, then the global one, then the profile's in the same order.
local function endpoints(settings, shared, profile)
  local given = settings.endpoints or {}
  local ignoring = is_ignoring(profile)
  return function(service)
    local name = SERVICES[service]
    if given[service] or settings.given_endpoint and name then
      return given[service] or settings.given_endpoint
    elseif ignoring or not name then
      return nil
    end
    return configured(env("AWS_ENDPOINT_URL_" .. name),
        "AWS_ENDPOINT_URL_" .. name) or
      configured(env "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL") or
      configured(from_services(shared, profile, service),
        "endpoint_url of " .. service .. " in the services section") or
      configured(profile.endpoint_url, "endpoint_url of the profile")
  end
end

local function user_agent(settings)
  -- Programs may forbid to read a global that nobody has set.
  local jit = package.loaded.jit
  local parts = {
    "personalize-lua/" .. version,
    "ua/2.1",
    "os/" .. core.os,
    jit and "lang/luajit#" .. jit.version:match("%d[%w.%-]*")
      or "lang/lua#" .. _VERSION:match("[%d.]+"),
  }
  local execution = env "AWS_EXECUTION_ENV"
  if execution and execution:find("^[A-Za-z0-9_.%-]+$") then
    parts[#parts + 1] = "exec-env/" .. execution
  end
  parts[#parts + 1] = "cfg/retry-mode#" .. settings.retry_mode
  if settings.app_id then
    parts[#parts + 1] = "app/" .. settings.app_id
  end
  return table.concat(parts, " ")
end

-- What becomes of a wrong value: an error, or nothing and a warning.
local function refuse(settings, option, where, is_configured)
  local fault = ("%s must be %s"):format(where, option.must)
  if not option.dispensable or not is_configured then
    config_error(fault)
  end
  table.insert(settings.warnings, fault .. "; it is left out")
  return false
end

-- Both tools would be right, each by its own rule: the AWS CLI asks the older
-- variable first.
local function check_profiles(settings, options)
  local newer, older = env "AWS_PROFILE", env "AWS_DEFAULT_PROFILE"
  if options.profile == nil and newer and older and newer ~= older then
    table.insert(settings.warnings, ("AWS_PROFILE (%s) counts, and not " ..
      "AWS_DEFAULT_PROFILE (%s), which the AWS CLI prefers"):format(newer,
      older))
  end
end

--- Checked settings of a client, from its options and the environment; what
-- a profile may say is still open.
---@param options? personalize.Options
---@return table
function M.resolve(options)
  options = options == nil and {} or options
  if type(options) ~= "table" then
    config_error("options must be a table")
  end
  check_keys(options, OPTIONS, "option")
  local settings = { warnings = {}, last = {} }
  for name, option in pairs(OPTIONS) do
    local value, source = find(name, option, options)
    if value ~= nil and not option.check(value) then
      value = refuse(settings, option, source, source ~= name)
    elseif value == nil and not option.key then
      value = option.default
    end
    settings[name] = value
    settings.last[name] = option.last and env(option.last)
    if name == "profile" and source ~= name then
      settings.profile_variable = source
    end
  end
  if settings.endpoints then
    check_endpoints(settings.endpoints)
  end
  if not settings.endpoint then
    for _, variable in ipairs { "AWS_ENDPOINT_URL_PERSONALIZE",
      "AWS_ENDPOINT_URL" } do
      configured(env(variable), variable)
    end
  end
  settings.credentials = check_credentials(settings.credentials)
  settings.given_endpoint, settings.endpoint = settings.endpoint, nil
  settings.ca_bundle_is_argument = options.ca_bundle ~= nil
  check_profiles(settings, options)
  settings.profile_is_argument = options.profile ~= nil
  settings.profile_is_explicit = settings.profile ~= nil
  settings.profile = settings.profile or "default"
  return settings
end

-- The profile's table; a default that is not there says nothing.
local function profile_of(settings, shared)
  local profile = shared.profiles[settings.profile]
  if not profile and settings.profile_is_explicit then
    config_error(("%s%s"):format(settings.profile_variable and
      settings.profile_variable .. ": " or "",
      files.no_profile(shared, settings.profile)))
  end
  return profile or {}
end

-- What the profile says of an option, if anything.
local function from_profile(option, profile)
  local text = option.key and profile[option.key]
  if text and option.sub then
    local nested = core.ini_sub(text)
    text = nested and nested[option.sub]
  end
  return text ~= "" and text or nil
end

--- Completes settings with what the profile says, and the defaults.
---@param settings table of `resolve`; changed
---@param shared personalize.Files
function M.complete(settings, shared)
  local profile = profile_of(settings, shared)
  for name, option in pairs(OPTIONS) do
    local text = from_profile(option, profile)
    if settings[name] == nil and text then
      local value = typed(option, text)
      if not option.check(value) then
        value = refuse(settings, option,
          files.where(shared, settings.profile, option.key), true)
      end
      settings[name] = value
    elseif settings[name] == nil then
      settings[name] = settings.last[name] or option.default
    end
  end
  settings.endpoint_of = endpoints(settings, shared, profile)
  settings.endpoint = settings.endpoint_of "personalize"
  if settings.region then
    local region, fips = core.pseudo_region(settings.region)
    settings.region, settings.use_fips = region, settings.use_fips or fips
  end
  settings.user_agent = user_agent(settings)
end

M.env = env

return M
