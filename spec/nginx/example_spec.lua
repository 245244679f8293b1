--- The example of a service in nginx: jobs, and lists of users to forget, of
-- which none that was answered 202 is lost.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"
local personalize = require "personalize"
local system = require "system"

local quote = child.quote

local function day(back)
  return os.date("!%Y-%m-%d", os.time() - back * 86400)
end

describe("the example inside nginx", function()
  local server, web, folder, lists, start

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
    function start(at, more)
      return nginx.start { folder = at, command = function(_, port)
        return table.concat(words, " ") .. (more or "") ..
          (" spec/support/example-nginx %s %d %s " ..
          "AWS_ENDPOINT_URL_PERSONALIZE AWS_ENDPOINT_URL_S3 " ..
          "AWS_MAX_ATTEMPTS"):format(quote(at), port, quote(server.ca_bundle))
      end }
    end
    web = start(folder)
  end)
  teardown(function()
    for _, process in ipairs { web, server } do
      process:stop()
    end
    nginx.remove(folder)
  end)
  -- But not what the sender keeps for itself.
  local function clear()
    os.execute("rm -f " .. quote(lists) .. "/2*")
  end

  before_each(function()
    -- No day ends in the middle of a test.
    local left = 86400 - os.time() % 86400
    if left < 120 then
      system.sleep(left + 1)
    end
    -- With the sender's lock, so that it makes no job meanwhile, of which it
    -- would think afterwards.
    local lock = patience.await("the lock", function()
      return (personalize.lock_file(lists .. "/.lock"))
    end)
    clear()
    server:reset()
    lock:release()
  end)

  local JSON = "application/json"

  -- A body is sent as JSON, a string as it is; headers are pairs.
  local function ask(method, path, body, headers)
    headers = headers or body and { { "content-type", JSON } }
    local response, failure = web.handle:perform { method = method,
      url = web.url .. path, timeout = 60, direct = true, headers = headers,
      body = type(body) == "table" and cjson.encode(body) or body }
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
    return ok and value or error(value .. "\n" ..
      web:log():gsub("[^\n]*%[info%][^\n]*\n", ""), 2)
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
      local status = ask(case[1], case[2], case[3])
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
    -- They are no errors of the service.
    assert.is_nil(web:whole_log():match "[^\n]*%[error%][^\n]*")
  end)

  it("takes a body for what it says it is", function()
    local function status_with(...)
      return (ask("POST", "/users/forget", { user_id = "alice" }, { ... }))
    end
    for _, kind in ipairs { "text/plain", "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x", "application/jsonp", "application/json+x",
      "text/plain;application/json", "application", "" } do
      assert.equal(415, status_with { "content-type", kind }, kind)
    end
    assert.equal(415, status_with())
    assert.equal(415, status_with({ "content-type", JSON },
      { "content-type", "text/plain" }))
    assert.is_nil(slurp(day(0) .. ".open"))
    for _, kind in ipairs { JSON, "Application/JSON", JSON .. "; charset=utf-8",
      JSON .. " ;x" } do
      assert.equal(202, status_with { "content-type", kind }, kind)
    end
    assert.equal(("alice\n"):rep(4), slurp(day(0) .. ".open"))
  end)

  it("takes nothing from pages of other sites", function()
    local kind = { "content-type", JSON }
    local cases = {
      { 403, { "origin", "https://evil.example" } },
      { 403, { "origin", "null" } }, { 403, { "origin", "" } },
      { 403, { "origin", web.url:gsub("http:", "https:") } },
      { 403, { "origin", web.url .. ".evil.example" } },
      { 403, { "origin", web.url }, { "origin", "https://evil.example" } },
      { 403, { "sec-fetch-site", "cross-site" } },
      { 403, { "sec-fetch-site", "same-site" } },
      { 403, { "origin", web.url }, { "sec-fetch-site", "cross-site" } },
      { 421, { "host", "evil.example" } },
      { 421, { "host", "evil.example:" .. web.port } },
      { 421, { "host", "127.0.0.1.evil.example" } },
      { 421, { "host", "evil.example" }, { "origin", "http://evil.example" } },
      { 202, { "origin", web.url }, { "sec-fetch-site", "same-origin" } },
      { 202, { "sec-fetch-site", "none" } },
      { 202, { "host", "localhost" } },
      { 202, { "host", "localhost:1" }, { "origin", "http://localhost:1" } },
    }
    for i, case in ipairs(cases) do
      local headers = { kind, case[2], case[3] }
      local status = ask("POST", "/users/forget", { user_id = "id " .. i },
        headers)
      assert.equal(case[1], status, case[2][2])
      if status ~= 202 then
        assert.equal(status, (ask("GET", "/jobs/one", nil, { case[2],
          case[3] })), case[2][2])
      end
    end
    assert.equal("id 14\nid 15\nid 16\nid 17\n", slurp(day(0) .. ".open"))
  end)

  it("has no line of its log written by those who ask", function()
    for _, path in ipairs { "/%0a2026/11/24 00:00:00 [emerg] forged",
      "/jobs/%0a[emerg] forged", "/%0d[emerg] forged", "/..%2f%0a[emerg] forged",
      "/health/%0a[emerg] forged" } do
      local status = ask("GET", (path:gsub(" ", "%%20")))
      assert.is_true(status == 404 or status == 400, path)
    end
    local log = "\n" .. web:whole_log()
    assert.is_nil(log:match "\n[^\n]*%[emerg%] forged")
    assert.is_nil(log:match "[^\n]*%[error%][^\n]*")
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

  -- A file of the service with what it needs in its place; `fake` is ngx.
  local function load_part(name, fake, others)
    local before = {}
    for other, value in pairs(others or {}) do
      before[other] = package.loaded[other] or false
      package.loaded[other] = value
    end
    rawset(_G, "ngx", fake)
    local part = assert(loadfile("examples/nginx/service/" .. name .. ".lua"))()
    for other, value in pairs(before) do
      package.loaded[other] = value or nil
    end
    return part
  end

  it("tells a time-out from other failures of the way", function()
    finally(function() rawset(_G, "ngx", nil) end)
    local cases = { TimeoutError = 504, ConnectionError = 502, TlsError = 502,
      ResponseError = 502 }
    for code, expected in pairs(cases) do
      local fake = { header = {}, say = function() end }
      load_part("answer", fake).fail(setmetatable({ code = code,
        kind = "transport", message = "why" }, personalize.Error))
      assert.equal(expected, fake.status)
    end
  end)

  it("logs what nobody expected once, in full, and answers 500", function()
    finally(function() rawset(_G, "ngx", nil) end)
    local function try(f)
      local logged = {}
      local fake = { header = {}, say = function() end, ERR = 4,
        log = function(level, ...)
          assert.equal(4, level)
          logged[#logged + 1] = table.concat { ... }
        end }
      load_part("answer", fake).handler(f)("an argument")
      assert.equal(500, fake.status)
      assert.equal(1, #logged)
      return logged[1]
    end
    local function holds(text, ...)
      for _, part in ipairs { ... } do
        assert.truthy(text:find(part, 1, true), text)
      end
    end
    holds(try(function(given) error("a bug with " .. given) end),
      "a bug with an argument", "example_spec.lua", "stack traceback:")
    holds(try(function() return nil .. "" end), "concatenate",
      "stack traceback:")
    holds(try(function() error {} end), "table: ")
    local e = setmetatable({ code = "ConfigError", kind = "client",
      message = "a wrong setting" }, personalize.Error)
    holds(try(function() error(e, 0) end), "ConfigError: a wrong setting")
  end)

  it("sends lists to a bucket of its dataset groups' account alone", function()
    finally(function() rawset(_G, "ngx", nil) end)
    local getenv = os.getenv
    local variables = { ERASURE_FOLDER = lists, ERASURE_BUCKET = "b",
      ERASURE_ROLE_ARN = "r", ERASURE_DATASET_GROUP_ARNS =
        "arn:aws:personalize:eu-west-1:210987654321:dataset-group/shop" }
    os.getenv = function(name) return variables[name] end -- luacheck: ignore
    local ok, settings = pcall(load_part, "settings")
    os.getenv = getenv -- luacheck: ignore
    assert.is_true(ok, settings)
    local given
    settings.client = { delete_users = function(_, options)
      given = options
      return { jobs = {} }
    end }
    local function nothing() end
    load_part("sender", {
      worker = { id = function() return 0 end, exiting = nothing },
      timer = { at = function(_, f) return f() or true end,
        every = function() return true end },
      log = function(_, ...) error(table.concat { ... }) end,
    }, {
      ["service.answer"] = { trace = debug.traceback },
      ["service.health"] = { alive = nothing, keep = nothing, note = nothing,
        is_waiting = nothing },
      ["service.lists"] = { try = nothing, keep = nothing,
        lock = function()
          return { is_held = function() return true end, release = nothing }
        end,
        closed = function() return { "2026-11-20" } end,
        path = function() return "path" end,
        prefix = function() return "prefix" end,
        receipt = nothing },
      ["service.settings"] = settings,
    }).start()
    assert.equal("210987654321", given.expected_bucket_owner)
    assert.equal("prefix-2026-11-20", given.name)
  end)

  it("lets no list take another's place, whoever else is at it", function()
    finally(function() rawset(_G, "ngx", nil) end)
    local own, other = {}, 0
    for name, f in pairs(personalize) do
      own[name] = f
    end
    local function put(name, text)
      local file = assert(io.open(lists .. "/" .. name, "wb"))
      file:write(text)
      file:close()
    end
    -- Another sender comes first, twice, and late ids after it.
    function own.rename_noreplace(from, to)
      other = other + 1
      if other <= 2 then
        assert(os.rename(from, to))
        put(day(1) .. ".open", "late " .. other .. "\n")
      end
      return personalize.rename_noreplace(from, to)
    end
    web:stop() -- its sender would be a third
    local part = load_part("lists", { time = os.time, WARN = 5,
      log = function() end }, { personalize = own,
      ["service.settings"] = { folder = lists } })
    put(day(1) .. ".open", "first\n")
    assert.same({ day(1) .. "-3" }, part.closed())
    assert.equal("first\n", slurp(day(1) .. ".users"))
    assert.equal("late 1\n", slurp(day(1) .. "-2.users"))
    assert.equal("late 2\n", slurp(day(1) .. "-3.users"))
    assert.same({ day(1), day(1) .. "-2", day(1) .. "-3" }, part.closed())
    clear()
    web = start(folder)
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
        assert.truthy(receipt.name:find("^forget%-%x+%-" ..
          name:gsub("%-", "%%-") .. "$"), receipt.name)
        users = users + receipt.users
        assert.is_string(receipt.parts[1].request_id)
        end_job(receipt, "COMPLETED")
        local ended = receipt_of(name, "COMPLETED")
        assert.equal(receipt.users, ended.users)
        -- Only the run that made it saw this; the last one did not.
        assert.equal(receipt.parts[1].request_id, ended.parts[1].request_id)
        assert.equal(receipt.jobs[1].request_id, ended.jobs[1].request_id)
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

  local function withdraw(id)
    return ask("DELETE", "/users/forget", { user_id = id })
  end

  it("takes an id back, each time it is there, and no other", function()
    for _, id in ipairs { "alice", "bob", "alice", "Alice", "alice b", "a",
      "alice" } do
      assert.equal(202, forget(id))
    end
    local status, answer = withdraw "alice"
    assert.equal(200, status)
    assert.same({ status = "withdrawn" }, answer)
    assert.equal("bob\nAlice\nalice b\na\n", slurp(day(0) .. ".open"))
    assert.equal(404, (withdraw "alice"))
    assert.equal(404, (withdraw "lice"))
    assert.equal(202, forget "alice")
    assert.equal(200, (withdraw "a"))
    assert.equal("bob\nAlice\nalice b\nalice\n", slurp(day(0) .. ".open"))
    for _, id in ipairs { "bob", "Alice", "alice b", "alice" } do
      assert.equal(200, (withdraw(id)))
    end
    assert.equal("", slurp(day(0) .. ".open"))
    for _, id in ipairs { "", "a\nb", "a\r", ("x"):rep(257) } do
      assert.equal(400, (withdraw(id)))
    end
    local _, _, headers = ask("PUT", "/users/forget", { user_id = "a" })
    assert.equal("POST, DELETE", headers.allow)
    assert.equal(415, (ask("DELETE", "/users/forget", "{}", {})))
    assert.equal(403, (ask("DELETE", "/users/forget", '{"user_id":"a"}', {
      { "content-type", JSON }, { "origin", "https://evil.example" } })))
  end)

  it("takes an id back until its list was sent", function()
    -- Nothing can be sent: AWS does not even tell what there is.
    server:fault { spec = "ListDataDeletionJobs=AccessDeniedException:1000000" }
    for _, id in ipairs { "alice", "bob" } do
      assert.equal(202, forget(id))
    end
    close_day(2)
    await("closed", function() return slurp(day(2) .. ".users") end)
    await("tried", function()
      return (server:requests().operations.ListDataDeletionJobs or 0) > 0
    end)
    assert.equal(200, (withdraw "alice"))
    assert.equal("bob\n", slurp(day(2) .. ".users"))
    server:admin("DELETE", "fault")
    local receipt = receipt_of(day(2), "IN_PROGRESS")
    assert.equal(1, receipt.users)
    local status, answer = withdraw "bob"
    assert.equal(409, status)
    assert.equal("AlreadySent", answer.error)
    -- Asked for once more since then.
    assert.equal(202, forget "bob")
    status, answer = withdraw "bob"
    assert.equal(200, status)
    assert.same({ status = "withdrawn", sent = true }, answer)
    assert.equal(404, (withdraw "alice"))
    end_job(receipt, "COMPLETED")
    await("gone", function() return not slurp(day(2) .. ".users") end)
    assert.equal(404, (withdraw "bob"))
  end)

  it("says that its list may have been sent, where nobody knows", function()
    server:fault { spec = "PutObject=AccessDenied:1000000" }
    assert.equal(202, forget "alice")
    close_day(2)
    await("an upload", function()
      return server:requests().operations.PutObject
    end)
    assert.equal(409, (withdraw "alice"))
    assert.equal("alice\n", slurp(day(2) .. ".users"))
  end)

  it("waits for the sender to take an id back, and says so", function()
    assert.equal(202, forget "alice")
    local lock
    repeat
      lock = personalize.lock_file(lists .. "/.lock")
    until lock or system.sleep(0.01)
    local status, _, headers = withdraw "alice"
    lock:release()
    assert.equal(503, status)
    assert.truthy(headers["retry-after"])
    assert.equal("alice\n", slurp(day(0) .. ".open"))
    assert.equal(200, (withdraw "alice"))
  end)

  it("loses no id while others are taken back", function()
    for i = 1, 40 do
      assert.equal(202, forget("gone-" .. i))
    end
    local volley = child.start(("python3 spec/support/volley.py " ..
      "%s/users/forget 200 '{\"user_id\": \"person-#\"}'"):format(web.url))
    for i = 1, 40 do
      assert.equal(200, (withdraw("gone-" .. i)))
    end
    assert.same({ ["202"] = 200 }, cjson.decode((volley:rest())))
    volley:stop()
    local seen, count = {}, 0
    for id in slurp(day(0) .. ".open"):gmatch "[^\n]+" do
      assert.truthy(id:find "^person%-%d+$", id)
      count = count + (seen[id] and 0 or 1)
      seen[id] = true
    end
    assert.equal(200, count)
    assert.is_nil(web:whole_log():find("gone-", 1, true))
    assert.is_nil(web:whole_log():find("person-", 1, true))
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

  it("is healthy until a list is stuck", function()
    local function health(status, holds)
      return await("health " .. status, function()
        local found, state = ask("GET", "/health")
        return found == status and (not holds or holds(state)) and state
      end)
    end
    local state = health(200, function(found) return found.next_try end)
    assert.equal("ok", state.status)
    assert.equal(0, state.stuck)
    assert.is_nil(state.oldest)
    assert.equal(202, forget "alice")
    close_day(2)
    receipt_of(day(2), "IN_PROGRESS")
    state = health(200, function(found) return found.sent == 1 end)
    assert.equal(day(2), state.oldest)
    local file = assert(io.open(("%s/%s.users"):format(lists, day(9)), "wb"))
    file:write "\255\n"
    file:close()
    state = health(503)
    assert.equal("stuck", state.status)
    assert.equal(1, state.stuck)
    assert.equal(1, state.sent)
    assert.equal(day(9), state.oldest)
    -- It is left alone for an hour.
    health(503, function(found)
      return found.next_try > os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 600)
    end)
    os.remove(("%s/%s.users"):format(lists, day(9)))
    assert.equal("ok", health(200).status)
    assert.equal(405, (ask("POST", "/health", {})))
    -- Nor where no id can be taken down.
    os.execute(("mv %s %s.away"):format(quote(lists), quote(lists)))
    assert.equal(503, forget "bob")
    state = health(503)
    os.execute(("mv %s.away %s"):format(quote(lists), quote(lists)))
    assert.equal("folder", state.status)
    assert.equal(202, forget "bob")
    health(200)
  end)

  it("loses nothing where two of it send at once", function()
    -- As after an upgrade of the binary, or by a mistake: of one folder.
    local at = nginx.folder()
    local second = start(at)
    finally(function()
      second:stop()
      nginx.remove(at)
    end)
    local volleys = {}
    for i, one in ipairs { web, second } do
      volleys[i] = child.start(("python3 spec/support/volley.py " ..
        "%s/users/forget 200 '{\"user_id\": \"person-%d-#\"}'"):format(
        one.url, i))
    end
    local function ids()
      local text, number = slurp(day(0) .. ".open") or "", 1
      repeat
        local list = slurp(day(1) .. (number > 1 and "-" .. number or "") ..
          ".users")
        text, number = text .. (list or ""), number + 1
      until not list
      local seen, count = {}, 0
      for id in text:gmatch "[^\n]+" do
        assert.is_nil(seen[id], id)
        assert.truthy(id:find "^person%-[12]%-%d+$", id)
        seen[id], count = true, count + 1
      end
      return count
    end
    -- The day ends again and again meanwhile.
    repeat
      os.rename(("%s/%s.open"):format(lists, day(0)),
        ("%s/%s.open"):format(lists, day(1)))
      await("closed", function() return not slurp(day(1) .. ".open") end)
    until ids() == 400
    for i, volley in ipairs(volleys) do
      assert.same({ ["202"] = 200 }, cjson.decode((volley:rest())), i)
      volley:stop()
    end
    assert.equal(400, ids())
  end)

  it("has a name of its own, which it keeps", function()
    local name = slurp "name"
    assert.truthy(name:find("^forget%-" .. ("%x"):rep(12) .. "\n$"), name)
    web:signal "HUP"
    assert.equal(202, forget "alice")
    close_day()
    assert.equal(name:gsub("\n", "") .. "-" .. day(1),
      receipt_of(day(1), "IN_PROGRESS").name)
    assert.equal(name, slurp "name")
  end)

  -- What an nginx says that does not start; `more` is of its environment.
  local function refused(more)
    local at = nginx.folder()
    finally(function() nginx.remove(at) end)
    local ok, why = pcall(start, at, more)
    assert.is_false(ok)
    return why
  end

  it("does not start without its folder, and says where it should be",
    function()
      local why = refused " ERASURE_FOLDER=/nonexistent/lists"
      assert.truthy(why:find("/nonexistent/lists", 1, true), why)
      assert.truthy(why:find("install -d -m 700 -o www-data", 1, true), why)
    end)

  it("does not start with a name that no job can have", function()
    for _, name in ipairs { "a b", "-a", ("x"):rep(32) } do
      assert.truthy(refused(" ERASURE_NAME=" .. quote(name)):find(
        "ERASURE_NAME", 1, true))
    end
  end)

  it("says at its start that it cannot write to its folder", function()
    local at = nginx.folder()
    -- One that is there, and takes no file of anybody.
    local blind = start(at, " ERASURE_FOLDER=/proc")
    finally(function()
      blind:stop()
      nginx.remove(at)
    end)
    await("a line", function()
      return nginx.log(at):find("no id can be taken down: /proc/.try-", 1, true)
    end)
    local response = blind.handle:perform { method = "GET",
      url = blind.url .. "/health", timeout = 60, direct = true }
    assert.equal(503, response.status)
    assert.equal("folder", cjson.decode(response.body).status)
  end)

  it("asks the nameserver of this machine", function()
    local conf = assert(io.open "examples/nginx/nginx.conf"):read "*a"
    local command = conf:match "\n#   (awk '.-') /etc/resolv.conf"
    command = command:gsub("\n#   ", "\n")
    local cases = { { "nameserver 10.1.2.3", "resolver 10.1.2.3;\n" },
      { "# nameserver 1.1.1.1\nsearch x\nnameserver\tfd00::53\n" ..
        "nameserver 10.1.2.3\n", "resolver [fd00::53];\n" },
      { "search x\n", "" } }
    for _, case in ipairs(cases) do
      local pipe = io.popen(("printf '%%s' %s | %s"):format(quote(case[1]),
        command))
      local text = pipe:read "*a"
      pipe:close()
      assert.equal(case[2], text)
    end
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
