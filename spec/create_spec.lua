--- A create is answered once: it ends with the ARN of its own job, or with an
-- error that is true, whatever became of the answers on their way.

local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

local done, lost = scripted.done, scripted.lost
local refuse, status = scripted.refuse, scripted.status

local CREATE, LIST, DESCRIBE = "CreateDataDeletionJob",
  "ListDataDeletionJobs", "DescribeDataDeletionJob"
local MONTH = 30 * 86400

describe("a create", function()
  local world, client

  before_each(function()
    world = scripted.world()
    client = world:client()
  end)
  after_each(function()
    world:restore()
  end)

  local function create(more, with)
    return (with or client):create_data_deletion_job(scripted.job(more))
  end

  local function fails(more, with)
    return stub.failure(create, more, with)
  end

  -- The call answered with the ARN of the one job there is.
  local function found(out, meta)
    assert.equal(scripted.arn "gdpr-1", out.dataDeletionJobArn)
    assert.is_true(meta.reconciled)
    assert.equal(CREATE, meta.operation)
    assert.equal("eu-west-1", meta.region)
    assert.truthy(meta.endpoint)
    assert.equal(1, #world.jobs)
  end

  it("that is answered looks for nothing", function()
    local out, meta = create()
    assert.equal(scripted.arn "gdpr-1", out.dataDeletionJobArn)
    assert.is_nil(meta.reconciled)
    assert.equal(1, world:count())
  end)

  it("that succeeds at a later attempt looks for nothing", function()
    world:next(CREATE, lost("TimeoutError", 1), refuse("Oops", 503))
    local out, meta = create()
    assert.equal(scripted.arn "gdpr-1", out.dataDeletionJobArn)
    assert.is_nil(meta.reconciled)
    assert.equal(3, meta.attempts)
    assert.equal(3, world:count())
  end)

  -- Every way in which an answer can be lost after the job was made.
  local LOST = {
    ["timed out"] = lost("TimeoutError", 5, true),
    ["was reset after it was sent"] = lost("ConnectionError", 0, true),
    ["was cut off, not knowing where"] = lost("ConnectionError", 0, nil),
    ["had an answer that was cut"] = lost("ResponseError", 0, true),
    ["ended without any reason"] = function() return nil end,
    ["ended with a mere text"] = function() return nil, "gone" end,
    ["was answered by 500"] = refuse("InternalFailure", 500),
    ["was answered by 502 of a proxy"] = status(502, "<html>bad</html>"),
    ["was answered by 503"] = refuse("ServiceUnavailable", 503),
    ["was answered by 504"] = status(504, ""),
    ["was throttled with a 503"] = refuse("ThrottlingException", 503),
    ["had half an answer"] = status(200, '{"dataDeletionJobArn":"arn:a'),
    ["had a page as an answer"] = status(200, "<html>welcome</html>"),
    ["had an answer of no use"] = status(200, '{"other":true}'),
    ["had an empty answer"] = status(200, ""),
    ["had an ARN that is none"] = status(200, '{"dataDeletionJobArn":7}'),
    ["had no response to read"] = function() return {} end,
  }

  for name, step in pairs(LOST) do
    it("whose first attempt was done and " .. name .. " is found", function()
      world:next(CREATE, done(step))
      local out, meta = create()
      found(out, meta)
      assert.is_true(meta.attempts == 1 or meta.attempts == 2)
      assert.equal(meta.attempts, world:count(CREATE))
    end)

    it("whose only attempt was done and " .. name .. " is found", function()
      world:next(CREATE, done(step))
      local out, meta = create(nil, world:client { max_attempts = 1 })
      found(out, meta)
      assert.equal(1, meta.attempts)
    end)

    it("whose only attempt was not done and " .. name .. " is unclear",
      function()
        world:next(CREATE, step)
        local e = fails(nil, world:client { max_attempts = 1 })
        assert.is_true(e.unclear)
        assert.equal(1, e.attempts)
        -- More than one look, since lists may lag.
        assert.is_true(world:count(LIST) > 1)
      end)
  end

  it("says what it is unclear about", function()
    world:next(CREATE, lost("TimeoutError", 1), lost("TimeoutError", 1),
      lost("TimeoutError", 1))
    local e = fails()
    assert.equal("TimeoutError", e.code)
    assert.equal("transport", e.kind)
    assert.equal(3, e.attempts)
    assert.is_true(e.unclear)
    assert.truthy(e.message:find("lost: TimeoutError", 1, true))
    assert.truthy(e.message:find("may", 1, true), e.message)
  end)

  -- Whatever ends the call after an attempt that may have been done.
  for _, code in ipairs { "ResourceAlreadyExistsException",
    "LimitExceededException", "ResourceInUseException",
    "ResourceNotFoundException", "InvalidInputException",
    "AccessDeniedException", "ExpiredTokenException",
    "TooManyTagsException" } do
    it("that is then refused with " .. code .. " is found", function()
      local no = refuse(code)
      world:next(CREATE, done(lost("TimeoutError", 1)), no, no, no)
      found(create())
    end)
  end

  it("is found where the retry does not even reach the service", function()
    local no = lost("ConnectionError", 0, false)
    world:next(CREATE, done(lost("TimeoutError", 1)), no, no)
    found(create())
  end)

  it("is found where the certificate is wrong at the retry", function()
    world:next(CREATE, done(lost("TimeoutError", 1)), lost("TlsError", 0,
      false))
    local out, meta = create()
    found(out, meta)
    assert.equal(2, meta.attempts)
  end)

  describe("of a name that is taken", function()
    it("is refused at once where its first attempt is clean", function()
      world:add(scripted.job())
      local e = fails()
      assert.equal("ResourceAlreadyExistsException", e.code)
      assert.falsy(e.unclear)
      assert.equal(1, e.attempts)
      assert.equal(1, world:count())
    end)

    -- What was sent for certain not to have arrived leaves nothing unclear.
    for name, step in pairs {
      ["a refused connection"] = lost("ConnectionError", 0, false),
      ["a throttled request"] = refuse("ThrottlingException", 400),
      ["a 429"] = refuse("TooManyRequestsException", 429),
    } do
      it("is refused as well after " .. name, function()
        world:add(scripted.job())
        world:next(CREATE, step)
        local e = fails()
        assert.equal("ResourceAlreadyExistsException", e.code)
        assert.falsy(e.unclear)
        assert.equal(2, e.attempts)
        assert.equal(0, world:count(LIST))
      end)
    end

    local function is_other(e, hint)
      assert.equal("ResourceAlreadyExistsException", e.code)
      assert.falsy(e.unclear)
      assert.equal("service", e.kind)
      assert.equal(2, e.attempts)
      assert.truthy(e.message:find(scripted.arn "gdpr-1", 1, true), e.message)
      assert.truthy(e.message:find(hint, 1, true), e.message)
      assert.equal(1, #world.jobs)
    end

    for name, case in pairs {
      ["somebody else's list"] = { "list", { dataSource = { dataLocation =
        "s3://erasure/2026-10/users.csv" } } },
      ["another role"] = { "role", { roleArn =
        "arn:aws:iam::123456789012:role/Other" } },
      ["another dataset group"] = { "group", { datasetGroupArn =
        scripted.OTHER_GROUP } },
    } do
      it("by " .. name .. " stays refused, and says by what", function()
        world:add(scripted.job(case[2]))
        world:next(CREATE, lost("TimeoutError", 1))
        is_other(fails(), case[1])
      end)
    end

    it("by a job of last month at the same key stays refused", function()
      world:add(scripted.job(), world:server_time() - MONTH)
      world:next(CREATE, lost("TimeoutError", 1))
      is_other(fails(), "older")
    end)

    it("is judged by the service's clock, not by ours", function()
      for _, offset in ipairs { -7200, 7200, -400 * 86400 } do
        world:restore()
        world = scripted.world()
        world.offset = offset
        world:next(CREATE, done(lost("TimeoutError", 5)))
        found(create(nil, world:client()))
      end
      world:restore()
      world = scripted.world()
      world.offset = 7200
      world:add(scripted.job(), world:server_time() - 3600)
      world:next(CREATE, lost("TimeoutError", 1))
      is_other(fails(nil, world:client()), "older")
    end)

    it("allows the service's clock a minute", function()
      local function made(seconds_ago)
        return function(w)
          w:add(scripted.job(), w:server_time() - seconds_ago)
          return nil, { code = "TimeoutError" }
        end
      end
      world:next(CREATE, made(50))
      found(create())
      world.jobs = {}
      world:next(CREATE, made(70))
      is_other(fails(), "older")
    end)
  end)

  it("whose own job took the last place is found", function()
    world.quota = 1
    world:next(CREATE, done(refuse("InternalFailure", 500)))
    -- The name is looked up after the quota, at this service.
    world:next(CREATE, refuse "LimitExceededException",
      refuse "LimitExceededException")
    local out, meta = create()
    found(out, meta)
    assert.equal(3, meta.attempts)
  end)

  it("that finds the quota full by others is told so", function()
    for i = 1, 5 do
      world:add(scripted.job { jobName = "other-" .. i })
    end
    world:next(CREATE, lost("ConnectionError", 0, false))
    local e = fails()
    assert.equal("LimitExceededException", e.code)
    assert.falsy(e.unclear)
    assert.equal(3, e.attempts)
    assert.equal(0, world:count(LIST))
  end)

  describe("whose answer was lost", function()
    before_each(function()
      world:next(CREATE, done(lost("TimeoutError", 1)))
    end)

    it("is found at the second look", function()
      world.lag = 1.2 -- the first look is 1.1 seconds after the creation
      found(create())
      assert.is_true(world:count(LIST) > 1)
    end)

    it("is found after seconds of lag", function()
      world.lag = 4
      found(create())
    end)

    it("is unclear where lists lag too long", function()
      world.lag = 3600
      local e = fails()
      assert.equal("ResourceAlreadyExistsException", e.code)
      assert.is_true(e.unclear)
      assert.truthy(e.message:find("may", 1, true))
    end)

    it("is found on a later page", function()
      world.page = 3
      world:next(CREATE, function(w)
        -- What others made meanwhile; newest first, so these come before.
        for i = 1, 10 do
          w:add(scripted.job { jobName = "other-" .. i })
        end
        return w:refusal "ResourceAlreadyExistsException"
      end)
      local out, meta = create()
      assert.equal(scripted.arn "gdpr-1", out.dataDeletionJobArn)
      assert.is_true(meta.reconciled)
      assert.is_true(world:count(LIST) >= 4)
    end)

    it("is found behind an empty page that goes on", function()
      world:next(LIST, status(200,
        '{"dataDeletionJobs":[],"nextToken":"1"}'))
      found(create())
    end)

    it("does not follow a token that leads nowhere", function()
      local circle = status(200, '{"dataDeletionJobs":[],"nextToken":"a"}')
      world.always[LIST] = circle
      local e = fails()
      assert.is_true(e.unclear)
      assert.is_true(world:count(LIST) < 50)
    end)

    it("does not follow tokens in a circle", function()
      local turn = 0
      local function circle(w)
        turn = turn + 1
        return w:response(200, '{"dataDeletionJobs":[],"nextToken":"' ..
          turn % 2 .. '"}')
      end
      world.always[LIST] = circle
      local e = fails()
      assert.is_true(e.unclear)
      assert.is_true(world:count(LIST) < 50)
    end)

    it("is found where a listing failed at first", function()
      world:next(LIST, refuse("InternalFailure", 500),
        refuse("InternalFailure", 500), refuse("InternalFailure", 500))
      found(create())
    end)

    it("is found where it could not be described at first", function()
      world:next(DESCRIBE, refuse "ResourceNotFoundException")
      found(create())
    end)

    for name, step in pairs {
      ["is refused"] = refuse "AccessDeniedException",
      ["is never answered"] = scripted.hang,
      ["is nonsense"] = status(200, "<html>"),
      ["fails"] = refuse("InternalFailure", 500),
    } do
      for _, operation in ipairs { LIST, DESCRIBE } do
        it(("is unclear where %s %s"):format(operation, name), function()
          world.always[operation] = step
          local before = world.monotonic
          local e = fails()
          -- The create's own error, not the look's.
          assert.equal("ResourceAlreadyExistsException", e.code)
          assert.equal(CREATE, e.operation)
          assert.is_true(e.unclear)
          assert.equal(2, e.attempts)
          assert.is_true(world.monotonic - before <= 60.1)
        end)
      end
    end

    it("is found where all the attempts' time was used up", function()
      world:next(CREATE, scripted.hang, scripted.hang, scripted.hang)
      local before = world.monotonic
      found(create(nil, world:client { timeout = 20 }))
      assert.is_true(world.monotonic - before <= 20.1)
    end)

    it("is looked for while there is time, and no longer", function()
      world.lag = 3600
      for _, timeout in ipairs { 0.5, 2, 5 } do
        world.jobs, world.steps = {}, {}
        world:next(CREATE, done(lost("TimeoutError", 0.2)))
        local before = world.monotonic
        local e = fails(nil, world:client { timeout = timeout })
        assert.is_true(e.unclear)
        assert.is_true(world.monotonic - before <= timeout + 0.05)
        assert.is_true(world:count(LIST) > 0)
      end
    end)

    -- A call that its caller ended is over, but does not pretend.
    it("is unclear where the wait for the retry is interrupted", function()
      local e = fails(nil, world:client { sleep = function() return false end })
      assert.equal("InterruptedError", e.code)
      assert.equal("client", e.kind)
      assert.is_true(e.unclear)
      assert.equal(1, e.attempts)
      assert.equal(0, world:count(LIST))
    end)

    it("is unclear where the look is interrupted", function()
      world.lag = 3600
      local naps = 0
      local e = fails(nil, world:client { sleep = function(seconds)
        naps = naps + 1
        world:pass(seconds)
        return naps < 3
      end })
      assert.equal("InterruptedError", e.code)
      assert.equal("client", e.kind)
      assert.is_true(e.unclear)
      assert.equal(3, naps)
    end)

    it("is unclear where a listing is interrupted", function()
      world:next(LIST, lost("InterruptedError", 0, true))
      local e = fails()
      assert.equal("InterruptedError", e.code)
      assert.is_true(e.unclear)
      assert.equal(1, world:count(LIST))
    end)

    it("is unclear where there are no credentials any more", function()
      local asked = 0
      local e = fails(nil, world:client { credentials = function()
        asked = asked + 1
        return asked == 1 and { access_key_id = "A", secret_access_key = "S" }
          or {}
      end })
      assert.equal("CredentialsError", e.code)
      assert.equal("client", e.kind)
      assert.is_true(e.unclear)
      assert.equal(1, e.attempts)
      assert.equal(CREATE, e.operation)
    end)

    it("is found where credentials failed just once", function()
      local asked = 0
      found(create(nil, world:client { credentials = function()
        asked = asked + 1
        return asked ~= 2 and { access_key_id = "A", secret_access_key = "S" }
          or {}
      end }))
    end)
  end)

  it("interrupted in mid-air is unclear", function()
    world:next(CREATE, done(lost("InterruptedError", 0, true)))
    local e = fails()
    assert.equal("InterruptedError", e.code)
    assert.is_true(e.unclear)
    assert.equal(1, world:count())
  end)

  it("interrupted before it was sent is not", function()
    world:next(CREATE, lost("InterruptedError", 0, false))
    local e = fails()
    assert.equal("InterruptedError", e.code)
    assert.falsy(e.unclear)
  end)

  it("that never left is not unclear, and nothing is looked for", function()
    local no = lost("ConnectionError", 0, false)
    world:next(CREATE, no, no, no)
    local e = fails()
    assert.equal("ConnectionError", e.code)
    assert.falsy(e.unclear)
    assert.equal(3, e.attempts)
    assert.equal(3, world:count())
  end)

  it("by `call` is the same", function()
    world:next(CREATE, done(lost("TimeoutError", 1)))
    found(client:call(CREATE, scripted.job()))
  end)

  it("looks with the input as it was when it was sent", function()
    local input = scripted.job()
    world:next(CREATE, function(w, sent)
      w:serve(CREATE, sent)
      -- What belongs to the caller may change meanwhile.
      input.dataSource.dataLocation = "s3://erasure/changed.csv"
      input.jobName = "changed"
      return nil, { code = "TimeoutError" }
    end)
    found(client:create_data_deletion_job(input))
  end)

  it("looks for what was checked by the service alone, too", function()
    world:next(CREATE, lost("TimeoutError", 1), refuse "InvalidInputException")
    local e = fails({ jobName = "no name" }, world:client {
      parameter_validation = false })
    assert.equal("InvalidInputException", e.code)
    assert.is_true(e.unclear)
  end)
end)

describe("other operations", function()
  it("are never unclear, and nothing is looked for", function()
    local world = scripted.world()
    for _, operation in ipairs { LIST, DESCRIBE, "TagResource" } do
      for _ = 1, 3 do
        world:next(operation, lost("TimeoutError", 1))
      end
      local e = stub.failure(function()
        world:client():call(operation, stub.input(operation))
      end)
      assert.equal("TimeoutError", e.code)
      assert.falsy(e.unclear)
      assert.falsy(e.message:find("job", 1, true))
      assert.equal(3, world:count(operation))
    end
    world:restore()
  end)
end)
