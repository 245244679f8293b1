-- The functions of personalize.core with each of their allocations refused;
-- those of services and attempts are in attempt.lua, of user lists in
-- userlist.lua, of exports in absence.lua.

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

-- Crossed off when tested; whatever is left at the end has no test.
local todo = {}
for name, value in pairs(core) do
  todo[name] = type(value) == "function" or nil
end
todo.attempt, todo.request, todo.service = nil, nil, nil
todo.userlist = nil -- in userlist.lua
todo.export, todo.ids = nil, nil -- in absence.lua

local function test(name, what, f)
  todo[name] = nil
  run(name .. what, f)
end

-- ---- the small ones --------------------------------------------------------

test("is_stream", "", function()
  same(false, (core.is_stream "/dev/null"))
  same("it is a device", (select(2, core.is_stream "/dev/null")))
end)

test("open_input", "", function()
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write "alice"
  file:close()
  local input = core.open_input(path)
  os.remove(path)
  same("ali", input:read(3))
  same("ce", input:read())
  same(nil, (input:read()))
  input:close()
  same("cannot read " .. path .. ": it is closed", (select(2, input:read())))
  same("cannot open /nonexistent: No such file or directory",
    (select(2, core.open_input "/nonexistent")))
end)

test("hash", "", function()
  local hash = core.hash()
  same(hash, hash:add("ab"):add "")
  same(core.sha256_hex "abc", hash:add("c"):finish())
  same(false, (pcall(hash.add, hash, "d")))
  same(false, (pcall(hash.finish, hash)))
end)

