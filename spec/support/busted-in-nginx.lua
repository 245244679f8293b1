--- Runs busted inside a private nginx: `luajit busted-in-nginx.lua SPEC`.
-- The spec is the one that runs outside, too. nginx has one process here, and
-- ends as busted does, with its status.

local child = require "spec.support.child"
local nginx = require "spec.support.nginx"

-- In a timer, which may yield; what it writes goes to this one's output.
local RUN = [[
  init_worker_by_lua_block {
    assert(ngx.timer.at(0, function()
      -- Past nginx's guard of the globals; and its print writes to the log.
      rawset(_G, "arg", { [0] = "busted", "--lpath=", "-o", "plainTerminal",
        %q })
      rawset(_G, "print", function(...)
        io.stdout:write(table.concat({ ... }, "\t"), "\n")
      end)
      local ok, why = xpcall(function()
        require "busted.runner" { standalone = false }
      end, function(message)
        return message and debug.traceback(message)
      end)
      -- busted ends with an error without text where tests have failed.
      if why then
        io.stderr:write(why, "\n")
      end
      io.stdout:flush()
      os.exit(ok and 0 or 1)
    end))
  }
]]

-- What the specs' programs are found by.
local PASSED = { "PATH", "PERSONALIZE_VECTORS", "SPEC_CA", "TMPDIR",
  "LUA_PATH", "LUA_CPATH" }

local folder = nginx.folder()
local trust = nginx.make_authority(folder)
local lines = { "master_process off;" }
for _, name in ipairs(PASSED) do
  lines[#lines + 1] = ("env %s;"):format(name)
end
lines[#lines + 1] = "env AWS_EC2_METADATA_DISABLED=true;"

local file = assert(io.open(folder .. "/nginx.conf", "w"))
file:write(nginx.configuration(folder, "unix:" .. folder .. "/s", {
  main = table.concat(lines, "\n"), trust = trust,
  http = RUN:format(assert(arg[1], "a spec is missing")) }))
file:close()

local process = child.start("sh -c " .. child.quote(
  nginx.command(folder, "env SPEC_CA=" .. folder) ..
    " 2>&1 </dev/null; echo \"status $?\""))
local status
for line in process.pipe:lines() do
  status = line:match "^status (%d+)$"
  if not status then
    print(line)
  end
end
process:stop()
if status ~= "0" then
  print(nginx.log(folder))
end
nginx.remove(folder)
os.exit(tonumber(status) or 1)
