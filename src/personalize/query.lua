--- AWS's query protocol: a form goes out, XML comes back. STS and IAM speak it.
-- Knows the protocol; refuses to know what is asked.

local call = require "personalize.call"
local channel = require "personalize.channel"
local core = require "personalize.core"

local M = {}

---@class personalize.Query
local Query = { __name = "personalize.Query" }
Query.__index = Query

--- Parameters as the body of a form.
---@param parameters string[][] name and value each
---@return string
function M.form(parameters)
  local parts = {}
  for i, parameter in ipairs(parameters) do
    parts[i] = parameter[1] .. "=" .. core.uri_encode(parameter[2])
  end
  return table.concat(parts, "&")
end

-- What the answer to an action says; nil and what is wrong with it.
local function read(action, body)
  local name, value = core.xml(body)
  if name ~= action .. "Response" then
    return nil, name and "it is another action's" or value
  end
  local result = type(value) == "table" and value[action .. "Result"]
  if type(result) ~= "table" then
    return nil, "it has no result"
  end
  return result
end

--- Asks for an action.
---@param action string
---@param parameters string[][] beside Action and Version
---@return table? result as `core.xml` has it
---@return table failure the fields of an error; after a success, of the call
function Query:ask(action, parameters)
  local all = { { "Action", action }, { "Version", self.version } }
  for _, parameter in ipairs(parameters) do
    all[#all + 1] = parameter
  end
  local settings = self.settings
  local response, result = call.request(self.channel, action, {
    method = "POST", path = "/", protocol = "xml", body = M.form(all),
    headers = { { "content-type",
      "application/x-www-form-urlencoded; charset=utf-8" } },
  }, settings.get_credentials, core.monotonic() +
    math.min(settings.timeout, self.timeout or settings.timeout))
  if not response then
    return nil, result
  end
  local found, wrong = read(action, response.body or "")
  if not found then
    return nil, { code = "ResponseError", kind = "transport",
      retryable = false, operation = action, attempts = result.attempts,
      status = result.status, request_id = result.request_id,
      message = ("the answer of %s cannot be used: %s"):format(
        self.channel.url, wrong) }
  end
  return found, result
end

--- Wipes the signing key.
function Query:close()
  self.channel.service:close()
end

---@class personalize.QueryOptions
---@field service "sts"|"iam"
---@field version string of the API
---@field use_global? boolean
---@field max_attempts? integer
---@field timeout? number seconds at most, whatever the client's

--- A service that speaks it, asked with a client's settings.
---@param settings table a client's, complete
---@param options personalize.QueryOptions
---@return personalize.Query?
---@return table? failure the fields of an error
function M.open(settings, options)
  local opened, wrong = channel.open(settings, { service = options.service,
    region = settings.region, use_global = options.use_global })
  if not opened then
    return nil, { code = "ConfigError", kind = "client", attempts = 0,
      message = wrong }
  end
  opened.max_attempts = options.max_attempts or opened.max_attempts
  return setmetatable({ settings = settings, channel = opened,
    version = options.version, timeout = options.timeout }, Query)
end

return M
