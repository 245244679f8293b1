--- The chain of the sources of credentials, the environment first.

local chain = require "personalize.credentials.chain"
local environment = require "personalize.credentials.environment"
local world = require "spec.support.world"

local NOBODY = { failure = { code = "ConnectionError", sent = false,
  retryable = false, message = "no route" } }

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "s3cret" }

local function env(more)
  local all = { HOME = "/home" }
  for name, value in pairs(more or {}) do
    all[name] = value
  end
  return all
end

describe("the environment", function()
  it("has keys, with token, account and expiration", function()
    local found = environment.fetch(world.new { env = env {
      AWS_ACCESS_KEY_ID = " AKIDENV ", AWS_SECRET_ACCESS_KEY = "s3cret",
      AWS_SESSION_TOKEN = "token", AWS_ACCOUNT_ID = "123456789012",
      AWS_CREDENTIAL_EXPIRATION = "2026-11-24T12:00:00Z" } })
    assert.same({ access_key_id = "AKIDENV", secret_access_key = "s3cret",
      session_token = "token", account_id = "123456789012",
      expiration = 1795521600, source = "environment" }, found)
  end)

  it("is not configured without keys, blank ones too", function()
    local found, fault, why = environment.fetch(world.new { env = env {
      AWS_ACCESS_KEY_ID = "  ", AWS_SECRET_ACCESS_KEY = "" } })
    assert.is_nil(found)
    assert.is_nil(fault)
    assert.truthy(why:find "AWS_ACCESS_KEY_ID")
  end)

  it("refuses half a pair, by name and without the other half", function()
    for name, value in pairs(KEYS) do
      local found, fault = environment.fetch(world.new {
        env = env { [name] = value } })
      assert.is_nil(found)
      assert.equal("CredentialsError", fault.code)
      assert.truthy(fault.message:find(name .. " is set", 1, true))
      assert.is_nil(fault.message:find(value, 1, true))
    end
  end)

  it("refuses keys that would break a header, and a date that is none",
    function()
      local _, fault = environment.fetch(world.new { env = env {
        AWS_ACCESS_KEY_ID = "AK\r\nID", AWS_SECRET_ACCESS_KEY = "s3cret" } })
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find "s3cret")
      local more = env(KEYS)
      more.AWS_CREDENTIAL_EXPIRATION = "tomorrow"
      _, fault = environment.fetch(world.new { env = more })
      assert.equal("ConfigError", fault.code)
      assert.truthy(fault.message:find "AWS_CREDENTIAL_EXPIRATION")
    end)
end)

describe("the chain", function()
  local CONFIG = "[profile prod]\naws_access_key_id = AKIDPROD\n" ..
    "aws_secret_access_key = s3cret\n[default]\nregion = eu-west-1\n"

  it("takes the environment before a profile that it names", function()
    local more = env(KEYS)
    more.AWS_PROFILE = "prod"
    local found = chain.fetch(world.new { env = more,
      files = { ["/home/.aws/config"] = CONFIG } })
    assert.equal("AKIDENV", found.access_key_id)
  end)

  it("skips what the environment says where the code chose a profile",
    function()
      local more = env(KEYS)
      more.AWS_WEB_IDENTITY_TOKEN_FILE = "/token"
      more.AWS_ROLE_ARN = "arn:aws:iam::123456789012:role/R"
      local files = { ["/home/.aws/config"] = CONFIG, ["/token"] = "t" }
      local found = chain.fetch(world.new { env = more, profile = "prod",
        files = files })
      assert.equal("AKIDPROD", found.access_key_id)
      -- Nor is a profile without credentials a reason to ask it.
      local made = world.new { env = more, profile = "default", files = files,
        transport = world.script { NOBODY } }
      local none, fault = chain.fetch(made)
      assert.is_nil(none)
      assert.equal("NoCredentialsError", fault.code)
      assert.equal(1, #made.sent)
    end)

  it("asks web identity after the profile and before the container",
    function()
      local made = world.new {
        env = env { AWS_WEB_IDENTITY_TOKEN_FILE = "/absent",
          AWS_ROLE_ARN = "arn:aws:iam::123456789012:role/R",
          AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x" } }
      local none, fault = chain.fetch(made)
      assert.is_nil(none)
      assert.truthy(fault.message:find("/absent", 1, true))
      assert.equal(0, #made.sent)
    end)

  it("ends with one line for each source that had nothing", function()
    local _, fault = chain.fetch(world.new { env = env(),
      transport = world.script { NOBODY } })
    assert.equal("NoCredentialsError", fault.code)
    local names = {}
    for name in fault.message:gmatch "\n  ([%a ]+): %S" do
      names[#names + 1] = name
    end
    assert.same({ "environment", "shared files", "web identity", "container",
      "instance metadata" }, names)
  end)

  it("ends with the failure of a source that is configured", function()
    local made = world.new { env = env {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://203.0.113.7/" } }
    local _, fault = chain.fetch(made)
    assert.equal("ConfigError", fault.code)
    assert.equal(0, #made.sent)
  end)

  it("ends with a profile that is named and does not exist", function()
    for _, given in ipairs { { profile = "prd" },
      { env = env { AWS_PROFILE = "prd" } } } do
      given.env = given.env or env()
      given.files = { ["/home/.aws/config"] = CONFIG }
      local _, fault = chain.fetch(world.new(given))
      assert.equal("ConfigError", fault.code)
      assert.truthy(fault.message:find("did you mean prod", 1, true))
    end
  end)

  it("ends with files that cannot be read", function()
    local _, fault = chain.fetch(world.new { env = env(),
      files = { ["/home/.aws/config"] = "[default" } })
    assert.equal("ConfigError", fault.code)
  end)

  it("passes an interrupt on as it is", function()
    local _, fault = chain.fetch(world.new { env = env {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x" },
      transport = world.script { { failure = { code = "InterruptedError",
        message = "interrupted", retryable = false } } } })
    assert.equal("InterruptedError", fault.code)
  end)
end)
