--- The command that goes on with a run from its receipt.
-- Knows where the receipt comes from and goes to; refuses to know how it is
-- followed.

local Error = require "personalize.error"
local core = require "personalize.core"
local evidence = require "personalize.evidence"
local plan = require "personalize.plan"
local receipt = require "personalize.cli.receipt"
local status = require "personalize.cli.status"

local M = { check = {} }

-- As client:follow takes them.
local function options_of(run)
  local options = run.options
  return { wait = options.wait or false, max_wait = options.max_wait,
    poll = options.poll, max_pending = options.max_pending,
    expected_bucket_owner = options.expected_bucket_owner,
    tags = options.tags, cleanup = options.cleanup,
    on_progress = function(state) run:progress(state) end }
end

-- Reads the receipt; or answers what is wrong with it. One that comes through a
-- pipe goes to standard output.
local function read(run)
  local options = run.options
  local path = options.receipt
  local words, wrong = run.world.read_file(path)
  if not words then
    return wrong
  end
  local found, why = evidence.read(words)
  if not found then
    return ("%s is no receipt to go on with: it %s"):format(path, why)
  end
  run.receipt = found
  if path ~= "-" and run.world.is_pipe(path) then
    options.receipt = "-"
  end
end

function M.check.follow(run)
  local options = run.options
  local faults = plan.faults(options_of(run), plan.FOLLOW)
  local path = options.receipt
  local function add(wrong)
    if wrong then
      faults[#faults + 1] = { message = core.printable(wrong) }
    end
  end
  if not path then
    return faults
  end
  add(read(run))
  if run.receipt then
    for _, fault in ipairs(evidence.faults(run.receipt,
      { region = options.region })) do
      add(path .. " " .. fault.message)
    end
  end
  local wrong = options.receipt ~= "-" and run.world.unwritable(path)
  add(wrong and ("%s: %s"):format(path, wrong))
  return faults
end

function M.follow(run)
  run.is_unsent = true -- until a client is at work
  local options, given = run.options, options_of(run)
  options.region = options.region or run.receipt.region
  given.on_receipt = receipt.keeper(run)
  local client = run:client()
  local ok, result = pcall(client.follow, client, run.receipt, given)
  run:close(ok)
  if ok then
    run.is_unsent = false
    return receipt.hand_over(run, result)
  end
  local its = Error.is_error(result) and result.receipt
  run.is_unsent = its and receipt.hand_over_failed(run, its,
    status.of(result)) or not its and Error.is_error(result)
  error(result, 0)
end

return M
