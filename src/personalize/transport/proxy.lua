--- Which proxy lies on the way to a URL.
-- Knows the option and the variables that libcurl reads, too; refuses to know
-- how a proxy is spoken to.

local M = {}

-- By scheme. http_proxy in capitals is not read: in CGI a client sets it.
local VARIABLES = {
  http = { "http_proxy", "all_proxy", "ALL_PROXY" },
  https = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
}

-- Does NO_PROXY name the host, or a domain that it is in?
local function is_excepted(host, list)
  for entry in list:lower():gmatch "[^%s,]+" do
    local domain = entry:gsub("^%.", "")
    if entry == "*" or host == domain or
      host:sub(-#domain - 1) == "." .. domain then
      return true
    end
  end
  return false
end

local function from_environment(scheme, host, env)
  local list = env "no_proxy" or env "NO_PROXY"
  if list and is_excepted(host, list) then
    return nil
  end
  for _, name in ipairs(VARIABLES[scheme] or {}) do
    local value = env(name)
    if value then
      return value
    end
  end
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

---@class personalize.Proxy
---@field host string
---@field port integer
---@field userinfo? string "user:password", decoded

--- The proxy for a request, or nil where none is to be used.
---@param where { scheme: string, host: string }
---@param given? string the option; "" is none, whatever the environment says
---@param env fun(name: string): string?
---@return personalize.Proxy?
---@return string? wrong what is wrong with it; never shows it
function M.find(where, given, env)
  local text = given or from_environment(where.scheme, where.host, env)
  if not text or text == "" then
    return nil
  end
  local scheme, rest = text:match "^(%a[%w+.-]*)://(.*)$"
  if scheme and scheme:lower() ~= "http" then
    return nil, "inside nginx a proxy has to be http://HOST:PORT"
  end
  local authority = (rest or text):match "^[^/?#]*"
  local userinfo, place = authority:match "^(.*)@([^@]*)$"
  place = place or authority
  local host, port = place:match "^(%[[%x:.]+%]):?(%d*)$"
  if not host then
    host, port = place:match "^([%w._-]+):?(%d*)$"
  end
  port = port == "" and 1080 or tonumber(port) -- libcurl's
  if not host or not port or port > 65535 then
    return nil, "the proxy is none: it has to be http://HOST:PORT"
  end
  return { host = host, port = port, userinfo = userinfo and
    unescape(userinfo) }
end

return M
