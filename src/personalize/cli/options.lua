--- From the command line to the options of delete_users.
-- Knows where a list and dataset groups may come from here; refuses to know what
-- is done with them.

local core = require "personalize.core"
local findings = require "personalize.cli.findings"
local status = require "personalize.cli.status"

local M = {}

--- Adds how the list is read.
---@param run table
---@param into table changed
function M.add_reading(run, into)
  local options = run.options
  into.format, into.column = options.format, options.column
  into.delimiter = options.delimiter
  into.unique, into.part_size = options.unique, options.part_size
end

--- Adds what the command line says of the list, and who is told of it.
---@param run table
---@param into table changed
---@return table into
function M.add_list(run, into)
  local options = run.options
  if options.list == "-" then
    into.text = { read = function() return run.world.read() end }
    run.list = "(standard input)"
  elseif options.list then
    local wrong = run.world.unreadable(options.list)
    if wrong then
      error({ fault = wrong, status = status.USAGE }, 0)
    end
    into.file, run.list = options.list, options.list
  end
  M.add_reading(run, into)
  into.on_progress = function(state)
    run:progress(state)
    for _, warning in ipairs(state.warnings or {}) do
      local label = warning.kind ~= "repeats_not_counted" and "warning: " or ""
      run:note(label .. run.list .. ": " .. status.in_shell(warning.message))
    end
    findings.tell_others(run, state.findings or {})
  end
  return into
end

-- ---- dataset groups -------------------------------------------------------------

-- The dataset groups of a file, an ARN a line; read once, since it may be a pipe.
-- Answers what is wrong with it.
local function read_groups(run)
  local path = run.options.dataset_groups_from
  if not path or run.group_lines then
    return run.group_fault
  end
  local words, wrong = run.world.read_file(path)
  run.group_lines = {}
  local number = 0
  for line in (words or ""):gmatch "([^\n]*)\n?" do
    number = number + 1
    local arn = line:match "^%s*([^%s#]+)%s*\r?$"
    if arn then
      table.insert(run.group_lines, { number = number, arn = arn })
    elseif not line:find "^%s*#" and line:find "%S" then
      wrong = wrong or ("%s:%d: is no ARN"):format(path, number)
    end
  end
  if not wrong and #run.group_lines == 0 then
    wrong = path .. ": no dataset group in it"
  end
  run.group_fault = wrong
  return wrong
end

-- Those of the command line, then those of the file; nil for none.
local function groups_of(run)
  local found = {}
  for _, arn in ipairs(run.options.dataset_groups or {}) do
    found[#found + 1] = arn
  end
  for _, line in ipairs(run.group_lines or {}) do
    found[#found + 1] = line.arn
  end
  return #found > 0 and found or nil
end

--- Faults of dataset groups that stand in a file, as people find them there.
---@param run table
---@param faults personalize.ParamFault[] changed
---@return personalize.ParamFault[]
function M.in_shell(run, faults)
  local before = #(run.options.dataset_groups or {})
  for _, fault in ipairs(faults) do
    local number = tonumber((fault.path or ""):match
      "^datasetGroupArn%[([0-9]+)%]$")
    local line = number and (run.group_lines or {})[number - before]
    if line then
      fault.path, fault.message = "", ("%s:%d: %s"):format(
        run.options.dataset_groups_from, line.number, fault.message)
    end
  end
  return faults
end

--- As delete_users takes them, but for the list and the receipt; and what is wrong
--- with the file of dataset groups.
---@param run table
---@return table given
---@return personalize.cli.Fault[] faults
function M.erase(run)
  local options, faults = run.options, {}
  local wrong = read_groups(run)
  if wrong then
    faults[1] = { message = core.printable(wrong) }
  end
  return { datasetGroupArn = groups_of(run) or wrong and "" or nil,
    all_dataset_groups = options.all_dataset_groups, except = options.except,
    bucket = options.bucket, prefix = options.prefix,
    roleArn = options.role, name = options.name,
    expected_bucket_owner = options.expected_bucket_owner,
    tags = options.tags, ticket = options.ticket,
    requester = options.requester, received = options.received,
    due = options.due, wait = options.wait or false,
    max_wait = options.max_wait, poll = options.poll,
    max_pending = options.max_pending, dry_run = options.dry_run,
    cleanup = options.cleanup, preflight = options.preflight,
    strict = options.strict, simulate = options.simulate,
    allow_other_region = options.allow_other_region }, faults
end

return M
