--- A long list inside nginx: from a file to a receipt over cosockets, while the
-- same worker serves others.

local aws = require "spec.support.aws"
local nginx = require "spec.support.nginx"
local system = require "system"

local now = system.monotime or system.gettime
local USERS = 400000 -- of 37 bytes, and as many again that are dropped

local INIT = [[
  personalize, state = require "personalize", {}
  client = personalize.new { region = "%s", endpoint = "%s",
    credentials = { access_key_id = "%s", secret_access_key = "%s" } }
  options = { file = "%s", unique = true, bucket = "%s", name = "night",
    datasetGroupArn = "%s", roleArn = "%s", poll = 0.05,
    part_size = 5000000 }
]]
local SERVER = [[
  location = /ping { return 200 pong; }
  location = /check { content_by_lua_block {
    ngx.print(personalize.check_users { file = options.file,
      unique = true }.users)
  } }
  location = /erase { content_by_lua_block {
    local receipt = client:delete_users(options)
    ngx.print(receipt.status, " ", receipt.users, " ", #receipt.parts)
  } }
  location = /start { content_by_lua_block {
    state.over = nil
    ngx.timer.at(0, function()
      local _, text = pcall(function()
        local receipt = client:delete_users(options)
        return receipt.status .. " " .. receipt.users .. " " .. #receipt.parts
      end)
      state.over = tostring(text)
    end)
  } }
  location = /over { content_by_lua_block { ngx.print(state.over or "") } }
  location = /init { set_by_lua_block $done {
    local ok, e = pcall(personalize.check_users, { file = options.file })
    return ok and "checked" or e.code
  }
  return 200 $done; }
]]

describe("inside nginx a long list", function()
  local server, web, folder

  setup(function()
    folder = nginx.folder()
    local trust = nginx.make_authority(folder)
    server = aws.start("--tls --job-seconds 0.2",
      "env SPEC_CA=" .. folder .. " ")
    local path = folder .. "/list.csv"
    local file = assert(io.open(path, "w"))
    file:write "USER_ID\n"
    for _ = 1, 2 do
      for i = 1, USERS, 100 do
        local lines = {}
        for j = i, i + 99 do
          lines[#lines + 1] = ("%08x-0000-4000-8000-%012x\n"):format(j * 7919, j)
        end
        file:write(table.concat(lines))
      end
    end
    file:close()
    web = nginx.start { trust = trust, server = SERVER,
      http = "init_by_lua_block {" .. INIT:format(server.region,
        server.endpoint:gsub("127%.0%.0%.1", "localhost"),
        server.access_key_id, server.secret_access_key, path, server.bucket,
        server.dataset_group_arn, server.role_arn) .. "}" }
  end)
  teardown(function()
    web:stop()
    server:stop()
    nginx.remove(folder)
  end)

  it("goes to a receipt, and holds nobody up", function()
    web:get "/start"
    local times, over = {}, ""
    local stop = now() + 15
    repeat
      local before = now()
      web:get "/ping"
      times[#times + 1] = (now() - before) * 1000
      over = #times % 20 == 0 and web:get "/over" or over
    until over ~= "" or now() > stop
    assert.equal(("COMPLETED %d 3"):format(USERS), over, web:whole_log())
    table.sort(times)
    print(("\n/ping beside a list of %d users: p50 %.2f ms, p99 %.2f ms, " ..
      "most %.2f ms of %d"):format(2 * USERS, times[math.ceil(#times / 2)],
      times[math.ceil(#times * 0.99)], times[#times], #times))
    -- Read at one go it takes some hundred ms.
    assert.is_true(times[math.ceil(#times * 0.99)] < 50)
    assert.equal(3, #server:admin("GET", "jobs").jobs)
  end)

  it("is checked, too, but in no phase that cannot wait", function()
    assert.equal(tostring(USERS), (web:get "/check"))
    assert.equal("PhaseError", (web:get "/init"))
  end)
end)
