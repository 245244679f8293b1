--- A run that is killed at each of its requests in turn, when the service has
-- done it and the client does not know; and then followed from the receipt that
-- it kept, without its list. Real processes, real signals, the local AWS.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local settle = require "spec.support.settled"

local PARTS, GROUPS = 3, 2
local USERS = (PARTS - 1) * 255 + 10 -- of 16 bytes a line, in parts of 4096

describe("a run that is killed and followed", function()
  if _VERSION ~= "Lua 5.4" then
    pending "killed runs: one Lua is enough, a process is a process"
    return
  end

  local server, path
  setup(function()
    server = aws.start("--tls --dataset-group shop --dataset-group other " ..
      "--job-seconds 0.1 --versioning")
    path = os.tmpname()
  end)
  teardown(function()
    server:stop()
    os.remove(path)
  end)

  local function run(variables)
    local all = {
      AWS_ACCESS_KEY_ID = server.access_key_id,
      AWS_SECRET_ACCESS_KEY = server.secret_access_key,
      AWS_REGION = server.region, AWS_CA_BUNDLE = server.ca_bundle,
      AWS_ENDPOINT_URL = server.endpoint, AWS_CONFIG_FILE = "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE = "/dev/null", USERS = USERS,
      GROUPS = table.concat(server.dataset_group_arns, " "), NAME = "night",
      BUCKET = server.bucket, ROLE = server.role_arn, CLEANUP = "yes",
      LUA_PATH = package.path, LUA_CPATH = package.cpath,
    }
    for name, value in pairs(variables) do
      all[name] = value
    end
    local words = { "env -i PATH=\"$PATH\"" }
    for name, value in pairs(all) do
      words[#words + 1] = name .. "=" .. child.quote(tostring(value))
    end
    words[#words + 1] = child.interpreter()
    words[#words + 1] = "spec/support/erase_child.lua"
    local process = child.start(table.concat(words, " "))
    local output = process:rest()
    process:stop()
    return output
  end

  local function erase(at)
    return run { RECEIPT = path, KILL_AT = at }
  end

  local function follow(at)
    return run { FOLLOW = path, KILL_AT = at }
  end

  local function begin()
    server:reset()
    assert(io.open(path, "w")):close()
  end

  local function kept()
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  local function settled(output)
    assert.is_nil(output:match "^error.*")
    local receipt, whole = settle(output)
    for _, part in ipairs(whole.parts) do
      assert.is_string(part.removed_at)
    end
    return receipt
  end

  -- All of it was done once, and nothing is left.
  local function check_state()
    local jobs = server:admin("GET", "jobs").jobs
    assert.equal(PARTS * GROUPS, #jobs)
    for _, job in ipairs(jobs) do
      assert.equal("COMPLETED", job.status)
    end
    assert.same({}, server:admin("GET", "objects").objects)
  end

  local function parts_there()
    local keys, count = {}, 0
    for _, object in ipairs(server:admin("GET", "objects").objects) do
      count = count + (keys[object.key] and 0 or 1)
      keys[object.key] = true
    end
    return count
  end

  it("ends as one that was not, wherever it was killed", function()
    begin()
    local undisturbed = settled(erase())
    check_state()
    local unsent, lacking, followed, at = 0, 0, 0, 0
    while true do
      begin()
      if erase(at) ~= "" then
        break
      end
      local there = parts_there()
      if kept() == "" then
        -- Nobody has to know of a run that has sent nothing.
        assert.equal(0, there)
        unsent = unsent + 1
      elseif there == PARTS or server:requests().operations.DeleteObject then
        assert.same(undisturbed, settled(follow()), "killed at " .. at)
        check_state()
        followed = followed + 1
      else
        -- Killed before the list was uploaded: what is there is done, the rest
        -- is said; and with the list all of it is.
        local output = follow()
        assert.truthy(output:find("UserListError: ", 1, true), output)
        assert.truthy(output:find(("part %d of %d"):format(there + 1, PARTS),
          1, true), output)
        assert.equal(there * GROUPS, #server:admin("GET", "jobs").jobs)
        assert.same(undisturbed, settled(erase()))
        check_state()
        lacking = lacking + 1
      end
      at = at + 1
    end
    -- 2 looks; 3 puts; 6 creates, at least as many looks at jobs, 3 removals of
    -- three requests each.
    assert.equal(3, unsent)
    assert.is_true(followed >= 6 + 6 + 9, followed)
    print(("\nkilled at %d places: %d with nothing sent, %d before all was " ..
      "uploaded, %d followed to the end"):format(at, unsent, lacking,
      followed))
  end)

  it("is followed by one that is killed as well, and followed", function()
    begin()
    local undisturbed = settled(erase())
    local at = 0
    while true do
      begin()
      -- The looks, a put, a create, two puts.
      assert.equal("", erase(6))
      assert.equal(PARTS, parts_there())
      server:admin("POST", "settings", {})
      local output = follow(at)
      if output ~= "" then
        assert.same(undisturbed, settled(output))
        check_state()
        break
      end
      assert.same(undisturbed, settled(follow()), "killed at " .. at)
      check_state()
      at = at + 1
    end
    assert.is_true(at >= 2 + 3 + 5 + 6 + 9, at)
    print(("\nkilled at %d places"):format(at))
  end)

  it("finds its job though lists lag behind by a second", function()
    begin()
    server:admin("POST", "settings", { list_lag = 1 })
    local undisturbed = settled(erase())
    for at = 7, 8 do -- around the second create
      begin()
      server:admin("POST", "settings", { list_lag = 1 })
      assert.equal("", erase(at))
      assert.same(undisturbed, settled(follow()))
      check_state()
    end
  end)
end)
