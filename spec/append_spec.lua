--- Lines that several processes add to one file, which is renamed meanwhile.

local child = require "spec.support.child"
local core = require "personalize.core"
local personalize = require "personalize"
local script = require "spec.support.script"

local WRITER = [[
  local core = require "personalize.core"
  for i = 1, 50 do
    assert(core.append_lines(arg[1], arg[2] .. ("x"):rep(i) .. i .. "\n"))
  end
]]

local function lines_of(path)
  local found = {}
  for line in io.lines(path) do
    found[#found + 1] = line
  end
  return found
end

describe("lines of a private file", function()
  local folder, list

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -m 700 " .. child.quote(folder))
    list = folder .. "/list"
  end)
  after_each(function()
    os.execute("rm -r " .. child.quote(folder))
  end)

  it("are all there, once and whole, whoever adds them", function()
    local closed = {}
    script.with_file(WRITER, function(file)
      local writers = {}
      for i = 1, 4 do
        writers[i] = child.start(script.command(file,
          child.quote(list) .. " " .. i) .. " 2>&1")
      end
      -- Meanwhile it is taken away, as often as there is something in it; what
      -- was taken must not grow any more.
      for i = 1, 50 do
        local path = list .. i
        if os.rename(list, path) then
          assert.is_true(core.append_lines(path, ""))
          closed[path] = #lines_of(path)
        end
        core.sleep(0.001)
      end
      for i = 1, 4 do
        assert.equal("", writers[i]:rest())
        writers[i]:stop()
      end
    end)
    local seen, count = {}, 0
    if os.rename(list, list .. 0) then -- or all of it was taken away already
      closed[list .. 0] = #lines_of(list .. 0)
    end
    for path, length in pairs(closed) do
      local lines = lines_of(path)
      assert.equal(length, #lines)
      for _, line in ipairs(lines) do
        local middle, number = line:match "^[1-4](x+)(%d+)$"
        assert.equal(tonumber(number), #middle)
        assert.is_nil(seen[line])
        seen[line] = true
        count = count + 1
      end
    end
    assert.equal(200, count)
  end)

  it("end with a line feed, and their file has a name", function()
    for _, case in ipairs { { list, "half a line" }, { list .. "\0", "x\n" },
      { 1, "x\n" }, { list }, { list, 1 } } do
      local ok, e = pcall(personalize.append_lines, case[1], case[2])
      assert.is_false(ok)
      assert.is_true(personalize.is_error(e, "ParamValidationError"))
      assert.equal(1, #e.params)
    end
    local _, e = pcall(personalize.append_lines)
    assert.equal(2, #e.params)
    assert.is_nil(io.open(list))
  end)

  it("that cannot be added have a reason, and its code", function()
    local ok, why, code = personalize.append_lines(folder .. "/no/list", "x\n")
    assert.is_nil(ok)
    assert.equal("string", type(why))
    assert.equal("ENOENT", code)
  end)

  local function put(text)
    local file = assert(io.open(list, "wb"))
    file:write(text)
    file:close()
  end

  local function slurp(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  it("go into no file that others have a hand in", function()
    put "old\n"
    local function refused(command, code, words)
      assert(os.execute(("cd %s && %s"):format(child.quote(folder), command)))
      for _, lines in ipairs { "x\n", "" } do
        local ok, why, name = personalize.append_lines(folder .. "/other",
          lines)
        assert.is_nil(ok)
        assert.truthy(why:find(words, 1, true), why)
        assert.equal(code, name)
      end
      assert.equal("old\n", slurp(list))
      os.execute("rm -rf " .. child.quote(folder .. "/other"))
    end
    refused("ln -s list other", "ELOOP", "symbolic link")
    refused("ln -s nowhere other", "ELOOP", "symbolic link")
    refused("ln list other", "EMLINK", "hard links")
    refused("mkfifo other", "EINVAL", "pipe")
    refused("mkdir other", "EISDIR", "directory")
    assert.is_nil(io.open(folder .. "/nowhere"))
  end)

  it("take away what a power cut left of one, and no more", function()
    put("alice\nbo")
    local ok, cut = personalize.append_lines(list, "carol\n")
    assert.is_true(ok)
    assert.equal(2, cut)
    assert.equal("alice\ncarol\n", slurp(list))
    for _, text in ipairs { ("x"):rep(3 * 1024 * 1024), "alice\n" ..
      ("x"):rep(1025) } do
      put(text)
      local why, code
      ok, why, code = personalize.append_lines(list, "carol\n")
      assert.is_nil(ok)
      assert.truthy(why:find("no end", 1, true), why)
      assert.equal("EINVAL", code)
      assert.equal(text, slurp(list))
    end
  end)

  -- Holds the lock of a file until it is ended.
  local HOLDER = "import fcntl, sys, time; file = open(sys.argv[1], 'a'); " ..
    "fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True); " ..
    "time.sleep(1000)"

  local function hold()
    put "old\n"
    local holder = child.start(("python3 -c %s %s"):format(child.quote(HOLDER),
      child.quote(list)))
    assert.equal("held", holder:line())
    return holder
  end

  it("wait for a lock, but not for ever", function()
    local holder = hold()
    local ok, why, code = core.append_lines(list, "x\n", 0.05)
    assert.is_nil(ok)
    assert.equal("another process has locked it", why)
    assert.equal("EAGAIN", code)
    assert.equal("old\n", slurp(list))
    assert.is_nil((core.append_lines(list, "", 0)))
    holder:stop()
    assert.is_true(personalize.append_lines(list, "x\n"))
  end)

  it("wait inside nginx while the worker goes on, where it can", function()
    finally(function()
      package.loaded.ngx, package.loaded["ngx.semaphore"] = nil, nil
    end)
    package.loaded["ngx.semaphore"] = {}
    local phase, sleeps = "content", 0
    local holder = hold()
    package.loaded.ngx = { get_phase = function() return phase end,
      sleep = function(seconds)
        assert.is_true(seconds > 0)
        sleeps = sleeps + 1
        if sleeps == 3 then
          holder:stop()
        end
      end }
    assert.is_true(personalize.append_lines(list, "x\n"))
    assert.equal(3, sleeps)
    assert.equal("old\nx\n", slurp(list))
    -- Elsewhere it has to do without waiting.
    phase, holder = "log", hold()
    local ok, _, code = personalize.append_lines(list, "x\n")
    holder:stop()
    assert.is_nil(ok)
    assert.equal("EAGAIN", code)
    assert.equal(3, sleeps)
  end)

  it("wait in a way that Ctrl-C ends", function()
    local holder = hold()
    script.with_file([[
      local core = require "personalize.core"
      print(core.append_lines(arg[1], "x\n", 1000))
    ]], function(file)
      local waiter = child.start(script.command(file, child.quote(list)) ..
        " 2>&1")
      -- It has the file open only once the wait has begun.
      local has_it = ("ls -l /proc/%d/fd 2>&1 | grep -q %s"):format(waiter.pid,
        child.quote(list))
      repeat
        core.sleep(0.01)
        local found = os.execute(has_it)
      until found == true or found == 0
      waiter:signal "INT"
      local text = waiter:rest()
      assert.truthy(text:find("interrupted", 1, true), text)
      waiter:stop()
    end)
    holder:stop()
    assert.equal("old\n", slurp(list))
  end)
end)

describe("a lock of a file", function()
  local path

  before_each(function()
    path = os.tmpname()
  end)
  after_each(function()
    os.remove(path)
  end)

  it("is one holder's, until it is released or collected", function()
    local lock, warning = personalize.lock_file(path)
    assert.is_nil(warning)
    assert.is_true(lock:is_held())
    local other, why, code = personalize.lock_file(path)
    assert.is_nil(other)
    assert.equal("another process has locked it", why)
    assert.equal("EAGAIN", code)
    lock:release()
    lock:release()
    assert.is_false(lock:is_held())
    assert(personalize.lock_file(path))
    collectgarbage()
    collectgarbage()
    lock = assert(personalize.lock_file(path))
    assert.equal("personalize.lock", tostring(lock))
    lock:release()
  end)

  it("is lost with its file", function()
    local lock = assert(personalize.lock_file(path))
    os.remove(path)
    assert.is_false(lock:is_held())
    local other = assert(personalize.lock_file(path))
    assert.is_true(other:is_held())
    assert.is_false(lock:is_held())
    other:release()
    lock:release()
  end)

  it("ends with its process", function()
    script.with_file([[
      local lock = assert(require("personalize").lock_file(arg[1]))
      print(lock:is_held())
      io.stdout:flush()
      require("personalize.core").sleep(1000)
    ]], function(file)
      local holder = child.start(script.command(file, child.quote(path)))
      assert.equal("true", holder:line())
      assert.is_nil((personalize.lock_file(path)))
      holder:signal "KILL"
      holder:stop()
      assert(personalize.lock_file(path)):release()
    end)
  end)

  it("is refused where the file is no file of ours", function()
    local link = path .. ".link"
    assert(os.execute(("ln -s %s %s"):format(path, link)))
    local lock, _, code = personalize.lock_file(link)
    os.remove(link)
    assert.is_nil(lock)
    assert.equal("ELOOP", code)
    assert.is_false(pcall(personalize.lock_file, 1))
    assert.is_false(pcall(personalize.lock_file, path .. "\0"))
  end)
end)

describe("a name", function()
  it("is given to a file unless it is taken", function()
    local from, to = os.tmpname(), os.tmpname()
    local function refused(code)
      local ok, why, name = personalize.rename_noreplace(from, to)
      assert.is_nil(ok)
      assert.equal("string", type(why))
      assert.equal(code, name)
    end
    refused "EEXIST"
    os.remove(to)
    assert.is_true(personalize.rename_noreplace(from, to))
    assert.is_nil(io.open(from))
    refused "ENOENT"
    os.remove(to)
    local ok, e = pcall(personalize.rename_noreplace, from)
    assert.is_false(ok)
    assert.is_true(personalize.is_error(e, "ParamValidationError"))
  end)
end)
