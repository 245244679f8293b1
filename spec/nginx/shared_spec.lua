--- Two workers of one nginx that keep credentials together: one asks the
-- container's service, a window at a time, and a worker that is killed while
-- it asks holds the other up no longer than its lock lasts.

local aws = require "spec.support.aws"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

local now = patience.now
-- Seconds after which a lock ends by itself; nginx's clock has milliseconds.
local LEASE = 5 - 0.01

-- Each worker calls by itself, as the mode says, and tells in a dictionary
-- whose credentials it used. "one" is the first worker's alone.
local HTTP = [[
  lua_shared_dict credentials 100k;
  lua_shared_dict said 1m;
  init_worker_by_lua_block {
    local personalize = require "personalize"
    local said, pid = ngx.shared.said, ngx.worker.pid()
    local clients = { off = false,
      alone = personalize.new { region = "eu-west-1" },
      together = personalize.new { region = "eu-west-1",
        shared_dict = "credentials" },
      killed = personalize.new { region = "us-east-1",
        shared_dict = "credentials" } }
    if ngx.worker.id() == 0 then
      clients.one = clients.killed
      said:add("first", pid)
    end
    said:set("at:" .. pid, "off")
    local function loop(premature)
      while not premature and not ngx.worker.exiting() do
        local mode = said:get("mode") or "off"
        said:set("at:" .. pid, mode)
        if clients[mode] then
          local ok, identity = pcall(clients[mode].identity, clients[mode])
          said:incr(("%s:%s:%d"):format(mode, ok and identity.access_key_id ..
            identity.expiration or tostring(identity), pid), 1, 0)
        end
        ngx.sleep(0.005)
      end
    end
    assert(ngx.timer.at(0, loop))
  }
]]

local SERVER = [[
  location = /mode { content_by_lua_block {
    ngx.shared.said:set("mode", ngx.var.arg_is) } }
  location = /said { content_by_lua_block {
    local all = {}
    for _, key in ipairs(ngx.shared.said:get_keys(0)) do
      all[key] = ngx.shared.said:get(key)
    end
    ngx.print(require("cjson").encode(all)) } }
  location = /keys { content_by_lua_block {
    local credentials = ngx.shared.credentials
    for _, key in ipairs(credentials:get_keys(0)) do
      if credentials:get(key) then ngx.say(key) end
    end } }
  location = /wrong { content_by_lua_block {
    local personalize = require "personalize"
    local client = personalize.new { region = "eu-west-1",
      shared_dict = "absent" }
    local _, e = pcall(client.list_data_deletion_jobs, client)
    ngx.print(tostring(e)) } }
]]

