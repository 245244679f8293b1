--- The environment as the module sees it, for one spec at a time.
-- Lua cannot set variables, so the core's way to them is replaced.

local core = require "personalize.core"

local environment = {}
local getenv = core.getenv

--- From now on these variables are all there are; but no spec asks for an
-- instance's metadata that does not say where.
function environment.set(variables)
  core.getenv = function(name)
    return variables[name] or
      name == "AWS_EC2_METADATA_DISABLED" and "true" or nil
  end
end

function environment.restore()
  core.getenv = getenv
end

return environment
