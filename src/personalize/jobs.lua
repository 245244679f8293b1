--- Data deletion jobs over time: all pages of them, and the wait for one.
-- Knows how often to look, what passes by itself, and when to give up; refuses
-- to know how a call is made.

local Client = require "personalize.client"
local Error = require "personalize.error"
local call = require "personalize.call"
local callback = require "personalize.callback"
local core = require "personalize.core"
local create = require "personalize.create"
local pace = require "personalize.pace"
local pages = require "personalize.pages"

-- Made methods of a client by init.
---@class personalize.Client
local methods = {}

--- Every job of a dataset group, or of the account in the region, newest
--- first: `for job in client:data_deletion_jobs() do ... end`. A page is asked
--- for when the one before is used up. After an error the iterator can be
--- called again: it asks for the same page.
---
--- Errors: those of list_data_deletion_jobs; ResponseError where the service
--- gives a token twice.
---@param input? personalize.ListDataDeletionJobsInput `maxResults` is the size
--- of a page; `nextToken` is where to start
---@return fun(): personalize.DataDeletionJobSummary? next nil at the end
function methods:data_deletion_jobs(input)
  if input ~= nil and type(input) ~= "table" then
    Error.refuse { { path = "input", code = "type", message = "of " ..
      "data_deletion_jobs is a table, such as { datasetGroupArn = ... }" } }
  end
  return pages.each(self, "ListDataDeletionJobs", "dataDeletionJobs", input)
end

-- -- Waiting ------------------------------------------------------------------

-- A look has so much time however little is left of max_wait.
local LOOK_LEAST = 5

local DEFAULTS = { max_wait = 86400, delay = pace.FIRST,
  max_delay = pace.MOST }
local OPTIONS = { "max_wait", "on_status", "delay", "max_delay" }

-- What is wrong with an option, or nil.
local function fault_of(name, value)
  if name == "on_status" then
    return type(value) ~= "function" and "is a function" or nil
  elseif not DEFAULTS[name] then
    local nearest = type(name) == "string" and core.nearest(name, OPTIONS)
    return ("is unknown: wait_for_data_deletion_job has no option %s%s")
      :format(tostring(name), nearest and ": did you mean " .. nearest .. "?" or
      ""), "unknown"
  elseif type(value) ~= "number" or value ~= value or value < 0 or
    name ~= "max_wait" and value == 0 then
    return "is a number of seconds"
  end
end

-- The options, complete. Raises all that is wrong with the arguments.
local function check(arn, options)
  local faults, found = {}, {}
  local function add(path, message, code)
    faults[#faults + 1] = { path = path, code = code or "type",
      message = message }
  end
  if type(arn) ~= "string" then
    add("arn", "is a job's ARN, the first argument of " ..
      "wait_for_data_deletion_job")
  end
  if options ~= nil and type(options) ~= "table" then
    add("options", "is a table, such as { max_wait = 3600 }")
    options = nil
  end
  for name, default in pairs(DEFAULTS) do
    found[name] = default
  end
  for name, value in pairs(options or {}) do
    local wrong, code = fault_of(name, value)
    if wrong then
      add(core.printable(name), wrong, code)
    end
    found[name] = value
  end
  if faults[1] then
    table.sort(faults, function(a, b) return a.path < b.path end)
    Error.refuse(faults)
  end
  return found
end

local function interrupt(job, status, e)
  if e then
    e.job = e.job or job
    Error.raise(e)
  end
  Error.raise { code = "InterruptedError", kind = "client",
    operation = "DescribeDataDeletionJob", retryable = false, job = job,
    message = ("interrupted while waiting for a job (%s); it goes on at " ..
      "AWS: wait again to follow it"):format(status or "status not known") }
end

local function fail(settings, job)
  Error.raise { code = "DataDeletionJobFailed", kind = "client",
    operation = "DescribeDataDeletionJob", retryable = false, job = job,
    message = ("the job %s FAILED: %s"):format(job.jobName or "",
      call.shown(settings, job.failureReason or
        "the service gave no reason")) }
end

local function time_out(seconds, job, status, failure)
  Error.raise { code = "WaitTimeoutError", kind = "client",
    operation = "DescribeDataDeletionJob", retryable = true, job = job,
    cause = failure,
    message = ("after %g s the job has not ended (%s)%s; it goes on " ..
      "at AWS: wait again to follow it"):format(seconds,
      status or "status not known", failure and
      ", and the last look failed: " .. failure.code or "") }
end

-- Tells a watcher, whose error ends the wait.
local function tell(watcher, status, job)
  local ok, e = callback.call("InterruptedError", "on_status", watcher, status,
    job)
  if not ok then
    e.job = e.job or job
    e.operation = e.operation or "DescribeDataDeletionJob"
    Error.raise(e)
  end
end

---@class personalize.WaitOptions
---@field max_wait? number seconds in all, default 86400 (a day); 0 looks once
---@field on_status? fun(status: string, job: personalize.DataDeletionJob)
--- called at the first look and whenever the status has changed; its error ends
--- the wait
---@field delay? number seconds between the first two looks, default 5
---@field max_delay? number seconds that this grows to, default 120

--- Looks at a job until it is COMPLETED. Failures that pass (throttling, the
--- network) are waited out, too.
---
--- Errors: DataDeletionJobFailed (its reason in the message),
--- WaitTimeoutError, InterruptedError (Ctrl-C, or an nginx worker that ends);
--- all of these with the job as last seen in `job`, and the last two leave the
--- job going on. What does not pass by itself, such as
--- ResourceNotFoundException, is raised at once; but a job that this client
--- created less than a minute ago is waited for.
---@param arn string of the job
---@param options? personalize.WaitOptions
---@return personalize.DataDeletionJob job
function methods:wait_for_data_deletion_job(arn, options)
  local found = Client.settings_of(self)
  local wanted = check(arn, options)
  local started = core.monotonic()
  local ends = started + wanted.max_wait
  local next_delay = pace.delays(wanted.delay, wanted.max_delay)
  local job, status

  repeat
    if pace.is_ending() then
      interrupt(job, status)
    end
    local now = core.monotonic()
    local output, failure = call.run(found, "DescribeDataDeletionJob",
      { dataDeletionJobArn = arn }, found.get_credentials,
      now + math.min(found.timeout, math.max(ends - now, LOOK_LEAST)))
    if output then
      failure, job = nil, output.dataDeletionJob
      if job.status ~= status then
        status = job.status
        if wanted.on_status and status then
          tell(wanted.on_status, status, job)
        end
      end
    elseif failure.code == "InterruptedError" then
      interrupt(job, status)
    elseif not pace.is_passing(failure, job ~= nil) and not (
      failure.code == "ResourceNotFoundException" and
      create.is_new(found, arn)) then
      failure.unclear, failure.job = nil, job
      Error.raise(failure)
    end

    if status == "COMPLETED" then
      return job
    elseif status == "FAILED" then
      fail(found, job)
    end
    local left = ends - core.monotonic()
    if left <= 0 then
      time_out(wanted.max_wait, job, status, failure)
    end
    local pause = math.min(left, next_delay())
    call.tell(found, { name = "wait", operation = "DescribeDataDeletionJob",
      status = status, code = failure and failure.code, delay = pause })
    local has_rested, e = pace.rest(found.sleep, pause)
    if not has_rested then
      interrupt(job, status, e)
    end
  until false
end

return methods
