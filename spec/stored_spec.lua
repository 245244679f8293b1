--- What proves that an object in S3 is the one that was put there, against the
-- local AWS.

local buckets = require "spec.support.bucket"
local core = require "personalize.core"
local stored = require "personalize.stored"

local KEY, TEXT = buckets.KEY, buckets.TEXT
local PIECE = 4 * 1024 * 1024

describe("an object that is looked at", function()
  local server
  setup(function() server = buckets.start() end)
  teardown(function() buckets.stop(server) end)
  before_each(function() server:reset() end)

  local function check(text, more, options)
    local object = { key = KEY, bytes = #text,
      sha256 = core.sha256_hex(text) }
    for name, value in pairs(more or {}) do
      object[name] = value
    end
    return stored.check(buckets.open(server, options), object)
  end

  local function put(text, headers)
    local ok, failure = buckets.open(server):ask("PutObject", {
      method = "PUT", key = KEY, body = text,
      payload_hash = core.sha256_hex(text), headers = headers }, #text)
    assert(ok, failure.message)
  end

  local function count(operation)
    return server:requests().operations[operation] or 0
  end

  local function refused(part, ...)
    local is_stored, why = ...
    assert.is_false(is_stored)
    assert.truthy(why:find(part, 1, true), why)
  end

  -- Hex digits as S3 has them.
  local function base64_of(hex)
    return core.base64((hex:gsub("%x%x", function(digits)
      return string.char(tonumber(digits, 16))
    end)))
  end

  local function sum_of(text)
    return base64_of(core.sha256_hex(text))
  end

  it("is proved by S3's own sum, without a byte of it", function()
    put(TEXT, { { "x-amz-checksum-sha256", sum_of(TEXT) } })
    assert.is_true(check(TEXT))
    refused("its SHA-256 is " .. core.sha256_hex(TEXT),
      check(TEXT, { sha256 = core.sha256_hex "other" }))
    assert.equal(0, count "GetObject")
  end)

  it("is read where S3 keeps no sum, or another", function()
    for i, headers in ipairs { {},
      { { "x-amz-checksum-sha1", base64_of(core.sha1_hex(TEXT)) } } } do
      put(TEXT, headers)
      assert.is_true(check(TEXT))
      assert.equal(i, count "GetObject")
    end
  end)

  it("is not believed for a sum of parts, or one that is none", function()
    put(TEXT)
    local curl = require("personalize.transport.curl").new()
    for _, told in ipairs { { sum_of "other" .. "-2", "COMPOSITE" },
      { sum_of "other", "COMPOSITE" }, { "?" }, { sum_of("other"):sub(1, 20) },
      { "" } } do
      local before = count "GetObject"
      assert.is_true(check(TEXT, nil, { transport = function(request)
        local response, failure = curl(request)
        if response and request.method == "HEAD" then
          response.headers["x-amz-checksum-sha256"] = told[1]
          response.headers["x-amz-checksum-type"] = told[2]
        end
        return response, failure
      end }))
      assert.equal(before + 1, count "GetObject")
    end
  end)

  it("is read in pieces, each told", function()
    for _, size in ipairs { 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7 } do
      local text = ("u"):rep(size - 1) .. "\n"
      put(text)
      local before, told = count "GetObject", {}
      assert.is_true(check(text, { on_progress = function(bytes)
        told[#told + 1] = bytes
      end }))
      local pieces = math.ceil(size / PIECE)
      assert.equal(before + pieces, count "GetObject")
      assert.equal(pieces, #told)
      assert.equal(size, told[pieces])
    end
  end)

  it("is another where one byte is", function()
    local text = ("u"):rep(PIECE + 10)
    put((text:gsub("u$", "v")))
    refused("its SHA-256 is", check(text))
    put(text .. "x")
    refused(("it has %d bytes there, not %d"):format(#text + 1, #text),
      check(text))
    assert.equal(2, count "GetObject") -- of the first
    put(text)
    assert.is_true(check(text))
  end)

  it("is another where it changes while it is read", function()
    local text = ("u"):rep(PIECE + 10)
    put(text)
    refused("it changed while it was read", check(text, {
      on_progress = function(bytes)
        if bytes == PIECE then
          put((text:gsub("u$", "v")))
        end
      end }))
  end)

  it("is none where it was never put, or removed", function()
    refused("not there any more", check(TEXT))
    put(TEXT)
    -- With a delete marker over it.
    assert(buckets.open(server):ask("DeleteObject", { method = "DELETE",
      key = KEY }))
    refused("not there any more", check(TEXT))
    put(TEXT)
    assert(buckets.open(server):remove(KEY))
    refused("not there any more", check(TEXT))
  end)

  it("is of no use under a KMS key", function()
    put(TEXT, { { "x-amz-server-side-encryption", "aws:kms" } })
    refused("under a KMS key (aws:kms)", check(TEXT))
  end)

  it("cannot be told where S3 does not tell", function()
    put(TEXT)
    for _, case in ipairs { { "HeadObject=AccessDenied", 403 },
      { "GetObject=AccessDenied", 403 },
      { "HeadObject=SlowDown", 503 } } do
      server:fault { spec = case[1] }
      local is_stored, failure = check(TEXT, nil, { max_attempts = 1 })
      assert.is_nil(is_stored)
      assert.equal(case[2], failure.status)
      assert.truthy(failure.message:find(server.bucket, 1, true),
        failure.message)
      server:reset()
      put(TEXT)
    end
    -- A failure that passes is tried again.
    server:fault { spec = "GetObject=InternalError:2" }
    assert.is_true(check(TEXT, nil, { sleep = function() return true end }))
    refused("not there any more", check(TEXT, { key = "other" }))
    local is_stored, failure = check(TEXT, { key = "" })
    assert.is_nil(is_stored)
    assert.equal("ParamValidationError", failure.code)
  end)

  it("is not S3's without an ETag, or cut short", function()
    for part, headers in pairs { ["no ETag"] = { ["content-length"] = "14" },
      ["another length"] = { ["content-length"] = "14", etag = '"x"' } } do
      refused(part, check(TEXT, nil, { transport = function(request)
        return { status = 200, headers = headers,
          body = request.method == "GET" and "short" or "" }
      end }))
    end
  end)
end)
