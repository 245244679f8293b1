--- A receipt that comes from outside: the one that an earlier run left, or the
-- one that somebody shows.
-- Knows what makes it one, whose it is, and what of it a later run keeps.
-- Refuses to know files, and how a run goes.

local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local json = require "personalize.json"
local names = require "personalize.names"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"

local M = {}

-- ---- reading ---------------------------------------------------------------

-- A word of the service or a name, which is shown to people: each character of
-- it can be seen.
local function is_line(value)
  return type(value) == "string" and core.printable(value) == value
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 53 and
    value % 1 == 0
end

local CHECKS = {
  count = is_count,
  delimiter = plan.READ.delimiter[1],
  flag = function(value) return type(value) == "boolean" end,
  format = function(value)
    return value == "ids" or plan.READ.format[1](value)
  end,
  hash = function(value)
    return type(value) == "string" and #value == 64 and
      value:find "^%x+$" ~= nil
  end,
  line = is_line,
  part_size = plan.READ.part_size[1],
  text = function(value) return type(value) == "string" end,
  time = function(value)
    -- In UTC, as all of ours are: so they sort as text.
    return type(value) == "string" and core.time(value) ~= nil and
      value:find "Z$" ~= nil
  end,
}

-- The members of a receipt of version 1, each with what it is; a list is a table
-- with what its elements are.
local STEP = { status = "line", time = "time" }
local PART = { part = "count", users = "count", bytes = "count",
  sha256 = "hash", location = "text", version_id = "line",
  request_id = "line", etag = "line", checksum_sha256 = "line",
  encryption = "line", removed_at = "time" }
local JOB = { part = "count", dataset_group_arn = "line", job_name = "line",
  arn = "line", role_arn = "line", status = "line", num_deleted = "count",
  failure_reason = "text", request_id = "line", history = { STEP } }
local WARNINGS = { white_space = "count", control_at_end = "count",
  control_inside = "count", invisible = "count", blank = "count",
  quotes = "count", header = "count", repeats = "count",
  repeats_not_counted = "count" }
local FINDING = { kind = "line", code = "line", subject = "line",
  dataset_group_arn = "line", status = "line", began = "time", ended = "time",
  message = "line", reason = "line", basis = "line", advice = "line",
  operation = "line", error = "line", action = "line" }
local LOOKED = { time = "time", findings = { FINDING } }
local OTHER_GROUP = { dataset_group_arn = "line", status = "line" }
local CALLER = { account = "line", arn = "line" }
local RECEIPT = { name = "line", ticket = "text", requester = "text",
  received = "time", due = "time", caller = CALLER, tool = "line",
  region = "line", bucket = "line", prefix = "text", role_arn = "line",
  dataset_group_arns = { "line" }, format = "format", column = "line",
  delimiter = "delimiter", warnings = WARNINGS,
  unique = "flag", part_size = "part_size", users = "count",
  duplicates = "count", bytes = "count", status = "line", started = "time",
  finished = "time", parts = { PART }, jobs = { JOB }, preflight = LOOKED,
  other_groups = { OTHER_GROUP },
  remaining = { "text" } }

local copy

-- A list of what `kind` says; or nil and what is wrong.
local function copy_list(list, kind, path)
  local found, all = {}, 0
  for _ in pairs(list) do
    all = all + 1
  end
  for i = 1, all do
    local value, wrong = copy(list[i], kind, ("%s[%d]"):format(path, i))
    if value == nil then
      return nil, wrong or ("has no %s[%d]"):format(path, i)
    end
    found[i] = value
  end
  return found
end

-- A value as `kind` says; nil for null; nil and what is wrong.
function copy(value, kind, path)
  if value == nil or value == json.null then
    return nil
  elseif type(kind) == "string" then
    if not CHECKS[kind](value) then
      return nil, ("has a %s that is none"):format(path)
    end
    -- lua-cjson gives floats, which Lua from 5.3 on would write with a ".0".
    return type(value) == "number" and math.floor(value) or value
  elseif type(value) ~= "table" then
    return nil, ("has a %s that is none"):format(path)
  elseif kind[1] then
    return copy_list(value, kind[1], path)
  end
  local found = {}
  for name, its_kind in pairs(kind) do
    local wrong
    found[name], wrong = copy(value[name], its_kind,
      path == "" and name or path .. "." .. name)
    if wrong then
      return nil, wrong
    end
  end
  return found
end

