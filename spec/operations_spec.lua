--- The six operations, end to end, against a server that checks each
-- signature; over plain HTTP and over TLS.

local aws = require "spec.support.aws"
local personalize = require "personalize"
local stub = require "spec.support.stub"

local OPTIONS = "--job-seconds 3600 --dataset-group shop --dataset-group other"

-- The exceptions of each operation, as the service's reference has them.
local EXCEPTIONS = {
  CreateDataDeletionJob = { "InvalidInputException",
    "ResourceNotFoundException", "ResourceAlreadyExistsException",
    "LimitExceededException", "ResourceInUseException",
    "TooManyTagsException" },
  DescribeDataDeletionJob = { "InvalidInputException",
    "ResourceNotFoundException" },
  ListDataDeletionJobs = { "InvalidInputException",
    "InvalidNextTokenException" },
  TagResource = { "InvalidInputException", "ResourceNotFoundException",
    "TooManyTagsException", "ResourceInUseException",
    "LimitExceededException" },
  UntagResource = { "InvalidInputException", "ResourceNotFoundException",
    "TooManyTagKeysException", "ResourceInUseException" },
  ListTagsForResource = { "InvalidInputException",
    "ResourceNotFoundException", "ResourceInUseException" },
}

-- What any service may answer besides.
local UNMODELLED = { "AccessDeniedException", "UnrecognizedClientException",
  "InvalidSignatureException", "ExpiredTokenException", "OptInRequired",
  "ValidationException", "SerializationException" }

local METHODS = {
  CreateDataDeletionJob = "create_data_deletion_job",
  DescribeDataDeletionJob = "describe_data_deletion_job",
  ListDataDeletionJobs = "list_data_deletion_jobs",
  TagResource = "tag_resource",
  UntagResource = "untag_resource",
  ListTagsForResource = "list_tags_for_resource",
}

local fails = stub.failure

