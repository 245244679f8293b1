--- AWS STS: whose credentials these are.
-- (Credentials of roles are a source of credentials: credentials/sts.)

local query = require "personalize.query"

local M = {}

---@class personalize.Caller
---@field account string 12 digits
---@field arn string

--- Who signs a client's requests. Needs no permission.
---@param settings table a client's, complete
---@param options? { max_attempts: integer?, timeout: number? }
---@return personalize.Caller?
---@return table failure the fields of an error; after a success, of the call
function M.caller(settings, options)
  options = options or {}
  local sts, failure = query.open(settings, { service = "sts",
    version = "2011-06-15", max_attempts = options.max_attempts,
    timeout = options.timeout,
    use_global = settings.sts_regional_endpoints == "legacy" })
  if not sts then
    return nil, failure
  end
  local found, result = sts:ask("GetCallerIdentity", {})
  sts:close()
  if not found then
    return nil, result
  end
  local account, arn = found.Account, found.Arn
  if type(account) ~= "string" or type(arn) ~= "string" then
    return nil, { code = "ResponseError", kind = "transport",
      operation = "GetCallerIdentity", attempts = result.attempts,
      retryable = false, status = result.status,
      message = "the answer of AWS STS names no account and ARN" }
  end
  return { account = account, arn = arn }, result
end

return M
