--- Runs functions with each of their allocations refused in turn.
-- Knows the `refuse` table of spec/support/host.c; refuses to know what the
-- functions do, except that they check their own results.

local torture = { passed = 0, failed = 0 }

-- Room for what Lua may have grown for good: its table of strings, say.
local SLACK = 4096
local FAULTS_SHOWN = 5
local MANY = 20000

-- Before 5.2 Lua has no second try, so that `once` is the same as `firm`.
local modes = _VERSION == "Lua 5.1" and { "firm", "rest" }
  or { "once", "firm", "rest" }

local function collect()
  collectgarbage()
  collectgarbage()
  return refuse.live()
end

-- From 5.2 to 5.4 no memory for the stack is told as a stack overflow.
local function is_memory(err)
  local text = tostring(err)
  return text:find("memory", 1, true) ~= nil or
    text:find("stack overflow (", 1, true) ~= nil
end

-- f with allocation n refused, and then as it is. Answers the refusals;
-- `note` takes what went wrong.
local function try(mode, n, f, accept, note)
  local refused, _, ok, result = refuse.try(n, mode, f)
  if refused == 0 then
    if not ok then
      note("fails without a refusal: " .. tostring(result))
    end
    return 0
  end
  if not ok and not accept(result) then
    note("another error than memory: " .. tostring(result))
  end
  -- What a failed call left in its object, the next one clears away.
  ok, result = pcall(f)
  if not ok then
    note("does not work afterwards: " .. tostring(result))
  end
  return refused
end

-- One function in one mode; answers the number of allocations refused, and
-- adds to `faults` what went wrong.
local function run_mode(mode, f, accept, faults)
  local blocks, bytes = collect()
  local n = 0
  local function note(text)
    faults[#faults + 1] = ("%s, allocation %d: %s"):format(mode, n, text)
  end
  repeat
    n = n + 1
    local refused = try(mode, n, f, accept, note)
    local held = collect()
    if held > blocks then
      note(("the core holds %d blocks, not %d"):format(held, blocks))
      blocks = held
    end
  until refused == 0 or n == MANY
  if n == MANY then
    note "no end of allocations"
  end
  local _, grown = collect()
  if grown > bytes + SLACK then
    note(("Lua holds %d bytes, not %d"):format(grown, bytes))
  end
  return n - 1
end

--- Calls f with the first, the second, ... allocation refused, until it
-- completes without a refusal; after each, f has to work again. f raises when
-- a result is not what it should be. `accept` tells which errors a refusal
-- may cause; by default those that speak of memory.
---@param name string
---@param f function
---@param accept? fun(err): boolean
---@param once? boolean in one mode alone, where f takes its time
function torture.run(name, f, accept, once)
  local faults, refusals = {}, 0
  for _ = 1, 2 do -- what is made once and kept is made before
    local ok, err = pcall(f)
    if not ok then
      faults[#faults + 1] = "does not work at all: " .. tostring(err)
    end
  end
  for _, mode in ipairs(#faults > 0 and {} or once and { "firm" } or modes) do
    refusals = refusals + run_mode(mode, f, accept or is_memory, faults)
  end
  torture.passed = torture.passed + (#faults == 0 and 1 or 0)
  torture.failed = torture.failed + (#faults == 0 and 0 or 1)
  print(("%-6s %s (%d refusals)"):format(#faults == 0 and "ok" or "FAILED",
    name, refusals))
  for i = 1, math.min(#faults, FAULTS_SHOWN) do
    print("       " .. faults[i])
  end
  if #faults > FAULTS_SHOWN then
    print(("       and %d more"):format(#faults - FAULTS_SHOWN))
  end
  io.stdout:flush()
end

--- Does the error speak of memory?
torture.is_memory = is_memory

--- Raises unless both are equal; tables by their members.
function torture.same(expected, got, what)
  what = what or "result"
  if type(expected) == "table" and type(got) == "table" then
    for key, value in pairs(expected) do
      torture.same(value, got[key], what .. "." .. tostring(key))
    end
    for key in pairs(got) do
      if expected[key] == nil then
        error(what .. " has a needless " .. tostring(key), 0)
      end
    end
  elseif expected ~= got then
    error(("%s: expected %s, got %s"):format(what, tostring(expected),
      tostring(got)), 0)
  end
end

--- Prints the sums; the script's status.
function torture.finish()
  collect()
  if refuse.leaks() then
    print("FAILED memory leaked")
    torture.failed = torture.failed + 1
  end
  print(("%d passed, %d failed"):format(torture.passed, torture.failed))
  os.exit(torture.failed == 0 and torture.passed > 0)
end

return torture
