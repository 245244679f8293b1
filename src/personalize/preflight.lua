--- Is now a good time, and will it work? A look at all that decides whether a
-- deletion counts, before it begins; it changes nothing.
-- Knows what is looked at and in which order; refuses to know how each is judged.

local Client = require "personalize.client"
local Error = require "personalize.error"
local account = require "personalize.preflight.account"
local activity = require "personalize.preflight.activity"
local bucket = require "personalize.preflight.bucket"
local findings = require "personalize.preflight.findings"
local groups = require "personalize.groups"
local inventory = require "personalize.preflight.inventory"
local lists = require "personalize.lists"
local names = require "personalize.names"
local plan = require "personalize.plan"
local readers = require "personalize.preflight.reader"
local role = require "personalize.preflight.role"
local running = require "personalize.preflight.running"
local sts = require "personalize.sts"

local M = {}

-- AWS's quotas: bytes of the lists of a job, and PENDING jobs of a dataset group.
local LIST_MOST = 100 * 1000 * 1000
local PENDING_MOST = 5

---@class personalize.Look
---@field client personalize.Client
---@field settings table
---@field options table
---@field groups string[] ARNs
---@field parts? personalize.ReceiptPart[] of the list, where it is known
---@field keys? string[]
---@field receipt? table that is told of, with the progress
---@field is_looked? boolean the jobs of the run's name are known already
---@field reader personalize.Reader
---@field findings personalize.Findings
---@field caller? personalize.Caller
---@field other_groups? personalize.OtherGroup[]
---@field active table<string, true> groups that were seen to be ACTIVE

local function named(arn)
  return arn:match "[^/]*$"
end

-- ---- offline -----------------------------------------------------------------

-- What a client that checks its input would have refused.
local function look_at_arns(look)
  if look.settings.parameter_validation ~= false then
    return
  end
  for _, fault in ipairs(plan.mismatches(look.options,
    look.settings.region)) do
    look.findings:add("account_mismatch", { subject = fault.path,
      message = ("%s %s"):format(fault.path, fault.message) })
  end
end

local function look_at_list(look)
  for _, part in ipairs(look.parts or {}) do
    if part.bytes > LIST_MOST then
      look.findings:add("list_too_large", { subject = part.location,
        message = ("Part %d of the list has %.0f bytes"):format(part.part,
        part.bytes) })
    end
  end
end

-- ---- Amazon Personalize --------------------------------------------------------

-- 1
local function look_at_caller(look)
  local caller, result = sts.caller(look.settings)
  look.reader:count(result)
  if not caller then
    look.reader:fail(result, "who the caller is", {
      action = "sts:GetCallerIdentity" })
    return
  end
  look.caller = account.shown(caller)
  local group = names.group(look.groups[1])
  if group and group.account ~= caller.account then
    look.findings:add("account_mismatch", { subject = look.caller.arn,
      message = ("The credentials are of the account %s, the dataset group " ..
      "is of %s"):format(caller.account, group.account) })
  end
end

-- 2. False where there is nothing more to ask about the group.
local function look_at_group(look, arn)
  local more = { subject = arn, dataset_group_arn = arn }
  local output, failure = look.reader:describe("DescribeDatasetGroup",
    { datasetGroupArn = arn }, "the dataset group " .. named(arn), more)
  if failure then
    more.message = ("There is no dataset group %s in this account and " ..
      "region"):format(named(arn))
    look.findings:add("group_missing", more)
    return false
  elseif not output then
    return true
  end
  local group = output.datasetGroup
  if group.status ~= "ACTIVE" then
    more.status = group.status
    more.message = ("The dataset group %s is %s%s"):format(named(arn),
      group.status or "without a status", group.failureReason and ": " ..
      group.failureReason or "")
    look.findings:add("group_not_active", more)
    return false
  end
  look.active[arn] = true
  if group.kmsKeyArn then
    more.message = ("The dataset group %s is encrypted with %s"):format(
      named(arn), group.kmsKeyArn)
    look.findings:add("group_has_key", more)
  end
  return true
end

