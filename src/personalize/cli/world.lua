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

-- A block; nil at the end; nil and why after a failure.
local function read_block(input)
  local block, why = input:read(BLOCK)
  if why == "interrupted" then
    Error.raise { code = "InterruptedError", kind = "client",
      message = "interrupted while reading" }
  end
  return block, why
end

-- Reads standard input, block by block.
local function new_read()
  local input, why
  return function()
    if not input then
      input, why = core.open_input "-"
    end
    if not input then
      return nil, why
    end
    return read_block(input)
  end
end

-- More is no receipt.
local READ_MOST = 64 * 1024 * 1024

--- Why a file cannot be read, or nil. Opens nothing: a pipe would lose what is
-- in it.
local function unreadable(path)
  local kind, message = core.file_kind(path)
  return not kind and not core.is_stream(path) and path .. ": " .. message or nil
end

local function read_pipe(path)
  local input, why = core.open_input(path)
  if not input then
    return nil, why
  end
  local blocks, length = {}, 0
  local function next_block()
    local block
    block, why = read_block(input)
    return block
  end
  for block in next_block do
    blocks[#blocks + 1], length = block, length + #block
    if length > READ_MOST then
      why = path .. ": too large"
      break
    end
  end
  input:close()
  return not why and table.concat(blocks) or nil, why
end

-- What came open, or can be read only once: there is no file to write to.
local function is_pipe(path)
  return path == "-" or path == "/dev/stdin" or
    path:find "^/dev/fd/" ~= nil or (core.is_stream(path))
end

local function read_file(path)
  if path == "-" or core.is_stream(path) then
    return read_pipe(path)
  end
  local kind, message = core.file_kind(path)
  local words
  if kind then
    words, message = core.read_file(path, READ_MOST)
  end
  return words, not words and path .. ": " .. message or nil
end

-- The names of standard output; others lead to it by way of core.write_private.
local STANDARD = { ["-"] = true, ["/dev/stdout"] = true, ["/dev/fd/1"] = true }

--- What is in a file that is going to be written; nil where there is none yet,
-- nor any that keeps what is written; nil and why it cannot be read.
local function read_existing(path)
  if STANDARD[path] then
    return nil
  end
  local kind, message, name = core.file_kind(path)
  local words
  if kind == "file" then
    words, message = core.read_file(path, READ_MOST)
  elseif kind or name == "ENOENT" then
    return nil
  end
  return words, not words and path .. ": " .. message or nil
end

--- In the place of the file, for its owner only, all of it or none; or to
-- standard output. Answers true and what is not promised of the file, if
-- anything; or nil and why not.
local function write_file(path, words)
  if STANDARD[path] then
    write_out(words)
    return true
  end
  return core.write_private(path, words)
end

--- Undoes a `write_file`: `words` were in the file before, nil where there was
-- none. Whoever finds a link there finds an empty file behind it.
local function put_back(path, words)
  local is_ours = not words and core.append_lines(path, "", 0)
  if is_ours then
    os.remove(path)
  else
    core.write_private(path, words or "")
  end
end

-- Is it a name of standard output?
local function is_output(path)
  return STANDARD[path] or false
end

-- Seconds that another run is waited for.
local LOCK_SECONDS = 10

--- Keeps other runs from a file for the moment, where its folder admits of it.
-- Answers a function that ends this.
local function lock(path)
  local name = path .. ".personalize-lock"
  local held = core.lock_file(name, LOCK_SECONDS)
  return function()
    if held then
      os.remove(name) -- whoever waits for it sees that, and makes another
      held:release()
    end
  end
end

--- Why a file could not be written, or nil; opens nothing that is there, and
-- leaves no trace.
local function unwritable(path)
  local ok, message = core.writable(path == "-" and "/dev/stdout" or path)
  return not ok and message or nil
end

--- The process's own.
---@return table
function M.new()
  return {
    personalize = require "personalize",
    out = write_out,
    err = new_err(),
    read = new_read(),
    is_output = is_output,
    is_pipe = is_pipe,
    lock = lock,
    read_existing = read_existing,
    read_file = read_file,
    write_file = write_file,
    put_back = put_back,
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
