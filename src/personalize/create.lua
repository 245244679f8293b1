--- A create is answered once.
-- CreateDataDeletionJob has no client token: after an attempt that may have
-- been done, a refusal can mean that it was. Knows where to look for such a
-- job and when it is the caller's; refuses to know how calls are made.

local call = require "personalize.call"
local core = require "personalize.core"

local M = {}

-- Of the call's time, what attempts may not use up: it is for looking.
local KEPT_SHARE, KEPT_MOST = 0.25, 10
-- Lists may lag behind; so more than one look, with pauses between them.
local PAUSES = { 0.2, 0.5, 1, 2 }
-- A job's date is the service's clock and has few digits.
local DATE_SLACK = 60
-- Seconds for which a describe may not know a job that was just created.
local NEW_FOR = 60

-- One name for two things.
local QUOTA_HINT = " (either requests came too fast, or the dataset group " ..
  "has its 5 PENDING jobs: then wait until one has started)"

-- The summary of the job of that name in the dataset group, or anywhere: nil
-- where no page has it, nil and an error's fields where a page could not be
-- had.
local function find(settings, name, dataset_group, credentials, deadline)
  local token
  local seen = {}
  repeat
    local page, failure = call.run(settings, "ListDataDeletionJobs", {
      datasetGroupArn = dataset_group, maxResults = 100, nextToken = token,
    }, credentials, deadline)
    if not page then
      return nil, failure
    end
    for _, job in ipairs(page.dataDeletionJobs or {}) do
      if job.jobName == name then
        return job
      end
    end
    token = page.nextToken
    if token == nil or token == "" or seen[token] then
      break -- the last page, or the same ones again and again
    end
    seen[token] = true
  until false
end

-- The job, described: nil and an error's fields where that failed.
local function describe(settings, summary, credentials, deadline)
  local output, failure = call.run(settings, "DescribeDataDeletionJob",
    { dataDeletionJobArn = summary.dataDeletionJobArn }, credentials, deadline)
  return output and output.dataDeletionJob, failure
end

-- What a job is known by. Taken before the call: the table is the caller's,
-- who may change it while a transport of his own waits.
local function identity(input)
  if type(input) ~= "table" then
    return {}
  end
  local source = rawget(input, "dataSource")
  return { name = rawget(input, "jobName"),
    group = rawget(input, "datasetGroupArn"), role = rawget(input, "roleArn"),
    location = type(source) == "table" and rawget(source, "dataLocation") }
end

-- Why the job is not the one this call created, or nil when it is.
local function difference(job, wanted, started)
  if job.datasetGroupArn ~= wanted.group then
    return "it is of another dataset group"
  end
  if (job.dataSource or {}).dataLocation ~= wanted.location then
    return "its list lies elsewhere"
  end
  if job.roleArn ~= wanted.role then
    return "it has another role"
  end
  if not job.creationDateTime or
    job.creationDateTime < started - DATE_SLACK then
    return "it is older than this call"
  end
end

-- Looks until it is settled or the time is up. Answers the ARN; or nil and,
-- where that is settled, the job that was found and why it is another; or
-- nil, nil and true, or a sleep's error, where the look was interrupted.
local function look(settings, wanted, credentials, deadline, taken, started)
  for i = 1, #PAUSES + 1 do
    local summary, failure = find(settings, wanted.name, wanted.group,
      credentials, deadline)
    if not summary and not failure and taken then
      -- Names are unique in the account: another dataset group may have it.
      summary, failure = find(settings, wanted.name, nil, credentials,
        deadline)
    end
    if summary then
      local job
      job, failure = describe(settings, summary, credentials, deadline)
      if job then
        -- By the service's clock, which the last answer told.
        local service = settings.service -- none, if closed meanwhile
        local why = difference(job, wanted,
          started + (service and service:state().skew or 0))
        return not why and summary.dataDeletionJobArn or nil, job, why
      end
    end
    local pause = PAUSES[i]
    if failure and failure.code == "InterruptedError" then
      return nil, nil, true
    elseif not pause or core.monotonic() + pause >= deadline then
      return nil
    end
    local ok, e = settings.sleep(pause)
    if not ok then
      return nil, nil, e or true
    end
  end
end

-- The error of a call that was interrupted while it looked: by an error of the
-- caller's sleep, or by Ctrl-C.
local function interrupted(result, e)
  if type(e) == "table" then
    e.operation = e.operation or result.operation
    e.attempts = e.attempts or result.attempts
    return e
  end
  return { code = "InterruptedError", kind = "client",
    operation = result.operation, attempts = result.attempts,
    retryable = false, message = ("interrupted while looking for the job, " ..
      "after %s: %s"):format(result.code, result.message) }
end

-- After an unclear attempt the job is looked for before an error is believed.
local function make(settings, operation, input, credentials, deadline)
  local now = core.monotonic()
  local kept = math.min(KEPT_MOST, (deadline - now) * KEPT_SHARE)
  local started, wanted = core.now(), identity(input)
  local output, result = call.make(settings, operation, input, credentials,
    deadline - kept)
  if not output and result.code == "LimitExceededException" then
    result.message = result.message .. QUOTA_HINT
  end
  if output or not result.unclear then
    return output, result
  end

  local arn, job, why
  if result.code ~= "InterruptedError" then
    arn, job, why = look(settings, wanted, credentials, deadline,
      result.code == "ResourceAlreadyExistsException", started)
  end
  if arn then
    return { dataDeletionJobArn = arn }, {
      operation = operation,
      attempts = result.attempts,
      endpoint = settings.url,
      region = settings.region,
      elapsed = core.monotonic() - now,
      reconciled = true,
    }
  elseif job then
    result.unclear = nil
    result.message = ("%s; a job of that name was found, but %s: %s")
      :format(result.message, why, job.dataDeletionJobArn or "no ARN")
    return nil, result
  elseif why then
    result = interrupted(result, why)
  end
  result.unclear = true
  result.message = result.message ..
    "; the job may have been created all the same: look for it by its name"
  return nil, result
end

-- Keeps in mind that a job was just created. What is older than two such spans
-- of time is forgotten, so that this does not grow.
local function remember(settings, arn)
  local now, recent = core.monotonic(), settings.recent
  if not recent or now - recent.since > NEW_FOR then
    recent = { since = now, late = {}, early = recent and recent.late or {} }
    settings.recent = recent
  end
  recent.late[arn] = now
end

--- Did a client create this job less than a minute ago? Until then a describe may
-- say that there is no such job.
---@param settings table
---@param arn string
---@return boolean
function M.is_new(settings, arn)
  local recent = settings.recent
  local at = recent and (recent.late[arn] or recent.early[arn])
  return at ~= nil and core.monotonic() - at < NEW_FOR
end

--- Makes a CreateDataDeletionJob; the arguments and results of `call.run`.
function M.run(settings, operation, input, credentials, deadline)
  local started = core.monotonic()
  local output, result = make(settings, operation, input, credentials,
    deadline)
  if output then
    remember(settings, output.dataDeletionJobArn)
  end
  local given, told = call.finish(settings, operation, started, output,
    result)
  if output and not given then -- Ctrl-C, while a watcher was told
    told.message = told.message .. "; the job was created: " ..
      tostring(output.dataDeletionJobArn)
  end
  return given, told
end

return M
