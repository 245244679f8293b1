--- The receipt while a run goes on: when it is told, what it says by then, and
-- what that may cost.

local personalize = require "personalize"
local scripted = require "spec.support.scripted"

local GROUP, OTHER = scripted.GROUP, scripted.OTHER_GROUP
local PUT, CREATE = "PutObject", "CreateDataDeletionJob"

-- So many ids make so many parts of 4096 bytes.
local function ids(parts)
  local list = {}
  for i = 1, (parts - 1) * 255 + 10 do
    list[i] = ("user-%010d"):format(i)
  end
  return list
end

describe("on_receipt", function()
  local world, client, told

  before_each(function()
    world = scripted.world()
    client = world:client()
    told = {}
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      self:course(job, { 20, { status = "IN_PROGRESS" } }, { 60,
        { status = "COMPLETED", numDeleted = 1 } })
      return job
    end
  end)
  after_each(function()
    world:restore()
  end)

  local function options(more)
    local found = { users = { "a", "b" }, bucket = "erasure", name = "night",
      datasetGroupArn = GROUP, roleArn = scripted.ROLE,
      on_receipt = function(receipt)
        told[#told + 1] = { receipt = receipt, puts = world:count(PUT),
          creates = world:count(CREATE), at = world.monotonic }
      end }
    for name, value in pairs(more or {}) do
      found[name] = value
    end
    return found
  end

  local function status_of_job(i, number)
    return told[i].receipt.jobs[number or 1].status
  end

  it("comes before anything is sent, and after each step", function()
    local receipt = client:delete_users(options { cleanup = true })
    -- The plan.
    local first = told[1].receipt
    assert.equal(0, told[1].puts)
    assert.equal("IN_PROGRESS", first.status)
    assert.equal(receipt.parts[1].sha256, first.parts[1].sha256)
    assert.equal(receipt.parts[1].location, first.parts[1].location)
    assert.is_nil(first.parts[1].request_id)
    assert.equal("NOT_STARTED", status_of_job(1))
    assert.truthy(table.concat(first.remaining):find("may lie in s3://erasure",
      1, true))
    -- Uploaded.
    assert.equal(1, told[2].puts)
    assert.equal("s3-1", told[2].receipt.parts[1].request_id)
    assert.equal("NOT_STARTED", status_of_job(2))
    -- About to be created; created.
    assert.equal(0, told[3].creates)
    assert.equal("UNKNOWN", status_of_job(3))
    assert.is_nil(told[3].receipt.jobs[1].arn)
    assert.equal(1, told[4].creates)
    assert.equal("PENDING", status_of_job(4))
    assert.equal(receipt.jobs[1].arn, told[4].receipt.jobs[1].arn)
    assert.equal(receipt.jobs[1].request_id,
      told[4].receipt.jobs[1].request_id)
    -- Over, and the list gone.
    local last = told[#told].receipt
    assert.equal("COMPLETED", last.status)
    assert.equal(receipt.parts[1].removed_at, last.parts[1].removed_at)
    assert.is_nil(told[#told - 1].receipt.parts[1].removed_at)
    assert.equal(personalize.receipt_json(receipt),
      personalize.receipt_json(last))
  end)

  it("tells of each change of a status", function()
    client:delete_users(options { poll = 5 })
    local seen = {}
    for i = 1, #told do
      if status_of_job(i) ~= seen[#seen] then
        seen[#seen + 1] = status_of_job(i)
      end
    end
    assert.same({ "NOT_STARTED", "UNKNOWN", "PENDING", "IN_PROGRESS",
      "COMPLETED" }, seen)
  end)

  it("is given a receipt that is the caller's to change", function()
    local kept
    local receipt = client:delete_users(options {
      on_receipt = function(its)
        kept = kept or { its, personalize.receipt_json(its) }
        if its ~= kept[1] then
          its.name, its.parts, its.jobs = nil, nil, nil
        end
      end })
    assert.equal("COMPLETED", receipt.status)
    assert.equal(kept[2], personalize.receipt_json(kept[1]))
  end)

  it("ends the run where it raises, before anything is sent", function()
    local ok, e = pcall(client.delete_users, client, options {
      on_receipt = function() error("no room", 0) end })
    assert.is_false(ok)
    assert.equal("InterruptedError", e.code)
    assert.equal("on_receipt raised an error: no room", e.message)
    assert.equal(0, world:count(PUT))
    assert.equal("night", e.receipt.name)
  end)

  it("is not called where there is nothing to tell", function()
    client:delete_users(options { dry_run = true })
    world.always.ListDataDeletionJobs = scripted.refuse "AccessDeniedException"
    assert.is_false((pcall(client.delete_users, client, options())))
    assert.is_false((pcall(client.delete_users, client,
      options { users = { "" } })))
    assert.same({}, told)
    local ok, e = pcall(client.delete_users, client,
      options { on_receipt = "r.json" })
    assert.is_false(ok)
    assert.equal("on_receipt", e.params[1].path)
  end)

  it("tells a second run what it found, before that waits", function()
    client:delete_users(options { wait = false })
    told = {}
    client:delete_users(options())
    assert.equal(world.jobs[1].dataDeletionJobArn,
      told[1].receipt.jobs[1].arn)
    assert.is_true(told[1].at < 1005)
  end)

  it("takes little of a run's time, however long it takes", function()
    local groups = {}
    for i = 1, 60 do
      groups[i] = GROUP .. i
    end
    world.latency = 0.1
    local spent, asleep = 0, nil
    client = world:client { sleep = function(seconds)
      asleep = asleep or seconds > 0 and told[#told]
      world:pass(seconds)
      return true
    end }
    local began = world.monotonic
    local receipt = client:delete_users(options { datasetGroupArn = groups,
      on_receipt = function(its)
        told[#told + 1] = its
        world:pass(1)
        spent = spent + 1
      end })
    assert.equal("COMPLETED", receipt.status)
    assert.equal(60, #world.jobs)
    -- Before it slept all was told.
    for _, job in ipairs(asleep.jobs) do
      assert.is_string(job.arn)
    end
    -- A tenth, and those that are due anyway: the first and before it sleeps.
    local all = world.monotonic - began
    assert.is_true(spent <= all / 10 + 3, spent .. " of " .. all)
  end)

  it("tells of all parts before the jobs that have to wait", function()
    client:delete_users(options { users = ids(7), part_size = 4096,
      wait = false, datasetGroupArn = { GROUP, OTHER } })
    local last = told[#told].receipt
    for i = 1, 7 do
      assert.equal("s3-" .. i, last.parts[i].request_id)
    end
    assert.equal("NOT_STARTED", last.jobs[13].status)
    -- One job is made at once: its create tells whether the options are right.
    for _, one in ipairs(told) do
      assert.is_true(one.creates <= 1 or one.puts == 7)
    end
  end)
end)
