--- The receipt of delete-users on its ways: from the file where the last one is,
-- and to that file and standard output.
-- Knows what a receipt looks like on paper, and that nothing in a file is lost;
-- refuses to know how users are deleted.

local Error = require "personalize.error"
local core = require "personalize.core"
local evidence = require "personalize.evidence"
local groups = require "personalize.groups"
local receipts = require "personalize.receipt"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"
local worlds = require "personalize.cli.world"

local M = {}

-- The receipt in a file; nil where there is none; nil and why there is no
-- telling. An empty file is none: mktemp makes one, and so does whoever mounts
-- it into a container.
local function read(run, path)
  local words, wrong = run.world.read_existing(path)
  if wrong then
    return nil, wrong
  elseif not words or words == "" then
    return nil
  end
  local receipt, why = evidence.read(words)
  return receipt, why and ("%s is no receipt to go on with: it %s"):format(path,
    why)
end

--- The receipt that is there, for delete_users; raises where its file is not to
-- be written over.
function M.there(run)
  local path = run.options.receipt
  if not path then
    return nil
  end
  local receipt, wrong = read(run, path)
  if wrong then
    error({ fault = wrong .. ". It is left as it is", status = status.USAGE }, 0)
  end
  return receipt
end

-- ---- to a file --------------------------------------------------------------

-- Puts a receipt in the place of the one that is there by now: another run of the
-- same name may have written it meanwhile. True, and what the file system does
-- not promise; or nil and why not.
local function write(run, path, receipt)
  local other, wrong = read(run, path)
  if wrong then
    return nil, wrong
  end
  wrong = other and evidence.merge(receipt, other)
  if wrong then
    return nil, "the receipt that is there by now " .. wrong
  end
  local words = receipts.json(receipt)
  local ok
  ok, wrong = run.world.write_file(path, words)
  run.written = ok and words or run.written
  return ok, wrong
end

-- Calls f(path) while no other run writes the file.
local function locked(run, f)
  local path = run.options.receipt
  local unlock = run.world.lock(path)
  local ok, result, wrong = pcall(f, path)
  unlock()
  if not ok then
    error(result, 0)
  end
  return result, wrong
end

-- The first time nothing is sent yet: where the receipt cannot be kept, nothing
-- will be. Later the run goes on, and its end tells what became of the file.
local function record(run, receipt)
  local is_first = run.written == nil
  local ok, wrong = locked(run, function(path)
    if is_first then
      run.former = run.world.read_existing(path)
    end
    return write(run, path, receipt)
  end)
  if ok then
    return
  elseif is_first then
    Error.raise { code = "ParamValidationError", kind = "client",
      message = wrong, params = { { path = "receipt", code = "unwritable",
        message = ("cannot be written to %s: %s"):format(
          run.options.receipt, wrong) } } }
  elseif not run.is_told then
    run.is_told = true
    run:warn(("the receipt could not be written to %s: %s. The run goes on")
      :format(run.options.receipt, wrong))
  end
end

--- What is to be told of receipts while a run goes on, for `on_receipt`: each is
-- kept in the file, so that nothing is lost if the process is killed.
---@return fun(receipt: personalize.Receipt)?
function M.keeper(run)
  local path = run.options.receipt
  if path and not run.world.is_output(path) then
    return function(receipt)
      record(run, receipt)
    end
  end
end

-- Puts back what was in the file before a run that has done nothing in the end.
local function restore(run)
  if run.written == nil then
    return
  end
  locked(run, function(path)
    if run.world.read_existing(path) == run.written then
      run.world.put_back(path, run.former)
    end
  end)
end

-- Keeps the receipt, where it says more than the one that is there. Answers the
-- status where that fails.
local function keep(run, receipt)
  local path = run.options.receipt
  if not path or run.world.is_output(path) then
    return nil
  elseif receipt.status == "DRY_RUN" or not receipts.is_news(receipt) then
    restore(run)
    run:note(run.world.unreadable(path) and
      path .. " is not written: there is nothing to tell of" or
      path .. " is left as it was: there is nothing new to tell of")
    return nil
  end
  local ok, wrong = locked(run, function()
    return write(run, path, receipt)
  end)
  if not ok then
    run:warn(("the receipt could not be written to %s: %s"):format(path, wrong))
    return status.OTHER
  elseif wrong then
    run:note(("warning: %s: %s"):format(path, wrong))
  end
end

-- ---- to standard output -----------------------------------------------------

