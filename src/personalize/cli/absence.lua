--- The command check-absent.
-- Knows how the answer reads; refuses to know how it is found.

local Error = require "personalize.error"
local core = require "personalize.core"
local given_options = require "personalize.cli.options"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = { check = {} }

-- Files that cannot be used, of those that are named.
function M.check.check_absent(run)
  local faults, options = {}, run.options
  local paths = { options.list }
  for _, path in ipairs(options.exports or {}) do
    paths[#paths + 1] = path
  end
  local inputs = 0
  for _, path in ipairs(paths) do
    local wrong = path ~= "-" and run.world.unreadable(path)
    inputs = inputs + (path == "-" and 1 or 0)
    if wrong then
      faults[#faults + 1] = { message = core.printable(wrong) }
    end
  end
  if inputs > 1 then
    faults[#faults + 1] = { message = "standard input can be read only once" }
  end
  return faults
end

-- Faults of exports are told by their files.
local function in_words(e)
  for _, fault in ipairs(Error.is_error(e) and e.params or {}) do
    if fault.path:find "^exports" then
      fault.path, fault.message = "", status.in_shell(fault.message)
    end
  end
  return e
end

-- "line 3" or "lines 3, 5, ..."
local function lines_of(column)
  local more = column.found > #column.lines and ", ..." or ""
  return ("line%s %s%s"):format(column.found == 1 and "" or "s",
    table.concat(column.lines, ", "), more)
end

local function show_file(run, file)
  local name = file.file == "-" and "(standard input)" or file.file
  run.out(("%s: %s\n"):format(core.printable(name),
    text.plural(file.rows, "row")))
  for _, column in ipairs(file.columns) do
    run.out(("  column %d (%s): %s of %s%s\n"):format(column.number,
      core.printable(column.column), text.count(column.found),
      text.plural(column.fields, "field"),
      column.found > 0 and (" (%s)"):format(lines_of(column)) or ""))
  end
  for _, warning in ipairs(file.warnings) do
    run.out(("  warning: %s\n"):format(warning.message))
  end
end

local function verdict(result)
  local users = text.plural(result.users, "user")
  if result.absent then
    return result.users == 1 and "the user is not in the exports" or
      ("none of the %s is in the exports"):format(users)
  end
  return ("%s of %s %s in the exports, in %s"):format(
    text.count(result.ids_found), users,
    result.ids_found == 1 and "is" or "are", text.plural(result.found, "field"))
end

--- The command `check-absent`.
function M.check_absent(run)
  local options = run.options
  local given = given_options.add_list(run, { exports = options.exports,
    export_column = options.export_column,
    export_delimiter = options.export_delimiter,
    export_escape = options.export_escape })
  local ok, result = pcall(run.world.personalize.check_absent, given)
  run:close(ok)
  if not ok then
    error(in_words(result), 0)
  end
  if options.json then
    run.out(text.json(result, true) .. "\n")
  else
    for _, file in ipairs(result.files) do
      show_file(run, file)
    end
    run.out(verdict(result) .. "\n")
  end
  return result.absent and status.DONE or status.FAILED
end

return M
