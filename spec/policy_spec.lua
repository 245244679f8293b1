--- Policies, judged: what allows, what denies, and what nobody here can know.

local cjson = require "cjson"
local policy = require "personalize.policy"

local SERVICE = "personalize.amazonaws.com"
local ROLE = "arn:aws:iam::123456789012:role/PersonalizeS3"
local OBJECT = "arn:aws:s3:::erasure/lists/users.csv"

local function question(more)
  local asked = { who = { Service = { [SERVICE] = true },
      AWS = { [ROLE] = true, ["123456789012"] = true } },
    action = "s3:GetObject", resource = OBJECT,
    context = { ["aws:sourceaccount"] = "123456789012",
      ["aws:sourcearn"] = { start =
        "arn:aws:personalize:eu-west-1:123456789012:" },
      ["aws:sourcevpce"] = false, ["aws:securetransport"] = "true",
      ["s3:tlsversion"] = { least = 1.2 } } }
  for name, value in pairs(more or {}) do
    asked[name] = value
  end
  return asked
end

-- Of a policy of one statement, what it says: "yes", "no" or "unknown".
local function judge(statement, more)
  statement.Effect = statement.Effect or "Allow"
  statement.Action = statement.Action or not statement.NotAction and
    "s3:GetObject" or nil
  if statement.Principal == nil and statement.NotPrincipal == nil then
    statement.Principal = { Service = SERVICE }
  end
  local statements = assert(policy.read(cjson.encode {
    Statement = { statement } }))
  local answer = policy.judge(statements, question(more))
  return answer[statement.Effect:lower()], answer
end

describe("a policy", function()
  it("is one statement or a list of them", function()
    for _, text in ipairs {
      '{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*"}}',
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",' ..
        '"Principal":"*","Action":["s3:*"]}]}' } do
      local answer = policy.judge(assert(policy.read(text)), question())
      assert.equal("yes", answer.allow)
      assert.equal("no", answer.deny)
    end
    local answer = policy.judge(assert(policy.read '{"Statement":[]}'),
      question())
    assert.equal("no", answer.allow)
  end)

  it("that is none says why", function()
    for text, why in pairs { [""] = "JSON", ["{"] = "JSON", ["[]"] = "statement",
      ["[1]"] = "object", ["3"] = "object", ["null"] = "object",
      ['"x"'] = "object", ["{}"] = "statements",
      ['{"Statement":null}'] = "statements", ['{"Statement":"x"}'] =
      "statements", ['{"Statement":[1]}'] = "statement",
      ['{"Statement":{"Effect":"Perhaps"}}'] = "statement",
      ['{"Statement":[{"Effect":"Allow"},{}]}'] = "statement",
      ['{"Statement":' .. ("["):rep(900) .. ("]"):rep(900) .. "}"] =
      "deeply", ["\255\254"] = "JSON" } do
      local statements, reason = policy.read(text)
      assert.is_nil(statements, text)
      assert.truthy(reason:find(why, 1, true), text .. ": " .. reason)
    end
  end)
end)

