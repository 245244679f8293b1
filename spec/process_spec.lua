--- A client in the life of a process: forks, Ctrl-C, the end of the state in
-- the middle of things, garbage by the thousand, other states in threads.

local child = require "spec.support.child"
local cjson = require "cjson"
local descriptors = require "spec.support.counts".descriptors
local await = require("spec.support.patience").await
local native = require "spec.support.native"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local server, info, control

local function get(path)
  local response = assert(control:perform { method = "GET", proxy = "",
    url = info.http .. path })
  return cjson.decode(response.body)
end

local function seen(fault)
  return get("/_seen/" .. fault)
end

local function options(fault, more, scheme)
  local given = { region = "eu-west-1", credentials = stub.CREDENTIALS,
    endpoint = info[scheme or "https"] .. "/" .. fault,
    ca_bundle = info.ca_bundle }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return given
end

setup(function()
  server = child.start("python3 spec/support/faults.py </dev/null")
  info = cjson.decode((assert(server:line(), "no fault server")))
  control = require("personalize.curl").handle()
end)
teardown(function()
  control:close()
  server:stop()
end)
before_each(function()
  get "/_forget"
end)

-- A script in an interpreter of its own, where URL is a fault's and CA the
-- authority's file.
local function start(script, fault)
  return child.start(("env -u AWS_CA_BUNDLE LUA_PATH=%s LUA_CPATH=%s %s -e %s")
    :format(child.quote(package.path), child.quote(package.cpath),
    child.interpreter(), child.quote(([[
      local personalize = require "personalize"
      local client
      local function new(more)
        more.region, more.endpoint, more.ca_bundle = "eu-west-1", %q, %q
        more.credentials = { access_key_id = "A", secret_access_key = "S" }
        more.timeout = 3600
        client = personalize.new(more)
        return client
      end
      local function say(...)
        io.write(table.concat({ ... }, " "), "\n")
        io.flush()
      end
      ]]):format(info.https .. "/" .. fault, info.ca_bundle) .. script)))
end

describe("Ctrl-C", function()
  local ASK = [[
    -- As long as it is given, whatever it is asked for.
    local core = require "personalize.core"
    local sleep = core.sleep
    core.sleep = function()
      say "sleeps"
      return sleep(3600)
    end
    local function ask(operation, input)
      local ok, e = pcall(client.call, client, operation, input)
      say(ok and "ok" or e.code, ok or e.kind, ok or e.attempts,
        tostring(not ok and e.unclear or false))
    end
    local JOB = { jobName = "gdpr-1", roleArn =
      "arn:aws:iam::123456789012:role/R", dataSource = {
      dataLocation = "s3://erasure/users.csv" }, datasetGroupArn =
      "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop" }
    ]]

  -- The child's next line. Nothing but the signal brings it: the server holds
  -- its answers, and a call has an hour.
  local function interrupt(run)
    run:signal "INT"
    return run:line()
  end

  local function await_request()
    await("a request", function() return seen("hang").requests == 1 end)
  end

  for name, how in pairs {
    main = "%s",
    ["a coroutine"] = "coroutine.wrap(function() %s end)()",
  } do
    it("ends a call in " .. name .. ", and the process goes on", function()
      local run = start(ASK .. "new {} " ..
        how:format "ask('ListDataDeletionJobs', {})" .. " say 'went on'",
        "hang")
      await_request()
      assert.equal("InterruptedError client 1 false", interrupt(run))
      assert.equal("went on", run:line())
      run:stop()
    end)

    it("ends a wait for the next attempt in " .. name, function()
      local run = start(ASK .. "new {} " ..
        how:format "ask('ListDataDeletionJobs', {})", "status-503")
      assert.equal("sleeps", run:line())
      run:await_sleep()
      assert.equal("InterruptedError client 1 false", interrupt(run))
      run:stop()
    end)
  end

  it("leaves a create that was sent unclear", function()
    local run = start(ASK .. "new {} ask('CreateDataDeletionJob', JOB)",
      "hang")
    await_request()
    assert.equal("InterruptedError client 1 true", interrupt(run))
    run:stop()
    assert.equal(1, seen("hang").requests)
  end)

  it("ends the look for a job", function()
    get "/_hold/ok/1" -- an answer without an ARN to the create, and no more
    local run = start(ASK .. "new {} ask('CreateDataDeletionJob', JOB)", "ok")
    await("a look", function() return seen("ok").requests == 2 end)
    assert.equal("InterruptedError client 1 true", interrupt(run))
    run:stop()
  end)

  it("ends the wait for another look", function()
    local run = start(ASK .. "new {} ask('CreateDataDeletionJob', JOB)", "ok")
    assert.equal("sleeps", run:line())
    assert.equal(2, seen("ok").requests)
    run:await_sleep()
    assert.equal("InterruptedError client 1 true", interrupt(run))
    run:stop()
  end)
end)

