--- Whose credentials are meant: hashes that are equal where they would be the
-- same, and different where they might not.

local fingerprint = require "personalize.credentials.fingerprint"
local world = require "spec.support.world"

local CONFIG = [[
[default]
region = eu-west-1
[profile base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = planted-secret
[profile a]
source_profile = base
role_arn = arn:aws:iam::123456789012:role/A
[profile b]
source_profile = base
role_arn = arn:aws:iam::123456789012:role/B
[profile same-role-as-a]
source_profile = base
role_arn = arn:aws:iam::123456789012:role/A
[profile command]
credential_process = /usr/bin/one
]]

local function hash(given)
  given = given or {}
  local env = { HOME = "/h", AWS_REGION = "eu-west-1" }
  for name, value in pairs(given.env or {}) do
    env[name] = value
  end
  return fingerprint.of(world.new { env = env, profile = given.profile,
    endpoints = given.endpoints, region = given.region,
    files = { ["/h/.aws/config"] = given.config or CONFIG } })
end

-- All of these are different from each other.
local PLANS = {
  {}, { profile = "base" }, { profile = "a" }, { profile = "b" },
  { profile = "same-role-as-a" }, { profile = "command" },
  { profile = "nobody" },
  { env = { AWS_PROFILE = "a" } }, -- the environment's keys may go before
  { profile = "a", region = "us-east-1" },
  { profile = "a", env = { AWS_USE_FIPS_ENDPOINT = "true" } },
  { profile = "a", endpoints = { sts = "https://sts.test" } },
  { profile = "a", endpoints = { sso = "https://sts.test" } },
  { profile = "a", config = (CONFIG:gsub("AKIDBASE", "AKIDOTHER")) },
  { profile = "a", config = (CONFIG:gsub("role/A\n",
    "role/A\nexternal_id = x\n")) },
  { profile = "a", config = (CONFIG:gsub("role/A\n",
    "role/A\nrole_session_name = x\n")) },
  { profile = "command", config = (CONFIG:gsub("bin/one", "bin/two")) },
  { config = "[default\n" },
  { env = { AWS_ACCESS_KEY_ID = "AKID1" } },
  { env = { AWS_ACCESS_KEY_ID = "AKID2" } },
  { env = { AWS_ROLE_ARN = "x" } },
  { env = { AWS_ROLE_SESSION_NAME = "x" } },
  { env = { AWS_WEB_IDENTITY_TOKEN_FILE = "x" } },
  { env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x" } },
  { env = { AWS_CONTAINER_CREDENTIALS_FULL_URI = "/x" } },
  { env = { AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1" } },
}

describe("the fingerprint of a plan", function()
  it("is the same for the same plan", function()
    for i, plan in ipairs(PLANS) do
      assert.equal(hash(plan), hash(plan), "plan " .. i)
      assert.truthy(hash(plan):find("^%x+$"))
      assert.equal(64, #hash(plan))
    end
  end)

  it("is another for another plan", function()
    local seen = {}
    for i, plan in ipairs(PLANS) do
      local found = hash(plan)
      assert.is_nil(seen[found], ("plans %s and %d"):format(
        tostring(seen[found]), i))
      seen[found] = i
    end
  end)

  it("does not depend on a secret", function()
    assert.equal(hash { profile = "a" }, hash { profile = "a",
      config = (CONFIG:gsub("planted%-secret", "another")) })
    assert.equal(hash { profile = "base" }, hash { profile = "base",
      config = (CONFIG:gsub("planted%-secret", "another")) })
    assert.equal(hash { env = { AWS_SECRET_ACCESS_KEY = "one",
      AWS_SESSION_TOKEN = "one" } }, hash())
  end)

  it("depends on a container's token: nothing else says whose it is",
    function()
      assert.not_equal(
        hash { env = { AWS_CONTAINER_AUTHORIZATION_TOKEN = "one" } },
        hash { env = { AWS_CONTAINER_AUTHORIZATION_TOKEN = "two" } })
    end)

  it("tells values that run into each other apart", function()
    assert.not_equal(hash { env = { AWS_ROLE_ARN = "x\ny" } },
      hash { env = { AWS_ROLE_ARN = "x", AWS_ROLE_SESSION_NAME = "y\nnil" } })
  end)

  it("stands even where an endpoint is wrong that nobody needs", function()
    local made = world.new { env = { HOME = "/h" } }
    local endpoint = made.endpoint
    made.endpoint = function(service)
      if service == "sso" then
        error { code = "ConfigError" }
      end
      return endpoint(service)
    end
    assert.truthy(fingerprint.of(made))
  end)
end)
