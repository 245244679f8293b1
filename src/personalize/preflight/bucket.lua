--- Will the bucket do? Whether a list can be put there, read from there by Amazon
-- Personalize, and be gone in the end.
-- Knows what S3's answers mean for a list of users; refuses to know the rest.

local Error = require "personalize.error"
local policy = require "personalize.policy"
local s3 = require "personalize.s3"
local s3_bucket = require "personalize.s3_bucket"

local M = {}

-- The name of the service in policies.
local SERVICES = { ["personalize.amazonaws.com"] = true,
  ["personalize.amazonaws.com.cn"] = true }

---@class personalize.BucketLook
---@field reader personalize.Reader
---@field settings table
---@field bucket string
---@field owner? string account that is expected
---@field key string of a list, or what it could be
---@field location? string where the list is to lie already
---@field role personalize.Arn
---@field role_arn string
---@field group personalize.Arn the first dataset group
---@field caller? personalize.Caller
---@field is_elsewhere_allowed? boolean

local function arn_of(look, key)
  return ("arn:%s:s3:::%s%s"):format(look.group.partition, look.bucket,
    key and "/" .. key or "")
end

-- Adds a finding about the bucket.
local function add(look, code, message, ...)
  look.reader.findings:add(code, { subject = "s3://" .. look.bucket,
    message = message:format(...) })
end

-- Runs a reader of s3_bucket; nil where it failed, which is told.
local function read(look, what, f, ...)
  local found, result = f(look.opened, ...)
  look.reader:count(result)
  if found == nil then
    look.reader:fail(result, what, { subject = "s3://" .. look.bucket,
      action = s3_bucket.ACTIONS[result.operation] })
  end
  return found
end

-- Is it there, and where? False where there is no more to ask.
local function look_for(look)
  local region, result, is_refused = s3_bucket.region(look.opened)
  look.reader:count(result)
  if is_refused and result.status == 404 then
    add(look, "bucket_missing", "There is no bucket %s", look.bucket)
    return false
  elseif is_refused then
    look.reader:fail(result, "whether the bucket can be used", {
      subject = "s3://" .. look.bucket, action = "s3:ListBucket" })
  end
  if region and region ~= look.group.region then
    look.reader.findings:add("bucket_elsewhere", {
      subject = "s3://" .. look.bucket,
      kind = look.is_elsewhere_allowed and "warning" or nil,
      message = ("The bucket is in %s, the dataset group in %s"):format(region,
        look.group.region) })
  end
  return true
end

-- ---- what becomes of a list in it ---------------------------------------------

-- S3's own KMS key, by the names that show it to be that.
local function is_managed(key)
  return key == nil or key == "aws/s3" or key:find "alias/aws/s3$" ~= nil
end

local function look_at_encryption(look)
  local found = read(look, "the bucket's encryption", s3_bucket.encryption)
  if found and found.algorithm and found.algorithm ~= "AES256" then
    add(look, "bucket_default_key", "The bucket encrypts by default with %s " ..
      "(%s)", is_managed(found.key) and "S3's KMS key" or
      "the KMS key " .. found.key, found.algorithm)
  end
end

local function look_at_versions(look)
  local found = read(look, "whether the bucket keeps versions",
    s3_bucket.versioning)
  if found and found.status == "Enabled" then
    add(look, "bucket_versions", "The bucket keeps versions")
  end
  if found and found.mfa_delete == "Enabled" then
    add(look, "bucket_mfa_delete", "The bucket has MFA delete")
  end
end

local function look_at_lock(look)
  local found = read(look, "the bucket's Object Lock", s3_bucket.object_lock)
  if found and found.is_on then
    local span = found.days and found.days .. " days" or
      found.years and found.years .. " years"
    add(look, "bucket_lock", "The bucket has Object Lock%s", found.mode and
      (", and keeps each object for %s (%s)"):format(span or "some time",
      found.mode) or "")
  end
end

-- ---- the policy ---------------------------------------------------------------

local VPC = { ["aws:sourcevpc"] = true, ["aws:sourcevpce"] = true,
  ["aws:vpcsourceip"] = true }