--- A receipt as a caller or a file has it, as one of our own: what is not known
-- here is left out, and null is nil.
---@param given any a table, or JSON
---@return personalize.Receipt?
---@return string? why "has no parts", for a sentence about the receipt
function M.read(given)
  if type(given) == "string" then
    local ok, decoded = callback.pcall("reading a receipt", json.decode, given)
    if not ok and Error.is_memory(decoded) then
      error(decoded, 0)
    elseif not ok then
      return nil, "is not JSON that can be read"
    end
    given = decoded
  end
  if type(given) ~= "table" or given.version ~= 1 then
    return nil, "is none of version 1"
  end
  local receipt, wrong = copy(given, RECEIPT, "")
  if not receipt then
    return nil, wrong
  elseif not receipt.parts then
    return nil, "has no parts"
  end
  for i, part in ipairs(receipt.parts) do
    if not part.users or not part.bytes or not part.sha256 then
      return nil, ("has no users, bytes and sha256 in part %d"):format(i)
    end
    part.sha256 = part.sha256:lower()
  end
  receipt.version = 1
  return receipt
end

-- ---- whose it is -----------------------------------------------------------

--- What the jobs of one part and dataset group are kept under.
---@param part integer
---@param group string
---@return string
function M.key(part, group)
  return ("%.0f %s"):format(part, group)
end

-- Which try a job of a receipt is; nil where its members do not fit together.
local function try_of(receipt, job)
  return receipt.name and job.part and job.dataset_group_arn and
    job.job_name and job.status and plan.try_of(plan.job_name(receipt.name,
    job.dataset_group_arn, job.part), job.job_name)
end

