-- Objects of the core at work, while a finalizer does all that can be done with
-- them, and closes them.

local core = require "personalize.core"
local finalizers = require "spec.support.finalizers"
local torture = require "spec.support.torture"

local right = finalizers.right
local KEY = ("\1"):rep(16)

local path = os.tmpname()
local made = assert(io.open(path, "w"))
made:write "USER_ID\n"
for i = 1, 500 do
  made:write("user-", i, "\n")
end
made:close()

-- f(object, i) many times, while a finalizer calls each of `others` on the
-- object that is in use: one in one call, the next in the next.
local function run(name, make, f, others)
  local object, i = nil, 1
  finalizers.run(name, function(number)
    i = number
    object = nil
    local mine = make()
    object = mine
    f(mine, number)
  end, function()
    if object then
      local method = others[i % #others + 1]
      pcall(method, object)
    end
  end, function()
    object = nil
    f(make(), 0)
  end)
end

local function method(name, ...)
  local arguments, count = { ... }, select("#", ...)
  return function(object)
    return object[name](object, (unpack or table.unpack)(arguments, 1, count))
  end
end

-- ---- lists -------------------------------------------------------------------

local function new_list()
  return core.userlist { format = "csv", part_size = 5000, unique = true,
    key = KEY }
end

local LIST = { method "close", method "finish", method("check", 100),
  method("part", 1), method "size", method("write", "x"), method("add", "x"),
  method("open", path), method "spool" }

run("a list that is read", new_list, function(list)
  if list:open(path) then
    repeat
      local done = list:check(1000)
    until done ~= false
    local summary = list:finish()
    if summary and summary.users > 0 then
      right(500, summary.users, "users")
    end
  end
  list:close()
end, LIST)

run("a list that is written", new_list, function(list)
  if list:spool() then
    for i = 1, 50 do
      list:write((i == 1 and "USER_ID\n" or "") .. "id-" .. i .. ",\n\n")
    end
    list:finish()
  end
  list:close()
end, LIST)

local list
run("a part of a list", function()
  list = new_list()
  assert(list:open(path))
  repeat
    local done = list:check()
  until done
  list:finish()
  return list:part(1)
end, function(part)
  part:rewind()
  part:read(8)
  part:read(100)
  right("number", type(part.length), "length")
end, { method "rewind", method("read", 3), function() list:close() end,
  function(part) return part.length end, function() list:part(1) end })

-- ---- exports ------------------------------------------------------------------

-- Of the list above, settled.
local function new_ids()
  local ids = core.ids(KEY)
  local filled = core.userlist { ids = ids }
  assert(filled:open(path))
  repeat
    local done = filled:check()
  until done
  filled:close()
  repeat
    local done = ids:settle()
  until done
  return ids
end

run("ids that a list fills", function() return core.ids(KEY) end, function(ids)
  local filled = core.userlist { ids = ids }
  if filled:open(path) then
    repeat
      local done = filled:check(1000)
    until done ~= false
    right(500, filled:finish().users, "users")
    repeat
      local done = ids:settle()
    until done
    right(500, ids:count(), "ids")
    right(0, ids:found(), "found")
  end
  ids:close()
end, { method "close", method "settle", method "count", method "found" })

local function search(export)
  if export:open(path) then
    repeat
      local done = export:check()
    until done ~= false
    export:fault()
    export:size()
    right(500, export:summary().columns[1].found, "found")
  end
  export:close()
end

run("an export", function()
  return core.export { ids = new_ids() }
end, search, { method "close", method "check", method "summary",
  method("open", path), method "fault", method "size" })

local sought
run("an export whose ids are closed", function()
  sought = new_ids()
  return core.export { ids = sought }
end, search, { function() sought:close() end, function() sought:settle() end })

-- ---- what is read once, and locks --------------------------------------------------

run("an input", function()
  return assert(core.open_input(path))
end, function(input)
  input:read(8)
  input:read(100000)
  input:close()
end, { method "close", method("read", 1) })

run("a hash", core.hash, function(hash)
  hash:add("ab"):add(("c"):rep(1000))
  hash:finish()
end, { method("add", "x"), method "finish" })

local lock_path = os.tmpname()
run("a lock", function()
  return assert(core.lock_file(lock_path))
end, function(lock)
  lock:is_held()
  lock:release()
end, { method "release", method "is_held" })

-- ---- services ----------------------------------------------------------------

local function new_service()
  return assert(core.service { endpoint = "https://localhost",
    region = "eu-west-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = ("a"):rep(300) })
end

run("a service", new_service, function(service)
  right("https://localhost/", service:url(), "url")
  service:state()
  local attempt = core.request(service, { method = "GET", path = "/p",
    query = ("q"):rep(300) }, KEY, 3)
  right("https://localhost/p?" .. ("q"):rep(300), attempt:url(), "url")
end, { method "close", method "url", method "state", function(service)
  core.attempt(service, "ListDataDeletionJobs", nil, KEY, 3, true)
end })

local service
run("an attempt", function()
  service = new_service()
  return assert(core.attempt(service, "TagResource", { resourceArn = "arn",
    tags = { a = ("v"):rep(200) } }, KEY, 3, false))
end, function(attempt)
  local head, body = attempt:sign({ access_key_id = "A",
    secret_access_key = "s", session_token = ("t"):rep(6000) }, 1795478400)
  if head then
    right(("t"):rep(6000), head:match "x%-amz%-security%-token: ([^\r]*)",
      "token")
    right(("v"):rep(200), body:match '"tagValue":"([^"]*)"', "body")
  end
  attempt:judge({ status = 400, body = '{"message":"' .. ("m"):rep(900) .. '"}',
    headers = {} }, nil, 1795478400, 0.5, 60)
  attempt:admit(1795478400, 60)
  right("https://localhost/", attempt:url(), "url")
end, { function() service:close() end, method("admit", 1795478400, 1),
  method "url", method("sign", { access_key_id = "B",
    secret_access_key = ("z"):rep(4000) }, 1795478400),
  method("judge", { status = 500, body = "x" }, nil, 1795478400, 0.5, 60) })

-- ---- readers -----------------------------------------------------------------

local ANSWER = "HTTP/1.1 200 OK\r\nx-a: " .. ("v"):rep(300) ..
  "\r\ntransfer-encoding: chunked\r\n\r\n" .. "10\r\n" .. ("b"):rep(16) ..
  "\r\n0\r\n\r\n"

run("a reader", function() return core.http1 "GET" end, function(reader)
  for at = 1, #ANSWER, 40 do
    reader:feed(ANSWER:sub(at, at + 39))
  end
  reader:status()
  reader:is_reusable()
  local response = reader:response()
  if response and response.headers["x-a"] then
    right(("v"):rep(300), response.headers["x-a"], "header")
  end
end, { method "response", method("finish", true), method("feed", ANSWER),
  method "status", method "is_reusable" })

os.remove(path)
os.remove(lock_path)
torture.finish()
