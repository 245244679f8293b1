-- Bodies that are read while they are sent: what the peer gets, what a
-- failing source, a slow peer and an early answer become, and that nothing of
-- it is ever sent twice unasked.

local child = require "spec.support.child"
local cjson = require "cjson"
local counts = require "spec.support.counts"
local curl = require "personalize.curl"
local native = require "spec.support.native"
local patience = require "spec.support.patience"
local sources = require "spec.support.sources"

local await, now = patience.await, patience.now
local MIB = 1048576
local BIG = ("0123456789abcdef"):rep(MIB / 4) -- 4 MiB
-- As much as is sent without waiting for the peer's word.
local LONGEST = BIG:sub(1, MIB)
-- More than the buffers between two sockets hold.
local HUGE = BIG:rep(4)

local server, info, handle

local function seen(fault)
  local control = curl.handle()
  local response = assert(control:perform { method = "GET", proxy = "",
    url = info.http .. "/" .. fault })
  control:close()
  return cjson.decode(response.body)
end

-- A put of this source to this fault.
local function put(fault, source, more)
  local request = { method = "PUT", url = info.http .. "/" .. (fault or ""),
    body = source, timeout = 60, ca_bundle = info.ca_bundle, proxy = "",
    head = "x-a: b\r\n" }
  for name, value in pairs(more or {}) do
    request[name] = value
  end
  return handle:perform(request)
end

setup(function()
  sources.install()
  server = child.start("python3 spec/support/faults.py </dev/null")
  info = cjson.decode((assert(server:line(), "the fault server is silent")))
end)
teardown(function()
  server:stop()
  sources.restore()
end)
before_each(function()
  seen "_forget"
  handle = curl.handle()
end)
after_each(function() handle:close() end)

