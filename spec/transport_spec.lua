--- What the transport inside nginx decides without nginx: proxies, waiting for
-- others, commands, lines of a log.

local cache = require "personalize.credentials.cache"
local core = require "personalize.core"
local log_ngx = require "personalize.log_ngx"
local nginx = require "personalize.transport.nginx"
local proxy = require "personalize.transport.proxy"

local unpack = rawget(_G, "unpack") or table.unpack

describe("a proxy", function()
  local function find(url, given, variables)
    local scheme, host = url:match "^(%a+)://(.+)$"
    local found, wrong = proxy.find({ scheme = scheme, host = host }, given,
      function(name) return (variables or {})[name] end)
    return found and found.host .. ":" .. found.port, wrong, found
  end

  it("is the option's, before any variable", function()
    assert.equal("p:8080", (find("https://a.test", "http://p:8080",
      { HTTPS_PROXY = "http://q:1", NO_PROXY = "*" })))
    assert.is_nil((find("https://a.test", "", { HTTPS_PROXY = "q:1" })))
  end)

  it("may have a user and a password", function()
    local at, _, found = find("https://a.test", "http://u%40s:p%3Aw@[::1]:3/")
    assert.equal("[::1]:3", at)
    assert.equal("u@s:p:w", found.userinfo)
  end)

  it("has to be http:// inside nginx", function()
    for _, given in ipairs { "https://u:s3cret@p:1", "socks5://s3cret",
      "http://u:s3cret@", "http://u:s3cret@p:0x1", "http://s3cret p" } do
      local at, wrong = find("https://a.test", given)
      assert.is_nil(at)
      assert.truthy(wrong:find("http://HOST:PORT", 1, true))
      assert.is_nil(wrong:find("s3cret", 1, true))
    end
  end)
end)

-- Coroutines in place of nginx's; on Lua 5.1 they cannot yield inside pcall.
local can_yield = type(rawget(_G, "jit")) == "table" or _VERSION ~= "Lua 5.1"

describe("credentials that several wait for", function()
  if not can_yield then
    pending "several coroutines: pcall cannot be yielded across on Lua 5.1"
    return
  end

  local KEYS = { access_key_id = "AKID", secret_access_key = "s" }

  -- Gates of coroutines that are resumed by hand.
  local function new_cache(fetch)
    return cache.new(fetch, { gate = function()
      local open = false
      return { open = function() open = true end,
        wait = function() if not open then coroutine.yield() end end }
    end })
  end

  -- Runs each until all are done; what each got, in order.
  local function together(count, get)
    local threads, found = {}, {}
    for i = 1, count do
      threads[i] = coroutine.create(function() found[i] = { get(i) } end)
    end
    for _ = 1, 10 do
      for i = 1, count do
        if coroutine.status(threads[i]) == "suspended" then
          assert(coroutine.resume(threads[i]))
        end
      end
    end
    return found
  end

  it("are asked for once", function()
    local fetches = 0
    local kept = new_cache(function()
      fetches = fetches + 1
      coroutine.yield()
      return KEYS
    end)
    for _, got in ipairs(together(5, function() return kept:get() end)) do
      assert.equal(KEYS, got[1])
    end
    assert.equal(1, fetches)
  end)

  it("fail for all where the source does, each with an error of its own",
    function()
      local fetches = 0
      local kept = new_cache(function()
        fetches = fetches + 1
        coroutine.yield()
        return nil, { code = "CredentialsError", message = "down" }
      end)
      local found = together(3, function() return kept:get() end)
      assert.equal(1, fetches)
      assert.equal("down", found[3][2].message)
      assert.not_equal(found[2][2], found[3][2])
    end)

  it("are asked for again where the first had no more time, or was stopped",
    function()
      for _, code in ipairs { "TimeoutError", "InterruptedError" } do
        local fetches = 0
        local kept = new_cache(function(deadline)
          fetches = fetches + 1
          coroutine.yield()
          if deadline and deadline <= core.monotonic() or fetches == 1 then
            return nil, { code = code, message = "cut short" }
          end
          return KEYS
        end)
        local found = together(3, function(i)
          return kept:get(i == 1 and core.monotonic() - 1 or
            core.monotonic() + 60)
        end)
        assert.equal(code, found[1][2].code)
        assert.equal(KEYS, found[2][1])
        assert.equal(KEYS, found[3][1])
        assert.equal(2, fetches)
      end
    end)
end)

