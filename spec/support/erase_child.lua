--- Deletes the users 1 to USERS in a process of its own, which may kill itself:
-- once the service has answered request KILL_AT (0: before the first leaves),
-- and before the client knows. Prints the receipt, or the error.

local core = require "personalize.core"
local personalize = require "personalize"

local at = tonumber(os.getenv "KILL_AT")
local count = 0

local function die()
  os.execute("kill -KILL " .. core.getpid())
end

local curl = require "personalize.transport.curl"
local new = curl.new
curl.new = function()
  local transport, close = new()
  return function(request)
    if count == at then
      die()
    end
    count = count + 1
    local response, failure = transport(request)
    if count == at then
      die()
    end
    return response, failure
  end, close
end

local function users()
  local list = {}
  for i = 1, tonumber(os.getenv "USERS") do
    list[i] = ("user-%010d"):format(i)
  end
  return list
end

local groups = {}
for arn in os.getenv("GROUPS"):gmatch "%S+" do
  groups[#groups + 1] = arn
end

local ok, result = pcall(personalize.delete_users, {
  users = users(), part_size = 4096, name = os.getenv "NAME",
  bucket = os.getenv "BUCKET", prefix = "gdpr", datasetGroupArn = groups,
  roleArn = os.getenv "ROLE", ticket = "GDPR-42", poll = 0.05,
  cleanup = os.getenv "CLEANUP" == "yes" or nil,
})
io.write(ok and personalize.receipt_json(result) or
  "error: " .. tostring(result))