test("endpoint", "", function()
  same("https://personalize.eu-west-1.amazonaws.com",
    core.endpoint { region = "eu-west-1" })
  same("https://personalize-fips.cn-north-1.api.amazonwebservices.com.cn",
    core.endpoint { region = "cn-north-1", use_fips = true,
      use_dualstack = true })
  same("http://127.0.0.1:4000/x",
    core.endpoint { region = "eu-west-1",
      endpoint = "http://127.0.0.1:4000/x" })
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

test("is_s3_key", "", function()
  same(true, core.is_s3_key "lists/users.csv")
  same(false, core.is_s3_key "\255")
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

test("operation", "", function()
  same("personalize", core.operation "ListSolutions")
  same(nil, (core.operation "ListSolution"))
  same("ListSolutions", select(2, core.operation "ListSolution"))
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
test("terminal", "", function() core.terminal() end)

-- ---- a program's own process -----------------------------------------------

test("catch_signals", "", function() core.catch_signals() end)
test("open_streams", "", function() core.open_streams() end)
test("signalled", "", function() same(nil, core.signalled()) end)
test("write", "", function() same(true, core.write(1, "")) end)
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

test("append_lines", "", function()
  local path = os.tmpname()
  local ok, why = pcall(function()
    same(true, core.append_lines(path, ("line\n"):rep(40)))
  end)
  os.remove(path)
  if not ok then
    error(why, 0)
  end
end)

test("append_lines", ", refused", function()
  same(nil, (core.append_lines("/nonexistent/file", "x\n")))
end)

test("file_kind", "", function()
  same("file", core.file_kind(arg[0]))
  same("device", core.file_kind "/dev/null")
end)
test("file_kind", ", refused", function()
  local kind, _, code = core.file_kind "/nonexistent"
  same(nil, kind)
  same("ENOENT", code)
end)

test("writable", "", function()
  same(true, core.writable "/dev/null")
  same(nil, (core.writable "/nonexistent/file"))
end)

test("read_file", "", function()
  same("", core.read_file("/dev/null", 10))
  assert(#core.read_file(arg[0], 1000000) > 1000)
  same(nil, (core.read_file(arg[0], 10)))
end)

test("rename_noreplace", "", function()
  local path = os.tmpname()
  local ok, why = pcall(function()
    local _, _, code = core.rename_noreplace(path, path)
    same("EEXIST", code)
    same(true, core.rename_noreplace(path, path .. ".new"))
  end)
  os.remove(path)
  os.remove(path .. ".new")
  if not ok then
    error(why, 0)
  end
end)

test("lock_file", "", function()
  local path = os.tmpname()
  local ok, why = pcall(function()
    local lock = core.lock_file(path, 0)
    same(true, lock:is_held())
    same(nil, (core.lock_file(path, 0)))
    lock:release()
    same(false, lock:is_held())
    same(nil, (core.lock_file("/nonexistent/file", 0)))
  end)
  os.remove(path)
  if not ok then
    error(why, 0)
  end
end)

test("same_file", "", function()
  same(true, core.same_file("/", "/./"))
  same(false, core.same_file("/", "/nonexistent"))
end)

test("resolve", ", an address", function()
  same("127.0.0.1", core.resolve("127.1", true)[1])
  same(nil, (core.resolve("localhost", true)))
end)

test("home", "", function()
  local home = core.home()
  same(true, home == nil or home:sub(1, 1) == "/")
  same("/", (core.home "root" or "/"):sub(1, 1))
end)

test("home", ", of nobody", function()
  same(nil, core.home "no such user")
end)

test("resolve", "", function()
  same("127.0.0.1", core.resolve("127.0.0.1")[1])
end)

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

test("find_proxy", "", function()
  local proxy = core.find_proxy { scheme = "https", host = "h", port = 443,
    given = "http://user:p%61ss@proxy:3128" }
  same({ scheme = "http", host = "proxy", port = 3128, userinfo = "user:pass",
    authorization = "Basic dXNlcjpwYXNz" }, proxy)
  same(nil, (core.find_proxy { scheme = "http", host = "h", port = 80,
    HTTPS_PROXY = "http://proxy" }))
end)

test("find_proxy", ", refused", function()
  local proxy, why = core.find_proxy { scheme = "http", host = "h", port = 80,
    given = "http://" }
  same(nil, proxy)
  same("string", type(why))
end)

test("proxy_refusal", "", function()
  same("string", type(core.proxy_refusal("Basic realm=x", true)))
end)

-- ---- what is shown ----------------------------------------------------------

local ODD = ("a\27\226\128\174 \255"):rep(40)

test("printable", "", function()
  same(("a\\x1b\\u{202e} \\xff"):rep(40), core.printable(ODD))
end)
test("prose", "", function()
  same((("a \\u{202e} ?"):rep(40)), core.prose(ODD .. "\n"))
end)
test("redact", "", function()
  same("a [redacted] of [redacted]", core.redact("a %73ecret-key of tag",
    { "secret-key" }, { "tag", ("x"):rep(100) }, true))
end)
test("json_string", "", function()
  same('"' .. ("a\\u001b\\u202e \\ufffd"):rep(40) .. '"',
    core.json_string(ODD))
end)

-- ---- readers and encodings --------------------------------------------------

local CONFIG = "[default]\nregion = eu-west-1\ns3 =\n a = " ..
  ("b"):rep(6000) .. "\n[sso-session s]\nx=1\n[services t]\ny=2\n[other]\n"

test("ini", "", function()
  local files = core.ini(CONFIG, "config")
  same("eu-west-1", files.profiles.default.region)
  same("2", files.services.t.y)
  same(6, files.lines.config.sso_sessions.s.x)
  same({ config = { other = 9 } }, files.ignored)
  core.ini("[default]\nregion = us-east-1", "credentials", files)
  same("us-east-1", files.profiles.default.region)
  same(2, files.lines.credentials.profiles.default.region)
end)

test("ini", ", names in quotes", function()
  local files = core.ini("[profile 'My Corp']\nx=1\n[profile 'a' b]\n",
    "config")
  core.ini("[My Corp]\ny=2\n[a b]\n", "credentials", files)
  same({ ["My Corp"] = { x = "1", y = "2" } }, files.profiles)
  same({ config = { ["profile 'a' b"] = 3 }, credentials = { ["a b"] = 3 } },
    files.ignored)
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

test("json_kind", "", function()
  same("object", core.json_kind '{"a":[1,{}]}')
  same(nil, (core.json_kind("[" .. ("0,"):rep(140000) .. "0]")))
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

-- ---- HTTP/1.1 ---------------------------------------------------------------

test("http1_request", "", function()
  local text, where = core.http1_request { method = "POST",
    url = "https://[::FF]:8443/" .. ("x"):rep(6000), length = 3,
    headers = { { "x-one", ("y"):rep(6000) }, { "x-two", "z" } } }
  same("[::ff]:8443", where.authority)
  same("[::ff]", where.host)
  same("\r\nContent-Length: 3\r\n\r\n", text:sub(-23))
end)

test("http1_request", ", refused", function()
  local text, message = core.http1_request { method = "GET",
    url = "http://a/", head = "x: y" }
  same(nil, text)
  same("the request has a line that does not end in CR LF in its head",
    message)
  text, message = core.http1_request { method = "GET", url = 1 }
  same(nil, text)
  same("the request's url is not what it has to be", message)
end)

test("http1_connect", "", function()
  same("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n" ..
    "Proxy-Authorization: Basic dTpw\r\n\r\n", core.http1_connect {
      host = "a", port = 1, authorization = "Basic dTpw" })
end)

test("tls_hello", "", function()
  same(153, #core.tls_hello("a.example", ("r"):rep(32)))
  same(nil, core.tls_hello("a.example", "short"))
end)

test("tls_answer", "", function()
  same("old", core.tls_answer "\21\3\1\0\2\2\70")
end)

test("http1", "", function()
  local reader = core.http1 "GET"
  same("more", reader:feed "HTTP/1.1 200 OK\r\nX-Twice: 1\r\nx-twice: 2\r\n")
  same("more", reader:feed "Transfer-Encoding: chunked\r\n\r\n2710\r\n")
  same("more", reader:feed(("x"):rep(10000)))
  same("done", reader:feed "\r\n0\r\nX-Late: 1\r\n\r\n")
  same(true, reader:is_reusable())
  local response = reader:response()
  same(("x"):rep(10000), response.body)
  same("1, 2", response.headers["x-twice"])
  same(200, response.status)
end)

test("http1", ", refused", function()
  local reader = core.http1 "GET"
  local state, message, kind = reader:feed "HTTP/2"
  same(nil, state)
  same("the answer does not begin as HTTP/1.1 does", message)
  same("malformed", kind)
  same(nil, reader:response())
end)

-- ---- the end ---------------------------------------------------------------

for name in pairs(todo) do
  print("FAILED core." .. name .. " has no test here")
  torture.failed = torture.failed + 1
end
torture.finish()
