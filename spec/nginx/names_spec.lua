--- Names inside nginx: several addresses of which some are dead, and a resolver
-- that does not answer.

local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"

-- 127.0.0.1 serves, 127.0.0.2 and ::1 refuse, 127.0.0.3 says nothing.
local NAMES = "kept.test=127.0.0.1 one.test=127.0.0.1 refusing.test=127.0.0.1,127.0.0.2 " ..
  "mute.test=127.0.0.1,127.0.0.3 six.test=127.0.0.1,::1 " ..
  "three.test=127.0.0.1,127.0.0.2,127.0.0.3 " ..
  "dead.test=127.0.0.2,::1 silent.test=127.0.0.3 unanswered.test="

-- As many calls, one after another; how they ended, counted.
local SERVER = [[
  location / {
    resolver 127.0.0.1:$dns;
    location = /run { content_by_lua_block { run() } }
    location = /descriptors { content_by_lua_block {
      collectgarbage() collectgarbage()
      ngx.print(require("spec.support.counts").descriptors()) } }
    # Where nobody is.
    location = /deaf { resolver 127.0.0.1:1; content_by_lua_block { run() } }
    location = /soon { resolver 127.0.0.1:1; resolver_timeout 50ms;
      content_by_lua_block { run() } }
  }
]]
local HTTP = [[
  lua_socket_log_errors off;
  init_by_lua_block {
    personalize, cjson = require "personalize", require "cjson"
    run = function()
      local arg = ngx.req.get_uri_args()
      local ends, said = {}
      for _ = 1, tonumber(arg.count or 1) do
        local client = personalize.new { region = "eu-west-1",
          endpoint = "http://" .. arg.host .. ":$port",
          max_attempts = 1, timeout = 3600, proxy = arg.proxy,
          connect_timeout = tonumber(arg.connect_timeout or 60),
          credentials = { access_key_id = "A", secret_access_key = "s" } }
        local ok, e = pcall(client.list_data_deletion_jobs, client)
        local name = ok and "ok " .. e.nextToken or e.code
        ends[name] = (ends[name] or 0) + 1
        said = not ok and { message = e.message, retryable = e.retryable,
          code = e.code } or said
      end
      ngx.print(cjson.encode { ends = ends, said = said })
    end
  }
]]

describe("inside nginx a name", function()
  local dns, service, web, folder, port

  setup(function()
    folder = nginx.folder()
    dns = child.start("spec/support/dns.py " .. NAMES)
    service = child.start "spec/support/addresses.py"
    port = assert(service:line())
    local values = { dns = assert(dns:line()), port = port }
    web = nginx.start { http = HTTP:gsub("%$(%l+)", values), level = "error",
      server = SERVER:gsub("%$(%l+)", values) }
  end)
  teardown(function()
    for _, process in pairs { web, dns, service } do
      process:stop()
    end
    nginx.remove(folder)
  end)

  local function run(host, count, more, path)
    return cjson.decode((web:get(("%s?host=%s&count=%d%s"):format(
      path or "/run", host, count or 1, more or ""), 600)))
  end

  local function says(got, words)
    assert.truthy(got.said.message:find(words, 1, true), got.said.message)
  end

  for name, count in pairs { one = 20, refusing = 100, six = 100, mute = 12,
    three = 12 } do
    it(("with addresses as %s.test has leads to the one that lives")
      :format(name), function()
        assert.same({ ["ok 1"] = count }, run(name .. ".test", count).ends)
      end)
  end

  it("of a proxy has its addresses tried, too", function()
    local got = run("nowhere.test", 20, "&proxy=http://refusing.test:" .. port)
    assert.same({ ["ok 1"] = 20 }, got.ends)
  end)

  it("is not looked up while a connection is kept", function()
    assert.same({ ["ok 1"] = 1, ["ok 2"] = 1 }, run("kept.test", 2).ends)
    assert.same({ ["ok 3"] = 1 }, run("kept.test", 1, nil, "/deaf").ends)
  end)

  it("whose addresses all refuse is tried some times, and told", function()
    local got = run "dead.test"
    assert.same({ ConnectionError = 1 }, got.ends)
    says(got, "refused")
    assert.is_true(got.said.retryable)
  end)

  it("whose addresses all say nothing takes its connect_timeout", function()
    local got = run("silent.test", 1, "&connect_timeout=0.5")
    assert.same({ TimeoutError = 1 }, got.ends)
    says(got, "no connection to silent.test")
  end)

  it("that nobody knows is told at once", function()
    local got = run "unknown.test"
    assert.same({ ConnectionError = 1 }, got.ends)
    assert.is_false(got.said.retryable)
    says(got, "there is no host unknown.test")
  end)

  it("without an answer of the resolver takes its connect_timeout, and the " ..
    "error says so", function()
      for path, host in pairs { ["/run"] = "unanswered.test",
        ["/deaf"] = "one.test", ["/soon"] = "one.test" } do
        local got = run(host, 1, "&connect_timeout=0.5", path)
        assert.same({ TimeoutError = 1 }, got.ends)
        says(got, "the resolver of nginx.conf does not answer")
        says(got, host)
        says(got, "DNS server")
        assert.is_true(got.said.retryable)
      end
    end)

  it("leaves no connection behind that lost", function()
    local before = tonumber((web:get "/descriptors"))
    run("mute.test", 12)
    assert.is_true(tonumber((web:get "/descriptors")) <= before + 1)
  end)

  it("and nginx logs nothing, but that it cannot reach a resolver", function()
    assert.equal("", (web:log():gsub("[^\n]* while resolving, [^\n]*\n", "")))
  end)
end)
