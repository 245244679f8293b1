--- The command that looks ahead.
-- Knows how findings are handed over; refuses to know how a look is taken.

local findings = require "personalize.cli.findings"
local given_options = require "personalize.cli.options"
local plan = require "personalize.plan"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = { check = {} }

-- As client:preflight takes them.
local function options_of(run)
  local given, faults = given_options.erase(run)
  given.location = run.options.location
  given.preflight, given.dry_run = nil, nil
  return given, faults
end

function M.check.preflight(run)
  local given, faults = options_of(run)
  local list = run.options.list
  if list then
    given.file = list
    given_options.add_reading(run, given)
  end
  local wrong = list and list ~= "-" and run.world.unreadable(list)
  faults[#faults + 1] = wrong and { message = wrong } or nil
  for _, fault in ipairs(given_options.in_shell(run, plan.faults(given,
    plan.PREFLIGHT, { region = run:region() }))) do
    faults[#faults + 1] = fault
  end
  return faults
end

local function print_table(run, found, summary)
  run.out(("%s, %s, %s unknown (%s, dataset groups: %s)\n"):format(
    text.plural(summary.blockers, "blocker"),
    text.plural(summary.warnings, "warning"), text.count(summary.unknown),
    text.plural(summary.requests, "request"),
    text.count(#summary.dataset_group_arns)))
  if #found > 0 then
    run.out("\n" .. findings.table(found))
  end
end

function M.preflight(run)
  local given = given_options.add_list(run, (options_of(run)))
  local client = run:client()
  local ok, found, summary = pcall(client.preflight, client, given)
  run:close(ok)
  if not ok then
    error(found, 0)
  elseif run.options.json then
    summary.findings = found
    run.out(text.json(summary, true) .. "\n")
  else
    print_table(run, found, summary)
  end
  return summary.blockers > 0 and status.BLOCKED or status.DONE
end

return M
