--- The lists in their folder. A day's list is added to while it is called
-- DAY.open; renamed to DAY.users it is closed, and stays as it is until its job
-- is done and DAY.json is the receipt. What comes late for a day makes another
-- list, DAY-2. Days are those of UTC.

local personalize = require "personalize"
local settings = require "service.settings"

local M = {}

-- A list older than this, in days, is for somebody to look at.
local OLDEST = 400

local function path_of(name, ending)
  return ("%s/%s.%s"):format(settings.folder, name, ending)
end

local ENOENT = 2

-- Not to be able to tell is no "no": a list would take another's place.
local function exists(path)
  local file, why, code = io.open(path, "rb")
  if not file and code ~= ENOENT then
    error(why, 0)
  end
  return file ~= nil and file:close()
end

--- Adds a line to today's list: true once it is on the disk, whatever becomes
-- of nginx or the machine; or nil and why. nginx's worker waits for the disk.
function M.add(line)
  local today = os.date("!%Y-%m-%d", ngx.time())
  return personalize.append_lines(path_of(today, "open"), line)
end

-- Adds the names of a day's closed lists, and closes what is open of it.
local function gather(names, day)
  local name, number = day, 1
  while true do
    local is_closed = exists(path_of(name, "users"))
    if is_closed then
      names[#names + 1] = name
    elseif not exists(path_of(name, "json")) then
      break
    end
    number = number + 1
    name = day .. "-" .. number
  end
  if os.rename(path_of(day, "open"), path_of(name, "users")) then
    names[#names + 1] = name
  end
end

--- The names of the lists that are closed, those of days that are over now
-- among them.
function M.closed()
  local names = {}
  for back = 1, OLDEST do
    gather(names, os.date("!%Y-%m-%d", ngx.time() - back * 86400))
  end
  return names
end

local function is_empty(path)
  local file = assert(io.open(path, "rb"))
  local first = file:read(1)
  file:close()
  return first == nil
end

--- The path of a closed list once nobody adds to it any more: who had it open
-- when it was renamed is waited for. Nil where it came to nothing.
function M.path(name)
  local path = path_of(name, "users")
  assert(personalize.append_lines(path, ""))
  if is_empty(path) then
    os.remove(path)
    return nil
  end
  return path
end

local function has_jobs(receipt)
  for _, job in ipairs(receipt.jobs) do
    if job.arn then
      return true
    end
  end
  return false
end

--- Writes a list's receipt, once it tells of a job: none takes the place of one
-- that knows more. With one of a deletion that is COMPLETED the list,
-- which is personal data, goes.
function M.keep(name, receipt)
  if not has_jobs(receipt) then
    return
  end
  assert(personalize.write_private(path_of(name, "json"),
    personalize.receipt_json(receipt)))
  if receipt.status == "COMPLETED" then
    os.remove(path_of(name, "users"))
  end
end

return M
