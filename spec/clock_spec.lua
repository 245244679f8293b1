--- When our clock is wrong: whose time a request is signed with, and which
-- refusals are put down to it.

local clock = require "spec.support.clock"
local core = require "personalize.core"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local refuse, status = scripted.refuse, scripted.status
local LIST = "ListDataDeletionJobs"
local SKEW_CODES = { "InvalidSignatureException", "SignatureDoesNotMatch",
  "AuthFailure", "RequestTimeTooSkewed", "AccessDeniedException" }

describe("the clock", function()
  local world

  before_each(function()
    world = scripted.world()
    world.latency = 0
  end)
  after_each(function()
    world:restore()
  end)

  local function list(client)
    return client:list_data_deletion_jobs()
  end

  -- Seconds by which the n-th request's signature was ahead of our clock.
  local function signed(n)
    local request = world.sent[n]
    return clock.epoch(request.headers["x-amz-date"]) -
      math.floor(world.wall - (world.monotonic - request.at))
  end

  it("of ours is used until an answer tells another", function()
    local client = world:client()
    world.offset = 1000
    list(client)
    assert.equal(0, signed(1))
    list(client)
    assert.equal(1000, signed(2))
    world.offset = -1000
    list(client) -- signed by what was known before
    list(client)
    assert.equal(1000, signed(3))
    assert.equal(-1000, signed(4))
  end)

  it("belongs to a client: another has to learn for itself", function()
    world.offset = 1000
    list(world:client())
    list(world:client())
    assert.equal(0, signed(2))
  end)

  it("is taken from errors as well", function()
    local client = world:client()
    world.offset = 500
    world:next(LIST, refuse "InvalidInputException")
    pcall(list, client)
    list(client)
    assert.equal(500, signed(2))
  end)

  it("is taken half way between request and answer", function()
    local client = world:client()
    world.latency = 100
    list(client)
    world.latency = 0
    list(client)
    assert.equal(50, signed(2))
  end)

  it("is not taken from an answer too slow to tell", function()
    for _, case in ipairs { { 900, 450 }, { 901, 0 } } do
      local client = world:client { timeout = 3600 }
      world.latency = case[1]
      list(client)
      world.latency = 0
      list(client)
      assert.equal(case[2], signed(#world.sent))
    end
  end)

  it("is not taken from a cache, nor from what is no date", function()
    local client = world:client()
    world.offset = 1000
    for _, headers in ipairs { { age = "1" }, { age = "0" },
      { date = "yesterday" }, { date = "" }, { date = false },
      { date = "2026-11-24T12:00:00Z" },
      { date = "Tue, 99 Nov 2026 12:00:00 GMT" } } do
      world:next(LIST, status(200, "{}", headers))
      list(client)
    end
    list(client)
    for i = 1, #world.sent do
      assert.equal(0, signed(i))
    end
  end)

  for _, code in ipairs(SKEW_CODES) do
    it("more than 4 minutes off explains " .. code, function()
      for _, offset in ipairs { 241, 3600, -241, -86400 * 365 } do
        for _, number in ipairs { 400, 403 } do
          world:restore()
          world = scripted.world()
          world.latency = 0
          world.offset = offset
          world:next(LIST, refuse(code, number))
          local _, meta = list(world:client())
          assert.equal(2, meta.attempts)
          assert.equal(0, signed(1))
          assert.equal(offset, signed(2))
          -- An ordinary retry, not throttling's.
          assert.near(0.05, world.slept[1], 1e-9)
        end
      end
    end)

    it("of 4 minutes does not explain " .. code, function()
      for _, offset in ipairs { 240, 0, -240 } do
        world:restore()
        world = scripted.world()
        world.latency = 0
        world.offset = offset
        world.always[LIST] = refuse(code, 403)
        local e = stub.failure(list, world:client())
        assert.equal(code, e.code)
        assert.equal(1, e.attempts)
        assert.is_false(e.retryable)
      end
    end)
  end

  for _, code in ipairs { "RequestExpired", "RequestInTheFuture",
    "ExpiredTokenException", "UnrecognizedClientException",
    "InvalidInputException" } do
    it("explains no " .. code, function()
      world.offset = 3600
      world.always[LIST] = refuse(code, 403)
      assert.equal(1, stub.failure(list, world:client()).attempts)
    end)
  end

  it("that was right once may be wrong now: the difference counts", function()
    local client = world:client()
    world.offset = 3600
    list(client)
    -- Our clock was set right meanwhile; the skew is a stale one.
    world.offset = 0
    world:next(LIST, refuse("RequestTimeTooSkewed", 403))
    local _, meta = list(client)
    assert.equal(2, meta.attempts)
    assert.equal(3600, signed(2))
    assert.equal(0, signed(3))
  end)

  it("as learnt before explains nothing again", function()
    local client = world:client()
    world.offset = 3600
    list(client)
    world.always[LIST] = refuse("AccessDeniedException", 403)
    assert.equal(1, stub.failure(list, client).attempts)
  end)

  it("explains nothing twice in a call, at most max_attempts times", function()
    world.always[LIST] = function(w)
      w.offset = w.offset + 600 -- it runs away
      return w:refusal("RequestTimeTooSkewed", 403)
    end
    local e = stub.failure(list, world:client())
    assert.equal(3, e.attempts)
    assert.equal("RequestTimeTooSkewed", e.code)
  end)

  it("without a Date explains nothing", function()
    world.offset = 3600
    world.always[LIST] = refuse("RequestTimeTooSkewed", 403, { date = false })
    assert.equal(1, stub.failure(list, world:client()).attempts)
  end)

  describe("is left alone where that is asked for", function()
    local getenv = core.getenv
    after_each(function() core.getenv = getenv end)

    local function check(options)
      local client = world:client(options)
      world.offset = 3600
      list(client)
      world.always[LIST] = refuse("RequestTimeTooSkewed", 403)
      assert.equal(1, stub.failure(list, client).attempts)
      for i = 1, #world.sent do
        assert.equal(0, signed(i))
      end
    end

    it("by the option", function()
      check { disable_clock_skew_correction = true }
    end)

    it("by the environment", function()
      core.getenv = function(name)
        return name == "AWS_DISABLE_CLOCK_SKEW_CORRECTION" and "true" or nil
      end
      check()
    end)
  end)
end)
