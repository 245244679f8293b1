--- From a list of users to a receipt: check, cut, upload, create, wait.
-- Knows the order of these and what a run that died has left behind; so the
-- same call, made again, finishes what it began and does nothing twice.
-- Refuses to know how a list is read, a job is found or made, or a receipt
-- written.

local Client = require "personalize.client"
local Error = require "personalize.error"
local account = require "personalize.preflight.account"
local call = require "personalize.call"
local core = require "personalize.core"
local due = require "personalize.due"
local evidence = require "personalize.evidence"
local groups = require "personalize.groups"
local lists = require "personalize.lists"
local pace = require "personalize.pace"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"
local slots = require "personalize.slots"
local users = require "personalize.users"
local version = require "personalize.version"

local M = {}

local DAY = 24 * 3600

--- Brings the receipt of a run up to date.
function M.settle(run, is_over)
  local receipt, jobs = run.receipt, {}
  for _, slot in ipairs(run.slots or {}) do
    for _, entry in ipairs(slot.entries) do
      jobs[#jobs + 1] = entry
    end
  end
  receipt.jobs = jobs
  receipt.started = receipts.earlier(run.before and run.before.started,
    lists.time(run, run.began))
  receipts.settle(receipt, { is_over = is_over, is_news = run.is_news,
    is_put_begun = run.is_put_begun, has_sent = run.has_sent,
    lost = run.lost })
end

local OPEN = { NOT_STARTED = true, UNKNOWN = true }

--- Is a job of this slot still to be created, and is its part to be had?
function M.is_open(run, slot)
  return OPEN[slot.entry.status] and not run.lost[slot.part]
end

-- How many jobs are not over, and may come to be.
local function outstanding(run)
  local count = #run.slots - run.done
  for _, slot in ipairs(run.slots) do
    count = count - (OPEN[slot.entry.status] and run.lost[slot.part] and 1 or 0)
  end
  return count
end

-- Creates a slot's job. A dataset group that has to wait is not asked again in
-- this round: it is in `held` then.
local function create(run, slot, held)
  if M.is_open(run, slot) and not held[slot.group] then
    held[slot.group] = not slots.create(run, slot)
    lists.tell_jobs(run, "create", slot.part)
  end
end

local function create_all(run, held)
  for _, slot in ipairs(run.slots) do
    create(run, slot, held)
  end
end

-- Begins with one job, since its create tells whether role and dataset group are
-- right. Then all parts are uploaded, also those whose jobs have to wait: from
-- then on the list is needed no more, and `follow` can go on without it.
local function begin(run)
  local held
  for _, slot in ipairs(run.slots) do
    if M.is_open(run, slot) then
      local ok, failure = run.supply(run, slot.part)
      if not ok then
        Error.raise(failure)
      elseif not held then
        held = {}
        create(run, slot, held)
      end
    end
  end
  create_all(run, held or {})
end

-- Looks at every job that is not over. Answers whether anything has changed.
local function refresh(run)
  local has_changed = false
  for _, slot in ipairs(run.slots) do
    local before = slot.entry.status
    slots.refresh(run, slot)
    has_changed = has_changed or slot.entry.status ~= before
  end
  return has_changed
end

local function time_out(run)
  local held = run.held_by
  Error.raise { code = "WaitTimeoutError", kind = "client", message =
    ("%d of %s were not over within max_wait, %g s%s. The same call goes " ..
      "on where this one ended"):format(outstanding(run),
      Error.plural(#run.slots, "job"), run.options.max_wait or DAY, held and
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
  lists.record(run)
  while outstanding(run) > 0 do
    lists.tell_jobs(run, "wait")
    local left = run.deadline - core.monotonic()
    if left <= 0 then
      time_out(run)
    end
    local delay = math.min(next_delay(), left)
    call.tell(run.settings, { name = "wait", delay = delay,
      operation = "DescribeDataDeletionJob" })
    lists.rest(run, delay)
    run.has_waited = true
    if refresh(run) then
      next_delay = delays(run)
      lists.record(run)
    end
    create_all(run, {})
  end
  lists.tell_jobs(run, "wait")
end

-- Does a job of another call, which has the same name and list and other dataset
-- groups, still need the lists?
local function is_needed(run)
  for _, job in pairs(slots.listed(run)) do
    if job.status ~= "COMPLETED" and job.status ~= "FAILED" then
      return true
    end
  end
  return false
end

-- Removes the lists; only once nothing needs them any more.
local function clean_up(run)
  if is_needed(run) then
    return -- the receipt tells to remove them
  end
  for number, part in ipairs(run.parts) do
    lists.tell_jobs(run, "cleanup", number)
    local removed, failure = run.bucket:remove(run.keys[number],
      { version_id = part.version_id })
    if not removed then
      lists.fail(failure, "removing part %d of %d, %s", number, #run.parts,
        part.location)
    end
    -- Where versions may not be listed, who knows what is left. What an earlier
    -- run removed is gone since then.
    local is_gone = removed.removed == 0 and part.removed_at
    part.removed_at = is_gone or not removed.is_partial and lists.time(run) or
      nil
    run.is_news = true
    lists.record(run)
  end
end

local function failed(run)
  local texts, count = {}, 0
  for _, slot in ipairs(run.slots) do
    local entry = slot.entry
    if entry.status == "FAILED" then
      count = count + 1
      texts[#texts + 1] = ("%s: %s"):format(entry.job_name,
        call.shown(run.settings, entry.failure_reason or "no reason given"))
    end
  end
  if count > 0 then
    Error.raise { code = "DataDeletionJobFailed", kind = "client", message =
      ("%d of %s FAILED: %s"):format(count, Error.plural(#run.slots, "job"),
        table.concat(texts, "; ", 1, math.min(count, 5))) }
  end
end

-- What the receipt that is there tells of this run is kept: it is of the same
-- list, or of nothing that was done.
local function take_over(run)
  local before, receipt = run.before, run.receipt
  if not before then
    return
  end
  local why = evidence.difference(before, receipt)
  if why then
    plan.refuse({ { path = "receipt", code = "mismatch", message = why } },
      "CreateDataDeletionJob")
  end
  run.before = evidence.carry(before, receipt)
end

--- Does what is left of a run, once it was looked for what there is: creates the
-- jobs, waits for them, removes the lists. `run.supply(run, part)` puts a part
-- where its jobs will find it, or answers nil and an error's fields.
function M.go_on(run)
  begin(run)
  -- Who only looks does not take the place of who sent.
  if not run.is_noted and (run.has_sent or not run.receipt.caller) then
    account.note(run.client, run.settings, run.receipt)
  end
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

-- Is there a job to be created?
local function has_open(run)
  for _, slot in ipairs(run.slots) do
    if M.is_open(run, slot) then
      return true
    end
  end
  return false
end

-- Looks whether now is a good time, while nothing is sent yet. Raises where
-- something stands in the way.
local function look_ahead(run)
  local preflight = require "personalize.preflight" -- which most runs do without
  local look = preflight.run({ client = run.client, settings = run.settings,
    options = run.options, groups = run.groups, parts = run.parts,
    keys = run.keys, is_looked = true, receipt = run.receipt }, run.summaries)
  local found, receipt = look.findings, run.receipt
  receipt.caller = look.caller
  receipt.other_groups = look.other_groups
  receipt.preflight = { time = lists.time(run), findings = found.list }
  run.is_noted = true
  lists.tell(run, "preflight", { requests = look.reader.requests,
    findings = found.list })
  if found.blockers > 0 then
    Error.raise { code = "PreflightError", kind = "client",
      findings = found.list, message = ("%s: %s"):format(Error.plural(
      found.blockers, "blocker"), found:blocked()) }
  end
end

local function work(run)
  lists.read(run)
  take_over(run)
  slots.make(run)
  lists.open_bucket(run)
  if run.options.dry_run then
    return
  end
  slots.look(run)
  if run.options.preflight and has_open(run) then
    look_ahead(run)
  end
  M.go_on(run)
end

-- The receipt that is there, where the caller has one; checked before anything
-- is read.
local function given_receipt(options)
  if options.receipt == nil then
    return nil
  end
  local before, why = evidence.read(options.receipt)
  why = why or evidence.difference(before, options)
  if why then
    plan.refuse({ { path = "receipt", code = before and "mismatch" or "type",
      message = why } }, "CreateDataDeletionJob")
  end
  return before
end

-- A copy of the options, in which dataset groups are named; and what is known of
-- all that there are, where that was asked.
local function with_groups(client, options, settings)
  if not options.all_dataset_groups then
    return lists.copy(options)
  end
  local summaries = groups.list(client)
  local named = plan.with_groups(options, groups.choose(summaries,
    plan.exceptions(options), "CreateDataDeletionJob"))
  plan.check(named, plan.ERASE, "CreateDataDeletionJob", settings)
  return named, summaries
end

local function new_receipt(options, settings, arns)
  local received, ends = due.of(options.received, options.due)
  return { version = 1, name = options.name, ticket = options.ticket,
    requester = options.requester, received = received, due = ends,
    tool = "personalize-lua/" .. version, region = settings.region,
    bucket = options.bucket, prefix = plan.prefix(options),
    role_arn = options.roleArn, dataset_group_arns = arns,
    format = options.users ~= nil and "ids" or options.format or "csv",
    column = options.column, delimiter = options.delimiter,
    unique = options.unique or false,
    part_size = options.part_size or users.PART_SIZE,
    status = options.dry_run and "DRY_RUN" or "IN_PROGRESS",
    parts = {}, jobs = {}, remaining = {} }
end

---@class personalize.DeleteUsersOptions: personalize.Users
---@field name string 1-46 letters, digits, - and _: with the list it is what a
--- later call goes on with
---@field bucket string where the list goes
---@field prefix? string folder in it
---@field expected_bucket_owner? string account: another's bucket is refused
---@field datasetGroupArn? string|string[] needed but with all_dataset_groups
---@field all_dataset_groups? boolean default false; true takes every dataset group
--- of the account and region that is ACTIVE
---@field except? string|string[] those of them that are not taken
---@field roleArn string the IAM role by which Personalize reads the list
---@field tags? personalize.Tag[]|table<string, string> of the jobs
---@field ticket? string your request's number, for the receipt
---@field requester? string who asked, for the receipt
---@field received? string when they asked, for the receipt: "2026-11-24", or a time
---@field due? string until when it has to be done; 30 days after `received`
---@field wait? boolean default true; false returns as soon as what the quota
--- admits is created
---@field max_wait? number seconds for all of it, default 86400
---@field max_pending? integer jobs of a dataset group that may be PENDING at a
--- time, default 5, AWS's quota; fewer leave room for others, more are for an
--- account whose quota AWS has raised
---@field receipt? personalize.Receipt|string the receipt of this run that is
--- there already, or its JSON: what only the run before could see (request ids,
--- versions of objects, times) is carried over into the new one
---@field poll? number seconds between looks; default 5, growing to 120
---@field dry_run? boolean default false; true does all but sending
---@field preflight? boolean default false; true looks first (see
--- `Client.preflight`), and sends nothing where there is a blocker
---@field strict? boolean of a preflight: looks at every version of every solution,
--- for accounts in which older ones may still be trained; default false
---@field simulate? boolean of a preflight: asks IAM, too, what the role's policies
--- allow (iam:SimulatePrincipalPolicy); default false
---@field allow_other_region? boolean of a preflight: a bucket in another region is
--- only a warning, for who has seen jobs read lists from it; default false
---@field cleanup? boolean default false; true removes the uploaded lists, with
--- every version, once all jobs are COMPLETED
---@field on_progress? fun(progress: personalize.Progress) may raise to abort
---@field on_receipt? fun(receipt: personalize.Receipt) is given the receipt of what
--- was done so far: before the first upload and after every step of the run (of
--- many steps in short time, not each). Whoever keeps it loses nothing when the
--- process is killed. The last receipt is the one returned, or in the error. It may
--- raise to abort

--- Deletes users: checks the list, cuts it to the quota, uploads it, creates a
--- job for each part and dataset group, waits for them and returns the
--- receipt. A call that died is finished by making it again.
---
--- Errors, each with `receipt`: UserListError (`params` are the faults, by
--- line; or the name was used for another list), ParamValidationError (also
--- where `receipt` is none, or another run's), PreflightError (`findings`),
--- DataDeletionJobFailed, WaitTimeoutError, InterruptedError, and those of S3
--- and of the service.
---@param options personalize.DeleteUsersOptions
---@return personalize.Receipt
function M.delete_users(client, options)
  plan.check(options, plan.ERASE, "CreateDataDeletionJob",
    Client.given(client))
  local settings = Client.settings_of(client, "CreateDataDeletionJob")
  -- The region may have been known to nobody before.
  plan.check(options, plan.ERASE, "CreateDataDeletionJob", settings)
  local began = core.monotonic()
  local summaries
  options, summaries = with_groups(client, options, settings)
  local arns = plan.groups(options)
  local run = { client = client, settings = settings, options = options,
    groups = arns, summaries = summaries, before = given_receipt(options),
    uploaded = {}, sent = 0, lost = {}, settle = M.settle, supply = lists.put,
    began = began, deadline = began + (options.max_wait or DAY),
    receipt = new_receipt(options, settings, arns) }
  lists.guarded(run, work)
  return run.receipt
end

return M
