--- The commands and what each takes, as data: the parser, the help, the shells'
-- completions and the messages are made of it.
-- Knows words; refuses to know what a command does.

local M = {}

-- A converter answers the value, or nil and what it must be.
local function integer(value)
  local number = value:find "^[0-9]+$" and tonumber(value)
  if not number or number < 1 then
    return nil, "must be a whole number from 1 up"
  end
  return number
end

local function seconds(value)
  local number = value:find "^[0-9]+%.?[0-9]*$" and tonumber(value)
  if not number then
    return nil, "must be a number of seconds"
  end
  return number
end

local function tag(value)
  local key, text = value:match "^([^=]+)=(.*)$"
  if not key then
    return nil, "is written KEY=VALUE"
  end
  return { tagKey = key, tagValue = text }
end

---@class personalize.cli.Option
---@field [1] string "--name", or the name of an argument
---@field help string
---@field arg? string what its value is called; a flag has none
---@field target? string member of the parsed options
---@field param? string the name by which the module calls it, in faults
---@field example? string a value, for messages
---@field shape? string what a value must be, where the module only says that it
--- does not match
---@field choices? string[]
---@field convert? fun(value: string): any, string?
---@field is_required? boolean
---@field unless? string[] options of which one does in its place
---@field is_many? boolean
---@field is_file? boolean for the shells
---@field is_hidden? boolean taken, but not in the help
---@field short? string

local ACCOUNT = "123456789012"
local GROUP = ("arn:aws:personalize:eu-west-1:%s:dataset-group/shop"):format(
  ACCOUNT)
local ROLE = ("arn:aws:iam::%s:role/PersonalizeS3"):format(ACCOUNT)
local NAME = "gdpr-2026-11-24"
local NAME_SHAPE = "must have %s letters, digits, - and _, the first a " ..
  "letter or digit"

local DELIMITERS = { [","] = ",", [";"] = ";", ["|"] = "|", ["\t"] = "\t",
  ["\\t"] = "\t", tab = "\t", TAB = "\t" }

local function delimiter(value)
  return DELIMITERS[value], "must be one of , ; | and tab"
end

local FORMAT = { "--format", arg = "FORMAT", choices = { "csv", "lines" },
  param = "format", help = "csv (the default): the first line is USER_ID. " ..
  "lines: an id a line." }
local COLUMN = { "--column", arg = "COLUMN", param = "column",
  help = "Take the ids from this column of a CSV file." }
local DELIMITER = { "--delimiter", arg = "CHAR", param = "delimiter",
  convert = delimiter,
  help = "What separates its columns: , (the default) ; | or tab." }
local ESCAPES = { ['"'] = '"', quote = '"', ["\\"] = "\\",
  ["\\\\"] = "\\", backslash = "\\" }

local function escape(value)
  return ESCAPES[value], "must be one of quote and backslash"
end

local UNIQUE = { "--unique", param = "unique",
  help = "Keep only the first of each id." }
local PART_SIZE = { "--part-size", arg = "BYTES", param = "part_size",
  convert = integer,
  help = "Cut the list into jobs of at most this many bytes (100 MB)." }
local TAG = { "--tag", arg = "KEY=VALUE", target = "tags", param = "tags",
  convert = tag, is_many = true, shape = "has other characters than letters, " ..
  "digits, spaces and _.:/=+-@", help = "Tag the jobs. May be repeated." }
local MAX_WAIT = { "--max-wait", arg = "SECONDS", param = "max_wait",
  convert = seconds, help = "Stop waiting after this time in all (86400)." }
local POLL = { "--poll", arg = "SECONDS", param = "poll", convert = seconds,
  help = "Time between two looks at a job (grows from 5 to 120)." }
local ROLE_OPTION = { "--role", arg = "ARN", param = "roleArn",
  is_required = true, example = ROLE,
  help = "IAM role with which Personalize reads the list." }
