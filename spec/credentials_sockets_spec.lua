--- Every source over real sockets, against the local AWS.

local aws = require "spec.support.aws"
local cjson = require "cjson"
local chain = require "personalize.credentials.chain"
local child = require "spec.support.child"
local core = require "personalize.core"
local curl = require "personalize.transport.curl"
local files = require "personalize.files"
local instance = require "personalize.credentials.instance"
local world = require "personalize.credentials.world"

describe("over real sockets", function()
  local server, sources, home, transport, close

  setup(function()
    server = aws.start()
    transport, close = curl.new()
    home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. child.quote(home) ..
      "/.aws/sso/cache " .. child.quote(home) .. "/.aws/login/cache")
  end)

  teardown(function()
    close()
    server:stop()
    os.execute("rm -r " .. child.quote(home))
  end)

  before_each(function()
    server:reset()
    sources = server:admin("GET", "sources")
  end)

  local function put(name, text)
    local file = assert(io.open(home .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end

  local function fetch(env, config, what, resolve)
    put(".aws/config", config or "")
    env.HOME = home
    local made = world.new({ transport = transport, sleep = core.sleep,
      user_agent = "spec", max_attempts = 3, connect_timeout = 60,
      region = server.region, profile = "default", use_fips = false,
      use_dualstack = false, resolve = resolve, mfa_token = function()
        return sources.assume_role.token_code
      end, endpoint_of = function() return server.endpoint end },
      function(name) return env[name] end, {})
    return (what or chain.fetch)(made)
  end

  local function keys(more)
    local env = { AWS_ACCESS_KEY_ID = server.access_key_id,
      AWS_SECRET_ACCESS_KEY = server.secret_access_key }
    return env, "[default]\ncredential_source = Environment\n" .. more
  end

  -- From the profile, which comes after the environment's keys in the chain.
  local function assume(more)
    local env, config = keys(more)
    return fetch(env, config,
      require("personalize.credentials.profile").fetch)
  end

  local function check(source, found, fault)
    assert.is_nil(fault and fault.message)
    assert.equal(source, found.source)
    assert.is_true(found.expiration > core.now())
    assert.truthy(found.session_token)
  end

  it("a role is assumed, by what it demands", function()
    local role = sources.assume_role
    check("assumed role", assume("role_arn = " .. role.role_arn))
    check("assumed role", assume("role_arn = " .. role.external_id_role_arn ..
      "\nexternal_id = " .. role.external_id))
    check("assumed role", assume("role_arn = " .. role.mfa_role_arn ..
      "\nmfa_serial = " .. role.mfa_serial .. "\nduration_seconds = 900"))
    local _, fault = assume("role_arn = " .. role.external_id_role_arn)
    assert.truthy(fault.message:find("AccessDenied", 1, true))
  end)

  it("a web identity is exchanged", function()
    put("token", sources.web_identity.token .. "\n")
    local env = { AWS_WEB_IDENTITY_TOKEN_FILE = home .. "/token",
      AWS_ROLE_ARN = sources.web_identity.role_arn }
    check("web identity", fetch(env))
    put("token", "eyJforged")
    local _, fault = fetch(env)
    assert.truthy(fault.message:find("InvalidIdentityToken", 1, true))
    assert.is_nil(fault.message:find("eyJforged", 1, true))
  end)

  it("single sign-on gives a role, with a token that is renewed", function()
    local sso = sources.sso
    local config = ("[default]\nsso_session = corp\nsso_account_id = %s\n" ..
      "sso_role_name = %s\n[sso-session corp]\nsso_region = %s\n" ..
      "sso_start_url = %s\n"):format(sso.account_id, sso.role_name,
      sso.region, sso.start_url)
    local path = ".aws/sso/cache/" .. core.sha1_hex "corp" .. ".json"
    put(path, cjson.encode(sso.cache))
    check("single sign-on", fetch({}, config))
    local old = sso.cache.accessToken
    sso.cache.expiresAt = core.time_text(core.now() - 1)
    put(path, cjson.encode(sso.cache))
    check("single sign-on", fetch({}, config))
    local written = cjson.decode(files.read(home .. "/" .. path))
    assert.not_equal(old, written.accessToken)
    assert.is_true(core.time(written.expiresAt) > core.now())
  end)

  it("a login session is renewed by a proof that is accepted", function()
    local login = sources.login
    login.cache.accessToken.expiresAt = core.time_text(core.now() - 1)
    put(".aws/login/cache/" .. core.sha256_hex(login.login_session) ..
      ".json", cjson.encode(login.cache))
    check("login session", fetch({},
      "[default]\nlogin_session = " .. login.login_session))
    -- What it wrote is good for the next time, and for another process.
    local found = fetch({},
      "[default]\nlogin_session = " .. login.login_session)
    assert.not_equal(login.cache.accessToken.accessKeyId, found.access_key_id)
  end)

  it("a container is asked, with its token", function()
    check("container", fetch {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = sources.container.full_uri })
  end)

  it("a container is asked at the address that was checked, by its name",
    function()
      local port = sources.container.full_uri:match ":(%d+)/"
      -- Nobody else has an address for it.
      check("container", fetch({ AWS_CONTAINER_CREDENTIALS_FULL_URI =
        "http://agent.invalid:" .. port .. "/container" }, nil, nil,
        function() return { "127.0.0.1" } end))
      for _, host in ipairs { "localhost", "127.1", "0x7f.0.0.1" } do
        check("container", fetch { AWS_CONTAINER_CREDENTIALS_FULL_URI =
          ("http://%s:%s/container"):format(host, port) })
      end
    end)

  it("an instance is asked, for its region too", function()
    check("instance metadata", fetch {})
    assert.equal(server.region, (fetch({}, "", instance.region)))
    server:fault { spec = "ImdsToken=InternalFailure:1" }
    server:fault { spec = "ImdsCredentials=InternalFailure:2" }
    check("instance metadata", fetch {})
  end)
end)
