--- Keeps a source's credentials, and keeps them fresh.
-- The refresh behaviour of AWS's SDKs as of 2026: a first window in which a
-- refresh is tried and may fail, a second in which it must be tried, and
-- sources that are served from the cache when they are down. Knows time only
-- as a number; refuses to know what a source does.

local core = require "personalize.core"

local M = {}

---@class personalize.CredentialsCache
local Cache = { __name = "personalize.CredentialsCache" }
Cache.__index = Cache

function Cache.__tostring()
  return Cache.__name
end

-- Seconds before the expiration.
local MANDATORY = 60
local MINUTE, HOUR = 60, 3600
-- After a refresh that failed: no source is asked again for so long.
local BACKOFF_LEAST, BACKOFF_MOST = 300, 600

-- When refreshing begins to be tried, by the lifetime that was granted.
local function advisory_window(lifetime)
  if lifetime <= 20 * MINUTE then
    return 5 * MINUTE
  elseif lifetime < 90 * MINUTE then
    return 15 * MINUTE
  end
  return HOUR
end

--- A cache over one source.
---@param fetch fun(deadline?: number): personalize.Credentials?, table?
--- asks the source; credentials with `is_stable = true` are served beyond their
--- expiration when the source fails; an error's fields with `unrecoverable =
--- true` are never answered from the cache
---@param options? { advisory_window?: number } seconds, in place of the rule
---@return personalize.CredentialsCache
function M.new(fetch, options)
  -- In a function, so that no walk over a cache meets a secret.
  local state = { fetch = fetch, window = options and options.advisory_window }
  return setmetatable({ state = function() return state end }, Cache)
end

local function keep(state, credentials, now)
  state.kept = credentials
  state.rejected = false
  state.quiet_until = nil
  if credentials.expiration then
    state.advisory = state.window or
      advisory_window(credentials.expiration - now)
  end
end

local function is_expired(credentials, now)
  return credentials.expiration ~= nil and credentials.expiration <= now
end

-- Is the source to be asked; and if so, is it a must?
local function due(state, now)
  local kept = state.kept
  if not kept then
    return true, true
  elseif state.rejected then
    return true, true
  elseif not kept.expiration then
    return false
  end
  local left = kept.expiration - now
  -- What is not served beyond its time is not asked for long before it.
  local advisory = kept.is_stable and state.advisory or MANDATORY
  return left <= advisory, left <= MANDATORY
end

-- What is left when the source had nothing.
local function fall_back(state, failure, now)
  local kept = state.kept
  if not kept or failure.unrecoverable then
    return nil, failure
  elseif kept.is_stable then
    state.quiet_until = now + BACKOFF_LEAST +
      core.uniform() * (BACKOFF_MOST - BACKOFF_LEAST)
    return kept
  elseif is_expired(kept, now) or state.rejected then
    return nil, failure
  end
  return kept
end

--- Credentials to sign with.
---@param deadline? number of the call that wants them, monotonic clock
---@return personalize.Credentials? credentials
---@return table? failure an error's fields
function Cache:get(deadline)
  local state, now = self.state(), core.now()
  local ask, must = due(state, now)
  if not ask then
    return state.kept
  elseif state.kept and state.quiet_until and now < state.quiet_until then
    return state.kept
  elseif state.asking and state.kept and not must then
    return state.kept -- another coroutine is at it
  end

  state.asking = true
  local ok, found, failure = pcall(state.fetch, deadline)
  state.asking = false
  if not ok then
    return nil, { code = "CredentialsError", kind = "client",
      message = "the source of credentials raised an error", cause = found }
  end
  now = core.now()
  if found and is_expired(found, now) and state.kept then
    -- A source that is down hands out what it has.
    found, failure = nil, { code = "CredentialsError", kind = "client",
      message = "the source answered with expired credentials" }
  end
  if not found then
    return fall_back(state, failure, now)
  end
  keep(state, found, now)
  return found
end

--- The service refused these credentials as expired: the next `get` asks the
--- source, unless it holds others by then.
---@param access_key_id string
function Cache:invalidate(access_key_id)
  local state = self.state()
  if state.kept and state.kept.access_key_id == access_key_id then
    state.rejected = true
  end
end

--- What is kept, without asking anybody.
---@return personalize.Credentials?
function Cache:peek()
  return self.state().kept
end

--- How long before the expiration refreshing begins, in seconds.
---@return number?
function Cache:advisory_window()
  local state = self.state()
  return state.kept and state.kept.expiration and state.advisory or nil
end

return M
