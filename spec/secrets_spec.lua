--- Secrets on a real wire, with every fault on it: nothing that the module
-- emits holds one; and what the core keeps of them no core dump finds.

local child = require "spec.support.child"
local cjson = require "cjson"
local clock = require "spec.support.clock"
local core = require "personalize.core"
local personalize = require "personalize"
local reach = require "spec.support.reach"
local stub = require "spec.support.stub"

local SECRET = "PlantedSecret/Key+0000000000000000000000"
local KEYS = { access_key_id = "AKIDPLANTED", secret_access_key = SECRET,
  session_token = "PlantedToken//" .. ("x"):rep(500) }
local PROXY_USER = "PlantedUser:PlantedPassword"
local TAGS = { ["PlantedTagKey"] = "PlantedTagValue" }

local function assert_clean(...)
  for _, text in ipairs(reach.strings(...)) do
    assert.is_nil(text:find("Planted", 1, true), "seen: " .. text)
    -- Nor what is made of them.
    assert.is_nil(text:find("Signature=", 1, true), "seen: " .. text)
    assert.is_nil(text:find("AWS4-HMAC", 1, true), "seen: " .. text)
  end
end

local function input(operation)
  local given = stub.input(operation)
  given.tags = operation == "CreateDataDeletionJob" and TAGS or given.tags
  return given
end

