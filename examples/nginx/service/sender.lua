--- Sends the lists of days that are over, and follows their jobs: in one worker
-- of all, now and then, a short run each time. A run that dies with its worker
-- or machine is gone on with by the next.

local answer = require "service.answer"
local health = require "service.health"
local lists = require "service.lists"
local personalize = require "personalize"
local settings = require "service.settings"

local M = {}

-- For delete_users, too, which ends where this raises: so no reload of nginx
-- waits for an upload.
local function go_on(lock)
  health.alive()
  if ngx.worker.exiting() then
    error("the next worker goes on", 0)
  elseif not lock:is_held() then
    error("the lock's file was taken away", 0)
  end
end

local function options_of(name, path, lock)
  local receipt = lists.receipt(name)
  return {
    file = path, format = "lines", unique = true,
    -- A list that was sent under a name is followed under it.
    name = receipt and receipt.name or lists.prefix() .. "-" .. name,
    receipt = receipt,
    bucket = settings.bucket, expected_bucket_owner = settings.owner,
    prefix = "erasure", cleanup = true,
    datasetGroupArn = settings.groups, roleArn = settings.role,
    wait = false, on_progress = function() go_on(lock) end,
    on_receipt = function(its) lists.note(name, its) end,
  }
end

-- What the next look would not find otherwise.
local LASTING = { UserListError = true, ParamValidationError = true }

local function has_failed(receipt)
  for _, job in ipairs(receipt and receipt.jobs or {}) do
    if job.status == "FAILED" then
      return true
    end
  end
  return false
end

-- Answers whether a list was sent, and its job has not failed.
local function send(name, lock)
  local client, path = settings.client, lists.path(name)
  if not path then
    return true
  end
  local ok, result = pcall(client.delete_users, client,
    options_of(name, path, lock))
  local e = not ok and personalize.is_error(result) and result or nil
  local receipt = ok and result or e and e.receipt
  -- In place of a job that has FAILED a run makes another, and so would every
  -- run after it.
  if has_failed(receipt) or e and LASTING[e.code] then
    health.wait(name, settings.again)
  end
  if receipt then
    lists.keep(name, receipt)
  end
  if not ok then
    error(result, 0)
  end
  return not has_failed(receipt)
end

-- One list; answers whether it is on its way.
local function try(name, lock)
  if health.is_waiting(name) then
    return false
  end
  -- Whatever is wrong with one list, the others go on.
  local is_over = false
  local ok, result = xpcall(send, function(e)
    is_over = personalize.is_error(e, "InterruptedError")
    return answer.trace(e)
  end, name, lock)
  if not ok then
    ngx.log(is_over and ngx.INFO or ngx.ERR, "the list of ", name, ": ", result)
  end
  return is_over or ok and result
end

local function run(lock)
  local seen = { sent = 0, stuck = 0 }
  for _, name in ipairs(lists.closed()) do
    go_on(lock)
    local kind = try(name, lock) and "sent" or "stuck"
    seen[kind] = seen[kind] + 1
    seen.oldest = name:sub(1, #"2026-11-24")
  end
  health.keep(seen)
end

local function tick(premature)
  if premature then
    return
  end
  local lock
  local ok, why = xpcall(function()
    lock = lists.lock()
    if lock then
      run(lock)
    end
    health.alive()
  end, answer.trace)
  if lock then
    lock:release()
  end
  if not ok then
    ngx.log(ngx.worker.exiting() and ngx.INFO or ngx.ERR, why)
  end
end

--- To be called when a worker begins.
function M.start()
  local ok, why = pcall(lists.try)
  if not ok then
    ngx.log(ngx.ERR, "no id can be taken down: ", tostring(why))
  end
  health.alive()
  health.note(ok)
  if ngx.worker.id() == 0 then
    assert(ngx.timer.at(0, tick))
    assert(ngx.timer.every(settings.every, tick))
  end
end

return M
