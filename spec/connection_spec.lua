-- Connections that libcurl opens and that are used byte by byte: what is known
-- to go wrong with CURLOPT_CONNECT_ONLY, and in which version of libcurl; and
-- what becomes of a connection in the life of a process.

local child = require "spec.support.child"
local cjson = require "cjson"
local counts = require "spec.support.counts"
local curl = require "personalize.curl"
local native = require "spec.support.native"
local patience = require "spec.support.patience"
local sources = require "spec.support.sources"

local await = patience.await
local descriptors = counts.descriptors

local server, info, control, handle

local function get(path)
  local response = assert(control:perform { method = "GET", proxy = "",
    url = info.http .. path })
  return cjson.decode(response.body)
end

local function seen(fault)
  return get("/_seen/" .. fault)
end

local function request(url, more)
  local made = { method = "POST", url = url, body = "hello", timeout = 60,
    connect_timeout = 60, ca_bundle = info.ca_bundle, proxy = "" }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

-- Sends; what came back must be an answer.
local function ask(url, more)
  local response, failure = handle:perform(request(url, more))
  assert.is_nil(failure and failure.message)
  return response
end

local function start(script, before, ...)
  return child.start(("env -u AWS_CA_BUNDLE SPEC_HTTP=%s SPEC_HTTPS=%s " ..
    "SPEC_CA=%s LUA_PATH=%s LUA_CPATH=%s %s %s -e %s"):format(info.http,
    info.https, info.ca_bundle, child.quote(package.path),
    child.quote(package.cpath), before or "", child.interpreter(),
    child.quote([[
      local HTTP, HTTPS = os.getenv "SPEC_HTTP", os.getenv "SPEC_HTTPS"
      local handle = require("personalize.curl").handle()
      local function ask(url, more)
        local made = { method = "POST", url = url, body = "hello", proxy = "",
          timeout = 60, connect_timeout = 60,
          ca_bundle = os.getenv "SPEC_CA" }
        for name, value in pairs(more or {}) do made[name] = value end
        return handle:perform(made)
      end
    ]] .. script:format(...))))
end

setup(function()
  sources.install()
  server = child.start("python3 spec/support/faults.py </dev/null")
  info = cjson.decode((assert(server:line(), "the fault server is silent")))
  control = curl.handle()
end)
teardown(function()
  control:close()
  server:stop()
  sources.restore()
end)
before_each(function()
  get "/_forget"
  handle = curl.handle()
end)
after_each(function() handle:close() end)

