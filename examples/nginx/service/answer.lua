--- Requests and answers as JSON: who may ask, and what an error of personalize
-- means in HTTP.

local cjson = require "cjson"
local personalize = require "personalize"

-- An instance of its own: others may change the settings of the shared one.
local json = cjson.new()
json.decode_invalid_numbers(false)
json.decode_max_depth(8)

local M = {}

-- Bytes of a body; nginx keeps so many in memory (client_body_buffer_size).
local BODY_MOST = 16384

function M.send(status, value)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.say((json.encode(value):gsub("\\/", "/"))) -- ARNs, to be read
end

function M.refuse(status, code, message)
  M.send(status, { error = code, message = message })
end

-- What a header says that is there once at most; false where it is there more
-- often.
local function header(name)
  local value = ngx.req.get_headers(0)[name]
  return type(value) ~= "table" and value
end

--- Refuses what a browser asks for in the name of another site's page. Other
-- programs send neither header. The Host is server_name's affair.
function M.guard()
  local origin, site = header "origin", header "sec-fetch-site"
  local own = ngx.var.scheme .. "://" .. (ngx.var.http_host or "")
  if (origin == nil or origin == own) and
    (site == nil or site == "same-origin" or site == "none") then
    return
  end
  ngx.log(ngx.WARN, "a request in the name of another site was refused")
  M.refuse(403, "Forbidden", "not for pages of other sites")
  ngx.exit(ngx.HTTP_OK) -- it is answered: the handlers are left out
end

--- May the request be what it is? Otherwise it is answered.
function M.is_method(name)
  if ngx.req.get_method() == name then
    return true
  end
  ngx.header.allow = name
  M.refuse(405, "MethodNotAllowed", "only " .. name)
  return false
end

-- nil where the body may be read; else the status, the code and the reason.
local function body_fault()
  local kind, length = header "content-type", header "content-length"
  if not kind or not (kind .. ";"):lower():find "^application/json%s*;" then
    -- A form of another site's page can have any other type, unasked.
    return 415, "UnsupportedMediaType", "the body has to be application/json"
  elseif not length then
    return 411, "LengthRequired", "the body has to have a Content-Length"
  elseif tonumber(length) > BODY_MOST then
    return 413, "TooLarge", "the body may have " .. BODY_MOST .. " bytes"
  end
end

--- The JSON object that a request came with; or nil, and it is answered.
function M.read()
  local status, code, message = body_fault()
  if status then
    return M.refuse(status, code, message)
  end
  ngx.req.read_body()
  local ok, value = pcall(json.decode, ngx.req.get_body_data() or "")
  if ok and type(value) == "table" and #value == 0 then
    return value
  end
  M.refuse(400, "BadRequest", "the body has to be a JSON object")
end

local STATUS = {
  ParamValidationError = 400, InvalidInputException = 400,
  TooManyTagsException = 400, InvalidNextTokenException = 400,
  ResourceNotFoundException = 404,
  ResourceAlreadyExistsException = 409, ResourceInUseException = 409,
  LimitExceededException = 429, ThrottlingException = 429,
  TooManyRequestsException = 429,
  InterruptedError = 503,
  TimeoutError = 504,
}

local RETRY_AFTER = { [429] = 60, [503] = 10 } -- seconds

local function status_of(e)
  if e.status == 429 then
    return 429
  elseif e.kind == "transport" or (e.status or 0) >= 500 then
    return STATUS[e.code] or 502
  end
  -- What is left is wrong on this side: credentials, configuration, what the
  -- credentials may do.
  return STATUS[e.code] or 500
end

--- Answers with an error that was caught.
function M.fail(e)
  if not personalize.is_error(e) then
    error(e, 0)
  end
  local status = status_of(e)
  local message = e.message
  if status == 500 then
    -- The caller cannot help it, and has no business with our account.
    ngx.log(ngx.ERR, "personalize: ", tostring(e))
    message = "the service cannot use AWS; its error log says why"
  end
  ngx.header.retry_after = RETRY_AFTER[status]
  -- unclear: a create was not answered, the job may exist.
  M.send(status, { error = e.code, message = message,
    unclear = e.unclear or nil, request_id = e.request_id })
end

--- An error as the log is to have it: one that has words of its own in a line,
-- others with the place.
function M.trace(e)
  local mt = type(e) == "table" and getmetatable(e)
  return mt and mt.__tostring and tostring(e) or
    debug.traceback(tostring(e), 2)
end

--- A handler that answers 500 where `f` raises, and logs why, once and in full.
function M.handler(f)
  return function(...)
    local ok, why = xpcall(f, M.trace, ...)
    if not ok then
      ngx.log(ngx.ERR, why)
      if not ngx.headers_sent then
        M.refuse(500, "InternalError", "the service's error log says why")
      end
    end
  end
end

return M
