-- The libcurl transport against every way in which a network and a server
-- can go wrong: what is told, in what time, after how many requests really
-- seen, and with no descriptor left behind.

local child = require "spec.support.child"
local cjson = require "cjson"
local curl = require "personalize.curl"
local lfs = require "lfs"
local patience = require "spec.support.patience"
local system = require "system"

local await, now = patience.await, patience.now

local server, info, control

-- No AWS_* and no proxies from the machine's environment in children.
local CLEAN = "env -u AWS_CA_BUNDLE -u http_proxy -u https_proxy -u all_proxy "
  .. "-u HTTPS_PROXY -u ALL_PROXY -u no_proxy -u NO_PROXY "

local function get(url)
  local response = assert(control:perform{ method = "GET", url = url,
                                           proxy = "" })
  assert(response.status == 200, "the fault server's control failed")
  return cjson.decode(response.body)
end

local function seen(fault)
  return get(info.http .. "/_seen/" .. fault)
end

local function forget()
  get(info.http .. "/_forget")
end

-- Open descriptors of this process, as a text; nil where there is no /proc.
local function descriptors()
  if not lfs.attributes("/proc/self/fd") then
    return nil
  end
  local names = {}
  for name in lfs.dir("/proc/self/fd") do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

local function request(url, more)
  local r = { method = "POST", url = url, body = "hello", timeout = 60,
              connect_timeout = 60, ca_bundle = info.ca_bundle, proxy = "" }
  for name, value in pairs(more or {}) do
    r[name] = value
  end
  return r
end

setup(function()
  server = child.start("python3 spec/support/faults.py </dev/null")
  info = cjson.decode((assert(server:line(), "the fault server is silent")))
  control = curl.handle()
end)

teardown(function()
  control:close()
  server:stop()
end)

