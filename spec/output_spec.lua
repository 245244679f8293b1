--- Answers: what of them reaches the caller, and what is refused.

local cjson = require "cjson"
local http = require "spec.support.http"
local personalize = require "personalize"
local stub = require "spec.support.stub"

-- Lua 5.3 has integers and this function.
local math_type = rawget(math, "type")

local function describe_job(body, options)
  local client = stub.client(body, options)
  return client:describe_data_deletion_job(
    stub.input "DescribeDataDeletionJob")
end

-- The job of an answer that has these members beside a name.
local function job_of(members)
  return describe_job('{"dataDeletionJob":{"jobName":"j"' ..
    (members and "," .. members or "") .. "}}").dataDeletionJob
end

-- The ResponseError that an answer ends in.
local function bad_response(answer, operation, input)
  local client, sent = stub.client(answer)
  operation = operation or "DescribeDataDeletionJob"
  local e = stub.failure(client.call, client, operation,
    input or stub.input(operation))
  assert.truthy(http.header(sent[1].headers, "x-amz-target")
    :find("." .. operation, 1, true))
  -- After such an answer to a create, the job is looked for.
  assert.equal(operation == "CreateDataDeletionJob", #sent > 1)
  assert.equal("ResponseError", e.code)
  assert.equal("transport", e.kind)
  assert.equal(operation, e.operation)
  assert.equal("1", tostring(e.attempts))
  assert.truthy(e.message ~= "")
  return e
end

describe("an answer", function()
  it("has its members as the service names them", function()
    local job = describe_job [[ { "dataDeletionJob": {
      "jobName": "gdpr-1", "dataDeletionJobArn": "arn", "status": "COMPLETED",
      "datasetGroupArn": "group", "roleArn": "role", "numDeleted": 12,
      "dataSource": { "dataLocation": "s3://a/b" },
      "creationDateTime": 1767323045.123,
      "lastUpdatedDateTime": 1767323046,
      "failureReason": "none" } } ]].dataDeletionJob
    assert.same({ jobName = "gdpr-1", dataDeletionJobArn = "arn",
      status = "COMPLETED", datasetGroupArn = "group", roleArn = "role",
      numDeleted = 12, dataSource = { dataLocation = "s3://a/b" },
      creationDateTime = 1767323045.123, lastUpdatedDateTime = 1767323046,
      failureReason = "none" }, job)
  end)

  it("may have a status nobody knows", function()
    assert.equal("STOPPING", job_of('"status":"STOPPING"').status)
  end)

  it("has nil for null, everywhere", function()
    local job = job_of('"status":null,"numDeleted":null,' ..
      '"creationDateTime":null,"dataSource":{"dataLocation":null},' ..
      '"other":null,"more":{"a":null,"b":1}')
    assert.is_nil(job.status)
    assert.is_nil(job.numDeleted)
    assert.is_nil(job.creationDateTime)
    assert.is_nil(job.dataSource.dataLocation)
    assert.is_nil(job.other)
    for _, value in pairs(job) do
      assert.not_equal(cjson.null, value)
    end
    assert.same({ b = 1 }, job.more)
    local client = stub.client '{"dataDeletionJobs":null,"nextToken":null}'
    assert.same({}, (client:list_data_deletion_jobs()))
    client = stub.client [[ { "dataDeletionJobs": [ null, { "jobName": "a" },
      null, { "jobName": "b", "status": null } ] } ]]
    assert.same({ { jobName = "a" }, { jobName = "b" } },
      client:list_data_deletion_jobs().dataDeletionJobs)
    client = stub.client '{"a":null,"b":{"c":null,"d":[{"e":null}]}}'
    assert.same({ b = { d = { {} } } }, (client:call("DescribeCampaign")))
  end)

  it("has integers that are integers", function()
    for text, shown in pairs { ["12"] = "12", ["0"] = "0", ["12.0"] = "12",
      ["1.2e1"] = "12", ["2147483647"] = "2147483647" } do
      local deleted = job_of('"numDeleted":' .. text).numDeleted
      assert.equal(shown, tostring(deleted), text)
      if math_type then
        assert.equal("integer", math_type(deleted), text)
      end
    end
  end)

  it("has dates as seconds, however they are written", function()
    for text, seconds in pairs {
      ["1767323045"] = 1767323045,
      ["1767323045.5"] = 1767323045.5,
      ["1.767323045E9"] = 1767323045,
      ["0"] = 0,
      ["-1.5"] = -1.5,
      ['"2026-01-02T03:04:05Z"'] = 1767323045,
      ['"2026-01-02T03:04:05.500Z"'] = 1767323045.5,
      ['"2026-01-02T04:04:05+01:00"'] = 1767323045,
    } do
      assert.equal(seconds, job_of('"creationDateTime":' .. text)
        .creationDateTime, text)
    end
  end)

  it("may have members that the model does not know", function()
    local job = job_of '"numKept":5,"steps":[{"name":"a"}]'
    assert.equal(5, job.numKept)
    assert.same({ { name = "a" } }, job.steps)
    assert.equal("j", job.jobName)
  end)

  it("has texts unescaped", function()
    assert.equal('"\\/\8\12\10\13\9 \195\169 \240\159\152\128',
      job_of([["failureReason":"\"\\\/\b\f\n\r\t \u00e9 \ud83d\ude00"]])
      .failureReason)
  end)

  it("of a tag operation may be empty or have no body", function()
    for _, operation in ipairs { "TagResource", "UntagResource" } do
      for _, answer in ipairs { stub.response(""), stub.response("{}"),
        stub.response(nil), stub.response(" {} \n"),
        stub.response("", 204) } do
        local client = stub.client(answer)
        local out, meta = client:call(operation, stub.input(operation))
        assert.same({}, out)
        assert.equal(tostring(answer.status), tostring(meta.status))
      end
    end
  end)

  it("may have an empty page and yet a token", function()
    local client = stub.client '{"dataDeletionJobs":[],"nextToken":"t"}'
    local page = client:list_data_deletion_jobs()
    assert.same({}, page.dataDeletionJobs)
    assert.equal("t", page.nextToken)
  end)

  it("is a table of the caller's own", function()
    local client = stub.client '{"dataDeletionJobs":[]}'
    local first = client:list_data_deletion_jobs()
    first.mine = true
    assert.is_nil(client:list_data_deletion_jobs().mine)
    assert.is_nil(getmetatable(first))
  end)

  it("is not read by the settings others give lua-cjson", function()
    local function count()
      local client = stub.client '{"dataDeletionJobs":[{"jobName":"a"}]}'
      return #client:list_data_deletion_jobs().dataDeletionJobs
    end
    cjson.decode_max_depth(1)
    local ok, found = pcall(count)
    cjson.decode_max_depth(1000)
    assert.is_true(ok, tostring(found))
    assert.equal(1, found)
  end)
end)

describe("a success that is none", function()
  local WHOLE = '{"dataDeletionJob":{"jobName":"j","status":"PENDING"}}'

  it("is a ResponseError at whatever byte it was cut off", function()
    for length = 1, #WHOLE - 1 do
      local e = bad_response(WHOLE:sub(1, length))
      assert.equal("200", tostring(e.status))
      assert.equal("request-1", e.request_id)
    end
  end)

  for title, body in pairs {
    ["a page in HTML"] = "<html><body>Welcome</body></html>",
    ["a text"] = '"fine"',
    ["a number"] = "42",
    ["null"] = "null",
    ["a list"] = "[]",
    ["a list of jobs"] = '[{"dataDeletionJob":{}}]',
    ["two values"] = WHOLE .. WHOLE,
    ["bytes that are not UTF-8"] = '{"dataDeletionJob":{"jobName":"\255"}}',
    ["a comma too many"] = '{"dataDeletionJob":{},}',
    ["NaN"] = '{"dataDeletionJob":{"numDeleted":NaN}}',
    ["a number in hex"] = '{"dataDeletionJob":{"numDeleted":0x10}}',
    ["white space"] = " \n ",
    ["NULs"] = ("\0"):rep(40),
    ["no end of brackets"] = '{"a":' .. ("["):rep(100000),
    ["brackets nested too deep"] = '{"a":' .. ("["):rep(5000) ..
      ("]"):rep(5000) .. "}",
  } do
    it("is a ResponseError: " .. title, function()
      local e = bad_response(body)
      assert.equal("200", tostring(e.status))
      assert.equal("request-1", e.request_id)
    end)
  end

  for title, one in pairs {
    ["a name that is a number"] = { "jobName", '"jobName":5' },
    ["a status that is a list"] = { "status", '"status":["PENDING"]' },
    ["a count that is a text"] = { "numDeleted", '"numDeleted":"5"' },
    ["a count that is a half"] = { "numDeleted", '"numDeleted":1.5' },
    ["a date that is a word"] = { "creationDateTime",
      '"creationDateTime":"yesterday"' },
    ["a date that is an object"] = { "creationDateTime",
      '"creationDateTime":{}' },
    ["a source that is a text"] = { "dataSource",
      '"dataSource":"s3://a/b"' },
    ["a source that is a list"] = { "dataSource",
      '"dataSource":["s3://a/b"]' },
    ["a location that is true"] = { "dataLocation",
      '"dataSource":{"dataLocation":true}' },
  } do
    it("is a ResponseError: " .. title, function()
      local e = bad_response('{"dataDeletionJob":{' .. one[2] .. "}}")
      assert.equal("200", tostring(e.status))
      assert.truthy(e.message:find(one[1], 1, true), e.message)
    end)
  end

  it("is a ResponseError: jobs that are no list", function()
    for _, jobs in ipairs { '"a"', "5", '{"jobName":"a"}', '["a"]', "[5]" } do
      local e = bad_response('{"dataDeletionJobs":' .. jobs .. "}",
        "ListDataDeletionJobs")
      assert.equal("200", tostring(e.status))
    end
  end)

  it("is a ResponseError: a create without an ARN", function()
    for _, body in ipairs { "", "{}", '{"dataDeletionJobArn":null}',
      '{"dataDeletionJobArn":5}', '{"arn":"x"}' } do
      local e = bad_response(body, "CreateDataDeletionJob")
      assert.equal("200", tostring(e.status))
      assert.equal("request-1", e.request_id)
    end
    local e = bad_response(stub.response(nil), "CreateDataDeletionJob")
    assert.equal("200", tostring(e.status))
  end)

  it("is a ResponseError: a description without a job", function()
    for _, body in ipairs { "", "{}", '{"dataDeletionJob":null}' } do
      assert.equal("200", tostring(bad_response(body).status))
    end
  end)

  it("never quotes what it was", function()
    for _, body in ipairs { "<html>PlantedValue</html>",
      '{"dataDeletionJob":{"numDeleted":"PlantedValue"}}',
      '{"dataDeletionJob":{"jobName":{"PlantedValue":1}}}' } do
      local e = bad_response(body)
      assert.is_nil(tostring(e):find("PlantedValue", 1, true))
    end
  end)
end)

describe("an error's answer", function()
  local function service_error(body, status, headers)
    local client = stub.client(stub.response(body, status or 400, headers))
    local e = stub.failure(client.list_data_deletion_jobs, client)
    assert.equal("service", e.kind)
    assert.equal(tostring(status or 400), tostring(e.status))
    assert.equal("ListDataDeletionJobs", e.operation)
    return e
  end

  -- Smithy's protocol tests (awsJson1_1/errors.smithy) and their kin.
  local URI = ":http://internal.amazon.com/coral/com.amazon.coral.validate/"
  for i, one in ipairs {
    { header = "FooError" },
    { header = "FooError" .. URI },
    { header = "aws.protocoltests.json#FooError" .. URI },
    { body = '{"code":"FooError"}' },
    { body = '{"code":"FooError' .. URI .. '"}' },
    { body = '{"code":"aws.protocoltests.json#FooError' .. URI .. '"}' },
    { body = '{"__type":"FooError"}' },
    { body = '{"__type":"aws.protocoltests.json#FooError"}' },
    { body = '{"__type":"another.namespace#FooError"}' },
    { body = '{"__type":"aws.protocoltests.json#FooError' .. URI .. '"}' },
    { body = '{"__type":"a#FooError:http://x/#y"}' },
    { body = '{"__type":"FooError","inner":{"__type":"Other","code":"O"}}' },
    { body = '{"inner":{"__type":"Other"},"__type":"FooError"}' },
    { body = '{"__type":" FooError "}' },
    { body = '{"__type":"\\u0046ooError"}' },
    { body = '{"code":null,"__type":"FooError"}' },
    { body = '{"code":400,"__type":"FooError"}' },
    { body = '{"code":{"__type":"Other"},"__type":"FooError"}' },
    { header = "FooError", body = '{"code":"Other","__type":"Another"}' },
    { body = '{"code":"FooError","__type":"Another"}' },
  } do
    it("names it, spelling " .. i, function()
      for _, status in ipairs { 400, 500, 403 } do
        local e = service_error(one.body or "{}", status,
          { ["x-amzn-errortype"] = one.header })
        assert.equal("FooError", e.code)
        assert.is_true(personalize.is_error(e, "FooError"))
      end
    end)
  end

  it("without a name is named after its status", function()
    for _, body in ipairs { "", "{}", "<html>no</html>", "[]", "null",
      '{"__type":""}', '{"__type":"#"}', '{"__type":null}', '{"code":5}',
      '{"inner":{"__type":"Other"}}', '{"__type":"Foo' } do
      assert.equal("HTTP 503", service_error(body, 503).code)
    end
    assert.equal("HTTP 302", service_error("", 302).code)
    assert.equal("HTTP 503",
      service_error("", 503, { ["x-amzn-errortype"] = "" }).code)
  end)

  it("with a name nobody could branch on is named after it too", function()
    for _, name in ipairs { ("x"):rep(5000), "a b", "a\\nb" } do
      assert.equal("HTTP 400",
        service_error('{"__type":"' .. name .. '"}').code)
    end
  end)

  it("has a message in each of three spellings", function()
    for _, name in ipairs { "message", "Message", "errorMessage" } do
      assert.equal("no such job", service_error(
        '{"__type":"FooError","' .. name .. '":"no such job"}').message)
    end
    assert.truthy(service_error('{"__type":"FooError"}').message ~= "")
    assert.truthy(service_error('{"__type":"FooError","message":null}')
      .message ~= "")
  end)

  it("that is no JSON is its own message, in one line, cut", function()
    local e = service_error("<html>\r\n<b>503\0 Try\tlater</b></html>", 503)
    assert.equal("<html> <b>503 Try later</b></html>", e.message)
    e = service_error(("x\195\169"):rep(100000), 503)
    assert.is_true(#e.message <= 4096)
    assert.is_true(#tostring(e) <= 5000)
    assert.is_nil(e.message:find("\195$"))
  end)

  it("has its request id from either header", function()
    assert.equal("id-1", service_error("{}", 400,
      { ["x-amzn-requestid"] = "id-1" }).request_id)
    assert.equal("id-2", service_error("{}", 400,
      { ["x-amz-request-id"] = "id-2" }).request_id)
    assert.is_nil(service_error("{}", 400, {}).request_id)
    assert.is_nil(service_error("{}", 400,
      { ["x-amzn-requestid"] = "a\r\nb" }).request_id)
    assert.is_nil(service_error("{}", 400,
      { ["x-amzn-requestid"] = ("x"):rep(9000) }).request_id)
  end)

  it("is one from 300 up, whatever its body says", function()
    for _, status in ipairs { 300, 301, 307, 404, 429, 599 } do
      service_error('{"dataDeletionJobs":[]}', status)
    end
  end)
end)

describe("a transport that breaks its contract", function()
  local function outcome(answer)
    local client = stub.client(function() return answer end)
    return stub.failure(client.list_data_deletion_jobs, client)
  end

  for title, answer in pairs {
    ["no status"] = { headers = {}, body = "{}" },
    ["a status that is none"] = { status = "fine", body = "{}" },
    ["a status of 0"] = { status = 0, body = "{}" },
    ["a status of 1000"] = { status = 1000, body = "{}" },
    ["a body that is a table"] = { status = 200, body = {} },
    ["a body that is a number"] = { status = 200, body = 5 },
    ["nothing in it"] = {},
  } do
    it("ends in a ResponseError: " .. title, function()
      local e = outcome(answer)
      assert.equal("ResponseError", e.code)
      assert.equal("transport", e.kind)
    end)
  end

  for title, answer in pairs { ["a text"] = "x", ["true"] = true,
    ["a number"] = 200 } do
    it("ends in an error of ours: " .. title, function()
      assert.equal("transport", outcome(answer).kind)
    end)
  end

  it("may leave headers away", function()
    for _, headers in ipairs { false, "x", 5 } do
      local client = stub.client(function()
        return { status = 200, headers = headers or nil, body = "{}" }
      end)
      local out, meta = client:list_data_deletion_jobs()
      assert.same({}, out)
      assert.is_nil(meta.request_id)
    end
  end)
end)
