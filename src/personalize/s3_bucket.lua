--- What a bucket tells of itself: region, encryption, versions, policy, lock; and
-- which objects are in a folder of it, and how they are encrypted.
-- Knows S3's subresources and their answers; refuses to know what they mean for
-- anybody. Each function answers what it found and the call's result, or nil and
-- an error's fields.

local core = require "personalize.core"

local M = {}

--- The IAM action that each operation needs.
M.ACTIONS = {
  GetBucketEncryption = "s3:GetEncryptionConfiguration",
  GetBucketPolicy = "s3:GetBucketPolicy",
  GetBucketPolicyStatus = "s3:GetBucketPolicyStatus",
  GetBucketVersioning = "s3:GetBucketVersioning",
  GetObjectLockConfiguration = "s3:GetBucketObjectLockConfiguration",
  HeadBucket = "s3:ListBucket",
  HeadObject = "s3:GetObject",
  ListObjectsV2 = "s3:ListBucket",
}

-- Pages of a folder that are looked through.
local PAGES_MAX = 100

-- Refusals that say: there is none of it.
local NONE = {
  NoSuchBucketPolicy = true,
  ObjectLockConfigurationNotFoundError = true,
  ServerSideEncryptionConfigurationNotFoundError = true,
}

local function unusable(operation, result, wrong)
  return nil, { code = "ResponseError", kind = "transport", retryable = false,
    operation = operation, attempts = result.attempts, status = result.status,
    request_id = result.request_id,
    message = "the answer of S3 cannot be used: " .. wrong }
end

-- The children of a document with this root; an empty table where there is none
-- of it at all.
local function read(bucket, operation, query, root)
  local response, result = bucket:ask(operation, { method = "GET",
    query = query })
  if not response then
    return NONE[result.code] and {} or nil, result
  end
  local name, value = core.xml(response.body or "")
  if name ~= root then
    return unusable(operation, result, name and
      "it is another document than " .. root or value)
  end
  return type(value) == "table" and value or {}, result
end

local function child(value, ...)
  for _, name in ipairs { ... } do
    value = type(value) == "table" and value[name] or nil
  end
  return value
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- The region that a bucket is in, which S3 tells even where it refuses.
---@param bucket personalize.Bucket
---@return string? region
---@return table result of the call; after a failure, the fields of the error
---@return boolean is_refused
function M.region(bucket)
  local response, result, refusal = bucket:ask("HeadBucket",
    { method = "HEAD" })
  local headers = (response or refusal or {}).headers or {}
  local region = headers["x-amz-bucket-region"]
  if type(region) ~= "string" or not core.is_region(region) then
    region = bucket.is_followed and bucket.region or nil
  end
  return region, result, response == nil
end

---@class personalize.BucketEncryption
---@field algorithm? string "AES256", "aws:kms", "aws:kms:dsse"; nil for none
---@field key? string id, alias or ARN of the KMS key

--- How a bucket encrypts what does not say itself how.
---@param bucket personalize.Bucket
---@return personalize.BucketEncryption?
---@return table result
function M.encryption(bucket)
  local found, result = read(bucket, "GetBucketEncryption", "encryption=",
    "ServerSideEncryptionConfiguration")
  if not found then
    return nil, result
  end
  local default = child(found, "Rule", "ApplyServerSideEncryptionByDefault")
  return { algorithm = text(child(default, "SSEAlgorithm")),
    key = text(child(default, "KMSMasterKeyID")) }, result
end

--- Does a bucket keep versions? Status is "Enabled", "Suspended" or nil.
---@param bucket personalize.Bucket
---@return { status: string?, mfa_delete: string? }?
---@return table result
function M.versioning(bucket)
  local found, result = read(bucket, "GetBucketVersioning", "versioning=",
    "VersioningConfiguration")
  return found and { status = text(found.Status),
    mfa_delete = text(found.MfaDelete) }, result
end

--- A bucket's policy, as it is; false where it has none.
---@param bucket personalize.Bucket
---@return string|false|nil
---@return table result
function M.policy(bucket)
  local response, result = bucket:ask("GetBucketPolicy", { method = "GET",
    query = "policy=", protocol = "bytes" })
  if response then
    return response.body or "", result
  elseif NONE[result.code] then
    return false, result
  end
  return nil, result
end

--- Does a bucket's policy make it public?
---@param bucket personalize.Bucket
---@return boolean?
---@return table result
function M.is_public(bucket)
  local found, result = read(bucket, "GetBucketPolicyStatus", "policyStatus=",
    "PolicyStatus")
  if not found then
    return nil, result
  end
  return (text(found.IsPublic) or ""):lower() == "true", result
end

--- A bucket's Object Lock; without `mode` it holds nothing by itself.
---@param bucket personalize.Bucket
---@return { is_on: boolean, mode: string?, days: string?, years: string? }?
---@return table result
function M.object_lock(bucket)
  local found, result = read(bucket, "GetObjectLockConfiguration",
    "object-lock=", "ObjectLockConfiguration")
  if not found then
    return nil, result
  end
  local retention = child(found, "Rule", "DefaultRetention")
  return { is_on = found.ObjectLockEnabled == "Enabled",
    mode = text(child(retention, "Mode")),
    days = text(child(retention, "Days")),
    years = text(child(retention, "Years")) }, result
end

-- Adds the keys of a page that `is_wanted`. Answers the token of the next page.
local function read_page(page, is_wanted, keys)
  for _, entry in ipairs(page) do
    local key = entry.name == "Contents" and text(child(entry.value, "Key"))
    if key and is_wanted(key) then
      keys[#keys + 1] = key
    end
  end
  return page.IsTruncated == "true" and text(page.NextContinuationToken) or nil
end

--- The keys in a folder and its sub folders that are wanted, until there are
-- `most` of them.
---@param bucket personalize.Bucket
---@param prefix string
---@param is_wanted fun(key: string): boolean
---@param most integer
---@return string[]?
---@return table result its `attempts` are those of all pages
function M.keys(bucket, prefix, is_wanted, most)
  local keys, token, attempts = {}, nil, 0
  local query = "list-type=2&prefix=" .. core.uri_encode(prefix)
  for _ = 1, PAGES_MAX do
    local page, result = read(bucket, "ListObjectsV2", query .. (token and
      "&continuation-token=" .. core.uri_encode(token) or ""),
      "ListBucketResult")
    attempts = attempts + (result.attempts or 0)
    result.attempts = attempts
    if not page then
      return nil, result
    end
    local next_token = read_page(page, is_wanted, keys)
    if not next_token or #keys >= most then
      return keys, result
    elseif next_token == token then
      return unusable("ListObjectsV2", result, "the list of objects does " ..
        "not end")
    end
    token = next_token
  end
  return unusable("ListObjectsV2", { attempts = attempts },
    "the list of objects does not end")
end

--- How an object lies there.
---@param bucket personalize.Bucket
---@param key string
---@return { algorithm: string?, key: string?, bytes: number? }?
---@return table result
function M.object(bucket, key)
  local response, result = bucket:ask("HeadObject", { method = "HEAD",
    key = key })
  if not response then
    return nil, result
  end
  local headers = response.headers
  return { algorithm = headers["x-amz-server-side-encryption"],
    key = headers["x-amz-server-side-encryption-aws-kms-key-id"],
    bytes = tonumber(headers["content-length"]) }, result
end

return M
