--- Reads, one after the other, of which any may be refused.
-- Knows which failure is only something that is not known, which ends a look, and
-- which IAM action was missing; refuses to know what is read.

local Client = require "personalize.client"
local Error = require "personalize.error"
local ascii = require "personalize.ascii"
local callback = require "personalize.callback"
local call = require "personalize.call"
local pages = require "personalize.pages"

local M = {}

---@class personalize.Reader
---@field client personalize.Client
---@field settings table
---@field findings personalize.Findings
---@field requests integer made so far
local Reader = { __name = "personalize.Reader" }
Reader.__index = Reader

-- The keys themselves are refused: no other read would fare better.
local NOBODY = {
  ExpiredToken = true, ExpiredTokenException = true,
  IncompleteSignature = true, IncompleteSignatureException = true,
  InvalidAccessKeyId = true, InvalidClientTokenId = true,
  InvalidSignatureException = true, InvalidToken = true,
  MissingAuthenticationToken = true, MissingAuthenticationTokenException = true,
  RequestExpired = true, RequestTimeTooSkewed = true,
  SignatureDoesNotMatch = true, UnrecognizedClientException = true,
}

local function is_denied(failure)
  return failure.status == 403 or failure.kind == "service" and
    failure.code:find "^AccessDenied" ~= nil
end

M.is_denied = is_denied

-- What to do about a read that failed.
local function advice_of(failure, action)
  if is_denied(failure) then
    return action and ("Allow %s to the caller, or look yourself."):format(
      action) or "Look yourself."
  elseif failure.retryable or failure.kind == "transport" then
    return "Look again later, or look yourself."
  end
  return "Look yourself."
end

--- Counts the requests of a call.
---@param result table meta, or an error's fields
function Reader:count(result)
  self.requests = self.requests + (result.attempts or 0)
end

--- Makes of a failure something that is not known; or raises it, where the look
-- would be no use without.
---@param failure table an error's fields
---@param what string that could not be read: "the solutions"
---@param more { action: string?, subject: string?, dataset_group_arn: string? }
function Reader:fail(failure, what, more)
  local is_first = more.is_service and not self.has_answered
  local is_ours = failure.kind == "client" and
    failure.code ~= "ParamValidationError" -- an ARN that the service gave
  if is_ours or NOBODY[failure.code] or is_first and failure.kind == "transport" then
    Error.raise(failure)
  end
  local denied = is_denied(failure)
  self.findings:add("unreadable", { subject = more.subject,
    dataset_group_arn = more.dataset_group_arn,
    message = ("%s could not be read"):format(ascii.capital(what)),
    reason = call.shown(self.settings, failure.message),
    operation = failure.operation, error = failure.code,
    action = denied and more.action or nil,
    advice = advice_of(failure, more.action) })
end

-- Runs a read of Amazon Personalize; nil where it failed, and the failure.
local function try(reader, f)
  local ok, result = callback.pcall("a look", f)
  if ok then
    reader.has_answered = true
    return result
  elseif not Error.is_error(result) then
    error(result, 0)
  end
  reader:count(result)
  reader.has_answered = reader.has_answered or result.status ~= nil
  return nil, result
end

-- How a failure of one read of Amazon Personalize is told.
local function of_service(operation, more)
  return { is_service = true, action = "personalize:" .. operation,
    subject = more.subject, dataset_group_arn = more.dataset_group_arn }
end

--- Describes something.
---@param operation string
---@param input table
---@param what string
---@param more? table of the finding, where it fails
---@return table? output
---@return table? failure nil where it was told
function Reader:describe(operation, input, what, more)
  local output, failure = try(self, function()
    local found, meta = Client.call(self.client, operation, input)
    self:count(meta)
    return found
  end)
  if output then
    return output
  elseif failure.code == "ResourceNotFoundException" then
    return nil, failure -- which means something
  end
  self:fail(failure, what, of_service(operation, more or {}))
end

--- Lists something, all pages. Where that is denied once it is denied for all,
-- since these operations take no resource: it is told once, and not asked again.
---@param operation string
---@param member string
---@param input table
---@param what string
---@param more? table of the finding, where it fails
---@param expected? table<string, true> codes of failures that the caller tells
---@return table[]? items nil where they could not be read
---@return table? failure one that was expected
function Reader:list(operation, member, input, what, more, expected)
  if self.denied[operation] then
    return nil
  end
  input.maxResults = 100
  local items, failure = try(self, function()
    local found = {}
    for item in pages.each(self.client, operation, member, input,
      function(meta) self:count(meta) end) do
      found[#found + 1] = item
    end
    return found
  end)
  if items then
    return items
  elseif expected and expected[failure.code] then
    return nil, failure
  end
  self.denied[operation] = is_denied(failure)
  self:fail(failure, what, of_service(operation,
    is_denied(failure) and {} or more or {}))
end

--- A reader with nothing read.
---@param client personalize.Client
---@param settings table the client's, complete
---@param findings personalize.Findings where what is not known goes
---@return personalize.Reader
function M.new(client, settings, findings)
  return setmetatable({ client = client, settings = settings,
    findings = findings, requests = 0, denied = {} }, Reader)
end

return M
