--- What a receipt may say before anything is known, and what a later run keeps
-- of the one that is there.

local cjson = require "cjson"
local core = require "personalize.core"
local evidence = require "personalize.evidence"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"

local GROUP, OTHER = scripted.GROUP, scripted.OTHER_GROUP
local LIST, DESCRIBE = "ListDataDeletionJobs", "DescribeDataDeletionJob"
local CREATE = "CreateDataDeletionJob"

local world, client

local function begin()
  world = scripted.world()
  client = world:client()
end

local function finish()
  world:restore()
end

-- Jobs created from now on end by themselves.
local function let_run(ending)
  world.add = nil -- the class's
  local add = world.add
  world.add = function(self, ...)
    local job = add(self, ...)
    local now = self:server_time()
    self:course(job, { 20, { status = "IN_PROGRESS",
      lastUpdatedDateTime = now + 20 } }, { 60, ending or
      { status = "COMPLETED", numDeleted = 1,
        lastUpdatedDateTime = now + 60 } })
    return job
  end
end

local function options(more)
  local found = { users = { "a", "b" }, bucket = "erasure", name = "night",
    datasetGroupArn = GROUP, roleArn = scripted.ROLE }
  for name, value in pairs(more or {}) do
    found[name] = value
  end
  return found
end

local function erase(more)
  return client:delete_users(options(more))
end

local function raised(more)
  local ok, e = pcall(client.delete_users, client, options(more))
  assert.is_false(ok, "it went well")
  assert.is_true(personalize.is_error(e), tostring(e))
  return e
end

-- As a file keeps it.
local function kept(receipt)
  return cjson.decode(personalize.receipt_json(receipt))
end

local function duties(receipt)
  local text = table.concat(receipt.remaining, "\n")
  for _, part in ipairs { "may have been created", "personal data",
    "solution version" } do
    assert.is_nil(text:find(part, 1, true), text)
  end
  return text
end

describe("before a create went out", function()
  before_each(begin)
  after_each(finish)

  local function refuse_list(step)
    return function() world.always[LIST] = step end
  end

  for title, case in pairs {
    ["no credentials"] = { code = "CredentialsError", arrange = function()
      client = world:client { credentials = function() return nil end }
    end },
    ["a wrong key"] = { code = "UnrecognizedClientException",
      arrange = refuse_list(scripted.refuse "UnrecognizedClientException") },
    ["a call that is not allowed"] = { code = "AccessDeniedException",
      arrange = refuse_list(scripted.refuse "AccessDeniedException") },
    ["an unknown authority"] = { code = "TlsError",
      arrange = refuse_list(scripted.lost("TlsError", 0, false)) },
    ["a refused connection"] = { code = "ConnectionError",
      arrange = refuse_list(scripted.lost("ConnectionError", 0, false)) },
    ["a list that is not answered"] = { code = "TimeoutError",
      arrange = refuse_list(scripted.hang) },
    ["a server that is ill"] = { code = "HTTP 500",
      arrange = refuse_list(scripted.status(500)) },
  } do
    it("nothing is said to be done: " .. title, function()
      case.arrange()
      local e = raised()
      assert.equal(case.code, e.code)
      assert.equal("FAILED", e.receipt.status)
      assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
      assert.truthy(duties(e.receipt):find("Nothing was sent", 1, true))
      assert.equal(0, world:count(CREATE))
      assert.equal(0, world:count "PutObject")
    end)
  end

  it("options that are wrong make no receipt, or one that says so", function()
    for _, more in ipairs { { roleArn = "none" }, { tags = { ["*"] = "" } },
      { datasetGroupArn = "none" }, { users = { "" } } } do
      for _, is_dry in ipairs { false, true } do
        more.dry_run = is_dry
        local e = raised(more)
        local receipt = e.receipt or { status = is_dry and "DRY_RUN" or
          "FAILED", jobs = {}, remaining = {} }
        assert.equal(is_dry and "DRY_RUN" or "FAILED", receipt.status)
        duties(receipt)
        for _, job in ipairs(receipt.jobs) do
          assert.equal("NOT_STARTED", job.status)
        end
      end
    end
    assert.equal(0, world:count())
  end)

  it("a dry run is a dry run", function()
    assert.equal("DRY_RUN", erase { dry_run = true }.status)
    assert.equal(0, world:count())
  end)

  it("what was looked at is told, and no more", function()
    let_run()
    erase()
    world:next(LIST, function(self, ...)
      return self:serve(LIST, ...)
    end, scripted.refuse "AccessDeniedException")
    local e = raised { datasetGroupArn = { GROUP, OTHER } }
    assert.equal("COMPLETED", e.receipt.jobs[1].status)
    assert.equal("NOT_STARTED", e.receipt.jobs[2].status)
    assert.equal("PARTIAL", e.receipt.status)
  end)

  it("a refused upload leaves nothing", function()
    for _, step in ipairs { scripted.status(403, "<Error><Code>AccessDenied" ..
      "</Code><Message>no</Message></Error>"),
      scripted.lost("ConnectionError", 0, false) } do
      world.always.PutObject = step
      local e = raised()
      assert.same({ "1 of 1 job not started: run the same call again." },
        e.receipt.remaining)
    end
    -- What is lost on the way may have come there.
    world.always.PutObject = scripted.lost("ConnectionError", 0, true)
    local e = raised()
    assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
    assert.truthy(table.concat(e.receipt.remaining):find("may lie in", 1,
      true))
  end)
end)

