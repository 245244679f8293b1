--- What AWS's names look like, and what is told of options without asking
-- anybody: all of it at once.

local Error = require "personalize.error"
local environment = require "spec.support.environment"
local names = require "personalize.names"
local personalize = require "personalize"
local script = require "spec.support.script"

local GROUP, ROLE = names.GROUP, names.ROLE

describe("a bucket's name", function()
  it("is one by S3's rules", function()
    for _, name in ipairs { "erasure", "a1b", "1ab", "a-b", "a.b", "a.b-c.d",
      ("a"):rep(63), "1.2.3.4.5", "256.1.1", "xn-1", "mine-s3alia",
      "a--b", "s3alias", "a.-b" } do
      assert.is_true(names.is_bucket(name), name)
    end
  end)

  it("is refused with a reason", function()
    for name, part in pairs {
      ["s3://erasure"] = "no s3://", ["erasure/lists"] = "no folder",
      ["arn:aws:s3:::erasure"] = "no ARN", ["erasure:1"] = "name alone",
      ["My Bucket"] = "lowercase", Erasure = "lowercase", erasUre = "lowercase",
      ["my_bucket"] = "lowercase", ["b\195\188cher"] = "lowercase",
      ["erasure\n"] = "lowercase", ["erasure "] = "lowercase",
      ["a\0b"] = "lowercase", ab = "3-63", [("a"):rep(64)] = "3-63",
      [""] = "3-63", ["-ab"] = "begins and ends", ["ab-"] = "begins and ends",
      [".ab"] = "begins and ends", ["ab."] = "begins and ends",
      ["a..b"] = "two dots", ["192.168.5.4"] = "IP address",
      ["999.1.1.1"] = "IP address", ["xn--a"] = "xn--",
      ["sthree-a"] = "sthree-", ["amzn-s3-demo-a"] = "amzn-s3-demo-",
      ["mine-s3alias"] = "-s3alias", ["mine--ol-s3"] = "--ol-s3",
      ["mine.mrap"] = ".mrap", ["mine--use1-az4--x-s3"] = "--x-s3",
      ["mine--table-s3"] = "--table-s3",
    } do
      local ok, reason = names.is_bucket(name)
      assert.is_false(ok, name)
      assert.truthy(reason:find(part, 1, true), reason)
    end
    for _, value in ipairs { 1, true, {} } do
      assert.is_false((names.is_bucket(value)))
    end
  end)
end)

