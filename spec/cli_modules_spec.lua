--- Where the command takes its modules from: never from the folder in which it
-- is run, which may be somebody else's.

local child = require "spec.support.child"
local script = require "spec.support.script"

local quote = child.quote

-- What the command, or a library that it loads, asks for by name.
local MODULES = { "cjson", "cjson/safe", "argparse", "personalize",
  "personalize/init", "personalize/core", "personalize/core/init",
  "personalize/cli", "personalize/cli/arguments", "personalize/version",
  "personalize/users", "jit/opt", "table/clear" }

describe("the command, run in somebody else's folder,", function()
  local folder, root
  setup(function()
    local pipe = io.popen "pwd; mktemp -d"
    root, folder = pipe:read "*l", pipe:read "*l"
    pipe:close()
    os.execute("cd " .. folder .. " && mkdir -p cjson personalize/cli " ..
      "personalize/core jit table lib/personalize")
    for _, name in ipairs(MODULES) do
      local file = assert(io.open(("%s/%s.lua"):format(folder, name), "w"))
      file:write 'io.stderr:write "a file of the folder was run\\n" os.exit(66)'
      file:close()
    end
    -- As a library it cannot even be loaded: that would be told.
    for _, name in ipairs { "cjson.so", "personalize/core.so" } do
      os.execute(("echo none >%s/%s"):format(folder, name))
    end
    local list = assert(io.open(folder .. "/users.csv", "w"))
    list:write "USER_ID\nalice\n"
    list:close()
    os.execute(("mkdir %s/link && ln -s %s/src %s/link/src && " ..
      "ln -s %s/build %s/link/build"):format(folder, quote(root), folder,
      quote(root), folder))
  end)
  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  local function run(program, variables)
    local process = child.start("sh -c " .. quote(("cd %s && env -u LUA_PATH " ..
      "-u LUA_CPATH -u LUA_INIT %s %s %s check-list users.csv 2>&1; " ..
      "echo status $?"):format(folder, variables, child.interpreter(),
      program)))
    local text = process:rest()
    process:stop()
    return text
  end

  for name, variables in pairs {
    ["by default"] = "",
    ["with LUA_PATH"] = "LUA_PATH='?.lua;./?.lua;./?/init.lua;;' " ..
      "LUA_CPATH='./?.so;lib/?.so;;'",
    ["with LUA_INIT"] = "LUA_INIT=\"package.path = './?.lua;' .. " ..
      "package.path\"",
  } do
    it("runs none of its files, " .. name, function()
      for _, program in ipairs { quote(root .. "/src/bin/personalize"),
        "link/src/bin/personalize" } do
        local text = run(program, variables)
        assert.truthy(text:find("status 0\n$"), text)
        assert.truthy(text:find("users       1\n", 1, true), text)
      end
    end)
  end

  it("still takes modules from absolute places", function()
    local text = run(quote(root .. "/src/bin/personalize"),
      ("LUA_PATH='%s/?.lua;;'"):format(folder))
    assert.truthy(text:find("was run\nstatus 66\n$"), text)
  end)

  it("is found by the modules of its own tree", function()
    local status = script.run("src/bin/personalize", "--version")
    assert.equal("personalize " .. require "personalize.version" .. "\n",
      status)
  end)
end)
