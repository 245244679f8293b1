--- Lua scripts run by themselves, beside a local AWS where they need one.
-- Knows the interpreter and the module paths of this process.

local child = require "spec.support.child"
local quote = child.quote

local script = {}

local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or "spec/support/"

-- The command's output (both streams) and exit status.
local function output_of(command)
  local process = child.start("sh -c " .. quote(
    "(" .. command .. ") 2>&1 </dev/null; echo \"status $?\""))
  local text = process:rest()
  process:stop()
  local output, status = text:match "^(.*)status (%d+)\n$"
  return output or text, tonumber(status)
end

local function lua()
  return ("env LUA_PATH=%s LUA_CPATH=%s %s "):format(quote(package.path),
    quote(package.cpath), child.interpreter())
end

--- The shell text that runs a file with arguments (shell text).
function script.command(file, arguments)
  return lua() .. quote(file) .. " " .. (arguments or "")
end

--- Runs a file.
function script.run(file, arguments)
  return output_of(script.command(file, arguments))
end

-- Runs a program with the default action for the signals that end it, but for
-- those that it is to ignore; prints its pid, what it prints, how it ended.
local WATCHER = [[
import os, signal, subprocess, sys
def before():
    os.write(1, b"%d\n" % os.getpid())  # before anything that the program prints
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        ignored = name in sys.argv[1].split(",")
        signal.signal(getattr(signal, name), signal.SIG_IGN if ignored else signal.SIG_DFL)
p = subprocess.Popen(sys.argv[2:], preexec_fn=before)
print("status", p.wait(), flush=True)
]]

--- Starts a command (shell text) whatever signals this process ignores. The
-- last line of its output is "status N", where -N stands for a signal.
---@param command string
---@param ignored? string signals to ignore, such as "SIGHUP,SIGINT"
function script.watch(command, ignored)
  local process = child.start(("python3 -c %s %s %s"):format(quote(WATCHER),
    quote(ignored or ""), command))
  process.pid = assert(tonumber(process:line()))
  return process
end

--- Runs a command (shell text) beside a local AWS started with `options`; it
-- sees the variables that with-local-aws sets.
function script.beside_aws(options, command)
  return output_of(("%s %s -- sh -c %s"):format(quote(HERE .. "with-local-aws"), options,
    quote(command)))
end

--- Calls f with the name of a file that holds `text` while f runs.
function script.with_file(text, f)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  local results = { pcall(f, name) }
  os.remove(name)
  assert(results[1], results[2])
  return results[2], results[3]
end

return script
