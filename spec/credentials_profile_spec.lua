--- Profiles, and the roles they are chained to.

local profile = require "personalize.credentials.profile"
local world = require "spec.support.world"

local ROLE = "arn:aws:iam::123456789012:role/"
local TOKEN = "eyJtokentokentoken"

local function answer(action, id, token)
  local text = "<ACTIONResponse xmlns=\"https://sts.amazonaws.com/doc/\">" ..
    "<ACTIONResult><AssumedRoleUser><Arn>arn:aws:sts::210987654321:" ..
    "assumed-role/R/s</Arn></AssumedRoleUser>\n<Credentials><AccessKeyId>" ..
    id .. "</AccessKeyId><SecretAccessKey>secret-" .. id ..
    "</SecretAccessKey>" .. (token or "<SessionToken>token</SessionToken>") ..
    "<Expiration>2026-11-24T12:00:00Z</Expiration></Credentials>" ..
    "</ACTIONResult></ACTIONResponse>"
  return { 200, (text:gsub("ACTION", action)) }
end

local function fetch(config, more)
  more = more or {}
  local files = more.files or {}
  files["/home/.aws/config"] = config
  local env = more.env or {}
  env.HOME = "/home"
  local made = world.new { env = env, files = files,
    profile = more.profile or "a", region = "eu-west-1",
    now = more.now or 1795500000, options = more.options,
    transport = world.script(more.answers or {}) }
  local found, fault, why = profile.fetch(made)
  return found, fault, made, why
end

local BASE = "\n[profile base]\naws_access_key_id = AKIDBASE\n" ..
  "aws_secret_access_key = base-secret\n"

local function role(name, more)
  return ("[profile %s]\nrole_arn = %s%s\n%s\n"):format(name, ROLE,
    name:upper(), more or "source_profile = base")
end

