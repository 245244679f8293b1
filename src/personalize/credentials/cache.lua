--- Keeps a source's credentials, and keeps them fresh.
-- The refresh behaviour of AWS's SDKs as of 2026: a first window in which a
-- refresh is tried and may fail, a second in which it must be tried, and
-- sources that are served from the cache when they are down. Knows time only
-- as a number; refuses to know what a source does, and how others are reached
-- who keep the same credentials.

local callback = require "personalize.callback"
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

-- Others wait so long for one that asks; then the next asks, too. Who asked may
-- be gone: a request that its client left takes its coroutine along.
local PATIENCE = 5

-- What another worker is at is not looked at again for so long, where what is
-- kept will do.
local LOOK_AGAIN = 0.1

-- When refreshing begins to be tried and when it must be, by the lifetime that
-- was granted. A lifetime of a few minutes is inside both all the time, so that
-- each call asks: AWS's rule. Where workers share, they would queue up for it;
-- there, some of the lifetime is outside.
local function windows(lifetime, is_shared)
  local advisory = HOUR
  if lifetime <= 20 * MINUTE then
    advisory = 5 * MINUTE
  elseif lifetime < 90 * MINUTE then
    advisory = 15 * MINUTE
  end
  if not is_shared then
    return advisory, MANDATORY
  end
  return math.min(advisory, 0.75 * lifetime),
    math.min(MANDATORY, 0.25 * lifetime)
end

