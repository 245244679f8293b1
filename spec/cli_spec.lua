--- The command: what it takes, what it says where, and how it ends.

local Error = require "personalize.error"
local cjson = require "cjson"
local people = require "spec.support.people"
local script = require "spec.support.script"

local run = people.run

local COMMANDS = { "delete-users", "check-list", "verify-receipt", "create",
  "describe", "list", "wait", "identity", "completion" }

local function raise(fields)
  return function() Error.raise(fields) end
end

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

local function lacks(text, part)
  assert.is_nil(text:find(part, 1, true), text)
end

describe("the command's usage", function()
  local world
  before_each(function() world = people.world() end)

  it("is told for each command, on standard output", function()
    local status, out, err = run(world, "--help")
    assert.equal(0, status)
    assert.equal("", err)
    for _, name in ipairs(COMMANDS) do
      has(out, "\n   " .. name)
      local its_status, its_out, its_err = run(world, name, "--help")
      assert.equal(0, its_status)
      assert.equal("", its_err)
      has(its_out, "Usage: personalize " .. name)
      for line in its_out:gmatch "[^\n]+" do
        assert.is_true(#line <= 79, line)
      end
    end
    for _, code in ipairs { 0, 1, 3, 4, 129, 130, 141, 143, 252, 253, 254, 255 }
    do
      has(out, "\n  " .. code .. " ")
    end
  end)

  it("has a version", function()
    local status, out = run(world, "--version")
    assert.equal(0, status)
    assert.equal("personalize " .. require "personalize.version" .. "\n", out)
  end)

  it("that is wrong is 252, on standard error", function()
    for words, part in pairs {
      ["nothing at all"] = "unknown command 'nothing'",
      ["delet-users"] = "Did you mean 'delete-users'?",
      [""] = "a command is required",
      ["describe"] = "missing argument 'arn'",
      ["create --nmae x"] = "Did you mean '--name'?",
      ["list --json=1"] = "does not take arguments",
      ["create --tag x"] = "KEY=VALUE",
      ["check-list u.csv --format xml"] = "must be one of 'csv', 'lines'",
      ["check-list u.csv --part-size 1e9"] = "not a whole number",
      ["wait x --max-wait soon"] = "not a number of seconds",
      ["wait x --max-wait nan"] = "not a number of seconds",
      ["delete-users u.csv"] = "missing option '--dataset-group'",
      ["completion tcsh"] = "must be one of",
    } do
      local given = {}
      for word in words:gmatch "%S+" do
        given[#given + 1] = word
      end
      local status, out, err = run(world, (unpack or table.unpack)(given))
      assert.equal(252, status, words)
      assert.equal("", out)
      has(err, "personalize: error: ")
      has(err, part)
      has(err, "--help'.")
    end
    assert.same({}, world.given)
  end)

  it("needs argparse, and says so", function()
    local argparse = package.loaded.argparse
    package.loaded.argparse = nil
    package.preload.argparse = function() error "none" end
    local status, _, err = run(world, "--help")
    package.loaded.argparse, package.preload.argparse = argparse, nil
    assert.equal(253, status)
    has(err, "luarocks install argparse")
  end)

  it("is completed by shells", function()
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      local status, out = run(world, "completion", shell)
      assert.equal(0, status)
      has(out, "delete-users")
      has(out, "expected-bucket-owner")
    end
    script.with_file(select(2, run(world, "completion", "bash")),
      function(name)
        assert.is_true(({ os.execute("bash -n " .. name) })[1] ~= nil)
      end)
  end)

  it("leads to a client's options", function()
    world.client = { identity = function()
      return { region = "r", profile = "p", source = "s",
        access_key_id = "MPLE", endpoint = "e" }
    end }
    run(world, "--region", "eu-west-1", "identity", "--profile", "prod",
      "--endpoint-url", "https://e", "--ca-bundle", "ca.pem")
    local given = world.given[1]
    assert.equal("eu-west-1", given.region)
    assert.equal("prod", given.profile)
    assert.equal("https://e", given.endpoint)
    assert.equal("ca.pem", given.ca_bundle)
  end)
end)

local GROUP = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local DELETE = { "delete-users", "users.csv", "--dataset-group", GROUP,
  "--bucket", "b", "--role", "arn:role", "--name", "run" }

describe("delete-users", function()
  local world, given

  local RECEIPT = { version = 1, name = "run", status = "COMPLETED",
    users = 1234567, duplicates = 1, bytes = 2e6,
    parts = { { part = 1, users = 1234567, bytes = 2e6, sha256 = "abc",
      location = "s3://b/run/1.csv" } },
    jobs = { { part = 1, job_name = "run-1", arn = "arn:job",
      status = "COMPLETED", num_deleted = 7 } },
    remaining = { "Create a new solution version." } }

  before_each(function()
    world = people.world()
    world.files["users.csv"] = "USER_ID\na\n"
    world.client = { delete_users = function(_, options)
      given = options
      return RECEIPT
    end }
  end)

  local function delete(...)
    local words = {}
    for i, word in ipairs(DELETE) do
      words[i] = word
    end
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    return run(world, (unpack or table.unpack)(words))
  end

  local function fails(fields, ...)
    world.client.delete_users = raise(fields)
    return delete(...)
  end

  it("hands on what it is given", function()
    assert.equal(0, (delete("--dataset-group", "arn:2", "--prefix", "p",
      "--expected-bucket-owner", "1", "--tag", "k=v=w", "--tag", "l=",
      "--ticket", "t", "--requester", "q", "--unique", "--format", "lines",
      "--column", "c", "--part-size", "99", "--wait", "--max-wait", "1.5",
      "--poll", "2", "--dry-run", "--cleanup")))
    given.on_progress = nil
    assert.same({ file = "users.csv", datasetGroupArn = { GROUP, "arn:2" },
      bucket = "b", prefix = "p", expected_bucket_owner = "1",
      roleArn = "arn:role", name = "run", ticket = "t", requester = "q",
      tags = { { tagKey = "k", tagValue = "v=w" },
        { tagKey = "l", tagValue = "" } }, unique = true, format = "lines",
      column = "c", part_size = 99, wait = true, max_wait = 1.5, poll = 2,
      dry_run = true, cleanup = true }, given)
  end)

  it("waits only with --wait", function()
    delete()
    assert.is_false(given.wait)
    assert.is_nil(given.dry_run)
    assert.is_nil(given.unique)
    assert.is_nil(given.tags)
  end)

  it("prints a receipt for people", function()
    local status, out, err = delete()
    assert.equal(0, status)
    assert.equal("", err)
    for _, part in ipairs { "COMPLETED", "1,234,567 (1 duplicate dropped)",
      "SHA-256 abc", "s3://b/run/1.csv", "arn:job", "7 records deleted",
      "Create a new solution version." } do
      has(out, part)
    end
  end)

  it("prints JSON, and nothing but, with --json", function()
    world.client.delete_users = function(_, options)
      options.on_progress { phase = "check", bytes = 1, total_bytes = 2 }
      return RECEIPT
    end
    local status, out, err = delete "--json"
    assert.equal(0, status)
    assert.same(RECEIPT, cjson.decode(out))
    has(out, '{\n  "version": 1,\n  "name": "run",\n  "users": 1234567')
    has(err, "check: ")
  end)

  it("writes the receipt to a file", function()
    assert.equal(0, (delete("--receipt", "r.json")))
    assert.same(RECEIPT, cjson.decode(world.written["r.json"]))
  end)

  it("reads the list from standard input, in blocks", function()
    world.blocks = { "USER_ID\n", "a\n" }
    local read = {}
    world.client.delete_users = function(_, options)
      assert.is_nil(options.file)
      for block in function() return options.text:read(1000) end do
        read[#read + 1] = block
      end
      return RECEIPT
    end
    assert.equal(0, (run(world, "delete-users", "-", "--dataset-group",
      GROUP, "--bucket", "b", "--role", "r", "--name", "n")))
    assert.same({ "USER_ID\n", "a\n" }, read)
  end)

  it("sees a missing list and an unwritable receipt before anything",
    function()
      world.wrong = "Permission denied"
      local status, out, err = delete("--receipt", "no/r.json")
      assert.equal(252, status)
      assert.equal("", out)
      has(err, "no/r.json: Permission denied")
      world.wrong, world.files["users.csv"] = nil, nil
      status, out, err = delete()
      assert.equal(252, status)
      assert.equal("", out)
      has(err, "users.csv: No such file or directory")
      assert.same({}, world.given)
    end)

  it("has a status for each kind of error", function()
    for code, status in pairs {
      UserListError = 3, DataDeletionJobFailed = 1, WaitTimeoutError = 4,
      InterruptedError = 130, ParamValidationError = 252, ConfigError = 253,
      NoRegionError = 253, NoCredentialsError = 253, CredentialsError = 253,
    } do
      local got, out, err = fails { code = code, kind = "client",
        message = "why" }
      assert.equal(status, got, code)
      assert.equal("", out)
      has(err, "personalize: error: " .. code .. ": why")
    end
    for _, code in ipairs { "ConnectionError", "TimeoutError", "TlsError" } do
      assert.equal(255, (fails { code = code, kind = "transport",
        message = "why" }))
    end
    assert.equal(254, (fails { code = "AccessDeniedException",
      kind = "service", message = "why" }))
  end)

  it("puts no receipt in the place of the list", function()
    local status, _, err = delete("--receipt", "users.csv")
    assert.equal(252, status)
    has(err, "the place of users.csv")
    assert.same({}, world.given)
  end)

  it("says how to go on", function()
    for _, code in ipairs { "WaitTimeoutError", "InterruptedError" } do
      local _, _, err = fails { code = code, kind = "client",
        message = "why" }
      has(err, "run the same command again to go on")
    end
  end)

  it("does not send a create again", function()
    world.client.create_data_deletion_job = raise { code = "InterruptedError",
      kind = "client", message = "why", unclear = true }
    local status, _, err = run(world, "create", "--name", "n",
      "--dataset-group", GROUP, "--location", "s3://b/k", "--role", "r")
    assert.equal(130, status)
    lacks(err, "again")
  end)

  it("takes an interpreter's own interrupt for one", function()
    world.client.delete_users = function()
      error("x.lua:5: interrupted!", 0)
    end
    local status, _, err = delete()
    assert.equal(130, status)
    has(err, "run the same command again to go on")
  end)

  it("shows anything else as what it is", function()
    world.client.delete_users = function() error("a bug", 0) end
    local status, out, err = delete()
    assert.equal(255, status)
    assert.equal("", out)
    has(err, "a bug")
  end)

  it("hands over the receipt of a run that failed", function()
    local status, out, err = fails({ code = "DataDeletionJobFailed",
      kind = "client", message = "no access", receipt = RECEIPT },
      "--receipt", "r.json", "--json")
    assert.equal(1, status)
    assert.same(RECEIPT, cjson.decode(world.written["r.json"]))
    assert.same(RECEIPT, cjson.decode(out))
    has(err, "r.json")
    has(err, "remaining: Create a new solution version.")
    has(err, "no access")
  end)

  it("never loses a receipt that cannot be written", function()
    world.full = "No space left on device"
    local status, out, err = delete("--receipt", "r.json")
    assert.equal(255, status)
    has(out, "arn:job")
    has(err, "r.json: No space left on device")
    -- A failure of the run is what counts.
    status = fails({ code = "WaitTimeoutError", kind = "client",
      message = "why", receipt = RECEIPT }, "--receipt", "r.json")
    assert.equal(4, status)
  end)

  it("shows the faults of a list, the first ones", function()
    local params = {}
    for i = 1, 25 do
      params[i] = { code = i == 1 and "nul" or "length", line = i + 1,
        column = 1, message = "is wrong" }
    end
    local status, _, err = fails { code = "UserListError", kind = "client",
      message = "25 faults", params = params }
    assert.equal(3, status)
    has(err, "\nusers.csv:2:1: is wrong\n")
    has(err, "users.csv:21:1: ")
    lacks(err, "users.csv:22:1: ")
    has(err, "... 25 faults in all: length 24, nul 1")
    status, _, err = fails { code = "UserListError", kind = "client",
      message = "one", params = { params[1] } }
    assert.equal(3, status)
    lacks(err, "in all")
  end)

  it("says warnings on standard error, and nothing with --quiet", function()
    local function noisy(_, options)
      world.given[#world.given].on_event { name = "warning",
        message = "a file is ignored" }
      world.given[#world.given].on_event { name = "attempt" }
      options.on_progress { phase = "check", bytes = 1, users = 1 }
      return RECEIPT
    end
    world.client.delete_users = noisy
    local _, _, err = delete()
    has(err, "personalize: warning: a file is ignored\n")
    local status, out
    status, out, err = delete "--quiet"
    assert.equal(0, status)
    assert.equal("", err)
    has(out, "COMPLETED")
    status, _, err = fails({ code = "ConfigError", kind = "client",
      message = "why" }, "-q")
    assert.equal(253, status)
    has(err, "why")
  end)

  it("is coloured on a terminal only, and not with NO_COLOR", function()
    local fields = { code = "ConfigError", kind = "client", message = "why" }
    world.width = 80
    has(select(3, fails(fields)), "\27[31merror: \27[0m")
    for variable, value in pairs { NO_COLOR = "1", TERM = "dumb" } do
      world.variables = { [variable] = value }
      lacks(select(3, fails(fields)), "\27")
    end
    world.variables, world.width = {}, nil
    lacks(select(3, fails(fields)), "\27")
  end)

  it("sleeps in slices in which time is seen to pass", function()
    world.width = 80
    world.client.delete_users = function(_, options)
      options.on_progress { phase = "wait", jobs = 2, jobs_done = 1 }
      assert.is_true(world.given[1].sleep(30))
      assert.equal(1030, world.time)
      world.is_interrupted = true
      assert.is_false(world.given[1].sleep(30))
      return RECEIPT
    end
    local _, _, err = delete()
    has(err, "1/2 jobs  0:15\r")
  end)
end)

describe("check-list and verify-receipt", function()
  local world
  before_each(function()
    world = people.world()
    world.files["users.csv"], world.files["r.json"] = "x", '{"version":1}'
  end)

  it("show what a list holds", function()
    local given
    world.personalize.check_users = function(options)
      given = options
      return { users = 1200, duplicates = 3, bytes = 9000,
        parts = { { users = 1200, bytes = 9000, sha256 = "abc" } },
        faults = {}, fault_count = 0, fault_counts = {} }
    end
    local status, out = run(world, "check-list", "users.csv", "--unique")
    assert.equal(0, status)
    assert.equal("users.csv", given.file)
    assert.is_true(given.unique)
    has(out, "1,200")
    has(out, "abc")
    status, out = run(world, "check-list", "users.csv", "--json")
    assert.equal(0, status)
    assert.equal(1200, cjson.decode(out).users)
    has(out, '"fault_counts": {}')
    has(out, '"faults": []')
    world.personalize.check_users = raise { code = "UserListError",
      kind = "client", message = "no header", params = { { code = "header",
      line = 1, column = 1, message = "is not USER_ID" } } }
    local err = select(3, run(world, "check-list", "-"))
    assert.equal(3, (run(world, "check-list", "-")))
    has(err, "(standard input):1:1: is not USER_ID")
  end)

  it("tell whose receipt it is", function()
    local given
    world.personalize.verify_receipt = function(receipt, options)
      given = { receipt, options.file }
      return true
    end
    local status, out = run(world, "verify-receipt", "r.json", "users.csv")
    assert.equal(0, status)
    assert.same({ { version = 1 }, "users.csv" }, given)
    has(out, "r.json is the receipt of users.csv")
    world.personalize.verify_receipt = function()
      return false, "part 2 has another hash"
    end
    status, out = run(world, "verify-receipt", "r.json", "users.csv")
    assert.equal(1, status)
    has(out, "part 2 has another hash")
    world.files["bad.json"] = "{"
    assert.equal(252, (run(world, "verify-receipt", "bad.json", "users.csv")))
    assert.equal(252, (run(world, "verify-receipt", "none", "users.csv")))
    assert.equal(252, (run(world, "verify-receipt", "r.json", "none")))
  end)
end)

describe("wait", function()
  it("tells which jobs FAILED, after all have ended", function()
    local world = people.world()
    local waits = {}
    world.client = { wait_for_data_deletion_job = function(_, arn, options)
      waits[#waits + 1] = { arn, options.max_wait, options.delay }
      options.on_status("PENDING", {})
      world.time = world.time + 40
      if arn == "a" then
        Error.raise { code = "DataDeletionJobFailed", kind = "client",
          message = "no access", job = { jobName = arn, status = "FAILED" } }
      end
      return { jobName = arn, status = "COMPLETED" }
    end }
    world.blocks = { "a\n\n b", "b\n" }
    local status, out, err = run(world, "wait", "-", "c", "--json",
      "--max-wait", "100", "--poll", "3")
    assert.equal(1, status)
    assert.same({ { "a", 100, 3 }, { "bb", 60, 3 }, { "c", 20, 3 } }, waits)
    local statuses = {}
    for line in out:gmatch "[^\n]+" do
      statuses[#statuses + 1] = cjson.decode(line).status
    end
    assert.same({ "FAILED", "COMPLETED", "COMPLETED" }, statuses)
    has(err, "no access")

    world.client.wait_for_data_deletion_job = raise {
      code = "WaitTimeoutError", kind = "client", message = "not ended" }
    assert.equal(4, (run(world, "wait", "a", "b")))
  end)
end)
