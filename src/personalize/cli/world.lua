--- What a command has of the world: three streams, a terminal, files, time.
-- Knows the process; refuses to know commands. A spec gives a world of its own.

local Error = require "personalize.error"
local core = require "personalize.core"

local M = {}

local BLOCK = 65536
local OUT, ERR = 1, 2

-- Standard output went away, as `head` does when it has enough.
M.GONE = {}

-- Not through Lua's buffers: what is written is out at once, and a write that
-- waits for its reader ends when a signal comes.
local function write_out(words)
  local ok, message, why = core.write(OUT, words)
  if ok then
    return
  elseif why == "gone" then
    error(M.GONE, 0)
  elseif why == "interrupted" then
    Error.raise { code = "InterruptedError", kind = "client",
      message = "interrupted while writing to standard output" }
  end
  error({ fault = "standard output: " ..
    (why == "closed" and "it is closed" or message), status = 255 }, 0)
end

-- Seconds that a reader of standard error may hold up a run.
local PATIENCE = 5

-- What is told on standard error never ends a run, and a reader that takes
-- nothing holds it up once.
local function new_err()
  local patience = PATIENCE
  return function(words)
    local ok = core.write(ERR, words, patience)
    patience = ok and PATIENCE or 0
  end
end

--- Why a file cannot be read, or nil.
local function unreadable(path)
  local file, message = io.open(path, "rb")
  if not file then
    return message
  end
  local _, wrong = file:read(0) -- a folder opens, too
  file:close()
  return wrong and path .. ": " .. wrong
end

local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local words, wrong = file:read "*a"
  file:close()
  return words, wrong and path .. ": " .. wrong
end

-- Such as /dev/null, which no file must take the place of.
local function is_device(path)
  return path:find "^/dev/" and not path:find "^/dev/shm/" or
    path:find "^/proc/"
end

-- In the place of the file, for its owner only, all of it or none.
local function write_file(path, words)
  if not is_device(path) then
    return core.write_private(path, words)
  end
  local file, message = io.open(path, "w")
  if not file then
    return nil, message
  end
  local ok, wrong = file:write(words)
  local closed, why = file:close()
  if not ok or not closed then
    return nil, wrong or why
  end
  return true
end

--- Why a file could not be written, or nil; leaves no trace.
local function unwritable(path)
  if is_device(path) then
    local file, message = io.open(path, "a")
    return not file and message or file and file:close() and nil
  end
  local file = io.open(path, "rb")
  if file then
    local _, wrong = file:read(0)
    file:close()
    if wrong then
      return wrong
    end
  end
  local beside = ("%s.%s"):format(path, core.random(4):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
  local ok, message = core.write_private(beside, "")
  os.remove(beside)
  return not ok and message or nil
end

--- The process's own.
---@return table
function M.new()
  return {
    personalize = require "personalize",
    out = write_out,
    err = new_err(),
    read = function() return io.stdin:read(BLOCK) end,
    read_file = read_file,
    write_file = write_file,
    same_file = core.same_file,
    unreadable = unreadable,
    unwritable = unwritable,
    env = core.getenv,
    now = core.monotonic,
    sleep = core.sleep,
    columns = core.terminal,
  }
end

return M
