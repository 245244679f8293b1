--- From a list of users to a receipt: check, cut, upload, create, wait.
-- Knows the order of these and what a run that died has left behind; so the
-- same call, made again, finishes what it began and does nothing twice.
-- Refuses to know how a list is read, a request is made or a receipt written.
--
-- AWS's rule that a job's name is unique is the lock, and the place of a list
-- has its hash in it: a job of our name over our list is ours, whoever made it.

local Client = require "personalize.client"
local Error = require "personalize.error"
local core = require "personalize.core"
local lists = require "personalize.lists"
local pace = require "personalize.pace"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"
local users = require "personalize.users"

local M = {}

-- Jobs of a dataset group that may be PENDING, by AWS's quota.
local PENDING_MOST = 5
local DAY = 24 * 3600
-- A name that is taken, and no list that shows its job: lists may lag.
local LAG_PAUSES = { 0.5, 1, 2, 4, 8, 15, 30 }

local function tell_jobs(run, phase, part)
  lists.tell(run, phase, { part = part, jobs_done = run.done,
    statuses = run.statuses })
end

local function rest(run, seconds)
  if not pace.rest(run.settings.sleep, seconds) then
    Error.raise { code = "InterruptedError", kind = "client", message =
      (pace.is_ending() and "nginx ends this worker" or "interrupted") ..
      "; the same call goes on where this one ended" }
  end
end

-- A call of the service: its output and meta, or nil and the error.
local function call(run, operation, input)
  local ok, output, meta = pcall(Client.call, run.client, operation, input)
  if ok then
    return output, meta
  elseif Error.is_error(output) then
    return nil, output
  end
  error(output, 0)
end

-- ---- one job of a part and a dataset group ---------------------------------

