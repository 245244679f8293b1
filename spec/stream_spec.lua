-- What is read once: standard input, pipes, terminals, sockets. In whatever
-- mode they are, all of it is read, and no failure is taken for the end.

local child = require "spec.support.child"
local core = require "personalize.core"
local people = require "spec.support.people"
local script = require "spec.support.script"

local quote = child.quote
local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/[^/]*$") or ""

local folder

setup(function()
  local pipe = assert(io.popen "mktemp -d")
  folder = pipe:read "*l"
  pipe:close()
end)
teardown(function()
  os.execute("rm -r " .. quote(folder))
end)

local function write(name, text)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

local function sh(command)
  local process = child.start("bash -c " .. quote(
    "{ " .. command .. "\n} 2>&1; echo \"status $?\""))
  local text = process:rest()
  process:stop()
  local output, status = text:match "^(.*)status (%d+)\n$"
  return output or text, tonumber(status)
end

local function personalize(words)
  return script.command(ROOT .. "src/bin/personalize", words)
end

-- A list of some length, and what is to be known of it.
local function list(count, header)
  local lines = { header }
  for i = 1, count do
    lines[#lines + 1] = ("user-%06d"):format(i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local KINDS = { "pipe", "nonblocking", "socket", "nonblocking-socket",
  "terminal" }

local function feed(kind, path, command)
  return sh(("python3 %sspec/support/feed.py %s %s %s"):format(ROOT, kind,
    quote(path), command))
end

describe("standard input", function()
  for _, kind in ipairs(KINDS) do
    local count = kind == "terminal" and 300 or 20000
    local text = list(count, "USER_ID")

    it("that is a " .. kind .. " is read to its end", function()
      local path = write("list", text)
      for _, name in ipairs { "-", "/dev/stdin", "/dev/fd/0",
        "/proc/self/fd/0" } do
        local output, status = feed(kind, path, personalize("check-list " ..
          name .. " --json -q"))
        assert.equal(0, status, output)
        assert.truthy(output:find(('"users": %d'):format(count), 1, true),
          output)
        assert.truthy(output:find(core.sha256_hex(text), 1, true), output)
      end
    end)
  end

  it("is read from where it stands", function()
    local path = write("list", "other\nUSER_ID\nalice\n")
    local output, status = sh(("{ read -r line; %s; } <%s"):format(
      personalize "check-list - -q", quote(path)))
    assert.equal(0, status, output)
    assert.truthy(output:find "users%s+1\n", output)
  end)

  it("that is closed is no empty list", function()
    for _, command in ipairs { "check-list -", "check-list - --format lines",
      "check-list /dev/stdin --format lines", "describe -", "wait -" } do
      local output, status = sh("AWS_REGION=eu-west-1 " ..
        personalize(command .. " -q") .. " <&-")
      assert.not_equal(0, status, output)
      assert.truthy(output:find("it is closed", 1, true), output)
    end
  end)

  it("that cannot be read is a failure, not the end", function()
    local output, status = sh(personalize "check-list - -q" .. " <" ..
      quote(folder))
    assert.not_equal(0, status, output)
    assert.truthy(output:find("Is a directory", 1, true), output)
    output, status = sh("AWS_REGION=eu-west-1 " ..
      personalize "describe - -q" .. " <" .. quote(folder))
    assert.equal(252, status, output)
    assert.truthy(output:find("Is a directory", 1, true), output)
  end)
end)

