--- What is wrong with a list, a bucket or a name, and how delete_users says it:
-- against the local AWS, with real files. Nothing half sent is left
-- unexplained.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local personalize = require "personalize"

describe("delete_users", function()
  local server, folder

  setup(function()
    server = aws.start "--tls --job-seconds 0.1"
    local pipe = io.popen "mktemp -d"
    folder = pipe:read "*l"
    pipe:close()
  end)
  teardown(function()
    server:stop()
    os.execute("chmod -R u+rwx " .. child.quote(folder) .. "; rm -r " ..
      child.quote(folder))
  end)
  before_each(function()
    server:reset()
  end)

  local function write(name, text)
    local path = folder .. "/" .. name
    local file = assert(io.open(path, "wb"))
    assert(file:write(text))
    file:close()
    return path
  end

  local function options(more)
    local found = { bucket = server.bucket, name = "night", poll = 0.05,
      datasetGroupArn = server.dataset_group_arn, roleArn = server.role_arn }
    for name, value in pairs(more) do
      found[name] = value
    end
    return found
  end

  local function refused(more, client_options)
    local client = server:client(client_options)
    local ok, e = pcall(client.delete_users, client, options(more))
    client:close()
    assert.is_false(ok, "it went well")
    assert.is_true(personalize.is_error(e), tostring(e))
    return e
  end

  -- Nothing but looking may have happened.
  local function assert_nothing_sent()
    assert.same({}, server:admin("GET", "jobs").jobs)
    assert.same({}, server:admin("GET", "objects").objects)
  end

  describe("with options that", function()
    local client

    local function wrong(name, more, word)
      it(name, function()
        local given = { users = { "a" } }
        for option, value in pairs(more) do
          given[option] = value
        end
        local all = options(given)
        for option, value in pairs(more) do
          if value == "absent" then
            all[option] = nil
          end
        end
        local ok, e = pcall(client.delete_users,
          client, all)
        assert.is_false(ok)
        assert.equal("ParamValidationError", e.code)
        assert.truthy(tostring(e):find(word, 1, true), tostring(e))
        assert.equal(0, server:requests().count)
      end)
    end
    setup(function() client = server:client() end)
    teardown(function() client:close() end)

    wrong("are none", { buckett = "x" }, "did you mean bucket?")
    wrong("are missing", { name = "absent", bucket = "absent" }, "missing")
    wrong("are of another type", { wait = 1 }, "wait must be true or false")
    wrong("make too long a name", { name = ("x"):rep(47) }, "46")
    wrong("make no name", { name = "a b" }, "name")
    wrong("give no list", { users = "absent" }, "users")
    wrong("give two lists", { file = "also" }, "users")
    wrong("make parts too small", { part_size = 10 }, "part_size")
    wrong("name a group twice", { datasetGroupArn = { "x", "x" } }, "twice")
    wrong("name no group", { datasetGroupArn = {} }, "datasetGroupArn")
    wrong("have no ARN for a group", { datasetGroupArn = "shop" },
      "datasetGroupArn")
    wrong("have no ARN for the role", { roleArn = "Personalize" }, "roleArn")
    wrong("have a tag that cannot be", { tags = { ["bad*"] = "x" } }, "tag")
    wrong("make too long a location", { prefix = ("x"):rep(300) }, "prefix")
  end)

  -- Each gives something before it fails, which must not be sent.
  describe("with a list that breaks off", function()
    local function breaking(first, fail)
      local count = 0
      return function()
        count = count + 1
        if count > 3 then
          return fail()
        end
        return first:format(count)
      end
    end
    local WAYS = {
      raises = function() error("connection lost", 0) end,
      ["returns nil and a reason"] = function() return nil, "connection lost" end,
      ["returns false and a reason"] = function()
        return false, "connection lost"
      end,
    }
    for how, fail in pairs(WAYS) do
      it("as its source " .. how .. ", says why", function()
        for _, given in ipairs {
          { users = breaking("user-%d", fail) },
          { text = breaking("user-%d\n", fail), format = "lines" },
          { text = { read = breaking("user-%d\n", fail) }, format = "lines" },
        } do
          local e = refused(given)
          assert.equal("UserListError", e.code)
          assert.truthy(e.message:find("connection lost", 1, true), e.message)
          assert.equal("connection lost", e.cause)
          assert_nothing_sent()
        end
      end)
    end

    it("as a file of Lua's cannot be read, says why", function()
      local file = assert(io.open(folder))
      local e = refused { text = file, format = "lines" }
      file:close()
      assert.equal("UserListError", e.code)
      assert.truthy(e.message:find("Is a directory", 1, true), e.message)
      assert_nothing_sent()
    end)
  end)

  it("with lines that have lost their ends makes no id of them", function()
    local path = write("list.txt", "alice\nbob\ncarol\n")
    for _, given in ipairs {
      { text = io.lines(path), format = "lines" },
      { text = io.lines(path) },
      { text = ("alice bob"):gmatch "%S+", format = "lines" },
      { text = io.lines(write("list.csv", "USER_ID\nalice\n")) },
    } do
      local e = refused(given)
      assert.equal("UserListError", e.code)
      assert.truthy(e.message:find("lines need their ends", 1, true), e.message)
      assert_nothing_sent()
    end
  end)

  -- What is left of a line's end or a file's beginning is no part of an id.
  it("with what does not belong to an id at its ends, refuses it", function()
    local BOM = "\239\187\191"
    for code, ids in pairs {
      line_end = { "alice\r", "alice\n", "alice\r\n", "\ralice", "\nalice", "\r" },
      bom = { BOM .. "alice", "alice" .. BOM, BOM },
    } do
      for _, id in ipairs(ids) do
        local ways = {
          { users = { "first", id } },
          { text = ('USER_ID\nfirst\n"%s"\n'):format(id) },
          { text = ('n,USER_ID\n1,first\n2,"%s"\n'):format(id),
            column = "USER_ID" },
        }
        if code == "bom" then
          ways[#ways + 1] = { text = "first\n" .. id .. "\n", format = "lines" }
          ways[#ways + 1] = { text = "USER_ID\nfirst\n" .. id .. "\n" }
        end
        for _, given in ipairs(ways) do
          local e = refused(given)
          assert.equal("UserListError", e.code)
          assert.equal(code, e.params[1].code)
          assert.equal(1, #e.params)
          assert.falsy(tostring(e):find("alice", 1, true), tostring(e))
        end
      end
    end
    assert_nothing_sent()
    -- Line by line, as Lua reads a file of Windows.
    local e = refused { users = io.lines(write("list.txt", "alice\r\nbob\r\n")) }
    assert.equal("line_end", e.params[1].code)
    assert.equal(2, e.fault_counts.line_end)
    e = refused { users = io.lines(write("list.txt", BOM .. "alice\nbob\n")) }
    assert.same({ bom = 1 }, e.fault_counts)
  end)

  it("with numbers that were rounded, refuses them", function()
    local given = require("cjson").decode "[9007199254740993, 12]"
    local e = refused { users = given }
    assert.equal("user 1", e.params[1].path)
    assert.equal("range", e.params[1].code)
    assert.equal(1, #e.params)
  end)

  it("takes a text that is cut anywhere", function()
    local client = server:client()
    local file = assert(io.open(write("list.csv", "USER_ID\nalice\nbob\n")))
    local at, one = 0, { "ali", "ce" }
    for users, given in pairs {
      [2] = { text = file },
      [1] = { format = "lines", text = { read = function()
        at = at + 1
        return one[at]
      end } },
    } do
      given.dry_run = true
      assert.equal(users, client:delete_users(options(given)).users)
    end
    file:close()
    client:close()
  end)

  it("with an iterator that Ctrl-C ends, is interrupted", function()
    for _, source in ipairs { "users", "text" } do
      local e = refused { [source] = function()
        error("stdin: interrupted!", 0) -- as the interpreter says it
      end }
      assert.equal("InterruptedError", e.code)
    end
  end)

  it("with ids that are none, tells which", function()
    local e = refused { users = { "ok", "", ("x"):rep(257), "a\0b", {},
      4711 } }
    assert.equal("UserListError", e.code)
    local codes = {}
    for i, fault in ipairs(e.params) do
      codes[i] = fault.path .. " " .. fault.code
    end
    assert.same({ "user 2 empty", "user 3 length", "user 4 nul",
      "user 5 type" }, codes)
  end)

  describe("with a list that", function()
    local function fault(name, text, code, place, format)
      it(name, function()
        local e = refused { file = write("list.csv", text), format = format }
        assert.equal("UserListError", e.code)
        assert.equal(code, e.params[1].code, e.message)
        assert.equal(place, e.params[1].path)
        assert.falsy(tostring(e):find("secret-user", 1, true), e.message)
        assert.equal(0, server:requests().count)
        assert.equal("FAILED", e.receipt.status)
      end)
    end

    local LONG = ("x"):rep(257)
    fault("is empty", "", "header", "line 1, column 1")
    fault("has only its header", "USER_ID\n", "empty",
      "line 1, column 1")
    fault("has no header", "secret-user\n", "header", "line 1, column 1")
    fault("has it in lower case", "user_id\na\n", "header", "line 1, column 1")
    fault("has it in quotes", '"USER_ID"\na\n', "header", "line 1, column 1")
    fault("has an empty id", 'USER_ID\n""\n', "empty", "line 2, column 2")
    fault("has a blank line", "USER_ID\na\n\nb\n", "blank",
      "line 3, column 1")
    fault("has an id of 257 characters", "USER_ID\n" .. LONG .. "\n",
      "length", "line 2, column 1")
    fault("has a NUL", "USER_ID\na\0b\n", "nul", "line 2, column 2")
    fault("has broken UTF-8", "USER_ID\nab\255\n", "utf8",
      "line 2, column 3")
    fault("has a lone quote", 'USER_ID\nsecret-user"x\n', "quote",
      "line 2, column 12")
    fault("has a quote that is not closed", 'USER_ID\n"secret-user\n',
      "quote", "line 2, column 1")
    fault("has two columns", "USER_ID\nsecret-user,x\n", "columns",
      "line 2, column 14")
    fault("has an id too long among lines", LONG .. "\n", "length",
      "line 1, column 1", "lines")

    it("is all wrong is told in the first 100 faults, and counted", function()
      local e = refused { file = write("list.csv", "USER_ID\n" ..
        ("\n"):rep(250) .. "a\n") }
      assert.equal(100, #e.params)
      assert.equal(250, e.fault_counts.blank)
      assert.truthy(e.message:find("and 245 more", 1, true), e.message)
    end)
  end)

  describe("with a file that", function()
    local function unusable(name, make, words)
      it(name, function()
        local e = refused { file = make() }
        assert.equal("ParamValidationError", e.code)
        assert.equal("file", e.params[1].path)
        assert.truthy(e.message:find(words, 1, true), e.message)
        assert.equal(0, server:requests().count)
      end)
    end

    unusable("is not there", function() return folder .. "/none" end, "none")
    unusable("is a folder", function() return folder end, "directory")
    unusable("is a device", function() return "/dev/null" end, "device")

    -- Between the check and the sending, when the service is first asked.
    local function changing(name, change)
      it(name, function()
        local path = write("list.csv", "USER_ID\n" ..
          ("user-number\n"):rep(1000))
        local e = refused { file = path, on_progress = function(progress)
          if progress.phase == "upload" then
            change(path)
          end
        end }
        assert.equal("UserListError", e.code)
        assert.truthy(e.message:find("changed", 1, true), e.message)
        assert.truthy(e.message:find("part 1 of 1", 1, true), e.message)
        assert_nothing_sent()
      end)
    end

    changing("grows under us", function(path)
      local file = assert(io.open(path, "ab"))
      file:write "one-more\n"
      file:close()
    end)
    changing("shrinks under us", function(path)
      write(path:match "[^/]*$", "USER_ID\nuser-number\n")
    end)
    changing("has other bytes under us", function(path)
      local file = assert(io.open(path, "r+b"))
      file:seek("set", 5000)
      file:write "X"
      file:close()
    end)
  end)

  it("with a spool that is full sends nothing", function()
    -- The limit is the child's alone; its shell passes no signal on.
    local program = write("full.lua", [[
      local personalize = require "personalize"
      local n = 0
      local ok, e = pcall(personalize.delete_users, {
        users = function() n = n + 1 return n < 1e6 and "user-" .. n or nil end,
        name = "full", bucket = "lists", datasetGroupArn = arg[1], roleArn = arg[2],
      })
      print(ok, e.code, e.message)
    ]])
    local process = child.start(("sh -c %s"):format(child.quote(
      ("ulimit -f 64; env AWS_REGION=eu-west-1 LUA_PATH=%s LUA_CPATH=%s %s " ..
        "%s %s %s 2>&1"):format(child.quote(package.path),
        child.quote(package.cpath), child.interpreter(), child.quote(program),
        server.dataset_group_arn, server.role_arn))))
    local output = process:rest()
    process:stop()
    assert.truthy(output:find "^false%s+UserListError", output)
    assert.equal(0, server:requests().count)
  end)

  describe("with a bucket that", function()
    local function stuck(name, more, code, words, client_options, prepare)
      it(name, function()
        if prepare then
          prepare()
        end
        local e = refused(more, client_options)
        assert.equal(code, e.code, e.message)
        for _, word in ipairs(words) do
          assert.truthy(e.message:find(word, 1, true), e.message)
        end
        assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
        assert.same({}, server:admin("GET", "jobs").jobs)
      end)
    end
    local LIST = { "a", "b" }

    stuck("does not exist", { users = LIST, bucket = "another" },
      "NoSuchBucket", { "part 1 of 1", "another" })
    stuck("is another's", { users = LIST,
      expected_bucket_owner = "999999999999" }, "AccessDenied",
      { "part 1 of 1" })
    stuck("denies", { users = LIST }, "AccessDenied", { "part 1 of 1",
      "erasure" }, nil, function()
        server:fault { spec = "PutObject=AccessDenied" }
      end)
    stuck("demands KMS", { users = LIST }, "AccessDenied", { "erasure" }, nil,
      function()
        server:admin("POST", "settings", { encryption = "policy" })
      end)
    stuck("encrypts with KMS all the same", { users = LIST }, "ConfigError",
      { "KMS", "erasure" }, nil, function()
        server:admin("POST", "settings", { encryption = "aws:kms" })
      end)

    it("is in another region is found there", function()
      server:admin("POST", "settings", { bucket_region = "eu-central-1" })
      local client = server:client()
      local receipt = client:delete_users(options { users = LIST })
      assert.equal("COMPLETED", receipt.status)
      client:close()
    end)
  end)

  it("with a name that leaves no room for the parts' says so", function()
    local e = refused { users = { "a" }, name = ("n"):rep(47) }
    assert.equal("ParamValidationError", e.code)
    assert.equal("name", e.params[1].path)
    -- 46 fit.
    local client = server:client()
    local receipt = client:delete_users(options { users = { "a" },
      name = ("n"):rep(46) })
    assert.equal("COMPLETED", receipt.status)
    client:close()
  end)

  it("tells the records deleted, of the users that exist", function()
    server:admin("POST", "settings", { users = { "a", "b", "d" } })
    local client = server:client()
    local receipt = client:delete_users(options { users = { "a", "b", "c" } })
    assert.equal(2, receipt.jobs[1].num_deleted)
    client:close()
  end)

  it("takes a list in each of its forms to the same parts", function()
    local client = server:client()
    local text = 'USER_ID\na\n"b,c"\n\195\169\n'
    local ids = { "a", "b,c", "\195\169" }
    local at = 0
    local forms = {
      { file = write("list.csv", text) }, { text = text },
      { file = write("other.csv", '\239\187\191x,USER_ID\r\n1,a\r\n2,"b,c"' ..
        "\r\n3,\195\169\r\n"), column = "USER_ID" },
      { file = write("excel.csv", '\239\187\191ID;USER_ID;MAIL\r\n1;a;\r\n' ..
        '2;b,c;\r\n3;"\195\169";\r\n'), column = "USER_ID", delimiter = ";" },
      { text = "USER_ID\tID\na\t1\n\"b,c\"\t2\n\195\169\t\n",
        column = "USER_ID", delimiter = "\t" },
      { text = "x|USER_ID\n|a\n|b,c\n|\195\169\n", column = "USER_ID",
        delimiter = "|" },
      { file = write("list.txt", "a\nb,c\n\195\169\n"), format = "lines" },
      { users = ids },
      { users = function()
        at = at + 1
        return ids[at]
      end },
      { users = { "a", "b,c", "a", "\195\169", "a" }, unique = true },
    }
    local first
    for _, form in ipairs(forms) do
      form.dry_run = true
      local receipt = client:delete_users(options(form))
      first = first or receipt
      assert.same(first.parts, receipt.parts)
      -- Repeats that were dropped are in the receipt; this list has none.
      local ok, why = personalize.verify_receipt(receipt,
        { text = text, format = "csv" })
      assert.equal(receipt.duplicates ~= 2, ok)
      assert.equal(ok, not (why or ""):find("duplicates", 1, true))
    end
    client:close()
  end)
end)
