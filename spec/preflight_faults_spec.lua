--- A look ahead whose reads fail, one by one: what is not known is told, and never
-- stands in the way.

local core = require "personalize.core"
local personalize = require "personalize"
local preflights = require "spec.support.preflights"
local stub = require "spec.support.stub"

local unpack = table.unpack or rawget(_G, "unpack")
local ARN, GROUP = preflights.ARN, preflights.GROUP
local DAY = 24 * 3600

local server

setup(function() server = preflights.start() end)
teardown(function() preflights.stop(server) end)

-- A world with one of everything, of which only warnings are to be said.
local function full()
  return { datasetGroups = { { name = "shop",
    datasets = { { datasetType = "Interactions",
      datasetImportJobs = { { jobName = "nightly" } } } },
    solutions = { { name = "popular", performAutoTraining = false,
      solutionVersions = { { id = "a1b2c3d4" } } } },
    recommenders = { { name = "home", status = "INACTIVE" } } } } }
end

-- No pause is real.
local function at_once()
  return { sleep = function() return true end }
end

local function look(more)
  return preflights.look(server, more, at_once())
end

-- Operation, and the IAM action that it needs.
local READS = {
  DescribeDatasetGroup = "personalize:DescribeDatasetGroup",
  ListDataDeletionJobs = "personalize:ListDataDeletionJobs",
  ListDatasets = "personalize:ListDatasets",
  ListDatasetImportJobs = "personalize:ListDatasetImportJobs",
  ListDatasetExportJobs = "personalize:ListDatasetExportJobs",
  ListSolutions = "personalize:ListSolutions",
  DescribeSolution = "personalize:DescribeSolution",
  ListBatchInferenceJobs = "personalize:ListBatchInferenceJobs",
  ListBatchSegmentJobs = "personalize:ListBatchSegmentJobs",
  ListRecommenders = "personalize:ListRecommenders",
  DescribeRecommender = "personalize:DescribeRecommender",
  ListEventTrackers = "personalize:ListEventTrackers",
  ListDatasetGroups = "personalize:ListDatasetGroups",
  HeadBucket = "s3:ListBucket",
  GetBucketEncryption = "s3:GetEncryptionConfiguration",
  GetBucketVersioning = "s3:GetBucketVersioning",
  GetBucketPolicy = "s3:GetBucketPolicy",
  GetBucketPolicyStatus = "s3:GetBucketPolicyStatus",
  GetObjectLockConfiguration = "s3:GetBucketObjectLockConfiguration",
  GetRole = "iam:GetRole",
  GetCallerIdentity = "sts:GetCallerIdentity",
}

