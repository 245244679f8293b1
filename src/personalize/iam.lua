--- AWS IAM: a role as it stands, and what its policies allow.
-- Knows the two actions; refuses to know what a policy means.

local query = require "personalize.query"

local M = {}

---@class personalize.Iam
local Iam = { __name = "personalize.Iam" }
Iam.__index = Iam

-- The trust document comes percent-encoded.
local function decoded(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function unusable(action, result, what)
  return nil, { code = "ResponseError", kind = "transport", retryable = false,
    operation = action, attempts = result.attempts, status = result.status,
    request_id = result.request_id,
    message = "the answer of AWS IAM names no " .. what }
end

--- A role of the caller's account.
---@param name string after the last "/" of its ARN
---@return { arn: string, trust: string }? role `trust` is JSON, or should be
---@return table failure the fields of an error; after a success, of the call
function Iam:role(name)
  local found, result = self.query:ask("GetRole", { { "RoleName", name } })
  if not found then
    return nil, result
  end
  local role = found.Role
  local arn = type(role) == "table" and role.Arn
  local trust = type(role) == "table" and role.AssumeRolePolicyDocument
  if type(arn) ~= "string" or type(trust) ~= "string" then
    return unusable("GetRole", result, "role")
  end
  return { arn = arn, trust = decoded(trust) }, result
end

-- Values of the members of a list.
local function members(list)
  local found = {}
  for _, child in ipairs(type(list) == "table" and list or {}) do
    if child.name == "member" then
      found[#found + 1] = child.value
    end
  end
  return found
end

--- Would a role's own policies allow an action on a resource?
---@param arn string of the role
---@param action string such as "s3:GetObject"
---@param resource string ARN
---@return { decision: string, missing: string[] }? found "allowed",
--- "explicitDeny", "implicitDeny"; context that the policies ask for
---@return table failure the fields of an error; after a success, of the call
function Iam:simulate(arn, action, resource)
  local found, result = self.query:ask("SimulatePrincipalPolicy", {
    { "PolicySourceArn", arn }, { "ActionNames.member.1", action },
    { "ResourceArns.member.1", resource } })
  if not found then
    return nil, result
  end
  local first = members(found.EvaluationResults)[1]
  local decision = type(first) == "table" and first.EvalDecision
  if type(decision) ~= "string" then
    return unusable("SimulatePrincipalPolicy", result, "decision")
  end
  local missing = {}
  for _, key in ipairs(members(first.MissingContextValues)) do
    missing[#missing + 1] = type(key) == "string" and key or nil
  end
  return { decision = decision, missing = missing }, result
end

--- Wipes the signing key.
function Iam:close()
  self.query:close()
end

--- IAM, asked with a client's settings.
---@param settings table a client's, complete
---@return personalize.Iam?
---@return table? failure the fields of an error
function M.open(settings)
  local opened, failure = query.open(settings, { service = "iam",
    version = "2010-05-08" })
  if not opened then
    return nil, failure
  end
  return setmetatable({ query = opened }, Iam)
end

return M
