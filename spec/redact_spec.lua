--- Answers that send a secret back, in every member of what they become and in
-- every spelling: nobody sees it.

local cjson = require "cjson"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local personalize = require "personalize"
local reach = require "spec.support.reach"
local stub = require "spec.support.stub"

local SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYPLANTEDKEY"
local TOKEN = "IQoJb3JpZ2luX2VjEH4aCXVz/LWVhc3QtMSJ+tokPLANTED=="
local TAG = "PlantedValue of:a tag+(x)"
local KEYS = { access_key_id = "AKIDSTUB", secret_access_key = SECRET,
  session_token = TOKEN }

local function each(text, pattern, format)
  return (text:gsub(pattern, function(c) return format:format(c:byte()) end))
end

local SPELLINGS = {
  plain = function(text) return text end,
  percent = function(text) return each(text, "%W", "%%%02X") end,
  ["percent, all"] = function(text) return each(text, ".", "%%%02x") end,
  ["percent twice"] = function(text) return each(text, "%W", "%%25%02X") end,
  html = function(text) return each(text, "%W", "&#%d;") end,
  ["html, hexadecimal"] = function(text) return each(text, ".", "&#x%x;") end,
  ["html, twice"] = function(text) return each(text, "%W", "&amp;#%d;") end,
  ["html, named"] = function(text)
    return (text:gsub("[+/=]", { ["+"] = "&plus;", ["/"] = "&sol;",
      ["="] = "&equals;" }))
  end,
  json = function(text) return each(text, "%W", "\\u%04x") end,
  slashes = function(text) return (text:gsub("/", "\\/")) end,
  lines = function(text) return (text:gsub("......", "%0\r\n ")) end,
  ["line ends, escaped"] = function(text)
    return (text:gsub("......", "%0\\n"))
  end,
  invisible = function(text) return (text:gsub("....", "%0\226\128\139")) end,
  lower = string.lower,
  base64 = core.base64,
  ["in base64"] = function(text) return core.base64("user:" .. text) end,
  hexadecimal = function(text) return each(text, ".", "%02x") end,
}