describe("an ARN", function()
  it("is read", function()
    assert.same({ partition = "aws", region = "eu-west-1",
      account = "123456789012", name = "shop" }, names.group(GROUP))
    assert.same({ partition = "aws-us-gov", region = "us-gov-west-1",
      account = "000000000001", name = "a_b-C9" }, names.job(
      "arn:aws-us-gov:personalize:us-gov-west-1:000000000001:" ..
      "data-deletion-job/a_b-C9"))
    assert.equal("service-role/Reads+=,.@-it",
      names.role("arn:aws-cn:iam::123456789012:role/service-role/" ..
      "Reads+=,.@-it").name)
  end)

  it("of something else is none", function()
    for _, arn in ipairs { "", "shop", "arn:", "arn:aws:personalize",
      ROLE, GROUP:gsub("group/", "set/"), GROUP .. "/x", GROUP .. " ",
      GROUP .. "\n", " " .. GROUP, GROUP:upper(),
      (GROUP:gsub("123456789012", "12345678901")),
      (GROUP:gsub("123456789012", "")), (GROUP:gsub("eu%-west%-1", "")),
      (GROUP:gsub("shop", "")), (GROUP:gsub("shop", "-shop")),
      (GROUP:gsub("shop", ("s"):rep(64))), (GROUP:gsub("arn:aws", "arn:gcp")),
      (GROUP:gsub(":personalize:", ":forecast:")) } do
      local found, reason = names.group(arn)
      assert.is_nil(found, arn)
      assert.equal("is no ARN of a dataset group, such as " .. GROUP, reason)
    end
    for _, arn in ipairs { "", "PersonalizeS3", GROUP,
      (ROLE:gsub(":role/", ":user/")), (ROLE:gsub("role/", "role")),
      (ROLE:gsub("iam::", "iam:eu-west-1:")), (ROLE:gsub("1234", "123")),
      ROLE .. "/", (ROLE:gsub(":role/", ":instance-profile/")),
      (ROLE:gsub("iam::", "sts::"):gsub(":role/", ":assumed-role/")),
      ROLE .. ("x"):rep(256) } do
      local found, reason = names.role(arn)
      assert.is_nil(found, arn)
      assert.equal("is no ARN of an IAM role, such as " .. ROLE, reason)
    end
    assert.is_nil((names.job(GROUP)))
    assert.is_nil((names.group(nil)))
    assert.is_nil((names.role {}))
  end)

  it("is of its region's partition, and the region in use", function()
    local function of(partition, region)
      return { partition = partition, region = region }
    end
    assert.is_nil(names.elsewhere(of("aws", "eu-west-1"), "eu-west-1"))
    assert.is_nil(names.elsewhere(of("aws", "eu-west-1"), nil))
    assert.is_nil(names.elsewhere(of("aws-cn", "cn-north-1"), "cn-north-1"))
    assert.is_nil(names.elsewhere(of("aws-us-gov", "us-gov-west-1"),
      "fips-us-gov-west-1"))
    assert.is_nil(names.elsewhere(of("aws", "us-east-1"), "us-east-1-fips"))
    assert.equal("is in the region us-east-1, but the region in use is " ..
      "eu-west-1", names.elsewhere(of("aws", "us-east-1"), "eu-west-1"))
    assert.equal("names the partition aws, but its region cn-north-1 is in " ..
      "aws-cn", names.elsewhere(of("aws", "cn-north-1"), "cn-north-1"))
  end)
end)

describe("the place of a list", function()
  it("is an object or a folder of a bucket", function()
    for _, location in ipairs { "s3://erasure/a.csv", "s3://erasure/a/b/",
      "s3://erasure/", "s3://erasure" } do
      assert.is_true(names.is_location(location), location)
    end
    for location, part in pairs { ["erasure/a.csv"] = "no place in S3",
      ["S3://erasure/a.csv"] = "no place in S3", [""] = "no place in S3",
      ["https://erasure.s3.amazonaws.com/a"] = "no place in S3",
      ["s3://My Bucket/a.csv"] = "names a bucket that is no bucket's name",
      ["s3:///a.csv"] = "names a bucket", ["s3://ab/a"] = "names a bucket",
      ["s3://erasure/" .. ("a"):rep(244)] = "256 characters",
      ["s3://erasure/\255"] = "UTF-8" } do
      local ok, reason = names.is_location(location)
      assert.is_false(ok, location)
      assert.truthy(reason:find(part, 1, true), reason)
    end
  end)
end)

