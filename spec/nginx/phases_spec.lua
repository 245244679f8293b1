--- Where in nginx a call can be made, and what is said where it cannot.

local aws = require "spec.support.aws"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

-- One function for every phase; `here` is where the answer goes.
local HTTP = [[
  lua_shared_dict said 1m;
  init_by_lua_block {
    personalize = require "personalize"
    early = personalize.new { endpoint = "%s", region = "eu-west-1",
      credentials = { access_key_id = "%s", secret_access_key = "%s" } }
    try = function(client)
      local ok, out, meta = pcall(client.list_data_deletion_jobs, client)
      if ok then
        return "ok " .. tostring(meta.status)
      end
      return tostring(out)
    end
    remember = function(name)
      ngx.shared.said:set(name, try(early))
    end
    in_init = try(early)
  }
  init_worker_by_lua_block {
    remember "init_worker"
    ngx.timer.at(0, function() remember "timer" end)
  }
]]

-- A handshake waits for a call.
local TLS = [[
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $folder/server.pem;
    ssl_certificate_key $folder/server.key;
    ssl_certificate_by_lua_block { remember "ssl_cert" }
    location / { return 200 ok; }
  }
]]

local SERVER = [[
  location = /said { content_by_lua_block {
    ngx.print(ngx.shared.said:get(ngx.var.arg_name) or "nothing") } }
  location = /init { content_by_lua_block { ngx.print(in_init) } }
  location = /rewrite { rewrite_by_lua_block { ngx.print(try(early)) ngx.exit(200) } }
  location = /access { access_by_lua_block { ngx.print(try(early)) ngx.exit(200) } }
  location = /content { content_by_lua_block { ngx.print(try(early)) } }
  location = /thread { content_by_lua_block {
    local _, said = ngx.thread.wait(ngx.thread.spawn(try, early))
    ngx.print(said) } }
  location = /set { set_by_lua_block $said { return try(early) } return 200 $said; }
  location = /filters { header_filter_by_lua_block { remember "header_filter" }
    body_filter_by_lua_block { remember "body_filter" }
    log_by_lua_block { remember "log" } return 200 ok; }
  location = /libraries { content_by_lua_block {
    for line in io.lines "/proc/self/maps" do
      if line:find("libcurl", 1, true) then ngx.print "libcurl " end
    end
    ngx.print "seen" } }
  location = /sleep { content_by_lua_block {
    local count = 0
    local client = personalize.new { region = "eu-west-1", max_attempts = 2,
      credentials = { access_key_id = "a", secret_access_key = "b" },
      transport = function() count = count + 1
        return nil, { code = "ConnectionError", message = "no", sent = false } end }
    local other = ngx.thread.spawn(function() ngx.sleep(0.001) return ngx.now() end)
    try(client)
    local _, at = ngx.thread.wait(other)
    ngx.update_time()
    ngx.print(count, " ", ngx.now() >= at and "beside" or "before") } }
]]

describe("inside nginx,", function()
  local server, web, folder, port

  setup(function()
    folder, port = nginx.folder(), nginx.free_port()
    nginx.make_authority(folder)
    nginx.make_certificate(folder)
    server = aws.start ""
    web = nginx.start { http = HTTP:format(server.endpoint,
      server.access_key_id, server.secret_access_key) ..
        TLS:gsub("%$(%l+)", { port = port, folder = folder }),
      server = SERVER }
  end)
  teardown(function()
    if web then
      web:stop()
    end
    if server then
      server:stop()
    end
    nginx.remove(folder)
  end)

  for _, phase in ipairs { "rewrite", "access", "content", "thread" } do
    it("a call is made in " .. phase, function()
      assert.equal("ok 200", (web:get("/" .. phase)))
    end)
  end

  local function said(name)
    return patience.await("a word of " .. name, function()
      local text = web:get("/said?name=" .. name)
      return text ~= "nothing" and text
    end)
  end

  it("a call is made in a timer", function()
    assert.equal("ok 200", said "timer")
  end)

  it("a call is made in ssl_certificate_by_lua", function()
    local handle = require("personalize.curl").handle()
    assert(handle:perform { method = "GET", direct = true,
      url = "https://localhost:" .. port, ca_bundle = folder .. "/ca.pem" })
    handle:close()
    assert.equal("ok 200", said "ssl_cert")
  end)

  local function assert_refused(text, phase)
    assert.truthy(text:find("^PhaseError: "), text)
    assert.truthy(text:find("nginx's " .. phase .. " phase", 1, true), text)
    assert.truthy(text:find("ngx.timer.at(0, function", 1, true), text)
    assert.truthy(text:find("ListDataDeletionJobs, 0 attempts", 1, true),
      text)
  end

  for _, phase in ipairs { "init", "set" } do
    it("a call is refused in " .. phase, function()
      assert_refused(web:get("/" .. phase), phase)
    end)
  end

  for _, phase in ipairs { "init_worker", "header_filter", "body_filter",
    "log" } do
    it("a call is refused in " .. phase, function()
      web:get "/filters"
      assert_refused(said(phase), phase)
    end)
  end

  it("libcurl is never loaded", function()
    assert.equal("ok 200", (web:get "/content"))
    assert.equal("seen", (web:get "/libraries"))
  end)

  it("a wait between attempts is nginx's", function()
    assert.equal("2 beside", (web:get "/sleep"))
  end)

  it("nothing is said in the error log", function()
    assert.equal("", web:log())
  end)

  it("requests were the ones that succeeded", function()
    for _, request in ipairs(server:requests().requests) do
      assert.equal("ListDataDeletionJobs", request.operation)
      assert.equal(200, request.status)
    end
  end)
end)
