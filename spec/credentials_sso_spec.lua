--- Credentials from single sign-on and from a login session.

local cjson = require "cjson"
local core = require "personalize.core"
local profile = require "personalize.credentials.profile"
local world = require "spec.support.world"

local NOW = 1795500000
local HOUR = 3600

local ROLE = { roleCredentials = { accessKeyId = "ASIA1",
  secretAccessKey = "s3cret", sessionToken = "session",
  expiration = 1795521600999 } }

local SESSION = "[profile a]\nsso_session = corp\nsso_account_id = " ..
  "123456789012\nsso_role_name = My Role\n[sso-session corp]\n" ..
  "sso_region = eu-central-1\nsso_start_url = https://corp.example/start\n"
local LEGACY = "[profile a]\nsso_start_url = https://corp.example/start\n" ..
  "sso_region = eu-central-1\nsso_account_id = 123456789012\n" ..
  "sso_role_name = My Role\n"

local function cache(name)
  return "/home/.aws/sso/cache/" .. core.sha1_hex(name) .. ".json"
end

local function token(more)
  local found = { accessToken = "old-access", region = "eu-central-1",
    startUrl = "https://corp.example/start",
    expiresAt = core.time_text(NOW + HOUR), refreshToken = "old-refresh",
    clientId = "client", clientSecret = "client-secret",
    registrationExpiresAt = core.time_text(NOW + 24 * HOUR) }
  for name, value in pairs(more or {}) do
    found[name] = value or nil
  end
  return found
end

local function fetch(config, files, answers, more)
  more = more or {}
  files["/home/.aws/config"] = config
  local made = world.new { env = { HOME = "/home",
    AWS_LOGIN_CACHE_DIRECTORY = more.folder }, files = files, now = NOW,
    profile = "a", region = "eu-west-1", read_only = more.read_only, lacks = more.lacks,
    endpoints = more.endpoints,
    transport = type(answers) == "function" and answers or
      world.script(answers or {}) }
  local found, fault = profile.fetch(made)
  return found, fault, made, files
end

-- No message holds any of these.
local function check_silent(fault)
  for _, text in ipairs { fault.message, fault.cause and
    tostring(fault.cause) or "" } do
    for _, secret in ipairs { "old-access", "old-refresh", "client-secret",
      "s3cret", "old-secret", "old-session", "PRIVATE" } do
      assert.is_nil(text:find(secret, 1, true), text)
    end
  end
end

