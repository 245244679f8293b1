--- Completion scripts for shells, made of what the commands take.
-- Knows bash, zsh and fish; refuses to know what anything is for.

local commands = require "personalize.cli.commands"

local M = {}

-- -- What all three ask of the data ------------------------------------------

local function names_of(list)
  local names = {}
  for i, command in ipairs(list) do
    names[i] = command[1]
  end
  return table.concat(names, " ")
end

-- What may stand where an option's or an argument's value is: words, "files",
-- or nil for what only its writer knows.
local function values_of(spec)
  if spec.is_command then
    return names_of(commands.COMMANDS)
  end
  return spec.choices and table.concat(spec.choices, " ") or
    spec.is_file and "files" or nil
end

-- Options that take a value, as a pattern of the shell's case.
local function valued(separator)
  local found, seen = {}, {}
  local function add(specs)
    for _, spec in ipairs(specs or {}) do
      if spec.arg and not seen[spec[1]] then
        found[#found + 1], seen[spec[1]] = spec[1], true
      end
    end
  end
  add(commands.GLOBAL)
  for _, command in ipairs(commands.COMMANDS) do
    add(command.options)
  end
  return table.concat(found, separator)
end

local function option_names(specs)
  local names = {}
  for _, spec in ipairs(specs or {}) do
    names[#names + 1] = spec.short
    names[#names + 1] = spec[1]
  end
  return table.concat(names, " ")
end

-- -- bash ----------------------------------------------------------------------

local BASH = [=[
_personalize() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local command= options= values= i
    # bash has cut --option=value into three words.
    if [ "$cur" = = ]; then cur=; fi
    if [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            @VALUED@) if [ "${COMP_WORDS[i+1]}" = = ]; then i=$((i + 2)); else i=$((i + 1)); fi ;;
            -*) ;;
            *) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $command in
@OPTIONS@
        *) values="@COMMANDS@" ;;
    esac
    case $command:$prev in
@VALUES@
        *:@VALUED_IN@) values= ;;
        *) if [[ $cur = -* ]]; then values="$options @GLOBAL@"; fi ;;
    esac
    COMPREPLY=()
    if [ "$values" = files ]; then
        compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur"))
    elif [ -n "$values" ]; then
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
    fi
}
complete -F _personalize personalize @OTHERS@
]=]

-- What the arguments of a command may be; those of one command are alike.
local function argument_values(command)
  local first = (command.arguments or {})[1]
  return first and values_of(first) or ""
end

local function bash()
  local options, values = {}, {}
  local function add(command, specs)
    for _, spec in ipairs(specs or {}) do
      local value = spec.arg and values_of(spec)
      if value then
        values[#values + 1] = ('        %s:%s) values="%s" ;;'):format(command,
          spec[1], value)
      end
    end
  end
  for _, command in ipairs(commands.COMMANDS) do
    options[#options + 1] = ('        %s) options="%s" values="%s" ;;'):format(
      command[1], option_names(command.options), argument_values(command))
    add(command[1], command.options)
  end
  add("*", commands.GLOBAL)
  return { OPTIONS = table.concat(options, "\n"),
    VALUES = table.concat(values, "\n"), VALUED = valued "|",
    VALUED_IN = valued "|*:" }
end

-- -- zsh -----------------------------------------------------------------------

local ZSH = [=[
#compdef personalize @OTHERS@
_personalize() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a globals commands
  globals=(
@GLOBALS@
  )
  commands=(
@COMMANDS@
  )
  _arguments -C -S $globals '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
@CASES@
      esac ;;
  esac
}
if [ "$funcstack[1]" = _personalize ]; then
  _personalize "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
  compdef _personalize personalize @OTHERS@
fi
]=]

local function zsh_quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function zsh_text(text)
  return (text:gsub("[%[%]:\\]", "\\%0"))
end

local function zsh_values(spec)
  local values = values_of(spec)
  return values == "files" and "_files" or values and "(" .. values .. ")" or " "
end

