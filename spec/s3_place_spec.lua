-- Where a bucket is: in which region, and at what address.

local buckets = require "spec.support.bucket"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local s3 = require "personalize.s3"
local sources = require "spec.support.sources"
local stub = require "spec.support.stub"

local KEY, TEXT = buckets.KEY, buckets.TEXT
local BIG = buckets.BIG

local server

local put = buckets.put

local function operations()
  return buckets.operations(server)
end

setup(function() server = buckets.start() end)
teardown(function() buckets.stop(server) end)
before_each(function() server:reset() end)

describe("a bucket of another region", function()
  before_each(function()
    server:admin("POST", "settings", { bucket_region = "eu-central-1" })
  end)

  it("is followed there, once", function()
    local bucket = buckets.open(server)
    local source = sources.new(BIG)
    local before = source.rewinds
    assert(bucket:put { key = KEY, body = source,
      sha256 = core.sha256_hex(BIG) })
    assert.equal(before + 2, source.rewinds)
    assert.equal("PutObject PutObject", operations())
    assert(put(bucket, KEY, TEXT))
    assert.same({ removed = 2 }, bucket:remove(KEY))
    assert.equal("PutObject PutObject PutObject ListObjectVersions " ..
      "DeleteObject DeleteObject ListObjectVersions", operations())
  end)

  it("that moves on is not followed for ever", function()
    local sent = 0
    local bucket = buckets.open(server, { transport = function()
      sent = sent + 1
      return stub.response("", 301,
        { ["x-amz-bucket-region"] = "eu-west-" .. sent + 1 })
    end })
    local _, failure = put(bucket, KEY, TEXT)
    assert.equal("HTTP 301", failure.code)
    assert.equal(2, sent)
    assert.equal(2, failure.attempts)
  end)

  -- How a refusal tells the region; the second request is the answer to it.
  for name, refusal in pairs {
    ["a header"] = { 301, "", { ["x-amz-bucket-region"] = "eu-central-1" } },
    ["a header of a 400"] = { 400, "",
      { ["x-amz-bucket-region"] = "eu-central-1" } },
    ["an element"] = { 400, "<Error><Code>AuthorizationHeaderMalformed" ..
      "</Code><Region>eu-central-1</Region></Error>", {} },
    ["an element of a 307"] = { 307, "<Error><Code>TemporaryRedirect</Code>"
      .. "<Region>eu-central-1</Region></Error>", {} },
    ["nothing but HeadBucket"] = { 301, "", {}, true },
  } do
    it("is known by " .. name, function()
      local sent = {}
      local bucket = assert(s3.open(buckets.settings { region = "eu-west-1",
        credentials = stub.CREDENTIALS, transport = function(request)
        sent[#sent + 1] = request
        if request.method == "HEAD" then
          return stub.response("", 301,
            { ["x-amz-bucket-region"] = "eu-central-1" })
        elseif #sent == 1 then
          return stub.response(refusal[2], refusal[1], refusal[3])
        end
        return stub.response("", 200, { etag = "e" })
      end }, { bucket = "erasure" }))
      assert(put(bucket, KEY, TEXT))
      assert.equal(refusal[4] and 3 or 2, #sent)
      assert.truthy(sent[1].url:find(
        "^https://erasure%.s3%.eu%-west%-1%.amazonaws%.com/lists/"))
      assert.truthy(sent[#sent].url:find(
        "^https://erasure%.s3%.eu%-central%-1%.amazonaws%.com/lists/"))
      assert.equal("PUT", sent[#sent].method)
    end)
  end

  for name, refusal in pairs {
    ["names none"] = { 400, "<Error><Code>BadDigest</Code></Error>", {} },
    ["names ours"] = { 301, "",
      { ["x-amz-bucket-region"] = "eu-west-1" } },
    ["names what is none"] = { 301, "",
      { ["x-amz-bucket-region"] = "evil.example/" } },
    ["denies"] = { 403, "", { ["x-amz-bucket-region"] = "eu-central-1" } },
  } do
    it("is not looked for where the refusal " .. name, function()
      local puts = 0
      local bucket = buckets.open(server, { transport = function(request)
        if request.method == "PUT" then
          puts = puts + 1
        end
        return stub.response(refusal[2], refusal[1], refusal[3])
      end })
      local _, failure = put(bucket, KEY, TEXT)
      assert.equal(refusal[1], failure.status)
      assert.equal(1, puts)
    end)
  end
end)

describe("the address", function()
  local function url(options, bucket, text)
    local asked
    options.transport = function(request)
      asked = request.url
      return stub.response("", 200, { etag = "e" })
    end
    options.credentials = stub.CREDENTIALS
    options.region = options.region or "eu-west-1"
    assert(put(assert(s3.open(buckets.settings(options, text),
      { bucket = bucket or "lists" })), "a/b.csv", TEXT))
    return asked
  end

  for _, case in ipairs {
    { {}, "https://lists.s3.eu-west-1.amazonaws.com/a/b.csv" },
    { { s3_addressing = "path" },
      "https://s3.eu-west-1.amazonaws.com/lists/a/b.csv" },
    { { use_fips = true },
      "https://lists.s3-fips.eu-west-1.amazonaws.com/a/b.csv" },
    { { use_dualstack = true },
      "https://lists.s3.dualstack.eu-west-1.amazonaws.com/a/b.csv" },
    { { region = "cn-north-1" },
      "https://lists.s3.cn-north-1.amazonaws.com.cn/a/b.csv" },
    { {}, "https://s3.eu-west-1.amazonaws.com/my.lists/a/b.csv",
      "my.lists" },
    { { endpoint = "http://127.0.0.1:9000" },
      "http://127.0.0.1:9000/lists/a/b.csv" },
    { { endpoint = "http://localhost:9000" },
      "http://localhost:9000/lists/a/b.csv" },
    { { endpoint = "http://localhost:9000", s3_addressing = "virtual" },
      "http://lists.localhost:9000/a/b.csv" },
    { { endpoint = "https://minio.example" },
      "https://lists.minio.example/a/b.csv" },
    { { endpoint = "https://minio.example/base", s3_addressing = "path" },
      "https://minio.example/base/lists/a/b.csv" },
    { { endpoints = { s3 = "http://127.0.0.1:9000" } },
      "http://127.0.0.1:9000/lists/a/b.csv" },
    { { endpoints = { personalize = "http://127.0.0.1:9000" } },
      "https://lists.s3.eu-west-1.amazonaws.com/a/b.csv" },
  } do
    it("is " .. case[2], function()
      assert.equal(case[2], url(case[1], case[3]))
    end)
  end

  it("is as the profile's s3 settings say, after the option", function()
    local profile = "[default]\ns3 =\n  addressing_style = Path\n"
    assert.equal("https://s3.eu-west-1.amazonaws.com/lists/a/b.csv",
      url({}, nil, profile))
    assert.equal("https://lists.s3.eu-west-1.amazonaws.com/a/b.csv",
      url({ s3_addressing = "virtual" }, nil, profile))
    assert.equal("https://lists.s3.eu-west-1.amazonaws.com/a/b.csv",
      url({}, nil, "[default]\ns3 =\n  max_queue_size = 1000\n"))
    local e = stub.failure(buckets.settings, {},
      "[default]\ns3 =\n  addressing_style = elsewhere\n")
    assert.equal("ConfigError", e.code)
    assert.truthy(e.message:find("auto, virtual or path", 1, true))
  end)

  it("is of the profile's services section", function()
    assert.equal("http://127.0.0.1:9002/lists/a/b.csv", url({}, nil,
      "[default]\nservices = mine\n[services mine]\ns3 =\n" ..
      "  endpoint_url = http://127.0.0.1:9002\n"))
  end)

  it("is the environment's where that has one", function()
    environment.set { AWS_ENDPOINT_URL_S3 = "http://127.0.0.1:9001" }
    local found = url {}
    environment.set {}
    assert.equal("http://127.0.0.1:9001/lists/a/b.csv", found)
  end)
end)
