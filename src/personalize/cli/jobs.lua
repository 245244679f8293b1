--- The commands for single jobs: create, describe, list, wait, identity.
-- Knows how jobs are shown; refuses to know streams and exit statuses.

local core = require "personalize.core"
local names = require "personalize.names"
local status = require "personalize.cli.status"
local text = require "personalize.cli.text"

local M = { check = {} }

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

local function refuse(words)
  error({ fault = words, status = status.USAGE, has_lines = true }, 0)
end

-- The words of standard input.
local function read_words(run)
  local parts, words = {}, {}
  repeat
    local block, why = run.world.read()
    if why then
      refuse(why)
    end
    parts[#parts + 1] = block
  until not block
  for word in table.concat(parts):gmatch "%S+" do
    words[#words + 1] = word
  end
  if #words == 0 then
    refuse "no job on standard input"
  end
  return words
end

-- The jobs of the command line; "-" stands for those on standard input.
local function words_of(run)
  local words, is_read = {}, false
  for _, word in ipairs(run.options.arns) do
    if word ~= "-" then
      words[#words + 1] = word
    elseif not is_read then
      is_read = true
      for _, its in ipairs(read_words(run)) do
        words[#words + 1] = its
      end
    end
  end
  return words
end

-- The ARNs of jobs that are called by name: one look at the list finds all.
local function look_up(client, wanted)
  for job in client:data_deletion_jobs { maxResults = 100 } do
    local found = wanted[job.jobName]
    if found and job.dataDeletionJobArn then
      found[#found + 1] = job.dataDeletionJobArn
    end
  end
end

-- Jobs that cannot be what is meant.
local function check_words(run, words)
  local faults, wanted = {}, {}
  for i, word in ipairs(words) do
    local reason
    if word:find "^arn:" then
      local arn
      arn, reason = names.job(word)
      reason = reason or names.elsewhere(arn, run:region())
    elseif #word <= 63 and word:find "^[A-Za-z0-9][A-Za-z0-9_%-]*$" then
      wanted[word] = {}
    else
      reason = "is neither the ARN nor the name of a data deletion job"
    end
    faults[#faults + 1] = reason and ("job %d of %d %s"):format(i, #words,
      reason)
  end
  if #faults > 0 then
    refuse(table.concat(faults, "\n"))
  end
  return wanted
end

-- The ARNs of the jobs of the command line, by ARN or by name.
local function resolve(run, client)
  local words, arns, faults = words_of(run), {}, {}
  local wanted = check_words(run, words)
  if next(wanted) then
    look_up(client, wanted)
  end
  for i, word in ipairs(words) do
    local found = wanted[word] or { word }
    arns[i] = found[1]
    if #found == 0 then
      faults[#faults + 1] = ("there is no job %s in this account and region")
        :format(word)
    elseif #found > 1 then
      faults[#faults + 1] = ("%d jobs are called %s: give an ARN, %s"):format(
        #found, word, core.printable(table.concat(found, " or ")))
    end
  end
  if #faults > 0 then
    refuse(table.concat(faults, "\n"))
  end
  return arns
end

function M.check.create(run)
  local options, faults = run.options, {}
  local function add(param, reason)
    faults[#faults + 1] = reason and { param = param, code = "pattern",
      message = reason } or nil
  end
  local role, group
  if options.role then
    local reason
    role, reason = names.role(options.role)
    add("roleArn", reason)
  end
  if options.dataset_group then
    local reason
    group, reason = names.group(options.dataset_group)
    add("datasetGroupArn", reason or names.elsewhere(group, run:region()))
  end
  add("roleArn", role and group and names.foreign(role, group))
  if options.location then
    add("dataSource.dataLocation", select(2, names.is_location(
      options.location)))
  end
  return faults
end

function M.check.list(run)
  local options = run.options
  if not options.dataset_group then
    return {}
  end
  local group, reason = names.group(options.dataset_group)
  reason = reason or names.elsewhere(group, run:region())
  return { reason and { param = "datasetGroupArn", message = reason } or nil }
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
  for i, arn in ipairs(resolve(run, client)) do
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
  local arns = resolve(run, client)
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