local function new_entry(slot, try)
  slot.try = try
  slot.entry = { part = slot.part, dataset_group_arn = slot.group,
    job_name = plan.try_name(slot.base, try), status = "NOT_STARTED",
    history = {} }
  slot.entries[#slot.entries + 1] = slot.entry
end

local function input_of(run, slot)
  local options = run.options
  return { jobName = slot.entry.job_name, datasetGroupArn = slot.group,
    dataSource = { dataLocation = run.parts[slot.part].location },
    roleArn = options.roleArn, tags = options.tags }
end

-- All that is wrong with what will be sent, before any of it is.
local function make_slots(run)
  run.slots = {}
  for number in ipairs(run.parts) do
    for _, group in ipairs(run.groups) do
      local slot = { part = number, group = group, entries = {},
        base = plan.job_name(run.options.name, group, number) }
      new_entry(slot, 0)
      run.slots[#run.slots + 1] = slot
      local settings = run.settings
      local attempt, faults = core.attempt(settings.service,
        "CreateDataDeletionJob", input_of(run, slot), core.random(16), 1,
        settings.parameter_validation)
      if not attempt then
        plan.refuse(faults, "CreateDataDeletionJob")
      end
    end
  end
end

-- Brings the receipt up to date.
local function settle(run, is_over)
  local all, statuses = {}, {}
  for _, slot in ipairs(run.slots or {}) do
    for _, entry in ipairs(slot.entries) do
      all[#all + 1] = entry
    end
    local status = slot.entry.status
    statuses[status] = (statuses[status] or 0) + 1
  end
  run.receipt.jobs, run.statuses = all, statuses
  run.done = (statuses.COMPLETED or 0) + (statuses.FAILED or 0)
  receipts.settle(run.receipt, is_over)
end

local function other_list(run, slot, job)
  Error.raise { code = "UserListError", kind = "client",
    operation = "CreateDataDeletionJob", message = ("the job %s exists and " ..
      "deletes another list, %s: not %s. Under the name %s another list was " ..
      "sent before, or this one in another order, or with another " ..
      "part_size, unique or column. Take another name for another list")
      :format(job.jobName or slot.entry.job_name, tostring((job.dataSource or
        {}).dataLocation), run.parts[slot.part].location, run.options.name) }
end

-- Takes a job that exists as the one of this slot; its list must be ours.
local function adopt(run, slot, arn)
  local output, e = call(run, "DescribeDataDeletionJob",
    { dataDeletionJobArn = arn })
  if not output then
    lists.fail(e, "job %s", slot.entry.job_name)
  end
  local job = output.dataDeletionJob or {}
  if (job.dataSource or {}).dataLocation ~= run.parts[slot.part].location then
    other_list(run, slot, job)
  end
  receipts.observe(slot.entry, job)
  -- One that failed before this run is tried again: under another name, since
  -- its own is taken.
  if slot.entry.status == "FAILED" then
    new_entry(slot, slot.try + 1)
  end
end

-- The dataset group's jobs by name, as far as they can be ours.
local function listed(run, group)
  local found, name = {}, run.options.name
  for job in run.client:data_deletion_jobs { datasetGroupArn = group,
    maxResults = 100 } do
    local of = job.jobName
    if of and of:sub(1, #name) == name and not found[of] then
      found[of] = job
    end
  end
  return found
end

-- What earlier runs left: for each slot the tries that exist, one by one.
local function look(run)
  tell_jobs(run, "create")
  for _, group in ipairs(run.groups) do
    local found = listed(run, group)
    for _, slot in ipairs(run.slots) do
      if slot.group == group then
        local entry, job
        repeat
          entry = slot.entry
          job = found[entry.job_name]
          if job then
            adopt(run, slot, job.dataDeletionJobArn)
          end
        until not job or slot.entry == entry
      end
    end
  end
end

-- The job whose name is taken, once a list shows it; nil where none does.
local function await_listed(run, slot)
  local name = slot.entry.job_name
  for _, seconds in ipairs(LAG_PAUSES) do
    local job = listed(run, slot.group)[name]
    if job then
      return job
    end
    local left = run.deadline - core.monotonic()
    if left <= 0 then
      break
    end
    rest(run, math.min(seconds, left))
  end
  return listed(run, slot.group)[name] or listed(run, nil)[name]
end

-- How many of a group's jobs wait to begin, as far as is known here.
local function pending(run, group)
  local count = 0
  for _, slot in ipairs(run.slots) do
    local status = slot.entry.status
    if slot.group == group and (status == "PENDING" or status == "UNKNOWN")
    then
      count = count + 1
    end
  end
  return count
end

-- What passes by itself while one waits.
local PASSING = { LimitExceededException = true, ResourceInUseException = true }

-- Creates a slot's job. False where it has to wait.
local function create(run, slot)
  local entry = slot.entry
  if pending(run, slot.group) >= PENDING_MOST and entry.status ~= "UNKNOWN"
  then
    return false
  end
  lists.upload(run, slot.part)
  tell_jobs(run, "create", slot.part)
  local output, result = call(run, "CreateDataDeletionJob",
    input_of(run, slot))
  if output then
    entry.arn, entry.status = output.dataDeletionJobArn, "PENDING"
    entry.role_arn, entry.request_id = run.options.roleArn, result.request_id
    entry.history = { { status = "PENDING", time = receipts.time(core.now()) } }
    return true
  elseif result.code == "ResourceAlreadyExistsException" then
    local job = await_listed(run, slot)
    if not job then
      lists.fail(result, "job %s (no list shows it yet: run the same call again)",
        entry.job_name)
    end
    adopt(run, slot, job.dataDeletionJobArn)
    return slot.entry == entry or create(run, slot)
  end
  entry.status = result.unclear and "UNKNOWN" or entry.status
  run.held_by = result
  if PASSING[result.code] or run.has_waited and result.retryable then
    return false
  end
  lists.fail(result, "job %s", entry.job_name)
end

-- ---- all of them -----------------------------------------------------------

local OPEN = { NOT_STARTED = true, UNKNOWN = true }

-- Creates what can be created now; a group that has to wait is not asked
-- again in this round.
local function create_all(run)
  local held = {}
  for _, slot in ipairs(run.slots) do
    if OPEN[slot.entry.status] and not held[slot.group] then
      held[slot.group] = not create(run, slot)
      settle(run)
    end
  end
end

-- Looks at every job that is not over. Answers whether anything has changed.
local function refresh(run)
  local has_changed = false
  for _, slot in ipairs(run.slots) do
    local entry = slot.entry
    local before = entry.status
    if entry.arn and before ~= "COMPLETED" and before ~= "FAILED" then
      local output, e = call(run, "DescribeDataDeletionJob",
        { dataDeletionJobArn = entry.arn })
      if output then
        receipts.observe(entry, output.dataDeletionJob or {})
      elseif not e.retryable then
        lists.fail(e, "job %s", entry.job_name)
      end
      has_changed = has_changed or entry.status ~= before
    end
  end
  settle(run)
  return has_changed
end

local function time_out(run)
  local held = run.held_by
  Error.raise { code = "WaitTimeoutError", kind = "client", message =
    ("%d of %d jobs were not over within max_wait, %g seconds%s. The same " ..
      "call goes on where this one ended"):format(#run.slots - run.done,
      #run.slots, run.options.max_wait or DAY, held and
      (" (the last refusal was %s)"):format(held.code) or ""),
    cause = held }
end

local function delays(run)
  return pace.delays(run.options.poll, run.options.poll)
end

-- Until every job is over; creates those that the quota held back.
local function wait(run)
  local next_delay = delays(run)
  refresh(run)
  while run.done < #run.slots do
    tell_jobs(run, "wait")
    local left = run.deadline - core.monotonic()
    if left <= 0 then
      time_out(run)
    end
    rest(run, math.min(next_delay(), left))
    run.has_waited = true
    if refresh(run) then
      next_delay = delays(run)
    end
    create_all(run)
  end
  tell_jobs(run, "wait")
end

-- Removes the lists; only once nothing needs them any more.
local function clean_up(run)
  for number, part in ipairs(run.parts) do
    tell_jobs(run, "cleanup", number)
    local removed, failure = run.bucket:remove(run.keys[number],
      { version_id = part.version_id })
    if not removed then
      lists.fail(failure, "removing part %d of %d, %s", number, #run.parts,
        part.location)
    end
    part.removed_at = receipts.time(core.now())
  end
end

local function failed(run)
  local texts, count = {}, 0
  for _, slot in ipairs(run.slots) do
    local entry = slot.entry
    if entry.status == "FAILED" then
      count = count + 1
      texts[#texts + 1] = ("%s: %s"):format(entry.job_name,
        entry.failure_reason or "no reason given")
    end
  end
  if count > 0 then
    Error.raise { code = "DataDeletionJobFailed", kind = "client", message =
      ("%d of %d jobs FAILED: %s"):format(count, #run.slots,
        table.concat(texts, "; ", 1, math.min(count, 5))) }
  end
end

local function work(run)
  lists.read(run)
  make_slots(run)
  lists.open_bucket(run)
  if run.options.dry_run then
    run.receipt.status = "DRY_RUN"
    return
  end
  look(run)
  create_all(run)
  if run.options.wait == false then
    refresh(run)
  else
    wait(run)
  end
  failed(run)
  if run.options.cleanup and run.done == #run.slots then
    clean_up(run)
  end
end

local function new_receipt(options, settings, groups)
  return { version = 1, name = options.name, ticket = options.ticket,
    requester = options.requester, region = settings.region,
    bucket = options.bucket, prefix = plan.prefix(options),
    role_arn = options.roleArn, dataset_group_arns = groups,
    format = options.users ~= nil and "ids" or options.format or "csv",
    column = options.column, unique = options.unique or false,
    part_size = options.part_size or users.PART_SIZE, status = "IN_PROGRESS",
    started = receipts.time(core.now()), parts = {}, jobs = {},
    remaining = {} }
end

---@class personalize.DeleteUsersOptions: personalize.Users
---@field name string 1-46 letters, digits, - and _: with the list it is what a
--- later call goes on with
---@field bucket string where the list goes
---@field prefix? string folder in it
---@field expected_bucket_owner? string account: another's bucket is refused
---@field datasetGroupArn string|string[]
---@field roleArn string the IAM role by which Personalize reads the list
---@field tags? personalize.Tag[]|table<string, string> of the jobs
---@field ticket? string your request's number, for the receipt
---@field requester? string who asked, for the receipt
---@field wait? boolean default true; false returns as soon as what the quota
--- admits is created
---@field max_wait? number seconds for all of it, default 86400
---@field poll? number seconds between looks; default 5, growing to 120
---@field dry_run? boolean default false; true does all but sending
---@field cleanup? boolean default false; true removes the uploaded lists, with
--- every version, once all jobs are COMPLETED
---@field on_progress? fun(progress: personalize.Progress) may raise to abort

--- Deletes users: checks the list, cuts it to the quota, uploads it, creates a
--- job for each part and dataset group, waits for them and returns the
--- receipt. A call that died is finished by making it again.
---
--- Errors, each with `receipt`: UserListError (`params` are the faults, by
--- line; or the name was used for another list), DataDeletionJobFailed,
--- WaitTimeoutError, InterruptedError, and those of S3 and of the service.
---@param options personalize.DeleteUsersOptions
---@return personalize.Receipt
function M.delete_users(client, options)
  local settings = Client.settings_of(client)
  plan.check(options, plan.ERASE, "CreateDataDeletionJob")
  options = lists.copy(options)
  local groups = plan.groups(options)
  local run = { client = client, settings = settings, options = options,
    groups = groups, uploaded = {}, sent = 0, done = 0, settle = settle,
    deadline = core.monotonic() + (options.max_wait or DAY),
    receipt = new_receipt(options, settings, groups) }
  lists.guarded(run, work)
  return run.receipt
end

return M
