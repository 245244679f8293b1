--- A world in which time passes only when somebody waits, and a service in it
-- that can be told, answer by answer, what goes wrong.
-- Knows the transport's contract and what AWS documents of deletion jobs;
-- refuses to know how a client decides anything.

local bucket = require "spec.support.scripted_bucket"
local clock = require "spec.support.clock"
local core = require "personalize.core"
local cjson = require "cjson"
local personalize = require "personalize"

local scripted = {}

local methods = {}
local mt = { __name = "spec.world", __index = methods }

local ARN = "arn:aws:personalize:eu-west-1:123456789012:"
scripted.GROUP = ARN .. "dataset-group/shop"
scripted.OTHER_GROUP = ARN .. "dataset-group/other"
scripted.ROLE = "arn:aws:iam::123456789012:role/PersonalizeS3"
scripted.LOCATION = "s3://erasure/2026-11/users.csv"

--- The input of a create, with `more` over it.
function scripted.job(more)
  local input = { jobName = "gdpr-1", datasetGroupArn = scripted.GROUP,
    dataSource = { dataLocation = scripted.LOCATION },
    roleArn = scripted.ROLE }
  for member, value in pairs(more or {}) do
    input[member] = value
  end
  return input
end

function scripted.arn(name)
  return ARN .. "data-deletion-job/" .. name
end

--- A world. Its clocks are the module's until `restore`.
function scripted.world()
  local world = setmetatable({
    wall = 1795518000, -- 2026-11-24, what our clock says
    monotonic = 1000,
    offset = 0,        -- the service's clock is so much ahead of ours
    latency = 0.01,    -- of every answer
    quota = 5,         -- jobs PENDING
    lag = 0,           -- until a job shows in lists
    page = 100,        -- jobs at most
    jobs = {},         -- newest last
    objects = {},      -- of the bucket, each version, newest last
    versions = 0,      -- made of them so far
    steps = {},        -- by operation: what happens to the next requests
    always = {},       -- by operation: and to all that follow them
    sent = {},         -- requests, as they came
    slept = {},        -- seconds
    events = {},
    saved = { now = core.now, monotonic = core.monotonic,
      uniform = core.uniform },
  }, mt)
  core.now = function() return world.wall end
  core.monotonic = function() return world.monotonic end
  core.uniform = function() return 1 end
  return world
end

function methods:restore()
  for name, f in pairs(self.saved) do
    core[name] = f
  end
end

--- Lets time pass.
function methods:pass(seconds)
  self.wall, self.monotonic = self.wall + seconds, self.monotonic + seconds
end

function methods:server_time()
  return self.wall + self.offset
end

