--- The SDKs' cases of a container's credentials: which URL is asked.

local container = require "personalize.credentials.container"
local vectors = require "spec.support.vectors"
local world = require "spec.support.world"

-- A document that any agent might give.
local ANSWER = '{"AccessKeyId":"ID","SecretAccessKey":"SECRET","Token":' ..
  '"TOKEN","Expiration":"2009-02-13T23:31:30Z"}'

describe("the SDKs' cases of a container's URL:", function()
  local cases, absent = vectors.cases("ecs-tests.json", "tests")
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    it(("%d, %s"):format(i, case.docs or "no title"), function()
      local made = world.new { env = case.env,
        transport = world.script { { 200, ANSWER } },
        -- No name is looked up for real; what these are is not near.
        resolve = function() return { "203.0.113.7" } end }
      local found, fault, why = container.fetch(made)
      if case.result.Ok then
        assert.is_nil(fault or why)
        assert.equal("ID", found.access_key_id)
        assert.equal(1, #made.sent)
        assert.equal(case.result.Ok, made.sent[1].url)
        assert.is_true(made.sent[1].direct)
        return
      end
      assert.is_nil(found)
      assert.equal(0, #made.sent)
      if case.result.ErrorContains:find "No environment variables" then
        assert.is_nil(fault)
        assert.equal("string", type(why))
      else
        assert.truthy(fault and fault.message)
      end
    end)
  end
end)
