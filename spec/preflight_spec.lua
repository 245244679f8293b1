--- A look ahead: each thing that it can find, provoked at the local AWS.

local buckets = require "spec.support.bucket"
local cjson = require "cjson"
local core = require "personalize.core"
local personalize = require "personalize"
local preflights = require "spec.support.preflights"

local ARN, GROUP, NONE = preflights.ARN, preflights.GROUP, preflights.NONE
local BUCKET = "s3://" .. preflights.BUCKET
local DAY = 24 * 3600

local server

setup(function() server = preflights.start() end)
teardown(function() preflights.stop(server) end)

local function group(members)
  members.name = "shop"
  return { datasetGroups = { members } }
end

local function bucket(members)
  members.name = preflights.BUCKET
  return { buckets = { members } }
end

local function role(members)
  members.roleArn = server.role_arn
  return { roles = { members } }
end

local function imports(status)
  return group { datasets = { { datasetType = "Interactions",
    datasetImportJobs = { { jobName = "nightly", status = status } },
    datasetExportJobs = { { jobName = "old" } } } } }
end

local function solution(members)
  members.name = "popular"
  if members.performAutoTraining == nil then
    members.performAutoTraining = false
  end
  return group { solutions = { members } }
end

local KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"

-- Puts an object as another program might.
local function put(key, algorithm, kms_key)
  local opened = buckets.open(server)
  assert(opened:ask("PutObject", { method = "PUT", key = key, body = "USER_ID\n",
    payload_hash = core.sha256_hex "USER_ID\n", headers = {
      { "x-amz-server-side-encryption", algorithm },
      { "x-amz-server-side-encryption-aws-kms-key-id", kms_key } } }))
  opened:close()
end

local PERSONALIZE = { Service = "personalize.amazonaws.com" }

