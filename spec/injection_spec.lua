--- What clients of this kind got wrong before us: text from outside that
-- becomes a host, a path or a header of its own.

local core = require "personalize.core"
local environment = require "spec.support.environment"
local http = require "spec.support.http"
local personalize = require "personalize"
local reach = require "spec.support.reach"
local stub = require "spec.support.stub"

local function assert_clean(e)
  for _, text in ipairs(reach.strings(e)) do
    assert.is_nil(text:find("Planted", 1, true), text)
  end
end

describe("a region that is no host label", function()
  after_each(environment.restore)

  local BAD = { "x.evil.example", "x@evil.example", "x/../y", "evil#", "a?b",
    "a:80", "a\\b", "-a", "a-", "a b", "a\r\nb", "a\0b", "\195\169",
    "a%2eb", ("a"):rep(64), "@", ".", "//evil", "[::1]", "a_b" }

  it("is refused as an option", function()
    for _, region in ipairs(BAD) do
      local e = stub.failure(stub.client, "{}", { region = region })
      assert.equal("ConfigError", e.code)
      assert.is_false(core.is_region(region))
    end
  end)

  it("is refused as a variable", function()
    for _, name in ipairs { "AWS_REGION", "AWS_DEFAULT_REGION" } do
      for _, region in ipairs(BAD) do
        environment.set { [name] = region }
        local e = stub.failure(personalize.new, {})
        assert.equal("ConfigError", e.code)
        assert.truthy(e.message:find(name, 1, true))
      end
    end
  end)

  it("never becomes part of a URL, or of a service", function()
    for _, region in ipairs(BAD) do
      assert.is_nil((core.endpoint { region = region }))
      assert.is_nil((core.service { region = region, user_agent = "x",
        endpoint = "https://localhost", signing_name = "personalize",
        target_prefix = "AmazonPersonalize" }))
    end
  end)
end)

describe("an endpoint", function()
  it("that is more than scheme, host, port and path is refused", function()
    for _, endpoint in ipairs { "https://a\r\nX: y", "https://a/\r\nb",
      "https://a\0", "https://a b", "https://a/b c", "https://u:p@a",
      "https://u@a", "https://a?q", "https://a#f", "https://a\\b",
      "https://a:1\n", "gopher://a", "file:///etc/passwd", "javascript:x",
      "https://[::1", "https://[x]", "https://a:-1", "https://a:1:2",
      "HTTPS//a", "https:/a", "https://a/\195\169", "https://a\195\169",
      "https://a/%0d%0a/../\1" } do
      assert.is_false(core.is_endpoint(endpoint), endpoint)
      local e = stub.failure(stub.client, "{}", { endpoint = endpoint })
      assert.equal("ConfigError", e.code)
      assert.equal("ConfigError", stub.failure(stub.client, "{}",
        { endpoints = { personalize = endpoint } }).code)
    end
  end)
end)

