--- delete_users for many dataset groups: what it costs grows with their number,
-- not with its square. Instructions of Lua are counted, so that the outcome is
-- the same on any machine.

local evidence = require "personalize.evidence"
local instant = require "spec.support.instant"
local personalize = require "personalize"

local FEW, FACTOR = 150, 4
-- Four times as many groups may cost so much more; a square would be 16.
local MOST = 5.5

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

local function options(count, more)
  local groups = {}
  for i = 1, count do
    groups[i] = instant.group(("shop-%05d"):format(i))
  end
  local found = instant.options(more)
  found.datasetGroupArn = groups
  return found
end

describe("a run for many dataset groups", function()
  -- What the run costs, then one with its receipt, then what else there is.
  local function costs(groups)
    local client = personalize.new(instant.client(instant.service()))
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
