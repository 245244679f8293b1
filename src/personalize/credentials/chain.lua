--- The order in which the sources of credentials are asked.
-- Knows each source by its name; refuses to know how any of them works.
--
-- A source that is not configured is skipped. One that is configured and fails
-- ends the chain: whoever is next might be somebody else.

local container = require "personalize.credentials.container"
local environment = require "personalize.credentials.environment"
local instance = require "personalize.credentials.instance"
local profile = require "personalize.credentials.profile"
local web_identity = require "personalize.credentials.web_identity"

local M = {}

-- Those marked are skipped where the code chose a profile: it means that
-- account, whatever the environment says.
local SOURCES = {
  { name = "environment", fetch = environment.fetch, of_environment = true },
  { name = "shared files", fetch = profile.fetch },
  { name = "web identity", fetch = web_identity.from_environment,
    of_environment = true },
  { name = "container", fetch = container.fetch },
  { name = "instance metadata", fetch = instance.fetch },
}

--- Credentials of the first source that is configured.
---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world)
  local lines = { "no credentials: none of these has any" }
  for _, source in ipairs(SOURCES) do
    local found, fault, why
    if source.of_environment and world.profile_is_argument then
      why = "not asked, since a profile is given as argument"
    else
      found, fault, why = source.fetch(world)
    end
    if found or fault then
      return found, fault
    end
    lines[#lines + 1] = ("  %s: %s"):format(source.name, why)
  end
  return nil, { code = "NoCredentialsError", kind = "client",
    message = table.concat(lines, "\n") .. (world.hint or "") }
end

return M