describe("what TLS holds back", function()
  -- libcurl reads ahead from 8.15 on: poll knows nothing of the second record.
  it("is read before anything is waited for", function()
    for i = 1, 20 do
      local response = ask(info.https .. "/records")
      assert.equal('{"ok":true}', response.body)
      assert.equal(i, seen "records".requests)
    end
    assert.equal(1, seen "records".connections)
  end)

  it("is read to the end of a long answer", function()
    for _, size in ipairs { 16383, 16384, 16385, 100000, 8388608 } do
      assert.equal(size, #ask(info.https .. "/big-" .. size).body)
    end
  end)
end)

describe("a peer that speaks TLS in its own way", function()
  -- The folder of the fault server's certificates.
  local function serve(command, options)
    return child.start(("python3 spec/support/tls_server.py %s %s %s")
      :format(child.quote((info.ca_bundle:match "^(.*)/")), command, options))
  end

  for name, case in pairs {
    ["answers at once, over TLS 1.2"] = { "-", "-tls1_2" },
    ["renegotiates"] = { "R", "-tls1_2" },
    ["takes new keys"] = { "k", "-tls1_3" },
    ["takes new keys on both sides"] = { "K", "-tls1_3" },
    ["gives no session tickets"] = { "-", "-tls1_3 -num_tickets 0" },
    ["gives many session tickets"] = { "-", "-tls1_3 -num_tickets 20" },
  } do
    it(name .. ": the answer is read", function()
      local peer = serve(case[1], case[2])
      local url = "https://localhost:" .. assert(peer:line()) .. "/x"
      assert.equal("hello", ask(url).body)
      peer:stop()
    end)
  end
end)

describe("a connection", function()
  -- Up to 7.84 an easy handle leaves its connection to the multi handle.
  for _, scheme in ipairs { "http", "https" } do
    it("that is not kept is ended at once, over " .. scheme, function()
      ask(get("/_fresh").http .. "/ok")
      local before = descriptors()
      for _, fault in ipairs { "http10", "length-short", "head-endless",
        "bad-status" } do
        handle:perform(request(info[scheme] .. "/" .. fault))
        await("the end of it", function()
          return seen(fault).closed == seen(fault).connections
        end)
        assert.equal(before, descriptors())
      end
    end)
  end

  it("is kept for few places, those used last", function()
    local first = get("/_fresh").http .. "/ok"
    ask(first)
    for _ = 1, 12 do
      local fresh = get "/_fresh"
      ask(fresh.http .. "/ok")
      ask(fresh.https .. "/ok")
      await("the end of the oldest", function()
        local count = seen "ok"
        return count.connections - count.closed <= 8
      end)
    end
    assert.equal("1", ask(first).headers["x-request"])
    assert.equal("2", ask(first).headers["x-request"])
  end)

  it("is another's for another host, port, CA, address or way", function()
    local port = info.https:match ":(%d+)$"
    local other = os.tmpname()
    local copy, file = assert(io.open(other, "w")), assert(io.open(
      info.ca_bundle))
    copy:write(file:read "*a")
    copy:close()
    file:close()
    for _, case in ipairs {
      {}, { url = "https://127.0.0.1:" .. port .. "/ok" },
      { url = get("/_fresh").https .. "/ok" }, { ca_bundle = other },
      { address = "127.0.0.1" }, { direct = true },
      { proxy = info.ports.proxy },
    } do
      for i = 1, 3 do
        local response = ask(case.url or info.https .. "/ok", case)
        assert.equal(tostring(i), response.headers["x-request"])
      end
    end
    os.remove(other)
  end)

  it("to an address has the name of its host", function()
    local port = info.https:match ":(%d+)$"
    for _, address in ipairs { "127.0.0.1" } do
      -- By TLS's check of the name, and by the Host header.
      assert.equal(200, ask(info.https .. "/ok", { address = address,
        proxy = info.ports.proxy }).status)
      local _, failure = handle:perform(request("https://checked.invalid:" ..
        port .. "/ok", { address = address }))
      assert.equal("TlsError", failure.code)
      assert.truthy(failure.message:find("another name", 1, true))
      ask("http://checked.invalid:" .. info.http:match ":(%d+)$" .. "/ok",
        { address = address })
      assert.truthy(seen "ok".last:find("\r\nHost: checked.invalid:", 1, true))
    end
    assert.equal(0, seen "proxy".requests)
    for _, wrong in ipairs { "localhost", "127.0.0.256", "127.0.0.1:80", "",
      "::1:::", "127.0.0.1\0", 5 } do
      local _, failure = handle:perform(request(info.http .. "/ok",
        { address = wrong }))
      assert.equal("ConfigError", failure.code)
      assert.is_false(failure.sent)
    end
    -- Nothing listens there.
    local _, failure = handle:perform(request(info.http .. "/ok",
      { address = "[::1]" }))
    assert.equal("ConnectionError", failure.code)
  end)

  it("that nobody used for 20 seconds is not used again", function()
    local clock, reason = native.build "ahead"
    if not clock then
      pending(reason)
      return
    end
    local ahead = os.tmpname()
    local run = start([[
      local function set(seconds)
        local file = io.open(os.getenv "SPEC_AHEAD", "w")
        file:write(seconds)
        file:close()
      end
      local now = 0
      for _, passed in ipairs { 0, 10, 19, 21, 5, 3600 } do
        now = now + passed
        set(now)
        io.write(ask(HTTPS .. "/ok").headers["x-request"], " ")
      end]], ("LD_PRELOAD=%s SPEC_AHEAD=%s"):format(clock, ahead))
    assert.equal("1 2 3 1 2 1 ", run:rest())
    run:stop()
    os.remove(clock)
    os.remove(ahead)
    assert.equal(3, seen "ok".connections)
  end)
end)

-- libcurl keeps the certificates of a bundle read from 7.87 on, but not where
-- there is a folder besides, which it reads again for every connection.
describe("the system's trust", function()
  local FOLDER = "/etc/ssl/certs" -- Debian's, which its libcurl was built with
  local lfs = require "lfs"
  local library = lfs.attributes(FOLDER .. "/ca-certificates.crt") and
    native.build "trust"
  if not library then
    pending("the system's certificates do not lie in " .. FOLDER ..
      ", or spec/support/trust.c could not be built")
    return
  end
  teardown(function() os.remove(library) end)

  -- A client without ca_bundle on a machine whose bundle and folder have these
  -- certificates.
  local function trusting(in_bundle, in_folder)
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
    local file = assert(io.open(info.ca_bundle))
    local ca = file:read "*a"
    file:close()
    file = assert(io.open(FOLDER .. "/ca-certificates.crt"))
    local others = file:read "*a"
    file:close()
    file = assert(io.open(folder .. "/ca-certificates.crt", "w"))
    file:write(in_bundle and ca or "", others)
    file:close()
    if in_folder then
      local pipe = io.popen("openssl x509 -noout -hash -in " ..
        child.quote(info.ca_bundle))
      file = assert(io.open(folder .. "/" .. pipe:read "*l" .. ".0", "w"))
      file:write(ca)
      file:close()
      pipe:close()
    end
    local run = start([[
      for _ = 1, 2 do
        local response, failure = handle:perform { method = "GET", proxy = "",
          url = HTTPS .. "/ok", timeout = 60, connect_timeout = 60 }
        io.write(response and response.status or failure.message, " ")
      end]], ("LD_PRELOAD=%s SPEC_TRUST_OF=%s SPEC_TRUST=%s"):format(library,
      FOLDER, folder))
    local said = run:rest()
    run:stop()
    os.execute("rm -r " .. folder)
    return said
  end

  it("is its bundle of certificates", function()
    assert.equal("200 200 ", trusting(true, false))
  end)

  it("is its folder of certificates, too", function()
    assert.equal("200 200 ", trusting(false, true))
  end)

  it("is nothing else", function()
    local said = trusting(false, false)
    assert.truthy(said:find "unknown CA.*unknown CA", said)
  end)
end)

describe("Ctrl-C", function()
  for name, url in pairs {
    ["TCP"] = function() return info.ports.full end,
    ["TLS"] = function() return info.ports["tls-hold"] end,
  } do
    it("is heard while it is connecting: " .. name, function()
      local run = start([[
        io.write "ready\n"
        io.flush()
        local _, failure = ask(%q, { timeout = 3600, connect_timeout = 3600 })
        print(failure.code, failure.sent, failure.retryable)]], nil, url())
      assert.equal("ready", run:line())
      if name == "TLS" then
        await("the connection", function()
          return seen "tls-hold".connections > 0
        end)
      end
      run:await_sleep()
      run:signal "INT"
      assert.equal("InterruptedError\tfalse\tfalse\n", run:rest())
      run:stop()
    end)
  end
end)

describe("SIGPIPE", function()
  -- Up to 7.86 libcurl writes TLS with write().
  for _, scheme in ipairs { "http", "https" } do
    it("ends no process whose peer goes away, over " .. scheme, function()
      local run = start([[
        local big = ("b"):rep(16 * 1024 * 1024)
        for _, fault in ipairs { "swallow-reset", "swallow-close",
          "close-reused", "reset-reused", "close-reused" } do
          for _ = 1, 3 do
            local response, failure = ask(%s .. "/" .. fault, { body = big })
            io.write(response and response.status or failure.code, " ")
          end
        end
        handle:close()
        io.write "alive"]], "sh -c 'trap - PIPE; exec \"$@\"' sh",
        scheme:upper())
      local said = run:rest()
      run:stop()
      assert.truthy(said:find "alive$", said)
      assert.truthy(said:find "^ConnectionError ", said)
    end)
  end
end)

describe("descriptors", function()
  local process, reason = native.load "process"
  if not process then
    pending(reason)
    return
  end

  it("that are used up are named", function()
    -- Of a name, of an address; with some left for a moment, and with none.
    for _, url in ipairs { info.https .. "/ok",
      (info.https:gsub("localhost", "127.0.0.1")) .. "/ok" } do
      local held = {}
      handle:close()
      handle = curl.handle()
      local before = process.limit(descriptors() + 24)
      repeat
        local file = io.open "/dev/null"
        held[#held + 1] = file
      until not file
      local outcomes = {}
      for _ = 0, 4 do
        local response, failure = handle:perform(request(url))
        outcomes[#outcomes + 1] = response and "ok" or failure.message
        if not response then
          assert.equal("ConnectionError", failure.code)
          assert.is_true(failure.retryable)
          assert.is_false(failure.sent)
        end
        handle:close()
        table.remove(held):close()
      end
      for _, file in ipairs(held) do
        file:close()
      end
      process.limit(before)
      for _, outcome in ipairs(outcomes) do
        assert.truthy(outcome == "ok" or
          outcome:find(": too many open files", 1, true), outcome)
      end
      assert.truthy(outcomes[1]:find(": too many open files", 1, true))
      assert.equal(200, ask(url).status)
    end
  end)

  -- Two logs, which get the numbers of what was closed.
  local function open_logs(names)
    local logs = {}
    for i = 1, 12 do
      names[i] = names[i] or os.tmpname()
      logs[i] = assert(io.open(names[i], "w"))
      logs[i]:setvbuf "no"
    end
    return logs
  end

  -- What the logs have in the end, as one text.
  local function read_logs(names)
    local all = {}
    for i, name in ipairs(names) do
      local file = assert(io.open(name))
      all[i] = file:read "*a"
      file:close()
      os.remove(name)
    end
    return table.concat(all, "|")
  end

  for _, scheme in ipairs { "http", "https" } do
    it("that a child closed and gave to its logs are left alone, over " ..
      scheme, function()
      local names = {}
      ask(info[scheme] .. "/ok")
      ask(get("/_fresh")[scheme] .. "/ok")
      for i = 1, 12 do
        names[i] = os.tmpname()
      end
      local pid = process.fork()
      if pid == 0 then
        process.close(3, 1023)
        local logs = open_logs(names)
        local done = pcall(ask, info[scheme] .. "/ok")
        for _, log in ipairs(logs) do
          done = done and log:write "told"
        end
        handle:close()
        for _, log in ipairs(logs) do
          done = done and log:write " again"
        end
        process.leave(done and 7 or 1)
      end
      assert.equal(7, process.wait(pid))
      assert.equal(("told again|"):rep(11) .. "told again", read_logs(names))
      -- And the parent's connection is as it was.
      assert.equal("2", ask(info[scheme] .. "/ok").headers["x-request"])
    end)

    it("that another library closed cost a connection and no more, over " ..
      scheme, function()
      local run = start([[
        local process = assert(require("spec.support.native").load "process")
        ask(%s .. "/ok")
        local names, logs = {}, {}
        process.close(3, 1023)
        for i = 1, 12 do
          names[i] = os.tmpname()
          logs[i] = assert(io.open(names[i], "w"))
          logs[i]:setvbuf "no"
        end
        local response, failure = ask(%s .. "/ok")
        for i = 1, 12 do logs[i]:write "told" end
        handle:close()
        collectgarbage()
        for i = 1, 12 do
          logs[i]:write " again"
          logs[i]:close()
          local file = io.open(names[i])
          io.write(file:read "*a", "|")
          file:close()
          os.remove(names[i])
        end
        print(response and response.status or failure.message)]], nil,
        scheme:upper(), scheme:upper())
      assert.equal(("told again|"):rep(12) .. "200\n", run:rest())
      run:stop()
      assert.equal(2, seen "ok".connections)
    end)
  end
end)