local function print_receipt(run, receipt)
  local path = run.options.receipt
  if run.options.json or path and run.world.is_output(path) then
    run.out(receipts.json(receipt))
    return
  end
  local lines = {
    ("%-12s%s"):format("status", receipt.status or "-"),
    ("%-12s%s%s"):format("users", text.count(receipt.users or 0),
      (receipt.duplicates or 0) > 0 and
      (" (%s dropped)"):format(text.plural(receipt.duplicates, "duplicate")) or
      ""),
  }
  lines[#lines + 1] = receipt.due and ("%-12s%s"):format("due", receipt.due)
  lines[#lines + 1] = receipt.caller and
    ("%-12s%s"):format("caller", receipt.caller.arn or "-")
  if receipt.warnings and next(receipt.warnings) then
    lines[#lines + 1] = ("%-12s%s"):format("warnings",
      text.warnings(receipt.warnings))
  end
  for _, part in ipairs(receipt.parts or {}) do
    lines[#lines + 1] = ("%-12s%s, %s, SHA-256 %s"):format(
      "part " .. tostring(part.part), text.plural(part.users or 0, "user"),
      text.bytes(part.bytes or 0), part.sha256 or "-")
    lines[#lines + 1] = part.location and
      ("%-12s%s"):format("", part.location)
  end
  for _, job in ipairs(receipt.jobs or {}) do
    lines[#lines + 1] = ("%-12s%s  %s%s"):format("job", job.arn or
      job.job_name or "-", job.status or "-", job.num_deleted and
      ", " .. text.plural(job.num_deleted, "record") .. " deleted" or "")
    lines[#lines + 1] = job.failure_reason and
      ("%-12s%s"):format("", job.failure_reason)
  end
  for i, sentence in ipairs(receipt.remaining or {}) do
    lines[#lines + 1] = ("%-12s%s"):format(i == 1 and "remaining" or "",
      sentence)
  end
  for i, line in ipairs(lines) do
    lines[i] = core.printable(line)
  end
  run.out(table.concat(lines, "\n") .. "\n")
end

-- What a run that went well did not do, on standard error.
local function tell(run, receipt)
  local counts, all = receipts.counts(receipt)
  if counts.nothing > 0 then
    run:note(("warning: %d of %s COMPLETED without deleting a record: are " ..
      "the list's ids those of the dataset group?"):format(counts.nothing,
      text.plural(all, "job")))
  end
  if receipt.status == "DRY_RUN" then
    return nil
  end
  local forgotten, number = groups.forgotten(receipt.other_groups or {})
  if forgotten then
    run:note(("warning: %s of this account and region %s ACTIVE and not " ..
      "named: %s"):format(text.plural(number, "dataset group"), number == 1 and
      "is" or "are", forgotten))
  end
  if run.options.cleanup and not run.options.wait and
    receipt.status ~= "COMPLETED" then
    run:note("--cleanup does nothing yet, since the jobs are not over: run " ..
      "the same command again then, or with --wait")
  end
  local left = counts.NOT_STARTED + counts.UNKNOWN
  if left > 0 then
    run:warn(("%d of %s not created yet: run the same command again"):format(
      left, text.plural(all, "job")))
    return status.LEFT
  end
end

--- Hands over the receipt of a run that went well: to the file first, then to
-- standard output, whose reader may have gone away. Answers the status where that
-- is not 0.
function M.hand_over(run, receipt)
  local failed = keep(run, receipt)
  local ok, raised = pcall(print_receipt, run, receipt)
  local left = tell(run, receipt)
  if not ok then
    error(raised, 0)
  end
  return failed or left
end

--- Hands over the receipt of a run that failed, whose error says the status. What
-- tells of nothing would only bury the cause: it is printed where a program asked
-- for it, and the run had got as far as the service.
---@return boolean is_unsent the run has sent nothing
function M.hand_over_failed(run, receipt, its_status)
  local is_news = receipts.is_news(receipt)
  if is_news then
    keep(run, receipt)
  else
    restore(run)
  end
  if is_news or run.options.json and its_status ~= status.USAGE and
    its_status ~= status.CONFIG then
    local ok, raised = pcall(print_receipt, run, receipt)
    if not ok and raised ~= worlds.GONE then
      run:warn(status.describe(status.normal(raised))[1])
    end
  end
  local path = run.options.receipt
  if is_news and path and not run.world.is_output(path) then
    run:note("the receipt of what was done so far: " .. path)
  end
  if is_news and run.options.json then -- elsewhere it is on standard output
    for _, sentence in ipairs(receipt.remaining or {}) do
      run:note("remaining: " .. sentence)
    end
  end
  return receipts.is_unsent(receipt)
end

return M
