--- What AWS's names look like: ARNs of dataset groups, roles and jobs, buckets,
-- and which of them can belong together. All of it is known without asking.
-- Knows shapes; refuses to know options. A reason completes a sentence that
-- begins with the name of what was given, and never repeats its value.

local core = require "personalize.core"

local M = {}

M.GROUP = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
M.ROLE = "arn:aws:iam::123456789012:role/PersonalizeS3"
M.JOB = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/gdpr-1"

-- In patterns no %l, %d or %w: what these match depends on the locale.
local ACCOUNT = "^" .. ("[0-9]"):rep(12) .. "$"

---@class personalize.Arn
---@field partition string
---@field region string empty where the service has none
---@field account string
---@field name string

-- The parts of an ARN of a service and a kind of resource, or nil.
local function parse(arn, service, kind)
  if type(arn) ~= "string" then
    return nil
  end
  local partition, its_service, region, account, its_kind, name =
    arn:match("^arn:(aws[a-z0-9%-]*):([a-z0-9%-]+):([a-z0-9%-]*):([0-9]*):" ..
      "([^/]+)/(.+)$")
  if its_service == service and its_kind == kind and account:find(ACCOUNT)
  then
    return { partition = partition, region = region, account = account,
      name = name }
  end
end

local function resource(arn, kind, what, example)
  local found = parse(arn, "personalize", kind)
  if found and found.region ~= "" and #found.name <= 63 and
    found.name:find "^[A-Za-z0-9][A-Za-z0-9_%-]*$" then
    return found
  end
  return nil, ("is no ARN of a %s, such as %s"):format(what, example)
end

--- Reads the ARN of a dataset group.
---@param arn any
---@return personalize.Arn?
---@return string? reason why it is none
function M.group(arn)
  return resource(arn, "dataset-group", "dataset group", M.GROUP)
end

--- Reads the ARN of a data deletion job.
---@param arn any
---@return personalize.Arn?
---@return string? reason
function M.job(arn)
  return resource(arn, "data-deletion-job", "data deletion job", M.JOB)
end

--- Reads the ARN of an IAM role.
---@param arn any
---@return personalize.Arn?
---@return string? reason
function M.role(arn)
  local found = parse(arn, "iam", "role")
  if found and found.region == "" and #arn <= 256 and
    found.name:find "^[A-Za-z0-9_+=,.@/%-]+$" and not found.name:find "/$" then
    return found
  end
  return nil, "is no ARN of an IAM role, such as " .. M.ROLE
end

-- -- Buckets -------------------------------------------------------------------

-- What S3 keeps for itself, and for what is no bucket.
local PREFIXES = { "xn--", "sthree-", "amzn-s3-demo-" }
local SUFFIXES = { "-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3" }

--- Is it a bucket's name, by S3's rules for general purpose buckets?
---@param name any
---@return boolean
---@return string? reason
function M.is_bucket(name)
  if type(name) ~= "string" then
    return false, "must be a bucket's name, such as erasure"
  elseif name:find "[:/]" then
    return false, "must be the bucket's name alone, such as erasure: no s3://, " ..
      "no folder, no ARN"
  elseif #name < 3 or #name > 63 or name:find("..", 1, true) or
    not name:find "^[a-z0-9][a-z0-9.%-]*[a-z0-9]$" then
    return false, "is no bucket's name: it has 3-63 lowercase letters, " ..
      "digits, - and ., begins and ends with a letter or digit, and has no " ..
      "two dots in a row"
  elseif name:find "^[0-9]+%.[0-9]+%.[0-9]+%.[0-9]+$" then
    return false, "is no bucket's name: it looks like an IP address"
  end
  for _, prefix in ipairs(PREFIXES) do
    if name:sub(1, #prefix) == prefix then
      return false, ("is no bucket's name: S3 keeps %s at the start for itself")
        :format(prefix)
    end
  end
  for _, suffix in ipairs(SUFFIXES) do
    if name:sub(-#suffix) == suffix then
      return false, ("is not the name of a bucket that Personalize can read: " ..
        "%s at its end is for other things"):format(suffix)
    end
  end
  return true
end

--- Is it the place of a list for a job: s3://bucket/key or s3://bucket/folder/?
---@param location any
---@return boolean
---@return string? reason
function M.is_location(location)
  local bucket, key
  if type(location) == "string" then
    bucket, key = location:match "^s3://([^/]*)/?(.*)$"
  end
  if not bucket then
    return false, "is no place in S3, such as s3://erasure/2026-11-24/users.csv"
  elseif #location > 256 then
    return false, "has more than 256 characters"
  elseif key ~= "" and not core.is_s3_key(key) then
    return false, "is no place in S3: the key is not UTF-8"
  end
  local ok, reason = M.is_bucket(bucket)
  if not ok then
    return false, "names a bucket that " .. reason
  end
  return true
end

-- -- What belongs together -----------------------------------------------------

-- "fips-us-gov-west-1" is us-gov-west-1 with another way in.
local function plain(region)
  return (region:gsub("^fips%-", ""):gsub("%-fips$", ""))
end

--- Are these the same region?
---@param a string
---@param b string
---@return boolean
function M.is_same_region(a, b)
  return plain(a) == plain(b)
end

--- Why an ARN cannot be one of a client's region, or nil.
---@param found personalize.Arn
---@param region? string the client's, where it is known
---@return string?
function M.elsewhere(found, region)
  local partition = core.partition(found.region).id
  if found.partition ~= partition then
    return ("names the partition %s, but its region %s is in %s"):format(
      found.partition, found.region, partition)
  elseif region and plain(region) ~= found.region then
    return ("is in the region %s, but the region in use is %s"):format(
      found.region, region)
  end
end

--- Why a role cannot be passed to a dataset group's service, or nil.
---@param role personalize.Arn
---@param group personalize.Arn
---@return string?
function M.foreign(role, group)
  if role.partition ~= group.partition then
    return ("is of the partition %s, but the dataset group is of %s"):format(
      role.partition, group.partition)
  elseif role.account ~= group.account then
    return ("is of the account %s, but the dataset group is of %s: a role " ..
      "works only in its own account"):format(role.account, group.account)
  end
end

return M
