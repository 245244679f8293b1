-- Finalizers run whenever Lua allocates, also inside our C functions. Here
-- they use and close the very object that is at work.

local child = require "spec.support.child"
local core = require "personalize.core"
local curl = require "personalize.curl"
local json = require "cjson"
local finalizers = require "spec.support.finalizers"
local torture = require "spec.support.torture"

-- ---- the core --------------------------------------------------------------

local run, right = finalizers.run, finalizers.right
local RANDOM, NOW = ("\1"):rep(16), 1795478400
local KEYS = { access_key_id = "AKID", secret_access_key = ("s"):rep(40),
  session_token = ("t"):rep(5000) }
local params = { endpoint = "https://personalize.eu-west-1.amazonaws.com",
  region = "eu-west-1", signing_name = "personalize",
  target_prefix = "AmazonPersonalize", user_agent = "agent" }
local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local input = { jobName = "job-1", datasetGroupArn = ARN,
  dataSource = { dataLocation = "s3://bucket/users.csv" },
  roleArn = "arn:aws:iam::123456789012:role/Personalize", tags = {} }
for i = 1, 20 do
  input.tags["key" .. i] = ("value"):rep(10)
end
local REFUSAL = { status = 400, headers = { ["x-amzn-requestid"] = "id-1" },
  body = '{"__type":"FooError","message":"' .. ("m "):rep(400) .. '"}' }

local service
local expected_head, expected_body

local function whole_way()
  local attempt = assert(core.attempt(service, "CreateDataDeletionJob", input,
    RANDOM, 3, true))
  local head, body = attempt:sign(KEYS, NOW)
  if not head then
    error(body, 0) -- the service was closed
  end
  expected_head, expected_body = expected_head or head, expected_body or body
  right(expected_head, head, "head")
  right(expected_body, body, "body")
  local verdict = attempt:judge(REFUSAL, nil, NOW, 0.5, 60)
  right("FooError", verdict.code, "code")
  right("id-1", verdict.request_id, "request_id")
  right(("m "):rep(399) .. "m", verdict.message, "message")
end

local function renew()
  service = assert(core.service(params))
end

renew()
whole_way()

run("another call in a finalizer", whole_way, function()
  local attempt = core.attempt(service, "TagResource",
    { resourceArn = ARN, tags = { other = ("o"):rep(200) } }, RANDOM, 3, true)
  attempt:sign({ access_key_id = "OTHER", secret_access_key = "other",
    session_token = ("o"):rep(9000) }, NOW + 86400)
  attempt:judge({ status = 500, body = ("<p>other</p>"):rep(300) }, nil, NOW,
    0.5, 60)
end, whole_way)

local turn = 0
run("the service closed in a finalizer", function()
  renew()
  whole_way()
end, function()
  turn = turn + 1
  if turn % 29 == 0 then
    service:close()
  end
end, function()
  renew()
  whole_way()
end)

local others = 0
run("the input changed in a finalizer", function(i)
  input.tags = {}
  for n = 1, 10 do
    input.tags["key" .. n .. "-" .. i] = "v"
  end
  core.attempt(service, "CreateDataDeletionJob", input, RANDOM, 3, true)
end, function()
  for key in pairs(input.tags) do
    input.tags[key] = nil
  end
  others = others + 1
  for n = 1, others % 23 do
    input.tags["other" .. n .. "-" .. others] = n % 5 == 0 and "\0" or "w"
  end
end, function() end)

-- ---- locks -----------------------------------------------------------------

local lock_path = os.tmpname()
local lock

-- It may be lost meanwhile, but never another's.
local function take()
  lock = core.lock_file(lock_path, 0)
  local held = lock
  if held:is_held() then
    held:release()
  end
  right(false, held:is_held(), "is_held")
end

run("a lock released in a finalizer", take, function()
  if lock then
    lock:is_held()
    lock:release()
  end
end, take)
os.remove(lock_path)

-- ---- what is read once ------------------------------------------------------

local input_path = os.tmpname()
local input_file = assert(io.open(input_path, "w"))
input_file:write(("x"):rep(1000))
input_file:close()
local stream

-- What it gives is the file's, and a failure is told as one.
local function read_through()
  stream = assert(core.open_input(input_path))
  local own, length = stream, 0
  local block, why
  repeat
    block, why = own:read(100)
    length = length + #(block or "")
    right("", ((block or ""):gsub("x", "")), "block")
  until not block
  if not why then
    right(1000, length, "length")
  end
end

run("an input closed in a finalizer", read_through, function()
  if stream then
    stream:close()
  end
end, read_through)
os.remove(input_path)

-- ---- libcurl ---------------------------------------------------------------

local faults = child.start("python3 spec/support/faults.py")
local ready = json.decode(faults:line())
local handle = curl.handle()

local function get(path, handle_used)
  return handle_used:perform { method = "GET", proxy = "",
    url = ready.http:gsub("localhost", "127.0.0.1") .. path,
    headers = { { "x-a", ("a"):rep(100) }, { "x-b", ("b"):rep(100) } } }
end

local function exchange()
  local response = assert(get("/repeated", handle))
  right(200, response.status, "status")
  right('{"ok":true}', response.body, "body")
  for name in pairs(response.headers) do
    if not name:find("^[%w%-]+$") then
      error("WRONG header: " .. name, 0)
    end
  end
end

run("the handle closed in a finalizer", exchange, function()
  handle:close()
end, exchange)

run("another request in a finalizer", exchange, function()
  get("/big-100000", handle)
end, exchange)

handle:close()
faults:stop()
torture.finish()