describe("a source", function()
  for _, scheme in ipairs { "http", "https" } do
    it("arrives whole over " .. scheme, function()
      for _, size in ipairs { 0, 1, 3, 65535, 65537, MIB } do
        for _, most in ipairs { 1e9, 1000 } do
          local text = BIG:sub(1, size)
          local url = info[scheme] .. "/echo/x"
          local response, err = put(nil, sources.new(text, { most = most }),
            { url = url })
          assert.is_nil(err and err.message)
          assert.equal(200, response.status)
          assert.is_true(response.body == text)
        end
      end
      assert.equal(12, seen "_seen/echo".requests)
      assert.equal(1, seen "_seen/echo".connections)
    end)
  end

  -- More than the peer takes at once. Up to 8.9 libcurl wants what it could not
  -- send to be offered again from the same place.
  for _, scheme in ipairs { "http", "https" } do
    it("of several MiB arrives whole over " .. scheme .. ", as a string does",
      function()
        local text = BIG .. BIG:sub(1, 3 * MIB + 12345)
        for _, body in ipairs { text, sources.new(text),
          sources.new(text, { most = 40000 }) } do
          local response, err = put(nil, body,
            { url = info[scheme] .. "/echo/x" })
          assert.is_nil(err and err.message)
          assert.is_true(response.body == text)
        end
        assert.equal(1, seen "_seen/echo".connections)
      end)
  end

  it("is announced by its length; a long one is not sent unasked", function()
    for _, case in ipairs { { 3 }, { MIB }, { MIB + 1, true } } do
      assert(put("ok", sources.new(BIG:sub(1, case[1]))))
      local head = seen "_seen/ok".last:lower()
      assert.truthy(head:find("content%-length: " .. case[1] .. "\r\n"), head)
      assert.falsy(head:find "transfer%-encoding")
      assert.equal(case[2] ~= nil,
        head:find("\r\nexpect: 100-continue\r\n", 1, true) ~= nil, head)
    end
  end)

  it("is sent at once when the peer asks for it", function()
    -- One that waited would always take a second.
    await("a put without a wait", function()
      local before = now()
      local response = assert(put("continue", sources.new(BIG)))
      assert.equal(200, response.status)
      assert.equal("4194304", response.body)
      return now() - before < 0.9
    end)
  end)

  it("is sent after a second when the peer says nothing", function()
    local before = now()
    local response = assert(put("count", sources.new(BIG)))
    assert.equal("4194304", response.body)
    assert.is_true(now() - before > 0.9, "did not wait")
  end)

  it("shares a handle with strings, both ways", function()
    for _ = 1, 3 do
      assert.equal("abc", assert(put("echo", sources.new "abc")).body)
      assert.equal("string", assert(put("echo", "string")).body)
      assert.equal('{"ok":true}', assert(put("ok", nil,
        { method = "GET" })).body)
    end
    assert.equal(1, seen "_seen/echo".connections)
  end)

  for name, faults in pairs {
    ["that fails"] = { fails = 700000 },
    ["that fails at once"] = { fails = 0 },
    ["that ends early"] = { ends = 700000 },
    ["that is empty and should not be"] = { ends = 0 },
    ["whose length is wrong"] = { length = MIB + 1 },
  } do
    it(name .. " ends the exchange", function()
      local response, err = put("ok", sources.new(LONGEST, faults))
      assert.is_nil(response)
      assert.equal("UserListError", err.code)
      assert.equal(faults.fails and "the source fails as it was told" or
        "the body is shorter than it was said to be", err.message)
      assert.is_false(err.retryable)
      assert.is_true(err.sent)
      assert.equal(0, seen "_seen/ok".requests) -- none that was whole
      assert(put("ok", "the handle is fit for the next"))
    end)
  end

  it("of another build is refused", function()
    for _, body in ipairs { sources.new("a", { version = 2 }), {}, 5,
      io.stdout } do
      local _, err = put("ok", body)
      assert.equal("ConfigError", err.code)
      assert.truthy(err.message:find("body", 1, true))
    end
  end)

  -- libcurl by itself would send these again.
  for _, fault in ipairs { "close-reused", "reset-reused" } do
    for _, size in ipairs { 5, MIB } do
      it(("of %d bytes is sent once to %s"):format(size, fault), function()
        local text = BIG:sub(1, size)
        assert.equal(200, assert(put(fault, sources.new(text))).status)
        local _, err = put(fault, sources.new(text))
        assert.equal("ConnectionError", err.code)
        assert.is_true(err.sent)
        assert.is_true(err.retryable)
        local count = seen("_seen/" .. fault)
        assert.equal(2, count.requests)
        assert.equal(1, count.connections)
      end)
    end
  end
end)

