--- HTTP/1.1 as Lua sees it: requests as text, answers out of pieces.

local core = require "personalize.core"
local counts = require "spec.support.counts"
local faults = require("spec.support.fault_table").FAULTS
local lfs = require "lfs"

local OK = "HTTP/1.1 200 OK\r\n"

-- All of it at once, and then the end of the connection, if that is asked.
local function read(text, method)
  local reader = core.http1(method or "GET")
  local state, message, kind = reader:feed(text)
  return reader, state, message, kind
end

describe("a request", function()
  it("is its head as text, and whom it is for", function()
    local text, where = core.http1_request { method = "POST",
      url = "https://Personalize.eu-west-1.amazonaws.com/?a=b",
      head = "X-One: 1\r\nX-Two:\r\n", length = 5 }
    assert.equal("POST /?a=b HTTP/1.1\r\n" ..
      "Host: personalize.eu-west-1.amazonaws.com\r\n" ..
      "X-One: 1\r\nX-Two:\r\nContent-Length: 5\r\n\r\n", text)
    assert.same({ scheme = "https", port = 443,
      host = "personalize.eu-west-1.amazonaws.com",
      authority = "personalize.eu-west-1.amazonaws.com" }, where)
  end)

  it("keeps the Host of its head", function()
    local text, where = core.http1_request { method = "GET",
      url = "http://127.0.0.1:4000/x", head = "host: signed.example\r\n" }
    assert.equal("GET /x HTTP/1.1\r\nhost: signed.example\r\n\r\n", text)
    assert.same({ scheme = "http", host = "127.0.0.1", port = 4000,
      authority = "127.0.0.1:4000" }, where)
  end)

  it("to an IPv6 address has it in brackets", function()
    local text, where = core.http1_request { method = "GET",
      url = "https://[2001:DB8::1]/" }
    assert.equal("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", text)
    assert.equal("[2001:db8::1]", where.host)
    assert.equal(443, where.port)
  end)

  it("may have its headers as a list", function()
    assert.equal("GET / HTTP/1.1\r\nHost: a\r\naccept: b\r\nx: \r\n\r\n",
      (core.http1_request { method = "GET", url = "http://a/",
        headers = { { "accept", "b" }, { "x", "" } } }))
  end)

  it("says how long a body is that no Lua string could be", function()
    local text = core.http1_request { method = "PUT", url = "http://a/",
      length = 5 * 2 ^ 30 }
    assert.truthy(text:find("\r\nContent-Length: 5368709120\r\n", 1, true))
  end)

  local function refused(words, request)
    request.method = request.method or "GET"
    request.url = request.url or "http://a/"
    local text, message = core.http1_request(request)
    assert.is_nil(text)
    assert.equal(words, message)
  end

  it("that is none is refused", function()
    refused("the request has a method that is none", { method = "get" })
    refused("the request has a URL that is none", { url = "http://u:p@a/" })
    refused("the request has a NUL in its head", { head = "x: a\0b\r\n" })
    refused("the request has a CR inside a line of its head",
      { head = "x: a\rb\r\n" })
    refused("the request has a line that does not end in CR LF in its head",
      { head = "x: a\nb: c\r\n" })
    refused("the request has a CR inside a line of its head",
      { headers = { { "x", "a\r" } } })
    refused("the request has a Content-Length that is not the body's",
      { head = "content-length: 4\r\n", length = 5 })
    refused("the request has a Transfer-Encoding, which is the transport's" ..
      " own matter", { head = "Transfer-Encoding: chunked\r\n" })
    refused("the request has a HEAD with a body",
      { method = "HEAD", length = 0 })
  end)

  it("is refused by the name of what has the wrong type", function()
    for name, value in pairs { method = 1, url = {}, head = true,
        headers = "x", length = "5" } do
      refused(("the request's %s is not what it has to be"):format(name),
        { [name] = value })
    end
    for _, length in ipairs { -1, 0.5, 1 / 0, 0 / 0 } do
      refused("the request's length is not what it has to be",
        { length = length })
    end
    for _, headers in ipairs { { "x" }, { { "x" } }, { { "x", 1 } },
        { { "x: y", "z" } }, { { "x", "a\nb" } } } do
      refused("the request's headers is not what it has to be",
        { headers = headers })
    end
    assert.has_error(function() core.http1_request() end)
  end)

  it("can be for a tunnel", function()
    assert.equal("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
      core.http1_connect { host = "a", port = 443 })
    assert.equal("CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n" ..
      "Proxy-Authorization: Basic dTpw\r\n\r\n",
      core.http1_connect { host = "[::1]", port = 8443,
        authorization = "Basic dTpw" })
    for _, request in ipairs { { host = "a b", port = 1 }, { host = "a" },
        { host = "a", port = 65536 }, { host = "a", port = 1.5 }, {},
        { host = "a", port = "1" }, { host = 5, port = 1 },
        { host = "a", port = 1, authorization = "x\r\ny: z" },
        { host = "a", port = 1, authorization = 1 } } do
      local text, message = core.http1_connect(request)
      assert.is_nil(text)
      assert.truthy(message:find "^the request")
      assert.falsy(message:find "y: z")
    end
  end)
end)

