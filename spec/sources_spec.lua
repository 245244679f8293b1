--- A client whose region and credentials come from where AWS's tools look:
-- what it finds, keeps and tells, against the local AWS.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local environment = require "spec.support.environment"
local personalize = require "personalize"
local stub = require "spec.support.stub"

describe("a client by itself", function()
  local server, home

  setup(function()
    server = aws.start "--tls --imds both"
    home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. child.quote(home) .. "/.aws")
  end)

  teardown(function()
    environment.restore()
    server:stop()
    os.execute("rm -r " .. child.quote(home))
  end)

  before_each(function()
    server:reset()
  end)

  after_each(environment.restore)

  -- The environment, and ~/.aws/config.
  local function surround(variables, config)
    local file = assert(io.open(home .. "/.aws/config", "w"))
    file:write(config or "")
    file:close()
    variables.HOME = home
    variables.AWS_CA_BUNDLE = server.ca_bundle
    variables.AWS_ENDPOINT_URL = variables.AWS_ENDPOINT_URL or
      server.endpoint
    environment.set(variables)
  end

  local function static(more)
    return ("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n")
      :format(server.access_key_id, server.secret_access_key) .. (more or "")
  end

  local ROLE = "[profile r]\nregion = eu-west-1\nsource_profile = default\n" ..
    "role_arn = arn:aws:iam::123456789012:role/Eraser\n"

  local function operations()
    return server:admin("GET", "requests").operations
  end

  it("takes region and keys from the shared files", function()
    surround({}, static "region = eu-west-1\n")
    local client = personalize.new()
    client:list_data_deletion_jobs()
    local identity = client:identity()
    assert.equal("eu-west-1", identity.region)
    assert.equal("default", identity.profile)
    assert.equal("shared files", identity.source)
    assert.equal(server.access_key_id:sub(-4), identity.access_key_id)
  end)

  it("reads two files to start with, and again to refresh", function()
    surround({ AWS_PROFILE = "r" }, static(ROLE))
    local files = require "personalize.files"
    local read, count = files.read, 0
    files.read = function(path)
      count = count + 1
      return read(path)
    end
    local ok, why = pcall(function()
      local client = personalize.new()
      client:list_data_deletion_jobs()
      assert.equal(2, count)
      client:list_data_deletion_jobs()
      assert.equal(2, count)
      server:admin("POST", "expire", { kind = "sessions" })
      client:list_data_deletion_jobs()
      assert.equal(4, count)
    end)
    files.read = read
    assert(ok, why)
  end)

  it("asks once for what it can keep, and tells when it did", function()
    surround({ AWS_PROFILE = "r" }, static(ROLE))
    local told = {}
    local client = personalize.new { on_event = function(event)
      told[#told + 1] = event.name == "credentials" and event or nil
    end }
    for _ = 1, 5 do
      client:list_data_deletion_jobs()
    end
    assert.equal(1, tonumber(operations().AssumeRole))
    assert.equal("assumed role", client:identity().source)
    local expiration = client:identity().expiration
    assert.same({ { name = "credentials", source = "assumed role",
      expiration = expiration } }, told)
  end)

  it("fetches anew what AWS calls expired, and calls once more", function()
    surround({ AWS_PROFILE = "r" }, static(ROLE))
    local client = personalize.new()
    client:list_data_deletion_jobs()
    server:admin("POST", "expire", { kind = "sessions" })
    local _, meta = client:list_data_deletion_jobs()
    assert.equal(2, tonumber(meta.attempts))
    assert.equal(2, tonumber(operations().AssumeRole))
  end)

  it("raises what AWS says when fresh ones are refused as well", function()
    surround({ AWS_PROFILE = "r" }, static(ROLE))
    local client = personalize.new()
    client:list_data_deletion_jobs()
    server:fault { spec = "ListDataDeletionJobs=ExpiredTokenException" }
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("ExpiredTokenException", e.code)
    assert.equal(2, tonumber(e.attempts))
  end)

  it("finds an instance's region and role", function()
    surround({ AWS_EC2_METADATA_DISABLED = "false",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = server.endpoint })
    local client = personalize.new()
    client:list_data_deletion_jobs()
    assert.equal("instance metadata", client:identity().source)
    assert.equal("eu-west-1", client:identity().region)
  end)

  -- The error of a client that has to ask the instance for its region.
  local function region_error(variables)
    variables.AWS_EC2_METADATA_DISABLED =
      variables.AWS_EC2_METADATA_DISABLED or "false"
    surround(variables, static())
    local client = personalize.new()
    return stub.failure(client.list_data_deletion_jobs, client), client
  end

  it("says why the instance gives no region", function()
    local e = region_error { AWS_EC2_METADATA_SERVICE_ENDPOINT =
      "169.254.169.254" }
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find("AWS_EC2_METADATA_SERVICE_ENDPOINT must be", 1,
      true), e.message)
    e = region_error { AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:1" }
    assert.equal("NoRegionError", e.code)
    assert.truthy(e.message:find("no instance metadata service answered at " ..
      "http://127.0.0.1:1 (", 1, true), e.message)
    e = region_error { AWS_EC2_METADATA_DISABLED = "true" }
    assert.equal("NoRegionError", e.code)
    assert.truthy(e.message:find("AWS_EC2_METADATA_DISABLED is true", 1, true))
    e = region_error { AWS_METADATA_SERVICE_TIMEOUT = "soon" }
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find("AWS_METADATA_SERVICE_TIMEOUT", 1, true))
  end)

  it("asks the instance again after a failure that may pass", function()
    for _, spec in ipairs { "ImdsToken=status-500:4",
      "ImdsRegion=status-500:4", "ImdsRegion=status-400:1" } do
      server:fault { spec = spec }
      local e, client = region_error { AWS_EC2_METADATA_SERVICE_ENDPOINT =
        server.endpoint }
      assert.equal("NoRegionError", e.code)
      assert.truthy(e.message:find("HTTP [45]00"), e.message)
      assert.truthy(personalize.is_error(e.cause))
      assert.truthy(client:list_data_deletion_jobs())
      assert.equal("eu-west-1", client:identity().region)
      server:reset()
    end
  end)

  it("goes on with an instance's last credentials when it is down", function()
    surround({ AWS_EC2_METADATA_DISABLED = "false", AWS_REGION = "eu-west-1",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = server.endpoint })
    server:fault { spec = "ImdsCredentials=status-500:1" }
    local client = personalize.new()
    client:list_data_deletion_jobs()
    assert.equal(2, tonumber(operations().ImdsCredentials))
  end)

  it("says of a setting where it is wrong", function()
    surround({ AWS_REGION = "eu-west-1" }, static "max_attempts = many\n")
    local client = personalize.new()
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find(".aws/config, line 4 (max_attempts)", 1,
      true), e.message)
  end)

  it("refuses a profile that is not there", function()
    surround({ AWS_REGION = "eu-west-1", AWS_PROFILE = "nobody" }, static())
    local client = personalize.new()
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find("nobody", 1, true))
  end)

  it("takes AWS_DEFAULT_PROFILE for the profile, behind AWS_PROFILE",
    function()
      surround({ AWS_DEFAULT_PROFILE = "r" }, static(ROLE))
      local identity = personalize.new():identity()
      assert.equal("r", identity.profile)
      assert.equal("assumed role", identity.source)
      surround({ AWS_DEFAULT_PROFILE = "r", AWS_PROFILE = " " }, static(ROLE))
      assert.equal("r", personalize.new():identity().profile)
      surround({ AWS_DEFAULT_PROFILE = "nobody" }, static())
      local e = stub.failure(personalize.new { region = "eu-west-1" }.identity,
        personalize.new { region = "eu-west-1" })
      assert.equal("ConfigError", e.code)
      assert.truthy(e.message:find("nobody", 1, true))
    end)

  -- Adds to `warnings` what is told of `what`; inside nginx, a ca_bundle is
  -- warned of as well.
  local function watcher(warnings, what)
    return function(event)
      if event.name == "warning" and event.message:find(what, 1, true) then
        warnings[#warnings + 1] = event.message
      end
    end
  end

  it("says so where AWS_PROFILE and AWS_DEFAULT_PROFILE differ", function()
    local warnings
    local function identity(variables, profile)
      warnings = {}
      surround(variables, static(ROLE))
      return personalize.new { region = "eu-west-1", profile = profile,
        on_event = watcher(warnings, "PROFILE") }:identity().profile
    end
    local both = { AWS_DEFAULT_PROFILE = "default", AWS_PROFILE = "r" }
    assert.equal("r", identity(both))
    assert.equal(1, #warnings)
    assert.truthy(warnings[1]:find("AWS_DEFAULT_PROFILE (default)", 1, true))
    assert.equal("r", identity(both, "r"))
    assert.equal(0, #warnings)
    both.AWS_DEFAULT_PROFILE = "r"
    assert.equal("r", identity(both))
    assert.equal(0, #warnings)
  end)

  it("takes what is set to nothing for not set", function()
    surround({ AWS_ENDPOINT_URL = " " }, static("region = eu-west-1\n" ..
      "services = \nendpoint_url =\nca_bundle =\nmax_attempts =\n" ..
      "sdk_ua_app_id =\naws_session_token =\ns3 =\nretry_mode=\n"))
    assert.equal("https://personalize.eu-west-1.amazonaws.com/",
      personalize.new():identity().endpoint)
    surround({ AWS_ENDPOINT_URL = " " }, static("region = eu-west-1\n" ..
      "services = local\nendpoint_url = " .. server.endpoint ..
      "\n[services local]\npersonalize =\n endpoint_url =\ns3 =\n"))
    local client = personalize.new()
    client:list_data_deletion_jobs()
    assert.equal(server.endpoint .. "/", client:identity().endpoint)
  end)

  it("leaves out an app id that is wrong in the profile, with a warning",
    function()
      local warnings = {}
      surround({}, static("region = eu-west-1\nsdk_ua_app_id = team/shop\n"))
      local client = personalize.new {
        on_event = watcher(warnings, "sdk_ua_app_id") }
      client:list_data_deletion_jobs()
      client:list_data_deletion_jobs()
      assert.equal(1, #warnings)
      assert.truthy(warnings[1]:find(".aws/config, line 5 (sdk_ua_app_id)", 1,
        true), warnings[1])
    end)

  it("skips the environment's keys for a profile given in code", function()
    surround({ AWS_ACCESS_KEY_ID = "AKIDOTHER", AWS_REGION = "eu-west-1",
      AWS_SECRET_ACCESS_KEY = "of another account" }, static(ROLE))
    local client = personalize.new { profile = "r" }
    client:list_data_deletion_jobs()
    assert.equal("assumed role", client:identity().source)
  end)

  it("takes endpoints from a services section", function()
    surround({ AWS_REGION = "eu-west-1", AWS_ENDPOINT_URL = " " },
      static("services = local\n[services local]\npersonalize =\n" ..
        "  endpoint_url = " .. server.endpoint .. "\n"))
    local client = personalize.new()
    client:list_data_deletion_jobs()
    assert.equal(server.endpoint .. "/", client:identity().endpoint)
  end)

  it("asks the global STS where that is configured", function()
    for mode, url in pairs { legacy = "https://sts.amazonaws.com/",
      regional = "https://sts.us-east-1.amazonaws.com/" } do
      surround({ AWS_PROFILE = "r", AWS_ENDPOINT_URL = " " }, static(
        ROLE:gsub("eu%-west%-1", "us-east-1") ..
        "sts_regional_endpoints = " .. mode .. "\n"))
      local asked
      local client = personalize.new { transport = function(request)
        asked = request.url
        return nil, { code = "ConnectionError", message = "not sent",
          sent = false, retryable = false }
      end }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert.equal(url, asked)
    end
  end)

  it("tells every source when there is nothing, and no value", function()
    surround { AWS_REGION = "eu-west-1" }
    local client = personalize.new()
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("NoCredentialsError", e.code)
    for _, source in ipairs { "environment", "shared files", "web identity",
      "container", "instance metadata" } do
      assert.truthy(e.message:find("\n  " .. source .. ": ", 1, true),
        e.message)
    end
  end)
end)
