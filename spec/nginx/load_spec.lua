--- A worker with many calls under way: it serves others meanwhile, ends when
-- they have ended, and keeps nothing of them.

local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

-- A service that holds its answers until it is told, and one that does not; it
-- counts who is there.
local SERVICE = [[
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $folder/server.pem;
    ssl_certificate_key $folder/server.key;
    keepalive_requests 100000;
    location / { content_by_lua_block {
      ngx.shared.count:incr("inside", 1, 0)
      while ngx.var.uri == "/slow/" and not ngx.shared.count:get "open" do
        ngx.sleep(0.01)
      end
      ngx.print '{"dataDeletionJobArn":"arn:aws:personalize:::data-deletion-job/a"}'
    } }
  }
]]
local COUNTS = [[
  location = /inside { content_by_lua_block {
    ngx.print(ngx.shared.count:get("inside") or 0) } }
  location = /open { content_by_lua_block {
    ngx.shared.count:set("open", true) } }
  location = /forget { content_by_lua_block { ngx.shared.count:flush_all() } }
]]

local CLIENT = [[
  personalize = require "personalize"
  client_of = function(path)
    return personalize.new { region = "eu-west-1", endpoint = "%s" .. path,
      credentials = { access_key_id = "AKID", secret_access_key = "s" },
      timeout = 3600, connect_timeout = 60, on_event = personalize.log_ngx }
  end
  input = function()
    return { jobName = "gdpr-1",
      datasetGroupArn = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
      dataSource = { dataLocation = "s3://erasure/users.csv" },
      roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3" }
  end
]]
local SERVER = [[
  location = /ping { return 200 pong; }
  location = /slow { content_by_lua_block {
    ngx.print(slow:create_data_deletion_job(input()).dataDeletionJobArn) } }
  location = /quick { content_by_lua_block {
    ngx.print(quick:create_data_deletion_job(input()).dataDeletionJobArn) } }
  location = /load { content_by_lua_block {
    ngx.timer.at(0, function()
      local threads = {}
      for i = 1, 200 do
        threads[i] = ngx.thread.spawn(function()
          if pcall(slow.create_data_deletion_job, slow, input()) then
            ngx.shared.count:incr("done", 1, 0)
          end
        end)
      end
    end)
  } }
  location = /done { content_by_lua_block {
    ngx.print(ngx.shared.count:get("done") or 0) } }
]]

describe("inside nginx", function()
  local folder, trust, service, url, processes

  local function start(given)
    given.trust = trust
    local web = nginx.start(given)
    processes[#processes + 1] = web
    return web
  end

  -- `code` is what makes the clients.
  local function web_of(more)
    more = more or {}
    return start { level = more.level or "info", server = SERVER,
      http = "lua_shared_dict count 1m;\n" .. (more.http or "") ..
        "init_by_lua_block {" .. CLIENT:format(url) ..
        'slow, quick = client_of "/slow", client_of "/quick" }' }
  end

  setup(function()
    processes = {}
    folder = nginx.folder()
    trust = nginx.make_authority(folder)
    nginx.make_certificate(folder)
    local port = nginx.free_port()
    url = "https://localhost:" .. port
    service = start { server = COUNTS, http = "lua_shared_dict count 1m;" ..
      SERVICE:gsub("%$(%l+)", { port = port, folder = folder }) }
  end)
  teardown(function()
    for i = #processes, 1, -1 do
      processes[i]:stop()
    end
    nginx.remove(folder)
  end)
  before_each(function()
    service:get "/forget"
  end)

  -- Until a number that a server answers is this one.
  local function await(web, path, number)
    patience.await(path .. " to be " .. number, function()
      return tonumber((web:get(path))) == number
    end)
  end

  it("200 calls wait together, and the worker serves others meanwhile",
    function()
      local web = web_of()
      web:get "/load"
      await(service, "/inside", 200)
      assert.equal("pong", (web:get "/ping"))
      assert.equal("0", (web:get "/done"))
      service:get "/open"
      await(web, "/done", 200)
      assert.equal("200", (service:get "/inside"))
      web:stop()
    end)

  -- What a signal does first: other workers, or no listening socket.
  local function await_signal(web, signal)
    local before = web:workers()[1]
    web:signal(signal)
    patience.await("the signal's effect", function()
      if signal == "QUIT" then
        local response, failure = web.handle:perform { method = "GET",
          url = web.url .. "/ping", timeout = 60, direct = true }
        return not response and failure
      end
      return web:workers()[2] and web:workers()[1] == before
    end)
  end

  for _, signal in ipairs { "HUP", "QUIT" } do
    it("40 calls under way outlast a " .. signal, function()
      local web = web_of()
      local volley = child.start(("spec/support/volley.py %s/slow 40")
        :format(web.url))
      await(service, "/inside", 40)
      await_signal(web, signal)
      service:get "/open"
      local ends = cjson.decode((volley:line()))
      volley:stop()
      print(("%s with 40 calls under way: %d answered"):format(signal,
        ends["200"] or 0))
      assert.same({ ["200"] = 40 }, ends)
      -- One line a call, and no other.
      local lines = 0
      for line in web:log():gmatch "[^\n]+" do
        if line:find("personalize: CreateDataDeletionJob ok (HTTP 200, 1 attempt, ",
          1, true) then
          lines = lines + 1
        end
        assert.truthy(line:find("%[info%]"), line)
      end
      assert.equal(40, lines)
      web:stop()
    end)
  end

  it("many reloads under load leave no error behind", function()
    local web = web_of { level = "warn" }
    local load = child.start(("wrk -t1 -c16 -d3600s %s/quick 2>&1")
      :format(web.url))
    local reloads = os.getenv "PERSONALIZE_SOAK" and 200 or 20
    local before = web:workers()[1]
    for _ = 1, reloads do
      local seen = tonumber((service:get "/inside"))
      patience.await("50 calls more", function()
        return tonumber((service:get "/inside")) > seen + 50
      end)
      web:signal "HUP"
    end
    load:signal "INT"
    local said = load:rest()
    load:stop()
    patience.await("the end of the first worker", function()
      return web:workers()[1] and web:workers()[1] ~= before
    end)
    assert.equal("", web:log())
    assert.truthy(said:find "requests in", said)
    assert.is_nil(said:find("Non-2xx", 1, true), said)
    web:stop()
  end)

  it("a code cache that is off costs no crash and no memory", function()
    local web = start { level = "error", server = [[
      location = /quick { content_by_lua_block { ]] .. CLIENT:format(url) .. [[
        local quick = client_of "/quick"
        ngx.print(quick:create_data_deletion_job(input()).dataDeletionJobArn)
      } }]], http = "lua_code_cache off;" }
    local pid = web:workers()[1]
    local function resident()
      local file = assert(io.open(("/proc/%d/status"):format(pid)))
      local text = file:read "*a"
      file:close()
      return tonumber(text:match "VmRSS:%s+(%d+)")
    end
    local function run(count)
      for _ = 1, count do
        local text, status = web:get "/quick"
        assert.equal(200, status, web:log())
        assert.truthy(text:find("^arn:"))
      end
      return resident()
    end
    local first, last = run(100), run(200)
    print(("code cache off: %d kB after 100 calls, %d kB after 300")
      :format(first, last))
    assert.is_true(last < first + 2048)
    assert.equal(pid, web:workers()[1])
    web:stop()
  end)
end)
