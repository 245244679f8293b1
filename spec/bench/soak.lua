--- Many calls in one process: memory and descriptors stay as they are. Many
-- creates on a lossy way: what came back is true.
-- Prints a line for each result and ends with 'N passed, N failed'.

local chaos = require "spec.support.chaos"
local core = require "personalize.core"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local CALLS = tonumber(os.getenv "SOAK_CALLS") or 200000
local CREATES = tonumber(os.getenv "SOAK_CREATES") or 10000
local SEED = tonumber(os.getenv "SOAK_SEED") or 20261124
-- Of resident memory, after the first tenth: what an allocator may still move.
local GROWTH_KB = 512

local passed, failed = 0, 0

local function tell(ok, what, ...)
  passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  print(("%-6s %s"):format(ok and "ok" or "FAILED", what:format(...)))
  io.stdout:flush()
end

-- KiB, or nil where there is no /proc.
local function resident()
  collectgarbage()
  collectgarbage()
  local file = io.open "/proc/self/status"
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text and tonumber(text:match "VmRSS:%s*(%d+)")
end

local function descriptors()
  local pipe = io.popen("ls /proc/" .. core.getpid() .. "/fd 2>/dev/null")
  local count = 0
  for _ in pipe:lines() do
    count = count + 1
  end
  pipe:close()
  return count
end

-- What is called at the i-th turn, and its input.
local function choose(i)
  if i % 10 == 0 then
    return "CreateDataDeletionJob"
  end
  return i % 3 == 0 and "ListDataDeletionJobs" or "DescribeDataDeletionJob"
end

local function soak_calls()
  local way = chaos.lossy("--tls --rate 0.02 --seed " .. SEED)
  local events = 0
  local client = personalize.new { region = "eu-west-1", timeout = 0.5,
    credentials = { access_key_id = "AKIDSOAK", secret_access_key = "secret",
      session_token = ("t"):rep(800) },
    endpoint = way.endpoint, ca_bundle = way.ca_bundle,
    sleep = function() end,
    on_event = function() events = events + 1 end,
  }
  local tenth = math.floor(CALLS / 10)
  local started, outcomes = core.monotonic(), {}
  local base, base_fds, most, least_fds, most_fds
  for i = 1, CALLS do
    local operation = choose(i)
    local ok, out, meta = pcall(client.call, client, operation,
      stub.input(operation))
    local kind = ok and (meta.reconciled and "ok, found by looking" or "ok") or
      personalize.is_error(out) and out.code or "no error of ours"
    outcomes[kind] = (outcomes[kind] or 0) + 1
    if i % tenth == 0 then
      -- Between calls a connection is kept, or it is not.
      pcall(client.list_data_deletion_jobs, client)
      local kb, fds = resident(), descriptors()
      print(("       %d calls: %s KiB, %d descriptors, %.0f s"):format(i,
        tostring(kb), fds, core.monotonic() - started))
      io.stdout:flush()
      if not base then
        base, most, base_fds = kb, kb, fds
        least_fds, most_fds = fds, fds
      end
      most = kb and math.max(most, kb)
      least_fds, most_fds = math.min(least_fds, fds), math.max(most_fds, fds)
    end
  end
  client:close()
  local seen = way.ask "GET"
  way.stop()
  chaos.print(("       %d calls, %d requests:"):format(CALLS, seen.requests),
    outcomes)
  chaos.print("       losses:", seen.losses)
  tell(not base or most - base <= GROWTH_KB,
    "memory after the first tenth: %s KiB, at most %s", base, most)
  tell(most_fds - least_fds <= 1, "descriptors: %d at first, %d to %d later",
    base_fds, least_fds, most_fds)
  tell(outcomes["no error of ours"] == nil, "every error is one of ours")
  tell((outcomes.ok or 0) > 0.9 * CALLS, "%d of %d calls succeed",
    outcomes.ok or 0, CALLS)
  tell(events > CALLS, "%d events", events)
end

local function soak_creates()
  local report = chaos.run(CREATES, SEED, 0.2)
  chaos.print(("       %d creates, %d requests, %d jobs:"):format(CREATES,
    report.requests, report.jobs), report.outcomes)
  chaos.print("       losses:", report.losses)
  for i = 1, math.min(#report.faults, 20) do
    print("       " .. report.faults[i])
  end
  tell(#report.faults == 0, "%d creates through a lossy way: %d untruths",
    CREATES, #report.faults)
end

soak_calls()
soak_creates()
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0)
