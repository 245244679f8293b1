--- Creates through a lossy way: what came back is true, whatever was lost.
-- `make soak` does the same with ten thousand.

local aws = require "spec.support.aws"
local chaos = require "spec.support.chaos"
local patience = require "spec.support.patience"

local COUNT, RATE = 300, 0.2
local SEED = 20261124

describe("a create on the wire", function()
  local server, way

  setup(function()
    server = aws.start "--job-seconds 3600"
    way = chaos.lossy("--rate 0 --upstream " ..
      server.endpoint:match "//(.*)$")
  end)
  teardown(function()
    way.stop()
    server:stop()
  end)

  -- How a create ends whose first request meets a loss, and the jobs then.
  local function create(loss, server_fault, timeout)
    server:reset()
    if server_fault then
      server:fault(server_fault)
    end
    way.ask("POST", "/next/" .. loss)
    local client = server:client { endpoint = way.endpoint,
      timeout = timeout or 60 }
    -- A name for each loss: what is late may outlast its test.
    local ok, out, meta = pcall(client.create_data_deletion_job, client,
      server:job(loss))
    local jobs = {}
    for _, job in ipairs(client:list_data_deletion_jobs().dataDeletionJobs) do
      if job.jobName == loss then
        jobs[#jobs + 1] = job
      end
    end
    client:close()
    return ok, out, meta, jobs
  end

  -- Where it was done, its job is found; where not, the second request does it.
  for _, loss in ipairs { "close_before", "reset_before", "hang_before",
    "throttled", "broken_before", "away_before", "close_after",
    "reset_after", "reset_inside", "cut_head", "cut_body", "garbled",
    "hang_after", "broken_after", "away_after", "page_after", "late", "slow",
    "close_idle" } do
    it("that meets " .. loss .. " ends with its one job", function()
      local ok, out, meta, jobs
      if not loss:find "^hang" then
        ok, out, meta, jobs = create(loss)
      else -- so short a time that it is not waited for, and long enough to look
        patience.long_enough(2, function(seconds)
          ok, out, meta, jobs = create(loss, nil, seconds)
          return ok or loss == "hang_before" and out.unclear
        end)
      end
      if loss == "hang_before" then
        assert.is_false(ok)
        assert.equal("TimeoutError", out.code)
        assert.is_true(out.unclear)
        assert.equal(0, #jobs)
        return
      end
      assert.is_true(ok, tostring(out))
      assert.equal(1, #jobs)
      assert.equal(jobs[1].dataDeletionJobArn, out.dataDeletionJobArn)
      local is_whole = loss == "slow" or loss == "close_idle"
      local was_done = loss:find "_after$" or loss:find "^cut" or
        loss == "reset_inside" or loss == "garbled"
      if loss ~= "late" then -- where it races the retry: either way is right
        assert.equal(was_done and true or nil, meta.reconciled)
      end
      assert.equal((is_whole or loss == "hang_after") and 1 or 2,
        meta.attempts)
    end)
  end

  it("finds its job where describing it fails at first", function()
    local ok, out, meta, jobs = create("reset_after",
      { name = "InternalFailure", operation = "DescribeDataDeletionJob",
        times = 2 })
    assert.is_true(ok, tostring(out))
    assert.is_true(meta.reconciled)
    assert.equal(1, #jobs)
  end)
end)

describe("creates through a lossy way", function()
  if type(rawget(_G, "jit")) ~= "table" and _VERSION ~= "Lua 5.4" then
    pending "creates through a lossy way: on 5.4 and LuaJIT only, for the time"
    return
  end

  it("end with the truth", function()
    local report = chaos.run(COUNT, SEED, RATE)
    print ""
    chaos.print(("%d creates, %d requests, %d jobs:"):format(COUNT,
      report.requests, report.jobs), report.outcomes)
    chaos.print("losses:", report.losses)
    assert.same({}, report.faults)
    -- A run in which nothing was lost, or nothing found, shows nothing.
    local losses = 0
    for _, count in pairs(report.losses) do
      losses = losses + count
    end
    assert.is_true(losses > COUNT * RATE * 0.7)
    assert.is_true((report.outcomes["ok, found by looking"] or 0) > 5)
    assert.is_true((report.outcomes["ok, at a later attempt"] or 0) > 5)
  end)
end)
