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
local evidence = require "personalize.evidence"
local lists = require "personalize.lists"
local pace = require "personalize.pace"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"

local M = {}

-- Jobs of a dataset group that may be PENDING, by AWS's quota.
local MAX_PENDING = 5
-- What the service has just made it may not show or describe yet. It is waited
-- for, with these pauses, about so many seconds.
local LAG_PAUSES = { 0.5, 1, 2, 4, 8, 15, 30 }
local LAG = 60

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

-- Adds to a number of a table; one that comes to 0 goes.
local function add(counts, key, number)
  local sum = (counts[key] or 0) + number
  counts[key] = sum ~= 0 and sum or nil
end

-- May a job take one of its group's places for PENDING jobs?
local WAITING = { PENDING = true, UNKNOWN = true }

-- Brings the run's counts up to date with a slot. So that a run of thousands of
-- jobs does not count all of them after each.
local function count(run, slot)
  local was, is = slot.counted, { status = slot.entry.status,
    is_created = slot.entry.arn ~= nil }
  slot.counted = is
  for _, one in ipairs(was and { was, is } or { is }) do
    local number = one == is and 1 or -1
    add(run.statuses, one.status, number)
    add(run.pending, slot.group, WAITING[one.status] and number or 0)
    run.done = run.done + (receipts.ENDED[one.status] and number or 0)
    run.created = run.created + (one.is_created and number or 0)
  end
end

