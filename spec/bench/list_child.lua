--- One large list in a process of its own, whose memory at its highest is the
-- measure: LIST_MODE is "erase" (from the file to the receipt, against the
-- service that the environment leads to) or "unique" (only checked). Prints a
-- line of JSON.

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
