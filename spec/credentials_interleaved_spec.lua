--- Workers that share credentials, in random order: between any two uses of
-- the dictionary others run, some are killed, some sources are slow, some
-- credentials are refused early. PERSONALIZE_SOAK makes it so many rounds.

local cache = require "personalize.credentials.cache"
local core = require "personalize.core"
local shared = require "personalize.credentials.shared"
local workers = require "spec.support.workers"

local ROUNDS = tonumber(os.getenv "PERSONALIZE_SOAK") or 60
local WORKERS, CALLS = 4, 40
local LEASE, PATIENCE = 5, 60
-- From the end of asking until the others can know.
local SLACK = 0.05

-- Of its own, so that a seed is the same round on every Lua.
local function dice(seed)
  local state = seed
  return function(most)
    state = (state * 16807) % 2147483647
    return state / 2147483647 * most
  end
end

-- What is granted, to whom, and who asked meanwhile.
local function new_source(scene, roll, plan, round)
  local source = { asks = {}, refused = {}, granted = {} }
  function source.ask(task)
    local ask = { began = scene.time, task = task }
    for _, other in ipairs(source.asks) do
      -- Only one whose lease ran out is overtaken; it may have been killed.
      if not other.ended and scene.time - other.began < LEASE - 0.5 and
        not other.full then
        error(("seed %d: two ask at %.3f"):format(round.seed, scene.time))
      end
    end
    ask.full = scene.is_full
    source.asks[#source.asks + 1] = ask
    local lifetime = 4 + roll(40)
    local id = ("AKID-%s-%d"):format(plan, #source.asks)
    scene:sleep(roll(10) < 1 and roll(9) or roll(0.3))
    ask.ended = true
    if roll(12) < 1 then
      source.failed_at = scene.time
      return nil, { code = "CredentialsError", kind = "client",
        message = "now and then" }
    end
    local expiration = core.now() + lifetime
    source.granted[id] = expiration
    return { access_key_id = id, secret_access_key = "secret",
      expiration = expiration }
  end
  return source
end

local function play(seed)
  local roll = dice(seed)
  local round = { seed = seed, calls = 0, failures = 0, asks = 0, killed = 0 }
  local scene
  scene = workers.new(function()
    if coroutine.running() and scene.is_running and roll(4) < 1 then
      scene:sleep(roll(0.002))
    end
  end)
  local sources = {}
  for _, plan in ipairs { "a", "b" } do
    sources[plan] = new_source(scene, roll, plan, round)
  end

  local function one_call(kept, source, plan, rejected)
    local began = scene.time
    local found, failure = kept:get(core.monotonic() + PATIENCE)
    round.calls = round.calls + 1
    -- A caller waits for a few that die or dawdle, and never beyond its time.
    assert(scene.time - began <= PATIENCE + 10, "it took too long")
    if not found then
      round.failures = round.failures + 1
      assert(failure.code == "CredentialsError" or
        failure.code == "TimeoutError", failure.code)
      assert(failure.code == "TimeoutError" or source.failed_at + SLACK >=
        began,
        "told of a failure before its time")
      return
    end
    local id = found.access_key_id
    assert(id:find("^AKID%-" .. plan .. "%-"), plan .. " got " .. id)
    assert(source.granted[id], "never granted")
    assert(found.expiration > core.now(), "expired")
    assert(not rejected[id], "taken back: " .. id)
    if roll(15) < 1 then
      rejected[id] = true
      kept:invalidate(id)
    end
  end

  for i = 1, WORKERS do
    local plan = roll(2) < 1 and "a" or "b"
    local source, task = sources[plan], nil
    local kept = cache.new(function() end, { share = function()
      return shared.new { dict = scene.dict, key = "personalize:" .. plan,
        fetch = function() return source.ask(task) end,
        sleep = function(seconds) return scene:sleep(seconds) end,
        warn = function() end }
    end })
    local rejected = {}
    task = scene:start(roll(0.5), function()
      for _ = 1, CALLS do
        one_call(kept, source, plan, rejected)
        scene:sleep(roll(1.5))
      end
    end)
    if i > 1 and roll(3) < 1 then
      scene:start(roll(40), function()
        scene:kill(task)
        round.killed = round.killed + 1
      end)
    end
  end
  scene.is_running = true
  local ok, why = pcall(scene.run, scene)
  scene:finish()
  if not ok then
    error(("seed %d: %s"):format(seed, tostring(why)), 0)
  end
  for _, source in pairs(sources) do
    round.asks = round.asks + #source.asks
  end
  return round
end

describe("workers in any order", function()
  if not workers.can_yield then
    pending "Lua 5.1 cannot leave a pcall for another coroutine"
    return
  end

  it("never swap, take back, use up or ask for the same twice", function()
    local sums = { calls = 0, failures = 0, asks = 0, killed = 0 }
    for seed = 1, ROUNDS do
      local round = play(seed)
      for name in pairs(sums) do
        sums[name] = sums[name] + round[name]
      end
    end
    print(("\n%d rounds: %d calls, %d of the source, %d failed, %d workers " ..
      "killed"):format(ROUNDS, sums.calls, sums.asks, sums.failures,
      sums.killed))
    assert.is_true(sums.killed > 0 and sums.failures > 0)
    assert.is_true(sums.calls > 4 * sums.asks)
  end)

  -- One fails, a second waits and is told so, a third comes at any moment.
  it("tell of a failure only who waited for it", function()
    for step = 0, 400 do
      local scene
      scene = workers.new(function() scene:sleep(0.01) end)
      local asked, failed_at = 0, nil
      local function worker()
        return cache.new(function() end, { share = function()
          return shared.new { dict = scene.dict, key = "k",
            sleep = function(seconds) return scene:sleep(seconds) end,
            fetch = function()
              asked = asked + 1
              local is_first = asked == 1
              scene:sleep(0.2)
              if is_first then
                failed_at = scene.time
                return nil, { code = "CredentialsError", kind = "client",
                  message = "once" }
              end
              return { access_key_id = "AKID", secret_access_key = "s",
                expiration = core.now() + 3600 }
            end }
        end })
      end
      local failure
      scene:start(0, function() worker():get() end)
      scene:start(0.02, function() worker():get() end)
      scene:start(0.2 + step / 1000, function()
        local began, _ = scene.time, nil
        _, failure = worker():get()
        if failure and failed_at + SLACK < began then
          failure = "told of what was before"
        end
      end)
      local ok, why = pcall(scene.run, scene)
      scene:finish()
      assert(ok, why)
      assert.not_equal("told of what was before", failure)
    end
  end)
end)
