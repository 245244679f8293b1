--- What the sources of credentials may ask of a client, made up: variables, a
-- tree of files, a clock that stands, and a transport that answers as it is
-- told.
-- Knows the client's side of that contract; refuses to know any source.

local call = require "personalize.call"
local core = require "personalize.core"

local world = {}

-- A value without white space around it; empty is none.
local function trimmed(text)
  text = text and text:match "^%s*(.-)%s*$"
  return text ~= "" and text or nil
end

local function is_true(text)
  return text ~= nil and text:lower() == "true"
end

local function read_files(made, config, credentials)
  local texts = { made.read(config) or "", made.read(credentials) or "" }
  local files, why = core.ini(texts[1], "config")
  if files then
    files, why = core.ini(texts[2], "credentials", files)
  end
  if not files then
    return nil, { code = "ConfigError", kind = "client", message = why }
  end
  return files
end

-- The endpoint of a request and what it is signed for.
local function place(made, request)
  local url = request.endpoint or made.endpoint(request.service)
  if url then
    return url, { signing_region = request.region,
      signing_name = request.service }
  end
  return core.endpoint { service = request.service, region = request.region,
    use_fips = made.use_fips, use_dualstack = made.use_dualstack }
end

local function send(given, made, request)
  local url, signing = place(made, request)
  if not url then
    return nil, { code = "ConfigError", kind = "client", message = signing }
  end
  local service, wrong = core.service { endpoint = url,
    region = request.unsigned and "" or signing.signing_region,
    signing_name = request.unsigned and "" or signing.signing_name,
    target_prefix = "", user_agent = "spec" }
  if not service then
    return nil, { code = "ConfigError", kind = "client", message = wrong }
  end
  made.requests[#made.requests + 1] = request
  local settings = {
    service = service,
    url = url,
    max_attempts = request.max_attempts or 3,
    connect_timeout = request.connect_timeout or 3,
    direct = request.direct,
    address = request.address,
    sleep = function() return true end,
    transport = function(asked)
      local headers = {}
      for name, value in asked.head:gmatch "([^:\r\n]+): ([^\r\n]*)\r\n" do
        headers[name:lower()] = value
      end
      local sent = { method = asked.method, url = asked.url,
        headers = headers, body = asked.body, direct = asked.direct,
        address = asked.address }
      made.sent[#made.sent + 1] = sent
      if not given.transport then
        error("nobody is to be asked, but " .. asked.url .. " is", 0)
      end
      return given.transport(sent)
    end,
  }
  return call.request(settings, request.operation, request, function()
    return request.credentials or {}
  end, core.monotonic() + (request.timeout or 60))
end

--- A world.
---@param given { env: table?, files: table?, transport: function?,
--- now: number?, profile: string?, options: table?, endpoints: table? }
--- `files` maps paths to texts, and takes what is written
function world.new(given)
  local env, files = given.env or {}, given.files or {}
  local made = { sent = {}, requests = {}, warnings = {},
    options = given.options or {}, resolve = given.resolve, run = given.run }
  function made.env(name)
    return trimmed(env[name])
  end
  function made.read(path)
    local text = files[path]
    if type(text) ~= "string" then
      return nil, text == nil and "absent" or "Permission denied"
    end
    return text
  end
  function made.write(path, text)
    if given.read_only then
      return nil, "Read-only file system"
    end
    files[path] = text
    return true, given.lacks
  end
  function made.now()
    return given.now or 0
  end
  made.renewed = given.renewed or {}
  made.pause = given.pause or function() return true end
  made.random = given.random or core.random
  made.home = made.env "HOME"
  local folder = (made.home or "") .. "/.aws/"
  function made.files()
    return read_files(made, made.env "AWS_CONFIG_FILE" or folder .. "config",
      made.env "AWS_SHARED_CREDENTIALS_FILE" or folder .. "credentials")
  end
  function made.endpoint(service)
    return (given.endpoints or {})[service]
  end
  function made.request(request)
    return send(given, made, request)
  end
  function made.warn(message)
    made.warnings[#made.warnings + 1] = message
  end
  local from_env = made.env "AWS_PROFILE" or made.env "AWS_DEFAULT_PROFILE"
  made.profile = given.profile or from_env or "default"
  made.profile_is_argument = given.profile ~= nil
  made.profile_is_explicit = given.profile ~= nil or from_env ~= nil
  made.use_fips = is_true(made.env "AWS_USE_FIPS_ENDPOINT")
  made.use_dualstack = is_true(made.env "AWS_USE_DUALSTACK_ENDPOINT")
  made.region = given.region or made.env "AWS_REGION" or
    made.env "AWS_DEFAULT_REGION"
  if not made.region then
    local read = made.files()
    made.region = read and (read.profiles[made.profile] or {}).region
  end
  return made
end

--- A transport that gives these answers in order, and fails for one more
-- request. An answer is { status, body } or { failure = error }.
function world.script(answers)
  local at = 0
  return function()
    at = at + 1
    local answer = answers[at]
    if not answer then
      error("one request more than there are answers", 0)
    elseif answer.failure then
      return nil, answer.failure
    end
    return { status = answer[1], headers = answer[3] or {},
      body = answer[2] or "" }
  end
end

return world
