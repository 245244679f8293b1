--- No bad certificate is ever accepted, or tried twice: not even where the
-- handshake ends at once, which makes Debian's nginx lose its verdict. The peer
-- shares the core with the worker and goes before it, where that is allowed.

local child = require "spec.support.child"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

-- In all; PERSONALIZE_SOAK makes it as many for each kind.
local COUNT = 1000
local KINDS = { "wrong-name", "expired", "unknown-ca", "self-signed" }

local PEER = [[
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $folder/$name.pem;
    ssl_certificate_key $folder/$name.key;
    ssl_session_cache off;
    access_log $log;
    location / { return 200 '{"dataDeletionJobs":[]}'; }
  }
]]

-- As many calls as asked for, ten at a time; how they ended, counted.
local SERVER = [[
  location = /run { content_by_lua_block {
    local personalize = require "personalize"
    local client = personalize.new { region = "eu-west-1",
      endpoint = ngx.unescape_uri(ngx.var.arg_url), timeout = 600, connect_timeout = 60,
      credentials = { access_key_id = "AKID", secret_access_key = "s" } }
    local counts, left = {}, tonumber(ngx.var.arg_count)
    local function work()
      while left > 0 do
        left = left - 1
        local ok, e = pcall(client.list_data_deletion_jobs, client)
        local name = ok and "ok" or e.code .. " " .. e.attempts .. " " ..
          (e.message:find("verification failed", 1, true) and "raised"
            or "told")
        counts[name] = (counts[name] or 0) + 1
      end
    end
    local threads = {}
    for i = 1, 10 do
      threads[i] = ngx.thread.spawn(work)
    end
    for i = 1, 10 do
      ngx.thread.wait(threads[i])
    end
    ngx.print(require("cjson").encode(counts))
  } }
]]

local function lines_of(path)
  local count = 0
  for _ in io.lines(path) do
    count = count + 1
  end
  return count
end

local function has(command)
  local status = os.execute(command .. " true 2>/dev/null >/dev/null")
  return status == true or status == 0
end

describe("inside nginx", function()
  local faults, folder, peer, web, ports, log

  setup(function()
    folder = nginx.folder()
    local trust = nginx.make_authority(folder)
    -- For its certificates.
    faults = child.start("env SPEC_CA=" .. folder ..
      " python3 spec/support/faults.py </dev/null")
    local info = cjson.decode((assert(faults:line(), "no fault server")))
    local servers = {}
    ports, log = {}, folder .. "/requests"
    for i, name in ipairs { "good", "wrong-name", "expired", "unknown-ca",
      "self-signed" } do
      ports[name] = nginx.free_port()
      servers[i] = PEER:gsub("%$(%l+)", { port = ports[name], name = name,
        folder = info.ca_bundle:match "^(.*)/", log = log })
    end
    local core = has "taskset -c 0" and "taskset -c 0 " or ""
    local first = has "chrt -f 1" and "chrt -f 1 " or ""
    peer = nginx.start { http = table.concat(servers), env = core .. first }
    web = nginx.start { trust = trust, server = SERVER, env = core,
      level = "crit" }
  end)
  teardown(function()
    for _, process in ipairs { web, peer, faults } do
      process:stop()
    end
    nginx.remove(folder)
  end)

  local function run(name, count)
    return cjson.decode((web:get(("/run?count=%d&url=https://localhost:%d")
      :format(count, ports[name]), 600)))
  end

  local each = os.getenv "PERSONALIZE_SOAK" and COUNT or COUNT / #KINDS

  for _, name in ipairs(KINDS) do
    it(("%d calls to a peer that is %s fail, once each"):format(each, name),
      function()
        local before = lines_of(log)
        local counts = run(name, each)
        local raised, told = counts["TlsError 1 raised"] or 0,
          counts["TlsError 1 told"] or 0
        print(("%-12s %4d refused, of these %d by nginx's assertion")
          :format(name, raised + told, raised))
        assert.equal(each, raised + told, cjson.encode(counts))
        assert.equal(before, lines_of(log))
      end)
  end

  it("a good certificate is accepted by the same peer", function()
    local counts = run("good", 50)
    assert.equal(50, counts.ok, cjson.encode(counts))
    patience.await("the peer's log", function() return lines_of(log) == 50 end)
  end)
end)
