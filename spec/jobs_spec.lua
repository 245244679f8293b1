--- Jobs over time: every page of a list, and the wait for the end of one.

local cjson = require "cjson"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local lost, refuse, status = scripted.lost, scripted.refuse, scripted.status
local LIST, DESCRIBE = "ListDataDeletionJobs", "DescribeDataDeletionJob"

-- A job of which nothing is told.
local BARE = '{"dataDeletionJob":{}}'

local world, client
local function begin()
  world = scripted.world()
  world.latency = 0
  client = world:client { max_attempts = 1 }
end

describe("the jobs of a dataset group", function()
  before_each(begin)
  after_each(function() world:restore() end)

  local function add(count, more)
    for i = 1, count do
      world:add(scripted.job { jobName = (more or "gdpr") .. "-" .. i })
    end
  end

  local function names(input)
    local found = {}
    for job in client:data_deletion_jobs(input) do
      found[#found + 1] = job.jobName
    end
    return found
  end

  it("come page by page, newest first, and are asked for when needed",
    function()
      add(7)
      world.page = 3
      local next_job = client:data_deletion_jobs()
      assert.equal(0, world:count())
      assert.equal("gdpr-7", next_job().jobName)
      next_job()
      next_job()
      assert.equal(1, world:count())
      assert.equal("gdpr-4", next_job().jobName)
      assert.equal(2, world:count())
      assert.same({ "gdpr-7", "gdpr-6", "gdpr-5", "gdpr-4", "gdpr-3",
        "gdpr-2", "gdpr-1" }, names())
    end)

  it("are none where there is none, and end for good", function()
    local next_job = client:data_deletion_jobs {}
    assert.is_nil(next_job())
    assert.is_nil(next_job())
    assert.equal(1, world:count())
  end)

  it("are asked for as the input says, which stays the caller's", function()
    add(5)
    local input = { datasetGroupArn = scripted.GROUP, maxResults = 2,
      nextToken = "2" }
    assert.same({ "gdpr-4", "gdpr-3", "gdpr-2", "gdpr-1" }, names(input))
    assert.same({ datasetGroupArn = scripted.GROUP, maxResults = 2,
      nextToken = "2" }, input)
    for _, request in ipairs(world.sent) do
      assert.equal(2, request.input.maxResults)
      assert.equal(scripted.GROUP, request.input.datasetGroupArn)
    end
    input.datasetGroupArn = scripted.OTHER_GROUP
    input.nextToken = nil
    assert.same({}, names(input))
  end)

  local function page(token, ...)
    local jobs = {}
    for i, name in ipairs { ... } do
      jobs[i] = { jobName = name }
    end
    return status(200, cjson.encode { nextToken = token,
      dataDeletionJobs = #jobs > 0 and jobs or nil })
  end

  it("go on after an empty page that has a token", function()
    world:next(LIST, page "a", page("b", "one"), page "c", page("", "two"))
    assert.same({ "one", "two" }, names())
    assert.equal(4, world:count())
  end)

  it("come by tokens of any length and any letters", function()
    for _, token in ipairs { ("t"):rep(5000), "\195\169\240\159\152\128",
      "a\127\1\n\"" } do
      world.sent = {}
      world:next(LIST, page(token, "one"), page("", "two"))
      assert.same({ "one", "two" }, names())
      assert.equal(token, world.sent[2].input.nextToken)
    end
  end)

  it("are not remembered for ever: a service that gave a token long ago may",
    function()
      local count, most = 0, 10001
      world.always[LIST] = function(_, ...)
        count = count + 1
        local token = count <= most and "token-" .. count or
          count == most + 1 and "token-1" or ""
        return page(token, "job")(world, ...)
      end
      assert.equal(most + 2, #names())
    end)

  it("are not asked for in a circle", function()
    for length = 1, 3 do
      local count = 0
      world.always[LIST] = function(_, ...)
        count = count + 1
        return page("token-" .. count % length, "job-" .. count)(world, ...)
      end
      local e = stub.failure(names)
      assert.equal("ResponseError", e.code)
      assert.equal("transport", e.kind)
      assert.equal(LIST, e.operation)
      assert.is_false(e.retryable)
      assert.truthy(e.message:find("the same nextToken twice", 1, true))
      assert.equal(length + 1, count)
    end
    -- The token to start with counts.
    world.always[LIST] = page "mine"
    assert.equal("ResponseError", stub.failure(names,
      { nextToken = "mine" }).code)
  end)

  it("can be asked for again after an error", function()
    add(4)
    world.page = 2
    local next_job = client:data_deletion_jobs()
    next_job()
    next_job()
    world:next(LIST, refuse "AccessDeniedException")
    assert.equal("AccessDeniedException", stub.failure(next_job).code)
    assert.equal("gdpr-2", next_job().jobName)
  end)

  it("need an input that is one", function()
    assert.equal("ParamValidationError", stub.failure(client.data_deletion_jobs,
      client, "arn").code)
    local e = stub.failure(names, { datasetGroup = "x" })
    assert.equal("ParamValidationError", e.code)
    assert.truthy(e.message:find("datasetGroupArn", 1, true))
    assert.equal("ConfigError",
      stub.failure(client.data_deletion_jobs {}).code)
  end)
end)

describe("the wait for a job", function()
  local job, seen

  before_each(function()
    begin()
    job = world:add(scripted.job())
    seen = {}
  end)
  after_each(function() world:restore() end)

  local function wait(options, with)
    options = options or {}
    options.on_status = options.on_status or function(is, shown)
      assert.equal(is, shown.status)
      seen[#seen + 1] = is
    end
    return (with or client):wait_for_data_deletion_job(job.dataDeletionJobArn,
      options)
  end

  local function fails(options, with)
    return stub.failure(wait, options, with)
  end

  it("ends with the job, and tells every change of status", function()
    world:course(job, { 60, { status = "IN_PROGRESS" } },
      { 600, { status = "COMPLETED", numDeleted = 7 } })
    local ended = wait()
    assert.equal("COMPLETED", ended.status)
    assert.equal(7, ended.numDeleted)
    assert.same({ "PENDING", "IN_PROGRESS", "COMPLETED" }, seen)
    -- No look later than the longest delay after the end.
    assert.is_true(world.monotonic - 1000 < 600 + 120)
  end)

  it("needs no more than an ARN", function()
    job.status = "COMPLETED"
    assert.equal("COMPLETED",
      client:wait_for_data_deletion_job(job.dataDeletionJobArn).status)
    assert.equal(1, world:count())
    assert.equal(0, #world.slept)
  end)

  it("looks ever less often, within bounds, never in step", function()
    world:course(job, { 3600, { status = "COMPLETED" } })
    wait { delay = 5, max_delay = 120 }
    assert.equal(5 * 0.75, world.slept[1]) -- the jitter's most
    for i = 2, #world.slept do
      assert.is_true(world.slept[i] >= world.slept[i - 1])
    end
    assert.equal(120 * 0.75, world.slept[#world.slept])

    world:restore()
    begin()
    require("personalize.core").uniform = function() return 0 end
    job = world:add(scripted.job())
    world:course(job, { 3600, { status = "COMPLETED" } })
    wait { delay = 10, max_delay = 10 }
    for _, seconds in ipairs(world.slept) do
      assert.equal(10, seconds)
    end
    assert.equal(360, #world.slept)
  end)

  it("ends when max_wait is over, with a last look at the very end",
    function()
      job.status = "IN_PROGRESS"
      for _, seconds in ipairs { 0, 3, 1000 } do
        local before = world.monotonic
        local e = fails { max_wait = seconds }
        assert.equal("WaitTimeoutError", e.code)
        assert.equal("client", e.kind)
        assert.is_true(e.retryable)
        assert.equal("IN_PROGRESS", e.job.status)
        assert.equal(job.jobName, e.job.jobName)
        assert.truthy(e.message:find("IN_PROGRESS", 1, true), e.message)
        assert.near(seconds, world.monotonic - before, 0.001)
        assert.near(world.monotonic, world.sent[#world.sent].at, 0.001)
      end
    end)

  it("is a day if not said otherwise", function()
    fails()
    assert.near(86400, world.monotonic - 1000, 1)
  end)

  describe("that was just created", function()
    local arn

    before_each(function()
      arn = client:create_data_deletion_job(scripted.job {
        jobName = "new" }).dataDeletionJobArn
      world:course(world.jobs[2], { 90, { status = "COMPLETED" } })
    end)

    local function unknown_for(seconds)
      local ends = world.monotonic + seconds
      world.always[DESCRIBE] = function(self, input)
        if self.monotonic < ends then
          return self:refusal "ResourceNotFoundException"
        end
        return self:serve(DESCRIBE, input)
      end
    end

    it("is waited for, though describe does not know it yet", function()
      unknown_for(55)
      assert.equal("COMPLETED",
        client:wait_for_data_deletion_job(arn).status)
    end)

    it("is waited for no longer than a minute", function()
      unknown_for(3600)
      local before = world.monotonic
      local e = stub.failure(client.wait_for_data_deletion_job, client, arn)
      assert.equal("ResourceNotFoundException", e.code)
      local waited = world.monotonic - before
      assert.is_true(waited >= 60 and waited < 100, waited)
    end)

    it("is one of its own client, and of that minute", function()
      unknown_for(3600)
      local sent = world:count()
      assert.equal("ResourceNotFoundException", stub.failure(
        client.wait_for_data_deletion_job, client, job.dataDeletionJobArn).code)
      local other = world:client { max_attempts = 1 }
      assert.equal("ResourceNotFoundException", stub.failure(
        other.wait_for_data_deletion_job, other, arn).code)
      world:pass(61)
      assert.equal("ResourceNotFoundException", stub.failure(
        client.wait_for_data_deletion_job, client, arn).code)
      assert.equal(sent + 3, world:count())
    end)
  end)

  it("gives a look no more time than is left, but a few seconds", function()
    world.always[DESCRIBE] = scripted.hang
    local e = fails { max_wait = 70 }
    assert.equal("WaitTimeoutError", e.code)
    assert.equal("TimeoutError", e.cause.code)
    assert.truthy(e.message:find("status not known", 1, true))
    assert.truthy(e.message:find("TimeoutError", 1, true))
    assert.is_nil(e.job)
    assert.is_true(world.monotonic - 1000 <= 75)
    assert.equal(60, world.sent[1].timeout)
  end)

  it("raises DataDeletionJobFailed with the reason", function()
    world:course(job, { 30, { status = "FAILED",
      failureReason = "no access to the bucket" } })
    local e = fails()
    assert.equal("DataDeletionJobFailed", e.code)
    assert.equal("client", e.kind)
    assert.truthy(e.message:find("no access to the bucket", 1, true))
    assert.truthy(e.message:find(job.jobName, 1, true))
    assert.equal("no access to the bucket", e.job.failureReason)
    assert.same({ "PENDING", "FAILED" }, seen)
    job.failureReason = nil
    assert.truthy(fails().message:find("gave no reason", 1, true))
  end)

  it("goes on through what passes", function()
    world:course(job, { 500, { status = "COMPLETED" } })
    world:next(DESCRIBE, refuse("Oops", 503), refuse "ThrottlingException",
      lost("TimeoutError", 2), lost("ConnectionError", 0, true))
    assert.equal("COMPLETED", wait().status)
    assert.same({ "PENDING", "COMPLETED" }, seen)
  end)

  it("goes on through a network that is gone, once it was there", function()
    local function gone(code)
      return function()
        return nil, { code = code, message = "no such host", sent = false,
          retryable = false }
      end
    end
    world:next(DESCRIBE, gone "ConnectionError")
    assert.equal("ConnectionError", fails().code)
    assert.equal(1, world:count())

    world:course(job, { 300, { status = "COMPLETED" } })
    world:next(DESCRIBE, status(200, BARE), gone "ConnectionError",
      status(200, "<html>"))
    assert.equal("COMPLETED", wait().status)

    -- A certificate that is wrong is not looked at again.
    world:next(DESCRIBE, status(200, BARE), gone "TlsError")
    assert.equal("TlsError", fails().code)
  end)

  it("ends at once with what does not pass", function()
    for _, code in ipairs { "ResourceNotFoundException",
      "AccessDeniedException", "InvalidInputException" } do
      local before = world:count()
      world:next(DESCRIBE, refuse(code))
      local e = fails()
      assert.equal(code, e.code)
      assert.equal(DESCRIBE, e.operation)
      assert.equal("request-" .. #world.sent, e.request_id)
      assert.is_nil(e.unclear)
      assert.equal(before + 1, world:count())
    end
  end)

  it("takes a status it does not know for one on the way", function()
    world:course(job, { 10, { status = "THINKING" } },
      { 20, { status = "COMPLETED" } })
    world:next(DESCRIBE, status(200, BARE))
    wait()
    assert.same({ "PENDING", "THINKING", "COMPLETED" }, seen)
  end)

  it("tells a watcher when it looks again", function()
    world:course(job, { 4, { status = "COMPLETED" } })
    world:next(DESCRIBE, function(...)
      job.status = "PENDING"
      return world:serve(DESCRIBE, select(2, ...))
    end, refuse("Oops", 503))
    wait()
    local waits = {}
    for _, event in ipairs(world.events) do
      if event.name == "wait" then
        waits[#waits + 1] = event
      end
    end
    assert.same({ name = "wait", operation = DESCRIBE, status = "PENDING",
      delay = 3.75 }, waits[1])
    assert.equal("Oops", waits[2].code)
  end)

  it("ends with what on_status raises, and the job", function()
    local own = {}
    local e = fails { on_status = function() error(own) end }
    assert.equal("InterruptedError", e.code)
    assert.equal(own, e.cause)
    assert.equal("PENDING", e.job.status)
    assert.equal(1, world:count())
  end)

  it("ends when its sleep is interrupted, with the job", function()
    local looks = 0
    local e = fails(nil, world:client { sleep = function()
      looks = looks + 1
      return looks < 3
    end })
    assert.equal("InterruptedError", e.code)
    assert.equal("client", e.kind)
    assert.equal("PENDING", e.job.status)
    assert.truthy(e.message:find("wait again", 1, true))
    assert.equal(3, world:count())
  end)

  it("ends when a call is interrupted", function()
    world:next(DESCRIBE, status(200, BARE), function()
      return nil, { code = "InterruptedError", message = "interrupted",
        retryable = false }
    end)
    local e = fails()
    assert.equal("InterruptedError", e.code)
    assert.truthy(e.message:find("status not known", 1, true))
    assert.same({}, e.job)
  end)

  describe("in nginx", function()
    local exiting
    before_each(function()
      exiting = false
      package.loaded.ngx = { sleep = function() end,
        worker = { exiting = function() return exiting end } }
      package.loaded["ngx.semaphore"] = { new = function() return {} end }
    end)
    after_each(function()
      package.loaded.ngx, package.loaded["ngx.semaphore"] = nil, nil
    end)

    it("ends with the worker, without a long sleep", function()
      local given = world:client { sleep = function(seconds)
        assert.is_true(seconds <= 1)
        world:pass(seconds)
        exiting = world.monotonic >= 1200
      end }
      local e = fails(nil, given)
      assert.equal("InterruptedError", e.code)
      assert.equal("PENDING", e.job.status)
      assert.near(1200, world.monotonic, 1.1)
      local sent = world:count()
      assert.equal("InterruptedError", fails(nil, given).code)
      assert.equal(sent, world:count())
    end)

    it("sleeps as long in all", function()
      world:course(job, { 300, { status = "COMPLETED" } })
      wait { delay = 10, max_delay = 10 }
      assert.equal(300 / 7.5 + 1, world:count())
    end)
  end)

  it("checks what it is given, before a request", function()
    for text, arguments in pairs {
      ["ARN"] = { nil },
      ["is a table"] = { "arn", 5 },
      ["did you mean max_wait?"] = { "arn", { maxwait = 5 } },
      ["no option 1"] = { "arn", { 5 } },
      ["max_wait is a number"] = { "arn", { max_wait = -1 } },
      ["max_delay is a number"] = { "arn", { max_delay = 0 / 0 } },
      ["delay is a number"] = { "arn", { delay = "5" } },
      ["on_status is a function"] = { "arn", { on_status = true } },
    } do
      local e = stub.failure(client.wait_for_data_deletion_job, client,
        arguments[1], arguments[2])
      assert.equal("ParamValidationError", e.code)
      assert.truthy(e.message:find(text, 1, true), e.message)
    end
    assert.equal("ConfigError", stub.failure(client.wait_for_data_deletion_job,
      "arn").code)
    assert.equal(0, world:count())
  end)
end)
