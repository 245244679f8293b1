--- The command line, read.
-- Knows the parser and its messages; refuses to know what a command does.

local commands = require "personalize.cli.commands"
local version = require "personalize.version"

local M = {}

local EXIT_CODES = [[
Exit status:
  0    done
  1    a job FAILED; verify-receipt: it is another list; check-absent: a user
       was found
  3    the list has faults; follow: a part of it is not in S3 any more
  4    waiting timed out: run the same command again to go on
  5    done in part: jobs are left to create, run the same command again
  6    preflight: there are blockers
  129  ended by SIGHUP: run the same command again to go on
  130  ended by Ctrl-C (SIGINT): run the same command again to go on
  141  the reader of standard output went away
  143  ended by SIGTERM: run the same command again to go on
  252  a wrong parameter or usage, a file that cannot be used
  253  no or wrong configuration or credentials
  254  the service answered with an error
  255  anything else]]

local COMMON = "Options of every command (--region, --profile, " ..
  "--endpoint-url, --ca-bundle,\n--quiet) and the exit status: " ..
  "personalize --help"

local CONFIG = 253 -- of the exit statuses

-- Ends the parsing: text for standard output, or what is wrong.
local function stop(fields)
  error(fields, 0)
end

local function target_of(spec)
  return spec.target or spec[1]:gsub("^%-+", ""):gsub("%-", "_")
end

