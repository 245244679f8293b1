--- Credentials that the workers of one nginx keep together, in one of its
-- dictionaries (lua_shared_dict): what is written there, and a lock, so that
-- one asks the source while the others wait.
-- Knows the dictionary, and trusts nothing that it finds in it; refuses to
-- know when credentials are due.

local core = require "personalize.core"
local json = require "personalize.json"

local M = {}

-- Of what is written; others are left unread.
local VERSION = 1

-- Seconds for which one may keep the others waiting: those in its own worker
-- do not wait longer, either. Whoever takes longer is not stopped, but somebody
-- else asks, too; whoever was killed holds nothing up beyond it.
local LEASE = 5
-- A lock this close to its end is left to end by itself.
local LAST_MOMENT = 0.5
-- Between two looks at a lock, in seconds.
local PAUSE_LEAST, PAUSE_MOST = 0.01, 0.1
-- What is served when a source is down may be older than its expiration.
local KEPT_BEYOND = 24 * 3600

---@class personalize.Shared
---@field credentials personalize.Credentials
---@field lifetime number seconds that they had when they were granted
---@field asked number when the source was asked for them, monotonic clock
---@field quiet_until? number until when the source is left alone

---@class personalize.Share
---@field fetch fun(): personalize.Credentials?, table? asks the source
local Share = { __name = "personalize.Share" }
Share.__index = Share

function Share.__tostring()
  return Share.__name
end

--- What one refresh has to do with the others.
---@param options { dict: table, key: string, fetch: function, sleep: function,
--- warn: fun(message: string) } `dict` as of ngx.shared; `key` says whose
--- credentials; a `sleep` that answers false was interrupted
---@return personalize.Share
function M.new(options)
  return setmetatable({ dict = options.dict, key = options.key,
    lock_key = options.key .. ":lock", failure_key = options.key .. ":failure",
    fetch = options.fetch, sleep = options.sleep, warn = options.warn }, Share)
end

local function decode(text)
  local ok, found = pcall(json.decode, text)
  if ok and type(found) == "table" and found.version == VERSION then
    return found
  end
end

local function is_number(value)
  return type(value) == "number" and value == value and
    math.abs(value) < math.huge
end

local TEXTS = { "access_key_id", "secret_access_key", "session_token",
  "account_id", "source" }

-- Credentials out of a table that anybody may have written.
local function credentials_of(found)
  if type(found) ~= "table" or not is_number(found.expiration) then
    return nil
  end
  local made = { expiration = found.expiration,
    is_stable = found.is_stable == true or nil }
  for _, name in ipairs(TEXTS) do
    local value = found[name]
    if type(value) == "string" then
      made[name] = value
    elseif value ~= nil and value ~= json.null then
      return nil
    end
  end
  return not core.credentials_fault(made) and made or nil
end

--- What is kept together; nothing where that is none of ours.
---@return personalize.Shared?
function Share:read()
  local found = decode(self.dict:get(self.key))
  local credentials = found and credentials_of(found.credentials)
  -- The clock counts from the machine's start: nobody has asked after now.
  if not credentials or not is_number(found.lifetime) or
    not is_number(found.asked) or found.asked > core.monotonic() + 1 then
    return nil
  end
  return { credentials = credentials, lifetime = found.lifetime,
    asked = found.asked, quiet_until = is_number(found.quiet_until) and
      found.quiet_until or nil }
end

-- One warning tells it.
local function told_of_memory(share)
  if not share.is_told then
    share.is_told = true
    share.warn("the lua_shared_dict that shared_dict names is full: each " ..
      "worker keeps credentials of its own; make it larger, as in " ..
      "lua_shared_dict NAME 1m;")
  end
end

