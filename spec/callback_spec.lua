--- Functions of the caller's: what they raise or return as their reason is in
-- the error, one way for all of them; and Ctrl-C gets through each.

local callback = require "personalize.callback"
local names = require "personalize.names"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local Error = personalize.Error
local ARN = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/a"

-- What Lua's own interpreter raises on Ctrl-C, from inside a function.
local function interrupt()
  error("spec.lua:1: interrupted!", 0)
end

local function describe_answer(status)
  return ('{"dataDeletionJob":{"dataDeletionJobArn":"%s","status":"%s"}}')
    :format(ARN, status)
end

-- Each callback: a call that reaches f, the code of what its failure becomes,
-- and what the message calls it.
local CALLBACKS = {
  credentials = { code = "CredentialsError", what = "the credentials function",
    call = function(f)
      local client = stub.client("{}", { credentials = f })
      client:list_data_deletion_jobs()
    end },
  on_status = { code = "InterruptedError", what = "on_status",
    call = function(f)
      local client = stub.client(describe_answer "PENDING")
      client:wait_for_data_deletion_job(ARN, { on_status = f })
    end },
  on_progress = { code = "InterruptedError", what = "on_progress",
    call = function(f)
      personalize.new({ region = "eu-west-1",
        credentials = stub.CREDENTIALS }):upload_users { users = { "a" },
        name = "n", bucket = "erasure", on_progress = f }
    end },
  on_receipt = { code = "InterruptedError", what = "on_receipt",
    call = function(f)
      local client = stub.client('{"dataDeletionJobs":[]}')
      client:delete_users { users = { "a" }, name = "n", bucket = "erasure",
        datasetGroupArn = names.GROUP, roleArn = names.ROLE, on_receipt = f }
    end },
  transport = { code = "ConnectionError", what = "the transport",
    is_plain = true, call = function(f)
      stub.client("{}", { transport = f }):list_data_deletion_jobs()
    end },
  sleep = { code = "InterruptedError", what = "the sleep function",
    call = function(f)
      local client = stub.client(stub.response("", 503),
        { max_attempts = 3, sleep = f })
      client:list_data_deletion_jobs()
    end },
}

for name, this in pairs(CALLBACKS) do
  describe(name, function()
    local function fails(f)
      return stub.failure(this.call, f)
    end

    it("tells in its error what it raised", function()
      local odd = setmetatable({}, { __tostring = function() return "odd" end })
      local silent = setmetatable({}, { __tostring = function() error "no" end })
      for text, reason in pairs {
        ["the vault is sealed"] = "the vault is sealed",
        ["two lines"] = "two\n  lines", ["[31mred"] = "\27[31mred",
        ["odd"] = odd, ["a table"] = silent, ["with words"] =
        { message = "with words" }, ["42"] = 42,
      } do
        local e = fails(function() error(reason, 0) end)
        assert.equal(this.code, e.code)
        assert.equal(this.what .. " raised an error: " .. text, e.message)
        assert.equal(reason, e.cause)
      end
      local e = fails(function() error() end)
      assert.equal(this.what .. " raised an error", e.message)
    end)

    it("tells where its own fault is", function()
      local e = fails(function() return (nil).x end)
      assert.truthy(e.message:find("callback_spec.lua:", 1, true), e.message)
    end)

    it("tells the reason that it returned", function()
      for _, f in ipairs { function() return nil, "connection lost" end,
        function() return false, "connection lost" end } do
        local e = fails(f)
        assert.equal(this.code, e.code)
        assert.equal("connection lost", e.cause)
        assert.equal(this.is_plain and "connection lost" or
          this.what .. " failed: connection lost", e.message)
      end
    end)

    it("lets an error of ours through as it is", function()
      local own = Error.new { code = "LimitExceededException",
        kind = "service", message = "of another client" }
      assert.equal(own, fails(function() error(own, 0) end))
      assert.equal("of another client", own.message)
      assert.equal("LimitExceededException", own.code)
    end)

    it("lets Ctrl-C through", function()
      local e = fails(interrupt)
      assert.equal("InterruptedError", e.code)
      assert.truthy(tostring(e.cause):find("interrupted!", 1, true))
      local own = Error.new { code = "InterruptedError", kind = "client",
        message = "of another client" }
      assert.equal(own, fails(function() error(own, 0) end))
    end)

    -- Not across a pcall, on Lua 5.1.
    local is_old = coroutine.wrap(function()
      return pcall(coroutine.yield)
    end)() == false

    it("may yield where Lua can", function()
      local count = 0
      local run = coroutine.create(function()
        return stub.failure(this.call, function()
          count = count + 1
          coroutine.yield "waiting"
          error("and then it failed", 0)
        end)
      end)
      local _, e = coroutine.resume(run)
      if is_old then
        assert.truthy(e.message:find("it yielded where nothing can wait", 1,
          true), e.message)
        assert.truthy(e.message:find("Lua 5.1", 1, true), e.message)
      else
        assert.equal("waiting", e)
        _, e = coroutine.resume(run)
        assert.truthy(e.message:find("and then it failed", 1, true))
      end
      assert.equal(this.code, e.code)
      assert.equal(1, count)
    end)

    it("tells of a yield that cannot be", function()
      local e = fails(function() coroutine.yield() end)
      assert.equal(this.code, e.code)
      assert.truthy(e.message:find("it yielded where nothing can wait", 1,
        true), e.message)
    end)
  end)
