-- personalize.curl with each allocation of Lua's and the core's refused.
-- libcurl's own allocations are made.

local child = require "spec.support.child"
local json = require("cjson")
local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

-- What a refusal becomes here: an error that perform returns.
local function must(response, err)
  if not response then
    error(err.code .. ": " .. err.message, 0)
  end
  return response
end

run("loading personalize.curl", function()
  package.loaded["personalize.curl"] = nil
  same("function", type(require("personalize.curl").handle))
end)

local curl = require "personalize.curl"

run("version", function()
  assert(curl.version():find("^%d+%.%d+"))
end)

run("handle", function()
  local handle = curl.handle()
  same("personalize.curl.handle", tostring(handle))
  handle:close()
  handle:close()
end)

local faults = child.start("python3 spec/support/faults.py")
local ready = json.decode(faults:line())

-- Without a name to look up, which libcurl does in a thread.
local function url(endpoint, path)
  return endpoint:gsub("localhost", "127.0.0.1") .. path
end

local function request(path, more)
  local made = { method = "POST", url = url(ready.http, path), proxy = "",
    head = "content-type: text/plain\r\nx-a: b\r\n", body = ("b"):rep(3000),
    timeout = 10, connect_timeout = 5 }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local handle = curl.handle()

run("perform, kept connection", function()
  local response = must(handle:perform(request "/ok"))
  same(200, response.status)
  same('{"ok":true}', response.body)
end)

run("perform, headers as a list", function()
  local list = {}
  for i = 1, 30 do
    list[i] = { "x-" .. i, ("v"):rep(i) }
  end
  local sent = request("/echo", { headers = list })
  sent.head = nil
  same(200, must(handle:perform(sent)).status)
end)

run("perform, a new handle", function()
  local fresh = curl.handle()
  local response = must(fresh:perform(request "/repeated"))
  fresh:close()
  same(200, response.status)
end)

run("perform, a handle left to the collector", function()
  same(200, must(curl.handle():perform(request "/ok")).status)
end)

run("perform, a body of 200 kB", function()
  local response = must(handle:perform(request("/big-200000")))
  same(200000, #response.body)
end)

for name, case in pairs {
  refused = { { url = url(ready.ports.refuse, "/") }, "ConnectionError" },
  ["a cut answer"] = { { url = url(ready.http, "/length-long") },
    "ResponseError" },
  ["no time"] = { { timeout = 0 }, "TimeoutError" },
  ["an untrusted server"] = { { url = url(ready.https, "/ok") }, "TlsError" },
  ["a ca_bundle that is none"] = { { url = url(ready.https, "/ok"),
    ca_bundle = "/nonexistent" } },
  ["a method that is none"] = { { method = "A B" }, "ConfigError" },
  ["a head that is none"] = { { head = "x\r\n" }, "ConfigError" },
  ["a body that is none"] = { { body = {} }, "ConfigError" },
  ["headers that are none"] = { { head = false, headers = { { "a", {} } } },
    "ConfigError" },
} do
  run("perform, " .. name, function()
    local sent = request("/ok", case[1])
    sent.head = sent.head or nil
    local response, err = handle:perform(sent)
    same(nil, response)
    if err.message:find("memory", 1, true) then
      error(err.message, 0)
    end
    same(case[2] or err.code, err.code)
  end)
end

run("perform, TLS", function()
  local response = must(handle:perform(request("/ok", {
    url = ready.https .. "/ok", ca_bundle = ready.ca_bundle })))
  same(200, response.status)
end)

run("perform, by a proxy", function()
  for _, endpoint in ipairs { ready.http, ready.https } do
    local fresh = curl.handle()
    local response = must(fresh:perform(request("/ok", { proxy =
      url(ready.ports.proxy, ""):gsub("//", "//u:p@"), url = endpoint .. "/ok",
      ca_bundle = ready.ca_bundle })))
    fresh:close()
    same(200, response.status)
  end
end)

run("perform, refused by a proxy", function()
  for _, endpoint in ipairs { ready.http, ready.https } do
    local _, err = handle:perform(request("/ok", { url = endpoint .. "/ok",
      proxy = url(ready.ports["proxy-refuses"], "") }))
    if err.message:find("memory", 1, true) then
      error(err.message, 0)
    end
    same("ConnectionError", err.code)
  end
end)

run("perform, to an address", function()
  local fresh = curl.handle()
  local place = ready.http:match ":%d+$"
  same(200, must(fresh:perform(request("/ok", { address = "127.0.0.1",
    url = "http://checked.invalid" .. place .. "/ok" }))).status)
  fresh:close()
end)

local sources = require "spec.support.sources"
sources.install()
local BODY = ("b"):rep(300000)

run("perform, a source", function()
  local told
  local response = must(handle:perform(request("/echo", { method = "PUT",
    body = sources.new(BODY), progress = function(bytes) told = bytes end })))
  same(#BODY, #response.body)
  same(#BODY, told)
end)

run("perform, a source and a new handle", function()
  local fresh = curl.handle()
  same(200, must(fresh:perform(request("/ok", {
    body = sources.new(BODY) }))).status)
  fresh:close()
end)

run("perform, a source that is not asked for", function()
  local response = must(handle:perform(request("/expect-417", {
    method = "PUT", body = sources.new(("b"):rep(2 ^ 20 + 1)) })))
  same("1048577", response.body)
end)

run("perform, a source that fails", function()
  local _, err = handle:perform(request("/ok", {
    body = sources.new(BODY, { fails = 100000 }) }))
  if err.message:find("memory", 1, true) then
    error(err.message, 0)
  end
  same("UserListError", err.code)
end)

run("perform, a progress function that raises", function()
  local ok, err, failure = pcall(handle.perform, handle, request("/ok", {
    body = sources.new(BODY), progress = function() error("enough", 0) end }))
  if ok then
    must(err, failure) -- no memory to begin with
  end
  same(false, ok)
  if tostring(err):find("memory", 1, true) then
    error(err, 0)
  end
  same("enough", err)
end)

run("perform, a handle closed by its progress function", function()
  local fresh = curl.handle()
  same(200, must(fresh:perform(request("/ok", { body = sources.new(BODY),
    progress = function() fresh:close() end }))).status)
end)

for name, case in pairs {
  ["a source that is none"] = { body = io.stdout },
  ["a source of another build"] = { body = sources.new("", { version = 9 }) },
  ["a progress function that is none"] = { progress = 5 },
  ["a limit of speed that is none"] = { body = sources.new "",
    low_speed_limit = 0 },
} do
  run("perform, " .. name, function()
    local _, err = handle:perform(request("/ok", case))
    same("ConfigError", err.code)
  end)
end

sources.restore()
handle:close()
faults:stop()
torture.finish()
