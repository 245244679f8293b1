--- Creates a data deletion job for a list that lies in a bucket, follows it
-- and prints how it ended.
--
--     lua create_data_deletion_job.lua JOB_NAME DATASET_GROUP_ARN ROLE_ARN \
--         s3://bucket/folder/users.csv
--
-- Region and credentials come from the environment (AWS_REGION,
-- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).

local personalize = require "personalize"

local name, dataset_group, role, location = arg[1], arg[2], arg[3], arg[4]
if not location then
  io.stderr:write("usage: create_data_deletion_job.lua JOB_NAME ",
    "DATASET_GROUP_ARN ROLE_ARN S3_LOCATION\n")
  os.exit(2)
end

local client = personalize.new()
local created, meta = client:create_data_deletion_job {
  jobName = name,
  datasetGroupArn = dataset_group,
  dataSource = { dataLocation = location },
  roleArn = role,
}
print("created   " .. created.dataDeletionJobArn)
print("request   " .. (meta.request_id or "not told"))

-- A real job takes up to a day; looks become rarer, from 5 seconds to 2 minutes.
local ok, result = pcall(client.wait_for_data_deletion_job, client,
  created.dataDeletionJobArn, {
    delay = tonumber(os.getenv "POLL_SECONDS"),
    max_delay = tonumber(os.getenv "POLL_SECONDS"),
    on_status = function(status)
      print("status    " .. status)
    end,
  })

if ok then
  print("deleted   " .. result.numDeleted .. " records")
elseif personalize.is_error(result, "DataDeletionJobFailed") then
  print("reason    " ..
    personalize.printable(result.job.failureReason or "not told"))
  os.exit(1)
elseif personalize.is_error(result, "InterruptedError") then
  print("interrupted; the job goes on at AWS")
  os.exit(130)
else
  error(result, 0)
end