local function zsh_option(spec)
  local help = "[" .. zsh_text(spec.help) .. "]"
  local value = spec.arg and (":%s:%s"):format(zsh_text(spec.arg:lower()),
    zsh_values(spec)) or ""
  if spec.short then
    return ("'(%s %s)'{%s,%s}%s"):format(spec.short, spec[1], spec.short,
      spec[1], zsh_quote(help .. value))
  end
  return zsh_quote((spec.is_many and "*" or "") .. spec[1] ..
    (spec.arg and "=" or "") .. help .. value)
end

local function zsh_options(specs, indent)
  local lines = {}
  for i, spec in ipairs(specs or {}) do
    lines[i] = indent .. zsh_option(spec)
  end
  return lines
end

local function zsh_case(command)
  local lines = zsh_options(command.options, "            ")
  for _, spec in ipairs(command.arguments or {}) do
    lines[#lines + 1] = "            " .. zsh_quote(("%s:%s:%s"):format(
      spec.is_many and "*" or "", spec[1], zsh_values(spec)))
  end
  return ("        %s) _arguments -S $globals %s ;;"):format(command[1],
    #lines > 0 and "\\\n" .. table.concat(lines, " \\\n") or "")
end

local function zsh()
  local names, cases = {}, {}
  for i, command in ipairs(commands.COMMANDS) do
    names[i] = "    " .. zsh_quote(command[1] .. ":" .. command.summary)
    cases[i] = zsh_case(command)
  end
  return { COMMANDS = table.concat(names, "\n"),
    CASES = table.concat(cases, "\n"),
    GLOBALS = table.concat(zsh_options(commands.GLOBAL, "    "), "\n") }
end

-- -- fish ----------------------------------------------------------------------

local FISH = [=[
function __personalize_command
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch $word
            case @VALUED@
                set is_value 1
            case '-*'
            case '*'
                echo $word
                return
        end
    end
end
function __personalize_in
    contains -- (__personalize_command) $argv
end
function __personalize_without
    test -z (__personalize_command)
end
for command in personalize @OTHERS@
    complete -c $command -f
@LINES@
end
]=]

local function fish_quote(text)
  return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

local function fish_values(spec)
  local values = values_of(spec)
  return values == "files" and " -F" or values and " -a " .. fish_quote(values)
    or ""
end

local function fish_line(condition, spec)
  return ("    complete -c $command%s%s -l %s%s -d %s"):format(
    condition and " -n " .. fish_quote(condition) or "",
    spec.short and " -s " .. spec.short:sub(2) or "", spec[1]:sub(3),
    spec.arg and (spec.is_file and " -r" or " -x") .. fish_values(spec) or "",
    fish_quote(spec.help))
end

local function fish()
  local lines = {}
  for _, spec in ipairs(commands.GLOBAL) do
    lines[#lines + 1] = fish_line(nil, spec)
  end
  for _, command in ipairs(commands.COMMANDS) do
    lines[#lines + 1] = ("    complete -c $command -n __personalize_without " ..
      "-a %s -d %s"):format(command[1], fish_quote(command.summary))
    local condition = "__personalize_in " .. command[1]
    for _, spec in ipairs(command.options or {}) do
      lines[#lines + 1] = fish_line(condition, spec)
    end
    local first = (command.arguments or {})[1]
    if first and values_of(first) then
      lines[#lines + 1] = ("    complete -c $command -n %s%s"):format(
        fish_quote(condition), fish_values(first))
    end
  end
  return { LINES = table.concat(lines, "\n"), VALUED = valued " " }
end

-- ------------------------------------------------------------------------------

local SCRIPTS = { bash = { BASH, bash }, zsh = { ZSH, zsh },
  fish = { FISH, fish } }

-- What `make install` calls the command of one Lua.
local OTHERS = "personalize-lua5.1 personalize-lua5.2 personalize-lua5.3 " ..
  "personalize-lua5.4 personalize-lua5.5 personalize-luajit"

--- The completion script of a shell.
---@param shell string
---@return string
function M.script(shell)
  local template, make = SCRIPTS[shell][1], SCRIPTS[shell][2]
  local parts = make()
  parts.OTHERS = OTHERS
  parts.COMMANDS = parts.COMMANDS or names_of(commands.COMMANDS)
  parts.GLOBAL = option_names(commands.GLOBAL)
  return (template:gsub("@([%u_]+)@", parts))
end

--- The command `completion`.
function M.print(run)
  run.out(M.script(run.options.shell))
end

return M
