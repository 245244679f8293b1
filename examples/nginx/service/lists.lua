--- The lists in their folder. A day's list is added to while it is called
-- DAY.open; renamed to DAY.users it is closed, and stays as it is until its job
-- is done and DAY.json is the receipt. DAY.sending is the receipt of a run that is
-- at it, or was when its process died: where there is neither, nothing was sent.
-- What comes late for a day makes another list, DAY-2. Days are those of UTC.

local cjson = require "cjson"
local personalize = require "personalize"
local settings = require "service.settings"

local M = {}

-- A list older than this, in days, is for somebody to look at.
local OLDEST = 400

local function path_of(name, ending)
  return ("%s/%s.%s"):format(settings.folder, name, ending)
end

local warned = {}

-- What of a file went well, but is not promised on this file system: told once.
local function tell(warning, path)
  if warning and not warned[warning] then
    warned[warning] = true
    ngx.log(ngx.WARN, path, ": ", warning)
  end
end

-- What a file's fault is raised as: a line that needs no traceback.
local Fault = { __tostring = function(fault) return fault.message end }

-- The result of a function for files; raises why it failed, and where.
local function demand(path, result, why)
  if not result then
    error(setmetatable({ message = ("%s: %s"):format(path, why) }, Fault), 0)
  end
  tell(type(why) == "string" and why, path)
  return result
end

local ENOENT = 2

-- Not to be able to tell is no "no".
local function exists(path)
  local file, why, code = io.open(path, "rb")
  if not file and code ~= ENOENT then
    error(why, 0)
  end
  return file ~= nil and file:close()
end

local function read(path, what)
  local file = io.open(path, "rb")
  local text = file and file:read(what)
  return file and file:close() and text or nil
end

--- Raises where this user cannot write to the folder.
function M.try()
  local path = ("%s/.try-%d"):format(settings.folder, ngx.worker.pid())
  demand(path, personalize.write_private(path, ""))
  os.remove(path)
end

--- The lock of the folder, which is one sender's in one process of all that see
-- the folder; nil where another has it. Ends with its process.
function M.lock()
  local path = settings.folder .. "/.lock"
  local lock, why, code = personalize.lock_file(path)
  if not lock and code == "EAGAIN" then
    return nil
  end
  return demand(path, lock, why)
end

--- What the jobs are named after. Two machines must not have the same: each
-- would take the other's list for its own of another time. So it is made up
-- once, and kept with the lists. To be called under the lock.
function M.prefix()
  if settings.name then
    return settings.name
  end
  local path = settings.folder .. "/name"
  local name = read(path, "*l")
  if not name then
    local hex = read("/dev/urandom", 6):gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end)
    name = "forget-" .. hex
    demand(path, personalize.write_private(path, name .. "\n"))
  end
  return name
end

--- Adds a line to today's list: true once it is on the disk, whatever becomes
-- of nginx or the machine; or nil and why. nginx's worker waits for the disk.
function M.add(line)
  local path = path_of(os.date("!%Y-%m-%d", ngx.time()), "open")
  local ok, result, warning = personalize.append_lines(path, line)
  if not ok then
    return nil, ("%s: %s"):format(path, result)
  elseif result > 0 then
    ngx.log(ngx.WARN, path, ": ", result, " bytes of a line without an end " ..
      "were taken away, as a power cut leaves them")
  end
  tell(warning, path)
  return true
end

-- Gives what is open of a day the first name that is free. Answers the name;
-- nil where nothing is open.
local function close(day, name, number)
  local open = path_of(day, "open")
  while exists(open) do
    local path = path_of(name, "users")
    local ok, why, code = personalize.rename_noreplace(open, path)
    if ok then
      tell(why, path)
      return name
    elseif code ~= "EEXIST" and code ~= "ENOENT" then
      demand(open, ok, why)
    end
    number = number + 1
    name = day .. "-" .. number
  end
end

