--- Objects of one S3 bucket: put, and removed with every version.
-- Knows S3's requests and answers as far as these two need them, and follows
-- a bucket to the region it is in. Refuses to know clients, and what is in an
-- object.

local call = require "personalize.call"
local channel = require "personalize.channel"
local checks = require "personalize.checks"
local core = require "personalize.core"

local M = {}

---@class personalize.Bucket
local Bucket = { __name = "personalize.Bucket" }
Bucket.__index = Bucket

function Bucket.__tostring()
  return "personalize.Bucket"
end

-- Of one put; what is larger needs several parts.
local OBJECT_MAX = 5 * 1024 ^ 3
-- A put gets the time that its bytes take at this rate, in bytes a second.
local SLOWEST = 128 * 1024
local NOTHING = core.sha256_hex ""

-- Listings of one removal: rounds until nothing is left, pages of a round.
local ROUNDS_MAX = 10
local PAGES_MAX = 100

local function fail(operation, code, message)
  return nil, { code = code, kind = "client", operation = operation,
    attempts = 0, message = message }
end

-- What is wrong with an argument.
local function refuse(operation, path, message)
  return nil, { code = "ParamValidationError", kind = "client",
    operation = operation, attempts = 0, message = path .. " " .. message,
    params = { { path = path, code = "type", message = message } } }
end

-- ---- asking, wherever the bucket is ----------------------------------------

-- The service of the region that the bucket is believed to be in.
local function place(bucket)
  if not bucket.place then
    local opened, wrong = channel.open(bucket.settings, { service = "s3",
      bucket = bucket.name, region = bucket.region })
    if not opened then
      return nil, wrong
    end
    bucket.place = opened
  end
  return bucket.place
end