describe("single sign-on", function()
  local function session(more, answers, options)
    return fetch(SESSION, { [cache "corp"] = cjson.encode(token(more)) },
      answers, options)
  end

  local GIVEN = { 200, cjson.encode(ROLE) }
  local RENEWED = { 200, cjson.encode { accessToken = "new-access",
    expiresIn = 3600, refreshToken = "new-refresh", tokenType = "Bearer" } }

  it("gives a role's credentials for the token of a session", function()
    local found, fault, made = session({}, { GIVEN })
    assert.is_nil(fault)
    assert.same({ access_key_id = "ASIA1", secret_access_key = "s3cret",
      session_token = "session", expiration = 1795521600,
      account_id = "123456789012", source = "single sign-on",
      is_stable = true }, found)
    assert.equal("https://portal.sso.eu-central-1.amazonaws.com/federation/" ..
      "credentials?account_id=123456789012&role_name=My%20Role",
      made.sent[1].url)
    assert.equal("old-access",
      made.sent[1].headers["x-amz-sso_bearer_token"])
    assert.is_nil(made.sent[1].headers.authorization)
  end)

  it("gives them in the legacy form, whose token is never renewed", function()
    local path = cache "https://corp.example/start"
    local found = fetch(LEGACY, { [path] = cjson.encode(token {
      expiresAt = "2026-11-24T18:00:00UTC" }) }, { GIVEN })
    assert.equal("ASIA1", found.access_key_id)
    local _, fault, made = fetch(LEGACY, { [path] = cjson.encode(token {
      expiresAt = core.time_text(NOW - 1) }) })
    assert.is_true(fault.unrecoverable)
    assert.truthy(fault.message:find("aws sso login", 1, true))
    assert.equal(0, #made.sent)
  end)

  it("renews a token that ends soon, and keeps the new one", function()
    for _, left in ipairs { 14 * 60, -HOUR } do
      local found, _, made, files = session({ other = "kept",
        expiresAt = core.time_text(NOW + left) }, { RENEWED, GIVEN })
      assert.equal("ASIA1", found.access_key_id)
      assert.equal("https://oidc.eu-central-1.amazonaws.com/token",
        made.sent[1].url)
      assert.same({ clientId = "client", clientSecret = "client-secret",
        grantType = "refresh_token", refreshToken = "old-refresh" },
        cjson.decode(made.sent[1].body))
      assert.equal("new-access",
        made.sent[2].headers["x-amz-sso_bearer_token"])
      local written = cjson.decode(files[cache "corp"])
      assert.same(token { accessToken = "new-access", other = "kept",
        refreshToken = "new-refresh",
        expiresAt = core.time_text(NOW + HOUR) }, written)
    end
  end)

  it("goes on with the old one where renewing fails in time", function()
    local found, _, made = session({ expiresAt = core.time_text(NOW + 60) },
      { { 400, '{"error":"invalid_grant"}' }, GIVEN })
    assert.equal("ASIA1", found.access_key_id)
    assert.equal("old-access",
      made.sent[2].headers["x-amz-sso_bearer_token"])
  end)

  it("takes what another process renewed", function()
    local files = { [cache "corp"] = cjson.encode(token {
      expiresAt = core.time_text(NOW - 1) }) }
    local answers = world.script { { 400, '{"error":"invalid_grant"}' },
      GIVEN }
    local found, _, made = fetch(SESSION, files, function()
      files[cache "corp"] = cjson.encode(token { accessToken = "theirs" })
      return answers()
    end)
    assert.equal("ASIA1", found.access_key_id)
    assert.equal("theirs", made.sent[2].headers["x-amz-sso_bearer_token"])
  end)

  it("goes on where the new token cannot be kept, with a warning", function()
    local found, _, made = session({ expiresAt = core.time_text(NOW - 1) },
      { RENEWED, GIVEN }, { read_only = true })
    assert.equal("ASIA1", found.access_key_id)
    assert.equal(1, #made.warnings)
    assert.is_nil(made.warnings[1]:find "new%-")
  end)

  it("tells what is not promised of the file it is kept in", function()
    local _, _, made = session({ expiresAt = core.time_text(NOW - 1) },
      { RENEWED, GIVEN }, { lacks = "others may be able to read it" })
    assert.equal("the renewed single sign-on token was written to " ..
      cache "corp" .. ": others may be able to read it", made.warnings[1])
  end)

  it("cannot renew without all that it takes", function()
    for _, more in ipairs { { refreshToken = false }, { clientId = false },
      { clientSecret = false }, { registrationExpiresAt = false },
      { registrationExpiresAt = core.time_text(NOW) } } do
      more.expiresAt = core.time_text(NOW)
      local _, fault, made = session(more)
      assert.is_true(fault.unrecoverable)
      assert.equal(0, #made.sent)
    end
  end)

  it("fails for good when the refresh token is refused, for now when the " ..
    "service is down", function()
    local _, fault = session({ expiresAt = core.time_text(NOW - 1) },
      { { 400, '{"error":"invalid_grant","error_description":' ..
        '"old-refresh"}' } })
    assert.is_true(fault.unrecoverable)
    check_silent(fault)
    _, fault = session({ expiresAt = core.time_text(NOW - 1) },
      { { 500 }, { 500 }, { 500 } })
    assert.is_nil(fault.unrecoverable)
    assert.equal("CredentialsError", fault.code)
  end)

  it("fails for good where the portal does not take the token", function()
    local _, fault = session({}, { { 401, '{"__type":"Unauthorized' ..
      'Exception","message":"old-access is bad"}' } })
    assert.is_true(fault.unrecoverable)
    assert.truthy(fault.message:find("aws sso login", 1, true))
    check_silent(fault)
    _, fault = session({}, { { 403, '{"__type":"ForbiddenException",' ..
      '"message":"No access"}' } })
    assert.truthy(fault.message:find("ForbiddenException", 1, true))
  end)

  it("fails without a token that can be used", function()
    for _, text in ipairs { "rubbish", "{}", "[]",
      cjson.encode(token { accessToken = "" }),
      cjson.encode(token { accessToken = "a\r\nX: y" }),
      cjson.encode(token { expiresAt = "soon" }) } do
      local _, fault, made = fetch(SESSION, { [cache "corp"] = text })
      assert.is_true(fault.unrecoverable)
      assert.equal(0, #made.sent)
      check_silent(fault)
    end
    local _, fault = fetch(SESSION, {})
    assert.truthy(fault.message:find(cache "corp", 1, true))
  end)

  it("refuses an odd answer", function()
    for _, body in ipairs { "", "{}", '{"roleCredentials":1}',
      '{"roleCredentials":{}}', (cjson.encode(ROLE):gsub("s3cret", "")),
      (cjson.encode(ROLE):gsub('"expiration":[^,}]*', '"expiration":"x"')) } do
      local reply = { 200, body }
      local found, fault = session({}, { reply, reply, reply })
      assert.is_nil(found, body)
      assert.equal("CredentialsError", fault.code)
      check_silent(fault)
    end
  end)

  it("refuses a region that could be part of another host", function()
    local _, fault, made = fetch((SESSION:gsub("eu%-central%-1", "evil.com/")),
      { [cache "corp"] = cjson.encode(token()) })
    assert.equal("ConfigError", fault.code)
    assert.equal(0, #made.sent)
  end)

  it("needs the account and the role", function()
    local _, fault = fetch("[profile a]\nsso_session = corp\n[sso-session " ..
      "corp]\nsso_region = eu-central-1\nsso_start_url = https://x\n", {})
    assert.equal("ConfigError", fault.code)
    _, fault = fetch("[profile a]\nsso_session = absent\nsso_account_id = " ..
      "1\nsso_role_name = r\n", {})
    assert.equal("ConfigError", fault.code)
  end)
end)

describe("a login session", function()
  local ARN = "arn:aws:sts::123456789012:assumed-role/Admin/me"
  local CONFIG = "[profile a]\nlogin_session = " .. ARN .. "\n"
  local NAME = core.sha256_hex(ARN) .. ".json"
  local PATH = "/home/.aws/login/cache/" .. NAME
  local KEY = "-----BEGIN EC PRIVATE KEY-----\n" ..
    "MHcCAQEEIPt/u8InPLpQeQLJTvVX+sNDzni8vMDMt3Liu+nMBigfoAoGCCqGSM49\n" ..
    "AwEHoUQDQgAEILkGG7rNOnxiIJlMgimY1UPP8eDMFP0DAY6WGjngP4bvTAiUCQ/I\n" ..
    "ffut2379uP+OBCm2ovGpBOJRgrl1RspUOQ==\n-----END EC PRIVATE KEY-----\n"

  local function document(left, more)
    local found = { accessToken = { accessKeyId = "ASIAOLD",
      secretAccessKey = "old-secret", sessionToken = "old-session",
      accountId = "123456789012", expiresAt = core.time_text(NOW + left) },
      clientId = "client", refreshToken = "old-refresh", dpopKey = KEY,
      tokenType = "aws_sigv4" }
    for name, value in pairs(more or {}) do
      found[name] = value or nil
    end
    return found
  end

  local RENEWED = { 200, cjson.encode { accessToken = {
    accessKeyId = "ASIANEW", secretAccessKey = "s3cret",
    sessionToken = "session" }, refreshToken = "new-refresh",
    expiresIn = 900 } }

  local function login(given, answers, options)
    return fetch(CONFIG, { [PATH] = cjson.encode(given) }, answers, options)
  end

  it("gives what it holds while that lasts", function()
    local found, _, made = login(document(301))
    assert.same({ access_key_id = "ASIAOLD", secret_access_key = "old-secret",
      session_token = "old-session", account_id = "123456789012",
      expiration = NOW + 301, source = "login session", is_stable = true },
      found)
    assert.equal(0, #made.sent)
  end)

  it("lies where the environment says", function()
    local found = fetch(CONFIG, { ["/cache/" .. NAME] =
      cjson.encode(document(HOUR)) }, nil, { folder = "/cache" })
    assert.equal("ASIAOLD", found.access_key_id)
  end)

  it("is renewed with a proof of its key, and kept", function()
    local found, _, made, files = login(document(300), { RENEWED })
    assert.equal("ASIANEW", found.access_key_id)
    assert.equal("123456789012", found.account_id)
    assert.equal(NOW + 900, found.expiration)
    local written = cjson.decode(files[PATH])
    local expected = document(900, { refreshToken = "new-refresh" })
    expected.accessToken.accessKeyId = "ASIANEW"
    expected.accessToken.secretAccessKey = "s3cret"
    expected.accessToken.sessionToken = "session"
    assert.same(expected, written)

    local head, claims, signature = made.sent[1].headers.dpop:match(
      "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
    local _, x, y = core.es256(KEY, "")
    assert.same({ typ = "dpop+jwt", alg = "ES256", jwk = { kty = "EC",
      crv = "P-256", x = core.base64url(x), y = core.base64url(y) } },
      cjson.decode(core.unbase64(head)))
    claims = cjson.decode(core.unbase64(claims))
    assert.equal("POST", claims.htm)
    assert.equal("https://eu-west-1.signin.aws.amazon.com/v1/token",
      claims.htu)
    assert.equal(made.sent[1].url, claims.htu)
    assert.equal(NOW, claims.iat)
    assert.truthy(claims.jti:find("^%x+%-%x+%-4%x+%-a%x+%-%x+$"))
    assert.equal(36, #claims.jti)
    assert.equal(64, #core.unbase64(signature))
  end)

  it("is renewed at an endpoint of its own", function()
    local _, _, made = login(document(0), { RENEWED },
      { endpoints = { signin = "http://127.0.0.1:9/base/" } })
    assert.equal("http://127.0.0.1:9/base/v1/token", made.sent[1].url)
  end)

  it("makes another proof for another attempt", function()
    local _, _, made = login(document(0), { { 500 }, RENEWED })
    assert.equal(2, #made.sent)
    assert.not_equal(made.sent[1].headers.dpop, made.sent[2].headers.dpop)
  end)

  it("goes on with the old ones where renewing fails in time", function()
    local found = login(document(10), { { 400, "{}" } })
    assert.equal("ASIAOLD", found.access_key_id)
    local _, fault = login(document(0), { { 400,
      '{"error":"TOKEN_EXPIRED","message":"old-refresh"}' } })
    assert.is_true(fault.unrecoverable)
    assert.truthy(fault.message:find("aws login", 1, true))
    check_silent(fault)
    _, fault = login(document(0), { { 500 }, { 500 }, { 500 } })
    assert.is_nil(fault.unrecoverable)
  end)

  it("fails where a part is missing, even while it lasts", function()
    for _, name in ipairs { "accessToken", "clientId", "refreshToken",
      "dpopKey" } do
      local _, fault = login(document(HOUR, { [name] = false }))
      assert.is_true(fault.unrecoverable)
      assert.truthy(fault.message:find(name, 1, true))
      check_silent(fault)
    end
    for _, name in ipairs { "accessKeyId", "secretAccessKey", "sessionToken",
      "expiresAt" } do
      local given = document(HOUR)
      given.accessToken[name] = nil
      local _, fault = login(given)
      assert.truthy(fault.message:find(name, 1, true))
      check_silent(fault)
    end
    local _, fault = login(document(0, { dpopKey = "PRIVATE" }))
    assert.truthy(fault.message:find("dpopKey", 1, true))
    check_silent(fault)
  end)

  it("refuses an odd answer", function()
    for _, body in ipairs { "{}", '{"accessToken":{},"expiresIn":900}',
      '{"accessToken":{"accessKeyId":"A","secretAccessKey":"s3cret",' ..
      '"sessionToken":"t"},"expiresIn":"900"}' } do
      local found, fault = login(document(0), { { 200, body } })
      assert.is_nil(found)
      check_silent(fault)
    end
  end)
end)
