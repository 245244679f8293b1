-- Every function of personalize.core with each of its allocations refused.

local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

local function open_core()
  package.loaded["personalize.core"] = nil
  return require "personalize.core"
end

run("loading personalize.core", function()
  local names = {}
  for name in pairs(open_core()) do
    names[#names + 1] = name
  end
  assert(#names > 10, "a library without functions")
end)

local core = open_core()

-- The functions told off here; whatever is left at the end has no test.
local todo = {}
for name, value in pairs(core) do
  todo[name] = type(value) == "function" or nil
end

local function test(name, what, f)
  todo[name] = nil
  run(name .. what, f)
end

-- ---- the small ones --------------------------------------------------------

test("endpoint", "", function()
  same("https://personalize.eu-west-1.amazonaws.com",
    core.endpoint { region = "eu-west-1" })
  same("https://personalize-fips.cn-north-1.api.amazonwebservices.com.cn",
    core.endpoint { region = "cn-north-1", use_fips = true,
      use_dualstack = true })
  same("http://127.0.0.1:4000/x",
    core.endpoint { region = "eu-west-1", endpoint = "http://127.0.0.1:4000/x" })
end)

test("endpoint", ", refused", function()
  local url, message = core.endpoint {}
  same(nil, url)
  same("Invalid Configuration: Missing Region", message)
end)

test("endpoint", ", of other services", function()
  local url, signing = core.endpoint { service = "sts", region = "aws-global" }
  same("https://sts.amazonaws.com", url)
  same("us-east-1", signing.signing_region)
  same("sts", signing.signing_name)
  url, signing = core.endpoint { service = "s3", region = "eu-west-1",
    bucket = ("B"):rep(100) }
  same("https://s3.eu-west-1.amazonaws.com/" .. ("B"):rep(100), url)
  same("s3", signing.signing_name)
  url, signing = core.endpoint { service = "s3", region = "eu-west-1",
    bucket = "lists", endpoint = "x" }
  same(nil, url)
  same("Custom endpoint `x` was not a valid URI", signing)
end)

test("pseudo_region", "", function()
  local region, fips = core.pseudo_region "fips-eu-west-1"
  same("eu-west-1", region)
  same(true, fips)
end)

test("s3_path", "", function()
  same("/lists/" .. ("%20"):rep(100), core.s3_path("lists", (" "):rep(100)))
end)

test("partition", "", function()
  same("aws-us-gov", core.partition("us-gov-mars-9").id)
  same("us-isof-east-1", core.partition("us-isof-south-1").regions[2])
end)

test("is_region", "", function()
  same(true, core.is_region "eu-west-1")
  same(false, core.is_region "eu-west-1/")
end)

test("is_endpoint", "", function()
  same(true, core.is_endpoint "https://[::1]:8443/path")
  same(false, core.is_endpoint "https://a@b")
end)

test("nearest", "", function()
  same("jobName", core.nearest("job_name", { "roleArn", "jobName", 5, {} }))
  same(nil, core.nearest("x", { "roleArn" }))
end)

test("credentials_fault", "", function()
  same(nil, core.credentials_fault { access_key_id = "AKID",
    secret_access_key = "secret", session_token = "token" })
  same("secret_access_key is missing",
    core.credentials_fault { access_key_id = "AKID" })
end)

test("sigv4", "", function()
  local headers = {}
  for i = 1, 40 do
    headers[i] = { "X-Header-" .. (41 - i), "  value   " .. i .. " " }
  end
  local query = {}
  for i = 1, 40 do
    query[i] = "p" .. (i * 7 % 41) .. "=%20v&"
  end
  local made = core.sigv4({ method = "GET", path = "/a/../b c",
    query = table.concat(query), headers = headers,
    payload = ("body "):rep(40) },
    { access_key_id = "AKID", secret_access_key = "secret" },
    { region = "eu-west-1", service = "s3", timestamp = "20261124T000000Z" })
  same(64, #made.signature)
  same("/b%20c", made.canonical_request:match("\n(.-)\n"))
  assert(made.authorization:find(made.signature, 1, true))
end)

-- ---- the system ------------------------------------------------------------

test("now", "", function() assert(core.now() > 1.7e9) end)
test("monotonic", "", function() assert(core.monotonic() > 0) end)
test("sleep", "", function() same(true, core.sleep(0)) end)
test("getenv", "", function()
  same(nil, core.getenv "PERSONALIZE_SPEC_NO_SUCH_VARIABLE")
  same("string", type(core.getenv "PATH"))
end)
test("getpid", "", function() assert(core.getpid() > 1) end)
test("random", "", function() same(64, #core.random(64)) end)
test("uniform", "", function()
  local n = core.uniform()
  assert(n >= 0 and n < 1)
end)


test("time", "", function()
  same(1795515072, core.time "2026-11-24T10:11:12Z")
  same(nil, core.time "yesterday")
end)
test("time_text", "", function()
  same("2026-11-24T10:11:12Z", core.time_text(1795515072.9))
  same(nil, core.time_text(-1))
end)

-- ---- processes, files, addresses -------------------------------------------

test("run", "", function()
  same("said\n", core.run("echo said", 10))
  local output, why = core.run("exit 3", 10)
  same(nil, output)
  same("it ended with status 3", why)
end)

test("write_private", "", function()
  local path = os.tmpname()
  local ok, why = pcall(function()
    same(true, core.write_private(path, ("secret "):rep(40)))
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    same(("secret "):rep(40), text)
  end)
  os.remove(path)
  if not ok then
    error(why, 0)
  end
end)

test("write_private", ", refused", function()
  same(nil, (core.write_private("/nonexistent/file", "x")))
end)

test("resolve", "", function()
  same("127.0.0.1", core.resolve("127.0.0.1")[1])
end)

-- ---- service and attempt ---------------------------------------------------

local RANDOM = ("\1"):rep(16)
local NOW = 1795478400
local KEYS = { access_key_id = "AKID", secret_access_key = ("s"):rep(40),
  session_token = ("t"):rep(900) }
local params = { endpoint = "https://personalize.eu-west-1.amazonaws.com/p",
  region = "eu-west-1", signing_name = "personalize",
  target_prefix = "AmazonPersonalize", user_agent = ("agent "):rep(30) .. "x" }

local function copy(t, changes)
  local new = {}
  for key, value in pairs(t) do new[key] = value end
  for key, value in pairs(changes) do new[key] = value end
  return new
end

test("service", "", function()
  local service = core.service(params)
  same(params.endpoint .. "/", service:url())
  same("personalize.service", tostring(service))
  service:close()
  service:close()
end)

test("service", ", refused", function()
  local service, message = core.service(copy(params, { region = "a.b" }))
  same(nil, service)
  same("the region is not a valid host label", message)
  service, message = core.service(copy(params, { endpoint = "ftp://x" }))
  same(nil, service)
  assert(message:find("http://HOST", 1, true))
end)

local function tag_list(count)
  local list = {}
  for i = 1, count do
    list[i] = { tagKey = "key" .. i, tagValue = ("\195\169"):rep(9) }
  end
  return list
end

local ARN = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
local create = { jobName = "job-1", datasetGroupArn = ARN,
  dataSource = { dataLocation = "s3://bucket/users.csv" },
  roleArn = "arn:aws:iam::123456789012:role/Personalize",
  tags = tag_list(12) }

local inputs = {
  { "CreateDataDeletionJob", create },
  { "CreateDataDeletionJob", copy(create, { tags = { b = "2", a = "1" } }) },
  { "DescribeDataDeletionJob", { dataDeletionJobArn = ARN } },
  { "ListDataDeletionJobs", { maxResults = 100, nextToken = "a\1\"b" } },
  { "ListDataDeletionJobs" },
  { "ListTagsForResource", { resourceArn = ARN } },
  { "TagResource", { resourceArn = ARN, tags = {} } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { "a", "b" } } },
  { "DescribeDatasetGroup", { datasetGroupArn = ARN, n = 0.1, deep = {
    { a = true, b = { 1, 2.5, "x" } } }, empty = {} } },
}

local OK = { status = 200, body = '{"dataDeletionJobArn":"' .. ARN .. '"}',
  headers = { ["x-amzn-requestid"] = "id-1" } }

for i, input in ipairs(inputs) do
  local name = (" %s, input %d"):format(input[1], i)
  -- With a service of its own each time: every buffer grows from nothing.
  test("attempt", name .. ", fresh", function()
    local service = assert(core.service(params))
    local attempt = assert(core.attempt(service, input[1], input[2], RANDOM, 3,
      true))
    local head, body = attempt:sign(KEYS, NOW)
    assert(head:find("\r\nauthorization: AWS4-HMAC-SHA256 ", 1, true))
    assert(head:sub(-2) == "\r\n" and body:sub(-1) == "}")
    same(true, attempt:judge(OK, nil, NOW, 0.5, 60).ok)
  end)
  local service = assert(core.service(params))
  local expected
  test("attempt", name .. ", shared", function()
    local attempt = assert(core.attempt(service, input[1], input[2], RANDOM, 3,
      true))
    local head = attempt:sign(KEYS, NOW)
    expected = expected or head
    same(expected, head, "head")
  end)
end

local faulty = {
  { "CreateDataDeletionJob", copy(create, { jobName = ("x"):rep(64),
    jobname = "a", tags = { { tagKey = "k", tagValue = "v" },
    { tagKey = "k", tagValue = "\0" }, { tagKey = "\255" }, {} },
    roleArn = 5, datasetGroupArn = "arn", dataSource = { 1, 2 } }) },
  { "CreateDataDeletionJob", {} },
  { "CreateDataDeletionJob", 5 },
  { "CreateDataDeletionJob", copy(create, { tags = tag_list(201) }) },
  { "CreateDataDeletionJob", copy(create, { tags = { a = "?", b = {} } }) },
  { "ListDataDeletionJobs", { maxResults = 1.5, nextToken = {} } },
  { "ListDataDeletionJobs", { maxResults = 101, [1] = 1 } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { "a", nil, "c" } } },
  { "UntagResource", { resourceArn = ARN, tagKeys = { [1] = "a", b = 1 } } },
  { "Other", { f = function() end, x = 0 / 0, y = { [1] = 1, z = 2 },
    deep = { { { "\255" } } } } },
}
local shared = assert(core.service(params))
for i, input in ipairs(faulty) do
  local expected
  test("attempt", (", faulty input %d"):format(i), function()
    local attempt, faults = core.attempt(shared, input[1], input[2], RANDOM, 3,
      true)
    same(nil, attempt)
    assert(#faults > 0)
    for _, fault in ipairs(faults) do
      assert(fault.path and fault.code and fault.message, "half a fault")
    end
    expected = expected or faults
    same(#expected, #faults, "faults")
  end)
end

test("attempt", ":sign, credentials refused", function()
  local attempt = assert(core.attempt(shared, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
  local head, message = attempt:sign({ access_key_id = "a\r\nb",
    secret_access_key = "s" }, NOW)
  same(nil, head)
  assert(message:find("access_key_id", 1, true))
  head, message = attempt:sign(KEYS, -1)
  same(nil, head)
  assert(message:find("time", 1, true))
end)

local answers = {
  { { status = 400, headers = { ["x-amzn-errortype"] = "a#FooError:http://x/" },
    body = '{"message":"' .. ("no such thing \\u00e9"):rep(30) .. '"}' },
    "FooError", "service" },
  { { status = 400, headers = {}, body = '{"\\u005f_type":"' ..
    "com.amazon.coral.service#" .. ("Foo"):rep(20) .. '"}' },
    ("Foo"):rep(20), "service" },
  { { status = 503, body = ("<html>busy \255</html> "):rep(200) }, "HTTP 503",
    "service" },
  { { status = 200, body = "{" }, "ResponseError", "transport" },
}
for i, answer in ipairs(answers) do
  test("attempt", (":judge %d"):format(i), function()
    local attempt = assert(core.attempt(shared, "TagResource",
      { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
    attempt:sign(KEYS, NOW)
    local verdict = attempt:judge(answer[1], nil, NOW, 0.5, 60)
    same(false, verdict.ok)
    same(answer[2], verdict.code)
    same(answer[3], verdict.kind)
  end)
end

test("attempt", ":judge, no response", function()
  local attempt = assert(core.attempt(shared, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 1, true))
  local verdict = attempt:judge({ status = "x" }, nil, NOW, 0.5, 60)
  same("ResponseError", verdict.code)
  verdict = attempt:judge(nil, { code = ("C"):rep(100), sent = false,
    message = ("gone "):rep(40), status = 502 }, NOW, 0.5, 60)
  same(("C"):rep(100), verdict.code)
  same(false, verdict.ok)
end)

test("attempt", ":judge, to be tried again", function()
  local service = assert(core.service(copy(params, { adaptive = true })))
  local attempt = assert(core.attempt(service, "TagResource",
    { resourceArn = ARN, tags = {} }, RANDOM, 3, true))
  same(0, attempt:admit(NOW))
  attempt:sign(KEYS, NOW)
  local verdict = attempt:judge({ status = 503, body = "",
    headers = { date = "Tue, 24 Nov 2026 00:10:00 GMT" } }, nil, NOW, 0.5, 60)
  same(true, verdict.retry)
  same(600, service:state().skew)
  same("string", type(attempt:sign(KEYS, NOW)))
end)

local put = { method = "PUT", path = "/users.csv", query = "a=b&c",
  protocol = "xml", keep_path = true, payload_hash = "UNSIGNED-PAYLOAD",
  body = ("id\n"):rep(100), headers = {} }
for i = 1, 12 do
  put.headers[i] = { "x-amz-meta-" .. i, ("v"):rep(i * 30) }
end

for name, keys in pairs { signed = KEYS, unsigned = false } do
  test("request", ", " .. name, function()
    local service = assert(core.service(params))
    put.unsigned = not keys
    local attempt = assert(core.request(service, put, RANDOM, 1))
    same("https://personalize.eu-west-1.amazonaws.com/p/users.csv?a=b&c",
      attempt:url())
    local head, body = attempt:sign(keys or nil, NOW)
    same(put.body, body)
    same(keys and true or nil,
      head:find("\r\nauthorization: ", 1, true) and true)
    assert(head:find("x-amz-meta-12: " .. ("v"):rep(360), 1, true))
    local verdict = attempt:judge({ status = 404, headers = {},
      body = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>" },
      nil, NOW, 0.5, 60)
    same("NoSuchKey", verdict.code)
  end)
end

test("request", ", refused", function()
  local attempt, message = core.request(shared, copy(put, { path = "/a\r\n" }),
    RANDOM, 1)
  same(nil, attempt)
  assert(message:find("no request", 1, true))
end)

-- Misuse raises before anything is owned.
for name, f in pairs {
  ["a closed service"] = function()
    local service = assert(core.service(params))
    local attempt = assert(core.attempt(service, "Other", {}, RANDOM, 1, true))
    service:close()
    attempt:sign(KEYS, NOW)
  end,
  ["a service that is none"] = function()
    core.attempt({}, "Other", {}, RANDOM, 1, true)
  end,
  ["too few random bytes"] = function()
    core.attempt(shared, "Other", {}, "x", 1, true)
  end,
  ["a name that is none"] = function()
    core.attempt(shared, "Other\r\n", {}, RANDOM, 1, true)
  end,
  ["a region that is no string"] = function()
    core.service(copy(params, { region = 5 }))
  end,
} do
  test("attempt", ", misuse: " .. name, function()
    local ok, err = pcall(f)
    same(false, ok)
    if tostring(err):find("memory", 1, true) then
      error(err, 0)
    end
  end)
end

-- ---- answers ---------------------------------------------------------------

local null = require("cjson").null

test("read_output", "", function()
  local output = { dataDeletionJobs = { null, { status = "PENDING",
    failureReason = null, creationDateTime = "2026-11-24T00:00:00.5Z" } },
    nextToken = null, more = { a = null, b = { null, { c = null } } } }
  same(nil, core.read_output("ListDataDeletionJobs", output))
  same(1, #output.dataDeletionJobs)
  same(1795478400.5, output.dataDeletionJobs[1].creationDateTime)
  same(nil, output.nextToken)
end)

test("read_output", ", wrong", function()
  same("numDeleted is not a whole number",
    core.read_output("DescribeDataDeletionJob",
      { dataDeletionJob = { numDeleted = 1.5 } }))
  same("dataDeletionJobArn is not there",
    core.read_output("CreateDataDeletionJob", {}))
end)

-- ---- readers and encodings --------------------------------------------------

local CONFIG = "[default]\nregion = eu-west-1\ns3 =\n a = " ..
  ("b"):rep(6000) .. "\n[sso-session s]\nx=1\n[services t]\ny=2\n[other]\n"

test("ini", "", function()
  local files = core.ini(CONFIG, "config")
  same("eu-west-1", files.profiles.default.region)
  same("2", files.services.t.y)
  same(6, files.lines.config.sso_sessions.s.x)
  same({ other = 9 }, files.ignored)
  core.ini("[default]\nregion = us-east-1", "credentials", files)
  same("us-east-1", files.profiles.default.region)
  same(2, files.lines.credentials.profiles.default.region)
end)

test("ini", ", refused", function()
  local files, message, line = core.ini(CONFIG .. "x", "config")
  same(nil, files)
  same("a property without '='", message)
  same(10, line)
end)

test("ini_sub", "", function()
  same({ a = "1", bc = "2" }, core.ini_sub "\nA = 1\nBC = 2")
  same(nil, (core.ini_sub "\nA"))
end)

test("xml", "", function()
  local root, value = core.xml("<r>" .. ("<a>"):rep(20) .. "&lt;" ..
    ("x"):rep(6000) .. ("</a>"):rep(20) .. "<b>1</b><b>2</b></r>")
  same("r", root)
  same(3, #value)
  same("2", value[3].value)
end)

test("xml", ", refused", function()
  local root, message = core.xml "<r><a>1</a>"
  same(nil, root)
  same("the text is cut", message)
end)

test("base64", "", function() same("YWI=", core.base64 "ab") end)
test("base64url", "", function() same("YWI", core.base64url "ab") end)
test("unbase64", "", function()
  same(("abc"):rep(2000), core.unbase64(("YWJj"):rep(2000)))
  same(nil, (core.unbase64(("YWJj"):rep(2000) .. "!")))
end)
test("uri_encode", "", function() same("a%2Fb", core.uri_encode "a/b") end)
test("sha256_hex", "", function() same(64, #core.sha256_hex "") end)
test("sha1_hex", "", function() same(40, #core.sha1_hex "") end)

local pipe = io.popen "openssl ecparam -genkey -noout -name prime256v1"
local key = pipe:read "*a"
pipe:close()

test("es256", "", function()
  local signature, x, y = core.es256(key, "text")
  same(64, #signature)
  same(64, #(x .. y))
  local none, message = core.es256("-----BEGIN", "text")
  same(nil, none)
  same("not a private P-256 key in PEM", message)
end)

-- ---- the end ---------------------------------------------------------------

for name in pairs(todo) do
  print("FAILED core." .. name .. " has no test here")
  torture.failed = torture.failed + 1
end
torture.finish()
