-- Services and attempts, from the input to the judgement, with each of their
-- allocations refused.

local core = require "personalize.core"
local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

local RANDOM = ("\1"):rep(16)
local NOW = 1795478400
local KEYS = { access_key_id = "AKID", secret_access_key = ("s"):rep(40),
  session_token = ("t"):rep(900) }
local params = { endpoint = "https://personalize.eu-west-1.amazonaws.com/p",
  region = "eu-west-1", signing_name = "personalize",
  target_prefix = "AmazonPersonalize", user_agent = ("agent "):rep(30) .. "x" }

local function copy(t, changes)
  local new = {}
  for key, value in pairs(t) do new[key] = value end
  for key, value in pairs(changes) do new[key] = value end
  return new
end

run("service", function()
  local service = core.service(params)
  same(params.endpoint .. "/", service:url())
  same("personalize.service", tostring(service))
  service:close()
  service:close()
end)

run("service, refused", function()
  local service, message = core.service(copy(params, { region = "a.b" }))
  same(nil, service)
  same("the region is not a valid host label", message)
  service, message = core.service(copy(params, { endpoint = "ftp://x" }))
  same(nil, service)
  assert(message:find("http://HOST", 1, true))
end)

local function tag_list(count)
  local list = {}
  for i = 1, count do
    list[i] = { tagKey = "key" .. i, tagValue = ("\195\169"):rep(9) }
  end
  return list
end

local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local create = { jobName = "job-1", datasetGroupArn = ARN,
  dataSource = { dataLocation = "s3://bucket/users.csv" },
  roleArn = "arn:aws:iam::123456789012:role/Personalize",
  tags = tag_list(12) }

local inputs = {
  { "CreateDataDeletionJob", create },
  { "CreateDataDeletionJob", copy(create, { tags = { b = "2", a = "1" } }) },
  { "DescribeDataDeletionJob", { dataDeletionJobArn = ARN } },
  { "ListDataDeletionJobs", { maxResults = 100, nextToken = "a\1\"b" } },
  { "ListDataDeletionJobs" },
  { "ListTagsForResource", { resourceArn = ARN } },
  { "TagResource", { resourceArn = ARN, tags = {} } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { "a", "b" } } },
  { "ListSolutions", { datasetGroupArn = ARN, maxResults = 1 } },
  { "DescribeCampaign", { campaignArn = ARN, n = 0.1, deep = {
    { a = true, b = { 1, 2.5, "x" } } }, empty = {} } },
}

local OK = { status = 200, body = '{"dataDeletionJobArn":"' .. ARN .. '"}',
  headers = { ["x-amzn-requestid"] = "id-1" } }

for i, input in ipairs(inputs) do
  local name = (" %s, input %d"):format(input[1], i)
  -- With a service of its own each time: every buffer grows from nothing.
  run("attempt" .. name .. ", fresh", function()
    local service = assert(core.service(params))
    local attempt = assert(core.attempt(service, input[1], input[2], RANDOM, 3,
      true))
    local head, body = attempt:sign(KEYS, NOW)
    assert(head:find("\r\nauthorization: AWS4-HMAC-SHA256 ", 1, true))
    assert(head:sub(-2) == "\r\n" and body:sub(-1) == "}")
    same(true, attempt:judge(OK, nil, NOW, 0.5, 60).ok)
  end)
  local service = assert(core.service(params))
  local expected
  run("attempt" .. name .. ", shared", function()
    local attempt = assert(core.attempt(service, input[1], input[2], RANDOM, 3,
      true))
    local head = attempt:sign(KEYS, NOW)
    expected = expected or head
    same(expected, head, "head")
  end)
end

