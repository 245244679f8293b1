--- A list that is uploaded and no more.

local core = require "personalize.core"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"
local stub = require "spec.support.stub"

describe("an upload", function()
  local world

  before_each(function() world = scripted.world() end)
  after_each(function() world:restore() end)

  local function given(more)
    local options = { users = { "alice", "bob" }, name = "gdpr",
      bucket = "erasure", prefix = "lists" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return options
  end

  it("puts the list where a job can read it, and makes none", function()
    local seen = {}
    local client = world:client()
    local made = client:upload_users(given { on_progress = function(progress)
      seen[#seen + 1] = progress.phase
    end })
    assert.equal(2, made.users)
    assert.equal(1, #made.parts)
    local body = world.objects[1].body
    assert.equal("USER_ID\nalice\nbob\n", body)
    assert.equal(#body, made.bytes)
    assert.equal(core.sha256_hex(body), made.parts[1].sha256)
    assert.equal("s3://erasure/" .. world.objects[1].key,
      made.parts[1].location)
    assert.truthy(made.parts[1].location:find("s3://erasure/lists/gdpr/", 1,
      true))
    assert.equal(1, world:count())
    assert.equal("check", seen[1])
    assert.equal("upload", seen[#seen])
  end)

  it("goes in parts", function()
    local ids = {}
    for i = 1, 2000 do
      ids[i] = "user-" .. i
    end
    local made = world:client():upload_users(given { users = ids,
      part_size = 4096 })
    assert.is_true(#made.parts > 3)
    assert.equal(#made.parts, #world.objects)
    assert.equal(2000, made.users)
  end)

  it("whose answer was lost is no create that is unclear", function()
    world.always.PutObject = scripted.lost("ConnectionError", 0, true)
    local client = world:client { max_attempts = 1 }
    local e = stub.failure(client.upload_users, client, given())
    assert.equal("ConnectionError", e.code)
    assert.is_nil(e.unclear)
    assert.is_nil(e.receipt)
    assert.truthy(e.message:find("part 1 of 1, to s3://erasure/", 1, true))
  end)

  it("checks its options, all at once", function()
    local client = world:client()
    local e = stub.failure(client.upload_users, client,
      { users = {}, bukcet = "x" })
    assert.equal("ParamValidationError", e.code)
    assert.is_true(#e.params >= 3)
    assert.truthy(e.message:find("did you mean bucket", 1, true), e.message)
    assert.equal(0, world:count())
    assert.equal(personalize.Error, getmetatable(e))
  end)
end)