-- Nothing is sent for it so far.
local function new_entry(run, slot, try)
  slot.try = try
  slot.entry = { part = slot.part, dataset_group_arn = slot.group,
    job_name = plan.try_name(slot.base, try), status = "NOT_STARTED",
    history = {} }
  slot.entries[#slot.entries + 1] = slot.entry
  count(run, slot)
end

-- A slot as the receipt that is there tells of it, where one does.
local function new_slot(run, part, group, tries)
  local slot = { part = part, group = group, entries = tries or {},
    base = plan.job_name(run.options.name, group, part) }
  if #slot.entries == 0 then
    new_entry(run, slot, 0)
    return slot
  end
  slot.entry = slot.entries[#slot.entries]
  slot.try = plan.try_of(slot.base, slot.entry.job_name)
  count(run, slot)
  return slot
end

-- Notes what the service says of the job of one of a slot's entries.
local function observe(run, slot, entry, job)
  run.is_news = true
  receipts.observe(entry, job)
  count(run, slot)
end

local function input_of(run, slot)
  local options = run.options
  return { jobName = slot.entry.job_name, datasetGroupArn = slot.group,
    dataSource = { dataLocation = run.parts[slot.part].location },
    roleArn = options.roleArn, tags = options.tags }
end

-- The slots of a run; and all that is wrong with what will be sent, before any
-- of it is.
function M.make(run)
  local tries = run.before and evidence.tries(run.before) or {}
  run.slots, run.slots_of = {}, {}
  run.statuses, run.pending, run.done, run.created = {}, {}, 0, 0
  for number in ipairs(run.parts) do
    for _, group in ipairs(run.groups) do
      local slot = new_slot(run, number, group,
        tries[evidence.key(number, group)])
      run.slots[#run.slots + 1] = slot
      local of = run.slots_of[group] or {}
      run.slots_of[group], of[#of + 1] = of, slot
    end
  end
  local settings = run.settings
  for _, slot in ipairs(run.slots) do
    local attempt, faults = core.attempt(settings.service,
      "CreateDataDeletionJob", input_of(run, slot), core.random(16), 1,
      settings.parameter_validation)
    if not attempt then
      plan.refuse(faults, "CreateDataDeletionJob")
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

-- A job, described. One that the service tells of or has just made it may not
-- know everywhere yet.
local function describe(run, slot, arn)
  local ends = core.monotonic() + LAG
  for i = 1, #LAG_PAUSES + 1 do
    local output, e = M.call(run, "DescribeDataDeletionJob",
      { dataDeletionJobArn = arn })
    if output then
      return output.dataDeletionJob
    end
    local left = math.min(ends, run.deadline) - core.monotonic()
    if e.code ~= "ResourceNotFoundException" or not LAG_PAUSES[i] or
      left <= 0 then
      lists.fail(e, "job %s", slot.entry.job_name)
    end
    lists.rest(run, math.min(LAG_PAUSES[i], left))
  end
end

-- Takes a job that exists, described, as the one of an entry of a slot: it has to
-- be of the slot's dataset group, and its list ours.
local function adopt(run, slot, entry, job)
  local location = (job.dataSource or {}).dataLocation
  if job.datasetGroupArn ~= slot.group then
    taken(slot, "is of another dataset group, %s: names of jobs are unique " ..
      "in an account. Take another name for this list",
      tostring(job.datasetGroupArn))
  elseif location ~= run.parts[slot.part].location then
    other_list(run, slot, tostring(location))
  end
  slot.known_at = core.monotonic()
  observe(run, slot, entry, job)
  -- One that failed before this run is tried again: under another name, since
  -- its own is taken.
  if slot.entry == entry and entry.status == "FAILED" then
    new_entry(run, slot, slot.try + 1)
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

-- Takes the job that the receipt tells of, though no list shows it. False where
-- the service does not know it.
local function adopt_known(run, slot, entry)
  local output, e = M.call(run, "DescribeDataDeletionJob",
    { dataDeletionJobArn = entry.arn })
  if output then
    adopt(run, slot, entry, output.dataDeletionJob)
  elseif e.code ~= "ResourceNotFoundException" then
    lists.fail(e, "job %s", entry.job_name)
  end
  return output ~= nil
end

local OPEN = { NOT_STARTED = true, UNKNOWN = true }

-- What there is of one slot: its tries, one by one. What the receipt tells of a
-- job counts only once the service has confirmed it: else it is done again.
local function look_at(run, slot, found)
  local i = 0
  while i < #slot.entries do
    i = i + 1
    local entry, after = slot.entries[i], slot.entries[i + 1]
    local job = found[entry.job_name]
    local is_it = job and (entry.arn or job.dataDeletionJobArn) ==
      job.dataDeletionJobArn
    local is_replaced = after and after.job_name == entry.job_name
    if is_it and not is_replaced then
      adopt(run, slot, entry, describe(run, slot, job.dataDeletionJobArn))
    elseif not after and not is_it and (entry.arn or not OPEN[entry.status])
      and (job or not entry.arn or not adopt_known(run, slot, entry)) then
      new_entry(run, slot, slot.try)
    end
  end
end

-- What earlier runs left.
function M.look(run)
  lists.tell_jobs(run, "create")
  for _, group in ipairs(run.groups) do
    local found = M.listed(run, group)
    for _, slot in ipairs(run.slots_of[group]) do
      look_at(run, slot, found)
    end
  end
end

-- Looks at the job of a slot, unless it is over.
function M.refresh(run, slot)
  local entry = slot.entry
  if not entry.arn or receipts.ENDED[entry.status] then
    return
  end
  local output, e = M.call(run, "DescribeDataDeletionJob",
    { dataDeletionJobArn = entry.arn })
  if output then
    observe(run, slot, entry, output.dataDeletionJob or {})
  elseif not pace.is_passing(e, true) and not (
    e.code == "ResourceNotFoundException" and
    core.monotonic() - slot.known_at < LAG) then
    lists.fail(e, "job %s", entry.job_name)
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

-- The entry of a job that exists: the one before the last, where that tells of
-- the same job, which the service seemed not to know.
local function known_entry(slot, arn)
  local last, before = slot.entry, slot.entries[#slot.entries - 1]
  if before and before.job_name == last.job_name and before.arn == arn then
    slot.entries[#slot.entries] = nil
    slot.entry = before
  end
  return slot.entry
end

-- Takes the job whose name is taken, or may be. False where no list shows it, as
-- long as lists may lag.
function M.find(run, slot)
  local job = await_listed(run, slot)
  if job then
    adopt(run, slot, known_entry(slot, job.dataDeletionJobArn),
      describe(run, slot, job.dataDeletionJobArn))
  end
  return job ~= nil
end

-- Creates a slot's job. False where it has to wait.
function M.create(run, slot)
  local entry = slot.entry
  local before = entry.status
  if (run.pending[slot.group] or 0) >= (run.options.max_pending or MAX_PENDING)
    and before ~= "UNKNOWN" then
    return false
  end
  local ok, failure = run.supply(run, slot.part)
  if not ok then
    return hold(run, failure)
  end
  lists.tell_jobs(run, "create", slot.part)
  local was_news = run.is_news
  -- Until it is answered; whatever is raised meanwhile.
  entry.status, run.is_news = "UNKNOWN", true
  lists.record(run)
  local output, result = M.call(run, "CreateDataDeletionJob",
    input_of(run, slot))
  run.has_sent = run.has_sent or (result.attempts or 0) > 0
  if output then
    slot.known_at = core.monotonic()
    entry.arn, entry.status = output.dataDeletionJobArn, "PENDING"
    entry.role_arn, entry.request_id = run.options.roleArn, result.request_id
    entry.history = { { status = "PENDING", time = lists.time(run) } }
    run.held_by = nil
    count(run, slot)
    lists.record(run)
    return true
  end
  entry.status = result.unclear and "UNKNOWN" or before
  run.is_news = was_news or result.unclear
  count(run, slot)
  if result.code == "ResourceAlreadyExistsException" then
    if not M.find(run, slot) then
      lists.fail(result, "job %s (no list shows it yet: run the same call again)",
        entry.job_name)
    end
    return slot.entry.status ~= "NOT_STARTED" or M.create(run, slot)
  end
  lists.about(result, "job %s", entry.job_name)
  return hold(run, result)
end

return M