-- What is done to the world, the options, and what is then found: kind and code,
-- the subject, words of the message.
local ROWS = {
  -- Blockers.
  { "a dataset group that is missing", nil,
    { datasetGroupArn = ARN .. "dataset-group/none" },
    "blocker group_missing", ARN .. "dataset-group/none", "none" },
  { "a dataset group that is being made",
    function() return group { status = "CREATE IN_PROGRESS" } end, nil,
    "blocker group_not_active", GROUP, "CREATE IN_PROGRESS" },
  { "a dataset group that is going away",
    function() return group { status = "DELETE PENDING" } end, nil,
    "blocker group_not_active", GROUP, "DELETE PENDING" },
  { "a dataset group that could not be made",
    function() return group { status = "CREATE FAILED",
      failureReason = "the disk was full" } end, nil,
    "blocker group_not_active", GROUP, "the disk was full" },
  { "a role that is missing", nil,
    { roleArn = "arn:aws:iam::123456789012:role/Nobody" },
    "blocker role_missing", "arn:aws:iam::123456789012:role/Nobody",
    "no such role" },
  { "a role of another path", nil,
    { roleArn = "arn:aws:iam::123456789012:role/team/PersonalizeS3" },
    "blocker role_missing",
    "arn:aws:iam::123456789012:role/team/PersonalizeS3", "another ARN" },
  { "a role that trusts another service",
    function() return role { trust = preflights.policy { Effect = "Allow",
      Principal = { Service = "ec2.amazonaws.com" },
      Action = "sts:AssumeRole" } } end, nil,
    "blocker role_untrusted", nil, "trust policy" },
  { "a role that trusts Personalize of another account only",
    function() return role { trust = preflights.policy { Effect = "Allow",
      Principal = PERSONALIZE, Action = "sts:AssumeRole", Condition = {
      StringEquals = { ["aws:SourceAccount"] = "210987654321" } } } } end,
    nil, "blocker role_untrusted", nil, "trust policy" },
  { "a bucket that is missing", nil, { bucket = "another" },
    "blocker bucket_missing", "s3://another", "another" },
  { "a bucket that only a VPC can reach",
    function() return bucket { policy = preflights.policy(preflights.allow(),
      { Effect = "Deny", Principal = "*", Action = "s3:GetObject",
        Resource = "arn:aws:s3:::erasure/*", Condition = { StringNotEquals = {
        ["aws:SourceVpce"] = "vpce-1" } } }) } end, nil,
    "blocker bucket_vpc_only", BUCKET, "VPC" },
  { "a bucket whose policy denies the role",
    function() return bucket { policy = preflights.policy(preflights.allow(),
      { Effect = "Deny", Principal = { AWS = server.role_arn },
        Action = "s3:List*", Resource = "arn:aws:s3:::erasure" }) } end, nil,
    "blocker bucket_denies", BUCKET, "s3:ListBucket" },
  { "a bucket whose policy wants KMS",
    function() return bucket { policy = preflights.policy(preflights.allow(),
      { Effect = "Deny", Principal = "*", Action = "s3:PutObject",
        Resource = "arn:aws:s3:::erasure/*", Condition = { StringNotEquals = {
        ["s3:x-amz-server-side-encryption"] = "aws:kms" } } }) } end, nil,
    "blocker upload_denied", BUCKET, "AES256" },
  { "a bucket of another region",
    function() return bucket { region = "eu-central-1" } end, nil,
    "blocker bucket_elsewhere", BUCKET, "eu-central-1" },
  { "a bucket of another region that is meant",
    function() return bucket { region = "eu-central-1" } end,
    { allow_other_region = true },
    "warning bucket_elsewhere", BUCKET, "eu-central-1" },
  { "a list under a customer's key",
    function() put("a/users.csv", "aws:kms", KEY) end,
    { bucket = NONE, location = BUCKET .. "/a/users.csv" },
    "blocker list_under_key", BUCKET .. "/a/users.csv", KEY },
  { "a list under a customer's key, in a folder",
    function() put("a/users.csv", "aws:kms:dsse", KEY) end,
    { bucket = NONE, location = BUCKET .. "/a/" },
    "blocker list_under_key", BUCKET .. "/a/users.csv", "aws:kms:dsse" },
  { "a folder with other lists",
    function() return bucket { objects = { ["a/users.csv"] = "USER_ID\n",
      ["a/b/other.csv"] = "USER_ID\n", ["a/readme.txt"] = "" } } end,
    { bucket = NONE, location = BUCKET .. "/a/" },
    "blocker folder_has_others", BUCKET .. "/a/", "2 lists" },
  { "a location without a list", nil,
    { bucket = NONE, location = BUCKET .. "/a/users.csv" },
    "blocker list_missing", BUCKET .. "/a/users.csv", "no list" },
  { "a folder without a list", nil,
    { bucket = NONE, location = BUCKET .. "/a/" },
    "blocker list_missing", BUCKET .. "/a/", "no .csv" },
  { "5 jobs that are PENDING",
    function()
      local jobs = {}
      for i = 1, 5 do
        jobs[i] = { jobName = "other-" .. i, datasetGroup = "shop",
          status = "PENDING" }
      end
      return { dataDeletionJobs = jobs }
    end, nil, "blocker pending_quota", GROUP, "5 data deletion jobs" },
  { "a name that another list has",
    function() return { dataDeletionJobs = { { datasetGroup = "shop",
      jobName = "night-da7669-0001", status = "COMPLETED" } } } end,
    { name = "night", users = { "a" } },
    "blocker name_taken", ARN .. "data-deletion-job/night-da7669-0001",
    "another list" },

  -- Warnings.
  { "a name that may be another list's",
    function() return { dataDeletionJobs = { { datasetGroup = "shop",
      jobName = "night-da7669-0001", status = "COMPLETED" } } } end,
    { name = "night" }, "warning name_used",
    ARN .. "data-deletion-job/night-da7669-0001", "night" },
  { "a bucket that encrypts with a customer's key",
    function() return bucket { encryption = { SSEAlgorithm = "aws:kms",
      KMSMasterKeyID = "abc" } } end, nil,
    "warning bucket_default_key", BUCKET, "the KMS key abc" },
  { "a bucket that encrypts with S3's KMS key",
    function() return bucket { encryption = { SSEAlgorithm = "aws:kms:dsse" } }
    end, nil, "warning bucket_default_key", BUCKET, "S3's KMS key" },
  { "a bucket without a policy",
    function() return bucket { policy = cjson.null } end, nil,
    "warning bucket_policy_lacks", BUCKET,
    "s3:GetObject and s3:ListBucket" },
  { "a bucket whose policy has half of it",
    function() return bucket { policy = preflights.policy(preflights.allow {
      Action = "s3:GetObject" }) } end, nil,
    "warning bucket_policy_lacks", BUCKET, "allow s3:ListBucket to" },
  { "a bucket whose policy is for another account's jobs",
    function() return bucket { policy = preflights.policy(preflights.allow {
      Condition = { StringEquals = { ["aws:SourceAccount"] = "1" } } }) } end,
    nil, "warning bucket_policy_lacks", BUCKET, "does not allow" },
  { "an import that is waiting",
    function() return imports "CREATE PENDING" end, nil,
    "warning import_running", ARN .. "dataset-import-job/nightly",
    "import nightly of the dataset Interactions is CREATE PENDING" },
  { "an import that runs",
    function() return imports "CREATE IN_PROGRESS" end, nil,
    "warning import_running", ARN .. "dataset-import-job/nightly",
    "CREATE IN_PROGRESS" },
  { "an export that runs",
    function() return group { datasets = { { datasetType = "Interactions",
      datasetExportJobs = { { jobName = "out",
        status = "CREATE IN_PROGRESS" } } } } } end, nil,
    "warning export_running", ARN .. "dataset-export-job/out", "export out" },
  { "training that runs",
    function() return solution { solutionVersions = { { id = "a1b2c3d4",
      status = "CREATE IN_PROGRESS" } } } end, nil,
    "warning training_running", ARN .. "solution/popular/a1b2c3d4",
    "The training of the solution popular" },
  { "training that is being stopped",
    function() return solution { solutionVersions = { { id = "a1b2c3d4",
      trainingType = "AUTOMATIC", status = "CREATE STOPPING" } } } end, nil,
    "warning training_running", ARN .. "solution/popular/a1b2c3d4",
    "automatic training" },
  { "an older version that still trains",
    function() return solution { solutionVersions = {
      { id = "a1b2c3d4", status = "CREATE IN_PROGRESS", created = -DAY },
      { id = "e5f60718", created = -60 } } } end, { strict = true },
    "warning training_running", ARN .. "solution/popular/a1b2c3d4",
    "CREATE IN_PROGRESS" },
  { "a recommender that is being made",
    function() return group { recommenders = { { name = "home",
      status = "CREATE IN_PROGRESS" } } } end, nil,
    "warning training_running", ARN .. "recommender/home", "home" },
  { "a recommender that is being updated",
    function() return group { recommenders = { { name = "home",
      status = "INACTIVE", latestRecommenderUpdate = {
        status = "CREATE PENDING" } } } } end, nil,
    "warning training_running", ARN .. "recommender/home",
    "update of the recommender home is CREATE PENDING" },
  { "a batch inference job that runs",
    function() return solution { solutionVersions = { { id = "a1b2c3d4",
      batchInferenceJobs = { { jobName = "mails",
        status = "IN PROGRESS" } } } } } end, nil,
    "warning batch_running", ARN .. "batch-inference-job/mails",
    "batch inference job mails is IN PROGRESS" },
  { "a batch segment job that waits",
    function() return solution { solutionVersions = { { id = "a1b2c3d4",
      batchSegmentJobs = { { jobName = "segments", status = "PENDING" } } } } }
    end, nil, "warning batch_running", ARN .. "batch-segment-job/segments",
    "segments" },
  { "another data deletion job",
    function() return { dataDeletionJobs = { { jobName = "other",
      datasetGroup = "shop", status = "IN_PROGRESS" } } } end, nil,
    "warning deletion_running", ARN .. "data-deletion-job/other", "other" },
  { "a dataset group with a KMS key",
    function() return group { kmsKeyArn =
      "arn:aws:kms:eu-west-1:123456789012:key/2" } end, nil,
    "warning group_has_key", GROUP, "key/2" },
  { "automatic training",
    function() return solution { performAutoTraining = true } end, nil,
    "warning auto_training", ARN .. "solution/popular", "every 7 days" },
  { "automatic training of its own schedule",
    function() return solution { performAutoTraining = true,
      solutionConfig = { autoTrainingConfig = {
        schedulingExpression = "rate(1 day)" } } } end, nil,
    "warning auto_training", ARN .. "solution/popular", "every day" },
  { "automatic training that an update has turned on",
    function() return solution { performAutoTraining = false,
      latestSolutionUpdate = { status = "ACTIVE", performAutoTraining = true,
        solutionUpdateConfig = { autoTrainingConfig = {
          schedulingExpression = "rate(3 days)" } } } } end, nil,
    "warning auto_training", ARN .. "solution/popular", "every 3 days" },
  { "incremental updates",
    function() return solution { performIncrementalUpdate = true } end, nil,
    "warning incremental_update", ARN .. "solution/popular", "incrementally" },
  { "a recommender that is ACTIVE",
    function() return group { recommenders = { { name = "home" } } } end, nil,
    "warning recommender_active", ARN .. "recommender/home", "ACTIVE" },
  { "an event tracker that is ACTIVE",
    function() return group { eventTrackers = { { name = "clicks" } } } end,
    nil, "warning tracker_active", nil, "clicks" },
  { "a bucket with versions",
    function() return bucket { versioning = "Enabled" } end, nil,
    "warning bucket_versions", BUCKET, "versions" },
  { "a bucket with MFA delete",
    function() return bucket { versioning = "Enabled", mfaDelete = "Enabled" }
    end, nil, "warning bucket_mfa_delete", BUCKET, "MFA" },
  { "a bucket with Object Lock",
    function() return bucket { objectLock = { Mode = "COMPLIANCE", Days = 7 } }
    end, nil, "warning bucket_lock", BUCKET, "7 days (COMPLIANCE)" },
  { "a bucket that is public",
    function() return bucket { isPublic = "TRUE" } end, nil,
    "warning bucket_public", BUCKET, "public" },
  { "a role that may not read",
    function() return role { policy = preflights.policy { Effect = "Allow",
      Action = "s3:GetObject", Resource = "*" } } end, { simulate = true },
    "warning role_denied", nil, "s3:ListBucket" },
  { "other dataset groups",
    function() return { datasetGroups = { { name = "films" },
      { name = "broken", status = "CREATE FAILED" } } } end, nil,
    "warning other_groups", nil, "dataset-group/films" },

  -- What nobody here can judge.
  { "a bucket's policy that asks who",
    function() return bucket { policy = preflights.policy(preflights.allow(),
      { Effect = "Deny", Principal = "*", Action = "s3:*",
        Resource = "arn:aws:s3:::erasure/*", Condition = { StringNotLike = {
        ["aws:PrincipalArn"] = "arn:*" } } }) } end, nil,
    "unknown bucket_policy_unjudged", BUCKET, "cannot be judged" },
  { "a bucket's policy that is none",
    function() return bucket { policy = "{ no JSON" } end, nil,
    "unknown bucket_policy_unjudged", BUCKET, "cannot be judged" },
  { "a trust policy that is none",
    function() return role { trust = "percent 100%: no JSON" } end, nil,
    "unknown role_trust_unjudged", nil, "cannot be judged" },
  { "a trust policy that asks for one dataset group",
    function() return role { trust = preflights.policy { Effect = "Allow",
      Principal = PERSONALIZE, Action = "sts:AssumeRole", Condition = {
      ArnLike = { ["aws:SourceArn"] = GROUP } } } } end, nil,
    "unknown role_trust_unjudged", nil, "cannot be judged" },
}

