-- Each fault of the fault server, and S3's own, against the put of a list that
-- is read while it is sent: how it ends, after how many attempts, in what
-- time, and what of the list went out. The table is printed.

local aws = require "spec.support.aws"
local buckets = require "spec.support.bucket"
local child = require "spec.support.child"
local cjson = require "cjson"
local core = require "personalize.core"
local counts = require "spec.support.counts"
local environment = require "spec.support.environment"
local fault_table = require "spec.support.fault_table"
local patience = require "spec.support.patience"
local s3 = require "personalize.s3"
local sources = require "spec.support.sources"
local stub = require "spec.support.stub"

local now, sorted = patience.now, counts.sorted

local LIST = ("0123456789abcdef"):rep(256 * 1024) -- 4 MiB
local SHORT = LIST:sub(1, 300000) -- sent without waiting for a word
local HASHES = { [LIST] = core.sha256_hex(LIST),
  [SHORT] = core.sha256_hex(SHORT) }

-- These say success as S3 would, but for the ETag.
local NAMELESS = { ["empty"] = true, ["no-content"] = true, ["html"] = true }

-- S3's own failures, as the local AWS has them.
local OWN = {
  ["SlowDown"] = { "SlowDown", 3, { name = "SlowDown" } },
  ["SlowDown, once"] = { "ok", 2, { name = "SlowDown", times = 1 } },
  ["200 with an error"] = { "InternalError", 3,
    { name = "after-InternalError", status = 200 } },
  ["200 with an error, once"] = { "ok", 2,
    { name = "after-InternalError", status = 200, times = 1 } },
  ["RequestTimeout, once"] = { "ok", 2,
    { name = "RequestTimeout", times = 1 } },
  ["AccessDenied"] = { "AccessDenied", 1, { name = "AccessDenied" } },
  ["closed after the put"] = { "ConnectionError", 3,
    { name = "after-close" } },
  ["another region"] = { "ok", 2, region = "eu-central-1" },
}

describe("a put through", function()
  local is_full = type(rawget(_G, "jit")) == "table" or _VERSION == "Lua 5.4"
  if not is_full then
    pending "the table of faults: it is the same C and Lua on 5.4 and LuaJIT"
    return
  end

  local server, info, own
  local rows = {}

  setup(function()
    environment.set {}
    sources.install()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
    own = aws.start()
  end)
  teardown(function()
    server:stop()
    own:stop()
    sources.restore()
    environment.restore()
    print(("\n%-24s %s"):format("fault of a put", "outcome, attempts, seconds"))
    for _, row in ipairs(rows) do
      print(row)
    end
  end)

  -- One put; what became of it.
  local function run(name, options, text, case)
    collectgarbage()
    local before, attempts = counts.descriptors(), 0
    options.timeout = 60
    options.connect_timeout = case.connect_timeout
    local close
    -- The waits are known. In one, a connection that the server ends is seen to
    -- end; only where that is what is tried is it left to chance.
    options.sleep = function()
      if not name:find "idle$" and not name:find "reused$" then
        close()
      end
      return true
    end
    options.on_event = function(event)
      if event.name == "attempt" and event.operation == "PutObject" then
        attempts = attempts + 1
      end
    end
    local settings = buckets.settings(options)
    local transport = settings.transport
    close = settings.close
    settings.transport = function(request)
      -- The time that a put is given is long.
      request.timeout = case.timeout or request.timeout
      return transport(request)
    end
    local bucket = assert(s3.open(settings, { bucket = "erasure" }))
    local source = sources.new(text)
    local started = now()
    local result, failure = bucket:put { key = "lists/users.csv",
      body = source, sha256 = HASHES[text] }
    local elapsed = now() - started
    bucket:close()
    settings.close()
    assert.equal(before, counts.descriptors(), "descriptors")
    local code = result and "ok" or failure.code
    rows[#rows + 1] = ("%-24s %s%s %d %.2f"):format(name, code,
      failure and failure.unclear and "?" or "", attempts, elapsed)
    return { result = result, failure = failure, code = code,
      attempts = attempts, elapsed = elapsed, source = source }
  end

  local function check(got, expected, attempts)
    local failure = got.failure
    assert.equal(expected, got.code, failure and failure.message)
    assert.equal(attempts, got.attempts)
    if failure then
      assert.equal("PutObject", failure.operation)
      assert.equal(attempts, failure.attempts)
      for _, wrong in ipairs { "redentials", "ignature", "AKID", "0123" } do
        assert.falsy(failure.message:find(wrong, 1, true), failure.message)
      end
    end
  end

  local function options(endpoint)
    return { region = "eu-west-1", credentials = stub.CREDENTIALS,
      endpoint = endpoint, ca_bundle = info.ca_bundle }
  end

  for _, name in ipairs(sorted(fault_table.FAULTS)) do
    local case = fault_table.FAULTS[name]
    -- What comes too late meets the next attempt, which has no wait before it
    -- here.
    if not case.timeout and name ~= "late-answer" then
      local expected, attempts = case[1], case[2]
      if NAMELESS[name] then
        expected, attempts = "ResponseError", 1
      elseif expected == "ok" then
        expected, attempts = "ResponseError", 3 -- it is no answer of S3's
      end
      it(("%s ends as %s"):format(name, expected), function()
        local got = run(name, options(info.https .. "/" .. name), SHORT, case)
        -- The end of a kept connection may be seen before the next request
        -- goes out, or after.
        local is_seen_late = name:find "idle$" and got.code == "ConnectionError"
        check(got, is_seen_late and got.code or expected, attempts)
      end)
    end
  end

  for _, name in ipairs(sorted(fault_table.BODIES)) do
    local case = fault_table.BODIES[name]
    it(("%s ends as %s"):format(name, case[1]), function()
      local got = run(name, options(info.https .. "/" .. name), LIST, case)
      if case.lax then -- at whichever attempt the answer was read, if at any
        case = { got.code == "ResponseError" and got.code or case[1],
          got.attempts }
      end
      check(got, case[1], case[2])
      if name:find "^early" then
        assert.equal(0, got.source.at, "bytes were sent")
      end
    end)
  end

  for _, name in ipairs(sorted(OWN)) do
    local case = OWN[name]
    it(("%s ends as %s"):format(name, case[1]), function()
      own:reset()
      if case.region then
        own:admin("POST", "settings", { bucket_region = case.region })
      else
        own:fault(case[3])
      end
      local got = run(name, own:options(), LIST, case)
      check(got, case[1], case[2])
      assert.equal(case[2], got.source.rewinds)
      local objects = own:admin("GET", "objects").objects
      for _, object in ipairs(objects) do
        assert.equal(HASHES[LIST], object.sha256)
      end
      assert.equal(got.code == "ok" and 1 or #objects, #objects)
    end)
  end

  it("what the server knows is in the table", function()
    local known = {}
    for name in pairs(fault_table.BODIES) do
      known[name:gsub("%-%d+$", "")] = true
    end
    for _, name in ipairs(info.unread) do
      assert.truthy(known[name], name)
    end
  end)
end)
