--- What other SDKs put on the wire for the same input: they must sign as we
-- do, and we must send what they send.

local clock = require "spec.support.clock"
local core = require "personalize.core"
local http = require "spec.support.http"
local json = require "spec.support.json"
local personalize = require "personalize"
local vectors = require "spec.support.vectors"

-- The signature of a request over just the headers that it says are signed.
local function signature(method, target, headers, body, case)
  local authorization = http.header(headers, "authorization")
  local path, query = target:match("^([^?]*)%??(.*)$")
  return core.sigv4(
    { method = method, path = path, query = query, payload = body,
      headers = http.signed(headers, authorization),
      payload_hash = http.header(headers, "x-amz-content-sha256") },
    { access_key_id = case.access_key, secret_access_key = case.secret_key },
    { region = case.region, service = "personalize", timestamp = case.date })
end

-- The authorization of a request must be the one we would make of it.
local function check_signature(method, target, headers, body, case)
  local stages = signature(method, target, headers, body, case)
  local parts = {}
  for key, value in http.header(headers, "authorization"):gmatch(
    "(%a+)=([^, ]+)") do
    parts[key] = value
  end
  assert.equal(("%s/%s/%s/personalize/aws4_request"):format(case.access_key,
    case.date:sub(1, 8), case.region), parts.Credential)
  assert.equal(parts.SignedHeaders, stages.signed_headers)
  assert.equal(parts.Signature, stages.signature)
end

-- The request that we make of a case's input.
local function build(case, method_name)
  local sent
  local client = personalize.new {
    region = case.region,
    credentials = {
      access_key_id = case.access_key,
      secret_access_key = case.secret_key,
      session_token = case.session_token,
    },
    parameter_validation = false,
    transport = function(request)
      assert.is_nil(sent, "one request, and no other")
      sent = request
      -- Enough for any operation: members it does not have are ignored.
      return { status = 200, headers = {}, body =
        '{"dataDeletionJobArn":"arn","dataDeletionJob":{}}' }
    end,
  }
  if method_name then
    client[method_name](client, case.input)
  else
    client:call(case.op, case.input)
  end
  return sent
end

local function snake(operation)
  return (operation:gsub("(%l)(%u)", "%1_%2"):lower())
end

local function try(folder, case)
  local text = vectors.slurp(folder .. "/" .. case.file)
  if not text then
    pending(case.file .. " is absent, but the index has it")
    return
  end
  local theirs = http.parse(text)

  it(case.file .. ": the signature", function()
    check_signature(theirs.method, theirs.target, theirs.headers, theirs.body,
      case)
  end)

  local function check_request(ours)
    assert.equal(theirs.method, ours.method)
    local host = http.header(theirs.headers, "host")
    assert.equal("https://" .. host .. theirs.target, ours.url)
    for _, name in ipairs { "host", "content-type", "x-amz-target",
      "x-amz-security-token", "x-amz-date" } do
      assert.equal(http.header(theirs.headers, name),
        http.header(ours.headers, name), name)
    end
    assert.equal(tostring(#ours.body),
      http.header(ours.headers, "content-length"))
    assert.equal(json.canonical(theirs.body), json.canonical(ours.body))
    check_signature(ours.method, theirs.target, ours.headers, ours.body, case)
  end

  describe(case.file, function()
    local now = core.now

    before_each(function()
      core.now = function() return clock.epoch(case.date) end
    end)
    after_each(function()
      core.now = now
    end)

    it(case.op .. " of the same input", function()
      check_request(build(case))
    end)
    local method = snake(case.op)
    if personalize[method] then
      it(method .. " of the same input", function()
        check_request(build(case, method))
      end)
    end
  end)
end

describe("requests that SDKs sent", function()
  local index, absent = vectors.cases "sdk-requests/index.json"
  if not index then
    pending(absent)
    return
  end
  local folder = vectors.find "sdk-requests"
  for _, case in ipairs(index) do
    try(folder, case)
  end
end)
