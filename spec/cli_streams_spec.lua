--- delete-users and its kin where a stream is closed, full, or read by nobody,
-- and where a signal comes: what was done is written down all the same.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local core = require "personalize.core"
local script = require "spec.support.script"

local quote = child.quote

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

describe("the program's streams", function()
  local server, folder
  setup(function()
    server = aws.start "--job-seconds 0.2"
    local pipe = io.popen "mktemp -d"
    folder = pipe:read "*l"
    pipe:close()
  end)
  teardown(function()
    server:stop()
    os.execute("rm -r " .. quote(folder))
  end)
  before_each(function()
    server:reset()
    os.execute("rm -f " .. quote(folder) .. "/*")
  end)

  local function path(name)
    return folder .. "/" .. name
  end

  local function write(name, text)
    local file = assert(io.open(path(name), "wb"))
    file:write(text)
    file:close()
  end

  local function read(name)
    local file = io.open(path(name), "rb")
    local text = file and file:read "*a"
    if file then
      file:close()
    end
    return text
  end

  local function command(words)
    return ("env AWS_REGION=%s AWS_ACCESS_KEY_ID=%s " ..
      "AWS_SECRET_ACCESS_KEY=%s AWS_ENDPOINT_URL=%s " ..
      "AWS_EC2_METADATA_DISABLED=true no_proxy=127.0.0.1 %s"):format(
      server.region, server.access_key_id, server.secret_access_key,
      server.endpoint, script.command("src/bin/personalize", words))
  end

  local function erase(list, more)
    return ("delete-users %s --name night --dataset-group %s --bucket %s " ..
      "--role %s --receipt %s %s"):format(list, server.dataset_group_arn,
      server.bucket, server.role_arn, path "r.json", more or "")
  end

  -- Status of a command with redirections (shell text), and what is in the
  -- files "out" and "err" after it.
  local function run(words, redirections)
    local process = child.start("sh -c " .. quote(("%s >%s 2>%s %s; echo $?")
      :format(command(words), path "out", path "err", redirections)))
    local status = tonumber(process:rest())
    process:stop()
    return status, read "out", read "err"
  end

  it("may be closed where they are not needed", function()
    write("list.csv", "USER_ID\nalice\nbob\n")
    local status, out = run(erase(path "list.csv", "--wait --poll 0.05"),
      "2>&- <&-")
    assert.equal(0, status)
    has(out, "COMPLETED")
    assert.equal("COMPLETED", cjson.decode(read "r.json").status)
    local _, objects = next(server:admin("GET", "objects").objects)
    assert.equal(#"USER_ID\nalice\nbob\n", objects.size)
  end)

  it("may not be closed where there is something to say", function()
    write("list.csv", "USER_ID\nalice\nbob\n")
    local status, _, err = run(erase(path "list.csv"), ">&-")
    assert.equal(255, status)
    has(err, "standard output: it is closed")
    -- What was done is known all the same.
    assert.is_string(cjson.decode(read "r.json").jobs[1].arn)
    status, _, err = run("--help", ">&-")
    assert.equal(255, status)
    has(err, "standard output: it is closed")
    assert.equal(255, (run("list --json", ">&-")))
    server:reset()
    assert.equal(0, (run("list --json", ">&-"))) -- there is nothing to say
  end)

  -- Runs a program whose standard output (1) or error (2) is a pipe that
  -- nobody reads any more.
  local GONE = [[
import os, subprocess, sys
r, w = os.pipe()
os.close(r)
streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, sys.argv[1]: w}
print(subprocess.call(sys.argv[2:], **streams))
]]

  local function gone(stream, words)
    local process = child.start(("python3 -c %s %s %s"):format(quote(GONE),
      stream, command(words)))
    local status = tonumber(process:rest())
    process:stop()
    return status
  end

  it("end no run where standard error's reader goes away", function()
    write("list.csv", "USER_ID\nalice\nbob\n")
    assert.equal(0, gone("stderr", erase(path "list.csv",
      "--wait --poll 0.05")))
    assert.equal("COMPLETED", cjson.decode(read "r.json").status)
  end)

  it("are followed to the receipt where standard output's reader goes away",
    function()
      write("list.csv", "USER_ID\nalice\nbob\n")
      assert.equal(141, gone("stdout", erase(path "list.csv",
        "--json --wait --poll 0.05")))
      assert.equal("COMPLETED", cjson.decode(read "r.json").status)
    end)

  it("may not be closed where a list or a job is read from one", function()
    for words, status in pairs { ["check-list -"] = 3, ["describe -"] = 252,
      ["wait -"] = 252, [erase "-"] = 3 } do
      local got, out, err = run(words, "<&-")
      assert.equal(status, got, err)
      assert.equal("", out)
      has(err, "standard input: it is closed")
    end
    assert.equal(0, server:requests().count)
  end)

  -- Does the process catch SIGTERM by now? Nothing else tells.
  local function await_catching(pid)
    local ends = core.monotonic() + 60
    repeat
      local file = io.open(("/proc/%d/status"):format(pid))
      local mask = file and file:read "*a":match "SigCgt:%s*(%x+)"
      if file then
        file:close()
      end
      -- SIGTERM is number 15: the third bit of the fourth digit from the end.
      local digit = mask and tonumber(mask:sub(-4, -4), 16)
      if digit and digit % 8 >= 4 then
        return
      end
    until core.monotonic() > ends
    error("SIGTERM is not caught", 0)
  end

  it("may be silent, and a signal ends the reading", function()
    os.execute("mkfifo " .. quote(path "silent"))
    for _, words in ipairs { "check-list -", "describe -", "wait -",
      erase "-" } do
      -- Open for reading and writing: it never ends.
      local process = script.watch("sh -c " .. quote(("exec 2>&1 0<>%s; " ..
        "exec %s"):format(path "silent", command(words))))
      await_catching(process.pid)
      process:signal "TERM"
      local text = process:rest()
      process:stop()
      has(text, "InterruptedError: interrupted while reading")
      has(text, "\nstatus 143\n")
    end
  end)

  it("are left with a receipt by a signal", function()
    server:stop()
    server = aws.start "--job-seconds 600"
    write("list.csv", "USER_ID\nalice\nbob\n")
    for signal, status in pairs { TERM = 143, HUP = 129, INT = 130 } do
      local process = script.watch(command(erase(path "list.csv",
        "--json --wait --poll 600 2>&1")))
      local function is_waiting()
        for _, request in ipairs(server:requests().requests) do
          if request.operation == "DescribeDataDeletionJob" then
            return true
          end
        end
      end
      local ends = core.monotonic() + 60
      repeat until is_waiting() or core.monotonic() > ends
      process:signal(signal)
      local text = process:rest()
      process:stop()
      has(text, "\nstatus " .. status .. "\n")
      local receipt = cjson.decode(read "r.json")
      assert.equal("IN_PROGRESS", receipt.status)
      assert.is_string(receipt.jobs[1].arn)
      server:reset()
      os.remove(path "r.json")
    end
  end)
end)
