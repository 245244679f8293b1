--- The command as a process: against a local AWS, with files, signals, pipes
-- and a terminal.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local script = require "spec.support.script"
local worlds = require "personalize.cli.world"

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

local function lacks(text, part)
  assert.is_nil(text:find(part, 1, true), text)
end

describe("the program", function()
  local server
  setup(function()
    server = aws.start "--job-seconds 1"
  end)
  teardown(function()
    server:stop()
  end)

  local function environment()
    return ("AWS_REGION=%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s " ..
      "AWS_ENDPOINT_URL_PERSONALIZE=%s AWS_EC2_METADATA_DISABLED=true " ..
      "no_proxy=127.0.0.1 "):format(server.region, server.access_key_id,
      server.secret_access_key, server.endpoint)
  end

  -- Status, standard output, standard error.
  local function program(words, input)
    local errors = os.tmpname()
    local process = child.start("sh -c " .. child.quote(
      ("printf %%s %s | %s%s 2>%s; echo \"status $?\""):format(
      child.quote(input or ""), environment(),
      script.command("src/bin/personalize", words), errors)))
    local out, status = process:rest():match "^(.*)status (%d+)\n$"
    process:stop()
    local file = assert(io.open(errors))
    local err = file:read "*a"
    file:close()
    os.remove(errors)
    return tonumber(status), out, err
  end

  it("creates, lists, describes and waits", function()
    local status, arn, err = program(("create --name by-hand " ..
      "--dataset-group %s --location s3://%s/u.csv --role %s --tag a=b")
      :format(server.dataset_group_arn, server.bucket, server.role_arn))
    assert.equal(0, status, err)
    assert.truthy(arn:find "^arn:aws:personalize:%S+/by%-hand\n$", arn)
    assert.equal("", err)
    local out
    status, out = program "list --json"
    assert.equal(0, status)
    assert.equal(arn, cjson.decode(out).dataDeletionJobArn .. "\n")
    status, out = program("list --dataset-group " ..
      server.dataset_group_arn)
    assert.equal(0, status)
    has(out, arn)
    status, out = program("describe -", arn)
    assert.equal(0, status)
    has(out, "job           by-hand\n")
    -- Its list is not there.
    status, out, err = program("wait --poll 0.1 " .. arn:gsub("\n", ""))
    assert.equal(1, status)
    has(out, "FAILED")
    has(err, "DataDeletionJobFailed")
  end)

  it("tells who it is", function()
    local status, out = program "identity --json"
    assert.equal(0, status)
    assert.equal("environment", cjson.decode(out).source)
  end)

  it("ends with the service's and its own errors", function()
    local status, out, err = program("describe " ..
      server.dataset_group_arn:gsub("dataset%-group/.*",
      "data-deletion-job/none"))
    assert.equal(254, status)
    assert.equal("", out)
    has(err, "ResourceNotFoundException")
    lacks(err, "stack traceback")
    assert.equal(252, (program "describe x"))
    assert.equal(253, (program "list --region 'no such'"))
    assert.equal(255, (program "list --endpoint-url http://127.0.0.1:1"))
    assert.equal(252, (program "nonsense"))
    assert.equal(252, (program("wait -", "")))
  end)

  -- Its standard output is a pipe that nobody reads any more.
  local GONE = [[
import os, subprocess, sys
for default in (True, False):
    r, w = os.pipe()
    os.close(r)
    p = subprocess.run(sys.argv[1:], stdout=w, stderr=subprocess.PIPE, restore_signals=default)
    os.close(w)
    print(p.returncode, p.stderr)
]]

  it("ends quietly when nobody reads on", function()
    local process = child.start("python3 -c " .. child.quote(GONE) .. " " ..
      script.command("src/bin/personalize", "--help"))
    local text = process:rest()
    process:stop()
    -- Help is printed before any signal is caught.
    assert.equal("-13 b''\n141 b''\n", text)
  end)

  it("says so when the disk is full", function()
    local status, _, err = program "--help >/dev/full"
    assert.equal(255, status)
    has(err, "standard output: ")
  end)

  local function looks()
    local count = 0
    for _, request in ipairs(server:requests().requests) do
      count = count + (request.operation == "DescribeDataDeletionJob" and 1
        or 0)
    end
    return count
  end

  -- Waits for a job that does not end.
  local function start_wait(name, ignored)
    local arn = server:client():create_data_deletion_job(server:job(name))
      .dataDeletionJobArn
    local before = looks()
    local process = script.watch("sh -c " .. child.quote("exec 2>&1; exec " ..
      "env " .. environment() .. script.command("src/bin/personalize",
      "wait --poll 600 " .. arn)), ignored)
    repeat until looks() > before
    return process
  end

  it("ends on a signal, and says how to go on", function()
    for signal, status in pairs { INT = 130, TERM = 143, HUP = 129 } do
      local process = start_wait("slow-" .. signal)
      process:signal(signal)
      local text = process:rest()
      process:stop()
      has(text, "personalize: error: InterruptedError: ")
      has(text, "run the same command again to go on")
      has(text, "\nstatus " .. status .. "\n")
      lacks(text, "traceback")
    end
  end)

  it("goes on under nohup", function()
    local process = start_wait("nohup", "SIGHUP")
    process:signal "HUP"
    process:signal "TERM"
    has(process:rest(), "\nstatus 143\n")
    process:stop()
  end)
end)

