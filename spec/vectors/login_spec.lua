--- The SDKs' cases of credentials from `aws login`.

local cjson = require "cjson"
local core = require "personalize.core"
local profile = require "personalize.credentials.profile"
local vectors = require "spec.support.vectors"
local world = require "spec.support.world"

local FOLDER = "/home/.aws/login/cache/"

-- A transport that holds the case's calls to what they must send.
local function transport(case)
  local at = 0
  return function(request)
    at = at + 1
    local call = assert((case.mockApiCalls or {})[at],
      "one request more than there are answers")
    assert.equal("https://us-east-1.signin.aws.amazon.com/v1/token",
      request.url)
    assert.equal("POST", request.method)
    assert.same(call.request.tokenInput, cjson.decode(request.body))
    assert.truthy(request.headers.dpop:find "^[%w_-]+%.[%w_-]+%.[%w_-]+$")
    if call.responseCode and call.responseCode ~= 200 then
      return { status = call.responseCode, headers = {},
        body = '{"error":"TOKEN_EXPIRED","message":"no"}' }
    end
    return { status = 200, headers = {},
      body = cjson.encode(call.response.tokenOutput) }
  end
end

-- Members that the case names have to be; the rest of a file is free.
local function check_file(expected, text)
  local found = cjson.decode(text)
  for name, value in pairs(expected) do
    assert.same(value, found[name], name)
  end
end

local check = {}

function check.credentials(outcome, found, fault)
  assert.is_nil(fault)
  assert.equal(outcome.accessKeyId, found.access_key_id)
  assert.equal(outcome.secretAccessKey, found.secret_access_key)
  assert.equal(outcome.sessionToken, found.session_token)
  assert.equal(outcome.accountId, found.account_id)
  assert.equal(outcome.expiresAt, core.time_text(found.expiration))
end

function check.error(_, found, fault)
  assert.is_nil(found)
  assert.equal("CredentialsError", fault.code)
end

function check.cacheContents(outcome, _, _, files)
  for name, expected in pairs(outcome) do
    if name ~= "result" then
      check_file(expected, files[FOLDER .. name])
    end
  end
end

describe("the SDKs' cases of a login session:", function()
  local cases, absent = vectors.cases "login-provider-test-cases.json"
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    it(("%d, %s"):format(i, case.documentation or "no title"), function()
      local files = { ["/home/.aws/config"] = case.configContents }
      for name, document in pairs(case.cacheContents) do
        files[FOLDER .. name] = cjson.encode(document)
      end
      local made = world.new { env = { HOME = "/home" }, files = files,
        profile = "signin", region = "us-east-1",
        now = core.time "2025-11-19T00:00:00Z", transport = transport(case) }
      local found, fault = profile.fetch(made)
      assert.equal(#(case.mockApiCalls or {}), #made.sent)
      for _, outcome in ipairs(case.outcomes) do
        assert(check[outcome.result], outcome.result)(outcome, found, fault,
          files)
      end
    end)
  end
end)
