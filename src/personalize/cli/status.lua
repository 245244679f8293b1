--- How a command ends: which status an error is, and how it reads.
-- Knows codes and kinds; refuses to know commands.

local Error = require "personalize.error"
local core = require "personalize.core"
local text = require "personalize.cli.text"

local M = {}

M.DONE, M.FAILED, M.LIST, M.TIMED_OUT, M.LEFT, M.BLOCKED = 0, 1, 3, 4, 5, 6
M.USAGE, M.CONFIG, M.SERVICE, M.OTHER = 252, 253, 254, 255
-- As a shell has it of a process that a signal ended: SIGINT where none is
-- known, SIGPIPE.
local SIGNAL, SIGINT = 128, 2
M.PIPE = SIGNAL + 13

local BY_CODE = {
  DataDeletionJobFailed = M.FAILED,
  PreflightError = M.BLOCKED,
  UserListError = M.LIST,
  WaitTimeoutError = M.TIMED_OUT,
  ParamValidationError = M.USAGE,
  ConfigError = M.CONFIG,
  NoRegionError = M.CONFIG,
  NoCredentialsError = M.CONFIG,
  CredentialsError = M.CONFIG,
}

local AGAIN = "run the same command again to go on"
local ADVICE = {
  WaitTimeoutError = AGAIN,
  InterruptedError = AGAIN .. "; nothing will be done twice",
}

local FAULTS_SHOWN = 20

--- An error of ours. What an interpreter raises on Ctrl-C is made one.
---@param e any
---@return table
function M.normal(e)
  if Error.is_error(e) then
    e.where = nil -- a line of the command's
    return e
  elseif Error.is_interrupt(e) then
    return { code = "InterruptedError", kind = "client",
      message = "interrupted" }
  elseif type(e) == "table" and e.fault then
    return { message = e.fault, status = e.status or M.USAGE, is_plain = true,
      has_lines = e.has_lines }
  end
  return { message = "an error that should not be: " .. tostring(e),
    status = M.OTHER, is_plain = true }
end

--- The status of a normal error.
---@param e table
---@return integer
function M.of(e)
  if e.is_plain then
    return e.status
  elseif e.code == "InterruptedError" then
    return SIGNAL + (core.signalled() or SIGINT)
  end
  return BY_CODE[e.code] or e.kind == "service" and M.SERVICE or M.OTHER
end

--- A fault of a list, or a warning, in the words of the command line: options
--- are named as Lua has them.
---@param message string
---@return string
function M.in_shell(message)
  return (message:gsub("the options? '([%l_]+)'", function(name)
    return "--" .. name:gsub("_", "-")
  end)
    :gsub("(%-%-%l+) and '(%l+)' say", "%1 and --%2 say")
    :gsub("of the format lines", "one for --format lines"))
end

-- The faults of a list: the first, then how many of each kind.
local function faults(e, list)
  local lines, counts, codes = {}, {}, {}
  for i, fault in ipairs(e.params or {}) do
    if i <= FAULTS_SHOWN then
      lines[i] = ("%s:%d:%d: %s"):format(list, fault.line or 0,
        fault.column or 0, M.in_shell(fault.message))
    end
    counts[fault.code] = (counts[fault.code] or 0) + 1
  end
  counts = e.fault_counts or counts
  local all = 0
  for code, count in pairs(counts) do
    codes[#codes + 1] = ("%s %s"):format(code, text.count(count))
    all = all + count
  end
  table.sort(codes)
  if all > #lines then
    lines[#lines + 1] = ("... %s in all: %s"):format(
      text.plural(all, "fault"), table.concat(codes, ", "))
  end
  return lines
end

-- Text as it may be seen. The lines of some are our own.
local function shown(words, has_lines)
  return has_lines and words:gsub("[^\n]+", core.printable) or
    core.printable(words)
end

--- What a normal error says, in lines without ends.
---@param e table
---@param list? string how messages call the list
---@param can_go_on? boolean the same command again would
---@param is_unsent? boolean the command has sent nothing that does anything
---@return string[]
function M.describe(e, list, can_go_on, is_unsent)
  local lines = e.code == "UserListError" and faults(e, list or "list") or {}
  local words = e.message
  if #lines > 0 then
    words = "UserListError: the list has faults" -- they follow
  elseif not e.is_plain then
    -- Of what was never sent there is no operation to speak of.
    local was_sent = e.status or (e.attempts or 0) > 0
    words = was_sent and tostring(e) or e.code .. ": " .. e.message
  end
  for i, line in ipairs(lines) do
    lines[i] = core.printable(line)
  end
  table.insert(lines, 1, shown(words, e.has_lines or
    e.code == "NoCredentialsError"))
  lines[#lines + 1] = is_unsent and "nothing was sent" or nil
  lines[#lines + 1] = can_go_on and ADVICE[e.code] or nil
  return lines
end

return M
