-- The system's part of the core: clocks, sleep, random bytes, environment.

local child = require "spec.support.child"
local core = require "personalize.core"

local function start(script, before)
  return child.start("env " .. (before or "")
    .. " LUA_PATH=" .. child.quote(package.path)
    .. " LUA_CPATH=" .. child.quote(package.cpath) .. " "
    .. child.interpreter() .. " -e " .. child.quote(script))
end

describe("the clocks", function()
  it("tell the time as os.time does", function()
    local before = os.time()
    local now = core.now()
    -- os.time goes by the last tick: it may be a second late.
    assert.is_true(now >= before and now <= os.time() + 2)
  end)

  it("never go back", function()
    local last = core.monotonic()
    for _ = 1, 1000 do
      local now = core.monotonic()
      assert.is_true(now >= last)
      last = now
    end
  end)
end)

describe("sleep", function()
  it("takes at least its time", function()
    for _, seconds in ipairs{ 0.01, 0.25 } do
      local before = core.monotonic()
      assert.is_true(core.sleep(seconds))
      assert.is_true(core.monotonic() - before >= seconds)
    end
  end)

  it("takes none where there is none", function()
    for _, seconds in ipairs{ 0, -1, 0 / 0, -math.huge } do
      assert.is_true(core.sleep(seconds))
    end
    assert.has_error(function() core.sleep("soon") end)
    assert.has_error(function() core.sleep() end)
  end)

  local SLEEP = [[
    local core = require "personalize.core"
    local function sleep()
      io.write("sleeping\n")
      io.flush()
      local ok, why = core.sleep(3600)
      io.write(tostring(ok), " ", tostring(why), "\n")
    end
    ]]

  for name, how in pairs{ main = "sleep()",
                          coroutine = "coroutine.wrap(sleep)()" } do
    it("hears Ctrl-C at once, in the " .. name, function()
      local run = start(SLEEP .. how .. " io.write('went on\\n')")
      assert.equal("sleeping", run:line())
      run:await_sleep()
      run:signal("INT")
      assert.equal("nil interrupted\nwent on\n", run:rest())
      run:stop()
    end)
  end

  it("is not ended by other signals", function()
    local run = start([[
      local core = require "personalize.core"
      local from = core.monotonic()
      io.write("sleeping\n")
      io.flush()
      core.sleep(0.5)
      io.write(core.monotonic() - from >= 0.5 and "slept" or "woke")]])
    assert.equal("sleeping", run:line())
    for _ = 1, 5 do
      run:signal("CONT")
      run:signal("WINCH")
    end
    assert.equal("slept", run:rest())
    run:stop()
  end)
end)

describe("random", function()
  it("gives as many bytes as are asked for, never the same", function()
    for _, n in ipairs{ 0, 1, 16, 255, 256, 257, 1024 } do
      assert.equal(n, #core.random(n))
    end
    local seen = {}
    for _ = 1, 1000 do
      local bytes = core.random(16)
      assert.is_nil(seen[bytes])
      seen[bytes] = true
    end
  end)

  it("gives every byte", function()
    local seen, count = {}, 0
    for _ = 1, 64 do
      local bytes = core.random(1024)
      for i = 1, #bytes do
        local byte = bytes:byte(i)
        if not seen[byte] then
          seen[byte] = true
          count = count + 1
        end
      end
    end
    assert.equal(256, count)
  end)

  it("refuses what it cannot give", function()
    for _, n in ipairs{ -1, 1025, 1.5, "16", {} } do
      assert.has_error(function() core.random(n) end)
    end
    assert.has_error(function() core.random() end)
  end)
end)

describe("the environment", function()
  it("has variables; an empty one is none", function()
    local run = start([[
      local core = require "personalize.core"
      for _, name in ipairs{ "SPEC_SET", "SPEC_EMPTY", "SPEC_ABSENT" } do
        io.write(tostring(core.getenv(name)), "\n")
      end]], "SPEC_SET='a b' SPEC_EMPTY= ")
    assert.equal("a b\nnil\nnil\n", run:rest())
    run:stop()
  end)

  it("has a process id", function()
    local run = start(
      "io.write(require('personalize.core').getpid())")
    assert.equal(tostring(run.pid), run:rest())
    run:stop()
    assert.is_true(core.getpid() > 1)
  end)
end)
