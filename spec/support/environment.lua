--- The environment as the module sees it, for one spec at a time.
-- Lua cannot set variables, so the core's way to them is replaced.

local core = require "personalize.core"

local environment = {}
local getenv, home = core.getenv, core.home

--- From now on these variables are all there are; but no spec asks for an
-- instance's metadata that does not say where. Nobody has a home folder
-- beside, unless `homes` names it.
---@param variables table<string, string>
---@param homes? table<string, string> by user; "" is who runs this
function environment.set(variables, homes)
  core.home = function(user)
    return homes and homes[user or ""]
  end
  core.getenv = function(name)
    return variables[name] or
      name == "AWS_EC2_METADATA_DISABLED" and "true" or nil
  end
end

function environment.restore()
  core.getenv, core.home = getenv, home
end

return environment
