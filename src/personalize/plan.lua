--- What is going to be sent where, and under which names.
-- Knows the options of an erasure and the names that follow from them and the
-- list, so that a second run finds what the first did. Refuses to know any
-- client, and does nothing.

local Error = require "personalize.error"
local checks = require "personalize.checks"
local core = require "personalize.core"
local due = require "personalize.due"
local names = require "personalize.names"
local users = require "personalize.users"

local is_boolean, is_function = checks.is_boolean, checks.is_function
local is_positive, is_text = checks.is_positive, checks.is_text

local M = {}

-- A job's name has 63 characters; ours adds "-xxxxxx-0001-r999" to it.
local NAME_MOST = 46
-- The place of the list, in the job.
local LOCATION_MOST = 256

local function is_groups(value)
  if type(value) ~= "table" then
    return is_text(value)
  end
  for _, arn in ipairs(value) do
    if not is_text(arn) then
      return false
    end
  end
  return #value > 0
end

local function is_name(value)
  return is_text(value) and #value <= NAME_MOST and
    value:find "^[A-Za-z0-9][A-Za-z0-9_%-]*$" ~= nil
end

local function is_prefix(value)
  return type(value) == "string" and not value:find "^/" and
    not value:find "%c" and (value == "" or core.is_s3_key(value))
end

-- S3 itself also writes to access points.
local function is_target(value)
  if type(value) == "string" and
    value:find "^arn:[^:]+:s3[^:]*:[^:]*:[^:]+:[^:/]+[:/]." then
    return true
  end
  return names.is_bucket(value)
end

local function is_pending(value)
  return is_positive(value) and value % 1 == 0
end

-- Receipts are JSON. (What S3 demands of a key is what is wanted here.)
local function is_note(value)
  return is_text(value) and core.is_s3_key(value)
end

local MUST_TEXT = "must be a string that is not empty"
local MUST_FUNCTION = "must be a function"
local MUST_BOOLEAN = "must be true or false"
local MUST_DATE = "must be a date, such as 2026-11-24, or a time, such as " ..
  "2026-11-24T10:00:00Z"
local MUST_SECONDS = "must be a number of seconds above 0"

-- name -> { check, what it must be, required? }; a check may give a reason of
-- its own; required may be a function of all options. `is_shape` is left to AWS
-- without parameter_validation.
local LIST = {}
for name, check in pairs(users.OPTIONS) do
  LIST[name] = { check, users.MUST[name] }
end

local UPLOAD = {
  bucket = { is_target, nil, true, is_shape = true },
  expected_bucket_owner = { checks.is_account, "must be an account: 12 digits" },
  name = { is_name, "must have 1-46 letters, digits, - and _, the first a " ..
    "letter or digit: names of jobs are made of it", true },
  on_progress = { is_function, MUST_FUNCTION },
  prefix = { is_prefix, "must be a folder's name without / at its start" },
}

local function names_groups(given)
  return given.all_dataset_groups ~= true
end

local ERASE = {
  all_dataset_groups = { is_boolean, MUST_BOOLEAN },
  allow_other_region = { is_boolean, MUST_BOOLEAN },
  bucket = { names.is_bucket, nil, true, is_shape = true },
  cleanup = { is_boolean, MUST_BOOLEAN },
  datasetGroupArn = { is_groups, "must be an ARN or a list of them",
    names_groups },
  dry_run = { is_boolean, MUST_BOOLEAN },
  due = { due.is_date, MUST_DATE },
  except = { is_groups, "must be an ARN or a list of them" },
  max_pending = { is_pending, "must be a whole number of jobs from 1 up" },
  max_wait = { is_positive, MUST_SECONDS },
  on_receipt = { is_function, MUST_FUNCTION },
  poll = { is_positive, MUST_SECONDS },
  preflight = { is_boolean, MUST_BOOLEAN },
  received = { due.is_date, MUST_DATE },
  receipt = { function(value)
    return type(value) == "table" or type(value) == "string"
  end, "must be a receipt, as a table or as its JSON" },
  requester = { is_note, "must be a string of 1-1024 bytes of UTF-8" },
  roleArn = { names.role, nil, true, is_shape = true },
  simulate = { is_boolean, MUST_BOOLEAN },
  strict = { is_boolean, MUST_BOOLEAN },
  tags = { function(value) return type(value) == "table" end,
    "must be a table" },
  ticket = { is_note, "must be a string of 1-1024 bytes of UTF-8" },
  wait = { is_boolean, MUST_BOOLEAN },
}

