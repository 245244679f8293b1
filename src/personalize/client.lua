--- A client: settings, credentials and a transport, with a method for each
-- operation.
-- Knows what belongs to one client; refuses to know how a call is made.

local Error = require "personalize.error"
local call = require "personalize.call"
local core = require "personalize.core"
local create = require "personalize.create"
local settings = require "personalize.settings"

---@class personalize.Client
local Client = { __name = "personalize.Client" }
Client.__index = Client

-- A client holds its settings (credentials among them) in a function that
-- opens with this key alone, so that no walk over a client meets a secret. A
-- weak table of settings would do as well, but Lua 5.1 and LuaJIT never
-- collect a client that its own settings refer to: one in an on_event.
local KEY = {}

function Client.__tostring()
  return "personalize.Client"
end

local function unlock(client)
  local open = type(client) == "table" and rawget(client, KEY)
  local found = open and open(KEY)
  if not found then
    Error.raise { code = "ConfigError", kind = "client",
      message = "not a client: call methods with a colon, as in " ..
        "client:create_data_deletion_job{...}" }
  end
  return found
end

-- A client's settings as they are before its first call: what options and
-- environment say. For checks that ask nobody.
---@private
function Client.given(client)
  return unlock(client)
end

-- A client's settings, complete, for the rooms above this one (jobs, erase):
-- what they hold is not for anybody else, and changes.
---@private
function Client.settings_of(client, operation)
  local found = unlock(client)
  settings.check_phase(found, operation)
  if not found.service then
    local ok, raised = pcall(settings.open, found)
    if not ok then
      if Error.is_error(raised) then
        raised.operation = raised.operation or operation
      end
      Error.again(raised)
    end
  end
  return found
end

--- A client. Reads the environment, no files; makes no request.
---@param options? personalize.Options
---@return personalize.Client
---@nodiscard
function Client.new(options)
  if type(options) == "table" and rawget(options, KEY) then
    Error.refuse { { path = "", code = "type", message = "new is a function " ..
      "of the module: personalize.new{...}" } }
  end
  local found = settings.new(options)
  return setmetatable({ [KEY] = function(key)
    return key == KEY and found or nil
  end }, Client)
end

--- Ends kept connections and wipes the signing key. The client can be used
--- again; what is collected as garbage is closed by itself. Calls under way in
--- other coroutines get their answers, but make no further attempt. Inside
--- nginx kept connections are the worker's: they end when idle for 20 s.
function Client:close()
  local found = unlock(self)
  found.signed_with = nil
  if found.close then
    found.close()
  end
  if found.service then
    found.service:close()
    found.service = nil
  end
end

---@class personalize.Identity
---@field region string
---@field profile string the selected profile's name
---@field source string where the credentials came from
---@field access_key_id string its last four characters
---@field expiration? number seconds since 1970, UTC
---@field endpoint string URL

--- Where region and credentials came from: the thing to print when something
--- is odd. Asks the sources, makes no call of the service, shows no secret.
---@return personalize.Identity
function Client:identity()
  local found = Client.settings_of(self)
  local keys, failure =
    found.get_credentials(core.monotonic() + found.timeout)
  if not keys then
    Error.raise(failure)
  end
  return { region = found.region, profile = found.profile,
    source = keys.source or "the credentials option",
    access_key_id = keys.access_key_id:sub(-4),
    expiration = keys.expiration, endpoint = found.url }
end

--- What AWS answered beside the output.
---@class personalize.Meta
---@field operation string
---@field request_id? string AWS's id of the request
---@field status integer HTTP status
---@field attempts integer requests made
---@field endpoint string URL
---@field region string
---@field elapsed number seconds, all of the call
---@field reconciled? boolean true where the answer to a create was lost and
--- the job was found by looking for it

-- What is wrong with the name of an operation, or nil. Another service has some
-- that are looked for here.
local function operation_fault(operation, is_lenient)
  if type(operation) ~= "string" or #operation > 64 or
    not operation:find "^[A-Za-z][A-Za-z0-9_]*$" then
    return "is named like DescribeDatasetGroup"
  end
  local service, nearest = core.operation(operation)
  if service == "personalize" then
    return nil
  elseif service then
    return ("is %s, which belongs to another service, %s: this module calls " ..
      "Amazon Personalize itself alone"):format(operation, service)
  elseif is_lenient and not operation:find "_" then
    return nil
  end
  return ("is %s, which Amazon Personalize does not have%s"):format(operation,
    nearest and ("; did you mean %s?"):format(nearest) or
    ": if AWS has added it since, parameter_validation = false lets it pass")
end

--- Makes a call of any operation of Amazon Personalize, by AWS's name for it.
--- Input of those that this module makes calls of itself is checked before it is
--- sent, and written as the service wants it; of others, types that JSON has.
--- Without parameter_validation, a name that is not known here is sent, too.
---@param operation string such as "DescribeDatasetGroup"
---@param input? table
---@return table output members as the service names them; null is nil
---@return personalize.Meta meta
function Client:call(operation, input)
  local given = unlock(self) -- a client, before all else
  local fault = operation_fault(operation,
    given.parameter_validation == false)
  if fault then
    Error.refuse { { path = "operation", code = type(operation) == "string" and
      "pattern" or "type", message = fault } }
  end
  local found = Client.settings_of(self, operation)
  -- What a create needs beside a call is in a file of its own.
  local is_create = operation == "CreateDataDeletionJob"
  local run = is_create and create.run or call.run
  local output, result = run(found, operation, input, found.get_credentials,
    core.monotonic() + found.timeout)
  if not output then
    if not is_create then
      result.unclear = nil -- there is no job in question
    end
    Error.raise(result)
  end
  return output, result
