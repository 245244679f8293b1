-- Which proxy lies on the way, by the option and by the variables: one rule for
-- all transports. What is done with it, curl_spec and nginx's specs show.

local core = require "personalize.core"

-- "scheme://host:port" of the proxy that is found, "none", or what is wrong.
local function find(url, variables)
  local scheme, host = url:match "^(%a+)://(.-)$"
  local wish = { scheme = scheme, host = host:match "^%[.*%]" or
    host:match "^[^:]*", port = tonumber(host:match ":(%d+)$") or
    (scheme == "https" and 443 or 80) }
  for name, value in pairs(variables) do
    wish[name] = value
  end
  local proxy, wrong = core.find_proxy(wish)
  return proxy and ("%s://%s:%d"):format(proxy.scheme, proxy.host,
    proxy.port) or wrong or "none", proxy
end

local WRONG = "the proxy is none: it has to be a URL like http://HOST:PORT"

describe("the URL of a proxy", function()
  local READ = {
    ["p"] = "http://p:80", -- as the AWS CLI has it; libcurl takes 1080
    ["p:8080"] = "http://p:8080",
    ["//p:8080"] = "http://p:8080",
    ["http://p"] = "http://p:80",
    ["HTTP://p/"] = "http://p:80",
    ["http://p:8080/?a=b"] = "http://p:8080",
    ["http://p:"] = "http://p:80",
    ["https://p"] = "https://p:443",
    ["https://p:8443"] = "https://p:8443",
    ["socks5h://p"] = "socks5h://p:1080",
    ["SOCKS5://p:1"] = "socks5://p:1",
    ["socks4://p"] = "socks4://p:1080",
    ["socks4a://p"] = "socks4a://p:1080",
    ["socks://p"] = "socks://p:1080",
    ["u:w@p:1"] = "http://p:1",
    ["http://u:w@x@p:1"] = "http://p:1", -- the last one counts
    ["http://[::1]:3128"] = "http://[::1]:3128",
    ["http://[fe80::1]"] = "http://[fe80::1]:80",
    ["10.1.2.3:3128"] = "http://10.1.2.3:3128",
    ["my_proxy.corp-x:1"] = "http://my_proxy.corp-x:1",
    ["http://p:8080\r"] = "http://p:8080", -- of a file with CR LF
    [" http://p:8080\n"] = "http://p:8080",
    [""] = "none", ["\r\n"] = "none",
  }
  for text, expected in pairs(READ) do
    it(("is read: %q"):format(text), function()
      assert.equal(expected, (find("https://a.test", { given = text })))
      if expected ~= "none" then
        assert.equal(expected,
          (find("https://a.test", { HTTPS_PROXY = text })))
      end
    end)
  end

  for _, text in ipairs { "ftp://p", "http://", "http://p:0", "http://p:65536",
    "http://p:x", "http://p q", "http://p\rq", "http://p\0", "http://[::1",
    "http://[zz::1]", "http://[1:2]", "http://u:s3cret@", "http://p:1:2",
    "http://u:%00@p", "http://\195\169", "http:///p", ("h"):rep(256) } do
    it(("is refused, and not shown: %q"):format(text:sub(1, 20)), function()
      assert.equal(WRONG, (find("https://a.test", { given = text })))
    end)
  end

  it("may have a user and a password, decoded", function()
    local function userinfo(text)
      local _, proxy = find("https://a.test", { given = text })
      return proxy.userinfo
    end
    assert.equal("u@s:p:w", userinfo "http://u%40s:p%3Aw@p:1")
    assert.equal("u", userinfo "http://u@p")
    assert.equal("", userinfo "http://@p")
    assert.is_nil(userinfo "http://p")
  end)

  it("which it is to get", function()
    for text, expected in pairs { ["http://u%40s:p%3Aw@p"] = "u@s:p:w",
      ["http://u@p"] = "u:", ["http://u:@p"] = "u:", ["http://:w@p"] = ":w" } do
      local _, proxy = find("https://a.test", { given = text })
      assert.equal("Basic " .. core.base64(expected), proxy.authorization)
    end
    local _, proxy = find("https://a.test", { given = "http://p" })
    assert.is_nil(proxy.authorization)
  end)
end)

describe("the variables", function()
  local HTTPS, HTTP = "https://a.test", "http://a.test"
  local all = { HTTPS_PROXY = "s:1", https_proxy = "t:2", http_proxy = "u:3",
    HTTP_PROXY = "never:4", ALL_PROXY = "v:5", all_proxy = "w:6" }

  it("are those of the scheme, small letters first", function()
    assert.equal("http://t:2", (find(HTTPS, all)))
    assert.equal("http://u:3", (find(HTTP, all)))
    assert.equal("http://s:1", (find(HTTPS, { HTTPS_PROXY = "s:1",
      ALL_PROXY = "v:5" })))
  end)

  it("stand in for those that are not set", function()
    assert.equal("http://w:6", (find(HTTPS, { ALL_PROXY = "v:5",
      all_proxy = "w:6" })))
    assert.equal("http://v:5", (find(HTTP, { ALL_PROXY = "v:5" })))
    assert.equal("http://v:5", (find(HTTPS, { ALL_PROXY = "v:5",
      HTTPS_PROXY = "" })))
    assert.equal("none", (find(HTTPS, {})))
    -- In CGI a client sets it.
    assert.equal("none", (find(HTTP, { HTTP_PROXY = "x:1" })))
  end)

  it("in small letters mean that there is none, where they are set to nothing",
    function()
      for _, nothing in ipairs { "", " ", "\r" } do
        assert.equal("none", (find(HTTPS, { https_proxy = nothing,
          HTTPS_PROXY = "s:1", ALL_PROXY = "v:5" })))
        assert.equal("none", (find(HTTP, { all_proxy = nothing,
          ALL_PROXY = "v:5" })))
        assert.equal("http://s:1", (find(HTTPS, { no_proxy = nothing,
          NO_PROXY = "*", HTTPS_PROXY = "s:1" })))
      end
    end)

  it("do not count where a proxy is given", function()
    assert.equal("http://p:9", (find(HTTPS, { given = "p:9", NO_PROXY = "*",
      HTTPS_PROXY = "s:1" })))
    assert.equal("none", (find(HTTPS, { given = "", HTTPS_PROXY = "s:1" })))
  end)

  it("have to be texts", function()
    assert.has_error(function() find(HTTPS, { HTTPS_PROXY = 5 }) end)
    assert.has_error(function() core.find_proxy() end)
  end)
end)

