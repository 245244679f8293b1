--- The one kind of error: how it is told from others, and how it reads.

local Error = require "personalize.error"
local child = require "spec.support.child"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local function raised(fields)
  local _, e = pcall(Error.raise, fields)
  return e
end

describe("an error", function()
  it("reads as code, message and where", function()
    for expected, fields in pairs {
      ["ConfigError: no"] = { code = "ConfigError", message = "no" },
      ["A: b (CreateDataDeletionJob)"] = { code = "A", message = "b",
        operation = "CreateDataDeletionJob" },
      ["A: b (Op, HTTP 400, request r-1, 1 attempt)"] = { code = "A",
        message = "b", operation = "Op", status = 400, request_id = "r-1",
        attempts = 1 },
      ["A: b (Op, 0 attempts)"] = { code = "A", message = "b",
        operation = "Op", attempts = 0 },
      ["HTTP 503: busy (HTTP 503, 3 attempts)"] = { code = "HTTP 503",
        message = "busy", status = 503, attempts = 3 },
    } do
      assert.equal(expected, tostring(raised(fields)))
    end
  end)

  it("is the object that was raised, without a position", function()
    local fields = { code = "A", message = "b", kind = "client" }
    assert.equal(fields, raised(fields))
    assert.equal("b", fields.message)
  end)

  it("is an Error of the module", function()
    local e = raised { code = "A", message = "b" }
    assert.equal(personalize.Error, getmetatable(e))
    assert.equal("personalize.Error", getmetatable(e).__name)
  end)

  it("keeps what caused it", function()
    local cause = {}
    assert.equal(cause, raised { code = "A", message = "b", cause = cause }
      .cause)
  end)
end)

describe("is_error", function()
  it("tells errors of ours, and their codes", function()
    local e = raised { code = "A", message = "b" }
    assert.is_true(personalize.is_error(e))
    assert.is_true(personalize.is_error(e, "A"))
    assert.is_false(personalize.is_error(e, "B"))
  end)

  it("is false for anything else", function()
    local odd = setmetatable({}, { __index = function() error "touched" end,
      __eq = function() return true end })
    for _, value in ipairs { "A: b", 5, true, print, {}, { code = "A" }, odd,
      io.stdout, coroutine.create(function() end) } do
      assert.is_false(personalize.is_error(value))
      assert.is_false(personalize.is_error(value, "A"))
    end
    assert.is_false(personalize.is_error(nil))
    assert.is_false(personalize.is_error())
  end)
end)

describe("a message", function()
  it("shows nothing that a terminal obeys, or that is not seen", function()
    local e = raised { code = "A", message = "a\27[2J\r\nb \226\128\174\255",
      params = { { path = "x\0", message = "is \194\155" } } }
    assert.equal("a\\x1b[2J\\r\\nb \\u{202e}\\xff", e.message)
    assert.same({ path = "x\\x00", message = "is \\u{9b}" }, e.params[1])
  end)

  it("has the lines that are our own", function()
    local e = raised { code = "NoCredentialsError",
      message = "none of these:\n  a: \27\n  b: \r" }
    assert.equal("none of these:\n  a: \\x1b\n  b: \\r", e.message)
  end)

  it("can be joined", function()
    local e = raised { code = "A", message = "b" }
    assert.equal("failed: A: b", "failed: " .. e)
    assert.equal("A: b, then", e .. ", then")
    assert.equal("A: bA: b", e .. e)
    assert.equal("1A: b", 1 .. e)
  end)
end)

