--- One run of a command: what the commands have in common, and how they end.
-- Knows standard error, progress and clients; refuses to know what a command
-- does.

local core = require "personalize.core"
local faults = require "personalize.cli.faults"
local mfa = require "personalize.cli.mfa"
local progress = require "personalize.cli.progress"
local status = require "personalize.cli.status"
local worlds = require "personalize.cli.world"

local M = {}

-- The file of each command, and the function in it. `check` of a file has what
-- a command finds wrong before it does anything.
local COMMANDS = {
  ["delete-users"] = { "lists", "delete_users" },
  follow = { "follow", "follow" },
  preflight = { "preflight", "preflight" },
  ["check-list"] = { "lists", "check_list" },
  ["verify-receipt"] = { "lists", "verify_receipt" },
  ["check-absent"] = { "absence", "check_absent" },
  create = { "jobs", "create" },
  describe = { "jobs", "describe" },
  list = { "jobs", "list" },
  wait = { "jobs", "wait" },
  identity = { "jobs", "identity" },
  completion = { "completion", "print" },
}

-- A create that is made again is another create.
local CAN_GO_ON = { ["delete-users"] = true, follow = true, wait = true }

-- Between two ticks of the progress, while a client sleeps.
local TICK = 0.5

---@class personalize.cli.Run
local Run = { __name = "personalize.cli.Run" }
Run.__index = Run

-- COLUMNS may ask for fewer columns than the terminal has. More would wrap, and
-- what is no number is ignored.
local function narrowed(columns, wanted)
  local number = wanted and wanted:find "^[0-9]+$" and tonumber(wanted) or 0
  return number > 0 and math.min(number, columns) or columns
end

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
        return columns and narrowed(columns, world.env "COLUMNS") or nil
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
  e = status.normal(e)
  local lines = status.describe(e, self.list,
    CAN_GO_ON[self.options.command], self.is_unsent)
  if e.code == "ParamValidationError" and #(e.params or {}) > 0 then
    lines[1] = faults.text(faults.lines(e.params, self.options.command,
      self.options))
  elseif e.code == "ConfigError" or e.code == "NoRegionError" then
    lines[1] = faults.in_shell(lines[1])
  end
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

--- The region that a client will have, where no file has to be read for that.
---@return string?
function Run:region()
  local options, env = self.options, self.world.env
  return options.region or not options.profile and
    (env "AWS_REGION" or env "AWS_DEFAULT_REGION") or nil
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

-- Those after which one may ask what became of it.
local SENDS = { ["delete-users"] = "nothing was sent\n",
  follow = "nothing was sent\n", create = "nothing was sent\n" }

-- Raises all that is wrong with the command line, in its own words.
local function demand(options, list, hint)
  local command = options and options.command
  local lines = faults.lines(list, command, options)
  if #lines > 0 then
    error({ fault = ("%s\n%s%s"):format(faults.text(lines),
      SENDS[command] or "", hint), status = status.USAGE, has_lines = true }, 0)
  end
end

-- Adds what can be told before anything is done; `check` is the command's own.
local function look_ahead(run, check, list)
  local bundle = run.options.ca_bundle
  local wrong = bundle and run.world.unreadable(bundle)
  if wrong then
    list[#list + 1] = { option = "--ca-bundle", message = "cannot be read: " ..
      core.printable(wrong) }
  end
  for _, fault in ipairs(check and check(run) or {}) do
    list[#list + 1] = fault
  end
end

local function try(world, options, list, hint)
  if not options then
    demand(nil, list, hint)
  end
  local command = COMMANDS[options.command]
  local module, name = require("personalize.cli." .. command[1]), command[2]
  local run = new(options, world)
  look_ahead(run, module.check and module.check[name], list)
  demand(options, list, hint)
  local ok, result = pcall(module[name], run)
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

--- Runs a command that was read from the command line.
---@param world table as personalize.cli.world makes it
---@param options? table as they were parsed
---@param text? string to print instead
---@param list personalize.cli.Fault[] what was wrong so far
---@param hint? string
---@return integer status of the process
function M.run(world, options, text, list, hint)
  local ok, result = pcall(function()
    if text then
      world.out(text)
      return status.DONE
    end
    return try(world, options, list, hint)
  end)
  return ok and result or M.fail(world, result)
end

--- Says why nothing was run, or what went wrong while it ended.
---@param world table
---@param raised any
---@return integer status of the process
function M.fail(world, raised)
  if raised == worlds.GONE then
    return status.PIPE
  end
  local e = status.normal(raised)
  world.err("personalize: error: " .. status.describe(e)[1] .. "\n")
  return status.of(e)
end

return M
