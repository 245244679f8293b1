--- What the calls of one worker share, and what a long body meets.

local cjson = require "cjson"
local nginx = require "spec.support.nginx"

-- A metadata service that counts, takes its time, and may hang.
local SERVICES = [[
  lua_shared_dict count 1m;
  server {
    listen 127.0.0.1:$port;
    location / { content_by_lua_block {
      local count = ngx.shared.count
      local path = ngx.var.uri
      if path:find "/api/token" then
        ngx.print "token"
      elseif path:find "security%-credentials/role" then
        local number = count:incr("fetches", 1, 0)
        ngx.sleep(number <= (count:get "hang" or 0) and 3600 or 0.1)
        local status = count:get "status"
        if status then ngx.exit(status) end
        ngx.print(('{"Code":"Success","AccessKeyId":"AKID%d",' ..
          '"SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}')
          :format(number))
      elseif path:find "security%-credentials/" then
        ngx.print "role"
      elseif path:find "placement/region" then
        count:incr("regions", 1, 0)
        ngx.sleep(0.1)
        ngx.print "eu-west-1"
      elseif path == "/early" then
        ngx.status = 403
        ngx.print '{"__type":"AccessDeniedException","message":"early"}'
        ngx.eof()
        ngx.sleep(3600) -- and reads nothing
      elseif path == "/length" then
        ngx.req.read_body()
        local file = ngx.req.get_body_file()
        local body = ngx.req.get_body_data() or assert(io.open(file)):read "*a"
        ngx.print(#body, " ", ngx.md5(body))
      else
        ngx.print '{"dataDeletionJobs":[]}'
      end
    } }
    location = /set { content_by_lua_block {
      ngx.shared.count:flush_all()
      for name, value in pairs(ngx.req.get_uri_args()) do
        ngx.shared.count:set(name, tonumber(value))
      end
    } }
    location = /regions { content_by_lua_block {
      ngx.print(ngx.shared.count:get "regions" or 0) } }
    location = /fetches { content_by_lua_block {
      ngx.print(ngx.shared.count:get "fetches" or 0) } }
    client_max_body_size 0;
    client_body_temp_path $folder/large;
  }
]]

local HTTP = [[
  init_by_lua_block {
    personalize = require "personalize"
    cjson = require "cjson"
    client_of = function(more)
      local options = { endpoint = "$service",
        endpoints = { metadata = "$service" }, max_attempts = 1 }
      for name, value in pairs(more or {}) do options[name] = value end
      return personalize.new(options)
    end
    -- So many calls at once; their ends, sorted.
    volley = function(client, count)
      local threads, ends = {}, {}
      for i = 1, count do
        threads[i] = ngx.thread.spawn(function()
          local ok, e = pcall(client.list_data_deletion_jobs, client)
          ends[i] = ok and "ok" or e.code .. ": " .. e.message
        end)
      end
      for i = 1, count do ngx.thread.wait(threads[i]) end
      table.sort(ends)
      return ends
    end
    -- A body that comes in pieces, as a source does.
    source_of = function(text, wrong_at)
      local at = 1
      return { length = #text, rewind = function() at = 1 return true end,
        read = function(_, count)
          if wrong_at and at >= wrong_at then
            return nil, "the list changed"
          end
          local piece = text:sub(at, at + count - 1)
          at = at + #piece
          return piece ~= "" and piece or nil
        end }
    end
    send = function(more)
      local request = { method = "PUT", url = "$service" .. more.path, head = "",
        timeout = 60, body = more.body, progress = more.progress }
      return require("personalize.transport.cosocket").send(request)
    end
  }
]]

local SERVER = [[
  location = /together { content_by_lua_block {
    ngx.print(cjson.encode(volley(client_of(), 50))) } }
  location = /apart { content_by_lua_block {
    ngx.print(cjson.encode(volley(client_of { region = "eu-west-1" }, 50))) } }
  location = /patience { content_by_lua_block {
    -- Who asks first has little time; the others have more.
    local hasty = client_of { timeout = 0.3 }
    ngx.print(cjson.encode(volley(hasty, 20))) } }
  location = /killed { content_by_lua_block {
    local client = client_of()
    local first = ngx.thread.spawn(client.list_data_deletion_jobs, client)
    ngx.thread.kill(first)
    ngx.print(cjson.encode(volley(client, 20))) } }
  location = /closed { content_by_lua_block {
    local client = client_of()
    local ends = volley(client, 1)
    client:close()
    ends[2] = volley(client, 1)[1]
    ngx.print(cjson.encode(ends)) } }
  location = /process { content_by_lua_block {
    local ok, e = pcall(function() local client = client_of { profile = "cmd" }
      return client:list_data_deletion_jobs() end)
    ngx.print(cjson.encode { ok and "ok" or e.code, ok and "" or e.message }) } }
  location = /long { content_by_lua_block {
    local text = ("0123456789abcdef"):rep(128 * 1024)
    local sent = {}
    local ends = {}
    for i, body in ipairs { text, source_of(text) } do
      local response = assert(send { path = "/length", body = body,
        progress = function(bytes) sent[#sent + 1] = bytes end })
      ends[i] = response.body
    end
    ngx.print(cjson.encode { ends = ends, md5 = #text .. " " .. ngx.md5(text),
      blocks = #sent, last = sent[#sent] }) } }
  location = /early { content_by_lua_block {
    local response, failure = send { path = "/early", body = {
      length = 64 * 1024 * 1024, rewind = function() return true end,
      read = function(_, count) return ("x"):rep(count) end } }
    ngx.print(cjson.encode { status = response and response.status,
      body = response and response.body,
      message = failure and failure.message }) } }
  location = /changed { content_by_lua_block {
    local _, failure = send { path = "/length",
      body = source_of(("x"):rep(1024 * 1024), 300000) }
    ngx.print(cjson.encode(failure)) } }
  location = /raises { content_by_lua_block {
    local ok, raised = pcall(send, { path = "/length",
      body = source_of(("x"):rep(1024 * 1024)),
      progress = function() error({ mine = true }) end })
    local again, mine = pcall(send, { path = "/length", body = "short",
      progress = function() error({ mine = true }) end })
    ngx.print(cjson.encode { ok, raised.mine, again, mine.mine }) } }
]]

describe("inside nginx", function()
  local folder, service, web, url

  setup(function()
    folder = nginx.folder()
    local port = nginx.free_port()
    url = "http://127.0.0.1:" .. port
    local file = assert(io.open(folder .. "/config", "w"))
    file:write("[profile cmd]\ncredential_process = echo hello\n")
    file:close()
    service = nginx.start { http = SERVICES:gsub("%$(%l+)",
      { port = port, folder = folder }) }
    web = nginx.start { server = SERVER,
      http = HTTP:gsub("%$service", url),
      main = ("env AWS_CONFIG_FILE=%s/config;"):format(folder) }
  end)
  teardown(function()
    for _, process in ipairs { web, service } do
      process:stop()
    end
    nginx.remove(folder)
  end)

  local control
  local function ask(path)
    control = control or require("personalize.curl").handle()
    return assert(control:perform { method = "GET", url = url .. path,
      direct = true }).body
  end
  local function run(path, set)
    ask("/set?" .. (set or "none=0"))
    return cjson.decode((web:get(path)))
  end
  local function assert_all(value, list, count)
    assert.equal(count, #list)
    for _, one in ipairs(list) do
      assert.equal(value, one)
    end
  end

  it("50 first calls ask for region and credentials once", function()
    assert_all("ok", run "/apart", 50)
    assert.equal("1", ask "/fetches")
    assert_all("ok", run "/together", 50)
    assert.equal("1", ask "/fetches")
    assert.equal("1", ask "/regions")
  end)

  it("a source that fails is asked once, and fails all", function()
    local ends = run("/apart", "status=404")
    assert.equal(50, #ends)
    for _, one in ipairs(ends) do
      assert.truthy(one:find("^CredentialsError"), one)
    end
    assert.equal("1", ask "/fetches")
  end)

  it("nobody waits for credentials beyond the call's deadline", function()
    -- The service would hold them for an hour.
    for _, one in ipairs(run("/patience", "hang=100")) do
      assert.is_nil(one:find "^ok")
    end
  end)

  it("a call whose coroutine was killed holds nobody up for long", function()
    assert_all("ok", run "/killed", 20)
    assert.equal("1", ask "/fetches")
  end)

  it("a client goes on after close", function()
    assert_all("ok", run "/closed", 2)
  end)

  it("a credential_process is refused by name where nginx has no pipes",
    function()
      local code, message = unpack(run "/process")
      assert.equal("CredentialsError", code)
      assert.truthy(message:find("credential_process of profile cmd", 1, true),
        message)
      assert.truthy(message:find("ngx.pipe", 1, true) or
        message:find("JSON", 1, true), message)
    end)

  it("a long body goes out block by block, from text or source", function()
    local got = run "/long"
    assert.equal(got.md5, got.ends[1])
    assert.equal(got.md5, got.ends[2])
    assert.equal(64, got.blocks)
    assert.equal(2097152, got.last)
  end)

  it("an answer that comes early ends the sending", function()
    local got = run "/early"
    assert.equal(403, got.status, got.message)
    assert.truthy(got.body:find "early")
  end)

  it("a source that fails ends the exchange as its own fault", function()
    local failure = run "/changed"
    assert.equal("UserListError", failure.code)
    assert.equal("the list changed", failure.message)
    assert.is_true(failure.sent)
    assert.is_false(failure.retryable)
  end)

  it("what progress raises comes out as it is", function()
    assert.same({ false, true, false, true }, run "/raises")
  end)
end)
