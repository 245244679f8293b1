--- Files and clocks as they are for a moment: tokens that somebody is just
-- writing, documents that cannot be written, a clock that is ahead of AWS's.

local cache = require "personalize.credentials.cache"
local cjson = require "cjson"
local container = require "personalize.credentials.container"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local personalize = require "personalize"
local profile = require "personalize.credentials.profile"
local stub = require "spec.support.stub"
local web_identity = require "personalize.credentials.web_identity"
local world = require "spec.support.world"

local NOW = 1795500000
local HOUR = 3600

local WEB = "/token"
local SSO = "/home/.aws/sso/cache/" .. core.sha1_hex "corp" .. ".json"
local LOGIN = "/home/.aws/login/cache/" .. core.sha256_hex "me" .. ".json"

local SSO_CONFIG = "[profile a]\nsso_session = corp\nsso_account_id = 1\n" ..
  "sso_role_name = r\n[sso-session corp]\nsso_region = eu-west-1\n" ..
  "sso_start_url = https://corp.example/start\n"

local function sso_document(left)
  return { accessToken = "old-access", refreshToken = "old-refresh",
    expiresAt = core.time_text(NOW + left), clientId = "client",
    clientSecret = "client-secret",
    registrationExpiresAt = core.time_text(NOW + 24 * HOUR) }
end

local function login_document(left)
  return { accessToken = { accessKeyId = "ASIAOLD", secretAccessKey = "s",
    sessionToken = "t", expiresAt = core.time_text(NOW + left) },
    clientId = "client", refreshToken = "old-refresh", dpopKey =
    "-----BEGIN EC PRIVATE KEY-----\n" ..
    "MHcCAQEEIPt/u8InPLpQeQLJTvVX+sNDzni8vMDMt3Liu+nMBigfoAoGCCqGSM49\n" ..
    "AwEHoUQDQgAEILkGG7rNOnxiIJlMgimY1UPP8eDMFP0DAY6WGjngP4bvTAiUCQ/I\n" ..
    "ffut2379uP+OBCm2ovGpBOJRgrl1RspUOQ==\n-----END EC PRIVATE KEY-----\n" }
end

local ROLE = { 200, cjson.encode { roleCredentials = { accessKeyId = "ASIA1",
  secretAccessKey = "s", sessionToken = "t", expiration = NOW * 1000 } } }
local ASSUMED = { 200, "<AssumeRoleWithWebIdentityResponse>" ..
  "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1" ..
  "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t" ..
  "</SessionToken><Expiration>2026-11-24T12:00:00Z</Expiration>" ..
  "</Credentials></AssumeRoleWithWebIdentityResult>" ..
  "</AssumeRoleWithWebIdentityResponse>" }
local CONTAINER = { 200, '{"AccessKeyId":"ASIA1","SecretAccessKey":"s",' ..
  '"Token":"t","Expiration":"2026-11-24T12:00:00Z"}' }

-- Each source that reads a file which others rewrite.
local SOURCES = {
  { name = "a web identity", path = WEB, good = "h.p.s\n", answers = { ASSUMED },
    env = { AWS_WEB_IDENTITY_TOKEN_FILE = WEB, AWS_ROLE_ARN = "arn",
      AWS_REGION = "eu-west-1" }, fetch = web_identity.from_environment,
    bad = { "", "\n", false } },
  { name = "a container", path = WEB, good = "Bearer x", answers = { CONTAINER },
    env = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = WEB,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x" }, fetch = container.fetch,
    bad = { "", "\n", false } },
  { name = "single sign-on", path = SSO, answers = { ROLE },
    good = cjson.encode(sso_document(HOUR)), config = SSO_CONFIG,
    bad = { "", "{", cjson.encode(sso_document(HOUR)):sub(1, -2), "{}",
      false } },
  { name = "a login session", path = LOGIN, answers = {},
    good = cjson.encode(login_document(HOUR)),
    config = "[profile a]\nlogin_session = me\n",
    bad = { "", cjson.encode(login_document(HOUR)):sub(1, 40), "{}", false } },
}