describe("a list that can be read once", function()
  local text = list(3000, "USER_ID")

  it("may come from another command's output", function()
    local path = write("list", text)
    local output, status = sh(personalize("check-list <(cat " ..
      quote(path) .. ") --json -q"))
    assert.equal(0, status, output)
    assert.truthy(output:find(core.sha256_hex(text), 1, true), output)
  end)

  it("may be a named pipe, and its writer late", function()
    local path = write("list", text)
    local pipe = folder .. "/pipe"
    local output, status = sh(("mkfifo %s; %s & p=$!\n" ..
      "cat %s >%s; wait $p"):format(pipe, personalize("check-list " .. pipe ..
      " --json -q"), quote(path), pipe))
    assert.equal(0, status, output)
    assert.truthy(output:find(core.sha256_hex(text), 1, true), output)
  end)

  it("may have its receipt from a pipe, too", function()
    local path = write("list", text)
    local receipt = write("receipt.json", ('{"version":1,"parts":[{"users":' ..
      '3000,"bytes":%d,"sha256":"%s"}]}'):format(#text, core.sha256_hex(text)))
    receipt, path = quote(receipt), quote(path)
    for _, words in ipairs { ("<(cat %s) <(cat %s)"):format(receipt, path),
      ("/dev/stdin %s <%s"):format(path, receipt),
      ("- %s <%s"):format(path, receipt), ("%s - <%s"):format(receipt, path) } do
      local output, status = sh(personalize("verify-receipt " .. words))
      assert.equal(0, status, output)
      assert.truthy(output:find("is the receipt of", 1, true), output)
    end
  end)

  it("is kept for the second reading, which sends it", function()
    local path = write("list", text)
    local code = write("once.lua", [[
      local users = require "personalize.users"
      local list, summary = users.read { file = arg[1] }
      local source, pieces = list:part(1), {}
      for piece in function() return source:read() end do
        pieces[#pieces + 1] = piece
      end
      io.write(summary.users, " ", table.concat(pieces))
    ]])
    local output = sh("cat " .. quote(path) .. " | " ..
      script.command(code, "/dev/stdin"))
    assert.equal("3000 " .. text, output)
  end)

  it("of a device is none", function()
    for _, name in ipairs { "/dev/null", "/dev/zero" } do
      local output, status = sh(personalize("check-list -q " .. name))
      assert.equal(252, status, output)
      assert.truthy(output:find("it is a device", 1, true), output)
    end
  end)

  it("is not waited for inside nginx", function()
    local nginx = require "personalize.transport.nginx"
    local users = require "personalize.users"
    local is_here = nginx.is_here
    finally(function() nginx.is_here = is_here end)
    nginx.is_here = function() return true end
    local ok, e = pcall(users.read, { file = folder .. "/pipe" })
    assert.is_false(ok)
    assert.equal("ParamValidationError", e.code)
    assert.truthy(e.message:find("cannot be read twice", 1, true), e.message)
  end)
end)

-- A child that says "ready" and then waits for what never comes.
describe("Ctrl-C", function()
  local WAITS = {
    ["at standard input"] = [[
      local input = assert(core.open_input "-")
      print(input:read())]],
    ["at a named pipe without a writer"] = [[
      local input = assert(core.open_input(arg[1]))
      print(input:read())]],
    ["while a list is checked"] = [[
      print(pcall(personalize.check_users, { file = arg[1] }))]],
    ["in a coroutine"] = [[
      local input = assert(core.open_input(arg[1]))
      print(coroutine.wrap(function() return input:read() end)())]],
  }
  for where, code in pairs(WAITS) do
    it(where .. " is answered", function()
      local pipe, input = folder .. "/nobody", folder .. "/silent"
      os.execute(("rm -f %s %s; mkfifo %s %s"):format(pipe, input, pipe, input))
      local path = write("wait.lua", "local core = require " ..
        "'personalize.core'\nlocal personalize = require 'personalize'\n" ..
        "io.stdout:setvbuf 'no'\nprint 'ready'\n" .. code)
      -- Its standard input is a pipe of which it has both ends.
      local process = child.start(script.command(path, pipe) .. " <>" ..
        input .. " 2>&1")
      assert.equal("ready", process:line())
      process:signal "INT"
      local output = process:rest()
      process:stop()
      assert.truthy(output:find("interrupted", 1, true), output)
    end)
  end
end)

-- A shell that knows when the program has opened the pipe: then its own end
-- opens, too.
describe("a signal that ends the program", function()
  for name, expected in pairs { TERM = 143, HUP = 129 } do
    it("ends a wait for a list: " .. name, function()
      local pipe = folder .. "/" .. name
      local output = sh(("mkfifo %s; %s & p=$!\nexec 3>%s; kill -%s $p; " ..
        "wait $p; echo \"ended $?\""):format(pipe,
        personalize("check-list " .. pipe), pipe, name))
      assert.truthy(output:find("ended " .. expected, 1, true), output)
      assert.truthy(output:find("interrupted", 1, true), output)
    end)
  end
end)

describe("the folder of spools", function()
  local function spool_in(tmpdir)
    local code = write("spool.lua", [[
      local users = require "personalize.users"
      local ok, list = pcall(users.read, { users = { "alice" } })
      print(ok and list:part(1):read() or list.code .. ": " .. list.message)
    ]])
    return (sh(("TMPDIR=%s %s"):format(quote(tmpdir), script.command(code))))
  end

  it("is TMPDIR, or /tmp where that is not set", function()
    local relative = ("../"):rep(40) .. folder
    for _, name in ipairs { "", relative, folder .. "/", "//tmp//" } do
      assert.equal("USER_ID\nalice\n\n", spool_in(name), name)
    end
  end)

  it("is told where it is none", function()
    local file = write("no-folder", "")
    for name, words in pairs { [folder .. "/none"] = "No such file or directory",
      [file] = "Not a directory", ["~"] = "No such file or directory" } do
      assert.equal("UserListError: cannot keep the list in " .. name .. ": " ..
        words .. "\n", spool_in(name))
    end
  end)
end)

describe("core.open_input", function()
  it("reads a file, too, and closes", function()
    local path = write("file", "ab\0cd")
    local input = assert(core.open_input(path))
    assert.equal("personalize.input", tostring(input))
    assert.equal("ab", input:read(2))
    assert.equal("\0cd", input:read(100))
    assert.is_nil((input:read()))
    assert.is_nil((input:read()))
    input:close()
    input:close()
    local block, why = input:read()
    assert.is_nil(block)
    assert.equal("cannot read " .. path .. ": it is closed", why)
  end)

  it("tells why there is nothing to read", function()
    for name, words in pairs { [folder .. "/none"] = "No such file or directory",
      [folder] = "it is a directory", ["/dev/fd/987654"] = "it is closed",
      ["/dev/null"] = "it is a device" } do
      local input, why = core.open_input(name)
      assert.is_nil(input)
      assert.equal("cannot open " .. name .. ": " .. words, why)
    end
    assert.has_error(function() core.open_input "a\0b" end)
    assert.has_error(function() core.open_input() end)
    local input = core.open_input(write("file", "x"))
    assert.has_error(function() input:read(0) end)
    assert.has_error(function() input.read({}, 1) end)
  end)
end)

-- Lists and spools must not take the numbers of standard streams that are
-- closed, or messages would go into them.
describe("with the standard streams closed", function()
  it("a spool and a list have other descriptors", function()
    local path = write("list", list(10, "USER_ID"))
    local code = write("closed.lua", [[
      local core = require "personalize.core"
      local list = core.userlist { format = "ids" }
      assert(list:spool())
      local other = core.userlist {}
      assert(other:open(arg[1]))
      local input = assert(core.open_input(arg[1]))
      io.stdout:write "to nobody"
      io.stdout:flush()
      io.stderr:write "to nobody"
      assert(list:add "alice")
      local summary = list:finish()
      local file = io.open(arg[2], "w")
      file:write(list:part(1):read(1000), summary.users, input:read(8))
      file:close()
    ]])
    local out = folder .. "/closed.out"
    sh(script.command(code, quote(path) .. " " .. quote(out)) ..
      " <&- >&- 2>&-")
    local file = assert(io.open(out))
    local text = file:read "*a"
    file:close()
    assert.equal("USER_ID\nalice\n1USER_ID\n", text)
  end)
end)

describe("the command's ARNs", function()
  it("fail where standard input does, and may not be none", function()
    local world = people.world()
    world.client = {}
    world.read = function() return nil, "cannot read it" end
    local status, _, err = people.run(world, "describe", "-")
    assert.equal(252, status)
    assert.truthy(err:find("cannot read it", 1, true), err)
    world.read = function() return nil end
    for _, command in ipairs { "describe", "wait" } do
      status, _, err = people.run(world, command, "-")
      assert.equal(252, status)
      assert.truthy(err:find("no job on standard input", 1, true), err)
    end
  end)
end)
