--- What decides about retries from outside: options, variables, and the
-- adaptive mode's limit of rate.

local core = require "personalize.core"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local lost, refuse, status = scripted.lost, scripted.refuse, scripted.status

local LIST = "ListDataDeletionJobs"

local world

before_each(function()
  world = scripted.world()
end)
after_each(function()
  world:restore()
end)

-- How often a failure that never ends is tried.
local function tries(step, options)
  world.always[LIST] = step
  local before = world:count()
  stub.failure(function()
    world:client(options):list_data_deletion_jobs()
  end)
  return world:count() - before
end

describe("the settings", function()
  local getenv = core.getenv
  after_each(function() core.getenv = getenv end)

  local function set(variables)
    core.getenv = function(name) return variables[name] end
  end

  it("are read from the environment", function()
    set { AWS_MAX_ATTEMPTS = "2", AWS_RETRY_MODE = "adaptive" }
    assert.equal(2, tries(status(500)))
    assert.truthy(world.sent[1].headers["user-agent"]:find(
      "cfg/retry-mode#adaptive", 1, true))
    -- An argument comes before them.
    assert.equal(4, tries(status(500), { max_attempts = 4,
      retry_mode = "standard" }))
    set { AWS_RETRY_MODE = "STANDARD" }
    assert.equal(3, tries(status(500)))
  end)

  it("are refused by the variable's name where they are none", function()
    for name, values in pairs {
      AWS_MAX_ATTEMPTS = { "0", "-1", "1.5", "many", "3x", "0x3", "1e1" },
      AWS_RETRY_MODE = { "fast", "legacy", "Legacy", "standard mode" },
    } do
      for _, value in ipairs(values) do
        set { [name] = value }
        local e = stub.failure(personalize.new, { region = "eu-west-1" })
        assert.equal("ConfigError", e.code, value)
        assert.truthy(e.message:find(name, 1, true), e.message)
      end
    end
  end)

  it("have no legacy mode, and say why", function()
    for _, value in ipairs { "legacy", "LEGACY" } do
      local e = stub.failure(personalize.new, { retry_mode = value })
      assert.equal("ConfigError", e.code)
      assert.truthy(e.message:find("legacy", 1, true))
      assert.truthy(e.message:find("standard", 1, true))
    end
  end)
end)

describe("adaptive mode", function()
  local ADAPTIVE = { retry_mode = "adaptive", timeout = 1000 }

  it("tries again as standard mode does", function()
    assert.equal(3, tries(status(500), ADAPTIVE))
    assert.equal(2, #world.slept)
    assert.near(0.05, world.slept[1], 1e-9)
    assert.near(0.1, world.slept[2], 1e-9)
  end)

  it("sends without waiting until it is throttled", function()
    local client = world:client(ADAPTIVE)
    for _ = 1, 500 do
      client:list_data_deletion_jobs()
    end
    assert.equal(0, #world.slept)
  end)

  -- Requests a second that this client gets through, and the share of those
  -- refused, over 20 seconds at a service that admits so many in a second.
  local function at_a_limit(client, limit)
    local start, window, count, good, bad = world.monotonic, 0, 0, 0, 0
    world.always[LIST] = function(w, input)
      local second = math.floor(w.monotonic)
      if second ~= window then
        window, count = second, 0
      end
      count = count + 1
      if count > limit then
        bad = bad + 1
        return w:refusal "ThrottlingException"
      end
      good = good + 1
      return w:serve(LIST, input)
    end
    while world.monotonic < start + 20 do
      pcall(client.list_data_deletion_jobs, client)
    end
    return good / 20, bad / (good + bad)
  end

  it("finds the rate that the service bears, and recovers", function()
    local client = world:client { retry_mode = "adaptive", max_attempts = 1,
      timeout = 1000 }
    local _, refused = at_a_limit(world:client { max_attempts = 1 }, 20)
    assert.is_true(refused > 0.7, "without it: " .. refused)
    local got
    got, refused = at_a_limit(client, 20)
    assert.is_true(refused < 0.25, refused)
    assert.is_true(got > 10, got)
    assert.is_true(#world.slept > 0)
    got, refused = at_a_limit(client, 1000)
    assert.equal(0, refused)
    assert.is_true(got > 60, got)
  end)

  it("slows down more with each throttling, but never to a stop", function()
    local client = world:client(ADAPTIVE)
    for _ = 1, 200 do
      client:list_data_deletion_jobs()
    end
    local last
    for _ = 1, 12 do
      world:next(LIST, refuse "ThrottlingException")
      local before = world.monotonic
      client:list_data_deletion_jobs()
      last = world.monotonic - before
    end
    -- Half a request a second is the least; the retry's own wait comes on top.
    assert.is_true(last > 1)
    assert.is_true(last < 2 * (1 / 0.5) + 1 + 0.1, last)
  end)

  it("takes three tenths off the rate with each throttling in a row",
    function()
      local client = world:client { retry_mode = "adaptive", timeout = 1000,
        max_attempts = 1 }
      for _ = 1, 500 do -- 100 a second
        client:list_data_deletion_jobs()
      end
      world.always[LIST] = refuse "ThrottlingException"
      for _ = 1, 8 do
        pcall(client.list_data_deletion_jobs, client)
      end
      -- 100 * 0.7^8 is 5.8 a second; so many are also there at once.
      world.always[LIST] = nil
      local before = world.monotonic
      for _ = 1, 20 do
        client:list_data_deletion_jobs()
      end
      local elapsed = world.monotonic - before
      assert.is_true(elapsed > 1 and elapsed < 4, elapsed)
    end)

  it("does not slow down for failures of another kind", function()
    local client = world:client(ADAPTIVE)
    for _ = 1, 10 do
      world:next(LIST, status(500), lost("TimeoutError", 0.1))
      client:list_data_deletion_jobs()
    end
    world.slept = {}
    for _ = 1, 50 do
      client:list_data_deletion_jobs()
    end
    assert.equal(0, #world.slept)
  end)

  it("keeps its wait within the deadline", function()
    local client = world:client { retry_mode = "adaptive", timeout = 1.5,
      max_attempts = 1 }
    world.always[LIST] = refuse "ThrottlingException"
    for _ = 1, 60 do
      local before = world.monotonic
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.is_true(world.monotonic - before <= 1.5 + 0.02)
      assert.is_true(e.code == "ThrottlingException" or
        e.code == "TimeoutError" and e.attempts == 0)
      assert.is_true(e.retryable)
      world:pass(0.01)
    end
    -- Who was turned away has reserved nothing: the next does not pay for it.
    world.always[LIST] = nil
    world:pass(2.1)
    client:list_data_deletion_jobs()
  end)

  it("may be interrupted in its wait", function()
    local client = world:client { retry_mode = "adaptive", max_attempts = 1,
      sleep = function() return false end }
    world:next(LIST, refuse "ThrottlingException")
    local codes = {}
    for i = 1, 3 do
      local ok, e = pcall(client.list_data_deletion_jobs, client)
      codes[i] = ok and "ok" or e.code
    end
    assert.truthy(table.concat(codes, " "):find("InterruptedError", 1, true))
  end)
end)
