--- The receipt of delete-users as a process writes it: when, where, and what it
-- keeps of the one that is there.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local programs = require "spec.support.program"
local script = require "spec.support.script"

local quote = child.quote

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

local function lacks(text, part)
  assert.is_nil(text:find(part, 1, true), text)
end

describe("the receipt of the program", function()
  local server, strangers, place, folder
  setup(function()
    strangers = aws.start "--tls"
    server = aws.start("--job-seconds 0.1 --versioning --dataset-group shop " ..
      "--dataset-group other")
    place = programs.new(server)
    folder = place.folder
  end)
  teardown(function()
    server:stop()
    strangers:stop()
    place:remove()
  end)
  before_each(function()
    server:reset()
    place:clear()
  end)

  local function path(name)
    return place:path(name)
  end

  local function write(name, text)
    place:write(name, text)
  end

  local function read(name)
    return place:read(name)
  end

  local function command(...)
    return place:command(...)
  end

  -- Status, standard output, standard error.
  local function program(...)
    return place:run(...)
  end

  -- The same with standard output into a pipe that nobody reads: its reader
  -- closes it before the program starts.
  local function unread(words)
    local gone = quote(path "gone")
    return program(words, nil, "{ until [ -e " .. gone .. " ]; do sleep 0.01; " ..
      "done; %s; } | { exec <&-; : >" .. gone .. "; }")
  end

  local function erase(more, name)
    more = more or ""
    return ("delete-users %s --format lines --name %s --bucket %s " ..
      "--role %s --poll 0.05 --dataset-group %s %s %s"):format(
      path "list.txt", name or "night", server.bucket, server.role_arn,
      server.dataset_group_arn, more:find("--receipt", 1, true) and "" or
      "--receipt " .. path "r.json", more)
  end

  -- So many parts, of 4096 bytes.
  local function write_list(parts)
    local lines = {}
    for i = 1, (parts - 1) * 255 + 10 do
      lines[i] = ("user-%010d\n"):format(i)
    end
    write("list.txt", table.concat(lines))
  end

  before_each(function()
    write("list.txt", "alice\nbob\n")
  end)

  -- How often jobs were looked at.
  local function describes()
    local count = 0
    for _, request in ipairs(server:requests().requests) do
      count = count + (request.operation == "DescribeDataDeletionJob" and 1 or
        0)
    end
    return count
  end

  describe("where nothing was sent", function()
    local OTHER_KEY = { AWS_SECRET_ACCESS_KEY = "wrong" }
    for title, case in pairs {
      ["no credentials"] = { 253, "NoCredentialsError",
        variables = { AWS_ACCESS_KEY_ID = false,
          AWS_SECRET_ACCESS_KEY = false }, is_told_late = true },
      ["a wrong key"] = { 254, "", variables = OTHER_KEY,
        is_told_late = true },
      ["no region"] = { 253, "NoRegionError", variables =
        { AWS_REGION = false }, is_told_late = true },
      ["a refused connection"] = { 255, "ConnectionError",
        "--endpoint-url http://127.0.0.1:1", is_told_late = true },
      ["an authority that is not known"] = { 255, "TlsError",
        function() return "--endpoint-url " .. strangers.endpoint end,
        is_told_late = true },
      ["a role that is none"] = { 252, "--role is no ARN of an IAM role",
        "--role none" },
      ["a tag that is none"] = { 252, "--tag has other characters",
        "--tag '*=x'" },
      ["a bucket that is none"] = { 254, "NoSuchBucket",
        "--bucket nobodys", is_told_late = true, is_sent = true },
    } do
      local status, part = case[1], case[2]
      local more = case[3] or ""
      it("is none: " .. title, function()
        more = type(more) == "function" and more() or more
        for _, json in ipairs { "", "--json " } do
          local got, out, err = program(erase(json .. more), case.variables)
          assert.equal(status, got, err)
          assert.is_nil(read "r.json")
          has(err, part)
          lacks(out .. err, "may have been created")
          lacks(out .. err, "personal data")
          lacks(out .. err, "solution version")
          if not case.is_sent then
            has(err, "\nnothing was sent\n")
          end
          -- A program that asked for JSON gets what there is.
          if json == "" or status < 254 then
            assert.equal("", out)
          else
            assert.equal("NOT_STARTED", cjson.decode(out).jobs[1].status)
          end
        end
        if case.is_told_late then
          return
        end
        local got, out, err = program(erase("--dry-run " .. more),
          case.variables)
        assert.equal(status, got, err)
        assert.equal("", out)
        assert.is_nil(read "r.json")
        has(err, "\nnothing was sent\n")
      end)
    end

    it("is none of a dry run", function()
      local status, out, err = program(erase "--dry-run --json")
      assert.equal(0, status, err)
      assert.equal("DRY_RUN", cjson.decode(out).status)
      assert.equal("NOT_STARTED", cjson.decode(out).jobs[1].status)
      assert.is_nil(read "r.json")
      has(err, "is not written")
    end)

    it("leaves the one that is there", function()
      assert.equal(0, (program(erase "--wait")))
      local before = read "r.json"
      for _, more in ipairs { "--endpoint-url http://127.0.0.1:1",
        "--role none", "--dry-run", "--dry-run --role none" } do
        program(erase(more))
        assert.equal(before, read "r.json")
      end
    end)
  end)

  describe("of another run", function()
    it("is never written over", function()
      assert.equal(0, (program(erase "--wait")))
      local before, sent = read "r.json", server:requests().count
      local function refused(part, ...)
        local status, out, err = program(erase(...))
        assert.equal(252, status, err)
        assert.equal("", out)
        has(err, part)
        assert.equal(before, read "r.json")
        assert.equal(sent, server:requests().count)
      end
      refused("of another run", "--wait", "other")
      refused("of another run", "--dry-run", "other")
      refused("in another place", "--wait --prefix elsewhere")
      write("list.txt", "alice\n")
      refused("of another list", "--wait")
    end)

    it("is not written over either where it came meanwhile", function()
      assert.equal(0, (program(erase("--wait --receipt " .. path "o.json",
        "other"))))
      local other, before = read "o.json", describes()
      server:admin("POST", "settings", { job_seconds = 60 })
      local process = script.watch(command(erase "--wait --json") .. " 2>" ..
        path "stderr")
      -- After a second look, which tells nothing new, all of it is written.
      repeat until describes() >= before + 2
      write("r.json", other)
      process:signal "TERM"
      local out = process:rest():match "^(.*)status 143\n$"
      process:stop()
      assert.equal(other, read "r.json")
      has(read "stderr", "could not be written")
      assert.equal("night", cjson.decode(out).name)
    end)

    it("is left where it is no receipt", function()
      for _, text in ipairs { "{", "USER_ID\nalice\n", "[]", "null", "\n",
        '{"version":2,"parts":[]}', '{"version":1}',
        '{"version":1,"name":"night","parts":[{"part":1}]}' } do
        write("r.json", text)
        local status, out, err = program(erase "--wait")
        assert.equal(252, status, err)
        assert.equal("", out)
        has(err, path "r.json")
        assert.equal(text, read "r.json")
      end
      assert.equal(0, server:requests().count)
    end)

    it("may be an empty file", function()
      write("r.json", "")
      assert.equal(0, (program(erase "--wait")))
      assert.equal("COMPLETED", cjson.decode(read "r.json").status)
    end)
  end)

  describe("that goes elsewhere", function()
    it("is printed once, to standard output", function()
      for _, name in ipairs { "-", "/dev/stdout" } do
        for _, json in ipairs { "", "--json" } do
          local status, out, err = program(erase("--wait --receipt " .. name ..
            " " .. json))
          assert.equal(0, status, err)
          assert.equal("COMPLETED", cjson.decode(out).status)
        end
      end
      assert.is_nil(io.open "-")
    end)

    it("is never looked for in a device or a pipe", function()
      assert.equal(0, (program(erase "--wait --receipt /dev/null")))
      local sent = server:requests().count
      os.execute("mkfifo " .. quote(path "pipe"))
      local status, _, err = program(erase("--wait --receipt " .. path "pipe"))
      assert.equal(252, status)
      has(err, path "pipe")
      assert.equal(sent, server:requests().count)
    end)
  end)

  describe("of a second run", function()
    it("keeps what the first one saw", function()
      assert.equal(0, (program(erase "--wait --ticket T1 --cleanup")))
      local before = read "r.json"
      has(before, '"version_id"')
      has(before, '"removed_at"')
      assert.equal(2, select(2, before:gsub('"request_id"', "")))
      local status, out = program(erase "--wait --json --cleanup")
      assert.equal(0, status)
      assert.equal(before, out)
      assert.equal(before, read "r.json")
    end)

    it("goes on with the first one's", function()
      server:admin("POST", "settings", { job_seconds = 60 })
      assert.equal(0, (program(erase())))
      local first = cjson.decode(read "r.json")
      assert.equal("PENDING", first.jobs[1].status)
      server:admin("POST", "job", { jobName = first.jobs[1].job_name,
        status = "COMPLETED" })
      server:admin("POST", "settings", { job_seconds = 0.1 })
      assert.equal(0, (program(erase "--wait")))
      local second = cjson.decode(read "r.json")
      assert.equal("COMPLETED", second.status)
      assert.equal(first.jobs[1].request_id, second.jobs[1].request_id)
      assert.equal(first.parts[1].version_id, second.parts[1].version_id)
      assert.equal(first.started, second.started)
    end)

    it("loses nothing where several write it at once", function()
      write_list(3)
      local processes = {}
      local words = erase("--wait --part-size 4096 --quiet --dataset-group " ..
        server.dataset_group_arns[2])
      for i = 1, 4 do
        processes[i] = child.start(command(words) .. " 2>&1")
      end
      for i = 1, 4 do
        processes[i]:rest()
        processes[i]:stop()
      end
      assert.equal(6, #server:admin("GET", "jobs").jobs)
      local receipt = cjson.decode(read "r.json")
      assert.equal("COMPLETED", receipt.status)
      assert.equal(6, #receipt.jobs)
      for _, job in ipairs(receipt.jobs) do
        assert.is_string(job.request_id)
      end
      for _, part in ipairs(receipt.parts) do
        assert.is_string(part.request_id)
      end
      -- Nothing is left beside it.
      local pipe = io.popen("ls -A " .. quote(folder))
      local names = pipe:read "*a"
      pipe:close()
      assert.equal("list.txt\nr.json\n", names)
    end)
  end)

  describe("of a run that did a part", function()
    it("comes with a status of its own, and is told although quiet",
      function()
        write_list(6)
        server:admin("POST", "settings", { pending_quota = 2,
          job_seconds = 60 })
        local status, _, err = program(erase("--part-size 4096 --quiet"))
        assert.equal(5, status)
        has(err, "4 of 6 jobs not created yet")
        assert.equal(1, select(2, err:gsub("\n", "")))
        assert.equal(2, #server:admin("GET", "jobs").jobs)
        server:admin("POST", "settings", { pending_quota = 100 })
        status, _, err = program(erase("--part-size 4096 --max-pending 3"))
        assert.equal(5, status)
        has(err, "3 of 6 jobs not created yet")
        status, _, err = program(erase("--part-size 4096 --max-pending 6"))
        assert.equal(0, status)
        lacks(err, "not created")
        assert.equal(6, #server:admin("GET", "jobs").jobs)
      end)

    it("says that --cleanup waits for the jobs", function()
      local _, _, err = program(erase "--cleanup")
      has(err, "--cleanup does nothing yet")
      _, _, err = program(erase "--cleanup --wait")
      lacks(err, "--cleanup")
      assert.same({}, server:admin("GET", "objects").objects)
      _, _, err = program(erase "--cleanup")
      lacks(err, "--cleanup")
    end)
  end)

  it("is verified although it does not say how far it was", function()
    assert.equal(0, (program(erase "--wait")))
    write("r.json", (read "r.json":gsub('"status": "COMPLETED",\n', "")))
    local status, out = program(("verify-receipt %s %s --format lines")
      :format(path "r.json", path "list.txt"))
    assert.equal(0, status)
    has(out, "not known")
  end)

  it("tells of a job that deleted nothing", function()
    server:admin("POST", "settings", { users = { "somebody" } })
    local status, out, err = program(erase "--wait")
    assert.equal(0, status)
    has(out, "0 records, for 2 users")
    has(err, "1 of 1 job COMPLETED without deleting a record")
    server:admin("POST", "settings", { users = { "alice" } })
    status, out, err = program(erase("--wait --receipt " ..
      path "other.json", "other"))
    assert.equal(0, status)
    lacks(out .. err, "deleting a record")
  end)

  describe("whose reader goes away", function()
    it("is in the file all the same", function()
      for _, more in ipairs { "", "--json", "--json --quiet" } do
        os.remove(path "gone")
        assert.equal(141, (unread(erase(more))))
        assert.equal(1, #cjson.decode(read "r.json").jobs)
        os.remove(path "r.json")
      end
    end)

    it("does not hide why a run failed", function()
      server:fault { spec = "CreateDataDeletionJob=job-fails" }
      local status, _, err = unread(erase "--json --wait")
      assert.equal(1, status)
      has(err, "DataDeletionJobFailed")
      assert.equal("FAILED", cjson.decode(read "r.json").status)
    end)
  end)

  it("is written when a signal ends the run", function()
    server:admin("POST", "settings", { job_seconds = 60 })
    for name, status in pairs { TERM = 143, HUP = 129 } do
      server:reset()
      os.remove(path "r.json")
      local process = script.watch(command(erase "--wait --quiet") ..
        " 2>/dev/null")
      repeat until describes() > 0
      process:signal(name)
      assert.equal(status,
        tonumber(process:rest():match "status (%-?%d+)\n$"))
      process:stop()
      assert.equal("PENDING", cjson.decode(read "r.json").jobs[1].status)
    end
  end)

  describe("while the run goes on", function()
    it("survives a kill, with all that only this run could see", function()
      server:admin("POST", "settings", { job_seconds = 60 })
      local process = script.watch(command(erase "--wait --quiet") ..
        " 2>/dev/null")
      repeat until describes() >= 2
      process:signal "KILL"
      assert.equal("status -9\n", process:rest())
      process:stop()
      local receipt = cjson.decode(read "r.json")
      assert.equal("IN_PROGRESS", receipt.status)
      assert.equal("PENDING", receipt.jobs[1].status)
      assert.is_string(receipt.jobs[1].arn)
      assert.is_string(receipt.jobs[1].request_id)
      assert.is_string(receipt.parts[1].version_id)
      server:admin("POST", "settings", { job_seconds = 0.1 })
      server:admin("POST", "job", { jobName = receipt.jobs[1].job_name,
        status = "COMPLETED" })
      assert.equal(0, (program(erase "--wait")))
      local last = cjson.decode(read "r.json")
      assert.equal("COMPLETED", last.status)
      assert.equal(receipt.jobs[1].request_id, last.jobs[1].request_id)
      assert.equal(receipt.started, last.started)
    end)

    it("stops the run before anything is sent, if it cannot be kept",
      function()
        local process = child.start("sh -c " .. quote(("{ ulimit -f 0; %s; " ..
          "echo status $?; } 2>&1 | cat"):format(command(erase "--wait"))))
        local out = process:rest()
        process:stop()
        has(out, "status 252\n")
        lacks(out, "personal data")
        assert.is_nil(read "r.json")
        has(out, "--receipt cannot be written to " .. path "r.json")
        has(out, "nothing was sent")
        assert.same({}, server:admin("GET", "objects").objects)
        assert.same({}, server:admin("GET", "jobs").jobs)
      end)

    it("leaves what was there where nothing was done in the end", function()
      local to = " --bucket nobodys"
      write("empty.json", "")
      for name, before in pairs { ["r.json"] = false, ["empty.json"] = "" } do
        assert.equal(254, (program(erase("--wait --receipt " .. path(name) ..
          to))))
        assert.equal(before or nil, read(name))
      end
      os.execute(("ln -s target %s"):format(quote(path "link.json")))
      assert.equal(254, (program(erase("--wait --receipt " ..
        path "link.json" .. to))))
      assert.equal("", read "link.json")
      -- The list of a run that was refused elsewhere before.
      assert.equal(0, (program(erase "--wait")))
      local first = read "r.json"
      server:admin("POST", "reset")
      server:fault { spec = "PutObject=AccessDenied" }
      assert.equal(254, (program(erase "--wait")))
      assert.equal(first, read "r.json")
    end)
  end)
end)
