--- delete_users for many dataset groups: what it costs grows with their number,
-- not with its square. Instructions of Lua are counted, so that the outcome is
-- the same on any machine.

local cjson = require "cjson"
local evidence = require "personalize.evidence"
local personalize = require "personalize"

local FEW, FACTOR = 150, 4
-- Four times as many groups may cost so much more; a square would be 16.
local MOST = 5.5

local ARN = "arn:aws:personalize:eu-west-1:123456789012:"

-- A service whose every job is COMPLETED at once, and whose own work does not
-- depend on how many there are.
local function service()
  local jobs, of = {}, {}
  local serve = {
    ListDataDeletionJobs = function(input)
      return { dataDeletionJobs = of[input.datasetGroupArn] }
    end,
    CreateDataDeletionJob = function(input)
      local arn = ARN .. "data-deletion-job/" .. input.jobName
      jobs[arn] = input
      of[input.datasetGroupArn] = { { jobName = input.jobName,
        dataDeletionJobArn = arn } }
      return { dataDeletionJobArn = arn }
    end,
    DescribeDataDeletionJob = function(input)
      local job = jobs[input.dataDeletionJobArn]
      job.status, job.numDeleted, job.tags = "COMPLETED", 1, nil
      job.creationDateTime, job.lastUpdatedDateTime = 1795518000, 1795518060
      return { dataDeletionJob = job }
    end,
  }
  return function(request)
    for _, header in ipairs(request.headers) do
      local operation = header[1] == "x-amz-target" and
        header[2]:match "%.(%w+)$"
      if operation then
        return { status = 200, headers = {}, body = cjson.encode(
          serve[operation](cjson.decode(request.body))) }
      end
    end
    return { status = 200, headers = { etag = '"e"' }, body = "" }
  end
end

-- Thousands of instructions that f takes.
local function cost(f)
  local count = 0
  local jit = rawget(_G, "jit")
  if jit then -- compiled code calls no hook
    jit.off()
    jit.flush()
  end
  debug.sethook(function() count = count + 1 end, "", 1000)
  local ok, e = pcall(f)
  debug.sethook()
  if jit then
    jit.on()
  end
  assert.is_true(ok, tostring(e))
  return count
end

local function options(groups, more)
  local found = { users = { "a", "b" }, bucket = "erasure", name = "night",
    roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3",
    datasetGroupArn = {} }
  for i = 1, groups do
    found.datasetGroupArn[i] = ("%sdataset-group/shop-%05d"):format(ARN, i)
  end
  for name, value in pairs(more or {}) do
    found[name] = value
  end
  return found
end

describe("a run for many dataset groups", function()
  local function client_of()
    return personalize.new { region = "eu-west-1", transport = service(),
      sleep = function() return true end, credentials =
        { access_key_id = "AKIDSCALE", secret_access_key = "secret" } }
  end

  -- What the run costs, then one with its receipt, then what else there is.
  local function costs(groups)
    local client = client_of()
    local receipt
    local function run(more)
      return function()
        receipt = client:delete_users(options(groups, more))
        assert.equal("COMPLETED", receipt.status)
        assert.equal(groups, #receipt.jobs)
      end
    end
    local found = { run = cost(run()) }
    local text = personalize.receipt_json(receipt)
    found["a second run"] = cost(run { receipt = text })
    found["a dry run"] = cost(function()
      client:delete_users(options(groups, { dry_run = true }))
    end)
    found.receipt_json = cost(function() personalize.receipt_json(receipt) end)
    found.merge = cost(function()
      assert.is_nil(evidence.merge(receipt, evidence.read(text)))
    end)
    found.verify_receipt = cost(function()
      assert.is_true(personalize.verify_receipt(text,
        { users = { "a", "b" } }))
    end)
    found["a faulty call"] = cost(function()
      assert.is_false(pcall(client.delete_users, client,
        options(groups, { roleArn = "" })))
    end)
    return found
  end

  it("costs what they cost", function()
    costs(10)
    local few, many = costs(FEW), costs(FEW * FACTOR)
    for name, count in pairs(few) do
      assert.is_true(many[name] <= (count + 5) * MOST, ("%s: %d, then %d")
        :format(name, count, many[name]))
    end
    assert.is_true(few.run > 10)
  end)
end)