local ENCRYPTION = { ["s3:x-amz-server-side-encryption"] = true,
  ["s3:x-amz-server-side-encryption-aws-kms-key-id"] = true }

-- What is known of a request of Amazon Personalize: it comes over TLS, and from
-- no VPC of anybody else's.
local function context()
  return { ["aws:sourcevpc"] = false, ["aws:sourcevpce"] = false,
    ["aws:vpcsourceip"] = false, ["aws:securetransport"] = "true",
    ["s3:tlsversion"] = { least = 1.2 } }
end

local function reads(look)
  return { { "s3:GetObject", arn_of(look, look.key) },
    { "s3:ListBucket", arn_of(look) } }
end

-- Does the policy keep Amazon Personalize out, as itself or as the role? A
-- statement may be about either. Answers conditions that nobody can judge.
local function look_at_denials(look, statements)
  local who = { Service = SERVICES, AWS = { [look.role_arn] = true,
    [look.role.account] = true, [("arn:%s:iam::%s:root"):format(
    look.role.partition, look.role.account)] = true } }
  local open, is_denied = {}, false
  for _, read_of in ipairs(reads(look)) do
    local answer = policy.judge(statements, { who = who, action = read_of[1],
      resource = read_of[2], context = context() })
    if answer.deny == policy.YES and not is_denied then
      is_denied = true
      local is_vpc = policy.asks_for(answer.denied_by, VPC)
      add(look, is_vpc and "bucket_vpc_only" or "bucket_denies", is_vpc and
        "The bucket's policy denies %s to all who do not come from a VPC" or
        "The bucket's policy denies %s to Amazon Personalize or its role",
        read_of[1])
    elseif answer.deny == policy.UNKNOWN then
      for _, text in ipairs(answer.open) do
        open[text] = true
      end
      open[1] = true
    end
  end
  return not is_denied and open[1] and open or nil
end

