--- The commands for lists of users: delete-users, check-list, verify-receipt.
-- Knows what a receipt looks like on paper; refuses to know how users are
-- deleted.

local cjson = require "cjson"
local receipts = require "personalize.receipt"
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
    into.text, run.list = run.world.read, "(standard input)"
  else
    local wrong = run.world.unreadable(options.list)
    if wrong then
      refuse(wrong)
    end
    into.file, run.list = options.list, options.list
  end
  into.format, into.column = options.format, options.column
  into.unique, into.part_size = options.unique, options.part_size
  into.on_progress = function(state) run:progress(state) end
  return into
end

local function print_receipt(run, receipt)
  if run.options.json then
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
  run.out(table.concat(lines, "\n") .. "\n")
end

-- Does it tell of anything that was done? One that does not must not take the
-- place of one that did.
local function tells_of_jobs(receipt)
  for _, job in ipairs(receipt.jobs or {}) do
    if job.arn then
      return true
    end
  end
  return false
end

-- Writes and prints the receipt. Answers the status where that fails.
local function hand_over(run, receipt)
  local path = run.options.receipt
  local failed
  if path and not tells_of_jobs(receipt) and
    not run.world.unreadable(path) then
    run:note(("no job is known: %s is left as it was"):format(path))
  elseif path then
    local ok, wrong = run.world.write_file(path, receipts.json(receipt))
    if not ok then
      failed = status.OTHER
      run:warn(("the receipt could not be written to %s: %s"):format(path,
        wrong))
    end
  end
  print_receipt(run, receipt)
  return failed
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
    dry_run = options.dry_run, cleanup = options.cleanup,
  })
  local client = run:client()
  local ok, result = pcall(client.delete_users, client, given)
  if ok then
    run:close(true)
    return hand_over(run, result)
  end
  run:close(false)
  local receipt = type(result) == "table" and result.receipt
  if receipt and #(receipt.parts or {}) > 0 then
    hand_over(run, receipt)
    if options.receipt and tells_of_jobs(receipt) then
      run:note("the receipt of what was done so far: " .. options.receipt)
    end
    if options.json then -- elsewhere it stands on standard output
      for _, sentence in ipairs(receipt.remaining or {}) do
        run:note("remaining: " .. sentence)
      end
    end
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
  local ok, receipt = pcall(json.decode, words)
  if not ok or type(receipt) ~= "table" then
    refuse(path .. ": no receipt: it is not JSON that can be read")
  end
  local given = add_list(run, {})
  local is_same, why = run.world.personalize.verify_receipt(receipt, given)
  run:close(true)
  if is_same then
    run.out(("%s is the receipt of %s (status %s)\n"):format(path, run.list,
      tostring(receipt.status)))
    return status.DONE
  end
  run.out(("%s is not the receipt of %s: %s\n"):format(path, run.list,
    why or "they differ"))
  return status.FAILED
end

return M
