--- Jobs for lists that lie in S3: created, and looked at.

local answer = require "service.answer"
local settings = require "service.settings"

local M = {}

--- POST /jobs {"jobName":, "datasetGroupArn":, "dataLocation":, "roleArn":,
-- "tags":}: 201, and the job's ARN.
M.create = answer.handler(function()
  local input = answer.is_method "POST" and answer.read()
  if not input then
    return
  elseif type(input.dataLocation) ~= "string" then
    return answer.refuse(400, "ParamValidationError",
      "dataLocation is missing: where the list lies, as s3://bucket/users.csv")
  end
  input.dataSource = { dataLocation = input.dataLocation }
  input.dataLocation = nil
  local client = settings.client
  local ok, output = pcall(client.create_data_deletion_job, client, input)
  if not ok then
    return answer.fail(output)
  end
  ngx.header.location = "/jobs/" .. ngx.escape_uri(output.dataDeletionJobArn)
  answer.send(201, output)
end)

-- AWS documents no way from a name to its ARN but the list.
local function find(name)
  for job in settings.client:data_deletion_jobs { maxResults = 100 } do
    if job.jobName == name then
      return job.dataDeletionJobArn
    end
  end
end

local function describe(id)
  local arn = id:find("^arn:") and id or find(id)
  return arn and settings.client:describe_data_deletion_job {
    dataDeletionJobArn = arn }
end

--- GET /jobs/ID: 200, and the job. By its ARN it takes one call; by its name,
-- as many more as the account has hundreds of jobs.
M.describe = answer.handler(function(id)
  if not answer.is_method "GET" then
    return
  end
  local ok, output = pcall(describe, id)
  if not ok then
    return answer.fail(output)
  elseif not output then
    return answer.refuse(404, "ResourceNotFoundException",
      "there is no job of that name")
  end
  answer.send(200, output.dataDeletionJob)
end)

return M
