-- Functions of the core that read a table, while a finalizer empties it: what
-- they have taken out of it is theirs until they are done.

-- What is done when everything else is finalized; before all other objects.
local at_last
local function finalize()
  at_last()
end
local first
if newproxy then
  first = newproxy(true)
  getmetatable(first).__gc = finalize
else
  first = setmetatable({}, { __gc = finalize })
end

local core = require "personalize.core"
local curl = require "personalize.curl"
local finalizers = require "spec.support.finalizers"
local torture = require "spec.support.torture"

-- What was read is right; what the finalizer had taken by then is not there.
local function right(expected, got, what)
  if got ~= nil and got ~= "" then
    finalizers.right(expected, got, what)
  end
end

-- Empties a table and all that is in it.
local function wreck(t)
  for key, value in pairs(t) do
    if type(value) == "table" then
      wreck(value)
    end
    t[key] = nil
  end
end

-- A long text of its own for each call: Lua keeps short ones apart.
local function long(i, c)
  return (c or "x"):rep(60) .. "-" .. i
end

-- f(table, i) many times, with a table that `make(i)` gives and a finalizer
-- empties: the first in one call, the second in the next, and so on, so that it
-- comes in the midst of reading and after it.
local function run(name, make, f)
  local given, left
  finalizers.run(name, function(i)
    local made = make(i)
    given, left = made, i % 20
    f(made, i)
    given = nil
  end, function()
    left = given and left - 1
    if left == 0 then
      wreck(given)
    end
  end, function()
    f(make(0), 0)
  end)
end

local RANDOM, NOW = ("\1"):rep(16), 1795478400

