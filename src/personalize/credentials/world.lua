--- What the sources of credentials may touch: environment, files, clock, and
-- requests by way of the client's transport. One object instead of the things
-- themselves, so that a source can be tried in a world that is made up.
-- Refuses to know what a source does with it.

local call = require "personalize.call"
local core = require "personalize.core"
local files = require "personalize.files"

local M = {}

---@class personalize.World
---@field env fun(name: string): string? trimmed; nil where empty
---@field read fun(path: string): string?, string? nil and "absent" or a reason
---@field pause fun(seconds: number): boolean, table? false where interrupted
---@field write fun(path: string, text: string): boolean?, string? at once, for
--- this user only; true and what is not promised of it, or nil and why not
---@field home? string
---@field now fun(): number seconds since 1970
---@field random fun(count: integer): string
---@field files fun(): personalize.Files?, table?
---@field profile string
---@field profile_is_argument boolean
---@field profile_is_explicit boolean
---@field region? string
---@field options table mfa_token
---@field use_fips boolean
---@field use_dualstack boolean
---@field endpoint fun(service: string): string?
---@field request fun(request: table): personalize.Response?, table?
---@field warn fun(message: string)

-- Requests for credentials have attempts and a budget of their own; so each
-- endpoint has a service of its own in the core.
local function service_of(world, settings, request)
  local url, signing = request.endpoint or world.endpoint(request.service)
  if not url or not request.unsigned then
    local by_rules
    by_rules, signing = core.endpoint { service = request.service,
      region = request.region or world.region, endpoint = url,
      use_fips = not url and world.use_fips or nil,
      use_dualstack = not url and world.use_dualstack or nil,
      use_global = request.service == "sts" and world.use_global or nil }
    if not by_rules then
      return nil, signing
    end
    url = by_rules
  end
  local region = request.unsigned and "" or signing.signing_region or
    request.region or world.region or ""
  local key = url .. "\n" .. region
  local known = world.services[key]
  if not known then
    local service, wrong = core.service { endpoint = url, region = region,
      signing_name = request.unsigned and "" or signing.signing_name,
      target_prefix = "", user_agent = settings.user_agent,
      keep_clock = settings.disable_clock_skew_correction }
    if not service then
      return nil, wrong
    end
    known = { service = service, url = service:url(), region = region }
    world.services[key] = known
  end
  return known
end

local function config_error(request, message)
  return nil, { code = "ConfigError", kind = "client",
    operation = request.operation, message = message }
end

-- A time of ours within what is left of the call that wants credentials.
local function deadline_of(world, request)
  local own = core.monotonic() + (request.timeout or 60)
  return world.deadline and math.min(world.deadline, own) or own
end

--- The world of a client.
---@param settings table the client's, complete; its transport and sleep are
--- used for every request
---@param env fun(name: string): string?
---@param kept table kept by the caller for worlds of the same settings
---@param deadline? number of the call that wants to know, monotonic clock
---@return personalize.World
function M.new(settings, env, kept, deadline)
  kept.services, kept.renewed = kept.services or {}, kept.renewed or {}
  local world = {
    env = env,
    read = files.read,
    pause = settings.sleep,
    write = core.write_private,
    home = files.home(env),
    now = function() return core.now() end,
    random = core.random,
    profile = settings.profile,
    profile_is_argument = settings.profile_is_argument,
    profile_is_explicit = settings.profile_is_explicit,
    region = settings.region,
    options = { mfa_token = settings.mfa_token },
    use_fips = settings.use_fips,
    use_dualstack = settings.use_dualstack,
    use_global = settings.sts_regional_endpoints == "legacy",
    services = kept.services,
    renewed = kept.renewed,
    deadline = deadline,
    hint = settings.hint and settings.hint(env),
    run = settings.run,
    resolve = settings.resolve,
  }

  -- What went wrong beside the credentials: a token that could not be kept.
  function world.warn(message)
    call.tell(settings, { name = "warning", message = message })
  end

  -- What the settings were read from serves the first time; a refresh reads
  -- the files again, once.
  local shared, fault
  function world.files()
    if not shared and not fault then
      shared = settings.shared
      settings.shared = nil
      if not shared then
        shared, fault = files.load(env, world.read, world.pause)
        if shared and settings.warn_once then
          settings.warn_once(shared.warnings)
        end
      end
    end
    return shared, fault
  end

  function world.endpoint(service)
    return settings.endpoint_of(service)
  end

  function world.request(request)
    local known, wrong = service_of(world, settings, request)
    if not known then
      return config_error(request, wrong)
    end
    return call.request({
      service = known.service,
      url = known.url,
      region = known.region,
      transport = settings.transport,
      sleep = settings.sleep,
      on_event = settings.on_event,
      max_attempts = request.max_attempts or settings.max_attempts,
      connect_timeout = request.connect_timeout or settings.connect_timeout,
      ca_bundle = settings.ca_bundle,
      proxy = settings.proxy,
      direct = request.direct,
      address = request.address,
    }, request.operation, request, function()
      return request.credentials or {}
    end, deadline_of(world, request))
  end

  return world
end

return M
