--- The only loop: sign, send, judge, perhaps wait and do it again.
-- Knows the order of these; every decision in it is the core's. Refuses to
-- know the client, and where credentials come from.

local cjson = require "cjson"
local core = require "personalize.core"

-- An instance of its own: others may change the settings of the shared one.
local json = cjson.new()
json.decode_invalid_numbers(false)

local M = {}

-- `text` without the values in `secrets`. A service's message may quote what
-- it was sent: the canonical request with its token, a tag.
local function redact(text, secrets)
  for _, secret in ipairs(secrets) do
    local pattern = secret:gsub("%W", "%%%0")
    if #secret >= 4 then
      text = text:gsub(pattern, "[redacted]")
    elseif #secret > 0 then
      text = text:gsub("'" .. pattern .. "'", "'[redacted]'")
    end
  end
  return text
end

-- Every text in the tags of an input, in either of their forms.
local function add_texts(secrets, value)
  if type(value) == "string" then
    secrets[#secrets + 1] = value
  elseif type(value) == "table" then
    for key, inner in pairs(value) do
      if type(key) == "string" and key ~= "tagKey" and key ~= "tagValue" then
        secrets[#secrets + 1] = key
      end
      add_texts(secrets, inner)
    end
  end
end

local function secrets_of(credentials, input)
  local secrets = { credentials.secret_access_key }
  secrets[#secrets + 1] = credentials.session_token
  if type(input) == "table" then
    add_texts(secrets, rawget(input, "tags"))
    add_texts(secrets, rawget(input, "tagKeys"))
  end
  -- Longest first: one may be part of another.
  table.sort(secrets, function(a, b) return #a > #b end)
  return secrets
end

local function describe_faults(faults)
  local texts = {}
  for i = 1, math.min(#faults, 5) do
    local fault = faults[i]
    texts[i] = fault.path == "" and fault.message
      or fault.path .. " " .. fault.message
  end
  if #faults > #texts then
    texts[#texts + 1] = ("and %d more"):format(#faults - #texts)
  end
  return table.concat(texts, "; ")
end

-- The answer's table, or nil and what is wrong with it.
local function read(operation, body)
  local output = {}
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

-- Tells a watcher; its errors cost nobody an answer.
local function tell(settings, event)
  if settings.on_event then
    pcall(settings.on_event, event)
  end
end

-- A verdict of this side's, before anything was sent.
local function stop(code, message, cause)
  return { code = code, kind = "client", message = message, cause = cause }
end

-- One attempt: signed, sent, judged.
local function try(settings, attempt, operation, number, keys, deadline)
  local head, body = attempt:sign(keys, core.now())
  if not head then
    return stop("CredentialsError", body)
  end
  local before = core.monotonic()
  local left = deadline - before
  local response, failure = settings.transport {
    method = "POST",
    url = settings.url,
    head = head,
    body = body,
    timeout = left,
    connect_timeout = settings.connect_timeout < left and
      settings.connect_timeout or left,
    ca_bundle = settings.ca_bundle,
    proxy = settings.proxy,
  }
  local after = core.monotonic()
  local verdict = attempt:judge(response, failure, core.now(),
    core.uniform(), deadline - after)
  if settings.on_event then
    tell(settings, { name = "attempt", operation = operation,
      attempt = number, status = verdict.status, code = verdict.code,
      request_id = verdict.request_id, endpoint = settings.url,
      region = settings.region, elapsed = after - before })
  end
  return verdict, response
end

--- Makes one call.
---@param settings table as the client made them; `service` is what the calls
--- of one service share
---@param operation string
---@param input? table
---@param credentials fun(): personalize.Credentials?, table? nil and an
--- error's fields where there are none
---@param deadline number when the call must be over, on the monotonic clock
---@return table? output
---@return table meta after a failure, the fields of the error
function M.run(settings, operation, input, credentials, deadline)
  local started = core.monotonic()
  local attempt, faults = core.attempt(settings.service, operation, input,
    core.random(16), settings.max_attempts, settings.parameter_validation)
  if not attempt then
    return nil, { code = "ParamValidationError", kind = "client",
      operation = operation, attempts = 0, params = faults,
      message = describe_faults(faults) }
  end

  local verdict, response, keys, output, unclear
  local number = 0
  repeat
    local wait = attempt:admit(core.now())
    if wait > 0 and not settings.sleep(wait) then
      verdict = stop("InterruptedError", "interrupted while waiting to send")
      break
    end
    local fault
    keys, fault = credentials()
    if not keys then
      verdict = fault
      break
    end
    number = number + 1
    verdict, response = try(settings, attempt, operation, number, keys,
      deadline)
    if verdict.ok then
      local wrong
      output, wrong = read(operation, response.body)
      if not output then
        verdict.kind, verdict.code, verdict.message, verdict.unclear =
          "transport", "ResponseError", wrong, true
      end
    end
    unclear = unclear or verdict.unclear
    local again = verdict.retry
    if again then
      tell(settings, { name = "retry", operation = operation,
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
  return nil, { code = verdict.code, kind = verdict.kind,
    operation = operation, attempts = number, status = verdict.status,
    request_id = verdict.request_id, retryable = verdict.retryable or false,
    unclear = unclear, cause = verdict.cause,
    message = redact(verdict.message or "the service gave no reason",
      secrets_of(keys or {}, input)) }
end

return M
