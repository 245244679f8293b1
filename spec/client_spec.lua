--- Clients: where their credentials and region come from, what they ask of a
-- transport, how they end.

local aws = require "spec.support.aws"
local environment = require "spec.support.environment"
local http = require "spec.support.http"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local METHODS = { "create_data_deletion_job", "describe_data_deletion_job",
  "list_data_deletion_jobs", "tag_resource", "untag_resource",
  "list_tags_for_resource", "call" }

local function access_key_of(request)
  return http.header(request.headers, "authorization")
    :match "Credential=([^/]+)/"
end

describe("a client", function()
  it("has a method for each operation, and so has the module", function()
    local client = stub.client()
    for _, name in ipairs(METHODS) do
      assert.is_function(client[name], name)
      assert.is_function(personalize[name], name)
    end
    assert.is_function(client.close)
    assert.is_nil(client.no_such_method)
  end)

  it("says nothing of itself but its name", function()
    local client = stub.client()
    assert.equal("personalize.Client", tostring(client))
    for name, value in pairs(client) do
      assert.is_not_string(name)
      assert.is_function(value)
      assert.is_nil(value())
      assert.is_nil(value(client))
    end
  end)

  it("wants its methods called with a colon", function()
    local client = stub.client()
    for _, name in ipairs(METHODS) do
      for _, self in ipairs { {}, "x", 5, personalize } do
        local e = stub.failure(client[name], self)
        assert.equal("ConfigError", e.code)
        assert.truthy(e.message:find("colon", 1, true))
      end
      assert.equal("ConfigError", stub.failure(client[name]).code)
    end
  end)

  it("makes no request before the first call", function()
    local _, sent = stub.client()
    assert.equal(0, #sent)
  end)

  it("can be used again after close, and closed twice", function()
    local client, sent = stub.client()
    client:list_data_deletion_jobs()
    client:close()
    client:close()
    client:list_data_deletion_jobs()
    assert.equal(2, #sent)
    client:close()
    -- One that never called anything.
    stub.client():close()
  end)

  it("shares nothing with another", function()
    local one, sent_one = stub.client("{}", { region = "eu-west-1",
      credentials = { access_key_id = "AKIDONE", secret_access_key = "1" } })
    local two, sent_two = stub.client("{}", { region = "us-east-1",
      credentials = { access_key_id = "AKIDTWO", secret_access_key = "2" } })
    for _ = 1, 2 do
      one:list_data_deletion_jobs()
      two:list_data_deletion_jobs()
    end
    for i = 1, 2 do
      assert.equal("AKIDONE", access_key_of(sent_one[i]))
      assert.equal("AKIDTWO", access_key_of(sent_two[i]))
      assert.truthy(sent_one[i].url:find "eu%-west%-1")
      assert.truthy(sent_two[i].url:find "us%-east%-1")
    end
  end)

  it("is collected, and its transport with it", function()
    local alive = setmetatable({}, { __mode = "k" })
    for _ = 1, 100 do
      local client
      -- A transport that knows its client: on Lua 5.1 the hard case.
      local function transport()
        return client and stub.response "{}"
      end
      client = stub.client(transport)
      client:list_data_deletion_jobs()
      alive[client] = true
    end
    collectgarbage()
    collectgarbage()
    local count = 0
    for _ in pairs(alive) do
      count = count + 1
    end
    assert.is_true(count <= 1, count .. " clients were kept")
  end)
end)

describe("credentials", function()
  after_each(environment.restore)

  -- stub.client has credentials of its own; here there must be none.
  local function client_of(variables)
    environment.set(variables)
    local sent = {}
    return personalize.new {
      transport = function(request)
        sent[#sent + 1] = request
        return stub.response "{}"
      end,
    }, sent
  end

  it("come from the environment", function()
    local client, sent = client_of { AWS_ACCESS_KEY_ID = " AKIDENV ",
      AWS_SECRET_ACCESS_KEY = "secret", AWS_SESSION_TOKEN = "token",
      AWS_REGION = "eu-west-1" }
    client:list_data_deletion_jobs()
    assert.equal("AKIDENV", access_key_of(sent[1]))
    assert.equal("token",
      http.header(sent[1].headers, "x-amz-security-token"))
  end)

  it("that are nowhere are told as such", function()
    for _, variables in ipairs { {}, { AWS_ACCESS_KEY_ID = "",
      AWS_SECRET_ACCESS_KEY = " " } } do
      variables.AWS_REGION = "eu-west-1"
      local client, sent = client_of(variables)
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("NoCredentialsError", e.code)
      assert.equal("client", e.kind)
      assert.equal(0, #sent)
    end
  end)

  it("of which half is there are told as such", function()
    for name, other in pairs { AWS_ACCESS_KEY_ID = "AWS_SECRET_ACCESS_KEY",
      AWS_SECRET_ACCESS_KEY = "AWS_ACCESS_KEY_ID" } do
      local client, sent = client_of { [name] = "PlantedValue",
        AWS_REGION = "eu-west-1" }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert.truthy(e.message:find(other, 1, true))
      assert.is_nil(tostring(e):find("PlantedValue", 1, true))
      assert.equal(0, #sent)
    end
  end)

  it("of a function are asked for at each call", function()
    local asked = 0
    local client, sent = stub.client("{}", { credentials = function()
      asked = asked + 1
      return { access_key_id = "AKID" .. asked, secret_access_key = "s" }
    end })
    assert.equal(0, asked)
    for i = 1, 3 do
      client:list_data_deletion_jobs()
      assert.equal("AKID" .. i, access_key_of(sent[i]))
    end
  end)

  it("of a function that returns none are refused", function()
    for _, value in ipairs { false, "AKID", 5, {}, { access_key_id = "A" },
      { access_key_id = 5, secret_access_key = "s" },
      { access_key_id = "A b", secret_access_key = "s" } } do
      local client, sent = stub.client("{}", {
        credentials = function() return value or nil end })
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert.equal("client", e.kind)
      assert.equal(0, #sent)
    end
  end)

  it("of a function that raises are refused, with its reason", function()
    for _, value in ipairs { {}, "the vault is sealed" } do
      local client, sent = stub.client("{}", {
        credentials = function() error(value, 0) end })
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("CredentialsError", e.code)
      assert.equal(value, e.cause)
      assert.equal(0, e.attempts)
      assert.equal(0, #sent)
    end
  end)
end)

describe("a region", function()
  after_each(environment.restore)

  it("is needed at the first call, even with an endpoint", function()
    for _, endpoint in ipairs { false, "http://localhost:1" } do
      environment.set {}
      local client = personalize.new { endpoint = endpoint or nil,
        credentials = stub.CREDENTIALS, transport = error }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("NoRegionError", e.code)
      assert.equal("ListDataDeletionJobs", e.operation)
      assert.equal("client", e.kind)
      assert.truthy(e.message:find("AWS_REGION", 1, true))
    end
  end)

  it("and the endpoint rules agree", function()
    for _, options in ipairs { { use_fips = true }, { use_dualstack = true } }
    do
      options.endpoint = "http://localhost:1"
      local client, sent = stub.client("{}", options)
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("ConfigError", e.code)
      assert.truthy(e.message:find "^Invalid Configuration: ")
      assert.equal(0, #sent)
    end
  end)
end)

describe("a transport", function()
  local function outcome(failure)
    local client, sent = stub.client(function() return nil, failure end)
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal(1, #sent)
    assert.equal("ListDataDeletionJobs", e.operation)
    assert.equal("1", tostring(e.attempts))
    return e
  end

  it("tells its failures by code and message", function()
    for _, code in ipairs { "ConnectionError", "TimeoutError", "TlsError",
      "ResponseError" } do
      local e = outcome { code = code, message = "what happened" }
      assert.equal(code, e.code)
      assert.equal("transport", e.kind)
      assert.equal("what happened", e.message)
      assert.is_nil(e.status)
    end
  end)

  it("may tell the status of an answer that had begun", function()
    assert.equal("200", tostring(outcome { code = "ResponseError",
      message = "cut", status = 200 }.status))
  end)

  it("may tell next to nothing", function()
    for _, failure in ipairs { {}, { message = "no route" },
      { code = 5, message = {} }, "no route", 5, true } do
      local e = outcome(failure)
      assert.equal("ConnectionError", e.code)
      assert.truthy(e.message ~= "")
    end
    assert.equal("ConnectionError", outcome(nil).code)
    assert.equal("no route", outcome("no route").message)
  end)

  it("gets what the contract says, and keeps nothing shared", function()
    local client, sent = stub.client()
    client:list_data_deletion_jobs { maxResults = 1 }
    client:list_data_deletion_jobs { maxResults = 2 }
    assert.not_equal(sent[1], sent[2])
    assert.not_equal(sent[1].headers, sent[2].headers)
    local known = { method = "string", url = "string", headers = "table",
      body = "string", timeout = "number", connect_timeout = "number",
      ca_bundle = "string", proxy = "string" }
    for name, value in pairs(sent[1]) do
      assert.equal(known[name], type(value), name)
    end
    assert.equal('{"maxResults":1}', sent[1].body)
    assert.equal('{"maxResults":2}', sent[2].body)
  end)

  it("may yield, where Lua can", function()
    local client = stub.client(function()
      return coroutine.yield "sending"
    end)
    local thread = coroutine.create(function()
      return client:list_data_deletion_jobs()
    end)
    local ok, what = coroutine.resume(thread)
    assert.is_true(ok, tostring(what))
    assert.equal("sending", what)
    local _, out, meta = coroutine.resume(thread,
      stub.response '{"nextToken":"t"}')
    assert.equal("t", out.nextToken)
    assert.equal("dead", coroutine.status(thread))
    assert.equal(1, meta.attempts)
  end)

  it("may serve calls that overlap", function()
    local client = stub.client(function(request)
      coroutine.yield()
      return stub.response('{"nextToken":"' ..
        request.body:match '"nextToken":"(%w+)"' .. '"}')
    end)
    local threads = {}
    for i = 1, 5 do
      threads[i] = coroutine.create(function()
        return client:list_data_deletion_jobs { nextToken = "t" .. i }
      end)
      assert.is_true(coroutine.resume(threads[i]))
    end
    for i = 5, 1, -1 do
      local ok, out = coroutine.resume(threads[i])
      assert.is_true(ok, tostring(out))
      assert.equal("t" .. i, out.nextToken)
    end
  end)
end)

describe("on_event", function()
  it("is told of each attempt", function()
    local events = {}
    local client = stub.client(nil, { on_event = function(event)
      events[#events + 1] = event
    end })
    client:list_data_deletion_jobs()
    assert.equal(2, #events)
    assert.equal("attempt", events[1].name)
    assert.equal("ListDataDeletionJobs", events[1].operation)
    assert.equal("1", tostring(events[1].attempt))
    assert.equal("200", tostring(events[1].status))
    assert.equal("request-1", events[1].request_id)
    assert.is_number(events[1].elapsed)
    assert.equal("call", events[2].name)
    assert.equal("ListDataDeletionJobs", events[2].operation)
    assert.equal("1", tostring(events[2].attempts))
    assert.is_nil(events[2].code)
    assert.equal("request-1", events[2].request_id)
    assert.is_true(events[2].elapsed >= events[1].elapsed)
  end)

  it("costs nobody an answer", function()
    local client = stub.client('{"nextToken":"t"}', {
      on_event = function() error "the watcher is ill" end })
    assert.equal("t", client:list_data_deletion_jobs().nextToken)
  end)
end)

describe("over the network,", function()
  local server

  setup(function()
    server = aws.start "--tls"
  end)
  teardown(function()
    if server then
      server:stop()
    end
  end)
  before_each(function()
    server:reset()
  end)

  -- The failure of a list; it must name host and operation.
  local function failure(options)
    options.max_attempts = 1
    local client = server:client(options)
    local e = stub.failure(client.list_data_deletion_jobs, client)
    client:close()
    assert.equal("ListDataDeletionJobs", e.operation)
    assert.truthy(tostring(e):find("ListDataDeletionJobs", 1, true))
    assert.truthy(e.message:find("127.0.0.1", 1, true), e.message)
    assert.equal("transport", e.kind)
    return e
  end

  it("a port that nobody serves is a ConnectionError", function()
    local e = failure { endpoint = "https://127.0.0.1:1" }
    assert.equal("ConnectionError", e.code)
    assert.is_nil(e.status)
  end)

  it("an authority nobody trusts is a TlsError that tells the remedy",
    function()
      local client = personalize.new {
        endpoint = server.endpoint, region = server.region,
        credentials = stub.CREDENTIALS, max_attempts = 1,
      }
      local e = stub.failure(client.list_data_deletion_jobs, client)
      assert.equal("TlsError", e.code)
      assert.equal("transport", e.kind)
      assert.truthy(e.message:find("127.0.0.1", 1, true))
      assert.truthy(e.message:find("ca_bundle", 1, true), e.message)
      assert.equal(0, server:requests().count)
    end)

  it("an answer that does not come is a TimeoutError", function()
    server:fault { name = "delay-3600" }
    assert.equal("TimeoutError", failure({ timeout = 0.3 }).code)
  end)

  it("a connection closed without an answer is a ConnectionError",
    function()
      server:fault { name = "close" }
      assert.equal("ConnectionError", failure({}).code)
    end)

  it("an answer cut off is a ResponseError, its status kept", function()
    server:fault { name = "cut" }
    local e = failure {}
    assert.equal("ResponseError", e.code)
    assert.equal("200", tostring(e.status))
  end)

  local function bad_answer(fault)
    server:fault(fault)
    local client = server:client { max_attempts = 1 }
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("ResponseError", e.code)
    assert.equal("transport", e.kind)
    assert.equal("200", tostring(e.status))
    return e
  end

  it("a page in HTML is a ResponseError, its status kept", function()
    bad_answer { name = "html-200" }
    server:admin("DELETE", "fault")
    bad_answer { name = "garbled" }
  end)

  it("a body of more than 8 MiB is a ResponseError, its status kept",
    function()
      local whole = '{"dataDeletionJobs":[],"more":"%s"}'
      local room = 8 * 1024 * 1024 - #whole + 2
      bad_answer { name = "big", status = 200,
        body = whole:format(("x"):rep(room + 1)) }
      server:admin("DELETE", "fault")
      -- And one of just that size is read.
      server:fault { name = "big", status = 200,
        body = whole:format(("x"):rep(room)) }
      local client = server:client { max_attempts = 1 }
      assert.equal(room, #client:list_data_deletion_jobs().more)
    end)
end)

describe("a client that is closed while a call is under way", function()
  -- Closes it at that request; answers as `answer` does.
  local function client_of(at, answer, options)
    local client
    client = stub.client(function(request, number)
      if number == at then
        client:close()
      end
      return answer(request, number)
    end, options)
    return client
  end

  it("lets the answer through", function()
    local client = client_of(1, function() return stub.response "{}" end)
    assert.same({}, client:list_data_deletion_jobs())
    assert.same({}, client:list_data_deletion_jobs())
  end)

  it("makes no other attempt", function()
    local client = client_of(1, function()
      return nil, { code = "ConnectionError", message = "no", sent = false }
    end, { max_attempts = 3 })
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("InterruptedError", e.code)
    assert.equal("client", e.kind)
    assert.truthy(e.message:find("closed", 1, true), e.message)
  end)

  it("says of a create that its job may exist", function()
    for at = 1, 2 do
      local client = client_of(at, function(_, number)
        if number == 1 then
          return nil, { code = "TimeoutError", message = "no", sent = true }
        end
        return stub.response('{"dataDeletionJobs":[]}', 500)
      end)
      local e = stub.failure(client.create_data_deletion_job, client,
        stub.input "CreateDataDeletionJob")
      assert.is_true(e.unclear)
    end
  end)
end)
