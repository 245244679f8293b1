--- Credentials of a container: ECS tasks, EKS pods.
-- Knows the variables, and which hosts may be asked; refuses to know who
-- answers there.

local ascii = require "personalize.ascii"
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

-- This machine by its name, which some systems would look up elsewhere.
local LOCALHOST = { "127.0.0.1", "::1" }

-- May the token go there without TLS? Of an address in its canonical form.
local function is_near(address)
  if AGENTS[address] or address == "::1" then
    return true
  end
  local octets = { address:match "^(127)%.(%d+)%.(%d+)%.(%d+)$" }
  for i = 1, 4 do
    if not octets[i] or tonumber(octets[i]) > 255 then
      return false
    end
  end
  return true
end

-- Does it end in a number? Then it is an address or nothing, but no name.
local function is_number(host)
  local last = host:match "([^.]*)%.?$"
  return last:find "^%d+$" ~= nil or last:find "^0x%x*$" ~= nil
end

local function addresses_of(world, host)
  if host == "localhost" or host == "localhost." then
    return LOCALHOST
  end
  local addresses, why = core.resolve(host, true)
  if not addresses and not is_number(host) then
    addresses, why = (world.resolve or core.resolve)(host)
  end
  if not addresses or #addresses == 0 then
    return source.fail(("%s: its host has no address: %s"):format(FULL,
      why or "none was found"))
  end
  return addresses
end

-- The addresses of a host, each of which must be near: those that were looked
-- at are those that are connected to.
local function near_addresses(world, host)
  local addresses, fault =
    addresses_of(world, ascii.lower(host):gsub("^%[(.*)%]$", "%1"))
  for _, address in ipairs(addresses or {}) do
    if not is_near(address) then
      return source.misconfigured(FULL .. ": without https, only this " ..
        "machine and the agents of ECS and EKS are asked for credentials")
    end
  end
  return addresses, fault
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
---@return table? place its endpoint, path and query; addresses, where only
--- these may be connected to
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
    local fault
    place.addresses, fault = near_addresses(world, host)
    if not place.addresses then
      return nil, fault
    end
  end
  return place
end

-- The Authorization header's value, where there is to be one. The file is read
-- each time: the token in it is renewed.
local function authorization(world)
  local path, text = world.env(TOKEN_FILE), world.env(TOKEN)
  local token, why, failure
  if path then
    token, why, failure = source.token_in(world, path)
    if failure then
      return nil, failure
    elseif not token then
      return source.fail(("the file of %s, %s: %s"):format(TOKEN_FILE, path,
        why))
    end
  elseif text then
    token, why = source.token(text)
    if not token then
      return source.fail(("%s %s"):format(TOKEN, why))
    end
  end
  return token
end

-- As it stands in a URL.
local function bracketed(address)
  return address and address:find(":", 1, true) and "[" .. address .. "]" or
    address
end

-- The next of several addresses is asked where nobody listens at one.
local function ask(world, place, headers, token)
  local addresses = place.addresses or {}
  for i = 1, math.max(1, #addresses) do
    local response, failure = world.request {
      service = "container",
      operation = "ContainerCredentials",
      endpoint = place.endpoint,
      address = bracketed(addresses[i]),
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
    if response or failure.code ~= "ConnectionError" or i >= #addresses then
      return response, failure
    end
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
  local response, failure = ask(world, place, headers, token)
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