describe("a create", function()
  before_each(begin)
  after_each(finish)

  it("that was refused is none", function()
    world.always[CREATE] = scripted.refuse "ResourceNotFoundException"
    local e = raised()
    assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
    -- The list is there.
    assert.truthy(table.concat(e.receipt.remaining):find("personal data", 1,
      true))
  end)

  it("that was not answered is not known", function()
    world.always[CREATE] = scripted.lost("ConnectionError", 1, true)
    local e = raised()
    assert.equal("UNKNOWN", e.receipt.jobs[1].status)
    assert.equal("IN_PROGRESS", e.receipt.status)
    assert.truthy(table.concat(e.receipt.remaining):find(
      "may have been created", 1, true))
  end)

  it("during which anything is raised is not known", function()
    local read_output = core.read_output
    for text, code in pairs { ["x.lua:1: not enough memory"] = "MemoryError",
      ["not enough memory"] = "MemoryError", ["a bug"] = "InternalError",
      ["x.lua:1: interrupted!"] = "InterruptedError" } do
      world.always[CREATE] = function(self, input)
        core.read_output = function() error(text, 0) end
        return self:serve(CREATE, input)
      end
      local ok, e = pcall(raised, { name = code })
      core.read_output = read_output
      assert.is_true(ok, tostring(e))
      assert.equal(code, e.code)
      assert.equal(text, e.cause)
      assert.equal("UNKNOWN", e.receipt.jobs[1].status)
      if code ~= "InterruptedError" then
        assert.truthy(e.message:find(text:match "[^ :]+$", 1, true), e.message)
      end
      world.jobs = {}
    end
  end)
end)

