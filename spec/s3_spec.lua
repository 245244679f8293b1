-- Objects put and removed, against the local AWS, which checks the signature
-- and hashes what arrives.

local aws = require "spec.support.aws"
local buckets = require "spec.support.bucket"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local s3 = require "personalize.s3"
local stub = require "spec.support.stub"

local server

-- A put of a text.
local function put(bucket, key, text)
  return bucket:put { key = key, body = text, sha256 = core.sha256_hex(text) }
end

-- What lies under a key (nil where nothing does), by another way than ours.
local function versions(bucket, key)
  local response = assert(bucket.settings.transport {
    method = "GET", url = server.endpoint .. "/_local/objects", head = "",
    timeout = 10, connect_timeout = 5, ca_bundle = server.ca_bundle,
    direct = true })
  local found = {}
  for _, object in ipairs(require("cjson").decode(response.body).objects) do
    if object.key == key then
      found[#found + 1] = object
    end
  end
  return found
end

setup(function()
  environment.set {}
  server = aws.start "--versioning"
end)
teardown(function()
  server:stop()
  environment.restore()
end)
before_each(function() server:reset() end)

describe("put", function()
  it("stores what it was given, and says where", function()
    local bucket = buckets.open(server)
    for _, size in ipairs { 0, 3, 100000 } do
      local text = ("u"):rep(size)
      local result = assert(put(bucket, "a b/" .. size .. ".csv", text))
      assert.equal(200, result.status)
      local found = versions(bucket, "a b/" .. size .. ".csv")
      assert.equal(1, #found)
      assert.equal(size, found[1].size)
      assert.equal(core.sha256_hex(text), found[1].sha256)
      assert.equal(found[1].version_id, result.version_id)
      assert.equal('"' .. found[1].etag .. '"', result.etag)
      assert.equal("AES256", found[1].encryption)
      assert.equal("text/csv", found[1].content_type)
      assert.equal(server:last_request().request_id, result.request_id)
    end
  end)
end)

describe("remove", function()
  it("leaves no version and no delete marker, and other keys alone", function()
    local bucket = buckets.open(server)
    for _ = 1, 3 do
      assert(put(bucket, "lists/a.csv", "USER_ID\nx\n"))
    end
    assert(put(bucket, "lists/a.csv.bak", "other"))
    assert(put(bucket, "lists/A.csv", "other"))
    assert.same({ removed = 3 }, bucket:remove("lists/a.csv"))
    assert.equal(0, #versions(bucket, "lists/a.csv"))
    assert.equal(1, #versions(bucket, "lists/a.csv.bak"))
    assert.equal(1, #versions(bucket, "lists/A.csv"))
    assert.same({ removed = 0 }, bucket:remove("lists/a.csv"))
  end)
end)
