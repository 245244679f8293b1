--- Sources for specs, in place of the module's own: of texts, and with faults.
-- Knows how to build spec/support/source.c for the Lua that runs; refuses to
-- know transports.

local child = require "spec.support.child"

local sources = {}

local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or "spec/support/"
local LUA = type(rawget(_G, "jit")) == "table" and "luajit" or
  "lua" .. _VERSION:match("%d+%.%d+")

-- Debian's pkg-config files are named so, others' without the dot.
local function load_module()
  local file = os.tmpname()
  os.remove(file)
  local library = file .. ".so"
  local done = os.execute(("cc -shared -fPIC -o %s $(pkg-config --cflags %s ||"
    .. " pkg-config --cflags %s) %ssource.c >/dev/null 2>&1"):format(
    child.quote(library), LUA, (LUA:gsub("%.", "")), HERE))
  assert(done == 0 or done == true, "source.c could not be built for " .. LUA)
  local open = assert(package.loadlib(library, "luaopen_spec_source"))
  os.remove(library)
  return open()
end

local module, before

--- From now on the transport's class of sources is this one.
function sources.install()
  module = module or load_module()
  before = module.install()
end

function sources.restore()
  module.restore(before)
end

--- A source of this text. `faults`: fails, ends (at that byte), most (bytes a
-- read), refuses (rewinds after so many), version, length.
function sources.new(text, faults)
  return module.new(text, faults)
end

return sources