describe("planted secrets", function()
  local server, info

  setup(function()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
  end)
  teardown(function()
    server:stop()
  end)

  -- Everything that a call on this endpoint emits.
  local function run(endpoint, more)
    local emitted, client = { n = 0 }, nil
    local function emit(...)
      for i = 1, select("#", ...) do
        emitted.n = emitted.n + 1
        emitted[emitted.n] = (select(i, ...))
      end
    end
    local options = { region = "eu-west-1", credentials = KEYS,
      endpoint = endpoint, ca_bundle = info.ca_bundle, timeout = 0.4,
      connect_timeout = 0.2, sleep = function() end,
      on_event = function(event)
        emit(event, tostring(event), client, tostring(client))
      end }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    client = personalize.new(options)
    for _, operation in ipairs { "CreateDataDeletionJob",
      "ListDataDeletionJobs" } do
      emit(pcall(client.call, client, operation, input(operation)))
    end
    emit(client, tostring(client), personalize, personalize.Error,
      getmetatable(client))
    client:close()
    emit(client)
    assert_clean(unpack and unpack(emitted, 1, emitted.n) or
      table.unpack(emitted, 1, emitted.n))
    return emitted.n
  end

  it("show in nothing at all, whatever the fault", function()
    for _, name in ipairs(info.faults) do
      -- What sends the request back is another matter: see below.
      if name ~= "echo" and not name:find "endless" then
        assert.is_true(run(info.https .. "/" .. name) > 6)
      end
    end
    for _, name in ipairs { "status-400", "status-503", "reset-at-40",
      "close-at-150", "drip-150" } do
      run(info.https .. "/" .. name)
    end
    for _, endpoint in pairs(info.ports) do
      run(endpoint)
    end
  end)

  it("show not behind a proxy, whatever it does", function()
    for _, name in ipairs { "proxy", "proxy-refuses", "refuse", "hold",
      "reset" } do
      local proxy = info.ports[name]:gsub("//", "//" .. PROXY_USER .. "@")
      run(info.https .. "/ok", { proxy = proxy })
    end
    run(info.https .. "/ok", { proxy = "http://" .. PROXY_USER ..
      "@nowhere.invalid:1" })
  end)

  it("show not in answers that repeat what was sent", function()
    local shown = cjson.encode(KEYS) .. cjson.encode(TAGS)
    local function repeating(request)
      local all = { shown, request.body }
      for _, header in ipairs(request.headers) do
        all[#all + 1] = header[1] .. ": " .. header[2]
      end
      return table.concat(all, " ")
    end
    for _, make in ipairs {
      function(text)
        return { status = 403, headers = {}, body = cjson.encode {
          __type = "SignatureDoesNotMatch", message = text } }
      end,
      function(text) return { status = 502, headers = {}, body = text } end,
      function(text) return { status = 200, headers = {}, body = text } end,
      function(text)
        return nil, { code = "ConnectionError", message = text }
      end,
    } do
      local e = stub.failure(function()
        personalize.new { region = "eu-west-1", credentials = KEYS,
          max_attempts = 1, sleep = function() end, transport = function(r)
            return make(repeating(r))
          end }:create_data_deletion_job(input "CreateDataDeletionJob")
      end)
      for _, text in ipairs(reach.strings(e)) do
        for _, secret in ipairs { SECRET, KEYS.session_token,
          "PlantedTagValue", "PlantedTagKey" } do
          assert.is_nil(text:find(secret, 1, true), text)
        end
      end
    end
  end)

  it("show on no output, whatever libcurl is asked to tell", function()
    local run_child = child.start(("env CURL_VERBOSE=1 CURL_DEBUG=all " ..
      "SSLKEYLOGFILE= LUA_PATH=%s LUA_CPATH=%s %s -e %s 2>&1"):format(
      child.quote(package.path), child.quote(package.cpath),
      child.interpreter(), child.quote(([[
        local personalize = require "personalize"
        for _, name in ipairs { "ok", "close", "garbage", "status-503" } do
          local client = personalize.new { region = "eu-west-1",
            endpoint = %q .. name, ca_bundle = %q, sleep = function() end,
            credentials = { access_key_id = "A", secret_access_key = %q,
              session_token = %q } }
          print(pcall(client.list_data_deletion_jobs, client))
          print(client)
        end]]):format(info.https .. "/", info.ca_bundle, SECRET,
        KEYS.session_token))))
    local text = run_child:rest()
    run_child:stop()
    assert.truthy(text:find("ConnectionError", 1, true), text)
    assert_clean(text)
  end)
end)

describe("the objects of the core", function()
  it("show only their kind", function()
    local service = assert(core.service { endpoint = "http://localhost",
      region = "eu-west-1", signing_name = "personalize",
      target_prefix = "AmazonPersonalize", user_agent = "spec" })
    local attempt = core.attempt(service, "CreateDataDeletionJob",
      input "CreateDataDeletionJob", ("r"):rep(16), 3, true)
    attempt:sign(KEYS, 0)
    local handle = require("personalize.curl").handle()
    assert_clean(service, attempt, handle, service:state(), service:url(),
      attempt:judge(nil, nil, 0, 1, 60))
    for _, object in ipairs { service, attempt, handle } do
      assert.is_not_table(getmetatable(object))
      assert.has_error(function()
        local step, state, key = pairs(object)
        return step(state, key)
      end)
    end
    service:close()
  end)
end)

describe("the memory of a client", function()
  local is_linux = io.open "/proc/self/smaps"
  if not is_linux then
    pending "the memory of a process: on Linux only"
    return
  end
  is_linux:close()

  it("holds its secret where no core dump finds it, until the end", function()
    local when = clock.epoch "2026-11-24T12:00:00Z"
    local script = ([[
      local core = require "personalize.core"
      local personalize = require "personalize"
      core.now = function() return %d end
      local function stage(name)
        collectgarbage() collectgarbage()
        io.write(name, "\n") io.flush() io.read()
      end
      local function new()
        return personalize.new { region = "eu-west-1",
          credentials = { access_key_id = "A", secret_access_key = %q },
          transport = function()
            return { status = 200, headers = {}, body = "{}" }
          end }
      end
      stage "before"
      local client = new()
      client:list_data_deletion_jobs()
      client:list_data_deletion_jobs()
      stage "signed"
      client:close()
      stage "closed"
      client:list_data_deletion_jobs()
      stage "again"
      client = nil
      stage "collected"]]):format(when, SECRET)
    local run = child.start(("env LUA_PATH=%s LUA_CPATH=%s python3 " ..
      "spec/support/memory.py %s 20261124 eu-west-1 personalize %s -e %s")
      :format(child.quote(package.path), child.quote(package.cpath),
      child.quote(SECRET), child.interpreter(), child.quote(script)))
    local found = {}
    for line in run:rest():gmatch "[^\n]+" do
      local name, secrets, keys = line:match "^(%a+) (%d+) (%d+)$"
      found[name or line] = { tonumber(secrets), tonumber(keys) }
    end
    run:stop()
    -- It is kept to see whether the next call has the same one, and wiped.
    assert.is_true(found.signed and found.signed[1] >= 1)
    assert.is_true(found.again and found.again[1] >= 1)
    for _, name in ipairs { "before", "closed", "collected" } do
      assert.equal(0, found[name] and found[name][1], name)
    end
    -- What is derived from it is nowhere to be found.
    for name, counts in pairs(found) do
      assert.equal(0, counts[2], name)
    end
  end)
end)