describe("NO_PROXY", function()
  local function excepts(list, host)
    local found = find("https://" .. host, { HTTPS_PROXY = "p:1",
      NO_PROXY = list })
    return found == "none"
  end

  -- A list, a host that it excepts, and one that it does not.
  local CASES = {
    { "*", "a.test" },
    { "x, *", "a.test" },
    { "a.test", "a.test", "nota.test" },
    { "a.test", "b.a.test", "a.test.b" },
    { ".a.test", "a.test", "xa.test" },
    { "*.a.test", "b.a.test", "xa.test" },
    { "A.Test", "a.tEST", "b.test" },
    { "a.test.", "a.test", "b.test" },
    { "a.test", "a.test.", "b.test." },
    { ".a.test.", "b.a.test.", "c.test" },
    { "test", "a.test", "atest" },
    { "x y\ta.test\r\n", "a.test", "b.test" },
    { " , ,a.test,", "a.test", "b.test" },
    { "a.test:443", "a.test", "a.test:8443" },
    { "a.test:8443", "b.a.test:8443", "a.test" },
    { "localhost", "localhost", "127.0.0.1" },
    { "127.0.0.1", "127.0.0.1", "127.0.0.2" },
    { "127.0.0.1:443", "127.0.0.1", "127.0.0.1:80" },
    -- The end of an address is no domain.
    { "0.0.1", "b.0.0.1", "127.0.0.1" },
    { ".1", "b.1", "127.0.0.1" },
    { "10.0.0.0/8", "10.200.3.4", "11.0.0.1" },
    { "10.0.0.0/8", "10.0.0.0", "10.test" },
    { "192.168.16.0/20", "192.168.31.255", "192.168.32.0" },
    { "192.168.1.7/32", "192.168.1.7", "192.168.1.6" },
    { "0.0.0.0/0", "9.9.9.9", "[::1]" },
    { "::1", "[::1]", "[::2]" },
    { "[::1]", "[0:0:0:0:0:0:0:1]", "[::2]" },
    { "[::1]:443", "[::1]", "[::1]:80" },
    { "FD00::/8", "[fd12:3456::1]", "[fe00::1]" },
    { "2001:db8::/33", "[2001:db8:7fff::1]", "[2001:db8:8000::1]" },
    { "::ffff:10.0.0.1", "[::ffff:a00:1]", "10.0.0.1" },
  }
  for _, case in ipairs(CASES) do
    it(("%q excepts %s%s"):format(case[1], case[2],
      case[3] and " and not " .. case[3] or ""), function()
      assert.is_true(excepts(case[1], case[2]))
      if case[3] then
        assert.is_false(excepts(case[1], case[3]))
      end
    end)
  end

  it("excepts nothing by what is no entry", function()
    for _, list in ipairs { "", " ", ",", ".", "*.", "10.0.0.0/33", "10.0.0.0/",
      "10.0.0.0/x", "10.0.0/8", "256.0.0.0/1", "010.0.0.1", "10.0.0.1.",
      "a.test:x", "a.test:0", "[::1", "::/129", ":::", "1:2:3:4:5:6:7:8:9",
      "http://a.test", "a.*" } do
      for _, host in ipairs { "a.test", "10.0.0.2", "[::1]" } do
        assert.is_false(excepts(list, host), list .. " " .. host)
      end
    end
  end)
end)

describe("a proxy's refusal", function()
  local REFUSALS = {
    { nil, false, "the proxy wants a password; give user and password in " ..
      "its URL" },
    { "Basic realm=\"p\"", false, "the proxy wants a password; it asks for " ..
      "Basic; give user and password in its URL" },
    { "Basic realm=\"p\"", true, "the proxy does not take the user and " ..
      "password that its URL has; it asks for Basic" },
    { "Negotiate, NTLM", true, "the proxy does not take the user and " ..
      "password that its URL has; it asks for NTLM, Negotiate, and only " ..
      "Basic can be given" },
    { "ntlm", false, "the proxy wants a password; it asks for NTLM, and " ..
      "only Basic can be given" },
    { "Digest realm=\"a\", nonce=\"b\", Basic realm=\"c\"", true,
      "the proxy does not take the user and password that its URL has; it " ..
      "asks for Basic, Digest" },
    { "s3cret Basics xBasic", false, "the proxy wants a password; give user " ..
      "and password in its URL" },
  }
  for _, case in ipairs(REFUSALS) do
    it(("says what it asks for: %s"):format(tostring(case[1])), function()
      assert.equal(case[3], core.proxy_refusal(case[1], case[2]))
    end)
  end

  it("has room for all of them", function()
    local text = core.proxy_refusal(
      "Basic, Digest, NTLM, Negotiate, Kerberos, Bearer", true)
    assert.truthy(text:find("Basic, Digest, NTLM, Negotiate, Kerberos, " ..
      "Bearer$"), text)
  end)
end)
