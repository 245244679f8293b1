--- Where a client runs is told by what nginx gives to Lua, with whatever LuaJIT
-- nginx was built; and in a worker nothing stops it in place of waiting.

local personalize = require "personalize"
local stub = require "spec.support.stub"
local surroundings = require "spec.support.surroundings"

describe("a worker of nginx", function()
  if surroundings.in_nginx then
    pending "a made-up nginx inside of a real one"
    return
  end

  local LOADED_THERE = { "personalize.transport.cosocket",
    "personalize.transport.dial" }
  local asked, answer

  -- A cosocket that the peer ends at once.
  local function new_socket()
    return { settimeouts = function() end, close = function() end,
      connect = function() return 1 end,
      getreusedtimes = function() return 0 end,
      sslhandshake = function() return answer() end,
      send = function() asked = asked + 1 return 1 end,
      receiveany = function() return nil, "closed" end }
  end

  local function new_nginx(more)
    local ngx = { sleep = function() end, update_time = function() end,
      get_phase = function() return "content" end, thread = {}, ERR = 4,
      worker = { exiting = function() return false end },
      socket = { tcp = new_socket }, shared = {}, log = function() end }
    for name, value in pairs(more or {}) do
      ngx[name] = value or nil
    end
    package.loaded.ngx = ngx
    return ngx
  end

  before_each(function()
    asked = 0
    package.loaded["ngx.semaphore"] = { new = function() return {} end }
  end)
  after_each(function()
    package.loaded.ngx, package.loaded["ngx.semaphore"] = nil, nil
    for _, name in ipairs(LOADED_THERE) do
      package.loaded[name] = nil
    end
  end)

  -- The error of a call by a client that is made here; one attempt.
  local function call(scheme)
    local client = personalize.new { region = "eu-west-1", max_attempts = 1,
      endpoint = (scheme or "http") .. "://localhost:1",
      credentials = stub.CREDENTIALS }
    return stub.failure(client.list_data_deletion_jobs, client)
  end

  it("is one without a global, too", function()
    new_nginx()
    local e = call()
    assert.equal("ConnectionError", e.code)
    assert.equal(1, asked)
    assert.truthy(package.loaded["personalize.transport.cosocket"])
  end)

  it("is one where each request has globals of its own", function()
    if not rawget(_G, "setfenv") then
      pending "globals of a thread: of Lua 5.1 and LuaJIT only"
      return
    end
    local setfenv = rawget(_G, "setfenv")
    new_nginx()
    local e
    coroutine.wrap(function()
      local globals = setmetatable({}, { __index = _G })
      globals._G = globals
      setfenv(0, globals)
      e = call()
    end)()
    assert.equal("ConnectionError", e.code)
    assert.equal(1, asked)
  end)

  it("is no place where nothing is known to wait: there a call is refused",
    function()
      for text, more in pairs {
        ["does not tell its phase"] = { get_phase = false },
        ["nginx's log phase"] = { get_phase = function() return "log" end },
        ["older than 0.10.14"] = { socket = { tcp = function()
          return {}
        end } },
      } do
        for _, name in ipairs(LOADED_THERE) do
          package.loaded[name] = nil
        end
        new_nginx(more)
        local client = personalize.new {
          region = "eu-west-1", endpoint = "http://localhost:1",
          credentials = stub.CREDENTIALS }
        local e = stub.failure(client.list_data_deletion_jobs, client)
        assert.equal(text:find "log phase" and "PhaseError" or "ConfigError",
          e.code)
        assert.truthy(e.message:find(text, 1, true), e.message)
        assert.equal("ListDataDeletionJobs", e.operation)
        assert.equal(0, asked)
      end
    end)

  it("of which a thread has a part is none: there libcurl may block",
    function()
      new_nginx { sleep = false, get_phase = false, socket = false }
      local e = call()
      assert.equal("ConnectionError", e.code)
      assert.equal(0, asked)
      assert.is_nil(package.loaded["personalize.transport.cosocket"])
    end)

  -- How handshakes end in nginx, and what comes of it.
  local HANDSHAKES = {
    { nil, "TlsError", false, "lua_ssl_trusted_certificate" },
    { "", "TlsError", false, "lua_ssl_trusted_certificate" },
    { "self-signed certificate", "TlsError", false,
      "lua_ssl_trusted_certificate" },
    { "18: self-signed certificate", "TlsError", false,
      "lua_ssl_trusted_certificate" },
    { "10: certificate has expired", "TlsError", false, "has expired" },
    { "certificate host mismatch", "TlsError", false, "another name" },
    -- Then the peer is asked by hand; this one ends without a word.
    { "handshake failed", "ConnectionError", true, "closed", 1 },
    { "18: handshake failed", "ConnectionError", true, "closed", 1 },
    { "closed", "ConnectionError", true, "closed the connection" },
    { "connection reset by peer", "ConnectionError", true, "closed" },
    { "timeout", "TimeoutError", true, "no connection" },
  }

  it("tells a handshake that failed by what nginx says of it", function()
    for _, case in ipairs(HANDSHAKES) do
      answer = function() return nil, case[1] end
      asked = 0
      new_nginx()
      local e = call "https"
      assert.equal(case[5] or 0, asked, case[1])
      assert.equal(case[2], e.code, case[1])
      assert.equal(case[3], e.retryable, case[1])
      assert.truthy(e.message:find(case[4], 1, true), e.message)
    end
    answer = function() error "assertion failed!" end
    local e = call "https"
    assert.equal("TlsError", e.code)
    assert.is_false(e.retryable)
    assert.truthy(e.message:find("lua_ssl_trusted_certificate", 1, true))
  end)
end)
