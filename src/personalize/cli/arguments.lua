--- The command line: which commands there are and what they take.
-- Knows options and help; refuses to know what a command does.

local core = require "personalize.core"
local status = require "personalize.cli.status"
local version = require "personalize.version"

local M = {}

local EXIT_CODES = [[
Exit status:
  0    done
  1    a job FAILED; verify-receipt: it is another list
  3    the list has faults
  4    waiting timed out: run the same command again to go on
  5    done in part: jobs are left to create, run the same command again
  129  ended by SIGHUP: run the same command again to go on
  130  ended by Ctrl-C (SIGINT): run the same command again to go on
  141  the reader of standard output went away
  143  ended by SIGTERM: run the same command again to go on
  252  a wrong parameter or usage, a file that cannot be used
  253  no or wrong configuration or credentials
  254  the service answered with an error
  255  anything else]]

local COMMON = "Options of every command (--region, --profile, " ..
  "--endpoint-url, --ca-bundle,\n--quiet) and the exit status: " ..
  "personalize --help"

-- Ends the parsing: text for standard output, or what is wrong.
local function stop(fields)
  error(fields, 0)
end

local function add_help(parser)
  parser:add_help(false)
  parser:flag "-h" "--help"
    :description "Show this help and exit."
    :action(function() stop { text = parser:get_help() .. "\n" } end)
end

local function integer(least)
  return function(value)
    local number = value:find "^%d+$" and tonumber(value)
    if not number or number < least then
      return nil, ("'%s' is not a whole number from %d up"):format(value, least)
    end
    return number
  end
end

local function seconds(value)
  local number = value:find "^%d+%.?%d*$" and tonumber(value)
  if not number then
    return nil, ("'%s' is not a number of seconds"):format(value)
  end
  return number
end

local DELIMITERS = { [","] = ",", [";"] = ";", ["|"] = "|", ["\t"] = "\t",
  ["\\t"] = "\t", tab = "\t", TAB = "\t" }

local function delimiter(value)
  local found = DELIMITERS[value]
  return found, not found and ("'%s' is none of , ; | and tab"):format(value)
end

local function tag(value)
  local key, text = value:match "^([^=]+)=(.*)$"
  if not key then
    return nil, "a tag is written KEY=VALUE"
  end
  return { tagKey = key, tagValue = text }
end

local function command(parser, name, summary, description)
  local found = parser:command(name)
    :summary(summary)
    :description(description or summary)
    :epilog(COMMON)
  add_help(found)
  return found
end

local function add_json(parser, what)
  parser:flag "--json"
    :description("Print " .. what .. " as JSON.")
end

local function add_list(parser)
  parser:argument "list"
    :description "File of user ids; - reads standard input."
  parser:option "--format"
    :description("csv (the default): the first line is USER_ID; " ..
      "lines: an id a line.")
    :choices { "csv", "lines" }
  parser:option "--column"
    :description "Take the ids from this column of a CSV file."
  parser:option "--delimiter"
    :argname "CHAR" :convert(delimiter)
    :description "What separates its columns: , (the default) ; | or tab."
  parser:flag "--unique"
    :description "Keep the first of each id only."
  parser:option "--part-size"
    :argname "BYTES"
    :convert(integer(1))
    :description "Cut the list into jobs of at most so many bytes (100 MB)."
end

local function add_tags(parser)
  parser:option "--tag"
    :argname "KEY=VALUE" :count "*" :target "tags" :convert(tag) :init(nil)
    :description "Tag the jobs; may be repeated."
end

local function add_waiting(parser)
  parser:option "--max-wait"
    :argname "SECONDS" :convert(seconds)
    :description "Wait at most so long, in all (86400)."
  parser:option "--poll"
    :argname "SECONDS" :convert(seconds)
    :description "Seconds between two looks (grows from 5 to 120)."
end

local function add_delete_users(parser)
  local found = command(parser, "delete-users",
    "Delete the users of a list from dataset groups.",
    "Delete the users of a list from dataset groups: check the list, upload " ..
    "it, create the jobs. To resume a run that ended early, run it again: " ..
    "nothing is done twice.")
  add_list(found)
  found:option "--dataset-group"
    :argname "ARN" :count "1+" :target "dataset_groups"
    :description "Dataset group to delete from; may be repeated."
  found:option "--bucket" :count "1"
    :description "S3 bucket to upload the list to."
  found:option "--prefix"
    :description "Folder in the bucket."
  found:option "--expected-bucket-owner" :argname "ACCOUNT"
    :description "Fail unless the bucket is this account's."
  found:option "--role" :argname "ARN" :count "1"
    :description "IAM role that lets Personalize read the list."
  found:option "--name" :count "1"
    :description "Name of the run; its jobs and objects carry it."
  add_tags(found)
  found:option "--ticket"
    :description "Your own id of the request, for the receipt."
  found:option "--requester"
    :description "Who asked, for the receipt."
  found:flag "--wait"
    :description "Wait until the jobs have ended."
  add_waiting(found)
  found:option "--max-pending" :argname "JOBS" :convert(integer(1))
    :description "PENDING jobs of a dataset group at a time (5)."
  found:flag "--dry-run"
    :description "Check everything, change nothing."
  found:flag "--cleanup"
    :description "Remove the uploaded list when its jobs are COMPLETED."
  found:option "--receipt" :argname "FILE"
    :description("Write the receipt (JSON, mode 0600) to a file. What the " ..
      "last run of this name wrote there is carried over.")
  add_json(found, "the receipt")
