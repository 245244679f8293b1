--- The only loop: sign, send, judge.
-- Knows the order of these; every decision in it is the core's. Refuses to
-- know the client, and where credentials come from.

local Error = require "personalize.error"
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

--- Makes one call.
---@param settings table transport, timeouts and the like, as the client made
--- them; `service` is what the calls of one service share
---@param operation string
---@param input? table
---@param credentials fun(): personalize.Credentials
---@return table output
---@return personalize.Meta meta
function M.run(settings, operation, input, credentials)
  local started = core.monotonic()
  local attempt, faults = core.attempt(settings.service, operation, input,
    core.random(16), 1, settings.parameter_validation)
  if not attempt then
    Error.raise { code = "ParamValidationError", kind = "client",
      operation = operation, attempts = 0, params = faults,
      message = describe_faults(faults) }
  end

  local keys = credentials()
  local head, body = attempt:sign(keys, core.now())
  if not head then
    Error.raise { code = "CredentialsError", kind = "client",
      operation = operation, attempts = 0, message = body }
  end
  local response, failure = settings.transport {
    method = "POST",
    url = settings.url,
    head = head,
    body = body,
    timeout = settings.timeout - (core.monotonic() - started),
    connect_timeout = settings.connect_timeout,
    ca_bundle = settings.ca_bundle,
    proxy = settings.proxy,
  }
  if not response then
    failure = type(failure) == "table" and failure or {}
    Error.raise { code = failure.code or "ConnectionError", kind = "transport",
      operation = operation, attempts = 1, status = failure.status,
      message = failure.message or "the transport gave no reason",
      cause = failure.cause }
  end

  local verdict, wrong = attempt:judge(response)
  local output
  if not verdict then
    verdict = { kind = "transport", code = "ResponseError", message = wrong }
  elseif verdict.ok then
    output, wrong = read(operation, response.body)
    if not output then
      verdict.kind, verdict.code, verdict.message =
        "transport", "ResponseError", wrong
    end
  end
  if not output then
    Error.raise { code = verdict.code, kind = verdict.kind,
      operation = operation, attempts = 1, status = verdict.status,
      request_id = verdict.request_id,
      message = redact(verdict.message or "the service gave no reason",
        secrets_of(keys, input)) }
  end
  return output, {
    operation = operation,
    request_id = verdict.request_id,
    status = verdict.status,
    attempts = 1,
    endpoint = settings.url,
    region = settings.region,
    elapsed = core.monotonic() - started,
  }
end

return M
