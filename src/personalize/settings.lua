--- A client's settings: what was given to `new`, made usable here, and what
-- waits for the first call: shared files, credentials, the service.
-- Knows where this runs (nginx or not) and who may ask at the same time.
-- Refuses to know operations.

local Error = require "personalize.error"
local call = require "personalize.call"
local callback = require "personalize.callback"
local config = require "personalize.config"
local core = require "personalize.core"
local files = require "personalize.files"
local nginx = require "personalize.transport.nginx"
local surroundings = require "personalize.surroundings"

local M = {}

-- A function given as credentials: asked for each attempt, as its owner knows
-- best how long an answer is good.
local function from_function(given)
  return function()
    local ok, found = callback.call("CredentialsError",
      "the credentials function", given)
    if not ok then
      return nil, found
    end
    local fault = type(found) ~= "table" and "did not return a table" or
      config.credentials_fault(found)
    if fault then
      return nil, { code = "CredentialsError", kind = "client",
        message = "the credentials function: " .. fault }
    end
    return found
  end
end

-- The dictionary in which the workers keep credentials together.
local function dict_of(found)
  local dict = surroundings.nginx().shared[found.shared_dict]
  if not dict then
    Error.raise { code = "ConfigError", kind = "client", message =
      ("shared_dict names a dictionary that nginx.conf does not have: put " ..
        "lua_shared_dict %s 1m; into its http block"):format(
        found.shared_dict) }
  end
  return dict
end

-- Credentials by AWS's chain, kept and kept fresh. Its sources are loaded here:
-- most processes that are given credentials never need them.
local function from_chain(found)
  local cache = require "personalize.credentials.cache"
  local chain = require "personalize.credentials.chain"
  local world = require "personalize.credentials.world"
  local kept_for_worlds = {}
  -- One of its own for each fetch: those of two calls may overlap.
  local function new_world(deadline)
    return world.new(found, config.env, kept_for_worlds, deadline)
  end
  local function fetch(made)
    local keys, failure = chain.fetch(made)
    if keys then
      call.tell(found, { name = "credentials", source = keys.source,
        expiration = keys.expiration })
    end
    return keys, failure
  end
  local share
  if found.shared_dict then
    local fingerprint = require "personalize.credentials.fingerprint"
    local shared = require "personalize.credentials.shared"
    local dict = dict_of(found)
    -- The hash is of the very files that the fetch goes by.
    share = function(deadline)
      local made = new_world(deadline)
      return shared.new { dict = dict, sleep = found.sleep, warn = made.warn,
        key = "personalize:" .. fingerprint.of(made),
        fetch = function() return fetch(made) end }
    end
  end
  local kept = cache.new(function(deadline)
    return fetch(new_world(deadline))
  end, { gate = found.gate, share = share })
  found.cache = kept
  found.invalidate = function(access_key_id)
    kept:invalidate(access_key_id)
  end
  return function(deadline)
    return kept:get(deadline)
  end
end

-- The system's, without its word for Ctrl-C.
local function sleep(seconds)
  return (core.sleep(seconds))
end

-- A sleep of the caller's interrupts by an explicit false, or by an error; many
-- sleeps return nothing.
local function tolerant(given)
  return function(seconds)
    local ok, result = callback.call("InterruptedError", "the sleep function",
      given, seconds)
    if not ok then
      return false, result
    end
    return result ~= false
  end
end

-- What a transport of the caller's gives as the reason of a failure: a table
-- is told member by member. None of its words are ours.
local function failure_of(reason)
  if type(reason) == "table" then
    return { code = reason.code, message = reason.message, sent = reason.sent,
      retryable = reason.retryable, status = reason.status,
      cause = reason.cause, is_foreign = true }
  end
  return { message = callback.reason(reason), cause = reason,
    is_foreign = true }
end

