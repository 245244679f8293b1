--- Each fault of the fault server against a call of three kinds: how it ends,
-- after how many attempts and in what time. None hangs, none leaves a
-- descriptor behind, none blames what is not to blame. The table is printed.

local child = require "spec.support.child"
local cjson = require "cjson"
local lfs = require "lfs"
local personalize = require "personalize"
local stub = require "spec.support.stub"
local system = require "system"

local now = system.monotime or system.gettime

-- A call has to be over by then, without having been told so.
local PATIENCE = 8

-- How a call ends: its code, or "ok", and its attempts.
local OK = { "ok", 1 }
local CLOSED = { "ConnectionError", 3 }
local MALFORMED = { "ResponseError", 3 }
local TOO_LARGE = { "ResponseError", 1 }
-- Takes all the time there is; so there is little of it.
local HANGS = { "TimeoutError", 1, timeout = 0.6 }

-- By path. Where a list of jobs succeeds, the others do not: an answer without
-- an ARN or a job is none.
local FAULTS = {
  ["ok"] = OK, ["echo"] = OK, ["elsewhere"] = OK, ["cookie"] = OK,
  ["slow-50"] = OK, ["repeated"] = OK, ["no-content"] = OK, ["empty"] = OK,
  ["close-reused"] = OK, ["reset-reused"] = OK, ["close-idle"] = OK,
  ["goodbye-idle"] = OK, ["half-close-idle"] = OK, ["late-answer"] = OK,
  ["no-length"] = OK, ["length-short"] = OK, ["chunk-ok"] = OK,
  ["one-1xx"] = OK, ["http10"] = OK, ["http10-keep"] = OK,
  ["head-line-60000"] = OK, ["head-count-200"] = OK,

  ["status-400"] = { "HTTP 400", 1 }, ["status-403"] = { "HTTP 403", 1 },
  ["status-500"] = { "HTTP 500", 3 }, ["status-503"] = { "HTTP 503", 3 },
  ["redirect"] = { "HTTP 302", 1 },

  ["close"] = CLOSED, ["half-close"] = CLOSED, ["reset-at-0"] = CLOSED,
  ["reset-at-5"] = CLOSED, ["close-at-0"] = CLOSED, ["close-at-5"] = CLOSED,

  ["reset-at-40"] = MALFORMED, ["reset-at-81"] = MALFORMED,
  ["reset-at-150"] = MALFORMED, ["close-at-40"] = MALFORMED,
  ["close-at-81"] = MALFORMED, ["close-at-150"] = MALFORMED,
  ["length-long"] = MALFORMED, ["length-bad"] = MALFORMED,
  ["chunk-garbage"] = MALFORMED,
  ["chunk-cut"] = MALFORMED, ["only-1xx"] = MALFORMED,
  ["head-bad-line"] = MALFORMED, ["http09"] = MALFORMED,
  ["garbage"] = MALFORMED, ["bad-status"] = MALFORMED,
  ["gzip"] = MALFORMED, ["half-json"] = MALFORMED, ["html"] = MALFORMED,
  ["big-1000"] = MALFORMED, ["big-chunked-1000"] = MALFORMED,

  -- libcurl's versions are not of one mind about this.
  ["length-two"] = { "ok", 1, lax = true },

  ["flood-1xx"] = TOO_LARGE, ["head-line"] = TOO_LARGE,
  ["head-count"] = TOO_LARGE, ["head-endless"] = TOO_LARGE,
  ["big-8388609"] = TOO_LARGE, ["big-chunked-8388609"] = TOO_LARGE,
  ["endless"] = TOO_LARGE,

  ["hang"] = HANGS, ["drip-0"] = HANGS, ["drip-150"] = HANGS,
}

-- By port: what comes before any request, so that none was sent. `says` is
-- what the message has to name.
local UNTRUSTED = { "TlsError", 1, unsent = true }
local function untrusted(words)
  return { "TlsError", 1, unsent = true, says = words }
