--- A program's process: signals that ask it to end, streams that are closed,
-- full or gone.

local child = require "spec.support.child"
local core = require "personalize.core"
local script = require "spec.support.script"

local quote = child.quote

local start = script.watch

local PROLOGUE = [[
  local core = require "personalize.core"
  core.catch_signals()
  local function say(...)
    local words = { ... }
    for i = 1, select("#", ...) do
      words[i] = tostring(words[i])
    end
    assert(core.write(1, table.concat(words, " ") .. "\n"))
  end
  -- Longer than signals of one event are apart.
  local function pass()
    local from = core.monotonic()
    repeat until core.monotonic() - from > 0.3
  end
]]

local function with_script(text, f)
  script.with_file(PROLOGUE .. text, function(name)
    f(script.command(name))
  end)
end

local NUMBERS = { HUP = 1, INT = 2, TERM = 15 }

describe("a signal that is caught", function()
  for name, number in pairs(NUMBERS) do
    for where, how in pairs { ["the main thread"] = "sleep()",
      ["a coroutine"] = "coroutine.wrap(sleep)()" } do
      it(("ends a sleep in %s: SIG%s"):format(where, name), function()
        with_script([[
          local function sleep()
            say(core.signalled())
            say(core.sleep(600))
            say(core.signalled())
            say(core.sleep(600)) -- the program is to end: so does this
          end
        ]] .. how, function(command)
          local run = start(command)
          assert.equal("nil", run:line())
          run:signal(name)
          assert.equal(("nil interrupted\n%d\nnil interrupted\nstatus 0\n")
            :format(number), run:rest())
          run:stop()
        end)
      end)
    end
  end

  it("ends a call although a callback was at work", function()
    with_script([[
      local client = require("personalize").new { region = "eu-west-1",
        credentials = { access_key_id = "A", secret_access_key = "S" },
        transport = function()
          return nil, { code = "ConnectionError", message = "none",
            retryable = true, sent = false }
        end,
        on_event = function(event)
          if event.name == "attempt" then
            say "attempt"
            core.sleep(600)
            error("a watcher's", 0)
          end
        end }
      local ok, e = pcall(client.list_data_deletion_jobs, client)
      say(ok, e.code, e.attempts)
    ]], function(command)
      local run = start(command)
      assert.equal("attempt", run:line())
      run:signal "TERM"
      assert.equal("false InterruptedError 1\nstatus 0\n", run:rest())
      run:stop()
    end)
  end)

  it("ends the check of a list", function()
    with_script([[
      local ok, e = pcall(require("personalize").check_users, {
        users = function()
          if not core.signalled() then
            say "reading"
            core.sleep(600)
          end
          return "one more"
        end })
      say(ok, e.code)
    ]], function(command)
      local run = start(command)
      assert.equal("reading", run:line())
      run:signal "HUP"
      assert.equal("false InterruptedError\nstatus 0\n", run:rest())
      run:stop()
    end)
  end)

  it("ends a credential_process, with what it started", function()
    with_script([[
      say "ready" -- nothing tells when the process began: any time will do
      say(core.run("sleep 600", 600))
    ]], function(command)
      local run = start(command)
      assert.equal("ready", run:line())
      run:signal "TERM"
      assert.equal("nil interrupted\nstatus 0\n", run:rest())
      run:stop()
    end)
  end)

  it("ends the process when it comes again", function()
    for name, number in pairs(NUMBERS) do
      with_script([[
        say "ready"
        say(core.sleep(600))
        pass()
        say "again"
        while true do end
      ]], function(command)
        local run = start(command)
        assert.equal("ready", run:line())
        run:signal(name)
        assert.equal("nil interrupted", run:line())
        assert.equal("again", run:line())
        run:signal(name)
        assert.equal(("status -%d\n"):format(number), run:rest())
        run:stop()
      end)
    end
  end)

  it("is one event with those that come at the same time", function()
    with_script([[
      -- Delivered one behind the other, however busy the machine is.
      os.execute("kill -STOP $PPID; kill -TERM $PPID; kill -HUP $PPID; " ..
        "kill -INT $PPID; kill -CONT $PPID")
      say(core.sleep(600), core.signalled() ~= nil)
    ]], function(command)
      local run = start(command)
      assert.equal("nil true\nstatus 0\n", run:rest())
      run:stop()
    end)
  end)

  it("stays ignored where it was, as by nohup", function()
    with_script([[
      os.execute "kill -HUP $PPID"
      say(core.sleep(0.01), core.signalled())
      os.execute "kill -TERM $PPID"
      say(core.sleep(600))
      say(core.signalled())
    ]], function(command)
      local run = start(command, "SIGHUP")
      assert.equal("true nil\nnil interrupted\n15\nstatus 0\n", run:rest())
      run:stop()
    end)
  end)

  it("is given back its default action when the state closes", function()
    with_script([[
      core.catch_signals() -- twice is once
      collectgarbage()
      collectgarbage()
      os.execute "kill -TERM $PPID"
      say(core.sleep(600))
      os.exit(7, true)
    ]], function(command)
      local run = start(command)
      assert.equal("nil interrupted\nstatus 7\n", run:rest())
      run:stop()
    end)
  end)

  it("ends process 1 of a container", function()
    local unshare
    for _, how in ipairs { "unshare --pid --fork",
      "unshare --user --map-root-user --pid --fork" } do
      local process = child.start("sh -c " ..
        quote(how .. " true 2>/dev/null && echo yes"))
      unshare = unshare or process:line() == "yes" and how or nil
      process:stop()
    end
    if not unshare then
      pending "this machine lets nobody make a pid namespace"
      return
    end
    with_script([[
      os.execute "kill -TERM 1"
      say(core.sleep(600))
      pass()
      os.execute "kill -TERM 1"
      say "still there"
    ]], function(command)
      local run = start(unshare .. " " .. command)
      assert.equal("nil interrupted\nstatus 143\n", run:rest())
      run:stop()
    end)
  end)
end)

