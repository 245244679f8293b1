--- A part of a list of 100 MB put over TLS, beside `curl -T` of the same file,
-- in the same rounds: the CPU of each process for the exchange, its start
-- aside. Prints a line of JSON for each round, and the median of the ratios.
-- Takes BENCH_ENDPOINT, BENCH_CA and BENCH_ROUNDS from the environment.

local core = require "personalize.core"
local transport = require "personalize.transport.curl"

local BYTES = 100 * 1000 * 1000
local ENDPOINT = assert(os.getenv "BENCH_ENDPOINT", "BENCH_ENDPOINT is not set")
local CA = assert(os.getenv "BENCH_CA", "BENCH_CA is not set")
local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS" or 7)

local path = os.tmpname()

local function write_list()
  local file = assert(io.open(path, "w"))
  file:write "USER_ID\n"
  local line = ("u"):rep(36) .. "\n"
  file:write((line:rep(math.floor((BYTES - 8) / #line))))
  file:close()
end

-- Seconds of CPU that a command used, as the shell tells.
local function cpu_of(command)
  local pipe = io.popen("bash -c 'TIMEFORMAT=\"%U %S\"; time " .. command ..
    "' 2>&1")
  local user, system = pipe:read("*a"):match "(%d+%.%d+) (%d+%.%d+)%s*$"
  pipe:close()
  return tonumber(user) + tonumber(system)
end

-- The bytes of the file as a string: what a list's own source costs besides is
-- the bench of lists.
local function put(text)
  local send, close = transport.new()
  local before = os.clock()
  assert(send { method = "PUT", url = ENDPOINT .. "users.csv", body = text,
    head = "content-type: text/csv\r\n", ca_bundle = CA, timeout = 60,
    connect_timeout = 5, proxy = "" })
  local cpu = os.clock() - before
  close()
  return cpu
end

write_list()
local file = assert(io.open(path))
local text = file:read "*a"
file:close()
local ratios = {}
-- What curl costs by itself, without a file to send.
local start = cpu_of(("curl -sS --cacert %s -o /dev/null %s"):format(CA,
  ENDPOINT))
for round = 1, ROUNDS do
  local floor = cpu_of(("curl -sS --cacert %s -T %s -o /dev/null %s"):format(
    CA, path, ENDPOINT)) - start
  local ours = put(text)
  ratios[round] = ours / floor
  print(('{"bench":"put over curl -T","bytes":%d,"cpu_s":%.3f,' ..
    '"floor_cpu_s":%.3f}'):format(#text, ours, floor))
end
os.remove(path)
table.sort(ratios)
print(('{"bench":"put over curl -T","rounds":%d,"median":%.3f,"best":%.3f,' ..
  '"pid":%d}'):format(ROUNDS, ratios[math.ceil(ROUNDS / 2)], ratios[1],
  core.getpid()))
