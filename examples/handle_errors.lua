--- Creates a data deletion job and says, for each way it can fail, what that
-- means for the person who has to get the users deleted.
--
--     lua handle_errors.lua JOB_NAME DATASET_GROUP_ARN ROLE_ARN S3_LOCATION
--
-- Exit status: 0 created, 1 it cannot work like this, 75 try again later.

local personalize = require "personalize"

local TRY_LATER = 75

-- By AWS's exception name: what to say, and the exit status.
local advice = {
  InvalidInputException = { "AWS does not accept the input" },
  LimitExceededException = { "5 jobs are PENDING for this dataset group, or " ..
    "requests came too fast: wait for a job to start", TRY_LATER },
  ResourceAlreadyExistsException = { "a job of this name exists: choose " ..
    "another name, or describe that job" },
  ResourceInUseException = { "the dataset group is busy (an import, a " ..
    "training): wait for it to end", TRY_LATER },
  ResourceNotFoundException = { "there is no such dataset group in this " ..
    "account and region" },
  TooManyTagsException = { "a resource has at most 50 tags" },
}

local ok, result = pcall(personalize.create_data_deletion_job, {
  jobName = arg[1],
  datasetGroupArn = arg[2],
  roleArn = arg[3],
  dataSource = { dataLocation = arg[4] },
})
if ok then
  print("created " .. result.dataDeletionJobArn)
  os.exit(0)
elseif not personalize.is_error(result) then
  error(result, 0) -- not ours: a bug, say
end

local e = result
print(tostring(e))
if e.code == "ParamValidationError" then
  for _, fault in ipairs(e.params) do
    print(("  %s: %s"):format(fault.path, fault.message))
  end
elseif advice[e.code] then
  print("  " .. advice[e.code][1])
end
if e.unclear then
  print("  the job may exist: list the jobs before creating another")
end
local later = advice[e.code] and advice[e.code][2] or
  e.retryable and TRY_LATER
os.exit(later or 1)
