--- Answers that are small on the wire and large in memory, and inputs without
-- an end: refused, before tables are made of them.

local core = require "personalize.core"
local environment = require "spec.support.environment"
local personalize = require "personalize"
local stub = require "spec.support.stub"

-- 8 MiB, the most that is read of an answer.
local function fill(before, unit, after)
  local count = math.floor((8 * 1024 * 1024 - #before - #after) / #unit)
  return before .. unit:rep(count) .. after
end

local JSON = {
  fill('{"a":[[]', ",[]", "]}"), fill('{"a":[{}', ",{}", "]}"),
  fill('{"a":[0', ",0", "]}"), fill('{"a":0', ',"a":0', "}"),
  fill('{"a":[""', ',""', "]}"),
}
local XML = { fill("<r>", "<a/>", "</r>"), fill("<r>", "<a></a>", "</r>"),
  fill("<r>", "<a>1</a>", "</r>") }

-- What f's calls of the module need of Lua's memory at once, in MB. The answers
-- are there before, and the collector looks at nothing meanwhile.
local function grown(f)
  collectgarbage()
  collectgarbage()
  local before = collectgarbage "count"
  collectgarbage "stop"
  local ok, why = pcall(f)
  local after = collectgarbage "count"
  collectgarbage "restart"
  collectgarbage()
  if not ok then
    error(why, 0)
  end
  return (after - before) / 1024
end

local MOST = 30

describe("an answer that is swollen", function()
  after_each(environment.restore)

  it("is no answer of Personalize's", function()
    for _, body in ipairs(JSON) do
      assert.is_true(#body > 8000000)
      for _, status in ipairs { 200, 400 } do
        local client = stub.client { status = status, headers = {},
          body = body }
        local e
        local size = grown(function()
          e = stub.failure(client.list_data_deletion_jobs, client)
        end)
        assert.equal(status == 200 and "ResponseError" or "HTTP 400", e.code)
        assert.is_true(size < MOST, size)
        assert.is_true(#e.message <= 1024)
      end
    end
  end)

  it("is no answer of S3's, nor of AWS STS", function()
    for _, body in ipairs(XML) do
      local client = stub.client { status = 200, headers = { etag = '"e"' },
        body = body }
      local size = grown(function()
        local e = stub.failure(client.upload_users, client,
          { users = { "a" }, name = "n", bucket = "erasure" })
        assert.equal("ResponseError", e.code)
        local root, wrong = core.xml(body)
        assert.is_nil(root)
        assert.equal("too many elements", wrong)
      end)
      assert.is_true(size < MOST, size)
    end
  end)

  it("is no document of a metadata service", function()
    environment.set { AWS_EC2_METADATA_DISABLED = "false",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:1" }
    for _, body in ipairs(JSON) do
      local client = personalize.new { region = "eu-west-1",
        sleep = function() end, transport = function(request)
          return { status = 200, headers = {},
            body = request.method == "PUT" and "token" or
              request.url:find "credentials/$" and "role" or body }
        end }
      local size = grown(function()
        local e = stub.failure(client.list_data_deletion_jobs, client)
        assert.equal("CredentialsError", e.code)
      end)
      assert.is_true(size < MOST, size)
    end
  end)

  it("is one that is whole, up to its limit", function()
    local jobs = {}
    for i = 1, 5000 do
      jobs[i] = '{"jobName":"job","status":"COMPLETED","more":[1,2,{"a":null}]}'
    end
    local client = stub.client('{"dataDeletionJobs":[' ..
      table.concat(jobs, ",") .. "]}")
    assert.equal(5000, #client:list_data_deletion_jobs().dataDeletionJobs)
  end)
end)

describe("an input without an end", function()
  it("is refused", function()
    local client, sent = stub.client()
    local circle = { a = {} }
    circle.a[1], circle.a[2], circle.b = circle, circle, circle
    local line = {}
    line[1] = line
    for _, input in ipairs { circle, { a = line }, { a = ("x"):rep(17e6) } } do
      local e = stub.failure(client.call, client, "DescribeSchema", input)
      assert.equal("ParamValidationError", e.code)
      assert.truthy(#e.params > 0)
    end
    assert.equal(0, #sent)
  end)
end)
