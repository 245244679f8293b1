--- A client: settings, credentials and a transport, with a method for each
-- operation.
-- Knows what belongs to one client; refuses to know how a call is made.

local Error = require "personalize.error"
local call = require "personalize.call"
local config = require "personalize.config"
local core = require "personalize.core"
local create = require "personalize.create"
local files = require "personalize.files"
local nginx = require "personalize.transport.nginx"

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

local function settings(client)
  local open = type(client) == "table" and rawget(client, KEY)
  local found = open and open(KEY)
  if not found then
    Error.raise { code = "ConfigError", kind = "client",
      message = "not a client: call methods with a colon, as in " ..
        "client:create_data_deletion_job{...}" }
  end
  return found
end

-- A function given as credentials: asked for each attempt, as its owner knows
-- best how long an answer is good.
local function from_function(given)
  local function unfit(message, cause)
    return nil, { code = "CredentialsError", kind = "client",
      message = message, cause = cause }
  end
  return function()
    local ok, found = pcall(given)
    if not ok then
      -- What it raised may hold a secret: it is kept apart from the text.
      return unfit("the credentials function raised an error", found)
    end
    local fault = type(found) ~= "table" and "did not return a table" or
      config.credentials_fault(found)
    if fault then
      return unfit("the credentials function: " .. fault)
    end
    return found
  end
end

-- The dictionary in which the workers keep credentials together.
local function dict_of(found)
  local dict = ngx.shared[found.shared_dict]
  if not dict then
    Error.raise { code = "ConfigError", kind = "client", message =
      ("shared_dict names a dictionary that nginx.conf does not have: put " ..
        "lua_shared_dict %s 1m; into its http block"):format(
        found.shared_dict) }
  end
  return dict
end

-- Credentials by AWS's chain, kept and kept fresh. Its sources are loaded here:
-- most processes that are given credentials never need them.
local function from_chain(found)
  local cache = require "personalize.credentials.cache"
  local chain = require "personalize.credentials.chain"
  local world = require "personalize.credentials.world"
  local services = {}
  -- One of its own for each fetch: those of two calls may overlap.
  local function new_world(deadline)
    return world.new(found, config.env, services, deadline)
  end
  local share
  if found.shared_dict then
    local fingerprint = require "personalize.credentials.fingerprint"
    local shared = require "personalize.credentials.shared"
    local dict = dict_of(found)
    -- The hash is of the very files that the fetch goes by.
    share = function(deadline)
      local made = new_world(deadline)
      return shared.new { dict = dict, sleep = found.sleep, warn = made.warn,
        key = "personalize:" .. fingerprint.of(made),
        fetch = function() return chain.fetch(made) end }
    end
  end
  local kept = cache.new(function(deadline)
    return chain.fetch(new_world(deadline))
  end, { gate = found.gate, share = share })
  found.cache = kept
  found.invalidate = function(access_key_id)
    kept:invalidate(access_key_id)
  end
  return function(deadline)
    return kept:get(deadline)
  end
end

-- A sleep of the caller's interrupts only by an explicit false; many sleeps
-- return nothing.
local function tolerant(sleep)
  return function(seconds)
    return sleep(seconds) ~= false
  end
end

