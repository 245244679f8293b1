--- The one kind of error this module raises.
-- Knows its members and how they read; refuses to know where errors happen.

---@class personalize.Error
---@field code string AWS's exception name, "HTTP 503" for an answer that named
--- none, or one of ours: ParamValidationError, ConfigError, NoRegionError,
--- NoCredentialsError, CredentialsError, UserListError, WaitTimeoutError,
--- DataDeletionJobFailed, InterruptedError, PhaseError, MemoryError, InternalError
--- (a fault of ours), ConnectionError, TimeoutError, TlsError, ResponseError
---@field message string for people; never a secret, tag or user id
---@field kind "client"|"transport"|"service" who failed: this side before
--- sending, the way there and back, or AWS
---@field operation? string such as "CreateDataDeletionJob"
---@field status? integer HTTP status of the answer, where there was one
---@field request_id? string AWS's id of the request: quote it to support
---@field attempts? integer requests made, 0 when nothing was sent
---@field retryable? boolean the same call may succeed if made again
---@field unclear? boolean true when a create failed and its job may exist all
--- the same
---@field params? personalize.ParamFault[] every fault of the input
---@field fault_counts? table<string, integer> of a UserListError: how many
--- faults there are of each code; `params` has the first 100 of each
---@field job? personalize.DataDeletionJob as last seen, of a wait
---@field receipt? personalize.Receipt of delete_users, complete however far
--- it came
---@field cause? any the error underneath
local Error = { __name = "personalize.Error" }
Error.__index = Error

---@class personalize.ParamFault
---@field path string where in the input, such as "dataSource.dataLocation"
---@field code string missing, unknown, type, utf8, nul, length, range, pattern,
--- mismatch (good by itself, not with the others), duplicate, unreadable; of a
--- list also header, column, columns, blank, empty, quote
---@field message string
---@field line? integer of a list, from 1; of ids, which of them
---@field column? integer of the line, in characters from 1

local function plural(count, noun)
  return count == 1 and "1 " .. noun or count .. " " .. noun .. "s"
end

--- `code: message (operation, HTTP status, request id, attempts)`.
function Error:__tostring()
  local where = { self.operation }
  if self.status then
    where[#where + 1] = "HTTP " .. self.status
  end
  if self.request_id then
    where[#where + 1] = "request " .. self.request_id
  end
  if self.attempts then
    where[#where + 1] = plural(self.attempts, "attempt")
  end
  local text = self.code .. ": " .. self.message
  if #where > 0 then
    text = text .. " (" .. table.concat(where, ", ") .. ")"
  end
  return text
end

--- The first faults of an input in one line.
---@param faults personalize.ParamFault[]
---@return string
function Error.describe(faults)
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

--- Is it Ctrl-C: an InterruptedError, or what the interpreter `lua` raises,
--- wherever it is just then?
---@param raised any
---@return boolean
function Error.is_interrupt(raised)
  return type(raised) == "string" and raised:find "interrupted!$" ~= nil or
    Error.is_error(raised, "InterruptedError")
end

--- What Lua and the core raise where an allocation is refused.
---@param raised any
---@return boolean
function Error.is_memory(raised)
  return type(raised) == "string" and raised:find "not enough memory$" ~= nil
end

--- An error made of these fields, which stay in their table.
---@param fields table
---@return personalize.Error
function Error.new(fields)
  return setmetatable(fields, Error)
end

--- Raises it; adds no position, since the caller branches on `code` and not on
--- a line number.
---@param fields table
function Error.raise(fields)
  error(Error.new(fields), 0)
end

--- Is this an error of ours (with this code, where one is given)?
---@param value any
---@param code? string
---@return boolean
function Error.is_error(value, code)
  return getmetatable(value) == Error and
    (code == nil or rawget(value, "code") == code)
end

return Error
