--- Which proxy lies on the way to a URL.
-- Knows the variables that name proxies; what they mean is core's to say, for
-- this transport as for libcurl's. Refuses to know how a proxy is spoken to.

local core = require "personalize.core"

local M = {}

local VARIABLES = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
  "ALL_PROXY", "no_proxy", "NO_PROXY" }

---@class personalize.Proxy
---@field scheme string
---@field host string
---@field port integer
---@field userinfo? string "user:password", decoded
---@field authorization? string the Proxy-Authorization that it gets

--- The proxy for a request, or nil where none is to be used.
---@param where { scheme: string, host: string, port?: integer }
---@param given? string the option; "" is none, whatever the environment says
---@param env fun(name: string): string? "" where a variable is set to nothing
---@return personalize.Proxy?
---@return string? wrong what is wrong with it; never shows it
function M.find(where, given, env)
  local wish = { scheme = where.scheme, host = where.host, port = where.port,
    given = given }
  for _, name in ipairs(given and {} or VARIABLES) do
    wish[name] = env(name)
  end
  local proxy, wrong = core.find_proxy(wish)
  if proxy and proxy.scheme ~= "http" then
    return nil, "inside nginx a proxy has to be http://HOST:PORT"
  end
  return proxy, wrong
end

return M
