--- A connection inside nginx: a kept one, or a new one to a host that may have
-- several addresses. nginx looks a name up when it connects, takes one address
-- by chance and tells nobody which. So where one refuses another try follows,
-- and where one says nothing another runs beside it, until one succeeds.
-- Knows nginx's threads, and that its look-up has a time of its own; refuses to
-- know what the connection is for.

local core = require "personalize.core"
local nginx = require "personalize.transport.nginx"
local surroundings = require "personalize.surroundings"

local M = {}

local ngx = surroundings.nginx() -- this file is loaded nowhere else
local MOST = 16 -- tries, whatever becomes of them
-- Seconds until another try: beside one that says nothing, and after one that
-- failed.
local BESIDE, AFTER = 0.25, 0.005
-- nginx's timers have milliseconds; those of tries are to end before this one.
local GRACE = 0.05

-- A cosocket with the time that is left.
local function new_socket(race)
  ngx.update_time() -- timers count from a time that is cached
  local left = race.deadline - core.monotonic()
  local ms = math.min(math.max(1, math.ceil(left * 1000)), 2147483647)
  local socket = race.new_socket()
  socket:settimeouts(ms, ms, ms)
  return socket
end

-- One try, in a thread of its own.
local function try(race)
  local socket = new_socket(race)
  local ok, why = socket:connect(race.host, race.port, race.pool)
  race.ended = race.ended + 1
  if ok and not race.socket then
    race.socket = socket
  elseif ok then
    socket:close()
  else
    race.next_at = core.monotonic() + AFTER
    why = tostring(why)
    -- A refusal says more than a time that is over.
    race.why = why ~= "timeout" and why or race.why or why
    -- No other address of the name changes what its look-up has come to.
    race.is_over = race.is_over or why:find("resolve", 1, true) ~= nil
  end
  race.gate:open()
end

-- Whether there is time to wait for.
local function go_on(race, threads)
  local now = core.monotonic()
  if race.socket or race.is_over or
    #threads >= MOST and race.ended == #threads then
    return false
  elseif now < race.deadline and #threads < MOST and now >= race.next_at then
    race.next_at = now + BESIDE
    threads[#threads + 1] = ngx.thread.spawn(try, race)
    return true
  end
  local until_then = race.deadline + GRACE
  if #threads < MOST and race.next_at < race.deadline then
    until_then = race.next_at
  end
  if until_then > now then
    race.gate:wait(until_then - now)
  end
  return now < race.deadline + GRACE
end

-- To a host by its name.
local function run(race)
  local threads = {}
  race.gate, race.ended, race.next_at = nginx.gate(), 0, core.monotonic()
  while go_on(race, threads) do end
  for _, thread in ipairs(threads) do
    ngx.thread.kill(thread) -- what has ended is forgotten, too
  end
  return race.socket, race.why or "no address"
end

--- Is this an address, and no name?
---@param host string
---@return boolean
function M.is_address(host)
  return host:find "^%d+%.%d+%.%d+%.%d+$" ~= nil or host:find ":" ~= nil
end

--- Connects. Nil and why it could not be: "no address" where the look-up had
--- no end by then, "timeout" where no address answered, or nginx's own words.
---@param race { host: string, address?: string, port: integer, pool: table,
--- new_socket: fun(): table, deadline: number } `address`, where it is known;
--- `pool`, as options of a cosocket's connect; the deadline on the monotonic
--- clock
---@return table? socket
---@return string? why
function M.connect(race)
  local socket = new_socket(race)
  -- nginx does not read /etc/hosts, where this name alone is certain.
  local address = race.address or race.host == "localhost" and "127.0.0.1" or
    M.is_address(race.host) and race.host
  -- To an address that is none nothing but a kept connection leads.
  local ok, why = socket:connect(address or "", race.port, race.pool)
  if ok then
    return socket
  elseif address then
    socket:close()
    return nil, why
  end
  return run(race)
end

return M