--- A client of the world.
function methods:client(more)
  local options = {
    region = "eu-west-1",
    credentials = { access_key_id = "AKIDSCRIPT",
      secret_access_key = "secret" },
    sleep = function(seconds)
      self.slept[#self.slept + 1] = seconds
      self:pass(seconds)
    end,
    on_event = function(event)
      self.events[#self.events + 1] = event
    end,
    transport = function(request) return self:answer(request) end,
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return personalize.new(options)
end

--- What happens to the next requests of an operation, one step each: a
-- function(world, input, request) that answers as a transport does.
function methods:next(operation, ...)
  self.steps[operation] = self.steps[operation] or {}
  for _, step in ipairs { ... } do
    table.insert(self.steps[operation], step)
  end
end

--- The requests of an operation, or of all.
function methods:count(operation)
  local count = 0
  for _, request in ipairs(self.sent) do
    if operation == nil or request.operation == operation then
      count = count + 1
    end
  end
  return count
end

--- A job at the service, made by nobody's call.
function methods:add(input, created)
  local job = { jobName = input.jobName, datasetGroupArn =
    input.datasetGroupArn, dataSource = input.dataSource,
    roleArn = input.roleArn, status = "PENDING",
    dataDeletionJobArn = scripted.arn(input.jobName),
    creationDateTime = created or self:server_time(), seen = self.monotonic +
    (created and 0 or self.lag) }
  self.jobs[#self.jobs + 1] = job
  return job
end

--- What becomes of a job by itself: steps { seconds from now, members }, the
-- first first.
function methods:course(job, ...)
  job.course = {}
  for i, step in ipairs { ... } do
    job.course[i] = { at = self.monotonic + step[1], members = step[2] }
  end
end

-- What has come to pass by now.
local function proceed(world)
  for _, job in ipairs(world.jobs) do
    local step = job.course and job.course[1]
    while step and step.at <= world.monotonic do
      for member, value in pairs(step.members) do
        job[member] = value
      end
      table.remove(job.course, 1)
      step = job.course[1]
    end
  end
end

function methods:find(name)
  for _, job in ipairs(self.jobs) do
    if job.jobName == name or job.dataDeletionJobArn == name then
      return job
    end
  end
end

--- An answer as a transport gives it.
function methods:response(status, body, headers)
  local all = { ["x-amzn-requestid"] = "request-" .. #self.sent,
    date = clock.http(math.floor(self:server_time())) }
  for name, value in pairs(headers or {}) do
    all[name] = value or nil
  end
  return { status = status, body = body or "", headers = all }
end

function methods:refusal(code, status, headers)
  return self:response(status or 400,
    cjson.encode { __type = code, message = "refused: " .. code }, headers)
end

local serve = {}

function serve.CreateDataDeletionJob(world, input)
  if world:find(input.jobName) then
    return world:refusal "ResourceAlreadyExistsException"
  end
  local pending = 0
  for _, job in ipairs(world.jobs) do
    if job.datasetGroupArn == input.datasetGroupArn and
      job.status == "PENDING" then
      pending = pending + 1
    end
  end
  if pending >= world.quota then
    return world:refusal "LimitExceededException"
  end
  return world:response(200, cjson.encode { dataDeletionJobArn =
    world:add(input).dataDeletionJobArn })
end

function serve.DescribeDataDeletionJob(world, input)
  local job = world:find(input.dataDeletionJobArn)
  if not job then
    return world:refusal "ResourceNotFoundException"
  end
  local shown = {}
  for member, value in pairs(job) do
    shown[member] = member ~= "seen" and member ~= "course" and value or nil
  end
  return world:response(200, cjson.encode { dataDeletionJob = shown })
end

-- Newest first; a token is the place to go on from.
function serve.ListDataDeletionJobs(world, input)
  local size = math.min(input.maxResults or 100, world.page)
  local from, found, rest = tonumber(input.nextToken or 1), {}, 0
  local at = 0
  for i = #world.jobs, 1, -1 do
    local job = world.jobs[i]
    if job.seen <= world.monotonic and (input.datasetGroupArn == nil or
      input.datasetGroupArn == job.datasetGroupArn) then
      at = at + 1
      if at >= from and #found < size then
        found[#found + 1] = { jobName = job.jobName, status = job.status,
          dataDeletionJobArn = job.dataDeletionJobArn,
          datasetGroupArn = job.datasetGroupArn,
          creationDateTime = job.creationDateTime }
      elseif at >= from then
        rest = rest + 1
      end
    end
  end
  if #found == 0 then
    return world:response(200, '{"dataDeletionJobs":[]}')
  end
  return world:response(200, cjson.encode { dataDeletionJobs = found,
    nextToken = rest > 0 and tostring(from + size) or nil })
end

--- What the service answers when nothing goes wrong.
function methods:serve(operation, input, request, headers)
  proceed(self)
  if not serve[operation] then
    return bucket.serve(self, operation, input, request, headers)
  end
  return serve[operation](self, input)
end

local function operation_of(request, headers)
  local target = headers["x-amz-target"]
  if target then
    return target:match("%.(%w+)$"), cjson.decode(request.body)
  end
  local operation, key, version = bucket.operation(request)
  return operation, { key = key, version = version }
end

--- The transport.
function methods:answer(request)
  local headers = {}
  for _, header in ipairs(request.headers) do
    headers[header[1]] = header[2]
  end
  local operation, input = operation_of(request, headers)
  self.sent[#self.sent + 1] = { operation = operation, headers = headers,
    input = input, at = self.monotonic, timeout = request.timeout,
    connect_timeout = request.connect_timeout }
  self:pass(self.latency)
  local step = table.remove(self.steps[operation] or {}, 1) or
    self.always[operation]
  if step then
    return step(self, input, request, headers)
  end
  return self:serve(operation, input, request, headers)
end

-- -- Steps ------------------------------------------------------------------

--- No answer: after `seconds` the transport gives up with `code`. `sent` is
-- its word on the request, nil where it does not say.
function scripted.lost(code, seconds, sent)
  return function(world)
    world:pass(seconds or 0)
    return nil, { code = code, message = "lost: " .. code, sent = sent }
  end
end

--- The service does it, but this step's answer is what arrives.
function scripted.done(step)
  return function(world, input, request)
    serve.CreateDataDeletionJob(world, input)
    return step(world, input, request)
  end
end

function scripted.status(status, body, headers)
  return function(world)
    return world:response(status, body, headers)
  end
end

function scripted.refuse(code, status, headers)
  return function(world)
    return world:refusal(code, status, headers)
  end
end

--- Takes all the time there is, as a server that never answers.
function scripted.hang(world, _, request)
  world:pass(request.timeout)
  return nil, { code = "TimeoutError", message = "lost: hung", sent = true }
end

return scripted