local function parts_difference(before, receipt)
  local there, here = before.parts, receipt.parts
  for i = 1, math.max(#there, #here) do
    local a, b = there[i], here[i]
    if not a or not b or a.sha256 ~= b.sha256 then
      return ("is of another list of the name %s, or of this one in another " ..
        "order or with another part_size, unique or column"):format(
        receipt.name)
    elseif a.location and a.location ~= b.location then
      return ("is of the same list in another place, %s: not %s"):format(
        core.printable(a.location), core.printable(b.location))
    end
  end
end

local function jobs_difference(before, receipt)
  local groups = {}
  for _, arn in ipairs(receipt.dataset_group_arns) do
    groups[arn] = true
  end
  for i, job in ipairs(before.jobs or {}) do
    if job.arn or job.status == "UNKNOWN" then
      if not try_of(before, job) or not receipt.parts[job.part] then
        return ("has a job %d that is not of its run"):format(i)
      elseif not groups[job.dataset_group_arn] then
        return ("also tells of a job in the dataset group %s, which is not " ..
          "asked for"):format(job.dataset_group_arn)
      end
    end
  end
end

--- Why a receipt is not that of a run, or nil. One that tells of nothing that
-- was done is that of any run of its name.
---@param before personalize.Receipt
---@param receipt table the run's own, or its options, where no list is read yet
---@return string? why for a sentence about the receipt
function M.difference(before, receipt)
  if before.name ~= receipt.name then
    return ("is of another run, %s: not of %s"):format(
      before.name or "which has no name", receipt.name)
  elseif receipt.parts and receipts.tells(before) then
    return parts_difference(before, receipt) or
      jobs_difference(before, receipt)
  end
end

-- ---- is it one that can be followed? ----------------------------------------

-- How a receipt calls an option of delete_users.
local MEMBERS = { datasetGroupArn = "dataset_group_arns",
  roleArn = "role_arn" }

--- What a receipt says of its run, as options of delete_users.
---@param receipt personalize.Receipt
---@return table
function M.options(receipt)
  return { name = receipt.name, bucket = receipt.bucket,
    prefix = receipt.prefix, roleArn = receipt.role_arn,
    datasetGroupArn = receipt.dataset_group_arns }
end

-- The place of a part follows from the rest: nothing else is ever looked at or
-- removed, whatever a receipt says.
local function add_part_faults(receipt, add)
  local users, bytes = 0, 0
  for i, part in ipairs(receipt.parts) do
    local place = ("s3://%s/%s"):format(receipt.bucket, plan.key(receipt, i,
      #receipt.parts, part.sha256))
    if part.part ~= i then
      add("has a part %d with another number", i)
    elseif part.location ~= place then
      add("has a part %d that lies where its run puts none: not in %s", i,
        place)
    end
    users, bytes = users + part.users, bytes + part.bytes
  end
  if #receipt.parts == 0 then
    add "has no parts"
  elseif receipt.users and receipt.users ~= users or
    receipt.bytes and receipt.bytes ~= bytes then
    add("has other users or bytes than its parts, which have %.0f and %.0f",
      users, bytes)
  end
end

local function add_job_faults(receipt, add)
  local groups = {}
  for _, arn in ipairs(receipt.dataset_group_arns) do
    groups[arn] = names.group(arn)
  end
  for i, job in ipairs(receipt.jobs or {}) do
    local group = groups[job.dataset_group_arn]
    local arn = job.arn and names.job(job.arn)
    if not try_of(receipt, job) or not receipt.parts[job.part] or
      not group then
      add("has a job %d that is not of its run", i)
    elseif job.arn and not (arn and arn.account == group.account and
      arn.region == group.region and arn.name == job.job_name) then
      add("has a job %d whose ARN is not that of %s", i, job.job_name)
    end
  end
end

--- All that keeps a receipt from being followed. It may come from anyone: every
-- member that something is done with has to fit the others.
---@param receipt personalize.Receipt as `read` gives it
---@param settings { region: string?, parameter_validation: boolean? } of the
--- client, as far as they are known
---@return personalize.ParamFault[]
function M.faults(receipt, settings)
  local faults = {}
  local function add(message, ...)
    faults[#faults + 1] = { path = "receipt", code = "mismatch",
      message = message:format(...) }
  end
  if receipt.status == "DRY_RUN" then
    add "is of a dry run: nothing was sent"
  end
  local region = receipt.region
  if not region or not core.is_region(region) then
    add "has no region"
  elseif settings.region and not names.is_same_region(region,
    settings.region) then
    add("is of the region %s, but the region in use is %s", region,
      settings.region)
  end
  for _, fault in ipairs(plan.faults(M.options(receipt), plan.RECEIPT,
    { region = region, parameter_validation =
      settings.parameter_validation })) do
    local name = fault.path:gsub("^%a+", MEMBERS)
    if fault.code == "missing" then
      add("has no %s", name)
    else
      add("has a %s that %s", name, fault.message)
    end
  end
  if #faults == 0 then
    add_part_faults(receipt, add)
    add_job_faults(receipt, add)
  end
  return faults
end

-- ---- what is kept of it ----------------------------------------------------

--- The jobs of a receipt by part and dataset group, each list in the order of
-- its tries.
---@param before personalize.Receipt
---@return table<string, personalize.ReceiptJob[]>
function M.tries(before)
  local found = {}
  for _, job in ipairs(before.jobs or {}) do
    if try_of(before, job) then
      local key = M.key(job.part, job.dataset_group_arn)
      found[key] = found[key] or {}
      table.insert(found[key], job)
      job.history = job.history or {}
    end
  end
  return found
end

-- What only the run that uploaded a part could see of it.
local SEEN = { "version_id", "request_id", "etag", "checksum_sha256",
  "encryption" }
-- What a run that does not say otherwise leaves as it was.
local KEPT = { "ticket", "requester", "received", "due", "caller", "preflight",
  "other_groups" }

--- Gives a run's receipt what the one before knew of its parts.
---@param before personalize.Receipt of the same run
---@param receipt personalize.Receipt changed
---@return personalize.Receipt? before nil where it tells of nothing
function M.carry(before, receipt)
  if not receipts.tells(before) then
    return nil
  end
  for i, part in ipairs(before.parts) do
    for _, name in ipairs(SEEN) do
      receipt.parts[i][name] = part[name]
    end
    receipt.parts[i].removed_at = part.removed_at
  end
  for _, name in ipairs(KEPT) do
    if receipt[name] == nil then
      receipt[name] = before[name]
    end
  end
  return before
end

-- How far a job has come; a status that is not known here is under way.
local RANK = { NOT_STARTED = 0, UNKNOWN = 1, PENDING = 2, IN_PROGRESS = 3,
  COMPLETED = 4, FAILED = 4 }

local function rank(job)
  return RANK[job.status] or RANK.IN_PROGRESS
end

-- Gives an entry of a job what another one of the same job knows more.
local function merge_job(job, other)
  if rank(other) > rank(job) then
    for _, name in ipairs { "status", "arn", "role_arn", "num_deleted",
      "failure_reason", "history" } do
      job[name], other[name] = other[name], job[name]
    end
  end
  local times = {}
  for _, step in ipairs(other.history or {}) do
    times[step.status] = step.time
  end
  for _, step in ipairs(job.history) do
    step.time = step.time or times[step.status]
  end
  job.arn, job.role_arn = job.arn or other.arn, job.role_arn or other.role_arn
  job.request_id = job.request_id or other.request_id
end

-- The tries of one part and dataset group, of two receipts, in their order. The
-- n-th job of a name is the n-th of the other's.
local function merge_tries(tries, others)
  local seen, at = {}, {}
  local function name_of(counts, job)
    local name = job.job_name
    counts[name] = (counts[name] or 0) + 1
    return name .. " " .. counts[name]
  end
  for i, job in ipairs(tries) do
    at[name_of(seen, job)] = i
  end
  seen = {}
  for _, other in ipairs(others) do
    local i = at[name_of(seen, other)]
    if i then
      merge_job(tries[i], other)
    else
      tries[#tries + 1] = other
    end
  end
end

local function merge_parts(receipt, other)
  for i, part in ipairs(receipt.parts) do
    local its = other.parts[i]
    -- Not where each tells of an upload of its own.
    if not part.request_id or not its.request_id or
      part.request_id == its.request_id then
      part.removed_at = receipts.earlier(part.removed_at, its.removed_at)
      for _, name in ipairs(SEEN) do
        part[name] = part[name] or its[name]
      end
    end
  end
end

--- Gives a run's receipt what another run of the same name has written down
-- meanwhile, so that this one can take its place.
---@param receipt personalize.Receipt changed
---@param other personalize.Receipt as `read` gives it; used up
---@return string? why not: for a sentence about the other
function M.merge(receipt, other)
  local why = M.difference(other, receipt)
  if why or not receipts.tells(other) then
    return why
  end
  merge_parts(receipt, other)
  local jobs, others, order = {}, M.tries(other), {}
  for _, job in ipairs(receipt.jobs) do
    local key = M.key(job.part, job.dataset_group_arn)
    if not jobs[key] then
      jobs[key], order[#order + 1] = {}, key
    end
    table.insert(jobs[key], job)
  end
  receipt.jobs = {}
  for _, key in ipairs(order) do
    merge_tries(jobs[key], others[key] or {})
    for _, job in ipairs(jobs[key]) do
      table.insert(receipt.jobs, job)
    end
  end
  receipt.started = receipts.earlier(receipt.started, other.started)
  receipt.caller = receipt.caller or other.caller
  receipts.settle(receipt)
end

-- ---- comparing -------------------------------------------------------------

local function parts_of(receipt, summary)
  if #receipt.parts ~= #summary.parts then
    return ("parts: the list makes %d, the receipt has %d"):format(
      #summary.parts, #receipt.parts)
  end
  for i, part in ipairs(receipt.parts) do
    local other = summary.parts[i]
    if part.part and part.part ~= i then
      return ("part %d has the number %.0f in the receipt"):format(i,
        part.part)
    elseif part.users ~= other.users then
      return ("part %d has %d users, in the receipt %.0f"):format(i,
        other.users, part.users)
    elseif part.bytes ~= other.bytes or part.sha256 ~= other.sha256 then
      return ("part %d has other bytes than the receipt's: SHA-256 %s, " ..
        "not %s"):format(i, other.sha256, part.sha256)
    elseif part.location and receipt.name and receipt.bucket and
      part.location ~= ("s3://%s/%s"):format(receipt.bucket, plan.key(receipt,
        i, #receipt.parts, part.sha256)) then
      return ("part %d lies in the receipt's %s, which is no place of this " ..
        "list"):format(i, core.printable(part.location))
    end
  end
end

local function jobs_of(receipt)
  for i, job in ipairs(receipt.jobs or {}) do
    if job.part and not receipt.parts[job.part] then
      return ("job %d of the receipt is for part %.0f, and there is none")
        :format(i, job.part)
    end
  end
end

--- Do these parts make up the receipt's list? All that follows from a list is
-- compared. With the reason where not.
---@param receipt personalize.Receipt as `read` gives it
---@param summary personalize.UserSummary
---@return boolean
---@return string? why
function M.compare(receipt, summary)
  local why = parts_of(receipt, summary)
  for _, name in ipairs { "users", "bytes", "duplicates" } do
    local said, found = receipt[name], summary[name]
    if not why and said and said ~= found then
      why = ("the list has %.0f %s, in the receipt %.0f"):format(found or 0,
        name, said)
    end
  end
  why = why or jobs_of(receipt)
  return why == nil, why
end

return M