-- Runs a program with a pipe as its standard output that blocks for no one,
-- and reads it slowly.
local NOT_BLOCKING = [[
import fcntl, hashlib, os, select, subprocess, sys
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
p = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
n = 0
while True:
    block = os.read(r, 1000)
    if not block:
        break
    n += block.count(b"x")
print(n, p.wait())
]]

describe("the standard streams", function()
  local function output(command)
    local process = child.start(command)
    local text = process:rest()
    process:stop()
    return text
  end

  it("are written to whole, also in the mode that does not block", function()
    with_script("say(('x'):rep(1e6))", function(command)
      assert.equal("1000000 0\n", output("python3 -c " ..
        quote(NOT_BLOCKING) .. " " .. command))
    end)
  end)

  it("that nobody reads wait for no longer than is said, and end on a signal",
    function()
      local path = os.tmpname()
      with_script(([[
        local file = io.open(%q, "w")
        local ok, _, why
        local function try(patience)
          repeat ok, _, why = core.write(1, ("x"):rep(4096), patience)
          until not ok
          file:write(why, "\n")
          file:flush()
        end
        try(0)
        try(0.01)
        os.execute "kill -TERM $PPID"
        try(nil)
        file:close()
      ]]):format(path), function(command)
        local run = child.start("sh -c " .. quote(command .. "; echo >&2"))
        local deadline = core.monotonic() + 60
        local text
        repeat
          core.sleep(0.02)
          local file = assert(io.open(path))
          text = file:read "*a"
          file:close()
        until #text >= #"busy\nbusy\ninterrupted\n" or
          core.monotonic() > deadline
        run:stop()
        os.remove(path)
        assert.equal("busy\nbusy\ninterrupted\n", text)
      end)
    end)

  it("that are closed lend their numbers to nobody", function()
    local path = os.tmpname()
    with_script(([[
      core.open_streams()
      local file = assert(io.open(%q, "w"))
      local _, _, out = core.write(1, "x")
      local _, _, err = core.write(2, "x")
      local _, message, code = io.stdin:read(1)
      file:write(out, " ", err, " ", tostring(message ~= nil or code), "\n")
    ]]):format(path), function(command)
      assert.equal("done\n", output("sh -c " ..
        quote(command .. " <&- >&- 2>&-; echo done")))
      local file = assert(io.open(path))
      assert.equal("closed closed true\n", file:read "*a")
      file:close()
      os.remove(path)
    end)
  end)

  it("that are open are left alone", function()
    with_script([[
      core.open_streams()
      say(io.read "*l")
    ]], function(command)
      assert.equal("hello\n", output("sh -c " ..
        quote("echo hello | " .. command)))
    end)
  end)

  it("are not written past their limit, and the process lives", function()
    local path = os.tmpname()
    with_script([[
      local _, message, why = core.write(1, ("x"):rep(1e6))
      core.write(2, tostring(why) .. "\n")
      os.exit(3)
    ]], function(command)
      assert.equal("failed\n3\n", output("sh -c " .. quote(
        ("exec 2>&1; ulimit -f 100; %s >%s; echo $?"):format(command,
        quote(path)))))
    end)
    os.remove(path)
  end)
end)
