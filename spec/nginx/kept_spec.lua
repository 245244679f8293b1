--- Kept connections inside nginx: found again by their name alone, never used
-- for a second try, and given up silently only where nothing went over them.

local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"
local system = require "system"

local SERVER = [[
  location = /send { content_by_lua_block {
    local cjson = require "cjson"
    ngx.req.read_body()
    local request = cjson.decode(ngx.req.get_body_data())
    local response, failure =
      require("personalize.transport.cosocket").send(request)
    ngx.print(cjson.encode { response = response, failure = failure })
  } }
]]

describe("a kept connection inside nginx", function()
  local faults, info, folder, web

  setup(function()
    folder = nginx.folder()
    local trust = nginx.make_authority(folder)
    faults = child.start("env SPEC_CA=" .. folder ..
      " python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(faults:line(), "no fault server")))
    web = nginx.start { trust = trust, server = SERVER }
  end)
  teardown(function()
    web:stop()
    faults:stop()
    nginx.remove(folder)
  end)

  local function control(path)
    return cjson.decode(web.handle:perform({ method = "GET", direct = true,
      url = info.http .. path }).body)
  end
  local function seen(fault)
    return control("/_seen/" .. fault)
  end
  before_each(function()
    control "/_forget"
  end)

  local function send(url, more)
    local request = { method = "POST", url = url, head = "", body = "hello",
      timeout = 60 }
    for name, value in pairs(more or {}) do
      request[name] = value
    end
    local got = cjson.decode((web:get("/send", nil, cjson.encode(request))))
    return got.response, got.failure
  end

  -- An endpoint to which nobody has a connection.
  local function fresh(scheme)
    local found = control "/_fresh"
    return found[scheme]
  end

  for _, scheme in ipairs { "http", "https" } do
    it("serves one request after another over " .. scheme, function()
      local url = fresh(scheme) .. "/ok"
      for i = 1, 5 do
        assert.equal(tostring(i), send(url).headers["x-request"])
      end
      assert.equal(1, seen("ok").connections)
    end)

    for _, fault in ipairs { "close-reused", "reset-reused" } do
      it(fault .. " over " .. scheme .. ": one request is seen", function()
        local url = fresh(scheme) .. "/" .. fault
        assert.equal(200, send(url).status)
        local _, failure = send(url)
        assert.equal("ConnectionError", failure.code)
        assert.is_true(failure.sent)
        assert.is_true(failure.retryable)
        local count = seen(fault)
        assert.equal(2, count.requests)
        assert.equal(1, count.connections)
        assert.equal(200, send(url).status)
      end)
    end

    for _, fault in ipairs { "close-idle", "goodbye-idle", "half-close-idle",
      "late-answer" } do
      it("that ended as " .. fault .. " over " .. scheme .. " costs nothing",
        function()
          local url = fresh(scheme)
          assert.equal(200, send(url .. "/" .. fault).status)
          -- One that was used a moment ago is not looked at.
          system.sleep(0.02)
          control("/_go/" .. fault)
          patience.await("its end", function()
            return seen(fault).closed > 0
          end)
          local response, failure = send(url .. "/ok")
          assert.equal(200, response and response.status,
            failure and failure.message)
          assert.equal("1", response.headers["x-request"])
          assert.equal(1, seen("ok").requests)
        end)
    end
  end

  it("is another for another name, and by way of a proxy", function()
    local url = fresh "http" .. "/ok"
    send(url)
    send((url:gsub("localhost", "127.0.0.1")))
    assert.equal(2, seen("ok").connections)
    url = fresh "https" .. "/ok"
    send(url)
    assert.equal(3, seen("ok").connections)
    send(url, { proxy = info.ports.proxy })
    assert.equal(4, seen("ok").connections)
    assert.equal("2", send(url, { proxy = info.ports.proxy })
      .headers["x-request"])
    assert.equal(1, seen("proxy").requests)
    assert.equal("2", send(url, { proxy = info.ports.proxy, direct = true })
      .headers["x-request"])
  end)

  it("by way of a proxy carries whole requests for http", function()
    local url = fresh "http" .. "/ok/x?a=b"
    for i = 1, 2 do
      local response = send(url, { proxy = info.ports.proxy })
      assert.equal(200, response.status)
      assert.equal(tostring(i), response.headers["x-request"])
    end
    assert.truthy(seen("proxy").last:find("^POST http://localhost:%d+/ok/x%?a=b"
      .. " HTTP/1.1\r\nHost: localhost:"))
    assert.equal(1, seen("proxy").connections)
    assert.equal(0, seen("ok").requests)
  end)

  it("is that to the address that a request names", function()
    local port = fresh("http"):match ":(%d+)$"
    local url = "http://checked.invalid:" .. port .. "/ok"
    for i = 1, 2 do
      local response, failure = send(url, { address = "127.0.0.1",
        proxy = info.ports.proxy })
      assert.equal(200, response and response.status,
        failure and failure.message)
      assert.equal(tostring(i), response.headers["x-request"])
    end
    assert.truthy(seen("ok").last:find("Host: checked.invalid:" .. port, 1,
      true))
    assert.equal(0, seen("proxy").requests)
    -- A kept connection to an address is none to the name, which this nginx
    -- cannot look up.
    local response, failure = send(url)
    assert.is_nil(response)
    assert.equal("ConfigError", failure.code)
  end)
end)
