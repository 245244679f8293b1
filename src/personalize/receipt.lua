--- The receipt of an erasure: what an auditor files.
-- Knows its members, what follows from them and how it is written down.
-- Refuses to know how any of it came about, and users: no id is in it.

local Error = require "personalize.error"
local core = require "personalize.core"
local groups = require "personalize.groups"

local M = {}

---@class personalize.ReceiptPart
---@field part integer from 1
---@field users integer
---@field bytes integer
---@field sha256 string 64 hexadecimal digits, of the object's bytes
---@field location string "s3://bucket/key"
---@field version_id? string the object's, in a bucket with versions
---@field request_id? string S3's, of the upload
---@field etag? string S3's, of the upload
---@field checksum_sha256? string base64: the object's SHA-256 as S3 keeps it
---@field encryption? string of the object as S3 tells it, such as "AES256"
---@field removed_at? string when the object and its versions were removed

---@class personalize.ReceiptJob
---@field part integer
---@field dataset_group_arn string
---@field job_name string
---@field arn? string
---@field role_arn? string the job's own, as the service tells it
---@field status "NOT_STARTED"|"UNKNOWN"|"PENDING"|"IN_PROGRESS"|"COMPLETED"|"FAILED"|string
--- UNKNOWN: the create was not answered, the job may exist
---@field num_deleted? integer records (not users)
---@field failure_reason? string
---@field request_id? string of the create
---@field history { status: string, time: string? }[] by the service's clock; a
--- step that nobody saw has no time

---@class personalize.Looked
---@field time string when somebody looked
---@field findings personalize.Finding[]

--- Times are RFC 3339, UTC; what is absent is not known.
---@class personalize.Receipt
---@field version 1
---@field name string
---@field ticket? string
---@field requester? string
---@field received? string when the deletion was asked for
---@field due? string until when it has to be done
---@field caller? personalize.Caller who ran it: who sent something last, or looked
---@field tool? string such as "personalize-lua/0.1.0"
---@field region string
---@field bucket string
---@field prefix? string
---@field role_arn string
---@field dataset_group_arns string[]
---@field format "csv"|"lines"|"ids" of the list as it was given
---@field column? string
---@field delimiter? string of its columns, where it is not a comma
---@field unique boolean
---@field part_size integer bytes
---@field users? integer
---@field duplicates? integer repeats that `unique` dropped
---@field bytes? integer
---@field warnings? table<string, integer> how many ids look like a mistake, by
--- the kinds of personalize.UserWarning
---@field status "COMPLETED"|"IN_PROGRESS"|"PARTIAL"|"FAILED"|"DRY_RUN"
---@field started string
---@field finished? string when the last job ended
---@field parts personalize.ReceiptPart[]
---@field jobs personalize.ReceiptJob[] by part, dataset group, and try: a job
--- that had failed before stays beside the one that took its place
---@field preflight? personalize.Looked what a look ahead found
---@field other_groups? personalize.OtherGroup[] dataset groups of account and region
--- that nobody asked for
---@field remaining string[] what is left to do, in sentences

--- Statuses of a job that is over.
M.ENDED = { COMPLETED = true, FAILED = true }

--- The earlier of two times of receipts, which sort as text; either may be nil.
---@param a? string
---@param b? string
---@return string?
function M.earlier(a, b)
  return a and b and (a < b and a or b) or a or b
end

