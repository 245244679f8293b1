--- delete-users and its kin as a process, against a local AWS: files, pipes,
-- exit statuses, Ctrl-C, and on from there.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local script = require "spec.support.script"

local quote = child.quote

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

describe("the program", function()
  local server, folder
  setup(function()
    server = aws.start "--job-seconds 0.2 --versioning"
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

  local function environment()
    return ("AWS_REGION=%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s " ..
      "AWS_ENDPOINT_URL=%s AWS_EC2_METADATA_DISABLED=true " ..
      "no_proxy=127.0.0.1 "):format(server.region, server.access_key_id,
      server.secret_access_key, server.endpoint)
  end

  local function command(words)
    return environment() .. script.command("src/bin/personalize", words)
  end

  -- Status, standard output, standard error; the folder is the current one
  -- for none of them, so that lists are given by their whole path.
  local function program(words, input)
    local process = child.start("sh -c " .. quote(
      ("printf %%s %s | %s 2>%s; echo \"status $?\""):format(
      quote(input or ""), command(words), quote(path "stderr"))))
    local out, status = process:rest():match "^(.*)status (%d+)\n$"
    process:stop()
    return tonumber(status), out, read "stderr"
  end

  local function erase(list, more)
    return ("delete-users %s --name night --dataset-group %s --bucket %s " ..
      "--role %s --poll 0.05 %s"):format(list, server.dataset_group_arn,
      server.bucket, server.role_arn, more or "")
  end

  it("goes from a list to a receipt", function()
    write("list.csv", "USER_ID\nalice\nbob\n")
    local status, out, err = program(erase(path "list.csv",
      "--wait --cleanup --ticket T1 --json --receipt " .. path "r.json"))
    assert.equal(0, status, err)
    local receipt = cjson.decode(out)
    assert.equal("COMPLETED", receipt.status)
    assert.equal("T1", receipt.ticket)
    assert.equal(out, read "r.json")
    assert.falsy((out .. err):find("alice", 1, true))
    assert.same({}, server:admin("GET", "objects").objects)
    assert.equal(0, (program(("verify-receipt %s %s"):format(path "r.json",
      path "list.csv"))))
    write("list.csv", "USER_ID\nalice\n")
    assert.equal(1, (program(("verify-receipt %s %s"):format(path "r.json",
      path "list.csv"))))
  end)

  it("returns at once without --wait, and goes on when run again", function()
    local ids = "alice\nbob\n"
    local status, out = program(erase("-", "--format lines --json"), ids)
    assert.equal(0, status)
    assert.equal("IN_PROGRESS", cjson.decode(out).status)
    status, out = program(erase("-", "--format lines --json --wait"), ids)
    assert.equal(0, status)
    assert.equal("COMPLETED", cjson.decode(out).status)
    assert.equal(1, #server:admin("GET", "jobs").jobs)
  end)

  it("ends with 1 where a job FAILED, with the reason in the receipt",
    function()
      server:fault { spec = "CreateDataDeletionJob=job-fails" }
      local status, _, err = program(erase("-", "--format lines --wait " ..
        "--receipt " .. path "r.json"), "alice\n")
      assert.equal(1, status)
      has(err, "DataDeletionJobFailed")
      local receipt = cjson.decode(read "r.json")
      assert.equal("FAILED", receipt.status)
      assert.is_string(receipt.jobs[1].failure_reason)
      has(err, receipt.jobs[1].failure_reason)
    end)

  it("ends with 3 where the list has faults, told by place", function()
    write("list.csv", "USER_ID\nalice\n\nbob\n")
    local status, out, err = program(erase(path "list.csv"))
    assert.equal(3, status)
    has(err, path "list.csv" .. ":3:1: ")
    assert.falsy((out .. err):find("alice", 1, true))
    assert.equal(0, server:requests().count)
    assert.equal(3, (program("check-list " .. path "list.csv")))
    write("list.csv", "USER_ID\nalice\nbob\n")
    status, out = program("check-list --json " .. path "list.csv")
    assert.equal(0, status)
    assert.equal(2, cjson.decode(out).users)
  end)

  it("ends with 4 where waiting timed out", function()
    server:admin("POST", "settings", { job_seconds = 60 })
    local status, _, err = program(erase("-",
      "--format lines --wait --max-wait 0.3 --receipt " .. path "r.json"),
      "alice\n")
    assert.equal(4, status)
    has(err, "run the same command again")
    assert.equal("PENDING", cjson.decode(read "r.json").jobs[1].status)
  end)

  it("ends with 252 before anything is sent", function()
    write("list.csv", "USER_ID\nalice\n")
    for _, words in ipairs { erase(path "none.csv"),
      erase(path "list.csv", "--receipt " .. path "none/r.json"),
      erase(path "list.csv", "--receipt " .. folder),
      erase(path "list.csv", "--receipt " .. folder .. "/./list.csv"),
      erase(path "list.csv", "--part-size 1"),
      erase(path "list.csv", "--no-such-option"), "delete-users" } do
      assert.equal(252, (program(words)), words)
      assert.equal(0, server:requests().count)
    end
  end)

  it("ends with 254 where the service refuses", function()
    local status, _, err = program(erase("-", "--format lines --receipt " ..
      path "r.json --bucket another"), "alice\n")
    assert.equal(254, status)
    has(err, "NoSuchBucket")
    assert.is_nil(read "r.json") -- there is nothing to tell of
  end)

  it("leaves a receipt that knows more as it is", function()
    write("list.csv", "USER_ID\nalice\n")
    local words = erase(path "list.csv", "--wait --receipt " .. path "r.json")
    assert.equal(0, (program(words)))
    local before = read "r.json"
    local _, _, err = program(words .. " --dry-run")
    has(err, "left as it was")
    assert.equal(before, read "r.json")
    assert.equal(255, (program(words ..
      " --endpoint-url http://127.0.0.1:1")))
    assert.equal(before, read "r.json")
    write("list.csv", "USER_ID\n\nalice\n")
    assert.equal(3, (program(words)))
    assert.equal(before, read "r.json")
  end)

  it("dry-runs", function()
    local status, out = program(erase("-", "--format lines --dry-run --json"),
      "alice\n")
    assert.equal(0, status)
    assert.equal("DRY_RUN", cjson.decode(out).status)
    assert.equal(0, server:requests().count)
  end)

  it("ends on Ctrl-C with a receipt, and goes on when run again", function()
    server:admin("POST", "settings", { job_seconds = 60 })
    write("list.csv", "USER_ID\nalice\n")
    local words = erase(path "list.csv", "--wait --receipt " .. path "r.json")
    local process = child.start("env " .. command(words) .. " 2>&1")
    local function has_waited()
      for _, request in ipairs(server:requests().requests) do
        if request.operation == "DescribeDataDeletionJob" then
          return true
        end
      end
    end
    repeat until has_waited()
    process:signal "INT"
    local text = process:rest()
    process:stop()
    has(text, "InterruptedError")
    has(text, "run the same command again to go on")
    assert.equal("PENDING", cjson.decode(read "r.json").jobs[1].status)
    server:admin("POST", "job", { jobName =
      cjson.decode(read "r.json").jobs[1].job_name, status = "COMPLETED" })
    assert.equal(0, (program(words)))
    assert.equal("COMPLETED", cjson.decode(read "r.json").status)
    assert.equal(1, #server:admin("GET", "jobs").jobs)
  end)
end)