local JOBS = { "job", target = "arns", param = "dataDeletionJobArn",
  is_many = true, is_required = true, help = "ARNs or names of jobs. - reads " ..
  "them from standard input." }

local WAIT = { "--wait", help = "Wait until the jobs have ended." }
local MAX_PENDING = { "--max-pending", arg = "JOBS", param = "max_pending",
  convert = integer, help = "PENDING jobs of a dataset group at a time (5)." }
local OWNER = { "--expected-bucket-owner", arg = "ACCOUNT",
  param = "expected_bucket_owner",
  help = "Stop if the bucket is not this account's." }
local CLEANUP = { "--cleanup", help = "Remove the uploaded list when its jobs " ..
  "are COMPLETED." }

local function list(help)
  return { "list", param = "list", is_required = true, is_file = true,
    help = help or "File of user ids. - reads standard input." }
end

local function json(what)
  return { "--json", help = ("Print %s as JSON."):format(what) }
end

-- What every command takes.
M.GLOBAL = {
  { "--help", short = "-h", help = "Show this help." },
  { "--version", help = "Show the version." },
  { "--region", arg = "REGION", param = "region", example = "eu-west-1",
    help = "AWS region (default: AWS_REGION, then the profile)." },
  { "--profile", arg = "PROFILE", param = "profile",
    help = "Profile of ~/.aws/config (default: AWS_PROFILE, then " ..
    "AWS_DEFAULT_PROFILE)." },
  { "--endpoint-url", arg = "URL", param = "endpoint",
    help = "Send all requests to this endpoint." },
  { "--ca-bundle", arg = "FILE", param = "ca_bundle", is_file = true,
    help = "Certificates to trust (default: AWS_CA_BUNDLE)." },
  { "--quiet", short = "-q", help = "Print no progress and no notes." },
}

M.SHELLS = { "bash", "zsh", "fish" }

local GROUPS = {
  { "--dataset-group", arg = "ARN", target = "dataset_groups",
    param = "datasetGroupArn", is_many = true, is_required = true,
    unless = { "--dataset-groups-from", "--all-dataset-groups" },
    example = GROUP,
    help = "Dataset group to delete from. May be repeated." },
  { "--dataset-groups-from", arg = "FILE", is_file = true,
    help = "Take dataset groups from a file, an ARN a line." },
  { "--all-dataset-groups", param = "all_dataset_groups",
    help = "Take every dataset group of the account and region that is ACTIVE." },
  { "--except", arg = "ARN", param = "except", is_many = true, example = GROUP,
    help = "Of these, leave out this one. May be repeated." },
}
local BUCKET = { "--bucket", arg = "BUCKET", param = "bucket",
  is_required = true, example = "erasure",
  help = "S3 bucket to upload the list to." }
local PREFIX = { "--prefix", arg = "FOLDER", param = "prefix",
  help = "Folder in the bucket." }
local RUN_NAME = { "--name", arg = "NAME", param = "name", is_required = true,
  example = NAME, shape = NAME_SHAPE:format "1-46",
  help = "Name of the run. Its jobs and objects are named after it." }
local LOOK = {
  { "--strict", param = "strict", help = "Look at every version of every " ..
    "solution: older ones may still be trained." },
  { "--simulate", param = "simulate", help = "Ask IAM what the role's policies " ..
    "allow (needs iam:SimulatePrincipalPolicy)." },
  { "--allow-other-region", param = "allow_other_region", help = "Let a bucket " ..
    "in another region be a warning: jobs have read lists from it." },
}
local NOTES = {
  { "--ticket", arg = "TEXT", param = "ticket",
    help = "Your own id of the request, for the receipt." },
  { "--requester", arg = "TEXT", param = "requester",
    help = "Who asked for the deletion, for the receipt." },
  { "--received", arg = "DATE", param = "received",
    help = "When they asked, for the receipt (2026-11-24)." },
  { "--due", arg = "DATE", param = "due",
    help = "Until when it has to be done (30 days after --received)." },
}

