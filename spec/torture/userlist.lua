-- User lists and their sources with each allocation refused, and with a
-- finalizer that closes the list whenever it runs.

local torture = require "spec.support.torture"

local core = require "personalize.core"

local run, same = torture.run, torture.same

local KEY = ("k"):rep(16)
local path = os.tmpname()

local function write(text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local lines = {}
for i = 1, 300 do
  lines[i] = ("%08x-0000-4000-8000-%012x"):format(i, i % 250)
end
local text = "USER_ID\n" .. table.concat(lines, "\n") .. "\n\"a,b\"\nlast"

local function read_all(source)
  local pieces = {}
  while true do
    local piece, message = source:read(5000)
    if not piece then
      if message then
        error(message, 0)
      end
      return table.concat(pieces)
    end
    pieces[#pieces + 1] = piece
  end
end

local function check_parts(list, summary)
  same(3, #summary.parts)
  for i, part in ipairs(summary.parts) do
    local source = list:part(i)
    same(part.bytes, source.length)
    same(part.sha256, core.sha256_hex(read_all(source)))
    same(true, source:rewind())
    same("USER_ID\n", source:read(8))
  end
end

run("userlist, from a file", function()
  write(text)
  local list = core.userlist { unique = true, key = KEY, part_size = 5000,
    column = "USER_ID" }
  same(true, list:open(path))
  same(#text, list:size())
  while not list:check() do end
  check_parts(list, list:finish())
  list:close()
end)

run("userlist, spooled", function()
  local list = core.userlist { part_size = 5000 }
  same(true, list:spool())
  for i = 1, #text, 700 do
    same(true, list:write(text:sub(i, i + 699)))
  end
  check_parts(list, list:finish())
  list:close()
end)

run("userlist, spooled without repeats", function()
  local list = core.userlist { unique = true, key = KEY, part_size = 5000 }
  same(true, list:spool())
  same(true, list:write(text))
  local done
  repeat
    done = list:check()
  until done
  check_parts(list, list:finish())
  list:close()
end)

run("userlist, with repeats counted", function()
  local list = core.userlist { format = "ids", key = KEY }
  for i = 1, 2000 do
    same(true, list:add(i % 1500))
  end
  local warning = list:finish().warnings[1]
  -- Without memory for it, it is not counted.
  if warning.kind ~= "repeats_not_counted" then
    same({ kind = "repeats", count = 500,
      lines = { 1501, 1502, 1503, 1504, 1505 } }, warning)
  end
end)

run("userlist, of ids", function()
  local list = core.userlist { format = "ids" }
  same(true, list:spool())
  same(true, list:add "a")
  same(true, list:add(12))
  same(true, list:add {})
  same(true, list:add " b")
  same(true, list:add(2 ^ 53))
  local summary = list:finish()
  same({ { kind = "white_space", count = 1, lines = { 4 } } },
    summary.warnings)
  same({ type = 1, range = 1 }, summary.fault_counts)
  same({ code = "type", line = 3, column = 1,
    message = "an id must be a string or a whole number" }, summary.faults[1])
  list:close()
end)

run("userlist, of a wrong column", function()
  local list = core.userlist { column = "id", delimiter = ";" }
  same(true, list:write "a;b\n")
  same('column "id": the header does not have it',
    list:finish().faults[1].message)
end)

run("userlist, without its file", function()
  local list = core.userlist {}
  local ok, message = list:open "/nonexistent"
  same(nil, ok)
  same("cannot open /nonexistent: No such file or directory", message)
  list = core.userlist {}
  same(nil, (list:spool "/nonexistent"))
end)

-- ---- closed at any allocation ----------------------------------------------

-- Runs f when it is collected, in every version of Lua.
local function finalizer(f)
  if newproxy then
    getmetatable(newproxy(true)).__gc = f
  else
    setmetatable({}, { __gc = f })
  end
end

-- Collected with every step, of which Lua makes one an allocation.
local function hurried(f)
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 1000)
  local ok, message = pcall(f)
  collectgarbage("setpause", 200)
  collectgarbage("setstepmul", 200)
  return ok, message
end

local closed = 0
for n = 1, 200 do
  write("USER_ID\n" .. ("\n\n\n"):rep(n % 2) .. text:sub(9))
  local list = core.userlist { part_size = 200 }
  list:open(path)
  list:check()
  local ok, message = hurried(function()
    for _ = 1, n do
      finalizer(function() end)
    end
    finalizer(function() list:close() end)
    list:finish()
    local source = list:part(1)
    finalizer(function() list:close() end)
    read_all(source)
    collectgarbage()
    source:read(1)
  end)
  if not ok then
    closed = closed + 1
    message = tostring(message)
    if not (message:find("closed", 1, true) or
        message:find("not finished", 1, true) or
        message:find("number of a part", 1, true)) then
      print("FAILED closed by a finalizer: " .. message)
      torture.failed = torture.failed + 1
    end
  end
end
torture.passed = torture.passed + 1
print(("ok     closed by a finalizer (%d of 200 errors)"):format(closed))

os.remove(path)
torture.finish()