describe("an answer", function()
  it("is a table like that of the other transport", function()
    local reader, state = read(OK .. "Content-Type: a/b\r\nX-Twice: one\r\n" ..
      "x-twice: two\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello")
    assert.equal("done", state)
    assert.equal(200, reader:status())
    assert.is_true(reader:is_reusable())
    assert.same({ status = 200, body = "hello", headers = {
      ["content-type"] = "a/b", ["x-twice"] = "one, two", ["x-empty"] = "",
      ["content-length"] = "5" } }, reader:response())
  end)

  it("can be had once, since its bytes are wiped then", function()
    local reader = read(OK .. "Content-Length: 2\r\n\r\n{}")
    assert.equal("{}", reader:response().body)
    assert.is_nil(reader:response())
    assert.equal(200, reader:status())
    assert.is_true(reader:is_reusable())
    assert.equal("done", reader:finish())
  end)

  it("is none before its end", function()
    local reader, state = read(OK .. "Content-Length: 2\r\n\r\n{")
    assert.equal("more", state)
    assert.equal(200, reader:status())
    assert.is_nil(reader:response())
    assert.is_false(reader:is_reusable())
    assert.equal("more", reader:feed "")
    assert.equal("done", reader:feed "}")
    assert.equal("done", reader:feed "")
    assert.is_nil(core.http1("GET"):status())
  end)

  it("may end with the connection, unless that broke", function()
    local reader, state = read(OK .. "\r\nhello")
    assert.equal("more", state)
    assert.equal("done", reader:finish())
    assert.equal("hello", reader:response().body)
    assert.is_false(reader:is_reusable())
    local _, message, kind = read(OK .. "\r\nhello"):finish(true)
    assert.equal("the answer is cut", message)
    assert.equal("cut", kind)
  end)

  it("to HEAD and CONNECT has no body", function()
    for method, text in pairs { HEAD = OK .. "Content-Length: 5\r\n\r\n",
        CONNECT = OK .. "\r\n" } do
      local reader, state = read(text, method)
      assert.equal("done", state)
      assert.equal("", reader:response().body)
    end
  end)

  it("that is refused stays so, and nothing of it is told", function()
    local reader, state, message, kind = read(OK ..
      "X-Secret: planted\r\nContent-Length: planted\r\n\r\n")
    assert.is_nil(state)
    assert.equal("the answer has a Content-Length that is no length", message)
    assert.equal("malformed", kind)
    assert.same({ nil, message, kind, n = 3 },
      { n = select("#", reader:feed "x"), reader:feed "x" })
    assert.same({ nil, message, kind }, { reader:finish() })
    assert.is_nil(reader:response())
    assert.is_nil(reader:status())
    assert.is_false(reader:is_reusable())
  end)

  it("with more behind it is refused, and says so", function()
    local _, state, message, kind = read(OK .. "Content-Length: 2\r\n\r\n{}\n")
    assert.is_nil(state)
    assert.equal("the answer is followed by bytes that nothing asked for",
      message)
    assert.equal("malformed", kind)
  end)

  it("that is too large would come again", function()
    local _, state, message, kind = read(OK .. "X: " .. ("x"):rep(65536))
    assert.is_nil(state)
    assert.equal("the answer's head is too large", message)
    assert.equal("large", kind)
    _, state, message, kind = read(OK .. "Content-Length: 8388609\r\n\r\n")
    assert.is_nil(state)
    assert.equal("the answer's body is over 8 MiB", message)
    assert.equal("large", kind)
  end)

  it("is read by a reader that shows nothing of it", function()
    local reader = read(OK .. "X: planted\r\nContent-Length: 2\r\n\r\n{}")
    assert.equal("personalize.http1", tostring(reader))
    assert.equal("personalize.http1", getmetatable(reader))
    assert.has_error(function() reader.feed({}, "x") end)
    assert.has_error(function() reader:feed(5) end)
    assert.has_error(function() core.http1() end)
  end)
end)

