--- delete_users in a world where a day passes at once: what is looked for, put,
-- created and waited for, in which order, and what a second run does.

local core = require "personalize.core"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"

local GROUP, OTHER, ROLE = scripted.GROUP, scripted.OTHER_GROUP, scripted.ROLE
local PART = 4096

-- So many ids make so many parts: 255 lines of 16 bytes and a header each.
local function ids(parts)
  local list = {}
  for i = 1, (parts - 1) * 255 + 10 do
    list[i] = ("user-%010d"):format(i)
  end
  return list
end

local function hex6(arn)
  return core.sha256_hex(arn):sub(1, 6)
end

describe("delete_users", function()
  local world, client

  before_each(function()
    world = scripted.world()
    client = world:client()
  end)
  after_each(function()
    world:restore()
  end)

  local function options(more)
    local found = { users = ids(1), bucket = "erasure", prefix = "gdpr",
      datasetGroupArn = GROUP, roleArn = ROLE, name = "night",
      part_size = PART }
    for name, value in pairs(more or {}) do
      found[name] = value
    end
    return found
  end

  -- Jobs created from now on take their course by themselves.
  local function let_run(seconds, ending)
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      self:course(job,
        { seconds / 3, { status = "IN_PROGRESS",
          lastUpdatedDateTime = self:server_time() + seconds / 3 } },
        { seconds, ending or { status = "COMPLETED", numDeleted = 42,
          lastUpdatedDateTime = self:server_time() + seconds } })
      return job
    end
  end

  local function raised(given)
    local ok, e = pcall(client.delete_users, client, given)
    assert.is_false(ok, "it went well")
    assert.is_true(personalize.is_error(e), tostring(e))
    return e
  end

  local function job_names()
    local names = {}
    for i, job in ipairs(world.jobs) do
      names[i] = job.jobName
    end
    return names
  end

  it("uploads the list, creates the job, waits and gives a receipt", function()
    let_run(3600)
    local receipt = client:delete_users(options { ticket = "GDPR-42",
      requester = "dpo@example.com", tags = { team = "crm" } })
    assert.equal("COMPLETED", receipt.status)
    assert.equal(1, #world.objects)
    local object = world.objects[1]
    local hash = core.sha256_hex(object.body)
    assert.equal("gdpr/night/0001of1-" .. hash:sub(1, 16) .. ".csv",
      object.key)
    assert.equal("USER_ID\nuser-0000000001\n", object.body:sub(1, 24))
    assert.equal(1, #world.jobs)
    local job = world.jobs[1]
    assert.equal("night-" .. hex6(GROUP) .. "-0001", job.jobName)
    assert.equal("s3://erasure/" .. object.key, job.dataSource.dataLocation)
    assert.same({
      version = 1, name = "night", ticket = "GDPR-42",
      requester = "dpo@example.com", region = "eu-west-1", bucket = "erasure",
      tool = "personalize-lua/" .. personalize._VERSION,
      prefix = "gdpr", role_arn = ROLE, dataset_group_arns = { GROUP },
      format = "ids", unique = false, part_size = PART, users = 10,
      bytes = #object.body, status = "COMPLETED",
      started = receipt.started, finished = receipt.finished,
      parts = { { part = 1, users = 10, bytes = #object.body, sha256 = hash,
        location = "s3://erasure/" .. object.key, version_id = "v1",
        request_id = "s3-1", encryption = "AES256",
        etag = receipt.parts[1].etag } },
      jobs = { { part = 1, dataset_group_arn = GROUP, job_name = job.jobName,
        arn = job.dataDeletionJobArn, role_arn = ROLE, status = "COMPLETED",
        num_deleted = 42, request_id = receipt.jobs[1].request_id,
        history = receipt.jobs[1].history } },
      remaining = receipt.remaining,
    }, receipt)
    local history = receipt.jobs[1].history
    assert.equal(3, #history)
    assert.equal(core.time_text(math.floor(job.creationDateTime)),
      history[1].time)
    assert.equal(receipt.finished, history[3].time)
    assert.equal(3600, core.time(history[3].time) - core.time(history[1].time))
  end)

  it("looks before it sends anything", function()
    let_run(60)
    client:delete_users(options())
    assert.equal("ListDataDeletionJobs", world.sent[1].operation)
    assert.equal("PutObject", world.sent[2].operation)
    assert.equal("CreateDataDeletionJob", world.sent[3].operation)
  end)

  it("asks less and less often, and not for longer than max_wait", function()
    local e = raised(options { max_wait = 7200 })
    assert.equal("WaitTimeoutError", e.code)
    assert.equal("IN_PROGRESS", e.receipt.status)
    assert.equal("PENDING", e.receipt.jobs[1].status)
    assert.is_true(world:count "DescribeDataDeletionJob" < 90)
    assert.is_true(world.monotonic - 1000 >= 7200 and
      world.monotonic - 1000 < 7210)
  end)

  it("creates a job for each part and dataset group, one upload a part",
    function()
      let_run(60)
      local receipt = client:delete_users(options { users = ids(3),
        datasetGroupArn = { GROUP, OTHER } })
      assert.equal("COMPLETED", receipt.status)
      assert.equal(3, #world.objects)
      assert.equal(6, #receipt.jobs)
      local names = {}
      for part = 1, 3 do
        for _, group in ipairs { GROUP, OTHER } do
          names[#names + 1] = ("night-%s-%04d"):format(hex6(group), part)
        end
      end
      assert.same(names, job_names())
      local bodies = {}
      for i, object in ipairs(world.objects) do
        assert.is_true(#object.body <= PART)
        bodies[i] = object.body:gsub("^USER_ID\n", "")
      end
      assert.equal(table.concat(ids(3), "\n") .. "\n", table.concat(bodies))
    end)

  it("never has more than 5 jobs PENDING in a group, and finishes", function()
    let_run(900)
    local most = 0
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      local count = 0
      for _, other in ipairs(self.jobs) do
        count = count + (other.status == "PENDING" and 1 or 0)
      end
      most = math.max(most, count)
      return job
    end
    local receipt = client:delete_users(options { users = ids(12) })
    assert.equal("COMPLETED", receipt.status)
    assert.equal(12, #world.jobs)
    assert.equal(5, most)
    assert.equal(12, #world.objects)
    for _, request in ipairs(world.sent) do
      if request.operation == "CreateDataDeletionJob" then
        most = most - 1 -- below 0 where one was refused
      end
    end
    assert.equal(5 - 12, most)
  end)

  it("waits where others have used up the quota", function()
    for i = 1, 5 do
      world:add(scripted.job { jobName = "other-" .. i })
    end
    local first = world.jobs[1]
    world:course(first, { 600, { status = "COMPLETED" } })
    let_run(60)
    local receipt = client:delete_users(options())
    assert.equal("COMPLETED", receipt.status)
    assert.equal(6, #world.jobs)
    assert.is_true(world.monotonic - 1000 > 600)
  end)

  it("waits while the dataset group is in use", function()
    let_run(60)
    world:next("CreateDataDeletionJob",
      scripted.refuse "ResourceInUseException",
      scripted.refuse "ResourceInUseException")
    assert.equal("COMPLETED", client:delete_users(options()).status)
    assert.equal(1, #world.objects)
  end)

  it("says FAILED with the reason, in error and receipt", function()
    let_run(60, { status = "FAILED", failureReason = "no such file." })
    local e = raised(options())
    assert.equal("DataDeletionJobFailed", e.code)
    assert.truthy(e.message:find("no such file", 1, true))
    assert.equal("FAILED", e.receipt.status)
    assert.equal("no such file.", e.receipt.jobs[1].failure_reason)
    assert.equal(1, #world.jobs)
  end)

  it("tells partial failure apart", function()
    let_run(60)
    world:next("CreateDataDeletionJob", function(self, input)
      local answer = self:serve("CreateDataDeletionJob", input)
      self:course(self.jobs[#self.jobs], { 60, { status = "FAILED",
        failureReason = "bad day" } })
      return answer
    end)
    local e = raised(options { users = ids(2) })
    assert.equal("DataDeletionJobFailed", e.code)
    assert.equal("PARTIAL", e.receipt.status)
  end)

  describe("made again", function()
    it("finds what is there and does nothing twice", function()
      let_run(60)
      local first = client:delete_users(options { users = ids(3) })
      local puts = world:count "PutObject"
      local second = client:delete_users(options { users = ids(3) })
      assert.equal(puts, world:count "PutObject")
      assert.equal(3, #world.jobs)
      for _, receipt in ipairs { first, second } do
        receipt.started = nil
        for _, part in ipairs(receipt.parts) do
          part.version_id, part.request_id = nil, nil
          part.etag, part.encryption = nil, nil
        end
        for _, job in ipairs(receipt.jobs) do
          job.request_id = nil
          job.history[2].time = nil
        end
      end
      assert.same(first, second)
    end)

    it("goes on after wait = false", function()
      let_run(3600)
      local first = client:delete_users(options { wait = false })
      assert.equal("IN_PROGRESS", first.status)
      assert.equal("PENDING", first.jobs[1].status)
      assert.is_nil(first.finished)
      assert.equal("COMPLETED", client:delete_users(options()).status)
      assert.equal(1, #world.jobs)
      assert.equal(1, world:count "PutObject")
    end)

    it("without waiting leaves what the quota does not admit", function()
      local first = client:delete_users(options { users = ids(7),
        wait = false })
      assert.equal("IN_PROGRESS", first.status)
      assert.equal("NOT_STARTED", first.jobs[6].status)
      assert.equal("NOT_STARTED", first.jobs[7].status)
      -- Uploaded it is, so that the rest needs no list.
      assert.equal(7, world:count "PutObject")
      for _, job in ipairs(world.jobs) do
        job.status = "COMPLETED"
      end
      let_run(60)
      assert.equal("COMPLETED",
        client:delete_users(options { users = ids(7) }).status)
      assert.equal(7, #world.jobs)
    end)

    it("tries a part once more whose job had failed, under -r1", function()
      let_run(60, { status = "FAILED", failureReason = "bad day" })
      raised(options())
      world.add = nil -- the class's again
      let_run(60)
      local receipt = client:delete_users(options())
      assert.equal("COMPLETED", receipt.status)
      local base = "night-" .. hex6(GROUP) .. "-0001"
      assert.same({ base, base .. "-r1" }, job_names())
      assert.equal(2, #receipt.jobs)
      assert.equal("FAILED", receipt.jobs[1].status)
      assert.equal("bad day", receipt.jobs[1].failure_reason)
      assert.equal("COMPLETED", receipt.jobs[2].status)
      assert.equal(2, world:count "PutObject")
      -- And once more finds the second.
      assert.equal("COMPLETED", client:delete_users(options()).status)
      assert.equal(2, #world.jobs)
    end)

    it("with another list refuses, and says why it may differ", function()
      let_run(60)
      client:delete_users(options())
      local e = raised(options { users = { "somebody" } })
      assert.equal("UserListError", e.code)
      assert.truthy(e.message:find("night", 1, true))
      assert.truthy(e.message:find("part_size", 1, true))
      assert.equal(1, world:count "PutObject")
      assert.equal(1, #world.jobs)
    end)

    it("adopts a job that others made, and reports its role", function()
      let_run(60)
      client:delete_users(options())
      local role = "arn:aws:iam::123456789012:role/Other"
      world.jobs[1].roleArn = role
      local receipt = client:delete_users(options())
      assert.equal(role, receipt.jobs[1].role_arn)
      assert.truthy(receipt.remaining[1]:find(role, 1, true))
    end)

    it("finds a job that lists do not show yet", function()
      world.lag = 3
      let_run(60)
      world:next("CreateDataDeletionJob", function(self, input)
        self:serve("CreateDataDeletionJob", input) -- by the run that died
        return self:serve("CreateDataDeletionJob", input)
      end)
      local receipt = client:delete_users(options())
      assert.equal("COMPLETED", receipt.status)
      assert.equal(1, #world.jobs)
    end)

    it("refuses a name that is taken, and that no list ever shows", function()
      world:next("CreateDataDeletionJob",
        scripted.refuse "ResourceAlreadyExistsException")
      local e = raised(options())
      assert.equal("ResourceAlreadyExistsException", e.code)
      assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
      assert.truthy(e.message:find("no list shows it", 1, true))
    end)
  end)

  describe("on its way", function()
    it("survives failures that pass, once it waits", function()
      let_run(3600)
      local steps = {}
      for i = 1, 9 do
        steps[i] = scripted.status(503)
      end
      world:next("DescribeDataDeletionJob", unpack and unpack(steps) or
        table.unpack(steps))
      assert.equal("COMPLETED", client:delete_users(options()).status)
    end)

    it("does not wait for what does not pass", function()
      world:next("CreateDataDeletionJob",
        scripted.refuse "ResourceNotFoundException")
      local e = raised(options { users = ids(2) })
      assert.equal("ResourceNotFoundException", e.code)
      assert.equal("FAILED", e.receipt.status)
      assert.equal(1, world:count "PutObject")
    end)

    it("says which part could not be uploaded", function()
      world:next("PutObject", function(self, ...)
        return self:serve("PutObject", ...)
      end, function(self)
        return self:response(403, "<Error><Code>AccessDenied</Code>" ..
          "<Message>Access Denied</Message></Error>")
      end)
      let_run(60)
      local e = raised(options { users = ids(3) })
      assert.equal("AccessDenied", e.code)
      assert.truthy(e.message:find("part 2 of 3", 1, true))
      assert.equal("PENDING", e.receipt.jobs[1].status)
      assert.equal("NOT_STARTED", e.receipt.jobs[2].status)
      assert.equal(1, #world.jobs)
    end)

    it("tells its progress; what that raises ends it, with a receipt",
      function()
        let_run(60)
        local phases, seen = {}, {}
        local created
        client:delete_users(options { on_progress = function(progress)
          created = progress.phase == "create" and progress.jobs_done or
            created
          if not seen[progress.phase] then
            seen[progress.phase] = progress
            phases[#phases + 1] = progress.phase
          end
        end, cleanup = true })
        assert.same({ "check", "create", "upload", "wait", "cleanup" }, phases)
        assert.equal(10, seen.upload.users)
        assert.equal(1, seen.wait.jobs)
        assert.same({ PENDING = 1 }, seen.wait.statuses)
        assert.equal(0, seen.wait.jobs_done)
        assert.equal(1, created)
        local e = raised(options { name = "other",
          on_progress = function(progress)
            if progress.phase == "wait" then
              error("enough", 0)
            end
          end })
        assert.equal("InterruptedError", e.code)
        assert.equal("enough", e.cause)
        assert.equal("PENDING", e.receipt.jobs[1].status)
      end)

    it("ends on Ctrl-C with what it has", function()
      local slow = world:client { sleep = function(seconds)
        world:pass(seconds)
        return world.monotonic < 1030
      end }
      client = slow
      local e = raised(options())
      assert.equal("InterruptedError", e.code)
      assert.equal("PENDING", e.receipt.jobs[1].status)
    end)
  end)

  describe("cleanup", function()
    it("removes every version, once all is COMPLETED", function()
      let_run(60, { status = "FAILED" })
      raised(options { cleanup = true })
      assert.equal(1, #world.objects)
      world.add = nil
      let_run(60)
      local receipt = client:delete_users(options { cleanup = true })
      assert.equal(0, #world.objects)
      assert.truthy(receipt.parts[1].removed_at)
      for _, text in ipairs(receipt.remaining) do
        assert.falsy(text:find("personal data", 1, true))
      end
    end)
  end)

  describe("dry_run", function()
    it("does all but sending", function()
      local receipt = client:delete_users(options { users = ids(3),
        dry_run = true })
      assert.equal("DRY_RUN", receipt.status)
      assert.equal(0, #world.sent)
      assert.equal(3, #receipt.parts)
      assert.equal("NOT_STARTED", receipt.jobs[3].status)
    end)
  end)

  it("never shows a user", function()
    let_run(60, { status = "FAILED" })
    local e = raised(options { users = { "alice-the-user" } })
    assert.falsy(tostring(e):find("alice", 1, true))
    assert.falsy(personalize.receipt_json(e.receipt):find("alice", 1, true))
    for _, event in ipairs(world.events) do
      for _, value in pairs(event) do
        assert.falsy(tostring(value):find("alice", 1, true))
      end
    end
  end)
end)
