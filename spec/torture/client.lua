-- The whole way from a table to a table, over a transport that answers at
-- once, with each allocation of Lua's and the core's refused.

local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

local function unload()
  for name in pairs(package.loaded) do
    if name:find("^personalize") then
      package.loaded[name] = nil
    end
  end
end

run("loading personalize", function()
  unload()
  same("function", type(require("personalize").new))
end, nil, true)

-- From here on it stays: an error is one by its metatable.
unload()
local personalize = require "personalize"

local NEXT = { status = 200, headers = {}, body = "" }
local function transport()
  if not NEXT then
    return nil, { code = "ConnectionError", message = "gone" }
  end
  return NEXT
end

local options = { region = "eu-west-1", transport = transport,
  sleep = function() return true end, max_attempts = 2,
  credentials = { access_key_id = "AKID", secret_access_key = ("s"):rep(40),
    session_token = ("t"):rep(400) } }

run("new", function()
  local client = personalize.new(options)
  same("personalize.Client", tostring(client))
  client:close()
end)

-- Memory may also be short inside what pcall hides, such as a JSON decoder:
-- then the answer cannot be read, and that is what is said.
local function accept(err)
  return torture.is_memory(err) or tostring(err):find(
    "ResponseError: the body is not JSON that can be read", 1, true) ~= nil
end

local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local JOB = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/j"
local create = { jobName = "j", datasetGroupArn = ARN,
  dataSource = { dataLocation = "s3://b/users.csv" },
  roleArn = "arn:aws:iam::123456789012:role/r", tags = { ticket = "GDPR-42" } }

local calls = {
  { "create_data_deletion_job", create, '{"dataDeletionJobArn":"' .. JOB ..
    '"}', { dataDeletionJobArn = JOB } },
  { "describe_data_deletion_job", { dataDeletionJobArn = JOB },
    '{"dataDeletionJob":{"status":"COMPLETED","numDeleted":12,' ..
    '"creationDateTime":1.7954784E9,"failureReason":null}}',
    { dataDeletionJob = { status = "COMPLETED", numDeleted = 12,
      creationDateTime = 1795478400 } } },
  { "list_data_deletion_jobs", { maxResults = 2 },
    '{"dataDeletionJobs":[{"jobName":"a"},{"jobName":"b"}],"nextToken":"n"}',
    { dataDeletionJobs = { { jobName = "a" }, { jobName = "b" } },
      nextToken = "n" } },
  { "list_tags_for_resource", { resourceArn = ARN },
    '{"tags":[{"tagKey":"k","tagValue":"v"}]}',
    { tags = { { tagKey = "k", tagValue = "v" } } } },
  { "tag_resource", { resourceArn = ARN, tags = { owner = "shop" } }, "", {} },
  { "untag_resource", { resourceArn = ARN, tagKeys = { "owner" } }, "{}", {} },
}

local client = personalize.new(options)
for _, case in ipairs(calls) do
  local name, input, body, expected = case[1], case[2], case[3], case[4]
  run(name, function()
    NEXT = { status = 200, body = body,
      headers = { ["x-amzn-requestid"] = "id-7" } }
    local output, meta = client[name](client, input)
    same(expected, output)
    same("id-7", meta.request_id)
  end, accept)

  run(name .. ", a new client", function()
    NEXT = { status = 200, body = body, headers = {} }
    local fresh = personalize.new(options)
    same(expected, (fresh[name](fresh, input)))
    fresh:close()
  end, accept)

  -- An error object is what is expected; any other error is passed on.
  local function fails(code, expected_message)
    local ok, err = pcall(client[name], client, input)
    same(false, ok)
    if not personalize.is_error(err, code) then
      error(err, 0)
    end
    same("string", type(tostring(err)))
    same(expected_message, err.message:sub(1, #expected_message))
  end

  run(name .. ", refused by the service", function()
    NEXT = { status = 400, headers = {}, body =
      '{"__type":"ns#ResourceInUseException","Message":"busy with j \\u00e9"}' }
    fails("ResourceInUseException", "busy with j \195\169")
  end, accept)

  run(name .. ", an answer that cannot be read", function()
    NEXT = { status = 200, headers = {}, body = '{"a":1' }
    fails("ResponseError", "the answer says success, but its body is not a " ..
      "whole JSON object")
  end, accept)

  run(name .. ", no answer", function()
    NEXT = nil
    fails("ConnectionError", "gone")
  end, accept)
end

run("a faulty input", function()
  local input = { jobName = ("\195\169"):rep(64), datasetGroupArn = "x",
    dataSource = { location = "" }, tags = { a = "\0", [1] = 2 }, roleArn = {},
    ["job\r\nname"] = 1, [true] = false }
  for i = 1, 120 do
    input["unknown" .. i] = i
  end
  local ok, err = pcall(client.create_data_deletion_job, client, input)
  same(false, ok)
  if not personalize.is_error(err, "ParamValidationError") then
    error(err, 0)
  end
  same(100, #err.params)
end)

run("any operation", function()
  NEXT = { status = 200, headers = {},
    body = '{"a":{"b":[1,null,{"c":null}]}}' }
  local output = client:call("DescribeCampaign", { campaignArn = ARN,
    list = { 1, "2", { x = 0.5 } } })
  same("table", type(output.a))
end, accept)

run("an operation that nobody has", function()
  local ok, err = pcall(client.call, client, "DescribeCampain")
  same(false, ok)
  if not personalize.is_error(err, "ParamValidationError") then
    error(err, 0)
  end
end, accept)

run("a list of what there is", function()
  NEXT = { status = 200, headers = {}, body = '{"solutions":[{"solutionArn":' ..
    '"a","status":null},null,{"creationDateTime":1.5}]}' }
  same(2, #client:call("ListSolutions", { datasetGroupArn = ARN }).solutions)
end, accept)

client:close()
torture.finish()
