--- The commands for lists of users: delete-users, check-list, verify-receipt.
-- Knows what they take from the command line; refuses to know how users are
-- deleted.

local cjson = require "cjson"
local Error = require "personalize.error"
local core = require "personalize.core"
local receipt = require "personalize.cli.receipt"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = {}

local function refuse(words)
  error({ fault = words, status = status.USAGE }, 0)
end

-- Adds to `into` what the command line says of the list.
local function add_list(run, into)
  local options = run.options
  if options.list == "-" then
    into.text = { read = function() return run.world.read() end }
    run.list = "(standard input)"
  else
    local wrong = run.world.unreadable(options.list)
    if wrong then
      refuse(wrong)
    end
    into.file, run.list = options.list, options.list
  end
  into.format, into.column = options.format, options.column
  into.delimiter = options.delimiter
  into.unique, into.part_size = options.unique, options.part_size
  into.on_progress = function(state)
    run:progress(state)
    for _, warning in ipairs(state.warnings or {}) do
      run:note(("warning: %s: %s"):format(run.list, warning.message))
    end
  end
  return into
end

function M.delete_users(run)
  local options = run.options
  for _, taken in ipairs { options.list, options.ca_bundle or "" } do
    if options.receipt and (options.receipt == taken or
      taken ~= "" and run.world.same_file(options.receipt, taken)) then
      refuse("the receipt would take the place of " .. taken)
    end
  end
  local wrong = options.receipt and run.world.unwritable(options.receipt)
  if wrong then
    refuse(("%s: %s"):format(options.receipt, wrong))
  end
  local given = add_list(run, {
    datasetGroupArn = options.dataset_groups, bucket = options.bucket,
    prefix = options.prefix, roleArn = options.role, name = options.name,
    expected_bucket_owner = options.expected_bucket_owner,
    tags = options.tags, ticket = options.ticket,
    requester = options.requester, wait = options.wait or false,
    max_wait = options.max_wait, poll = options.poll,
    max_pending = options.max_pending, dry_run = options.dry_run,
    cleanup = options.cleanup, receipt = receipt.there(run),
  })
  local client = run:client()
  local ok, result = pcall(client.delete_users, client, given)
  run:close(ok)
  if ok then
    return receipt.hand_over(run, result)
  end
  if Error.is_error(result) then
    local its = result.receipt
    run.is_unsent = not its or #its.parts == 0 or
      receipt.hand_over_failed(run, its, status.of(result))
  end
  error(result, 0)
end

function M.check_list(run)
  local given = add_list(run, {})
  local summary = run.world.personalize.check_users(given)
  run:close(true)
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

local json = cjson.new()

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
  local given = add_list(run, {})
  given.on_progress = function(state) run:progress(state) end
  local is_same, why = run.world.personalize.verify_receipt(found, given)
  run:close(true)
  local shown_path, list = core.printable(path), core.printable(run.list)
  if is_same then
    run.out(("%s is the receipt of %s (status %s)\n"):format(shown_path, list,
      core.printable(found.status)))
    return status.DONE
  end
  run.out(("%s is not the receipt of %s: %s\n"):format(shown_path, list,
    core.printable(why or "they differ")))
  return status.FAILED
end

return M