describe("delete_users", function()
  after_each(environment.restore)

  local NONE = {}

  local function client(more)
    local options = { region = "eu-west-1", transport = function()
      error("nobody is to be asked", 0)
    end, credentials = { access_key_id = "A", secret_access_key = "S" } }
    for name, value in pairs(more or {}) do
      options[name] = value
      if value == NONE then
        options[name] = nil
      end
    end
    return personalize.new(options)
  end

  local function given(more)
    local options = { users = function()
      error("nothing is to be read", 0)
    end, name = "run", bucket = "erasure", datasetGroupArn = GROUP,
      roleArn = ROLE }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return options
  end

  -- "path code", sorted.
  local function faults(method, options, settings)
    local made = client(settings)
    local ok, e = pcall(made[method], made, options)
    assert.is_false(ok)
    assert.is_true(Error.is_error(e, "ParamValidationError"), tostring(e))
    local found = {}
    for i, fault in ipairs(e.params) do
      found[i] = fault.path .. " " .. fault.code
    end
    table.sort(found)
    return found, e
  end

  it("tells all that is wrong at once, before the list is read", function()
    assert.same({ "bucket missing", "datasetGroupArn missing", "name missing",
      "roleArn missing", "users missing" }, faults("delete_users", {}))
    local found, e = faults("delete_users", given {
      bucket = "s3://erasure", roleArn = "PersonalizeS3", name = "a b",
      prefix = "/lists", tags = { { tagKey = "\1", tagValue = "v" },
        { tagValue = "v" } },
      datasetGroupArn = { "shop", (GROUP:gsub("eu%-west%-1", "us-east-1")) },
      max_wait = -1, ticket = "", waits = true })
    assert.same({ "bucket pattern", "datasetGroupArn[1] pattern",
      "datasetGroupArn[2] mismatch", "max_wait type", "name type",
      "prefix type", "roleArn pattern", "tags[1].tagKey pattern",
      "tags[2].tagKey missing", "ticket type", "waits unknown" }, found)
    for _, fault in ipairs(e.params) do
      assert.is_nil(fault.message:find("^", 1, true) and
        fault.path:find "Arn", fault.message)
    end
  end)

  it("compares the ARNs with each other", function()
    local other = GROUP:gsub("123456789012", "210987654321")
    assert.same({ "roleArn mismatch" }, faults("delete_users",
      given { datasetGroupArn = other }))
    assert.same({ "datasetGroupArn[2] mismatch" }, faults("delete_users",
      given { datasetGroupArn = { GROUP, other } }))
    assert.same({ "roleArn mismatch" }, faults("delete_users",
      given { roleArn = ROLE:gsub("arn:aws", "arn:aws-cn") }))
    assert.same({ "datasetGroupArn mismatch" }, faults("delete_users",
      given { datasetGroupArn = GROUP:gsub("arn:aws", "arn:aws-cn") }))
    local china = GROUP:gsub("arn:aws", "arn:aws-cn"):gsub("eu%-west",
      "cn-north")
    assert.same({ "roleArn mismatch" }, faults("delete_users",
      given { datasetGroupArn = china }, { region = "cn-north-1" }))
  end)

  it("compares them with the region, wherever that comes from", function()
    local far = given { datasetGroupArn = GROUP:gsub("eu%-west", "us-east"),
      bucket = "Erasure" }
    assert.same({ "bucket pattern", "datasetGroupArn mismatch" },
      faults("delete_users", far))
    environment.set { AWS_REGION = "eu-west-1" }
    assert.same({ "bucket pattern", "datasetGroupArn mismatch" },
      faults("delete_users", far, { region = NONE }))
    script.with_file("[default]\nregion = eu-west-1\n", function(path)
      environment.set { AWS_CONFIG_FILE = path }
      far.bucket = "erasure"
      assert.same({ "datasetGroupArn mismatch" },
        faults("delete_users", far, { region = NONE }))
    end)
  end)

  it("refuses a folder that leaves no room for the name", function()
    assert.same({ "prefix length" }, faults("delete_users",
      given { prefix = ("p"):rep(220) }))
    assert.same({ "prefix type" }, faults("delete_users",
      given { prefix = "p\255" }))
  end)

  it("leaves shapes to AWS where that is asked for", function()
    local made = client { parameter_validation = false }
    local ok, e = pcall(made.delete_users, made, given {
      bucket = "My_Bucket", roleArn = "role", datasetGroupArn = "group" })
    assert.is_false(ok)
    assert.equal("nothing is to be read", e.cause, tostring(e))
  end)
end)

describe("upload_users", function()
  it("wants a bucket's name, or an access point's ARN", function()
    local function upload(bucket)
      local made = personalize.new { region = "eu-west-1",
        credentials = { access_key_id = "A", secret_access_key = "S" } }
      local ok, e = pcall(made.upload_users, made, { name = "run",
        bucket = bucket, users = { "" } })
      assert.is_false(ok)
      return e.code, e.params[1].path
    end
    for _, bucket in ipairs { "s3://erasure", "My Bucket", "ab",
      "arn:aws:s3:::erasure" } do
      local code, path = upload(bucket)
      assert.equal("ParamValidationError", code, bucket)
      assert.equal("bucket", path)
    end
    for _, bucket in ipairs { "erasure",
      "arn:aws:s3:eu-west-1:123456789012:accesspoint/lists" } do
      assert.equal("UserListError", (upload(bucket)), bucket)
    end
  end)
end)
