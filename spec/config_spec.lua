--- Options of personalize.new and the variables behind them.

local environment = require "spec.support.environment"
local http = require "spec.support.http"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "s",
  AWS_REGION = "eu-west-1" }

-- The request of a client of just these options and variables.
local function request_of(options, variables)
  local all, sent = {}, nil
  for name, value in pairs(KEYS) do
    all[name] = value
  end
  for name, value in pairs(variables or {}) do
    all[name] = value or nil
  end
  environment.set(all)
  options = options or {}
  options.transport = function(request)
    sent = request
    return stub.response("{}")
  end
  local _, meta = personalize.new(options):list_data_deletion_jobs()
  return sent, meta
end

local function config_error(options, variables)
  environment.set(variables or {})
  local e = stub.failure(personalize.new, options)
  assert.equal("ConfigError", e.code)
  assert.equal("client", e.kind)
  return e
end

local function user_agent(...)
  return http.header(request_of(...).headers, "user-agent")
end

describe("option", function()
  after_each(environment.restore)

  local NAN = 0 / 0
  local BAD = {
    region = { "", "eu.west", "eu west", "-eu", "eu-", "eu-west-1\n", "a/b",
      "a@b", "a:1", "a#", "eu_west_1", ("r"):rep(64), "\195\169", 5, true },
    timeout = { 0, -1, NAN, math.huge, "5", true, {} },
    connect_timeout = { 0, -1, NAN, math.huge, "5", true },
    max_attempts = { 0, -1, 1.5, NAN, math.huge, "3", true },
    retry_mode = { "legacy", "fast", "", 5, true },
    s3_addressing = { "host", "Path", "", 5, true },
    use_fips = { "true", 1, "" },
    use_dualstack = { "true", 1 },
    parameter_validation = { "false", 0 },
    disable_clock_skew_correction = { "true", 0 },
    ca_bundle = { "", 5, true, {} },
    proxy = { "", 5, true },
    endpoint = { "", "localhost", "ftp://a", "http://", "https:///x", 5,
      "https://a b", "https://user:pw@a", "https://a?x", "https://a#x",
      "https://a:0", "https://a:99999", "https://a:x", "https://a\r\n",
      "//a", "https://-" .. ("a"):rep(300) },
    endpoints = { "https://a", 5, true },
    credentials = { "AKID", 5, true },
    app_id = { "", "a b", ("x"):rep(51), "a\r\nb", "a/b", 5, "\195\169" },
    transport = { "curl", {}, true },
    sleep = { 5, {}, true },
    on_event = { "print", {}, true },
  }
  for name, values in pairs(BAD) do
    it(name .. " is refused where it is wrong, by name", function()
      for _, value in ipairs(values) do
        local e = config_error { [name] = value }
        assert.truthy(e.message:find("^" .. name .. " must be "),
          e.message)
      end
    end)
  end

  it("is refused with what it must be, not with what it was", function()
    local e = config_error { proxy = { "x" }, endpoint = nil }
    assert.equal("proxy must be a URL", e.message)
    e = config_error { endpoint = "PlantedValue" }
    assert.is_nil(tostring(e):find("PlantedValue", 1, true))
  end)

  local GOOD = {
    region = { "eu-west-1", "x", ("r"):rep(63), "US-EAST-1" },
    timeout = { 0.5, 3600, 1e9 },
    connect_timeout = { 0.1, 60 },
    max_attempts = { 1, 3, 100, 5.0 },
    retry_mode = { "standard", "adaptive" },
    s3_addressing = { "auto", "virtual", "path" },
    endpoint = { "http://localhost:8080", "https://a.example.org/base/",
      "http://127.0.0.1", "http://[::1]:4566", "https://a" },
    app_id = { "shop", ("x"):rep(50), "a.b-c_d!" },
    use_fips = { false },
    use_dualstack = { true, false },
    parameter_validation = { true, false },
    disable_clock_skew_correction = { true, false },
  }
  for name, values in pairs(GOOD) do
    it(name .. " is taken where it is right", function()
      for _, value in ipairs(values) do
        request_of { [name] = value }
      end
    end)
  end

  it("that nobody knows is refused, with the nearest one", function()
    for given, nearest in pairs { timout = "timeout", Region = "region",
      maxAttempts = "max_attempts",
      connecttimeout = "connect_timeout", use_fip = "use_fips" } do
      local e = config_error { [given] = 1 }
      assert.truthy(e.message:find(given, 1, true), e.message)
      assert.truthy(e.message:find("did you mean " .. nearest .. "?", 1,
        true), e.message)
    end
    local e = config_error { xyz = 1 }
    assert.truthy(e.message:find("xyz", 1, true))
    assert.is_nil(e.message:find "did you mean")
  end)

  it("keys that are no names are refused, unshown", function()
    config_error { "eu-west-1" }
    config_error { [true] = 1 }
    local e = config_error { ["Planted Value"] = 1 }
    assert.is_nil(tostring(e):find("Planted", 1, true))
  end)

  it("none turns certificate checks off", function()
    for _, name in ipairs { "verify", "ssl_verify", "tls_verify", "insecure",
      "verify_peer", "verify_host", "skip_verify", "check_certificate" } do
      config_error { [name] = false }
    end
  end)

  it("s that are no table are refused", function()
    for _, options in ipairs { "x", 5, true, print } do
      config_error(options)
    end
  end)

  it("s are copied: what the caller changes later is no matter", function()
    local keys = { access_key_id = "AKIDFIRST", secret_access_key = "s" }
    local authorization
    local options = { region = "eu-west-1", credentials = keys,
      transport = function(request)
        authorization = http.header(request.headers, "authorization")
        return stub.response "{}"
      end }
    local client = personalize.new(options)
    keys.access_key_id, options.region = "AKIDSECOND", "us-east-1"
    client:list_data_deletion_jobs()
    assert.truthy(authorization:find("AKIDFIRST/%d+/eu%-west%-1/"))
  end)

  it("endpoints is checked, service by service", function()
    local e = config_error { endpoints = { personalise = "https://a" } }
    assert.truthy(e.message:find("did you mean personalize?", 1, true))
    e = config_error { endpoints = { personalize = "a" } }
    assert.truthy(e.message:find("^endpoints%.personalize must be "))
  end)

  it("credentials are checked, member by member", function()
    local function fault(credentials)
      return config_error { credentials = credentials }.message
    end
    assert.truthy(fault {}:find "access_key_id")
    assert.truthy(fault { access_key_id = "A" }:find "secret_access_key")
    assert.truthy(fault { access_key_id = 5, secret_access_key = "s" }
      :find "access_key_id must be a string")
    assert.truthy(fault { access_key_id = "A", secret_access_key = "s",
      session_token = 5 }:find "session_token must be a string")
    assert.truthy(fault { access_key_id = "A", secret_access_key = "s",
      expiration = "soon" }:find "expiration must be a number")
    assert.truthy(fault { access_key_id = "A", secret_acess_key = "s" }
      :find("did you mean secret_access_key?", 1, true))
    assert.truthy(fault { access_key_id = "A", secret_access_key = "" }
      :find "secret_access_key")
  end)
end)

