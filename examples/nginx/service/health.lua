--- What the sender saw last, for all workers: is something stuck?

local answer = require "service.answer"
local cjson = require "cjson"
local settings = require "service.settings"

local M = {}

local dict = ngx.shared.erasure

-- Seconds without a word of the sender after which it is missed.
local SILENCE = 600 + 10 * settings.every

local function date(time)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", time)
end

--- Could something be written to the folder just now?
function M.note(is_writable)
  dict:set("writable", is_writable)
end

--- The sender is at work, or another nginx's has the lock.
function M.alive()
  dict:set("alive", ngx.time())
end

--- Leaves a list alone for some time.
function M.wait(name, seconds)
  dict:set("later " .. name, ngx.time() + seconds, seconds)
end

function M.is_waiting(name)
  local time = dict:get("later " .. name)
  if time then
    dict:set("next", math.min(dict:get "next" or time, time))
  end
  return time ~= nil
end

--- What a run saw: how many lists are sent and followed, how many are stuck,
-- and the oldest of them.
function M.keep(seen)
  local now = ngx.time()
  seen.next_try = date(seen.stuck > 0 and dict:get "next" or
    now + settings.every)
  dict:delete "next"
  dict:set("seen", cjson.encode(seen))
end

--- GET /health: 200, or 503 where a list is stuck, no id can be taken down, or
-- no sender is at work.
M.show = answer.handler(function()
  if not answer.is_method "GET" then
    return
  end
  local seen = cjson.decode(dict:get "seen" or '{"sent":0,"stuck":0}')
  local is_missed = ngx.time() - (dict:get "alive" or 0) > SILENCE
  seen.status = not dict:get "writable" and "folder" or
    is_missed and "sender" or seen.stuck > 0 and "stuck" or "ok"
  answer.send(seen.status == "ok" and 200 or 503, seen)
end)

return M