local function make(source, files, more)
  local env = { HOME = "/home" }
  for name, value in pairs(source.env or {}) do
    env[name] = value
  end
  files["/home/.aws/config"] = source.config
  local given = { env = env, files = files, now = NOW, region = "eu-west-1",
    profile = source.config and "a" or nil }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  given.transport = given.transport or
    world.script(given.answers or source.answers)
  return world.new(given)
end

local function fetch(source, made)
  return (source.fetch or profile.fetch)(made)
end

for _, source in ipairs(SOURCES) do
  describe("the file of " .. source.name, function()
    it("is read again where somebody is just writing it", function()
      for _, bad in ipairs(source.bad) do
        local files = { [source.path] = bad or nil }
        local pauses = 0
        local made = make(source, files, { pause = function(seconds)
          pauses = pauses + 1
          assert.is_true(seconds > 0 and seconds < 1)
          files[source.path] = source.good
          return true
        end })
        local found, fault = fetch(source, made)
        assert.is_nil(fault and fault.message)
        assert.truthy(found)
        assert.equal(1, pauses)
        assert.equal(#source.answers, #made.sent)
      end
    end)

    it("is what it is where it stays so", function()
      for _, bad in ipairs(source.bad) do
        local pauses, files = 0, { [source.path] = bad or nil }
        local made = make(source, files, { pause = function()
          pauses = pauses + 1
          return true
        end })
        local found, fault = fetch(source, made)
        assert.is_nil(found)
        assert.equal("CredentialsError", fault.code)
        assert.truthy(fault.message:find(source.path, 1, true), fault.message)
        assert.equal(3, pauses)
        assert.equal(0, #made.sent)
      end
    end)

    it("is not waited for after Ctrl-C", function()
      local made = make(source, {}, { pause = function() return nil,
        "interrupted" end })
      local found, fault = fetch(source, made)
      assert.is_nil(found)
      assert.equal("InterruptedError", fault.code)
    end)
  end)
end

describe("a web identity that AWS does not take", function()
  local source = SOURCES[1]
  local function refusal(code)
    return { 400, ("<ErrorResponse><Error><Code>%s</Code><Message>no" ..
      "</Message></Error></ErrorResponse>"):format(code) }
  end

  it("is exchanged once more where it was renewed meanwhile", function()
    for _, code in ipairs { "InvalidIdentityToken", "ExpiredTokenException" } do
      local files = { [WEB] = "h.p" }
      local answers = world.script { refusal(code), ASSUMED }
      local made = make(source, files, { transport = function(request)
        files[WEB] = "h.p.s"
        return answers(request)
      end })
      local found, fault = fetch(source, made)
      assert.is_nil(fault and fault.message)
      assert.truthy(found)
      assert.truthy(made.sent[2].body:find("WebIdentityToken=h.p.s", 1, true))
    end
  end)

  it("is refused where it stayed as it was, or for another reason", function()
    local made = make(source, { [WEB] = "h.p.s" },
      { answers = { refusal "InvalidIdentityToken" } })
    local _, fault = fetch(source, made)
    assert.equal("InvalidIdentityToken", fault.cause.code)
    assert.equal(1, #made.sent)
    local files = { [WEB] = "h.p" }
    made = make(source, files, { transport = function()
      files[WEB] = "h.p.s"
      return { status = 403, headers = {}, body = refusal "AccessDenied"[2] }
    end })
    _, fault = fetch(source, made)
    assert.equal("AccessDenied", fault.cause.code)
    assert.equal(1, #made.sent)
  end)
end)

describe("a renewed document that cannot be written", function()
  local function renewed_sso(token, refresh)
    return { 200, cjson.encode { accessToken = token, expiresIn = 600,
      refreshToken = refresh } }
  end

  it("is remembered by the client, with its refresh token", function()
    local files = { [SSO] = cjson.encode(sso_document(-1)) }
    local kept = {}
    local function sso(...)
      local made = make(SOURCES[3], files, { read_only = true,
        renewed = kept, answers = { ... } })
      local found, fault = fetch(SOURCES[3], made)
      assert.is_nil(fault and fault.message)
      assert.equal("ASIA1", found.access_key_id)
      return made
    end
    local made = sso(renewed_sso("second", "refresh-2"), ROLE)
    assert.equal(1, #made.warnings)
    made = sso(renewed_sso("third", "refresh-3"), ROLE)
    assert.truthy(made.sent[1].body:find("refresh-2", 1, true))
    made = sso(renewed_sso("fourth", "refresh-4"), ROLE)
    assert.truthy(made.sent[1].body:find("refresh-3", 1, true))
    assert.equal("fourth", made.sent[2].headers["x-amz-sso_bearer_token"])
    -- Who logged in since then has a newer one.
    files[SSO] = cjson.encode(sso_document(HOUR))
    made = sso(ROLE)
    assert.equal("old-access", made.sent[1].headers["x-amz-sso_bearer_token"])
  end)

  it("counts for nothing once it could be written", function()
    local files = { [SSO] = cjson.encode(sso_document(-1)) }
    local kept = {}
    local made = make(SOURCES[3], files, { read_only = true, renewed = kept,
      answers = { renewed_sso("second", "refresh-2"), ROLE } })
    assert.truthy(fetch(SOURCES[3], made))
    assert.truthy(kept[SSO])
    made = make(SOURCES[3], files, { renewed = kept,
      answers = { renewed_sso("third", "refresh-3"), ROLE } })
    assert.truthy(fetch(SOURCES[3], made))
    assert.is_nil(kept[SSO])
    assert.equal("refresh-3", cjson.decode(files[SSO]).refreshToken)
  end)

  it("may be a login session", function()
    local files = { [LOGIN] = cjson.encode(login_document(0)) }
    local kept, made = {}, nil
    for i = 2, 3 do
      made = make(SOURCES[4], files, { read_only = true, renewed = kept,
        answers = { { 200, cjson.encode { accessToken = { accessKeyId =
        "ASIA" .. i, secretAccessKey = "s", sessionToken = "t" },
        refreshToken = "refresh-" .. i, expiresIn = 60 } } } })
      local found = fetch(SOURCES[4], made)
      assert.equal("ASIA" .. i, found.access_key_id)
    end
    assert.truthy(made.sent[1].body:find("refresh-2", 1, true))
  end)
end)

describe("what OAuth says is wrong", function()
  it("is in the error", function()
    local made = make(SOURCES[3], { [SSO] = cjson.encode(sso_document(-1)) },
      { answers = { { 400, '{"error":"invalid_grant","error_description":' ..
      '"Refresh token\\nold-refresh was revoked \\u001b[31m"}' } } })
    local found, fault = fetch(SOURCES[3], made)
    assert.is_nil(found)
    assert.truthy(fault.message:find("invalid_grant: Refresh token [redacted] " ..
      "was revoked ", 1, true), fault.message)
    assert.is_nil(fault.message:find "%c")
    assert.equal("invalid_grant", fault.cause.code)
    made = make(SOURCES[4], { [LOGIN] = cjson.encode(login_document(0)) },
      { answers = { { 400, '{"error":"INSUFFICIENT_PERMISSIONS",' ..
      '"error_description":"ask your admin"}' } } })
    found, fault = fetch(SOURCES[4], made)
    assert.is_nil(found)
    assert.truthy(fault.message:find("INSUFFICIENT_PERMISSIONS: ask your admin",
      1, true), fault.message)
  end)

  it("goes behind what AWS's members say", function()
    local made = make(SOURCES[3], { [SSO] = cjson.encode(sso_document(-1)) },
      { answers = { { 400, '{"error":"invalid_client","message":"ours",' ..
      '"error_description":"theirs"}', { ["x-amzn-errortype"] =
      "InvalidClientException" } } } })
    local _, fault = fetch(SOURCES[3], made)
    assert.truthy(fault.message:find("InvalidClientException: ours", 1, true),
      fault.message)
  end)
end)

describe("a clock that is ahead by more than credentials live", function()
  local clock, answers, asked

  local function credentials(id, left)
    return { access_key_id = id, secret_access_key = "s",
      expiration = clock + left }
  end

  local function new()
    asked = 0
    return cache.new(function()
      asked = asked + 1
      local answer = table.remove(answers, 1)
      return answer, not answer and { code = "CredentialsError",
        message = "down" } or nil
    end)
  end

  local now = core.now
  before_each(function()
    clock = NOW
    core.now = function() return clock end
  end)
  after_each(function()
    core.now = now
  end)

  it("keeps nobody from using what AWS takes", function()
    answers = { credentials("A", -600) }
    local kept = new()
    for _ = 1, 5 do
      assert.equal("A", assert(kept:get()).access_key_id)
    end
    assert.equal(1, asked)
    clock = clock + 601 -- asked again, and answered nothing
    assert.equal("A", assert(kept:get()).access_key_id)
    assert.equal(2, asked)
    answers = { credentials("B", -600) }
    clock = clock + 601
    assert.equal("B", assert(kept:get()).access_key_id)
  end)

  it("is no reason to go on with what AWS has refused", function()
    answers = { credentials("A", -600), credentials("A", -600) }
    local kept = new()
    assert.truthy(kept:get())
    kept:invalidate "A"
    local found, failure = kept:get()
    assert.is_nil(found)
    assert.equal("the source answered with expired credentials",
      failure.message)
    assert.equal(2, asked)
    found, failure = kept:get()
    assert.is_nil(found)
    assert.equal("down", failure.message)
    answers = { credentials("B", -600) }
    assert.equal("B", assert(kept:get()).access_key_id)
  end)

  it("does not keep alive what expired here", function()
    answers = { credentials("A", 3600) }
    local kept = new()
    assert.truthy(kept:get())
    clock = clock + 3601
    local found, failure = kept:get()
    assert.is_nil(found)
    assert.equal("down", failure.message)
    answers = { credentials("A", -1) } -- as before, from a cache of its own
    assert.equal("A", assert(kept:get()).access_key_id)
  end)

  it("is told from a source that is down and hands out what it has", function()
    answers = { credentials("A", 3600) }
    answers[1].is_stable = true
    local kept = new()
    assert.truthy(kept:get())
    clock = clock + 3550
    answers = { credentials("B", -1) }
    answers[1].is_stable = true
    assert.equal("A", kept:get().access_key_id)
  end)

  it("costs nothing with the environment's keys, or a command's", function()
    core.now = now
    local path = os.tmpname()
    local past = core.time_text(core.now() - 600)
    for _, case in ipairs { { AWS_ACCESS_KEY_ID = "AKIDENV",
      AWS_SECRET_ACCESS_KEY = "s", AWS_CREDENTIAL_EXPIRATION = past },
      { AWS_PROFILE = "p" } } do
      case.AWS_REGION, case.HOME = "eu-west-1", "/h"
      environment.set(case)
      local files = require "personalize.files"
      local read = files.read
      files.read = function(name)
        return name:find "config$" and "[profile p]\ncredential_process = " ..
          ([[sh -c 'echo ran >>%s; printf "{\"Version\":1,]] ..
          [[\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s\",]] ..
          [[\"Expiration\":\"%s\"}"']]):format(path, past) .. "\n" or nil,
          "absent", "ENOENT"
      end
      local client = personalize.new { transport = function()
        return stub.response "{}"
      end }
      local ok, e = pcall(function()
        for _ = 1, 5 do
          client:list_data_deletion_jobs()
        end
      end)
      files.read = read
      environment.restore()
      assert(ok, tostring(e))
    end
    local file = assert(io.open(path))
    assert.equal("ran\n", file:read "*a")
    file:close()
    os.remove(path)
  end)
end)