-- That one read failed, and how.
local function only_unknown(operation, findings)
  assert.equal(1, #findings, table.concat(preflights.codes(findings), ", "))
  local found = findings[1]
  assert.equal("unknown", found.kind)
  assert.equal("unreadable", found.code)
  assert.equal(operation, found.operation)
  assert.is_string(found.error)
  assert.is_string(found.reason)
  assert.is_string(found.advice)
  return found
end

for operation, action in pairs(READS) do
  describe(operation, function()
    it("refused is told, with the action that was missing", function()
      preflights.reset(server, full())
      server:admin("POST", "deny", { action })
      local _, findings, summary = look()
      local found = only_unknown(operation, findings)
      assert.equal(action, found.action)
      assert.truthy(found.advice:find("Allow " .. action, 1, true),
        found.advice)
      assert.equal(0, summary.blockers)
      assert.equal(1, summary.unknown)
      assert.equal(server:requests().count, summary.requests)
    end)

    it("throttled, broken or without an answer is told", function()
      local s3 = action:find "^s3:"
      for _, fault in ipairs { s3 and "SlowDown" or "ThrottlingException",
        "status-500", "html-200", "garbled", "cut", "close" } do
        -- HEAD has no body to be spoilt; and without a first answer there is
        -- nothing to look at (below).
        local is_left_out = operation == "HeadBucket" and
          (fault == "html-200" or fault == "garbled" or fault == "cut") or
          operation == "DescribeDatasetGroup" and fault == "close"
        if not is_left_out then
          preflights.reset(server, full())
          server:fault { spec = ("%s=%s"):format(operation, fault) }
          local _, findings, summary = look()
          if operation ~= "GetBucketPolicy" or fault ~= "html-200" and
            fault ~= "garbled" then
            local found = only_unknown(operation, findings)
            assert.is_nil(found.action, fault)
          else
            assert.same({ "unknown bucket_policy_unjudged" },
              preflights.codes(findings), fault)
          end
          assert.equal(0, summary.blockers, fault)
        end
      end
    end)
  end)
end

describe("a list", function()
  for _, operation in ipairs { "ListDataDeletionJobs", "ListDatasets",
    "ListDatasetImportJobs", "ListSolutions", "ListBatchInferenceJobs",
    "ListRecommenders", "ListEventTrackers", "ListDatasetGroups" } do
    it("with the same token again is told, not followed for ever: " ..
      operation, function()
        preflights.reset(server, full())
        server:fault { spec = operation .. "=same-token" }
        local _, findings = look()
        local found = only_unknown(operation, findings)
        assert.truthy(found.reason:find("same nextToken", 1, true))
        assert.truthy(preflights.operations(server)[operation] <= 3)
      end)

    it("with a page too many, or an empty one, is read: " .. operation,
      function()
        for _, fault in ipairs { "extra-page", "empty-page:1" } do
          preflights.reset(server, full())
          server:fault { spec = operation .. "=" .. fault }
          assert.same({}, (select(2, look())))
        end
      end)
  end

  it("of many pages is read to its end", function()
    local jobs = {}
    for i = 1, 25 do
      jobs[i] = { jobName = "import-" .. i,
        status = i == 1 and "CREATE PENDING" or "ACTIVE", created = -i }
    end
    preflights.reset(server, { datasetGroups = { { name = "shop", datasets = { {
      datasetType = "Interactions", datasetImportJobs = jobs } } } } })
    server:admin("POST", "settings", { list_page_size = 4 })
    local by_code = look()
    assert.equal(ARN .. "dataset-import-job/import-1",
      by_code.import_running.subject)
    assert.equal(7, preflights.operations(server).ListDatasetImportJobs)
  end)

  it("that is denied is asked for once, whatever the number of groups",
    function()
      preflights.reset(server, { datasetGroups = { { name = "films" },
        { name = "music" } } })
      server:admin("POST", "deny", { "personalize:List*" })
      local _, findings = look { datasetGroupArn = { GROUP,
        ARN .. "dataset-group/films", ARN .. "dataset-group/music" } }
      for operation, count in pairs(preflights.operations(server)) do
        if operation:find "^List" then
          assert.equal(1, count, operation)
        end
      end
      for _, found in ipairs(findings) do
        assert.equal("unreadable", found.code)
        assert.is_nil(found.dataset_group_arn)
      end
    end)
end)

describe("an answer", function()
  -- What each operation answers; a function, or a body.
  local answers
  local function reset()
    answers = {
      GetCallerIdentity = "<GetCallerIdentityResponse>" ..
        "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>" ..
        "<Account>123456789012</Account></GetCallerIdentityResult>" ..
        "</GetCallerIdentityResponse>",
      GetRole = "<GetRoleResponse><GetRoleResult><Role><Arn>" ..
        "arn:aws:iam::123456789012:role/PersonalizeS3</Arn>" ..
        "<AssumeRolePolicyDocument>%7B%22Statement%22%3A%7B%22Effect%22%3A" ..
        "%22Allow%22%2C%22Principal%22%3A%22*%22%2C%22Action%22%3A" ..
        "%22sts%3AAssumeRole%22%7D%7D</AssumeRolePolicyDocument></Role>" ..
        "</GetRoleResult></GetRoleResponse>",
      HEAD = "", encryption = "<ServerSideEncryptionConfiguration/>",
      versioning = "<VersioningConfiguration/>",
      policyStatus = "<PolicyStatus/>",
      policy = '{"Statement":{"Effect":"Allow","Principal":{"Service":' ..
        '"personalize.amazonaws.com"},"Action":"s3:*","Resource":"*"}}',
      ["object-lock"] = "<ObjectLockConfiguration/>",
      DescribeDatasetGroup = '{"datasetGroup":{"status":"ACTIVE"}}',
      ListDataDeletionJobs = '{"dataDeletionJobs":[]}',
      ListDatasets = '{"datasets":[{"datasetArn":"' .. ARN ..
        'dataset/shop/USERS"}]}',
      ListDatasetImportJobs = '{"datasetImportJobs":[]}',
      ListDatasetExportJobs = '{"datasetExportJobs":[]}',
      ListSolutions = '{"solutions":[{"solutionArn":"' .. ARN ..
        'solution/popular"}]}',
      DescribeSolution = '{"solution":{"performAutoTraining":false}}',
      ListBatchInferenceJobs = '{"batchInferenceJobs":[]}',
      ListBatchSegmentJobs = '{"batchSegmentJobs":[]}',
      ListRecommenders = '{"recommenders":[{"recommenderArn":"' .. ARN ..
        'recommender/home","status":"INACTIVE"}]}',
      DescribeRecommender = '{"recommender":{"status":"INACTIVE"}}',
      ListEventTrackers = '{"eventTrackers":[]}',
      ListDatasetGroups = '{"datasetGroups":[]}',
    }
  end
  before_each(reset)

  local function operation_of(request)
    for _, header in ipairs(request.headers) do
      if header[1] == "x-amz-target" then
        return header[2]:match "%.(%w+)$"
      end
    end
    if request.method == "POST" then
      return request.body:match "^Action=(%w+)"
    end
    return request.url:match "%?([%w-]+)=" or request.method
  end

  local function look_at(more)
    local client = stub.client(function(request)
      local answer = answers[operation_of(request)]
      if type(answer) == "function" then
        return answer(request)
      end
      return stub.response(assert(answer, operation_of(request)), 200, {})
    end)
    local options = { datasetGroupArn = GROUP, bucket = "erasure",
      roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3" }
    for name, value in pairs(more or {}) do
      options[name] = value
      if value == preflights.NONE then
        options[name] = nil
      end
    end
    return client:preflight(options)
  end

  it("that says nothing but what it must is enough", function()
    assert.same({}, preflights.codes((look_at())))
  end)

  for operation in pairs { DescribeDatasetGroup = 1, ListDatasets = 1,
    ListDatasetImportJobs = 1, ListDatasetExportJobs = 1, ListSolutions = 1,
    DescribeSolution = 1, ListBatchInferenceJobs = 1,
    ListBatchSegmentJobs = 1, ListRecommenders = 1, DescribeRecommender = 1,
    ListEventTrackers = 1, ListDatasetGroups = 1 } do
    it("that is empty, or another, is none: " .. operation, function()
      for _, body in ipairs { "", "{}", "[]", "null", '{"x":1}', "true",
        '{"nextToken":5}' } do
        reset()
        answers[operation] = body
        local findings = look_at()
        assert.same({ "unknown unreadable" }, preflights.codes(findings),
          body)
        assert.equal(operation, findings[1].operation)
      end
    end)
  end

  it("may have members that are new, null or of items without ARNs", function()
    answers.ListDatasets = '{"datasets":[{},{"datasetArn":null,"x":{"y":[1]}},' ..
      'null],"later":1}'
    answers.ListSolutions = '{"solutions":[{"name":"a","status":null}]}'
    answers.ListRecommenders = '{"recommenders":[{"status":"ACTIVE"}]}'
    answers.ListEventTrackers = '{"eventTrackers":[{"status":"ACTIVE"}]}'
    answers.ListBatchInferenceJobs = '{"batchInferenceJobs":[{"status":' ..
      '"PENDING"},{"solutionVersionArn":"x","status":"PENDING"}]}'
    answers.ListDatasetGroups = '{"datasetGroups":[{},{"status":"ACTIVE"}]}'
    answers.ListDataDeletionJobs = '{"dataDeletionJobs":[{},{"status":' ..
      '"PENDING"}]}'
    assert.same({ "warning deletion_running", "warning deletion_running",
      "warning recommender_active", "warning tracker_active" },
      preflights.codes((look_at { name = "night" })))
  end)

  it("has statuses that are missing, which count as running", function()
    answers.ListDatasetImportJobs = '{"datasetImportJobs":[{"jobName":"a"}]}'
    answers.DescribeDatasetGroup = '{"datasetGroup":{}}'
    assert.same({ "blocker group_not_active" }, preflights.codes((look_at())))
    answers.DescribeDatasetGroup = '{"datasetGroup":{"status":"ACTIVE"}}'
    local findings = look_at()
    assert.same({ "warning import_running" }, preflights.codes(findings))
    assert.truthy(findings[1].message:find("without a status", 1, true))
  end)

  it("does not reach the screen as it is", function()
    answers.ListDatasetImportJobs = '{"datasetImportJobs":[{"jobName":' ..
      '"a\\u001b[31m","status":"RUN\\u202eNING","datasetImportJobArn":"x\\n"}]}'
    local found = look_at()[1]
    for _, value in pairs(found) do
      assert.equal(core.printable(value), value)
    end
  end)

  it("that names an ARN nobody could have is not known", function()
    answers.ListSolutions = '{"solutions":[{"solutionArn":"no ARN"}]}'
    assert.same({ "unknown unreadable" }, preflights.codes((look_at())))
  end)

  it("may be of a thousand dataset groups", function()
    local groups = {}
    for i = 1, 1000 do
      groups[i] = ('{"datasetGroupArn":"%sdataset-group/g%d","status":' ..
        '"ACTIVE"}'):format(ARN, i)
    end
    local at = 0
    function answers.ListDatasetGroups()
      local page = { unpack(groups, at + 1, at + 100) }
      at = at + 100
      return stub.response(('{"datasetGroups":[%s]%s}'):format(
        table.concat(page, ","), at < 1000 and (',"nextToken":"t%d"'):format(at)
        or ""), 200, {})
    end
    local findings, summary = look_at()
    assert.same({ "warning other_groups" }, preflights.codes(findings))
    assert.equal(1000, #summary.other_groups)
    at = 0
    -- All of them: each is looked at, and what is the account's once.
    findings, summary = look_at { all_dataset_groups = true,
      datasetGroupArn = preflights.NONE }
    assert.same({}, preflights.codes(findings))
    assert.equal(1000, #summary.dataset_group_arns)
    assert.equal(10 + 1 + 1000 * 10 + 2 + 7, summary.requests)
  end)

  it("that something is gone meanwhile is no finding", function()
    for _, operation in ipairs { "DescribeSolution", "DescribeRecommender" } do
      reset()
      answers[operation] = function()
        return stub.response('{"__type":"ResourceNotFoundException"}', 400, {})
      end
      assert.same({}, preflights.codes((look_at())))
    end
  end)

  it("of an account that nobody told makes no role missing", function()
    answers.GetCallerIdentity = ""
    answers.DescribeDatasetGroup = function()
      return stub.response('{"__type":"AccessDeniedException"}', 400, {})
    end
    answers.GetRole = function()
      return stub.response("<ErrorResponse><Error><Code>NoSuchEntity</Code>" ..
        "</Error></ErrorResponse>", 404, {})
    end
    assert.same({ "unknown role_trust_unjudged", "unknown unreadable",
      "unknown unreadable" }, preflights.codes((look_at())))
  end)
end)

describe("a look", function()
  local function raised(options, client_options)
    local ok, e = pcall(preflights.look, server, options, client_options)
    assert.is_false(ok)
    assert.is_true(personalize.is_error(e), tostring(e))
    return e
  end

  it("ends where the keys are refused: nothing would be known", function()
    preflights.reset(server, full())
    local e = raised(nil, { credentials = { access_key_id = "AKIDNOBODY",
      secret_access_key = "x" } })
    assert.equal("service", e.kind)
    assert.equal(1, server:requests().count)
    e = raised(nil, { credentials = function() return nil, "sealed" end })
    assert.equal("CredentialsError", e.code)
  end)

  it("ends where Amazon Personalize cannot be reached", function()
    preflights.reset(server, full())
    local e = raised(nil, { max_attempts = 1, endpoints = {
      personalize = "http://127.0.0.1:1" } })
    assert.equal("ConnectionError", e.code)
    assert.equal("DescribeDatasetGroup", e.operation)
  end)

  it("goes on where STS, IAM or S3 cannot be reached", function()
    for service, count in pairs { sts = 1, iam = 1, s3 = 5 } do
      preflights.reset(server, full())
      local _, findings, summary = preflights.look(server, nil, {
        max_attempts = 1, endpoints = { [service] = "http://127.0.0.1:1" } })
      assert.equal(count, #findings, service)
      assert.equal(count, summary.unknown)
    end
  end)

  it("ends on Ctrl-C", function()
    preflights.reset(server, full())
    server:fault { spec = "ListSolutions=ThrottlingException" }
    local e = raised(nil, { sleep = function() return false end })
    assert.equal("InterruptedError", e.code)
  end)

  it("tells how far it is; what that raises ends it", function()
    preflights.reset(server, full())
    local phases = {}
    preflights.look(server, { on_progress = function(progress)
      phases[#phases + 1] = progress.phase
      assert.is_number(progress.requests)
    end })
    assert.truthy(#phases >= 2)
    local e = raised { on_progress = function() error("enough", 0) end }
    assert.equal("InterruptedError", e.code)
    assert.equal("enough", e.cause)
  end)

  it("says to a denied caller which action was missing, in AWS's words",
    function()
      preflights.reset(server, full())
      server:admin("POST", "deny", { "personalize:ListSolutions" })
      local found = look().unreadable
      local caller = "arn:aws:iam::123456789012:user/"
      assert.equal("The solutions, and so training and batch jobs, could not " ..
        "be read", found.message)
      assert.truthy(found.reason:find("User: " .. caller, 1, true),
        found.reason)
      assert.truthy(found.reason:find("is not authorized to perform: " ..
        "personalize:ListSolutions on resource: * because no identity-based " ..
        "policy allows the personalize:ListSolutions action", 1, true),
        found.reason)
      assert.equal("AccessDeniedException", found.error)
      assert.equal("Allow personalize:ListSolutions to the caller, or look " ..
        "yourself.", found.advice)
    end)

  it("knows of solutions of more than a day ago what trains them", function()
    preflights.reset(server, { datasetGroups = { { name = "shop",
      solutions = { { name = "popular", solutionVersions = { {
        id = "a1b2c3d4", created = -9 * DAY } } } } } } })
    local found = look().auto_training
    assert.truthy(found.message:find("last on 20%d%d%-"), found.message)
  end)

  it("needs a bucket's owner to be the one that is expected", function()
    preflights.reset(server)
    local _, findings, summary = look { expected_bucket_owner = "210987654321" }
    assert.equal(0, summary.blockers)
    assert.truthy(#findings > 0)
    for _, found in ipairs(findings) do
      assert.equal("unreadable", found.code)
    end
  end)

  it("cannot see into another account's bucket", function()
    preflights.reset(server, { buckets = { { name = "theirs",
      owner = "210987654321", policy = preflights.policy(preflights.allow {
        Principal = "*", Action = "s3:*", Resource = "*" }) } } })
    local _, findings = look { bucket = "theirs" }
    local codes = preflights.codes(findings)
    assert.same({ "unknown unreadable" }, codes)
    assert.equal("MethodNotAllowed", findings[1].error)
  end)
end)