-- One call, and what came for an answer where that was a refusal.
local function once(bucket, operation, request, deadline)
  local at, wrong = place(bucket)
  if not at then
    return fail(operation, "ConfigError", wrong)
  end
  local headers = { { "x-amz-content-sha256",
    request.payload_hash or NOTHING } }
  if bucket.owner then
    headers[2] = { "x-amz-expected-bucket-owner", bucket.owner }
  end
  for _, header in ipairs(request.headers or {}) do
    headers[#headers + 1] = header
  end
  return call.request(at, operation, { method = request.method,
    path = request.path or "/", query = request.query, headers = headers,
    body = request.body, source = request.source,
    length = request.source and request.source.length,
    payload_hash = request.payload_hash, progress = request.progress,
    keep_path = true, protocol = request.protocol or "xml" },
    bucket.settings.get_credentials, deadline)
end

-- The region that a refusal names, if it does.
local function named_region(answer)
  local region = answer.headers and answer.headers["x-amz-bucket-region"]
  if not region and type(answer.body) == "string" then
    local _, value = core.xml(answer.body)
    region = type(value) == "table" and value.Region
  end
  return type(region) == "string" and core.is_region(region) and region or nil
end

local REDIRECTS = { [301] = true, [302] = true, [307] = true }

-- The other region that the bucket is in, where that is why it refused.
local function elsewhere(bucket, answer, deadline)
  local status = answer and answer.status
  if not REDIRECTS[status] and status ~= 400 then
    return nil
  end
  local region = named_region(answer)
  if not region and REDIRECTS[status] then
    local found, _, refusal = once(bucket, "HeadBucket", { method = "HEAD" },
      deadline)
    answer = found or refusal
    region = answer and named_region(answer)
  end
  return region ~= bucket.region and region or nil
end

-- The same in the region that the bucket is in, which is looked for once.
local function ask(bucket, operation, request, deadline)
  local response, result, answer = once(bucket, operation, request, deadline)
  local region = not response and not bucket.is_followed and
    elsewhere(bucket, answer, deadline)
  if region then
    bucket:close()
    bucket.region, bucket.is_followed = region, true
    local before = result.attempts
    response, result, answer = once(bucket, operation, request, deadline)
    result.attempts = result.attempts + before
  end
  if not response and result.kind == "service" then
    -- S3 says "Access Denied" and no more.
    result.message = ("%s (bucket %s)"):format(result.message, bucket.name)
  end
  return response, result, answer
end

local function path_of(operation, key)
  if type(key) == "string" and core.is_s3_key(key) then
    return core.s3_path(nil, key)
  end
  return refuse(operation, "key", "must have 1 to 1024 bytes of UTF-8")
end

--- Asks one thing of a bucket, in the region that it is in. For the readers in
-- files beside this one.
---@param operation string for errors and events
---@param request { method: string, key: string?, query: string?,
--- headers: string[][]?, protocol: "xml"|"bytes"? } "bytes" is what may come as
--- it is: an object, a policy
---@param bytes? integer that will come, for which it gets time
---@return personalize.Response?
---@return table result of the call; after a failure, the fields of the error
---@return personalize.Response? refusal after a failure, the last answer
function Bucket:ask(operation, request, bytes)
  local failure
  if request.key then
    request.path, failure = path_of(operation, request.key)
  end
  if failure then
    return nil, failure
  end
  return ask(self, operation, request, core.monotonic() +
    self.settings.timeout + (bytes or 0) / SLOWEST)
end

-- ---- put -------------------------------------------------------------------

---@class personalize.Put
---@field key string 1 to 1024 bytes of UTF-8
---@field body string|personalize.Source
---@field sha256 string of the body, 64 hex digits
---@field on_progress? fun(bytes: integer) told what was sent; what it raises
--- ends the put and is raised

---@class personalize.PutResult
---@field version_id? string absent where the bucket keeps no versions
---@field etag? string
---@field checksum_sha256? string as S3 keeps it, base64
---@field encryption? string such as "AES256"
---@field request_id? string
---@field status integer

-- Makes a failure of an answer that says success, where the object is not
-- there or of no use: Personalize reads no list under a customer's key.
local function doubt(bucket, response, result, checksum)
  local how = response.headers["x-amz-server-side-encryption"]
  local kept = response.headers["x-amz-checksum-sha256"]
  if not response.headers.etag then
    result.code, result.kind, result.unclear = "ResponseError", "transport", true
    result.message = "the answer says success, but names no ETag: it is not S3's"
  elseif kept and kept ~= checksum then
    result.code, result.kind, result.unclear = "ResponseError", "transport", true
    result.message = "the answer says success, but names another SHA-256 " ..
      "than that of what was sent"
  elseif type(how) == "string" and how:find "^aws:kms" then
    result.code, result.kind = "ConfigError", "client"
    result.message = ("the bucket %s encrypts with %s what was put as " ..
      "AES256, and Amazon Personalize cannot read a list under a KMS key")
      :format(bucket.name, how)
    result.version_id = response.headers["x-amz-version-id"]
  else
    return false
  end
  result.retryable = false
  return true
end

-- A hash of hex digits as S3 has checksums.
local function base64_of(hex)
  return core.base64((hex:gsub("%x%x", function(digits)
    return string.char(tonumber(digits, 16))
  end)))
end

--- Puts an object, encrypted with S3's own key. S3 compares what arrives with
-- the hash, so that nothing but the body is ever stored, and keeps the hash with
-- the object: buckets with Object Lock demand one.
---@param object personalize.Put
---@return personalize.PutResult?
---@return table? failure the fields of an error; with version_id where the
--- object is there all the same
function Bucket:put(object)
  local path, failure = path_of("PutObject", object.key)
  if not path then
    return nil, failure
  end
  local body = object.body
  local is_text = type(body) == "string"
  local length = is_text and #body or body.length
  if length > OBJECT_MAX then
    return refuse("PutObject", "body", "must have at most 5 GiB: S3 takes " ..
      "no more in one put")
  end
  local deadline = core.monotonic() + self.settings.timeout + length / SLOWEST
  local checksum = base64_of(object.sha256)
  local response, result = ask(self, "PutObject", {
    method = "PUT", path = path, payload_hash = object.sha256,
    body = is_text and body or nil, source = not is_text and body or nil,
    progress = object.on_progress,
    headers = { { "content-type", "text/csv" },
      { "x-amz-server-side-encryption", "AES256" },
      { "x-amz-checksum-sha256", checksum } },
  }, deadline)
  if not response or doubt(self, response, result, checksum) then
    return nil, result
  end
  return { version_id = response.headers["x-amz-version-id"],
    etag = response.headers.etag, request_id = result.request_id,
    checksum_sha256 = response.headers["x-amz-checksum-sha256"],
    encryption = response.headers["x-amz-server-side-encryption"],
    status = result.status }
end

-- ---- remove ----------------------------------------------------------------

local KINDS = { Version = true, DeleteMarker = true }

-- Adds the key's versions on a page to `ids`. Answers where the next page
-- begins that may have more of them, nil where none does; or nil and what is
-- wrong.
local function read_page(body, key, ids)
  local root, page = core.xml(body)
  if root ~= "ListVersionsResult" or type(page) ~= "table" then
    return nil, root and "it is no list of versions" or page
  end
  local is_past = false
  for _, child in ipairs(page) do
    local entry = KINDS[child.name] and child.value
    if type(entry) == "table" then
      if entry.Key == key and type(entry.VersionId) == "string" then
        ids[#ids + 1] = entry.VersionId
      else
        -- Of the keys with this prefix the key itself comes first.
        is_past = true
      end
    end
  end
  if page.IsTruncated ~= "true" or is_past or
    type(page.NextKeyMarker) ~= "string" then
    return nil
  end
  return "&key-marker=" .. core.uri_encode(page.NextKeyMarker) ..
    (type(page.NextVersionIdMarker) == "string" and "&version-id-marker=" ..
      core.uri_encode(page.NextVersionIdMarker) or "")
end

local function unreadable(result, wrong)
  return { code = "ResponseError", kind = "transport", retryable = false,
    operation = "ListObjectVersions", attempts = result.attempts,
    status = result.status, request_id = result.request_id,
    message = "the answer of S3 cannot be used: " .. wrong }
end

-- The ids of the key's versions; or nil and the fields of an error.
local function list(bucket, key)
  local ids, marker = {}, ""
  local result
  for _ = 1, PAGES_MAX do
    local response, wrong, before
    response, result = ask(bucket, "ListObjectVersions", { method = "GET",
      query = "versions=&prefix=" .. core.uri_encode(key) .. marker },
      core.monotonic() + bucket.settings.timeout)
    if not response then
      return nil, result
    end
    before = marker
    marker, wrong = read_page(response.body or "", key, ids)
    if wrong then
      return nil, unreadable(result, wrong)
    elseif not marker then
      return ids
    elseif marker == before then
      break
    end
  end
  return nil, unreadable(result, "the list of versions does not end")
end

local GONE = { NoSuchVersion = true, NoSuchKey = true }

local function delete(bucket, path, id)
  local response, result = ask(bucket, "DeleteObject", { method = "DELETE",
    path = path, query = "versionId=" .. core.uri_encode(id) },
    core.monotonic() + bucket.settings.timeout)
  if response or GONE[result.code] then
    return true
  end
  return nil, result
end

--- Removes every version and delete marker of exactly this key. Where listing
-- is denied, only the version given as `version_id`: `is_partial` then says that
-- others may be left.
---@param key string
---@param options? { version_id?: string }
---@return { removed: integer, is_partial: true? }?
---@return table? failure the fields of an error; with `removed`
function Bucket:remove(key, options)
  local path, failure = path_of("DeleteObject", key)
  if not path then
    return nil, failure
  end
  local fallback = options and options.version_id
  local removed = 0
  for _ = 1, ROUNDS_MAX do
    local ids
    ids, failure = list(self, key)
    local is_denied = not ids and failure.status == 403 and fallback ~= nil
    if is_denied then
      ids = { fallback }
    end
    for _, id in ipairs(ids or {}) do
      local done
      done, failure = delete(self, path, id)
      if not done then
        ids = nil
        break
      end
      removed = removed + 1
    end
    if not ids then
      failure.removed = removed
      return nil, failure
    elseif is_denied or #ids == 0 then
      return { removed = removed, is_partial = is_denied or nil }
    end
  end
  return nil, { code = "ResponseError", kind = "transport", retryable = true,
    operation = "DeleteObject", removed = removed, message = ("versions of " ..
      "an object in the bucket %s keep appearing"):format(self.name) }
end

--- Wipes the signing key. The bucket can be used again.
function Bucket:close()
  if self.place then
    self.place.service:close()
    self.place = nil
  end
end

--- A bucket, asked with a client's settings.
---@param settings table a client's, complete
---@param options { bucket: string, expected_bucket_owner?: string } the owner
--- is an account of 12 digits: another's bucket refuses
---@return personalize.Bucket?
---@return table? failure the fields of an error
function M.open(settings, options)
  local name, owner = options.bucket, options.expected_bucket_owner
  if not checks.is_text(name) then
    return refuse(nil, "bucket", "must be a bucket's name")
  elseif owner ~= nil and not checks.is_account(owner) then
    return refuse(nil, "expected_bucket_owner",
      "must be an account, 12 digits")
  end
  local bucket = setmetatable({ settings = settings, name = name,
    owner = owner, region = settings.region }, Bucket)
  local at, wrong = place(bucket)
  if not at then
    return fail(nil, "ConfigError", wrong)
  end
  return bucket
end

return M