describe("of a statement", function()
  local function each(member, cases)
    for _, case in ipairs(cases) do
      local statement = type(member) == "string" and { [member] = case[1] } or
        case[1]
      it(("%s %s is %s"):format(type(member) == "string" and member or "all",
        cjson.encode(case[1]), case[2]), function()
        assert.equal(case[2], (judge(statement)))
      end)
    end
  end

  each("Principal", {
    { "*", "yes" }, { { Service = SERVICE }, "yes" },
    { { Service = { "ec2.amazonaws.com", SERVICE } }, "yes" },
    { { Service = "ec2.amazonaws.com" }, "no" },
    { { Service = "*" }, "yes" }, { { AWS = "*" }, "yes" },
    { { AWS = ROLE }, "yes" }, { { AWS = "123456789012" }, "yes" },
    { { AWS = "210987654321" }, "no" }, { { Federated = "x" }, "no" },
    { { AWS = { "210987654321" }, Service = SERVICE }, "yes" },
    { { CanonicalUser = "abc" }, "unknown" }, { {}, "no" },
    { 7, "unknown" }, { { Service = { 7 } }, "unknown" },
    { cjson.null, "unknown" },
  })
  each("NotPrincipal", {
    { { Service = SERVICE }, "no" }, { { AWS = "*" }, "no" },
    { { AWS = "arn:aws:iam::123456789012:role/Admin" }, "unknown" },
  })
  each("Action", {
    { "s3:GetObject", "yes" }, { "S3:getobject", "yes" }, { "s3:*", "yes" },
    { "*", "yes" }, { "s3:Get*", "yes" }, { "s3:?etObject", "yes" },
    { "s3:GetObjectVersion", "no" }, { { "s3:List*", "s3:GetObject" }, "yes" },
    { "s3:Get", "no" }, { {}, "no" }, { 5, "unknown" },
  })
  each("NotAction", { { "s3:DeleteObject", "yes" }, { "s3:*", "no" } })
  each("Resource", {
    { OBJECT, "yes" }, { "arn:aws:s3:::erasure/*", "yes" }, { "*", "yes" },
    { "arn:aws:s3:::erasure", "no" }, { "arn:aws:s3:::erasure/other/*", "no" },
    { "arn:aws:s3:::erasure/${aws:username}/*", "unknown" },
    { { "arn:aws:s3:::other/*", "arn:aws:s3:::erasure/lists/*" }, "yes" },
    { "arn:aws:s3:::ERASURE/*", "no" },
  })
  each("NotResource", { { "arn:aws:s3:::erasure/*", "no" },
    { "arn:aws:s3:::other/*", "yes" } })

  local GROUPS = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/*"
  each("Condition", {
    { { StringEquals = { ["aws:SourceAccount"] = "123456789012" } }, "yes" },
    { { StringEquals = { ["AWS:sourceaccount"] = "123456789012" } }, "yes" },
    { { StringEquals = { ["aws:SourceAccount"] = { "1", "123456789012" } } },
      "yes" },
    { { StringEquals = { ["aws:SourceAccount"] = "210987654321" } }, "no" },
    { { StringNotEquals = { ["aws:SourceAccount"] = "210987654321" } },
      "yes" },
    { { StringNotEquals = { ["aws:SourceAccount"] = { "1", "123456789012" } } },
      "no" },
    { { ArnLike = { ["aws:SourceArn"] =
      "arn:aws:personalize:eu-west-1:123456789012:*" } }, "yes" },
    { { ArnLike = { ["aws:SourceArn"] = "arn:aws:personalize:*:*:*" } },
      "yes" },
    { { ArnLike = { ["aws:SourceArn"] =
      "arn:aws:personalize:us-east-1:123456789012:*" } }, "no" },
    { { ArnLike = { ["aws:SourceArn"] = GROUPS } }, "unknown" },
    { { ArnNotLike = { ["aws:SourceArn"] =
      "arn:aws:personalize:us-east-1:123456789012:*" } }, "yes" },
    { { StringEquals = { ["aws:SourceArn"] = GROUPS } }, "unknown" },
    { { StringEquals = { ["aws:SourceArn"] = "arn:aws:iam::1:x" } }, "no" },
    { { StringEquals = { ["aws:SourceVpce"] = "vpce-1" } }, "no" },
    { { StringNotEquals = { ["aws:SourceVpce"] = "vpce-1" } }, "yes" },
    { { StringEqualsIfExists = { ["aws:SourceVpce"] = "vpce-1" } }, "yes" },
    { { StringNotEqualsIfExists = { ["aws:SourceVpce"] = "vpce-1" } }, "yes" },
    { { Null = { ["aws:SourceVpce"] = "true" } }, "yes" },
    { { Null = { ["aws:SourceVpce"] = true } }, "yes" },
    { { Null = { ["aws:SourceVpce"] = "false" } }, "no" },
    { { Null = { ["aws:SourceAccount"] = "false" } }, "yes" },
    { { ["ForAnyValue:StringEquals"] = { ["aws:SourceVpce"] = "x" } }, "no" },
    { { ["ForAllValues:StringEquals"] = { ["aws:SourceVpce"] = "x" } },
      "yes" },
    { { ["ForAllValues:StringEquals"] = { ["aws:SourceAccount"] = "x" } },
      "unknown" },
    { { Bool = { ["aws:SecureTransport"] = "false" } }, "no" },
    { { Bool = { ["aws:SecureTransport"] = false } }, "no" },
    { { BoolIfExists = { ["aws:SecureTransport"] = "True" } }, "yes" },
    { { NumericLessThan = { ["s3:TlsVersion"] = "1.2" } }, "no" },
    { { NumericLessThan = { ["s3:TlsVersion"] = 1.2 } }, "no" },
    { { NumericLessThan = { ["s3:TlsVersion"] = "1.3" } }, "unknown" },
    { { NumericGreaterThan = { ["s3:TlsVersion"] = "1.0" } }, "unknown" },
    { { IpAddress = { ["aws:SourceIp"] = "10.0.0.0/8" } }, "unknown" },
    { { StringLike = { ["aws:PrincipalArn"] = "*" } }, "unknown" },
    { { Mystery = { ["aws:SourceAccount"] = "123456789012" } }, "unknown" },
    { { StringEquals = { ["aws:SourceAccount"] = "${aws:x}" } }, "unknown" },
    { { StringEquals = { ["aws:SourceAccount"] = "123456789012" },
      IpAddress = { ["aws:SourceIp"] = "10.0.0.0/8" } }, "unknown" },
    { { StringEquals = { ["aws:SourceAccount"] = "210987654321" },
      IpAddress = { ["aws:SourceIp"] = "10.0.0.0/8" } }, "no" },
    { {}, "yes" }, { "x", "unknown" }, { { StringEquals = "x" }, "unknown" },
    { { StringEquals = { ["aws:SourceAccount"] = cjson.null } }, "no" },
  })
end)

describe("judging", function()
  it("keeps what allows and what denies apart", function()
    local statements = assert(policy.read(cjson.encode { Statement = {
      { Effect = "Allow", Principal = "*", Action = "s3:*" },
      { Effect = "Deny", Principal = "*", Action = "s3:*", Sid = "mine",
        Condition = { StringNotEquals = { ["aws:SourceVpce"] = "vpce-1" } } },
    } }))
    local answer = policy.judge(statements, question())
    assert.equal("yes", answer.allow)
    assert.equal("yes", answer.deny)
    assert.equal("mine", answer.denied_by.Sid)
    assert.is_true(policy.asks_for(answer.denied_by,
      { ["aws:sourcevpce"] = true }))
    assert.is_false(policy.asks_for(answer.denied_by,
      { ["aws:sourcevpc"] = true }))
  end)

  it("names the conditions that nobody can judge, of what matters", function()
    local statements = assert(policy.read(cjson.encode { Statement = {
      { Effect = "Deny", Principal = "*", Action = "s3:*", Condition = {
        StringNotLike = { ["aws:PrincipalArn"] = "arn:*" } } },
      { Effect = "Deny", Principal = "*", Action = "ec2:*", Condition = {
        IpAddress = { ["aws:SourceIp"] = "10.0.0.0/8" } } },
    } }))
    local answer = policy.judge(statements, question())
    assert.equal("unknown", answer.deny)
    assert.same({ "StringNotLike on aws:PrincipalArn" }, answer.open)
    assert.is_nil(answer.denied_by)
  end)

  it("is not held up by a pattern of stars", function()
    local pattern = ("*a"):rep(2000)
    assert.equal("no", (judge { Resource = pattern }))
  end)
end)
