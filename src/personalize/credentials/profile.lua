--- Credentials by way of a profile of the shared files.
-- Knows the keys of a profile and the chains they make; refuses to know how
-- files are read.

local assume_role = require "personalize.credentials.assume_role"
local container = require "personalize.credentials.container"
local environment = require "personalize.credentials.environment"
local instance = require "personalize.credentials.instance"
local login = require "personalize.credentials.login"
local process = require "personalize.credentials.process"
local shared = require "personalize.files"
local source = require "personalize.credentials.source"
local sso = require "personalize.credentials.sso"
local static = require "personalize.credentials.static"
local web_identity = require "personalize.credentials.web_identity"

local M = {}

local wrong = source.misconfigured

local function fetch_named(world, base)
  local named = { Environment = environment.fetch,
    Ec2InstanceMetadata = instance.fetch, EcsContainer = container.fetch }
  local fetch = named[base.name]
  if not fetch then
    return wrong(("credential_source of profile %s must be Environment, " ..
      "Ec2InstanceMetadata or EcsContainer"):format(base.profile))
  end
  local found, fault, why = fetch(world)
  if not found and not fault then
    return source.fail(("profile %s takes its credentials from %s: %s")
      :format(base.profile, base.name, why))
  end
  return found, fault
end

-- Who fetches a base, by its kind.
local FETCH = { static = static.fetch, named = fetch_named,
  web_identity = web_identity.fetch, sso = sso.fetch, login = login.fetch,
  process = process.fetch }

-- The readers below find one kind of base each in a profile: nil where there
-- is none of it, nil and a fault where it is not whole.

local function read_named(profile)
  local name = source.text(profile, "credential_source")
  return name and { kind = "named", name = name }
end

local function read_web_identity(profile, _, name)
  local file = source.text(profile, "web_identity_token_file")
  local arn = source.text(profile, "role_arn")
  if not file then
    return nil
  elseif not arn then
    return wrong(("profile %s has web_identity_token_file, but not role_arn")
      :format(name))
  end
  return { kind = "web_identity", role_arn = arn,
    web_identity_token_file = file,
    role_session_name = source.text(profile, "role_session_name") }
end

-- What a profile with a session takes from the session's section.
local function read_session(files, name, base)
  for _, key in ipairs { "sso_region", "sso_start_url" } do
    if base[key] then
      return wrong(("%s of profile %s stands in the section [sso-session] " ..
        "where sso_session names one"):format(key, name))
    end
  end
  local session = (files.sso_sessions or {})[base.sso_session]
  if not session then
    return wrong(("profile %s names a section [sso-session %s] that does not " ..
      "exist%s"):format(name, base.sso_session,
      shared.missing(files, "sso_sessions", base.sso_session)))
  end
  base.sso_region = source.text(session, "sso_region")
  base.sso_start_url = source.text(session, "sso_start_url")
  return base
end

local function read_sso(profile, files, name)
  local base = { kind = "sso" }
  for _, key in ipairs { "sso_session", "sso_account_id", "sso_role_name",
    "sso_region", "sso_start_url" } do
    base[key] = source.text(profile, key)
  end
  if not base.sso_session and not base.sso_account_id and
    not base.sso_role_name then
    return nil
  end
  if base.sso_session then
    local ok, fault = read_session(files, name, base)
    if not ok then
      return nil, fault
    end
  end
  for _, pair in ipairs { { "sso_account_id", "sso_role_name" },
    { "sso_role_name", "sso_account_id" } } do
    if base[pair[1]] and not base[pair[2]] then
      return wrong(("profile %s has %s, but not %s"):format(name, pair[1],
        pair[2]))
    end
  end
  for _, key in ipairs { "sso_region", "sso_start_url" } do
    if not base[key] then
      return wrong(("%s is missing for the single sign-on of profile %s")
        :format(key, name))
    end
  end
  return base
end

local function read_login(profile)
  local session = source.text(profile, "login_session")
  return session and { kind = "login", login_session = session }
end

local function read_process(profile)
  local command = source.text(profile, "credential_process")
  return command and { kind = "process", command = command,
    account_id = source.text(profile, "aws_account_id") }