local faulty = {
  { "CreateDataDeletionJob", copy(create, { jobName = ("x"):rep(64),
    jobname = "a", tags = { { tagKey = "k", tagValue = "v" },
    { tagKey = "k", tagValue = "\0" }, { tagKey = "\255" }, {} },
    roleArn = 5, datasetGroupArn = "arn", dataSource = { 1, 2 } }) },
  { "CreateDataDeletionJob", {} },
  { "CreateDataDeletionJob", 5 },
  { "CreateDataDeletionJob", copy(create, { tags = tag_list(201) }) },
  { "CreateDataDeletionJob", copy(create, { tags = { a = "?", b = {} } }) },
  { "ListDataDeletionJobs", { maxResults = 1.5, nextToken = {} } },
  { "ListDataDeletionJobs", { maxResults = 101, [1] = 1 } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { "a", nil, "c" } } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { [1] = "a", b = 1 } } },
  { "Other", { f = function() end, x = 0 / 0, y = { [1] = 1, z = 2 },
    deep = { { { "\255" } } } } },
}
local shared = assert(core.service(params))
for i, input in ipairs(faulty) do
  local expected
  run("attempt" .. (", faulty input %d"):format(i), function()
    local attempt, faults = core.attempt(shared, input[1], input[2], RANDOM, 3,
      true)
    same(nil, attempt)
    assert(#faults > 0)
    for _, fault in ipairs(faults) do
      assert(fault.path and fault.code and fault.message, "half a fault")
    end
    expected = expected or faults
    same(#expected, #faults, "faults")
  end)
end

run("attempt:sign, credentials refused", function()
  local attempt = assert(core.attempt(shared, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
  local head, message = attempt:sign({ access_key_id = "a\r\nb",
    secret_access_key = "s" }, NOW)
  same(nil, head)
  assert(message:find("access_key_id", 1, true))
  head, message = attempt:sign(KEYS, -1)
  same(nil, head)
  assert(message:find("time", 1, true))
end)

local answers = {
  { { status = 400, headers = { ["x-amzn-errortype"] = "a#FooError:http://x/" },
    body = '{"message":"' .. ("no such thing \\u00e9"):rep(30) .. '"}' },
    "FooError", "service" },
  { { status = 400, headers = {}, body = '{"\\u005f_type":"' ..
    "com.amazon.coral.service#" .. ("Foo"):rep(20) .. '"}' },
    ("Foo"):rep(20), "service" },
  { { status = 503, body = ("<html>busy \255</html> "):rep(200) }, "HTTP 503",
    "service" },
  { { status = 200, body = "{" }, "ResponseError", "transport" },
}
for i, answer in ipairs(answers) do
  run("attempt" .. (":judge %d"):format(i), function()
    local attempt = assert(core.attempt(shared, "TagResource",
      { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
    attempt:sign(KEYS, NOW)
    local verdict = attempt:judge(answer[1], nil, NOW, 0.5, 60)
    same(false, verdict.ok)
    same(answer[2], verdict.code)
    same(answer[3], verdict.kind)
  end)
end

run("attempt:judge, no response", function()
  local attempt = assert(core.attempt(shared, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
  local verdict = attempt:judge({ status = "x" }, nil, NOW, 0.5, 60)
  same("ResponseError", verdict.code)
  verdict = attempt:judge(nil, { code = ("C"):rep(100), sent = false,
    message = ("gone "):rep(40), status = 502 }, NOW, 0.5, 60)
  same(("C"):rep(100), verdict.code)
  same(false, verdict.ok)
end)

run("attempt:judge, to be tried again", function()
  local service = assert(core.service(copy(params, { adaptive = true })))
  local attempt = assert(core.attempt(service, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 3, true))
  same(0, attempt:admit(NOW))
  attempt:sign(KEYS, NOW)
  local verdict = attempt:judge({ status = 503, body = "",
    headers = { date = "Tue, 24 Nov 2026 00:10:00 GMT" } }, nil, NOW, 0.5, 60)
  same(true, verdict.retry)
  same(600, service:state().skew)
  same("string", type(attempt:sign(KEYS, NOW)))
end)

local put = { method = "PUT", path = "/users.csv", query = "a=b&c",
  protocol = "xml", keep_path = true, payload_hash = "UNSIGNED-PAYLOAD",
  body = ("id\n"):rep(100), headers = {} }
for i = 1, 12 do
  put.headers[i] = { "x-amz-meta-" .. i, ("v"):rep(i * 30) }
end

for name, keys in pairs { signed = KEYS, unsigned = false } do
  run("request, " .. name, function()
    local service = assert(core.service(params))
    put.unsigned = not keys
    local attempt = assert(core.request(service, put, RANDOM, 1))
    same("https://personalize.eu-west-1.amazonaws.com/p/users.csv?a=b&c",
      attempt:url())
    local head, body = attempt:sign(keys or nil, NOW)
    same(put.body, body)
    same(keys and true or nil,
      head:find("\r\nauthorization: ", 1, true) and true)
    assert(head:find("x-amz-meta-12: " .. ("v"):rep(360), 1, true))
    local verdict = attempt:judge({ status = 404, headers = {},
      body = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>" },
      nil, NOW, 0.5, 60)
    same("NoSuchKey", verdict.code)
  end)
end

run("request, a body that only its hash stands for", function()
  local request = copy(put, { length = 5e9, unsigned = false })
  request.body = nil
  local attempt = assert(core.request(shared, request, RANDOM, 1))
  local head, body = attempt:sign(KEYS, NOW)
  same("", body)
  assert(head:find("content-length: 5000000000\r\n", 1, true))
end)

run("request, refused", function()
  local attempt, message = core.request(shared, copy(put, { path = "/a\r\n" }),
    RANDOM, 1)
  same(nil, attempt)
  assert(message:find("no request", 1, true))
end)

run("attempt, its service closed meanwhile", function()
  local service = assert(core.service(params))
  local attempt = assert(core.attempt(service, "Other", {}, RANDOM, 1, true))
  service:close()
  local head, message, code = attempt:sign(KEYS, NOW)
  same(nil, head)
  same("the client was closed while the call was under way", message)
  same("InterruptedError", code)
  same(true, attempt:judge({ status = 200, body = "{}" }, nil, NOW, 0.5,
    60).ok)
end)

-- Misuse raises before anything is owned.
for name, f in pairs {
  ["a service closed before"] = function()
    local service = assert(core.service(params))
    service:close()
    core.attempt(service, "Other", {}, RANDOM, 1, true)
  end,
  ["a service that is none"] = function()
    core.attempt({}, "Other", {}, RANDOM, 1, true)
  end,
  ["too few random bytes"] = function()
    core.attempt(shared, "Other", {}, "x", 1, true)
  end,
  ["a name that is none"] = function()
    core.attempt(shared, "Other\r\n", {}, RANDOM, 1, true)
  end,
  ["a region that is no string"] = function()
    core.service(copy(params, { region = 5 }))
  end,
} do
  run("attempt, misuse: " .. name, function()
    local ok, err = pcall(f)
    same(false, ok)
    if tostring(err):find("memory", 1, true) then
      error(err, 0)
    end
  end)
end

torture.finish()