-- A value that is wrong is noted, and the parsing goes on: all faults are told
-- at once.
local function noting(spec, faults)
  return function(value)
    local found, must = spec.convert(value)
    if found == nil then
      faults[#faults + 1] = { option = spec[1], code = "type", message = must }
      return value
    end
    return found
  end
end

local ACTIONS = {
  ["--help"] = function(parser)
    return function() stop { text = parser:get_help() .. "\n" } end
  end,
  ["--version"] = function()
    return function() stop { text = M.version() } end
  end,
}

-- Is an option needed, beside these words? Others may take its place.
local function is_required(spec, words)
  for _, other in ipairs(spec.unless or {}) do
    for _, word in ipairs(words) do
      if word == other or word:sub(1, #other + 1) == other .. "=" then
        return false
      end
    end
  end
  return spec.is_required
end

local function add_option(parser, spec, faults, words)
  local names = (spec.short and spec.short .. " " or "") .. spec[1]
  local make = ACTIONS[spec[1]]
  local option = spec.arg and parser:option(names) or parser:flag(names)
  option:description(spec.help):target(target_of(spec))
  option:hidden(spec.is_hidden or false)
  if make then
    option:action(make(parser))
  elseif spec.arg then
    option:argname(spec.arg)
    if spec.choices then
      option:choices(spec.choices)
    end
    if spec.convert then
      option:convert(noting(spec, faults))
    end
    if spec.is_many then
      option:count(is_required(spec, words) and "1+" or "*"):init(nil)
    elseif spec.is_required then
      option:count "1"
    end
  end
end

local function add_argument(parser, spec)
  local argument = parser:argument(spec[1])
  argument:description(spec.help):target(target_of(spec))
    :args(spec.is_many and "+" or spec.is_required and "1" or "?")
  if spec.choices then
    argument:choices(spec.choices)
  end
end

local function add_command(parser, command, words, faults)
  local its = parser:command(command[1])
    :summary(command.summary)
    :description(command.description or command.summary)
    :epilog(COMMON)
  its:add_help(false)
  add_option(its, commands.GLOBAL[1], faults, words or {}) -- its own help
  if words then
    for _, spec in ipairs(command.arguments or {}) do
      add_argument(its, spec)
    end
    for _, spec in ipairs(command.options or {}) do
      add_option(its, spec, faults, words)
    end
  end
  return its
end

-- A parser that knows the options of those commands which the command line
-- names: to build all of them takes as long as everything else here.
local function make(argparse, words, faults)
  local named, subparsers = {}, {}
  for _, word in ipairs(words) do
    named[word] = true
  end
  local parser = argparse("personalize", "Delete users from Amazon " ..
    "Personalize: from a list of user ids to a receipt.", EXIT_CODES)
    :command_target "command"
    :usage_max_width(78):help_max_width(78)
  parser:add_help(false)
  for _, spec in ipairs(commands.GLOBAL) do
    add_option(parser, spec, faults, words)
  end
  for _, command in ipairs(commands.COMMANDS) do
    subparsers[command[1]] = add_command(parser, command,
      named[command[1]] and words, faults)
  end
  return parser, subparsers
end

-- Messages after which the parser can go on.
local function is_noted(message, faults)
  local missing = message:match "^missing option '(.-)'" or
    message:match "^missing argument '(.-)'"
  local wrong, must = message:match "'(%-?%-?[%w-]+)' (must be one of .*)$"
  if missing or wrong then
    faults[#faults + 1] = { option = missing or wrong,
      code = missing and "missing" or "type", message = must or "is missing" }
    return true
  end
  -- Follows on "missing argument".
  return message:find "^argument '.-' requires " ~= nil
end

local function help_of(topic, parser, subparsers)
  if topic == nil then
    return parser:get_help() .. "\n"
  end
  return subparsers[topic] and subparsers[topic]:get_help() .. "\n"
end

local function names()
  local all = {}
  for i, command in ipairs(commands.COMMANDS) do
    all[i] = command[1]
  end
  return table.concat(all, ", ")
end

local function try_help(command)
  return ("Try 'personalize %s--help'."):format(command and command .. " " or
    "")
end

-- A message of the parser's, in which words of the command line are as they
-- may be seen: a line end in one of them is none of the message's.
local function shown(message, words)
  local core = require "personalize.core"
  for _, word in ipairs(words) do
    local seen = core.printable(word)
    if seen ~= word then
      message = message:gsub(word:gsub("%W", "%%%0"), (seen:gsub("%%", "%%%%")))
    end
  end
  return message
end

--- What --version prints.
---@return string
function M.version()
  return "personalize " .. version .. "\n"
end

---@class personalize.cli.Fault
---@field option? string "--name", or an argument's name
---@field param? string instead of it, the name by which the module calls it
---@field code? string
---@field message string completes a sentence that begins with that name, where
--- there is one

--- Reads a command line.
---@param words string[]
---@return table? options with `command`; nil where there is nothing more to do
---@return string? text for standard output
---@return personalize.cli.Fault[] faults of which all are to be told
---@return string? hint what to try, where there are faults
function M.parse(words)
  if #words == 1 and words[1] == "--version" then
    return nil, M.version(), {} -- without the parser
  end
  local is_there, argparse = pcall(require, "argparse")
  if not is_there then
    stop { status = CONFIG, fault = "the library argparse is missing: " ..
      "'luarocks install argparse', or Debian's lua-argparse" }
  end
  local faults = {}
  local parser, subparsers = make(argparse, words, faults)
  local at
  function parser.error(where, message)
    at = where:get_usage():match "^Usage: personalize ([%l-]+)"
    if message == "a command is required" then
      stop { fault = message .. ": " .. names() }
    elseif not is_noted(message, faults) then
      stop { fault = message }
    end
  end
  local ok, found = pcall(parser.parse, parser, words)
  if not ok then
    if type(found) ~= "table" then
      error(found, 0)
    elseif found.fault then
      faults[#faults + 1] = { message = shown(found.fault, words) }
    end
    return nil, found.text, faults, try_help(at)
  elseif found.command == "help" then
    local text = help_of(found.topic, parser, subparsers)
    if not text then
      faults[1] = { message = shown(("there is no command '%s'"):format(
        found.topic), words) }
    end
    return nil, text, faults, try_help()
  end
  return found, nil, faults, try_help(found.command)
end

return M
