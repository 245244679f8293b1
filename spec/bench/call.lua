--- Creates, one after another on one kept connection; prints one line of JSON.
-- Takes BENCH_ENDPOINT, BENCH_CA, BENCH_N, BENCH_WARMUP and BENCH_T0 (launch
-- time, seconds since 1970) from the environment, so that other clients can
-- be timed in the same rounds.

local personalize = require "personalize"
local core = require "personalize.core"
local getenv = os.getenv

local n = tonumber(getenv "BENCH_N" or 2000)
local warmup = tonumber(getenv "BENCH_WARMUP" or 200)
local launched = tonumber(getenv "BENCH_T0" or core.now())

-- Fields 14 and 15 of /proc/self/stat: ticks of 10 ms in user and kernel.
local function ticks()
  local file = io.open("/proc/self/stat")
  if not file then
    return 0, 0
  end
  local fields = {}
  for field in file:read("*a"):match("%) (.*)"):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  file:close()
  return tonumber(fields[12]), tonumber(fields[13])
end

local function resident_kb()
  local file = io.open("/proc/self/status")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return tonumber(text:match("VmRSS:%s*(%d+)"))
end

local client = personalize.new {
  region = getenv "AWS_REGION" or "eu-west-1",
  endpoint = assert(getenv "BENCH_ENDPOINT", "BENCH_ENDPOINT is not set"),
  ca_bundle = getenv "BENCH_CA",
  credentials = {
    access_key_id = getenv "AWS_ACCESS_KEY_ID" or "AKIDEXAMPLE",
    secret_access_key = getenv "AWS_SECRET_ACCESS_KEY" or
      "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  },
}
local group = getenv "PERSONALIZE_DATASET_GROUP_ARN" or
  "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local role = getenv "PERSONALIZE_ROLE_ARN" or
  "arn:aws:iam::123456789012:role/PersonalizeS3"
-- Names are unique in an account: several runs may share a server.
local prefix = ("bench-%d-%d-"):format(core.getpid(), math.floor(core.now()))

local function create(i)
  return client:create_data_deletion_job {
    jobName = prefix .. i,
    datasetGroupArn = group,
    dataSource = { dataLocation = "s3://erasure/2026-11-24/users.csv" },
    roleArn = role,
  }
end

create(0)
local startup = core.now() - launched
for i = 1, warmup do
  create(i)
end
local user, system = ticks()
local cpu, wall = os.clock(), core.monotonic()
for i = warmup + 1, warmup + n do
  create(i)
end
cpu, wall = os.clock() - cpu, core.monotonic() - wall
local user_end, system_end = ticks()
user, system = user_end - user, system_end - system
local share = user + system > 0 and user / (user + system) or 1

print(('{"peer":"personalize","version":"%s %s","n":%d,"wall_s":%.4f,' ..
  '"cpu_user_s":%.4f,"cpu_sys_s":%.4f,"us_cpu_per_call":%.2f,' ..
  '"calls_per_s":%.0f,"startup_ms":%.1f,"rss_kb":%d}'):format(
  personalize._VERSION, jit and jit.version:match("^%S+ %S+") or _VERSION, n,
  wall, cpu * share, cpu * (1 - share), cpu / n * 1e6, n / wall,
  startup * 1000, resident_kb() or 0))