-- Makes the transport of the caller, whose requests have a list of headers,
-- from the loop's, whose requests have them as text.
local function with_headers(transport)
  return function(request)
    local headers = {}
    for name, value in request.head:gmatch("([^:]+): ([^\r]*)\r\n") do
      headers[#headers + 1] = { name, value }
    end
    request.head, request.headers = nil, headers
    local ok, response, reason = callback.try(nil, "the transport", transport,
      request)
    if ok then
      return response or nil, not response and failure_of(reason) or nil
    elseif response.code then
      return nil, response -- an error of ours
    end
    return nil, { message = response.message, cause = response.cause,
      retryable = false, is_foreign = true }
  end
end

local function no_region(found, asked, cause)
  Error.raise { code = "NoRegionError", kind = "client", cause = cause,
    retryable = cause and cause.retryable or nil,
    message = ("no region: give the region option, set AWS_REGION, or " ..
      "write region into the profile %s%s%s%s"):format(found.profile,
      found.profile_notes or "",
      asked and "; the instance's metadata was asked for it: " .. asked or "",
      found.hint and found.hint(config.env) or "") }
end

-- The instance's region. That there is no instance is so for good; what failed
-- is tried again by the next call.
local function ask_instance(found)
  local world = require "personalize.credentials.world"
  local instance = require "personalize.credentials.instance"
  local region, failure, why =
    instance.region(world.new(found, config.env, {}))
  if failure and failure.code ~= "CredentialsError" then
    Error.raise(failure)
  elseif failure then
    no_region(found, failure.message, Error.new(failure))
  end
  found.region, found.region_why = region, why
end

-- The settings that depend on where this runs; a transport of the caller's
-- leaves only the waiting.
local function settle(found)
  local in_nginx = nginx.is_here()
  found.sleep = found.sleep and tolerant(found.sleep) or
    in_nginx and nginx.sleep or sleep
  if in_nginx then
    found.gate, found.hint = nginx.gate, nginx.hint
    found.run, found.resolve = nginx.run, nginx.resolve
  elseif found.shared_dict then
    Error.raise { code = "ConfigError", kind = "client", message =
      "shared_dict works only inside nginx: it names a lua_shared_dict, in " ..
      "which nginx's workers keep credentials together" }
  end
  if found.transport then
    found.transport = with_headers(found.transport)
  elseif in_nginx then
    if found.ca_bundle_is_argument then
      Error.raise { code = "ConfigError", kind = "client", message =
        "inside nginx ca_bundle has no effect: name the file in nginx.conf, " ..
        "as lua_ssl_trusted_certificate" }
    end
    local cosocket = require "personalize.transport.cosocket"
    found.transport, found.refusal = cosocket.send, cosocket.refusal
  else
    found.transport, found.close =
      require("personalize.transport.curl").new()
  end
end

--- Raises PhaseError where nothing can wait.
---@param found table
---@param operation? string for the error
function M.check_phase(found, operation)
  local refusal = found.refusal and found.refusal()
  if refusal then
    refusal.operation = operation
    Error.raise(refusal)
  end
end

-- A function that tells each of a list of messages which it has not told
-- before: the files are read again for each refresh.
local function new_warn_once(found)
  local told = {}
  return function(messages)
    for _, message in ipairs(messages) do
      if not told[message] then
        told[message] = true
        call.tell(found, { name = "warning", message = message })
      end
    end
  end
end

local function warn_of_ca_bundle(found)
  if found.refusal and found.ca_bundle then
    found.warn_once { "inside nginx the ca_bundle of environment and " ..
      "profile has no effect; nginx trusts what " ..
      "lua_ssl_trusted_certificate names" }
  end
end

-- Completes the settings: from the shared files, and where no region is set,
-- from the instance's metadata. At the first call, since a client may be made
-- where no file can be read yet.
local function complete(found)
  found.warn_once(found.warnings)
  local shared, failure = files.load(config.env, files.read, found.sleep)
  if not shared then
    Error.raise(failure)
  end
  found.warn_once(shared.warnings)
  found.profile_notes = files.missing(shared, "profiles", found.profile)
  config.complete(found, shared)
  found.warn_once(found.warnings)
  if not found.get_credentials then
    found.shared = shared -- for the first fetch
    found.get_credentials = from_chain(found)
  end
  if not found.region then
    ask_instance(found)
  end
  found.is_complete = true
  warn_of_ca_bundle(found)
end

-- As long as others wait for the coroutine that makes a client's first call;
-- it may be gone.
local PATIENCE = 5

-- Completes the settings once, whoever calls at the same time.
local function complete_once(found)
  while not found.is_complete do
    local turn = found.completing
    if not turn or core.monotonic() >= turn.patience then
      turn = { gate = found.gate and found.gate(),
        patience = core.monotonic() + (found.gate and PATIENCE or 0) }
      found.completing = turn
      local ok, raised = pcall(complete, found)
      if found.completing == turn then
        found.completing = nil
      end
      if turn.gate then
        turn.gate:open()
      end
      if not ok then
        error(raised, 0)
      end
    else
      turn.gate:wait(turn.patience - core.monotonic())
    end
  end
end

--- Makes settings complete, with the service that calls go to.
---@param found table of `new`; changed
function M.open(found)
  complete_once(found)
  if found.service then
    return -- another coroutine was faster
  elseif not found.region then
    no_region(found, found.region_why)
  end
  local url, wrong = core.endpoint { region = found.region,
    endpoint = found.endpoint, use_fips = found.use_fips,
    use_dualstack = found.use_dualstack }
  if not url then
    Error.raise { code = "ConfigError", kind = "client", message = wrong }
  end
  local service
  service, wrong = core.service { endpoint = url, region = found.region,
    signing_name = "personalize", target_prefix = "AmazonPersonalize",
    user_agent = found.user_agent,
    adaptive = found.retry_mode == "adaptive",
    keep_clock = found.disable_clock_skew_correction }
  if not service then
    Error.raise { code = "ConfigError", kind = "client", message = wrong }
  end
  found.service, found.url = service, service:url()
end

--- Settings from options and the environment. Reads no file.
---@param options? personalize.Options
---@return table
function M.new(options)
  local found = config.resolve(options)
  local given = found.credentials
  found.credentials = nil
  if type(given) == "table" then
    found.get_credentials = function() return given end
  elseif given then
    found.get_credentials = from_function(given)
    -- Asking it again is all there is to do.
    found.invalidate = function() end
  end
  settle(found)
  found.warn_once = new_warn_once(found)
  return found
end

return M