-- What must not be in a text: the secret as it is spelled, or most of it.
local function assert_clean(secret, spelled, what, ...)
  local parts = { secret, spelled }
  for at = 1, #secret - 11, 4 do
    parts[#parts + 1] = secret:sub(at, at + 11)
  end
  for _, text in ipairs(reach.strings(...)) do
    for _, part in ipairs(parts) do
      assert.is_nil(text:find(part, 1, true), what .. ": " .. text)
    end
  end
end

-- A client whose every request is answered so, and its events.
local function client_of(answer, more)
  local events = {}
  local options = { credentials = KEYS, max_attempts = 2,
    sleep = function() end,
    on_event = function(event) events[#events + 1] = event end }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  local client = stub.client(answer, options)
  return client, events
end

local function json_error(members, headers, status)
  return { status = status or 400, body = cjson.encode(members),
    headers = headers or {} }
end

-- Answers that have a text in them, by where it stands.
local ANSWERS = {
  message = function(text)
    return json_error { __type = "FooException", message = text }
  end,
  ["message, in a sentence"] = function(text)
    return json_error { __type = "FooException", message = "the token '" ..
      text .. "', of the request is expired" }
  end,
  Message = function(text) return json_error { Message = text } end,
  __type = function(text) return json_error { __type = text } end,
  ["__type, behind a namespace"] = function(text)
    return json_error { __type = "ns#" .. text, message = "m" }
  end,
  code = function(text) return json_error { code = text } end,
  ["the header's code"] = function(text)
    return json_error({ message = "m" }, { ["x-amzn-errortype"] = text })
  end,
  ["request id"] = function(text)
    return json_error({ __type = "A" }, { ["x-amzn-requestid"] = text })
  end,
  ["the other request id"] = function(text)
    return json_error({ __type = "A" }, { ["x-amz-request-id"] = text }, 503)
  end,
  page = function(text)
    return { status = 502, headers = {}, body = "<p>" .. text .. "</p>" }
  end,
}

describe("a secret in an answer", function()
  for where, make in pairs(ANSWERS) do
    it("as " .. where .. " is not seen", function()
      for name, spell in pairs(SPELLINGS) do
        for _, secret in ipairs { SECRET, TOKEN } do
          local spelled = spell(secret)
          local client, events = client_of(make(spelled))
          local e = stub.failure(client.list_data_deletion_jobs, client)
          assert_clean(secret, spelled, name, e, tostring(e), events)
          assert.is_string(e.code)
          assert.truthy(#events > 1)
        end
      end
    end)
  end

  it("as the request id of a success is not seen", function()
    for name, spell in pairs(SPELLINGS) do
      local spelled = spell(TOKEN)
      local client, events = client_of({ status = 200, body = "{}",
        headers = { ["x-amzn-requestid"] = spelled } })
      local _, meta = client:list_data_deletion_jobs()
      assert_clean(TOKEN, spelled, name, meta, events)
    end
  end)

  it("that looks like a request id is not seen", function()
    local id = "1b8f2c3d-0000-4000-8000-0123456789ab"
    local function meta_of(keys)
      local client = client_of({ status = 200, body = "{}",
        headers = { ["x-amzn-requestid"] = id } }, { credentials = keys })
      return select(2, client:list_data_deletion_jobs())
    end
    assert.equal(id, meta_of(KEYS).request_id)
    assert.is_nil(meta_of({ access_key_id = "A", secret_access_key = "s",
      session_token = "x" .. id .. "y" }).request_id)
    assert.is_nil(meta_of({ access_key_id = "A", secret_access_key = id })
      .request_id)
  end)

  it("leaves the rest of what was said", function()
    local client = client_of(json_error({ __type = "ExpiredTokenException",
      message = "The token " .. TOKEN:gsub("=", "") .. " of arn:aws:iam::" ..
      "123456789012:role/x, Signature=04fcab, is expired." },
      { ["x-amzn-requestid"] = "id-1" }), { max_attempts = 1 })
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("ExpiredTokenException", e.code)
    assert.equal("id-1", e.request_id)
    assert.equal("The token [redacted] of arn:aws:iam::123456789012:role/x, " ..
      "Signature=[redacted], is expired.", e.message)
  end)
end)

describe("a tag in an answer", function()
  it("is not seen in any spelling of it", function()
    for name, spell in pairs(SPELLINGS) do
      -- In base64, in hexadecimal and in other letters it is no tag any more.
      if not name:find "base64" and name ~= "hexadecimal" then
        for _, answer in pairs { ANSWERS.message(spell(TAG)),
          ANSWERS["message, in a sentence"](spell(TAG)),
          ANSWERS.page(spell(TAG)) } do
          local client, events = client_of(answer,
            { parameter_validation = false })
          local input = stub.input "TagResource"
          input.tags = { ticket = TAG }
          local e = stub.failure(client.tag_resource, client, input)
          assert_clean(TAG, spell(TAG), name, e, tostring(e), events)
        end
      end
    end
  end)

  it("is not seen where there are more than can be looked for", function()
    local input = stub.input "TagResource"
    input.tags = {}
    for i = 1, 1200 do
      input.tags["key" .. i] = "PlantedValue" .. i
    end
    local client = client_of(ANSWERS.message "no PlantedValue1000 here",
      { parameter_validation = false })
    local e = stub.failure(client.tag_resource, client, input)
    assert.equal("[redacted]", e.message)
  end)
end)

describe("a secret in an answer of S3", function()
  it("is in no member of a receipt", function()
    for name, spell in pairs(SPELLINGS) do
      local spelled = spell(TOKEN)
      if not spelled:find "%c" then
        local client, events = client_of({ status = 200, body = "",
          headers = { ["x-amz-version-id"] = spelled,
            ["x-amz-request-id"] = spelled, etag = '"e"' } })
        local made = client:upload_users { users = { "a" }, name = "n",
          bucket = "erasure" }
        assert_clean(TOKEN, spelled, name, made, events)
        assert.is_nil(made.parts[1].version_id)
      end
    end
  end)

  it("is in no error", function()
    local spelled = SPELLINGS.html(TOKEN)
    for _, answer in ipairs {
      { status = 403, headers = {}, body = ("<Error><Code>%s</Code><Message>" ..
        "%s</Message><RequestId>%s</RequestId></Error>"):format(TOKEN, spelled,
        TOKEN) },
      { status = 200, body = "", headers = { etag = TOKEN } },
    } do
      local client, events = client_of(answer)
      local e = stub.failure(client.upload_users, client, { users = { "a" },
        name = "n", bucket = "erasure" })
      assert_clean(TOKEN, spelled, "S3", e, tostring(e), events)
    end
  end)
end)

describe("a secret that a source of credentials was sent", function()
  after_each(environment.restore)

  it("is in none of its errors and events", function()
    local token = "PlantedContainerToken/0123456789+abcdef"
    environment.set {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://127.0.0.1:1/x",
      AWS_CONTAINER_AUTHORIZATION_TOKEN = token }
    for _, spell in pairs(SPELLINGS) do
      local spelled, events = spell(token), {}
      local client = personalize.new { region = "eu-west-1", max_attempts = 1,
        sleep = function() end,
        on_event = function(event) events[#events + 1] = event end,
        transport = function()
          return json_error({ code = spelled, message = spelled },
            { ["x-amzn-requestid"] = spelled })
        end }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert_clean(token, spelled, "container", e, tostring(e),
        tostring(e.cause), events)
    end
  end)
end)

describe("a proxy's password", function()
  it("is in no error", function()
    local client = client_of(function()
      return nil, { code = "ConnectionError", message = "the proxy says: " ..
        core.base64 "me:Planted@Password" .. " is not Planted@Password" }
    end, { proxy = "http://me:Planted%40Password@127.0.0.1:1" })
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert_clean("Planted@Password", core.base64 "me:Planted@Password",
      "proxy", e)
  end)
end)
