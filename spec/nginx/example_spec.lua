--- The example of a service in nginx: jobs, and lists of users to forget, of
-- which none that was answered 202 is lost.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

local quote = child.quote

local function day(back)
  return os.date("!%Y-%m-%d", os.time() - back * 86400)
end

describe("the example inside nginx", function()
  local server, web, folder, lists

  setup(function()
    -- Its jobs end when they are told to.
    server = aws.start "--tls --versioning --job-seconds 600"
    folder = nginx.folder()
    lists = folder .. "/lists"
    os.execute("mkdir -m 700 " .. quote(lists))
    local names = { AWS_REGION = server.region,
      AWS_ENDPOINT_URL_PERSONALIZE = server.endpoint:gsub("127.0.0.1",
        "localhost"),
      AWS_ACCESS_KEY_ID = server.access_key_id,
      AWS_SECRET_ACCESS_KEY = server.secret_access_key,
      AWS_MAX_ATTEMPTS = "1", ERASURE_FOLDER = lists, ERASURE_EVERY = "0.1",
      ERASURE_BUCKET = server.bucket, ERASURE_ROLE_ARN = server.role_arn,
      ERASURE_DATASET_GROUP_ARNS = server.dataset_group_arn }
    names.AWS_ENDPOINT_URL_S3 = names.AWS_ENDPOINT_URL_PERSONALIZE
    local words = { "env" }
    for name, value in pairs(names) do
      words[#words + 1] = quote(name .. "=" .. value)
    end
    web = nginx.start { folder = folder, command = function(at, port)
      return table.concat(words, " ") .. (" spec/support/example-nginx %s " ..
        "%d %s AWS_ENDPOINT_URL_PERSONALIZE AWS_ENDPOINT_URL_S3 " ..
        "AWS_MAX_ATTEMPTS"):format(quote(at), port, quote(server.ca_bundle))
    end }
  end)
  teardown(function()
    for _, process in ipairs { web, server } do
      process:stop()
    end
    nginx.remove(folder)
  end)
  before_each(function()
    server:reset()
    os.execute("rm -f " .. quote(lists) .. "/*")
  end)

  local function ask(method, path, body, type)
    local response, failure = web.handle:perform { method = method,
      url = web.url .. path, timeout = 60, direct = true,
      body = type and body or body and cjson.encode(body) }
    assert(response, failure and failure.message)
    local ok, value = pcall(cjson.decode, response.body)
    return response.status, ok and value or response.body, response.headers
  end

  -- Of a file in the lists' folder, or nil.
  local function slurp(name)
    local file = io.open(lists .. "/" .. name, "rb")
    local text = file and file:read "*a"
    return file and file:close() and text or nil
  end

  local function await(what, holds)
    local ok, value = pcall(patience.await, what, holds)
    return ok and value or error(value .. "\n" .. web:log(), 2)
  end

  -- What midnight does to the list of today.
  local function close_day(back)
    assert(os.rename(("%s/%s.open"):format(lists, day(0)),
      ("%s/%s.open"):format(lists, day(back or 1))))
  end

  local function receipt_of(name, status)
    return await(name .. " " .. status, function()
      local text = slurp(name .. ".json")
      local receipt = text and cjson.decode(text)
      return receipt and receipt.status == status and receipt
    end)
  end

  local function forget(id)
    return (ask("POST", "/users/forget", { user_id = id }))
  end

  local function end_job(receipt, status)
    server:admin("POST", "job", { jobName = receipt.jobs[#receipt.jobs].job_name,
      status = status, failureReason = status == "FAILED" and "why" or nil })
  end

  local function input(name)
    local job = server:job(name)
    job.dataLocation, job.dataSource = job.dataSource.dataLocation, nil
    return job
  end

  it("creates a job, and describes it by its name and its ARN", function()
    local status, job, headers = ask("POST", "/jobs", input "one")
    assert.equal(201, status)
    local arn = job.dataDeletionJobArn
    assert.truthy(arn:find "^arn:aws:personalize:")
    for _, path in ipairs { headers.location, "/jobs/" .. arn, "/jobs/one" } do
      local found, described = ask("GET", path)
      assert.equal(200, found)
      assert.equal(arn, described.dataDeletionJobArn)
      assert.equal("PENDING", described.status)
    end
    assert.equal(404, (ask("GET", "/jobs/another")))
  end)

  it("answers a caller's faults", function()
    local cases = { { "POST", "/jobs", "{", 400 }, { "POST", "/jobs", "[1]", 400 },
      { "POST", "/jobs", "{}", 400 }, { "GET", "/jobs", nil, 405 },
      { "POST", "/jobs/one", "{}", 405 }, { "GET", "/users/forget", nil, 405 },
      { "POST", "/users/forget", '{"user_id":1}', 400 },
      { "POST", "/jobs", (" "):rep(17 * 1024), 413 },
      { "GET", "/jobs/arn:x", nil, 400 }, { "GET", "/other", nil, 404 } }
    for _, case in ipairs(cases) do
      local status = ask(case[1], case[2], case[3], "text")
      assert.equal(case[4], status, case[1] .. " " .. case[2])
    end
    local wrong = input "no good name"
    wrong.more = 1
    local status, e = ask("POST", "/jobs", wrong)
    assert.equal(400, status)
    assert.equal("ParamValidationError", e.error)
    assert.truthy(e.message:find("jobName", 1, true))
    assert.truthy(e.message:find("more", 1, true))
    assert.equal(0, server:requests().count)
  end)

  it("answers AWS's errors by their names", function()
    local cases = { InvalidInputException = 400, TooManyTagsException = 400,
      ResourceNotFoundException = 404, ResourceAlreadyExistsException = 409,
      ResourceInUseException = 409, LimitExceededException = 429,
      ThrottlingException = 429, TooManyRequestsException = 429,
      AccessDeniedException = 500, UnrecognizedClientException = 500,
      InternalServerException = 502, ServiceUnavailableException = 502 }
    local path = "/jobs/" .. server.dataset_group_arn:gsub(":dataset%-group/.*",
      ":data-deletion-job/one")
    for code, expected in pairs(cases) do
      server:fault { spec = "DescribeDataDeletionJob=" .. code .. ":1" }
      local status, e, headers = ask("GET", path)
      assert.equal(expected, status, code)
      assert.equal(code, e.error)
      assert.equal(status == 429, headers["retry-after"] ~= nil)
      assert.is_nil(status == 500 and e.message:find("arn:", 1, true) or nil)
    end
    server:fault { spec = "DescribeDataDeletionJob=cut:1" }
    assert.equal(502, (ask("GET", path)))
  end)

  it("tells a time-out from other failures of the way", function()
    local cases = { TimeoutError = 504, ConnectionError = 502, TlsError = 502,
      ResponseError = 502 }
    local answer = assert(loadfile "examples/nginx/service/answer.lua")
    for code, expected in pairs(cases) do
      local fake = { header = {}, say = function() end }
      rawset(_G, "ngx", fake)
      local ok, why = pcall(function()
        answer().fail(setmetatable({ code = code, kind = "transport",
          message = "why" }, require("personalize").Error))
      end)
      rawset(_G, "ngx", nil)
      assert.is_true(ok, why)
      assert.equal(expected, fake.status)
    end
  end)

  it("takes ids down one by one, whoever else does", function()
    -- The day ends in the middle, twice over: what comes late is a list more.
    local volley = child.start(("python3 spec/support/volley.py " ..
      "%s/users/forget 200 '{\"user_id\": \"person-#\"}'"):format(web.url))
    for _ = 1, 2 do
      await("ids", function() return slurp(day(0) .. ".open") end)
      close_day()
      await("closed", function() return not slurp(day(1) .. ".open") end)
    end
    local ends = cjson.decode((volley:rest()))
    volley:stop()
    assert.same({ ["202"] = 200 }, ends)
    if slurp(day(0) .. ".open") then
      close_day()
      await("closed", function() return not slurp(day(1) .. ".open") end)
    end
    local users = 0
    for _, name in ipairs { day(1), day(1) .. "-2", day(1) .. "-3" } do
      if slurp(name .. ".users") or slurp(name .. ".json") then
        local receipt = receipt_of(name, "IN_PROGRESS")
        assert.equal("forget-" .. name, receipt.name)
        users = users + receipt.users
        end_job(receipt, "COMPLETED")
        assert.equal(receipt.users, receipt_of(name, "COMPLETED").users)
        await("list gone", function() return not slurp(name .. ".users") end)
      end
    end
    assert.equal(200, users)
    for _, object in ipairs(server:admin("GET", "objects").objects) do
      assert.is_nil(object.key:find("forget", 1, true), object.key)
    end
  end)

  it("takes down what the list can hold, and refuses the rest", function()
    for _, id in ipairs { "a,b", '"quoted"', " ", "\195\169", ("x"):rep(256),
      "USER_ID", "#" } do
      assert.equal(202, forget(id))
    end
    for _, id in ipairs { "", "a\nb", "a\rb", "a\r", "a\0b", ("x"):rep(257),
      "\255", "\239\187\191a" } do
      assert.equal(400, forget(id))
    end
    local lines = { slurp(day(0) .. ".open"):gsub("\n", "") }
    assert.equal(7, lines[2])
    close_day()
    assert.equal(7, receipt_of(day(1), "IN_PROGRESS").users)
  end)

  it("takes away a list that nobody is on", function()
    -- As a worker leaves it that made it while the day ended.
    io.open(("%s/%s.open"):format(lists, day(8)), "wb"):close()
    await("nothing", function()
      return not slurp(day(8) .. ".open") and not slurp(day(8) .. ".users")
    end)
    assert.is_nil(slurp(day(8) .. ".json"))
  end)

  it("loses nothing with a worker that dies", function()
    for i = 1, 5 do
      assert.equal(202, forget("id " .. i))
    end
    for _, pid in ipairs(web:workers()) do
      os.execute("kill -9 " .. pid)
    end
    close_day()
    await("workers", function() return #web:workers() > 0 and
      pcall(forget, "late") end)
    local receipt = receipt_of(day(1), "IN_PROGRESS")
    assert.equal(5, receipt.users)
    end_job(receipt, "COMPLETED")
    receipt_of(day(1), "COMPLETED")
  end)

  it("holds no reload up while jobs go on", function()
    assert.equal(202, forget "alice")
    close_day()
    local receipt = receipt_of(day(1), "IN_PROGRESS")
    local old = web:workers()
    web:signal "HUP"
    -- Its job does not end before that.
    await("a reload", function()
      local pids = table.concat(web:workers(), " ") .. " "
      for _, pid in ipairs(old) do
        if pids:find(pid .. " ", 1, true) then
          return false
        end
      end
      return #web:workers() > 0
    end)
    assert.truthy(slurp(day(1) .. ".users"))
    end_job(receipt, "COMPLETED")
    receipt_of(day(1), "COMPLETED")
  end)

  it("sends the list of a job that FAILED once more, and is in no hurry",
    function()
      assert.equal(202, forget "alice")
      close_day(4)
      end_job(receipt_of(day(4), "IN_PROGRESS"), "FAILED")
      local receipt = await("another job", function()
        local found = receipt_of(day(4), "IN_PROGRESS")
        return found.jobs[2] and found
      end)
      assert.equal("FAILED", receipt.jobs[1].status)
      end_job(receipt, "FAILED")
      -- The run that does this has seen the other list, too.
      assert.equal(202, forget "bob")
      close_day(3)
      end_job(receipt_of(day(3), "IN_PROGRESS"), "COMPLETED")
      receipt_of(day(3), "COMPLETED")
      assert.equal("alice\n", slurp(day(4) .. ".users"))
      assert.equal(3, server:requests().operations.CreateDataDeletionJob)
    end)

  it("is kept from no list by another's faults", function()
    local file = assert(io.open(("%s/%s.users"):format(lists, day(6)), "wb"))
    file:write "\255\n"
    file:close()
    assert.equal(202, forget "alice")
    close_day(5)
    end_job(receipt_of(day(5), "IN_PROGRESS"), "COMPLETED")
    -- Nearer days come first: one more, so that it had its turn.
    assert.equal(202, forget "alice")
    close_day(7)
    receipt_of(day(7), "IN_PROGRESS")
    receipt_of(day(5), "COMPLETED")
    assert.equal("\255\n", slurp(day(6) .. ".users"))
  end)

  it("answers 503 where it cannot write, and goes on when it can", function()
    os.execute(("mv %s %s.away"):format(quote(lists), quote(lists)))
    local status, _, headers = ask("POST", "/users/forget", { user_id = "x" })
    os.execute(("mv %s.away %s"):format(quote(lists), quote(lists)))
    assert.equal(503, status)
    assert.truthy(headers["retry-after"])
    assert.equal(202, forget "alice")
    assert.equal("alice\n", slurp(day(0) .. ".open"))
  end)

  it("logs no id", function()
    assert.equal(202, forget "mary-the-quite-contrary")
    assert.equal(400, forget("mary-the-quite-contrary\n"))
    close_day()
    receipt_of(day(1), "IN_PROGRESS")
    for _, name in ipairs { "error.log", "access.log" } do
      local file = assert(io.open(folder .. "/" .. name))
      local text = file:read "*a"
      file:close()
      assert.is_true(#text > 0)
      for _, id in ipairs { "mary", "person-1", "alice" } do
        assert.is_nil(text:find(id, 1, true), name)
      end
    end
  end)
end)
