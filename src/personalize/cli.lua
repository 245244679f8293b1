--- The command `personalize`, as a function of its arguments.
-- Knows how a command is run and how it ends; what each does is in other
-- files.

local core = require "personalize.core"
local arguments = require "personalize.cli.arguments"
local jobs = require "personalize.cli.jobs"
local lists = require "personalize.cli.lists"
local mfa = require "personalize.cli.mfa"
local progress = require "personalize.cli.progress"
local status = require "personalize.cli.status"
local worlds = require "personalize.cli.world"

local M = {}

local COMMANDS = {
  ["delete-users"] = lists.delete_users,
  ["check-list"] = lists.check_list,
  ["verify-receipt"] = lists.verify_receipt,
  create = jobs.create,
  describe = jobs.describe,
  list = jobs.list,
  wait = jobs.wait,
  identity = jobs.identity,
}

-- A create that is made again is another create.
local CAN_GO_ON = { ["delete-users"] = true, wait = true }

-- Between two ticks of the progress, while a client sleeps.
local TICK = 0.5

-- One run of a command: what the commands have in common.
local Run = { __name = "personalize.cli.Run" }
Run.__index = Run

local function new(options, world)
  local terminal = world.columns()
  local is_dumb = world.env "TERM" == "dumb"
  local run = setmetatable({ options = options, world = world,
    out = world.out }, Run)
  run.is_colored = terminal and not is_dumb and not world.env "NO_COLOR"
  if not options.quiet then
    run.bar = progress.new {
      write = world.err,
      now = world.now,
      columns = function()
        local columns = not is_dumb and world.columns()
        return columns and (tonumber(world.env "COLUMNS") or columns) or nil
      end,
    }
  end
  return run
end

-- For people: on standard error, always.
function Run:tell(label, color, words)
  self:clear()
  if self.is_colored then
    label = ("\27[%sm%s\27[0m"):format(color, label)
  end
  self.world.err(("personalize: %s%s\n"):format(label, words))
end

function Run:warn(words)
  self:tell("warning: ", "33", core.printable(words))
end

--- Unless --quiet.
function Run:note(words)
  if not self.options.quiet then
    self:tell("", "0", core.printable(words))
  end
end

--- Says an error.
function Run:say(e)
  local lines = status.describe(status.normal(e), self.list,
    CAN_GO_ON[self.options.command], self.is_unsent)
  self:tell("error: ", "31", table.remove(lines, 1))
  for _, line in ipairs(lines) do
    self.world.err(line .. "\n")
  end
end

function Run:progress(state)
  if self.bar then
    self.bar:update(state)
  end
end

function Run:clear()
  if self.bar then
    self.bar:clear()
  end
end

function Run:close(is_done)
  if self.bar then
    self.bar:close(is_done)
  end
end

-- In slices, so that time is seen to pass.
function Run:sleep(seconds)
  local ends = self.world.now() + seconds
  repeat
    local left = ends - self.world.now()
    if left > 0 and not self.world.sleep(math.min(left, TICK)) then
      return false
    end
    if self.bar then
      self.bar:tick()
    end
  until left <= TICK
  return true
end

--- A client as the options say.
function Run:client()
  local options = self.options
  return self.world.personalize.new {
    region = options.region,
    profile = options.profile,
    endpoint = options.endpoint_url,
    ca_bundle = options.ca_bundle,
    mfa_token = function(serial)
      self:clear()
      return mfa.ask(serial)
    end,
    sleep = function(seconds) return self:sleep(seconds) end,
    on_event = function(event)
      if event.name == "warning" and not options.quiet then
        self:warn(event.message)
      end
    end,
  }
end

local function try(words, world)
  local options, text, fault = arguments.parse(words)
  if fault then
    error({ fault = fault, status = status.USAGE, has_lines = true }, 0)
  elseif not options then
    world.out(text)
    return status.DONE
  end
  local run = new(options, world)
  local ok, result = pcall(COMMANDS[options.command], run)
  run:close(ok)
  if not ok then
    if result == worlds.GONE then
      error(result, 0)
    end
    run:say(result)
    result = status.of(status.normal(result))
  end
  return result or status.DONE
end

--- Runs a command.
---@param words string[] the command line, without the program's name
---@param world? table as personalize.cli.world makes it
---@return integer status of the process
function M.run(words, world)
  world = world or worlds.new()
  local ok, result = pcall(function()
    local found = try(words, world)
    world.out "" -- what was written is out, or known not to be
    return found
  end)
  if ok then
    return result
  elseif result == worlds.GONE then
    return status.PIPE
  end
  local e = status.normal(result)
  world.err("personalize: error: " .. status.describe(e)[1] .. "\n")
  return status.of(e)
end

return M
