--- A run that is killed at each of its requests in turn, when the service has
-- done it and the client does not know, and inside each upload; and then run
-- again. Real processes, real signals, the local AWS.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local settled = require "spec.support.settled"

local PARTS, GROUPS = 3, 2
local USERS = (PARTS - 1) * 255 + 10 -- of 16 bytes a line, in parts of 4096

describe("a run that is killed and made again", function()
  if _VERSION ~= "Lua 5.4" then
    pending "killed runs: one Lua is enough, a process is a process"
    return
  end

  local server
  setup(function()
    server = aws.start("--tls --dataset-group shop --dataset-group other " ..
      "--job-seconds 0.1 --versioning")
  end)
  teardown(function()
    server:stop()
  end)
  before_each(function()
    server:reset()
  end)

  local function start(variables)
    local all = {
      AWS_ACCESS_KEY_ID = server.access_key_id,
      AWS_SECRET_ACCESS_KEY = server.secret_access_key,
      AWS_REGION = server.region, AWS_CA_BUNDLE = server.ca_bundle,
      AWS_ENDPOINT_URL = server.endpoint, AWS_CONFIG_FILE = "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE = "/dev/null", USERS = USERS,
      GROUPS = table.concat(server.dataset_group_arns, " "), NAME = "night",
      BUCKET = server.bucket, ROLE = server.role_arn,
      LUA_PATH = package.path, LUA_CPATH = package.cpath,
    }
    for name, value in pairs(variables or {}) do
      all[name] = value
    end
    local words = { "env -i PATH=\"$PATH\"" }
    for name, value in pairs(all) do
      words[#words + 1] = name .. "=" .. child.quote(tostring(value))
    end
    words[#words + 1] = child.interpreter()
    words[#words + 1] = "spec/support/erase_child.lua"
    return child.start(table.concat(words, " "))
  end

  local function finish(process)
    local output = process:rest()
    process:stop()
    return output
  end

  local function run(variables)
    return finish(start(variables))
  end

  local function check_state(removed)
    local jobs = server:admin("GET", "jobs").jobs
    assert.equal(PARTS * GROUPS, #jobs)
    -- A part may have been put twice: the key is the same, and so the bytes.
    local keys, seen = 0, {}
    for _, object in ipairs(server:admin("GET", "objects").objects) do
      keys = keys + (seen[object.key] and 0 or 1)
      seen[object.key] = true
    end
    assert.equal(removed and 0 or PARTS, keys)
    for _, job in ipairs(jobs) do
      assert.equal("COMPLETED", job.status)
    end
  end

  local function requests()
    return server:requests().count
  end

  -- Kills at each request until the run is through before that.
  local function each_request(cleanup, first)
    local undisturbed = settled(run { CLEANUP = cleanup })
    assert.equal("COMPLETED", undisturbed.status)
    assert.equal(PARTS, #undisturbed.parts)
    check_state(cleanup)
    local at = first or 0
    while true do
      server:reset()
      local output = run { KILL_AT = at, CLEANUP = cleanup }
      if output ~= "" then
        return at - (first or 0)
      end
      assert.equal(at, requests())
      assert.same(undisturbed, settled(run { CLEANUP = cleanup }),
        "killed at request " .. at)
      check_state(cleanup)
      at = at + 1
    end
  end

  it("ends as one that was not, wherever it was killed", function()
    local killed = each_request()
    -- 2 looks, 3 puts, 6 creates, and at least 6 looks at a job.
    assert.is_true(killed >= 2 + 3 + 6 + 6, killed)
    print(("\nkilled at %d places"):format(killed))
  end)

  -- A part that no machine sends in the tenth of a second after which the client
  -- is told for the first time how far it got: lines of 256 bytes.
  it("ends as one that was not, killed inside the body of a put", function()
    local size = 96 * 1000 * 1000
    local function run_large(put)
      return run { KILL_IN_PUT = put, PART_SIZE = size, FILLING = 240,
        USERS = size / 256 + 10 }
    end
    local undisturbed = settled(run_large())
    assert.equal(2, #undisturbed.parts)
    server:reset()
    assert.equal("", run_large(1))
    assert.equal(2, requests()) -- the looks: the put was none
    assert.same({}, server:admin("GET", "objects").objects)
    assert.same(undisturbed, settled(run_large()))
    assert.equal(2 * GROUPS, #server:admin("GET", "jobs").jobs)
    assert.equal(2, #server:admin("GET", "objects").objects)
  end)

  it("does as much when several are at it at once", function()
    local undisturbed = settled(run())
    server:reset()
    local processes = {}
    for i = 1, 4 do
      processes[i] = start()
    end
    for i = 1, 4 do
      assert.same(undisturbed, settled(finish(processes[i])))
    end
    check_state()
  end)

  it("removes the lists all the same", function()
    -- From about where removing begins: what is before is tried above.
    local killed = each_request("yes", 18)
    assert.is_true(killed >= 6, killed)
  end)

  it("finds its job though lists lag behind by a second", function()
    server:admin("POST", "settings", { list_lag = 1 })
    local undisturbed = settled(run())
    for at = 4, 6 do -- around the first creates
      server:reset()
      server:admin("POST", "settings", { list_lag = 1 })
      assert.equal("", run { KILL_AT = at })
      assert.same(undisturbed, settled(run()))
      check_state()
    end
  end)
end)
