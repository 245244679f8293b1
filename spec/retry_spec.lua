--- What is tried again, how often, after how long, at what price; and what a
-- watcher, the meta table and an error say of it.

local core = require "personalize.core"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local lost, refuse, status = scripted.lost, scripted.refuse, scripted.status

local LIST, CREATE = "ListDataDeletionJobs", "CreateDataDeletionJob"
local CAPACITY, COST, THROTTLING_COST = 500, 14, 5

local world

local function reset()
  if world then
    world:restore()
  end
  world = scripted.world()
end

before_each(reset)
after_each(function()
  world:restore()
  world = nil
end)

-- How often a failure that never ends is tried, and what is slept.
local function tries(step, options)
  world.always[LIST] = step
  world.slept = {}
  local before = world:count()
  local e = stub.failure(function()
    world:client(options):list_data_deletion_jobs()
  end)
  return world:count() - before, e
end

local function near(expected, got)
  assert.equal(#expected, #got)
  for i, seconds in ipairs(expected) do
    assert.near(seconds, got[i], 1e-9)
  end
end

local THROTTLING = { "Throttling", "ThrottlingException",
  "ThrottledException", "RequestThrottledException",
  "TooManyRequestsException", "ProvisionedThroughputExceededException",
  "TransactionInProgressException", "RequestLimitExceeded",
  "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled",
  "SlowDown", "PriorRequestNotComplete", "EC2ThrottledException" }
local TRANSIENT = { "RequestTimeout", "RequestTimeoutException",
  "InternalError", "IDPCommunicationError" }
local FINAL = { "InvalidInputException", "ResourceNotFoundException",
  "ResourceAlreadyExistsException", "ResourceInUseException",
  "TooManyTagsException", "TooManyTagKeysException",
  "InvalidNextTokenException", "AccessDeniedException",
  "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure",
  "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture",
  "ValidationException", "throttling", "Throttling.Exception",
  "LimitExceededExceptionX", "LimitExceeded" }

describe("standard mode", function()
  for _, code in ipairs(THROTTLING) do
    it("takes " .. code .. " for throttling, whatever the status", function()
      for _, number in ipairs { 400, 403, 429, 500, 503 } do
        reset()
        local count, e = tries(refuse(code, number))
        assert.equal(3, count)
        near({ 1, 2 }, world.slept)
        assert.is_true(e.retryable)
        assert.equal(code, e.code)
        assert.equal(3, e.attempts)
      end
    end)
  end

  for _, code in ipairs(TRANSIENT) do
    it("takes " .. code .. " for passing", function()
      local count, e = tries(refuse(code, 400))
      assert.equal(3, count)
      near({ 0.05, 0.1 }, world.slept)
      assert.is_true(e.retryable)
    end)
  end

  for _, number in ipairs { 500, 502, 503, 504 } do
    it("tries a " .. number .. " again, whatever the code", function()
      for _, step in ipairs { refuse("ResourceNotFoundException", number),
        status(number), status(number, "<html>bad gateway</html>") } do
        reset()
        assert.equal(3, (tries(step)))
        near({ 0.05, 0.1 }, world.slept)
      end
    end)
  end

  for _, code in ipairs(FINAL) do
    it("does not try " .. code .. " again", function()
      local count, e = tries(refuse(code, 400))
      assert.equal(1, count)
      assert.equal(1, e.attempts)
      assert.is_false(e.retryable)
      assert.equal("service", e.kind)
    end)
  end

  for _, number in ipairs { 301, 302, 400, 401, 403, 404, 408, 409, 413, 429,
    501, 505, 511, 599 } do
    it("does not try a mere " .. number .. " again", function()
      local count, e = tries(status(number))
      assert.equal(1, count)
      assert.is_false(e.retryable)
      assert.equal("HTTP " .. number, e.code)
    end)
  end

  it("tries again what got lost on the way", function()
    for _, code in ipairs { "ConnectionError", "TimeoutError",
      "ResponseError" } do
      for _, sent in ipairs { true, false } do
        reset()
        local count, e = tries(lost(code, 0, sent))
        assert.equal(3, count)
        near({ 0.05, 0.1 }, world.slept)
        assert.equal(code, e.code)
        assert.equal("transport", e.kind)
        assert.is_true(e.retryable)
      end
    end
  end)

  it("tries a success again that cannot be read", function()
    for _, body in ipairs { "<html>", '{"a":', "[]", '"text"', "null", "{}x" }
    do
      reset()
      local count, e = tries(status(200, body))
      assert.equal(3, count, body)
      assert.equal("ResponseError", e.code)
      assert.equal(200, e.status)
    end
  end)

  it("does not try again what will not change", function()
    for _, failure in ipairs {
      { code = "TlsError", message = "m", sent = false },
      { code = "ConnectionError", message = "NXDOMAIN", retryable = false },
      { code = "ConfigError", message = "m" },
      { code = "InterruptedError", message = "m" },
    } do
      reset()
      local count, e = tries(function() return nil, failure end)
      assert.equal(1, count)
      assert.equal(failure.code, e.code)
      assert.is_false(e.retryable)
    end
  end)

  it("doubles the wait, up to 20 seconds", function()
    tries(status(500), { max_attempts = 12, timeout = 1000 })
    near({ 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20, 20 },
      world.slept)
    reset()
    tries(refuse "ThrottlingException", { max_attempts = 8, timeout = 1000 })
    near({ 1, 2, 4, 8, 16, 20, 20 }, world.slept)
  end)

  it("spreads the wait from nothing to all of it", function()
    for _, random in ipairs { 0, 0.25, 0.999 } do
      reset()
      core.uniform = function() return random end
      tries(status(500), { max_attempts = 12, timeout = 1000 })
      for i, ceiling in ipairs { 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4,
        12.8, 20, 20 } do
        assert.near(random * ceiling, world.slept[i], 1e-9)
      end
    end
  end)

  it("asks anew for each wait how to spread it", function()
    local asked = 0
    core.uniform = function()
      asked = asked + 1
      return asked / 10
    end
    tries(status(500))
    assert.is_true(world.slept[1] / 0.05 ~= world.slept[2] / 0.1)
  end)

  it("has a random source without two alike", function()
    world:restore()
    local seen, least, most = {}, 1, 0
    for _ = 1, 2000 do
      local n = core.uniform()
      seen[n] = (seen[n] or 0) + 1
      assert.is_true(seen[n] < 3)
      least, most = math.min(least, n), math.max(most, n)
    end
    assert.is_true(least >= 0 and least < 0.01)
    assert.is_true(most < 1 and most > 0.99)
  end)

  describe("with x-amz-retry-after", function()
    -- The wait after a first failure, whose own would be 50 ms or 1 s.
    for _, case in ipairs {
      { "1500", 1.5, 1.5 }, { "0", 0.05, 1 }, { "40", 0.05, 1 },
      { "5049", 5.049, 5.049 }, { "5051", 5.05, 5.051 },
      { "10000", 5.05, 6 }, { "999999999999", 5.05, 6 },
      { " 1500 ", 1.5, 1.5 },
      { "-1", 0.05, 1 }, { "1.5", 0.05, 1 }, { "1500ms", 0.05, 1 },
      { "0x10", 0.05, 1 }, { "", 0.05, 1 }, { "1e4", 0.05, 1 },
      { "+1500", 0.05, 1 }, { "Wed, 25 Nov 2026 00:00:00 GMT", 0.05, 1 },
      { ("9"):rep(400), 5.05, 6 },
    } do
      it("of " .. case[1]:sub(1, 30), function()
        for i, code in ipairs { "InternalError", "ThrottlingException" } do
          reset()
          tries(refuse(code, 500, { ["x-amz-retry-after"] = case[1] }),
            { max_attempts = 2 })
          near({ case[i + 1] }, world.slept)
        end
      end)
    end

    it("adds it to no spread: it is the wait", function()
      core.uniform = function() return 0 end
      tries(status(500, "", { ["x-amz-retry-after"] = "700" }))
      near({ 0.7, 0.7 }, world.slept)
    end)

    it("tries nothing again for its sake", function()
      assert.equal(1, (tries(refuse("InvalidInputException", 400,
        { ["x-amz-retry-after"] = "100" }))))
    end)

    it("is not HTTP's Retry-After", function()
      tries(status(503, "", { ["retry-after"] = "3" }), { max_attempts = 2 })
      near({ 0.05 }, world.slept)
    end)
  end)

  describe("has a budget", function()
    -- One more failing call after another; the attempts of each.
    local function drain(client, step)
      world.always[LIST] = step
      local counts = {}
      for i = 1, 100 do
        counts[i] = stub.failure(client.list_data_deletion_jobs, client)
          .attempts
      end
      return counts
    end

    local function retries_of(counts)
      local sum = 0
      for _, count in ipairs(counts) do
        sum = sum + count - 1
      end
      return sum
    end

    it("that passing failures use up", function()
      local counts = drain(world:client(), status(500))
      assert.equal(math.floor(CAPACITY / COST), retries_of(counts))
      assert.equal(3, counts[1])
      assert.equal(1, counts[100])
    end)

    it("that time-outs use up no faster", function()
      assert.equal(math.floor(CAPACITY / COST),
        retries_of(drain(world:client(), lost("TimeoutError", 0.1, true))))
    end)

    it("that throttling uses up", function()
      assert.equal(CAPACITY / THROTTLING_COST,
        retries_of(drain(world:client(), refuse "ThrottlingException")))
    end)

    it("of its own for each client", function()
      drain(world:client(), status(500))
      assert.equal(3, (tries(status(500))))
    end)

    it("that successes fill again, one token each", function()
      local client = world:client()
      drain(client, status(500)) -- leaves 10
      local function failing()
        world.always[LIST] = status(500)
        return stub.failure(client.list_data_deletion_jobs, client).attempts
      end
      for _ = 1, 3 do
        world.always[LIST] = nil
        client:list_data_deletion_jobs()
      end
      assert.equal(1, failing())
      world.always[LIST] = nil
      client:list_data_deletion_jobs()
      assert.equal(2, failing()) -- 14, and none is left
      assert.equal(1, failing())
    end)

    it("to which a call that got through gives its last retry back",
      function()
        local client = world:client()
        drain(client, status(500)) -- leaves 10
        world.always[LIST] = nil
        for _ = 1, 18 do -- 28: two retries
          client:list_data_deletion_jobs()
        end
        world:next(LIST, status(500), status(500))
        local _, meta = client:list_data_deletion_jobs()
        assert.equal(3, meta.attempts)
        world:next(LIST, status(500), status(500)) -- 14: one retry
        assert.equal(2, stub.failure(client.list_data_deletion_jobs, client)
          .attempts)
      end)

    it("whose end ends a call at once, with its own error", function()
      local client = world:client()
      drain(client, status(500))
      world.slept = {}
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("HTTP 500", e.code)
      assert.equal(1, e.attempts)
      assert.is_true(e.retryable)
      assert.equal(0, #world.slept)
    end)
  end)
end)

describe("max_attempts", function()
  it("counts them all", function()
    for _, n in ipairs { 1, 2, 3, 5, 10 } do
      reset()
      local count, e = tries(status(500), { max_attempts = n })
      assert.equal(n, count)
      assert.equal(n, e.attempts)
      assert.equal(n - 1, #world.slept)
    end
  end)

  it("is told to the service from the first attempt on", function()
    tries(status(500), { max_attempts = 4 })
    for i, request in ipairs(world.sent) do
      assert.equal(("attempt=%d; max=4"):format(i),
        request.headers["amz-sdk-request"])
    end
  end)

  it("must be a whole number above 0", function()
    for _, n in ipairs { 0, -1, 1.5, "3", 0 / 0, math.huge, true } do
      local e = stub.failure(personalize.new, { max_attempts = n })
      assert.equal("ConfigError", e.code)
      assert.truthy(e.message:find("max_attempts", 1, true))
    end
  end)
end)

describe("a retry", function()
  it("is signed anew, with credentials and a time of its own", function()
    local asked = 0
    tries(status(500), { credentials = function()
      asked = asked + 1
      return { access_key_id = "AKID" .. asked, secret_access_key = "S",
        session_token = "T" .. asked }
    end, sleep = function() world:pass(3) end })
    local signatures, dates = {}, {}
    for i, request in ipairs(world.sent) do
      local headers = request.headers
      signatures[headers.authorization:match("Signature=(%x+)")] = true
      dates[headers["x-amz-date"]] = true
      assert.truthy(headers.authorization:find("Credential=AKID" .. i .. "/"))
      assert.equal("T" .. i, headers["x-amz-security-token"])
    end
    for _, set in ipairs { signatures, dates } do
      local count = 0
      for _ in pairs(set) do
        count = count + 1
      end
      assert.equal(3, count)
    end
  end)

  it("has the call's invocation id, and no other call has it", function()
    local ids = {}
    for i = 1, 3 do
      tries(status(500))
      ids[i] = world.sent[#world.sent].headers["amz-sdk-invocation-id"]
      for j = 0, 2 do
        assert.equal(ids[i], world.sent[#world.sent - j]
          .headers["amz-sdk-invocation-id"])
      end
    end
    assert.truthy(ids[1]:match("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$"))
    assert.is_true(ids[1] ~= ids[2] and ids[2] ~= ids[3])
  end)

  it("sends the same input", function()
    world:next(CREATE, status(500), status(500))
    world:client():create_data_deletion_job(scripted.job())
    assert.same(world.sent[1].input, world.sent[3].input)
  end)

  it("is counted in meta, and told of", function()
    world:next(LIST, refuse("SlowDown", 503), status(502))
    local _, meta = world:client():list_data_deletion_jobs()
    assert.equal(3, meta.attempts)
    assert.equal(200, meta.status)
    assert.equal("request-3", meta.request_id)
    assert.near(1 + 0.1 + 3 * world.latency, meta.elapsed, 1e-6)

    local names = {}
    for i, event in ipairs(world.events) do
      names[i] = event.name
      assert.equal(LIST, event.operation)
    end
    assert.equal("attempt retry attempt retry attempt call",
      table.concat(names, " "))
    local first, wait, second, again, third = (unpack or table.unpack)(
      world.events)
    assert.equal(1, first.attempt)
    assert.equal(503, first.status)
    assert.equal("SlowDown", first.code)
    assert.equal("request-1", first.request_id)
    assert.near(world.latency, first.elapsed, 1e-6)
    assert.truthy(first.endpoint:find("^https://personalize%.eu%-west%-1"))
    assert.equal("eu-west-1", first.region)
    assert.equal(1, wait.attempt)
    assert.near(1, wait.delay, 1e-9)
    assert.equal("SlowDown", wait.code)
    assert.equal(2, second.attempt)
    assert.equal("HTTP 502", second.code)
    assert.near(0.1, again.delay, 1e-9)
    assert.equal(3, third.attempt)
    assert.equal(200, third.status)
    assert.is_nil(third.code)
  end)

  it("is none without a wait that was slept", function()
    world:next(LIST, status(500))
    local e = stub.failure(function()
      world:client { sleep = function() return false end }
        :list_data_deletion_jobs()
    end)
    assert.equal("InterruptedError", e.code)
    assert.equal("client", e.kind)
    assert.equal(1, e.attempts)
    assert.equal(1, world:count())
  end)

  it("costs no answer where its watcher fails", function()
    world:next(LIST, status(500))
    local _, meta = world:client { on_event = function() error "watcher" end }
      :list_data_deletion_jobs()
    assert.equal(2, meta.attempts)
  end)
end)

describe("LimitExceededException", function()
  it("of a create is raised after quick attempts, and explains itself",
    function()
      world.quota = 0
      local before = world.monotonic
      local e = stub.failure(function()
        world:client():create_data_deletion_job(scripted.job())
      end)
      assert.equal("LimitExceededException", e.code)
      assert.equal("service", e.kind)
      assert.equal(400, e.status)
      assert.equal(3, e.attempts)
      assert.falsy(e.unclear)
      assert.truthy(e.message:find("refused: LimitExceeded", 1, true))
      assert.truthy(e.message:find("5 PENDING", 1, true))
      assert.is_true(world.monotonic - before < 4)
    end)

  it("of another operation says nothing of jobs", function()
    local _, e = tries(refuse "LimitExceededException")
    assert.falsy(e.message:find("PENDING", 1, true))
  end)
end)

describe("attempts and retryable of an error", function()
  it("are 0 and false for what was never sent", function()
    local e = stub.failure(function()
      world:client():create_data_deletion_job {}
    end)
    assert.equal("ParamValidationError", e.code)
    assert.equal(0, e.attempts)
    assert.falsy(e.retryable)
    assert.equal(0, world:count())
  end)

  it("stand in its text", function()
    local _, e = tries(status(503))
    assert.truthy(tostring(e):find("HTTP 503", 1, true))
    assert.truthy(tostring(e):find("3 attempts", 1, true))
  end)
end)