describe("a look ahead", function()
  it("has nothing to say of a quiet world", function()
    preflights.reset(server)
    local _, findings, summary = preflights.look(server)
    assert.same({}, findings)
    assert.equal(0, summary.blockers + summary.warnings + summary.unknown)
    assert.equal(preflights.ACCOUNT, summary.caller.account)
    assert.same({ GROUP }, summary.dataset_group_arns)
    assert.same({}, summary.other_groups)
  end)

  for _, row in ipairs(ROWS) do
    local title, world, options, expected, subject, words = row[1], row[2],
      row[3], row[4], row[5], row[6]
    it("finds " .. title, function()
      preflights.reset(server)
      local more = world and world()
      if more then
        server:admin("POST", "world", more)
      end
      local by_code, findings, summary = preflights.look(server, options)
      local kind, code = expected:match "^(%S+) (%S+)$"
      local found = by_code[code]
      assert.is_table(found, table.concat(preflights.codes(findings), ", "))
      assert.equal(kind, found.kind)
      assert.truthy(found.message:find(words, 1, true), found.message)
      assert.equal(subject or found.subject, found.subject)
      assert.is_string(found.reason)
      assert.is_string(found.advice)
      assert.truthy(found.basis == "AWS" or found.basis == "inferred")
      -- Nothing else stands in the way, and nothing is left unsaid.
      for _, other in ipairs(findings) do
        assert.truthy(other.kind == "warning" or other == found,
          other.message)
      end
      assert.equal(kind == "blocker" and 1 or 0, summary.blockers)
      assert.equal(kind == "unknown" and 1 or 0, summary.unknown)
    end)
  end

  it("finds nothing in what is over", function()
    preflights.reset(server, group { datasets = { {
        datasetType = "Interactions",
        datasetImportJobs = { { jobName = "a" }, { jobName = "b",
          status = "CREATE FAILED" } },
        datasetExportJobs = { { jobName = "c" } } } },
      solutions = { { name = "popular", performAutoTraining = false,
        latestSolutionUpdate = { status = "CREATE FAILED",
          performAutoTraining = true },
        solutionVersions = { { id = "a1b2c3d4", status = "CREATE STOPPED",
          batchInferenceJobs = { { jobName = "mails" } } } } } },
      recommenders = { { name = "home", status = "INACTIVE" } },
      eventTrackers = { { name = "clicks", status = "DELETE PENDING" } } })
    server:admin("POST", "world", { dataDeletionJobs = { { jobName = "old",
      datasetGroup = "shop", status = "COMPLETED" } } })
    assert.same({}, (select(2, preflights.look(server))))
  end)

  it("takes a status that is not known for one of what runs", function()
    preflights.reset(server, imports "WARMING UP")
    local found = preflights.look(server).import_running
    assert.truthy(found.message:find("WARMING UP, which is not known here", 1,
      true), found.message)
    preflights.reset(server, group { recommenders = { { name = "home",
      status = "DREAMING" } } })
    assert.truthy(preflights.look(server).training_running)
  end)

  it("of credentials of another account is in the way of all", function()
    preflights.reset(server)
    local other = { datasetGroupArn = GROUP:gsub("123456789012",
      "210987654321"), roleArn = server.role_arn:gsub("123456789012",
      "210987654321") }
    local by_code, findings = preflights.look(server, other)
    assert.truthy(by_code.account_mismatch, table.concat(
      preflights.codes(findings), ", "))
    assert.truthy(by_code.account_mismatch.message:find("210987654321", 1,
      true))
    -- IAM would have looked in the caller's account.
    assert.is_nil(preflights.operations(server).GetRole)
    assert.is_nil(by_code.role_missing)
  end)

  it("of ARNs that do not fit is refused, or says so where nothing is checked",
    function()
      preflights.reset(server)
      local mixed = { roleArn = server.role_arn:gsub("123456789012",
        "210987654321") }
      local ok, e = pcall(preflights.look, server, mixed)
      assert.is_false(ok)
      assert.equal("ParamValidationError", e.code)
      assert.equal("roleArn", e.params[1].path)
      local found = preflights.look(server, mixed,
        { parameter_validation = false })
      assert.equal("blocker", found.account_mismatch.kind)
      assert.truthy(found.account_mismatch.message:find("210987654321", 1,
        true))
      found = preflights.look(server, { datasetGroupArn = GROUP:gsub(
        "eu%-west%-1", "eu-central-1") }, { parameter_validation = false })
      assert.truthy(found.account_mismatch.message:find("eu-central-1", 1,
        true))
      found = preflights.look(server, { bucket = "erasure--euw1-az1--x-s3" },
        { parameter_validation = false })
      assert.equal("blocker", found.bucket_directory.kind)
    end)

  it("knows the list's size", function()
    preflights.reset(server)
    local filler = ("x"):rep(240)
    local found = preflights.look(server, { part_size = 200 * 1000 * 1000,
      users = (function()
        local i = 0
        return function()
          i = i + 1
          return i <= 450000 and filler .. ("%010d"):format(i) or nil
        end
      end)() })
    assert.equal("blocker", found.list_too_large.kind)
    assert.truthy(found.list_too_large.message:find("112950008 bytes", 1, true),
      found.list_too_large.message)
  end)

  it("sees no list that has faults", function()
    preflights.reset(server)
    local ok, e = pcall(preflights.look, server, { text = "ID\na\n" })
    assert.is_false(ok)
    assert.equal("UserListError", e.code)
    assert.equal(0, server:requests().count)
  end)

  it("takes the options of delete_users, and the place of a list", function()
    preflights.reset(server)
    assert.same({}, (select(2, preflights.look(server, { name = "night",
      users = { "a" }, prefix = "p", ticket = "T1", wait = false,
      cleanup = true, dry_run = false, tags = { a = "b" }, poll = 5 }))))
    for path, options in pairs {
      location = { location = BUCKET .. "/a.csv" },
      bucket = { bucket = NONE }, roleArn = { roleArn = NONE },
      datasetGroupArn = { datasetGroupArn = NONE },
      strict = { strict = "yes" }, nonsense = { nonsense = 1 },
      except = { except = { GROUP } }, users = { users = {}, file = "x" },
    } do
      local ok, e = pcall(preflights.look, server, options)
      assert.is_false(ok, path)
      assert.equal("ParamValidationError", e.code)
      assert.equal(path, e.params[1].path)
    end
  end)

  it("goes on with a run whose jobs are over the same list", function()
    preflights.reset(server)
    local options = preflights.options(server, { name = "night",
      users = { "a" }, wait = false })
    server:client():delete_users(options)
    local _, findings = preflights.look(server, { name = "night",
      users = { "a" } })
    assert.same({}, preflights.codes(findings))
  end)

  it("is a function of the module, too", function()
    assert.is_function(personalize.preflight)
  end)
end)