end

local function read_static(profile, _, name)
  local keys, missing = static.keys(profile)
  if missing then
    return wrong(("profile %s lacks %s"):format(name, missing))
  end
  return keys
end

-- In this order, as AWS's SDK for Rust has it.
local BASES = { read_named, read_web_identity, read_sso, read_login,
  read_process, read_static }

-- What a profile has of itself; nil alone where that is nothing.
local function base_of(files, name)
  for _, read in ipairs(BASES) do
    local base, fault = read(files.profiles[name], files, name)
    if base then
      base.profile = name
      return base
    elseif fault then
      return nil, fault
    end
  end
end

-- A profile's role and the profile that it is assumed with, nil where none
-- is; with a web identity, a role is no link of a chain.
local function role_of(profile, name)
  local arn = source.text(profile, "role_arn")
  if not arn or source.text(profile, "web_identity_token_file") then
    return nil
  end
  local with = source.text(profile, "source_profile")
  local named = source.text(profile, "credential_source")
  if with and named then
    return wrong(("profile %s has both source_profile and " ..
      "credential_source"):format(name))
  elseif not with and not named then
    return wrong(("profile %s has role_arn, but neither source_profile nor " ..
      "credential_source"):format(name))
  end
  local role = { kind = "assume_role", profile = name, role_arn = arn }
  for _, key in ipairs { "external_id", "mfa_serial", "role_session_name",
    "duration_seconds" } do
    role[key] = source.text(profile, key)
  end
  return role, nil, with or name
end

local function loop_of(seen, name)
  return wrong(("profiles that name each other as source_profile: %s, %s")
    :format(table.concat(seen, ", "), name))
end

--- How a profile comes to credentials: first what it begins with, then each
-- role in the order in which they are assumed.
---@param files { profiles: table, sso_sessions: table? }
---@param name string of a profile
---@return table? plan list of { kind =, profile =, ... }
---@return table? failure
---@return string? why where the profile says nothing about credentials
function M.plan(files, name)
  if not files.profiles[name] then
    return nil, nil, ("there is no profile %s%s"):format(name,
      shared.missing(files, "profiles", name))
  end
  local seen, roles = {}, {}
  local base, fault
  local at = name
  repeat
    local profile = files.profiles[at]
    if not profile then
      return wrong(("source_profile of profile %s names a profile that does " ..
        "not exist: %s"):format(seen[#seen], shared.no_profile(files, at)))
    elseif seen[at] then
      return loop_of(seen, at)
    end
    seen[#seen + 1], seen[at] = at, true

    -- Keys of a profile that another names come before its role.
    base = #seen > 1 and static.keys(profile) or nil
    if base then
      base.profile = at
      break
    end
    local role, with
    role, fault, with = role_of(profile, at)
    if role then
      table.insert(roles, 1, role)
    elseif fault then
      return nil, fault
    end
    if not role or with == at then
      base, fault = base_of(files, at)
      break
    end
    at = with
  until false

  if fault then
    return nil, fault
  elseif not base and (#seen > 1 or #roles > 0) then
    return wrong(("profile %s is a source_profile, but has no credentials")
      :format(at))
  elseif not base then
    return nil, nil, ("profile %s says nothing about credentials"):format(name)
  end
  local plan = { base }
  for i, role in ipairs(roles) do
    plan[i + 1] = role
  end
  return plan
end

--- Credentials of the selected profile.
---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
---@return string? why where nothing is configured
function M.fetch(world)
  local files, fault = world.files()
  if not files then
    return nil, fault
  end
  local name = world.profile or "default"
  if not files.profiles[name] and (world.profile_is_explicit or
    world.profile_is_argument) then
    return wrong(shared.no_profile(files, name))
  end
  local plan, why
  plan, fault, why = M.plan(files, name)
  if not plan then
    return nil, fault, why
  end
  local keys
  keys, fault = FETCH[plan[1].kind](world, plan[1])
  for i = 2, keys and #plan or 0 do
    keys, fault = assume_role.fetch(world, plan[i], keys)
    if not keys then
      break
    end
  end
  return keys, fault
end

return M