-- The names of a day's closed lists; and the first name that is free, with its
-- number.
local function closed_of(day)
  local names, name, number = {}, day, 1
  while true do
    if exists(path_of(name, "users")) then
      names[#names + 1] = name
    elseif not exists(path_of(name, "json")) then
      return names, name, number
    end
    number = number + 1
    name = day .. "-" .. number
  end
end

-- The day that was so many days ago.
local function day_of(back)
  return os.date("!%Y-%m-%d", ngx.time() - back * 86400)
end

--- The names of the lists that are closed, those of days that are over now
-- among them; the oldest comes last.
function M.closed()
  local names = {}
  for back = 1, OLDEST do
    local day = day_of(back)
    local closed, name, number = closed_of(day)
    for _, one in ipairs(closed) do
      names[#names + 1] = one
    end
    names[#names + 1] = close(day, name, number)
  end
  return names
end

-- Seconds for which those who add to a list are waited for.
local PATIENCE = 10

-- The lock under which lines are added to a file. Without one, what is added
-- meanwhile would be lost with the old text.
local function own(path)
  local stop = ngx.now() + PATIENCE
  while true do
    local lock, why, code = personalize.lock_file(path)
    if lock and why then
      lock:release()
      error(setmetatable({ message = ("%s is not changed here: %s"):format(
        path, why) }, Fault), 0)
    elseif lock or code ~= "EAGAIN" or ngx.now() > stop then
      return demand(path, lock, why)
    end
    ngx.sleep(0.01)
    ngx.update_time()
  end
end

-- The text without every such line; nil where there is none.
local function without(text, line)
  local kept = {}
  for one in text:gmatch "[^\n]*\n?" do
    if one ~= line then
      kept[#kept + 1] = one
    end
  end
  local rest = table.concat(kept)
  return #rest < #text and rest or nil
end

-- The whole of a list that is there.
local function text_of(path)
  return demand(path, read(path, "*a"), "it cannot be read")
end

-- Takes a line out of a list. Answers whether it was there.
local function take_out(path, line)
  if not exists(path) or not without(text_of(path), line) then
    return false
  end
  local lock = own(path)
  local ok, result = pcall(function()
    local rest = without(text_of(path), line)
    return rest and demand(path, personalize.write_private(path, rest))
  end)
  lock:release()
  if not ok then
    error(result, 0)
  end
  return result ~= nil
end

--- Takes a line out of every list of which nothing was sent. To be called under
-- the lock. Answers whether one had it, and whether a list has it that was sent,
-- or may have been.
function M.withdraw(line)
  local is_out, is_sent = false, false
  for back = 0, OLDEST do
    local day = day_of(back)
    is_out = take_out(path_of(day, "open"), line) or is_out
    for _, name in ipairs((closed_of(day))) do
      local path = path_of(name, "users")
      if not exists(path_of(name, "json")) and
        not exists(path_of(name, "sending")) then
        is_out = take_out(path, line) or is_out
      elseif without(text_of(path), line) then
        is_sent = true
      end
    end
  end
  return is_out, is_sent
end

--- The path of a closed list once nobody adds to it any more: who had it open
-- when it was renamed is waited for. Nil where it came to nothing, or is gone.
function M.path(name)
  local path = path_of(name, "users")
  local ok, why, code = personalize.append_lines(path, "")
  if not ok and code == "ENOENT" then
    return nil
  end
  demand(path, ok, why)
  if not read(path, 1) then
    os.remove(path)
    return nil
  end
  return path
end

--- The receipt that is there of a list: what only an earlier run could see is
-- in it.
function M.receipt(name)
  for _, ending in ipairs { "sending", "json" } do
    local path = path_of(name, ending)
    local text = read(path, "*a")
    if text then
      local ok, receipt = pcall(cjson.decode, text)
      return demand(path, ok and receipt, receipt)
    end
  end
end

local function has_jobs(receipt)
  for _, job in ipairs(receipt.jobs) do
    if job.arn then
      return true
    end
  end
  return false
end

local function write(name, ending, receipt)
  local path = path_of(name, ending)
  demand(path, personalize.write_private(path,
    personalize.receipt_json(receipt)))
end

--- Writes the receipt of a run that goes on: before it sends anything, and after
-- each step.
function M.note(name, receipt)
  write(name, "sending", receipt)
end

--- Writes the receipt of a run that is over, once it tells of a job: none takes
-- the place of one that knows more. With one of a deletion that is COMPLETED the
-- list, which is personal data, goes.
function M.keep(name, receipt)
  if not has_jobs(receipt) then
    return
  end
  write(name, "json", receipt)
  os.remove(path_of(name, "sending"))
  if receipt.status == "COMPLETED" then
    os.remove(path_of(name, "users"))
  end
end

return M