describe("request", function()
  after_each(environment.restore)

  it("has the defaults of the service", function()
    local request, meta = request_of()
    assert.equal("POST", request.method)
    assert.equal("https://personalize.eu-west-1.amazonaws.com/", request.url)
    assert.equal(request.url, meta.endpoint)
    assert.is_true(request.timeout > 10 and request.timeout <= 60)
    assert.equal(3.1, request.connect_timeout)
    assert.is_nil(request.ca_bundle)
    assert.is_nil(request.proxy)
    assert.equal("{}", request.body)
  end)

  it("has what the options say", function()
    local request = request_of { timeout = 10, connect_timeout = 2,
      ca_bundle = "/ca.pem", proxy = "http://proxy:3128",
      endpoint = "http://localhost:8080/base", app_id = "shop" }
    assert.equal("http://localhost:8080/base/", request.url)
    assert.equal("localhost:8080", http.header(request.headers, "host"))
    assert.is_true(request.timeout <= 10)
    assert.equal(2, request.connect_timeout)
    assert.equal("/ca.pem", request.ca_bundle)
    assert.equal("http://proxy:3128", request.proxy)
  end)

  it("has a scheme in lower case, however the endpoint writes it", function()
    for given, url in pairs { ["HTTP://localhost:8080"] =
      "http://localhost:8080/", ["HttpS://a.example.org/Base"] =
      "https://a.example.org/Base/", ["HTTPS://[::1]:4566"] =
      "https://[::1]:4566/" } do
      assert.equal(url, request_of({ endpoint = given }).url)
      assert.equal(url, request_of({}, { AWS_ENDPOINT_URL = given }).url)
      local request, meta = request_of { endpoints = { personalize = given } }
      assert.equal(url, request.url)
      assert.equal(url, meta.endpoint)
    end
  end)

  it("never has more time to connect than the call has", function()
    local request = request_of { timeout = 3 }
    assert.is_true(request.connect_timeout <= 3)
  end)

  it("has just these headers", function()
    local names = {}
    for i, header in ipairs(request_of({ credentials = { access_key_id = "A",
      secret_access_key = "s", session_token = "t" } }).headers) do
      assert.equal(2, #header)
      names[i] = header[1]:lower()
    end
    table.sort(names)
    assert.same({ "amz-sdk-invocation-id", "amz-sdk-request", "authorization",
      "content-length", "content-type", "host", "user-agent", "x-amz-date",
      "x-amz-security-token", "x-amz-target" }, names)
  end)

  it("has no token where the credentials have none", function()
    for _, token in ipairs { false, "" } do
      local request = request_of { credentials = { access_key_id = "A",
        secret_access_key = "s", session_token = token or nil } }
      assert.is_nil(http.header(request.headers, "x-amz-security-token"))
    end
  end)

  it("names module, system, Lua and app to the service", function()
    local lua = rawget(_G, "jit") and "lang/luajit#2" or
      "lang/lua#" .. _VERSION:match "%d%.%d"
    local agent = user_agent { app_id = "shop" }
    for _, part in ipairs { "personalize-lua/" .. personalize._VERSION .. " ",
      " ua/2.1 ", " os/", " " .. lua, " app/shop" } do
      assert.truthy(agent:find(part, 1, true), agent)
    end
    assert.is_nil(user_agent():find "app/")
  end)
end)

describe("variable", function()
  after_each(environment.restore)

  local function url(options, variables)
    return request_of(options, variables).url
  end

  it("AWS_REGION stands behind the argument, AWS_DEFAULT_REGION behind it",
    function()
      local both = { AWS_REGION = "eu-north-1",
        AWS_DEFAULT_REGION = "ap-south-1" }
      assert.truthy(url({ region = "us-west-2" }, both):find "us%-west%-2")
      assert.truthy(url({}, both):find "eu%-north%-1")
      both.AWS_REGION = ""
      assert.truthy(url({}, both):find "ap%-south%-1")
      both.AWS_REGION = " \t"
      assert.truthy(url({}, both):find "ap%-south%-1")
    end)

  it("AWS_ENDPOINT_URL... stand behind the arguments", function()
    local all = { AWS_ENDPOINT_URL = "http://all:1",
      AWS_ENDPOINT_URL_PERSONALIZE = "http://one:2" }
    assert.equal("http://one:2/", url({}, all))
    assert.equal("http://arg:3/", url({ endpoint = "http://arg:3" }, all))
    assert.equal("http://map:4/", url({ endpoint = "http://arg:3",
      endpoints = { personalize = "http://map:4" } }, all))
    all.AWS_ENDPOINT_URL_PERSONALIZE = ""
    assert.equal("http://all:1/", url({}, all))
    for _, yes in ipairs { "true", "TRUE", " True " } do
      all.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = yes
      assert.truthy(url({}, all):find "amazonaws")
      assert.equal("http://arg:3/", url({ endpoint = "http://arg:3" }, all))
    end
    all.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "false"
    assert.equal("http://all:1/", url({}, all))
  end)

  it("AWS_USE_FIPS_ENDPOINT and _DUALSTACK_ choose the host", function()
    assert.equal("https://personalize-fips.eu-west-1.amazonaws.com/",
      url({}, { AWS_USE_FIPS_ENDPOINT = "True" }))
    assert.equal("https://personalize.eu-west-1.api.aws/",
      url({}, { AWS_USE_DUALSTACK_ENDPOINT = "true" }))
    assert.equal("https://personalize.eu-west-1.amazonaws.com/",
      url({ use_fips = false }, { AWS_USE_FIPS_ENDPOINT = "true" }))
  end)

  it("AWS_CA_BUNDLE names the trusted certificates", function()
    local variables = { AWS_CA_BUNDLE = "/env.pem" }
    assert.equal("/env.pem", request_of({}, variables).ca_bundle)
    assert.equal("/arg.pem",
      request_of({ ca_bundle = "/arg.pem" }, variables).ca_bundle)
  end)

  it("REQUESTS_CA_BUNDLE does so behind all others", function()
    local variables = { REQUESTS_CA_BUNDLE = "/last.pem" }
    assert.equal("/last.pem", request_of({}, variables).ca_bundle)
    variables.AWS_CA_BUNDLE = "/env.pem"
    assert.equal("/env.pem", request_of({}, variables).ca_bundle)
    assert.equal("/arg.pem",
      request_of({ ca_bundle = "/arg.pem" }, variables).ca_bundle)
    assert.is_nil(request_of({}, { REQUESTS_CA_BUNDLE = " " }).ca_bundle)
  end)

  it("AWS_MAX_ATTEMPTS and AWS_RETRY_MODE are read", function()
    local function max(options, variables)
      return http.header(request_of(options, variables).headers,
        "amz-sdk-request")
    end
    assert.equal("attempt=1; max=3", max())
    assert.equal("attempt=1; max=7", max({}, { AWS_MAX_ATTEMPTS = "7" }))
    assert.equal("attempt=1; max=2", max({ max_attempts = 2 },
      { AWS_MAX_ATTEMPTS = "7" }))
    assert.truthy(user_agent({}, { AWS_RETRY_MODE = "ADAPTIVE" })
      :find("cfg/retry-mode#adaptive", 1, true))
  end)

  it("AWS_SDK_UA_APP_ID is told to the service", function()
    assert.truthy(user_agent({}, { AWS_SDK_UA_APP_ID = "shop" })
      :find "app/shop")
  end)

  it("AWS_SDK_UA_APP_ID is left out where it is wrong, with a warning",
    function()
      for _, bad in ipairs { "a b", "a\r\nb", ("x"):rep(60), "team/shop",
        "\195\169" } do
        local warnings = {}
        local agent = user_agent({ on_event = function(event)
          warnings[#warnings + 1] = event.name == "warning" and
            event.message or nil
        end }, { AWS_SDK_UA_APP_ID = bad })
        assert.is_nil(agent:find("app/", 1, true), agent)
        assert.equal(1, #warnings)
        assert.truthy(warnings[1]:find("AWS_SDK_UA_APP_ID must be at most 50",
          1, true), warnings[1])
        assert.is_nil(warnings[1]:find(bad, 1, true))
      end
    end)

  it("AWS_EXECUTION_ENV is told where it is a plain name", function()
    assert.truthy(user_agent({}, { AWS_EXECUTION_ENV = "AWS_ECS_FARGATE" })
      :find("exec-env/AWS_ECS_FARGATE", 1, true))
    for _, bad in ipairs { "a\r\nb: c", "a b", "a/b", "\195\169" } do
      assert.is_nil(user_agent({}, { AWS_EXECUTION_ENV = bad })
        :find "exec%-env")
    end
  end)

  it("that is wrong is refused, by name", function()
    for name, values in pairs {
      AWS_REGION = { "eu.west", "a b", "a\nb" },
      AWS_DEFAULT_REGION = { "-x" },
      AWS_ENDPOINT_URL = { "localhost", "ftp://a" },
      AWS_ENDPOINT_URL_PERSONALIZE = { "x", "https://user:pw@a" },
      AWS_MAX_ATTEMPTS = { "0", "-1", "x", "1.5" },
      AWS_RETRY_MODE = { "legacy", "fast" },
      AWS_USE_FIPS_ENDPOINT = { "yes", "1" },
      AWS_USE_DUALSTACK_ENDPOINT = { "yes" },
      AWS_DISABLE_CLOCK_SKEW_CORRECTION = { "yes" },
    } do
      for _, value in ipairs(values) do
        local e = config_error({}, { [name] = value })
        assert.truthy(e.message:find(name .. " must be ", 1, true),
          e.message)
      end
    end
  end)

  it("shared_dict is refused outside nginx, with the reason", function()
    for _, name in ipairs { "aws", "" } do
      local e = config_error { shared_dict = name }
      assert.truthy(e.message:find("lua_shared_dict", 1, true), e.message)
    end
    local e = config_error { shared_dict = "aws" }
    assert.truthy(e.message:find("only inside nginx", 1, true), e.message)
  end)

  it("AWS_RETRY_MODE=legacy is refused with a hint", function()
    local e = config_error({}, { AWS_RETRY_MODE = "legacy" })
    assert.truthy(e.message:find("standard", 1, true))
    assert.truthy(e.message:find("legacy", 1, true))
  end)

  it("is not asked where an argument stands", function()
    request_of({ region = "us-east-1" }, { AWS_REGION = "not a region" })
    request_of({ max_attempts = 1 }, { AWS_MAX_ATTEMPTS = "many" })
    request_of({ endpoint = "http://a" }, { AWS_ENDPOINT_URL = "x" })
  end)
end)
