--- Deletes the users 1 to USERS in a process of its own, which may kill itself:
-- once the service has answered request KILL_AT (0: before the first leaves),
-- and before the client knows; or inside the body of put KILL_IN_PUT, when a
-- part of it has left. Prints the receipt, or the error. With RECEIPT it keeps the
-- receipt there as it goes; with FOLLOW it goes on from that file alone.

local core = require "personalize.core"
local personalize = require "personalize"

local at = tonumber(os.getenv "KILL_AT")
local in_put = tonumber(os.getenv "KILL_IN_PUT")
local count, puts = 0, 0

local function die()
  os.execute("kill -KILL " .. core.getpid())
end

-- Dies in the midst of a body, when it is told for the first time how far it got.
local function die_inside(request)
  local length = request.body.length
  request.progress = function(bytes)
    if bytes > 0 and bytes < length then
      die()
    end
  end
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
    puts = puts + (request.method == "PUT" and 1 or 0)
    if request.method == "PUT" and puts == in_put then
      die_inside(request)
    end
    local response, failure = transport(request)
    if count == at then
      die()
    end
    return response, failure
  end, close
end

-- In order, each as long as the others.
local function users()
  local number, last = 0, tonumber(os.getenv "USERS")
  local filling = ("x"):rep(tonumber(os.getenv "FILLING") or 0)
  return function()
    number = number + 1
    return number <= last and ("user-%010d"):format(number) .. filling or nil
  end
end

local groups = {}
for arn in os.getenv("GROUPS"):gmatch "%S+" do
  groups[#groups + 1] = arn
end

local path = os.getenv "FOLLOW" or os.getenv "RECEIPT"
local common = { poll = 0.05, cleanup = os.getenv "CLEANUP" == "yes" or nil,
  on_receipt = path and function(receipt)
    return personalize.write_private(path, personalize.receipt_json(receipt))
  end }

local function erase()
  local options = { users = users(), name = os.getenv "NAME",
    part_size = tonumber(os.getenv "PART_SIZE") or 4096,
    bucket = os.getenv "BUCKET", prefix = "gdpr", datasetGroupArn = groups,
    roleArn = os.getenv "ROLE", ticket = "GDPR-42" }
  for name, value in pairs(common) do
    options[name] = value
  end
  return personalize.delete_users(options)
end

local function follow()
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return personalize.follow(text, common)
end

local ok, result = pcall(os.getenv "FOLLOW" and follow or erase)
io.write(ok and personalize.receipt_json(result) or
  "error: " .. tostring(result))
