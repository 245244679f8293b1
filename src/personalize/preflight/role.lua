--- Will the role do? Whether it is there, trusts Amazon Personalize, and, if that
-- is wanted, may read the list.
-- Refuses to know buckets.

local iam = require "personalize.iam"
local policy = require "personalize.policy"

local M = {}

local SERVICES = { ["personalize.amazonaws.com"] = true,
  ["personalize.amazonaws.com.cn"] = true }

---@class personalize.RoleLook
---@field reader personalize.Reader
---@field settings table
---@field role personalize.Arn
---@field role_arn string
---@field group personalize.Arn the first dataset group
---@field is_account_known boolean the credentials are of the role's account
---@field bucket string
---@field key string
---@field simulate? boolean

local function add(look, code, message, ...)
  look.reader.findings:add(code, { subject = look.role_arn,
    message = message:format(...) })
end

local function unjudged(look, code, message, reason)
  look.reader.findings:add(code, { subject = look.role_arn,
    message = message, reason = reason })
end

local function look_at_trust(look, text)
  local statements, why = policy.read(text)
  if not statements then
    unjudged(look, "role_trust_unjudged", "The role's trust policy cannot be " ..
      "judged", "it " .. why)
    return
  end
  local answer = policy.judge(statements, { who = { Service = SERVICES },
    action = "sts:AssumeRole", context = {
      ["aws:sourceaccount"] = look.group.account,
      ["aws:sourcearn"] = { start = ("arn:%s:personalize:%s:%s:"):format(
        look.group.partition, look.group.region, look.group.account) },
      ["aws:securetransport"] = "true" } })
  if answer.allow == policy.NO or answer.deny == policy.YES then
    add(look, "role_untrusted", "The role's trust policy does not allow " ..
      "Amazon Personalize to assume it")
  elseif answer.allow == policy.UNKNOWN or answer.deny == policy.UNKNOWN then
    unjudged(look, "role_trust_unjudged", "Whether the role trusts Amazon " ..
      "Personalize cannot be judged here", #answer.open > 0 and
      "it depends on: " .. table.concat(answer.open, ", ") or
      "its statements depend on what only AWS knows")
  end
end

-- The last part of a role's name; IAM's calls know no path.
local function name_of(look)
  return look.role.name:match "[^/]*$"
end

local function look_for(look, opened)
  local found, result = opened:role(name_of(look))
  look.reader:count(result)
  if found and found.arn ~= look.role_arn then
    add(look, "role_missing", "The role of this name has another ARN, %s",
      found.arn)
  elseif found then
    look_at_trust(look, found.trust)
    return true
  elseif result.code == "NoSuchEntity" and look.is_account_known then
    add(look, "role_missing", "There is no such role")
  elseif result.code == "NoSuchEntity" then
    unjudged(look, "role_trust_unjudged", "The role could not be found",
      "the credentials may be of another account, where IAM looked for it")
  else
    look.reader:fail(result, "whether the role trusts Amazon Personalize", {
      subject = look.role_arn, action = "iam:GetRole" })
    return true
  end
  return false
end

-- What the role's own policies say; AWS's word for each is one.
local function simulate(look, opened)
  local bucket = ("arn:%s:s3:::%s"):format(look.role.partition, look.bucket)
  for _, wanted in ipairs { { "s3:GetObject", bucket .. "/" .. look.key },
    { "s3:ListBucket", bucket } } do
    local found, result = opened:simulate(look.role_arn, wanted[1], wanted[2])
    look.reader:count(result)
    if not found then
      look.reader:fail(result, "what the role may do", {
        subject = look.role_arn, action = "iam:SimulatePrincipalPolicy" })
      return
    elseif found.decision ~= "allowed" and #found.missing > 0 then
      unjudged(look, "role_unjudged", ("Whether the role may %s cannot be " ..
        "judged here"):format(wanted[1]), "it depends on: " ..
        table.concat(found.missing, ", "))
    elseif found.decision ~= "allowed" then
      add(look, "role_denied", "The role's policies do not allow %s on %s " ..
        "(%s)", wanted[1], wanted[2], found.decision)
    end
  end
end

--- Adds what the role lacks.
---@param look personalize.RoleLook
function M.judge(look)
  local opened, failure = iam.open(look.settings)
  if not opened then
    look.reader:fail(failure, "the role", {})
    return
  end
  if look_for(look, opened) and look.simulate then
    simulate(look, opened)
  end
  opened:close()
end

return M
