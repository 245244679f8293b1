--- The standard mode of AWS's retry specification, on its own cases: outcome,
-- delay and budget of each attempt.

local core = require "personalize.core"
local personalize = require "personalize"
local stub = require "spec.support.stub"
local vectors = require "spec.support.vectors"

local OPERATION = "ListDataDeletionJobs"
-- What the specification gives some services (all others: the default).
local TRANSIENT_BASE = { dynamodb = 0.025, dynamodbstreams = 0.025 }

-- How a verdict tells the outcomes of the suite.
local ENDED = {
  max_attempts_exceeded = "max_attempts",
  retry_quota_exceeded = "quota",
}

local function response_of(given)
  local headers = { ["x-amzn-errortype"] = given.error_code }
  for name, value in pairs(given.headers or {}) do
    headers[name:lower()] = tostring(value)
  end
  return { status = given.status_code, headers = headers, body = "{}" }
end

local function base_of(given)
  local service = given.service or ""
  return TRANSIENT_BASE[service:lower():gsub("[^%l]", "")]
end

local function near(expected, found)
  assert.is_number(found)
  assert.is_true(math.abs(expected - found) < 1e-9,
    ("expected %s, found %s"):format(expected, found))
end

-- The core alone, with the budget and limits of the case.
local function drive_core(case)
  local given = case.given
  local service = core.service {
    endpoint = "https://personalize.eu-west-1.amazonaws.com",
    region = "eu-west-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = "spec",
    retry_tokens = given.initial_retry_tokens,
    max_backoff = given.max_backoff_time,
    transient_base = base_of(given),
  }
  local attempt
  for _, step in ipairs(case.responses) do
    local expected = step.expected
    attempt = attempt or core.attempt(service, OPERATION, {},
      ("r"):rep(16), given.max_attempts, true)
    attempt:sign(stub.CREDENTIALS, 1e9)
    local verdict = attempt:judge(response_of(step.response), nil, 1e9,
      given.exponential_base, math.huge)
    local outcome = expected.outcome
    assert.equal(outcome == "success", verdict.ok == true, outcome)
    assert.equal(outcome == "retry_request", verdict.retry == true, outcome)
    assert.equal(ENDED[outcome], verdict.ended)
    assert.equal(expected.retry_quota, service:state().retry_tokens)
    if expected.delay then
      near(expected.delay, verdict.delay)
    end
    if outcome ~= "retry_request" then
      attempt = nil
    end
  end
end

-- The same through a client, which has the defaults of the specification.
local function drive_client(case)
  local given, at, calls, delays = case.given, 0, 0, {}
  local client = stub.client(function()
    at = at + 1
    return response_of(case.responses[at].response)
  end, {
    max_attempts = given.max_attempts,
    timeout = 3600,
    sleep = function(seconds)
      delays[at] = seconds
    end,
  })
  repeat
    local first = at
    calls = calls + 1
    local ok, result, meta = pcall(client.list_data_deletion_jobs, client)
    local outcome = case.responses[at].expected.outcome
    assert.equal(outcome == "success", ok, tostring(result))
    if not ok then
      assert.is_true(personalize.is_error(result))
      meta = result
    end
    assert.equal(at - first, meta.attempts)
  until at == #case.responses
  assert.is_true(case.multiple_invocations or calls == 1)
  for i, step in ipairs(case.responses) do
    if step.expected.delay then
      near(step.expected.delay, delays[i])
    else
      assert.is_nil(delays[i])
    end
  end
end

describe("standard retry,", function()
  local cases, absent = vectors.cases("standard-retry-test-cases.json",
    "tests")
  if not cases then
    pending(absent)
    return
  end
  local uniform = core.uniform

  after_each(function()
    core.uniform = uniform
  end)

  for _, case in ipairs(cases) do
    local given = case.given
    it(case.name, function()
      drive_core(case)
    end)
    -- A client has no option for these three.
    if given.initial_retry_tokens == 500 and not base_of(given) and
      (given.max_backoff_time or 20) == 20 then
      it(case.name .. ", by a client", function()
        core.uniform = function() return given.exponential_base end
        drive_client(case)
      end)
    end
  end
end)
