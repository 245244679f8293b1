--- A command that prints credentials, and what of the machine that takes.

local child = require "spec.support.child"
local core = require "personalize.core"
local patience = require "spec.support.patience"
local profile = require "personalize.credentials.profile"
local world = require "spec.support.world"

local function slurp(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

-- What a command prints, run by the shell: of both streams, and no terminal.
local function shell(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local lua = ("env LUA_PATH=%s LUA_CPATH=%s %s"):format(
  child.quote(package.path), child.quote(package.cpath), child.interpreter())

-- A script in an interpreter of its own, where `run` is core.run and tells.
local function script(text)
  return lua .. " -e " .. child.quote([[
    local core = require "personalize.core"
    local function run(command, timeout)
      print(core.run(command, timeout or 60))
    end
    ]] .. text)
end

-- It may be a zombie for good, where process 1 does not care.
local function is_alive(pid)
  return not shell("ps -o state= -p " .. pid):find "^%s*Z?%s*$"
end

local function await_end(pid)
  patience.await("the end of process " .. pid, function()
    return not is_alive(pid)
  end)
end

-- A file for what a command tells of itself.
local function with_file(use)
  local path = os.tmpname()
  local ok, e = pcall(use, path)
  os.remove(path)
  if not ok then
    error(e, 0)
  end
end

local function pid_in(path)
  return patience.await("a process that tells its pid", function()
    return (slurp(path) or ""):match "^(%d+)\n"
  end)
end

describe("a command", function()
  it("gives what it prints", function()
    assert.equal("a b\n", core.run("echo a b", 60))
    assert.equal("", core.run("true", 60))
    assert.equal(100000, #core.run(
      "head -c 100000 /dev/zero | tr '\\0' x", 60))
  end)

  it("reads nothing and says nothing on standard error", function()
    assert.equal("[]\nout\n\n", shell(script
      "io.write('[', core.run('cat', 60), ']\\n') run 'echo err >&2; echo out'"))
  end)

  it("fails by its status or signal, without its words", function()
    local output, why = core.run("echo s3cret; exit 3", 60)
    assert.is_nil(output)
    assert.truthy(why:find "status 3")
    assert.is_nil(why:find "s3cret")
    output, why = core.run("kill -9 $$", 60)
    assert.is_nil(output)
    assert.truthy(why:find "signal 9")
    why = select(2, core.run("/no/such/program", 60))
    assert.truthy(why:find "status 127")
  end)

  it("is killed with all it began when it takes too long", function()
    with_file(function(path)
      patience.long_enough(0.3, function(seconds)
        local output, why = core.run("sleep 1000 & echo $! >" .. path ..
          "; sleep 1000", seconds)
        assert.is_nil(output)
        assert.equal("it took too long", why)
        return (slurp(path) or ""):find "\n"
      end)
      await_end(pid_in(path))
    end)
  end)

  it("is not waited for beyond its end by what it left behind", function()
    local output = core.run("sleep 1000 & echo $!", 60)
    local pid = output:match "^(%d+)\n$"
    assert.is_true(is_alive(pid))
    os.execute("kill " .. pid)
  end)

  it("is killed when it prints without end", function()
    local output, why = core.run("cat /dev/zero", 60)
    assert.is_nil(output)
    assert.truthy(why:find "1 MiB")
  end)

  it("is refused with a zero byte", function()
    assert.is_false(pcall(core.run, "true\0", 1))
    assert.is_false(pcall(core.run, "true"))
  end)

  it("has none of the files that are open here", function()
    if not io.open "/proc/self/fd/0" then
      pending "this system has no /proc/self/fd to look at"
      return
    end
    local open = {}
    for i = 1, 20 do
      open[i] = assert(io.open("/dev/null"))
    end
    -- The shell, in which `echo` is built, opens none.
    local output = core.run("echo /proc/$$/fd/*", 60)
    for i = 1, 20 do
      open[i]:close()
    end
    local names = {}
    for name in output:gmatch "fd/(%d+)" do
      names[#names + 1] = name
    end
    assert.same({ "0", "1", "2" }, { names[1], names[2], names[3] })
    assert.is_true(#names <= 4, output) -- the folder itself
  end)

  it("is taken at its word where nobody learns its status", function()
    local ignoring = "python3 -c 'import os, signal, sys; " ..
      "signal.signal(signal.SIGCHLD, signal.SIG_IGN); " ..
      "os.execvp(sys.argv[1], sys.argv[1:])' "
    assert.equal("out\n\nnil\tit took too long\nnil\tit printed more than " ..
      "1 MiB\n", shell(ignoring .. script
      "run 'echo out' run('sleep 1000', 0.2) run 'cat /dev/zero'"))
  end)

  it("is not begun where no descriptor is left, and the reason is told",
    function()
      assert.truthy(shell("ulimit -n 20; " .. script [[
        local open, file = {}
        repeat
          file = io.open "/dev/null"
          open[#open + 1] = file
        until not file
        run "echo out"]]):lower():find("too many open files", 1, true))
    end)
end)

describe("a command on a terminal", function()
  -- What the terminal shows; then how the interpreter ended.
  local function on_terminal(talk, text)
    local words = {}
    for i, word in ipairs(talk) do
      words[i] = child.quote(word)
    end
    return shell("python3 spec/support/terminal.py " ..
      table.concat(words, " ") .. " -- " .. script(text))
  end

  it("asks for what it needs", function()
    local shown = on_terminal({ "PIN: ", "1234\\n" },
      [[run "printf 'PIN: ' >/dev/tty; read pin </dev/tty; echo got $pin"]])
    assert.equal("PIN: 1234\ngot 1234\n\n\nstatus 0\n", shown)
  end)

  it("has it for standard input and error", function()
    local shown = on_terminal({ "touch the key", "yes\\n" },
      [[run "echo touch the key >&2; read answer; echo got $answer"]])
    assert.truthy(shown:find("touch the key\nyes\ngot yes\n", 1, true), shown)
    assert.truthy(shown:find "status 0\n$")
  end)

  it("leaves alone what is piped to the program", function()
    local shown = shell("python3 spec/support/terminal.py -- sh -c " ..
      child.quote("echo ids | " .. script
        "io.write('[', core.run('cat', 60), ']', io.read())"))
    assert.equal("[]ids\nstatus 0\n", shown)
  end)

  it("ends by Ctrl-C with all it began, and the program goes on", function()
    with_file(function(path)
      local shown = on_terminal({ "ready", "\\x03" }, ([[
        run "trap '' INT; sleep 1000 & echo $! >%s; echo ready >&2; wait; wait"
        print "went on"]]):format(path))
      assert.truthy(shown:find("nil\tinterrupted\nwent on\n\nstatus 0\n", 1,
        true), shown)
      await_end(pid_in(path))
      -- What Ctrl-C ended is no failure of its own.
      shown = on_terminal({ "ready", "\\x03" },
        [[run "echo ready >&2; sleep 1000"]])
      assert.truthy(shown:find("nil\tinterrupted\n\nstatus 0\n", 1, true),
        shown)
    end)
  end)

  it("ends when it takes too long with all it began", function()
    with_file(function(path)
      local shown = patience.long_enough(0.5, function(seconds)
        local shown = on_terminal({}, ("run('(sleep 1000; true) & echo $! " ..
          ">%s; sleep 1000', %g)"):format(path, seconds))
        return (slurp(path) or ""):find "\n" and shown
      end)
      assert.equal("nil\tit took too long\n\nstatus 0\n", shown)
      await_end(pid_in(path))
    end)
  end)
end)

describe("a private file", function()
  it("is written whole, for its owner alone", function()
    local path = os.tmpname()
    assert.is_true(core.write_private(path, "one"))
    assert.is_true(core.write_private(path, ("two\0"):rep(10000)))
    assert.equal(("two\0"):rep(10000), slurp(path))
    local pipe = io.popen("ls -l " .. path .. "; ls " .. path .. "*")
    local listing = pipe:read "*a"
    pipe:close()
    assert.truthy(listing:find "^%-rw%-%-%-%-%-%-%-")
    assert.equal(path .. "\n", listing:match "\n(.*)$") -- and nothing beside it
    os.remove(path)
  end)

  it("stays as it was where writing fails", function()
    local ok, why = core.write_private("/no/such/folder/file", "x")
    assert.is_nil(ok)
    assert.equal("string", type(why))
  end)
end)

describe("a host", function()
  it("has addresses, in one form each", function()
    assert.same({ "127.0.0.1" }, core.resolve "127.0.0.1")
    assert.same({ "::1" }, core.resolve "0:0::0:1")
    assert.same({ "127.0.0.1" }, core.resolve "127.1")
  end)

  it("is an address itself, where it has to be one", function()
    assert.same({ "127.0.0.1" }, core.resolve("0x7f.1", true))
    assert.same({ "::1" }, core.resolve("::0:1", true))
    for _, host in ipairs { "localhost", "127.0.0.999", "", "[::1]" } do
      assert.is_nil((core.resolve(host, true)), host)
    end
  end)

  it("that is none has a reason", function()
    local found, why = core.resolve "not a host"
    assert.is_nil(found)
    assert.equal("string", type(why))
  end)
end)

describe("dates", function()
  it("are read and written", function()
    assert.equal(1795521600, core.time "2026-11-24T12:00:00Z")
    assert.equal("2026-11-24T12:00:00Z", core.time_text(1795521600.9))
    assert.is_nil(core.time "yesterday")
    assert.is_nil(core.time_text(-1))
    assert.is_nil(core.time_text(0 / 0))
  end)
end)

describe("credential_process", function()
  local function fetch(command, run, more)
    return profile.fetch(world.new { env = { HOME = "/home" }, profile = "a",
      run = run, files = { ["/home/.aws/config"] = "[profile a]\n" ..
        "credential_process = " .. command .. "\n" .. (more or "") } })
  end

  local function printing(text)
    return fetch("any", function() return text end)
  end

  local WHOLE = '{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":' ..
    '"s3cret","SessionToken":"token","Expiration":"2026-11-24T12:00:00Z",' ..
    '"AccountId":"123456789012"}'

  it("gives what the command prints", function()
    local found, fault = fetch("echo '" .. WHOLE .. "'")
    assert.is_nil(fault)
    assert.same({ access_key_id = "AKID", secret_access_key = "s3cret",
      session_token = "token", expiration = 1795521600,
      account_id = "123456789012", source = "credential process" }, found)
  end)

  it("needs no token, expiration or account", function()
    local found = fetch("any", function()
      return '{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s3cret",' ..
        '"SessionToken":null}'
    end, "aws_account_id = 210987654321")
    assert.same({ access_key_id = "AKID", secret_access_key = "s3cret",
      account_id = "210987654321", source = "credential process" }, found)
  end)

  it("may leave empty what it need not have", function()
    for name, value in pairs { SessionToken = '""', Expiration = '""',
      AccountId = '""' } do
      local text = WHOLE:gsub(('("%s":)"[^"]*"'):format(name), "%1" .. value)
      local found, fault = printing(text)
      assert.is_nil(fault, name)
      assert.equal("AKID", found.access_key_id)
      local ours = ({ SessionToken = "session_token",
        Expiration = "expiration", AccountId = "account_id" })[name]
      assert.is_nil(found[ours])
    end
    assert.is_nil((printing(WHOLE:gsub('"s3cret"', '""'))))
  end)

  it("may write its date with an offset", function()
    for _, date in ipairs { "2026-11-24T12:00:00+0000",
      "2026-11-24T12:00:00+00:00", "2026-11-24T13:00:00.000+0100",
      "2026-11-24 06:30:00-0530", "2026-11-24T12:00:00UTC" } do
      local found = printing(WHOLE:gsub("2026%-11%-24T12:00:00Z", date))
      assert.equal(1795521600, found and found.expiration, date)
    end
  end)

  it("is given a minute", function()
    local given
    fetch("any thing", function(command, timeout)
      given = { command, timeout }
      return nil, "it took too long"
    end)
    assert.same({ "any thing", 60 }, given)
  end)

  it("fails without a word of the command's", function()
    for _, text in ipairs { "", "s3cret", "[]", "null", "{}",
      (WHOLE:gsub('"Version":1', '"Version":2')),
      (WHOLE:gsub('"Version":1', '"Version":"1"')),
      (WHOLE:gsub('"AccessKeyId":"AKID",', "")),
      (WHOLE:gsub('"SecretAccessKey":"s3cret",', "")),
      (WHOLE:gsub("2026%-", "s3cret-")), (WHOLE:gsub("AKID", "AK\\nID")),
      WHOLE .. WHOLE, (WHOLE:gsub('"token"', "7")) } do
      local found, fault = printing(text)
      assert.is_nil(found, text)
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find "s3cret")
    end
    local _, fault = fetch "echo s3cret; exit 1"
    assert.truthy(fault.message:find "status 1")
    assert.is_nil(fault.message:find "s3cret")
  end)

  it("may be interrupted", function()
    local _, fault = fetch("any", function() return nil, "interrupted" end)
    assert.equal("InterruptedError", fault.code)
  end)
end)
