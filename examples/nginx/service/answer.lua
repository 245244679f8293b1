--- Requests and answers as JSON, and what an error of personalize means in HTTP.

local cjson = require "cjson"
local personalize = require "personalize"

-- An instance of its own: others may change the settings of the shared one.
local json = cjson.new()
json.decode_invalid_numbers(false)
json.decode_max_depth(8)

local M = {}

function M.send(status, value)
  ngx.status = status
  ngx.header.content_type = "application/json"
  ngx.say((json.encode(value):gsub("\\/", "/"))) -- ARNs, to be read
end

function M.refuse(status, code, message)
  M.send(status, { error = code, message = message })
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

--- The JSON object that a POST came with; or nil, and it is answered.
function M.read()
  if not M.is_method "POST" then
    return nil
  end
  ngx.req.read_body() -- nginx bounds it, by client_max_body_size
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

return M