describe("a role in a profile", function()
  it("is assumed with what the profile says of it", function()
    local found, fault, made = fetch(role("a", "source_profile = base\n" ..
      "external_id = ex/1\nduration_seconds = 1800\n" ..
      "role_session_name = me@home") .. BASE,
      { answers = { answer("AssumeRole", "ASIA1") } })
    assert.is_nil(fault)
    assert.same({ access_key_id = "ASIA1", secret_access_key = "secret-ASIA1",
      session_token = "token", expiration = 1795521600,
      account_id = "210987654321", source = "assumed role", is_stable = true },
      found)
    local sent = made.sent[1]
    assert.equal("https://sts.eu-west-1.amazonaws.com/", sent.url)
    assert.equal("POST", sent.method)
    assert.equal("Action=AssumeRole&Version=2011-06-15&RoleArn=" ..
      "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FA&RoleSessionName=" ..
      "me%40home&ExternalId=ex%2F1&DurationSeconds=1800", sent.body)
    assert.truthy(sent.headers.authorization:find(
      "Credential=AKIDBASE/%d+/eu%-west%-1/sts/"))
    assert.equal("application/x-www-form-urlencoded; charset=utf-8",
      sent.headers["content-type"])
  end)

  it("has a session of its own name where none is given", function()
    local _, _, made = fetch(role "a" .. BASE,
      { answers = { answer("AssumeRole", "ASIA1") } })
    assert.truthy(made.sent[1].body:find(
      "RoleSessionName=personalize-1795500000000", 1, true))
  end)

  it("is assumed with the one before it", function()
    local found, _, made = fetch(role("a", "source_profile = b") ..
      role "b" .. BASE, { answers = { answer("AssumeRole", "ASIAB"),
        answer("AssumeRole", "ASIAA") } })
    assert.equal("ASIAA", found.access_key_id)
    assert.truthy(made.sent[1].headers.authorization:find "AKIDBASE")
    assert.truthy(made.sent[2].headers.authorization:find "ASIAB")
    assert.equal("token", made.sent[2].headers["x-amz-security-token"])
  end)

  it("takes its first keys from where credential_source says", function()
    local found, _, made = fetch(role("a", "credential_source = Environment"),
      { env = { AWS_ACCESS_KEY_ID = "AKIDENV",
        AWS_SECRET_ACCESS_KEY = "x" },
        answers = { answer("AssumeRole", "ASIA1") } })
    assert.equal("ASIA1", found.access_key_id)
    assert.truthy(made.sent[1].headers.authorization:find "AKIDENV")
  end)

  it("fails where that source has nothing, and for other names", function()
    local _, fault = fetch(role("a", "credential_source = Environment"))
    assert.equal("CredentialsError", fault.code)
    assert.truthy(fault.message:find("AWS_ACCESS_KEY_ID", 1, true))
    _, fault = fetch(role("a", "credential_source = environment"))
    assert.equal("ConfigError", fault.code)
  end)

  it("fails in a loop, of three too, and without the profile it names",
    function()
      local _, fault = fetch(role("a", "source_profile = b") ..
        role("b", "source_profile = c") .. role("c", "source_profile = a"))
      assert.equal("ConfigError", fault.code)
      assert.truthy(fault.message:find("a, b, c, a", 1, true))
      _, fault = fetch(role("a", "source_profile = absent"))
      assert.equal("ConfigError", fault.code)
      _, fault = fetch(role("a", "source_profile = b") .. "[profile b]\nx = y")
      assert.equal("ConfigError", fault.code)
    end)

  it("refuses a duration that is none", function()
    for _, text in ipairs { "899", "43201", "1e3", "-900", "900.5", "1h" } do
      local _, fault, made = fetch(role("a", "source_profile = base\n" ..
        "duration_seconds = " .. text) .. BASE)
      assert.equal("ConfigError", fault.code, text)
      assert.equal(0, #made.sent)
    end
  end)

  it("needs a region", function()
    local made = world.new { env = { HOME = "/home" }, profile = "a",
      files = { ["/home/.aws/config"] = role "a" .. BASE } }
    local _, fault = profile.fetch(made)
    assert.equal("ConfigError", fault.code)
    assert.truthy(fault.message:find("AWS_REGION", 1, true))
  end)

  describe("with a device", function()
    local CONFIG = role("a", "source_profile = base\n" ..
      "mfa_serial = arn:aws:iam::123456789012:mfa/me") .. BASE

    local function with(mfa_token)
      return fetch(CONFIG, { options = { mfa_token = mfa_token },
        answers = { answer("AssumeRole", "ASIA1") } })
    end

    it("sends its code", function()
      local serial
      local found, _, made = with(function(given)
        serial = given
        return "012345"
      end)
      assert.equal("ASIA1", found.access_key_id)
      assert.equal("arn:aws:iam::123456789012:mfa/me", serial)
      assert.truthy(made.sent[1].body:find("&SerialNumber=arn%3Aaws%3Aiam" ..
        "%3A%3A123456789012%3Amfa%2Fme&TokenCode=012345", 1, true))
      _, _, made = with(function() return 12345 end)
      assert.truthy(made.sent[1].body:find("TokenCode=012345", 1, true))
    end)

    it("needs the option, and a code from it", function()
      local _, fault = with(nil)
      assert.equal("CredentialsError", fault.code)
      assert.truthy(fault.message:find("mfa_token", 1, true))
      for _, code in ipairs { "12345", "1234567", "12345x", {}, 1.5, -1 } do
        _, fault = with(function() return code end)
        assert.equal("CredentialsError", fault.code)
      end
      for _, f in ipairs { function() error "no device" end,
        function() return nil, "no device" end } do
        _, fault = with(f)
        assert.equal("CredentialsError", fault.code)
        assert.truthy(fault.message:find("the mfa_token function .*no device"))
        assert.truthy(fault.cause)
      end
    end)
  end)
end)

describe("the answer of AWS STS", function()
  local function assume(...)
    return fetch(role "a" .. BASE, { answers = { ... } })
  end

  it("is told when it is an error", function()
    local _, fault = assume { 403, "<ErrorResponse><Error><Type>Sender" ..
      "</Type><Code>AccessDenied</Code><Message>not you, base-secret" ..
      "</Message></Error><RequestId>r1</RequestId></ErrorResponse>" }
    assert.equal("CredentialsError", fault.code)
    assert.truthy(fault.message:find("AccessDenied: not you", 1, true))
    assert.is_nil(fault.message:find "base%-secret")
    assert.equal("AccessDenied", fault.cause.code)
    assert.equal(403, fault.cause.status)
    assert.truthy(tostring(fault.cause):find "AssumeRole")
  end)

  it("is asked for again after an error that passes", function()
    local found, _, made = assume({ 500, "" }, answer("AssumeRole", "ASIA1"))
    assert.equal("ASIA1", found.access_key_id)
    assert.equal(2, #made.sent)
  end)

  it("is refused where it is cut, odd, deep or another's", function()
    local deep = ("<a>"):rep(10000)
    local whole = answer("AssumeRole", "ASIA1")[2]
    for _, body in ipairs { "", "rubbish", whole:sub(1, -10), deep,
      "<!DOCTYPE x [<!ENTITY e 'x'>]>" .. whole,
      answer("GetCallerIdentity", "ASIA1")[2],
      answer("AssumeRole", "ASIA1", " ")[2],
      answer("AssumeRole", "")[2], "<AssumeRoleResponse/>",
      answer("AssumeRole", "AS\10IA")[2],
      (whole:gsub("2026[^<]*", "soon")) } do
      -- An answer that is not whole is asked for again.
      local reply = { 200, body }
      local found, fault = assume(reply, reply, reply)
      assert.is_nil(found, body:sub(1, 200))
      assert.truthy(fault.code == "CredentialsError", fault.code)
      assert.is_nil(fault.message:find "secret%-ASIA")
    end
  end)
end)

describe("a web identity", function()
  local CONFIG = role("a", "web_identity_token_file = /token")

  it("is read anew each time and sent unsigned", function()
    local found, _, made = fetch(CONFIG, { files = { ["/token"] = TOKEN ..
      "\n" }, answers = { answer("AssumeRoleWithWebIdentity", "ASIAW") } })
    assert.equal("ASIAW", found.access_key_id)
    assert.equal("web identity", found.source)
    assert.is_true(found.is_stable)
    assert.is_nil(made.sent[1].headers.authorization)
    assert.truthy(made.sent[1].body:find("&WebIdentityToken=" .. TOKEN .. "$"))
  end)

  it("fails without the file, and with one that holds no token", function()
    local _, fault = fetch(CONFIG)
    assert.equal("CredentialsError", fault.code)
    assert.truthy(fault.message:find("/token", 1, true))
    for _, text in ipairs { "", "\n", TOKEN .. "\n" .. TOKEN, TOKEN ..
      "\r\nX: y\r\n", "a\0b" } do
      local made
      _, fault, made = fetch(CONFIG, { files = { ["/token"] = text } })
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find(TOKEN, 1, true))
      assert.equal(0, #made.sent)
    end
  end)

  it("is in no message, nor is it where the service quotes it", function()
    local _, fault = fetch(CONFIG, { files = { ["/token"] = TOKEN },
      answers = { { 400, "<ErrorResponse><Error><Code>InvalidIdentityToken" ..
        "</Code><Message>bad token " .. TOKEN .. "</Message></Error>" ..
        "</ErrorResponse>" } } })
    assert.truthy(fault.message:find("InvalidIdentityToken", 1, true))
    assert.is_nil(fault.message:find(TOKEN, 1, true))
    assert.is_nil(tostring(fault.cause):find(TOKEN, 1, true))
  end)

  it("needs a role", function()
    local _, fault = fetch("[profile a]\nweb_identity_token_file = /token")
    assert.equal("ConfigError", fault.code)
  end)
end)

describe("a profile", function()
  it("refuses half a pair of keys, and keys that cannot be sent", function()
    local _, fault = fetch "[profile a]\naws_access_key_id = AKIDHALF"
    assert.equal("ConfigError", fault.code)
    assert.is_nil(fault.message:find "AKIDHALF")
    _, fault = fetch("[profile a]\naws_access_key_id = AK\n ID\n" ..
      "aws_secret_access_key = s3cret")
    assert.equal("CredentialsError", fault.code)
    assert.is_nil(fault.message:find "s3cret")
  end)

  it("has nothing where it says nothing", function()
    local found, fault, _, why = fetch "[profile a]\nregion = eu-west-1"
    assert.is_nil(found)
    assert.is_nil(fault)
    assert.equal("string", type(why))
  end)
end)