--- Gives the others what is kept, unless theirs was asked for later: an answer
-- that took too long to come is not to undo theirs. Between the look and the
-- write another may write as well; either's credentials are good.
---@param entry personalize.Shared
function Share:write(entry)
  local theirs = self:read()
  if theirs and theirs.asked > entry.asked then
    return
  end
  local credentials = { expiration = entry.credentials.expiration,
    is_stable = entry.credentials.is_stable }
  for _, name in ipairs(TEXTS) do
    credentials[name] = entry.credentials[name]
  end
  local left = credentials.expiration - core.now() +
    (credentials.is_stable and KEPT_BEYOND or 0)
  if left > 0 and not self.dict:set(self.key, json.encode { version = VERSION,
    credentials = credentials, lifetime = entry.lifetime, asked = entry.asked,
    quiet_until = entry.quiet_until }, left) then
    told_of_memory(self)
  end
end

local NOTED = { code = "string", kind = "string", message = "string",
  retryable = "boolean", unrecoverable = "boolean" }

--- Tells those who wait that the source had nothing.
---@param failure table an error's fields
function Share:fail(failure)
  local note = { version = VERSION, at = core.monotonic() }
  for name in pairs(NOTED) do
    note[name] = failure[name]
  end
  self.dict:set(self.failure_key, json.encode(note), LEASE)
end

-- What somebody was told while this one waited for that.
local function failure_since(share, since)
  local found = decode(share.dict:get(share.failure_key))
  if not found or not is_number(found.at) or found.at < since then
    return nil
  end
  local failure = {}
  for name, kind in pairs(NOTED) do
    if type(found[name]) == kind then
      failure[name] = found[name]
    end
  end
  return failure.code and failure.kind and failure.message and failure or nil
end

-- Is the lock this one's now?
local function try(share)
  share.token = share.token or core.sha256_hex(core.random(16))
  local ok, why = share.dict:add(share.lock_key, share.token, LEASE)
  if not ok and why ~= "exists" then
    told_of_memory(share)
  elseif not ok then
    return false
  end
  share.lease = core.monotonic() + LEASE
  return true
end

-- Takes a lock that has outlived its lease: the wall clock, by which a
-- dictionary forgets, was set back, or somebody else wrote there.
local function take(share)
  share.dict:set(share.lock_key, share.token, LEASE)
  share.lease = core.monotonic() + LEASE
end

--- Waits for the turn to ask the source.
---@param deadline? number on the monotonic clock
---@param is_settled fun(is_mine: boolean): boolean asked at each look: is there
--- nothing to ask or wait for any more?
---@return boolean is_mine false where it is settled, or not to be had
---@return table? failure
function Share:lock(deadline, is_settled)
  local since, pause, holder, held_since = nil, PAUSE_LEAST, nil, nil
  while true do
    local now = core.monotonic()
    local is_mine = try(self)
    if is_settled(is_mine) then
      return false
    elseif is_mine then
      local failure = since and failure_since(self, since)
      return not failure, failure
    end
    since = since or now
    local seen = self.dict:get(self.lock_key)
    if seen ~= holder then
      holder, held_since = seen, now
    elseif seen and now - held_since > LEASE + PAUSE_MOST then
      take(self)
      return true
    end
    if deadline and now >= deadline then
      return false, { code = "TimeoutError", kind = "transport",
        retryable = true, message = "no time was left to wait for " ..
          "credentials, which another worker had asked for" }
    end
    local ok, e = self.sleep(math.min(pause,
      math.max(0.001, (deadline or math.huge) - now)))
    if not ok then
      return false, e or { code = "InterruptedError", kind = "client",
        message = "interrupted while waiting for credentials" }
    end
    pause = math.min(2 * pause, PAUSE_MOST)
  end
end

--- Lets the next one ask. There is no way to remove a value only if it is a
-- certain one. But nothing yields between the look and the removal, and a lock
-- that might end just there, for another to take it, is left alone.
function Share:release()
  local lease = self.lease
  self.lease = nil
  if lease and lease - core.monotonic() > LAST_MOMENT and
    self.dict:get(self.lock_key) == self.token then
    self.dict:delete(self.lock_key)
  end
end

return M