-- What became of pieces and the end after them, as one text.
local function outcome(method, pieces)
  local reader = core.http1(method)
  local state, message, kind
  for _, piece in ipairs(pieces) do
    state, message, kind = reader:feed(piece)
    if not state then
      break
    end
  end
  if state ~= nil or #pieces == 0 then
    state, message, kind = reader:finish()
  end
  local response = reader:response()
  local parts = { tostring(state), tostring(message), tostring(kind),
    tostring(reader:status()), tostring(reader:is_reusable()),
    response and response.body }
  for _, name in ipairs(counts.sorted(response and response.headers or {})) do
    parts[#parts + 1] = name .. "=" .. response.headers[name]
  end
  return table.concat(parts, "\n")
end

describe("how an answer is cut", function()
  local folder = "spec/fuzz/corpus/http1/"
  for name in lfs.dir(folder) do
    if name:sub(1, 1) ~= "." then
      it("changes nothing about " .. name, function()
        local file = assert(io.open(folder .. name, "rb"))
        local method, text = file:read("*a"):match "^(.-)\n(.*)$"
        file:close()
        local whole = outcome(method, { text })
        for at = 1, #text - 1 do
          assert.equal(whole,
            outcome(method, { text:sub(1, at), text:sub(at + 1) }))
        end
        local bytes = {}
        for at = 1, #text do
          bytes[at] = text:sub(at, at)
        end
        assert.equal(whole, outcome(method, bytes))
      end)
    end
  end
end)

describe("a fault of the fault server", function()
  -- Sound as HTTP: it is for others to find fault with.
  local SOUND = { ["gzip"] = true, ["half-json"] = true, ["html"] = true,
    ["big-1000"] = true, ["big-chunked-1000"] = true }

  local names = {}
  for _, name in ipairs(counts.sorted(faults)) do
    if faults[name][1] ~= "TimeoutError" then
      names[#names + 1] = name
    end
  end

  local function expected(name)
    local code, attempts = faults[name][1], faults[name][2]
    if code == "ok" or SOUND[name] or code:find "^HTTP" then
      return "done"
    elseif code == "ConnectionError" then
      return "none"
    end
    return attempts == 1 and "large" or "malformed"
  end

  -- As a transport would: until the answer is done or none.
  local function run(pieces, ending)
    local reader = core.http1 "POST"
    local state, kind, _ = "more", nil, nil
    for _, piece in ipairs(pieces) do
      state, _, kind = reader:feed(piece)
      if state ~= "more" then
        break
      end
    end
    if state == "more" then
      assert.not_equal("open", ending)
      state, _, kind = reader:finish(ending == "reset")
    end
    if kind == "cut" then -- transports have one word for both
      kind = "malformed"
    end
    return state or kind, reader
  end

  it("ends as it does over a connection", function()
    local pipe = assert(io.popen("python3 -B spec/support/fault_bytes.py " ..
      table.concat(names, " "), "r"))
    local seen = 0
    for _, name in ipairs(names) do
      local got, ending, count = assert(pipe:read "*l"):match "(%S+) (%S+) (%d+)"
      local pieces = {}
      for i = 1, tonumber(count) do
        local length = tonumber(pipe:read "*l")
        pieces[i] = pipe:read(length)
      end
      assert.equal(name, got)
      local state, reader = run(pieces, ending)
      assert.equal(expected(name), state, name)
      local code = faults[name][1]:match "^HTTP (%d+)"
      if code then
        assert.equal(tonumber(code), reader:status())
      end
      seen = seen + 1
    end
    pipe:close()
    assert.equal(#names, seen)
    assert.is_true(seen > 40)
  end)
end)

describe("a hello of TLS by hand", function()
  local RANDOM = ("r"):rep(32)

  it("tells the host's name, and has the lengths that it says", function()
    for _, host in ipairs { "a", "personalize.eu-west-1.amazonaws.com",
      ("h"):rep(253) } do
      local hello = core.tls_hello(host, RANDOM)
      local function number(at)
        return hello:byte(at) * 256 + hello:byte(at + 1)
      end
      assert.equal("\22\3\1", hello:sub(1, 3))
      assert.equal(#hello - 5, number(4)) -- of the record
      assert.equal(#hello - 9, number(8)) -- of the handshake
      assert.equal("\3\3" .. RANDOM, hello:sub(10, 43))
      local name = assert(hello:find(host, 1, true))
      assert.equal(#host, number(name - 2))
      assert.equal(#host + 3, number(name - 5))
      assert.equal(#host + 5, number(name - 7))
      assert.equal(#hello - (name - 9) + 1, number(name - 11))
    end
  end)

  it("is none without a host or random bytes", function()
    assert.is_nil(core.tls_hello("", RANDOM))
    assert.is_nil(core.tls_hello(("h"):rep(254), RANDOM))
    assert.is_nil(core.tls_hello("a", "short"))
    assert.has_error(function() core.tls_hello("a") end)
  end)

  it("is answered in a way that tells", function()
    for answer, meaning in pairs {
      [""] = "none", ["H"] = "plain", ["HTTP/1."] = "plain",
      ["\22"] = "tls", ["\22\3\3\0\80\2\0"] = "tls",
      ["\21"] = "tls", ["\21\3\1\0\2\2\70"] = "old",
      ["\21\3\3\0\2\2\40"] = "refused", ["\21\3\3\0\2\2\80"] = "tls",
      ["\21\3\3\0\2\2"] = "tls", ["\22\2\0"] = "plain",
      ["\0\0\0\0\0\0\0\0"] = "plain",
    } do
      assert.equal(meaning, core.tls_answer(answer), answer)
    end
  end)

  -- As openssl's server, which has to take it for what it is.
  for options, meaning in pairs { ["-tls1_3"] = "tls", ["-tls1_2"] = "tls",
    [""] = "tls", ["-tls1_1 -cipher ALL:@SECLEVEL=0"] = "old",
    ["-tls1_2 -cipher ADH:@SECLEVEL=0"] = "refused" } do
    it(("is understood by a server: %q"):format(options), function()
      local script = [[
import os, socket, subprocess, sys, tempfile
folder = tempfile.mkdtemp()
key, pem = os.path.join(folder, "key"), os.path.join(folder, "pem")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a", "-keyout", key,
    "-out", pem], check=True, stderr=subprocess.DEVNULL)
with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]
server = subprocess.Popen(["openssl", "s_server", "-accept",
    "127.0.0.1:%d" % port, "-cert", pem, "-key", key] + sys.argv[2:],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
seen = b""
while b"ACCEPT" not in seen:
    seen += os.read(server.stdout.fileno(), 65536)
with socket.create_connection(("127.0.0.1", port)) as sock:
    sock.sendall(bytes.fromhex(sys.argv[1]))
    answer = b""
    while len(answer) < 7:
        part = sock.recv(7 - len(answer))
        if not part:
            break
        answer += part
server.kill()
os.remove(key), os.remove(pem), os.rmdir(folder)
print(answer.hex())]]
      local hello = core.tls_hello("a.example", RANDOM):gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end)
      local pipe = io.popen(("python3 -c '%s' %s %s"):format(script, hello,
        options))
      local answer = pipe:read("*l"):gsub("%x%x", function(digits)
        return string.char(tonumber(digits, 16))
      end)
      pipe:close()
      assert.equal(meaning, core.tls_answer(answer), answer)
    end)
  end
end)
