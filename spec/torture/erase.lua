-- A whole deletion, over a transport that answers at once, with each allocation
-- of Lua's and the core's refused: it ends well, or with an error that has a
-- name and the receipt.

local cjson = require "cjson"
local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

local personalize = require "personalize"

local ARN = "arn:aws:personalize:eu-west-1:123456789012:"
local jobs

local serve = {}

function serve.ListDataDeletionJobs()
  return { nextToken = "" }
end

function serve.CreateDataDeletionJob(input)
  local arn = ARN .. "data-deletion-job/" .. input.jobName
  jobs[arn] = input
  return { dataDeletionJobArn = arn }
end

function serve.DescribeDataDeletionJob(input)
  local job = jobs[input.dataDeletionJobArn]
  job.status, job.numDeleted = "COMPLETED", 2
  return { dataDeletionJob = job }
end

local function transport(request)
  for _, header in ipairs(request.headers) do
    local operation = header[1] == "x-amz-target" and
      header[2]:match "%.(%w+)$"
    if operation then
      return { status = 200, headers = {}, body = cjson.encode(
        serve[operation](cjson.decode(request.body))) }
    end
  end
  return { status = 200, headers = { etag = '"e"' }, body = "" }
end

local client = personalize.new { region = "eu-west-1", transport = transport,
  sleep = function() return true end, max_attempts = 1, credentials =
    { access_key_id = "AKID", secret_access_key = "secret" } }

local function options()
  return { users = { "a", "b" }, bucket = "erasure", name = "night",
    datasetGroupArn = ARN .. "dataset-group/shop",
    roleArn = "arn:aws:iam::123456789012:role/r" }
end

-- Refusals that hit a pcall (of a JSON decoder, a caller's function) are told as
-- what failed there.
local function accept(e)
  return torture.is_memory(e) or personalize.is_error(e) and
    e.code ~= "InternalError" and e.receipt ~= nil
end

jobs = {}
local before = personalize.receipt_json(client:delete_users(options()))

run("delete_users", function()
  jobs = {}
  local ok, result = pcall(client.delete_users, client, options())
  if not ok and next(jobs) and not personalize.is_error(result) then
    error("in the middle of a run, an error without a receipt", 0)
  elseif not ok then
    error(result, 0)
  end
  same("COMPLETED", result.status)
end, accept, true)

run("delete_users with the receipt that is there", function()
  local given = options()
  given.receipt, given.dry_run = before, true
  same("COMPLETED", client:delete_users(given).jobs[1].status)
end, accept, true)

run("verify_receipt", function()
  same(true, personalize.verify_receipt(before, { users = { "a", "b" } }))
end, accept, true)

torture.finish()