end

describe("on_event", function()
  local function client_with(f, more)
    local given = { on_event = f }
    for name, value in pairs(more or {}) do
      given[name] = value
    end
    return stub.client('{"dataDeletionJobArn":"' .. ARN .. '"}', given)
  end

  it("costs no answer, whatever it does", function()
    for _, f in ipairs { function() error "no" end, function() error() end,
      function() return nil, "sealed" end, coroutine.yield, function()
        error(Error.new { code = "ConfigError", message = "other" }, 0)
      end } do
      assert.same({}, client_with(f):tag_resource(stub.input "TagResource")
        .tags or {})
    end
  end)

  it("lets Ctrl-C through, at each event", function()
    for _, name in ipairs { "attempt", "call" } do
      local client, sent = client_with(function(event)
        if event.name == name then
          interrupt()
        end
      end, { max_attempts = 3 })
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("InterruptedError", e.code)
      assert.equal("ListDataDeletionJobs", e.operation)
      assert.equal(1, e.attempts)
      assert.is_nil(e.unclear)
      assert.equal(1, #sent)
    end
    local client, sent = stub.client(stub.response("", 503), {
      max_attempts = 3, on_event = function(event)
        if event.name == "retry" then
          interrupt()
        end
      end })
    assert.equal("InterruptedError",
      stub.failure(client.list_data_deletion_jobs, client).code)
    assert.equal(1, #sent)
  end)

  it("lets Ctrl-C through, and a create is known to be unclear", function()
    for _, name in ipairs { "attempt", "call" } do
      local client, sent = client_with(function(event)
        if event.name == name then
          interrupt()
        end
      end)
      local e = stub.failure(client.create_data_deletion_job, client,
        stub.input "CreateDataDeletionJob")
      assert.equal("InterruptedError", e.code)
      assert.is_true(e.unclear)
      assert.equal(1, #sent)
      assert.truthy(e.message:find(name == "call" and
        "the job was created: " .. ARN or "may have been created", 1, true),
        e.message)
    end
  end)

  it("lets Ctrl-C through while one waits for a job", function()
    local client = stub.client(describe_answer "PENDING",
      { on_event = function(event)
        if event.name == "wait" then
          interrupt()
        end
      end })
    assert.equal("InterruptedError", stub.failure(
      client.wait_for_data_deletion_job, client, ARN).code)
  end)
end)

describe("a transport", function()
  it("that raises is not asked again, and leaves a create unclear", function()
    local count = 0
    local client = stub.client("{}", { max_attempts = 3,
      transport = function(request)
        count = count + 1
        error(request.method == "POST" and "no route" or "", 0)
      end })
    local e = stub.failure(client.create_data_deletion_job, client,
      stub.input "CreateDataDeletionJob")
    assert.equal("transport", e.kind)
    assert.is_false(e.retryable)
    assert.is_true(e.unclear)
    assert.equal("no route", e.cause)
    assert.truthy(count > 1) -- it was looked for
  end)

  it("shows no secret that it raises or returns", function()
    local token = "PlantedToken" .. ("0123456789"):rep(9)
    for _, f in ipairs {
      function(text) error(text, 0) end,
      function(text) return nil, text end,
      function(text) return nil, { message = text } end,
      function(text) return nil, { code = "ConfigError", message = text,
        cause = text } end,
      function(text) return nil, { code = text, message = "m" } end,
    } do
      local client = stub.client("{}", { transport = function()
        return f("sent " .. token .. " in vain")
      end, credentials = { access_key_id = "A", secret_access_key = "s",
        session_token = token } })
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.is_nil(e.message:find("Planted", 1, true))
      assert.is_nil(tostring(e.cause):find("Planted", 1, true))
      assert.is_nil(e.code:find("Planted", 1, true))
    end
  end)
end)

describe("a pcall that lets Ctrl-C through", function()
  it("answers as pcall does", function()
    assert.same({ true, 1, nil, 3, n = 4 }, (function(...)
      return { n = select("#", ...), ... }
    end)(callback.pcall("x", function(...) return ... end, 1, nil, 3)))
    local reason = {}
    local ok, raised = callback.pcall("x", error, reason)
    assert.is_false(ok)
    assert.equal(reason, raised)
  end)

  it("raises it", function()
    local e = stub.failure(callback.pcall, "a walk", interrupt)
    assert.equal("InterruptedError", e.code)
    assert.equal("interrupted during a walk", e.message)
  end)
end)
