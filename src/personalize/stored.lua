--- Is an object in S3 the one that was put there?
-- Knows what proves it: S3's own SHA-256 of the whole object, where it keeps
-- one, else the bytes, read back and hashed. A key proves nothing, since anyone
-- who may write to the bucket can put other bytes under it. Refuses to know what
-- the object is for.

local core = require "personalize.core"

local M = {}

-- Bytes that are read back at a time.
local PIECE = 4 * 1024 * 1024

-- The SHA-256 that S3 tells, as digits; nil where it tells none of the whole.
local function told_hash(headers)
  local sum = headers["x-amz-checksum-sha256"]
  local kind = headers["x-amz-checksum-type"]
  if type(sum) ~= "string" or kind ~= nil and kind ~= "FULL_OBJECT" then
    return nil
  end
  local bytes = core.unbase64(sum) -- of parts it ends in "-3", say
  return bytes and #bytes == 32 and bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end) or nil
end

-- Why the object is of no use, before its bytes are looked at.
local function unusable(object, headers)
  local how = headers["x-amz-server-side-encryption"]
  local length = tonumber(headers["content-length"])
  if type(how) == "string" and how:find "^aws:kms" then
    return ("it lies there under a KMS key (%s), with which Amazon " ..
      "Personalize cannot read a list"):format(how)
  elseif length and length ~= object.bytes then
    return ("it has %.0f bytes there, not %.0f"):format(length, object.bytes)
  elseif type(headers.etag) ~= "string" then
    return "the answer names no ETag: it is not S3's"
  end
end

-- Statuses of S3 that say that the object is not there, or not that one.
local ABSENT = { [404] = "it is not there any more",
  [405] = "it is not there any more", [412] = "it changed while it was read" }

-- A refusal as the end of the look: false and why the object is none; or nil and
-- the fields of an error.
local function refusal(failure)
  local why = ABSENT[failure.status]
  if why then
    return false, why
  end
  return nil, failure
end

-- The object's hash, by reading it; or what `refusal` answers.
local function read_hash(bucket, object, headers)
  local hash, at = core.hash(), 0
  while at < object.bytes do
    local next_at = math.min(at + PIECE, object.bytes)
    local response, result = bucket:ask("GetObject", { method = "GET",
      key = object.key, protocol = "bytes", headers = {
        { "range", ("bytes=%.0f-%.0f"):format(at, next_at - 1) },
        { "if-match", headers.etag } } }, next_at - at)
    if not response then
      return refusal(result)
    elseif #(response.body or "") ~= next_at - at then
      return false, "it has another length there"
    end
    hash:add(response.body)
    at = next_at
    if object.on_progress then
      object.on_progress(at)
    end
  end
  return hash:finish()
end

---@class personalize.StoredAs
---@field version_id? string
---@field etag string
---@field checksum_sha256? string base64
---@field encryption? string such as "AES256"

---@class personalize.StoredObject
---@field key string
---@field bytes integer how many it should have
---@field sha256 string of them, 64 lower-case hex digits
---@field on_progress? fun(bytes: integer) told what was read back

--- Does an object lie in a bucket, with these bytes and as Personalize can read
-- it?
---@param bucket personalize.Bucket
---@param object personalize.StoredObject
---@return boolean? is_stored nil where there is no telling
---@return personalize.StoredAs|string|table? found what S3 tells of it; why not:
--- completes "part 1 of the list: ..."; the fields of an error, where there is no
--- telling
function M.check(bucket, object)
  local response, result = bucket:ask("HeadObject", { method = "HEAD",
    key = object.key, headers = { { "x-amz-checksum-mode", "ENABLED" } } })
  if not response then
    return refusal(result)
  end
  local headers = response.headers
  local why = unusable(object, headers)
  if why then
    return false, why
  end
  local hash = told_hash(headers)
  if not hash then
    hash, why = read_hash(bucket, object, headers)
    if not hash then
      return hash, why
    end
  end
  if hash ~= object.sha256 then
    return false, ("its SHA-256 is %s there, not %s"):format(hash,
      object.sha256)
  end
  return true, { version_id = headers["x-amz-version-id"],
    etag = headers.etag, checksum_sha256 = headers["x-amz-checksum-sha256"],
    encryption = headers["x-amz-server-side-encryption"] }
end

return M