local function each(list)
  local names = {}
  for name in pairs(list) do
    names[#names + 1] = name
  end
  table.sort(names)
  return ipairs(names)
end

-- Every place where an answer may name its error, in every spelling.
local PLACES = { "type", "type+ns", "type+ns+uri", "code+uri", "header",
  "header+ns+uri" }

local function specify(scheme, options, places)
  local server, client, file

  setup(function()
    file = os.tmpname()
    local list = assert(io.open(file, "w"))
    list:write("USER_ID\nu1\nu2\nu3\n")
    list:close()
    server = aws.start(("%s %s --object users.csv=%s"):format(options, OPTIONS,
      file))
  end)
  teardown(function()
    if server then
      server:stop()
    end
    os.remove(file)
  end)
  before_each(function()
    server:reset()
    -- One attempt: what is tried again is the retry's spec.
    client = server:client { max_attempts = 1 }
  end)
  after_each(function()
    client:close()
  end)

  -- An input that would be right for each operation.
  local function right_input(operation)
    local arn = client:create_data_deletion_job(server:job("first"))
      .dataDeletionJobArn
    return ({
      CreateDataDeletionJob = server:job "second",
      DescribeDataDeletionJob = { dataDeletionJobArn = arn },
      ListDataDeletionJobs = {},
      TagResource = { resourceArn = arn, tags = { a = "b" } },
      UntagResource = { resourceArn = arn, tagKeys = { "a" } },
      ListTagsForResource = { resourceArn = arn },
    })[operation]
  end

  local function tags_of(arn)
    local found = {}
    for i, tag in ipairs(client:list_tags_for_resource { resourceArn = arn }
      .tags) do
      found[i] = tag.tagKey .. "=" .. tag.tagValue
    end
    table.sort(found)
    return table.concat(found, " ")
  end

  it("speaks " .. scheme, function()
    assert.equal(scheme, server.endpoint:match("^%a+"))
  end)

  it("creates a job and describes it", function()
    local out = client:create_data_deletion_job(server:job "gdpr-1")
    assert.equal(server.dataset_group_arn:gsub("dataset%-group/.*",
      "data-deletion-job/gdpr-1"), out.dataDeletionJobArn)
    local job = client:describe_data_deletion_job {
      dataDeletionJobArn = out.dataDeletionJobArn }.dataDeletionJob
    assert.equal("gdpr-1", job.jobName)
    assert.equal(out.dataDeletionJobArn, job.dataDeletionJobArn)
    assert.equal(server.dataset_group_arn, job.datasetGroupArn)
    assert.same({ dataLocation = "s3://" .. server.bucket .. "/users.csv" },
      job.dataSource)
    assert.equal(server.role_arn, job.roleArn)
    assert.equal("PENDING", job.status)
    assert.is_nil(job.numDeleted)
    assert.is_nil(job.failureReason)
    assert.is_true(math.abs(job.creationDateTime - os.time()) < 60)
    assert.is_true(job.lastUpdatedDateTime >= job.creationDateTime)
  end)

  it("tells how many records a job deleted, as an integer", function()
    local arn = client:create_data_deletion_job(server:job "done")
      .dataDeletionJobArn
    server:admin("POST", "job", { jobName = "done", status = "COMPLETED" })
    local job = client:describe_data_deletion_job { dataDeletionJobArn = arn }
      .dataDeletionJob
    assert.equal("COMPLETED", job.status)
    assert.equal("3", tostring(job.numDeleted))
  end)

  it("tells why a job failed", function()
    local arn = client:create_data_deletion_job(server:job "lost")
      .dataDeletionJobArn
    server:admin("POST", "job", { jobName = "lost", status = "FAILED",
      failureReason = "the list is gone" })
    local job = client:describe_data_deletion_job { dataDeletionJobArn = arn }
      .dataDeletionJob
    assert.equal("FAILED", job.status)
    assert.equal("the list is gone", job.failureReason)
  end)

  it("lists jobs, newest first, page by page", function()
    local others = server.dataset_group_arns[2]
    for i = 1, 5 do
      client:create_data_deletion_job(server:job("job-" .. i))
      client:create_data_deletion_job(server:job("other-" .. i,
        { datasetGroupArn = others }))
    end
    local function names(input)
      local found, pages = {}, 0
      repeat
        local page = client:list_data_deletion_jobs(input)
        pages = pages + 1
        for _, job in ipairs(page.dataDeletionJobs) do
          found[#found + 1] = job.jobName
        end
        input.nextToken = page.nextToken
      until page.nextToken == nil
      return table.concat(found, " "), pages
    end
    local found, pages = names { datasetGroupArn = server.dataset_group_arn,
      maxResults = 2 }
    assert.equal("job-5 job-4 job-3 job-2 job-1", found)
    assert.equal(3, pages)
    found, pages = names {}
    assert.equal("other-5 job-5 other-4 job-4 other-3 job-3 other-2 job-2 " ..
      "other-1 job-1", found)
    assert.equal(1, pages)
    assert.equal(10, #client:list_data_deletion_jobs().dataDeletionJobs)
  end)

  it("lists nothing where there is nothing", function()
    local page = client:list_data_deletion_jobs()
    assert.same({}, page.dataDeletionJobs)
    assert.is_nil(page.nextToken)
  end)

  it("tags in both forms, and takes tags off", function()
    local arn = client:create_data_deletion_job(server:job("tagged",
      { tags = { ticket = "GDPR-42", team = "" } })).dataDeletionJobArn
    assert.equal("team= ticket=GDPR-42", tags_of(arn))
    local out = client:tag_resource { resourceArn = arn, tags = {
      { tagKey = "ticket", tagValue = "GDPR-43" },
      { tagKey = "f\195\188r", tagValue = "a b" },
    } }
    assert.same({}, out)
    assert.equal("f\195\188r=a b team= ticket=GDPR-43", tags_of(arn))
    out = client:untag_resource { resourceArn = arn,
      tagKeys = { "team", "ticket", "unknown" } }
    assert.same({}, out)
    assert.equal("f\195\188r=a b", tags_of(arn))
    arn = client:create_data_deletion_job(server:job("listed",
      { tags = { { tagKey = "k", tagValue = "v" } } })).dataDeletionJobArn
    assert.equal("k=v", tags_of(arn))
  end)

  it("takes empty lists of tags", function()
    local arn = client:create_data_deletion_job(server:job("bare",
      { tags = {} })).dataDeletionJobArn
    client:tag_resource { resourceArn = arn, tags = {} }
    client:untag_resource { resourceArn = arn, tagKeys = {} }
    assert.same({}, client:list_tags_for_resource { resourceArn = arn }.tags)
  end)

  it("makes a call of an operation it has no method for", function()
    local out, meta = client:call("DescribeDatasetGroup",
      { datasetGroupArn = server.dataset_group_arn })
    assert.equal("shop", out.datasetGroup.name)
    assert.equal("DescribeDatasetGroup", meta.operation)
    out = client:call("ListDatasetGroups", { maxResults = 1 })
    assert.equal(1, #out.datasetGroups)
    assert.is_string(out.nextToken)
    assert.equal(2, #client:call("ListDatasetGroups").datasetGroups)
  end)

  it("raises what the service says of an operation nobody has", function()
    local lenient = server:client { parameter_validation = false }
    local e = fails(lenient.call, lenient, "DeleteEverything", {})
    lenient:close()
    assert.equal("UnknownOperationException", e.code)
    assert.equal("DeleteEverything", e.operation)
    assert.equal(400, e.status)
  end)

  for _, operation in each(METHODS) do
    it(operation .. " answers with its meta", function()
      local input = right_input(operation)
      local _, meta = client[METHODS[operation]](client, input)
      local seen = server:last_request()
      assert.equal(operation, seen.operation)
      assert.equal(operation, meta.operation)
      assert.equal(seen.request_id, meta.request_id)
      assert.equal("200", tostring(meta.status))
      assert.equal("1", tostring(meta.attempts))
      assert.equal(server.endpoint .. "/", meta.endpoint)
      assert.equal(server.region, meta.region)
      assert.is_true(meta.elapsed > 0 and meta.elapsed < 60)
      assert.is_falsy(meta.reconciled)
    end)

    local function raises(code, where)
      it(operation .. (" raises %s (its name in: %s)"):format(code, where),
        function()
          local input = right_input(operation)
          local message = "what the service says of " .. code
          server:fault { name = code, operation = operation, where = where,
            message = message, status = 400 }
          local e = fails(client[METHODS[operation]], client, input)
          local seen = server:last_request()
          assert.equal(code, e.code)
          assert.is_true(personalize.is_error(e, code))
          assert.equal("service", e.kind)
          -- A hint of ours may follow.
          assert.equal(message, e.message:sub(1, #message))
          assert.equal("400", tostring(e.status))
          assert.equal(operation, e.operation)
          assert.equal(seen.request_id, e.request_id)
          assert.equal(400, seen.status)
          assert.equal("1", tostring(e.attempts))
        end)
    end

    for _, code in ipairs(EXCEPTIONS[operation]) do
      for _, where in ipairs(places) do
        raises(code, where)
      end
    end
    for _, code in ipairs(UNMODELLED) do
      raises(code, "type")
    end
  end

  describe("where the service has reason to", function()
    it("a name that exists", function()
      client:create_data_deletion_job(server:job "twice")
      local e = fails(client.create_data_deletion_job, client,
        server:job "twice")
      assert.equal("ResourceAlreadyExistsException", e.code)
      assert.truthy(e.message:find("data-deletion-job/twice", 1, true))
    end)

    it("the sixth job that is PENDING", function()
      for i = 1, 5 do
        client:create_data_deletion_job(server:job("job-" .. i))
      end
      local e = fails(client.create_data_deletion_job, client,
        server:job "one-too-many")
      assert.equal("LimitExceededException", e.code)
      -- The name means two things; whoever reads it should know both.
      server:reset()
      server:fault { name = "LimitExceededException", message = "no" }
      e = fails(client.create_data_deletion_job, client, server:job "job")
      assert.truthy(e.message:find("PENDING", 1, true), e.message)
    end)

    it("a job, a group that does not exist", function()
      local e = fails(client.describe_data_deletion_job, client,
        { dataDeletionJobArn = server.dataset_group_arn:gsub(
          "dataset%-group/.*", "data-deletion-job/none") })
      assert.equal("ResourceNotFoundException", e.code)
      e = fails(client.create_data_deletion_job, client, server:job("lost",
        { datasetGroupArn = server.dataset_group_arn .. "-none" }))
      assert.equal("ResourceNotFoundException", e.code)
    end)

    it("a token of another list", function()
      local e = fails(client.list_data_deletion_jobs, client,
        { nextToken = "none-of-yours" })
      assert.equal("InvalidNextTokenException", e.code)
    end)

    it("an input that the service itself refuses", function()
      local lenient = server:client { parameter_validation = false,
        max_attempts = 1 }
      local e = fails(lenient.create_data_deletion_job, lenient,
        server:job("no spaces in names"))
      assert.equal("InvalidInputException", e.code)
      assert.equal("service", e.kind)
    end)

    it("more tags than a resource has room for", function()
      local tags, keys = {}, {}
      for i = 1, 51 do
        tags["key-" .. i], keys[i] = "v", "key-" .. i
      end
      local e = fails(client.create_data_deletion_job, client,
        server:job("many", { tags = tags }))
      assert.equal("TooManyTagsException", e.code)
      e = fails(client.untag_resource, client,
        { resourceArn = server.dataset_group_arn, tagKeys = keys })
      assert.equal("TooManyTagKeysException", e.code)
    end)
  end)

  describe("credentials", function()
    local function refused(credentials)
      local other = server:client { credentials = credentials,
        max_attempts = 1 }
      return fails(other.list_data_deletion_jobs, other)
    end

    it("with another secret are refused", function()
      local e = refused { access_key_id = server.access_key_id,
        secret_access_key = server.secret_access_key .. "x" }
      assert.equal("InvalidSignatureException", e.code)
    end)

    it("that nobody has are refused", function()
      local e = refused { access_key_id = "AKIDNOBODY",
        secret_access_key = "x" }
      assert.equal("UnrecognizedClientException", e.code)
    end)

    it("of a session work with their token, and end with it", function()
      local session = { access_key_id = "ASIASESSION",
        secret_access_key = "secret/of+session", session_token = "tok/en+==" }
      local function register(seconds)
        server:admin("POST", "credentials", {
          access_key_id = session.access_key_id,
          secret_access_key = session.secret_access_key,
          session_token = session.session_token, expires_in = seconds })
      end
      register(600)
      local other = server:client { credentials = session }
      assert.same({}, other:list_data_deletion_jobs().dataDeletionJobs)
      local e = refused { access_key_id = session.access_key_id,
        secret_access_key = session.secret_access_key }
      assert.equal("UnrecognizedClientException", e.code)
      e = refused { access_key_id = session.access_key_id,
        secret_access_key = session.secret_access_key,
        session_token = "another" }
      assert.equal("UnrecognizedClientException", e.code)
      register(-1)
      e = refused(session)
      assert.equal("ExpiredTokenException", e.code)
    end)
  end)

  it("keeps one connection over many calls", function()
    client:list_data_deletion_jobs()
    local before = server:requests().connections
    for _ = 1, 20 do
      client:list_data_deletion_jobs()
    end
    assert.equal(before, server:requests().connections)
    assert.equal(21, server:requests().count)
  end)

  it("names itself and its attempt to the service", function()
    client:list_data_deletion_jobs()
    local seen = server:last_request()
    assert.truthy(seen.user_agent:find("^personalize%-lua/" ..
      personalize._VERSION:gsub("%p", "%%%0") .. " ua/2.1 os/%a+ lang/lua"))
    assert.truthy(tostring(seen.attempt):find("^attempt=1; max=%d+"))
    -- A random UUID, version 4.
    local x = "%x%x%x%x"
    assert.truthy(seen.invocation_id:find("^" .. x .. x .. "%-" .. x ..
      "%-4%x%x%x%-[89ab]%x%x%x%-" .. x .. x .. x .. "$"))
    client:list_data_deletion_jobs()
    assert.not_equal(seen.invocation_id, server:last_request().invocation_id)
  end)
end

describe("over http,", function()
  specify("http", "", PLACES)
end)

describe("over https,", function()
  specify("https", "--tls", { "type" })
end)
