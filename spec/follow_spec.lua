--- follow in a world where a day passes at once: what is looked for, created and
-- removed from a receipt alone, and what no receipt brings about.

local cjson = require "cjson"
local core = require "personalize.core"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"

local GROUP, OTHER, ROLE = scripted.GROUP, scripted.OTHER_GROUP, scripted.ROLE
local CREATE, DESCRIBE = "CreateDataDeletionJob", "DescribeDataDeletionJob"
local LIST, PUT = "ListDataDeletionJobs", "PutObject"
local HEAD, GET, DELETE = "HeadObject", "GetObject", "DeleteObject"

-- So many ids make so many parts of 4096 bytes.
local function ids(parts)
  local list = {}
  for i = 1, (parts - 1) * 255 + 10 do
    list[i] = ("user-%010d"):format(i)
  end
  return list
end

describe("follow", function()
  local world, client

  -- Jobs created from now on end by themselves.
  local function let_run(ending)
    world.add = nil -- the class's
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      self:course(job, { 20, { status = "IN_PROGRESS" } }, { 60, ending or
        { status = "COMPLETED", numDeleted = 1 } })
      return job
    end
  end

  before_each(function()
    world = scripted.world()
    client = world:client()
    let_run()
  end)
  after_each(function()
    world:restore()
  end)

  -- A run of so many parts, as it was left; and its receipt.
  local function begin(parts, more)
    local options = { users = ids(parts or 1), bucket = "erasure",
      prefix = "gdpr", datasetGroupArn = GROUP, roleArn = ROLE,
      name = "night", part_size = 4096, wait = false, ticket = "T1" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    local receipt = client:delete_users(options)
    world.sent = {}
    return cjson.decode(personalize.receipt_json(receipt)), receipt
  end

  -- The same, whose jobs the service has never heard of: killed before them.
  local function uploaded(parts, more)
    local receipt = begin(parts, more)
    world.jobs = {}
    for _, job in ipairs(receipt.jobs) do
      job.status, job.history = "NOT_STARTED", {}
      job.arn, job.role_arn, job.request_id = nil, nil, nil
    end
    return receipt
  end

  local function raised(given, options)
    local ok, e = pcall(client.follow, client, given, options)
    assert.is_false(ok, "it went well")
    assert.is_true(personalize.is_error(e), tostring(e))
    return e
  end

  local function refused(part, given, options)
    world.sent = {}
    local e = raised(given, options)
    assert.equal("ParamValidationError", e.code)
    assert.truthy(e.message:find(part, 1, true), e.message)
    assert.equal(0, world:count())
    return e
  end

  local function has(text, part)
    assert.truthy(text:find(part, 1, true), text)
  end

  describe("a run that was left", function()
    it("waits for its jobs, and cleans up", function()
      local before = begin(2)
      local receipt = client:follow(before, { cleanup = true })
      assert.equal("COMPLETED", receipt.status)
      assert.equal(2, #world.jobs)
      assert.same({}, world.objects)
      for i, job in ipairs(receipt.jobs) do
        assert.equal(before.jobs[i].request_id, job.request_id)
        assert.equal("COMPLETED", job.status)
      end
      assert.is_string(receipt.parts[1].removed_at)
      assert.equal("T1", receipt.ticket)
      assert.equal(0, world:count(PUT) + world:count(CREATE) +
        world:count(HEAD))
    end)

    it("says what delete_users would say", function()
      begin(3, { datasetGroupArn = { GROUP, OTHER } })
      local left = { world.jobs, world.objects }
      local receipt = begin(3, { datasetGroupArn = { GROUP, OTHER } })
      local followed = client:follow(receipt)
      world.jobs, world.objects = left[1], left[2]
      local made = client:delete_users { users = ids(3), bucket = "erasure",
        prefix = "gdpr", datasetGroupArn = { GROUP, OTHER }, roleArn = ROLE,
        name = "night", part_size = 4096, ticket = "T1", receipt = receipt }
      assert.equal(personalize.receipt_json(made),
        personalize.receipt_json(followed))
    end)

    it("is followed from JSON, too, and again", function()
      local before = begin()
      local text = cjson.encode(before)
      local receipt = client:follow(text)
      assert.equal("COMPLETED", receipt.status)
      world.sent = {}
      assert.equal(personalize.receipt_json(receipt),
        personalize.receipt_json(client:follow(receipt)))
      assert.equal(0, world:count(CREATE))
      local copy = cjson.encode(before)
      client:follow(before)
      assert.same(cjson.decode(copy), before)
    end)

    it("is looked at once without waiting", function()
      local receipt = client:follow(begin(), { wait = false })
      assert.equal("IN_PROGRESS", receipt.status)
      assert.equal("PENDING", receipt.jobs[1].status)
      world:pass(30)
      assert.equal("IN_PROGRESS",
        client:follow(receipt, { wait = false }).jobs[1].status)
      assert.equal("WaitTimeoutError", raised(receipt, { max_wait = 5 }).code)
    end)

    it("is as the former release wrote it", function()
      local before = uploaded(2)
      for _, name in ipairs { "warnings", "delimiter", "column", "ticket" } do
        before[name] = nil
      end
      for _, part in ipairs(before.parts) do
        part.version_id = nil
      end
      before.jobs[1].status = "UNKNOWN"
      before.later = { any = "member" }
      assert.equal("COMPLETED", client:follow(before).status)
    end)
  end)

  describe("jobs that are not created", function()
    it("are, where their parts lie in S3", function()
      local receipt = client:follow(uploaded(3, { datasetGroupArn =
        { GROUP, OTHER } }), { tags = { team = "crm" } })
      assert.equal("COMPLETED", receipt.status)
      assert.equal(6, #world.jobs)
      assert.equal(3, world:count(HEAD))
      assert.equal(0, world:count(PUT))
      for _, job in ipairs(receipt.jobs) do
        assert.is_string(job.request_id)
        local made = world:find(job.arn)
        assert.equal(receipt.parts[job.part].location,
          made.dataSource.dataLocation)
        assert.equal(ROLE, made.roleArn)
      end
      for _, request in ipairs(world.sent) do
        if request.operation == CREATE then
          assert.same({ { tagKey = "team", tagValue = "crm" } },
            request.input.tags)
        end
      end
    end)

    it("wait for the quota as ever", function()
      let_run()
      local before = uploaded(7)
      local receipt = client:follow(before, { wait = false, max_pending = 3 })
      assert.equal(3, #world.jobs)
      assert.equal("NOT_STARTED", receipt.jobs[4].status)
      assert.equal("COMPLETED", client:follow(receipt).status)
      assert.equal(7, #world.jobs)
    end)

    it("are looked for first", function()
      local before = begin(2)
      for _, status in ipairs { "UNKNOWN", "NOT_STARTED" } do
        for _, job in ipairs(before.jobs) do
          job.status, job.arn = status, nil
        end
        local receipt = client:follow(before)
        assert.equal("COMPLETED", receipt.status)
        assert.equal(2, #world.jobs)
        assert.equal(before.jobs[1].request_id, receipt.jobs[1].request_id)
      end
    end)

    it("are found though their list is gone, and though lists lag", function()
      world.lag = 20
      local before = begin()
      before.jobs[1].status, before.jobs[1].arn = "UNKNOWN", nil
      world.objects = {}
      local receipt = client:follow(before)
      assert.equal("COMPLETED", receipt.status)
      assert.equal(1, #world.jobs)
    end)

    it("are done again where the service has no such job any more", function()
      local before = begin()
      world.jobs = {}
      local receipt = client:follow(before)
      assert.equal("COMPLETED", receipt.status)
      assert.equal(2, #receipt.jobs)
      assert.equal(1, #world.jobs)
    end)

    it("get another name where they have FAILED", function()
      let_run { status = "FAILED", failureReason = "bad day" }
      local before = begin()
      world:pass(3600)
      let_run()
      local receipt = client:follow(before)
      assert.equal("COMPLETED", receipt.status)
      assert.equal(2, #receipt.jobs)
      assert.equal("FAILED", receipt.jobs[1].status)
      assert.equal(receipt.jobs[1].job_name .. "-r1",
        receipt.jobs[2].job_name)
      assert.equal(1, world:count(HEAD))
      -- One that fails while it is followed is told.
      let_run { status = "FAILED", failureReason = "bad day" }
      local e = raised(uploaded(1, { name = "other" }))
      assert.equal("DataDeletionJobFailed", e.code)
      assert.equal("FAILED", e.receipt.status)
    end)
  end)

  describe("a part of the list", function()
    local CASES = {
      ["is not there any more"] = function(object) object.key = "moved" end,
      ["its SHA-256 is"] = function(object)
        object.body = object.body:sub(1, -3) .. "x\n"
      end,
      ["bytes there, not"] = function(object)
        object.body = object.body .. "somebody\n"
      end,
      ["under a KMS key"] = function(object)
        object.encryption = "aws:kms"
      end,
    }
    for why, change in pairs(CASES) do
      it("is missing: " .. why, function()
        local before = uploaded(3)
        -- A sum of S3's own counts like the bytes.
        for _, object in ipairs(world.objects) do
          object.checksum = core.base64((core.sha256_hex(object.body):gsub(
            "%x%x", function(digits)
              return string.char(tonumber(digits, 16))
            end)))
        end
        change(world.objects[2])
        world.objects[2].checksum = nil
        local e = raised(before, { cleanup = true })
        assert.equal("UserListError", e.code)
        has(e.message, "1 of 3 jobs cannot be created without the list")
        has(e.message, "part 2 of 3")
        has(e.message, why)
        has(e.message, "Run delete_users with the list")
        assert.equal("PARTIAL", e.receipt.status)
        assert.equal("COMPLETED", e.receipt.jobs[1].status)
        assert.equal("NOT_STARTED", e.receipt.jobs[2].status)
        assert.equal("COMPLETED", e.receipt.jobs[3].status)
        has(table.concat(e.receipt.remaining, "\n"), "Part 2 of the list")
        assert.equal(2, #world.jobs)
        assert.equal(0, world:count(DELETE))
      end)
    end

    it("is proved by S3's own sum, else read", function()
      local before = uploaded()
      client:follow(before)
      assert.equal(1, world:count(GET))
      world.jobs, world.sent = {}, {}
      local object = world.objects[1]
      local sum = core.sha256_hex(object.body):gsub("%x%x", function(digits)
        return string.char(tonumber(digits, 16))
      end)
      object.checksum = core.base64(sum)
      client:follow(before)
      assert.equal(0, world:count(GET))
    end)

    it("that may not be looked at keeps no others back", function()
      local before = uploaded(2)
      world:next(HEAD, scripted.status(403))
      local e = raised(before)
      assert.equal(403, e.status)
      assert.equal(HEAD, e.operation)
      has(e.message, "part 1 of 2, s3://erasure/gdpr/night/0001of2-")
      assert.equal("COMPLETED", e.receipt.jobs[2].status)
      assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
      assert.equal(1, #world.jobs)
    end)

    it("that cannot be looked at just now ends the run", function()
      local before = uploaded(2)
      world.always[HEAD] = scripted.lost("ConnectionError", 0, false)
      local e = raised(before)
      assert.equal("ConnectionError", e.code)
      assert.equal(0, world:count(CREATE))
      assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
      world.always[HEAD] = nil
      assert.equal("COMPLETED", client:follow(e.receipt).status)
    end)

    it("that nobody needs is not looked at", function()
      local before = begin(2)
      world.objects = {}
      assert.equal("COMPLETED", client:follow(before).status)
      assert.equal(0, world:count(HEAD))
    end)
  end)

  describe("a receipt", function()
    local EDITS = {
      ["has no region"] = function(r) r.region = nil end,
      ["is of the region eu-central-1, but the region in use is eu-west-1"] =
        function(r)
          r.region = "eu-central-1"
          r.dataset_group_arns[1] = GROUP:gsub("eu%-west", "eu-central")
        end,
      ["has a dataset_group_arns[1] that is in the region"] = function(r)
        r.dataset_group_arns[1] = GROUP:gsub("eu%-west", "eu-central")
      end,
      ["has no name"] = function(r) r.name = nil end,
      ["has a name that"] = function(r) r.name = "../other" end,
      ["has no bucket"] = function(r) r.bucket = nil end,
      ["has a bucket that"] = function(r) r.bucket = "a/b" end,
      ["has a prefix that"] = function(r) r.prefix = "/x" end,
      ["lies where its run puts none"] = function(r) r.prefix = "other" end,
      ["a part 1 that lies where its run puts none"] = function(r)
        r.parts[1].location = "s3://erasure/somebody/else.csv"
      end,
      ["a part 2 that lies where its run puts none"] = function(r)
        r.parts[2].sha256 = core.sha256_hex "another"
      end,
      ["a part 1 with another number"] = function(r)
        r.parts[1].part = 2
      end,
      ["which have 265 and"] = function(r) r.users = 7 end,
      ["other users or bytes"] = function(r) r.parts[1].bytes = 1 end,
      ["has no parts"] = function(r) r.parts = {} end,
      ["has no role_arn"] = function(r) r.role_arn = nil end,
      ["has a role_arn that is of the account 999999999999"] = function(r)
        r.role_arn = ROLE:gsub("123456789012", "999999999999")
      end,
      ["has no dataset_group_arns"] = function(r)
        r.dataset_group_arns = nil
      end,
      ["has a dataset_group_arns that must"] = function(r)
        r.dataset_group_arns = {}
      end,
      ["dataset_group_arns[2] that is there twice"] = function(r)
        r.dataset_group_arns[2] = GROUP
      end,
      ["has a job 1 that is not of its run"] = function(r)
        r.jobs[1].job_name = "somebody-elses"
      end,
      ["has a job 2 that is not of its run"] = function(r)
        r.jobs[2].part = 9
      end,
      ["a job 2 that is not of its run"] = function(r)
        r.jobs[2].dataset_group_arn = OTHER
      end,
      ["a job 1 whose ARN is not that"] = function(r)
        r.jobs[1].arn = r.jobs[1].arn:gsub("123456789012", "999999999999")
      end,
      ["a job 2 whose ARN is not that"] = function(r)
        r.jobs[2].arn = r.jobs[1].arn
      end,
      ["is of a dry run"] = function(r) r.status = "DRY_RUN" end,
      ["is none of version 1"] = function(r) r.version = 2 end,
      ["has a parts[1].sha256 that is none"] = function(r)
        r.parts[1].sha256 = "abc"
      end,
      ["has a jobs[1].status that is none"] = function(r)
        r.jobs[1].status = "\27[2J"
      end,
    }
    for why, edit in pairs(EDITS) do
      it("is refused, edited by hand: " .. why, function()
        local receipt = begin(2)
        edit(receipt)
        local e = refused(why, receipt, { cleanup = true })
        assert.equal("receipt", e.params[1].path)
        assert.equal(2, #world.objects)
        assert.is_nil(e.receipt)
      end)
    end

    it("is refused with all that is wrong with it", function()
      local receipt = begin()
      receipt.bucket, receipt.role_arn, receipt.region = "X", "none", nil
      assert.equal(3, #refused("has a bucket that", receipt).params)
    end)

    it("is refused where it is none", function()
      for _, given in ipairs { "", "{", "null", "[]", 1, true, {}, print } do
        refused("is ", given)
      end
      local ok, e = pcall(client.follow, client)
      assert.is_false(ok)
      assert.equal("receipt", e.params[1].path)
    end)

    it("of another account than the credentials' is refused", function()
      local receipt = begin()
      local function with(account)
        client = world:client { credentials = function()
          return { access_key_id = "AKID", secret_access_key = "secret",
            account_id = account }
        end }
      end
      with "999999999999"
      refused("is of the account 123456789012, but the credentials are of " ..
        "999999999999", receipt)
      with "123456789012"
      assert.equal("COMPLETED", client:follow(receipt).status)
    end)

    it("that names another's job is not believed", function()
      local other = begin(1, { name = "other" })
      local receipt = begin(1)
      -- Another list under the name, and place, of ours.
      world.jobs[2].dataSource = { dataLocation = other.parts[1].location }
      local e = raised(receipt, { cleanup = true })
      assert.equal("UserListError", e.code)
      assert.equal(0, world:count(DELETE))
      world.jobs[2].datasetGroupArn = OTHER
      e = raised(receipt, { cleanup = true })
      assert.equal("UserListError", e.code)
      assert.equal(0, world:count(DELETE))
    end)

    it("that says COMPLETED is not believed either", function()
      local receipt = begin()
      receipt.status, receipt.jobs[1].status = "COMPLETED", "COMPLETED"
      assert.equal("WaitTimeoutError", raised(receipt, { cleanup = true,
        max_wait = 5 }).code)
      assert.equal(0, world:count(DELETE))
    end)

    it("brings no other object to harm than those of its name", function()
      local receipt = begin(2)
      for _, key in ipairs { "gdpr/night/0001of1-x.csv", "gdpr/night",
        "gdpr/night/0001of2-" .. ("0"):rep(16) .. ".csv", "other" } do
        table.insert(world.objects, { key = key, body = "", version = key })
      end
      client:follow(receipt, { cleanup = true })
      assert.equal(4, #world.objects)
    end)
  end)

  it("checks its options before anything", function()
    local receipt = begin()
    for name, options in pairs { wiat = { wiat = true }, wait = { wait = 1 },
      users = { users = { "a" } }, tags = { tags = { ["*"] = "" } },
      bucket = { bucket = "other" }, max_wait = { max_wait = 0 },
      on_receipt = { on_receipt = "r.json" }, cleanup = { cleanup = "yes" },
      expected_bucket_owner = { expected_bucket_owner = "1" } } do
      local e = refused("", receipt, options)
      has(e.params[1].path .. e.message, name)
    end
    refused("table", receipt, "x")
  end)

  it("tells how far it is, and hands over its receipt", function()
    local phases, told = {}, {}
    client:follow(uploaded(2), { cleanup = true,
      on_progress = function(progress)
        phases[progress.phase] = progress
      end,
      on_receipt = function(receipt)
        told[#told + 1] = receipt.jobs[1].status
      end })
    for _, phase in ipairs { "check", "create", "wait", "cleanup" } do
      assert.equal(265, phases[phase].users)
      assert.equal(2, phases[phase].parts)
    end
    assert.equal("UNKNOWN", told[1])
    assert.equal("COMPLETED", told[#told])
    local e = raised(uploaded(1, { name = "other" }), {
      on_receipt = function() return nil, "no room" end })
    assert.equal("InterruptedError", e.code)
    has(e.message, "on_receipt failed: no room")
  end)

  it("is a function of the module, and wants a client", function()
    assert.is_function(personalize.follow)
    local ok, e = pcall(client.follow, {}, {})
    assert.is_false(ok)
    assert.equal("ConfigError", e.code)
    ok, e = pcall(personalize.follow, personalize, {})
    assert.is_false(ok)
    has(e.message, "with a dot")
    assert.equal(0, world:count(LIST) + world:count(DESCRIBE))
  end)
end)
