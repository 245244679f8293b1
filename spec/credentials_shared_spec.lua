--- Credentials that workers keep together: one asks, the others read, on a
-- clock and a dictionary of the spec's own.

local cache = require "personalize.credentials.cache"
local cjson = require "cjson"
local core = require "personalize.core"
local shared = require "personalize.credentials.shared"
local workers = require "spec.support.workers"

local KEY = "personalize:plan"
local LEASE = 5

describe("credentials that workers share", function()
  if not workers.can_yield then
    pending "Lua 5.1 cannot leave a pcall for another coroutine"
    return
  end

  local scene, source, warnings

  before_each(function()
    scene, warnings = workers.new(), {}
    -- What the source does: it takes `takes` seconds.
    source = { asked = 0, takes = 0.2, lifetime = 3600, is_stable = true }
  end)
  after_each(function()
    scene:finish()
  end)

  -- Asks the source, from whichever worker.
  local function ask()
    source.asked = source.asked + 1
    local id = "AKID-" .. source.asked
    local takes, failure = source.takes, source.failure
    if type(takes) == "table" then
      takes = takes[source.asked]
    end
    if type(failure) == "table" and failure[1] then
      failure = failure[source.asked]
    end
    local expiration = source.lifetime and core.now() + source.lifetime
    scene:sleep(takes)
    if failure then
      local copy = {}
      for name, value in pairs(failure) do
        copy[name] = value
      end
      return nil, copy
    end
    return { access_key_id = id, secret_access_key = "secret of " .. id,
      session_token = "token", expiration = expiration,
      source = "container", account_id = "123456789012",
      is_stable = source.is_stable }
  end

  local function new_share(key, sleep)
    return shared.new { dict = scene.dict, key = key or KEY, fetch = ask,
      sleep = sleep or function(seconds) return scene:sleep(seconds) end,
      warn = function(text) warnings[#warnings + 1] = text end }
  end

  local function worker(key)
    return cache.new(function() error "asked without the others" end,
      { share = function() return new_share(key) end })
  end

  -- Asks a worker at a time; the answer's table is filled when it is there.
  local function get(delay, from, patience)
    local answer = {}
    answer.task = scene:start(delay, function()
      local found, failure = from:get(patience and
        core.monotonic() + patience)
      answer.found, answer.failure, answer.at = found, failure, scene.time
      answer.id = found and found.access_key_id
    end)
    return answer
  end

  local function ids(answers)
    local seen = {}
    for i, answer in ipairs(answers) do
      seen[i] = answer.id or answer.failure and answer.failure.code or "none"
    end
    return table.concat(seen, " ")
  end

  it("are asked for once, by whoever comes first", function()
    local answers = {}
    for i = 1, 6 do
      answers[i] = get(i / 100, worker())
    end
    scene:run()
    assert.equal("AKID-1 AKID-1 AKID-1 AKID-1 AKID-1 AKID-1", ids(answers))
    assert.equal(1, source.asked)
    for _, answer in ipairs(answers) do
      assert.is_true(answer.at < 0.4, answer.at)
    end
  end)

  it("arrive whole", function()
    local one, other = get(0, worker()), get(1, worker())
    scene:run()
    assert.same(one.found, other.found)
    assert.not_equal(one.found, other.found)
    assert.equal("container", other.found.source)
    assert.equal("123456789012", other.found.account_id)
    assert.is_true(other.found.is_stable)
  end)

  it("are asked for once a window, with a window by the lifetime", function()
    for lifetime, window in pairs { [3600] = 2700, [900] = 600, [8] = 2 } do
      scene:finish()
      scene, source.asked = workers.new(), 0
      source.lifetime, source.takes = lifetime, 0.001
      for _ = 1, 4 do
        local kept = worker()
        scene:start(0, function()
          while scene.time < 10 * window - window / 2 do
            assert(kept:get())
            scene:sleep(window / 50)
          end
        end)
      end
      scene:run()
      assert.equal(10, source.asked, "lifetime " .. lifetime)
    end
  end)

  it("are handed on while another worker asks early", function()
    local a, b = worker(), worker()
    get(0, a)
    get(1, b)
    local asking, beside = get(2800, a), get(2800.05, b)
    local later = get(2801, b)
    scene:run()
    assert.equal("AKID-2 AKID-1 AKID-2", ids { asking, beside, later })
    assert.is_true(beside.at < 2800.06)
    assert.equal(2, source.asked)
  end)

  it("are not looked for with every call while another worker asks", function()
    local a, b = worker(), worker()
    get(0, a)
    get(1, b)
    scene:run()
    get(2800, a)
    for i = 1, 100 do
      get(2800 + i / 1000, b)
    end
    local before = scene.uses
    scene:run()
    assert.equal(2, source.asked)
    assert.is_true(scene.uses - before < 20, scene.uses - before)
  end)

  it("do not depend on a worker that is killed while it asks", function()
    local victim = get(0, worker())
    source.takes = 1
    local answers = { get(0.3, worker()), get(0.4, worker()) }
    scene:start(0.1, function() scene:kill(victim.task) end)
    scene:run()
    assert.equal("AKID-2 AKID-2", ids(answers))
    assert.equal(2, source.asked)
    for _, answer in ipairs(answers) do
      assert.is_true(answer.at >= LEASE and answer.at < LEASE + 1.3, answer.at)
    end
    -- What a late answer is measured by.
    local asked = cjson.decode(scene.dict:get(KEY)).asked
    assert.is_true(core.monotonic() - scene.time + LEASE <= asked)
  end)

  it("come from the next where one takes too long, without its lock", function()
    source.takes = { 7, 4 }
    source.failure = { { code = "CredentialsError", kind = "client",
      message = "late" }, false }
    local late, next_one = get(0, worker()), get(0.1, worker())
    local tokens = {}
    for i, at in ipairs { 4, 6.5, 7.5, 9.5 } do
      scene:start(at, function()
        tokens[i] = scene.dict:get(KEY .. ":lock") or "none"
      end)
    end
    scene:run()
    assert.equal("CredentialsError AKID-2", ids { late, next_one })
    assert.not_equal(tokens[1], tokens[2])
    assert.equal(tokens[2], tokens[3])
    assert.equal("none", tokens[4])
  end)

  it("keep a lock that somebody else has taken", function()
    scene:start(0, function()
      local share = new_share()
      assert.is_true(share:lock(nil, function() return false end))
      scene.dict:set(KEY .. ":lock", "another's", LEASE)
      share:release()
      assert.equal("another's", scene.dict:get(KEY .. ":lock"))
    end)
    scene:run()
  end)

  it("are not undone by an answer that came late", function()
    source.takes = { 7, 0.5 }
    local late, next_one = get(0, worker()), get(0.1, worker())
    local after = get(8, worker())
    scene:run()
    assert.equal("AKID-1 AKID-2 AKID-2", ids { late, next_one, after })
    assert.equal(2, source.asked)
  end)

  it("come from another who was faster, where the source has none", function()
    source.takes = { 7, 0.5 }
    source.failure = { { code = "CredentialsError", kind = "client",
      message = "late" }, false }
    local late, next_one = get(0, worker()), get(0.1, worker())
    scene:run()
    assert.equal("AKID-2 AKID-2", ids { late, next_one })
  end)

  it("are not taken where newer ones could not be handed on", function()
    local kept = worker()
    get(0, kept)
    scene:run()
    kept:invalidate "AKID-1"
    scene.is_full = true
    local second = get(1, kept)
    scene:run()
    scene.is_full = false
    kept:invalidate "AKID-2"
    local third = get(1, kept)
    scene:run()
    assert.equal("AKID-2 AKID-3", ids { second, third })
  end)

  it("are each plan's own", function()
    local a, b = get(0, worker "personalize:a"), get(0, worker "personalize:b")
    local c = get(1, worker "personalize:a")
    scene:run()
    assert.equal("AKID-1 AKID-2 AKID-1", ids { a, b, c })
  end)

  local function entry(change)
    local made = { version = 1, lifetime = 3600, asked = core.monotonic(),
      credentials = { access_key_id = "AKID-FOREIGN", is_stable = true,
        secret_access_key = "s", expiration = core.now() + 3600 } }
    change(made)
    return cjson.encode(made)
  end

  it("are read where somebody else wrote them as they should be", function()
    scene.dict:set(KEY, entry(function() end))
    local answer = get(0, worker())
    scene:run()
    assert.equal("AKID-FOREIGN", answer.id)
  end)

  it("are not taken from content that is none of ours", function()
    local foreign = { "", "{", "null", "17", "[]", "{}", "\0\255",
      entry(function(e) e.version = 2 end),
      entry(function(e) e.version = nil end),
      entry(function(e) e.lifetime = "long" end),
      entry(function(e) e.asked = nil end),
      entry(function(e) e.asked = core.monotonic() + 1000 end),
      entry(function(e) e.credentials = "AKID" end),
      entry(function(e) e.credentials.expiration = nil end),
      entry(function(e) e.credentials.expiration = "soon" end),
      entry(function(e) e.credentials.access_key_id = nil end),
      entry(function(e) e.credentials.access_key_id = "with\nbreak" end),
      entry(function(e) e.credentials.secret_access_key = {} end),
      entry(function(e) e.credentials.session_token = 17 end) }
    for i, text in ipairs(foreign) do
      source.asked = 0
      scene.dict:set(KEY, text)
      local answers = { get(0, worker()), get(1, worker()) }
      scene:run()
      assert.equal("AKID-1 AKID-1", ids(answers), "text " .. i)
      assert.equal(1, source.asked)
    end
  end)

  it("leave no source alone for longer than the rule has it", function()
    local quiet = entry(function(e)
      e.quiet_until = core.now() + 600
      e.credentials.expiration = core.now() - 1
    end)
    scene.dict:set(KEY, quiet)
    local early, later = get(0, worker()), get(601, worker())
    scene:run()
    assert.equal("AKID-FOREIGN AKID-1", ids { early, later })
    scene.time = 0
    scene.dict:set(KEY, (quiet:gsub('("quiet_until":)[^,}]*', "%11e18")))
    local at_once = get(0, worker())
    scene:run()
    assert.equal("AKID-2", at_once.id)
  end)

  it("do not wait for ever for a lock without an end", function()
    scene.dict:set(KEY .. ":lock", "nobody's")
    local answers = { get(0, worker()), get(0.01, worker()) }
    scene:run()
    assert.equal("AKID-1 AKID-1", ids(answers))
    assert.is_true(answers[2].at < LEASE + 1, answers[2].at)
  end)

  it("are each worker's own where the dictionary is full, as is told",
    function()
      scene.is_full = true
      local a, b = worker(), worker()
      local answers = { get(0, a), get(0.1, b), get(1, a), get(1, b) }
      scene:run()
      assert.equal("AKID-1 AKID-2 AKID-1 AKID-2", ids(answers))
      assert.equal(2, #warnings)
      assert.truthy(warnings[1]:find("lua_shared_dict NAME 1m;", 1, true))
    end)

  it("are waited for no longer than a caller has time", function()
    source.takes = 4
    get(0, worker())
    local hasty = get(0.1, worker(), 1)
    scene:run()
    assert.equal("TimeoutError", hasty.failure.code)
    assert.is_true(hasty.failure.retryable)
    assert.is_true(math.abs(hasty.at - 1.1) < 0.01, hasty.at)
  end)

  it("are used to their end by a caller without time", function()
    local a, b = worker(), worker()
    get(0, a)
    get(0, b)
    source.takes = { 0.2, 4 }
    get(3560, a)
    local hasty = get(3560.1, b, 1)
    scene:run()
    assert.equal("AKID-1", hasty.id)
    assert.is_true(hasty.at < 3561.2)
  end)

  it("are waited for until somebody interrupts that", function()
    local failure
    scene.dict:set(KEY .. ":lock", "another's", LEASE)
    scene:start(0, function()
      local _
      _, failure = new_share(KEY, function() return false end):lock(nil,
        function() return false end)
    end)
    scene:run()
    assert.equal("InterruptedError", failure.code)
  end)

  it("are not taken back where AWS has refused them", function()
    local a, b = worker(), worker()
    local first = { get(0, a), get(0.5, b) }
    scene:run()
    assert.equal("AKID-1 AKID-1", ids(first))
    a:invalidate "AKID-1"
    local of_a = get(1, a)
    scene:run()
    assert.equal("AKID-2", of_a.id)
    local not_told = get(1, b)
    scene:run()
    assert.equal("AKID-1", not_told.id)
    b:invalidate "AKID-1"
    local of_b = get(1, b)
    scene:run()
    assert.equal("AKID-2", of_b.id)
    assert.equal(2, source.asked)
    b:invalidate "AKID-1"
    local again = get(1, b)
    scene:run()
    assert.equal("AKID-2", again.id)
    assert.equal(2, source.asked)
  end)

  it("are not taken back though another asked for the same ones", function()
    local function at(seconds)
      scene.dict:set(KEY, entry(function(e)
        e.asked = core.monotonic() + seconds
      end))
    end
    local kept = worker()
    at(-10)
    local first = get(0, kept)
    scene:run()
    at(0)
    kept:invalidate "AKID-FOREIGN"
    local second = get(0, kept)
    scene:run()
    assert.equal("AKID-FOREIGN AKID-1", ids { first, second })
  end)

  local DOWN = { code = "CredentialsError", kind = "client",
    message = "it is down", retryable = true }

  it("fail for all who wait when the source has none", function()
    source.failure = DOWN
    local answers = {}
    for i = 1, 5 do
      answers[i] = get(i / 100, worker())
    end
    local next_one = get(2, worker())
    scene:run()
    for i = 1, 5 do
      assert.same(DOWN, answers[i].failure)
    end
    assert.equal("CredentialsError", next_one.failure.code)
    assert.equal(2, source.asked)
  end)

  it("are asked for by one of them while the source is down", function()
    local kept = {}
    for i = 1, 4 do
      kept[i] = worker()
      get(0, kept[i])
    end
    scene:run()
    source.failure = DOWN
    local late = {}
    for i = 1, 4 do
      late[i] = get(3700 + i / 100, kept[i])
      late[i + 4] = get(3800, kept[i])
    end
    -- One that was started since, after a reload.
    late[9] = get(3900, worker())
    scene:run()
    assert.equal(("AKID-1 "):rep(9), ids(late) .. " ")
    assert.equal(2, source.asked)
    source.failure = nil
    local back = get(700, kept[2])
    scene:run()
    assert.equal("AKID-3", back.id)
  end)

  it("end with an error that nothing mends but people", function()
    local a, b = worker(), worker()
    get(0, a)
    get(0, b)
    scene:run()
    source.failure = { code = "CredentialsError", kind = "client",
      message = "log in again", unrecoverable = true }
    local answers = { get(3590, a), get(3590.1, b) }
    scene:run()
    for _, answer in ipairs(answers) do
      assert.is_true(answer.failure.unrecoverable)
    end
    assert.equal(2, source.asked)
  end)

  it("are asked for by the next where one's own time ended", function()
    source.takes = { 1, 0.5 }
    source.failure = { { code = "TimeoutError", kind = "transport",
      message = "too slow" }, false }
    local hasty, patient = get(0, worker(), 1), get(0.1, worker(), 20)
    scene:run()
    assert.equal("TimeoutError AKID-2", ids { hasty, patient })
    assert.is_true(patient.at < 2, patient.at)
  end)

  it("are asked for where a failure was told before one waited", function()
    source.takes = { 0.1, 1, 0.1 }
    source.failure = { DOWN, { code = "TimeoutError", kind = "transport",
      message = "too slow" }, false }
    local early, hasty = get(0, worker()), get(1, worker(), 1)
    local patient = get(1.1, worker(), 20)
    scene:run()
    assert.equal("CredentialsError TimeoutError AKID-3",
      ids { early, hasty, patient })
  end)

  it("without an end are nobody else's", function()
    source.lifetime, source.is_stable = nil, nil
    local answers = { get(0, worker()), get(1, worker()) }
    scene:run()
    assert.equal("AKID-1 AKID-2", ids(answers))
    assert.is_nil(scene.dict:get(KEY))
    assert.is_nil(scene.dict:get(KEY .. ":lock"))
  end)

  it("of a command go with their expiration", function()
    source.is_stable = nil
    get(0, worker())
    scene:run()
    scene.time = 3599
    assert.truthy(scene.dict:get(KEY))
    scene.time = 3601
    assert.is_nil(scene.dict:get(KEY))
  end)

  it("leave no lock behind when asking raises an error",
    function()
      local raising = cache.new(function() end, { share = function()
        local share = new_share()
        share.fetch = function() error "broken" end
        return share
      end })
      local one, other = get(0, raising), get(0.1, worker())
      scene:run()
      assert.equal("CredentialsError AKID-1", ids { one, other })
      assert.is_true(other.at < 1, other.at)
    end)
end)
