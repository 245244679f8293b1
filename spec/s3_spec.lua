-- Objects put into a bucket, against the local AWS, which checks the signature
-- and hashes what arrives; and against answers that are made up.

local aws = require "spec.support.aws"
local buckets = require "spec.support.bucket"
local core = require "personalize.core"
local s3 = require "personalize.s3"
local sources = require "spec.support.sources"
local stub = require "spec.support.stub"

local KEY, TEXT = buckets.KEY, buckets.TEXT
local BIG = buckets.BIG

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

local function no_sleep()
  return true
end

describe("put", function()
  for _, faults in ipairs { false, { most = 100000 } } do
    it("stores a " .. (faults and "source" or "string") ..
      ", and says where", function()
      local bucket = buckets.open(server)
      for _, size in ipairs { 0, 3, 100000, 20 * 1048576 } do
        local text = ("u"):rep(size)
        local result = assert(put(bucket, KEY, text, faults or nil))
        assert.equal(200, result.status)
        local found = versions(KEY)[1]
        assert.equal(size, found.size)
        assert.equal(core.sha256_hex(text), found.sha256)
        assert.equal(found.version_id, result.version_id)
        assert.equal('"' .. found.etag .. '"', result.etag)
        assert.equal("AES256", found.encryption)
        assert.equal("text/csv", found.content_type)
        assert.equal(server:last_request().request_id, result.request_id)
      end
      assert.equal(4, #versions(KEY))
    end)
  end

  it("tells no version where the bucket keeps none", function()
    server:admin("POST", "settings", { versioning = false })
    local result = assert(put(buckets.open(server), KEY, TEXT))
    assert.is_nil(result.version_id)
  end)

  it("sends a body once more after each failure, the same bytes", function()
    local bucket = buckets.open(server, { sleep = no_sleep })
    for _, name in ipairs { "SlowDown", "InternalError", "RequestTimeout",
      "close", "status-503", "after-close" } do
      server:reset()
      server:fault { name = name, operation = "PutObject", times = 2 }
      local source = sources.new(BIG)
      local result, failure = bucket:put { key = KEY, body = source,
        sha256 = core.sha256_hex(BIG) }
      assert.is_nil(failure and failure.message)
      assert.equal(200, result.status)
      assert.equal(3, source.rewinds)
      assert.equal("PutObject PutObject PutObject", operations())
      assert.equal(core.sha256_hex(BIG), versions(KEY)[1].sha256)
    end
  end)

  it("takes an error inside a 200 for the failure that it is", function()
    local bucket = buckets.open(server, { sleep = no_sleep })
    server:fault { name = "after-InternalError", operation = "PutObject",
      status = 200, times = 2 }
    assert(put(bucket, KEY, TEXT))
    server:fault { name = "after-InternalError", operation = "PutObject",
      status = 200 }
    local _, failure = put(bucket, KEY, TEXT)
    assert.equal("InternalError", failure.code)
    assert.equal(200, failure.status)
    assert.equal(3, failure.attempts)
    assert.is_true(failure.unclear)
    assert.is_true(failure.retryable)
  end)

  it("is not believed where the answer is not S3's", function()
    for _, body in ipairs { "", "<html><body>Welcome</body></html>" } do
      local bucket = buckets.open(server, { transport = function()
        return stub.response(body, 200, {})
      end })
      local _, failure = put(bucket, KEY, TEXT)
      assert.equal("ResponseError", failure.code)
      assert.equal("transport", failure.kind)
      assert.is_true(failure.unclear)
    end
  end)

  it("of other bytes than the hash's is refused by S3", function()
    local _, failure = buckets.open(server):put { key = KEY, body = TEXT,
      sha256 = core.sha256_hex "other" }
    assert.equal("XAmzContentSHA256Mismatch", failure.code)
    assert.equal(0, #versions(KEY))
  end)

  it("ends with a source that fails, which is not tried again", function()
    local source = sources.new(BIG, { fails = 3000000 })
    local _, failure = buckets.open(server):put { key = KEY, body = source,
      sha256 = core.sha256_hex(BIG) }
    assert.equal("UserListError", failure.code)
    assert.equal("client", failure.kind)
    assert.equal("PutObject", failure.operation)
    assert.equal(1, failure.attempts)
    assert.is_false(failure.retryable)
    assert.equal(0, #versions(KEY))
  end)

  it("ends with a source that cannot be rewound", function()
    server:fault { name = "SlowDown", operation = "PutObject" }
    local source = sources.new(TEXT, { refuses = 1 })
    local _, failure = buckets.open(server, { sleep = no_sleep }):put {
      key = KEY, body = source, sha256 = core.sha256_hex(TEXT) }
    assert.equal("UserListError", failure.code)
    assert.equal(1, failure.attempts)
    assert.truthy(failure.message:find "as it was told")
  end)

  it("tells how far it got, and can be ended", function()
    local told
    local bucket = buckets.open(server)
    assert(bucket:put { key = KEY, body = sources.new(BIG),
      sha256 = core.sha256_hex(BIG),
      on_progress = function(bytes) told = bytes end })
    assert.equal(#BIG, told)
    local stop = {}
    local ok, err = pcall(bucket.put, bucket, { key = KEY,
      body = sources.new(BIG), sha256 = core.sha256_hex(BIG),
      on_progress = function() error(stop) end })
    assert.is_false(ok)
    assert.equal(stop, err)
  end)

  it("has time in proportion to what is sent", function()
    local function time_for(length)
      local left
      local bucket = buckets.open(server, { timeout = 700,
        transport = function(request)
          left = request.timeout
          return stub.response("", 200, { etag = "e" })
        end })
      assert(put(bucket, KEY, "", { length = length }))
      return left
    end
    -- Less what the machine took until then: no minute.
    assert.near(670, time_for(0), 30)
    assert.near(1470, time_for(100 * 1048576), 30)
  end)

  it("works by a transport written in Lua, which reads the source", function()
    local curl = require("personalize.curl").handle()
    local blocks, told = 0, 0
    local settings = buckets.settings(server:options {
      sleep = no_sleep, transport = function(request)
        local parts, length = {}, request.body.length
        repeat
          parts[#parts + 1] = request.body:read(1000000)
          blocks = blocks + 1
        until not parts[blocks]
        request.body = table.concat(parts)
        assert(#request.body == length)
        request.progress(length)
        request.progress, blocks = nil, 0
        return curl:perform(request)
      end })
    server:fault { name = "SlowDown", operation = "PutObject", times = 1 }
    local bucket = assert(s3.open(settings, { bucket = server.bucket }))
    assert(bucket:put { key = KEY, body = sources.new(BIG),
      sha256 = core.sha256_hex(BIG),
      on_progress = function(bytes) told = told + bytes end })
    curl:close()
    assert.equal(core.sha256_hex(BIG), versions(KEY)[1].sha256)
    assert.equal(2 * #BIG, told)
  end)

  it("waits for S3's word before it sends what is long", function()
    server:fault { name = "AccessDenied", operation = "PutObject" }
    local source = sources.new(BIG)
    local _, failure = buckets.open(server):put { key = KEY, body = source,
      sha256 = core.sha256_hex(BIG) }
    assert.equal("AccessDenied", failure.code)
    assert.equal(0, source.at)
  end)

  it("of a KMS bucket is a failure: nobody could read the list", function()
    for _, how in ipairs { "aws:kms", "aws:kms:dsse" } do
      local bucket = buckets.open(server, { transport = function()
        return stub.response("", 200, { etag = "e", ["x-amz-version-id"] = "v1",
          ["x-amz-server-side-encryption"] = how })
      end })
      local result, failure = put(bucket, KEY, TEXT)
      assert.is_nil(result)
      assert.equal("ConfigError", failure.code)
      assert.equal("client", failure.kind)
      assert.equal("v1", failure.version_id)
      assert.truthy(failure.message:find("KMS", 1, true))
      assert.truthy(failure.message:find(server.bucket, 1, true))
    end
    server:admin("POST", "settings", { encryption = "aws:kms" })
    local _, failure = put(buckets.open(server), KEY, TEXT)
    assert.equal("ConfigError", failure.code)
  end)

  it("tells what a policy says that demands KMS", function()
    server:admin("POST", "settings", { encryption = "policy" })
    local _, failure = put(buckets.open(server), KEY, TEXT)
    assert.equal("AccessDenied", failure.code)
    assert.equal("service", failure.kind)
    assert.equal(403, failure.status)
    assert.truthy(failure.message:find("explicit deny", 1, true))
    assert.truthy(failure.message:find("(bucket erasure)", 1, true))
  end)

  it("refuses keys that are none, before anything is sent", function()
    local bucket = buckets.open(server)
    for _, key in ipairs { "", ("k"):rep(1025), "a\255", "\237\160\128", 5,
      {} } do
      local _, failure = put(bucket, key, TEXT)
      assert.equal("ParamValidationError", failure.code)
      assert.equal("client", failure.kind)
    end
    assert(put(bucket, ("\195\169"):rep(512), TEXT))
    assert.equal("PutObject", operations())
  end)

  it("takes any name for a key", function()
    local bucket = buckets.open(server)
    for _, key in ipairs { "a/../b//c/./", "a%2Fb", "a b+c&d=e?f#g;",
      "\195\169\226\130\172", "'\"<>&" } do
      assert(put(bucket, key, TEXT))
      assert.equal(1, #versions(key), key)
      assert.same({ removed = 1 }, bucket:remove(key))
    end
  end)

  it("refuses more than 5 GiB", function()
    local _, failure = put(buckets.open(server), KEY, "",
      { length = 5 * 1024 ^ 3 + 1 })
    assert.equal("ParamValidationError", failure.code)
    assert.truthy(failure.message:find("5 GiB", 1, true))
    assert.equal(0, server:requests().count)
  end)

  it("works over TLS, with a session token", function()
    local secure = aws.start "--tls --session-token Token/Of+Session="
    local options = { credentials = { access_key_id = secure.access_key_id,
      secret_access_key = secure.secret_access_key,
      session_token = "Token/Of+Session=" } }
    local result, failure = put(buckets.open(secure, options), KEY, BIG, {})
    secure:stop()
    assert.is_nil(failure and failure.message)
    assert.equal(200, result.status)
  end)

  it("asks for fresh credentials when they have expired", function()
    server:fault { name = "ExpiredToken", operation = "PutObject", times = 1 }
    local settings = buckets.settings(server:options())
    local forgotten
    settings.invalidate = function(id) forgotten = id end
    local bucket = assert(s3.open(settings, { bucket = server.bucket }))
    assert(put(bucket, KEY, TEXT, {}))
    assert.equal(server.access_key_id, forgotten)
  end)
end)

describe("a bucket", function()
  it("of another owner refuses", function()
    local bucket = buckets.open(server, nil,
      { expected_bucket_owner = "999999999999" })
    local _, failure = put(bucket, KEY, BIG, {})
    assert.equal("AccessDenied", failure.code)
    _, failure = bucket:remove(KEY)
    assert.equal("AccessDenied", failure.code)
    bucket = buckets.open(server, nil,
      { expected_bucket_owner = server.account })
    assert(put(bucket, KEY, TEXT))
    assert.same({ removed = 1 }, bucket:remove(KEY))
  end)

  it("that is not there is told by name", function()
    local _, failure = put(buckets.open(server, nil, { bucket = "nowhere" }),
      KEY, TEXT)
    assert.equal("NoSuchBucket", failure.code)
    assert.truthy(failure.message:find("(bucket nowhere)", 1, true))
  end)

  it("is refused where its name or owner is none", function()
    local settings = buckets.settings(server:options())
    for _, options in ipairs { {}, { bucket = "" }, { bucket = 5 },
      { bucket = "a", expected_bucket_owner = "12" },
      { bucket = "a", expected_bucket_owner = 123456789012 } } do
      local bucket, failure = s3.open(settings, options)
      assert.is_nil(bucket)
      assert.equal("ParamValidationError", failure.code)
    end
    local _, failure = s3.open(settings,
      { bucket = "arn:aws:s3:eu-west-1:123456789012:accesspoint/a" })
    assert.equal("ConfigError", failure.code)
  end)

  it("shows nothing of its settings", function()
    local bucket = buckets.open(server)
    assert.equal("personalize.Bucket", tostring(bucket))
  end)

  it("can be used after it was closed", function()
    local bucket = buckets.open(server)
    assert(put(bucket, KEY, TEXT))
    bucket:close()
    bucket:close()
    assert(put(bucket, KEY, TEXT))
  end)

  it("keeps the hash with the object, and tells what S3 made of it",
    function()
      local put_result = assert(put(buckets.open(server), KEY, TEXT))
      local hash = core.sha256_hex(TEXT):gsub("%x%x", function(digits)
        return string.char(tonumber(digits, 16))
      end)
      assert.equal(core.base64(hash), put_result.checksum_sha256)
      assert.equal("AES256", put_result.encryption)
      assert.truthy(put_result.etag:find '^"%x+"$')
    end)

  it("believes no answer that names another hash", function()
    local bucket = buckets.open(server, { max_attempts = 1,
      transport = function()
        return stub.response("", 200, { etag = '"e"',
          ["x-amz-checksum-sha256"] = core.base64(("x"):rep(32)) })
      end })
    local result, failure = put(bucket, KEY, TEXT)
    assert.is_nil(result)
    assert.equal("ResponseError", failure.code)
    assert.is_true(failure.unclear)
    assert.truthy(failure.message:find("another SHA-256", 1, true))
  end)

  it("has events of its attempts and retries", function()
    local events = {}
    server:fault { name = "SlowDown", operation = "PutObject", times = 1 }
    local bucket = buckets.open(server, { sleep = no_sleep,
      on_event = function(event)
        events[#events + 1] = ("%s %s %s"):format(event.name, event.operation,
          tostring(event.code))
      end })
    assert(put(bucket, KEY, TEXT))
    assert.same({ "attempt PutObject SlowDown", "retry PutObject SlowDown",
      "attempt PutObject nil", "call PutObject nil" }, events)
  end)
end)