describe("the caller's line", function()
  local client = stub.client()
  local here = "spec/error_spec.lua:"

  local function line()
    return debug.getinfo(2, "l").currentline
  end

  it("is in errors of this side's, and in their text", function()
    local expected
    local e = stub.failure(function()
      expected = line() + 1
      client:create_data_deletion_job { jobName = "x" }
    end)
    assert.equal(here .. expected, e.where:gsub("^%./", ""))
    assert.truthy(tostring(e):find(e.where .. ")", 1, true), tostring(e))
    assert.is_nil(e.message:find("spec.lua", 1, true))
  end)

  it("is the first one outside of this module, however it is called", function()
    local calls = {
      function() personalize.new { nonsense = 1 } return 1 end,
      function() personalize.check_users { users = 1 } return 1 end,
      function() client:call "no such thing" return 1 end,
      function() client:wait_for_data_deletion_job(5) return 1 end,
      function() client:delete_users {} return 1 end,
      function() client:data_deletion_jobs "x" return 1 end,
      function() local _ = client:data_deletion_jobs { x = 1 } () return 1 end,
      function() coroutine.wrap(function()
        client:tag_resource {} return 1
      end)() return 1 end,
      function() client.close() return 1 end,
      function() personalize.verify_receipt("x", {}) return 1 end,
    }
    for i, f in ipairs(calls) do
      local e = stub.failure(f)
      local at = debug.getinfo(f, "S")
      local number = e.where and tonumber(e.where:match "error_spec%.lua:(%d+)$")
      assert.truthy(number and number >= at.linedefined and
        number <= at.lastlinedefined, i .. ": " .. tostring(e))
    end
  end)

  it("is that of a function of the caller's, inside of a call", function()
    local expected
    local e = stub.failure(function()
      stub.client("{}", { credentials = function()
        expected = line() + 1
        personalize.new { nonsense = 1 }
      end }):list_data_deletion_jobs()
    end)
    assert.equal("ConfigError", e.code)
    assert.equal(here .. expected, e.where:gsub("^%./", ""))
  end)

  it("is left out where Lua does not know it any more", function()
    local made = coroutine.create(client.create_data_deletion_job)
    local _, e = coroutine.resume(made, client, {})
    assert.equal("ParamValidationError", e.code)
    assert.is_nil(e.where)
    -- A tail call has left its line; the next one is told.
    e = stub.failure(function()
      return client:create_data_deletion_job {}
    end)
    assert.truthy(e.where:find("spec/support/stub.lua:", 1, true), e.where)
  end)

  it("shows nothing of code that was loaded from a string", function()
    local compile = rawget(_G, "loadstring") or load
    local f = compile(
      "local client = ... client:create_data_deletion_job {} -- Planted")
    local e = stub.failure(f, client)
    assert.equal("[string]:1", e.where)
    e = stub.failure(compile(
      "\n(...):create_data_deletion_job {}", "=job"), client)
    assert.equal("job:2", e.where)
  end)

  it("is not in errors of the service's or of the way", function()
    for _, answer in ipairs { stub.response('{"__type":"A"}', 400),
      function() return nil, { code = "TlsError" } end } do
      local other = stub.client(answer)
      local e = stub.failure(other.list_data_deletion_jobs, other)
      assert.is_nil(e.where)
    end
  end)
end)

describe("an error that nobody catches", function()
  it("is told with its line by the interpreter", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write('local personalize = require "personalize"\n',
      'print(pcall(personalize.new, { quietly = 1 }))\n',
      "personalize.new { nonsense = 1 }\n")
    file:close()
    local process = child.start(("env LUA_PATH=%s LUA_CPATH=%s %s %s 2>&1")
      :format(child.quote(package.path), child.quote(package.cpath),
      child.interpreter(), name))
    local text = process:rest()
    process:stop()
    os.remove(name)
    assert.truthy(text:find("ConfigError: [^\n]*nonsense[^\n]*" ..
      name:gsub("%W", "%%%0") .. ":3%)"), text)
    assert.is_nil(text:find("uncaught[^\n]*quietly"), text)
  end)
end)

describe("a function of the module", function()
  it("that is called with a colon says so", function()
    for name, f in pairs(personalize) do
      if type(f) == "function" and name ~= "log_ngx" then
        local e = stub.failure(f, personalize, {})
        assert.equal("ParamValidationError", e.code)
        assert.truthy(e.message:find("functions of the module are called " ..
          "with a dot: personalize." .. name, 1, true), e.message)
        assert.equal(1, #e.params)
      end
    end
    local client = stub.client()
    local e = stub.failure(client.new, client, {})
    assert.truthy(e.message:find("personalize.new{...}", 1, true))
  end)
end)

describe("every failure of the module's face", function()
  it("is an error of ours with a kind", function()
    local client = stub.client()
    local arn = stub.input "DescribeDataDeletionJob"
    for name, f in pairs {
      ["an option"] = function() personalize.new { nonsense = 1 } end,
      ["options that are none"] = function() personalize.new "x" end,
      ["an input"] = function() client:create_data_deletion_job() end,
      ["a method without its colon"] = function()
        client.describe_data_deletion_job(arn)
      end,
      ["a method of nothing"] = function() client.close() end,
      ["an operation"] = function() client:call("no such thing") end,
      ["no operation"] = function() client:call() end,
      ["no ARN"] = function() client:wait_for_data_deletion_job(1) end,
      ["no input"] = function() client:data_deletion_jobs "x" end,
      ["no receipt"] = function() personalize.verify_receipt("x", {}) end,
      ["no receipt at all"] = function() personalize.receipt_json() end,
      ["a receipt of odd members"] = function()
        personalize.receipt_json { parts = 1, jobs = { 2 } }
      end,
      ["no list"] = function() personalize.check_users() end,
      ["no options"] = function() client:delete_users() end,
      ["no upload"] = function() client:upload_users "x" end,
      ["no path"] = function() personalize.append_lines(1, "x") end,
      ["no text"] = function() personalize.write_private() end,
      ["no names"] = function() personalize.rename_noreplace() end,
      ["no lock"] = function() personalize.lock_file {} end,
    } do
      local e = stub.failure(f)
      assert.equal("client", e.kind, name)
      if e.code == "ParamValidationError" then
        assert.truthy(#e.params > 0, name)
        assert.is_string(e.params[1].path)
        assert.is_string(e.params[1].code)
        assert.is_string(e.params[1].message)
      end
      assert.is_string(e.code)
      assert.is_string(e.message)
      assert.truthy(tostring(e):find(e.message, 1, true))
    end
  end)
end)
