--- One large list in a process of its own, whose memory at its highest is the
-- measure: LIST_MODE is "erase" (from the file to the receipt, against the
-- service that the environment leads to), "unique" (only checked), or "line"
-- (a line of 1 GiB, refused). Prints a line of JSON.

local core = require "personalize.core"
local json = require "cjson"
local personalize = require "personalize"

local function peak()
  local file = assert(io.open "/proc/self/status", "no /proc here")
  local text = file:read "*a"
  file:close()
  return tonumber(text:match "VmHWM:%s*(%d+)")
end

local started = core.monotonic()
local report = {}
if os.getenv "LIST_MODE" == "unique" then
  local summary = personalize.check_users { file = os.getenv "LIST",
    unique = true }
  report.users, report.parts = summary.users, #summary.parts
elseif os.getenv "LIST_MODE" == "line" then
  local block, count = ("x"):rep(1024 * 1024), 0
  local ok, e = pcall(personalize.check_users, { text = function()
    count = count + 1
    return count == 1 and "USER_ID\n" or count <= 1025 and block or nil
  end })
  report.code, report.fault = not ok and e.code, not ok and e.params[1].code
else
  local highest = {}
  local receipt = personalize.delete_users {
    file = os.getenv "LIST", name = "soak",
    bucket = os.getenv "PERSONALIZE_BUCKET",
    datasetGroupArn = os.getenv "PERSONALIZE_DATASET_GROUP_ARN",
    roleArn = os.getenv "PERSONALIZE_ROLE_ARN", poll = 0.5,
    on_progress = function(progress)
      highest[progress.phase] = peak()
    end,
  }
  report.status, report.users = receipt.status, receipt.users
  report.parts, report.peak_kb_by_phase = #receipt.parts, highest
  report.num_deleted = 0
  for _, job in ipairs(receipt.jobs) do
    report.num_deleted = report.num_deleted + job.num_deleted
  end
end
report.seconds = core.monotonic() - started
report.peak_kb = peak()
print(json.encode(report))
