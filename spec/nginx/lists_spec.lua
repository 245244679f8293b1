--- A long list inside nginx: from a file to a receipt over cosockets, while the
-- same worker serves others.

local aws = require "spec.support.aws"
local cjson = require "cjson"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

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
  location = /check { content_by_lua_block {
    ngx.print(personalize.check_users { file = options.file,
      unique = true }.users)
  } }
  location = /start { content_by_lua_block {
    ngx.timer.at(0, function()
      -- Another's turns, counted while the list is read.
      local turns = 0
      local other = ngx.thread.spawn(function()
        while true do
          turns = turns + 1
          ngx.sleep(0.001)
        end
      end)
      local seen = {}
      options.on_progress = function(progress)
        if progress.phase == "check" and progress.bytes then
          seen[#seen + 1] = turns
        end
      end
      local _, text = pcall(function()
        local receipt = client:delete_users(options)
        return receipt.status .. " " .. receipt.users .. " " .. #receipt.parts
      end)
      ngx.thread.kill(other)
      state.seen, state.over = seen, tostring(text)
    end)
  } }
  location = /seen { content_by_lua_block {
    ngx.print(require("cjson").encode(state.seen)) } }
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
    local over = patience.await("the receipt", function()
      local text = web:get "/over"
      return text ~= "" and text
    end)
    assert.equal(("COMPLETED %d 3"):format(USERS), over, web:whole_log())
    -- As many turns for others as blocks for the list, or nearly.
    local seen = cjson.decode((web:get "/seen"))
    local blocks, turns = #seen, seen[#seen] - seen[1]
    print(("\na list of %d blocks, and %d turns for others"):format(blocks,
      turns))
    assert.is_true(blocks > 50 and turns > blocks / 2)
    assert.equal(3, #server:admin("GET", "jobs").jobs)
  end)

  it("is checked, too, but in no phase that cannot wait", function()
    assert.equal(tostring(USERS), (web:get "/check"))
    assert.equal("PhaseError", (web:get "/init"))
  end)
end)
