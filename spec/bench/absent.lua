--- The ids of a list looked for in exports, beside `openssl dgst -sha256` of
-- the same bytes: the CPU of each, one after the other, on the core that this
-- runs on. Prints a line of JSON; the ratio is of rates, the median of the
-- rounds. Aims, beside openssl: 0.5; 20 bytes an id.
-- BENCH_ABSENT_IDS, BENCH_ABSENT_BYTES, BENCH_ABSENT_ROUNDS: 1,000,000 ids,
-- 500,000,000 bytes of exports, 3.

local personalize = require "personalize"

local IDS = tonumber(os.getenv "BENCH_ABSENT_IDS") or 1000000
local BYTES = tonumber(os.getenv "BENCH_ABSENT_BYTES") or 500000000
local ROUNDS = tonumber(os.getenv "BENCH_ABSENT_ROUNDS") or 3

local BLOCK = 1000 -- lines
local LIST, USERS, INTERACTIONS = os.tmpname(), os.tmpname(), os.tmpname()

-- As from a version 4 generator.
local function new_id()
  return ("%08x-%04x-4%03x-%04x-%012x"):format(math.random(0, 0xFFFFFFFF),
    math.random(0, 0xFFFF), math.random(0, 0xFFF), math.random(0x8000, 0xBFFF),
    math.random(0, 0xFFFFFFFFFFFF))
end

-- Lines up to so many of them or so many bytes.
local function write(path, header, new_line, lines, bytes)
  local file = assert(io.open(path, "wb"))
  local written, count = #header, 0
  assert(file:write(header))
  while count < lines and written < bytes do
    local block = {}
    for i = 1, BLOCK do
      block[i] = new_line(count + i)
    end
    local text = table.concat(block)
    assert(file:write(text))
    written, count = written + #text, count + BLOCK
  end
  file:close()
  return written, count
end

-- Bytes in memory, where there is a /proc to tell.
local function resident()
  local file = io.open "/proc/self/status"
  local kb = file and file:read("*a"):match "VmRSS:%s*(%d+) kB" or 0
  if file then
    file:close()
  end
  return kb * 1024
end

-- The CPU seconds of openssl, as the shell's `times` tells of its children.
local function openssl()
  local pipe = io.popen(("openssl dgst -sha256 %s %s %s >/dev/null; times")
    :format(LIST, USERS, INTERACTIONS))
  pipe:read "*l" -- the shell's own
  local user, system = pipe:read("*l"):match "(%S+) (%S+)"
  pipe:close()
  local function seconds(text)
    local minutes, rest = text:match "(%d+)m([%d.]+)s"
    return minutes * 60 + rest
  end
  return seconds(user) + seconds(system)
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

-- CPU seconds of one look, and bytes of memory at the most.
local function measure(watch)
  collectgarbage()
  local before, most, calls = resident(), 0, 0
  local start = os.clock()
  local result = personalize.check_absent { file = LIST,
    exports = { USERS, INTERACTIONS }, on_progress = watch and function()
      calls = calls + 1
      most = calls % 20 == 0 and math.max(most, resident() - before) or most
    end or nil }
  assert(result.absent and result.users == IDS)
  return os.clock() - start, most
end

math.randomseed(20261124)
local bytes = write(LIST, "USER_ID\n", function() return new_id() .. "\n" end,
  IDS, math.huge)
local users, user_rows = write(USERS, "USER_ID,AGE,GENDER\n", function(i)
  return ("%s,%d,%s\n"):format(new_id(), i % 90, i % 2 == 0 and "f" or "m")
end, math.huge, BYTES / 10)
local interactions, rows = write(INTERACTIONS,
  "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n", function(i)
    return ("%s,item-%d,%d,click\n"):format(new_id(), i * 7919 % 100000,
      1600000000 + i)
  end, math.huge, BYTES - users)
bytes = bytes + users + interactions
rows = rows + user_rows

local _, memory = measure(true)
local ratios, best = {}, math.huge
for i = 1, ROUNDS do
  local floor = openssl()
  local took = measure()
  ratios[i], best = floor / took, math.min(best, took)
end
print(('{"bench":"absent","ids":%d,"bytes":%d,"rows":%d,"rounds":%d,' ..
  '"seconds":%.2f,"mb_per_s":%.0f,"over_openssl":%.3f,"bytes_an_id":%.1f}')
  :format(IDS, bytes, rows, ROUNDS, best, bytes / best / 1e6, median(ratios),
    memory / IDS))
for _, path in ipairs { LIST, USERS, INTERACTIONS } do
  os.remove(path)
end
