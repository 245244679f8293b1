--- The SDKs' cases of the default chain, each with an environment, a tree of
-- files and recorded traffic of its own.

local cjson = require "cjson"
local chain = require "personalize.credentials.chain"
local child = require "spec.support.child"
local vectors = require "spec.support.vectors"
local world = require "spec.support.world"

local FOLDER = "default-credential-provider-chain"

-- Headers that are part of what is asked.
local COMPARED = { "x-aws-ec2-metadata-token",
  "x-aws-ec2-metadata-token-ttl-seconds", "x-amz-sso_bearer_token", "accept" }

-- Every file below a folder, as path and text.
local function tree(root)
  local files = {}
  local pipe = io.popen("find " .. child.quote(root) ..
    " -type f 2>/dev/null")
  for path in pipe:lines() do
    files[path:sub(#root + 1)] = vectors.slurp(path)
  end
  pipe:close()
  return files
end

local function member(t, ...)
  for _, name in ipairs { ... } do
    t = type(t) == "table" and t[name] or nil
  end
  return t
end

-- Requests in order, each with its answer.
local function exchanges(path)
  local found, by_connection = {}, {}
  local text = vectors.slurp(path)
  for _, event in ipairs(text and cjson.decode(text).events or {}) do
    local id, action = event.connection_id, event.action
    local exchange = by_connection[id]
    if action.Request then
      exchange = { request = action.Request.request, sent = "", body = "" }
      by_connection[id] = exchange
      found[#found + 1] = exchange
    elseif action.Response then
      exchange.response = action.Response.response.Ok
    elseif action.Data then
      local side = action.Data.direction == "Request" and "sent" or "body"
      exchange[side] = exchange[side] ..
        (member(action, "Data", "data", "Utf8") or "")
    end
  end
  return found
end

local function parts(url)
  local before, query = url:match "^([^?]*)%??(.*)$"
  local list = {}
  for part in query:gmatch "[^&]+" do
    list[#list + 1] = part
  end
  table.sort(list)
  return before .. "?" .. table.concat(list, "&")
end

-- A header's value, of a table whose names may be in any case.
local function header(headers, name)
  for key, value in pairs(headers or {}) do
    if key:lower() == name then
      return type(value) == "table" and value[1] or value
    end
  end
end

local function form(body)
  local found = {}
  for name, value in body:gmatch "([^&=]+)=([^&]*)" do
    found[name] = value:gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
  end
  return found
end

local function check_request(expected, request)
  assert.equal(expected.request.method, request.method)
  assert.equal(parts(expected.request.uri), parts(request.url))
  for _, name in ipairs(COMPARED) do
    local value = header(expected.request.headers, name)
    if value then
      assert.equal(value, request.headers[name], name)
    end
  end
  local theirs, ours = form(expected.sent), form(request.body or "")
  for _, name in ipairs { "Action", "Version" } do
    assert.equal(theirs[name], ours[name])
  end
end

-- A role that is assumed is one that the environment or the files name.
local function check_role(request, env, files)
  local given = form(request.body or "")
  if not given.Action then
    return
  end
  local known = env.AWS_ROLE_ARN == given.RoleArn
  for _, text in pairs(files) do
    known = known or text:find(given.RoleArn, 1, true) ~= nil
  end
  assert.is_true(known, given.RoleArn)
  local name = env.AWS_ROLE_SESSION_NAME
  assert.equal(name or given.RoleSessionName, given.RoleSessionName)
  if given.WebIdentityToken then
    local path = env.AWS_WEB_IDENTITY_TOKEN_FILE or "/token.jwt"
    assert.equal(files[path]:gsub("%s+$", ""), given.WebIdentityToken)
  end
end

local function transport(expected, env, files)
  local at = 0
  local wrong
  return function(request)
    at = at + 1
    local exchange = expected[at]
    local ok, why = pcall(function()
      assert.truthy(exchange, "one request more: " .. request.url)
      check_request(exchange, request)
      check_role(request, env, files)
    end)
    if not ok then
      wrong = wrong or why
      return nil, { code = "ConfigError", message = "not as recorded" }
    end
    local headers = {}
    for name, value in pairs(exchange.response.headers or {}) do
      headers[name:lower()] = type(value) == "table" and value[1] or value
    end
    headers.date = nil -- a recording's clock is not ours, which stands
    return { status = exchange.response.status, headers = headers,
      body = exchange.body }
  end, function() return at, wrong end
end

local function check_success(expected, found, fault)
  assert.is_nil(fault and fault.message)
  assert.equal(expected.access_key_id, found.access_key_id)
  assert.equal(expected.secret_access_key, found.secret_access_key)
  assert.equal(expected.session_token, found.session_token)
  if expected.account_id then
    assert.equal(expected.account_id, found.account_id)
  end
  assert.equal(expected.expiry, found.expiration)
end

-- What the SDKs' words for an error have to be in ours.
local REASONS = {
  { "IMDS is disabled", "turned off" },
  { "No such file or directory", "there is no such file" },
  { "No OpenIDConnect provider found", "No OpenIDConnect provider found" },
}

local function check_failure(words, found, fault)
  assert.is_nil(found)
  assert.truthy(fault)
  for _, reason in ipairs(REASONS) do
    if words:find(reason[1], 1, true) then
      assert.truthy(fault.message:find(reason[2], 1, true), fault.message)
    end
  end
end

describe("the SDKs' cases of the default chain:", function()
  local folder, absent = vectors.find(FOLDER)
  if not folder then
    pending(absent)
    return
  end
  for _, name in ipairs(vectors.names(folder)) do
    local case = folder .. "/" .. name .. "/"
    local is_case = vectors.slurp(case .. "env.json") and
      vectors.slurp(case .. "test-case.json")
    local title = is_case and name or
      name .. ", which has no env.json or no test-case.json"
    local run = is_case and it or pending
    run(title, function()
      local env = cjson.decode(vectors.slurp(case .. "env.json"))
      local result = cjson.decode(vectors.slurp(case ..
        "test-case.json")).result
      local files = tree(case .. "fs")
      local traffic = exchanges(case .. "http-traffic.json")
      local answer, ended = transport(traffic, env, files)
      local found, fault = chain.fetch(world.new { env = env, files = files,
        transport = answer, now = 0 })
      local count, wrong = ended()
      if wrong then
        error(wrong, 0)
      end
      assert.equal(#traffic, count, "requests")
      if result.Ok then
        check_success(result.Ok, found, fault)
      else
        check_failure(result.ErrorContains, found, fault)
      end
    end)
  end
end)
