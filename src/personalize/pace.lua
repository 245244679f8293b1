--- How one waits for what takes hours: when to look again, and when to stop.
-- Knows Ctrl-C and an nginx worker that is to end; refuses to know what is
-- waited for.

local core = require "personalize.core"
local surroundings = require "personalize.surroundings"

local M = {}

M.FIRST, M.MOST = 5, 120 -- seconds between two looks
local GROWTH = 1.5
-- Many who wait must not look all at once: of a delay, up to this much less.
local JITTER = 0.25
-- In nginx, so that a worker that is to end is not held up.
local NGINX_SLICE = 1

--- Delays between looks, each longer than the one before, with jitter.
---@param first? number seconds, default 5
---@param most? number seconds to which they grow, default 120
---@return fun(): number next
function M.delays(first, most)
  most = most or M.MOST
  local delay = math.min(first or M.FIRST, most)
  return function()
    local now = delay * (1 - JITTER * core.uniform())
    delay = math.min(delay * GROWTH, most)
    return now
  end
end

--- May the same fare better later? Once an answer has come the way there is
-- known to be right, so that a network which is gone comes back.
---@param failure table an error's fields
---@param has_answered boolean
---@return boolean
function M.is_passing(failure, has_answered)
  return failure.retryable or has_answered and failure.kind == "transport" and
    failure.code ~= "TlsError"
end

--- Is this an nginx worker that is to end?
M.is_ending = surroundings.is_ending

--- Sleeps; false where the wait is to end now.
---@param sleep fun(seconds: number): any the client's
---@param seconds number
---@return boolean
---@return personalize.Error? e of the caller's sleep
function M.rest(sleep, seconds)
  local slice = surroundings.nginx() and NGINX_SLICE or seconds
  local ends = core.monotonic() + seconds
  repeat
    local left = ends - core.monotonic()
    if surroundings.is_ending() then
      return false
    elseif left > 0 then
      local ok, e = sleep(math.min(left, slice))
      if not ok then
        return false, e
      end
    end
  until left <= slice
  return true
end

return M
