--- What clients of this kind got wrong before us: where secrets may show, whose
-- key signs, whose certificate is believed.

local aws = require "spec.support.aws"
local core = require "personalize.core"
local http = require "spec.support.http"
local personalize = require "personalize"
local reach = require "spec.support.reach"
local stub = require "spec.support.stub"

-- What must never be seen in anything that the module emits.
local SECRET = "PlantedSecret/Key+0000000000000000000000"
local TOKEN = "PlantedToken//wEaCXVzLWVhc3QtMSJ+tok=="
local TAG_KEY = "PlantedTag key.%d"
local TAG_VALUE = "PlantedValue of:a tag+(x)"
local PASSWORD = "PlantedPassword"

local KEYS = { access_key_id = "AKIDSTUB", secret_access_key = SECRET,
  session_token = TOKEN }

local function assert_clean(...)
  for _, text in ipairs(reach.strings(...)) do
    local at = text:find("Planted", 1, true)
    assert.is_nil(at, "seen: " .. text)
  end
end

-- A client with the planted secrets, its requests and its events.
local function planted_client(answer, more)
  local events = {}
  -- Signs that no tag may have are those that patterns stumble over.
  local options = { credentials = KEYS, parameter_validation = false,
    on_event = function(event)
      events[#events + 1] = event
    end }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  local client, sent = stub.client(answer, options)
  return client, sent, events
end

local function tag_input(tags)
  local input = stub.input "TagResource"
  input.tags = tags
  return input
end

local PLANTED_TAGS = {
  { [TAG_KEY] = TAG_VALUE },
  { { tagKey = TAG_KEY, tagValue = TAG_VALUE } },
}

describe("the derived key", function()
  -- The signature of a request, made anew from the key that it should have.
  local function check(request, keys, region)
    local authorization = http.header(request.headers, "authorization")
    local path = request.url:match "^https?://[^/]*(.*)$"
    local fresh = core.sigv4(
      { method = request.method, path = path, payload = request.body,
        headers = http.signed(request.headers, authorization) },
      keys, { region = region, service = "personalize",
        timestamp = http.header(request.headers, "x-amz-date") })
    assert.equal(fresh.authorization, authorization)
    return fresh.signature
  end

  local now = core.now
  after_each(function()
    core.now = now
  end)

  it("is the secret's, even where the key id stays the same", function()
    local secrets, at = { "one", "two", "one", "one", "" .. ("x"):rep(200) }, 0
    local client, sent = stub.client("{}", { credentials = function()
      at = at + 1
      return { access_key_id = "AKIDSAME", secret_access_key = secrets[at] }
    end })
    core.now = function() return 1e9 end
    for i, secret in ipairs(secrets) do
      client:list_data_deletion_jobs()
      check(sent[i], { access_key_id = "AKIDSAME",
        secret_access_key = secret }, "eu-west-1")
    end
  end)

  it("is the day's", function()
    local client, sent = stub.client()
    for i, second in ipairs { 86400 * 20000 - 1, 86400 * 20000,
      86400 * 20000 - 1, 86400 * 20001 } do
      core.now = function() return second end
      client:list_data_deletion_jobs()
      check(sent[i], stub.CREDENTIALS, "eu-west-1")
    end
  end)

  it("is the region's", function()
    for _, region in ipairs { "eu-west-1", "us-east-1" } do
      local client, sent = stub.client("{}", { region = region })
      client:list_data_deletion_jobs()
      check(sent[1], stub.CREDENTIALS, region)
    end
  end)
end)

describe("secrets are not in", function()
  it("a client, its answers and its events", function()
    for _, tags in ipairs(PLANTED_TAGS) do
      local client, sent, events = planted_client "{}"
      local out, meta = client:tag_resource(tag_input(tags))
      assert.equal(2, #events) -- the attempt and the call
      assert_clean(client, out, meta, events)
      -- The request has them: what was looked for can be found.
      local seen = table.concat(reach.strings(sent[1]), "\n")
      assert.truthy(seen:find(TOKEN, 1, true))
      assert.truthy(seen:find(TAG_VALUE, 1, true))
      assert.is_nil(seen:find(SECRET, 1, true))
    end
  end)

  it("an error, when the service quotes them", function()
    local quotes = {
      "the token " .. TOKEN .. " is not valid",
      "'" .. TOKEN .. "'\n" .. TOKEN .. TOKEN,
      SECRET,
      "Value '" .. TAG_VALUE .. "' at 'tags.1.member.tagValue' failed",
      "tag [" .. TAG_KEY .. "=" .. TAG_VALUE .. "] exists",
      "host:x\nx-amz-security-token:" .. TOKEN .. "\nx-amz-target:y",
    }
    for _, tags in ipairs(PLANTED_TAGS) do
      for _, quote in ipairs(quotes) do
        for _, status in ipairs { 400, 403, 500 } do
          local body = require("cjson").encode {
            __type = "InvalidInputException", message = quote }
          local client, _, events = planted_client(
            stub.response(body, status))
          local e = stub.failure(client.tag_resource, client, tag_input(tags))
          assert.equal("InvalidInputException", e.code)
          assert.truthy(e.message:find("[redacted]", 1, true))
          assert_clean(e, events, client)
          -- Not in JSON: the body is the message.
          client, _, events = planted_client(stub.response(quote, status))
          e = stub.failure(client.tag_resource, client, tag_input(tags))
          assert_clean(e, events, client)
        end
      end
    end
  end)

  it("an error, when the service quotes keys to take off", function()
    local client, _, events = planted_client(stub.response(
      '{"__type":"X","message":"no tag ' .. TAG_KEY .. '."}', 400))
    local input = stub.input "UntagResource"
    input.tagKeys = { "a", TAG_KEY }
    assert_clean(stub.failure(client.untag_resource, client, input), events)
  end)

  it("an error, but our own words are left whole", function()
    local client = personalize.new { region = "eu-west-1",
      credentials = stub.CREDENTIALS, max_attempts = 1,
      transport = function()
        return { status = 200, headers = {}, body = "<html>" }
      end }
    local e = stub.failure(client.tag_resource, client, { resourceArn =
      "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
      tags = { a = "JSON" } })
    assert.equal("ResponseError", e.code)
    assert.truthy(e.message:find("a whole JSON object", 1, true), e.message)
  end)

  it("an error, when a create's tags are quoted", function()
    local client, _, events = planted_client(stub.response(
      '{"__type":"X","message":"' .. TAG_VALUE .. '"}', 400))
    local input = stub.input "CreateDataDeletionJob"
    input.tags = { [TAG_KEY] = TAG_VALUE }
    assert_clean(stub.failure(client.create_data_deletion_job, client, input),
      events)
  end)

  it("an error, when a tag is short", function()
    for _, quote in ipairs { "'%s'", '"%s"', "(%s)", " %s.", "tag=%s" } do
      local message = quote:format "qx7"
      local client = planted_client(stub.response(
        require("cjson").encode { __type = "X", message = message }, 400))
      local e = stub.failure(client.tag_resource, client,
        tag_input { k = "qx7" })
      assert.is_nil(tostring(e):find("qx7", 1, true), tostring(e))
    end
  end)

  it("an error, when white space was changed on the way", function()
    local value = "PlantedFirst  \226\128\139 PlantedSecond"
    for _, quote in ipairs { value, "a " .. value .. " b" } do
      local client = planted_client(stub.response(
        require("cjson").encode { __type = "X", message = quote }, 400))
      assert_clean(stub.failure(client.tag_resource, client,
        tag_input { k = value }))
    end
  end)

  it("an error, when a long message is cut in their midst", function()
    local long = "Planted" .. ("0123456789abcdef"):rep(100)
    for padding = 0, 600, 7 do
      local client = stub.client(stub.response(
        '{"__type":"X","message":"' .. ("x "):rep(padding) .. long ..
        long .. '"}',
        400), { credentials = { access_key_id = "A", secret_access_key = "s",
          session_token = long } })
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert_clean(e)
      assert.is_nil(e.message:find("0123456789abcdef", 1, true))
    end
  end)

  it("an error, when the service quotes the authorization", function()
    -- As IncompleteSignatureException does.
    local client, sent = planted_client(function(request)
      local value = http.header(request.headers, "authorization")
      return stub.response('{"__type":"IncompleteSignatureException",' ..
        '"message":"not a valid pair in Authorization header: \'' .. value ..
        '\'"}', 400)
    end)
    local e = stub.failure(client.list_data_deletion_jobs, client)
    local signature = http.header(sent[1].headers, "authorization")
      :match "Signature=(%x+)"
    assert.equal(64, #signature)
    assert.is_nil(tostring(e):find(signature, 1, true))
    assert.truthy(e.message:find("Credential=AKIDSTUB", 1, true))
  end)

  it("an error of bad input or bad options", function()
    local client = planted_client("{}", { parameter_validation = true })
    for _, tags in ipairs { { [TAG_KEY .. "*"] = TAG_VALUE .. "*" },
      { TAG_VALUE }, { [TAG_KEY] = { TAG_VALUE } }, TAG_VALUE,
      { { tagKey = TAG_KEY, tagValue = TAG_VALUE },
        { tagKey = TAG_KEY, tagValue = TAG_VALUE } } } do
      assert_clean(stub.failure(client.tag_resource, client,
        tag_input(tags)))
    end
    for _, options in ipairs {
      { credentials = SECRET },
      { credentials = { SECRET } },
      { credentials = { access_key_id = SECRET .. "\n",
        secret_access_key = SECRET } },
      { credentials = { access_key_id = "A", secret_access_key = { SECRET } } },
      { credentials = { access_key_id = "A", [SECRET] = 1 } },
      { credentials = { access_key_id = "A", secret_access_key = SECRET,
        session_token = TOKEN .. "\0" } },
      { [SECRET] = true }, { SECRET }, SECRET,
      { endpoint = "https://user:" .. PASSWORD .. "@host" },
      { endpoints = { personalize = "https://user:" .. PASSWORD .. "@host" } },
      { endpoints = { [SECRET] = "https://a" } },
      { proxy = { PASSWORD } },
      { region = SECRET .. "/" },
      { app_id = SECRET .. " " },
    } do
      assert_clean(stub.failure(personalize.new, options))
    end
  end)

  it("an error of a transport that quotes what it was given", function()
    local client, _, events = planted_client(function(request)
      return nil, { code = "ConnectionError", message =
        "sending " .. http.header(request.headers, "x-amz-security-token") ..
        " and " .. request.body }
    end)
    assert_clean(stub.failure(client.tag_resource, client,
      tag_input(PLANTED_TAGS[1])), events)
  end)

  it("an error of an answer that cannot be read", function()
    local client, _, events = planted_client("<html>" .. TOKEN .. "</html>")
    assert_clean(stub.failure(client.list_data_deletion_jobs, client), events)
    client = planted_client('{"dataDeletionJobs":"' .. TOKEN .. '"}')
    assert_clean(stub.failure(client.list_data_deletion_jobs, client))
  end)

  it("what is tried again", function()
    local client, _, events = planted_client(function(_, n)
      return stub.response(n < 3 and TOKEN or "{}", n < 3 and 503 or 200)
    end, { max_attempts = 3 })
    local _, meta = client:list_data_deletion_jobs()
    assert.equal(3, meta.attempts)
    assert.is_true(#events >= 5)
    assert_clean(meta, events)
  end)

  it("an error of a proxy that needs a password", function()
    for _, endpoint in ipairs { "https://localhost", "http://localhost" } do
      local events = {}
      local client = personalize.new { region = "eu-west-1",
        endpoint = endpoint, credentials = KEYS, max_attempts = 1,
        proxy = "http://user:" .. PASSWORD .. "@127.0.0.1:1",
        on_event = function(event) events[#events + 1] = event end }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("ConnectionError", e.code)
      assert_clean(e, events, client)
    end
  end)
end)

describe("against a server,", function()
  local server

  setup(function()
    server = aws.start "--tls"
  end)
  teardown(function()
    if server then
      server:stop()
    end
  end)

  it("no certificate is taken that nobody vouched for", function()
    -- Neither by the system nor, on the second run, by another authority.
    local other = aws.start "--tls"
    finally(function() other:stop() end)
    for _, bundle in ipairs { false, other.ca_bundle } do
      local options = server:options { max_attempts = 1 }
      options.ca_bundle = bundle or nil
      local client = personalize.new(options)
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("TlsError", e.code)
      assert.truthy(e.message:find("ca_bundle", 1, true))
    end
    assert.equal(0, server:requests().count)
    assert.same({}, server:client():list_data_deletion_jobs()
      .dataDeletionJobs)
  end)

  it("a wrong signature's answer shows neither token nor secret", function()
    server:admin("POST", "credentials", { access_key_id = "ASIAPLANTED",
      secret_access_key = "another", session_token = TOKEN })
    local client = server:client { max_attempts = 1, credentials = {
      access_key_id = "ASIAPLANTED", secret_access_key = SECRET,
      session_token = TOKEN } }
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("InvalidSignatureException", e.code)
    assert_clean(e)
  end)
end)
