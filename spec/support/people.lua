--- A world for the command in which nothing is real: what it writes is kept,
-- time passes when somebody sleeps, and the module is what a spec says.
-- Knows the shape of personalize.cli.world; refuses to know commands.

local cli = require "personalize.cli"
local real = require "personalize"

local people = {}

--- A world. `columns` is nil where there is no terminal; `module` is what of
-- the module is another; `client` the client that its `new` makes.
function people.world(more)
  local world = { files = {}, written = {}, outs = {}, errs = {}, time = 1000,
    variables = {}, given = {}, blocks = {} }
  world.out = function(text) world.outs[#world.outs + 1] = text end
  world.err = function(text) world.errs[#world.errs + 1] = text end
  world.read = function() return table.remove(world.blocks, 1) end
  world.read_file = function(path)
    return world.files[path], path .. ": No such file or directory"
  end
  world.is_output = function(path) return path == "-" end
  world.is_pipe = function(path) return path == "-" end
  world.lock = function() return function() end end
  world.read_existing = function(path) return world.written[path] end
  world.unreadable = function(path)
    return not world.files[path] and path .. ": No such file or directory" or
      nil
  end
  world.same_file = function(a, b) return a == b end
  world.unwritable = function() return world.wrong end
  world.write_file = function(path, text)
    if world.full then
      return nil, world.full
    end
    world.written[path] = text
    return true
  end
  world.env = function(name) return world.variables[name] end
  world.now = function() return world.time end
  world.sleep = function(seconds)
    world.time = world.time + seconds
    return not world.is_interrupted
  end
  world.columns = function() return world.width end
  world.personalize = setmetatable({ new = function(options)
    world.given[#world.given + 1] = options
    return world.client
  end }, { __index = real })
  for name, value in pairs(more or {}) do
    world[name] = value
  end
  return world
end

--- Runs a command line. Answers its status, standard output, standard error.
function people.run(world, ...)
  world.outs, world.errs = {}, {}
  local status = cli.run({ ... }, world)
  return status, table.concat(world.outs), table.concat(world.errs)
end

--- What a terminal shows in the end of what was written to it: its lines.
function people.screen(text)
  local lines = { "" }
  text = text:gsub("\r\27%[K", "\1")
  for c in text:gmatch "." do
    if c == "\1" then
      lines[#lines] = ""
    elseif c == "\n" then
      lines[#lines + 1] = ""
    else
      lines[#lines] = lines[#lines] .. c
    end
  end
  return lines
end

return people
