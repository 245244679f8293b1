--- The only loop: sign, send, judge, perhaps wait and do it again.
-- Knows the order of these; every decision in it is the core's. Refuses to
-- know the client, and where credentials come from.

local Error = require "personalize.error"
local cjson = require "cjson"
local core = require "personalize.core"
local redact = require "personalize.redact"

-- An instance of its own: others may change the settings of the shared one.
local json = cjson.new()
json.decode_invalid_numbers(false)

local M = {}

-- The answer's table, or nil and what is wrong with it.
local function read(operation, response)
  local output, body = {}, response.body
  if body ~= nil and body ~= "" then
    local ok, decoded = pcall(json.decode, body)
    if not ok or type(decoded) ~= "table" then
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

--- Tells a watcher; its errors cost nobody an answer.
---@param settings table
---@param event personalize.Event
function M.tell(settings, event)
  if settings.on_event then
    pcall(settings.on_event, event)
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
    body = plan.source or body,
    progress = plan.progress,
    timeout = left,
    connect_timeout = settings.connect_timeout < left and
      settings.connect_timeout or left,
    ca_bundle = settings.ca_bundle,
    proxy = settings.proxy,
    direct = settings.direct,
  }
  local after = core.monotonic()
  local verdict = attempt:judge(response, failure, core.now(),
    core.uniform(), deadline - after)
  if settings.on_event then
    M.tell(settings, { name = "attempt", operation = plan.operation,
      attempt = number, status = verdict.status, code = verdict.code,
      request_id = verdict.request_id, endpoint = settings.url,
      region = settings.region, elapsed = after - before })
  end
  return verdict, response
end

-- Refusals that fresh credentials may turn; once a call.
local EXPIRED = { ExpiredToken = true, ExpiredTokenException = true,
  InvalidToken = true }

-- Attempts until one is done with. The plan: operation, method, url; a source
-- in place of the attempt's body; `reader`, which makes the output of an
-- answer; `input`, where it may hold secrets. Answers the output and a meta
-- table; or nil, an error's fields and the last answer, if one came.
local function loop(settings, attempt, plan, credentials, deadline)
  local started, operation = core.monotonic(), plan.operation
  local verdict, response, keys, output, unclear, again, renewed
  local number = 0
  repeat
    local wait = attempt:admit(core.now(), deadline - core.monotonic())
    if not wait then
      verdict = verdict or out_of_time("after throttling, the adaptive " ..
        "mode's limit of rate asks for a longer wait than there is time")
      break
    elseif wait > 0 and not settings.sleep(wait) then
      verdict = stop("InterruptedError", "interrupted while waiting to send")
      break
    end
    local fault
    keys, fault = credentials(deadline)
    if not keys then
      verdict = fault
      break
    end
    if core.monotonic() >= deadline then
      verdict = verdict or out_of_time("no time was left to ask " ..
        settings.url)
      break
    end
    if plan.source then
      local ready, wrong = plan.source:rewind()
      if not ready then
        verdict = stop("UserListError", wrong)
        break
      end
    end
    number = number + 1
    verdict, response = try(settings, attempt, plan, number, keys, deadline)
    if verdict.ok then
      local wrong
      output, wrong = plan.reader(operation, response)
      if not output then
        verdict.kind, verdict.code, verdict.message, verdict.unclear =
          "transport", "ResponseError", wrong, true
      end
    end
    unclear = unclear or verdict.unclear
    again = verdict.retry
    if EXPIRED[verdict.code] and settings.invalidate and not renewed then
      settings.invalidate(keys.access_key_id)
      renewed, again = true, true
    elseif again then
      M.tell(settings, { name = "retry", operation = operation,
        attempt = number, code = verdict.code, delay = verdict.delay })
      if not settings.sleep(verdict.delay) then
        verdict = stop("InterruptedError",
          "interrupted while waiting to try again")
        break
      end
    end
  until not again

  if output then
    return output, {
      operation = operation,
      request_id = verdict.request_id,
      status = verdict.status,
      attempts = number,
      endpoint = settings.url,
      region = settings.region,
      elapsed = core.monotonic() - started,
    }
  end
  -- Only what comes from outside can quote a secret; our own words stay whole.
  local message = verdict.message or "the service gave no reason"
  if verdict.kind == "service" or verdict.kind == "transport" and
    response == nil then
    message = redact.message(message, keys, plan.input)
  end
  return nil, { code = verdict.code, kind = verdict.kind,
    operation = operation, attempts = number, status = verdict.status,
    request_id = verdict.request_id, retryable = verdict.retryable or false,
    unclear = unclear, cause = verdict.cause, message = message }, response
end

--- Tells a watcher how a call ended; answers what it is given.
---@param settings table
---@param operation string
---@param started number on the monotonic clock
---@param output? table
---@param result table meta, or an error's fields
---@return table? output
---@return table result
---@return any ... more that it was given
function M.finish(settings, operation, started, output, result, ...)
  if settings.on_event then
    M.tell(settings, { name = "call", operation = operation,
      code = not output and result.code or nil,
      kind = not output and result.kind or nil, status = result.status,
      attempts = result.attempts, request_id = result.request_id,
      endpoint = settings.url, region = settings.region,
      reconciled = output and result.reconciled or nil,
      elapsed = core.monotonic() - started })
  end
  return output, result, ...
end

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
  local attempt, faults = core.attempt(settings.service, operation, input,
    core.random(16), settings.max_attempts, settings.parameter_validation)
  if not attempt then
    return nil, { code = "ParamValidationError", kind = "client",
      operation = operation, attempts = 0, params = faults,
      message = Error.describe(faults) }
  end
  return loop(settings, attempt, { operation = operation, input = input,
    reader = read, method = "POST", url = settings.url }, credentials,
    deadline)
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
--- is read while it is sent (its `payload_hash` is then given), and `progress`
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
    operation = operation, reader = whole, method = request.method,
    url = attempt:url(), source = request.source,
    progress = request.progress }, credentials, deadline))
end

return M
