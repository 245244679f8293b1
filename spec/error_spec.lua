--- The one kind of error: how it is told from others, and how it reads.

local Error = require "personalize.error"
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
    } do
      local e = stub.failure(f)
      assert.equal("client", e.kind, name)
      assert.is_string(e.code)
      assert.is_string(e.message)
      assert.truthy(tostring(e):find(e.message, 1, true))
    end
  end)
end)