-- A list with a hole would end there, and nobody would be told.
local function is_paths(value)
  if type(value) ~= "table" then
    return is_text(value)
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
    if not is_text(value[count]) then
      return false
    end
  end
  return count > 0
end

local ABSENT = {
  export_column = { users.OPTIONS.column, users.MUST.column },
  export_delimiter = { users.OPTIONS.delimiter, users.MUST.delimiter },
  export_escape = { function(value) return value == '"' or value == "\\" end,
    "must be a quote or a backslash" },
  exports = { is_paths, "must be a path or a list of them", true },
}

local function merged(...)
  local all = {}
  for _, set in ipairs { ... } do
    for name, rule in pairs(set) do
      all[name] = rule
    end
  end
  return all
end

-- Those of `all` that are named.
local function some(all, names_of)
  local found = {}
  for _, name in ipairs(names_of) do
    found[name] = all[name]
  end
  return found
end

-- A look takes the options of what it is a look ahead of. It needs no list, and
-- no name; and may be for a list that lies somewhere already.
local PREFLIGHT = {
  bucket = { names.is_bucket, nil, function(given)
    return given.location == nil
  end, is_shape = true },
  location = { names.is_location, nil, is_shape = true },
  name = { UPLOAD.name[1], UPLOAD.name[2] },
}

--- Options by what they are for.
M.READ = merged(LIST, { on_progress = UPLOAD.on_progress })
M.ABSENT = merged(M.READ, ABSENT)
M.ABSENT.unique, M.ABSENT.part_size = nil, nil
M.UPLOAD = merged(LIST, UPLOAD)
M.ERASE = merged(LIST, UPLOAD, ERASE)
M.FOLLOW = some(M.ERASE, { "cleanup", "expected_bucket_owner", "max_pending",
  "max_wait", "on_progress", "on_receipt", "poll", "tags", "wait" })
--- Those of an erasure that its receipt has.
M.RECEIPT = some(M.ERASE, { "bucket", "datasetGroupArn", "name", "prefix",
  "roleArn" })
M.PREFLIGHT = merged(M.ERASE, PREFLIGHT)

