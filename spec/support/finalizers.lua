--- Finalizers run whenever Lua allocates, also inside of our C functions: here
-- one runs at the end of every collection, and collections never end.
-- Knows the collector; refuses to know what is interfered with.

local torture = require "spec.support.torture"

local finalizers = {}

local CALLS = 60
-- Where little is allocated, more calls, until so many finalizers have run.
local LEAST, MOST = 20, 20000

-- The collector at work all the time.
collectgarbage("setpause", 0)
collectgarbage("setstepmul", 100000)

--- Lets the collector rest, for what allocates a lot.
function finalizers.rest()
  collectgarbage("setpause", 200)
  collectgarbage("setstepmul", 200)
end

-- Calls f at the end of every collection, until the answer is called.
local function at_each_collection(f)
  local stopped = false
  local arm
  local function finalize()
    if not stopped then
      arm()
      f()
    end
  end
  function arm()
    if newproxy then
      getmetatable(newproxy(true)).__gc = finalize
    else
      setmetatable({}, { __gc = finalize })
    end
  end
  arm()
  return function() stopped = true end
end

--- Calls f(i) many times, while interfere runs in the collector. Errors of Lua's
-- are no fault as long as `again` works in the end.
function finalizers.run(name, f, interfere, again)
  local finalized, completed, wrong = 0, 0, nil
  local busy = false
  local stop = at_each_collection(function()
    if not busy then
      busy = true
      finalized = finalized + 1
      pcall(interfere)
      busy = false
    end
  end)
  collectgarbage() -- what the collector was at before goes by other rules
  local calls = 0
  while calls < CALLS or finalized <= LEAST and calls < MOST do
    calls = calls + 1
    local ok, err = pcall(f, calls)
    completed = completed + (ok and 1 or 0)
    if not ok and tostring(err):find("^WRONG") then
      wrong = wrong or err
    end
  end
  stop()
  collectgarbage()
  local ok, err = pcall(again)
  ok = ok and not wrong and finalized > LEAST
  torture.passed = torture.passed + (ok and 1 or 0)
  torture.failed = torture.failed + (ok and 0 or 1)
  print(("%-6s %s (%d finalizers, %d of %d calls completed)%s"):format(
    ok and "ok" or "FAILED", name, finalized, completed, calls,
    ok and "" or "\n       " .. tostring(wrong or err)))
end

--- A result that is there has to be right.
function finalizers.right(expected, got, what)
  if expected ~= got then
    error("WRONG " .. what .. ": " .. tostring(got):sub(1, 60), 0)
  end
end

return finalizers
