--- Each fault of the fault server against a call of three kinds: how it ends,
-- after how many attempts and in what time. None hangs, none leaves a
-- descriptor behind, none blames what is not to blame. The table is printed.

local child = require "spec.support.child"
local counts = require "spec.support.counts"
local cjson = require "cjson"
local patience = require "spec.support.patience"
local personalize = require "personalize"
local stub = require "spec.support.stub"
local surroundings = require "spec.support.surroundings"

local descriptors, sorted = counts.descriptors, counts.sorted
local now = patience.now

-- nginx's pool is the worker's, whatever becomes of a client.
local KEPT = surroundings.in_nginx and 1 or 0

local table_of = require "spec.support.fault_table"
local FAULTS, PORTS, PROXIES, APART, OK = table_of.FAULTS, table_of.PORTS,
  table_of.PROXIES, table_of.APART, table_of.OK

local OPERATIONS = { "CreateDataDeletionJob", "DescribeDataDeletionJob",
  "ListDataDeletionJobs" }
if surroundings.in_nginx then
  OPERATIONS = { "CreateDataDeletionJob" } -- the transport alone is another
end

describe("a fault", function()
  local is_full = type(rawget(_G, "jit")) == "table" or _VERSION == "Lua 5.4"
  if not is_full then
    pending "the table of faults: it is the same C and Lua on 5.4 and LuaJIT"
    return
  end

  local server, info, control
  local rows = {}

  setup(function()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
    control = require("personalize.curl").handle()
    assert(control:perform { method = "GET", direct = true,
      url = info.http .. "/_forget" }) -- its connection is kept
  end)
  teardown(function()
    control:close()
    server:stop()
    print(("\n%-22s %s"):format("fault",
      "create / describe / list: outcome, attempts, seconds"))
    for _, row in ipairs(rows) do
      print(row)
    end
  end)

  local function ask(path)
    local response = assert(control:perform { method = "GET",
      url = info.http .. path, direct = true })
    return cjson.decode(response.body)
  end

  -- An endpoint, without a connection kept from the call before.
  local function fresh(path)
    if not surroundings.in_nginx then
      return info.https .. path -- each client keeps its own
    end
    return ask "/_fresh".https .. path
  end

  -- One call in so many seconds; what became of it.
  local function run_in(seconds, operation, case, endpoint, proxy)
    local requests = 0
    local client = personalize.new {
      region = "eu-west-1", credentials = stub.CREDENTIALS,
      endpoint = endpoint, proxy = proxy,
      ca_bundle = surroundings.ca_bundle(info.ca_bundle),
      timeout = seconds, connect_timeout = case.connect_timeout,
      sleep = function() end, -- the waits are known
      on_event = function(event)
        if event.name == "attempt" and event.operation == operation then
          requests = requests + 1
        end
      end,
    }
    local before = now()
    local ok, e, meta = pcall(client.call, client, operation,
      stub.input(operation))
    local elapsed = now() - before
    client:close()
    if not ok and not personalize.is_error(e) then
      error("no error of ours: " .. tostring(e), 0)
    end
    return { ok = ok, e = not ok and e or nil, elapsed = elapsed,
      attempts = ok and meta.attempts or e.attempts, requests = requests }
  end

  -- The same in the time of the case. Where that is to run out, it is long
  -- enough for the server to hear something.
  local function run(name, operation, case, endpoint, proxy)
    if not case.timeout then
      return run_in(60, operation, case, endpoint, proxy)
    end
    return patience.long_enough(case.timeout, function(seconds)
      ask "/_forget"
      local got = run_in(seconds, operation, case, endpoint, proxy)
      local count = ask("/_seen/" .. name)
      return count.requests + count.heard > 0 and got
    end)
  end

  local function check(operation, case, got, endpoint)
    local expected, attempts = case[1], case[2]
    local is_create = operation == "CreateDataDeletionJob"
    if operation ~= "ListDataDeletionJobs" and expected == "ok" then
      expected = "ResponseError"
    end
    if case.lax and got.e then
      expected, attempts = "ResponseError", got.attempts
    end
    assert.equal(expected, got.ok and "ok" or got.e.code,
      got.e and got.e.message)
    assert.equal(attempts, got.attempts)
    assert.equal(attempts, got.requests)
    local e = got.e
    if not e then
      return
    end
    assert.equal(operation, e.operation)
    local is_answer = expected:find "^HTTP"
    assert.equal(is_answer and "service" or "transport", e.kind)
    assert.equal(is_answer and tonumber(expected:match "%d+") or e.status,
      e.status)
    -- A create may have been done where it may have been read; others never.
    local unclear = is_create and not case.unsent and
      not (is_answer and e.status < 500)
    if not case.either then
      assert.equal(unclear, e.unclear == true)
    end
    -- Who is to blame, and by what name.
    if e.kind == "transport" and case ~= OK then
      assert.truthy(e.message:find(endpoint:match "//([^/]+)", 1, true) or
        e.code == "ResponseError", e.message)
    end
    if case.says then
      -- nginx may lose the reason, as long as it refuses: see cosocket.lua.
      assert.truthy(e.message:find(case.says, 1, true) or
        surroundings.in_nginx and e.code == "TlsError" and
        e.message:find("verification failed", 1, true), e.message)
    end
    for _, wrong in ipairs { "redentials", "ignature", "AKID", "secret" } do
      assert.falsy(e.message:find(wrong, 1, true), e.message)
    end
  end

  local function specify(name, case, url, proxy, prefix)
    it(("%s%s ends as %s"):format(prefix or "", name, case[1]), function()
      local cells = {}
      for i, operation in ipairs(OPERATIONS) do
        local endpoint = url()
        collectgarbage()
        local before = descriptors()
        local got = run(name, operation, case, endpoint, proxy and proxy())
        assert.is_true(descriptors() <= before + KEPT, "descriptors")
        cells[i] = ("%s%s %d %.2f"):format(got.ok and "ok" or got.e.code,
          got.e and got.e.unclear and "?" or "", got.attempts, got.elapsed)
        check(operation, case, got, endpoint)
      end
      rows[#rows + 1] = ("%-22s %s"):format((prefix or "") .. name,
        table.concat(cells, " / "))
    end)
  end

  for _, name in ipairs(sorted(FAULTS)) do
    specify(name, FAULTS[name], function()
      return fresh("/" .. name)
    end)
  end
  for _, name in ipairs(sorted(PORTS)) do
    specify(name, PORTS[name], function()
      return info.ports[name] .. "/ok"
    end, nil, "port ")
  end
  for _, name in ipairs(sorted(PROXIES)) do
    specify(name, PROXIES[name], function()
      return fresh "/ok"
    end, function()
      return info.ports[name]
    end)
  end

  it("that the server knows is in the table", function()
    local known = {}
    for name in pairs(FAULTS) do
      known[name:gsub("%-%d+$", "")] = true
    end
    for _, name in ipairs(info.faults) do
      assert.truthy(known[name], name)
    end
    for name in pairs(info.ports) do
      assert.truthy(PORTS[name] or PROXIES[name] or APART[name], name)
    end
  end)
end)
