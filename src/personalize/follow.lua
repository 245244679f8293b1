--- From a receipt to its end: what delete_users began, gone on with where the list
-- is no longer at hand.
-- Knows what a receipt must say for that, and that a part of a list counts only
-- where it lies in S3 with the receipt's hash. Refuses to know how jobs are
-- created, waited for and cleaned up after.

local Client = require "personalize.client"
local Error = require "personalize.error"
local core = require "personalize.core"
local erase = require "personalize.erase"
local evidence = require "personalize.evidence"
local lists = require "personalize.lists"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"
local slots = require "personalize.slots"
local stored = require "personalize.stored"

local M = {}

local OPERATION = "DescribeDataDeletionJob"
local DAY = 24 * 3600

-- In the place of an upload: true where the part lies in S3 as it was put there;
-- false and why where it does not; or nil and an error's fields.
local function find(run, number)
  local part = run.parts[number]
  if run.uploaded[number] then
    return true
  end
  local function progress(bytes)
    lists.tell(run, "check", { part = number, bytes = bytes,
      total_bytes = part.bytes })
  end
  local is_stored, found = stored.check(run.bucket, { key = run.keys[number],
    bytes = part.bytes, sha256 = part.sha256, on_progress = progress })
  if is_stored then
    run.uploaded[number] = true
    -- What a process that was killed could not write down any more.
    for name, value in pairs(found) do
      part[name] = part[name] or value
    end
    part.removed_at = nil
    return true
  elseif is_stored == false then
    return false, found
  end
  return nil, lists.about(found, "part %d of %d, %s", number, #run.parts,
    part.location)
end

-- Does S3 refuse for a reason of its own, that does not pass?
local function is_refusal(failure)
  return failure.kind == "service" and not failure.retryable
end

-- Looks for the parts that jobs are still to be created for. Those that cannot be
-- had keep no others back.
local function find_parts(run)
  for _, slot in ipairs(run.slots) do
    if erase.is_open(run, slot) then
      local is_stored, found = find(run, slot.part)
      if is_stored == nil and not is_refusal(found) then
        Error.raise(found)
      elseif not is_stored then
        run.failure = run.failure or found.code and found or nil
        run.lost[slot.part] = found.message or found
      end
    end
  end
  for _, slot in ipairs(run.slots) do
    -- One whose create was not answered may be there all the same.
    if run.lost[slot.part] and slot.entry.status == "UNKNOWN" then
      slots.find(run, slot)
    end
  end
end

-- Raises where jobs cannot be created: the first reason.
local function demand_all(run)
  local count, first = 0, nil
  for _, slot in ipairs(run.slots) do
    if run.lost[slot.part] and not receipts.ENDED[slot.entry.status] and
      not slot.entry.arn then
      count, first = count + 1, first or slot.part
    end
  end
  if run.failure and count > 0 then
    Error.raise(run.failure)
  elseif count > 0 then
    Error.raise { code = "UserListError", kind = "client", message =
      ("%d of %s cannot be created without the list: part %d of %d, %s: %s. " ..
        "Run delete_users with the list, which uploads it again"):format(count,
        Error.plural(#run.slots, "job"), first, #run.parts,
        run.parts[first].location, run.lost[first]) }
  end
end

local function work(run)
  slots.make(run)
  lists.open_bucket(run)
  slots.look(run)
  find_parts(run)
  erase.go_on(run)
  demand_all(run)
end

-- A receipt as a caller has it, as one of our own that can be followed.
local function read(given, settings)
  local receipt, why = evidence.read(given)
  local faults = receipt and evidence.faults(receipt, settings) or
    { { path = "receipt", code = "type", message = why } }
  plan.refuse(faults, OPERATION)
  return receipt
end

-- Are the credentials those of another account, as far as they tell?
local function check_account(settings, group)
  local keys = settings.get_credentials(core.monotonic() + settings.timeout)
  local account = keys and keys.account_id
  local wanted = group:match "^[^:]*:[^:]*:[^:]*:[^:]*:([^:]*)"
  if account and account ~= wanted then
    plan.refuse({ { path = "receipt", code = "mismatch", message =
      ("is of the account %s, but the credentials are of %s"):format(wanted,
        core.printable(tostring(account))) } }, OPERATION)
  end
end

---@class personalize.FollowOptions
---@field wait? boolean default true; false returns as soon as what the quota
--- admits is created
---@field max_wait? number seconds for all of it, default 86400
---@field poll? number seconds between looks; default 5, growing to 120
---@field max_pending? integer jobs of a dataset group that may be PENDING at a
--- time, default 5
---@field cleanup? boolean default false; true removes the uploaded lists, with
--- every version, once all jobs are COMPLETED
---@field tags? personalize.Tag[]|table<string, string> of jobs that are created;
--- the receipt does not have them
---@field expected_bucket_owner? string account: another's bucket is refused
---@field on_progress? fun(progress: personalize.Progress) may raise to abort
---@field on_receipt? fun(receipt: personalize.Receipt) as of delete_users

--- Goes on with a run of delete_users from its receipt alone, to the end: looks
-- for its jobs, creates those that are missing, waits, cleans up, and returns the
-- receipt brought up to date. A job is created only if its part of the list lies
-- in S3 with the receipt's hash: S3's own sum tells, or the part is read back. The
-- receipt is checked as what it is, input from outside: nothing is looked at or
-- removed but what its name, bucket, prefix, parts and hashes say.
---
--- Errors, with `receipt` once the work has begun: ParamValidationError where the
--- receipt is none, does not fit together, or is of another region or account than
--- the client's; UserListError where a part is not to be had, once all else is
--- done; and those of delete_users.
---@param given personalize.Receipt|string a string is its JSON
---@param options? personalize.FollowOptions
---@return personalize.Receipt
function M.follow(client, given, options)
  options = options == nil and {} or options
  local known = Client.given(client)
  plan.check(options, plan.FOLLOW, OPERATION, known)
  read(given, known)
  local settings = Client.settings_of(client, OPERATION)
  local receipt, before = read(given, settings), read(given, settings)
  check_account(settings, receipt.dataset_group_arns[1])
  local all, keys = evidence.options(receipt), {}
  for name, value in pairs(options) do
    all[name] = value
  end
  for i, part in ipairs(receipt.parts) do
    keys[i] = plan.key(receipt, i, #receipt.parts, part.sha256)
  end
  local run = { client = client, settings = settings, options = all,
    groups = plan.groups(all), parts = receipt.parts, keys = keys,
    before = before, receipt = receipt, uploaded = {}, lost = {},
    settle = erase.settle, supply = find, began = core.monotonic(),
    deadline = core.monotonic() + (all.max_wait or DAY) }
  lists.guarded(run, work)
  return run.receipt
end

return M
