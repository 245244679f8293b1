--- The endpoint rules of S3, on AWS's own cases. What is no upload of an
-- object to an ordinary bucket has to be refused, and is counted by reason.

local core = require "personalize.core"
local vectors = require "spec.support.vectors"

local function ends(text, tail)
  return text:sub(-#tail) == tail
end

-- Why a case is none of ours, or nil; by what it asks, not by what it expects.
local function out_of_scope(params)
  local bucket = params.Bucket
  if bucket then
    if bucket:find("^arn:") then
      return "the bucket is an ARN"
    elseif ends(bucket, "--x-s3") or ends(bucket, "--xa-s3") then
      return "S3 Express"
    elseif ends(bucket, "--op-s3") and #bucket >= 50 then
      return "S3 on Outposts"
    elseif params.Accelerate then
      return "S3 Accelerate"
    end
  elseif params.UseObjectLambdaEndpoint then
    return "S3 Object Lambda"
  elseif params.UseS3ExpressControlEndpoint then
    return "S3 Express"
  end
end

local function resolve(params, addressing)
  return core.endpoint {
    service = "s3",
    region = params.Region,
    endpoint = params.Endpoint,
    bucket = params.Bucket,
    addressing = params.ForcePathStyle and "path" or addressing,
    use_fips = params.UseFIPS,
    use_dualstack = params.UseDualStack,
    use_global = params.UseGlobalEndpoint,
    accelerate = params.Accelerate,
    object_lambda = params.UseObjectLambdaEndpoint,
    express_control = params.UseS3ExpressControlEndpoint,
  }
end

local function check(case, addressing)
  local params, expected = case.params or {}, case.expect.endpoint
  local url, signing = resolve(params, addressing)
  if not expected then
    assert.is_nil(url)
    assert.equal(case.expect.error, signing)
    return
  end
  assert.equal(expected.url, url)
  local scheme = ((expected.properties or {}).authSchemes or {})[1]
  if scheme then
    assert.equal(scheme.signingRegion, signing.signing_region)
    assert.equal(scheme.signingName, signing.signing_name)
  end
end

describe("S3 endpoint", function()
  local cases, absent = vectors.cases("s3-endpoint-tests.json", "testCases")
  if not cases then
    pending(absent)
    return
  end

  local reasons, counts = {}, {}
  for i, case in ipairs(cases) do
    local params = case.params or {}
    local title = ("%d: %s"):format(i, case.documentation or "no title")
    local reason = out_of_scope(params)
    -- Where the rules refuse what is out of scope as well, and we do it in
    -- the same words, there is nothing to leave out.
    local _, message = resolve(params)
    if reason and message ~= case.expect.error then
      if not counts[reason] then
        reasons[#reasons + 1] = reason
      end
      counts[reason] = (counts[reason] or 0) + 1
      it(title .. ", refused: " .. reason, function()
        local url, words = resolve(params)
        assert.is_nil(url)
        assert.is_string(words)
        assert.truthy(#words > 0)
      end)
    else
      it(title, function()
        check(case, "virtual")
      end)
      -- The one name that we treat in a way of our own.
      if not (params.Endpoint or ""):find("://localhost") then
        it(title .. ", addressing left to us", function()
          check(case, "auto")
        end)
      end
    end
  end

  table.sort(reasons)
  for _, reason in ipairs(reasons) do
    pending(("out of scope, refused: %s (%d of %d cases)"):format(reason,
      counts[reason], #cases))
  end
end)
