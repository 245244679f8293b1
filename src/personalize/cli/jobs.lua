--- The commands for single jobs: create, describe, list, wait, identity.
-- Knows how jobs are shown; refuses to know streams and exit statuses.

local core = require "personalize.core"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = {}

local function print_pairs(run, values)
  for _, pair in ipairs(values) do
    if pair[2] ~= nil then
      run.out(("%-14s%s\n"):format(pair[1], core.printable(pair[2])))
    end
  end
end

local function print_job(run, job)
  if run.options.json then
    run.out(text.json(job) .. "\n")
    return
  end
  print_pairs(run, {
    { "job", job.jobName }, { "arn", job.dataDeletionJobArn },
    { "dataset group", job.datasetGroupArn },
    { "list", job.dataSource and job.dataSource.dataLocation },
    { "role", job.roleArn }, { "status", job.status },
    { "deleted", job.numDeleted and
      text.plural(job.numDeleted, "record") },
    { "reason", job.failureReason },
    { "created", text.time(job.creationDateTime) },
    { "updated", text.time(job.lastUpdatedDateTime) },
  })
end

-- The words of standard input.
local function read_words(run)
  local parts, words = {}, {}
  repeat
    local block, why = run.world.read()
    if why then
      error({ fault = why, status = status.USAGE }, 0)
    end
    parts[#parts + 1] = block
  until not block
  for word in table.concat(parts):gmatch "%S+" do
    words[#words + 1] = word
  end
  if #words == 0 then
    error({ fault = "no ARN on standard input", status = status.USAGE }, 0)
  end
  return words
end

-- The ARNs of the command line; "-" stands for those on standard input.
local function each_arn(run)
  local arns, is_read = {}, false
  for _, arn in ipairs(run.options.arns) do
    if arn ~= "-" then
      arns[#arns + 1] = arn
    elseif not is_read then
      is_read = true
      for _, word in ipairs(read_words(run)) do
        arns[#arns + 1] = word
      end
    end
  end
  return ipairs(arns)
end

function M.create(run)
  local options = run.options
  local output, meta = run:client():create_data_deletion_job {
    jobName = options.name,
    datasetGroupArn = options.dataset_group,
    dataSource = { dataLocation = options.location },
    roleArn = options.role,
    tags = options.tags,
  }
  if options.json then
    run.out(text.json { dataDeletionJobArn = output.dataDeletionJobArn,
      requestId = meta.request_id, reconciled = meta.reconciled } .. "\n")
  else
    run.out(core.printable(output.dataDeletionJobArn) .. "\n")
  end
end

function M.describe(run)
  local client = run:client()
  for i, arn in each_arn(run) do
    local job = client:describe_data_deletion_job {
      dataDeletionJobArn = arn }.dataDeletionJob
    if i > 1 and not run.options.json then
      run.out "\n"
    end
    print_job(run, job)
  end
end

function M.list(run)
  local row = "%-12s%-22s%s\n"
  local is_first = true
  for job in run:client():data_deletion_jobs {
    datasetGroupArn = run.options.dataset_group } do
    if run.options.json then
      print_job(run, job)
    else
      if is_first then
        run.out(row:format("STATUS", "CREATED", "JOB"))
        is_first = false
      end
      run.out(row:format(core.printable(job.status or "-"),
        text.time(job.creationDateTime),
        core.printable(job.dataDeletionJobArn or job.jobName or "-")))
    end
  end
end

-- One after the other: all have to end, and the time is for all of them.
function M.wait(run)
  local client, options = run:client(), run.options
  local ends = run.world.now() + (options.max_wait or 86400)
  local failed = status.DONE
  local arns = {}
  for i, arn in each_arn(run) do
    arns[i] = arn
  end
  local function show(is, done)
    run:progress { phase = "wait", jobs = #arns, jobs_done = done,
      statuses = is and { [is] = 1 } or nil }
  end
  for i, arn in ipairs(arns) do
    show(nil, i - 1)
    local ok, job = pcall(client.wait_for_data_deletion_job, client, arn, {
      max_wait = math.max(ends - run.world.now(), 0),
      delay = options.poll, max_delay = options.poll,
      on_status = function(is) show(is, i - 1) end,
    })
    if not ok and status.of(status.normal(job)) ~= status.FAILED then
      error(job, 0)
    elseif not ok then
      failed = status.FAILED
      run:say(job)
      job = job.job or { dataDeletionJobArn = arn }
    end
    show(nil, i)
    run:clear()
    print_job(run, job)
  end
  return failed
end

function M.identity(run)
  local found = run:client():identity()
  if run.options.json then
    run.out(text.json(found) .. "\n")
    return
  end
  print_pairs(run, {
    { "region", found.region }, { "profile", found.profile },
    { "credentials", found.source },
    { "access key", "..." .. found.access_key_id },
    { "expires", found.expiration and text.time(found.expiration) },
    { "endpoint", found.endpoint },
  })
end

return M
