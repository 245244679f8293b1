--- The module itself: what requiring it does, and its default client.

local script = require "spec.support.script"

describe("the default client", function()
  -- What a script prints that runs beside a local AWS.
  local function run(text, options)
    return (script.with_file(text, function(name)
      return script.beside_aws(options or "", script.command(name))
    end))
  end

  it("is made from the environment on first use", function()
    for _, options in ipairs { "", "--tls" } do
      local output = run([[
        local personalize = require "personalize"
        local out, meta = personalize.create_data_deletion_job {
          jobName = "from-the-environment",
          datasetGroupArn = os.getenv "PERSONALIZE_DATASET_GROUP_ARN",
          dataSource = { dataLocation = "s3://b/k" },
          roleArn = os.getenv "PERSONALIZE_ROLE_ARN",
          tags = { a = "b" },
        }
        print(out.dataDeletionJobArn, meta.attempts)
        local arn = out.dataDeletionJobArn
        print(personalize.describe_data_deletion_job {
          dataDeletionJobArn = arn }.dataDeletionJob.jobName)
        print(#personalize.list_data_deletion_jobs().dataDeletionJobs)
        print(personalize.data_deletion_jobs()().jobName)
        print(select(2, pcall(personalize.wait_for_data_deletion_job,
          arn .. "-not")).code)
        personalize.tag_resource { resourceArn = arn, tags = { c = "d" } }
        personalize.untag_resource { resourceArn = arn, tagKeys = { "a" } }
        print(personalize.list_tags_for_resource { resourceArn = arn }
          .tags[1].tagKey)
        print(personalize.call("ListDatasetGroups").datasetGroups[1].name)
      ]], options)
      assert.truthy(output:find("^arn:aws:personalize:[%w-]+:%d+:" ..
        "data%-deletion%-job/from%-the%-environment\t1\n" ..
        "from%-the%-environment\n1\nfrom%-the%-environment\n" ..
        "ResourceNotFoundException\nc\nshop\n$"), output)
    end
  end)

  it("raises the same errors", function()
    local output = run [[
      local personalize = require "personalize"
      local ok, e = pcall(personalize.describe_data_deletion_job, {
        dataDeletionJobArn =
          os.getenv "PERSONALIZE_DATASET_GROUP_ARN" .. "/none" })
      print(ok, personalize.is_error(e), e.code)
      ok, e = pcall(personalize.create_data_deletion_job, {})
      print(ok, personalize.is_error(e, "ParamValidationError"), #e.params)
    ]]
    assert.equal("false\ttrue\tInvalidInputException\nfalse\ttrue\t4\n",
      output)
  end)
end)

describe("requiring the module", function()
  it("leaves no globals, loads no libcurl", function()
    local output = script.with_file([[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "personalize"
      for name in pairs(_G) do
        if not before[name] then print("global " .. name) end
      end
      local client = require("personalize").new {
        region = "eu-west-1", transport = function()
          return { status = 200, headers = {}, body = "{}" } end,
        credentials = { access_key_id = "a", secret_access_key = "s" } }
      client:list_data_deletion_jobs()
      print(package.loaded["personalize.curl"])
    ]], script.run)
    assert.equal("nil\n", output)
  end)
end)