describe("a second run with the receipt of the first", function()
  local first

  before_each(function()
    begin()
    let_run()
    first = erase { ticket = "T1", cleanup = true, poll = 10 }
    assert.truthy(first.jobs[1].history[2].time)
  end)
  after_each(finish)

  it("says the same, request ids, versions and times among it", function()
    world:pass(86400)
    for _, given in ipairs { first, kept(first),
      personalize.receipt_json(first) } do
      local second = erase { receipt = given }
      assert.same(kept(first), kept(second))
      assert.equal(personalize.receipt_json(first),
        personalize.receipt_json(second))
    end
  end)

  it("does not touch the receipt that it was given", function()
    local before = personalize.receipt_json(first)
    erase { receipt = first, ticket = "T2" }
    assert.equal(before, personalize.receipt_json(first))
  end)

  it("keeps when a list was removed, also when it looks again", function()
    world:pass(86400)
    local second = erase { receipt = first, cleanup = true }
    assert.equal(first.parts[1].removed_at, second.parts[1].removed_at)
    assert.is_string(second.parts[1].removed_at)
  end)

  it("that cannot look says what the first one saw", function()
    for _, step in ipairs { scripted.refuse "AccessDeniedException",
      scripted.lost("ConnectionError", 0, false) } do
      world.always[LIST] = step
      local e = raised { receipt = first }
      assert.same(kept(first), kept(e.receipt))
    end
    local dry = erase { receipt = first, dry_run = true }
    assert.equal("DRY_RUN", dry.status)
    assert.equal("COMPLETED", dry.jobs[1].status)
  end)

  it("is refused where it is another run", function()
    local sent = world:count()
    for title, case in pairs {
      name = { { name = "other" }, "another run, night" },
      list = { { users = { "a", "c" } }, "another list" },
      order = { { users = { "b", "a" } }, "another order" },
      place = { { prefix = "lists" }, "another place" },
      bucket = { { bucket = "other" }, "another place" },
      group = { { datasetGroupArn = OTHER }, GROUP },
    } do
      local more, part = case[1], case[2]
      more.receipt = first
      local e = raised(more)
      assert.equal("ParamValidationError", e.code, title)
      assert.equal("receipt", e.params[1].path)
      assert.truthy(e.message:find(part, 1, true), e.message)
    end
    assert.equal(sent, world:count())
  end)

  it("may have more dataset groups", function()
    local second = erase { receipt = first, datasetGroupArn =
      { OTHER, GROUP } }
    assert.equal("COMPLETED", second.status)
    assert.equal(2, #second.jobs)
    assert.equal(first.jobs[1].request_id, second.jobs[2].request_id)
  end)

  it("is refused where that is no receipt", function()
    local sent = world:count()
    local broken = kept(first)
    broken.parts[1].sha256 = "abc"
    for _, given in ipairs { "", "{", "[]", "null", "1", {}, { version = 2 },
      { version = 1 }, broken, { version = 1, parts = "x" } } do
      local e = raised { receipt = given }
      assert.equal("ParamValidationError", e.code)
      assert.equal("receipt", e.params[1].path)
    end
    for _, given in ipairs { 1, true, print } do
      assert.equal("receipt", raised { receipt = given }.params[1].path)
    end
    assert.equal(sent, world:count())
  end)

  it("takes one that tells of nothing for none", function()
    local dry = erase { users = { "x" }, dry_run = true }
    local second = erase { name = "night", receipt = dry }
    assert.equal("COMPLETED", second.status)
    assert.equal("night", second.name)
  end)

  it("finds a job that lists do not show", function()
    world.lag = 86400
    let_run()
    local name = { name = "other" }
    local before = erase(name)
    name.receipt = before
    assert.same(kept(before), kept(erase(name)))
    assert.equal(2, #world.jobs)
    -- Nor does describe know it, at first.
    world.jobs[2].seen = world.monotonic + 1
    world:next(DESCRIBE, scripted.refuse "ResourceNotFoundException")
    assert.same(kept(before).jobs, kept(erase(name)).jobs)
    assert.equal(2, #world.jobs)
  end)

  it("believes nothing that the service does not confirm", function()
    world.jobs, world.objects = {}, {}
    for _, change in ipairs {
      function(job) job.arn = nil end,
      function(job) job.arn = job.arn .. "x" end,
      function(job) job.status, job.arn = "IN_PROGRESS", nil end,
      function(job) job.status, job.arn = "PENDING", nil end,
      function(job) job.status, job.arn = "DONE", nil end,
      function(job) job.status = "UNKNOWN" end,
    } do
      world.jobs = {}
      local given = kept(first)
      change(given.jobs[1])
      local receipt = erase { receipt = given, max_wait = 3600 }
      assert.equal(1, #world.jobs)
      assert.equal("COMPLETED", receipt.status)
      assert.equal(world.jobs[1].dataDeletionJobArn,
        receipt.jobs[#receipt.jobs].arn)
    end
  end)

  it("does again what the service no longer knows", function()
    world.jobs, world.objects = {}, {}
    local second = erase { receipt = first }
    assert.equal("COMPLETED", second.status)
    assert.equal(1, #world.jobs)
    assert.equal(2, #second.jobs)
    assert.same(first.jobs[1], second.jobs[1])
    assert.equal(second.jobs[1].job_name, second.jobs[2].job_name)
    assert.is_nil(second.parts[1].removed_at)
    local third = erase { receipt = second }
    assert.same(kept(second), kept(third))
    assert.equal(1, #world.jobs)
  end)
end)

describe("a receipt over several runs", function()
  before_each(begin)
  after_each(finish)

  it("keeps every try, with its evidence", function()
    let_run { status = "FAILED", failureReason = "bad day" }
    local first = raised().receipt
    let_run()
    local second = erase { receipt = first }
    assert.equal("COMPLETED", second.status)
    assert.equal(2, #second.jobs)
    assert.equal(first.jobs[1].request_id, second.jobs[1].request_id)
    assert.equal("FAILED", second.jobs[1].status)
    -- The list was put again.
    assert.equal("s3-2", second.parts[1].request_id)
    assert.same(kept(second), kept(erase { receipt = second }))
  end)

  it("finds out what became of a create that was not answered", function()
    world:next(CREATE, scripted.lost("ConnectionError", 1, true),
      scripted.lost("ConnectionError", 1, true),
      scripted.lost("ConnectionError", 1, true))
    local first = raised().receipt
    assert.equal("UNKNOWN", first.jobs[1].status)
    world.always[LIST] = scripted.refuse "AccessDeniedException"
    local second = raised { receipt = first }.receipt
    assert.equal("UNKNOWN", second.jobs[1].status)
    world.always[LIST] = nil
    let_run()
    local third = erase { receipt = second }
    assert.equal("COMPLETED", third.status)
    assert.equal(1, #third.jobs)
    assert.equal(1, #world.jobs)
  end)

  it("is read as the former release wrote it", function()
    let_run()
    local now = erase()
    local job, part = now.jobs[1], now.parts[1]
    local former = ([[{
  "version": 1,
  "name": "night",
  "region": "eu-west-1",
  "bucket": "erasure",
  "role_arn": "%s",
  "dataset_group_arns": [
    "%s"
  ],
  "format": "ids",
  "unique": false,
  "part_size": 100000000,
  "users": 2,
  "bytes": 12,
  "status": "IN_PROGRESS",
  "started": "2026-11-24T01:00:00Z",
  "parts": [
    {
      "part": 1,
      "users": 2,
      "bytes": 12,
      "sha256": "%s",
      "location": "%s",
      "version_id": "v9",
      "request_id": "r9"
    }
  ],
  "jobs": [
    {
      "part": 1,
      "dataset_group_arn": "%s",
      "job_name": "%s",
      "arn": "%s",
      "status": "PENDING",
      "request_id": "c9",
      "history": [
        {
          "status": "PENDING",
          "time": "2026-11-24T01:00:01Z"
        }
      ]
    }
  ],
  "remaining": []
}
]]):format(scripted.ROLE, GROUP, part.sha256, part.location, GROUP,
      job.job_name, job.arn)
    assert.is_true(personalize.verify_receipt(former,
      { users = { "a", "b" } }))
    local second = erase { receipt = former }
    assert.equal("COMPLETED", second.status)
    assert.equal("v9", second.parts[1].version_id)
    assert.equal("r9", second.parts[1].request_id)
    assert.equal("c9", second.jobs[1].request_id)
    assert.equal("2026-11-24T01:00:00Z", second.started)
  end)
end)

describe("a job that describe does not know yet", function()
  before_each(function()
    begin()
    let_run()
  end)
  after_each(finish)

  local function unknown_for(seconds)
    local ends
    world.always[DESCRIBE] = function(self, input)
      ends = ends or self.monotonic + seconds
      if self.monotonic < ends then
        return self:refusal "ResourceNotFoundException"
      end
      return self:serve(DESCRIBE, input)
    end
  end

  it("is waited for, where it was just created", function()
    unknown_for(50)
    assert.equal("COMPLETED", erase().status)
  end)

  it("is waited for, where a list shows it", function()
    world:add { jobName = erase { dry_run = true }.jobs[1].job_name,
      datasetGroupArn = GROUP, roleArn = scripted.ROLE, dataSource =
      { dataLocation = erase { dry_run = true }.parts[1].location } }
    unknown_for(50)
    assert.equal("COMPLETED", erase().status)
    assert.equal(1, #world.jobs)
  end)

  it("is waited for a minute, no longer", function()
    unknown_for(3600)
    local e = raised()
    assert.equal("ResourceNotFoundException", e.code)
    assert.equal("PENDING", e.receipt.jobs[1].status)
    local waited = world.monotonic - 1000
    assert.is_true(waited >= 60 and waited < 120, waited)
  end)

  it("ends no run that does not wait", function()
    unknown_for(3600)
    local receipt = erase { wait = false }
    assert.equal("PENDING", receipt.jobs[1].status)
  end)
end)

describe("the clock of a receipt", function()
  before_each(begin)
  after_each(finish)

  it("is AWS's, whatever the machine's says", function()
    for i, offset in ipairs { 86400 * 365 * 50, -86400 * 365 * 12 } do
      let_run()
      world.offset = offset
      client = world:client()
      local from = world:server_time()
      local receipt = erase { name = "run-" .. i, cleanup = true }
      local to = world:server_time()
      for _, time in ipairs { receipt.started, receipt.finished,
        receipt.parts[1].removed_at, receipt.jobs[1].history[1].time,
        receipt.jobs[1].history[3].time } do
        local seconds = core.time(time)
        assert.is_true(seconds >= from - 2 and seconds <= to + 2, time)
      end
    end
  end)

  it("is AWS's without a describe, too", function()
    world.offset = 86400 * 365 * 20
    world.always[DESCRIBE] = scripted.status(503)
    local from = world:server_time()
    local receipt = erase { wait = false }
    for _, time in ipairs { receipt.started, receipt.jobs[1].history[1].time } do
      assert.is_true(math.abs(core.time(time) - from) < 600, time)
    end
  end)
end)

describe("jobs that wait to begin", function()
  before_each(begin)
  after_each(finish)

  local function many()
    local users = {}
    for i = 1, 7 * 255 do
      users[i] = ("user-%010d"):format(i)
    end
    return users
  end

  it("are as many as max_pending says", function()
    world.quota = 100
    for i, most in ipairs { 1, 3, 5, 7 } do
      local receipt = erase { users = many(), part_size = 4096, wait = false,
        max_pending = most ~= 5 and most or nil, name = "run-" .. i }
      local pending = 0
      for _, job in ipairs(receipt.jobs) do
        pending = pending + (job.status == "PENDING" and 1 or 0)
      end
      assert.equal(most, pending)
    end
  end)

  it("cannot be none, or a part of one", function()
    for _, value in ipairs { 0, -1, 1.5, "2", 0 / 0, 1 / 0 } do
      assert.equal("max_pending",
        raised { max_pending = value }.params[1].path)
    end
  end)
end)

describe("a job that deleted nothing", function()
  before_each(begin)
  after_each(finish)

  it("is told, with how many users it was for", function()
    let_run { status = "COMPLETED", numDeleted = 0 }
    local text = table.concat(erase().remaining, "\n")
    assert.truthy(text:find("0 records, for 2 users", 1, true), text)
    let_run { status = "COMPLETED", numDeleted = 1 }
    text = table.concat(erase { name = "other" }.remaining, "\n")
    assert.is_nil(text:find("0 records", 1, true))
    let_run { status = "COMPLETED" }
    text = table.concat(erase { name = "third" }.remaining, "\n")
    assert.is_nil(text:find("0 records", 1, true))
  end)
end)

describe("the receipts of two runs at once", function()
  before_each(begin)
  after_each(finish)

  -- Runs `other` once the first create of this run went out.
  local function run_beside(other, more)
    local is_done
    local all = { datasetGroupArn = { GROUP, OTHER }, on_progress =
      function(progress)
        if progress.phase == "wait" and not is_done then
          is_done = true
          other()
        end
      end }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return all
  end

  local function merged(receipt, other)
    local why = evidence.merge(receipt, assert(evidence.read(kept(other))))
    assert.is_nil(why)
    return receipt
  end

  it("make one that tells what both saw", function()
    let_run()
    local second
    local first = erase(run_beside(function()
      second = erase { datasetGroupArn = { GROUP, OTHER } }
    end, { cleanup = true }))
    assert.is_nil(second.jobs[1].request_id)
    assert.is_nil(second.parts[1].removed_at)
    local one = merged(evidence.read(kept(first)), second)
    local two = merged(evidence.read(kept(second)), first)
    assert.same(one.jobs, two.jobs)
    for i, job in ipairs(one.jobs) do
      assert.is_string(first.jobs[i].request_id)
      assert.equal(first.jobs[i].request_id, job.request_id)
      -- The second run came by while they were IN_PROGRESS.
      assert.equal(second.jobs[i].history[2].time, job.history[2].time)
    end
    assert.same(first.parts, two.parts)
    assert.same(first.parts, one.parts)
  end)

  it("do not make a job less far than one saw it", function()
    let_run()
    local second
    local e = raised(run_beside(function()
      second = erase { datasetGroupArn = { GROUP, OTHER } }
      error("enough", 0)
    end))
    assert.equal("PENDING", e.receipt.jobs[1].status)
    local receipt = merged(e.receipt, second)
    assert.equal("COMPLETED", receipt.status)
    assert.equal("COMPLETED", receipt.jobs[1].status)
    assert.equal(second.finished, receipt.finished)
    assert.is_string(receipt.jobs[1].request_id)
    assert.same(second.jobs[2].history, receipt.jobs[2].history)
    for _, sentence in ipairs(receipt.remaining) do
      assert.is_nil(sentence:find("not over", 1, true))
    end
  end)

  it("keep the tries of both", function()
    let_run { status = "FAILED", failureReason = "bad day" }
    local first = raised().receipt
    let_run()
    local second = erase { receipt = first }
    assert.equal(2, #second.jobs)
    local receipt = merged(first, second)
    assert.equal("COMPLETED", receipt.status)
    assert.equal(2, #receipt.jobs)
    assert.same(second.jobs[1].request_id, receipt.jobs[1].request_id)
    assert.same(kept(second).jobs, kept(receipt).jobs)
  end)

  it("are of one run, or stay apart", function()
    let_run()
    local first = erase()
    for _, more in ipairs { { name = "other" }, { datasetGroupArn = OTHER } } do
      local why = evidence.merge(kept(first), assert(evidence.read(
        kept(erase(more)))))
      assert.is_string(why)
    end
    local dry = erase { dry_run = true, users = { "x" } }
    local before = kept(first)
    assert.is_nil(evidence.merge(first, assert(evidence.read(kept(dry)))))
    assert.same(before, kept(first))
  end)
end)