describe("two workers of nginx", function()
  local server, web

  setup(function()
    server = aws.start "--session-seconds 4"
    web = nginx.start { http = HTTP, server = SERVER, workers = 2,
      main = ("env AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container;\n" ..
        "env AWS_EC2_METADATA_DISABLED=true; env HOME=/nonexistent;")
        :format(server.endpoint) }
  end)
  teardown(function()
    if web then
      web:stop()
    end
    if server then
      server:stop()
    end
  end)

  local function said()
    return cjson.decode((web:get "/said"))
  end

  local function await(what, condition)
    local ok, found = pcall(patience.await, what, condition)
    return ok and found or error(found .. "\n" .. cjson.encode(said()) ..
      "\n" .. web:log(), 0)
  end

  -- Until both workers are in this mode.
  local function switch(mode)
    web:get("/mode?is=" .. mode)
    await("the mode", function()
      local all, count = said(), 0
      for _, pid in ipairs(web:workers()) do
        count = count + (all["at:" .. pid] == mode and 1 or 0)
      end
      return count == 2
    end)
  end

  -- By id of the credentials, by pid: how often they were used.
  local function used(mode)
    local found, ids = {}, 0
    for key, count in pairs(said()) do
      local id, pid = key:match("^" .. mode .. ":(.*):(%d+)$")
      if id then
        ids = ids + (found[id] and 0 or 1)
        found[id] = found[id] or {}
        found[id][tonumber(pid)] = count
      end
    end
    return found, ids
  end

  local function asked()
    return tonumber(server:requests().operations.ContainerCredentials) or 0
  end

  -- How many credentials each worker has used, and how often in all.
  local function uses(mode)
    local calls, pids = 0, {}
    for _, by_pid in pairs((used(mode))) do
      for pid, count in pairs(by_pid) do
        calls = calls + count
        pids[pid] = (pids[pid] or 0) + 1
      end
    end
    return pids, calls
  end

  -- A mode for as many fetches, until both workers have used two of them; and
  -- what came of it.
  local function load(mode, fetches)
    server:reset()
    local began = now()
    switch(mode)
    await("fetches", function()
      local pids = uses(mode)
      for _, pid in ipairs(web:workers()) do
        if (pids[pid] or 0) < 2 then
          return false
        end
      end
      return asked() >= fetches
    end)
    switch "off"
    return now() - began
  end

  it("fetch once a window when they share, and both use it", function()
    local elapsed = load("together", 3)
    local _, ids = used "together"
    local pids, calls = uses "together"
    local lines = {}
    for _, pid in ipairs(web:workers()) do
      lines[#lines + 1] = ("worker %d used %d of them"):format(pid,
        pids[pid])
    end
    print(("\ntogether: %d calls in %.1f s, %d fetches, %d credentials; %s")
      :format(calls, elapsed, asked(), ids, table.concat(lines, ", ")))
    assert.equal(asked(), ids)
    -- A quarter of a lifetime of three to four seconds.
    assert.is_true(elapsed >= 0.7 * (asked() - 1), elapsed)
    assert.is_true(calls > asked())
  end)

  it("fetch for themselves when they do not", function()
    local elapsed = load("alone", 4)
    local found, ids = used "alone"
    print(("\nalone: %d fetches in %.1f s, %d credentials"):format(asked(),
      elapsed, ids))
    assert.equal(asked(), ids)
    for _, by_pid in pairs(found) do
      assert.is_nil(next(by_pid, (next(by_pid))), "used by both")
    end
  end)

  it("go on when one is killed while it fetches", function()
    server:reset()
    server:admin("POST", "settings", { session_seconds = 3600 })
    server:fault { spec = "ContainerCredentials=delay-3600:1" }
    local began = now()
    web:get "/mode?is=one"
    await("the lock", function()
      return web:get "/keys":find ":lock\n"
    end)
    local victim = said().first
    os.execute("kill -9 " .. victim)
    -- It may have been the one that held this side's connection.
    await("an answer", function() return (pcall(web.get, web, "/ready")) end)
    switch "killed"
    local found = await("the other", function()
      local found, ids = used "killed"
      return ids > 0 and found
    end)
    local elapsed = now() - began
    print(("\nkilled: another had credentials after %.1f s"):format(elapsed))
    local _, by_pid = next(found)
    assert.is_nil(by_pid[victim])
    assert.is_true(elapsed > LEASE, "there was no lock to wait for")
    assert.equal(1, asked()) -- answered: the other answer is held
  end)

  it("are told which directive is missing", function()
    local text = web:get "/wrong"
    assert.truthy(text:find("^ConfigError: "), text)
    assert.truthy(text:find("lua_shared_dict absent 1m;", 1, true), text)
  end)

  it("name what they keep by hashes alone", function()
    local count = 0
    for key in web:get "/keys":gmatch "[^\n]+" do
      count = count + 1
      local hash, rest = key:match "^personalize:(%x+)(.*)$"
      assert.equal(64, hash and #hash, key)
      assert.truthy(rest == "" or rest == ":lock" or rest == ":failure", key)
    end
    assert.is_true(count >= 2, "nothing is kept")
  end)
end)
