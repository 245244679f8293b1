--- Exports inside nginx: searched while the same worker serves others.

local cjson = require "cjson"
local nginx = require "spec.support.nginx"

local SERVER = [[
  location = /check { content_by_lua_block {
    -- Another's turns, counted while the export is read.
    local turns, seen = 0, {}
    local other = ngx.thread.spawn(function()
      while true do
        turns = turns + 1
        ngx.sleep(0.001)
      end
    end)
    local result = require("personalize").check_absent {
      file = "%s/list.csv", exports = { "%s/export.csv" },
      on_progress = function(progress)
        if progress.phase == "export" then
          seen[#seen + 1] = turns
        end
      end }
    ngx.thread.kill(other)
    ngx.print(require("cjson").encode { result = result, seen = seen })
  } }
  location = /refused { content_by_lua_block {
    for _, path in ipairs { "%s/pipe", "-", "%s/none" } do
      local ok, e = pcall(require("personalize").check_absent, {
        users = { "alice" }, exports = { path } })
      ngx.say(e.code, " ", e.message)
    end
  } }
  location = /phase { set_by_lua_block $done {
    local ok, e = pcall(require("personalize").check_absent, {
      users = { "alice" }, exports = { "%s/export.csv" } })
    return ok and "checked" or e.code
  }
  return 200 $done; }
]]

describe("inside nginx an export", function()
  local web, folder

  setup(function()
    folder = nginx.folder()
    local list = assert(io.open(folder .. "/list.csv", "w"))
    local export = assert(io.open(folder .. "/export.csv", "w"))
    list:write "USER_ID\n"
    export:write "ITEM_ID,USER_ID\n"
    for i = 1, 200000 do
      local id = ("%08x-0000-4000-8000-%012x"):format(i * 7919, i)
      if i % 100 == 0 then
        list:write(id, "\n")
      end
      export:write("item-", i, ",", id, i % 1000 == 0 and "" or "x", "\n")
    end
    list:close()
    export:close()
    os.execute("mkfifo '" .. folder .. "/pipe'")
    web = nginx.start { server = SERVER:gsub("%%s", (folder:gsub("%%",
      "%%%%"))) }
  end)
  teardown(function()
    web:stop()
    nginx.remove(folder)
  end)

  it("is searched, and holds nobody up", function()
    local answer = cjson.decode((web:get "/check"))
    assert.equal(200, answer.result.found)
    assert.equal(200, answer.result.ids_found)
    assert.equal(2000, answer.result.users)
    -- As many turns for others as blocks, or nearly.
    local seen = answer.seen
    local turns = seen[#seen] - seen[1]
    print(("\nan export of %d blocks, and %d turns for others"):format(#seen,
      turns))
    assert.is_true(#seen > 30 and turns > #seen / 2)
  end)

  it("may be no pipe, which would stop the worker", function()
    local answer = web:get "/refused"
    local words = "inside nginx a pipe cannot be waited for"
    assert.equal(("ParamValidationError exports[1] %s/pipe: %s\n" ..
      "ParamValidationError exports[1] standard input: %s\nParamValidationError " ..
      "exports[1] cannot open %s/none: No such file or directory\n"):format(folder, words,
      words, folder), answer)
  end)

  it("is not searched in a phase that cannot wait", function()
    assert.equal("PhaseError", (web:get "/phase"))
  end)
end)
