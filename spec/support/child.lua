--- Child processes for specs: started, read from, stopped by pid.
-- Knows io.popen and kill(1), which every Lua has; refuses to know what the
-- children do.

local child = {}

local methods = {}
local mt = { __name = "spec.child", __index = methods }

--- 'text' as one word of the shell.
function child.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Starts a command (shell text; its last process takes the shell's place).
-- Its output is read with :line() and :rest(); its pid is known at once.
function child.start(command)
  -- The shell tells its pid, then becomes the command.
  local pipe = assert(io.popen("echo $$; exec " .. command, "r"))
  local pid = assert(tonumber(pipe:read("*l")), "no pid from the shell")
  return setmetatable({ pipe = pipe, pid = pid }, mt)
end

function methods:line()
  return self.pipe:read("*l")
end

--- Everything until the child closes its output.
function methods:rest()
  return self.pipe:read("*a")
end

function methods:signal(name)
  os.execute("kill -" .. name .. " " .. self.pid .. " 2>/dev/null")
end

--- Until the system says that the child sleeps; a moment where it does not say.
function methods:await_sleep()
  local state
  repeat
    local file = io.open(("/proc/%d/stat"):format(self.pid))
    if not file then
      os.execute "sleep 1"
      return
    end
    state = file:read("*a"):match "%) (%a)"
    file:close()
  until state == "S"
end

--- Ends the child and waits for it. Idempotent.
function methods:stop()
  if self.pipe then
    self:signal("TERM")
    self.pipe:close()
    self.pipe = nil
  end
end

--- The interpreter that runs this, as a word of the shell.
function child.interpreter()
  local first = 0
  while arg and arg[first - 1] do
    first = first - 1
  end
  -- busted's own launcher may stand there; then the version decides.
  local name = arg and arg[first] or ""
  if not name:match("lua[^/]*$") or name:match("%.lua$") then
    name = type(rawget(_G, "jit")) == "table" and "luajit"
      or "lua" .. _VERSION:match("%d+%.%d+")
  end
  return child.quote(name)
end

return child
