--- STS and IAM, over the query protocol: what is asked, and what an answer says.

local aws = require "spec.support.aws"
local buckets = require "spec.support.bucket"
local environment = require "spec.support.environment"
local iam = require "personalize.iam"
local sts = require "personalize.sts"
local stub = require "spec.support.stub"

local server

setup(function()
  environment.set {}
  server = aws.start()
end)
teardown(function()
  server:stop()
  environment.restore()
end)
before_each(function() server:reset() end)

local function settings(more)
  return buckets.settings(server:options(more))
end

-- Settings with which every request is answered by this.
local function answering(body, status)
  local sent = {}
  return settings { max_attempts = 1, transport = function(request)
    sent[#sent + 1] = request
    return stub.response(body, status, {})
  end }, sent
end

describe("STS", function()
  it("tells who the caller is", function()
    local caller, result = sts.caller(settings())
    assert.same({ account = server.account, arn =
      "arn:aws:iam::123456789012:user/local" }, { account = caller.account,
      arn = caller.arn:gsub("user/.*", "user/local") })
    assert.equal(1, result.attempts)
    assert.equal("GetCallerIdentity", server:last_request().operation)
  end)

  it("refuses, and is not asked again and again", function()
    server:admin("POST", "deny", { "sts:GetCallerIdentity" })
    local caller, failure = sts.caller(settings())
    assert.is_nil(caller)
    assert.equal("AccessDenied", failure.code)
    server:fault { spec = "GetCallerIdentity=status-503" }
    server:admin("DELETE", "deny")
    local _, second = sts.caller(settings { sleep = function() return true end },
      { max_attempts = 2 })
    assert.equal(2, second.attempts)
  end)

  it("is asked where the old way of STS is, if that is wanted", function()
    local function url(more)
      local asked
      more.region, more.endpoint = "us-west-2", nil
      more.transport = function(request)
        asked = request.url
        return stub.response("", 500, {})
      end
      more.max_attempts = 1
      local options = server:options(more)
      options.endpoint = nil
      sts.caller(buckets.settings(options))
      return asked
    end
    assert.equal("https://sts.us-west-2.amazonaws.com/", url {})
    assert.equal("https://sts.amazonaws.com/",
      url { sts_regional_endpoints = "legacy" })
  end)

  it("says nothing that is no answer of it", function()
    for _, body in ipairs { "", "x", "<a/>", "<GetRoleResponse/>",
      "<GetCallerIdentityResponse/>",
      "<GetCallerIdentityResponse><GetCallerIdentityResult/>" ..
        "</GetCallerIdentityResponse>",
      "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn>" ..
        "</GetCallerIdentityResult></GetCallerIdentityResponse>" } do
      local caller, failure = sts.caller((answering(body)))
      assert.is_nil(caller, body)
      assert.equal("transport", failure.kind, body)
    end
  end)
end)

describe("IAM", function()
  it("is signed for its own region", function()
    local made, sent = answering("", 500)
    local opened = assert(iam.open(made))
    opened:role "PersonalizeS3"
    opened:close()
    local authorization, body
    for _, header in ipairs(sent[1].headers or {}) do
      authorization = header[1] == "authorization" and header[2] or
        authorization
    end
    authorization = authorization or sent[1].head
    body = sent[1].body
    assert.truthy(authorization:find("/us-east-1/iam/aws4_request", 1, true))
    assert.equal("Action=GetRole&Version=2010-05-08&RoleName=PersonalizeS3",
      body)
  end)

  it("tells a role's ARN and trust, decoded", function()
    local trust = '{"Statement":{"Sid":"100%25 & ready+"}}'
    server:admin("POST", "world", { roles = { { roleArn = server.role_arn,
      trust = trust } } })
    local opened = assert(iam.open(settings()))
    assert.same({ arn = server.role_arn, trust = trust },
      (opened:role "PersonalizeS3"))
    local _, failure = opened:role "Nobody"
    assert.equal("NoSuchEntity", failure.code)
    opened:close()
  end)

  it("simulates what a role may do", function()
    server:admin("POST", "world", { roles = { { roleArn = server.role_arn,
      policy = { Version = "2012-10-17", Statement = {
        { Effect = "Allow", Action = "s3:GetObject",
          Resource = "arn:aws:s3:::erasure/*" },
        { Effect = "Deny", Action = "s3:ListBucket", Resource = "*" },
        { Effect = "Allow", Action = "s3:PutObject", Resource = "*",
          Condition = { StringEquals = { ["aws:SourceVpce"] = "x" } } },
      } } } } })
    local opened = assert(iam.open(settings()))
    local function decide(action, resource)
      local found = assert(opened:simulate(server.role_arn, action, resource))
      return found.decision, found.missing
    end
    assert.equal("allowed", (decide("s3:GetObject",
      "arn:aws:s3:::erasure/a.csv")))
    assert.equal("explicitDeny", (decide("s3:ListBucket",
      "arn:aws:s3:::erasure")))
    local decision, missing = decide("s3:PutObject",
      "arn:aws:s3:::erasure/a.csv")
    assert.equal("implicitDeny", decision)
    assert.same({ "aws:SourceVpce" }, missing)
    opened:close()
  end)

  it("says nothing that is no answer of it", function()
    for _, body in ipairs { "", "<GetRoleResponse><GetRoleResult><Role/>" ..
      "</GetRoleResult></GetRoleResponse>", "<GetRoleResponse>" ..
      "<GetRoleResult><Role><Arn>a</Arn></Role></GetRoleResult>" ..
      "</GetRoleResponse>" } do
      local opened = assert(iam.open((answering(body))))
      local role, failure = opened:role "x"
      assert.is_nil(role)
      assert.equal("GetRole", failure.operation)
      local found
      found, failure = opened:simulate("a", "s3:GetObject", "b")
      assert.is_nil(found)
      assert.equal("SimulatePrincipalPolicy", failure.operation)
      opened:close()
    end
  end)
end)
