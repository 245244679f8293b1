--- Ten million users from a file to a receipt, and a line without an end, in
-- little memory.
-- SOAK_USERS makes it shorter. Prints a line for each result and ends with
-- 'N passed, N failed'.

local child = require "spec.support.child"
local json = require "cjson"

local USERS = tonumber(os.getenv "SOAK_USERS") or 10000000
local MEMORY_KB = 32 * 1024

local passed, failed = 0, 0

local function tell(ok, what, ...)
  passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  print(("%-6s %s"):format(ok and "ok" or "FAILED", what:format(...)))
  io.stdout:flush()
end

local list = os.tmpname()
-- Random UUIDs, a line each, below the header.
assert(os.execute(([[python3 -c '
import os, sys
left = %d
with open(sys.argv[1], "w") as file:
    file.write("USER_ID\n")
    while left:
        count = min(left, 100000)
        text = os.urandom(16 * count).hex()
        file.writelines("%%s-%%s-%%s-%%s-%%s\n" %% (
            text[i:i + 8], text[i + 8:i + 12], text[i + 12:i + 16],
            text[i + 16:i + 20], text[i + 20:i + 32]) for i in range(0, 32 * count, 32))
        left -= count
' %s]]):format(USERS, child.quote(list))))

local function run(mode, before)
  local process = child.start(("env LIST=%s LIST_MODE=%s %s %s " ..
    "spec/bench/list_child.lua"):format(child.quote(list), mode, before,
    child.interpreter()))
  local output = process:rest()
  process:stop()
  local ok, report = pcall(json.decode, output)
  return ok and report or { failure = output }
end

local parts = math.ceil(USERS * 37 / (100 * 1000 * 1000 - 8))
local report = run("erase",
  "spec/support/with-local-aws --tls --job-seconds 3 --")
print("       " .. json.encode(report))
tell(report.status == "COMPLETED" and report.users == USERS and
  report.num_deleted == USERS, "%d users, from the file to a receipt", USERS)
tell(report.parts == parts, "%d parts, as %d bytes make", report.parts or 0,
  USERS * 37)
tell((report.peak_kb or math.huge) < MEMORY_KB,
  "never more than %d KiB of memory, of %d", report.peak_kb or 0, MEMORY_KB)

report = run("unique", "")
print("       " .. json.encode(report))
tell(report.users == USERS, "%d users, none of them twice: %.1f bytes each",
  USERS, (report.peak_kb or 0) * 1024 / USERS)

report = run("line", "")
print("       " .. json.encode(report))
tell(report.code == "UserListError" and report.fault == "length",
  "a line of 1 GiB is a fault")
tell((report.peak_kb or math.huge) < MEMORY_KB,
  "and takes no more than %d KiB", report.peak_kb or 0)

os.remove(list)
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0)
