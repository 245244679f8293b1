--- Every way on which text from outside reaches a person: none lets through
-- what a terminal obeys or a reader does not see, and none gets a line more.

local callback = require "personalize.callback"
local call = require "personalize.call"
local child = require "spec.support.child"
local cjson = require "cjson"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local people = require "spec.support.people"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

-- As wrong, where it matters, as the nasty ones are.
local HARMLESS = "/x"
local ARN = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/a"

local function utf8(point)
  if point < 0x80 then
    return string.char(point)
  elseif point < 0x800 then
    return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64)
  end
  return string.char(0xE0 + math.floor(point / 4096),
    0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
end

-- All control characters, C1, marks of direction, separators, what is invisible,
-- and sequences that clear a screen or set a title.
local function nasty()
  local parts = { "ok\r\nOK\27[2J\27]0;title\7\194\155" .. "31m" }
  local function add(first, last)
    for point = first, last do
      parts[#parts + 1] = utf8(point)
    end
  end
  add(0x00, 0x1F)
  add(0x7F, 0x9F)
  add(0x61C, 0x61C)
  add(0x200B, 0x200F)
  add(0x2028, 0x202E)
  add(0x2060, 0x206F)
  add(0xFEFF, 0xFEFF)
  return table.concat(parts)
end

local NASTY = nasty()
-- And what is not UTF-8, where it can come in. No file has zero bytes in its
-- name, and no header line ends.
local BYTES = {}
for byte = 128, 255 do
  BYTES[#BYTES + 1] = string.char(byte) .. "."
end
local RAW = NASTY .. table.concat(BYTES)
local NAME = RAW:gsub("%z", ""):gsub("/", "")

-- Raises unless all of the text may be seen; `lines` is how many it may have.
local function assert_fit(text, lines, what)
  local shown = core.printable((text:gsub("\n", "")))
  assert.equal(shown, (text:gsub("\n", "")), what)
  local _, count = text:gsub("\n", "")
  assert.equal(lines, count, what .. ": " .. text)
end

-- All strings of a value, without its line of code.
local function strings(value, found)
  found = found or {}
  if type(value) == "string" then
    found[#found + 1] = value
  elseif type(value) == "table" then
    for key, inner in pairs(value) do
      strings(key, found)
      strings(inner, found)
    end
  end
  return found
end

-- An error, as it is seen: what it says by itself, not what it keeps.
local function assert_error(e, what)
  for _, name in ipairs { "code", "message", "request_id", "operation",
    "where" } do
    if e[name] ~= nil then
      assert_fit(e[name], 0, what .. "." .. name)
    end
  end
  assert_fit(tostring(e), 0, what)
  assert_fit("failed: " .. e, 0, what)
  for _, text in ipairs(strings(e.params)) do
    assert_fit(text, 0, what .. ".params")
  end
end

-- What the command writes, with a text of ours and then with a nasty one: as
-- many lines each time. `prepare` makes the world and the words from the text.
local function assert_command(prepare, text, what)
  local outs = {}
  for _, given in ipairs { HARMLESS, text } do
    local world, words = prepare(given)
    local status, out, err = people.run(world,
      (unpack or table.unpack)(words))
    outs[#outs + 1] = { status = status, out = out, err = err }
  end
  local fine, bad = outs[1], outs[2]
  assert.equal(fine.status, bad.status, what)
  for _, stream in ipairs { "out", "err" } do
    local _, lines = fine[stream]:gsub("\n", "")
    assert_fit(bad[stream], lines, what .. ", " .. stream)
  end
  return bad.out, bad.err
end

describe("text of the service", function()
  local answers = {
    message = function(text) return { __type = "A", message = text } end,
    Message = function(text) return { code = "A", Message = text } end,
    __type = function(text) return { __type = text, message = "m" } end,
    code = function(text) return { code = text } end,
  }

  for name, make in pairs(answers) do
    it("is fit to be seen as " .. name, function()
      local events = {}
      local client = stub.client(function()
        return { status = 400, body = cjson.encode(make(NASTY)),
          headers = { ["x-amzn-requestid"] = NASTY } }
      end, { on_event = function(event) events[#events + 1] = event end })
      assert_error(stub.failure(client.list_data_deletion_jobs, client), name)
      for _, text in ipairs(strings(events)) do
        assert_fit(text, 0, "events")
      end
    end)
  end

  it("is fit to be seen as a page, a header, bytes", function()
    for _, answer in ipairs {
      { status = 502, headers = {}, body = "<p>" .. RAW },
      { status = 400, headers = { ["x-amzn-errortype"] = RAW,
        ["x-amzn-requestid"] = RAW }, body = RAW },
      { status = 200, headers = {}, body = RAW },
      { status = 200, headers = {}, body = cjson.encode {
        [NASTY] = 1, dataDeletionJobs = NASTY } },
    } do
      local client = stub.client(answer)
      local ok, e = pcall(client.list_data_deletion_jobs, client)
      assert.is_false(ok)
      assert_error(e, "answer")
    end
  end)

  it("is fit to be seen as S3's", function()
    local function xml(text)
      return (text:gsub(".", function(c) return ("&#%d;"):format(c:byte()) end)
        :gsub("&#0;", ""))
    end
    for _, answer in ipairs {
      { status = 403, headers = { ["x-amz-request-id"] = RAW }, body =
        "<Error><Code>A</Code><Message>" .. xml(RAW) .. "</Message>" ..
        "<RequestId>" .. xml(RAW) .. "</RequestId></Error>" },
      { status = 403, headers = {}, body = "<Error><Code>" .. xml(RAW) ..
        "</Code><Message>m</Message></Error>" },
      { status = 200, body = "", headers = { etag = "e",
        ["x-amz-server-side-encryption"] = "aws:kms" .. RAW } },
    } do
      local client = stub.client(answer)
      assert_error(stub.failure(client.upload_users, client,
        { users = { "a" }, name = "n", bucket = "erasure" }), "S3")
    end
  end)
end)

describe("text of a transport's", function()
  it("is fit to be seen", function()
    for _, f in ipairs {
      function() return nil, { code = RAW, message = RAW } end,
      function() return nil, RAW end,
      function() error(RAW, 0) end,
      function() return RAW end,
    } do
      local client = stub.client("{}", { transport = f })
      assert_error(stub.failure(client.list_data_deletion_jobs, client),
        "transport")
    end
  end)
end)

describe("text of a job", function()
  local world

  before_each(function() world = scripted.world() end)
  after_each(function() world:restore() end)

  -- A job that says so of itself, in the end.
  local function job_of(text, status)
    local job = world:add(scripted.job { jobName = "job-" .. text,
      datasetGroupArn = "arn:" .. text, roleArn = "role " .. text,
      dataSource = { dataLocation = "s3://" .. text } })
    job.dataDeletionJobArn = "arn:job/" .. text
    world.always.DescribeDataDeletionJob = function(its)
      return its:serve("DescribeDataDeletionJob",
        { dataDeletionJobArn = job.dataDeletionJobArn })
    end
    world:course(job, { 0, { status = text } },
      { 60, { status = status or "FAILED", failureReason = text,
        numDeleted = 1 } })
    return job
  end

  it("is fit to be seen in errors, events and progress", function()
    job_of(NASTY)
    local e = stub.failure(function()
      world:client():wait_for_data_deletion_job(ARN)
      return nil
    end)
    assert.equal("DataDeletionJobFailed", e.code)
    assert_error(e, "wait")
    job_of(NASTY)
    e = stub.failure(function()
      world:client():wait_for_data_deletion_job(ARN, { max_wait = 0 })
      return nil
    end)
    assert_error(e, "max_wait")
    assert.truthy(#world.events > 3)
    for _, text in ipairs(strings(world.events)) do
      assert_fit(text, 0, "events")
    end
  end)

  local function group_of(text, options)
    -- The first look at the job that a run makes is of such a one.
    world.always.DescribeDataDeletionJob = function(its, input)
      local found = its:find(input.dataDeletionJobArn)
      its:pass(30)
      local shown = { jobName = found.jobName, status = text,
        dataDeletionJobArn = found.dataDeletionJobArn,
        datasetGroupArn = found.datasetGroupArn, roleArn = text,
        dataSource = found.dataSource }
      if its.monotonic > 1200 then
        shown.status, shown.failureReason = "FAILED", text
      end
      return its:response(200, cjson.encode { dataDeletionJob = shown })
    end
    local given = { users = { "a" }, name = "n", bucket = "erasure",
      datasetGroupArn = scripted.GROUP, roleArn = scripted.ROLE }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    return world:client(), given
  end

  it("is fit to be seen in what a run tells", function()
    local seen = {}
    local client, given = group_of(NASTY, { on_progress = function(progress)
      seen[#seen + 1] = progress
    end })
    local e = stub.failure(client.delete_users, client, given)
    assert.equal("DataDeletionJobFailed", e.code)
    assert_error(e, "delete_users")
    for _, text in ipairs(strings(seen)) do
      assert_fit(text, 0, "progress")
    end
    for _, text in ipairs(e.receipt.remaining) do
      assert_fit(text, 0, "remaining")
    end
    local json = personalize.receipt_json(e.receipt)
    local _, lines = json:gsub("\n", "")
    assert_fit(json, lines, "receipt_json")
    assert.equal(NASTY, cjson.decode(json).jobs[1].failure_reason)
  end)

  it("is fit to be seen as the command shows it", function()
    local function prepare(command, ...)
      local words = { command, ... }
      return function(text)
        world:restore()
        world = scripted.world()
        job_of(text, "COMPLETED")
        return people.world { client = world:client(), now = core.monotonic },
          words
      end
    end
    for _, command in ipairs { { "describe", ARN }, { "list" },
      { "wait", ARN, "--poll", "20" } } do
      for _, json in ipairs { "", "--json" } do
        local words = { (unpack or table.unpack)(command) }
        words[#words + 1] = json ~= "" and json or nil
        local out = assert_command(prepare((unpack or table.unpack)(words)),
          NASTY, command[1] .. json)
        if json ~= "" then
          assert.equal("arn:job/" .. NASTY,
            cjson.decode(out:match "[^\n]+").dataDeletionJobArn)
        end
      end
    end
  end)

  it("is fit to be seen in the receipt that the command prints", function()
    for _, json in ipairs { false, true } do
      assert_command(function(text)
        world:restore()
        world = scripted.world()
        local client, given = group_of(text)
        local its = people.world { now = core.monotonic, client = {
          delete_users = function(_, options)
            given.on_progress = options.on_progress
            return client:delete_users(given)
          end } }
        its.files["users.csv"] = "USER_ID\na\n"
        return its, { "delete-users", "users.csv", "--dataset-group",
          scripted.GROUP, "--role", scripted.ROLE, "--bucket", "erasure",
          "--name", "n", "--wait", json and "--json" or nil }
      end, NASTY, "delete-users")
    end
  end)
end)

describe("text of the metadata service", function()
  after_each(environment.restore)

  it("is fit to be seen", function()
    environment.set { AWS_EC2_METADATA_DISABLED = "false",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:1" }
    for _, document in ipairs { { Code = NASTY, Message = NASTY },
      { Code = "Success", AccessKeyId = NASTY, Message = NASTY,
        SecretAccessKey = "s", Token = "t", Expiration = NASTY } } do
      local client = personalize.new { region = "eu-west-1",
        sleep = function() end, transport = function(request)
          local body = cjson.encode(document)
          if request.method == "PUT" then
            body = "token"
          elseif request.url:find "credentials/$" then
            body = "role"
          end
          return { status = 200, headers = {}, body = body }
        end }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert_error(e, "metadata")
    end
  end)
end)

describe("text of the caller's", function()
  it("is fit to be seen in errors of options and input", function()
    local client = stub.client()
    for _, f in ipairs {
      function() personalize.new { [RAW] = 1 } end,
      function() personalize.new { region = RAW } end,
      function() personalize.new { endpoint = RAW } end,
      function() personalize.new { endpoints = { [RAW] = "http://a" } } end,
      function() personalize.new { profile = RAW }
        :list_data_deletion_jobs() end,
      function() client:create_data_deletion_job { [RAW] = 1 } end,
      function() client:tag_resource { resourceArn = RAW,
        tags = { [RAW] = RAW } } end,
      function() client:call(RAW) end,
      function() client:wait_for_data_deletion_job("a", { [RAW] = 1 }) end,
      function() client:delete_users { [RAW] = 1, name = RAW, bucket = RAW,
        datasetGroupArn = RAW, roleArn = RAW, file = NAME } end,
      function() personalize.check_users { file = NAME } end,
      function() personalize.check_users { file = "spec/support/people.lua",
        column = RAW } end,
      function() personalize.verify_receipt(RAW, { users = {} }) end,
      function() personalize.verify_receipt({ version = 1, parts = {},
        jobs = { { status = RAW } } }, { users = {} }) end,
    } do
      assert_error(stub.failure(f), "caller")
    end
  end)

  it("is fit to be seen as a reason", function()
    for _, text in ipairs { RAW, NASTY } do
      assert_fit(callback.reason(text), 0, "reason")
      assert_fit(callback.reason { message = text }, 0, "reason")
    end
  end)
end)

describe("a warning", function()
  it("is fit to be seen, as an event and on the screen", function()
    local seen
    call.tell({ on_event = function(event) seen = event end },
      { name = "warning", message = RAW })
    assert_fit(seen.message, 0, "event")
    assert_command(function(text)
      local world = people.world()
      world.client = setmetatable({}, { __index = function()
        return function()
          world.given[1].on_event { name = "warning", message = text }
          return { region = "r", profile = "p", source = "s",
            access_key_id = "abcd", endpoint = "e" }
        end
      end })
      return world, { "identity" }
    end, RAW, "warning")
  end)
end)

describe("names and files, in the command,", function()
  local RECEIPT = { version = 1, name = "n", region = "eu-west-1",
    status = "COMPLETED", format = "ids", unique = false, part_size = 5000,
    parts = { { part = 1, users = 1, bytes = 10, sha256 = ("0"):rep(64) } },
    jobs = {} }

  -- A receipt that has the text in this member.
  local function receipt_of(member, text)
    local made = cjson.decode(cjson.encode(RECEIPT))
    local at = made
    for name in member:gmatch "[^.]+" do
      if member:match "([^.]+)$" == name then
        at[tonumber(name) or name] = text
      else
        at[name] = at[name] or {}
        at = at[name][1] or at[name]
      end
    end
    return cjson.encode(made)
  end

  it("are fit to be seen in a receipt that is verified", function()
    for _, member in ipairs { "status", "name", "column", "format", "bucket",
      "parts.sha256", "parts.location", "started", "jobs.status" } do
      local world = people.world()
      world.files["r.json"] = receipt_of(member, NASTY)
      world.files["u.csv"] = "USER_ID\na\n"
      local status, out, err = people.run(world, "verify-receipt", "r.json",
        "u.csv")
      assert.is_true(status > 0, member)
      assert_fit(out, out == "" and 0 or 1, member)
      assert_fit(err, select(2, err:gsub("\n", "")), member)
      assert.is_nil(out:find("is the receipt of", 1, true))
    end
  end)

  it("are fit to be seen as lists, receipts and anything that is typed",
    function()
      for _, words in ipairs { { "check-list", "" },
        { "verify-receipt", "", "u.csv" }, { "verify-receipt", "r.json", "" },
        { "describe", "a", "--" }, { "" }, { "list", "" }, { "list", "--" },
        { "check-list", "u.csv", "--part-size", "" },
        { "check-list", "u.csv", "--format", "" },
        { "check-list", "u.csv", "--column", "" },
        { "create", "--tag", "" }, { "wait", "a", "--max-wait", "" },
        { "identity", "--region", "" }, { "identity", "--profile", "" },
        { "completion", "" },
      } do
        assert_command(function(text)
          local given = {}
          for i, word in ipairs(words) do
            given[i] = (word == "" or word == "--") and word .. text or word
          end
          local world = people.world()
          world.files["u.csv"] = "USER_ID\na\n"
          world.files["r.json"] = cjson.encode(RECEIPT)
          world.personalize = personalize
          return world, given
        end, NAME, table.concat(words, " "))
      end
    end)

  it("are fit to be seen by the program itself", function()
    local function say(name)
      local process = child.start(("%s src/bin/personalize check-list %s 2>&1")
        :format(child.interpreter(), child.quote(name)))
      local text = process:rest()
      process:stop()
      assert.truthy(text:find "personalize: error: ", text)
      return text
    end
    local _, lines = say(HARMLESS):gsub("\n", "")
    assert_fit(say((NAME:sub(1, 200))), lines, "program")
  end)
end)

describe("a line of nginx's log", function()
  local before = package.loaded.ngx
  after_each(function() package.loaded.ngx = before end)

  it("is one, and fit to be seen", function()
    local lines = {}
    package.loaded.ngx = { INFO = 1, WARN = 2, ERR = 3,
      sleep = function() end, log = function(_, ...)
        lines[#lines + 1] = table.concat { ... }
      end }
    for _, event in ipairs {
      { name = "call", operation = RAW, code = RAW, status = 400,
        request_id = RAW, attempts = 1, kind = "service" },
      { name = "warning", message = RAW },
    } do
      personalize.log_ngx(event)
    end
    assert.equal(2, #lines)
    for _, line in ipairs(lines) do
      assert_fit(line, 0, "log_ngx")
    end
  end)
end)