describe("the end of a state", function()
  local CLOSE = _VERSION == "Lua 5.1" and "" or " os.exit(true, true)"

  -- Lua 5.1 closes its state at the end of a script, by itself.
  for name, script in pairs {
    ["with a live connection"] = "new {}:list_data_deletion_jobs()",
    ["with hundreds of clients"] =
      "for _ = 1, 200 do new {}:list_data_deletion_jobs() end",
    ["in the middle of a call"] = [[
      local hold = coroutine.wrap(function()
        new { transport = function() coroutine.yield() end }
          :list_data_deletion_jobs()
      end)
      hold()]],
    ["in the middle of an event"] = [[
      local hold = coroutine.wrap(function()
        new { on_event = function() pcall(coroutine.yield) end }
          :list_data_deletion_jobs()
      end)
      pcall(hold)]],
    ["with what was closed before"] =
      "new {}:list_data_deletion_jobs() client:close() client:close()",
  } do
    it(name .. " is no trouble", function()
      local run = start("say 'begins' " .. script .. " say 'ends'" .. CLOSE,
        "ok")
      assert.equal("begins\nends\n", run:rest())
      -- The child is gone: what it held, the server sees closed.
      run:stop()
      local requests = seen "ok"
      await("the end of all connections", function()
        return seen("ok").closed == requests.connections
      end)
    end)
  end

  it("by an error in the middle is no trouble", function()
    local run = start([[
      new { transport = function() error "in the middle" end }
      pcall(client.list_data_deletion_jobs, client)
      say(tostring(select(2, pcall(client.list_data_deletion_jobs,
        client))))]] .. CLOSE,
      "ok")
    assert.truthy(run:rest():find("in the middle", 1, true))
    run:stop()
  end)
end)

describe("garbage", function()
  it("of a thousand clients leaves no connection", function()
    collectgarbage()
    collectgarbage()
    local before = descriptors()
    for i = 1, 1000 do
      personalize.new(options("ok", nil, "http")):list_data_deletion_jobs()
      if i % 100 == 0 then
        collectgarbage()
        collectgarbage()
        assert.equal(before, descriptors())
      end
    end
    assert.equal(1000, seen("ok").connections)
    await("the end of all connections", function()
      return seen("ok").closed == 1000
    end)
  end)

  it("of thousands of clients never used is memory only", function()
    local function kilobytes()
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local function make()
      for _ = 1, 2000 do
        personalize.new(options "ok")
      end
    end
    make()
    local before = kilobytes()
    make()
    make()
    assert.is_true(kilobytes() - before < 200)
  end)
end)

local process, reason = native.load "process"

describe("a fork", function()
  if not process then
    pending(reason)
    return
  end

  local function id_of(head)
    return head:match "amz%-sdk%-invocation%-id: (%S+)"
  end

  for _, scheme in ipairs { "http", "https" } do
    it("leaves both with a client that works, over " .. scheme, function()
      local client = personalize.new(options("ok", nil, scheme))
      client:list_data_deletion_jobs()
      local pid = process.fork()
      if pid == 0 then
        local ok, _, meta = pcall(client.list_data_deletion_jobs, client)
        ok = ok and meta.attempts == 1
        pcall(client.close, client)
        process.leave(ok and 7 or 1)
      end
      assert.equal(7, process.wait(pid))
      local in_child = id_of(seen("ok").last)
      assert.equal(2, seen("ok").connections)
      -- The child's end was no end of the parent's connection.
      for _ = 1, 3 do
        local _, meta = client:list_data_deletion_jobs()
        assert.equal(1, meta.attempts)
      end
      assert.equal(2, seen("ok").connections)
      assert.is_true(in_child ~= id_of(seen("ok").last))
      client:close()
    end)
  end

  it("gives no two children the same random numbers", function()
    local client = personalize.new(options "ok")
    local ids = {}
    client:list_data_deletion_jobs()
    for _ = 1, 4 do
      local pid = process.fork()
      if pid == 0 then
        local ok = pcall(client.list_data_deletion_jobs, client)
        process.leave(ok and 7 or 1)
      end
      assert.equal(7, process.wait(pid))
      local id = id_of(seen("ok").last)
      assert.is_nil(ids[id])
      ids[id] = true
    end
    client:close()
  end)

  it("of a fork works as well", function()
    local client = personalize.new(options "ok")
    client:list_data_deletion_jobs()
    local pid = process.fork()
    if pid == 0 then
      pcall(client.list_data_deletion_jobs, client)
      local inner = process.fork()
      if inner == 0 then
        local ok = pcall(client.list_data_deletion_jobs, client)
        client = nil
        collectgarbage()
        process.leave(ok and 7 or 1)
      end
      local status = process.wait(inner)
      local ok = pcall(client.list_data_deletion_jobs, client)
      process.leave(ok and status or 1)
    end
    assert.equal(7, process.wait(pid))
    local _, meta = client:list_data_deletion_jobs()
    assert.equal(1, meta.attempts)
    assert.equal(3, seen("ok").connections)
    client:close()
  end)
end)

describe("states in threads", function()
  if not process then
    pending(reason)
    return
  end

  it("begin, call and end at the same time", function()
    local errors = process.threads(8, ([[
      local personalize = require "personalize"
      for round = 1, 5 do
        local client = personalize.new { region = "eu-west-1", endpoint = %q,
          credentials = { access_key_id = "A", secret_access_key = "S" },
          ca_bundle = %q }
        for _ = 1, 5 do
          local _, meta = client:list_data_deletion_jobs()
          assert(meta.attempts == 1)
        end
        if round %% 2 == 0 then
          client:close()
        end
      end]]):format(info.https .. "/ok", info.ca_bundle), package.path,
      package.cpath)
    assert.same({}, errors)
    assert.equal(8 * 5 * 5, seen("ok").requests)
    assert.equal(8 * 5, seen("ok").connections)
  end)

  it("come and go by the dozen", function()
    for _ = 1, 4 do
      assert.same({}, process.threads(16, [[
        local core = require "personalize.core"
        assert(#core.random(16) == 16)
        local personalize = require "personalize"
        assert(not pcall(personalize.new { region = "eu-west-1",
          credentials = { access_key_id = "A", secret_access_key = "S" },
          endpoint = "http://localhost:1", max_attempts = 1 }
          .list_data_deletion_jobs))]], package.path, package.cpath))
    end
  end)
end)
