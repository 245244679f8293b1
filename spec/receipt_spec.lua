--- Receipts: what is proved by them, what makes them up, and what they may not
-- claim.

local cjson = require "cjson"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"

describe("a receipt", function()
  local world, client

  before_each(function()
    world = scripted.world()
    client = world:client()
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      self:course(job, { 60, { status = "COMPLETED", numDeleted = 1,
        lastUpdatedDateTime = self:server_time() + 60 } })
      return job
    end
  end)
  after_each(function()
    world:restore()
  end)

  local function options(more)
    local found = { users = { "a", "b" }, bucket = "erasure", name = "night",
      datasetGroupArn = scripted.GROUP, roleArn = scripted.ROLE }
    for name, value in pairs(more or {}) do
      found[name] = value
    end
    return found
  end

  local function raised(given)
    local ok, e = pcall(client.delete_users, client, given)
    assert.is_false(ok, "it went well")
    assert.is_true(personalize.is_error(e), tostring(e))
    return e
  end

  describe("is verified against a list", function()
    local receipt
    before_each(function()
      receipt = client:delete_users(options())
    end)

    local function verify(list)
      -- As a file keeps it.
      return personalize.verify_receipt(
        cjson.decode(personalize.receipt_json(receipt)), list)
    end

    it("that is its own, in any form", function()
      assert.is_true(verify { users = { "a", "b" } })
      assert.is_true(verify { text = "USER_ID\na\nb\n" })
      assert.is_true(verify { text = "a\nb\n", format = "lines" })
      assert.is_true(personalize.verify_receipt(
        personalize.receipt_json(receipt), { users = { "a", "b" } }))
    end)

    local function refuted(list, word)
      local ok, why = verify(list)
      assert.is_false(ok)
      assert.truthy(why:find(word, 1, true), why)
    end

    it("that has other users, another order, more or fewer", function()
      refuted({ users = { "a", "c" } }, "SHA-256")
      refuted({ users = { "b", "a" } }, "SHA-256")
      refuted({ users = { "a" } }, "1 users, in the receipt 2")
      refuted({ users = { "a", "b", "c" } }, "3 users, in the receipt 2")
      refuted({ text = "user_id\na\nb\n" }, "faults")
      receipt.part_size = 4096
      local many = {}
      for i = 1, 2000 do
        many[i] = "user" .. i
      end
      refuted({ users = many }, "parts")
    end)

    it("in all that follows from a list", function()
      local list = { users = { "a", "b", "a" }, unique = true }
      receipt = client:delete_users(options { users = list.users,
        unique = true, name = "unique", prefix = "p" })
      assert.is_true(verify(list))
      local whole = personalize.receipt_json(receipt)
      for title, change in pairs {
        users = function(r) r.users = 3 end,
        bytes = function(r) r.bytes = 13 end,
        duplicates = function(r) r.duplicates = 0 end,
        ["duplicates that were not dropped"] = function(r)
          r.unique, r.parts = false, { { users = 3, bytes = 14, part = 1,
            sha256 = require "personalize.core".sha256_hex(
              "USER_ID\na\nb\na\n") } }
          r.users, r.bytes = 3, 14
        end,
        ["a part's number"] = function(r) r.parts[1].part = 2 end,
        ["a part's users"] = function(r) r.parts[1].users = 1 end,
        ["a part's bytes"] = function(r) r.parts[1].bytes = 1 end,
        ["a part's hash"] = function(r)
          r.parts[1].sha256 = ("0"):rep(64)
        end,
        ["a part's place"] = function(r)
          r.parts[1].location = "s3://erasure/p/unique/other.csv"
        end,
        ["a part's bucket"] = function(r)
          r.parts[1].location = r.parts[1].location:gsub("erasure", "other")
        end,
        ["a job's part"] = function(r) r.jobs[1].part = 2 end,
        ["a part more"] = function(r) r.parts[2] = r.parts[1] end,
        ["a part less"] = function(r) r.parts = {} end,
      } do
        local other = cjson.decode(whole)
        change(other)
        local ok, why = personalize.verify_receipt(other, list)
        assert.is_false(ok, title)
        assert.is_string(why)
      end
      -- What is absent is not known; what was done does not follow from a list.
      for _, change in ipairs {
        function(r) r.users, r.bytes, r.duplicates = nil, nil, nil end,
        function(r) r.jobs[1].status = "FAILED" end,
        function(r) r.parts[1].sha256 = r.parts[1].sha256:upper() end,
        function(r) r.later, r.parts[1].later = { 1 }, "x" end,
      } do
        local other = cjson.decode(whole)
        change(other)
        assert.is_true(personalize.verify_receipt(other, list))
      end
    end)

    it("that is none, or is none itself", function()
      local function wrong(...)
        local ok, e = pcall(personalize.verify_receipt, ...)
        assert.is_false(ok)
        assert.is_true(personalize.is_error(e, "ParamValidationError"),
          tostring(e))
      end
      wrong(receipt, "users.csv")
      wrong(receipt, { fil = "users.csv" })
      wrong(receipt, nil)
      wrong(nil, { users = { "a" } })
      wrong({ version = 2, parts = {} }, { users = { "a" } })
      wrong({ version = 1 }, { users = { "a" } })
      wrong({ version = 1, parts = { 1 } }, { users = { "a" } })
      wrong({ version = 1, parts = { { bytes = 1, sha256 = "" } } },
        { users = { "a" } })
    end)

    it("only where its members are what they should be", function()
      local text = personalize.receipt_json(receipt)
      local list = { users = { "a", "b" } }
      for title, change in pairs {
        ["a short hash"] = function(r) r.parts[1].sha256 = "abc" end,
        ["a hash of other letters"] = function(r)
          r.parts[1].sha256 = ("g"):rep(64)
        end,
        ["a hash with an escape"] = function(r)
          r.parts[1].sha256 = "\27[2J" .. ("a"):rep(60)
        end,
        ["a status of a terminal"] = function(r)
          r.status = "COMPLETED\27[2K"
        end,
        ["a status with a line end"] = function(r) r.status = "A\r" end,
        ["a status of C1"] = function(r) r.status = "\194\155" .. "2J" end,
        ["a status from right to left"] = function(r)
          r.status = "\226\128\174DETELPMOC"
        end,
        ["a status that is no text"] = function(r) r.status = { 1 } end,
        ["a number for a status"] = function(r) r.status = 7 end,
        ["a job's status"] = function(r) r.jobs[1].status = "\0" end,
        ["a column of a terminal"] = function(r) r.column = "\27[1m" end,
        ["a column that is no text"] = function(r) r.column = false end,
        ["a format that is none"] = function(r) r.format = "xml" end,
        ["parts of a byte"] = function(r) r.part_size = 1 end,
        ["a time that is none"] = function(r) r.started = "0" end,
        ["a step's time"] = function(r) r.jobs[1].history[1].time = "x" end,
        ["half a user"] = function(r) r.parts[1].users = 0.5 end,
        ["less than no bytes"] = function(r) r.parts[1].bytes = -1 end,
        ["users that are text"] = function(r) r.users = "2" end,
        ["parts with a hole"] = function(r) r.parts[3] = r.parts[1] end,
        ["parts with a name"] = function(r) r.parts.x = r.parts[1] end,
        ["jobs that are none"] = function(r) r.jobs = "none" end,
        ["a job that is none"] = function(r) r.jobs[1] = 1 end,
        ["another version"] = function(r) r.version = 1.5 end,
      } do
        local other = cjson.decode(text)
        change(other)
        local ok, e = pcall(personalize.verify_receipt, other, list)
        assert.is_false(ok, title)
        assert.is_true(personalize.is_error(e, "ParamValidationError"), title)
        assert.equal("receipt", e.params[1].path)
        assert.is_nil(e.message:find "[%c\128-\255]")
      end
    end)
  end)

  it("is the same text for the same receipt, with its members in order",
    function()
      local receipt = client:delete_users(options { ticket = 'T "1"\n' })
      local text = personalize.receipt_json(receipt)
      assert.equal(text, personalize.receipt_json(receipt))
      local last = 0
      for _, name in ipairs { "version", "name", "ticket", "region", "bucket",
        "role_arn", "dataset_group_arns", "format", "unique", "part_size",
        "users", "bytes", "status", "started", "finished", "parts", "jobs",
        "remaining" } do
        local at = text:find('\n  "' .. name .. '": ', 1, true)
        assert.is_true(at and at > last, name)
        last = at
      end
      local back = cjson.decode(text)
      assert.equal('T "1"\n', back.ticket)
      assert.equal(2, back.users)
      assert.same(receipt, back)
    end)

  it("has no duties where nothing was done", function()
    world:next("PutObject", function(self)
      return self:response(403, "<Error><Code>AccessDenied</Code>" ..
        "<Message>no</Message></Error>")
    end)
    local e = raised(options())
    assert.equal("FAILED", e.receipt.status)
    assert.same({ "1 of 1 job not started: run the same call again." },
      e.receipt.remaining)
  end)

  it("claims no removal of what may still be there", function()
    client:delete_users(options { wait = false })
    -- The run that put it died; this one may not list versions.
    world.always.ListObjectVersions = function(self)
      return self:response(403, "<Error><Code>AccessDenied</Code>" ..
        "<Message>no</Message></Error>")
    end
    world:next("PutObject", function(self, ...)
      return self:serve("PutObject", ...)
    end)
    local receipt = client:delete_users(options { name = "other",
      cleanup = true })
    assert.equal("COMPLETED", receipt.status)
    assert.is_nil(receipt.parts[1].removed_at)
    assert.truthy(table.concat(receipt.remaining):find("personal data", 1,
      true))
  end)

  it("keeps a list that another call's jobs need", function()
    world.add = nil -- the class's: a job without an end
    client:delete_users(options { wait = false })
    world.jobs[1].status = "COMPLETED"
    client:delete_users(options { wait = false,
      datasetGroupArn = scripted.OTHER_GROUP })
    local receipt = client:delete_users(options { cleanup = true })
    assert.equal("COMPLETED", receipt.status)
    assert.is_nil(receipt.parts[1].removed_at)
    assert.is_true(#world.objects > 0)
    world.jobs[2].status = "FAILED"
    receipt = client:delete_users(options { cleanup = true })
    assert.is_string(receipt.parts[1].removed_at)
    assert.equal(0, #world.objects)
  end)

  it("says that a list may lie in the bucket, where a put was cut short",
    function()
      local e = raised(options { on_progress = function(progress)
        if progress.phase == "upload" then
          error("enough", 0)
        end
      end })
      assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
      assert.truthy(table.concat(e.receipt.remaining):find("may lie in " ..
        "s3://erasure", 1, true))
    end)

  it("names another prefix, where that is all that differs", function()
    client:delete_users(options())
    local e = raised(options { prefix = "lists" })
    assert.equal("UserListError", e.code)
    assert.truthy(e.message:find("another bucket or prefix", 1, true),
      e.message)
  end)

  it("takes only text that JSON can hold", function()
    local e = raised(options { ticket = "J\252rgen" })
    assert.equal("ParamValidationError", e.code)
    assert.equal("ticket", e.params[1].path)
    assert.equal(0, #world.sent)
  end)

  it("is of all users that were given, or there is none", function()
    local e = raised(options { users = { "a", nil, "b", "c" } })
    assert.equal("UserListError", e.code)
    assert.truthy(e.message:find("hole", 1, true), e.message)
    e = raised(options { users = { "a", name = "b" } })
    assert.equal("UserListError", e.code)
    assert.equal(0, #world.sent)
  end)

  it("never takes a job of another dataset group for its own", function()
    -- The names are alike, by a chance of one in 16 million.
    local groups = { scripted.GROUP, scripted.OTHER_GROUP }
    world:next("CreateDataDeletionJob", function(self, input)
      self:add { jobName = input.jobName, dataSource = input.dataSource,
        datasetGroupArn = groups[2], roleArn = input.roleArn }
      return self:refusal "ResourceAlreadyExistsException"
    end)
    local e = raised(options())
    assert.equal("UserListError", e.code)
    assert.truthy(e.message:find("another dataset group", 1, true), e.message)
    assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
  end)

  it("outlasts a network that is gone for an hour", function()
    local ends
    world.always.DescribeDataDeletionJob = function(self, input)
      ends = ends or self.monotonic + 3600
      if self.monotonic < ends then
        return nil, { code = "ConnectionError", message = "no such host",
          sent = false, retryable = false }
      end
      return self:serve("DescribeDataDeletionJob", input)
    end
    assert.equal("COMPLETED", client:delete_users(options()).status)
  end)

  it("tells the last refusal only as long as it stands", function()
    world:next("CreateDataDeletionJob",
      scripted.refuse "ResourceInUseException")
    world.add = nil -- the class's: a job without an end
    local e = raised(options { max_wait = 600 })
    assert.equal("WaitTimeoutError", e.code)
    assert.is_nil(e.cause)
    assert.falsy(e.message:find("ResourceInUse", 1, true))
    local waits = 0
    for _, event in ipairs(world.events) do
      waits = waits + (event.name == "wait" and 1 or 0)
    end
    assert.is_true(waits > 3)
  end)
end)
