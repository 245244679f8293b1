--- A service in which every job is COMPLETED at once, and whose own work does
-- not depend on how many there are. For what a run costs, and what it does when
-- memory is short.

local cjson = require "cjson"

local instant = {}

local ARN = "arn:aws:personalize:eu-west-1:123456789012:"

--- A dataset group's ARN.
function instant.group(name)
  return ARN .. "dataset-group/" .. name
end

--- A service: `transport`, and how many jobs were `created`. Its bucket says of
-- every object that it has the SHA-256 that `checksum` is, in base64.
function instant.service()
  local service, jobs, of = { created = 0 }, {}, {}
  local serve = {}

  function serve.ListDataDeletionJobs(input)
    return { dataDeletionJobs = of[input.datasetGroupArn] }
  end

  function serve.CreateDataDeletionJob(input)
    local arn = ARN .. "data-deletion-job/" .. input.jobName
    service.created = service.created + 1
    jobs[arn] = input
    of[input.datasetGroupArn] = { { jobName = input.jobName,
      dataDeletionJobArn = arn } }
    return { dataDeletionJobArn = arn }
  end

  function serve.DescribeDataDeletionJob(input)
    local job = jobs[input.dataDeletionJobArn]
    job.status, job.numDeleted, job.tags = "COMPLETED", 1, nil
    job.creationDateTime, job.lastUpdatedDateTime = 1795518000, 1795518060
    return { dataDeletionJob = job }
  end

  function service.transport(request)
    for _, header in ipairs(request.headers) do
      local operation = header[1] == "x-amz-target" and
        header[2]:match "%.(%w+)$"
      if operation then
        return { status = 200, headers = {}, body = cjson.encode(
          serve[operation](cjson.decode(request.body))) }
      end
    end
    return { status = 200, body = "", headers = { etag = '"e"',
      ["x-amz-checksum-sha256"] = service.checksum } }
  end
  return service
end

--- The options of a client of a service.
function instant.client(service)
  return { region = "eu-west-1", transport = service.transport,
    sleep = function() return true end, max_attempts = 1, credentials =
      { access_key_id = "AKIDINSTANT", secret_access_key = "secret" } }
end

--- The options of a delete_users, with `more` over them.
function instant.options(more)
  local found = { users = { "a", "b" }, bucket = "erasure", name = "night",
    roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3",
    datasetGroupArn = instant.group "shop" }
  for name, value in pairs(more or {}) do
    found[name] = value
  end
  return found
end

return instant