end
local PORTS = {
  ["refuse"] = { "ConnectionError", 3, unsent = true, says = "refused" },
  ["full"] = { "TimeoutError", 3, unsent = true, connect_timeout = 0.2,
    says = "no connection" },
  ["hold"] = HANGS,
  ["reset"] = { "ConnectionError", 3, either = true },
  ["tls-hold"] = { "TimeoutError", 3, unsent = true, connect_timeout = 0.2,
    says = "no connection" },
  ["tls-reset"] = { "ConnectionError", 3, unsent = true, says = "TLS" },
  ["tls-close"] = { "ConnectionError", 3, unsent = true, says = "TLS" },
  ["tls-plain"] = untrusted "does not speak TLS",
  ["tls-old"] = untrusted "TLS 1.2",
  ["tls-wrong-name"] = untrusted "another name",
  ["tls-expired"] = untrusted "expired",
  ["tls-unknown-ca"] = untrusted "ca_bundle",
  ["tls-self-signed"] = UNTRUSTED,
}
-- Proxies, on the way to where all is well.
local PROXIES = {
  ["proxy"] = OK,
  ["proxy-refuses"] = { "ConnectionError", 1, unsent = true, says = "proxy" },
}

local OPERATIONS = { "CreateDataDeletionJob", "DescribeDataDeletionJob",
  "ListDataDeletionJobs" }

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function descriptors()
  local count = 0
  if lfs.attributes "/proc/self/fd" then
    for _ in lfs.dir "/proc/self/fd" do
      count = count + 1
    end
  end
  return count
end

describe("a fault", function()
  local is_full = type(rawget(_G, "jit")) == "table" or _VERSION == "Lua 5.4"
  if not is_full then
    pending "the table of faults: it is the same C and Lua on 5.4 and LuaJIT"
    return
  end

  local server, info
  local rows = {}

  setup(function()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
  end)
  teardown(function()
    server:stop()
    print(("\n%-22s %s"):format("fault",
      "create / describe / list: outcome, attempts, seconds"))
    for _, row in ipairs(rows) do
      print(row)
    end
  end)

  -- One call; what became of it.
  local function run(operation, case, endpoint, proxy)
    local requests = 0
    local client = personalize.new {
      region = "eu-west-1", credentials = stub.CREDENTIALS,
      endpoint = endpoint, ca_bundle = info.ca_bundle, proxy = proxy,
      timeout = case.timeout or 10, connect_timeout = case.connect_timeout,
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
    assert.is_true(got.elapsed < PATIENCE, "took " .. got.elapsed)
    if case.timeout then
      assert.is_true(got.elapsed < case.timeout + 0.3,
        "took " .. got.elapsed)
    end
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
      assert.truthy(e.message:find(case.says, 1, true), e.message)
    end
    for _, wrong in ipairs { "redentials", "ignature", "AKID", "secret" } do
      assert.falsy(e.message:find(wrong, 1, true), e.message)
    end
  end

  local function specify(name, case, url, proxy)
    it(("%s ends as %s"):format(name, case[1]), function()
      local cells = {}
      local endpoint = url()
      for i, operation in ipairs(OPERATIONS) do
        collectgarbage()
        local before = descriptors()
        local got = run(operation, case, endpoint, proxy and proxy())
        assert.equal(before, descriptors(), "descriptors")
        cells[i] = ("%s%s %d %.2f"):format(got.ok and "ok" or got.e.code,
          got.e and got.e.unclear and "?" or "", got.attempts, got.elapsed)
        check(operation, case, got, endpoint)
      end
      rows[#rows + 1] = ("%-22s %s"):format(name, table.concat(cells, " / "))
    end)
  end

  for _, name in ipairs(sorted(FAULTS)) do
    specify(name, FAULTS[name], function()
      return info.https .. "/" .. name
    end)
  end
  for _, name in ipairs(sorted(PORTS)) do
    specify("port " .. name, PORTS[name], function()
      return info.ports[name] .. "/ok"
    end)
  end
  for _, name in ipairs(sorted(PROXIES)) do
    specify(name, PROXIES[name], function()
      return info.https .. "/ok"
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
      assert.truthy(PORTS[name] or PROXIES[name], name)
    end
  end)
end)