describe("inside nginx", function()
  local before
  before_each(function()
    before = package.loaded.ngx
  end)
  after_each(function()
    package.loaded.ngx = before
    package.loaded["ngx.pipe"] = nil
  end)

  -- ngx.pipe with a process that prints these pieces, then ends so.
  local function pipe(pieces, ...)
    local ending, given = { ... }, nil
    package.loaded["ngx.pipe"] = { spawn = function(command)
      given = command
      local at = 0
      return { set_timeouts = function() end,
        kill = function() at = #pieces + 1 end,
        stdout_read_any = function()
          at = at + 1
          return pieces[at], not pieces[at] and
            (pieces.ending or "closed") or nil
        end,
        wait = function() return unpack(ending, 1, 3) end }
    end }
    return function() return given end
  end

  it("a command is run by ngx.pipe", function()
    local given = pipe({ "a", "b" }, true, "exit", 0)
    assert.equal("ab", nginx.run("print ab", 5))
    assert.truthy(given()[3]:find("print ab", 1, true))
  end)

  it("a command that fails does so without its words", function()
    pipe({ "s3cret" }, false, "exit", 3)
    assert.same({ nil, "it ended with status 3" }, { nginx.run("x", 5) })
    pipe({ "s3cret" }, false, "signal", 9)
    assert.same({ nil, "signal 9 ended it" }, { nginx.run("x", 5) })
    pipe { "s3cret", ending = "timeout" }
    assert.same({ nil, "it took too long" }, { nginx.run("x", 5) })
    pipe { ("x"):rep(600000), ("x"):rep(600000) }
    assert.same({ nil, "it printed more than 1 MiB" }, { nginx.run("x", 5) })
  end)

  it("a command is refused where nginx has no pipes", function()
    package.loaded["ngx.pipe"] = { spawn = function()
      error "pipe API is not supported"
    end }
    local output, why = nginx.run("x", 5)
    assert.is_nil(output)
    assert.truthy(why:find("pipe API is not supported", 1, true), why)
  end)

  it("the environment counts as hidden until a variable of AWS's is seen",
    function()
      assert.truthy(nginx.hint(function() end):find "env AWS_REGION;")
      assert.equal("", nginx.hint(function(name)
        return name == "AWS_REGION" and "eu-west-1" or nil
      end))
    end)

  it("a line of the log has the level of what happened", function()
    local lines = {}
    package.loaded.ngx = { sleep = function() end, INFO = "info",
      WARN = "warn", ERR = "err", log = function(...) lines[#lines + 1] = table.concat { ... } end }
    local function said(event)
      log_ngx(event)
      return table.remove(lines)
    end
    local event = { name = "call", operation = "TagResource", attempts = 1,
      status = 200, request_id = "r-1", elapsed = 0.25 }
    assert.equal("infopersonalize: TagResource ok (HTTP 200, request r-1, " ..
      "1 attempt, 0.250 s)", said(event))
    event.attempts = 2
    assert.truthy(said(event):find "^warn.*2 attempts")
    event.attempts, event.code, event.kind = 1, "AccessDeniedException",
      "service"
    event.status = 400
    assert.truthy(said(event):find "^warnpersonalize: TagResource Access")
    event.status = 500
    assert.truthy(said(event):find "^err")
    event.status, event.kind = nil, "transport"
    assert.truthy(said(event):find "^err")
    -- What the caller gave is no fault of the service's.
    event.kind, event.code = "client", "ParamValidationError"
    assert.truthy(said(event):find "^warn")
    event.code = "ConfigError"
    assert.truthy(said(event):find "^err")
    assert.equal("warnpersonalize: odd", said { name = "warning",
      message = "odd" })
    log_ngx { name = "attempt", operation = "TagResource" }
    assert.equal(0, #lines)
  end)
end)