describe("an early answer", function()
  for _, case in ipairs {
    { "early-403", 403 }, { "early-503", 503 }, { "early-301", 301 },
    { "midway-403", 403 }, { "midway-503", 503 },
  } do
    for _, scheme in ipairs { "http", "https" } do
    it(case[1] .. " over " .. scheme .. " is the answer", function()
      local source = sources.new(HUGE)
      local response, err = put(nil, source,
        { url = info[scheme] .. "/" .. case[1] })
      assert.is_nil(err and err.message)
      assert.equal(case[2], response.status)
      assert.equal("refused", response.body)
      if not case[1]:find "midway" then
        assert.equal(0, source.at) -- nothing of it was sent
      end
      assert.is_true(source.at < #HUGE)
      assert.equal(200, assert(put("ok", "next")).status)
    end)
    end
  end
end)

describe("a peer that knows no Expect", function()
  for _, fault in ipairs { "expect-417", "expect-kept-417" } do
    for _, scheme in ipairs { "http", "https" } do
      it(("gets the same without it: %s over %s"):format(fault, scheme),
        function()
          local source = sources.new(BIG)
          local response = assert(put(nil, source,
            { url = info[scheme] .. "/" .. fault }))
          assert.equal(200, response.status)
          assert.equal(tostring(#BIG), response.body)
          local count = seen("_seen/" .. fault)
          assert.equal(2, count.requests)
          assert.equal(2, count.connections)
          assert.falsy(count.last:lower():find("\r\nexpect:", 1, true))
          assert.equal(0, source.rewinds)
        end)
    end
  end

  it("is not asked twice otherwise", function()
    local response = assert(put("early-417", sources.new(BIG)))
    assert.equal(417, response.status)
    assert.equal(2, seen "_seen/early-417".requests)
    response = assert(put("early-417", "short"))
    assert.equal(417, response.status)
    assert.equal(3, seen "_seen/early-417".requests)
  end)
end)

describe("a peer", function()
  for _, case in ipairs {
    { "swallow-reset", "ConnectionError" },
    { "swallow-close", "ConnectionError" },
    -- A 100 is no answer yet.
    { "continue-close", "ConnectionError", BIG },
    { "swallow-reset", "ConnectionError", BIG },
    { "swallow-close", "ConnectionError", BIG },
  } do
    local body = case[3] or LONGEST
    for _, scheme in ipairs { "http", "https" } do
      it(("%s over %s ends as %s (%d bytes)"):format(case[1], scheme, case[2],
        #body), function()
        local _, err = put(nil, sources.new(body),
          { url = info[scheme] .. "/" .. case[1] })
        assert.equal(case[2], err.code)
        assert.is_true(err.sent)
        assert.is_true(err.retryable)
      end)
    end
  end

  it("that stops reading is a timeout of the low-speed limit", function()
    local _, err = put("swallow-hang", sources.new(HUGE),
      { low_speed_limit = 1000000000, low_speed_time = 1 })
    assert.equal("TimeoutError", err.code)
    assert.truthy(err.message:find "less than 1000000000 bytes a second for 1 s")
    assert.is_true(err.sent)
    assert.is_true(err.retryable)
  end)

  it("that reads slowly is a timeout in the end", function()
    local _, err = put("swallow-slow", sources.new(HUGE), { timeout = 0.8 })
    assert.equal("TimeoutError", err.code)
  end)

  it("may be slow with a string, whose timeout is short anyway", function()
    local response = assert(handle:perform { method = "PUT", body = "x",
      url = info.http .. "/slow-1300", proxy = "", timeout = 60,
      low_speed_limit = 1024, low_speed_time = 1 })
    assert.equal(200, response.status)
  end)
end)

describe("progress", function()
  it("grows, and ends with all of it", function()
    local told = {}
    assert(put("swallow-steady", sources.new(LONGEST), { progress = function(n)
      told[#told + 1] = n
    end }))
    assert.is_true(#told > 2, #told .. " times")
    for i = 2, #told do
      assert.is_true(told[i] >= told[i - 1])
    end
    assert.equal(MIB, told[#told])
  end)

  it("is told of a string, too", function()
    local told
    assert(put("ok", "hello", { progress = function(n) told = n end }))
    assert.equal(5, told)
  end)

  for _, value in ipairs { "a text", { "a table" }, 5 } do
    it("that raises ends the exchange with that same value: " .. type(value),
      function()
        local before = counts.descriptors()
        local ok, err = pcall(put, "swallow-hang", sources.new(HUGE),
          { progress = function() error(value, 0) end })
        assert.is_false(ok)
        assert.is_true(rawequal(value, err))
        assert.equal(200, assert(put("ok", "next")).status)
        handle:close()
        assert.equal(before, counts.descriptors())
      end)
  end

  it("that raises nil is heard", function()
    assert.is_false(pcall(put, "ok", "x",
      { progress = function() error(nil) end }))
  end)

  it("cannot make a request by the same handle", function()
    local failure
    local response = assert(put("ok", sources.new "abc", {
      progress = function()
        failure = select(2, put("ok", "x"))
      end }))
    assert.equal(200, response.status)
    assert.equal("ConfigError", failure.code)
    assert.truthy(failure.message:find("progress", 1, true))
  end)

  it("may close the handle, which is done when it is over", function()
    local before = counts.descriptors()
    local response = assert(put("ok", sources.new "abc", {
      progress = function() handle:close() end }))
    assert.equal(200, response.status)
    assert.equal(before, counts.descriptors())
  end)

  it("may drop the source and collect", function()
    local request = { method = "PUT", url = info.http .. "/swallow-steady",
      body = sources.new(LONGEST), timeout = 60, proxy = "" }
    request.progress = function()
      request.body, request.url, request.progress = nil, nil, nil
      collectgarbage()
      collectgarbage()
    end
    assert.equal(200, assert(handle:perform(request)).status)
  end)

  it("has to be a function", function()
    local _, err = put("ok", "x", { progress = {} })
    assert.equal("ConfigError", err.code)
  end)
end)

describe("the limits of speed", function()
  for _, name in ipairs { "low_speed_limit", "low_speed_time" } do
    it("are whole numbers above 0: " .. name, function()
      for _, value in ipairs { 0, -1, 1.5, "1", 1e10, 0 / 0 } do
        local _, err = put("ok", sources.new "x", { [name] = value })
        assert.equal("ConfigError", err.code)
        assert.truthy(err.message:find(name, 1, true))
      end
    end)
  end
end)

describe("Ctrl-C", function()
  for name, fault in pairs { ["while it is sent"] = "swallow-hang",
    ["while an answer is waited for"] = "hang" } do
    it("ends an exchange with a source " .. name, function()
      local run = child.start(("env LUA_PATH=%s LUA_CPATH=%s %s -e %s"):format(
        child.quote(package.path), child.quote(package.cpath),
        child.interpreter(), child.quote(([[
          local sources = require "spec.support.sources"
          sources.install()
          local ok, _, err = pcall(function()
            local handle = require("personalize.curl").handle()
            return handle:perform { method = "PUT", proxy = "", url = %q,
              body = sources.new(("b"):rep(%d)), timeout = 3600 }
          end)
          print(ok, err and err.code, err and err.retryable)]]):format(
          info.http .. "/" .. fault, fault == "hang" and 1000 or #HUGE))))
      await("a request", function()
        return seen("_seen/" .. fault).requests == 1
      end)
      run:signal "INT"
      assert.equal("true\tInterruptedError\tfalse", run:line())
      run:stop()
    end)
  end
end)

describe("a forked child", function()
  local process, reason = native.load "process"
  if not process then
    pending(reason)
    return
  end

  -- Of a fork between two exchanges, and in the middle of one.
  for _, scheme in ipairs { "http", "https" } do
    it("leaves the parent's connection alone over " .. scheme, function()
      local more = { url = info[scheme] .. "/ok" }
      assert(put(nil, sources.new "one", more))
      local pid = process.fork()
      if pid == 0 then
        local done = pcall(put, nil, sources.new "two", more)
        handle:close()
        process.leave(done and 7 or 1)
      end
      assert.equal(7, process.wait(pid))
      assert(put(nil, sources.new "three", more))
      assert.equal(2, seen "_seen/ok".connections)
    end)

    for name, how in pairs { ["that closes and leaves"] = function()
      handle:close()
      process.leave(7)
    end, ["that goes on"] = function() end } do
      it(("of a progress function %s does so, too, over %s"):format(name,
        scheme), function()
        local pid
        local response, err = put(nil, sources.new(LONGEST), {
          url = info[scheme] .. "/swallow-steady", progress = function()
            if not pid then
              pid = process.fork()
              if pid == 0 then
                how()
              end
            end
          end })
        if pid == 0 then
          handle:close()
          process.leave(err and err.code == "InterruptedError" and 7 or 1)
        end
        assert.equal(200, response.status)
        assert.equal(7, process.wait(pid))
      end)
    end
  end
end)
