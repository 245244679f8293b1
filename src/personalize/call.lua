--- The only loop: sign, send, judge, perhaps wait and do it again.
-- Knows the order of these; every decision in it is the core's. Refuses to
-- know the client, and where credentials come from.

local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local json = require "personalize.json"
local redact = require "personalize.redact"

local M = {}

-- The answer's table, or nil and what is wrong with it.
local function read(operation, response)
  local output, body = {}, response.body
  if body ~= nil and body ~= "" then
    local ok, decoded = pcall(json.decode, body)
    if not ok and Error.is_interrupt(decoded) then
      Error.again(decoded)
    elseif not ok or type(decoded) ~= "table" then
      return nil, "the body is not JSON that can be read"
    end
    output = decoded
  end
  local wrong = core.read_output(operation, output)
  if wrong then
    return nil, "the answer says success, but " .. wrong
  end
  return output
end

-- Errors of Ctrl-C that came while a watcher was told: that one is told no
-- more of the call.
local came_in_watcher = setmetatable({}, { __mode = "k" })

-- Tells a watcher, whose errors cost nobody an answer. Answers the error of
-- Ctrl-C, where that came meanwhile.
local function notify(settings, event)
  if settings.on_event then
    local ok, e = callback.try("InternalError", "on_event", settings.on_event,
      event)
    if not ok and Error.is_interrupt(e) then
      came_in_watcher[e] = true
      return e
    end
  end
end

--- Tells a watcher; its errors cost nobody an answer. Raises Ctrl-C.
---@param settings table
---@param event personalize.Event its status and message may be from outside
function M.tell(settings, event)
  for _, name in ipairs { "message", "status" } do
    if type(event[name]) == "string" then
      event[name] = core.printable(event[name])
    end
  end
  local interrupt = notify(settings, event)
  if interrupt then
    Error.raise(interrupt)
  end
end

-- A verdict of this side's, before anything was sent.
local function stop(code, message, cause)
  return { code = code, kind = "client", message = message, cause = cause }
end

-- The same for want of time. After an attempt, that one's verdict is nearer to
-- the truth.
local function out_of_time(message)
  return { code = "TimeoutError", kind = "transport", retryable = true,
    message = message }
end

-- Sleeps: nil, or the verdict of a wait that was cut short.
local function rest(settings, seconds, what)
  local ok, e = settings.sleep(seconds)
  if not ok then
    return e or stop("InterruptedError", "interrupted while waiting to " ..
      what)
  end
end

-- What an attempt needs: its turn, credentials, time, its body from the
-- start. Answers the credentials, or nil and a verdict.
local function ready(settings, attempt, plan, credentials, deadline, last)
  local wait = attempt:admit(core.now(), deadline - core.monotonic())
  if not wait then
    return nil, last or out_of_time("after throttling, the adaptive " ..
      "mode's limit of rate asks for a longer wait than there is time")
  end
  local fault = wait > 0 and rest(settings, wait, "send")
  if fault then
    return nil, fault
  end
  local keys
  keys, fault = credentials(deadline)
  if not keys then
    return nil, fault
  elseif core.monotonic() >= deadline then
    return nil, last or out_of_time("no time was left to ask " ..
      settings.url)
  elseif plan.source then
    local ok, wrong = plan.source:rewind()
    if not ok then
      return nil, stop("UserListError", wrong)
    end
  end
  return keys
end

