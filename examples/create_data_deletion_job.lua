--- Creates a data deletion job for a list that lies in a bucket, follows it
-- and prints how it ended.
--
--     lua create_data_deletion_job.lua JOB_NAME DATASET_GROUP_ARN ROLE_ARN \
--         s3://bucket/folder/users.csv
--
-- Region and credentials come from the environment (AWS_REGION,
-- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).

local personalize = require "personalize"
local core = require "personalize.core"

local name, dataset_group, role, location = table.unpack(arg)
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
print("created " .. created.dataDeletionJobArn)
print("request " .. meta.request_id)

local status
repeat
  core.sleep(0.5)
  local job = client:describe_data_deletion_job {
    dataDeletionJobArn = created.dataDeletionJobArn,
  }.dataDeletionJob
  if job.status ~= status then
    status = job.status
    print(status)
  end
  if status == "FAILED" then
    print("reason: " .. (job.failureReason or "none given"))
    os.exit(1)
  end
until status == "COMPLETED"
