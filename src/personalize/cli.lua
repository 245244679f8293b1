--- The command `personalize`, as a function of its arguments.
-- Loads what a command needs and no more: help takes as long as the parser.

local arguments = require "personalize.cli.arguments"

local M = {}

-- The process's own streams, put in place before anything else is opened.
local function own_world()
  local core = require "personalize.core"
  core.open_streams()
  core.catch_signals()
  return require("personalize.cli.world").new()
end

-- Help and version. Where that fails, the world knows how to say why.
local function is_printed(text)
  io.stdout:setvbuf "no" -- else a second try would print it twice
  return io.stdout:write(text)
end

--- Runs a command.
---@param words string[] the command line, without the program's name
---@param world? table as personalize.cli.world makes it; the process's own
--- where none is given
---@return integer status of the process
function M.run(words, world)
  local is_read, options, text, faults, hint = pcall(arguments.parse, words)
  if is_read and text and not world and is_printed(text) then
    return 0
  end
  world = world or own_world()
  local run = require "personalize.cli.run"
  if not is_read then
    return run.fail(world, options)
  end
  return run.run(world, options, text, faults, hint)
end

return M