-- One attempt: signed, sent, judged.
local function try(settings, attempt, plan, number, keys, deadline)
  local head, body, code = attempt:sign(keys, core.now())
  if not head then
    return stop(code or "CredentialsError", body)
  end
  local before = core.monotonic()
  local left = deadline - before
  local response, failure = settings.transport {
    method = plan.method,
    url = plan.url,
    head = head,
    -- A HEAD with a body, though an empty one, is no request.
    body = plan.source or plan.method ~= "HEAD" and body or nil,
    progress = plan.progress,
    timeout = left,
    connect_timeout = settings.connect_timeout < left and
      settings.connect_timeout or left,
    ca_bundle = settings.ca_bundle,
    proxy = settings.proxy,
    direct = settings.direct,
    address = settings.address,
  }
  local after = core.monotonic()
  local verdict = attempt:judge(response, failure, core.now(),
    core.uniform(), deadline - after)
  local is_foreign
  if not response and type(failure) == "table" then
    verdict.cause, is_foreign = failure.cause, failure.is_foreign
    verdict.own = Error.is_error(failure) and failure or nil
  end
  settings.signed_with = keys
  -- Only what comes from outside can quote a secret; our own words stay whole.
  redact.verdict(verdict, verdict.kind == "service" or is_foreign or
    verdict.kind == "transport" and response == nil, keys, plan)
  if plan.is_open and response then
    redact.headers(response.headers, keys, plan)
  end
  local interrupt = settings.on_event and notify(settings, { name = "attempt",
    operation = plan.operation, attempt = number, status = verdict.status,
    code = verdict.code, request_id = verdict.request_id,
    endpoint = settings.url, region = settings.region,
    elapsed = after - before })
  return verdict, response, interrupt
end

--- A sentence of the service's, such as why a job failed, for a message.
---@param settings table of the calls
---@param text string
---@return string
function M.shown(settings, text)
  return redact.text(core.prose(text), settings.signed_with)
end

-- Refusals that fresh credentials may turn; once a call.
local EXPIRED = { ExpiredToken = true, ExpiredTokenException = true,
  InvalidToken = true }

-- The error's fields of a last verdict. An error that a caller's function
-- raised stays what it is.
local function failure_of(verdict, plan, number, unclear)
  local own = Error.is_error(verdict) and verdict or verdict.own
  if own then
    own.operation = own.operation or plan.operation
    own.attempts = own.attempts or number
    own.unclear = own.unclear or unclear
    return own
  end
  return { code = verdict.code, kind = verdict.kind,
    operation = plan.operation, attempts = number, status = verdict.status,
    request_id = verdict.request_id, retryable = verdict.retryable or false,
    unclear = unclear, cause = verdict.cause,
    message = verdict.message or "the service gave no reason" }
end

-- Attempts until one is done with. The plan: operation, method, url; a source
-- in place of the attempt's body; `reader`, which makes the output of an
-- answer; `is_open`, where the answer itself is handed out; and what may be
-- secret: `input`, `secrets`, `proxy`. Answers the output and a meta table; or
-- nil, an error's fields and the last answer, if one came.
local function loop(settings, attempt, plan, credentials, deadline)
  local started = core.monotonic()
  local verdict, response, output, unclear, again, renewed
  local number = 0
  repeat
    local keys, fault = ready(settings, attempt, plan, credentials, deadline,
      verdict)
    if not keys then
      verdict = fault
      break
    end
    number = number + 1
    verdict, response, fault = try(settings, attempt, plan, number, keys,
      deadline)
    if verdict.ok then
      local wrong
      output, wrong = plan.reader(plan.operation, response)
      if not output then
        verdict.kind, verdict.code, verdict.message, verdict.unclear =
          "transport", "ResponseError", wrong, true
      end
    end
    unclear = unclear or verdict.unclear
    again = verdict.retry
    if not fault and EXPIRED[verdict.code] and settings.invalidate and
      not renewed then
      settings.invalidate(keys.access_key_id)
      renewed, again = true, true
    elseif not fault and again then
      fault = notify(settings, { name = "retry", operation = plan.operation,
        attempt = number, code = verdict.code, delay = verdict.delay }) or
        rest(settings, verdict.delay, "try again")
    end
    if fault then
      -- Nobody will see what was answered.
      unclear = unclear or output ~= nil or nil
      verdict, output = fault, nil
      break
    end
  until not again

  if output then
    return output, {
      operation = plan.operation,
      request_id = verdict.request_id,
      status = verdict.status,
      attempts = number,
      endpoint = settings.url,
      region = settings.region,
      elapsed = core.monotonic() - started,
    }
  end
  return nil, failure_of(verdict, plan, number, unclear), response
end

