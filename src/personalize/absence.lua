--- Is anybody of a list still in the exports of a dataset?
-- Knows what the answer is made of; refuses to know clients: all of it is
-- offline. No id becomes a part of a result or an error.

local Error = require "personalize.error"
local core = require "personalize.core"
local lists = require "personalize.lists"
local nginx = require "personalize.transport.nginx"
local plan = require "personalize.plan"
local users = require "personalize.users"

local M = {}

-- As a column is called in the exports that Personalize writes.
local COLUMN = "USER_ID"

---@class personalize.CheckAbsentOptions
---@field file? string the list: as in `check_users`, so are the next five
---@field users? string[]|fun(): string?, string?
---@field text? string|personalize.Blocks|fun(): string?, string?
---@field format? "csv"|"lines"
---@field column? string
---@field delimiter? ","|";"|"|"|"\t"
---@field exports string|string[] paths of CSV files with a header, and outside
--- nginx also of pipes and descriptors; "-" is standard input
---@field export_column? string the name, in any case, of the columns with user
--- ids; default USER_ID
---@field export_delimiter? ","|";"|"|"|"\t" between their columns; default ,
---@field export_escape? '"'|"\\" what stands before a quote in quotes. By
--- default that is a second quote, and a backslash there, which could be read
--- in two ways, is an error
---@field on_progress? fun(progress: personalize.Progress) may raise to abort

---@class personalize.AbsentColumn
---@field column string its name, as it was asked for
---@field number integer where it stands in the header, from 1
---@field fields integer that are not empty
---@field found integer of them, fields that are an id of the list, byte by byte
---@field lines integer[] in which the first of these begin, five at most

---@class personalize.AbsentWarning
---@field kind "near"|"no_line_end" fields that are an id but for white space,
--- control or invisible characters at an end, or the case of ASCII's letters,
--- which are not counted as found; a last line without its end
---@field count integer
---@field lines integer[] of the first ones, five at most
---@field message string all of it in a sentence, without an id

---@class personalize.AbsentFile
---@field file string the path that was given
---@field rows integer behind the header, blank lines aside
---@field bytes integer
---@field columns personalize.AbsentColumn[] all of that name
---@field warnings personalize.AbsentWarning[] empty where there is none

---@class personalize.Absence
---@field absent boolean no field of the exports is an id of the list
---@field found integer fields that are
---@field users integer different ids of the list
---@field duplicates integer others, which were there before
---@field ids_found integer different ids that were found
---@field files personalize.AbsentFile[] in the order in which they were given
---@field warnings personalize.UserWarning[] of the list, as in `check_users`

-- -- Faults --------------------------------------------------------------------

-- Names are told only of a line that is a header for sure: else they may be
-- what has to go.
local function lacks_column(fault, column)
  if fault.is_header then
    return ("no column is called %s; there are %s"):format(column, fault.names)
  end
  return ("no column is called %s (there %s %.0f; if the first line is a " ..
    "header, the option 'export_column' names the one with user ids)"):format(
    column, fault.columns == 1 and "is" or "are", fault.columns)
end

local function describe(fault, column)
  local text = fault.message
  if fault.names then
    text = lacks_column(fault, column)
  elseif fault.code == "columns" then
    text = ("%s (%.0f of %.0f)"):format(text, fault.fields, fault.columns)
  end
  if fault.code == "column" or fault.code == "header" or
    fault.code == "empty" then
    return text
  end
  return ("line %.0f: %s"):format(fault.line, text)
end

-- A fault of the number-th export, which names its file.
local function fault_of(run, number, code, message, line)
  local path = run.exports[number]
  local name = path == "-" and "standard input" or path
  if code ~= "unreadable" or not message:find(name, 1, true) then
    message = ("%s: %s"):format(name, message)
  end
  return { path = ("exports[%d]"):format(number), code = code, line = line,
    message = message }
end

local function open(run, number, ids)
  local options = run.options
  local export = core.export { ids = ids, column = options.export_column,
    delimiter = options.export_delimiter, escape = options.export_escape }
  run.export = export -- closed in the end, whatever comes
  local ok, why = export:open(run.exports[number])
  return ok and export, why
end

local function close(run)
  if run.export then
    run.export:close()
    run.export = nil
  end
end

-- Reads a block. True, false where there are more, or nil and a fault.
local function step(run, number, export)
  local is_done, bytes = export:check()
  if is_done == nil and bytes == "interrupted" then
    Error.raise { code = "InterruptedError", kind = "client",
      message = "interrupted while reading" }
  elseif is_done == nil then
    return nil, fault_of(run, number, "unreadable", bytes)
  end
  local fault = export:fault()
  if fault then
    return nil, fault_of(run, number, fault.code, describe(fault,
      run.options.export_column or COLUMN), fault.line)
  end
  return is_done, bytes
end

-- Can it be read only once?
local function is_stream(path)
  return path == "-" or core.is_stream(path)
end

-- Looks at a file before anything else is done, which may take long.
local function look(run, number)
  local export, why = open(run, number)
  if not export then
    return fault_of(run, number, "unreadable", why)
  end
  run.total = run.total and run.total + export:size()
  local is_done, fault = step(run, number, export)
  return is_done == nil and fault or nil
end