-- The faults. Unless said otherwise: in one POST, over http and https, one
-- request is seen. An outcome is a status, or an error's code.
--   sent         of the error; true unless said
--   retryable    of the error; true unless said
--   status       of the error
--   body         of the answer, or a test of it
--   timeout      for the call; and then it has to be used up. It is made
--                longer where it was over before the server had heard anything
local FAULTS = {
  { "ok", 200 },
  { "status-503", 503 },
  { "slow-200", 200 },
  { "hang", "TimeoutError", timeout = 0.3 },
  { "close", "ConnectionError" },
  { "half-close", "ConnectionError" },
  { "reset-at-0", "ConnectionError" },
  { "reset-at-5", "ConnectionError" },
  { "reset-at-40", "ResponseError" },
  { "reset-at-81", "ResponseError" },
  { "reset-at-150", "ResponseError", status = 200 },
  { "close-at-5", "ConnectionError" },
  { "close-at-40", "ResponseError" },
  { "close-at-81", "ResponseError" },
  { "close-at-150", "ResponseError", status = 200 },
  { "drip-0", "TimeoutError", timeout = 0.5 },
  { "drip-150", "TimeoutError", timeout = 0.5, status = 200 },
  { "length-short", "ResponseError", status = 200 },
  { "length-two", "ResponseError" },
  { "length-long", "ResponseError", status = 200 },
  { "length-bad", "ResponseError" },
  { "no-length", 200, body = '{"ok":true}' },
  { "chunk-ok", 200, body = '{"ok":true}' },
  { "chunk-garbage", "ResponseError", status = 200 },
  { "chunk-cut", "ResponseError", status = 200 },
  { "one-1xx", 200, body = '{"ok":true}' },
  { "only-1xx", "ResponseError" },
  { "flood-1xx", "ResponseError", retryable = false },
  { "head-line", "ResponseError", retryable = false },
  { "head-line-60000", 200 },
  { "head-line-300000", "ResponseError", retryable = false },
  { "head-count", "ResponseError", retryable = false },
  { "head-count-200", 200 },
  { "head-endless", "ResponseError", retryable = false },
  { "head-bad-line", "ResponseError" },
  { "gzip", 200, body = function(b) return b:byte(1) == 31 end },
  { "http10", 200, body = '{"ok":true}' },
  { "http10-keep", 200, body = '{"ok":true}' },
  { "http09", "ResponseError" },
  { "garbage", "ResponseError" },
  { "bad-status", "ResponseError" },
  { "redirect", 302, body = "" },
  { "empty", 200, body = "" },
  { "half-json", 200, body = '{"dataDeletionJobArn":"arn:aws' },
  { "html", 200, body = "<html><body>Welcome to the hotel</body></html>" },
  { "no-content", 204, body = "" },
  { "big-8388608", 200, body = function(b) return #b == 8388608 end },
  { "big-8388609", "ResponseError", status = 200, retryable = false },
  { "big-chunked-8388609", "ResponseError", status = 200,
    retryable = false },
  { "endless", "ResponseError", status = 200, retryable = false },
}

-- Those that come before a request, chosen by port.
local PORTS = {
  { "refuse", "ConnectionError" },
  { "full", "TimeoutError", connect_timeout = 0.3 },
  -- An answer is waited for: connecting went well.
  { "hold", "TimeoutError", timeout = 0.3, sent = true },
  { "tls-hold", "TimeoutError", connect_timeout = 0.3 },
  { "tls-reset", "ConnectionError" },
  { "tls-close", "ConnectionError" },
  { "tls-plain", "TlsError", retryable = false },
  { "tls-old", "TlsError", retryable = false, says = "TLS 1.2" },
  { "tls-wrong-name", "TlsError", retryable = false, says = "another name" },
  { "tls-expired", "TlsError", retryable = false, says = "expired" },
  { "tls-unknown-ca", "TlsError", retryable = false, says = "ca_bundle" },
  { "tls-self-signed", "TlsError", retryable = false,
    says = "AWS_CA_BUNDLE" },
  -- With TLS 1.3 the client has sent its request by the time it is told.
  { "tls-client", "TlsError", retryable = false,
    says = "demands a certificate of the client" },
  { "tls-client-12", "TlsError", retryable = false,
    says = "certificate of the client" },
}

local function judge(case, sent, response, err)
  local code = case[2]
  if type(code) == "number" then
    assert.is_nil(err)
    assert.equal(code, response.status)
    if type(case.body) == "function" then
      assert.is_true(case.body(response.body))
    elseif case.body then
      assert.equal(case.body, response.body)
    end
    return
  end
  assert.is_nil(response)
  assert.equal(code, err.code, err.message)
  assert.equal(case.status, err.status)
  assert.equal(sent, err.sent)
  assert.equal(case.retryable ~= false, err.retryable)
  assert.truthy(err.message:find("localhost:%d+"), err.message)
  if case.says then
    assert.truthy(err.message:find(case.says, 1, true), err.message)
  end
end

local function without_leak(run)
  collectgarbage()
  local before = descriptors()
  run()
  assert.equal(before, descriptors())
end

local function timed(handle, r, least)
  local start = now()
  local response, err = handle:perform(r)
  if least then
    assert.is_true(now() - start >= least - 0.01, "gave up early")
  end
  return response, err
end

-- One request to a fault, and what the server has seen of it in the end.
local function meet(case, sent, url)
  local name = case[1]
  local function try(seconds)
    forget()
    local response, err
    without_leak(function()
      local handle = curl.handle()
      response, err = timed(handle, request(url .. "/x?planted=1", {
        timeout = seconds, connect_timeout = case.connect_timeout }),
        case.timeout and seconds or case.connect_timeout)
      handle:close()
    end)
    local count = seen(name)
    if not case.timeout or count.requests + count.heard > 0 and
      (not err or err.status == case.status) then
      judge(case, sent, response, err)
      return count
    end
  end
  return case.timeout and patience.long_enough(case.timeout, try) or try(60)
end

describe("a fault", function()
  for _, scheme in ipairs{ "http", "https" } do
    for _, case in ipairs(FAULTS) do
      local name = case[1]
      it(name .. " over " .. scheme .. " ends as " .. case[2], function()
        local count = meet(case, true, info[scheme] .. "/" .. name)
        assert.equal(1, count.requests)
      end)
    end
  end

  for _, case in ipairs(PORTS) do
    local name = case[1]
    it("of the port " .. name .. " ends as " .. case[2], function()
      local count = meet(case, case.sent or false, info.ports[name] .. "/ok")
      assert.equal(0, count.requests)
    end)
  end

  it("is a reset on accept: no answer, one connection", function()
    forget()
    local handle = curl.handle()
    local _, err = handle:perform(request(info.ports.reset .. "/ok/x"))
    assert.equal("ConnectionError", err.code)
    handle:close()
    assert.equal(1, seen("reset").connections)
  end)

  it("is a name that does not exist", function()
    local handle = curl.handle()
    local _, err = handle:perform(request("https://nowhere.invalid/x?planted",
                                          { connect_timeout = 10 }))
    assert.equal("ConnectionError", err.code)
    assert.equal("boolean", type(err.retryable)) -- it depends on who answers
    assert.is_false(err.sent)
    assert.truthy(err.message:find("nowhere.invalid:443", 1, true))
    handle:close()
  end)

  it("is no time at all", function()
    forget()
    local handle = curl.handle()
    for _, left in ipairs{ 0, -1, 0 / 0 } do
      local _, err = handle:perform(request(info.http .. "/ok/x",
                                            { timeout = left }))
      assert.equal("TimeoutError", err.code)
      assert.is_false(err.sent)
    end
    handle:close()
    assert.equal(0, seen("ok").requests)
  end)

  it("is a redirect, which is not followed", function()
    forget()
    local handle = curl.handle()
    local response = handle:perform(request(info.http .. "/redirect/x"))
    assert.truthy(response.headers.location:find("/elsewhere/", 1, true))
    handle:close()
    assert.equal(0, seen("elsewhere").requests)
  end)
end)

describe("a kept connection", function()
  local handle
  before_each(function()
    forget()
    handle = curl.handle()
  end)
  after_each(function() handle:close() end)

  for _, scheme in ipairs{ "http", "https" } do
    it("serves one request after another over " .. scheme, function()
      for i = 1, 5 do
        local response = handle:perform(request(info[scheme] .. "/ok/x"))
        assert.equal(tostring(i), response.headers["x-request"])
      end
      assert.equal(1, seen("ok").connections)
    end)

    -- libcurl by itself would send these again.
    for _, fault in ipairs{ "close-reused", "reset-reused" } do
      for _, shape in ipairs{ { "POST", "hello" }, { "POST", "" },
                              { "POST" }, { "PUT", "hello" }, { "PUT", "" },
                              { "GET" }, { "DELETE" }, { "HEAD" } } do
        it(fault .. " over " .. scheme .. ": one " .. shape[1]
           .. (shape[2] and " (" .. #shape[2] .. " bytes)" or "")
           .. " is seen", function()
          local r = request(info[scheme] .. "/" .. fault .. "/x",
                            { method = shape[1] })
          r.body = shape[2]
          assert.equal(200, handle:perform(r).status)
          local _, err = handle:perform(r)
          assert.equal("ConnectionError", err.code)
          assert.is_true(err.sent)
          assert.is_true(err.retryable)
          local count = seen(fault)
          assert.equal(2, count.requests)
          assert.equal(1, count.connections)
          -- And the next call opens a connection of its own.
          assert.equal(200, handle:perform(r).status)
        end)
      end
    end

    -- Nothing was sent over it: a fresh one takes its place, silently.
    for _, fault in ipairs{ "close-idle", "goodbye-idle", "half-close-idle",
                            "late-answer" } do
      it("that ended as " .. fault .. " over " .. scheme
         .. " costs nothing", function()
        local r = request(info[scheme] .. "/" .. fault .. "/x")
        assert.equal(200, handle:perform(r).status)
        -- One that was used a moment ago is not looked at.
        system.sleep(0.02)
        get(info.http .. "/_go/" .. fault)
        await("its end", function() return seen(fault).closed == 1 end)
        r.url = info[scheme] .. "/ok/x"
        local response = handle:perform(r)
        assert.equal(200, response.status)
        assert.equal("1", response.headers["x-request"])
        assert.equal(1, seen("ok").requests)
      end)
    end
  end

  it("is not used for another trust", function()
    local url = info.https .. "/ok/x"
    assert.equal(200, handle:perform(request(url)).status)
    local r = request(url)
    r.ca_bundle = nil
    local _, err = handle:perform(r)
    assert.equal("TlsError", err.code)
    assert.equal(200, handle:perform(request(url)).status)
    assert.equal(2, seen("ok").requests)
  end)

  it("ends with close, after which the handle still works", function()
    local url = info.http .. "/ok/x"
    handle:perform(request(url))
    handle:close()
    handle:close()
    assert.equal("1", handle:perform(request(url)).headers["x-request"])
    assert.equal(2, seen("ok").connections)
  end)

  it("ends with the garbage", function()
    without_leak(function()
      for _ = 1, 20 do
        assert.equal(200,
          curl.handle():perform(request(info.https .. "/ok/x")).status)
      end
      for _ = 1, 2000 do
        curl.handle()
      end
      collectgarbage()
      collectgarbage()
    end)
  end)

  if _VERSION == "Lua 5.4" then
    it("ends with the block", function()
      without_leak(function()
        local run = load([[
          local curl, request = ...
          local handle <close> = curl.handle()
          return handle:perform(request).status]])
        assert.equal(200, run(curl, request(info.https .. "/ok/x")))
      end)
    end)
  end
end)

describe("a request", function()
  local handle
  before_each(function()
    forget()
    handle = curl.handle()
  end)
  after_each(function() handle:close() end)

  local function last()
    return seen("ok").last
  end

  local function host()
    return info.http:match("//(.*)")
  end

  it("goes out as it is given, with nothing of libcurl's own", function()
    local head = "X-Amz-Target: AmazonPersonalize.X\r\nx-empty:\r\n"
      .. "X-Space: a  b\r\nx-void: \r\n"
    handle:perform(request(info.http .. "/ok/x?a=b", { head = head }))
    assert.equal("POST /ok/x?a=b HTTP/1.1\r\nHost: " .. host() .. "\r\n"
      .. "X-Amz-Target: AmazonPersonalize.X\r\nx-empty:\r\n"
      .. "X-Space: a  b\r\nx-void: \r\nContent-Length: 5\r\n", last())
  end)

  it("may be given as a list", function()
    handle:perform(request(info.http .. "/ok/x",
      { headers = { { "x-one", "1" }, { "x-two", "" } } }))
    assert.equal("POST /ok/x HTTP/1.1\r\nHost: " .. host()
      .. "\r\nx-one: 1\r\nx-two: \r\nContent-Length: 5\r\n", last())
  end)

  it("has the standard headers that it gives itself", function()
    handle:perform(request(info.http .. "/ok/x", { head =
      "Host: example.com\r\nAccept: application/json\r\n"
      .. "content-type: text/csv\r\nUser-Agent: spec\r\n"
      .. "content-length: 5\r\n" }))
    assert.equal("POST /ok/x HTTP/1.1\r\nHost: example.com\r\n"
      .. "Accept: application/json\r\ncontent-type: text/csv\r\n"
      .. "User-Agent: spec\r\ncontent-length: 5\r\n", last())
  end)

  it("keeps its path", function()
    handle:perform(request(info.http .. "/ok/a/../b//./c%2Fd%20e"))
    assert.truthy(last():find("POST /ok/a/../b//./c%2Fd%20e ", 1, true))
  end)

  it("has the method it asks for, after any other", function()
    local url = info.http .. "/ok/x"
    for _, shape in ipairs{ { "GET" }, { "POST", "b" }, { "HEAD" },
                            { "PUT", "b" }, { "DELETE" }, { "POST", "" },
                            { "GET" }, { "PUT" }, { "DELETE", "b" },
                            { "HEAD" }, { "POST", "b" } } do
      local r = request(url, { method = shape[1] })
      r.body = shape[2]
      if shape[1] ~= "HEAD" then -- a HEAD's answer has no body to be read
        assert.equal('{"ok":true}', handle:perform(r).body)
      else
        local response = handle:perform(r)
        assert.equal("", response.body)
        assert.equal("11", response.headers["content-length"])
      end
      assert.equal(shape[1], last():match("^%u+"))
      local length = last():match("\r\nContent%-Length: (%d+)\r\n")
      if shape[2] or shape[1] == "PUT" then
        assert.equal(tostring(#(shape[2] or "")), length)
      end
    end
  end)

  it("carries any bytes, without asking for leave first", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[#bytes + 1] = string.char(i)
    end
    local body = table.concat(bytes):rep(12000) -- 3 MB
    local response = handle:perform(request(info.http .. "/echo/x",
                                            { body = body }))
    assert.is_true(response.body == body)
    assert.falsy(seen("echo").last:lower():find("expect", 1, true))
  end)

  it("sends back no cookies, asks for no compression", function()
    handle:perform(request(info.http .. "/cookie/x"))
    handle:perform(request(info.http .. "/ok/x"))
    assert.equal("POST /ok/x HTTP/1.1\r\nHost: " .. host()
      .. "\r\nContent-Length: 5\r\n", last())
  end)

  it("is refused with a line break or NUL in its head", function()
    for _, head in ipairs{ "x: a\nb: c\r\n", "x: a\r\r\n", "x: a\rb: c\r\n",
                           "x: a\0\r\n", "x: a", "x: a\n", "\r\n", "x\r\n",
                           " x: a\r\n", "x : a\r\n", ": a\r\n",
                           "x: a\r\n\r\n", "x: a\r\n b\r\n",
                           "Content-Length: 4\r\n", "content-length: x\r\n",
                           "Transfer-Encoding: chunked\r\n" } do
      local _, err = handle:perform(request(info.http .. "/ok/x",
                                            { head = head }))
      assert.equal("ConfigError", err.code)
      assert.is_false(err.sent)
      assert.is_false(err.retryable)
    end
    for _, pair in ipairs{ { "x", "a\r\nb: c" }, { "x", "a\nb: c" },
                           { "x", "a\0" }, { "x\r\ny", "a" }, { "x: a", "b" },
                           { "", "a" }, { "x", 1 }, { "x" }, "x: a" } do
      local _, err = handle:perform(request(info.http .. "/ok/x",
                                            { headers = { pair } }))
      assert.equal("ConfigError", err.code)
    end
    assert.equal(0, seen("ok").requests)
  end)

  it("is refused where it is none", function()
    local url = info.http .. "/ok/x"
    for _, wrong in ipairs{
      { url = 1 }, { url = "" }, { url = "ftp://localhost/x" },
      { url = "localhost/x" }, { url = "file:///etc/passwd" },
      { url = url .. "\r\nx: y" }, { url = url .. "\0" }, { url = url .. " " },
      { url = url .. "\195\169" }, { url = "http://" }, { url = "http://:0" },
      { url = (url:gsub("//", "//user:planted@")) }, { method = "" },
      { method = "GET / HTTP/1.1\r\nx: y" }, { method = "get" },
      { method = 7 }, { body = 7 }, { body = {} }, { head = {} },
      { headers = "x" }, { timeout = "10" }, { connect_timeout = {} },
      { ca_bundle = "/nonexistent/ca.pem", url = info.https .. "/ok/x" },
      { ca_bundle = "a\0b" }, { proxy = "a\0b" }, { proxy = 5 },
      { method = "HEAD" },
    } do
      local _, err = handle:perform(request(url, wrong))
      assert.equal("ConfigError", err and err.code,
                   cjson.encode{ wrong.url or "" })
      assert.is_false(err.sent)
      assert.falsy(err.message:find("planted", 1, true))
    end
    for _, name in ipairs{ "url", "method" } do
      local r = request(url)
      r[name] = nil
      local _, err = handle:perform(r)
      assert.equal("ConfigError", err.code)
    end
    assert.equal(0, seen("ok").requests)
    assert.has_error(function() handle:perform() end)
    assert.has_error(function() handle.perform({}, {}) end)
    assert.equal(200, handle:perform(request(url)).status)
  end)
end)

describe("an answer", function()
  it("has its headers by lower-case name, repeated ones joined", function()
    local handle = curl.handle()
    local headers = handle:perform(request(info.http .. "/repeated/x")).headers
    assert.equal("one, two", headers["x-twice"])
    assert.equal("", headers["x-empty"])
    assert.equal("application/x-amz-json-1.1", headers["content-type"])
    headers = handle:perform(request(info.http .. "/one-1xx/x")).headers
    assert.is_nil(headers["x-early"])
    headers = handle:perform(request(info.http .. "/chunk-ok/x")).headers
    assert.is_nil(headers["x-late"])
    handle:close()
  end)
end)

describe("a proxy", function()
  local handle
  before_each(function()
    forget()
    handle = curl.handle()
  end)
  after_each(function() handle:close() end)

  local function proxy(name, user)
    local scheme, place = info.ports[name]:match("^(.*//)(.*)$")
    return scheme .. (user or "") .. place
  end

  it("gets the request for http, a tunnel for https", function()
    local r = request(info.http .. "/ok/x", { proxy = proxy("proxy") })
    assert.equal(200, handle:perform(r).status)
    assert.truthy(seen("proxy").last:find("POST http://localhost", 1, true))
    r.url = info.https .. "/ok/x"
    r.head = "x-planted: 1\r\n"
    local response = handle:perform(r)
    assert.equal(200, response.status)
    assert.is_nil(response.headers["x-proxy"])
    assert.truthy(seen("proxy").last:find("^CONNECT localhost"))
    assert.falsy(seen("proxy").last:find("planted", 1, true))
    assert.equal(1, seen("ok").requests)
  end)

  it("is left out where it is not wanted", function()
    local r = request(info.http .. "/ok/x",
                      { proxy = proxy("proxy"), direct = true })
    assert.equal(200, handle:perform(r).status)
    assert.equal(0, seen("proxy").requests)
  end)

  it("of which the user and password are sent to it alone", function()
    local r = request(info.http .. "/ok/x?a=b",
                      { proxy = proxy("proxy", "us%40er:planted@") })
    for i = 1, 2 do
      assert.equal(tostring(i), handle:perform(r).headers["x-request"])
    end
    local wanted = "Proxy-Authorization: Basic dXNAZXI6cGxhbnRlZA==\r\n"
    local last = seen("proxy").last
    assert.truthy(last:find("^POST http://localhost:%d+/ok/x%?a=b HTTP/1.1\r\n"
      .. "Host: localhost:"), last)
    assert.truthy(last:find(wanted, 1, true), last)
    assert.equal(1, seen("proxy").connections)
    r.url = info.https .. "/ok/x"
    assert.equal(200, handle:perform(r).status)
    assert.truthy(seen("proxy").last:find(wanted, 1, true))
    assert.falsy(seen("ok").last:lower():find("proxy-auth", 1, true))
  end)

  it("is no other for a kept connection", function()
    local r = request(info.https .. "/ok/x", { proxy = proxy("proxy") })
    local function is_first()
      return handle:perform(r).headers["x-request"] == "1"
    end
    assert.is_true(is_first())
    assert.is_false(is_first())
    r.proxy = proxy("proxy", "a:b@")
    assert.is_true(is_first())
    r.proxy = ""
    assert.is_true(is_first())
    r.direct = true
    assert.is_true(is_first())
    r.direct, r.proxy = nil, proxy("proxy")
    assert.is_false(is_first())
  end)

  -- Of a CONNECT or of a whole request; words of the message.
  local REFUSALS = {
    { "proxy-refuses", "", "wants a password; it asks for Basic" },
    { "proxy-refuses", "u:planted@", "does not take the user and password" },
    { "proxy-refuses-twice", "u:planted@", "it asks for NTLM, Negotiate, " ..
      "and only Basic can be given" },
    { "proxy-mute", "", "wants a password; give user and password" },
  }
  for _, case in ipairs(REFUSALS) do
    for _, scheme in ipairs{ "http", "https" } do
      it(("may refuse %s by %s to %q, which is not the service's answer")
         :format(scheme, case[1], case[2]), function()
        local _, err = handle:perform(request(info[scheme] .. "/ok/x?planted",
          { proxy = proxy(case[1], case[2]) }))
        assert.equal("ConnectionError", err.code)
        assert.is_false(err.sent)
        assert.is_false(err.retryable)
        assert.is_nil(err.status)
        assert.truthy(err.message:find(case[3], 1, true), err.message)
        assert.truthy(err.message:find("the way to localhost:", 1, true))
        assert.falsy(err.message:find("planted", 1, true))
        assert.equal(1, seen(case[1]).requests)
        assert.equal(0, seen("ok").requests)
      end)
    end
  end

  -- In answer to a CONNECT.
  local FAULTY = {
    { "proxy-403", false, "refused by the proxy" },
    { "proxy-502", true, "refused by the proxy" },
    { "proxy-closes", true, "the proxy on the way to" },
    { "proxy-cut", true, "the proxy on the way to" },
    { "proxy-garbage", true, "proxy" },
    { "proxy-endless", true, "proxy" },
    { "proxy-flood", false, "wants a password" },
  }
  for _, case in ipairs(FAULTY) do
    it("may be at fault: " .. case[1], function()
      without_leak(function()
        local own = curl.handle()
        local _, err = own:perform(request(info.https .. "/ok/x",
          { proxy = proxy(case[1]) }))
        own:close()
        assert.equal("ConnectionError", err.code)
        assert.is_false(err.sent)
        assert.equal(case[2], err.retryable)
        assert.truthy(err.message:find(case[3], 1, true), err.message)
      end)
    end)
  end

  it("may hang in its answer", function()
    local _, err = handle:perform(request(info.https .. "/ok/x",
      { proxy = proxy "proxy-hangs", connect_timeout = 0.3 }))
    assert.equal("TimeoutError", err.code)
    assert.is_false(err.sent)
    assert.truthy(err.message:find("no connection to localhost:%d+ within "
      .. "0.300 s"), err.message)
  end)

  it("may be spoken to by TLS, by the same trust", function()
    for _, scheme in ipairs{ "http", "https" } do
      local r = request(info[scheme] .. "/ok/x",
                        { proxy = proxy("proxy-tls", "u:p@") })
      for i = 1, 2 do
        local response, err = handle:perform(r)
        assert.equal(200, response and response.status, err and err.message)
        assert.equal(tostring(i), response.headers["x-request"])
      end
      assert.truthy(seen("proxy-tls").last:find(scheme == "http" and
        "^POST http://localhost" or "^CONNECT localhost"))
    end
    -- The system trusts none of it.
    local _, err = handle:perform{ method = "GET", timeout = 60,
      connect_timeout = 60, url = info.http .. "/ok/x",
      proxy = proxy "proxy-tls" }
    assert.equal("TlsError", err.code)
  end)

  for name, words in pairs{ ["unknown-ca"] = "ca_bundle",
                            ["wrong-name"] = "another name",
                            ["old"] = "TLS 1.2" } do
    for _, scheme in ipairs{ "http", "https" } do
      it(("may not be trusted: %s on the way to %s"):format(name, scheme),
        function()
          local _, err = handle:perform(request(info[scheme] .. "/ok/x",
            { proxy = proxy("proxy-tls-" .. name, "u:planted@") }))
          assert.equal("TlsError", err.code)
          assert.is_false(err.sent)
          assert.is_false(err.retryable)
          assert.truthy(err.message:find("the proxy", 1, true), err.message)
          assert.truthy(err.message:find(words, 1, true), err.message)
          assert.falsy(err.message:find("planted", 1, true))
          assert.equal(0, seen("proxy-tls-" .. name).requests)
        end)
    end
  end

  it("may be one of SOCKS", function()
    for _, case in ipairs{ { "socks5h://", " localhost " },
                           { "socks5h://us%3Aer:pass@", "us:er pass localhost" },
                           { "socks5://", " [14] " } } do
      for _, scheme in ipairs{ "http", "https" } do
        local response, err = handle:perform(request(info[scheme] .. "/ok/x",
          { proxy = case[1] .. info.ports.socks:match("//(.*)$") }))
        assert.equal(200, response and response.status, err and err.message)
        local last = seen("socks").last
        assert.truthy(last:find(case[2]), last)
        assert.truthy(seen("ok").last:find("^POST /ok/x HTTP/1.1"))
      end
    end
    local _, err = handle:perform(request(info.https .. "/ok/x", {
      proxy = "socks5://us%3Aer:planted@" .. info.ports.socks:match("//(.*)$")
    }))
    assert.equal("ConnectionError", err.code)
    assert.falsy(err.message:find("planted", 1, true))
  end)

  it("is refused where it is none, and not shown", function()
    for _, wrong in ipairs{ "ftp://planted", "http://u:planted@", "http://p:0",
                            "http://planted x", "socks6://planted" } do
      local _, err = handle:perform(request(info.https .. "/ok/x",
                                            { proxy = wrong }))
      assert.equal("ConfigError", err.code)
      assert.truthy(err.message:find("http://HOST:PORT", 1, true))
      assert.falsy(err.message:find("planted", 1, true))
    end
  end)

  it("may be the one that is not there", function()
    for _, scheme in ipairs{ "http", "https" } do
      local r = request(info[scheme] .. "/ok/x", {
        proxy = (info.ports.refuse:gsub("localhost", "127.0.0.1")) })
      local _, err = handle:perform(r)
      assert.equal("ConnectionError", err.code)
      assert.is_false(err.sent)
      assert.truthy(err.message:find("the proxy on the way to localhost", 1,
                                     true), err.message)
      assert.truthy(err.message:find("refused", 1, true))
      r.proxy = "http://nowhere.invalid:1"
      _, err = handle:perform(r)
      assert.equal("ConnectionError", err.code)
      assert.truthy(err.message:find("the proxy's name", 1, true), err.message)
    end
  end)

  local function start(script, before)
    return child.start(CLEAN .. before .. " SPEC_URL=" .. info.http .. "/ok/x"
      .. " SPEC_PROXY=" .. proxy("proxy")
      .. " LUA_PATH=" .. child.quote(package.path)
      .. " LUA_CPATH=" .. child.quote(package.cpath) .. " "
      .. child.interpreter() .. " -e " .. child.quote(script))
  end

  it("is the environment's where none is named", function()
    local run = start([[
      local curl = require "personalize.curl"
      local url = os.getenv("SPEC_URL")
      local handle = curl.handle()
      local function ask(more)
        more.method, more.url = "GET", url
        io.write(assert(handle:perform(more)).status, "\n")
      end
      ask{} ask{ proxy = "" } ask{ direct = true } ask{}
      handle:close()]], "http_proxy=" .. proxy("proxy"))
    assert.equal("200\n200\n200\n200\n", run:rest())
    run:stop()
    assert.equal(2, seen("proxy").requests)
    assert.equal(2, seen("ok").requests)
  end)

  it("may have exceptions, but not where it is named", function()
    local run = start([[
      local handle = require("personalize.curl").handle()
      for _, proxy in ipairs{ false, os.getenv("SPEC_PROXY") } do
        io.write(assert(handle:perform{ method = "GET",
          url = os.getenv("SPEC_URL"), proxy = proxy or nil }).status, "\n")
      end
      handle:close()]],
      "http_proxy=" .. proxy("proxy") .. " no_proxy=localhost")
    assert.equal("200\n200\n", run:rest())
    run:stop()
    assert.equal(1, seen("proxy").requests)
    assert.equal(1, seen("ok").requests)
  end)

  -- How the rules go is told in proxy_spec; here, that they are asked.
  for before, is_proxied in pairs{
    ["all_proxy='%s\r'"] = true,
    ["ALL_PROXY=%s NO_PROXY=localhost."] = false,
    ["ALL_PROXY=%s no_proxy= NO_PROXY=localhost"] = true,
    ["ALL_PROXY=%s http_proxy="] = false,
    ["ALL_PROXY=%s HTTP_PROXY=http://127.0.0.1:1 HTTPS_PROXY=127.0.0.1:1"] =
      true,
  } do
    it("is found by the variables " .. before, function()
      local run = start([[
        io.write(assert(require("personalize.curl").handle():perform{
          method = "GET", url = os.getenv("SPEC_URL") }).status)]],
        before:format(proxy("proxy")))
      assert.equal("200", run:rest())
      run:stop()
      assert.equal(is_proxied and 1 or 0, seen("proxy").requests)
    end)
  end
end)

describe("a process", function()
  before_each(forget)

  local function start(script, before)
    return child.start(CLEAN .. (before or "")
      .. " SPEC_URL=" .. info.http
      .. " LUA_PATH=" .. child.quote(package.path)
      .. " LUA_CPATH=" .. child.quote(package.cpath) .. " "
      .. child.interpreter() .. " -e " .. child.quote(script))
  end

  local ASK = [[
    local curl = require "personalize.curl"
    local function ask()
      local handle = curl.handle()
      local _, err = handle:perform{ method = "GET", proxy = "",
        url = os.getenv("SPEC_URL") .. "/hang/x", timeout = 3600 }
      io.write(err.code, " ", tostring(err.sent), "\n")
      io.flush()
    end
    ]]

  for name, how in pairs{ main = "ask()",
                          coroutine = "coroutine.wrap(ask)()" } do
    it("hears Ctrl-C at once, in the " .. name, function()
      local run = start(ASK .. how .. " io.write('went on\\n')")
      await("a request", function() return seen("hang").requests == 1 end)
      run:signal("INT")
      -- The server would hold it for ever, and the request has an hour.
      assert.equal("InterruptedError true\nwent on\n", run:rest())
      run:stop()
    end)
  end

  it("uses nothing of a .netrc", function()
    local home = os.tmpname()
    os.remove(home)
    os.execute("mkdir " .. child.quote(home))
    local file = assert(io.open(home .. "/.netrc", "w"))
    file:write("machine localhost login planted password planted\n")
    file:close()
    local run = start([[
      local handle = require("personalize.curl").handle()
      io.write(handle:perform{ method = "GET", proxy = "",
        url = os.getenv("SPEC_URL") .. "/ok/x" }.status)]],
      "HOME=" .. child.quote(home))
    assert.equal("200", run:rest())
    run:stop()
    assert.falsy(seen("ok").last:lower():find("authorization", 1, true))
    os.remove(home .. "/.netrc")
    os.execute("rmdir " .. child.quote(home))
  end)

  it("may close its state with live connections", function()
    local run = start([[
      local handle = require("personalize.curl").handle()
      local r = { method = "GET", url = os.getenv("SPEC_URL") .. "/ok/x",
                  proxy = "" }
      io.write(handle:perform(r).status, "\n")
      if _VERSION ~= "Lua 5.1" then os.exit(true, true) end]])
    assert.equal("200\n", run:rest())
    run:stop()
  end)
end)

-- Only LuaJIT can fork without help.
if type(rawget(_G, "jit")) == "table" then
  describe("a forked child", function()
    -- Each says what it saw: connection and number of the request on it.
    local FORK = [[
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
      local handle = require("personalize.curl").handle()
      local function ask(who)
        local headers = assert(handle:perform{ method = "POST", body = "x",
          proxy = "", url = os.getenv("SPEC_URL") .. "/ok/x",
          ca_bundle = os.getenv("SPEC_CA") }).headers
        io.write(who, " ", headers["x-connection"], " ",
                 headers["x-request"], "\n")
        io.flush()
      end
      local function in_child(run)
        local pid = ffi.C.fork()
        if pid == 0 then
          run()
          ffi.C._exit(0)
        end
        ffi.C.waitpid(pid, nil, 0)
      end
      ask("parent")
      in_child(function() ask("child") ask("child") handle:close() end)
      ask("parent")
      in_child(function() handle:close() end)
      in_child(function() handle = nil collectgarbage() end)
      ask("parent")
      in_child(function() in_child(function() ask("grandchild") end) end)
      ask("parent")
      ]]

    for _, scheme in ipairs{ "http", "https" } do
      it("leaves the parent's connection alone over " .. scheme, function()
        forget()
        local run = child.start(CLEAN .. " SPEC_URL=" .. info[scheme]
          .. " SPEC_CA=" .. info.ca_bundle
          .. " LUA_PATH=" .. child.quote(package.path)
          .. " LUA_CPATH=" .. child.quote(package.cpath) .. " "
          .. child.interpreter() .. " -e " .. child.quote(FORK))
        local said = run:rest()
        run:stop()
        local one, two, three = said:match(
          "^parent (%d+) 1\nchild (%d+) 1\nchild %2 2\nparent %1 2\n"
          .. "parent %1 3\ngrandchild (%d+) 1\nparent %1 4\n$")
        assert.truthy(one, said)
        assert.is_true(one ~= two and one ~= three and two ~= three)
        assert.equal(3, seen("ok").connections)
      end)
    end
  end)
end

describe("an error", function()
  it("shows nothing that was asked", function()
    local handle = curl.handle()
    local all = {}
    for _, list in ipairs{ FAULTS, PORTS } do
      for _, case in ipairs(list) do
        if type(case[2]) == "string" and not case.timeout
          and not case.connect_timeout then
          local base = info.ports[case[1]] or info.https .. "/" .. case[1]
          local _, err = handle:perform(request(base .. "/planted?planted=1", {
            body = "planted", head = "Authorization: planted\r\n" }))
          for _, value in pairs(err) do
            all[#all + 1] = tostring(value)
          end
        end
      end
    end
    all[#all + 1] = tostring(handle)
    handle:close()
    assert.falsy(table.concat(all, "\n"):find("planted", 1, true))
  end)
end)

describe("the transport", function()
  local transport = require "personalize.transport.curl"

  it("makes its handle on first use, and again after close", function()
    forget()
    without_leak(function()
      local ask, close = transport.new()
      close()
      for _ = 1, 2 do
        assert.equal(200, ask(request(info.https .. "/ok/x")).status)
        close()
      end
    end)
    assert.equal(2, seen("ok").connections)
    local _, err = (transport.new())(request(info.ports.refuse .. "/x"))
    assert.equal("ConnectionError", err.code)
  end)

  it("knows libcurl's version", function()
    assert.truthy(curl.version():match("^%d+%.%d+%.%d+"))
  end)
end)

