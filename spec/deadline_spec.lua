--- `timeout` bounds a call as a whole, whatever it does with the time; and a
-- server that keeps a client waiting does not get more of it.

local child = require "spec.support.child"
local cjson = require "cjson"
local patience = require "spec.support.patience"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local lost, refuse, status = scripted.lost, scripted.refuse, scripted.status
local LIST, CREATE = "ListDataDeletionJobs", "CreateDataDeletionJob"
-- Of the clock, and of what is done between waits.
local SLACK = 0.02

describe("a deadline", function()
  local world

  before_each(function()
    world = scripted.world()
  end)
  after_each(function()
    world:restore()
  end)

  local function list(options)
    local client = world:client(options)
    local before = world.monotonic
    local e = stub.failure(client.list_data_deletion_jobs, client)
    return e, world.monotonic - before
  end

  it("is the time of the only attempt where that takes all of it", function()
    world.always[LIST] = scripted.hang
    local e, elapsed = list { timeout = 7 }
    assert.equal("TimeoutError", e.code)
    assert.equal("transport", e.kind)
    assert.equal(1, e.attempts)
    assert.near(7, elapsed, SLACK)
  end)

  it("leaves the last attempt what is left", function()
    world:next(LIST, lost("ConnectionError", 2), lost("ConnectionError", 3),
      scripted.hang)
    local e, elapsed = list { timeout = 10 }
    assert.equal("TimeoutError", e.code)
    assert.equal(3, e.attempts)
    assert.near(10, elapsed, SLACK)
    assert.near(10, world.sent[1].timeout, 0.001)
    assert.near(10 - 2 - 0.05, world.sent[2].timeout, 0.1)
    assert.near(10 - 5 - 0.15, world.sent[3].timeout, 0.1)
  end)

  it("is 60 seconds where nothing else is said", function()
    world.always[LIST] = scripted.hang
    local e, elapsed = list()
    assert.equal(1, e.attempts)
    assert.near(60, elapsed, SLACK)
    assert.equal(3.1, world.sent[1].connect_timeout)
  end)

  it("counts waits, too", function()
    world.always[LIST] = refuse "ThrottlingException" -- waits 1, 2, 4, 8 ...
    local e, elapsed = list { timeout = 10, max_attempts = 20 }
    assert.equal("ThrottlingException", e.code)
    assert.equal(4, e.attempts) -- 1 + 2 + 4 seconds; 8 would be too many
    assert.is_true(elapsed < 7.2)
    assert.is_true(e.retryable)
  end)

  it("begins no wait that the service asks for and that is too long",
    function()
      world.always[LIST] = status(503, "", { ["x-amz-retry-after"] = "4000" })
      local e, elapsed = list { timeout = 3 }
      assert.equal("HTTP 503", e.code)
      assert.equal(1, e.attempts)
      assert.equal(0, #world.slept)
      assert.is_true(elapsed < 0.1)
    end)

  it("begins no retry that cannot end", function()
    -- What is left after a wait of 50 ms, from none to just enough.
    for left = 0.01, 0.1, 0.01 do
      world:restore()
      world = scripted.world()
      world.latency = 0
      world:next(LIST, lost("ConnectionError", 1))
      local client = world:client { timeout = 1.05 + left }
      local ok = pcall(client.list_data_deletion_jobs, client)
      local second = world.sent[2]
      assert.is_true(second == nil or second.timeout >= 0.04)
      assert.equal(ok, second ~= nil)
    end
    assert.equal(2, #world.sent)
  end)

  it("bounds connect_timeout", function()
    world.always[LIST] = lost("ConnectionError", 1, false)
    list { timeout = 4, connect_timeout = 3 }
    assert.equal(3, world.sent[1].connect_timeout)
    assert.near(3 - 0.05, world.sent[2].connect_timeout, SLACK)
    assert.near(2 - 0.15, world.sent[3].connect_timeout, 0.05)
    for _, request in ipairs(world.sent) do
      assert.is_true(request.connect_timeout <= request.timeout)
    end
  end)

  it("counts what a credentials function takes", function()
    local e, elapsed = list { timeout = 3, credentials = function()
      world:pass(5)
      return stub.CREDENTIALS
    end }
    assert.equal("TimeoutError", e.code)
    assert.equal(0, e.attempts)
    assert.equal(0, #world.sent)
    assert.near(5, elapsed, SLACK)

    world.always[LIST] = scripted.hang
    e, elapsed = list { timeout = 3, credentials = function()
      world:pass(1)
      return stub.CREDENTIALS
    end }
    assert.equal(1, e.attempts)
    assert.near(2, world.sent[1].timeout, SLACK)
    assert.near(3, elapsed, SLACK)
  end)

  it("that a sleep overslept ends the call with what was answered", function()
    world.always[LIST] = refuse("SlowDown", 503)
    local e = list { timeout = 5, sleep = function() world:pass(60) end }
    assert.equal("SlowDown", e.code)
    assert.equal(1, e.attempts)
    assert.equal(1, #world.sent)
  end)

  it("of a create has time kept back for looking", function()
    for _, timeout in ipairs { 1, 4, 20, 60, 600 } do
      world:restore()
      world = scripted.world()
      world:next(CREATE, scripted.done(scripted.hang))
      world.always[CREATE] = scripted.hang
      local client = world:client { timeout = timeout }
      local before = world.monotonic
      local out, meta = client:create_data_deletion_job(scripted.job())
      assert.equal(scripted.arn "gdpr-1", out.dataDeletionJobArn)
      assert.is_true(meta.reconciled)
      assert.is_true(world.monotonic - before <= timeout + SLACK)
      -- But most of the time is the create's own.
      assert.is_true(world.sent[1].timeout >= 0.7 * timeout)
    end
  end)

  it("falls between attempt and look", function()
    -- The attempt does not keep to its time, and so nothing is left.
    world:next(CREATE, scripted.done(lost("TimeoutError", 100)))
    local client = world:client { timeout = 10 }
    local e = stub.failure(client.create_data_deletion_job, client,
      scripted.job())
    assert.equal("TimeoutError", e.code)
    assert.is_true(e.unclear)
    assert.equal(0, world:count(LIST))
  end)

  it("is each call's own", function()
    local client = world:client { timeout = 5 }
    world.always[LIST] = scripted.hang
    for _ = 1, 3 do
      local before = world.monotonic
      stub.failure(client.list_data_deletion_jobs, client)
      assert.near(5, world.monotonic - before, SLACK)
    end
  end)
end)

-- Real sockets and clocks. That a limit is kept is seen from what the server
-- would do without it: hold its answer for ever.
describe("a deadline on the wire", function()
  local server, info
  local now, long_enough = patience.now, patience.long_enough

  setup(function()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
  end)
  teardown(function()
    server:stop()
  end)

  -- The error of a call, or nil, and how long it took.
  local function time(endpoint, options)
    local given = { region = "eu-west-1", credentials = stub.CREDENTIALS,
      ca_bundle = info.ca_bundle, endpoint = endpoint }
    for name, value in pairs(options) do
      given[name] = value
    end
    local client = personalize.new(given)
    local before = now()
    local ok, e = pcall(client.list_data_deletion_jobs, client)
    client:close()
    return not ok and e or nil, now() - before
  end

  for _, scheme in ipairs { "http", "https" } do
    it("is not extended by a byte now and then, over " .. scheme, function()
      for _, fault in ipairs { "drip-0", "drip-81" } do
        -- The answer takes hours.
        local e, elapsed = time(info[scheme] .. "/" .. fault, { timeout = 1 })
        assert.equal("TimeoutError", e.code)
        assert.equal(1, e.attempts)
        assert.is_true(elapsed > 0.95, elapsed)
      end
    end)

    it("spans attempts and waits, over " .. scheme, function()
      local e = time(info[scheme] .. "/hang", { timeout = 0.1 })
      assert.equal("TimeoutError", e.code)
      -- There are fewer attempts than are allowed: the time has ended them.
      e = long_enough(0.6, function(seconds)
        local found = time(info[scheme] .. "/status-503",
          { timeout = seconds, max_attempts = 1000 })
        return found.code ~= "TimeoutError" and found.attempts > 1 and found
      end)
      assert.equal("HTTP 503", e.code)
      assert.is_true(e.attempts < 100, e.attempts)
    end)
  end

  it("of connecting bounds what comes before the request", function()
    for _, name in ipairs { "full", "tls-hold" } do
      -- Two attempts: the first has not taken all of the time there is.
      local e, elapsed = time(info.ports[name], { timeout = 3600,
        connect_timeout = 0.3, max_attempts = 2, sleep = function() end })
      assert.equal("TimeoutError", e.code)
      assert.equal(2, e.attempts)
      assert.is_true(elapsed > 0.55, elapsed)
    end
  end)

  it("of connecting does not bound the answer", function()
    long_enough(0.3, function(seconds)
      local e, elapsed = time(info.http .. ("/slow-%d"):format(2000 * seconds),
        { timeout = 3600, connect_timeout = seconds, max_attempts = 1 })
      assert.is_true(e == nil or not e.unclear and
        e.message:find("no connection", 1, true) ~= nil, e and e.message)
      return not e and elapsed >= 2 * seconds
    end)
  end)
end)
