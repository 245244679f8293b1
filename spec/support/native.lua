--- Modules in C for specs, built when they are needed.
-- Knows how to build them for the Lua that runs; refuses to know what is in
-- them.

local child = require "spec.support.child"

local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or "spec/support/"
local LUA = type(rawget(_G, "jit")) == "table" and "luajit" or
  "lua" .. _VERSION:match("%d+%.%d+")

local native = {}

--- A library of spec/support/NAME.c, which the caller removes; or nil and a
-- reason.
function native.build(name)
  local file = os.tmpname()
  os.remove(file)
  local library = file .. ".so"
  local done = os.execute(("cc -shared -fPIC -o %s $(pkg-config --cflags " ..
    "%s) %s -lpthread -ldl >/dev/null 2>&1"):format(child.quote(library), LUA,
    child.quote(HERE .. name .. ".c")))
  if done ~= 0 and done ~= true then
    return nil, ("spec/support/%s.c could not be built for %s"):format(name,
      LUA)
  end
  return library
end

--- The module of spec/support/NAME.c for this Lua, or nil and a reason.
function native.load(name)
  local library, reason = native.build(name)
  if not library then
    return nil, reason
  end
  local open, err = package.loadlib(library, "luaopen_spec_" .. name)
  os.remove(library)
  return open and open(), err
end

return native