describe("a header", function()
  after_each(environment.restore)

  local BREAKS = { "\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "\0", "\t",
    "\127", " ", "\195\169", "\r\n\r\n{}" }

  -- No request goes out with a header that is not ours, or a value that has
  -- more than visible ASCII and spaces.
  local function check_sent(sent)
    for _, request in ipairs(sent) do
      assert.is_true(#request.headers >= 9 and #request.headers <= 10)
      for _, header in ipairs(request.headers) do
        assert.truthy(header[1]:find "^[%w-]+$", header[1])
        assert.not_equal("x-evil", header[1]:lower())
        assert.truthy(header[2]:find "^[\32-\126]+$", header[2])
      end
    end
  end

  it("cannot be smuggled in by a credential", function()
    for _, member in ipairs { "access_key_id", "session_token" } do
      for _, text in ipairs(BREAKS) do
        local keys = { access_key_id = "A", secret_access_key = "s",
          session_token = "t" }
        keys[member] = "Planted" .. text .. "x"
        local e = stub.failure(stub.client, "{}", { credentials = keys })
        assert.equal("ConfigError", e.code)
        assert.truthy(e.message:find(member, 1, true))
        assert_clean(e)
        -- And where only the call learns of it.
        local client, sent = stub.client("{}", {
          credentials = function() return keys end })
        e = stub.failure(client.list_data_deletion_jobs, client)
        assert.equal("CredentialsError", e.code)
        assert_clean(e)
        assert.equal(0, #sent)
      end
    end
  end)

  it("cannot be smuggled in by a variable's credential", function()
    for _, name in ipairs { "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN" } do
      for _, text in ipairs(BREAKS) do
        local variables = { AWS_ACCESS_KEY_ID = "A", AWS_REGION = "eu-west-1",
          AWS_SECRET_ACCESS_KEY = "s" }
        variables[name] = "Planted" .. text .. "x"
        environment.set(variables)
        local client = personalize.new { transport = error }
        local e = stub.failure(client.list_data_deletion_jobs, client)
        assert.equal("CredentialsError", e.code)
        assert_clean(e)
      end
    end
  end)

  it("is not made of the secret key, whatever is in it", function()
    for _, text in ipairs(BREAKS) do
      local client, sent = stub.client("{}", { credentials = {
        access_key_id = "A", secret_access_key = "a" .. text .. "b" } })
      client:list_data_deletion_jobs()
      check_sent(sent)
    end
  end)

  it("cannot be smuggled in by an app_id", function()
    for _, text in ipairs(BREAKS) do
      local e = stub.failure(stub.client, "{}", { app_id = "a" .. text .. "b" })
      assert.equal("ConfigError", e.code)
      -- A variable that is no app id costs the app id and not the call.
      environment.set { AWS_SDK_UA_APP_ID = "a" .. text .. "b" }
      local client, sent = stub.client "{}"
      client:list_data_deletion_jobs()
      environment.restore()
      assert.equal(1, #sent)
      check_sent(sent)
      assert.is_nil(http.header(sent[1].headers, "user-agent"):find "app/")
    end
  end)

  it("cannot be smuggled in by AWS_EXECUTION_ENV", function()
    for _, text in ipairs(BREAKS) do
      environment.set { AWS_EXECUTION_ENV = "a" .. text .. "b" }
      local client, sent = stub.client "{}"
      client:list_data_deletion_jobs()
      assert.equal(1, #sent)
      check_sent(sent)
      assert.is_nil(http.header(sent[1].headers, "user-agent"):find "exec%-env")
    end
  end)

  it("cannot be smuggled in by an operation's name", function()
    local client, sent = stub.client()
    for _, text in ipairs(BREAKS) do
      local e = stub.failure(client.call, client, "List" .. text .. "Jobs")
      assert.equal("ParamValidationError", e.code)
    end
    assert.equal(0, #sent)
  end)

  it("cannot be smuggled past the client into the core", function()
    local function service(changes)
      local params = { endpoint = "https://localhost", region = "eu-west-1",
        signing_name = "personalize", target_prefix = "AmazonPersonalize",
        user_agent = "x" }
      for name, value in pairs(changes) do
        params[name] = value
      end
      return core.service(params)
    end
    for _, text in ipairs(BREAKS) do
      for _, name in ipairs { "endpoint", "region", "signing_name",
        "target_prefix", "user_agent" } do
        if not (name == "user_agent" and text == " ") then
          assert.is_nil((service { [name] = "https://a" .. text .. "b" }),
            name)
        end
      end
      assert.has_error(function()
        core.attempt(service {}, "List" .. text, {}, ("r"):rep(16), 1, true)
      end)
      local attempt = core.attempt(service {}, "ListDataDeletionJobs", {},
        ("r"):rep(16), 1, true)
      assert.is_nil((attempt:sign({ access_key_id = "A" .. text,
        secret_access_key = "s" }, 1e9)))
      assert.is_nil((attempt:sign({ access_key_id = "A",
        secret_access_key = "s", session_token = "t" .. text }, 1e9)))
    end
  end)

  it("is not made longer than any real token is", function()
    local e = stub.failure(stub.client, "{}", { credentials = {
      access_key_id = "A", secret_access_key = "s",
      session_token = ("t"):rep(1000000) } })
    assert.equal("ConfigError", e.code)
  end)
end)