-- An option that is not needed, or is not shown.
local function but(spec, changes)
  local copy = {}
  for name, value in pairs(spec) do
    copy[name] = value
  end
  for name, value in pairs(changes) do
    copy[name] = value
  end
  return copy
end

-- Options and lists of them as one list.
local function joined(...)
  local all = {}
  for _, spec in ipairs { ... } do
    if type(spec[1]) == "table" then
      for _, inner in ipairs(spec) do
        all[#all + 1] = inner
      end
    else
      all[#all + 1] = spec
    end
  end
  return all
end

-- Those that a look ahead takes and has no use for, so that one word makes one of
-- a whole command line.
local function unused(...)
  local all = joined(...)
  for i, spec in ipairs(all) do
    all[i] = but(spec, { is_hidden = true })
  end
  return all
end

local LIST_OPTIONS = { FORMAT, COLUMN, DELIMITER, UNIQUE, PART_SIZE }
local RECEIPT_FILE = { "--receipt", arg = "FILE", param = "receipt",
  is_file = true, help = "Write the receipt (JSON, mode 0600) to a file, as the " ..
  "run goes on. What the last run of this name wrote there is kept." }

--- In the order of the help: name, summary, perhaps a longer description,
-- arguments and options.
M.COMMANDS = {
  { "delete-users",
    summary = "Delete the users of a list from dataset groups.",
    description = "Delete the users of a list from dataset groups: check the " ..
      "list, upload it, create the jobs. If a run ends early, run the same " ..
      "command again: it goes on, and does nothing twice.",
    arguments = { list() },
    options = joined(LIST_OPTIONS, GROUPS, BUCKET, PREFIX, OWNER, ROLE_OPTION,
      RUN_NAME, TAG, NOTES, WAIT, MAX_WAIT, POLL, MAX_PENDING,
      { "--dry-run", param = "dry_run", help = "Check the options and the " ..
        "list offline, and show the receipt. Ask AWS nothing, change nothing." },
      { "--preflight", param = "preflight", help = "Look first, as personalize " ..
        "preflight does. Send nothing if there is a blocker." },
      LOOK, CLEANUP, RECEIPT_FILE, json "the receipt") },
  { "preflight",
    summary = "Look whether a deletion will work, and count.",
    description = "Look whether a deletion will work, and whether now is a " ..
      "good time: dataset groups and what runs in them, bucket, role, quotas. " ..
      "Changes nothing. Takes the options of delete-users. The exit status is " ..
      "0 if there is no blocker and 6 if there is one.",
    arguments = { but(list(), { is_required = false, help = "File of user " ..
      "ids, if its size and name are to be looked at. - reads standard input." })
    },
    options = joined(GROUPS, but(BUCKET, { is_required = false }), PREFIX,
      { "--location", arg = "S3-URI", param = "location",
        example = "s3://erasure/2026-11-24/users.csv",
        help = "In place of --bucket: a list that is in S3 already." },
      OWNER, ROLE_OPTION, but(RUN_NAME, { is_required = false }), MAX_PENDING,
      LIST_OPTIONS, LOOK, unused(TAG, NOTES, WAIT, MAX_WAIT, POLL, CLEANUP,
      { "--preflight", help = "" }, RECEIPT_FILE), json "the findings") },
  { "follow",
    summary = "Go on with a run of delete-users from its receipt.",
    description = "Go on with a run of delete-users from its receipt, without " ..
      "the list: look for its jobs, create those that are missing, wait, " ..
      "clean up, and bring the receipt up to date. A job is created only if " ..
      "its part of the list lies in S3 with the receipt's hash. The region " ..
      "is the receipt's.",
    arguments = { { "receipt", param = "receipt", is_required = true,
      is_file = true, help = "File that delete-users --receipt wrote. It is " ..
      "written as the run goes on. - reads standard input and prints." } },
    options = { WAIT, MAX_WAIT, POLL, MAX_PENDING, OWNER, TAG, CLEANUP,
      json "the receipt" } },
  { "check-list",
    summary = "Check a list of users. Works offline.",
    arguments = { list() },
    options = { FORMAT, COLUMN, DELIMITER, UNIQUE, PART_SIZE,
      json "the summary, or the faults," } },
  { "verify-receipt",
    summary = "Check that a receipt belongs to a list. Works offline.",
    description = "Check that a receipt belongs to a list. Works offline. " ..
      "The exit status is 0 if it does and 1 if it does not.",
    arguments = {
      { "receipt", is_required = true, is_file = true,
        help = "File that delete-users --receipt wrote." }, list() },
    options = { FORMAT, COLUMN, DELIMITER, UNIQUE, PART_SIZE, json "the result" } },
  { "check-absent",
    summary = "Check that no user of a list is in exports. Works offline.",
    description = "Check that no user of a list is in exports of datasets: " ..
      "in any column USER_ID of CSV files. Works offline. The exit status is " ..
      "0 if nobody is and 1 if somebody is.",
    arguments = { list(), { "export", target = "exports", param = "exports",
      is_many = true, is_required = true, is_file = true,
      help = "Exported CSV files. - reads standard input; compressed ones " ..
      "go through <(zcat FILE)." } },
    options = { FORMAT, COLUMN, DELIMITER,
      { "--export-column", arg = "COLUMN", param = "export_column",
        help = "Name of the exports' columns with user ids (USER_ID)." },
      { "--export-delimiter", arg = "CHAR", param = "export_delimiter",
        convert = delimiter, help = "What separates the exports' columns: , " ..
        "(the default) ; | or tab." },
      { "--export-escape", arg = "CHAR", param = "export_escape",
        convert = escape, help = "What stands before a quote in quotes: " ..
        "quote or backslash. By default a backslash there is an error." },
      json "the result" } },
  { "create",
    summary = "Create one data deletion job.",
    description = "Create one data deletion job for a list that is in S3 " ..
      "already, and print its ARN.",
    options = {
      { "--name", arg = "NAME", param = "jobName", is_required = true,
        example = NAME, shape = NAME_SHAPE:format "1-63",
        help = "Name of the job, unique in account and region." },
      { "--dataset-group", arg = "ARN", param = "datasetGroupArn",
        is_required = true, example = GROUP,
        help = "Dataset group to delete from." },
      { "--location", arg = "S3-URI", param = "dataSource.dataLocation",
        is_required = true, example = "s3://erasure/2026-11-24/users.csv",
        help = "The list: s3://bucket/folder/users.csv, or a folder." },
      ROLE_OPTION, TAG, json "the answer" } },
  { "describe",
    summary = "Show data deletion jobs.",
    arguments = { JOBS }, options = { json "each job (a line each)" } },
  { "list",
    summary = "List data deletion jobs, newest first.",
    options = {
      { "--dataset-group", arg = "ARN", param = "datasetGroupArn",
        example = GROUP, help = "Only the jobs of this dataset group." },
      json "each job (a line each)" } },
  { "wait",
    summary = "Wait until data deletion jobs have ended.",
    arguments = { JOBS },
    options = { MAX_WAIT, POLL, json "each job (a line each)" } },
  { "identity",
    summary = "Show the region and credentials in use, and their source.",
    options = { json "them" } },
  { "completion",
    summary = "Print a completion script for a shell.",
    description = "Print a completion script for a shell. In its start-up " ..
      "file, bash and zsh take: source <(personalize completion bash) (or " ..
      "zsh). fish takes: personalize completion fish | source",
    arguments = { { "shell", choices = M.SHELLS, is_required = true,
      help = "bash, zsh or fish." } } },
  { "help",
    summary = "Show the help of a command.",
    arguments = { { "topic", arg = "command", is_command = true,
      help = "The command. Without it, show the help of all." } } },
}

--- The command of that name, or nil.
---@param name? string
---@return table?
function M.find(name)
  for _, command in ipairs(M.COMMANDS) do
    if command[1] == name then
      return command
    end
  end
end

return M
