--- Errors that name the directive of nginx which is missing.

local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"

local SERVER = [[
  location = /run { content_by_lua_block {
    local personalize = require "personalize"
    local cjson = require "cjson"
    ngx.req.read_body()
    local options = cjson.decode(ngx.req.get_body_data())
    local events = {}
    options.on_event = function(event)
      if event.name == "warning" then
        events[#events + 1] = event.message
      end
    end
    local bare = options.bare
    options.bare = nil
    if not bare then
      options.credentials = { access_key_id = "AKID", secret_access_key = "s" }
    end
    local made, client = pcall(personalize.new, options)
    local ok, e = made, client
    if made then
      ok, e = pcall(client.list_data_deletion_jobs, client)
    end
    if ok then e = { code = "ok" } end
    ngx.print(cjson.encode { code = e.code, message = e.message, kind = e.kind,
      attempts = e.attempts, warnings = table.concat(events, " ") })
  } }
]]

describe("inside nginx the error of", function()
  local faults, info, folder, web

  setup(function()
    folder = nginx.folder()
    local trust = nginx.make_authority(folder)
    faults = child.start("env SPEC_CA=" .. folder ..
      " python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(faults:line(), "no fault server")))
    web = nginx.start { folder = folder, trust = trust, server = SERVER ..
      [[location /no-trust/ { lua_ssl_trusted_certificate
          /etc/ssl/certs/ca-certificates.crt;
        rewrite ^/no-trust/(.*) /$1 break; ]] ..
        SERVER:match "(content_by_lua_block.*})%s*}" .. " }",
      main = "env AWS_CA_BUNDLE=/nowhere; env AWS_EC2_METADATA_DISABLED=true;",
    }
  end)
  teardown(function()
    if web then
      web:stop()
    end
    if faults then
      faults:stop()
    end
    if folder then
      nginx.remove(folder)
    end
  end)

  local function run(options, path)
    options.region = options.region or
      not options.bare and "eu-west-1" or nil
    options.max_attempts = 1
    return cjson.decode((web:get(path or "/run", 30,
      cjson.encode(options))))
  end

  local function says(e, words)
    assert.truthy(e.message:find(words, 1, true), e.message)
  end

  it("a name without a resolver names the directive", function()
    local e = run { endpoint = "https://personalize.test" }
    assert.equal("ConfigError", e.code)
    assert.equal("client", e.kind)
    says(e, "needs resolver ADDRESS;")
    says(e, "personalize.test")
  end)

  it("a certificate that nobody trusts names the directives", function()
    local e = run({ endpoint = info.https .. "/ok" }, "/no-trust/run")
    assert.equal("TlsError", e.code)
    says(e, "lua_ssl_trusted_certificate")
    says(e, "lua_ssl_verify_depth")
  end)

  it("an address over TLS says that it cannot be checked", function()
    local e = run { endpoint = info.https:gsub("localhost", "127.0.0.1") }
    assert.equal("ConfigError", e.code)
    says(e, "127.0.0.1")
    e = run { endpoint = "https://[::1]:1" }
    assert.equal("ConfigError", e.code)
  end)

  it("a ca_bundle names the directive; one of the environment is a warning",
    function()
      local e = run { endpoint = info.https .. "/ok", ca_bundle = "/x.pem" }
      assert.equal("ConfigError", e.code)
      says(e, "lua_ssl_trusted_certificate")
      e = run { endpoint = info.https .. "/ok" }
      assert.equal("ok", e.code, e.message)
      assert.truthy(e.warnings:find("lua_ssl_trusted_certificate", 1, true))
    end)

  it("no region names the env directive", function()
    local e = run { bare = true }
    assert.equal("NoRegionError", e.code)
    says(e, "env AWS_REGION;")
  end)

  it("no credentials names the env directive", function()
    local e = run { bare = true, region = "eu-west-1" }
    assert.equal("NoCredentialsError", e.code)
    says(e, "env AWS_REGION;")
  end)

  it("localhost reaches this machine, by its name", function()
    assert.equal("ok", run({ endpoint = info.https .. "/ok" }).code)
    assert.equal("ok", run({ endpoint = info.http .. "/ok" }).code)
  end)

  it("a proxy that is none, or no http one, shows no password", function()
    for _, proxy in ipairs { "https://u:s3cret@proxy:1", "socks5://u:s3cret@p",
      "http://u:s3cret@", "http://u:s3cret@p:99999" } do
      local e = run { endpoint = info.https .. "/ok", proxy = proxy }
      assert.equal("ConfigError", e.code)
      assert.is_nil(e.message:find("s3cret", 1, true))
    end
  end)

  it("a proxy gets its user and password, and no error has them", function()
    local at = info.ports.proxy:gsub("//", "//us%%40er:s3cret@")
    local e = run { endpoint = info.https .. "/ok", proxy = at }
    assert.equal("ok", e.code, e.message)
    local control = require("personalize.curl").handle()
    local seen = cjson.decode(control:perform { method = "GET",
      url = info.http .. "/_seen/proxy", direct = true }.body)
    control:close()
    assert.truthy(seen.last:lower():find("proxy-authorization: basic", 1,
      true), seen.last)
    assert.truthy(seen.last:find("dXNAZXI6czNjcmV0", 1, true), seen.last)
    e = run { endpoint = info.https .. "/ok",
      proxy = info.ports["proxy-refuses"]:gsub("//", "//user:s3cret@") }
    assert.equal("ConnectionError", e.code)
    assert.is_nil(e.message:find("s3cret", 1, true))
  end)
end)
