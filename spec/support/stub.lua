--- A client whose transport is a table of answers: nothing leaves the process.
-- Knows the transport's contract; refuses to know operations.

local personalize = require "personalize"

local stub = {}

stub.CREDENTIALS = { access_key_id = "AKIDSTUB", secret_access_key = "secret" }

--- A response as a transport gives it.
function stub.response(body, status, headers)
  return { status = status or 200, body = body,
    headers = headers or { ["x-amzn-requestid"] = "request-1" } }
end

--- A client and the list of the requests it has sent. `answer` is the body of
-- every answer, a response, or function(request, n) that acts as transport.
function stub.client(answer, options)
  local sent = {}
  local given = {
    region = "eu-west-1",
    credentials = stub.CREDENTIALS,
    max_attempts = 1,
    sleep = function() end,
    transport = function(request)
      sent[#sent + 1] = request
      if type(answer) == "function" then
        return answer(request, #sent)
      elseif type(answer) == "table" then
        return answer
      end
      return stub.response(answer or "{}")
    end,
  }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return personalize.new(given), sent
end

--- The error that a call raises; it must be one of ours.
function stub.failure(f, ...)
  local ok, e = pcall(f, ...)
  if ok then
    error("it did not fail", 2)
  elseif not personalize.is_error(e) then
    error("no error of ours: " .. tostring(e), 2)
  end
  return e
end

--- A right input of each operation.
function stub.input(operation)
  local arn = "arn:aws:personalize:eu-west-1:123456789012:"
  return ({
    CreateDataDeletionJob = {
      jobName = "gdpr-1",
      datasetGroupArn = arn .. "dataset-group/shop",
      dataSource = { dataLocation = "s3://erasure/users.csv" },
      roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3",
    },
    DescribeDataDeletionJob = {
      dataDeletionJobArn = arn .. "data-deletion-job/gdpr-1" },
    ListDataDeletionJobs = {},
    TagResource = { resourceArn = arn .. "dataset-group/shop",
      tags = { ticket = "GDPR-42" } },
    UntagResource = { resourceArn = arn .. "dataset-group/shop",
      tagKeys = { "ticket" } },
    ListTagsForResource = { resourceArn = arn .. "dataset-group/shop" },
  })[operation]
end

return stub
