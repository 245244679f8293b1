--- Bad input: every fault of a call is told at once, before anything is sent,
-- and without its value.

local cjson = require "cjson"
local json = require "spec.support.json"
local stub = require "spec.support.stub"

local OPERATIONS = {
  CreateDataDeletionJob = { "jobName", "datasetGroupArn", "dataSource",
    "roleArn" },
  DescribeDataDeletionJob = { "dataDeletionJobArn" },
  ListDataDeletionJobs = {},
  TagResource = { "resourceArn", "tags" },
  UntagResource = { "resourceArn", "tagKeys" },
  ListTagsForResource = { "resourceArn" },
}

local CREATE = "CreateDataDeletionJob"
local LIST = "ListDataDeletionJobs"
local TAG = "TagResource"
local UNTAG = "UntagResource"

local ANSWER = '{"dataDeletionJobArn":"arn","dataDeletionJob":{}}'
local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/"
local ROLE = "arn:aws:iam::123456789012:role/"
local E_ACUTE = "\195\169"

-- A right input of the operation with `changes` over it.
local function input_of(operation, changes)
  local input = stub.input(operation)
  for name, value in pairs(changes or {}) do
    input[name] = value
  end
  return input
end

-- "path code" of each fault, sorted. The call must have ended as it should.
local function faults(operation, input, options)
  local client, sent = stub.client(ANSWER, options)
  local e = stub.failure(client.call, client, operation, input)
  assert.equal("ParamValidationError", e.code)
  assert.equal("client", e.kind)
  assert.equal(operation, e.operation)
  assert.equal("0", tostring(e.attempts))
  assert.is_nil(e.status)
  assert.is_nil(e.request_id)
  assert.equal(0, #sent, "something was sent")
  local found = {}
  for i, fault in ipairs(e.params) do
    assert.is_string(fault.message)
    assert.truthy(fault.message ~= "")
    found[i] = fault.path .. " " .. fault.code
  end
  assert.is_true(#found > 0)
  table.sort(found)
  return found, e
end

local function refuses(title, operation, changes, expected, options)
  it("refuses " .. title, function()
    table.sort(expected)
    assert.same(expected, (faults(operation, input_of(operation, changes),
      options)))
  end)
end

local function body_of(operation, input, options)
  local client, sent = stub.client(ANSWER, options)
  client:call(operation, input)
  assert.equal(1, #sent)
  return sent[1].body
end

local function takes(title, operation, changes, options)
  it("takes " .. title, function()
    json.decode(body_of(operation, input_of(operation, changes), options))
  end)
end

local function repeated(count, element)
  local list = {}
  for i = 1, count do
    list[i] = type(element) == "function" and element(i) or element
  end
  return list
end

describe("input", function()
  describe("that lacks members", function()
    for operation, required in pairs(OPERATIONS) do
      for _, name in ipairs(required) do
        it(operation .. " without " .. name, function()
          local input = stub.input(operation)
          input[name] = nil
          assert.same({ name .. " missing" }, (faults(operation, input)))
        end)
      end
      if #required > 0 then
        it(operation .. " without any", function()
          local expected = {}
          for i, name in ipairs(required) do
            expected[i] = name .. " missing"
          end
          table.sort(expected)
          assert.same(expected, (faults(operation, {})))
          assert.same(expected, (faults(operation, nil)))
        end)
      end
    end
    refuses("a tag without a key", TAG, { tags = { { tagValue = "v" } } },
      { "tags[1].tagKey missing" })
    refuses("a tag without a value", TAG,
      { tags = { { tagKey = "a", tagValue = "b" }, { tagKey = "k" } } },
      { "tags[2].tagValue missing" })
    takes("a data source that says nothing", CREATE, { dataSource = {} })
  end)

  describe("that is no table", function()
    for operation in pairs(OPERATIONS) do
      for _, value in ipairs { "text", 42, true, print } do
        it(operation .. " of a " .. type(value), function()
          assert.same({ " type" }, (faults(operation, value)))
        end)
      end
    end
  end)

  describe("with members nobody knows", function()
    local function nearest(operation, changes, path, name)
      it("names " .. tostring(name) .. " for " .. path, function()
        local found, e = faults(operation, input_of(operation, changes))
        assert.same({ path .. " unknown" }, found)
        if name then
          assert.truthy(e.params[1].message:find(name, 1, true),
            e.params[1].message)
          assert.truthy(tostring(e):find(name, 1, true))
          assert.truthy(tostring(e):find(path, 1, true))
        end
      end)
    end

    nearest(CREATE, { jobname = "x" }, "jobname", "jobName")
    nearest(CREATE, { job_name = "x" }, "job_name", "jobName")
    nearest(CREATE, { datasetGroupARN = "x" }, "datasetGroupARN",
      "datasetGroupArn")
    nearest(CREATE, { tag = {} }, "tag", "tags")
    nearest(CREATE, { dataSource = { dataLocaton = "s3://a/b" } },
      "dataSource.dataLocaton", "dataLocation")
    nearest(LIST, { maxResult = 1 }, "maxResult", "maxResults")
    nearest(LIST, { next_token = "x" }, "next_token", "nextToken")
    nearest(UNTAG, { tagkeys = {} }, "tagkeys", "tagKeys")
    nearest(LIST, { whatever = 1 }, "whatever", nil)

    refuses("a tag in S3's spelling", TAG,
      { tags = { { Key = "k", Value = "v" } } },
      { "tags[1].Key unknown", "tags[1].Value unknown",
        "tags[1].tagKey missing", "tags[1].tagValue missing" })
    refuses("positions where names should be", LIST, { "x", "y" },
      { " unknown", " unknown" })
    refuses("keys of other types", LIST, { [true] = 1, [print] = 2 },
      { " unknown", " unknown" })
  end)

  describe("of the wrong type", function()
    for _, value in ipairs { 42, true, {}, print, cjson.null } do
      refuses("a job name that is a " .. type(value), CREATE,
        { jobName = value }, { "jobName type" })
    end
    for _, value in ipairs { "s3://a/b", 1, false } do
      refuses("a data source that is a " .. type(value), CREATE,
        { dataSource = value }, { "dataSource type" })
    end
    for _, value in ipairs { "k=v", 7, true } do
      refuses("tags that are a " .. type(value), TAG, { tags = value },
        { "tags type" })
      refuses("tag keys that are a " .. type(value), UNTAG,
        { tagKeys = value }, { "tagKeys type" })
    end
    for _, value in ipairs { "10", true, {}, cjson.null } do
      refuses("a maxResults that is a " .. type(value), LIST,
        { maxResults = value }, { "maxResults type" })
    end
    refuses("tags of numbers", TAG, { tags = { a = 1, b = "2", c = false } },
      { "tags[1].tagValue type", "tags[3].tagValue type" })
    refuses("a list of tags that are none", TAG, { tags = { "a", "b" } },
      { "tags[1] type", "tags[2] type" })
    refuses("tag keys that are no strings", UNTAG,
      { tagKeys = { 1, "b", {} } }, { "tagKeys[1] type", "tagKeys[3] type" })
    it("says what it expected and what it got", function()
      local _, e = faults(CREATE, input_of(CREATE, { jobName = 42 }))
      assert.truthy(e.params[1].message:find "string")
      assert.truthy(e.params[1].message:find "number")
      _, e = faults(CREATE, input_of(CREATE, { jobName = cjson.null }))
      assert.truthy(e.params[1].message:find "null")
    end)
  end)

  describe("with numbers that are none the service takes", function()
    for _, value in ipairs { 1.5, 0 / 0, math.huge, -math.huge, 2 ^ 70 } do
      refuses("a maxResults of " .. tostring(value), LIST,
        { maxResults = value }, { "maxResults type" })
    end
    for _, value in ipairs { 0, -1, 101, 2 ^ 31, -2 ^ 31, 2 ^ 53 } do
      refuses("a maxResults of " .. tostring(value), LIST,
        { maxResults = value }, { "maxResults range" })
    end
    for _, value in ipairs { 1, 100, 50.0 } do
      takes("a maxResults of " .. tostring(value), LIST,
        { maxResults = value })
    end
  end)

  -- Limits are for what people write.
  describe("that the service gave", function()
    for title, token in pairs { long = ("t"):rep(1501), huge =
      ("t"):rep(100000), ["of other letters"] = E_ACUTE .. "\240\159\152\128",
      ["of control characters"] = "a\1\t\r\n\127\"\\", empty = "",
      ["with a zero byte"] = "a\0b" } do
      it("takes back a nextToken, " .. title, function()
        local body = cjson.decode(body_of(LIST, { nextToken = token }))
        assert.equal(token, body.nextToken)
      end)
    end
  end)

  describe("whose length", function()
    local function limit(title, operation, path, most, make)
      takes(("%d characters as %s"):format(most, title), operation,
        make(most))
      refuses(("%d characters as %s"):format(most + 1, title), operation,
        make(most + 1), { path .. " length" })
    end

    limit("jobName", CREATE, "jobName", 63, function(n)
      return { jobName = ("j"):rep(n) }
    end)
    limit("datasetGroupArn", CREATE, "datasetGroupArn", 256, function(n)
      return { datasetGroupArn = ARN .. ("g"):rep(n - #ARN) }
    end)
    limit("datasetGroupArn of other letters", CREATE, "datasetGroupArn", 256,
      function(n)
        return { datasetGroupArn = ARN .. E_ACUTE:rep(n - #ARN) }
      end)
    limit("roleArn", CREATE, "roleArn", 256, function(n)
      return { roleArn = ROLE .. ("r"):rep(n - #ROLE) }
    end)
    limit("dataLocation", CREATE, "dataSource.dataLocation", 256, function(n)
      return { dataSource = { dataLocation = "s3://" .. ("l"):rep(n - 5) } }
    end)
    limit("dataLocation beyond the first plane", CREATE,
      "dataSource.dataLocation", 256, function(n)
        return { dataSource = { dataLocation =
          "s3://" .. ("\240\159\152\128"):rep(n - 5) } }
      end)
    limit("tagKey", TAG, "tags[1].tagKey", 128, function(n)
      return { tags = { [E_ACUTE:rep(n)] = "v" } }
    end)
    limit("tagValue", TAG, "tags[1].tagValue", 256, function(n)
      return { tags = { k = E_ACUTE:rep(n) } }
    end)
    limit("a key to take off", UNTAG, "tagKeys[2]", 128, function(n)
      return { tagKeys = { "a", ("k"):rep(n) } }
    end)

    refuses("empty texts", CREATE, { jobName = "", datasetGroupArn = "" },
      { "jobName length", "datasetGroupArn pattern" })
    refuses("an empty tag key", TAG, { tags = { [""] = "v" } },
      { "tags[1].tagKey length" })
    takes("an empty tag value", TAG, { tags = { k = "" } })
    local function tag(i)
      return { tagKey = "k" .. i, tagValue = "v" }
    end
    takes("200 tags", TAG, { tags = repeated(200, tag) })
    refuses("201 tags", TAG, { tags = repeated(201, tag) },
      { "tags length" })
    it("refuses 201 tags as keys and values", function()
      local tags = {}
      for i = 1, 201 do
        tags["k" .. i] = "v"
      end
      assert.same({ "tags length" },
        (faults(TAG, input_of(TAG, { tags = tags }))))
    end)
    refuses("201 keys to take off", UNTAG, { tagKeys = repeated(201, "k") },
      { "tagKeys length" })

    it("is told as counted in characters", function()
      local _, e = faults(CREATE, input_of(CREATE, { datasetGroupArn = ARN ..
        E_ACUTE:rep(300 - #ARN) }))
      assert.truthy(e.params[1].message:find "256")
      assert.truthy(e.params[1].message:find "300")
    end)
  end)

  describe("whose form", function()
    for _, name in ipairs { "-a", "_a", "a b", "a.b", "a/b", "a\n", "\na",
      E_ACUTE, "a" .. E_ACUTE } do
      refuses(("the job name %q"):format(name), CREATE, { jobName = name },
        { "jobName pattern" })
    end
    for _, name in ipairs { "a", "0", "A-", "9_z-Z" } do
      takes("the job name " .. name, CREATE, { jobName = name })
    end
    for _, arn in ipairs { "x", "arn:aws:personalize:r:a:",
      "arn:aws:s3:r:a:x", "arn:AWS:personalize:r:a:x",
      "arn::personalize:r:a:x", "arn:aws:personalize:r", " " .. ARN .. "x",
      "ARN" .. ARN } do
      refuses(("the ARN %q"):format(arn), CREATE, { datasetGroupArn = arn },
        { "datasetGroupArn pattern" })
    end
    for _, arn in ipairs { ARN .. "x", "arn:aws-cn:personalize:::x",
      "arn:aws-us-gov:personalize:r:a:b:c:d" } do
      takes("the ARN " .. arn, CREATE, { datasetGroupArn = arn })
    end
    for _, arn in ipairs { "arn:aws:iam::12345678901:role/x",
      "arn:aws:iam::1234567890123:role/x", "arn:aws:iam:r:123456789012:role/x",
      ROLE:sub(1, -2), "arn:aws:iam::123456789012:user/x", ROLE .. "a b",
      ROLE .. E_ACUTE, ROLE .. "a\n" } do
      refuses(("the role %q"):format(arn), CREATE, { roleArn = arn },
        { "roleArn pattern" })
    end
    for _, arn in ipairs { ROLE .. "a", ROLE .. "service-role/a+=,.@-_/b" } do
      takes("the role " .. arn, CREATE, { roleArn = arn })
    end
    for _, location in ipairs { "users.csv", "s3://", "ftp://a/b", "S3://a/b",
      "s3:/a/b", " s3://a/b" } do
      refuses(("the location %q"):format(location), CREATE,
        { dataSource = { dataLocation = location } },
        { "dataSource.dataLocation pattern" })
    end
    for _, location in ipairs { "s3://b/k", "https://b/k", "http://b",
      "s3://b/folder " .. E_ACUTE .. "/" } do
      takes("the location " .. location, CREATE,
        { dataSource = { dataLocation = location } })
    end
    refuses("signs that no tag may have", TAG,
      { tags = { { tagKey = "a*", tagValue = "ok" },
        { tagKey = "ok", tagValue = "<b>" },
        { tagKey = "a\tb", tagValue = "a\nb" } } },
      { "tags[1].tagKey pattern", "tags[2].tagValue pattern",
        "tags[3].tagKey pattern", "tags[3].tagValue pattern" })
    takes("every sign that tags may have", TAG,
      { tags = { ["aZ09 _.:/=+-@" .. E_ACUTE] = "aZ09 _.:/=+-@" .. E_ACUTE } })
  end)

  describe("that is not UTF-8", function()
    for title, bytes in pairs {
      ["a byte that never occurs"] = "\255",
      ["a continuation alone"] = "a\128",
      ["a character cut off"] = "\226\130",
      ["an overlong NUL"] = "\192\128",
      ["an overlong slash"] = "\224\128\175",
      ["a surrogate"] = "\237\160\128",
      ["beyond the last plane"] = "\244\144\128\128",
      ["Latin-1"] = "caf\233",
    } do
      refuses(title .. " in a name", CREATE, { jobName = bytes },
        { "jobName utf8" })
      refuses(title .. " in a location", CREATE,
        { dataSource = { dataLocation = "s3://" .. bytes } },
        { "dataSource.dataLocation utf8" })
      refuses(title .. " in a tag", TAG, { tags = { [bytes] = bytes } },
        { "tags[1].tagKey utf8", "tags[1].tagValue utf8" })
    end
  end)

  describe("with a NUL", function()
    refuses("one in a name", CREATE, { jobName = "a\0b" }, { "jobName nul" })
    refuses("one in a location", CREATE,
      { dataSource = { dataLocation = "s3://a/b\0" } },
      { "dataSource.dataLocation nul" })
    refuses("one in a tag", TAG, { tags = { ["\0"] = "\0" } },
      { "tags[1].tagKey nul", "tags[1].tagValue nul" })
    refuses("one in a key to take off", UNTAG, { tagKeys = { "a\0" } },
      { "tagKeys[1] nul" })
  end)

  describe("with a list that is none", function()
    local tag = { tagKey = "k", tagValue = "v" }
    refuses("a hole in tags", TAG, { tags = { [1] = tag, [3] = tag } },
      { "tags type" })
    refuses("a hole in keys", UNTAG, { tagKeys = { "a", nil, "c" } },
      { "tagKeys type" })
    refuses("as many keys as positions, and yet a hole", UNTAG,
      { tagKeys = { "a", nil, "c", [5] = "e" } }, { "tagKeys type" })
    refuses("a list that begins at 0", UNTAG, { tagKeys = { [0] = "a" } },
      { "tagKeys type" })
    refuses("a list that begins at 2", UNTAG, { tagKeys = { [2] = "a" } },
      { "tagKeys type" })
    refuses("half positions", UNTAG, { tagKeys = { [1] = "a", [1.5] = "b" } },
      { "tagKeys type" })
    refuses("names in a list of keys", UNTAG, { tagKeys = { a = "b" } },
      { "tagKeys type" })
    refuses("both forms of tags at once", TAG, { tags = { tag, k = "v" } },
      { "tags type" })
    refuses("tags by other keys", TAG, { tags = { [true] = "v" } },
      { "tags type" })
  end)

  describe("with a tag twice", function()
    refuses("in a list", TAG, { tags = {
      { tagKey = "a", tagValue = "1" }, { tagKey = "b", tagValue = "1" },
      { tagKey = "a", tagValue = "2" } } }, { "tags duplicate" })
    refuses("in a create", CREATE, { tags = {
      { tagKey = "a", tagValue = "1" }, { tagKey = "a", tagValue = "1" } } },
      { "tags duplicate" })
    takes("keys that differ in case", TAG, { tags = {
      { tagKey = "a", tagValue = "1" }, { tagKey = "A", tagValue = "1" } } })
  end)

  it("has all its faults told at once", function()
    local found, e = faults(CREATE, {
      jobName = "a b" .. ("x"):rep(70),
      datasetGroupArn = "\255",
      dataSource = { dataLocation = "s3://\0", format = "csv" },
      tags = { { tagKey = "a", tagValue = 1 }, { tagKey = "a", x = 1 } },
      jobname = "y",
    })
    assert.same({
      "dataSource.dataLocation nul",
      "dataSource.format unknown",
      "datasetGroupArn utf8",
      "jobName length",
      "jobName pattern",
      "jobname unknown",
      "roleArn missing",
      "tags duplicate",
      "tags[1].tagValue type",
      "tags[2].tagValue missing",
      "tags[2].x unknown",
    }, found)
    -- For people, the first ones.
    assert.truthy(tostring(e):find("^ParamValidationError: "))
    assert.truthy(tostring(e):find "and %d+ more")
  end)

  it("with more faults than anybody reads does no harm", function()
    local _, e = faults(TAG, input_of(TAG, { tags = repeated(5000, function()
      return { tagKey = 1, tagValue = 2, other = 3 }
    end) }))
    assert.is_true(#e.params >= 100)
  end)

  describe("that is wrong", function()
    -- Values that can be found again in whatever comes out.
    local PLANTED = "PlantedValue"

    local function check(operation, input)
      local _, e = faults(operation, input)
      local texts = { tostring(e), e.message }
      for _, fault in ipairs(e.params) do
        texts[#texts + 1] = fault.message
        texts[#texts + 1] = fault.path
      end
      for _, text in ipairs(texts) do
        assert.is_nil(text:find(PLANTED, 1, true), text)
      end
    end

    it("is never quoted", function()
      local bad = "*" .. PLANTED .. "\1"
      check(CREATE, input_of(CREATE, { jobName = bad, roleArn = bad,
        datasetGroupArn = bad, dataSource = { dataLocation = bad },
        tags = { [bad] = bad } }))
      check(CREATE, input_of(CREATE, { jobName = bad:rep(99),
        tags = { { tagKey = bad:rep(99), tagValue = PLANTED .. "\255" } } }))
      check(UNTAG, input_of(UNTAG, { tagKeys = { bad, PLANTED .. "\0" } }))
      check(TAG, input_of(TAG, { tags = {
        { tagKey = PLANTED, tagValue = "1" },
        { tagKey = PLANTED, tagValue = PLANTED } } }))
      check(LIST, { nextToken = PLANTED .. "\255" })
    end)

    it("is not quoted where it stands for a name", function()
      check(CREATE, input_of(CREATE, { [PLANTED .. "@example.org"] = "x" }))
      check(TAG, input_of(TAG, { tags = { { [PLANTED .. " 1"] = PLANTED } } }))
      check(LIST, { [PLANTED:rep(50)] = 1 })
    end)
  end)

  describe("without parameter_validation", function()
    local LENIENT = { parameter_validation = false }

    takes("any length and form", CREATE, { jobName = ("a b "):rep(99),
      datasetGroupArn = "x", roleArn = "", dataSource = { dataLocation = "y" },
      tags = { ["*"] = ("v"):rep(999) } }, LENIENT)
    takes("an empty name", CREATE, { jobName = "" }, LENIENT)
    takes("more tags", TAG, { tags = repeated(999, function(i)
      return { tagKey = "k" .. i, tagValue = "" }
    end) }, LENIENT)
    takes("more results", LIST, { maxResults = 1000 }, LENIENT)
    refuses("all but these", CREATE, { jobName = 1, roleArn = "\255",
      dataSource = { dataLocation = "\0" }, tags = { { tagKey = "k" } },
      datasetGroupArn = {}, other = 1 },
      { "jobName type", "roleArn utf8", "dataSource.dataLocation nul",
        "tags[1].tagValue missing", "datasetGroupArn type", "other unknown" },
      LENIENT)
    refuses("holes", UNTAG, { tagKeys = { "a", nil, "c" } },
      { "tagKeys type" }, LENIENT)
    refuses("halves", LIST, { maxResults = 1.5 }, { "maxResults type" },
      LENIENT)
    it("refuses what is missing", function()
      assert.same({ "resourceArn missing", "tagKeys missing" },
        (faults(UNTAG, {}, LENIENT)))
    end)
  end)
end)
