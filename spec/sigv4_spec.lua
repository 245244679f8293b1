--- Signature Version 4, stage by stage.
-- The canonical requests were written by hand from AWS's rules; signatures
-- were computed of them with another implementation of HMAC and SHA-256.

local core = require "personalize.core"

local SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
local STAMP = "20261124T101112Z"
-- Of an empty payload and of "Param1=value1".
local EMPTY =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
local FORM = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"

-- Of the canonical request all but its last line, which is `hash`.
local CASES = {
  { title = "a header given three times, values in the order sent",
    headers = { { "Forms", "b" }, { "Forms", "a" }, { "forms", "b" } },
    signature =
      "e5dd57f36ccdd811d153ad70561edb3c7dc449108b70131dc0a2fd551d0f803e",
    hash = EMPTY, canonical = [[
GET
/

forms:b,a,b
host:erasure.example.org
x-amz-date:20261124T101112Z

forms;host;x-amz-date
]] },
  { title = "values over several lines and with runs of spaces",
    headers = { { "My-Header", "  one \n   two\tthree  " } },
    signature =
      "208827a3bed7ac6b6c5b79c55406ec0a4727a9e7122ec7edf5c4cca120591948",
    hash = EMPTY, canonical = [[
GET
/

host:erasure.example.org
my-header:one two three
x-amz-date:20261124T101112Z

host;my-header;x-amz-date
]] },
  { title = "the case of a value, and names sorted by bytes",
    headers = { { "x-ab", "3" }, { "X-A-B", "2" }, { "X-A", "ValUE" } },
    signature =
      "f0971647b9a63e9cd8a6e3199420c55acfd9f9ecb74ecbf073a0dbbe69e5d619",
    hash = EMPTY, canonical = [[
GET
/

host:erasure.example.org
x-a:ValUE
x-a-b:2
x-ab:3
x-amz-date:20261124T101112Z

host;x-a;x-a-b;x-ab;x-amz-date
]] },
  { title = "an empty value",
    headers = { { "X-Empty", "  " } },
    signature =
      "82f4ce16bbf8557af23ec67059bff3c3f441bfc1deb126c195b9f6dfa5606643",
    hash = EMPTY, canonical = [[
GET
/

host:erasure.example.org
x-amz-date:20261124T101112Z
x-empty:

host;x-amz-date;x-empty
]] },
  { title = "a token that is signed",
    method = "POST", headers = {
      { "X-Amz-Security-Token", "AQoDYXdzEPT//wE=" } },
    signature =
      "97d22ce52171d0f9ea32f29fc91ccb4f45357179113241744ff189b33584287f",
    hash = EMPTY, canonical = [[
POST
/

host:erasure.example.org
x-amz-date:20261124T101112Z
x-amz-security-token:AQoDYXdzEPT//wE=

host;x-amz-date;x-amz-security-token
]] },
  { title = "parameters with one name, sorted by value",
    query = "p=2&p=10&p=1&p=",
    signature =
      "d0781f993b9a7cd77859856c6c0fa50177b90b65325bcd7bb9a2ca936cad2e93",
    hash = EMPTY, canonical = [[
GET
/
p=&p=1&p=10&p=2
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "parameters sorted by name alone, not with what follows",
    query = "aB=d&a1=c&a-=b&a=z",
    signature =
      "677e307f9b71db54b7173563d1ad5b266650ed8e14cef445d460b269007f9155",
    hash = EMPTY, canonical = [[
GET
/
a=z&a-=b&a1=c&aB=d
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "capitals before small letters",
    query = "a=1&B=2",
    signature =
      "53f44580ff6a76f1b71170d7bf2e38af5161c33ba87602657be64e75842936a2",
    hash = EMPTY, canonical = [[
GET
/
B=2&a=1
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a parameter without a value, without '=', without a name",
    query = "empty=&bare&=v",
    signature =
      "fd38cd44dfad7501c47cb606d3a9b0e1f95c0aa3c8b8681ddc14e39b72bee962",
    hash = EMPTY, canonical = [[
GET
/
=v&bare=&empty=
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "'=' in a value, empty parameters",
    query = "&&d=e&&a=b=c&",
    signature =
      "b0a35766c1af0165a677687fb16e895098ab7dab13fc5875f8c369b3cefa8dd6",
    hash = EMPTY, canonical = [[
GET
/
a=b%3Dc&d=e
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "parameters as they are or encoded, in the one spelling",
    query = "u=-._~&tilde=%7e&space=%20&plus=+&\195\169=%c3%A9",
    signature =
      "7e3179b3c72cdc97a37c7e4c791a0e69f33397db7c8b9a356ff5d68205b54ddc",
    hash = EMPTY, canonical = [[
GET
/
%C3%A9=%C3%A9&plus=%2B&space=%20&tilde=~&u=-._~
host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a path with dots, doubled slashes and a slash at its end",
    path = "/a/./b/../c//d/",
    signature =
      "b85f4518e95ec1f90c4c2e2ab81791575033b9dca03f5a835bc1582a3b3c7ae2",
    hash = EMPTY, canonical = [[
GET
/a/c/d/

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a path of dots alone",
    path = "/./../..",
    signature =
      "30c637ff146b7786f8930426f9fb19e46735072d6796c0bf1a5bb7c9eb32c002",
    hash = EMPTY, canonical = [[
GET
/

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "the same dots where nothing is normalised",
    path = "/a/./b/../c//d/", keep_dots = true,
    signature =
      "a133287bd7d75ad6ecd93733a8aeda6f5ed902767dbeb3c4f00e8698b18af1ee",
    hash = EMPTY, canonical = [[
GET
/a/./b/../c//d/

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a path that is encoded is encoded again",
    path = "/a%20b/%E1%88%B4",
    signature =
      "b82c58445012150167369253dbc52d11bc8d52ebc007edcb773ce3a6a6a47443",
    hash = EMPTY, canonical = [[
GET
/a%2520b/%25E1%2588%25B4

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a path with raw spaces and UTF-8",
    path = "/a b/\225\136\180",
    signature =
      "6b095a0853c8bef86958e566461d6fc77e86b0ca0671d16bd01c4861789c6d20",
    hash = EMPTY, canonical = [[
GET
/a%20b/%E1%88%B4

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "the unreserved characters of a path, and others",
    path = "/-._~09azAZ/!$&'()*+,;=:@",
    signature =
      "8e22236e24abdacf1e72b18726bdc66cd7b2881d4ae7fdc317d0ea6ca3b57511",
    hash = EMPTY, canonical = [[
GET
/-._~09azAZ/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a path of S3, which is left as it is",
    path = "/bucket/a%20b/./../x//y", keep_path = true,
    signature =
      "0b81b7ed16e01fba282598fdf71be0af52e8ad150bb86c2722b90414e6a03422",
    hash = EMPTY, canonical = [[
GET
/bucket/a%20b/./../x//y

host:erasure.example.org
x-amz-date:20261124T101112Z

host;x-amz-date
]] },
  { title = "a form",
    method = "POST", payload = "Param1=value1", headers = {
      { "Content-Type", "application/x-www-form-urlencoded" } },
    signature =
      "7d2c4bc976702f1ecf52af6bb868c139c31279e3d9f99b8d2946f41afce113f8",
    hash = FORM, canonical = [[
POST
/

content-type:application/x-www-form-urlencoded
host:erasure.example.org
x-amz-date:20261124T101112Z

content-type;host;x-amz-date
]] },
  { title = "a form with its hash as a header",
    method = "POST", payload = "Param1=value1", headers = {
      { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
      { "x-amz-content-sha256", FORM } },
    signature =
      "d6422b2709ee3dd438d179bb4825eb6779c61f3930a9fc3716bc1bea9ab246f6",
    hash = FORM, canonical = [[
POST
/

content-type:application/x-www-form-urlencoded; charset=utf-8
host:erasure.example.org
x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e
x-amz-date:20261124T101112Z

content-type;host;x-amz-content-sha256;x-amz-date
]] },
  { title = "a payload that is not signed",
    method = "PUT", payload = "not hashed", payload_hash = "UNSIGNED-PAYLOAD",
    headers = { { "x-amz-content-sha256", "UNSIGNED-PAYLOAD" } },
    signature =
      "dc3c7051f0fa002d9fe5f645edc06e24b65a6bcfd579d783f09c284e68e9e398",
    hash = "UNSIGNED-PAYLOAD", canonical = [[
PUT
/

host:erasure.example.org
x-amz-content-sha256:UNSIGNED-PAYLOAD
x-amz-date:20261124T101112Z

host;x-amz-content-sha256;x-amz-date
]] },
}

local function sign(case, scope)
  local headers = { { "Host", "erasure.example.org" }, { "X-Amz-Date", STAMP } }
  for _, header in ipairs(case.headers or {}) do
    headers[#headers + 1] = header
  end
  return core.sigv4(
    { method = case.method or "GET", path = case.path or "/",
      query = case.query, headers = headers, payload = case.payload,
      payload_hash = case.payload_hash, keep_path = case.keep_path,
      keep_dots = case.keep_dots },
    { access_key_id = "AKIDLOCAL", secret_access_key = SECRET },
    scope or { region = "eu-central-1", service = "service",
      timestamp = STAMP })
end

describe("core.sigv4", function()
  for _, case in ipairs(CASES) do
    it("signs " .. case.title, function()
      local stages = sign(case)
      assert.equal(case.canonical .. case.hash, stages.canonical_request)
      assert.equal(case.hash, stages.payload_hash)
      assert.equal(case.signature, stages.signature)
      local names = case.canonical:match("([^\n]*)\n$")
      assert.equal(names, stages.signed_headers)
      assert.equal("AWS4-HMAC-SHA256 Credential=AKIDLOCAL/20261124/" ..
        "eu-central-1/service/aws4_request, SignedHeaders=" .. names ..
        ", Signature=" .. case.signature, stages.authorization)
    end)
  end

  it("sorts more headers and parameters than any request has", function()
    local headers, query, lines, pairs_ = {}, {}, {}, {}
    for i = 200, 1, -1 do
      headers[#headers + 1] = { ("A-%03d"):format(i), "v" }
      query[#query + 1] = ("p%03d=%d"):format(i, i)
    end
    for i = 1, 200 do
      lines[i], pairs_[i] = ("a-%03d:v"):format(i), ("p%03d=%d"):format(i, i)
    end
    local stages = sign { headers = headers,
      query = table.concat(query, "&") }
    assert.equal("GET\n/\n" .. table.concat(pairs_, "&") .. "\n" ..
      table.concat(lines, "\n") .. "\nhost:erasure.example.org\n" ..
      "x-amz-date:" .. STAMP .. "\n\n" .. stages.signed_headers .. "\n" ..
      EMPTY, stages.canonical_request)
    assert.equal(201, select(2, stages.signed_headers:gsub(";", ";")))
  end)

  it("takes an empty path for the root", function()
    local root = sign { path = "/" }
    assert.same(root, sign { path = "" })
  end)

  it("writes date, region and service into the string to sign", function()
    local stages = sign({}, { region = "us-gov-west-1", service = "sts",
      timestamp = "19991231T235959Z" })
    assert.truthy(stages.string_to_sign:find("^AWS4%-HMAC%-SHA256\n" ..
      "19991231T235959Z\n19991231/us%-gov%-west%-1/sts/aws4_request\n%x+$"))
  end)

  it("signs a body of any bytes", function()
    local bytes = {}
    for byte = 0, 255 do
      bytes[#bytes + 1] = string.char(byte)
    end
    assert.equal(
      "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880",
      sign({ payload = table.concat(bytes) }).payload_hash)
  end)

  it("refuses a timestamp of another form", function()
    assert.has_error(function()
      sign({}, { region = "r", service = "s", timestamp = "2026-11-24" })
    end)
  end)
end)
