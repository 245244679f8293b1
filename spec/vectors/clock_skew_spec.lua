--- The cross-SDK cases of clock skew: what time each attempt is signed with,
-- and what the client learns of the service's clock.

local clock = require "spec.support.clock"
local core = require "personalize.core"
local http = require "spec.support.http"
local personalize = require "personalize"
local stub = require "spec.support.stub"
local vectors = require "spec.support.vectors"

local OPERATION = "ListDataDeletionJobs"

local function response_of(given)
  local headers = { ["x-amzn-errortype"] = given.errorCode }
  for name, value in pairs(given.headers or {}) do
    headers[name:lower()] = tostring(value)
  end
  return { status = given.statusCode, headers = headers, body = "{}" }
end

-- The first operation may begin with a skew that was learnt before.
local function teach(skew, call)
  if skew ~= 0 then
    local when = clock.epoch "2026-01-01T00:00:00Z"
    call(when, { status = 200, body = "{}",
      headers = { date = clock.http(when + skew) } })
  end
end

local function drive_core(case)
  local service = core.service {
    endpoint = "https://personalize.eu-west-1.amazonaws.com",
    region = "eu-west-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = "spec",
  }
  local function start(max_attempts)
    return core.attempt(service, OPERATION, {}, ("r"):rep(16), max_attempts,
      true)
  end
  teach(case.operations[1].initialClientSkew, function(when, response)
    local attempt = start(1)
    attempt:sign(stub.CREDENTIALS, when)
    attempt:judge(response, nil, when, 0, math.huge)
  end)
  for _, operation in ipairs(case.operations) do
    assert.equal(operation.initialClientSkew, service:state().skew)
    local attempt = start(operation.maxAttempts or 3)
    local verdict
    for i, one in ipairs(operation.attempts) do
      assert.is_true(i == 1 or verdict.retry, "no attempt " .. i)
      local head = attempt:sign(stub.CREDENTIALS,
        clock.epoch(one.clientTimeAtSend))
      assert.equal(clock.stamp(one.expectedSigningTime),
        head:match("x%-amz%-date: (%w+)\r\n"))
      verdict = attempt:judge(response_of(one.response), nil,
        clock.epoch(one.clientTimeAtReceive), 0, math.huge)
    end
    assert.is_falsy(verdict.retry)
    assert.equal(operation.expectedOutcome == "success", verdict.ok == true)
    assert.equal(operation.expectedClientSkew, service:state().skew)
  end
end

-- The same through a client, whose clock the case sets.
local function drive_client(case)
  local steps, at, signed = {}, 0, {}
  local function client_of(max_attempts)
    return stub.client(function(request)
      at = at + 1
      signed[at] = http.header(request.headers, "x-amz-date")
      core.now = function() return steps[at].received end
      return steps[at].response
    end, {
      max_attempts = max_attempts,
      sleep = function()
        core.now = function() return steps[at + 1].sent end
      end,
    })
  end
  local max_attempts = case.operations[1].maxAttempts or 3
  for _, operation in ipairs(case.operations) do
    if (operation.maxAttempts or 3) ~= max_attempts then
      return -- a client has one setting for all of its calls
    end
  end
  local client = client_of(max_attempts)

  local function call(list)
    steps, at, signed = list, 0, {}
    core.now = function() return list[1].sent end
    local ok, e = pcall(client.list_data_deletion_jobs, client)
    assert.is_true(ok or personalize.is_error(e), tostring(e))
    return ok
  end
  teach(case.operations[1].initialClientSkew, function(when, response)
    call { { sent = when, received = when, response = response } }
  end)
  for _, operation in ipairs(case.operations) do
    local list, expected = {}, {}
    for i, one in ipairs(operation.attempts) do
      list[i] = { sent = clock.epoch(one.clientTimeAtSend),
        received = clock.epoch(one.clientTimeAtReceive),
        response = response_of(one.response) }
      expected[i] = clock.stamp(one.expectedSigningTime)
    end
    local ok = call(list)
    assert.equal(operation.expectedOutcome == "success", ok)
    assert.same(expected, signed)
  end
end

describe("clock skew,", function()
  local cases, absent = vectors.cases("clock-skew-test-cases.json", "tests")
  if not cases then
    pending(absent)
    return
  end
  local now = core.now

  after_each(function()
    core.now = now
  end)

  for _, case in ipairs(cases) do
    it(case.description, function()
      drive_core(case)
    end)
    it(case.description .. ", by a client", function()
      drive_client(case)
    end)
  end
end)
