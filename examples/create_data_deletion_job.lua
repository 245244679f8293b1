--- Creates a data deletion job for a list that lies in a bucket, follows it
-- and prints how it ended.
--
--     lua create_data_deletion_job.lua JOB_NAME DATASET_GROUP_ARN ROLE_ARN \
--         s3://bucket/folder/users.csv
--
-- Region and credentials come from the environment (AWS_REGION,
-- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).

local personalize = require "personalize"
local sleep = require "personalize.core".sleep -- ends early on Ctrl-C

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

-- A real job takes up to a day: a script would look every few minutes.
local pause = tonumber(os.getenv "POLL_SECONDS") or 60
local status, job
repeat
  job = client:describe_data_deletion_job {
    dataDeletionJobArn = created.dataDeletionJobArn,
  }.dataDeletionJob
  if job.status ~= status then
    status = job.status
    print("status    " .. status)
  end
until status == "COMPLETED" or status == "FAILED" or not sleep(pause)

if status == "COMPLETED" then
  print("deleted   " .. job.numDeleted .. " records")
elseif status == "FAILED" then
  print("reason    " .. (job.failureReason or "not told"))
  os.exit(1)
else
  print("interrupted; the job goes on at AWS")
  os.exit(130)
end