local function look_at_all(run)
  local faults, has_input = {}, false
  run.total = 0
  for number, path in ipairs(run.exports) do
    if is_stream(path) then
      run.total = nil
      if nginx.is_here() then
        faults[#faults + 1] = fault_of(run, number, "unreadable",
          "inside nginx a pipe cannot be waited for")
      elseif path == "-" and has_input then
        faults[#faults + 1] = fault_of(run, number, "duplicate",
          "standard input can be read only once")
      end
      has_input = has_input or path == "-"
    else
      faults[#faults + 1] = look(run, number)
      close(run)
    end
  end
  plan.refuse(faults)
end

-- -- The result ----------------------------------------------------------------

local function add_warning(file, kind, count, lines, message)
  local more = count > #lines and ", ..." or ""
  file.warnings[#file.warnings + 1] = { kind = kind, count = count,
    lines = lines, message = ("%s (line%s %s%s)"):format(message,
      #lines == 1 and "" or "s", table.concat(lines, ", "), more) }
end

-- The first lines of several columns in one list.
local function merged(columns)
  local lines, seen = {}, {}
  for _, column in ipairs(columns) do
    for _, line in ipairs(column.near_lines) do
      if not seen[line] then
        lines[#lines + 1], seen[line] = line, true
      end
    end
  end
  table.sort(lines)
  for i = #lines, 6, -1 do
    lines[i] = nil
  end
  return lines
end

local function add_warnings(file, summary)
  local near = 0
  for _, column in ipairs(summary.columns) do
    near = near + column.near
  end
  if near > 0 then
    add_warning(file, "near", near, merged(summary.columns),
      ("%.0f %s an id of the list but for white space at its ends or letter " ..
      "case"):format(near, near == 1 and "field equals" or "fields equal"))
  end
  if summary.lacks_end then
    add_warning(file, "no_line_end", 1, { summary.line },
      "the last line has no line end: the file may be cut")
  end
end

-- Adds what came of an export to the result.
local function add_file(run, result, path, summary)
  local file = { file = path, rows = summary.rows, bytes = summary.bytes,
    columns = {}, warnings = {} }
  for i, column in ipairs(summary.columns) do
    file.columns[i] = { column = run.options.export_column or COLUMN,
      number = column.number, fields = column.fields, found = column.found,
      lines = column.lines }
    result.found = result.found + column.found
  end
  add_warnings(file, summary)
  result.files[#result.files + 1] = file
end

-- -- Reading -------------------------------------------------------------------

local function read_list(run, hooks)
  lists.tell(run, "check")
  local list, summary = users.read(run.options, hooks)
  list:close()
  while not run.ids:settle() do
    hooks.rest()
  end
  run.receipt.users = run.ids:count()
  hooks.progress()
  return summary
end

local function read_export(run, number, hooks)
  local export, why = open(run, number, run.ids)
  if not export then
    plan.refuse { fault_of(run, number, "unreadable", why) }
  end
  local before, read = run.read, 0
  local is_done
  repeat
    lists.tell(run, "export", { export = number, exports = #run.exports,
      bytes = before + read, total_bytes = run.total })
    hooks.rest()
    is_done, read = step(run, number, export)
    if is_done == nil then
      plan.refuse { read }
    end
  until is_done
  run.read = before + read
  local summary = export:summary()
  close(run)
  return summary
end

local function check(run)
  local hooks = lists.reader(run)
  local pause, warn = hooks.pause, hooks.warn
  local result = { absent = true, found = 0, files = {}, warnings = {} }
  hooks.ids = run.ids
  hooks.warn = function(warnings)
    result.warnings = warnings
    warn(warnings)
  end
  hooks.rest = function()
    if not pause(0) then
      Error.raise { code = "InterruptedError", kind = "client",
        message = "interrupted while reading" }
    end
  end
  look_at_all(run)
  local summary = read_list(run, hooks)
  result.users = run.ids:count()
  result.duplicates = summary.users - result.users
  for number, path in ipairs(run.exports) do
    add_file(run, result, path, read_export(run, number, hooks))
  end
  lists.tell(run, "export", { export = #run.exports, exports = #run.exports,
    bytes = run.read, total_bytes = run.total })
  result.ids_found = run.ids:found()
  result.absent = result.found == 0
  return result
end

--- Looks for the ids of a list in exports of datasets, such as those that
--- CreateDatasetExportJob writes: in every field of every column USER_ID.
--- Offline. Takes about 20 bytes an id.
---
--- Errors: UserListError; ParamValidationError, also where an export cannot be
--- read, lacks the column, or is no CSV that can be read in one way only. So
--- `absent` is never said of what was not read to its end.
---@param options personalize.CheckAbsentOptions
---@return personalize.Absence
function M.check_absent(options)
  plan.check(options, plan.ABSENT)
  local run = { options = lists.copy(options), receipt = {}, is_check = true,
    exports = options.exports, read = 0 }
  if type(run.exports) == "string" then
    run.exports = { run.exports }
  else
    run.exports = lists.copy(run.exports)
  end
  local result
  lists.guarded(run, function()
    run.ids = core.ids(core.random(16))
    local ok, raised = pcall(check, run)
    close(run)
    run.ids:close()
    if not ok then
      error(raised, 0)
    end
    result = raised
  end)
  return result
end

return M
