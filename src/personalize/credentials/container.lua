--- Credentials of a container: ECS tasks, EKS pods.
-- Knows the variables, and which hosts may be asked; refuses to know who
-- answers there.

local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
local FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
local TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
local TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
local ECS = "http://169.254.170.2"

-- The agents of ECS and EKS.
local AGENTS = { ["169.254.170.2"] = true, ["169.254.170.23"] = true,
  ["fd00:ec2::23"] = true }

local NAMES = { access_key_id = "accesskeyid", session_token = "token",
  secret_access_key = "secretaccesskey", expiration = "expiration" }

-- May the token go there without TLS?
local function is_near(address)
  return AGENTS[address] or address == "::1" or
    address:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

-- Any other host counts by its addresses, each of which must be near.
local function check_host(world, host)
  host = host:lower():gsub("^%[(.*)%]$", "%1")
  if host == "localhost" or is_near(host) then
    return true
  end
  local addresses, why = (world.resolve or core.resolve)(host)
  if not addresses or #addresses == 0 then
    return source.fail(("%s: its host has no address: %s"):format(FULL,
      why or "none was found"))
  end
  for _, address in ipairs(addresses) do
    if not is_near(address) then
      return source.misconfigured(FULL .. ": without https, only this " ..
        "machine and the agents of ECS and EKS are asked for credentials")
    end
  end
  return true
end

-- The parts of a URL that a request has: endpoint, path, query.
local function split(url)
  local endpoint, rest = url:match "^([^/?#]*//[^/?#]*)(.*)$"
  if not endpoint or url:find "[%c \"<>\\^`{|}\127-\255#]" or
    not core.is_endpoint(endpoint) then
    return nil
  end
  local path, query = rest:match "^([^?]*)%??(.*)$"
  return { endpoint = endpoint, path = path == "" and "/" or path,
    query = query ~= "" and query or nil }
end

--- Where to ask.
---@param world personalize.World
---@return table? place its endpoint, path and query
---@return table? failure
---@return string? why where nothing is configured
function M.place(world)
  local relative, full = world.env(RELATIVE), world.env(FULL)
  if relative then
    -- Its slash ends the host, which would go on otherwise.
    local place = relative:sub(1, 1) == "/" and split(ECS .. relative)
    if not place then
      return source.misconfigured(RELATIVE .. " must be a path that begins " ..
        "with /")
    end
    return place
  elseif not full then
    return nil, nil, ("%s and %s are not set"):format(RELATIVE, FULL)
  end
  local place = split(full)
  if not place then
    return source.misconfigured(FULL .. " must be a URL with a host: " ..
      "http://HOST/PATH or https://HOST/PATH")
  end
  local host = place.endpoint:match "^[hH][tT][tT][pP]://(.*)$"
  if host then
    host = host:match "^(%[.*%])" or host:match "^[^:]*"
    local ok, fault = check_host(world, host)
    if not ok then
      return nil, fault
    end
  end
  return place
end

-- The Authorization header's value, where there is to be one. The file is read
-- each time: the token in it is renewed.
local function authorization(world)
  local path, text = world.env(TOKEN_FILE), world.env(TOKEN)
  local what = TOKEN
  if path then
    local why
    what = ("the file of %s, %s,"):format(TOKEN_FILE, path)
    text, why = world.read(path)
    if not text then
      return source.fail(("%s cannot be read: %s"):format(what,
        source.unread(why)))
    end
  end
  if text then
    local token, why = source.token(text)
    if not token then
      return source.fail(("%s %s"):format(what, why))
    end
    return token
  end
end

---@param world personalize.World
---@return personalize.Credentials?
---@return table? failure
---@return string? why where nothing is configured
function M.fetch(world)
  local place, fault, why = M.place(world)
  if not place then
    return nil, fault, why
  end
  local token
  token, fault = authorization(world)
  if fault then
    return nil, fault
  end
  local headers = { { "accept", "application/json" } }
  if token then
    headers[2] = { "authorization", token }
  end
  local response, failure = world.request {
    service = "container",
    operation = "ContainerCredentials",
    endpoint = place.endpoint,
    method = "GET",
    path = place.path,
    query = place.query,
    headers = headers,
    secrets = { token },
    unsigned = true,
    protocol = "json",
    direct = true,
    connect_timeout = 2,
    timeout = 10,
    max_attempts = 3,
  }
  if not response then
    return source.refused("asking the container's agent", failure, { token })
  end
  local found
  local document = source.document(response.body)
  if not document then
    return source.fail "the answer of the container's agent is not JSON"
  end
  found, why = source.credentials(document, NAMES)
  if not found then
    return source.fail("the answer of the container's agent cannot be " ..
      "used: " .. why)
  end
  found.account_id = source.text(document, "accountid")
  found.source, found.is_stable = "container", true
  return found
end

return M
