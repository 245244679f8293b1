-- Objects removed with every version, against the local AWS and against lists
-- that are made up.

local buckets = require "spec.support.bucket"
local stub = require "spec.support.stub"

local KEY, TEXT = buckets.KEY, buckets.TEXT

local server

local put = buckets.put

local function versions(key)
  return buckets.versions(server, key)
end

local function operations()
  return buckets.operations(server)
end

setup(function() server = buckets.start() end)
teardown(function() buckets.stop(server) end)
before_each(function() server:reset() end)

describe("remove", function()
  it("leaves no version and no delete marker, and other keys alone", function()
    local bucket = buckets.open(server)
    for _ = 1, 3 do
      assert(put(bucket, KEY, TEXT))
    end
    assert(put(bucket, KEY .. ".bak", "other"))
    assert(put(bucket, KEY:upper(), "other"))
    assert.same({ removed = 3 }, bucket:remove(KEY))
    assert.equal(0, #versions(KEY))
    assert.equal(1, #versions(KEY .. ".bak"))
    assert.equal(1, #versions(KEY:upper()))
    assert.same({ removed = 0 }, bucket:remove(KEY))
  end)

  it("goes through every page", function()
    local bucket = buckets.open(server)
    -- Marked as deleted and put again, so that both kinds are among them.
    for _ = 1, 3 do
      assert(put(bucket, KEY, TEXT))
      server:admin("POST", "delete", { key = KEY })
    end
    server:admin("POST", "settings", { page_size = 2 })
    assert.same({ removed = 6 }, bucket:remove(KEY))
    assert.equal(0, #versions(KEY))
    local pages = select(2, operations():gsub("ListObjectVersions", ""))
    assert.equal(4, pages) -- three of two each, and one that is empty
  end)

  it("removes from a bucket without versions", function()
    server:admin("POST", "settings", { versioning = false })
    local bucket = buckets.open(server)
    assert(put(bucket, KEY, TEXT))
    assert.same({ removed = 1 }, bucket:remove(KEY))
    assert.equal(0, #versions(KEY))
  end)

  it("removes the version it is given where listing is denied", function()
    local bucket = buckets.open(server)
    local id = assert(put(bucket, KEY, TEXT)).version_id
    assert(put(bucket, KEY, TEXT))
    server:fault { name = "AccessDenied", operation = "ListObjectVersions" }
    assert.same({ removed = 1, is_partial = true },
      bucket:remove(KEY, { version_id = id }))
    assert.equal(1, #versions(KEY))
    local _, failure = bucket:remove(KEY)
    assert.equal("AccessDenied", failure.code)
    assert.equal("ListObjectVersions", failure.operation)
    assert.equal(0, failure.removed)
  end)

  it("tells S3's refusal, and what was removed before it", function()
    local bucket = buckets.open(server)
    for _ = 1, 3 do
      assert(put(bucket, KEY, TEXT))
    end
    server:fault { name = "AccessDenied", operation = "DeleteObject",
      message = "Access Denied because object protected by object lock.",
      skip = 1 }
    local _, failure = bucket:remove(KEY)
    assert.equal("AccessDenied", failure.code)
    assert.truthy(failure.message:find("object lock", 1, true))
    assert.equal("DeleteObject", failure.operation)
    assert.equal(1, failure.removed)
  end)

  it("is content with a version that is gone already", function()
    local bucket = buckets.open(server)
    assert(put(bucket, KEY, TEXT))
    server:fault { name = "after-NoSuchVersion", operation = "DeleteObject",
      status = 404, times = 1 }
    assert.same({ removed = 1 }, bucket:remove(KEY))
  end)

  local function listing(inner)
    return stub.response("<ListVersionsResult>" .. inner ..
      "</ListVersionsResult>", 200, {})
  end
  local ONE = "<Version><Key>k</Key><VersionId>1</VersionId></Version>"

  it("ends with a list that never ends", function()
    local asked = 0
    local function remove(answer)
      asked = 0
      local bucket = buckets.open(server, { transport = function(request)
        asked = asked + 1
        return request.method == "GET" and answer or
          stub.response("", 204, {})
      end })
      local result, failure = bucket:remove "k"
      assert.is_nil(result)
      assert.equal("ResponseError", failure.code)
      return failure
    end
    assert.equal(10, remove(listing(ONE)).removed)
    local turning = "<IsTruncated>true</IsTruncated>" ..
      "<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>1" ..
      "</NextVersionIdMarker>"
    assert.equal(0, remove(listing(turning)).removed)
    assert.is_true(asked <= 1000)
    remove(listing(ONE .. turning))
    assert.is_true(asked <= 2000)
  end)

  it("takes nothing else for a list", function()
    for _, body in ipairs { "", "<html></html>", "<ListVersionsResult/>",
      "<ListBucketResult><Name>b</Name></ListBucketResult>" } do
      local bucket = buckets.open(server, { max_attempts = 1,
        transport = function() return stub.response(body, 200, {}) end })
      local _, failure = bucket:remove "k"
      assert.equal("ResponseError", failure.code, body)
      assert.equal("ListObjectVersions", failure.operation)
      assert.equal(0, failure.removed)
    end
  end)

  it("refuses a key that is none", function()
    local _, failure = buckets.open(server):remove ""
    assert.equal("ParamValidationError", failure.code)
    assert.equal(0, server:requests().count)
  end)
end)
