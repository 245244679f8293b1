--- A list of 100 MB, checked, cut and hashed, beside `openssl dgst -sha256` of
-- the same file: the CPU of each, one after the other, on the core that
-- this runs on. Prints a line of JSON a kind of list; ratios are of rates, the
-- median of the rounds. Aims, beside openssl: 0.9 as lists mostly are, 0.4 with
-- `unique`, which takes at most 20 bytes an id.
-- BENCH_LIST_ROUNDS, BENCH_LIST_BYTES: 7, 100,000,000.

local core = require "personalize.core"

local ROUNDS = tonumber(os.getenv "BENCH_LIST_ROUNDS") or 7
local BYTES = tonumber(os.getenv "BENCH_LIST_BYTES") or 100000000

local path = os.tmpname()

-- Lines like UUIDs; every so many-th has a letter that is not ASCII.
local function write(every)
  local file = assert(io.open(path, "wb"))
  local written = file:write "USER_ID\n" and 8
  local n = 0
  while written < BYTES do
    local lines = {}
    for i = 1, 1000 do
      n = n + 1
      local hex = core.sha256_hex(tostring(n))
      local id = hex:sub(1, 8) .. "-" .. hex:sub(9, 12) .. "-" ..
        hex:sub(13, 16) .. "-" .. hex:sub(17, 20) .. "-" .. hex:sub(21, 32)
      if every and n % every == 0 then
        id = id:sub(1, 10) .. "\195\169" .. id:sub(12)
      end
      lines[i] = id
    end
    local block = table.concat(lines, "\n") .. "\n"
    file:write(block)
    written = written + #block
  end
  file:close()
end

-- The CPU seconds of openssl, as the shell's `times` tells of its children: of
-- several, since it may count in hundredths.
local FLOORS = 5

local function openssl()
  local pipe = io.popen(("openssl dgst -sha256 %s >/dev/null; "):format(path)
    :rep(FLOORS) .. "times")
  pipe:read "*l" -- the shell's own
  local user, system = pipe:read("*l"):match "(%S+) (%S+)"
  pipe:close()
  local function seconds(text)
    local minutes, rest = text:match "(%d+)m([%d.]+)s"
    return minutes * 60 + rest
  end
  return (seconds(user) + seconds(system)) / FLOORS
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

-- CPU seconds, and the list.
local function check(options)
  collectgarbage()
  local start = os.clock()
  local list = core.userlist(options)
  assert(list:open(path))
  while not list:check() do end
  local summary = list:finish()
  local took = os.clock() - start
  assert(summary.fault_count == 0 and #summary.parts >= 1)
  return took, list
end

-- The bytes an id that a list holds at its most, by looking all the time.
local function measure_memory(options)
  collectgarbage()
  local before, most = resident(), 0
  local list = core.userlist(options)
  assert(list:open(path))
  repeat
    local done = list:check()
    most = math.max(most, resident() - before)
  until done
  local users = list:finish().users
  list:close()
  return most / users
end

local function send(list)
  local start = os.clock()
  local n = 1
  local source = list:part(n)
  while source:read(65536) do end
  return os.clock() - start, source.length
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

local function measure(kind, options)
  options.key = core.random(16)
  options.part_size = 2 * BYTES
  local ratios, sends, best = {}, {}, math.huge
  local held = measure_memory(options)
  for i = 1, ROUNDS do
    local floor = openssl()
    local took, list = check(options)
    local sent = send(list)
    ratios[i], sends[i] = floor / took, floor / sent
    best = math.min(best, took)
    list:close()
  end
  print(('{"bench":"list","kind":"%s","rounds":%d,"mb_per_s":%.0f,' ..
    '"over_openssl":%.3f,"send_over_openssl":%.3f,"bytes_an_id":%.1f}'):format(
    kind, ROUNDS, BYTES / best / 1e6, median(ratios), median(sends), held))
  io.stdout:flush()
end

write()
measure("ascii", {})
measure("ascii, unique", { unique = true })
write(5)
measure("every fifth not ascii", {})
os.remove(path)