-- Makes the transport of the caller, whose requests have a list of headers,
-- from the loop's, whose requests have them as text.
local function with_headers(transport)
  return function(request)
    local headers = {}
    for name, value in request.head:gmatch("([^:]+): ([^\r]*)\r\n") do
      headers[#headers + 1] = { name, value }
    end
    request.head, request.headers = nil, headers
    return transport(request)
  end
end

local function no_region(found)
  Error.raise { code = "NoRegionError", kind = "client",
    message = ("no region: give the region option, set AWS_REGION, or " ..
      "write region into the profile %s%s"):format(found.profile,
      found.hint and found.hint(config.env) or "") }
end

-- The settings that depend on where this runs; a transport of the caller's
-- leaves only the waiting.
local function settle(found)
  local in_nginx = nginx.is_here()
  found.sleep = found.sleep and tolerant(found.sleep) or
    in_nginx and nginx.sleep or core.sleep
  if in_nginx then
    found.gate, found.hint = nginx.gate, nginx.hint
    found.run, found.resolve = nginx.run, nginx.resolve
  elseif found.shared_dict then
    Error.raise { code = "ConfigError", kind = "client", message =
      "shared_dict works only inside nginx: it names a lua_shared_dict, in " ..
      "which nginx's workers keep credentials together" }
  end
  if found.transport then
    found.transport = with_headers(found.transport)
  elseif in_nginx then
    if found.ca_bundle_is_argument then
      Error.raise { code = "ConfigError", kind = "client", message =
        "inside nginx ca_bundle has no effect: name the file in nginx.conf, " ..
        "as lua_ssl_trusted_certificate" }
    end
    found.transport = require("personalize.transport.cosocket").send
    found.refusal = nginx.refusal
  else
    found.transport, found.close =
      require("personalize.transport.curl").new()
  end
end

-- Refuses to begin where nothing can wait.
local function check_phase(found, operation)
  local refusal = found.refusal and found.refusal()
  if refusal then
    refusal.operation = operation
    Error.raise(refusal)
  end
end

local function warn_of_ca_bundle(found)
  if found.refusal and found.ca_bundle and found.on_event then
    pcall(found.on_event, { name = "warning", message = "inside nginx the " ..
      "ca_bundle of environment and profile has no effect; nginx trusts " ..
      "what lua_ssl_trusted_certificate names" })
  end
end

-- Completes the settings: from the shared files, and where no region is set,
-- from the instance's metadata. At the first call, since a client may be made
-- where no file can be read yet.
local function complete(found)
  local shared, failure = files.load(config.env, files.read)
  if not shared then
    Error.raise(failure)
  end
  config.complete(found, shared)
  if not found.get_credentials then
    found.shared = shared -- for the first fetch
    found.get_credentials = from_chain(found)
  end
  if not found.region then
    local world = require "personalize.credentials.world"
    local instance = require "personalize.credentials.instance"
    found.region = instance.region(world.new(found, config.env, {}))
  end
  found.is_complete = true
  warn_of_ca_bundle(found)
end

-- As long as others wait for the coroutine that makes a client's first call;
-- it may be gone.
local PATIENCE = 5

-- Completes the settings once, whoever calls at the same time.
local function complete_once(found)
  while not found.is_complete do
    local turn = found.completing
    if not turn or core.monotonic() >= turn.patience then
      turn = { gate = found.gate and found.gate(),
        patience = core.monotonic() + (found.gate and PATIENCE or 0) }
      found.completing = turn
      local ok, raised = pcall(complete, found)
      if found.completing == turn then
        found.completing = nil
      end
      if turn.gate then
        turn.gate:open()
      end
      if not ok then
        error(raised, 0)
      end
    else
      turn.gate:wait(turn.patience - core.monotonic())
    end
  end
end

-- What needs a region.
local function open(found)
  complete_once(found)
  if found.service then
    return -- another coroutine was faster
  elseif not found.region then
    no_region(found)
  end
  local url, wrong = core.endpoint { region = found.region,
    endpoint = found.endpoint, use_fips = found.use_fips,
    use_dualstack = found.use_dualstack }
  if not url then
    Error.raise { code = "ConfigError", kind = "client", message = wrong }
  end
  local service
  service, wrong = core.service { endpoint = url, region = found.region,
    signing_name = "personalize", target_prefix = "AmazonPersonalize",
    user_agent = found.user_agent,
    adaptive = found.retry_mode == "adaptive",
    keep_clock = found.disable_clock_skew_correction }
  if not service then
    Error.raise { code = "ConfigError", kind = "client", message = wrong }
  end
  found.service, found.url = service, service:url()
end

-- A client's settings, complete, for the rooms above this one (jobs, erase):
-- what they hold is not for anybody else, and changes.
---@private
function Client.settings_of(client, operation)
  local found = settings(client)
  check_phase(found, operation)
  if not found.service then
    open(found)
  end
  return found
end

--- A client. Reads the environment, no files; makes no request.
---@param options? personalize.Options
---@return personalize.Client
---@nodiscard
function Client.new(options)
  local found = config.resolve(options)
  local given = found.credentials
  found.credentials = nil
  if type(given) == "table" then
    found.get_credentials = function() return given end
  elseif given then
    found.get_credentials = from_function(given)
    -- Asking it again is all there is to do.
    found.invalidate = function() end
  end
  settle(found)
  return setmetatable({ [KEY] = function(key)
    return key == KEY and found or nil
  end }, Client)
end

--- Ends kept connections and wipes the signing key. The client can be used
--- again; what is collected as garbage is closed by itself. Calls under way in
--- other coroutines get their answers, but make no further attempt. Inside
--- nginx kept connections are the worker's: they end when idle for 20 s.
function Client:close()
  local found = settings(self)
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

--- Makes a call of any operation of Amazon Personalize. Input of the six
--- operations below is checked before it is sent, and written as the service
--- wants it; of others, types that JSON has.
---@param operation string such as "DescribeDatasetGroup"
---@param input? table
---@return table output members as the service names them; null is nil
---@return personalize.Meta meta
function Client:call(operation, input)
  settings(self) -- a client, before all else
  if type(operation) ~= "string" or not operation:find("^%a%w*$") or
    #operation > 64 then
    Error.raise { code = "ParamValidationError", kind = "client",
      message = "an operation is named like DescribeDatasetGroup" }
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
---@field nextToken? string of the page before, at most 1500 characters
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
