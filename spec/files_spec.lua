--- The shared files as they lie on people's machines: where they are looked
-- for, what may not be read, and what is said of a section that is missing.

local core = require "personalize.core"
local environment = require "spec.support.environment"
local child = require "spec.support.child"
local files = require "personalize.files"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "s",
  AWS_REGION = "eu-west-1" }

local function with(variables)
  local all = {}
  for name, value in pairs(KEYS) do
    all[name] = value
  end
  for name, value in pairs(variables) do
    all[name] = value or nil
  end
  return all
end

-- The warnings of a client that makes a call, and whatever it failed with.
local function try(variables, options, homes)
  local warnings = {}
  environment.set(with(variables), homes)
  local given = { transport = function() return stub.response "{}" end,
    on_event = function(event)
      warnings[#warnings + 1] = event.name == "warning" and event.message or nil
    end }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  local client = personalize.new(given)
  local ok, e = pcall(client.list_data_deletion_jobs, client)
  return warnings, not ok and e or nil, client
end

describe("the shared files", function()
  local root

  local function write(path, text)
    local file = assert(io.open(root .. path, "w"))
    file:write(text)
    file:close()
  end

  setup(function()
    root = os.tmpname()
    os.remove(root)
    run("mkdir " .. child.quote(root))
  end)
  teardown(function()
    run("rm -rf " .. child.quote(root))
  end)
  before_each(function()
    run(("chmod -R u+rwx %s; rm -rf %s/* %s/.aws"):format(root, root, root))
  end)
  after_each(environment.restore)

  -- What may stand where ~/.aws should, as commands that make it below root.
  local UNREADABLE = {
    ["a file for a folder"] = "touch .aws",
    ["a folder for a file"] = "mkdir -p .aws/config .aws/credentials",
    ["a loop of links"] = "ln -s .aws .aws",
    ["links that name each other"] = "mkdir .aws; ln -s credentials " ..
      ".aws/config; ln -s config .aws/credentials",
    ["a named pipe"] = "mkdir .aws; mkfifo .aws/config .aws/credentials",
  }

  for what, command in pairs(UNREADABLE) do
    it("count as absent where there is " .. what, function()
      run("cd " .. root .. " && " .. command)
      local warnings, e, client = try { HOME = root }
      assert.is_nil(e)
      assert.equal(2, #warnings)
      for i, name in ipairs { "config", "credentials" } do
        assert.truthy(warnings[i]:find(root .. "/.aws/" .. name ..
          " cannot be read and counts as absent: ", 1, true), warnings[i])
      end
      client:list_data_deletion_jobs()
      assert.equal(2, #warnings) -- told once
    end)

    it("that a profile was to be found in are named: " .. what, function()
      run("cd " .. root .. " && " .. command)
      local _, e = try({ HOME = root }, { profile = "prod" })
      assert.equal("ConfigError", e.code)
      assert.truthy(e.message:find("there is no profile prod", 1, true))
      assert.truthy(e.message:find(root .. "/.aws/config could not be read: ",
        1, true), e.message)
      _, e = try { HOME = root, AWS_PROFILE = "prod" }
      assert.truthy(e.message:find("^AWS_PROFILE: there is no profile prod"),
        e.message)
    end)
  end

  it("are named where a region was to be found in them", function()
    run("mkdir -p " .. root .. "/.aws/config")
    write("/.aws/credentials", "[profile default]\nregion = eu-west-1\n")
    local _, e = try { HOME = root, AWS_REGION = false }
    assert.equal("NoRegionError", e.code)
    for _, words in ipairs { "/.aws/config could not be read: ",
      "/.aws/credentials, line 1: [profile default] does not count; write " ..
        "[default]" } do
      assert.truthy(e.message:find(root .. words, 1, true), e.message)
    end
  end)

  it("count as absent where their folder is another user's", function()
    write("/script.lua", [[
      local client = require("personalize").new { region = "eu-west-1",
        credentials = { access_key_id = "A", secret_access_key = "S" },
        transport = function()
          return { status = 200, headers = {}, body = "{}" }
        end,
        on_event = function(event)
          if event.name == "warning" then
            print(event.message)
          end
        end }
      client:list_data_deletion_jobs()
      print "done"]])
    run(("cd %s && mkdir .aws && touch .aws/config && chmod 755 . && " ..
      "chmod 000 .aws"):format(root))
    -- Root may read everything: then somebody else tries.
    local is_root = run "id -u" == "0\n"
    local as = is_root and "setpriv --reuid=65534 --clear-groups " or ""
    local command = ("%senv -u AWS_PROFILE -u AWS_CONFIG_FILE HOME=%s " ..
      "LUA_PATH=%s LUA_CPATH=%s %s %s/script.lua 2>&1"):format(as,
      child.quote(root), child.quote(package.path), child.quote(package.cpath),
      child.interpreter(), root)
    if is_root and run(as .. "cat src/personalize/files.lua 2>/dev/null") == ""
    then
      pending "another user may not read these sources"
      return
    end
    local said = run(command)
    assert.truthy(said:find(root .. "/.aws/config cannot be read and counts " ..
      "as absent: Permission denied\n", 1, true), said)
    assert.truthy(said:find "\ndone\n$", said)
  end)

  it("may not be there, and nobody says so", function()
    for _, home in ipairs { root, root .. "/none", "/" } do
      local warnings, e = try { HOME = home }
      assert.is_nil(e)
      assert.same({}, warnings)
    end
    local warnings, e = try { HOME = root, AWS_CONFIG_FILE = "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE = root .. "/none" }
    assert.is_nil(e)
    assert.same({}, warnings)
  end)

  it("count as absent with HOME=/dev/null", function()
    local warnings, e = try { HOME = "/dev/null" }
    assert.is_nil(e)
    assert.equal(2, #warnings)
    assert.truthy(warnings[1]:find("/dev/null/.aws/config", 1, true))
  end)

  it("that a variable names are warned of by its name", function()
    run("mkdir " .. root .. "/folder; mkfifo " .. root .. "/pipe")
    local warnings, e = try { HOME = root, AWS_CONFIG_FILE = root .. "/folder",
      AWS_SHARED_CREDENTIALS_FILE = root .. "/pipe" }
    assert.is_nil(e)
    assert.equal(2, #warnings)
    assert.truthy(warnings[1]:find("AWS_CONFIG_FILE: " .. root ..
      "/folder cannot be read", 1, true), warnings[1])
    assert.truthy(warnings[2]:find("AWS_SHARED_CREDENTIALS_FILE: " .. root ..
      "/pipe cannot be read", 1, true), warnings[2])
  end)

  it("that may not be read leave the other one", function()
    run("mkdir -p " .. root .. "/.aws/config")
    write("/.aws/credentials", "[prod]\naws_access_key_id = AKIDFILE\n" ..
      "aws_secret_access_key = s\n")
    local warnings, e, client = try({ HOME = root }, { profile = "prod" })
    assert.is_nil(e)
    assert.equal(1, #warnings)
    assert.equal("FILE", client:identity().access_key_id)
  end)

  it("that are malformed are an error still", function()
    run("mkdir " .. root .. "/.aws")
    write("/.aws/config", "[profile a\n")
    local _, e = try { HOME = root }
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find(".aws/config, line 1: ", 1, true), e.message)
  end)

  it("lie in the home folder that the system knows, without HOME", function()
    run("mkdir " .. root .. "/.aws")
    write("/.aws/config", "[default]\nregion = eu-north-1\n")
    for _, home in ipairs { false, "", "~", ".", "relative/folder" } do
      local _, e, client = try({ HOME = home, AWS_REGION = false }, nil,
        { [""] = root })
      assert.is_nil(e)
      assert.equal("eu-north-1", client:identity().region)
    end
  end)

  it("never lie below a folder called ~", function()
    local seen = {}
    local function read(path)
      seen[#seen + 1] = path
      return nil, "absent", "ENOENT"
    end
    local function load(variables, homes)
      environment.set(variables, homes)
      seen = {}
      return assert(files.load(core.getenv, read))
    end
    local found = load {}
    assert.same({}, seen)
    assert.same({}, found.warnings)
    assert.truthy(files.no_profile(found, "prod"):find("there is no home",
      1, true))
    found = load({ AWS_CONFIG_FILE = "~/c", AWS_SHARED_CREDENTIALS_FILE =
      "~bob/d" })
    assert.same({}, seen)
    assert.equal(2, #found.warnings)
    assert.truthy(found.warnings[1]:find("AWS_CONFIG_FILE: ~/c cannot be", 1,
      true))
    load({ AWS_CONFIG_FILE = "~/c", AWS_SHARED_CREDENTIALS_FILE = "~bob/d" },
      { [""] = "/me", bob = "/home-of-bob" })
    assert.same({ "/me/c", "/home-of-bob/d" }, seen)
    load({ HOME = "/here", AWS_CONFIG_FILE = "~", AWS_SHARED_CREDENTIALS_FILE =
      "a~b" }, { [""] = "/me" })
    assert.same({ "/here", "a~b" }, seen)
  end)

  it("are read once more where somebody may just be writing them", function()
    local texts, pauses
    local function read()
      return table.remove(texts, 1)
    end
    local function pause(seconds)
      pauses = pauses + 1
      return seconds < 1
    end
    environment.set { HOME = "/h" }
    for _, first in ipairs { "", "[default", "[default]\nx" } do
      texts, pauses = { first, "[default]\nx=1\n", "[a]\ny=2\n" }, 0
      local found = files.load(core.getenv, read, pause)
      assert.same({ default = { x = "1" }, a = { y = "2" } }, found.profiles)
      assert.equal(1, pauses)
    end
    texts, pauses = { "", "", "[default", "[default" }, 0
    local found, failure = files.load(core.getenv, read, pause)
    assert.is_nil(found)
    assert.equal("/h/.aws/credentials, line 1: a section's name must end " ..
      "with ']'", failure.message)
    assert.equal(2, pauses)
    texts = { "" }
    found, failure = files.load(core.getenv, read, function() return false end)
    assert.is_nil(found)
    assert.equal("InterruptedError", failure.code)
  end)

  it("that cannot be read for want of something are an error", function()
    environment.set { HOME = "/h" }
    for code, words in pairs { EIO = "Input/output error",
      EMFILE = "Too many open files", ESTALE = "Stale file handle",
      [""] = "something else" } do
      local found, failure = files.load(core.getenv, function()
        return nil, words, code
      end)
      assert.is_nil(found)
      assert.equal("ConfigError", failure.code)
      assert.equal("/h/.aws/config cannot be read: " .. words, failure.message)
    end
  end)
end)

describe("a section that does not count is named where it is missing:",
  function()
    after_each(environment.restore)

    -- What a client says of its profile, with these files.
    local function fault(profile, config, credentials)
      environment.set { HOME = "/h", AWS_REGION = "eu-west-1" }
      local read = files.read
      files.read = function(path)
        local text = path:find "config$" and config or credentials
        return text, not text and "absent" or nil, not text and "ENOENT" or nil
      end
      local client = personalize.new { profile = profile,
        transport = function() error "nothing is to be sent" end }
      local ok, e = pcall(client.identity, client)
      files.read = read
      assert.is_false(ok)
      assert.equal("ConfigError", e.code)
      return e.message
    end

    local function names(message, ...)
      for _, words in ipairs { ... } do
        assert.truthy(message:find(words, 1, true), message)
      end
    end

    it("a profile", function()
      names(fault("My Corp", "[profile My Corp]\nregion = x\n"),
        "there is no profile My Corp in /h/.aws/config or /h/.aws/credentials",
        "/h/.aws/config, line 1: [profile My Corp] does not count; write " ..
          "[profile 'My Corp']")
      names(fault("My Corp", "", "\n[My Corp]\nx = y\n"),
        "/h/.aws/credentials, line 2: [My Corp] does not count; write " ..
          "['My Corp']")
      names(fault("prod", "[default]\n[prod]\n"),
        "/h/.aws/config, line 2: [prod] does not count; write [profile prod]")
      names(fault("prod", "[Profile prod]\n[profileprod]\n"), "line 1: ",
        "line 2: ")
      names(fault("prod", "", "[profile prod]\n"),
        "/h/.aws/credentials, line 1: [profile prod] does not count; write " ..
          "[prod]")
      names(fault("foo!bar", "[profile foo!bar]\n"),
        "write [profile 'foo!bar']")
      names(fault("Bob's", "[profile Bob's]\n"), "write [profile \"Bob's\"]")
    end)

    it("but no other", function()
      local message = fault("prod", "[staging]\n[profile in valid]\n",
        "[profile dev]\n")
      assert.is_nil(message:find("does not count", 1, true), message)
    end)

    it("a source profile", function()
      names(fault("a", "[profile a]\nrole_arn = r\nsource_profile = My Corp\n" ..
        "[profile My Corp]\n"), "source_profile of profile a",
        "line 4: [profile My Corp] does not count")
    end)

    it("a session", function()
      names(fault("a", "[profile a]\nsso_session = My Corp Ltd\n" ..
        "sso_account_id = 1\nsso_role_name = r\n[sso-session My Corp Ltd]\n"),
        "[sso-session My Corp Ltd] that does not exist",
        "line 5: [sso-session My Corp Ltd] does not count; write " ..
          "[sso-session 'My Corp Ltd']")
    end)

    it("services", function()
      names(fault("a", "[profile a]\nservices = my own\n[services my own]\n"),
        "there is no section [services my own]",
        "line 3: [services my own] does not count; write [services 'my own']")
    end)
  end)

it("a profile with spaces gives its keys, as the AWS CLI writes it", function()
  local client
  environment.set { HOME = "/h", AWS_PROFILE = "My Corp" }
  local read = files.read
  files.read = function(path)
    return path:find "config$" and "    [profile 'My Corp']\n    region = " ..
      "eu-west-1\n" or "    [My Corp]\n    aws_access_key_id = AKIDCORP\n" ..
      "    aws_secret_access_key = s3cret\n    # a note\n"
  end
  local authorization
  client = personalize.new { transport = function(request)
    for _, header in ipairs(request.headers) do
      authorization = header[1]:lower() == "authorization" and header[2] or
        authorization
    end
    return stub.response "{}"
  end }
  local ok, e = pcall(client.list_data_deletion_jobs, client)
  files.read = read
  environment.restore()
  assert(ok, e)
  assert.truthy(authorization:find("AKIDCORP/%d+/eu%-west%-1/"))
end)

describe("home", function()
  it("is known of users that there are", function()
    assert.equal(run("getent passwd root | cut -d: -f6 | tr -d '\\n'"),
      core.home "root")
    local own = run "getent passwd $(id -ru) | cut -d: -f6 | tr -d '\\n'"
    assert.equal(own ~= "" and own or nil, core.home())
    assert.is_nil(core.home "no such user")
    assert.is_nil(core.home(""))
    assert.is_false(pcall(core.home, "a\0b"))
    assert.is_false(pcall(core.home, {}))
  end)
end)