end

-- The source of the limits below: botocore's model of the service, version
-- 2018-05-22, as of August 2026. Lengths are in Unicode code points.

---@class personalize.DataSource
---@field dataLocation? string at most 256 characters: an object,
--- "s3://bucket/folder/users.csv", or every .csv in a folder and its sub
--- folders, "s3://bucket/folder/"

---@class personalize.Tag
---@field tagKey string 1-128 letters, digits, spaces and _.:/=+-@
---@field tagValue string 0-256 of the same

---@class personalize.CreateDataDeletionJobInput
---@field jobName string 1-63 characters: letters, digits, - and _, the first
--- a letter or digit; unique in account and region
---@field datasetGroupArn string at most 256 characters
---@field dataSource personalize.DataSource the list of users to delete
---@field roleArn string at most 256 characters: the IAM role that may read
--- the list
---@field tags? personalize.Tag[]|table<string, string> at most 200 (50 on a
--- resource)

---@class personalize.CreateDataDeletionJobOutput
---@field dataDeletionJobArn string

--- Starts a job that deletes all references to the users of a list from a
--- dataset group. It runs in the service, for up to a day.
---
--- Errors: InvalidInputException, ResourceNotFoundException,
--- ResourceAlreadyExistsException, LimitExceededException (5 jobs PENDING in
--- the dataset group, or too many requests), ResourceInUseException,
--- TooManyTagsException.
---@param input personalize.CreateDataDeletionJobInput
---@return personalize.CreateDataDeletionJobOutput output
---@return personalize.Meta meta
function Client:create_data_deletion_job(input)
  return Client.call(self, "CreateDataDeletionJob", input)
end

---@class personalize.DescribeDataDeletionJobInput
---@field dataDeletionJobArn string at most 256 characters

---@class personalize.DataDeletionJob
---@field jobName? string
---@field dataDeletionJobArn? string
---@field datasetGroupArn? string
---@field dataSource? personalize.DataSource
---@field roleArn? string
---@field status? "PENDING"|"IN_PROGRESS"|"COMPLETED"|"FAILED"|string
---@field numDeleted? integer records (not users), once COMPLETED
---@field creationDateTime? number seconds since 1970, UTC
---@field lastUpdatedDateTime? number seconds since 1970, UTC
---@field failureReason? string when FAILED

---@class personalize.DescribeDataDeletionJobOutput
---@field dataDeletionJob personalize.DataDeletionJob

--- Tells a job's status.
---
--- Errors: InvalidInputException, ResourceNotFoundException.
---@param input personalize.DescribeDataDeletionJobInput
---@return personalize.DescribeDataDeletionJobOutput output
---@return personalize.Meta meta
function Client:describe_data_deletion_job(input)
  return Client.call(self, "DescribeDataDeletionJob", input)
end

---@class personalize.ListDataDeletionJobsInput
---@field datasetGroupArn? string at most 256 characters; without it, the jobs
--- of the account in the region
---@field nextToken? string of the page before; goes back as it came
---@field maxResults? integer 1-100

---@class personalize.DataDeletionJobSummary
---@field dataDeletionJobArn? string
---@field datasetGroupArn? string
---@field jobName? string
---@field status? "PENDING"|"IN_PROGRESS"|"COMPLETED"|"FAILED"|string
---@field creationDateTime? number seconds since 1970, UTC
---@field lastUpdatedDateTime? number seconds since 1970, UTC
---@field failureReason? string when FAILED

---@class personalize.ListDataDeletionJobsOutput
---@field dataDeletionJobs? personalize.DataDeletionJobSummary[] newest first
---@field nextToken? string absent on the last page

--- One page of jobs.
---
--- Errors: InvalidInputException, InvalidNextTokenException.
---@param input? personalize.ListDataDeletionJobsInput
---@return personalize.ListDataDeletionJobsOutput output
---@return personalize.Meta meta
function Client:list_data_deletion_jobs(input)
  return Client.call(self, "ListDataDeletionJobs", input)
end

---@class personalize.TagResourceInput
---@field resourceArn string at most 256 characters
---@field tags personalize.Tag[]|table<string, string> at most 200 (50 on a
--- resource)

--- Adds tags to a resource, or changes their values.
---
--- Errors: InvalidInputException, ResourceNotFoundException,
--- TooManyTagsException, ResourceInUseException, LimitExceededException.
---@param input personalize.TagResourceInput
---@return table output empty
---@return personalize.Meta meta
function Client:tag_resource(input)
  return Client.call(self, "TagResource", input)
end

---@class personalize.UntagResourceInput
---@field resourceArn string at most 256 characters
---@field tagKeys string[] at most 200

--- Takes tags off a resource.
---
--- Errors: InvalidInputException, ResourceNotFoundException,
--- TooManyTagKeysException, ResourceInUseException.
---@param input personalize.UntagResourceInput
---@return table output empty
---@return personalize.Meta meta
function Client:untag_resource(input)
  return Client.call(self, "UntagResource", input)
end

---@class personalize.ListTagsForResourceInput
---@field resourceArn string at most 256 characters

---@class personalize.ListTagsForResourceOutput
---@field tags? personalize.Tag[]

--- Lists the tags of a resource.
---
--- Errors: InvalidInputException, ResourceNotFoundException,
--- ResourceInUseException.
---@param input personalize.ListTagsForResourceInput
---@return personalize.ListTagsForResourceOutput output
---@return personalize.Meta meta
function Client:list_tags_for_resource(input)
  return Client.call(self, "ListTagsForResource", input)
end

return Client