--- A cache over one source.
---@param fetch fun(deadline?: number): personalize.Credentials?, table?
--- asks the source; credentials with `is_stable = true` are served beyond their
--- expiration when the source fails, others only where they had expired when
--- they came, and until `invalidate`; an error's fields with `unrecoverable =
--- true` are never answered from the cache
---@param options? { advisory_window?: number, gate?: (fun(): personalize.Gate),
--- share?: fun(deadline?: number): personalize.Share } seconds, in place of the
--- rule; where coroutines of one Lua state wait; what a refresh has to do with
--- other processes, whose fetch is then the one that asks
---@return personalize.CredentialsCache
function M.new(fetch, options)
  -- In a function, so that no walk over a cache meets a secret.
  options = options or {}
  local state = { fetch = fetch, window = options.advisory_window,
    new_gate = options.gate, share = options.share }
  return setmetatable({ state = function() return state end }, Cache)
end

-- `asked` is when the source was, so that what two asked for has an order.
local function keep(state, credentials, lifetime, asked)
  state.kept, state.lifetime, state.asked = credentials, lifetime, asked
  state.rejected = false
  state.quiet_until = nil
  if lifetime then
    local advisory, mandatory = windows(lifetime, state.share)
    state.advisory = state.window or advisory
    state.mandatory = mandatory
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
  local advisory = kept.is_stable and state.advisory or state.mandatory
  return left <= advisory, left <= state.mandatory
end

-- Is the source left alone, since it failed?
local function is_quiet(state, now)
  return state.kept and state.quiet_until and now < state.quiet_until
end

-- Leaves the source alone for a while.
local function be_quiet(state, now)
  state.quiet_until = now + BACKOFF_LEAST +
    core.uniform() * (BACKOFF_MOST - BACKOFF_LEAST)
end

-- Was what is kept past its time when it came? Then the clock here is ahead of
-- AWS's: whether it is taken, AWS alone knows.
local function is_clock_ahead(state)
  return state.lifetime ~= nil and state.lifetime <= 0
end

-- What is left when the source had nothing.
local function fall_back(state, failure, now)
  local kept = state.kept
  if not kept or failure.unrecoverable then
    return nil, failure
  elseif kept.is_stable then
    be_quiet(state, now)
    return kept
  elseif state.rejected or
    is_expired(kept, now) and not is_clock_ahead(state) then
    return nil, failure
  end
  return kept
end

-- Is an answer of expired credentials none? A source that is down hands out
-- what it has. A command, or a variable, has nothing else to give: as long as
-- AWS has not refused it, it is used.
local function is_stale(state, found)
  local kept = state.kept
  if not kept then
    return false
  elseif found.is_stable or kept.is_stable then
    return true
  end
  return state.rejected and found.access_key_id == kept.access_key_id
end

-- Takes what others keep, where that was asked for later. What the service has
-- refused is not taken again; but its source is left alone as long.
local function take_over(state, share)
  local entry = share:read()
  if not entry then
    return
  end
  local is_same = state.kept and
    state.kept.access_key_id == entry.credentials.access_key_id
  if not state.kept or entry.asked > state.asked and
    not (is_same and state.rejected) then
    keep(state, entry.credentials, entry.lifetime, entry.asked)
  elseif not is_same then
    return
  end
  -- What the rule cannot have written is none.
  if entry.quiet_until and entry.quiet_until <= core.now() + BACKOFF_MOST then
    state.quiet_until = entry.quiet_until
  end
end

-- Gives the others what is kept.
local function hand_on(state, share)
  if state.kept.expiration then
    share:write { credentials = state.kept, lifetime = state.lifetime,
      asked = state.asked, quiet_until = state.quiet_until }
  end
end

-- The monotonic clock, as exact as it comes back from where others read it.
local function timestamp()
  return math.floor(core.monotonic() * 1000) / 1000
end

-- As a fetch, of one worker at a time. Answers nothing where what is kept, or
-- what another has got meanwhile, will do.
local function fetch_among(state, turn, deadline)
  local share = turn.share
  local function is_settled(is_mine)
    take_over(state, share)
    local now = core.now()
    local is_due, must = due(state, now)
    if not is_due or is_quiet(state, now) then
      return true
    elseif not is_mine and state.kept and not must then
      state.look_again = core.monotonic() + LOOK_AGAIN
      return true
    end
    return false
  end
  local is_mine, failure = share:lock(deadline, is_settled)
  if not is_mine then
    return nil, failure
  end
  turn.is_first, turn.asked = true, timestamp()
  local found
  found, failure = share.fetch()
  if not found and is_settled(true) then
    return nil
  end
  return found, failure
end

local function fetch(state, turn, deadline)
  turn.asked = timestamp()
  turn.share = state.share and state.share(deadline)
  if turn.share then
    return fetch_among(state, turn, deadline)
  end
  return state.fetch(deadline)
end

-- Makes of what a fetch answered what the caller gets, and the others with it.
local function settle(state, turn, found, failure, is_own)
  local now = core.now()
  local share = turn.share
  local is_late = found and is_expired(found, now)
  if is_late and is_stale(state, found) then
    found, failure = nil, { code = "CredentialsError", kind = "client",
      message = "the source answered with expired credentials" }
  end
  if found then
    keep(state, found, found.expiration and found.expiration - now,
      turn.asked)
    if is_late and not found.is_stable then
      be_quiet(state, now)
    end
    if share then
      hand_on(state, share)
    end
    return found
  elseif not failure then
    return state.kept
  elseif is_own then
    -- Ctrl-C is no reason to go on with what there is.
    if state.kept and not state.rejected and
      not is_expired(state.kept, now) and
      failure.code ~= "InterruptedError" then
      return state.kept
    end
    return nil, failure
  end
  if share and turn.is_first then
    share:fail(failure)
  end
  found, failure = fall_back(state, failure, now)
  turn.failure = failure
  if share and found and turn.is_first then
    hand_on(state, share)
  end
  return found, failure
end

-- Asks the source, as the only one at it. What it fails with is everybody's
-- who waits, unless it was this caller's time that ended.
local function ask(state, deadline)
  local turn = { patience = core.monotonic() + PATIENCE }
  state.asking = turn
  if state.new_gate then
    turn.gate = state.new_gate()
  end
  local ok, found, failure = callback.try("CredentialsError",
    "the source of credentials", fetch, state, turn, deadline)
  if not ok then
    found, failure = nil, found
  end
  local is_own = not ok or failure and (failure.code == "InterruptedError" or
    failure.code == "PhaseError" or
    deadline ~= nil and core.monotonic() >= deadline)
  found, failure = settle(state, turn, found, failure, is_own)
  if turn.share then
    turn.share:release()
  end
  if state.asking == turn then
    state.asking = nil
  end
  if turn.gate then
    turn.gate:open()
  end
  return found, failure
end

-- Until the one that asks has its answer, or too much time has passed.
-- Answers that one's failure, where it is this one's, too.
local function wait(turn, deadline)
  local now = core.monotonic()
  turn.gate:wait(math.max(0, math.min(turn.patience, deadline or math.huge) -
    now))
  -- A table for each: the error made of it is the caller's.
  local failure
  for name, value in pairs(turn.failure or {}) do
    failure = failure or {}
    failure[name] = value
  end
  return failure
end

local function is_waited_for(turn)
  return turn and turn.gate and core.monotonic() < turn.patience
end

--- Credentials to sign with.
---@param deadline? number of the call that wants them, monotonic clock
---@return personalize.Credentials? credentials
---@return table? failure an error's fields
function Cache:get(deadline)
  local state = self.state()
  while true do
    local now = core.now()
    local is_due, must = due(state, now)
    if not is_due then
      return state.kept
    elseif is_quiet(state, now) then
      return state.kept
    elseif state.kept and not must and (state.asking or state.look_again and
      core.monotonic() < state.look_again) then
      return state.kept -- another coroutine is at it, or another worker
    elseif not is_waited_for(state.asking) then
      return ask(state, deadline)
    end
    local failure = wait(state.asking, deadline)
    if failure then
      return nil, failure
    elseif deadline and core.monotonic() >= deadline then
      return nil, { code = "TimeoutError", kind = "transport",
        retryable = true, message = "no time was left to wait for " ..
          "credentials, which another call had asked for" }
    end
  end
end

--- The service refused these credentials as expired: the next `get` asks the
--- source, unless it holds others by then.
---@param access_key_id string
function Cache:invalidate(access_key_id)
  local state = self.state()
  local kept = state.kept
  if kept and kept.access_key_id == access_key_id then
    state.rejected = true
    if not kept.is_stable then
      state.quiet_until = nil
    end
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