--- Tells a watcher how a call ended; answers what it is given. Where Ctrl-C
--- came meanwhile, that is how the call ended.
---@param settings table
---@param operation string
---@param started number on the monotonic clock
---@param output? table
---@param result table meta, or an error's fields
---@return table? output
---@return table result
---@return any ... more that it was given
function M.finish(settings, operation, started, output, result, ...)
  local interrupt
  if settings.on_event and not came_in_watcher[result] then
    interrupt = notify(settings, { name = "call", operation = operation,
      code = not output and result.code or nil,
      kind = not output and result.kind or nil, status = result.status,
      attempts = result.attempts, request_id = result.request_id,
      endpoint = settings.url, region = settings.region,
      reconciled = output and result.reconciled or nil,
      elapsed = core.monotonic() - started })
  end
  if interrupt then
    interrupt.operation, interrupt.attempts = operation, result.attempts
    interrupt.unclear = output ~= nil or result.unclear
    return nil, interrupt, ...
  end
  return output, result, ...
end

-- What the core raises of an input that no buffer takes.
local TOO_MUCH = "too much data"

--- Makes one call of an operation of Amazon Personalize; its end is left to
-- the caller to tell.
---@param settings table as the client made them; `service` is what the calls
--- of one service share
---@param operation string
---@param input? table
---@param credentials fun(deadline: number): personalize.Credentials?, table?
--- nil and an error's fields where there are none
---@param deadline number when the call must be over, on the monotonic clock
---@return table? output
---@return table meta after a failure, the fields of the error
function M.make(settings, operation, input, credentials, deadline)
  if not settings.service then
    return nil, { code = "InterruptedError", kind = "client",
      operation = operation, attempts = 0,
      message = "the client was closed meanwhile" }
  end
  local ok, attempt, faults = pcall(core.attempt, settings.service, operation,
    input, core.random(16), settings.max_attempts,
    settings.parameter_validation)
  if not ok and attempt == TOO_MUCH then
    attempt, faults = nil, { { path = "", code = "length",
      message = "the input has more than 16 MiB" } }
  elseif not ok then
    Error.again(attempt) -- memory, or Ctrl-C
  end
  if not attempt then
    return nil, { code = "ParamValidationError", kind = "client",
      operation = operation, attempts = 0, params = faults,
      message = Error.describe(faults) }
  end
  return loop(settings, attempt, { operation = operation, input = input,
    reader = read, method = "POST", url = settings.url,
    proxy = settings.proxy }, credentials, deadline)
end

--- The same, told when it ends.
---@param settings table
---@param operation string
---@param input? table
---@param credentials fun(deadline: number): personalize.Credentials?, table?
---@param deadline number
---@return table? output
---@return table meta after a failure, the fields of the error
function M.run(settings, operation, input, credentials, deadline)
  local started = core.monotonic()
  return M.finish(settings, operation, started,
    M.make(settings, operation, input, credentials, deadline))
end

local function whole(_, response)
  return response
end

--- Makes one call of another service.
---@param settings table like a client's, for that service
---@param operation string for errors and events
---@param request table as `core.request` takes it; with `source`, a body that
--- is read while it is sent (its `payload_hash` is then given), `progress`, and
--- `secrets`, a list of what in it must not be seen
---@param credentials fun(): personalize.Credentials?, table?
---@param deadline number on the monotonic clock
---@return personalize.Response? response one that says success
---@return table meta after a failure, the fields of the error
---@return personalize.Response? refusal after a failure, the last answer
function M.request(settings, operation, request, credentials, deadline)
  local started = core.monotonic()
  local attempt, wrong = core.request(settings.service, request,
    core.random(16), settings.max_attempts)
  if not attempt then
    return M.finish(settings, operation, started, nil, { code = "ConfigError",
      kind = "client", operation = operation, attempts = 0, message = wrong })
  end
  return M.finish(settings, operation, started, loop(settings, attempt, {
    operation = operation, reader = whole, is_open = true,
    method = request.method, url = attempt:url(), source = request.source,
    progress = request.progress, secrets = request.secrets,
    proxy = settings.proxy }, credentials, deadline))
end

return M
