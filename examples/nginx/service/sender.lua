--- Sends the lists of days that are over, and follows their jobs: in one worker
-- of all, now and then, a short run each time. A run that dies with its worker
-- or machine is gone on with by the next.

local ffi = require "ffi"
local lists = require "service.lists"
local personalize = require "personalize"
local settings = require "service.settings"

local M = {}

-- Seconds for which the lock lasts; a run renews it as it gets on. Two runs at
-- once would do no harm, but work.
local LOCK = 120

local dict = ngx.shared.erasure
local runs = 0

ffi.cdef "int kill(int pid, int signal);"

-- The lock for a run of this worker; nil where another has it.
local function take()
  local other = dict:get "owner"
  if other and ffi.C.kill(tonumber(other:match "^%d+"), 0) ~= 0 then
    dict:delete "owner" -- its worker has died
  end
  runs = runs + 1
  local owner = ngx.worker.pid() .. " " .. runs
  return dict:add("owner", owner, LOCK) and owner
end

-- For delete_users, too, which ends where this raises: so no reload of nginx
-- waits for an upload.
local function renew(owner)
  if ngx.worker.exiting() then
    error("the next worker goes on", 0)
  elseif dict:get "owner" ~= owner then
    error("another worker has taken over", 0)
  end
  dict:set("owner", owner, LOCK)
end

local function release(owner)
  if dict:get "owner" == owner then
    dict:delete "owner"
  end
end

local function options_of(name, path, owner)
  return {
    file = path, format = "lines", unique = true,
    name = settings.name .. "-" .. name,
    bucket = settings.bucket, prefix = "erasure", cleanup = true,
    datasetGroupArn = settings.groups, roleArn = settings.role,
    wait = false, on_progress = function() renew(owner) end,
  }
end

-- What the next look would not find otherwise.
local LASTING = { UserListError = true, ParamValidationError = true }

-- Is the list to be left alone for long? In place of a job that has FAILED a
-- run makes another, and so would every run after it.
local function is_slow(receipt, e)
  for _, job in ipairs(receipt and receipt.jobs or {}) do
    if job.status == "FAILED" then
      return true
    end
  end
  return e ~= nil and LASTING[e.code]
end

local function send(name, owner)
  local client, path = settings.client, lists.path(name)
  if not path then
    return
  end
  local ok, result = pcall(client.delete_users, client,
    options_of(name, path, owner))
  local e = not ok and personalize.is_error(result) and result or nil
  local receipt = ok and result or e and e.receipt
  if is_slow(receipt, e) then
    dict:set("later " .. name, true, settings.again)
  end
  if receipt then
    lists.keep(name, receipt)
  end
  if not ok then
    error(result, 0)
  end
end

local function run(owner)
  for _, name in ipairs(lists.closed()) do
    renew(owner)
    if not dict:get("later " .. name) then
      -- Whatever is wrong with one list, the others go on.
      local ok, why = pcall(send, name, owner)
      if not ok then
        local is_over = personalize.is_error(why, "InterruptedError")
        ngx.log(is_over and ngx.INFO or ngx.ERR, "the list of ", name, ": ",
          tostring(why))
      end
    end
  end
end

local function tick(premature)
  local owner = not premature and take()
  if owner then
    local ok, why = pcall(run, owner)
    release(owner)
    if not ok then
      ngx.log(ngx.INFO, tostring(why))
    end
  end
end

--- To be called when a worker begins.
function M.start()
  if ngx.worker.id() == 0 then
    assert(ngx.timer.every(settings.every, tick))
  end
end

return M