describe("the command's files", function()
  local world, folder

  before_each(function()
    world = worlds.new()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
  end)
  after_each(function()
    os.execute("rm -r " .. folder)
  end)

  local function listing()
    local pipe = assert(io.popen("cd " .. folder .. " && ls -la | " ..
      "awk '/^-/ { print $1, $NF }'"))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  it("are written in one piece, for their owner", function()
    local path = folder .. "/r.json"
    assert.is_nil(world.unwritable(path))
    assert.equal("", listing()) -- trying leaves nothing behind
    assert.is_true(world.write_file(path, "one"))
    assert.is_nil(world.unwritable(path))
    assert.equal("one", world.read_file(path))
    assert.is_true(world.write_file(path, "two"))
    assert.equal("two", world.read_file(path))
    assert.equal("-rw------- r.json\n", listing())
  end)

  it("take the place of no device", function()
    -- This one is nobody's loss, should it be tried.
    assert.is_true(world.write_file("/proc/self/comm", "renamed"))
    assert.equal("renamed\n", world.read_file "/proc/self/comm")
    assert.is_nil(world.unwritable "/dev/null")
    assert.is_true(world.write_file("/dev/null", "x"))
  end)

  it("are refused with a reason", function()
    assert.equal(folder .. ": Is a directory", world.unreadable(folder))
    has(world.unreadable(folder .. "/none"), "No such file")
    assert.is_string(world.unwritable(folder))
    assert.is_string(world.unwritable(folder .. "/none/r.json"))
    assert.is_string(world.unwritable "")
    assert.is_string((select(2, world.read_file(folder .. "/none"))))
    assert.is_nil((world.read_file(folder)))
    -- An empty file is one.
    assert.is_true(world.write_file(folder .. "/empty", ""))
    assert.is_nil(world.unreadable(folder .. "/empty"))
  end)

  it("may be behind a link, which stays", function()
    os.execute(("cd %s && mkdir far && ln -s far/r.json r.json && " ..
      "ln -s r.json link"):format(folder))
    for _, text in ipairs { "one", "two" } do
      assert.is_nil(world.unwritable(folder .. "/link"))
      assert.is_true(world.write_file(folder .. "/link", text))
      assert.equal(text, world.read_file(folder .. "/far/r.json"))
    end
    assert.equal("", listing()) -- links alone, and a folder
  end)

  it("are no pipes and sockets, which are not opened to look", function()
    local path = folder .. "/pipe"
    os.execute("mkfifo " .. path)
    has(world.unwritable(path), "named pipe")
    local ok, why = world.write_file(path, "x")
    assert.is_nil(ok)
    has(why, "named pipe")
    assert.is_nil(world.unreadable(path)) -- there may be something in it
  end)

  it("may be descriptors of the process, written to where they are",
    function()
      local file = folder .. "/out"
      local text = script.with_file([[
        local world = require("personalize.cli.world").new()
        for _, path in ipairs { "-", "/dev/stdout", "/dev/fd/1",
          "/proc/self/fd/1", "/dev/fd/3", arg[1] } do
          assert(not world.unwritable(path), path)
          assert(world.write_file(path, path .. "\n"))
        end
        io.stderr:write(world.unwritable "/dev/fd/4", "\n",
          world.unwritable "/dev/stdin", "\n")
      ]], function(name)
        return (script.run(name, ("%s/link 3>&1 4>&- </dev/null"):format(
          folder)))
      end)
      assert.equal("-\n/dev/stdout\n/dev/fd/1\n/proc/self/fd/1\n/dev/fd/3\n" ..
        ("no such descriptor was given to this program to write to\n"):rep(2),
        text)
      os.execute(("echo before >%s; ln -s /dev/stdout %s/out-link"):format(
        file, folder))
      script.with_file([[
        local world = require("personalize.cli.world").new()
        assert(world.write_file(arg[1], "after\n"))
      ]], function(name)
        os.execute(script.command(name, folder .. "/out-link") .. " >>" .. file)
      end)
      assert.equal("before\nafter\n", world.read_file(file))
    end)

  it("are written in place where no other can take the name", function()
    -- In a name space of its own, which is gone with it.
    local inside = ("unshare -m sh -c %s"):format(child.quote(
      "cd " .. folder .. " && echo the old text >real && touch r.json && " ..
      "mount --bind real r.json && exec " .. script.command("$0", "r.json")))
    if os.execute("unshare -m true 2>/dev/null") ~= (_VERSION == "Lua 5.1" and
      0 or true) then
      pending "no name space of mounts may be made by this user"
      return
    end
    local text = script.with_file([[
      local world = require("personalize.cli.world").new()
      assert(not world.unwritable(arg[1]))
      print(world.write_file(arg[1], "new\n"))
    ]], function(name)
      local pipe = io.popen(inside:gsub("%$0", name) .. " 2>&1")
      local said = pipe:read "*a"
      pipe:close()
      return said
    end)
    has(text, "true\tit was written in place")
    assert.equal("new\n", world.read_file(folder .. "/real"))
    assert.equal("-rw------- real\n", listing():match "[^\n]*real\n")
  end)
end)

-- Runs a command with a terminal of COLUMNS as its standard error.
local TERMINAL = [[
import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
sys.exit(subprocess.run(sys.argv[2:], stderr=theirs).returncode)
]]

describe("the terminal", function()
  it("has the columns that it says, and may be none", function()
    local text = 'io.write(tostring(require("personalize.core").terminal()))'
    local function columns(before, after)
      return script.with_file(text, function(name)
        local process = child.start(before .. script.command(name) .. after)
        local found = process:rest()
        process:stop()
        return found
      end)
    end
    local python = "python3 -c " .. child.quote(TERMINAL)
    assert.equal("132", columns(python .. " 132 ", ""))
    assert.equal("80", columns(python .. " 0 ", "")) -- it does not tell
    assert.equal("nil", columns("", " 2>/dev/null"))
  end)
end)
