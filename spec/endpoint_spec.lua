--- From region and flags to URLs: every rule, every refusal, and what must
-- never become part of a host name.

local core = require "personalize.core"

-- A copy of `base` with the members of `more`.
local function with(base, more)
  local all = {}
  for name, value in pairs(base) do
    all[name] = value
  end
  for name, value in pairs(more) do
    all[name] = value
  end
  return all
end

local function title(params)
  local names, words = {}, {}
  for name in pairs(params) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    words[#words + 1] = ("%s = %q"):format(name, tostring(params[name]))
  end
  return table.concat(words, ", ")
end

-- { params, url [, signing region] } or { params, nil, message }
local function check(cases, base)
  for _, case in ipairs(cases) do
    local params = with(base, case[1])
    it(title(params), function()
      local url, signing = core.endpoint(params)
      assert.equal(case[2], url)
      if case[2] then
        assert.equal(case[3] or params.region, signing.signing_region)
      else
        assert.equal(case[3], signing)
      end
    end)
  end
end

local FIPS, DUAL = { use_fips = true }, { use_dualstack = true }
local BOTH = { use_fips = true, use_dualstack = true }

-- Names that would end a host name early, or lead it elsewhere.
local BAD_REGIONS = { "x.evil.example", "us-east-1.", "x@evil.example",
  "x/../y", "evil#", "a?b", "a:80", "a\\b", "-a", "a-", "a b", "a\r\nb",
  "a\0b", "\195\169", "a%2eb", ("a"):rep(64), "@", ".", "//evil", "[::1]",
  "a_b", "us-east-2!" }
local BAD_ENDPOINTS = { "https://a\r\nX: y", "https://a/\r\nb", "https://a\0",
  "https://a b", "https://u:p@a", "https://u@a", "https://a?q", "https://a#f",
  "https://a\\b", "gopher://a", "file:///etc/passwd", "https://", "https:a",
  "a", "https://[::1", "https://a:0", "https://a:65536", "https://a:1:2" }

-- ---- the simple ones -------------------------------------------------------

-- What each service has before ".REGION.", and signs as.
local SIMPLE = {
  { service = "personalize", host = "personalize", name = "personalize" },
  { service = "sts", host = "sts", name = "sts", gov = true },
  { service = "sso", host = "portal.sso", name = "awsssoportal", gov = true },
  { service = "sso_oidc", host = "oidc", name = "sso-oauth", gov = true },
}

for _, s in ipairs(SIMPLE) do
  describe("endpoint of " .. s.service, function()
    local fips = s.host .. "-fips"
    local gov = s.gov and s.host or fips

    check({
      { { region = "eu-west-1" },
        "https://" .. s.host .. ".eu-west-1.amazonaws.com" },
      { { region = "eu-moon-7" },
        "https://" .. s.host .. ".eu-moon-7.amazonaws.com" },
      { { region = "mars" }, "https://" .. s.host .. ".mars.amazonaws.com" },
      { with(FIPS, { region = "us-east-2" }),
        "https://" .. fips .. ".us-east-2.amazonaws.com" },
      { with(DUAL, { region = "us-east-2" }),
        "https://" .. s.host .. ".us-east-2.api.aws" },
      { with(BOTH, { region = "us-east-2" }),
        "https://" .. fips .. ".us-east-2.api.aws" },
      { { region = "cn-north-1" },
        "https://" .. s.host .. ".cn-north-1.amazonaws.com.cn" },
      { with(DUAL, { region = "cn-north-1" }),
        "https://" .. s.host .. ".cn-north-1.api.amazonwebservices.com.cn" },
      { { region = "us-isob-east-1" },
        "https://" .. s.host .. ".us-isob-east-1.sc2s.sgov.gov" },
      { { region = "eusc-de-east-1" },
        "https://" .. s.host .. ".eusc-de-east-1.amazonaws.eu" },
      -- In GovCloud the plain hosts are the FIPS hosts, for some.
      { { region = "us-gov-west-1" },
        "https://" .. s.host .. ".us-gov-west-1.amazonaws.com" },
      { with(FIPS, { region = "us-gov-west-1" }),
        "https://" .. gov .. ".us-gov-west-1.amazonaws.com" },
      { with(BOTH, { region = "us-gov-west-1" }),
        "https://" .. fips .. ".us-gov-west-1.api.aws" },
    }, { service = s.service })

    it("signs as " .. s.name, function()
      local _, signing = core.endpoint { service = s.service,
        region = "eu-west-1" }
      assert.same({ signing_region = "eu-west-1", signing_name = s.name },
        signing)
    end)
  end)
end

describe("endpoint of sts", function()
  check({
    { { region = "aws-global" }, "https://sts.amazonaws.com", "us-east-1" },
    { with(FIPS, { region = "aws-global" }),
      "https://sts-fips.aws-global.amazonaws.com" },
    { { region = "us-east-1" }, "https://sts.us-east-1.amazonaws.com" },
    -- The old way, which serves the regions of its time.
    { { region = "us-east-1", use_global = true },
      "https://sts.amazonaws.com", "us-east-1" },
    { { region = "eu-west-3", use_global = true },
      "https://sts.amazonaws.com", "us-east-1" },
    { { region = "aws-global", use_global = true },
      "https://sts.amazonaws.com", "us-east-1" },
    { { region = "eu-south-1", use_global = true },
      "https://sts.eu-south-1.amazonaws.com" },
    { { region = "cn-north-1", use_global = true },
      "https://sts.cn-north-1.amazonaws.com.cn" },
    { with(FIPS, { region = "us-east-1", use_global = true }),
      "https://sts-fips.us-east-1.amazonaws.com" },
    { with(DUAL, { region = "us-east-1", use_global = true }),
      "https://sts.us-east-1.api.aws" },
    { { region = "us-east-1", use_global = true, endpoint = "http://a" },
      "http://a" },
  }, { service = "sts" })
end)

describe("endpoint of iam", function()
  -- One for all regions of a partition.
  local GOV, CN = "us-gov-west-1", "cn-north-1"
  check({
    { { region = "eu-west-1" }, "https://iam.amazonaws.com", "us-east-1" },
    { { region = "mars" }, "https://iam.amazonaws.com", "us-east-1" },
    { { region = "aws-global" }, "https://iam.amazonaws.com", "us-east-1" },
    { with(FIPS, { region = "eu-west-1" }), "https://iam-fips.amazonaws.com",
      "us-east-1" },
    { with(DUAL, { region = "eu-west-1" }), "https://iam.global.api.aws",
      "us-east-1" },
    { with(BOTH, { region = "eu-west-1" }), "https://iam-fips.global.api.aws",
      "us-east-1" },
    { { region = "cn-northwest-1" },
      "https://iam.cn-north-1.amazonaws.com.cn", CN },
    { with(FIPS, { region = CN }), "https://iam-fips.amazonaws.com.cn", CN },
    { with(DUAL, { region = CN }),
      "https://iam.global.api.amazonwebservices.com.cn", CN },
    { with(BOTH, { region = CN }),
      "https://iam-fips.api.amazonwebservices.com.cn", CN },
    { { region = "us-gov-east-1" }, "https://iam.us-gov.amazonaws.com", GOV },
    { with(FIPS, { region = GOV }), "https://iam.us-gov.amazonaws.com", GOV },
    { with(BOTH, { region = GOV }), "https://iam.us-gov.api.aws", GOV },
    { { region = "us-iso-west-1" }, "https://iam.us-iso-east-1.c2s.ic.gov",
      "us-iso-east-1" },
    { with(FIPS, { region = "us-iso-east-1" }),
      "https://iam-fips.us-iso-east-1.c2s.ic.gov", "us-iso-east-1" },
    { { region = "us-isob-west-1" },
      "https://iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1" },
    { with(DUAL, { region = "us-isob-east-1" }), "https://iam.api.aws.scloud",
      "us-isob-east-1" },
    { { region = "eu-isoe-west-1" },
      "https://iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1" },
    { with(FIPS, { region = "us-isof-east-1" }),
      "https://iam-fips.csp.hci.ic.gov", "us-isof-south-1" },
    { { region = "eusc-de-east-1" },
      "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1" },
    -- Signed for IAM's own region wherever it is.
    { { region = "eu-west-1", endpoint = "http://127.0.0.1:9" },
      "http://127.0.0.1:9", "us-east-1" },
    { {}, nil, "Invalid Configuration: Missing Region" },
    { { region = "eu.west" }, nil,
      "Invalid Configuration: the region is not a valid host label" },
  }, { service = "iam" })

  it("signs as iam", function()
    local _, signing = core.endpoint { service = "iam", region = "eu-west-1" }
    assert.same({ signing_region = "us-east-1", signing_name = "iam" },
      signing)
  end)
end)

describe("endpoint of signin", function()
  check({
    { { region = "eu-west-1" }, "https://eu-west-1.signin.aws.amazon.com" },
    { { region = "mars" }, "https://mars.signin.aws.amazon.com" },
    { { region = "cn-north-1" }, "https://cn-north-1.signin.amazonaws.cn" },
    { { region = "us-gov-east-1" },
      "https://us-gov-east-1.signin.amazonaws-us-gov.com" },
    { { region = "us-iso-east-1" },
      "https://us-iso-east-1.signin.c2shome.ic.gov" },
    { { region = "us-isob-east-1" },
      "https://us-isob-east-1.signin.sc2shome.sgov.gov" },
    { { region = "us-isof-south-1" },
      "https://us-isof-south-1.signin.csphome.hci.ic.gov" },
    { { region = "eu-isoe-west-1" },
      "https://eu-isoe-west-1.signin.csphome.adc-e.uk" },
    { { region = "eusc-de-east-1" },
      "https://eusc-de-east-1.signin.amazonaws-eusc.eu" },
    { with(FIPS, { region = "us-east-1" }),
      "https://signin-fips.us-east-1.amazonaws.com" },
    { with(FIPS, { region = "us-gov-west-1" }),
      "https://signin-fips.amazonaws-us-gov.com" },
    { with(FIPS, { region = "us-gov-east-1" }),
      "https://us-gov-east-1.signin-fips.amazonaws-us-gov.com" },
    { with(DUAL, { region = "eu-west-1" }),
      "https://signin.eu-west-1.api.aws" },
    { with(DUAL, { region = "cn-north-1" }),
      "https://signin.cn-north-1.api.amazonwebservices.com.cn" },
    { with(BOTH, { region = "us-gov-west-1" }),
      "https://signin-fips.us-gov-west-1.api.aws" },
  }, { service = "signin" })

  it("signs as signin", function()
    local _, signing = core.endpoint { service = "signin", region = "mars" }
    assert.same({ signing_region = "mars", signing_name = "signin" }, signing)
  end)
end)

describe("endpoint of any service but s3", function()
  for _, service in ipairs { "personalize", "sts", "sso", "sso_oidc",
    "signin" } do
    check({
      { {}, nil, "Invalid Configuration: Missing Region" },
      { { region = "" }, nil, "Invalid Configuration: Missing Region" },
      { with(FIPS, { region = "eu-west-1", endpoint = "https://a" }), nil,
        "Invalid Configuration: FIPS and custom endpoint are not supported" },
      { with(BOTH, { region = "eu-west-1", endpoint = "https://a" }), nil,
        "Invalid Configuration: FIPS and custom endpoint are not supported" },
      { with(DUAL, { region = "eu-west-1", endpoint = "https://a" }), nil,
        "Invalid Configuration: Dualstack and custom endpoint are not " ..
        "supported" },
      -- A custom endpoint stays as it is, and needs no region.
      { { region = "eu-west-1", endpoint = "https://a.example" },
        "https://a.example" },
      { { region = "aws-global", endpoint = "http://127.0.0.1:4566/x/" },
        "http://127.0.0.1:4566/x/" },
      { { endpoint = "https://[2001:db8::1]:8443/aws" },
        "https://[2001:db8::1]:8443/aws" },
    }, { service = service })

    it("refuses bad regions: " .. service, function()
      for _, region in ipairs(BAD_REGIONS) do
        local url, message = core.endpoint { service = service,
          region = region }
        assert.is_nil(url)
        assert.equal("Invalid Configuration: the region is not a valid host" ..
          " label", message)
      end
    end)

    it("refuses bad endpoints: " .. service, function()
      for _, endpoint in ipairs(BAD_ENDPOINTS) do
        local url, message = core.endpoint { service = service,
          region = "eu-west-1", endpoint = endpoint }
        assert.is_nil(url)
        assert.equal("Invalid Configuration: the custom endpoint is no URL " ..
          "of http or https, host, port and path", message)
      end
    end)
  end

  it("comes alone where no service is named", function()
    assert.equal(1, select("#", core.endpoint { region = "eu-west-1" }))
    assert.equal("https://personalize.eu-west-1.amazonaws.com",
      core.endpoint { region = "eu-west-1" })
  end)

  it("takes no other service, and no other type", function()
    for _, params in ipairs { { service = "ec2" }, { service = "" },
      { service = 3 }, { region = 3 }, { endpoint = true } } do
      assert.is_false(pcall(core.endpoint, params))
    end
    assert.is_false(pcall(core.endpoint))
  end)
end)

-- ---- S3 ---------------------------------------------------------------------

describe("endpoint of s3", function()
  local s3 = { service = "s3" }

  check({
    { { region = "eu-west-1", bucket = "lists" },
      "https://lists.s3.eu-west-1.amazonaws.com" },
    { { region = "eu-west-1", bucket = "lists", addressing = "auto" },
      "https://lists.s3.eu-west-1.amazonaws.com" },
    { { region = "eu-west-1", bucket = "lists", addressing = "virtual" },
      "https://lists.s3.eu-west-1.amazonaws.com" },
    { { region = "eu-west-1", bucket = "lists", addressing = "path" },
      "https://s3.eu-west-1.amazonaws.com/lists" },
    { with(FIPS, { region = "us-east-2", bucket = "lists" }),
      "https://lists.s3-fips.us-east-2.amazonaws.com" },
    { with(DUAL, { region = "us-east-2", bucket = "lists" }),
      "https://lists.s3.dualstack.us-east-2.amazonaws.com" },
    { with(BOTH, { region = "us-east-2", bucket = "lists" }),
      "https://lists.s3-fips.dualstack.us-east-2.amazonaws.com" },
    { with(BOTH, { region = "us-east-2", bucket = "lists",
      addressing = "path" }),
      "https://s3-fips.dualstack.us-east-2.amazonaws.com/lists" },
    { with(DUAL, { region = "cn-north-1", bucket = "lists" }),
      "https://lists.s3.dualstack.cn-north-1.amazonaws.com.cn" },
    { with(FIPS, { region = "us-gov-west-1", bucket = "lists" }),
      "https://lists.s3-fips.us-gov-west-1.amazonaws.com" },
    { { region = "us-isob-east-1", bucket = "lists" },
      "https://lists.s3.us-isob-east-1.sc2s.sgov.gov" },
    { { region = "eu-west-1" }, "https://s3.eu-west-1.amazonaws.com" },
    -- One host for all regions, in its time.
    { { region = "aws-global", bucket = "lists" },
      "https://lists.s3.amazonaws.com", "us-east-1" },
    { with(DUAL, { region = "aws-global", bucket = "lists" }),
      "https://lists.s3.dualstack.us-east-1.amazonaws.com", "us-east-1" },
    { { region = "us-east-1", bucket = "lists", use_global = true },
      "https://lists.s3.amazonaws.com" },
    { with(FIPS, { region = "us-east-1", bucket = "lists",
      use_global = true }),
      "https://lists.s3-fips.us-east-1.amazonaws.com" },
    { { region = "us-east-2", bucket = "lists", use_global = true },
      "https://lists.s3.us-east-2.amazonaws.com" },
  }, s3)

  it("signs as s3", function()
    local _, signing = core.endpoint { service = "s3", region = "eu-west-1",
      bucket = "lists" }
    assert.same({ signing_region = "eu-west-1", signing_name = "s3" }, signing)
  end)

  describe("with an endpoint of one's own", function()
    check({
      { { endpoint = "https://minio.example" },
        "https://lists.minio.example" },
      { { endpoint = "HTTP://minio.example:9000/store" },
        "http://lists.minio.example:9000/store" },
      { { endpoint = "https://minio.example:9000/store",
        addressing = "path" }, "https://minio.example:9000/store/lists" },
      { { endpoint = "https://minio.example/", addressing = "path" },
        "https://minio.example/lists" },
      { { endpoint = "http://minio.example/a/b/", addressing = "path" },
        "http://minio.example/a/b/lists" },
      -- Nothing can stand below an address.
      { { endpoint = "http://127.0.0.1:9000" },
        "http://127.0.0.1:9000/lists" },
      { { endpoint = "http://127.0.0.1:9000", addressing = "virtual" },
        "http://127.0.0.1:9000/lists" },
      { { endpoint = "http://127.1" }, "http://127.1/lists" },
      { { endpoint = "http://2130706433" }, "http://2130706433/lists" },
      { { endpoint = "http://127.0.0.1." }, "http://127.0.0.1./lists" },
      { { endpoint = "https://[2001:db8::1]:8443/x" },
        "https://[2001:db8::1]:8443/x/lists" },
      { { endpoint = "https://[::1]" }, "https://[::1]/lists" },
      { { endpoint = "http://4u.example" }, "http://lists.4u.example" },
      -- Nor below localhost; but who insists, gets it.
      { { endpoint = "http://localhost:9000" },
        "http://localhost:9000/lists" },
      { { endpoint = "http://LOCALHOST:9000" },
        "http://LOCALHOST:9000/lists" },
      { { endpoint = "http://localhost:9000", addressing = "virtual" },
        "http://lists.localhost:9000" },
      { { endpoint = "http://s3.localhost:9000" },
        "http://lists.s3.localhost:9000" },
      { { region = "aws-global", endpoint = "https://minio.example" },
        "https://lists.minio.example", "us-east-1" },
    }, { service = "s3", region = "eu-west-1", bucket = "lists" })

    it("keeps it where there is no bucket", function()
      assert.equal("http://minio.example:9000/store/", (core.endpoint {
        service = "s3", region = "eu-west-1",
        endpoint = "http://minio.example:9000/store/" }))
    end)
  end)

  describe("puts into the host only names that can be there:", function()
    local hosted = { "aaa", "123", "a-b", "0a0", ("x"):rep(63), "a--b",
      "xn--a", "my-bucket--op-s3", "arn", "x-s3" }
    local dotted = { "bucket.name", "a.b.c", "1.2.3.4.5", "1.2.3.4000",
      "a.1.2.3" }
    local neither = { "aa", "a", ("x"):rep(64), "Bucket", "bucket_name",
      "-ab", "ab-", "a..b", ".ab", "ab.", "a.-b", "a-.b", "1.2.3.4",
      "192.168.100.200", "bucket!", "a b", "a@evil.example", "a:b", "a?b",
      "a#b", "a\\b", "a\r\nHost: evil", "a\0b", "\195\169\195\169" }

    local function places(bucket)
      local found = {}
      for i, endpoint in ipairs { false, "https://x.example",
        "http://x.example" } do
        local url = core.endpoint { service = "s3", region = "eu-west-1",
          bucket = bucket, endpoint = endpoint or nil }
        local host = url:match("^https?://([^/]+)")
        if host == bucket .. ".s3.eu-west-1.amazonaws.com" or
          host == bucket .. ".x.example" then
          found[i] = "host"
        else
          assert.truthy(host == "s3.eu-west-1.amazonaws.com" or
            host == "x.example", url)
          local path = url:match("^https?://[^/]+(/.*)$")
          assert.equal(core.s3_path(nil, (bucket:gsub("/", ""))), path)
          found[i] = "path"
        end
      end
      return table.concat(found, " ")
    end

    for _, bucket in ipairs(hosted) do
      it(("%q"):format(bucket), function()
        assert.equal("host host host", places(bucket))
      end)
    end
    for _, bucket in ipairs(dotted) do
      it(("%q, where no certificate is asked for"):format(bucket), function()
        assert.equal("path path host", places(bucket))
      end)
    end
    for _, bucket in ipairs(neither) do
      it(("not %q"):format(bucket), function()
        assert.equal("path path path", places(bucket))
      end)
    end
  end)

  describe("encodes a bucket in the path:", function()
    check({
      { { bucket = "bucket!" },
        "https://s3.eu-west-1.amazonaws.com/bucket%21" },
      { { bucket = "a/../b" },
        "https://s3.eu-west-1.amazonaws.com/a%2F..%2Fb" },
      { { bucket = "a%2Fb" }, "https://s3.eu-west-1.amazonaws.com/a%252Fb" },
      { { bucket = "a\r\nX: y" },
        "https://s3.eu-west-1.amazonaws.com/a%0D%0AX%3A%20y" },
      { { bucket = "a\0b" }, "https://s3.eu-west-1.amazonaws.com/a%00b" },
    }, { service = "s3", region = "eu-west-1" })
  end)

  describe("refuses settings that exclude each other:", function()
    local custom = { region = "eu-west-1", bucket = "lists",
      endpoint = "https://a.example" }
    check({
      { {}, nil, "A region must be set when sending requests to S3." },
      { { region = "", bucket = "lists" }, nil,
        "A region must be set when sending requests to S3." },
      { with(custom, FIPS), nil,
        "A custom endpoint cannot be combined with FIPS" },
      { with(custom, DUAL), nil,
        "Cannot set dual-stack in combination with a custom endpoint." },
      { with(custom, BOTH), nil,
        "Cannot set dual-stack in combination with a custom endpoint." },
      { with(custom, { accelerate = true }), nil,
        "A custom endpoint cannot be combined with S3 Accelerate" },
      { with(FIPS, { region = "us-east-1", accelerate = true }), nil,
        "Accelerate cannot be used with FIPS" },
      { with(FIPS, { region = "cn-north-1", bucket = "lists" }), nil,
        "Partition does not support FIPS" },
      { with(BOTH, { region = "cn-north-1", bucket = "lists" }), nil,
        "Partition does not support FIPS" },
    }, s3)
  end)

  describe("refuses what is no upload to an ordinary bucket:", function()
    local EXPRESS = "S3 Express directory buckets are not supported: name " ..
      "an ordinary bucket"
    local ARN = "ARNs of access points and the like are not supported: name " ..
      "an ordinary bucket"
    check({
      { { bucket = "lists", accelerate = true }, nil,
        "S3 Accelerate is not supported" },
      { with(DUAL, { bucket = "lists", accelerate = true }), nil,
        "S3 Accelerate is not supported" },
      { { bucket = "lists", accelerate = true, region = "cn-north-1" }, nil,
        "S3 Accelerate cannot be used in this region" },
      { { bucket = "lists", accelerate = true, addressing = "path" }, nil,
        "Path-style addressing cannot be used with S3 Accelerate" },
      { { bucket = "Lists", accelerate = true }, nil,
        "Path-style addressing cannot be used with S3 Accelerate" },
      { { bucket = "lists--use1-az4--x-s3" }, nil, EXPRESS },
      { { bucket = "point--use1-az4--xa-s3" }, nil, EXPRESS },
      { { express_control = true }, nil, EXPRESS },
      { { object_lambda = true }, nil, "S3 Object Lambda is not supported: " ..
        "only objects in ordinary buckets are" },
      { { bucket = ("a"):rep(43) .. "--op-s3" }, nil,
        "S3 on Outposts is not supported: name an ordinary bucket" },
      { { bucket = "arn:aws:s3:us-west-2:123456789012:accesspoint:mine" }, nil,
        ARN },
      { { bucket = "arn:aws:s3::123456789012:accesspoint:mine.mrap" }, nil,
        ARN },
      { { bucket = "arn:aws:s3-outposts:us-west-2:123456789012:outpost:op-0:" ..
        "accesspoint:mine" }, nil, ARN },
      { { bucket = "arn:" }, nil, ARN },
      { { bucket = "arn:aws:s3:us-west-2:123456789012:accesspoint:mine",
        addressing = "path" }, nil,
        "Path-style addressing cannot be used with ARN buckets" },
      { { bucket = "" }, nil, "The name of the bucket is empty" },
      { { bucket = "." }, nil, "The name of the bucket is made of dots" },
      { { bucket = "..", addressing = "path" }, nil,
        "The name of the bucket is made of dots" },
    }, { service = "s3", region = "us-west-2" })
  end)

  it("refuses bad regions", function()
    for _, region in ipairs(BAD_REGIONS) do
      for _, more in ipairs { {}, { bucket = "lists" }, { bucket = "Lists" },
        { bucket = "lists", addressing = "path" },
        { bucket = "lists", accelerate = true },
        { bucket = "lists", endpoint = "https://a.example" } } do
        if not (more.accelerate and more.endpoint) then
          local url, message = core.endpoint(with(more, { service = "s3",
            region = region }))
          assert.is_nil(url)
          assert.equal("Invalid region: region was not a valid DNS name.",
            message)
        end
      end
    end
  end)

  it("refuses bad endpoints, and shows no password", function()
    for _, endpoint in ipairs(BAD_ENDPOINTS) do
      for _, bucket in ipairs { "lists", "Lists" } do
        local url, message = core.endpoint { service = "s3", bucket = bucket,
          region = "eu-west-1", endpoint = endpoint }
        assert.is_nil(url)
        local quoted = not endpoint:find("[^!-~]") and
          not endpoint:find("@", 1, true)
        assert.equal("Custom endpoint " ..
          (quoted and "`" .. endpoint .. "` " or "") ..
          "was not a valid URI", message)
      end
    end
    local _, message = core.endpoint { service = "s3", bucket = "lists",
      region = "eu-west-1", endpoint = ("x"):rep(201) }
    assert.equal("Custom endpoint was not a valid URI", message)
  end)

  it("takes no other addressing", function()
    for _, addressing in ipairs { "host", "", 1 } do
      assert.is_false(pcall(core.endpoint, { service = "s3",
        region = "eu-west-1", addressing = addressing }))
    end
  end)

  it("gives URLs that a request can be made to", function()
    for _, addressing in ipairs { "auto", "virtual", "path" } do
      for _, bucket in ipairs { "lists", "a.b", "a\r\n", "@", "#" } do
        local url = core.endpoint { service = "s3", region = "eu-west-1",
          bucket = bucket, addressing = addressing }
        assert.is_true(core.is_endpoint(url))
      end
    end
  end)
end)

-- ---- keys and pseudo regions -----------------------------------------------

describe("s3_path", function()
  for _, case in ipairs {
    { nil, "users.csv", "/users.csv" },
    { "lists", "users.csv", "/lists/users.csv" },
    { "lists", "a/b/users.csv", "/lists/a/b/users.csv" },
    -- All of it is the key's name; nothing is normalised.
    { nil, "/a", "//a" },
    { nil, "a//b/", "/a//b/" },
    { nil, "./a/../b", "/./a/../b" },
    { nil, "..", "/.." },
    { nil, "", "/" },
    -- Once, and all but the unreserved.
    { nil, "a%2Fb", "/a%252Fb" },
    { nil, "AZaz09-._~", "/AZaz09-._~" },
    { nil, "a b+c=d&e?f#g", "/a%20b%2Bc%3Dd%26e%3Ff%23g" },
    { nil, "!*'();:@,$[]", "/%21%2A%27%28%29%3B%3A%40%2C%24%5B%5D" },
    { nil, "\195\169", "/%C3%A9" },
    { nil, "a\r\nb\0c\127\\", "/a%0D%0Ab%00c%7F%5C" },
    { "a/b", "c", "/a%2Fb/c" },
  } do
    it(("encodes %q"):format(case[2]), function()
      assert.equal(case[3], core.s3_path(case[1], case[2]))
    end)
  end

  it("takes strings", function()
    assert.is_false(pcall(core.s3_path, nil, nil))
    assert.is_false(pcall(core.s3_path, 1, "a"))
  end)
end)

describe("pseudo_region", function()
  for _, case in ipairs {
    { "eu-west-1", "eu-west-1", false },
    { "fips-us-east-1", "us-east-1", true },
    { "us-east-1-fips", "us-east-1", true },
    { "fips-us-gov-west-1", "us-gov-west-1", true },
    { "us-gov-west-1-fips", "us-gov-west-1", true },
    { "fips-aws-global", "us-east-1", true },
    { "aws-global-fips", "us-east-1", true },
    { "aws-fips", "us-east-1", true },
    { "aws-global", "aws-global", false },
    { "", "", false },
    { "fips", "fips", false },
    { "fips-", "fips-", false },
    { "-fips", "-fips", false },
    { "us-fips-1", "us-fips-1", false },
    { "FIPS-us-east-1", "FIPS-us-east-1", false },
    -- What is left is no region, and is checked as any other.
    { "fips-a/b", "a/b", true },
  } do
    it(("of %q"):format(case[1]), function()
      local region, fips = core.pseudo_region(case[1])
      assert.equal(case[2], region)
      assert.equal(case[3], fips)
    end)
  end
end)

describe("is_s3_key", function()
  it("takes UTF-8 of 1 to 1024 bytes", function()
    for _, key in ipairs { "a", "/", "..", " ", "\0", "\195\169",
      ("k"):rep(1024), ("\226\130\172"):rep(341) } do
      assert.is_true(core.is_s3_key(key))
    end
    for _, key in ipairs { "", ("k"):rep(1025), ("\226\130\172"):rep(342),
      "\255", "a\195", "\192\128", "\237\160\128", "\244\144\128\128" } do
      assert.is_false(core.is_s3_key(key))
    end
    assert.is_false(pcall(core.is_s3_key, 1))
  end)
end)
