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

-- Whether the workers may write to it is tried by them (service/sender.lua).
local folder = os.getenv "ERASURE_FOLDER" or "/var/lib/erasure"
local opened, why = io.open(folder .. "/.")
if not opened then
  error(("the folder of the lists cannot be opened (%s): install -d -m 700 " ..
    "-o www-data %s"):format(why, folder), 0)
end
opened:close()

local name = os.getenv "ERASURE_NAME"
if name and (#name > 31 or not name:find "^%w[%w_-]*$") then
  error("ERASURE_NAME has to be 1-31 letters, digits, - and _, the first a " ..
    "letter or digit", 0)
end

return {
  client = personalize.new { timeout = 30, on_event = personalize.log_ngx },

  -- Where lists and receipts lie, for the workers' user alone.
  folder = folder,
  -- Jobs are named after it and the day. Where it is not set, a name is made up
  -- and kept in the folder: no two machines may have the same.
  name = name,
  -- Seconds between two looks at what there is to send, and what became of it.
  every = tonumber(os.getenv "ERASURE_EVERY" or 60),
  -- Seconds between two looks at a list that has faults or had a job that FAILED.
  again = 3600,

  bucket = need "ERASURE_BUCKET",
  -- The bucket has to be of the account of the dataset groups; another's of the
  -- same name gets no list.
  owner = groups[1] and groups[1]:match "^arn:[^:]*:personalize:[^:]*:(%d+):",
  role = need "ERASURE_ROLE_ARN",
  groups = groups,
}
