--- `personalize follow` as a process: the file that it reads and writes, and how
-- it ends.

local aws = require "spec.support.aws"
local buckets = require "spec.support.bucket"
local child = require "spec.support.child"
local cjson = require "cjson"
local programs = require "spec.support.program"
local script = require "spec.support.script"

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

local function lacks(text, part)
  assert.is_nil(text:find(part, 1, true), text)
end

describe("the command follow", function()
  local server, place
  setup(function()
    server = aws.start("--job-seconds 0.1 --versioning --dataset-group shop " ..
      "--dataset-group other")
    place = programs.new(server)
  end)
  teardown(function()
    server:stop()
    place:remove()
  end)
  before_each(function()
    server:reset()
    place:clear()
  end)

  -- A run of so many parts that was left, its list gone.
  local function begin(parts, more)
    local lines = {}
    for i = 1, ((parts or 1) - 1) * 255 + 10 do
      lines[i] = ("user-%010d\n"):format(i)
    end
    place:write("list.txt", table.concat(lines))
    local status, _, err = place:run(("delete-users %s --format lines " ..
      "--name night --bucket %s --role %s --dataset-group %s " ..
      "--part-size 4096 --receipt %s %s"):format(place:path "list.txt",
      server.bucket, server.role_arn, server.dataset_group_arn,
      place:path "r.json", more or ""))
    assert.is_true(status == 0 or status == 5, err)
    os.remove(place:path "list.txt")
    return cjson.decode(place:read "r.json")
  end

  local function follow(more, variables, shape)
    return place:run(("follow %s --poll 0.05 %s"):format(place:path "r.json",
      more or ""), variables, shape)
  end

  local function kept()
    return cjson.decode(place:read "r.json")
  end

  local function jobs()
    return server:admin("GET", "jobs").jobs
  end

  it("goes on to the end, and brings the file up to date", function()
    local before = begin(4, "--max-pending 2")
    assert.equal("NOT_STARTED", before.jobs[4].status)
    local status, out, err = follow "--wait --cleanup"
    assert.equal(0, status, err)
    has(out, "COMPLETED")
    has(err, "cleanup: ")
    local receipt = kept()
    assert.equal("COMPLETED", receipt.status)
    assert.equal(before.jobs[1].request_id, receipt.jobs[1].request_id)
    assert.is_string(receipt.jobs[4].request_id)
    assert.is_string(receipt.parts[4].removed_at)
    assert.equal(4, #jobs())
    assert.same({}, server:admin("GET", "objects").objects)
    -- Nothing is left beside it.
    local pipe = io.popen("ls -A " .. child.quote(place.folder))
    assert.equal("r.json\nstatus\nstderr\n", pipe:read "*a")
    pipe:close()
  end)

  it("prints JSON alone, and nothing on standard error if quiet", function()
    begin()
    local status, out, err = follow "--wait --json --quiet"
    assert.equal(0, status)
    assert.equal("", err)
    assert.equal(out, place:read "r.json")
  end)

  it("looks once without --wait, and says what is left", function()
    server:admin("POST", "settings", { pending_quota = 1, job_seconds = 60 })
    begin(2)
    local status, _, err = follow "--cleanup"
    assert.equal(5, status)
    has(err, "1 of 2 jobs not created yet")
    has(err, "--cleanup does nothing yet")
    assert.equal("IN_PROGRESS", kept().status)
    status, _, err = follow "--wait --max-wait 0.5"
    assert.equal(4, status)
    has(err, "WaitTimeoutError")
    has(err, "run the same command again to go on")
  end)

  it("takes region and place from the receipt", function()
    begin()
    assert.equal(0, (follow("--wait", { AWS_REGION = false })))
    assert.equal(0, (follow("--wait", { AWS_REGION = "us-east-1" })))
    local sent = server:requests().count
    local status, _, err = follow "--region us-east-1"
    assert.equal(252, status)
    has(err, "is of the region eu-west-1, but the region in use is us-east-1")
    has(err, "nothing was sent")
    status, _, err = follow("", { AWS_ACCOUNT_ID = "999999999999" })
    assert.equal(252, status)
    has(err, "of the account 123456789012, but the credentials are of " ..
      "999999999999")
    has(err, "nothing was sent")
    assert.equal(sent, server:requests().count)
  end)

  it("says which part of the list is gone, and does the rest", function()
    local before = begin(3, "--max-pending 1")
    local location = before.parts[2].location
    local key = location:match "^s3://[^/]*/(.*)$"
    local bucket = buckets.open(server)
    assert(bucket:remove(key))
    bucket:close()
    local status, out, err = follow "--wait --cleanup"
    assert.equal(3, status, err)
    has(err, "UserListError")
    has(err, "part 2 of 3, " .. location .. ": it is not there any more")
    has(out, "PARTIAL")
    has(out, "Part 2 of the list is needed")
    assert.equal("PARTIAL", kept().status)
    assert.equal(2, #jobs())
  end)

  it("ends with 1 where a job FAILED, and tries it again", function()
    server:admin("POST", "settings", { job_seconds = 60 })
    local name = begin().jobs[1].job_name
    server:admin("POST", "job", { jobName = name, status = "FAILED" })
    server:admin("POST", "settings", { job_seconds = 0.1 })
    server:fault { spec = "CreateDataDeletionJob=job-fails:1" }
    local status, _, err = follow "--wait"
    assert.equal(1, status)
    has(err, "DataDeletionJobFailed: 1 of 1 job FAILED: " .. name .. "-r1")
    assert.equal(0, (follow "--wait"))
    local receipt = kept()
    assert.equal("COMPLETED", receipt.status)
    assert.equal(3, #receipt.jobs)
    assert.equal(name .. "-r2", receipt.jobs[3].job_name)
  end)

  it("reads standard input and pipes, and then prints JSON", function()
    begin()
    local before = place:read "r.json"
    for _, name in ipairs { "-", "/dev/stdin" } do
      local status, out, err = place:run("follow " .. name ..
        " --wait --poll 0.05 <" .. place:path "r.json")
      assert.equal(0, status, err)
      assert.equal("COMPLETED", cjson.decode(out).status)
      assert.equal(before, place:read "r.json")
    end
    local status, out, err = place:run("follow /dev/fd/7 --wait 7<&0", nil,
      "cat " .. place:path "r.json" .. " | %s")
    assert.equal(0, status, err)
    assert.equal("COMPLETED", cjson.decode(out).status)
  end)

  it("refuses what is no receipt, and what does not fit together", function()
    begin()
    local good, sent = place:read "r.json", server:requests().count
    local cases = { ["no receipt to go on with"] = "USER_ID\nalice\n",
      ["it is none of version 1"] = "{}", ["is not JSON"] = "",
      ["has a bucket that is no bucket's name"] =
        good:gsub('"bucket": "[^"]*"', '"bucket": "No Bucket"'),
      ["lies where its run puts none"] = good:gsub("0001of1", "0001of2"),
      ["is of a dry run"] = good:gsub('"IN_PROGRESS"', '"DRY_RUN"'),
      ["has a job 1 whose ARN"] = good:gsub(
        '"arn": "[^"]*"', '"arn": "arn:aws:personalize:eu-west-1:' ..
        '999999999999:data-deletion-job/x"') }
    for part, text in pairs(cases) do
      place:write("r.json", text)
      local status, out, err = follow "--wait --cleanup"
      assert.equal(252, status, err)
      assert.equal("", out)
      has(err, part)
      has(err, "nothing was sent")
      assert.equal(text, place:read "r.json")
    end
    os.remove(place:path "r.json")
    local status, _, err = follow ""
    assert.equal(252, status)
    has(err, "No such file")
    -- All faults at once.
    status, _, err = place:run "follow --tag x --max-wait y"
    assert.equal(252, status)
    has(err, "3 faults")
    assert.equal(sent, server:requests().count)
  end)

  it("leaves the file where nothing could be done", function()
    begin()
    local before = place:read "r.json"
    for _, case in ipairs { { 253, "", { AWS_SECRET_ACCESS_KEY = false } },
      { 254, "", { AWS_SECRET_ACCESS_KEY = "wrong" } },
      { 255, "--endpoint-url http://127.0.0.1:1" } } do
      local status, _, err = follow(case[2], case[3])
      assert.equal(case[1], status, err)
      has(err, "nothing was sent")
      assert.equal(before, place:read "r.json")
    end
  end)

  it("never writes over another run's, or what is no receipt", function()
    server:admin("POST", "settings", { job_seconds = 60 })
    begin()
    for _, other in ipairs { (place:read "r.json":gsub("night", "other")),
      "my notes\n" } do
      local sent = server:requests().count
      local mine = place:read "r.json"
      local process = script.watch(place:command("follow " ..
        place:path "r.json" .. " --wait --poll 0.05 --json") .. " 2>" ..
        place:path "stderr")
      repeat until server:requests().count >= sent + 6
      place:write("r.json", other)
      process:signal "TERM"
      local out = process:rest():match "^(.*)status 143\n$"
      process:stop()
      assert.equal(other, place:read "r.json")
      has(place:read "stderr", "could not be written")
      assert.equal("night", cjson.decode(out).name)
      place:write("r.json", mine)
    end
  end)

  it("may be at it several times at once", function()
    begin(5, "--max-pending 2")
    local processes = {}
    for i = 1, 3 do
      processes[i] = child.start(place:command("follow " ..
        place:path "r.json" .. " --wait --poll 0.05 --quiet") .. " 2>&1")
    end
    for i = 1, 3 do
      lacks(processes[i]:rest(), "error")
      processes[i]:stop()
    end
    assert.equal(5, #jobs())
    local receipt = kept()
    assert.equal("COMPLETED", receipt.status)
    for _, job in ipairs(receipt.jobs) do
      assert.is_string(job.request_id)
    end
  end)

  it("stops where the receipt cannot be written, before it creates a job",
    function()
      begin(2, "--max-pending 1")
      local process = child.start("sh -c " .. child.quote(
        ("{ ulimit -f 0; %s; echo status $?; } 2>&1 | cat"):format(
        place:command("follow " .. place:path "r.json"))))
      local out = process:rest()
      process:stop()
      has(out, "status 252\n")
      has(out, "cannot be written to " .. place:path "r.json")
      assert.equal(1, #jobs())
    end)
end)
