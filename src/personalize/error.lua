--- The one kind of error this module raises.
-- Knows its members, how they read, and which line of the caller's it is
-- about. Refuses to know why errors happen.

local core = require "personalize.core"
local surroundings = require "personalize.surroundings"

---@class personalize.Error
---@field code string AWS's exception name, "HTTP 503" for an answer that named
--- none, or one of ours: ParamValidationError, ConfigError, NoRegionError,
--- NoCredentialsError, CredentialsError, UserListError, WaitTimeoutError,
--- DataDeletionJobFailed, PreflightError, InterruptedError, PhaseError, MemoryError, InternalError
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
---@field warnings? personalize.UserWarning[] of a UserListError: ids that look
--- like mistakes, beside the faults
---@field findings? personalize.Finding[] of a PreflightError, all of them
---@field job? personalize.DataDeletionJob as last seen, of a wait
---@field receipt? personalize.Receipt of delete_users, complete however far
--- it came
---@field where? string of kind "client": the caller's line, such as "job.lua:3"
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

--- "1 job", "2 jobs"
---@param count integer
---@param noun string
---@return string
function Error.plural(count, noun)
  return count == 1 and "1 " .. noun or count .. " " .. noun .. "s"
end

--- `code: message (operation, HTTP status, request id, attempts, line)`.
function Error:__tostring()
  local where = { self.operation }
  if self.status then
    where[#where + 1] = "HTTP " .. self.status
  end
  if self.request_id then
    where[#where + 1] = "request " .. self.request_id
  end
  if self.attempts then
    where[#where + 1] = Error.plural(self.attempts, "attempt")
  end
  where[#where + 1] = self.where
  local text = self.code .. ": " .. self.message
  if #where > 0 then
    text = text .. " (" .. table.concat(where, ", ") .. ")"
  end
  return text
end

--- `"failed: " .. e`
function Error.__concat(left, right)
  return tostring(left) .. tostring(right)
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

-- A message as people may see it, whatever of it came from outside. The lines
-- of one are our own: each names a source of credentials.
local function shown(fields)
  local message = tostring(fields.message)
  if fields.code == "NoCredentialsError" then
    return (message:gsub("[^\n]+", core.printable))
  end
  return core.printable(message)
end

--- An error made of these fields, which stay in their table.
---@param fields table
---@return personalize.Error
function Error.new(fields)
  fields.message = shown(fields)
  for _, fault in ipairs(fields.params or {}) do
    fault.path = core.printable(fault.path)
    fault.message = core.printable(fault.message)
  end
  if fields.code == "ParamValidationError" and not fields.params then
    fields.params = { { path = "", code = "type", message = fields.message } }
  end
  return setmetatable(fields, Error)
end

-- Where this module's files are, as Lua names them; nil where they have no
-- names (stripped bytecode).
local HOME = debug.getinfo(1, "S").source:match "^@.*personalize[/\\]"

-- The source of a frame for people. One that was loaded from a string is named
-- after its text, which is nobody's business.
local function place_of(frame)
  local named = frame.source:find "^[@=]"
  return ("%s:%d"):format(named and core.printable(frame.short_src) or
    "[string]", frame.currentline)
end

-- The first line outside of this module. Functions of C, and those that a tail
-- call has left, have none.
local function caller()
  local level = 3
  while HOME do
    local frame = debug.getinfo(level, "Sl")
    if not frame then
      return nil
    elseif frame.currentline > 0 and
      frame.source:sub(1, #HOME) ~= HOME then
      return place_of(frame)
    end
    level = level + 1
  end
end

-- Does a pcall, the caller's or ours, wait for an error in this coroutine?
local function is_awaited()
  local level = 3
  while true do
    local frame = debug.getinfo(level, "f")
    if not frame then
      return false
    elseif frame.func == pcall or frame.func == xpcall then
      return true
    end
    level = level + 1
  end
end

local logged = setmetatable({}, { __mode = "k" })

-- How to tell of an error that nobody catches, where nobody else does: nginx
-- logs "unknown reason" alone, since it is no string, and Lua 5.1's interpreter
-- "error object is not a string". Who runs a script has the global `arg`.
local function teller()
  local ngx = surroundings.nginx()
  if ngx then
    return function(text) ngx.log(ngx.ERR, text) end
  elseif _VERSION == "Lua 5.1" and not package.loaded.jit and
    not coroutine.running() and rawget(_G, "arg") then
    return function(text) io.stderr:write(text, "\n") end
  end
end

-- So it is told in full where it is raised.
local function tell_uncaught(e)
  local tell = not logged[e] and teller()
  if tell and not is_awaited() then
    logged[e] = true
    tell("personalize: uncaught: " .. tostring(e))
  end
end

--- Raises an error made of these fields. Its message has no position, since the
--- caller branches on `code`; what is this side's fault has it apart.
---@param fields table
function Error.raise(fields)
  local e = Error.new(fields)
  if e.kind == "client" and not rawget(e, "where") then
    e.where = caller()
  end
  tell_uncaught(e)
  error(e, 0)
end

--- Raises again what a pcall of ours has caught: Ctrl-C as InterruptedError.
---@param raised any
function Error.again(raised)
  if Error.is_error(raised) then
    Error.raise(raised)
  elseif Error.is_interrupt(raised) then
    Error.raise { code = "InterruptedError", kind = "client",
      message = "interrupted", cause = raised }
  end
  error(raised, 0)
end

--- Raises ParamValidationError with these faults.
---@param faults personalize.ParamFault[]
---@param operation? string that was not begun
function Error.refuse(faults, operation)
  Error.raise { code = "ParamValidationError", kind = "client",
    operation = operation, attempts = operation and 0, params = faults,
    message = Error.describe(faults) }
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
