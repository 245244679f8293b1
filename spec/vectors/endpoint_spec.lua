--- The endpoint rules of Amazon Personalize, on AWS's own cases.

local core = require "personalize.core"
local personalize = require "personalize"
local vectors = require "spec.support.vectors"

-- The URL that a client of these parameters sends its request to.
local function requested(params)
  local url
  local client = personalize.new {
    region = params.Region,
    endpoint = params.Endpoint,
    use_fips = params.UseFIPS,
    use_dualstack = params.UseDualStack,
    credentials = { access_key_id = "id", secret_access_key = "secret" },
    transport = function(request)
      url = request.url
      return { status = 200, headers = {}, body = "{}" }
    end,
  }
  client:list_data_deletion_jobs()
  return url
end

describe("endpoint", function()
  local cases, absent = vectors.cases("personalize-endpoint-tests.json",
    "testCases")
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    local params = case.params or {}
    local title = ("%d: %s"):format(i, case.documentation or "no title")
    local expected = case.expect.endpoint

    it(title, function()
      local url, message = core.endpoint { region = params.Region,
        endpoint = params.Endpoint, use_fips = params.UseFIPS,
        use_dualstack = params.UseDualStack }
      assert.equal(expected and expected.url or nil, url)
      assert.equal(case.expect.error, message)
    end)

    it(title .. ", by a client", function()
      if expected and params.Region then
        local url = expected.url:gsub("/$", "")
        assert.equal(url .. "/", requested(params))
        return
      end
      -- A custom endpoint needs no region to be named, but one to be signed.
      local ok, e = pcall(requested, params)
      assert.is_false(ok)
      assert.is_true(personalize.is_error(e))
      assert.equal(params.Region and "ConfigError" or "NoRegionError", e.code)
      if params.Region then
        assert.equal(case.expect.error, e.message)
      end
    end)
  end
end)