end

local function add_lists(parser)
  local found = command(parser, "check-list",
    "Check a list of users, offline.")
  add_list(found)
  add_json(found, "the summary")

  found = command(parser, "verify-receipt",
    "Tell whether a receipt is this list's, offline.",
    "Tell whether a receipt is this list's, offline: status 0 if it is, " ..
    "1 if not.")
  found:argument "receipt"
    :description "File that delete-users --receipt wrote."
  add_list(found)
end

local function add_jobs(parser)
  local found = command(parser, "create", "Create one data deletion job.",
    "Create one data deletion job, for a list that lies in S3; print its ARN.")
  found:option "--name" :count "1"
    :description "The job's name, unique in account and region."
  found:option "--dataset-group" :argname "ARN" :count "1"
    :description "Dataset group to delete from."
  found:option "--location" :argname "S3-URI" :count "1"
    :description "The list: s3://bucket/folder/users.csv, or a folder."
  found:option "--role" :argname "ARN" :count "1"
    :description "IAM role that lets Personalize read the list."
  add_tags(found)
  add_json(found, "the answer")

  found = command(parser, "describe", "Show data deletion jobs.")
  found:argument "arn" :args "+" :target "arns"
    :description "The jobs' ARNs; - reads them from standard input."
  add_json(found, "each job (a line each)")

  found = command(parser, "list", "List data deletion jobs, newest first.")
  found:option "--dataset-group" :argname "ARN"
    :description "Only those of this dataset group."
  add_json(found, "each job (a line each)")

  found = command(parser, "wait", "Wait until data deletion jobs have ended.")
  found:argument "arn" :args "+" :target "arns"
    :description "The jobs' ARNs; - reads them from standard input."
  add_waiting(found)
  add_json(found, "each job (a line each)")

  found = command(parser, "identity",
    "Show where region and credentials come from.")
  add_json(found, "it")
end

local function make(argparse)
  local parser = argparse("personalize",
    "Delete users from Amazon Personalize.", EXIT_CODES)
    :command_target "command"
    :usage_max_width(78):help_max_width(78)
  add_help(parser)
  parser:flag "--version"
    :description "Show the version and exit."
    :action(function() stop { text = "personalize " .. version .. "\n" } end)
  parser:option "--region"
    :description "AWS region (AWS_REGION, profile)."
  parser:option "--profile"
    :description("Profile of ~/.aws/config (AWS_PROFILE, " ..
      "AWS_DEFAULT_PROFILE).")
  parser:option "--endpoint-url" :argname "URL"
    :description "Endpoint of every service."
  parser:option "--ca-bundle" :argname "FILE"
    :description "Certificates to trust (AWS_CA_BUNDLE)."
  parser:flag "-q" "--quiet"
    :description "No progress, no notes; errors only."
  add_delete_users(parser)
  add_lists(parser)
  add_jobs(parser)
  local completion = command(parser, "completion",
    "Print a shell's completion script.")
  completion:argument "shell"
    :choices { "bash", "zsh", "fish" }
    :action(function(_, _, shell)
      stop { text = parser["get_" .. shell .. "_complete"](parser) }
    end)
  parser.error = function(at, message)
    local name = at:get_usage():match "^Usage: (personalize [%l-]+)" or
      "personalize"
    stop { fault = message .. "\nTry '" .. name .. " --help'." }
  end
  return parser
end

-- A fault, in which words of the command line are as they may be seen: a line
-- end in one of them is none of ours.
local function shown(fault, words)
  for _, word in ipairs(words) do
    local seen = core.printable(word)
    if seen ~= word then
      fault = fault:gsub(word:gsub("%W", "%%%0"), (seen:gsub("%%", "%%%%")))
    end
  end
  return fault
end

--- Reads a command line.
---@param arguments string[]
---@return table? options; nil where there is nothing more to do
---@return string? text for standard output
---@return string? fault what is wrong with the usage
function M.parse(arguments)
  local is_there, argparse = pcall(require, "argparse")
  if not is_there then
    stop { status = status.CONFIG, fault = "the library argparse is missing: " ..
      "'luarocks install argparse', or Debian's lua-argparse" }
  end
  local parser = make(argparse)
  local ok, found = pcall(parser.parse, parser, arguments)
  if ok then
    return found
  elseif type(found) ~= "table" then
    error(found, 0)
  end
  return nil, found.text, found.fault and shown(found.fault, arguments)
end

return M
