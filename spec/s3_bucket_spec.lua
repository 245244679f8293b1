--- What a bucket tells of itself, and what becomes of answers that tell nothing.

local buckets = require "spec.support.bucket"
local s3_bucket = require "personalize.s3_bucket"
local stub = require "spec.support.stub"

local server

setup(function() server = buckets.start() end)
teardown(function() buckets.stop(server) end)
before_each(function() server:reset() end)

local function set(members)
  members.name = server.bucket
  server:admin("POST", "world", { buckets = { members } })
end

-- A bucket whose every answer is this one.
local function answering(status, body, headers)
  return buckets.open(server, { max_attempts = 1, transport = function()
    return stub.response(body, status, headers or {})
  end })
end

describe("a bucket tells", function()
  it("its region, also where it refuses", function()
    local region, result, is_refused = s3_bucket.region(buckets.open(server))
    assert.equal("eu-west-1", region)
    assert.is_false(is_refused)
    assert.equal(1, result.attempts)
    server:admin("POST", "deny", { "s3:ListBucket" })
    region, result, is_refused = s3_bucket.region(buckets.open(server))
    assert.equal("eu-west-1", region)
    assert.is_true(is_refused)
    assert.equal(403, result.status)
    set { region = "eu-central-1" }
    server:admin("DELETE", "deny")
    region, result, is_refused = s3_bucket.region(buckets.open(server))
    assert.equal("eu-central-1", region)
    assert.is_false(is_refused)
    assert.equal(2, result.attempts)
    region, result, is_refused = s3_bucket.region(buckets.open(server, nil,
      { bucket = "another" }))
    assert.is_nil(region)
    assert.equal(404, result.status)
    assert.is_true(is_refused)
  end)

  it("no region that is none", function()
    local region = s3_bucket.region(answering(200, "",
      { ["x-amz-bucket-region"] = "eu west\27[31m" }))
    assert.is_nil(region)
  end)

  it("how it encrypts", function()
    assert.same({ algorithm = "AES256" },
      (s3_bucket.encryption(buckets.open(server))))
    set { encryption = { SSEAlgorithm = "aws:kms", KMSMasterKeyID = "abc" } }
    assert.same({ algorithm = "aws:kms", key = "abc" },
      (s3_bucket.encryption(buckets.open(server))))
    set { encryption = require("cjson").null }
    assert.same({}, (s3_bucket.encryption(buckets.open(server))))
  end)

  it("whether it keeps versions", function()
    assert.same({ status = "Enabled" },
      (s3_bucket.versioning(buckets.open(server))))
    set { versioning = "Suspended", mfaDelete = "Enabled" }
    assert.same({ status = "Suspended", mfa_delete = "Enabled" },
      (s3_bucket.versioning(buckets.open(server))))
    set { versioning = "", mfaDelete = "" }
    assert.same({}, (s3_bucket.versioning(buckets.open(server))))
  end)

  it("its policy, as it is, and whether that is public", function()
    assert.is_false((s3_bucket.policy(buckets.open(server))))
    assert.is_false((s3_bucket.is_public(buckets.open(server))))
    set { policy = "no JSON", isPublic = "TRUE" }
    assert.equal("no JSON", (s3_bucket.policy(buckets.open(server))))
    assert.is_true((s3_bucket.is_public(buckets.open(server))))
  end)

  it("its lock", function()
    assert.same({ is_on = false }, (s3_bucket.object_lock(buckets.open(server))))
    set { objectLock = { Mode = "COMPLIANCE", Days = 7 } }
    assert.same({ is_on = true, mode = "COMPLIANCE", days = "7" },
      (s3_bucket.object_lock(buckets.open(server))))
  end)

  it("what is in a folder, page by page, until that is enough", function()
    set { objects = { ["a/1.csv"] = "1", ["a/2.txt"] = "2", ["a/b/3.csv"] = "3",
      ["ab/4.csv"] = "4" } }
    server:admin("POST", "settings", { page_size = 1 })
    local function is_csv(key)
      return key:find "%.csv$" ~= nil
    end
    local keys, result = s3_bucket.keys(buckets.open(server), "a/", is_csv, 9)
    assert.same({ "a/1.csv", "a/b/3.csv" }, keys)
    assert.equal(3, result.attempts)
    assert.same({ "a/1.csv" }, (s3_bucket.keys(buckets.open(server), "a/",
      is_csv, 1)))
    assert.same({}, (s3_bucket.keys(buckets.open(server), "z/", is_csv, 1)))
  end)

  it("how an object lies there", function()
    set { objects = { ["a/1.csv"] = "12345" } }
    local found = s3_bucket.object(buckets.open(server), "a/1.csv")
    assert.same({ algorithm = "AES256", bytes = 5 }, found)
    local none, result = s3_bucket.object(buckets.open(server), "a/2.csv")
    assert.is_nil(none)
    assert.equal(404, result.status)
  end)
end)

describe("what cannot be read", function()
  local READERS = { GetBucketEncryption = s3_bucket.encryption,
    GetBucketVersioning = s3_bucket.versioning,
    GetBucketPolicy = s3_bucket.policy,
    GetBucketPolicyStatus = s3_bucket.is_public,
    GetObjectLockConfiguration = s3_bucket.object_lock,
    ListObjectsV2 = function(bucket)
      return s3_bucket.keys(bucket, "a/", function() return true end, 1)
    end }

  for operation, read in pairs(READERS) do
    it("is an error's fields: " .. operation, function()
      server:admin("POST", "deny", { s3_bucket.ACTIONS[operation] })
      local found, failure = read(buckets.open(server))
      assert.is_nil(found)
      assert.equal("AccessDenied", failure.code)
      assert.equal(operation, failure.operation)
      assert.equal(403, failure.status)
    end)

    if operation ~= "GetBucketPolicy" then
      it("is no answer: " .. operation, function()
        for _, body in ipairs { "", "<a/>", "<html>", "{}",
          "<Error><Code>InternalError</Code></Error>" } do
          local found, failure = read(answering(200, body))
          assert.is_nil(found, body)
          assert.is_string(failure.code)
          assert.is_string(failure.message)
        end
      end)
    end
  end

  it("is a list that goes on for ever", function()
    local found, failure = READERS.ListObjectsV2(answering(200,
      "<ListBucketResult><IsTruncated>true</IsTruncated>" ..
      "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>"))
    assert.is_nil(found)
    assert.equal("ResponseError", failure.code)
    assert.equal(2, failure.attempts)
  end)
end)
