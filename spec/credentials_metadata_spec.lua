--- Credentials of containers and of instances.

local container = require "personalize.credentials.container"
local instance = require "personalize.credentials.instance"
local world = require "spec.support.world"

local TOKEN = "tok-e/n=="
local DOCUMENT = '{"Code":"Success","AccessKeyId":"ASIA1",' ..
  '"SecretAccessKey":"s3cret","Token":"session",' ..
  '"Expiration":"2026-11-24T12:00:00Z"}'

local function lost(code, sent)
  return { failure = { code = code, message = "lost", sent = sent,
    retryable = false } }
end

-- With a member changed; false takes it away.
local function document(name, value)
  return (DOCUMENT:gsub('"' .. name .. '":"[^"]*",?', value and
    ('"%s":%s,'):format(name, value) or ""):gsub(",}", "}"))
end

local ODD = { "", "rubbish", "[]", "null", '"text"', "{}",
  document("AccessKeyId"), document("SecretAccessKey"), document("Token"),
  document("Expiration"), document("Token", "null"), document("Token", "1"),
  document("Token", '""'), document("Expiration", '"soon"'),
  document("Token", '"a\\r\\nb: c"'), ("["):rep(100000) }

describe("a container", function()
  local function fetch(env, more)
    more = more or {}
    local made = world.new { env = env, files = more.files,
      resolve = more.resolve or function() error "no name is looked up" end,
      transport = world.script(more.answers or { { 200, DOCUMENT } }) }
    local found, fault, why = container.fetch(made)
    return found, fault, made, why
  end

  local function relative(more)
    local env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/v2/x?id=1" }
    for name, value in pairs(more or {}) do
      env[name] = value
    end
    return env
  end

  local function full(url)
    return { AWS_CONTAINER_CREDENTIALS_FULL_URI = url }
  end

  it("is asked at its agent, past any proxy", function()
    local found, fault, made = fetch(relative())
    assert.is_nil(fault)
    assert.same({ access_key_id = "ASIA1", secret_access_key = "s3cret",
      session_token = "session", expiration = 1795521600,
      source = "container", is_stable = true }, found)
    assert.equal("http://169.254.170.2/v2/x?id=1", made.sent[1].url)
    assert.is_true(made.sent[1].direct)
    assert.is_nil(made.sent[1].headers.authorization)
  end)

  it("is sent the token, the file's before the variable's", function()
    local _, _, made = fetch(relative {
      AWS_CONTAINER_AUTHORIZATION_TOKEN = "Basic " .. TOKEN })
    assert.equal("Basic " .. TOKEN, made.sent[1].headers.authorization)
    _, _, made = fetch(relative { AWS_CONTAINER_AUTHORIZATION_TOKEN = "no",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "/token" },
      { files = { ["/token"] = TOKEN .. "\r\n" } })
    assert.equal(TOKEN, made.sent[1].headers.authorization)
  end)

  it("is sent no token that has a line end in it", function()
    for _, text in ipairs { TOKEN .. "\r\nX: y", TOKEN .. "\n\n", "\n" .. TOKEN,
      "", "\n", TOKEN .. "\0" } do
      local _, fault, made = fetch(relative {
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "/token" },
        { files = { ["/token"] = text } })
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find(TOKEN, 1, true))
      assert.equal(0, #made.sent)
    end
    local _, fault = fetch(relative {
      AWS_CONTAINER_AUTHORIZATION_TOKEN = TOKEN .. "\r\nX: y" })
    assert.equal("CredentialsError", fault.code)
  end)

  it("may be near, or anywhere with https", function()
    for _, url in ipairs { "http://127.0.0.1/x", "http://127.9.9.9:80/x",
      "http://[::1]:8080/x", "http://LOCALHOST/x", "http://169.254.170.2/x",
      "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/x",
      "https://example.com/x", "https://203.0.113.7/x?a=b" } do
      local found, fault = fetch(full(url))
      assert.is_nil(fault and fault.message)
      assert.truthy(found)
    end
  end)

  it("is connected to at the address that was checked", function()
    for url, address in pairs {
      ["http://127.0.0.1/x"] = "127.0.0.1", ["http://127.1/x"] = "127.0.0.1",
      ["http://0x7f.1/x"] = "127.0.0.1", ["http://[::1]:80/x"] = "[::1]",
      ["http://017700000001/x"] = "127.0.0.1",
      ["http://2130706433/x"] = "127.0.0.1", ["HTTP://127.0.0.1/x"] =
      "127.0.0.1", ["http://[0:0:0:0:0:0:0:1]/x"] = "[::1]",
      ["http://169.254.170.2/x"] = "169.254.170.2",
      ["http://[fd00:ec2:0::23]/x"] = "[fd00:ec2::23]",
      ["http://localhost/x"] = "127.0.0.1",
      ["http://LocalHost.:80/x"] = "127.0.0.1",
    } do
      local found, fault, made = fetch(full(url))
      assert.is_nil(fault and fault.message)
      assert.truthy(found)
      assert.equal(address, made.sent[1].address, url)
    end
    -- With TLS, the certificate decides.
    local _, _, made = fetch(full "https://127.1/x")
    assert.is_nil(made.sent[1].address)
    _, _, made = fetch(relative())
    assert.is_nil(made.sent[1].address)
  end)

  it("is connected to at the next address where nobody listens at one",
    function()
      local refused = lost("ConnectionError", false)
      local found, _, made = fetch(full "http://localhost/x",
        { answers = { refused, { 200, DOCUMENT } } })
      assert.truthy(found)
      assert.equal("127.0.0.1", made.sent[1].address)
      assert.equal("[::1]", made.sent[2].address)
      local fault
      found, fault, made = fetch(full "http://localhost/x",
        { answers = { refused, refused } })
      assert.is_nil(found)
      assert.equal("ConnectionError", fault.cause.code)
      assert.equal(2, #made.sent)
      found, fault, made = fetch(full "http://localhost/x",
        { answers = { { 403, "" } } })
      assert.is_nil(found)
      assert.equal(403, fault.cause.status)
      assert.equal(1, #made.sent)
    end)

  it("must not be a number that only looks like this machine", function()
    for _, url in ipairs { "http://127.0.0.999/x", "http://127.1.1.300/x",
      "http://127.0.0.1.5/x", "http://127.0.0.256/x", "http://127.0.0.0x/x",
      "http://127.0.0.1./x", "http://1.127.0.0/x", "http://0/x",
      "http://0.0.0.0/x", "http://[::]/x", "http://[::ffff:127.0.0.1]/x",
      "http://[::127.0.0.1]/x", "http://[::1]%lo/x", "http://[::1%25lo]/x",
      "http://[::1%lo]/x", "http://127.0.0.1%00/x", "http://0x7f000001.5/x",
      "http://0177.0.0.08/x", "http://128.0.0.1/x", "http://0x80.1/x",
      "http://3232235777/x", "http://169.254.170.3/x" } do
      local found, fault, made = fetch(full(url))
      assert.is_nil(found, url)
      assert.truthy(fault, url)
      assert.equal(0, #made.sent, url)
    end
  end)

  it("may have a name whose every address is near", function()
    local function at(addresses)
      return fetch(full "http://agent.local:8080/x", { resolve = function(host)
        assert.equal("agent.local", host)
        return addresses
      end })
    end
    local found, _, made = at { "127.0.0.1", "::1" }
    assert.truthy(found)
    assert.equal("127.0.0.1", made.sent[1].address)
    assert.equal("http://agent.local:8080/x", made.sent[1].url)
    for _, addresses in ipairs { { "127.0.0.1", "203.0.113.7" },
      { "203.0.113.7" }, { "::ffff:127.0.0.1" }, { "127.0.0.1.example" },
      {} } do
      local fault
      found, fault, made = at(addresses)
      assert.is_nil(found)
      assert.truthy(fault)
      assert.equal(0, #made.sent)
    end
    local _, fault = fetch(full "http://absent/x", { resolve = function()
      return nil, "not known"
    end })
    assert.truthy(fault.message:find "not known")
  end)

  it("must be a URL that is whole", function()
    for _, url in ipairs { "/credentials", "credentials", "ftp://127.0.0.1/x",
      "http:///x", "http://user@127.0.0.1/x", "http://127.0.0.1@evil/x",
      "http://127.0.0.1:x/x", "http://127.0.0.1/a b", "http://127.0.0.1/#x",
      "http://127.0.0.1\\@evil/x" } do
      local _, fault, made = fetch(full(url))
      assert.equal("ConfigError", fault.code, url)
      assert.equal(0, #made.sent)
    end
    for _, path in ipairs { "x", "@evil/x", ".evil/x", ":80/x", "/a b",
      "http://evil/" } do
      local _, fault, made = fetch {
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = path }
      assert.equal("ConfigError", fault.code, path)
      assert.equal(0, #made.sent)
    end
  end)

  it("is asked again after an error that passes", function()
    local found = fetch(relative(), { answers = { { 500, "" },
      { 200, DOCUMENT } } })
    assert.truthy(found)
  end)

  it("fails by the name of what it answers, without its token", function()
    local _, fault = fetch(relative {
      AWS_CONTAINER_AUTHORIZATION_TOKEN = TOKEN }, { answers = { { 401,
        '{"code":"AccessDenied","message":"not with ' .. TOKEN .. '"}' } } })
    assert.equal("CredentialsError", fault.code)
    assert.truthy(fault.message:find("AccessDenied", 1, true))
    assert.is_nil(fault.message:find(TOKEN, 1, true))
    assert.equal(401, fault.cause.status)
    _, fault = fetch(relative(), { answers = { lost("ConnectionError") } })
    assert.equal("ConnectionError", fault.cause.code)
  end)

  it("gives nothing by an odd document", function()
    for _, body in ipairs(ODD) do
      local reply = { 200, body }
      local found, fault = fetch(relative(), { answers = { reply, reply,
        reply } })
      assert.is_nil(found, body:sub(1, 200))
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find "s3cret")
    end
  end)
end)

describe("an instance", function()
  local function fetch(answers, more)
    more = more or {}
    local made = world.new { env = more.env, files = more.files,
      transport = world.script(answers), endpoints = more.endpoints }
    local found, fault, why = (more.what or instance.fetch)(made)
    return found, fault, made, why
  end

  local ROLES = "/latest/meta-data/iam/security-credentials/"

  it("gives the credentials of its role, by version 2", function()
    local found, fault, made = fetch { { 200, TOKEN }, { 200, "my role\n" },
      { 200, DOCUMENT } }
    assert.is_nil(fault)
    assert.same({ access_key_id = "ASIA1", secret_access_key = "s3cret",
      session_token = "session", expiration = 1795521600,
      source = "instance metadata", is_stable = true }, found)
    local asked = {}
    for i, sent in ipairs(made.sent) do
      asked[i] = sent.method .. " " .. sent.url
      assert.is_true(sent.direct)
      assert.equal(i > 1 and TOKEN or nil,
        sent.headers["x-aws-ec2-metadata-token"])
    end
    assert.same({ "PUT http://169.254.169.254/latest/api/token",
      "GET http://169.254.169.254" .. ROLES,
      "GET http://169.254.169.254" .. ROLES .. "my%20role" }, asked)
    assert.equal("21600",
      made.sent[1].headers["x-aws-ec2-metadata-token-ttl-seconds"])
  end)

  it("is not asked where it is disabled", function()
    for _, text in ipairs { "true", "TRUE" } do
      local found, fault, made, why = fetch({}, {
        env = { AWS_EC2_METADATA_DISABLED = text } })
      assert.is_nil(found)
      assert.is_nil(fault)
      assert.truthy(why:find "AWS_EC2_METADATA_DISABLED")
      assert.equal(0, #made.sent)
    end
  end)

  it("is not there where nobody answers, and is asked once", function()
    for _, answer in ipairs { lost("ConnectionError", false),
      lost("TimeoutError", false) } do
      local found, fault, made, why = fetch { answer }
      assert.is_nil(found)
      assert.is_nil(fault)
      assert.equal("string", type(why))
      assert.equal(1, #made.sent)
      -- One second at most.
      assert.equal(1, made.requests[1].timeout)
      assert.equal(1, made.requests[1].connect_timeout)
    end
  end)

  it("is asked by version 1 where it has no tokens", function()
    for _, answer in ipairs { { 404 }, { 405 }, lost("TimeoutError", true) } do
      local found, _, made = fetch { answer, { 200, "role" },
        { 200, DOCUMENT } }
      assert.equal("ASIA1", found.access_key_id)
      assert.is_nil(made.sent[2].headers["x-aws-ec2-metadata-token"])
    end
  end)

  it("is not asked by version 1 where that is disabled", function()
    for _, more in ipairs { { env = { AWS_EC2_METADATA_V1_DISABLED = "true" } },
      { files = { ["/.aws/config"] = "[default]\n" ..
        "ec2_metadata_v1_disabled = true" } } } do
      local _, fault, made = fetch({ { 404 } }, more)
      assert.equal("CredentialsError", fault.code)
      assert.equal(1, #made.sent)
    end
    local _, fault = fetch({ { 404 } },
      { env = { AWS_EC2_METADATA_V1_DISABLED = "maybe" } })
    assert.equal("ConfigError", fault.code)
  end)

  it("is off where it answers 403, and fails where it answers 400", function()
    local found, fault, _, why = fetch { { 403 } }
    assert.is_nil(found or fault)
    assert.truthy(why:find "403")
    _, fault = fetch { { 400 } }
    assert.equal("CredentialsError", fault.code)
  end)

  it("has no role where there is none", function()
    for _, answer in ipairs { { 404 }, { 200, "" }, { 200, "\n" } } do
      local found, fault, _, why = fetch { { 200, TOKEN }, answer }
      assert.is_nil(found or fault)
      assert.truthy(why:find "no role")
    end
  end)

  it("is asked again after errors that pass", function()
    local found = fetch { { 500 }, { 503 }, { 500 }, { 200, TOKEN }, { 500 },
      { 200, "role" }, { 502 }, { 200, DOCUMENT } }
    assert.equal("ASIA1", found.access_key_id)
    local _, fault = fetch { { 500 }, { 500 }, { 500 }, { 500 } }
    assert.equal("CredentialsError", fault.code)
    assert.equal(500, fault.cause.status)
  end)

  it("gets a new token where the old one is not taken", function()
    local found, _, made = fetch { { 200, "old" }, { 401 }, { 200, TOKEN },
      { 200, "role" }, { 200, DOCUMENT } }
    assert.equal("ASIA1", found.access_key_id)
    assert.equal(TOKEN, made.sent[5].headers["x-aws-ec2-metadata-token"])
    local _, fault = fetch { { 200, "a" }, { 401 }, { 200, "b" }, { 401 },
      { 200, "c" }, { 401 }, { 200, "d" }, { 401 } }
    assert.equal(401, fault.cause.status)
  end)

  it("refuses a token that cannot be sent", function()
    local _, fault, made = fetch { { 200, "a\r\nX: y" } }
    assert.equal("CredentialsError", fault.code)
    assert.equal(1, #made.sent)
  end)

  it("tells the code of a role that gives nothing", function()
    local _, fault = fetch { { 200, TOKEN }, { 200, "role" }, { 200,
      '{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot"}' } }
    assert.equal("CredentialsError", fault.code)
    assert.truthy(fault.message:find("AssumeRoleUnauthorizedAccess", 1, true))
  end)

  it("gives nothing by an odd document", function()
    for _, body in ipairs(ODD) do
      local found, fault = fetch { { 200, TOKEN }, { 200, "role" },
        { 200, body } }
      assert.is_nil(found, body:sub(1, 200))
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find "s3cret")
    end
  end)

  it("is asked for the profile that is named, at the newer path first",
    function()
      local PATH = "http://169.254.169.254" ..
        "/latest/meta-data/iam/security-credentials"
      for _, more in ipairs { { env = {
        AWS_EC2_INSTANCE_PROFILE_NAME = "Shop+Eraser" } }, { files = {
        ["/.aws/config"] = "[default]\nec2_instance_profile_name = " ..
        "Shop+Eraser" } } } do
        local found, _, made = fetch({ { 200, TOKEN },
          { 200, DOCUMENT } }, more)
        assert.equal("ASIA1", found.access_key_id)
        assert.equal(PATH .. "-extended/Shop+Eraser", made.sent[2].url)
        assert.equal(TOKEN, made.sent[2].headers["x-aws-ec2-metadata-token"])
        found, _, made = fetch({ { 200, TOKEN }, { 404 }, { 200, DOCUMENT } },
          more)
        assert.equal("ASIA1", found.access_key_id)
        assert.equal(PATH .. "/Shop+Eraser", made.sent[3].url)
        local fault
        found, fault = fetch({ { 200, TOKEN }, { 404 }, { 404 } }, more)
        assert.is_nil(found)
        assert.equal("CredentialsError", fault.code)
        assert.truthy(fault.message:find("Shop+Eraser", 1, true))
        found, fault, made = fetch({ { 200, TOKEN }, { 500 }, { 500 }, { 500 },
          { 500 } }, more)
        assert.is_nil(found)
        assert.equal(500, fault.cause.status)
        assert.equal(5, #made.sent)
      end
      local _, _, made = fetch({ { 200, TOKEN }, { 200, DOCUMENT } }, { env = {
        AWS_EC2_INSTANCE_PROFILE_NAME = "a" }, files = { ["/.aws/config"] =
        "[default]\nec2_instance_profile_name = b" } })
      assert.equal(PATH .. "-extended/a", made.sent[2].url)
    end)

  it("is asked for no profile whose name is none", function()
    for _, name in ipairs { "..", ".", "a/b", "a b", "a%2Fb", "\195\169",
      "a?b", "a\r\nb" } do
      local _, fault, made = fetch({ { 200, TOKEN } }, { env = {
        AWS_EC2_INSTANCE_PROFILE_NAME = name } })
      assert.equal("ConfigError", fault.code)
      assert.truthy(fault.message:find("AWS_EC2_INSTANCE_PROFILE_NAME", 1,
        true))
      assert.equal(1, #made.sent)
    end
    local _, _, made, why = fetch({ { 200, TOKEN }, { 404 } }, { env = {
      AWS_EC2_INSTANCE_PROFILE_NAME = " " } })
    assert.truthy(why)
    assert.truthy(made.sent[2].url:find "/security%-credentials/$")
  end)

  it("is not asked where the profile disables it", function()
    local config = { ["/.aws/config"] = "[default]\n" ..
      "disable_ec2_metadata = True\n" }
    local found, fault, made, why = fetch({}, { files = config })
    assert.is_nil(found or fault)
    assert.equal("disable_ec2_metadata is true", why)
    assert.equal(0, #made.sent)
    -- The variable goes before it.
    found = fetch({ { 200, TOKEN }, { 200, "role" }, { 200, DOCUMENT } },
      { files = config, env = { AWS_EC2_METADATA_DISABLED = "false" } })
    assert.truthy(found)
  end)

  it("that nobody answers for is named by its address", function()
    local _, _, _, why = fetch({ lost("ConnectionError", false) },
      { env = { AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:9" } })
    assert.truthy(why:find("http://127.0.0.1:9 (lost)", 1, true), why)
  end)

  it("takes its time limits from the environment", function()
    local _, _, made = fetch({ { 200, TOKEN }, { 404 } }, { env = {
      AWS_METADATA_SERVICE_TIMEOUT = "2.5",
      AWS_METADATA_SERVICE_NUM_ATTEMPTS = "1" } })
    assert.equal(2.5, made.requests[1].timeout)
    assert.equal(1, made.requests[1].max_attempts)
    for _, text in ipairs { "0", "x", "-1", "0x2" } do
      local _, fault = fetch({}, { env = {
        AWS_METADATA_SERVICE_TIMEOUT = text } })
      assert.equal("ConfigError", fault.code)
    end
  end)

  it("is asked by http and https only", function()
    for _, url in ipairs { "ftp://127.0.0.1", "127.0.0.1", "http://",
      "http://a b", "file:///x" } do
      local _, fault = fetch({}, { env = {
        AWS_EC2_METADATA_SERVICE_ENDPOINT = url } })
      assert.equal("ConfigError", fault.code, url)
      assert.truthy(fault.message:find "AWS_EC2_METADATA_SERVICE_ENDPOINT")
    end
  end)

  describe("'s region", function()
    it("is asked for, or made of the zone", function()
      assert.equal("eu-west-1", (fetch({ { 200, TOKEN },
        { 200, "eu-west-1\n" } }, { what = instance.region })))
      assert.equal("eu-west-1", (fetch({ { 200, TOKEN }, { 404 },
        { 200, "eu-west-1b" } }, { what = instance.region })))
    end)

    it("is refused where it cannot be part of a host name", function()
      local found, fault = fetch({ { 200, TOKEN }, { 200, "evil/.com#" } },
        { what = instance.region })
      assert.is_nil(found)
      assert.equal("CredentialsError", fault.code)
    end)
  end)
end)