--- Notes what the service says of a job.
---@param entry personalize.ReceiptJob
---@param job personalize.DataDeletionJob
function M.observe(entry, job)
  local seen = {}
  for _, step in ipairs(entry.history) do
    seen[step.status] = step.time
  end
  entry.arn = job.dataDeletionJobArn or entry.arn
  entry.role_arn = job.roleArn or entry.role_arn
  entry.status = job.status or entry.status
  entry.num_deleted = job.numDeleted
  entry.failure_reason = job.failureReason
  local created, updated = job.creationDateTime, job.lastUpdatedDateTime
  local history = { { status = "PENDING", time = created and core.time_text(created) } }
  -- The service passes through it on the way to COMPLETED, watched or not.
  if entry.status == "COMPLETED" or seen.IN_PROGRESS then
    history[2] = { status = "IN_PROGRESS", time = seen.IN_PROGRESS }
  end
  if history[#history].status ~= entry.status then
    history[#history + 1] = { status = entry.status }
  end
  local last = history[#history]
  last.time = entry.status ~= "PENDING" and updated and core.time_text(updated) or
    last.time
  entry.history = history
end

-- The last try of each part and dataset group: what counts.
local function latest(receipt)
  local found, at = {}, {}
  for _, job in ipairs(receipt.jobs or {}) do
    local key = tostring(job.part) .. " " .. tostring(job.dataset_group_arn)
    if not at[key] then
      found[#found + 1] = job
      at[key] = #found
    else
      found[at[key]] = job
    end
  end
  return found
end

-- By status; "running" for those that the service is at, or may be at.
local function count_of(jobs)
  local count = { COMPLETED = 0, FAILED = 0, NOT_STARTED = 0, running = 0,
    UNKNOWN = 0, nothing = 0 }
  for _, job in ipairs(jobs) do
    local is_running = not M.ENDED[job.status] and job.status ~= "NOT_STARTED"
    local key = is_running and job.status ~= "UNKNOWN" and "running" or
      job.status
    count[key] = count[key] + 1
    if job.status == "UNKNOWN" then
      count.running = count.running + 1
    elseif job.status == "COMPLETED" and job.num_deleted == 0 then
      count.nothing = count.nothing + 1
    end
  end
  return count
end

--- How many of a receipt's jobs are how far, and how many there are in all. A job
-- that another took the place of does not count.
---@param receipt personalize.Receipt
---@return { COMPLETED: integer, FAILED: integer, NOT_STARTED: integer, UNKNOWN:
--- integer, running: integer, nothing: integer } count `running` may be at the
--- service, UNKNOWN ones among them; `nothing` are COMPLETED, but deleted nothing
---@return integer all
function M.counts(receipt)
  local jobs = latest(receipt)
  return count_of(jobs), #jobs
end

local function status_of(count, total, is_over)
  if total > 0 and count.COMPLETED == total then
    return "COMPLETED"
  elseif count.running > 0 or count.NOT_STARTED > 0 and not is_over then
    return "IN_PROGRESS"
  end
  return count.COMPLETED > 0 and "PARTIAL" or "FAILED"
end

-- May anything have been done? A job that has an ARN or no answer to its create,
-- a part that S3 answered for.
local function tells(receipt)
  for _, job in ipairs(receipt.jobs or {}) do
    if job.arn or job.status == "UNKNOWN" then
      return true
    end
  end
  for _, part in ipairs(receipt.parts or {}) do
    if part.request_id or part.version_id or part.removed_at then
      return true
    end
  end
  return false
end

M.tells = tells

local function sentence(list, condition, ...)
  if condition then
    list[#list + 1] = core.printable((...):format(select(2, ...)))
  end
end

-- What there is to say of each job.
local function add_jobs(list, receipt, jobs)
  for _, job in ipairs(jobs) do
    local part = receipt.parts[job.part]
    sentence(list, job.status == "FAILED", "Job %s FAILED: %s. Run the same " ..
      "call again: its part is sent once more.", job.job_name,
      ((job.failure_reason or "no reason given"):gsub("%.$", "")))
    sentence(list, job.status == "UNKNOWN", "Job %s may have been created: " ..
      "run the same call again to find out.", job.job_name)
    sentence(list, job.status == "COMPLETED" and job.num_deleted == 0 and part,
      "Job %s is COMPLETED, but deleted 0 records, for %.0f users: are the " ..
      "list's ids those of the dataset group?", job.job_name,
      part and part.users or 0)
    sentence(list, job.role_arn and job.role_arn ~= receipt.role_arn,
      "Job %s was created with another role, %s.", job.job_name,
      tostring(job.role_arn))
  end
end

-- What there is to say of the list in the bucket.
local function add_list(list, receipt, jobs, is_put_begun)
  local sent = {}
  for _, job in ipairs(jobs) do
    sent[job.part] = job.arn or job.status == "UNKNOWN" or sent[job.part]
  end
  local is_there, is_removed = false, #receipt.parts > 0
  for _, part in ipairs(receipt.parts) do
    is_there = is_there or not part.removed_at and
      (part.request_id or part.version_id or sent[part.part]) ~= nil
    is_removed = is_removed and part.removed_at ~= nil
  end
  sentence(list, is_put_begun and not is_there and not is_removed,
    "A part of the list, which is personal data, may lie in s3://%s: run " ..
    "the same call again, or look for it and remove it.", receipt.bucket)
  sentence(list, is_there, "The uploaded list is personal data: remove " ..
    "it from s3://%s, with all its versions, once all jobs are COMPLETED.",
    receipt.bucket)
  return next(sent) ~= nil
end

-- What is left to do. The duties after a deletion are AWS's own (developer
-- guide, "Deleting users and their data with a data deletion job"), but for
-- the events: that sending them brings a user back is inferred.
local function remaining(receipt, jobs, count, facts)
  local list, is_dry = {}, receipt.status == "DRY_RUN"
  local all = Error.plural(#jobs, "job")
  sentence(list, facts.is_over and not facts.has_sent and not is_dry and
    not facts.is_put_begun and not tells(receipt), "Nothing was sent by " ..
    "this run: it uploaded no list and created no job.")
  add_jobs(list, receipt, jobs)
  sentence(list, count.NOT_STARTED > 0, is_dry and
    "%d of %s not started: this was a dry run." or
    "%d of %s not started: run the same call again.",
    count.NOT_STARTED, all)
  local lost = facts.lost or {}
  for number, part in ipairs(receipt.parts) do
    sentence(list, lost[number], "Part %d of the list is needed and cannot " ..
      "be had from %s: %s. Run delete_users with the list, which uploads it " ..
      "again.", number, part.location, lost[number])
  end
  sentence(list, count.running > 0, "%d of %s not over: until then " ..
    "the users' data may still be used, and the users appear in segments. " ..
    "Run the same call again to follow them.", count.running, all)
  local is_begun = add_list(list, receipt, jobs, facts.is_put_begun)
  if not is_begun then
    return list -- nothing was done that these would follow from
  end
  list[#list + 1] = "In each dataset group with custom resources, create a " ..
    "new solution version and update its campaigns: models trained before " ..
    "still hold what they learnt from these users."
  list[#list + 1] = "If training, an import or a batch job ran while the " ..
    "jobs did, delete once more."
  list[#list + 1] = "Send no more events or user records of these users: " ..
    "they would bring them back."
  list[#list + 1] = "Results of batch jobs and exports in your buckets are " ..
    "yours to delete."
  local forgotten, number = groups.forgotten(receipt.other_groups or {})
  sentence(list, forgotten, "%s of this account and region %s ACTIVE and not " ..
    "named: %s. Delete from %s as well, if these users are in %s.",
    Error.plural(number, "dataset group"), number == 1 and "is" or "are",
    forgotten, number == 1 and "it" or "them", number == 1 and "it" or "them")
  return list
end

-- What its run says of a receipt, beside what stands in it.
local facts_of = setmetatable({}, { __mode = "k" })

---@class personalize.ReceiptFacts
---@field is_over? boolean nothing that is not started will be, in this run
---@field is_put_begun? boolean a part of the list may be in the bucket
---@field has_sent? boolean a list or a create went out
---@field is_news? boolean the run has done or seen something
---@field lost? table<integer, string> parts that jobs are to be created for and
--- that cannot be had from the bucket, and why

--- Brings everything that follows from parts and jobs up to date.
---@param receipt personalize.Receipt changed
---@param facts? personalize.ReceiptFacts those of the last time, if not given
function M.settle(receipt, facts)
  facts = facts or facts_of[receipt] or {}
  facts_of[receipt] = facts
  local jobs = latest(receipt)
  local count = count_of(jobs)
  local finished = ""
  for _, job in ipairs(receipt.jobs) do
    local first, last = job.history[1], job.history[#job.history]
    receipt.started = M.earlier(receipt.started, first and first.time)
    local ended = M.ENDED[job.status] and last and last.time
    finished = ended and ended > finished and ended or finished
  end
  if receipt.status ~= "DRY_RUN" then
    receipt.status = status_of(count, #jobs, facts.is_over)
  end
  local is_finished = #jobs > 0 and
    count.COMPLETED + count.FAILED == #jobs and finished ~= ""
  receipt.finished = is_finished and finished or nil
  receipt.remaining = remaining(receipt, jobs, count, facts)
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local found = {}
  for name, member in pairs(value) do
    found[name] = copy(member)
  end
  return found
end

--- A receipt as it is now, which its run does not change any more.
---@param receipt personalize.Receipt
---@return personalize.Receipt
function M.copy(receipt)
  local found = copy(receipt)
  facts_of[found] = facts_of[receipt]
  return found
end

--- Has the run that a receipt is of done or seen anything? Where not, the
-- receipt that is there knows as much.
---@param receipt personalize.Receipt
---@return boolean
function M.is_news(receipt)
  local facts = facts_of[receipt]
  return facts and facts.is_news or not facts and tells(receipt)
end

--- Has the run that a receipt is of sent nothing that does anything, neither a
-- list nor a create?
---@param receipt personalize.Receipt
---@return boolean
function M.is_unsent(receipt)
  local facts = facts_of[receipt]
  return facts ~= nil and not facts.has_sent and not facts.is_put_begun
end

-- The members in the order in which they are written. A list of members is an
-- object's; { "x" } in front of it, a list of such objects.
local STEP = { "status", "time" }
local PART = { "part", "users", "bytes", "sha256", "location", "version_id",
  "request_id", "etag", "checksum_sha256", "encryption", "removed_at" }
local JOB = { "part", "dataset_group_arn", "job_name", "arn", "role_arn",
  "status", "num_deleted", "failure_reason", "request_id", "history" }
local RECEIPT = { "version", "name", "ticket", "requester", "received", "due",
  "caller", "tool", "region", "bucket",
  "prefix", "role_arn", "dataset_group_arns", "format", "column", "delimiter",
  "unique", "part_size", "users", "duplicates", "bytes", "warnings", "status",
  "started", "finished", "parts", "jobs", "preflight", "other_groups",
  "remaining" }
local FINDING = { "kind", "code", "subject", "dataset_group_arn", "status",
  "began", "ended", "message", "reason", "basis", "advice", "operation", "error",
  "action" }
local OTHER_GROUP = { "dataset_group_arn", "status" }
local OBJECTS = { caller = { "account", "arn" },
  preflight = { "time", "findings" }, warnings = { "white_space", "control_at_end",
  "control_inside", "invisible", "blank", "quotes", "header", "repeats",
  "repeats_not_counted" } }
local LISTS = { dataset_group_arns = true, remaining = true, parts = PART,
  jobs = JOB, history = STEP, findings = FINDING,
  other_groups = OTHER_GROUP }

local function scalar(value)
  if type(value) == "number" then
    return ("%.0f"):format(value) -- all of them are whole
  elseif type(value) == "string" then
    return core.json_string(value)
  end
  return tostring(value)
end

local write_object

local function write_list(list, members, indent)
  if #list == 0 then
    return "[]"
  end
  local inner, lines = indent .. "  ", {}
  for i, value in ipairs(list) do
    lines[i] = inner .. (members == true and scalar(value) or
      write_object(value, members, inner))
  end
  return "[\n" .. table.concat(lines, ",\n") .. "\n" .. indent .. "]"
end

function write_object(object, members, indent)
  local inner, lines = indent .. "  ", {}
  for _, name in ipairs(members) do
    local value = object[name]
    if value ~= nil then
      lines[#lines + 1] = ('%s"%s": %s'):format(inner, name, LISTS[name] and
        write_list(value, LISTS[name], inner) or OBJECTS[name] and
        write_object(value, OBJECTS[name], inner) or scalar(value))
    end
  end
  return "{\n" .. table.concat(lines, ",\n") .. "\n" .. indent .. "}"
end

--- The receipt as JSON: always the same text for the same receipt.
---@param receipt personalize.Receipt
---@return string
function M.json(receipt)
  return write_object(receipt, RECEIPT, "") .. "\n"
end

return M
