--- A slot: one part of a list for one dataset group, and the jobs that were
-- tried for it.
-- Knows what a job that exists says about a slot, and how a new one is made.
-- Refuses to know when, and what becomes of it.
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

local M = {}

-- Jobs of a dataset group that may be PENDING, by AWS's quota.
local PENDING_MOST = 5
-- A name that is taken, and no list that shows its job: lists may lag.
local LAG_PAUSES = { 0.5, 1, 2, 4, 8, 15, 30 }

-- A call of the service: its output and meta, or nil and the error.
function M.call(run, operation, input)
  local ok, output, meta = pcall(Client.call, run.client, operation, input)
  if ok then
    return output, meta
  elseif Error.is_error(output) then
    return nil, output
  end
  error(output, 0)
end

-- Whether a slot has a job is not known before somebody has looked.
local function new_entry(slot, try, status)
  slot.try = try
  slot.entry = { part = slot.part, dataset_group_arn = slot.group,
    job_name = plan.try_name(slot.base, try), status = status,
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
function M.make(run)
  run.slots = {}
  for number in ipairs(run.parts) do
    for _, group in ipairs(run.groups) do
      local slot = { part = number, group = group, entries = {},
        base = plan.job_name(run.options.name, group, number) }
      new_entry(slot, 0, "UNKNOWN")
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

-- A name that is taken: by what, and what to do about it.
local function taken(slot, why, ...)
  Error.raise { code = "UserListError", kind = "client",
    operation = "CreateDataDeletionJob", message = ("the job %s %s"):format(
      slot.entry.job_name, why:format(...)) }
end

local function other_list(run, slot, there)
  local here = run.parts[slot.part].location
  if there:match "[^/]*$" == here:match "[^/]*$" then
    taken(slot, "deletes the same list, but from another bucket or prefix, " ..
      "%s: not %s. Give those, or another name", there, here)
  end
  taken(slot, "exists and deletes another list, %s: not %s. Under the name " ..
    "%s another list was sent before, or this one in another order, or with " ..
    "another part_size, unique or column. Take another name for another list",
    there, here, run.options.name)
end

-- Says of slots that have no job so that it is known: those of a dataset
-- group, or all.
function M.begin(run, group)
  for _, slot in ipairs(run.slots) do
    if slot.entry.status == "UNKNOWN" and (not group or slot.group == group)
    then
      slot.entry.status = "NOT_STARTED"
    end
  end
end

-- Takes a job that exists as the one of this slot: it has to be of the slot's
-- dataset group, and its list ours.
local function adopt(run, slot, arn)
  local output, e = M.call(run, "DescribeDataDeletionJob",
    { dataDeletionJobArn = arn })
  if not output then
    lists.fail(e, "job %s", slot.entry.job_name)
  end
  local job = output.dataDeletionJob or {}
  local location = (job.dataSource or {}).dataLocation
  if job.datasetGroupArn ~= slot.group then
    taken(slot, "is of another dataset group, %s: names of jobs are unique " ..
      "in an account. Take another name for this list",
      tostring(job.datasetGroupArn))
  elseif location ~= run.parts[slot.part].location then
    other_list(run, slot, tostring(location))
  end
  receipts.observe(slot.entry, job)
  -- One that failed before this run is tried again: under another name, since
  -- its own is taken.
  if slot.entry.status == "FAILED" then
    new_entry(slot, slot.try + 1, "NOT_STARTED")
  end
end

-- The dataset group's jobs by name, or all of the account's, as far as a call
-- with our name made them.
function M.listed(run, group)
  local found, name = {}, run.options.name
  for job in run.client:data_deletion_jobs { datasetGroupArn = group,
    maxResults = 100 } do
    local of = job.jobName or ""
    if of:sub(1, #name) == name and not found[of] and
      of:find("^%-%x%x%x%x%x%x%-%d%d%d%d", #name + 1) then
      found[of] = job
    end
  end
  return found
end

-- What earlier runs left: for each slot the tries that exist, one by one.
function M.look(run)
  lists.tell_jobs(run, "create")
  for _, group in ipairs(run.groups) do
    local found = M.listed(run, group)
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
    M.begin(run, group)
  end
end

-- The job whose name is taken, once a list shows it; nil where none does.
local function await_listed(run, slot)
  local name = slot.entry.job_name
  for _, seconds in ipairs(LAG_PAUSES) do
    local job = M.listed(run, slot.group)[name]
    if job then
      return job
    end
    local left = run.deadline - core.monotonic()
    if left <= 0 then
      break
    end
    lists.rest(run, math.min(seconds, left))
  end
  return M.listed(run, slot.group)[name] or M.listed(run, nil)[name]
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

-- False where a refusal is to be waited out; else raises it. Before there was
-- any need to wait, whoever began the run is there to be told.
local function hold(run, failure)
  run.held_by = failure
  if PASSING[failure.code] or
    run.has_waited and pace.is_passing(failure, true) then
    return false
  end
  Error.raise(failure)
end

-- Creates a slot's job. False where it has to wait.
function M.create(run, slot)
  local entry = slot.entry
  if pending(run, slot.group) >= PENDING_MOST and entry.status ~= "UNKNOWN"
  then
    return false
  end
  local ok, failure = lists.put(run, slot.part)
  if not ok then
    return hold(run, failure)
  end
  lists.tell_jobs(run, "create", slot.part)
  local output, result = M.call(run, "CreateDataDeletionJob",
    input_of(run, slot))
  if output then
    entry.arn, entry.status = output.dataDeletionJobArn, "PENDING"
    entry.role_arn, entry.request_id = run.options.roleArn, result.request_id
    entry.history = { { status = "PENDING", time = receipts.time(core.now()) } }
    run.held_by = nil
    return true
  elseif result.code == "ResourceAlreadyExistsException" then
    local job = await_listed(run, slot)
    if not job then
      lists.fail(result, "job %s (no list shows it yet: run the same call again)",
        entry.job_name)
    end
    adopt(run, slot, job.dataDeletionJobArn)
    return slot.entry == entry or M.create(run, slot)
  end
  entry.status = result.unclear and "UNKNOWN" or entry.status
  lists.about(result, "job %s", entry.job_name)
  return hold(run, result)
end

return M
