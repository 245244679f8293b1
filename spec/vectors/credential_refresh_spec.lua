--- Every case of credential-refresh-tests.json, on a clock of its own.

local cache = require "personalize.credentials.cache"
local core = require "personalize.core"
local vectors = require "spec.support.vectors"

local HOUR = 3600
local START = 1795518000

-- Seconds left of what the cache starts with, whose lifetime was an hour: its
-- windows are then 15 minutes and one.
local LEFT = { valid = 1800, advisory = 600, mandatory = 30, expired = -60 }

local function credentials(id, expiration)
  return { access_key_id = id, secret_access_key = "s", session_token = "t",
    expiration = expiration, is_stable = true }
end

local function play(case)
  local given = case.given
  local clock, contacted, response = START, 0, nil
  local now, uniform = core.now, core.uniform
  core.now = function() return clock end
  core.uniform = function()
    return ((tonumber(given.refreshBackoffSeconds) or 300) - 300) / 300
  end

  local tested
  local function fetch()
    contacted = contacted + 1
    return response()
  end
  tested = cache.new(fetch,
    { advisory_window = tonumber(given.configuredAdvisoryWindowSeconds) })
  local left = LEFT[given.cachedCredentials]
  if left then
    response = function()
      return credentials(given.accessKeyId or "AKID-CACHED",
        clock + HOUR)
    end
    assert.truthy(tested:get())
    clock = clock + HOUR - left
  else
    assert.equal("none", given.cachedCredentials)
  end

  local responses = {
    freshCredentials = function(step)
      return credentials("AKID-NEW",
        clock + (tonumber(step.lifetimeSeconds) or HOUR))
    end,
    staleCredentials = function()
      return credentials("AKID-STALE", clock - 1)
    end,
    error = function()
      return nil, { code = "CredentialsError", message = "down" }
    end,
    nonRecoverableError = function()
      return nil, { code = "CredentialsError", message = "log in again",
        unrecoverable = true }
    end,
  }
  local cached = given.accessKeyId or "AKID-CACHED"
  local ok, why = pcall(function()
    for i, step in ipairs(case.steps) do
      local where = case.documentation .. ", step " .. i
      if step.type == "advanceTime" then
        clock = clock + step.seconds
      elseif step.type == "invalidate" then
        tested:invalidate(step.rejectedAccessKeyId)
      else
        assert.equal("getCredentials", step.type)
        local expected = step.expected
        contacted = 0
        response = function()
          return assert(responses[step.response], where)(step)
        end
        local found, failure = tested:get()
        assert.equal(expected.sourceContacted, contacted > 0, where)
        if expected.result == "newCredentials" then
          assert.equal("AKID-NEW", found and found.access_key_id, where)
          cached = "AKID-NEW"
        elseif expected.result == "cachedCredentials" then
          assert.equal(cached, found and found.access_key_id, where)
        elseif expected.result == "nonRecoverableError" then
          assert.is_nil(found, where)
          assert.is_true(failure.unrecoverable, where)
        else
          assert.equal("noCredentialsError", expected.result, where)
          assert.is_nil(found, where)
          assert.is_nil(failure.unrecoverable, where)
        end
        if expected.advisoryWindowSeconds then
          assert.equal(tonumber(expected.advisoryWindowSeconds),
            tested:advisory_window(), where)
        end
      end
    end
  end)
  core.now, core.uniform = now, uniform
  if not ok then
    error(why, 0)
  end
end

describe("credential refresh, AWS's cases:", function()
  local cases, absent = vectors.cases "credential-refresh-tests.json"
  if not cases then
    pending(absent)
    return
  end
  for _, case in ipairs(cases) do
    it(case.documentation, function()
      play(case)
    end)
  end
end)
