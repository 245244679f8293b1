--- Whose credentials a client looks for, as a hash: of all that decides which
-- source is asked and for what. Equal where two clients would get the same
-- credentials; different where they might not.
-- Knows what the sources read; refuses to read for them what is secret.

local core = require "personalize.core"
local profile = require "personalize.credentials.profile"

local M = {}

-- Of the environment. The key's id says whose a secret is.
local VARIABLES = { "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_EC2_INSTANCE_PROFILE_NAME",
  "AWS_EC2_METADATA_DISABLED",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_LOGIN_CACHE_DIRECTORY",
  "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE" }

local SERVICES = { "metadata", "signin", "sso", "sso_oidc", "sts" }

local SETTINGS = { "home", "profile", "profile_is_argument",
  "profile_is_explicit", "region", "use_dualstack", "use_fips", "use_global" }

local SECRET = { aws_secret_access_key = true, aws_session_token = true,
  secret_access_key = true, session_token = true }

-- Each text with its length before it, so that no two lists read the same.
local function add(parts, value)
  local text = tostring(value)
  parts[#parts + 1] = ("%s %d:%s"):format(type(value), #text, text)
end

local function add_table(parts, found)
  local names = {}
  for name in pairs(found) do
    if not SECRET[name] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  add(parts, #names)
  for _, name in ipairs(names) do
    add(parts, name)
    add(parts, found[name])
  end
end

--- The hash, in hexadecimal digits.
---@param world personalize.World
---@return string
function M.of(world)
  local parts = {}
  for _, name in ipairs(SETTINGS) do
    add(parts, world[name])
  end
  for _, name in ipairs(VARIABLES) do
    add(parts, world.env(name))
  end
  -- Whose this is nothing else says; a hash of it shows nothing.
  local token = world.env "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  add(parts, token and core.sha256_hex(token))
  for _, service in ipairs(SERVICES) do
    -- A wrong one is told by whoever needs it.
    local ok, url = pcall(world.endpoint, service)
    add(parts, ok and url or nil)
  end
  -- What is wrong with the files is told by the source, too.
  local files = world.files()
  local name = world.profile or "default"
  add_table(parts, files and files.profiles[name] or {})
  local plan = files and profile.plan(files, name) or {}
  add(parts, #plan)
  for _, step in ipairs(plan) do
    add_table(parts, step)
  end
  return core.sha256_hex(table.concat(parts, "\n"))
end

return M
