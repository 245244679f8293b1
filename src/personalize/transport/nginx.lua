--- What is particular to life inside nginx, sockets apart: when a call may
-- wait, how it sleeps, how it waits for others, and what nginx keeps from it.
-- Knows nginx's phases and directives; refuses to know what is asked.

local Error = require "personalize.error"
local core = require "personalize.core"
local surroundings = require "personalize.surroundings"

local M = {}

--- Is this nginx's Lua?
---@return boolean
function M.is_here()
  return surroundings.nginx() ~= nil
end

-- Those in which a coroutine can be resumed by nginx.
local YIELDS = { access = true, content = true, preread = true,
  rewrite = true, server_rewrite = true, ssl_cert = true,
  ssl_client_hello = true, ssl_session_fetch = true, timer = true }

-- Before there are workers there are no timers.
local WHERE = { init = " from init_worker_by_lua_block" }

local function refuse(code, message)
  return { code = code, kind = "client", sent = false, retryable = false,
    attempts = 0, message = message }
end

--- An error's fields, where nginx lacks something.
---@param what string
---@return table failure
function M.lack(what)
  return refuse("ConfigError", "this nginx cannot wait for an answer without " ..
    "stopping its worker: " .. what)
end

local semaphore -- of lua-resty-core, once it was found

-- nil where it is there; else an error's fields.
local function find_semaphore()
  if not semaphore then
    local ok, found = pcall(require, "ngx.semaphore")
    semaphore = ok and found or nil
  end
  return not semaphore and M.lack "its lua-resty-core is not found" or nil
end

--- nil where a call can wait for an answer; else an error's fields. A worker
--- is never stopped in place of waiting.
---@return table? failure
function M.refusal()
  local ngx = surroundings.nginx()
  if not ngx or not ngx.get_phase then
    return M.lack "it does not tell its phase"
  end
  local phase = ngx.get_phase()
  if not YIELDS[phase] then
    return refuse("PhaseError", ("nothing can wait for an answer in nginx's " ..
      "%s phase; copy what the call needs, and make it%s in a timer: " ..
      "ngx.timer.at(0, function(premature) client:call(...) end)"):format(
      phase, WHERE[phase] or ""))
  end
  return find_semaphore()
end

-- No less: of 0 ms an nginx without OpenResty's patches warns in its log.
local TURN = 0.001

--- In place of the system's sleep, which would stop the worker. No time at all
--- lets the worker's other requests have their turn.
---@param seconds number
---@return boolean
function M.sleep(seconds)
  local failure = M.refusal()
  if failure then
    Error.raise(failure)
  end
  surroundings.nginx().sleep(math.max(seconds, TURN))
  return true
end

---@class personalize.Gate
---@field wait fun(self: personalize.Gate, seconds: number) until it is opened,
--- or so long
---@field open fun(self: personalize.Gate) lets all go on who wait
local Gate = {}
Gate.__index = Gate

function Gate:wait(seconds)
  self.waiting = self.waiting + 1
  self.semaphore:wait(seconds)
  self.waiting = self.waiting - 1
end

function Gate:open()
  if self.waiting > 0 then
    self.semaphore:post(self.waiting)
  end
end

--- Where coroutines wait for what one of them is at.
---@return personalize.Gate
function M.gate()
  local failure = find_semaphore()
  if failure then
    Error.raise(failure)
  end
  return setmetatable({ waiting = 0, semaphore = assert(semaphore.new()) },
    Gate)
end

-- More is no credentials.
local OUTPUT_MAX = 1024 * 1024

-- What a command prints, until its end.
local function read_all(process, deadline)
  local parts, size = {}, 0
  while true do
    local left = math.max(1, (deadline - core.monotonic()) * 1000)
    process:set_timeouts(nil, left, nil, left)
    local text, why = process:stdout_read_any(4096)
    if not text then
      return why == "closed" and table.concat(parts) or nil,
        why == "timeout" and "it took too long" or tostring(why)
    end
    size = size + #text
    if size > OUTPUT_MAX then
      return nil, "it printed more than 1 MiB"
    end
    parts[#parts + 1] = text
  end
end

--- As core.run, without stopping the worker: by ngx.pipe, which not every
-- nginx has.
---@param command string
---@param timeout number seconds
---@return string? output
---@return string? why
function M.run(command, timeout)
  local deadline = core.monotonic() + timeout
  local found, pipe = pcall(require, "ngx.pipe")
  local process, why
  if found then
    found, process, why = pcall(pipe.spawn, { "/bin/sh", "-c",
      "exec 2>/dev/null\n" .. command })
  end
  if not found or not process then
    why = tostring(why or process or pipe)
    return nil, "this nginx cannot run a command without stopping its " ..
      "worker (ngx.pipe: " .. (why:match "([^:]*)$"):gsub("^ ", "") .. ")"
  end
  local output
  output, why = read_all(process, deadline)
  if not output then
    process:kill(9)
    return nil, why
  end
  local ok, reason, status = process:wait()
  if ok then
    return output
  end
  return nil, reason == "signal" and ("signal %d ended it"):format(status) or
    reason == "exit" and ("it ended with status %d"):format(status) or
    tostring(reason)
end

--- Which DNS server the machine asks, for messages: nginx does not.
---@return string text such as " (here 10.0.0.2, by /etc/resolv.conf)", or ""
function M.nameserver()
  local file = io.open "/etc/resolv.conf"
  local text = file and file:read(4096) or ""
  if file then
    file:close()
  end
  local address = ("\n" .. text):match "\n%s*nameserver%s+([%x.:]+)%s"
  return address and (" (here %s, by /etc/resolv.conf)"):format(
    address:find ":" and "[" .. address .. "]" or address) or ""
end

--- nginx looks a name up only in order to connect to it.
---@return nil
---@return string why
function M.resolve()
  return nil, "inside nginx a name cannot be looked at before it is " ..
    "connected to; give the host's address"
end

-- One of these in sight, and nginx lets at least something through.
local VARIABLES = { "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_DEFAULT_PROFILE",
  "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_REGION", "AWS_ROLE_ARN",
  "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE" }

--- What to add to an error about something that was not found, or "".
---@param env fun(name: string): string?
---@return string
function M.hint(env)
  for _, name in ipairs(VARIABLES) do
    if env(name) then
      return ""
    end
  end
  return "; nginx hides its environment from its workers: name what they " ..
    "are to see at the top of nginx.conf, as in env AWS_REGION; env HOME;"
end

return M