local function service()
  return assert(core.service { endpoint = "https://localhost",
    region = "eu-west-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = "agent" })
end

run("endpoint", function(i)
  return { region = "r" .. i .. ("a"):rep(40) }
end, function(given, i)
  local url = core.endpoint(given)
  if url then
    right("https://personalize.r" .. i .. ("a"):rep(40) .. ".amazonaws.com",
      url, "url")
  end
end)

run("endpoint, its own", function(i)
  return { region = "eu-west-1", service = "s3", bucket = "b" .. long(i, "b"),
    endpoint = "https://" .. long(i, "h"), addressing = "path" }
end, function(given, i)
  local url = core.endpoint(given)
  if url and url:find("h", 9, true) == 9 then
    right("https://" .. long(i, "h"), url:match "^https://[^/]*", "url")
  end
end)

run("service", function(i)
  return { endpoint = "https://" .. long(i, "h"), region = "r" .. i .. "a",
    signing_name = "personalize" .. i, target_prefix = "P" .. long(i, "p"),
    user_agent = long(i, "u") }
end, function(given, i)
  local made = core.service(given)
  if made then
    right("https://" .. long(i, "h") .. "/", made:url(), "url")
  end
end)

run("request", function(i)
  return { method = "PUT", path = "/" .. long(i, "p"), query = "q=" ..
    long(i, "q"), protocol = "xml", body = long(i, "b"), keep_path = true,
    headers = { { "x-a", long(i, "v") }, { "x-" .. long(i, "n"), "w" },
      { "x-c", long(i, "c") } } }
end, function(given, i)
  local attempt = core.request(service(), given, RANDOM, 3)
  if attempt then
    local path, query = attempt:url():match "^https://localhost/([^?]*)(.*)$"
    right(long(i, "p"), path, "path")
    right("?q=" .. long(i, "q"), query, "query")
    local head, body = attempt:sign({ access_key_id = "A",
      secret_access_key = "s" }, NOW)
    right(long(i, "b"), body, "body")
    right(long(i, "v"), head:match "x%-a: ([^\r]*)", "header")
    right("w", head:match("x%-" .. long(i, "n"):gsub("%-", "%%-") ..
      ": ([^\r]*)"), "header's name")
  end
end)

run("sigv4", function(i)
  return { request = { method = "GET", path = "/" .. long(i, "p"), query = "",
    payload = long(i, "b"), headers = { { "host", long(i, "h") },
      { "x-" .. long(i, "n"), long(i, "v") } } },
    keys = { access_key_id = long(i, "k"), secret_access_key = long(i, "s") },
    scope = { region = long(i, "r"), service = long(i, "e"),
      timestamp = "20261124T000000Z" } }
end, function(given, i)
  local request, keys, scope = given.request, given.keys, given.scope
  local made = core.sigv4(request, keys, scope)
  local lines = made.canonical_request
  right(long(i, "p"), lines:match "\n/([^\n]*)", "path")
  right(long(i, "h"), lines:match "\nhost:([^\n]*)", "host")
  right("x-" .. long(i, "n") .. ":" .. long(i, "v"),
    lines:match "\n(x%-[^\n]*)", "header")
  local id, region, name = made.authorization:match(
    "Credential=([^/]*)/%d+/([^/]*)/([^/]*)/")
  right(long(i, "k"), id, "key")
  right(long(i, "r"), region, "region")
  right(long(i, "e"), name, "service")
end)

run("sign", function(i)
  return { access_key_id = long(i, "k"), secret_access_key = long(i, "s"),
    session_token = long(i, "t"):rep(100) }
end, function(given, i)
  local attempt = assert(core.attempt(service(), "ListDataDeletionJobs", nil,
    RANDOM, 3, true))
  local head = attempt:sign(given, NOW)
  if head then
    right(long(i, "t"):rep(100), head:match "x%-amz%-security%-token: ([^\r]*)",
      "token")
    right(long(i, "k"), head:match "Credential=([^/]*)", "key")
  end
end)

run("credentials_fault", function(i)
  return { access_key_id = long(i, "k"), secret_access_key = long(i, "s"),
    session_token = long(i, "t") }
end, function(given) core.credentials_fault(given) end)

run("judge, a response", function(i)
  return { status = 400, headers = { ["x-amzn-requestid"] = long(i, "r"),
    ["x-amzn-errortype"] = long(i, "E") }, body = '{"message":"' ..
    long(i, "m") .. '"}' }
end, function(given, i)
  local attempt = assert(core.attempt(service(), "ListDataDeletionJobs", nil,
    RANDOM, 3, true))
  attempt:sign({ access_key_id = "A", secret_access_key = "s" }, NOW)
  local verdict = attempt:judge(given, nil, NOW, 0.5, 60)
  if verdict.message == long(i, "m") then
    right(long(i, "E"), verdict.code, "code")
    right(long(i, "r"), verdict.request_id, "request_id")
  end
end)

run("judge, a failure", function(i)
  return { code = long(i, "C"), message = long(i, "m") }
end, function(given, i)
  local attempt = assert(core.attempt(service(), "ListDataDeletionJobs", nil,
    RANDOM, 3, true))
  attempt:sign({ access_key_id = "A", secret_access_key = "s" }, NOW)
  local verdict = attempt:judge(nil, given, NOW, 0.5, 60)
  if verdict.code == long(i, "C") then
    right(long(i, "m"), verdict.message, "message")
  end
end)

run("an input", function(i)
  local tags = {}
  for n = 1, 30 do
    tags["key" .. n .. long(i, "k")] = long(i, "v")
  end
  return { resourceArn = long(i, "a"), tags = tags }
end, function(given)
  core.attempt(service(), "TagResource", given, RANDOM, 3, false)
end)

run("an input without a model", function(i)
  return { a = { long(i), long(i), { b = long(i) } }, c = { d = long(i) } }
end, function(given)
  core.attempt(service(), "Other", given, RANDOM, 3, false)
end)

run("read_output", function(i)
  local jobs = {}
  for n = 1, 30 do
    jobs[n] = { status = long(n), creationDateTime = "2026-11-24T00:00:00Z",
      more = { long(i), { long(i) } } }
  end
  return { dataDeletionJobs = jobs, nextToken = long(i), other = { {} } }
end, function(given) core.read_output("ListDataDeletionJobs", given) end)

run("nearest", function(i)
  return { long(i, "a"), "jobName", long(i, "b") }
end, function(given) core.nearest("job_name", given) end)

run("redact", function(i)
  return { text = "the " .. long(i, "s") .. " of tag " .. long(i, "p"),
    secrets = { long(i, "s"), long(i, "t") },
    texts = { long(i, "p"), "tag" } }
end, function(given)
  local text, secrets, texts = given.text, given.secrets, given.texts
  core.redact(text, secrets, texts)
end)

run("http1_request", function(i)
  return { method = "GET", url = "http://localhost/" .. long(i, "u"),
    headers = { { "x-a", long(i, "v") }, { "x-" .. long(i, "n"), "w" } } }
end, function(given, i)
  local text = core.http1_request(given)
  if text and text:find("x-a", 1, true) then
    right(long(i, "v"), text:match "x%-a: ([^\r]*)", "header")
    right(long(i, "u"), text:match "^GET /([^ ]*)", "path")
  end
end)

run("http1_connect", function(i)
  return { host = long(i, "h"), port = 443, authorization = long(i, "a") }
end, function(given, i)
  local text = core.http1_connect(given)
  if text then
    right(long(i, "h"), text:match "^CONNECT ([^:]*)", "host")
  end
end)

run("find_proxy", function(i)
  return { scheme = "https", host = long(i, "h"), port = 443,
    given = "http://" .. long(i, "u") .. ":p@" .. long(i, "p") .. ":1" }
end, function(given, i)
  local proxy = core.find_proxy(given)
  if proxy then
    right(long(i, "p"), proxy.host, "host")
    right(long(i, "u") .. ":p", proxy.userinfo, "userinfo")
  end
end)

run("ini, into what there is", function()
  return core.ini("[default]\nregion = eu-west-1\n", "config")
end, function(given, i)
  core.ini("[default]\nregion = " .. long(i) .. "\n[profile p]\na = b",
    "config", given)
end)

run("userlist", function(i)
  return { format = "csv", column = long(i, "c"), part_size = 5000 }
end, function(given, i)
  local list = core.userlist(given)
  list:write("a," .. long(i, "c") .. "\nb,c\n")
  local summary = list:finish()
  if summary and summary.faults[1] then
    right('column "' .. long(i, "c") .. '"',
      summary.faults[1].message:match 'column "c.*"', "column")
  end
  list:close()
end)

local handle = curl.handle()
run("a request of libcurl's", function(i)
  return { method = "GET", url = "http://127.0.0.1:1/" .. long(i, "u"),
    proxy = "", headers = { { "x-a", long(i, "v") } }, body = long(i, "b"),
    timeout = 5, connect_timeout = 5 }
end, function(given) handle:perform(given) end)
handle:close()

-- ---- what is handed over while a finalizer does more of it ---------------------

local ANSWER = "HTTP/1.1 200 OK\r\nx-a: " .. ("v"):rep(100) ..
  "\r\nx-b: w\r\ncontent-length: 3000\r\n\r\n" .. ("b"):rep(3000)

local reader
local function read()
  reader = core.http1 "GET"
  reader:feed(ANSWER)
  local response = reader:response()
  if response then
    right(("v"):rep(100), response.headers["x-a"], "header")
    right(("b"):rep(3000), response.body, "body")
  end
end
finalizers.run("reader:response", read, function()
  reader:response()
  reader:feed(ANSWER)
  reader:finish(true)
end, read)

-- ---- tables without an end -----------------------------------------------------

finalizers.rest()

local function check(name, f)
  local ok, why = pcall(f)
  torture.passed = torture.passed + (ok and 1 or 0)
  torture.failed = torture.failed + (ok and 0 or 1)
  print(("%-6s %s%s"):format(ok and "ok" or "FAILED", name,
    ok and "" or "\n       " .. tostring(why)))
end

local function circle()
  local t = { dataDeletionJobs = { { status = "A" } }, list = { 1, 2 } }
  t.again, t.list[3] = t, t
  t.dataDeletionJobs[1].up = t
  return t
end

local function deep(levels)
  local t = {}
  for _ = 1, levels do
    t = { t }
  end
  return { a = t }
end

check("read_output of what has no end", function()
  for _, operation in ipairs { "ListDataDeletionJobs", "Other" } do
    for _, t in ipairs { circle(), deep(1e5) } do
      local wrong = core.read_output(operation, t)
      assert(wrong and wrong:find "nested", tostring(wrong))
    end
    torture.same(nil, core.read_output(operation, deep(50)))
  end
end)

check("an input that has no end", function()
  local attempt, faults = core.attempt(service(), "Other", deep(1e5), RANDOM, 3,
    true)
  torture.same(nil, attempt)
  assert(faults[1].message:find "nested", faults[1].message)
  local ok, why = pcall(core.attempt, service(), "Other", circle(), RANDOM, 3,
    true)
  assert(not ok and why:find "too much data", why)
  local t = { resourceArn = "arn", tags = {} }
  t.tags[1] = t.tags
  assert(not core.attempt(service(), "TagResource", t, RANDOM, 3, true))
end)

-- ---- what is left of a service -------------------------------------------------

check("an attempt after its service", function()
  local its = service()
  local attempt = assert(core.request(its, { method = "GET", path = "/p" },
    RANDOM, 3))
  its:close()
  torture.same("https://localhost/p", attempt:url())
  torture.same(nil, (attempt:sign({}, NOW)))
  attempt:judge({ status = 200, body = "" }, nil, NOW, 0.5, 60)
  attempt:admit(NOW, 1)
end)

-- At the end of a state every finalizer runs, the latest object's first: so the
-- one from the beginning of this file meets what all others have left.
local last = { service = service() }
last.attempt = assert(core.request(last.service, { method = "GET",
  path = "/p" }, RANDOM, 3))
last.list = core.userlist { format = "ids", part_size = 5000 }
assert(last.list:spool())
last.list:add "user"
last.list:finish()
last.part = last.list:part(1)
last.input = assert(core.open_input "spec/torture/tables.lua")
local lock_path = os.tmpname()
last.lock = assert(core.lock_file(lock_path))
os.remove(lock_path)
local function use()
  for _, call in ipairs {
    { last.list.part, 1 }, { last.list.finish }, { last.list.add, "x" },
    { last.list.size }, { last.list.check }, { last.list.spool },
  } do
    pcall(call[1], last.list, call[2])
  end
  pcall(function() return last.part:read(10) end)
  pcall(function() return last.part:rewind() end)
  pcall(last.input.read, last.input, 10)
  pcall(last.lock.is_held, last.lock)
  pcall(last.lock.release, last.lock)
  pcall(last.attempt.url, last.attempt)
  pcall(last.attempt.sign, last.attempt, { access_key_id = "A",
    secret_access_key = "s" }, NOW)
  pcall(last.attempt.judge, last.attempt, { status = 500, body = "x" }, nil,
    NOW, 0.5, 60)
  pcall(last.attempt.admit, last.attempt, NOW, 1)
  pcall(last.service.url, last.service)
  pcall(last.service.state, last.service)
  pcall(core.attempt, last.service, "ListDataDeletionJobs", nil, RANDOM, 3)
  pcall(reader.response, reader)
  pcall(core.http1_request, { method = "GET", url = "http://localhost/" })
  pcall(handle.perform, handle, { method = "GET", url = "http://127.0.0.1:1/" })
end
at_last = function()
  use()
  return first
end

torture.finish()