-- Does the policy let Amazon Personalize read?
local function look_at_allows(look, statements)
  local asked = context()
  asked["aws:sourceaccount"] = look.group.account
  asked["aws:sourcearn"] = { start = ("arn:%s:personalize:%s:%s:"):format(
    look.group.partition, look.group.region, look.group.account) }
  local lacking, is_open = {}, false
  for _, read_of in ipairs(reads(look)) do
    local answer = policy.judge(statements, { who = { Service = SERVICES },
      action = read_of[1], resource = read_of[2], context = asked })
    if answer.allow == policy.NO then
      lacking[#lacking + 1] = read_of[1]
    end
    is_open = is_open or answer.allow == policy.UNKNOWN
  end
  if #lacking > 0 then
    add(look, "bucket_policy_lacks", "The bucket's policy does not allow %s " ..
      "to Amazon Personalize", table.concat(lacking, " and "))
  end
  return #lacking == 0 and is_open
end

-- All that a caller may be known as: a session is its role, too.
local function names_of(caller)
  local arn = caller.arn
  local found = { [arn] = true, [caller.account] = true }
  local partition, account, role = arn:match(
    "^arn:([^:]*):sts::([0-9]*):assumed%-role/([^/]*)/")
  if role then
    found[("arn:%s:iam::%s:role/%s"):format(partition, account, role)] = true
  end
  partition = partition or arn:match "^arn:([^:]*):" or "aws"
  found[("arn:%s:iam::%s:root"):format(partition, caller.account)] = true
  return found
end

-- Does the policy refuse what is put as a list is put? An upload from elsewhere
-- than a VPC, say, is the caller's to know: only what denies it for certain.
local function look_at_upload(look, statements)
  if not look.caller or look.location then
    return
  end
  local answer = policy.judge(statements, { action = "s3:PutObject",
    who = { AWS = names_of(look.caller) }, resource = arn_of(look, look.key),
    context = { ["s3:x-amz-server-side-encryption"] = "AES256",
      ["s3:x-amz-server-side-encryption-aws-kms-key-id"] = false } })
  if answer.deny == policy.YES then
    add(look, "upload_denied", policy.asks_for(answer.denied_by, ENCRYPTION) and
      "The bucket's policy denies s3:PutObject with AES256" or
      "The bucket's policy denies s3:PutObject to the caller")
  end
end

local function unjudged(look, open)
  local texts = {}
  for text in pairs(open) do
    texts[#texts + 1] = type(text) == "string" and text or nil
  end
  table.sort(texts)
  look.reader.findings:add("bucket_policy_unjudged", {
    subject = "s3://" .. look.bucket,
    message = "Whether the bucket's policy lets Amazon Personalize read " ..
      "cannot be judged here", reason = #texts > 0 and "it depends on: " ..
      table.concat(texts, ", ") or "its statements depend on what only AWS " ..
      "knows" })
end

local function look_at_policy(look)
  local text = read(look, "the bucket's policy", s3_bucket.policy)
  if text == nil then
    return
  end
  local statements, why = {}, nil
  if text then
    statements, why = policy.read(text)
  end
  if not statements then
    look.reader.findings:add("bucket_policy_unjudged", {
      subject = "s3://" .. look.bucket, message = "The bucket's policy cannot " ..
      "be judged", reason = "it " .. why })
  else
    local open = look_at_denials(look, statements)
    if look_at_allows(look, statements) then
      open = open or {}
    end
    look_at_upload(look, statements)
    if open then
      unjudged(look, open)
    end
  end
  if text and read(look, "whether the bucket is public", s3_bucket.is_public)
  then
    add(look, "bucket_public", "The bucket's policy makes it public")
  end
end

-- ---- a list that is to lie there already ---------------------------------------

local function is_list(key)
  return key:find "%.csv$" ~= nil
end

local function look_at_object(look, key)
  local found, result = s3_bucket.object(look.opened, key)
  look.reader:count(result)
  local subject = ("s3://%s/%s"):format(look.bucket, key)
  if not found and result.status == 404 then
    look.reader.findings:add("list_missing", { subject = subject,
      message = "There is no list at this location" })
  elseif not found then
    look.reader:fail(result, "how the list is encrypted", { subject = subject,
      action = "s3:GetObject" })
  elseif found.algorithm and found.algorithm:find "^aws:kms" then
    local is_own = not is_managed(found.key)
    look.reader.findings:add(is_own and "list_under_key" or
      "bucket_default_key", { subject = subject, message = ("The list lies " ..
      "under %s (%s)"):format(is_own and "the KMS key " .. found.key or
      "S3's KMS key", found.algorithm) })
  end
end

-- Keys that are named in a finding, and that are looked for.
local NAMED, MOST = 3, 100

local function look_at_folder(look, prefix)
  local keys = read(look, "what is in the folder", s3_bucket.keys, prefix,
    is_list, MOST)
  if not keys then
    return
  end
  local subject = ("s3://%s/%s"):format(look.bucket, prefix)
  if #keys == 0 then
    look.reader.findings:add("list_missing", { subject = subject,
      message = "There is no .csv in this folder" })
  elseif #keys > 1 then
    look.reader.findings:add("folder_has_others", { subject = subject,
      message = ("The folder has %s%d lists: %s%s"):format(#keys >= MOST and
        "at least " or "", #keys, table.concat(keys, ", ", 1,
        math.min(#keys, NAMED)), #keys > NAMED and " ..." or "") })
  end
  for i = 1, math.min(#keys, NAMED) do
    look_at_object(look, keys[i])
  end
end

local function look_at_location(look)
  local key = look.location and look.location:match "^s3://[^/]+/?(.*)$"
  if key and (key == "" or key:find "/$") then
    look_at_folder(look, key)
  elseif key then
    look_at_object(look, key)
  end
end

--- Adds what the bucket has against a list.
---@param look personalize.BucketLook
function M.judge(look)
  if look.bucket:find "%-%-x%-s3$" then
    add(look, "bucket_directory", "%s is a directory bucket", look.bucket)
    return
  end
  local opened, failure = s3.open(look.settings, { bucket = look.bucket,
    expected_bucket_owner = look.owner })
  if not opened then
    Error.raise(failure)
  end
  look.opened = opened
  if look_for(look) then
    look_at_encryption(look)
    look_at_versions(look)
    look_at_policy(look)
    look_at_lock(look)
    look_at_location(look)
  end
  opened:close()
end

return M
