-- The files behind user lists: what is opened and what is not, files that
-- change between the look and the sending, and spools.

local child = require "spec.support.child"
local core = require "personalize.core"
local scripts = require "spec.support.script"

local HEADER = "USER_ID\n"
local quote = child.quote

local function run(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read "*a"
  pipe:close()
  return (output:gsub("\n$", ""))
end

local folder, path

local function write(text, how)
  local file = assert(io.open(path, how or "wb"))
  assert(file:write(text))
  file:close()
end

-- So that the file system sees a change even within one tick of its clock.
local function set_time(text)
  assert.equal("", run(("touch -d '%s' %s 2>&1"):format(text, quote(path))))
end

local function checked(options)
  local list = core.userlist(options or {})
  assert.is_true(list:open(path))
  repeat
    local done, message = list:check(1)
    assert.is_not_nil(done, message)
  until done
  return list, list:finish()
end

-- The bytes before the failure, and the failure.
local function fail(source, n)
  local pieces = {}
  while true do
    local piece, message = source:read(n)
    if not piece then
      return table.concat(pieces), message
    end
    pieces[#pieces + 1] = piece
  end
end

local function lines(count)
  local text = {}
  for i = 1, count do
    text[i] = ("%08x-0000-4000-8000-%012x\n"):format(i * 7919, i)
  end
  return table.concat(text)
end

before_each(function()
  folder = run "mktemp -d"
  path = folder .. "/users.csv"
end)

after_each(function()
  run("rm -rf " .. quote(folder))
end)

describe("a list from a file", function()
  it("is read and sent in blocks", function()
    local text = HEADER .. lines(40000)
    write(text)
    local list = core.userlist {}
    assert.is_true(list:open(path))
    assert.equal(#text, list:size())
    local done, read, calls = false, 0, 0
    while not done do
      local before = read
      done, read = list:check(300000)
      assert.is_true(read - before <= 2 * 262144)
      calls = calls + 1
    end
    assert.equal(3, calls)
    assert.equal(#text, read)
    local summary = list:finish()
    assert.equal(core.sha256_hex(text), summary.parts[1].sha256)
    local source = list:part(1)
    assert.equal(#text, source.length)
    for _, n in ipairs { 1000, 65536, 5000000 } do
      local got, message = fail(source, n)
      assert.is_nil(message)
      assert.is_true(got == text)
      assert.is_nil((source:read(n)))
      assert.is_true(source:rewind())
    end
  end)

  it("gives its parts side by side", function()
    local text = lines(9000)
    write(HEADER .. text)
    local list, summary = checked { part_size = 100000 }
    assert.equal(4, #summary.parts)
    local sources, parts = {}, { "", "", "", "" }
    for i = 1, 4 do
      sources[i] = list:part(i)
    end
    collectgarbage()
    for _ = 1, 15 do
      for i, source in ipairs(sources) do
        parts[i] = parts[i] .. (source:read(8000) or "")
      end
    end
    for i, part in ipairs(parts) do
      assert.equal(core.sha256_hex(part), summary.parts[i].sha256)
      parts[i] = part:sub(#HEADER + 1)
    end
    assert.is_true(table.concat(parts) == text)
  end)

  it("gives a part without the repeats, a long way apart", function()
    local text = lines(5000)
    write(HEADER .. text .. text:rep(3) .. "last\n")
    local list, summary = checked { unique = true, key = ("k"):rep(16) }
    assert.equal(5001, summary.users)
    assert.equal(15000, summary.duplicates)
    assert.is_true(fail(list:part(1)) == HEADER .. text .. "last\n")
  end)

  -- It is read twice before it is sent, in blocks, with others in between.
  it("gives parts without the repeats, whatever the blocks", function()
    local text = lines(30000)
    write(HEADER .. text .. text .. '"a,b"\nlast\n"a,b"\n')
    for _, max in ipairs { 1, 300000, 1e9 } do
      local list = core.userlist { unique = true, key = ("k"):rep(16),
        part_size = 500000 }
      assert.is_true(list:open(path))
      local calls, turns, last = 0, 0, 0
      repeat
        local done, read = list:check(max)
        calls, turns, last = calls + 1, turns + (read < last and 1 or 0), read
      until done
      assert.is_true(calls > 2)
      assert.is_true(turns == 1 or max == 1e9)
      local summary = list:finish()
      assert.equal(30002, summary.users)
      assert.equal(30001, summary.duplicates)
      local parts = {}
      for i in ipairs(summary.parts) do
        parts[i] = fail(list:part(i))
        assert.equal(core.sha256_hex(parts[i]), summary.parts[i].sha256)
        parts[i] = parts[i]:sub(#HEADER + 1)
      end
      assert.is_true(table.concat(parts) == text .. '"a,b"\nlast\n')
    end
  end)

  it("stays while a source needs it", function()
    write(HEADER .. "a\n")
    local source = (checked()):part(1)
    collectgarbage()
    collectgarbage()
    assert.equal(HEADER .. "a\n", source:read(100))
  end)

  it("fails a source, and no more, when it is closed", function()
    write(HEADER .. lines(10))
    local list = checked()
    local source = list:part(1)
    assert.equal("US", source:read(2))
    list:close()
    for _ = 1, 2 do
      local piece, message = source:read(2)
      assert.is_nil(piece)
      assert.equal("the list is closed", message)
      assert.is_nil((source:rewind()))
    end
    assert.equal(#HEADER + 370, source.length)
  end)
end)

describe("what is no list file", function()
  local function refused(name, words)
    local list = core.userlist {}
    local ok, message = list:open(name)
    assert.is_nil(ok)
    assert.equal("cannot open " .. name .. ": " .. words, message)
  end

  it("is refused by what it is", function()
    refused(folder, "it is a directory")
    refused(folder .. "/none", "No such file or directory")
    refused("/dev/null", "it is a device")
    run("mkfifo " .. quote(path))
    refused(path, "it is a pipe or the like, which cannot be read twice " ..
      "(give its blocks as text)")
    local socket = folder .. "/socket"
    run("python3 -c 'import socket, sys; " ..
      "socket.socket(socket.AF_UNIX).bind(sys.argv[1])' " .. quote(socket))
    refused(socket, "it is a socket")
  end)

  it("is refused when it may not be read", function()
    write "x"
    run("chmod 0 " .. quote(path))
    if io.open(path) then
      pending "root may read every file"
      return
    end
    refused(path, "Permission denied")
  end)

  it("has a name without zero bytes", function()
    local list = core.userlist {}
    assert.has_error(function() list:open(path .. "\0x") end)
  end)

  it("leaves a long name short", function()
    local list = core.userlist {}
    local _, message = list:open("/" .. ("x"):rep(5000))
    assert.is_true(#message < 512)
    assert.truthy(message:find("File name too long", 1, true))
  end)
end)

describe("a file that changes", function()
  local CHANGED = "the file changed since it was checked"

  it("while it is checked is noticed", function()
    for _, change in ipairs {
      function() write("more\n", "ab") end,
      function() write(HEADER .. "a\n") end, -- shorter
      function() write("") end,
      function() set_time "2001-01-01" end,
    } do
      write(HEADER .. lines(20000))
      local list = core.userlist {}
      assert.is_true(list:open(path))
      assert.is_false((list:check(1000)))
      change()
      local done, message
      repeat
        done, message = list:check(1000)
      until done ~= false
      assert.is_nil(done)
      assert.equal("the file changed while it was checked", message)
    end
  end)

  it("between two readings of a list with repeats is noticed", function()
    for _, change in ipairs {
      function() write("more\n", "ab") end,
      function() write("") end,
      function() set_time "2001-01-01" end,
    } do
      local text = lines(20000)
      write(HEADER .. text .. text)
      local list = core.userlist { unique = true, key = ("k"):rep(16) }
      assert.is_true(list:open(path))
      local read, last, done = 0
      repeat
        last = read
        done, read = list:check(1000)
      until done ~= false or read < last
      assert.is_false(done)
      change()
      repeat
        done, read = list:check(1000)
      until done ~= false
      assert.is_nil(done)
      assert.equal("the file changed while it was checked", read)
    end
  end)

  it("before it is sent fails the first read", function()
    for _, text in ipairs { HEADER .. "x\n", HEADER .. "a\nb\n", "" } do
      write(HEADER .. "a\n")
      set_time "2001-01-01"
      local list = checked()
      write(text)
      local got, message = fail(list:part(1))
      assert.equal("", got)
      assert.equal(CHANGED, message)
    end
  end)

  it("while it is sent never gives its last bytes", function()
    local text = lines(20000)
    for _, change in ipairs {
      function() write(HEADER .. text:sub(1, -3) .. "x\n") end,
      function() write(HEADER .. text:sub(1, 600000)) end,
      function() write(HEADER .. text .. "x\n") end,
      function() set_time "2002-01-01" end,
    } do
      write(HEADER .. text)
      set_time "2001-01-01"
      local list = checked()
      local source = list:part(1)
      assert.equal(10000, #source:read(10000))
      change()
      local got, message = fail(source, 10000)
      assert.is_true(10000 + #got < source.length)
      assert.equal(CHANGED, message)
    end
  end)

  -- Whoever sets the time back is still found out by what was read.
  it("in secret fails all the same", function()
    local text = HEADER .. lines(3000)
    write(text)
    set_time "2001-01-01"
    local list = checked()
    write((text:gsub("00000001\n", "00000002\n", 1)))
    set_time "2001-01-01"
    local got, message = fail(list:part(1), 10000)
    assert.is_true(#got < #text)
    assert.equal(CHANGED, message)
    write(text)
    set_time "2001-01-01"
    assert.is_true(fail(list:part(1)) == text)
  end)

  it("into another by its name does no harm", function()
    write(HEADER .. "a\n")
    local list = checked()
    run(("printf other >%s.new && mv %s.new %s"):format(path, path, path))
    assert.equal(HEADER .. "a\n", (fail(list:part(1))))
  end)
end)

describe("a spool", function()
  it("lies in the folder, without a name", function()
    local list = core.userlist { format = "ids" }
    assert.is_true(list:spool(folder))
    list:add "a"
    list:finish()
    assert.equal("", run("ls -A " .. quote(folder)))
    assert.equal(HEADER .. "a\n", (fail(list:part(1))))
    assert.is_nil(list:size())
  end)

  it("is of no one else's, and of no program's", function()
    local proc = io.open("/proc/self/fdinfo/0")
    if not proc then
      pending "no /proc to look into"
      return
    end
    proc:close()
    local list = core.userlist { format = "ids" }
    assert.is_true(list:spool(folder))
    local found = run(("find /proc/%d/fd -lname %s -printf '%%p\n'"):format(
      core.getpid(), quote(folder .. "/*")))
    assert.truthy(found:match "^/proc/%d+/fd/%d+$")
    assert.equal("600", run("stat -L -c %a " .. found))
    local flags = run("cat " .. found:gsub("/fd/", "/fdinfo/"))
    -- O_CLOEXEC, as Linux shows it.
    assert.truthy(flags:match "flags:%s*0?2%d%d%d%d%d%d")
    list:close()
    assert.equal("", run(("find /proc/%d/fd -lname %s"):format(core.getpid(),
      quote(folder .. "/*"))))
  end)

  it("names the folder that there is not", function()
    local list = core.userlist {}
    local ok, message = list:spool(folder .. "/none")
    assert.is_nil(ok)
    assert.equal("cannot keep the list in " .. folder ..
      "/none: No such file or directory", message)
  end)

  -- A child, since it may not write more than so much and must not die of it.
  it("that is full is told, and ends nothing", function()
    local script = folder .. "/full.lua"
    local file = assert(io.open(script, "w"))
    file:write [[
      local core = require "personalize.core"
      local list = core.userlist { format = "ids" }
      assert(list:spool(arg[1]))
      local ok, message = true, nil
      for i = 1, 100000 do
        ok, message = list:add("user " .. i)
        if not ok then break end
      end
      print(ok, message, pcall(list.add, list, "x"))
    ]]
    file:close()
    local output = run(("ulimit -f 256 && %s 2>&1"):format(
      scripts.command(script, quote(folder))))
    assert.truthy(output:find("nil\tcannot keep the list in " .. folder ..
      ": File too large (after ", 1, true))
    assert.truthy(output:find("false\tthe list has failed before", 1, true))
  end)

  it("is told when its file system is full", function()
    if not io.open "/dev/full" then
      pending "no /dev/full"
      return
    end
    -- A file system of its own, where one may be mounted.
    if run(("mount -t tmpfs -o size=256k none %s 2>&1"):format(
      quote(folder))) ~= "" then
      pending "no file system may be mounted here"
      return
    end
    local list = core.userlist { format = "lines" }
    local ok, message = list:spool(folder), nil
    for _ = 1, 20 do
      if ok then
        ok, message = list:write(lines(1000))
      end
    end
    list:close()
    run("umount " .. quote(folder))
    assert.is_nil(ok)
    assert.truthy(message:find("cannot keep the list in " .. folder ..
      ": No space left on device (after ", 1, true))
  end)
end)

-- In a child that may not have more than so much.
describe("memory", function()
  it("does not grow with a line", function()
    if type(rawget(_G, "jit")) == "table" then
      pending "LuaJIT wants much address space from the start"
      return
    end
    local script = folder .. "/long.lua"
    local file = assert(io.open(script, "w"))
    file:write [[
      local core = require "personalize.core"
      local list = core.userlist {}
      assert(list:open(arg[1]))
      while list:check() == false do end
      local summary = list:finish()
      print(summary.users, summary.fault_count, summary.faults[1].code)
    ]]
    file:close()
    -- A hole takes no room on the disk: 100 MiB of zeros, in one line.
    write(HEADER .. "a\n")
    run("truncate -s 100M " .. quote(path))
    local output = run(("ulimit -v 65536 && %s 2>&1"):format(
      scripts.command(script, quote(path))))
    assert.equal("1\t1\tlength", output)
  end)
end)