describe("the requests of a look", function()
  local function world()
    local datasets = {}
    for i, kind in ipairs { "Interactions", "Items", "Users" } do
      datasets[i] = { datasetType = kind }
    end
    return group { datasets = datasets, solutions = {
      { name = "popular", performAutoTraining = false, solutionVersions = {
        { id = "a1b2c3d4" } } },
      { name = "similar", performAutoTraining = false } } }
  end

  -- As the facts of AWS have them, in order: 17, and what is S3's and IAM's.
  local PERSONALIZE_READS = { "GetCallerIdentity", "DescribeDatasetGroup",
    "ListDataDeletionJobs", "ListDatasets", "ListDatasetImportJobs",
    "ListDatasetExportJobs", "ListDatasetImportJobs", "ListDatasetExportJobs",
    "ListDatasetImportJobs", "ListDatasetExportJobs", "ListSolutions",
    "DescribeSolution", "DescribeSolution", "ListBatchInferenceJobs",
    "ListBatchSegmentJobs", "ListRecommenders", "ListEventTrackers" }
  local OTHERS = { "ListDatasetGroups", "HeadBucket", "GetBucketEncryption",
    "GetBucketVersioning", "GetBucketPolicy", "GetBucketPolicyStatus",
    "GetObjectLockConfiguration", "GetRole" }

  local function asked()
    local names = {}
    for i, request in ipairs(server:requests().requests) do
      names[i] = request.operation
    end
    return names
  end

  it("are 17 for 3 datasets and 2 solutions, and 8 around them, one by one",
    function()
      preflights.reset(server, world())
      local _, findings, summary = preflights.look(server)
      assert.same({}, findings)
      local expected = {}
      for _, list in ipairs { PERSONALIZE_READS, OTHERS } do
        for _, name in ipairs(list) do
          expected[#expected + 1] = name
        end
      end
      assert.equal(17, #PERSONALIZE_READS)
      assert.same(expected, asked())
      assert.equal(25, summary.requests)
    end)

  it("share what is the account's", function()
    local more = world()
    more.datasetGroups[2] = { name = "films", datasets = { {
      datasetType = "Interactions" } } }
    preflights.reset(server, more)
    local _, findings, summary = preflights.look(server, { datasetGroupArn = {
      GROUP, ARN .. "dataset-group/films" } })
    assert.same({}, findings)
    local counts = preflights.operations(server)
    for name, count in pairs { GetCallerIdentity = 1, DescribeDatasetGroup = 2,
      ListDataDeletionJobs = 2, ListDatasets = 2, ListDatasetImportJobs = 4,
      ListSolutions = 2, ListBatchInferenceJobs = 1, ListBatchSegmentJobs = 1,
      ListRecommenders = 2, ListEventTrackers = 2, ListDatasetGroups = 1,
      HeadBucket = 1, GetRole = 1 } do
      assert.equal(count, counts[name], name)
    end
    assert.equal(server:requests().count, summary.requests)
  end)

  it("are of every version where strict", function()
    preflights.reset(server, world())
    preflights.look(server, { strict = true })
    local counts = preflights.operations(server)
    assert.equal(2, counts.ListSolutionVersions)
    assert.equal(1, counts.ListBatchInferenceJobs) -- of the one version
  end)

  it("are of every version where lists of batch jobs want that", function()
    local running = solution { solutionVersions = { { id = "a1b2c3d4",
      batchInferenceJobs = { { jobName = "mails",
        status = "IN PROGRESS" } } } } }
    preflights.reset(server, running)
    server:admin("POST", "settings", { batch_lists = "refused" })
    local by_code, findings = preflights.look(server)
    assert.same({ "warning batch_running" }, preflights.codes(findings))
    assert.equal(ARN .. "batch-inference-job/mails",
      by_code.batch_running.subject)
    assert.equal(1, preflights.operations(server).ListSolutionVersions)
    -- A list that is empty without one may be no answer: strict does not
    -- believe it.
    server:admin("POST", "settings", { batch_lists = "empty" })
    assert.is_nil(preflights.look(server).batch_running)
    assert.truthy(preflights.look(server, { strict = true }).batch_running)
  end)
end)

describe("dataset groups, all of them,", function()
  local function world()
    return { datasetGroups = { { name = "films" }, { name = "music" },
      { name = "broken", status = "CREATE FAILED" },
      { name = "gone", status = "DELETE PENDING" } } }
  end
  local function arn(name)
    return ARN .. "dataset-group/" .. name
  end

  it("are looked at, but for the exceptions", function()
    preflights.reset(server, world())
    local _, findings, summary = preflights.look(server, {
      datasetGroupArn = NONE, all_dataset_groups = true,
      except = arn "music" })
    assert.same({ GROUP, arn "films" }, summary.dataset_group_arns)
    assert.same({ { dataset_group_arn = arn "music", status = "ACTIVE" },
      { dataset_group_arn = arn "broken", status = "CREATE FAILED" } },
      summary.other_groups)
    assert.same({ "warning other_groups" }, preflights.codes(findings))
    assert.equal(1, preflights.operations(server).ListDatasetGroups)
  end)

  it("are not taken with an exception that is none of them", function()
    preflights.reset(server, world())
    local ok, e = pcall(preflights.look, server, { datasetGroupArn = NONE,
      all_dataset_groups = true, except = { arn "music", arn "musik" } })
    assert.is_false(ok)
    assert.equal("ParamValidationError", e.code)
    assert.equal("except[2]", e.params[1].path)
  end)

  it("are not none", function()
    preflights.reset(server, { datasetGroups = { { name = "shop",
      status = "CREATE FAILED" } } })
    local ok, e = pcall(preflights.look, server, { datasetGroupArn = NONE,
      all_dataset_groups = true })
    assert.is_false(ok)
    assert.equal("all_dataset_groups", e.params[1].path)
  end)

  it("may be a thousand", function()
    local many = {}
    for i = 1, 999 do
      many[i] = { name = ("group-%03d"):format(i) }
    end
    preflights.reset(server, { datasetGroups = many })
    local by_code, _, summary = preflights.look(server)
    assert.equal(999, #summary.other_groups)
    assert.truthy(by_code.other_groups.message:find("and 994 more", 1, true))
    assert.truthy(#by_code.other_groups.message < 1000)
    assert.equal(10, preflights.operations(server).ListDatasetGroups)
  end)
end)