-- Is it a job that a call with our name made?
local function is_ours(look, job)
  local name = look.options.name
  local of = type(job.jobName) == "string" and job.jobName or ""
  return name ~= nil and of:sub(1, #name) == name and
    of:find("^%-%x%x%x%x%x%x%-%d%d%d%d", #name + 1) ~= nil
end

-- A job of ours that is there already: is it over the same list?
local function look_at_name(look, arn, ours)
  local part = look.parts and look.parts[1]
  local base = part and plan.job_name(look.options.name, arn, part.part)
  local job = base and ours[base]
  if not part then
    local _, any = next(ours)
    look.findings:add("name_used", { subject = any.dataDeletionJobArn,
      dataset_group_arn = arn, status = any.status, message = ("There are " ..
      "jobs of the name %s already: %s"):format(look.options.name,
      any.jobName) })
    return
  elseif not job or not job.dataDeletionJobArn then
    return
  end
  local output = look.reader:describe("DescribeDataDeletionJob",
    { dataDeletionJobArn = job.dataDeletionJobArn }, "the job " ..
    job.jobName, { subject = job.dataDeletionJobArn, dataset_group_arn = arn })
  local there = output and (output.dataDeletionJob.dataSource or {}).dataLocation
  if output and there ~= part.location then
    look.findings:add("name_taken", { subject = job.dataDeletionJobArn,
      dataset_group_arn = arn, message = ("The job %s is over another list, " ..
      "%s"):format(job.jobName, tostring(there)) })
  end
end

-- 3
local function look_at_jobs(look, arn)
  local jobs = look.reader:list("ListDataDeletionJobs", "dataDeletionJobs",
    { datasetGroupArn = arn }, "the data deletion jobs",
    { dataset_group_arn = arn })
  local pending, ours = 0, {}
  for _, job in ipairs(jobs or {}) do
    if is_ours(look, job) then
      ours[job.jobName] = job
    elseif activity.is_running(job.status) then
      pending = pending + (job.status == "PENDING" and 1 or 0)
      look.findings:add("deletion_running", { subject = job.dataDeletionJobArn,
        dataset_group_arn = arn, status = job.status,
        message = ("The data deletion job %s is %s"):format(job.jobName or "",
        activity.words(job.status)) })
    end
  end
  if pending >= (look.options.max_pending or PENDING_MOST) then
    look.findings:add("pending_quota", { subject = arn,
      dataset_group_arn = arn, message = ("%d data deletion jobs are PENDING " ..
      "in the dataset group %s"):format(pending, named(arn)) })
  end
  if next(ours) and not look.is_looked then
    look_at_name(look, arn, ours)
  end
end

-- Tells how far the look is; what that raises ends it.
local function tell(look)
  lists.tell(look, "preflight", { requests = look.reader.requests })
end

-- 2 to 8: what is the account's is read once.
local function look_at_groups(look)
  local options, found = look.options, {}
  for _, arn in ipairs(look.groups) do
    tell(look)
    if look_at_group(look, arn) then
      local group = inventory.new(arn)
      found[#found + 1] = group
      look_at_jobs(look, arn)
      inventory.read_datasets(look.reader, group)
      inventory.read_solutions(look.reader, group, { describe = true,
        all = options.strict })
    end
  end
  if #found > 0 then
    inventory.read_batches(look.reader, found, options.strict)
  end
  for _, group in ipairs(found) do
    tell(look)
    inventory.read_recommenders(look.reader, group)
    inventory.read_trackers(look.reader, group)
    running.judge(look.findings, group)
  end
end

local function look_at_others(look, summaries)
  summaries = summaries or look.reader:list("ListDatasetGroups",
    "datasetGroups", {}, "the account's other dataset groups")
  if not summaries then
    return
  end
  look.other_groups = groups.others(summaries, look.groups)
  local forgotten, count = groups.forgotten(look.other_groups)
  if forgotten then
    look.findings:add("other_groups", { message = ("%s of this account and " ..
      "region %s ACTIVE and not named: %s"):format(Error.plural(count,
      "dataset group"), count == 1 and "is" or "are", forgotten) })
  end
end

-- ---- S3 and IAM --------------------------------------------------------------------

-- A key that a list has, or could have.
local function key_of(look)
  local options = look.options
  return look.keys and look.keys[1] or
    options.location and options.location:match "^s3://[^/]+/(.+)$" or
    plan.key({ prefix = options.prefix, name = options.name or "list" }, 1, 1,
      ("0"):rep(64))
end

local function look_at_bucket(look, group, its_role)
  local options = look.options
  bucket.judge { reader = look.reader, settings = look.settings,
    bucket = options.bucket or options.location:match "^s3://([^/]*)",
    owner = options.expected_bucket_owner, key = key_of(look),
    location = options.location, role = its_role, role_arn = options.roleArn,
    group = group, caller = look.caller,
    is_elsewhere_allowed = options.allow_other_region }
end

local function look_at_role(look, group, its_role)
  local options = look.options
  local caller = look.caller
  if caller and caller.account ~= its_role.account then
    return -- which is told; and IAM would look in the other account
  end
  role.judge { reader = look.reader, settings = look.settings, role = its_role,
    role_arn = options.roleArn, group = group, key = key_of(look),
    bucket = options.bucket or options.location:match "^s3://([^/]*)",
    is_account_known = caller ~= nil or next(look.active) ~= nil,
    simulate = options.simulate }
end

--- Looks.
---@param look personalize.Look client, settings, options, groups; parts, keys and
--- is_looked where they are known
---@param summaries? table[] of the account's dataset groups, where they are known
---@return personalize.Look
function M.run(look, summaries)
  look.findings, look.active = findings.new(), {}
  look.receipt = look.receipt or {}
  look.reader = readers.new(look.client, look.settings, look.findings)
  look_at_arns(look)
  look_at_list(look)
  look_at_caller(look)
  look_at_groups(look)
  look_at_others(look, summaries)
  local group, its_role = names.group(look.groups[1]),
    names.role(look.options.roleArn)
  if group and its_role then
    look_at_bucket(look, group, its_role)
    look_at_role(look, group, its_role)
  end
  tell(look)
  return look
end

-- ---- on its own ---------------------------------------------------------------

-- Of the options, those that say what the list is.
local function list_of(options)
  local found = {}
  for name in pairs(plan.READ) do
    found[name] = options[name]
  end
  return found
end

-- Reads the list, where there is one.
local function read_list(look)
  local options = look.options
  if not plan.has_list(options) then
    return
  end
  local summary = lists.check_users(list_of(options))
  if options.name and options.bucket then
    look.parts, look.keys = plan.parts(options, summary)
  else
    look.parts = {}
    for i, part in ipairs(summary.parts) do
      look.parts[i] = { part = i, bytes = part.bytes }
    end
  end
end

---@class personalize.PreflightSummary
---@field blockers integer
---@field warnings integer
---@field unknown integer
---@field requests integer made, tried again included
---@field time string of AWS's clock
---@field dataset_group_arns string[]
---@field caller? personalize.Caller
---@field other_groups? personalize.OtherGroup[]

--- The options of delete_users, of which list and name may be absent.
---@class personalize.PreflightOptions: personalize.DeleteUsersOptions
---@field location? string of a list that lies there already, in place of bucket
--- and list: for a job that you create yourself

---@alias personalize.PreflightFunction
---| fun(options: table): personalize.Finding[], personalize.PreflightSummary
---@alias personalize.PreflightMethod
---| fun(self: table, options: table): personalize.Finding[], personalize.PreflightSummary

--- Looks at all that decides whether a deletion counts: dataset groups and what
--- runs in them, bucket, role, quotas. Changes nothing. What cannot be read or
--- judged is `unknown`, never a blocker.
---
--- Errors: ParamValidationError, UserListError, those of a client without
--- credentials or network, and of credentials that AWS refuses.
---@param options personalize.PreflightOptions
---@return personalize.Finding[] findings in the order in which they were found
---@return personalize.PreflightSummary summary
function M.preflight(client, options)
  plan.check(options, plan.PREFLIGHT, nil, Client.given(client))
  local settings = Client.settings_of(client, "DescribeDatasetGroup")
  plan.check(options, plan.PREFLIGHT, nil, settings)
  local look = { client = client, settings = settings,
    options = lists.copy(options) }
  read_list(look)
  local summaries, requests = nil, 0
  if options.all_dataset_groups then
    summaries = groups.list(client, function(meta)
      requests = requests + meta.attempts
    end)
    look.options = plan.with_groups(options, groups.choose(summaries,
      plan.exceptions(options)))
    plan.check(look.options, plan.PREFLIGHT, nil, settings)
  end
  look.groups = plan.groups(look.options)
  M.run(look, summaries)
  local found = look.findings
  return found.list, { blockers = found.blockers, warnings = found.warnings,
    unknown = found.unknown,
    requests = requests + look.reader.requests,
    time = lists.time(look), dataset_group_arns = look.groups,
    caller = look.caller, other_groups = look.other_groups }
end

return M
