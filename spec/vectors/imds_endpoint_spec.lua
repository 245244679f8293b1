--- The SDKs' cases of where the instance metadata service is.

local instance = require "personalize.credentials.instance"
local vectors = require "spec.support.vectors"
local world = require "spec.support.world"

describe("the SDKs' cases of the metadata endpoint:", function()
  local cases, absent = vectors.cases("imds-endpoint-tests.json", "tests")
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    it(("%d, %s"):format(i, case.docs or "no title"), function()
      local made = world.new { env = case.env, files = case.fs,
        endpoints = { metadata = case.endpoint_override },
        transport = world.script { { 200, "token" }, { 404 } } }
      local url, fault = instance.endpoint(made,
        { endpoint = case.endpoint_override, mode = case.mode_override })
      if case.result.Ok then
        assert.is_nil(fault)
        assert.equal(case.result.Ok, url .. "/latest/api/token")
      else
        assert.is_nil(url)
        assert.equal("ConfigError", fault.code)
      end
      -- The mode has no option of the client's; all else is as it is there.
      if not case.mode_override then
        local _, failed = instance.fetch(made)
        assert.equal(case.result.Ok, made.sent[1] and made.sent[1].url)
        assert.equal(case.result.Err and "ConfigError",
          failed and failed.code)
      end
    end)
  end
end)
