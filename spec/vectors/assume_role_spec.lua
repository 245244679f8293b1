--- The SDKs' cases of profiles that assume roles: the plan, without traffic.

local profile = require "personalize.credentials.profile"
local vectors = require "spec.support.vectors"

-- A plan's step as the cases have it.
local SHAPES = {
  static = { "AccessKey", { "access_key_id", "secret_access_key",
    "session_token", "account_id" } },
  assume_role = { "AssumeRole", { "role_arn", "external_id",
    "role_session_name" } },
  web_identity = { "WebIdentityToken", { "role_arn",
    "web_identity_token_file", "role_session_name" } },
  sso = { "Sso", { "sso_session", "sso_account_id", "sso_role_name",
    "sso_region", "sso_start_url" } },
}

local function shown(step)
  if step.kind == "named" then
    return { NamedSource = step.name }
  elseif step.kind == "process" then
    return { CredentialProcess = step.command }
  elseif step.kind == "login" then
    return { LoginSession = { login_session_arn = step.login_session } }
  end
  local shape, members = SHAPES[step.kind], {}
  for _, name in ipairs(shape[2]) do
    members[name] = step[name]
  end
  return { [shape[1]] = members }
end

-- What the SDKs' words for an error have to be in ours.
local REASONS = {
  { "must contain `source_profile`", "neither source_profile nor" },
  { "contained both source_profile and", "both source_profile and" },
  { "missing aws_secret_access_key", "lacks aws_secret_access_key" },
  { "missing aws_access_key_id", "lacks aws_access_key_id" },
  { "did not contain credential", "nothing about credentials" },
  { "No profiles were defined", "there is no profile" },
  { "infinite loop", "name each other as source_profile" },
  { "`sso_role_name` must also", "not sso_role_name" },
  { "`sso_account_id` must also", "not sso_account_id" },
  { "`sso_region` can only", "sso_region of profile" },
  { "`sso_start_url` can only", "sso_start_url of profile" },
}

local function check_failure(case, plan, fault, why)
  assert.is_nil(plan)
  local message = why or fault.message
  assert.equal("string", type(message))
  for _, reason in ipairs(REASONS) do
    if case.output.Error:find(reason[1], 1, true) then
      assert.truthy(message:find(reason[2], 1, true), message)
      return
    end
  end
  print("\nno reason of ours is kept for: " .. case.output.Error)
end

describe("the SDKs' cases of roles in profiles:", function()
  local cases, absent = vectors.cases "assume-role-tests.json"
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    it(("%d, %s"):format(i, case.docs or "no title"), function()
      local input = case.input
      local plan, fault, why = profile.plan({ profiles = input.profiles,
        sso_sessions = input.sso_sessions or {} }, input.selected_profile)
      if case.output.Error then
        check_failure(case, plan, fault, why)
        return
      end
      assert.is_nil(fault or why)
      local steps = {}
      for n, step in ipairs(plan) do
        steps[n] = shown(step)
      end
      local expected = case.output.ProfileChain
      for _, step in ipairs(expected) do
        local process = step.CredentialProcess
        if type(process) == "table" then
          step.CredentialProcess = process.command
        end
      end
      assert.same(expected, steps)
    end)
  end
end)
