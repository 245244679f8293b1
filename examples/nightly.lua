--- Deletes the users of a day's list, as a job of the night: from a file of
-- ids to a receipt that is kept. Run it again after whatever went wrong; it
-- goes on where it ended.
--
--     lua nightly.lua 2026-11-23.txt RECEIPT_FOLDER
--
-- The list has an id a line. The rest comes from the environment: BUCKET,
-- ROLE_ARN and DATASET_GROUP_ARNS (several with spaces between them), and what
-- leads to AWS (AWS_REGION, AWS_PROFILE ...).

local personalize = require "personalize"

local list, folder = arg[1], arg[2]
if not folder then
  io.stderr:write "usage: nightly.lua LIST RECEIPT_FOLDER\n"
  os.exit(252)
end
-- The list's name is the run's: letters, digits, - and _.
local name = list:match("([^/]+)$"):gsub("%.%w+$", ""):gsub("[^%w_-]", "-")

local groups = {}
for arn in (os.getenv "DATASET_GROUP_ARNS" or ""):gmatch "%S+" do
  groups[#groups + 1] = arn
end

local path = folder .. "/" .. name .. ".json"
local file = io.open(path, "rb")
local last = file and file:read "*a"
if file then
  file:close()
end

-- The old text or the new, never half of one; for its owner alone.
local function keep(receipt)
  assert(personalize.write_private(path, personalize.receipt_json(receipt)))
end

local ok, result = pcall(personalize.delete_users, {
  file = list,
  format = "lines",
  unique = true,
  name = name,
  bucket = os.getenv "BUCKET",
  prefix = "erasure",
  datasetGroupArn = groups,
  roleArn = os.getenv "ROLE_ARN",
  cleanup = true, -- the list is personal data, too
  poll = tonumber(os.getenv "POLL_SECONDS"),
  receipt = last or nil, -- what only the last run could see is carried over
  on_receipt = keep, -- whatever becomes of this process
})

-- There is a receipt after a failure as well. One that tells of no job does not
-- take the place of one that may.
local receipt = ok and result or personalize.is_error(result) and
  result.receipt
local has_jobs = false
for _, job in ipairs(receipt and receipt.jobs or {}) do
  has_jobs = has_jobs or job.arn ~= nil
end
if has_jobs then
  keep(receipt)
  print(receipt.status, path)
end
if not ok then
  io.stderr:write(tostring(result), "\n")
  os.exit(1)
end
