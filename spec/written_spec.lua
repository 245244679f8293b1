--- Good input, as it is written; and input of operations that have no model.

local cjson = require "cjson"
local json = require "spec.support.json"
local stub = require "spec.support.stub"

local CREATE = "CreateDataDeletionJob"
local LIST = "ListDataDeletionJobs"
local TAG = "TagResource"
local UNTAG = "UntagResource"

local ANSWER = '{"dataDeletionJobArn":"arn","dataDeletionJob":{}}'
local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/"
local ROLE = "arn:aws:iam::123456789012:role/"
local E_ACUTE = "\195\169"

-- A right input of the operation with `changes` over it.
local function input_of(operation, changes)
  local input = stub.input(operation)
  for name, value in pairs(changes or {}) do
    input[name] = value
  end
  return input
end

local function body_of(operation, input, options)
  local client, sent = stub.client(ANSWER, options)
  client:call(operation, input)
  assert.equal(1, #sent)
  return sent[1].body
end

-- "path code" of each fault of an input that is refused.
local function faults(operation, input)
  local client, sent = stub.client(ANSWER)
  local e = stub.failure(client.call, client, operation, input)
  assert.equal("ParamValidationError", e.code)
  assert.equal(0, #sent)
  local found = {}
  for i, fault in ipairs(e.params) do
    found[i] = fault.path .. " " .. fault.code
  end
  return found
end

describe("input is written", function()
  it("after an input that was refused", function()
    local client, sent = stub.client(ANSWER)
    stub.failure(client.call, client, CREATE, { jobName = 1 })
    client:call(CREATE, stub.input(CREATE))
    assert.equal(1, #sent)
    assert.equal(json.canonical(cjson.encode(stub.input(CREATE))),
      json.canonical(sent[1].body))
  end)

  it("in the order of the model, without what is absent", function()
    assert.equal('{"jobName":"gdpr-1","datasetGroupArn":"' .. ARN ..
      'shop","dataSource":{"dataLocation":"s3://erasure/users.csv"},' ..
      '"roleArn":"' .. ROLE .. 'PersonalizeS3"}',
      body_of(CREATE, stub.input(CREATE)))
  end)

  it("as an object where there is none", function()
    assert.equal("{}", body_of(LIST))
    assert.equal("{}", body_of(LIST, {}))
  end)

  it("with empty lists as lists", function()
    assert.truthy(body_of(TAG, input_of(TAG, { tags = {} }))
      :find('"tags":[]', 1, true))
    assert.truthy(body_of(UNTAG, input_of(UNTAG, { tagKeys = {} }))
      :find('"tagKeys":[]', 1, true))
    assert.truthy(body_of(CREATE, input_of(CREATE, { tags = {} }))
      :find('"tags":[]', 1, true))
  end)

  it("with both forms of tags alike, always in one order", function()
    local map, list = {}, {}
    for i = 1, 20 do
      local key = ("k%02d"):format(i)
      map[key] = "v" .. i
      list[i] = { tagKey = key, tagValue = "v" .. i }
    end
    assert.equal(body_of(TAG, input_of(TAG, { tags = list })),
      body_of(TAG, input_of(TAG, { tags = map })))
  end)

  it("with integers as integers", function()
    assert.equal('{"maxResults":100}', body_of(LIST, { maxResults = 100 }))
    assert.equal('{"maxResults":7}', body_of(LIST, { maxResults = 7.0 }))
  end)

  it("with every character a string may have", function()
    local texts = { '"quoted" \\ back/slash', "\8\12\10\13\9\1\31\127",
      "\226\128\168\226\128\169", "\240\159\152\128", E_ACUTE }
    for _, text in ipairs(texts) do
      local body = body_of(TAG, input_of(TAG, { tags = { k = text } }),
        { parameter_validation = false })
      assert.equal(text, json.decode(body).tags[1].tagValue)
      assert.equal(text, cjson.decode(body).tags[1].tagValue)
      -- As SDKs write it: only what must be is escaped.
      if text:byte() > 127 then
        assert.truthy(body:find(text, 1, true))
      end
    end
  end)

  it("from the caller's table as it is, which stays so", function()
    local input = input_of(TAG, { tags = { a = "b" } })
    local client = stub.client(ANSWER)
    client:call(TAG, input)
    assert.same(input_of(TAG, { tags = { a = "b" } }), input)
  end)
end)

describe("input of other operations", function()
  local function free(input)
    return json.canonical(body_of("DescribeCampaign", input))
  end

  it("is whatever JSON has", function()
    assert.equal(json.canonical [[ { "a": [1, 2.5, -3, "x", true, false],
      "b": { "c": { "d": "e" } }, "f": 100 } ]],
      free { a = { 1, 2.5, -3, "x", true, false },
        b = { c = { d = "e" } }, f = 100.0 })
    assert.equal("{}", free(nil))
    assert.equal("{}", free {})
  end)

  it("keeps numbers exactly", function()
    for _, number in ipairs { 0.1, 1 / 3, 1e300, -1e-300, 2 ^ 53, -2 ^ 53,
      123456789.125 } do
      local text = body_of("DescribeCampaign", { n = number })
      assert.equal(number, json.decode(text).n)
    end
  end)

  for title, bad in pairs {
    ["a function"] = print,
    ["NaN"] = 0 / 0,
    ["infinity"] = math.huge,
    ["invalid UTF-8"] = "\255",
    ["a NUL"] = "a\0",
    ["a hole"] = { [1] = 1, [3] = 3 },
    ["a mixture"] = { 1, a = 2 },
    ["keys that are no names"] = { [true] = 1 },
    ["a name that is not UTF-8"] = { ["\255"] = 1 },
  } do
    it("refuses " .. title, function()
      local found = faults("DescribeCampaign", { a = { b = bad } })
      assert.equal(1, #found)
      assert.truthy(found[1]:find("^a%.b"))
    end)
  end

  it("refuses tables without end", function()
    local loop = {}
    loop.loop = loop
    assert.equal(1, #faults("DescribeCampaign", loop))
    local deep = {}
    for _ = 1, 100000 do
      deep = { deep }
    end
    assert.equal(1, #faults("DescribeCampaign", { deep = deep }))
  end)

  it("refuses what is no table of members", function()
    for _, value in ipairs { "x", 1, true, { 1, 2 } } do
      assert.same({ " type" }, (faults("DescribeCampaign", value)))
    end
  end)

  it("refuses names that no operation has", function()
    local client, sent = stub.client()
    for _, name in ipairs { "", "a b", "X\r\nY: z", "X\0", "1X", "X.Y",
      ("X"):rep(65), E_ACUTE } do
      local e = stub.failure(client.call, client, name, {})
      assert.equal("ParamValidationError", e.code)
    end
    for _, name in ipairs { 1, true, {} } do
      assert.equal("ParamValidationError",
        stub.failure(client.call, client, name).code)
    end
    assert.equal("ParamValidationError",
      stub.failure(client.call, client).code)
    assert.equal(0, #sent)
  end)
end)
