--- AWS's table of partitions against the module's own.

local core = require "personalize.core"
local vectors = require "spec.support.vectors"

local function sorted(list)
  table.sort(list)
  return list
end

describe("partition", function()
  local partitions, absent = vectors.cases("partitions.json", "partitions")
  if not partitions then
    pending(absent)
    return
  end
  for _, partition in ipairs(partitions) do
    local names = {}
    for name in pairs(partition.regions) do
      names[#names + 1] = name
    end
    sorted(names)

    it(partition.id .. " is as AWS has it", function()
      local ours = core.partition(names[1])
      local outputs = partition.outputs
      assert.equal(partition.id, ours.id)
      assert.equal(partition.regionRegex, ours.region_regex)
      assert.equal(outputs.dnsSuffix, ours.dns_suffix)
      assert.equal(outputs.dualStackDnsSuffix, ours.dual_stack_dns_suffix)
      assert.equal(outputs.implicitGlobalRegion,
        ours.implicit_global_region)
      assert.equal(outputs.supportsFIPS, ours.supports_fips)
      assert.equal(outputs.supportsDualStack, ours.supports_dual_stack)
      assert.same(names, sorted(ours.regions))
    end)

    for _, name in ipairs(names) do
      it(name .. " belongs to " .. partition.id, function()
        assert.equal(partition.id, core.partition(name).id)
      end)
      -- A region that is not in the list yet, found by its form.
      local new, count = name:gsub("%d+$", "77")
      if count > 0 then
        it(new .. " would belong to " .. partition.id, function()
          assert.equal(partition.id, core.partition(new).id)
        end)
      end
    end
  end

  it("of any other name is aws", function()
    for _, name in ipairs { "mars", "mars-north-1", "us-east", "us-east-1x",
      "xus-east-1", "us--1" } do
      assert.equal("aws", core.partition(name).id, name)
    end
  end)
end)
