--- What is wrong with the command line, in its own words: options as they are
-- written there, and an example.
-- Knows the names of options; refuses to know what is wrong.

local commands = require "personalize.cli.commands"

local M = {}

-- The option or argument behind a fault, of a command or of all.
local function find(command, is_it)
  local found = commands.find(command) or {}
  for _, specs in ipairs { found.arguments or {}, found.options or {},
    commands.GLOBAL } do
    for _, spec in ipairs(specs) do
      if is_it(spec) then
        return spec
      end
    end
  end
end

local function spec_of(fault, command)
  local path = fault.param or fault.path
  local head = path and path:match "^[%a_]+"
  return find(command, function(spec)
    if fault.option then
      return spec[1] == fault.option
    end
    return head and (spec.param == path or spec.param == head)
  end)
end

-- As it is called: "--role", "LIST"; with its number, where there are several.
local function name_of(fault, spec, options)
  if not spec then
    return fault.option or fault.path or ""
  end
  local name = spec[1]:find "^%-" and spec[1] or spec[1]:upper()
  local number = tonumber(((fault.param or fault.path) or ""):match "%[(%d+)%]")
  local values = options and spec.is_many and
    options[spec.target or spec[1]:gsub("^%-+", ""):gsub("%-", "_")]
  if number and type(values) == "table" and #values > 1 then
    name = ("%s number %d"):format(name, number)
  end
  return name
end

local function message_of(fault, spec)
  local message = fault.message
  if fault.code == "missing" and spec and spec.example then
    return ("is missing, such as %s %s"):format(spec[1], spec.example)
  elseif message:find "does not match" then
    return spec and spec.shape or "is not what AWS takes"
  end
  return message
end

--- Sentences, one for each fault. Of those of one option only the first: what
--- could not be read is also of the wrong type.
---@param faults personalize.cli.Fault[]|personalize.ParamFault[]
---@param command? string
---@param options? table as they were parsed
---@return string[]
function M.lines(faults, command, options)
  local lines, seen = {}, {}
  for _, fault in ipairs(faults) do
    local spec = spec_of(fault, command)
    local name = name_of(fault, spec, options)
    local line = name == "" and fault.message or
      name .. " " .. message_of(fault, spec)
    if name == "" or not seen[name] then
      lines[#lines + 1] = line
    end
    seen[name] = true
  end
  return lines
end

-- "region" -> "--region", where every command has it.
local function global(name)
  for _, spec in ipairs(commands.GLOBAL) do
    if spec.param == name then
      return spec[1]
    end
  end
end

--- An error of a client's options, which the module names as Lua has them.
---@param message string
---@return string
function M.in_shell(message)
  return (message:gsub("^(%u%a+: )([%l_]+) must ", function(code, name)
    local option = global(name)
    return option and ("%s%s must "):format(code, option)
  end):gsub("the ([%l_]+) option", global))
end

--- Sentences as one text.
---@param lines string[] at least one
---@return string
function M.text(lines)
  if #lines == 1 then
    return lines[1]
  end
  return ("%d faults:\n  %s"):format(#lines, table.concat(lines, "\n  "))
end

return M
