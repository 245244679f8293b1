--- What the service is set to, from the environment, read while nginx starts;
-- and the one client that all of it uses.

local personalize = require "personalize"

local function need(name)
  local value = os.getenv(name)
  if not value or value == "" then
    error(name .. " is not set", 0)
  end
  return value
end

local groups = {}
for arn in need "ERASURE_DATASET_GROUP_ARNS":gmatch "%S+" do
  groups[#groups + 1] = arn
end

return {
  client = personalize.new { timeout = 30, on_event = personalize.log_ngx },

  -- Where lists and receipts lie, for the workers' user alone:
  --     install -d -m 700 -o www-data /var/lib/erasure
  folder = os.getenv "ERASURE_FOLDER" or "/var/lib/erasure",
  -- Jobs are named after it and the day: another on each machine.
  name = os.getenv "ERASURE_NAME" or "forget",
  -- Seconds between two looks at what there is to send, and what became of it.
  every = tonumber(os.getenv "ERASURE_EVERY" or 60),
  -- Seconds between two looks at a list that has faults or had a job that FAILED.
  again = 3600,

  bucket = need "ERASURE_BUCKET",
  role = need "ERASURE_ROLE_ARN",
  groups = groups,
}
