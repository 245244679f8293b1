--- Workers of an nginx that is not there: coroutines on one clock that stands
-- still while they run, and the dictionary that they share.
-- Knows what ngx.shared promises; refuses to know what is kept in it.

local core = require "personalize.core"

local workers = {}

--- Can a coroutine be left here from inside pcall? Not on Lua 5.1; LuaJIT, as
-- in nginx, can.
workers.can_yield = _VERSION ~= "Lua 5.1" or
  type(rawget(_G, "jit")) == "table"

local START, UPTIME = 1795518000, 5000

local methods = {}
local mt = { __index = methods }

--- A scene. Its clock is the core's until `finish`. `pause`, where given, is
-- called before each use of the dictionary: other processes run meanwhile.
-- `uses` counts these.
function workers.new(pause)
  local self = setmetatable({ time = 0, tasks = {}, values = {}, uses = 0,
    before = { now = core.now, monotonic = core.monotonic } }, mt)
  core.now = function() return START + self.time end
  core.monotonic = function() return UPTIME + self.time end
  self.dict = self:new_dict(function()
    self.uses = self.uses + 1
    if pause then
      pause()
    end
  end)
  return self
end

function methods:finish()
  core.now, core.monotonic = self.before.now, self.before.monotonic
end

function methods:new_dict(pause)
  local dict = {}
  local function find(key)
    local slot = self.values[key]
    if slot and slot.ends and self.time >= slot.ends then
      self.values[key] = nil
      return nil
    end
    return slot
  end
  local function put(key, value, seconds)
    assert(type(key) == "string" and type(value) == "string")
    if self.is_full then
      return false, "no memory", false
    end
    self.values[key] = { value = value,
      ends = seconds and seconds > 0 and self.time + seconds or nil }
    return true, nil, false
  end
  function dict.get(_, key)
    pause()
    local slot = find(key)
    return slot and slot.value
  end
  function dict.set(_, key, value, seconds)
    pause()
    return put(key, value, seconds)
  end
  function dict.add(_, key, value, seconds)
    pause()
    if find(key) then
      return false, "exists", false
    end
    return put(key, value, seconds)
  end
  function dict.delete(_, key)
    pause()
    self.values[key] = nil
  end
  return dict
end

--- Waits, inside a task. True, as it is never interrupted.
function methods:sleep(seconds)
  assert(seconds >= 0 and seconds < math.huge)
  coroutine.yield(self.time + seconds)
  return true
end

--- A task that begins so many seconds from now.
function methods:start(delay, run)
  local task = { wake = self.time + delay, order = #self.tasks,
    thread = coroutine.create(run) }
  self.tasks[#self.tasks + 1] = task
  return task
end

--- Ends a task where it stands, as kill -9 does.
function methods.kill(_, task)
  task.is_over = true
end

local function next_of(tasks)
  local first
  for i = #tasks, 1, -1 do
    local task = tasks[i]
    if task.is_over then
      table.remove(tasks, i)
    elseif not first or task.wake < first.wake or
      task.wake == first.wake and task.order < first.order then
      first = task
    end
  end
  return first
end

--- Until all tasks are over.
function methods:run()
  local task, order = next_of(self.tasks), 0
  while task do
    self.time = math.max(self.time, task.wake)
    order = order + 1
    local ok, wake = coroutine.resume(task.thread)
    assert(ok, wake)
    if coroutine.status(task.thread) == "dead" then
      task.is_over = true
    else
      task.wake, task.order = wake, 1e6 + order
    end
    task = next_of(self.tasks)
  end
end

return workers
