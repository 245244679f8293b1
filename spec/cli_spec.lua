--- The command: what it takes, what it says where, and how it ends.

local Error = require "personalize.error"
local cjson = require "cjson"
local environment = require "spec.support.environment"
local people = require "spec.support.people"
local real = require "personalize"

local run = people.run

local COMMANDS = { "delete-users", "check-list", "verify-receipt",
  "check-absent", "create",
  "describe", "list", "wait", "identity", "completion", "help" }

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
      ["describe"] = "error: JOB is missing\n",
      ["create --nmae x"] = "Did you mean '--name'?",
      ["list --json=1"] = "does not take arguments",
      ["create --tag x"] = "KEY=VALUE",
      ["check-list u.csv --format xml"] = "must be one of 'csv', 'lines'",
      ["check-list u.csv --part-size 1e9"] = "--part-size must be a whole number",
      ["wait x --max-wait soon"] = "--max-wait must be a number of seconds",
      ["wait x --max-wait nan"] = "--max-wait must be a number of seconds",
      ["completion tcsh"] = "SHELL must be one of",
      ["completion"] = "SHELL is missing",
      ["help me"] = "there is no command 'me'",
      ["list --dataset-group shop"] = "--dataset-group is no ARN of a dataset",
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

  it("leads to a client's options", function()
    world.client = { identity = function()
      return { region = "r", profile = "p", source = "s",
        access_key_id = "MPLE", endpoint = "e" }
    end }
    world.files["ca.pem"] = "x"
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
local ROLE = "arn:aws:iam::123456789012:role/PersonalizeS3"
local DELETE = { "delete-users", "users.csv", "--dataset-group", GROUP,
  "--bucket", "erasure", "--role", ROLE, "--name", "run" }

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
    assert.equal(0, (delete("--dataset-group", GROUP .. "2", "--prefix", "p",
      "--expected-bucket-owner", "123456789012", "--tag", "k=v=w", "--tag", "l=",
      "--ticket", "t", "--requester", "q", "--unique", "--format", "csv",
      "--column", "c", "--part-size", "9999", "--wait", "--max-wait", "1.5",
      "--poll", "2", "--dry-run", "--cleanup")))
    given.on_progress = nil
    assert.same({ file = "users.csv", datasetGroupArn = { GROUP, GROUP .. "2" },
      bucket = "erasure", prefix = "p", expected_bucket_owner = "123456789012",
      roleArn = ROLE, name = "run", ticket = "t", requester = "q",
      tags = { { tagKey = "k", tagValue = "v=w" },
        { tagKey = "l", tagValue = "" } }, unique = true, format = "csv",
      column = "c", part_size = 9999, wait = true, max_wait = 1.5, poll = 2,
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
      GROUP, "--bucket", "erasure", "--role", ROLE, "--name", "n")))
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
      has(err, "personalize: error: " .. (code == "ParamValidationError" and
        "why" or code .. ": why"))
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
      "--dataset-group", GROUP, "--location", "s3://erasure/k",
      "--role", ROLE)
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

  it("takes no more columns than there are, and fewer where COLUMNS says so",
    function()
      world.client.delete_users = function(_, options)
        options.on_progress { phase = "check", bytes = 1, total_bytes = 2 }
        return RECEIPT
      end
      local function width(columns, wanted)
        world.width, world.variables.COLUMNS = columns, wanted
        local _, _, err = delete()
        return #err:match "\27%[K([^\r\n]+)"
      end
      local wide, narrow = width(80), width(30)
      assert.is_true(narrow < wide)
      for _, wanted in ipairs { "0", "", "-5", "1e2", "0x50", "80x", " 80",
        "9999", "80" } do
        assert.equal(wide, width(80, wanted), wanted)
        assert.equal(narrow, width(30, wanted), wanted)
      end
      assert.equal(narrow, width(80, "30"))
      assert.equal(narrow, width(80, "030"))
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

  it("are JSON with --json, also where something is wrong", function()
    world.personalize.check_users = raise { code = "UserListError",
      kind = "client", message = "no header", fault_counts = { header = 1 },
      params = { { path = "line 1", code = "header", line = 1, column = 1,
        message = "is not USER_ID" } } }
    local status, out, err = run(world, "check-list", "-", "--json")
    assert.equal(3, status)
    assert.same({ message = "no header", fault_counts = { header = 1 },
      faults = { { path = "line 1", code = "header", line = 1, column = 1,
        message = "is not USER_ID" } } }, cjson.decode(out))
    has(err, "(standard input):1:1: is not USER_ID")
    world.files["r.json"] = '{"version":1,"status":"COMPLETED"}'
    local is_same, why = true, nil
    world.personalize.verify_receipt = function()
      return is_same, why
    end
    status, out = run(world, "verify-receipt", "r.json", "users.csv", "--json")
    assert.equal(0, status)
    assert.same({ verified = true, receipt = "r.json", list = "users.csv",
      status = "COMPLETED" }, cjson.decode(out))
    is_same, why = false, "part 2 has another hash"
    status, out = run(world, "verify-receipt", "r.json", "-", "--json")
    assert.equal(1, status)
    assert.same({ verified = false, reason = why, receipt = "r.json",
      list = "(standard input)", status = "COMPLETED" }, cjson.decode(out))
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

describe("describe and wait", function()
  local JOB = GROUP:gsub("dataset%-group/shop", "data-deletion-job/")
  local world, waits

  before_each(function()
    world, waits = people.world(), {}
    world.client = {
      wait_for_data_deletion_job = function(_, arn, options)
        waits[#waits + 1] = { arn, options.max_wait, options.delay }
        -- Those before it are out by now: nothing is kept back.
        assert.equal(#waits > 1, #world.outs > 0)
        options.on_status("PENDING", {})
        world.time = world.time + 40
        local name = arn:match "[^/]*$"
        if name == "a" then
          Error.raise { code = "DataDeletionJobFailed", kind = "client",
            message = "no access", job = { jobName = name, status = "FAILED" } }
        end
        return { jobName = name, status = "COMPLETED" }
      end,
      data_deletion_jobs = function()
        local jobs = { { jobName = "b", dataDeletionJobArn = JOB .. "b" },
          { jobName = "twice", dataDeletionJobArn = JOB .. "twice" },
          { jobName = "a", dataDeletionJobArn = JOB .. "a" },
          { jobName = "twice", dataDeletionJobArn = JOB .. "other" } }
        return function() return table.remove(jobs, 1) end
      end,
    }
  end)

  it("tell which jobs FAILED, after all have ended", function()
    world.blocks = { JOB .. "a\n\n " .. JOB .. "b", "b\n" }
    local status, out, err = run(world, "wait", "-", JOB .. "c", "--json",
      "--max-wait", "100", "--poll", "3")
    assert.equal(1, status)
    assert.same({ { JOB .. "a", 100, 3 }, { JOB .. "bb", 60, 3 },
      { JOB .. "c", 20, 3 } }, waits)
    local statuses = {}
    for line in out:gmatch "[^\n]+" do
      statuses[#statuses + 1] = cjson.decode(line).status
    end
    assert.same({ "FAILED", "COMPLETED", "COMPLETED" }, statuses)
    has(err, "no access")

    world.client.wait_for_data_deletion_job = raise {
      code = "WaitTimeoutError", kind = "client", message = "not ended" }
    assert.equal(4, (run(world, "wait", JOB .. "a", JOB .. "b")))
  end)

  it("find jobs by their names", function()
    assert.equal(0, (run(world, "wait", "b", JOB .. "c")))
    assert.equal(JOB .. "b", waits[1][1])
    assert.equal(JOB .. "c", waits[2][1])
    for words, part in pairs {
      ["none b nobody"] = "there is no job none in this account and region\n" ..
        "there is no job nobody in",
      twice = "2 jobs are called twice: give an ARN, " .. JOB .. "twice or " ..
        JOB .. "other",
      ["x y-"] = "there is no job x",
    } do
      local given = {}
      for word in words:gmatch "%S+" do
        given[#given + 1] = word
      end
      for _, command in ipairs { "describe", "wait" } do
        local status, out, err = run(world, command,
          (unpack or table.unpack)(given))
        assert.equal(252, status)
        assert.equal("", out)
        has(err, part)
      end
    end
  end)

  it("ask nobody about what can be no job", function()
    world.client.data_deletion_jobs = function() error "asked" end
    for word, part in pairs { [GROUP] = "is no ARN of a data deletion job",
      ["arn:x"] = "is no ARN of a data deletion job", ["a b"] = "neither",
      ["a\27[31m"] = "neither", [("a"):rep(64)] = "neither" } do
      local status, _, err = run(world, "wait", "good", word)
      assert.equal(252, status)
      has(err, "job 2 of 2 ")
      has(err, part)
      lacks(err, "\27")
    end
    world.variables.AWS_REGION = "us-east-1"
    local _, _, err = run(world, "describe", JOB .. "a")
    has(err, "is in the region eu-west-1, but the region in use is us-east-1")
  end)
end)

describe("the command's faults", function()
  local world
  before_each(function()
    world = people.world()
    world.personalize.new = function() error "a client is made" end
  end)

  local function lines(...)
    local status, out, err = run(world, ...)
    assert.equal(252, status, err)
    assert.equal("", out)
    lacks(err, "Arn")
    lacks(err, "attempt")
    lacks(err, "^")
    local found = {}
    for line in err:gmatch "[^\n]+" do
      found[#found + 1] = line ~= "nothing was sent" and
        line:match "^%s*(.-)$" or nil
    end
    return found
  end

  it("are told all at once, with examples", function()
    assert.same({ "personalize: error: 5 faults:", "LIST is missing",
      "--dataset-group is missing, such as --dataset-group " .. GROUP,
      "--bucket is missing, such as --bucket erasure",
      "--role is missing, such as --role " .. ROLE,
      "--name is missing, such as --name gdpr-2026-11-24",
      "Try 'personalize delete-users --help'." }, lines "delete-users")
    assert.same({ "personalize: error: 4 faults:",
      "--name is missing, such as --name gdpr-2026-11-24",
      "--dataset-group is missing, such as --dataset-group " .. GROUP,
      "--location is missing, such as --location " ..
      "s3://erasure/2026-11-24/users.csv",
      "--role is missing, such as --role " .. ROLE,
      "Try 'personalize create --help'." }, lines "create")
  end)

  it("are those of words, of values, and of files", function()
    world.wrong = "Permission denied"
    local found = table.concat(lines("delete-users", "none.csv", "--role",
      "PersonalizeS3", "--bucket", "s3://erasure", "--name", "a b",
      "--dataset-group", GROUP, "--dataset-group", "shop", "--poll", "soon",
      "--part-size", "1", "--tag", "a=b", "--tag", "\1=x", "--tag", "x",
      "--receipt", "r.json", "--expected-bucket-owner", "1",
      "--format", "xml"), "\n")
    for _, part in ipairs { "--role is no ARN of an IAM role, such as " .. ROLE,
      "--bucket must be the bucket's name alone, such as erasure",
      "--name must have 1-46 letters",
      "--dataset-group number 2 is no ARN of a dataset group, such as " .. GROUP,
      "--poll must be a number of seconds", "--part-size must be a whole number",
      "--tag is written KEY=VALUE", "r.json: Permission denied",
      "--expected-bucket-owner must be an account: 12 digits",
      "--format must be one of 'csv', 'lines'",
      "none.csv: No such file or directory" } do
      has(found, part)
    end
    has(lines("create", "--name", "-", "--dataset-group", GROUP, "--location",
      "erasure/users.csv", "--role", (ROLE:gsub("1234", "4321")))[2],
      "--role is of the account 432156789012, but the dataset group is of")
  end)

  it("are those of a region, as far as it is known", function()
    local function of(...)
      return lines("create", "--name", "n", "--dataset-group", GROUP,
        "--location", "s3://erasure/u.csv", "--role", ROLE, ...)[1]
    end
    local part = "--dataset-group is in the region eu-west-1, but the region " ..
      "in use is us-east-1"
    has(of("--region", "us-east-1"), part)
    world.variables.AWS_REGION = "us-east-1"
    has(of(), part)
  end)

  it("are those of a client's options", function()
    world.personalize.new = real.new
    for words, part in pairs {
      ["--region a_b"] = "--region must be 1 to 63",
      ["--region r --endpoint-url x"] = "--endpoint-url must be http",
      [""] = "no region: give --region, set AWS_REGION",
    } do
      local given = { "list" }
      for word in words:gmatch "%S+" do
        given[#given + 1] = word
      end
      environment.set { HOME = "/dev/null" }
      local status, out, err = run(world, (unpack or table.unpack)(given))
      environment.restore()
      assert.equal(253, status, err)
      assert.equal("", out)
      has(err, part)
    end
    local found = lines("list", "--ca-bundle", "none.pem")
    has(found[1], "--ca-bundle cannot be read: none.pem: No such file")
  end)

  it("are told in its words where the service's model found them", function()
    local client = real.new { region = "eu-west-1", transport = function()
      error "nobody is to be asked"
    end, credentials = { access_key_id = "A", secret_access_key = "S" } }
    world.personalize.new = function() return client end
    assert.same({ "personalize: error: 2 faults:",
      "--name must have 1-63 letters, digits, - and _, the first a letter or " ..
      "digit", "--tag number 2 has other characters than letters, digits, " ..
      "spaces and _.:/=+-@" }, lines("create", "--name", "n b",
      "--dataset-group", GROUP, "--location", "s3://erasure/u.csv", "--role",
      ROLE, "--tag", "a=b", "--tag", "c=\1"))
  end)
end)

describe("help", function()
  it("is asked for in many ways", function()
    local world = people.world()
    local _, all = run(world, "--help")
    local _, its = run(world, "check-list", "--help")
    for _, words in ipairs { { "help" }, { "-h" }, { "help", "--quiet" } } do
      local status, out = run(world, (unpack or table.unpack)(words))
      assert.equal(0, status)
      assert.equal(all, out)
    end
    for _, words in ipairs { { "help", "check-list" }, { "check-list", "-h" },
      { "--region", "x", "check-list", "u.csv", "--help" } } do
      local status, out = run(world, (unpack or table.unpack)(words))
      assert.equal(0, status)
      assert.equal(its, out)
    end
  end)
end)