local function sorted(set)
  local all = {}
  for name in pairs(set) do
    all[#all + 1] = name
  end
  table.sort(all)
  return all
end

local function unknown(name, rules)
  if type(name) ~= "string" then
    return { path = "", code = "unknown",
      message = "an option has a key that is no name" }
  end
  local nearest = core.nearest(name, sorted(rules))
  return { path = #name <= 64 and name:find "^[A-Za-z_][A-Za-z0-9_]*$" and name or "",
    code = "unknown", message = "is no option" ..
      (nearest and ("; did you mean %s?"):format(nearest) or "") }
end

-- Calls f(arn, path) for each dataset group.
local function each_group(given, f)
  local groups = given.datasetGroupArn
  if not is_groups(groups) then
    return -- which is told
  elseif type(groups) == "string" then
    f(groups, "datasetGroupArn")
  else
    for i, arn in ipairs(groups) do
      f(arn, ("datasetGroupArn[%d]"):format(i))
    end
  end
end

local function check_groups(given, faults)
  local there, taken = {}, {}
  each_group(given, function(arn, path)
    local name = M.job_name("", arn, 1)
    local message = there[arn] and "is there twice" or taken[name] and
      "would have the names of another's jobs: give it a call of its own, " ..
      "with another name"
    if message then
      faults[#faults + 1] = { path = path, code = "duplicate",
        message = message }
    end
    there[arn], taken[name] = true, true
  end)
end

-- Do the ARNs fit each other and the client's region? All of it is AWS's rule:
-- a job, its dataset group and its role are of one account, and a client talks
-- to one region.
local function check_arns(given, region, faults)
  local role, first = names.role(given.roleArn), nil
  local function add(path, code, message)
    if message then
      faults[#faults + 1] = { path = path, code = code, message = message }
    end
    return message
  end
  each_group(given, function(arn, path)
    local group, reason = names.group(arn)
    if add(path, "pattern", reason) or
      add(path, "mismatch", names.elsewhere(group, region)) then
      return
    end
    first = first or group
    if group.account ~= first.account then
      add(path, "mismatch", ("is of the account %s, but the first one is " ..
        "of %s"):format(group.account, first.account))
    elseif group.region ~= first.region then
      add(path, "mismatch", ("is in the region %s, but the first one is " ..
        "in %s"):format(group.region, first.region))
    end
  end)
  if role and first then
    add("roleArn", "mismatch", names.foreign(role, first))
  end
end

-- What the model says of tags, which no rule here knows. Of the rest of the
-- input there is nothing to say: it is an example.
local model
local function check_tags(given, is_lenient, faults)
  if type(given.tags) ~= "table" then
    return
  end
  model = model or core.service { endpoint = "https://localhost",
    region = "us-east-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = "personalize" }
  local attempt, found = core.attempt(model, "CreateDataDeletionJob", {
    jobName = "example", datasetGroupArn = names.GROUP, roleArn = names.ROLE,
    dataSource = { dataLocation = "s3://erasure/users.csv" },
    tags = given.tags }, core.random(16), 1, not is_lenient)
  for _, fault in ipairs(not attempt and found or {}) do
    faults[#faults + 1] = fault
  end
end

local function check_length(length, faults)
  if length > LOCATION_MOST then
    faults[#faults + 1] = { path = "prefix", code = "length", message =
      ("makes a location of %d characters, more than %d"):format(length,
        LOCATION_MOST) }
  end
end

-- The shortest place that a part could get.
local function check_location(given, faults)
  local location = ("s3://%s/%s"):format(given.bucket,
    M.key(given, 1, 1, ("0"):rep(64)))
  check_length(#location, faults)
end

local function check_rules(given, rules, is_lenient, faults)
  local wrong = {}
  for name in pairs(given) do
    if not rules[name] then
      faults[#faults + 1] = unknown(name, rules)
    end
  end
  for _, name in ipairs(sorted(rules)) do
    local rule, value = rules[name], given[name]
    local check, ok, reason = rule[1], true, nil
    if is_lenient and rule.is_shape then
      check = is_text
    end
    if value ~= nil then
      ok, reason = check(value)
    end
    local is_required = rule[3]
    if type(is_required) == "function" then
      is_required = is_required(given)
    end
    if value == nil and is_required then
      wrong[name] = { path = name, code = "missing", message = "is missing" }
    elseif not ok then
      wrong[name] = { path = name, code = rule.is_shape and is_text(value) and
        "pattern" or "type", message = reason or rule[2] or MUST_TEXT }
    end
    faults[#faults + 1] = wrong[name]
  end
  return wrong
end

-- Options that go together, or do not.
local function check_pairs(given, rules, faults)
  local function add(path, is_wrong, message)
    faults[#faults + 1] = is_wrong and { path = path, code = "mismatch",
      message = message } or nil
  end
  add("except", given.except ~= nil and given.all_dataset_groups ~= true,
    "is for all_dataset_groups")
  add("datasetGroupArn", given.datasetGroupArn ~= nil and
    given.all_dataset_groups == true, "is not for all_dataset_groups, which " ..
    "takes those that there are")
  if rules == M.PREFLIGHT then
    add("location", given.location ~= nil and given.bucket ~= nil,
      "says which bucket: leave out bucket")
    return
  end
  for _, name in ipairs { "allow_other_region", "simulate", "strict" } do
    add(name, given[name] and not given.preflight, "is for preflight")
  end
  for _, name in ipairs { "all_dataset_groups", "preflight" } do
    add(name, given[name] and given.dry_run, "asks AWS, and dry_run does not")
  end
end

--- Is there a list among the options?
---@param given table
---@return boolean
function M.has_list(given)
  return given.users ~= nil or given.file ~= nil or given.text ~= nil
end

--- Faults of ARNs that do not go together, for clients that do not check them.
---@param given table
---@param region? string the client's
---@return personalize.ParamFault[]
function M.mismatches(given, region)
  local faults = {}
  check_arns(given, region, faults)
  return faults
end

--- All that is wrong with options, without asking anybody.
---@param given any
---@param rules table one of the above
---@param settings? { region: string?, parameter_validation: boolean? } of the
--- client, as far as they are known
---@return personalize.ParamFault[]
function M.faults(given, rules, settings)
  local faults = {}
  if type(given) ~= "table" then
    faults[1] = { path = "", code = "type",
      message = "the options must be a table" }
    given = {}
  end
  settings = settings or {}
  local is_lenient = settings.parameter_validation == false
  local wrong = check_rules(given, rules, is_lenient, faults)
  if rules.users and (rules ~= M.PREFLIGHT or M.has_list(given)) then
    users.check(given, faults)
  end
  if rules.due and due.is_reversed(given.received, given.due) then
    faults[#faults + 1] = { path = "due", code = "mismatch",
      message = "is before received" }
  end
  if rules.preflight then
    check_pairs(given, rules, faults)
  end
  if rules.datasetGroupArn then
    check_groups(given, faults)
    if not is_lenient then
      check_arns(given, settings.region, faults)
    end
  end
  if rules.tags then
    check_tags(given, is_lenient, faults)
  end
  if rules.bucket and given.name ~= nil and given.bucket ~= nil and
    not (wrong.bucket or wrong.name or wrong.prefix) then
    check_location(given, faults)
  end
  return faults
end

--- Checks options against rules; raises ParamValidationError with all that is
-- wrong, and changes nothing.
---@param given any
---@param rules table one of the above
---@param operation? string for the error; nil where nothing would be sent
---@param settings? table of the client
function M.check(given, rules, operation, settings)
  M.refuse(M.faults(given, rules, settings), operation)
end

--- Raises ParamValidationError where there are faults.
---@param faults personalize.ParamFault[]
---@param operation? string
function M.refuse(faults, operation)
  if #faults > 0 then
    Error.refuse(faults, operation)
  end
end

-- An ARN or a list of them, as a list of its own.
local function list_of(arns)
  if type(arns) == "string" then
    return { arns }
  end
  local copy = {}
  for i, arn in ipairs(arns) do
    copy[i] = arn
  end
  return copy
end

--- The groups as a list of its own.
---@return string[]
function M.groups(given)
  return list_of(given.datasetGroupArn)
end

--- The groups that all_dataset_groups is not to take, or nil.
---@return string[]?
function M.exceptions(given)
  return given.except and list_of(given.except) or nil
end

--- The options with the groups that all_dataset_groups has found.
---@param given table
---@param arns string[]
---@return table
function M.with_groups(given, arns)
  local options = {}
  for name, value in pairs(given) do
    options[name] = value
  end
  options.datasetGroupArn = arns
  options.all_dataset_groups, options.except = nil, nil
  return options
end

--- Prefix without the "/" at its end, or nil.
---@return string?
function M.prefix(given)
  local prefix = (given.prefix or ""):gsub("/+$", "")
  return prefix ~= "" and prefix or nil
end

--- The key of a part. It has the content's hash in it, so that a list is known
-- by it.
---@param given { name: string, prefix?: string }
---@param part integer
---@param count integer of parts
---@param sha256 string of the part
---@return string
function M.key(given, part, count, sha256)
  local prefix = M.prefix(given)
  return ("%s%s/%04dof%d-%s.csv"):format(prefix and prefix .. "/" or "",
    given.name, part, count, sha256:sub(1, 16))
end

--- The parts and where each of them goes.
---@param given table checked
---@param summary personalize.UserSummary
---@return personalize.ReceiptPart[]
---@return string[] keys
function M.parts(given, summary)
  local parts, keys = {}, {}
  for i, part in ipairs(summary.parts) do
    local key = M.key(given, i, #summary.parts, part.sha256)
    keys[i] = key
    parts[i] = { part = i, users = part.users, bytes = part.bytes,
      sha256 = part.sha256,
      location = ("s3://%s/%s"):format(given.bucket, key) }
    local faults = {}
    check_length(#parts[i].location, faults)
    M.refuse(faults, "CreateDataDeletionJob")
  end
  return parts, keys
end

--- The name of a part's job in a dataset group, of its first try.
---@param name string
---@param group string ARN
---@param part integer
---@return string
function M.job_name(name, group, part)
  return ("%s-%s-%04d"):format(name, core.sha256_hex(group):sub(1, 6), part)
end

--- The same of a later try; 0 is the first.
---@param base string
---@param try integer
---@return string
function M.try_name(base, try)
  return try == 0 and base or ("%s-r%d"):format(base, try)
end

--- Which try a job's name is of; nil where it is none of the part's.
---@param base string
---@param job_name string
---@return integer?
function M.try_of(base, job_name)
  local text = job_name:sub(1, #base) == base and
    job_name:sub(#base + 1):match "^%-r([1-9]%d?%d?%d?%d?%d?)$"
  return job_name == base and 0 or text and tonumber(text) or nil
end

return M
