--- The commands for lists of users: delete-users, check-list, verify-receipt.
-- Knows what they take from the command line; refuses to know how users are
-- deleted.

local Error = require "personalize.error"
local core = require "personalize.core"
local findings = require "personalize.cli.findings"
local given_options = require "personalize.cli.options"
local json = require "personalize.json"
local plan = require "personalize.plan"
local receipt = require "personalize.cli.receipt"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = {}

local function refuse(words)
  error({ fault = words, status = status.USAGE }, 0)
end

-- -- What can be told before anything is done ----------------------------------

local function add(faults, wrong)
  if wrong then
    faults[#faults + 1] = { message = core.printable(wrong) }
  end
end

-- Files that cannot be used, of those that are named.
local function check_files(run, written)
  local faults, options = {}, run.options
  local list = options.list
  add(faults, list and list ~= "-" and run.world.unreadable(list))
  for _, taken in ipairs { list or "", options.ca_bundle or "" } do
    if written and taken ~= "" and (written == taken or
      run.world.same_file(written, taken)) then
      add(faults, "the receipt would take the place of " .. taken)
    end
  end
  local wrong = written and run.world.unwritable(written)
  add(faults, wrong and ("%s: %s"):format(written, wrong))
  return faults
end

M.check = { check_list = check_files }

function M.check.verify_receipt(run)
  local faults, path = check_files(run), run.options.receipt
  add(faults, path and path ~= "-" and run.world.unreadable(path))
  return faults
end

function M.check.delete_users(run)
  local options = run.options
  local given, faults = given_options.erase(run)
  given.file = options.list or "-" -- whichever it is
  given_options.add_reading(run, given)
  for _, fault in ipairs(given_options.in_shell(run, plan.faults(given,
    plan.ERASE, { region = run:region() }))) do
    faults[#faults + 1] = fault
  end
  for _, fault in ipairs(check_files(run, options.receipt)) do
    faults[#faults + 1] = fault
  end
  return faults
end

-- -- The commands --------------------------------------------------------------

function M.delete_users(run)
  run.is_unsent = true -- until a client is at work
  local given = given_options.add_list(run, given_options.erase(run))
  given.receipt = receipt.there(run)
  given.on_receipt = receipt.keeper(run)
  local client = run:client()
  local ok, result = pcall(client.delete_users, client, given)
  run:close(ok)
  if ok then
    run.is_unsent = false
    return receipt.hand_over(run, result)
  end
  if Error.is_error(result, "PreflightError") then
    findings.tell_blockers(run, result.findings)
  end
  local its = Error.is_error(result) and result.receipt
  if its and #its.parts > 0 then
    run.is_unsent = receipt.hand_over_failed(run, its, status.of(result))
  else -- a list with faults, say
    run.is_unsent = Error.is_error(result)
  end
  error(result, 0)
end

function M.check_list(run)
  local given = given_options.add_list(run, {})
  local ok, summary = pcall(run.world.personalize.check_users, given)
  run:close(ok)
  if not ok and run.options.json and
    Error.is_error(summary, "UserListError") then
    run.out(text.json({ message = summary.message,
      faults = summary.params or {},
      fault_counts = summary.fault_counts or {} }, true) .. "\n")
  end
  if not ok then
    error(summary, 0)
  end
  if run.options.json then
    run.out(text.json(summary, true) .. "\n")
    return
  end
  run.out(("%-12s%s\n"):format("users", text.count(summary.users)))
  if summary.duplicates then
    run.out(("%-12s%s\n"):format("duplicates", text.count(summary.duplicates)))
  end
  run.out(("%-12s%s\n"):format("bytes", text.count(summary.bytes)))
  local counts = {}
  for _, warning in ipairs(summary.warnings or {}) do
    counts[warning.kind] = warning.count
  end
  if next(counts) then
    run.out(("%-12s%s\n"):format("warnings", text.warnings(counts)))
  end
  for i, part in ipairs(summary.parts or {}) do
    run.out(("%-12s%s, %s, SHA-256 %s\n"):format("part " .. i,
      text.plural(part.users, "user"), text.bytes(part.bytes), part.sha256))
  end
end

function M.verify_receipt(run)
  local path = run.options.receipt
  local words, wrong = run.world.read_file(path)
  if not words then
    refuse(wrong)
  end
  local ok, found = pcall(json.decode, words)
  if not ok or type(found) ~= "table" then
    refuse(path .. ": no receipt: it is not JSON that can be read")
  end
  local given = given_options.add_list(run, {})
  given.on_progress = function(state) run:progress(state) end
  local is_same, why = run.world.personalize.verify_receipt(found, given)
  run:close(true)
  if run.options.json then
    run.out(text.json({ verified = is_same, reason = why, receipt = path,
      list = run.list, status = found.status }, true) .. "\n")
    return is_same and status.DONE or status.FAILED
  end
  local shown_path, list = core.printable(path), core.printable(run.list)
  if is_same then
    run.out(("%s is the receipt of %s (status %s)\n"):format(shown_path, list,
      core.printable(found.status or "not known")))
    return status.DONE
  end
  run.out(("%s is not the receipt of %s: %s\n"):format(shown_path, list,
    core.printable(why or "they differ")))
  return status.FAILED
end

return M
