--- Files for their owner alone: written, added to, renamed, locked.
-- Knows what the arguments are, and how one waits here for a lock; the core
-- knows files.

local Error = require "personalize.error"
local core = require "personalize.core"
local nginx = require "personalize.transport.nginx"

local M = {}

-- Seconds for which another's lock is waited for. Whoever has it holds it for a
-- write and a sync.
local MOST = 10
-- Seconds of a worker's time at once, about those of a sync; and between.
local AT_ONCE, PAUSE = 0.02, 0.01

local function is_string(value)
  return type(value) == "string"
end

local function is_path(value)
  return is_string(value) and not value:find("\0", 1, true)
end

local function are_lines(value)
  return is_string(value) and (value == "" or value:sub(-1) == "\n")
end

local PATH = "must be a string without zero bytes"

-- Raises an error that names every argument that is wrong: triples of a name,
-- whether it is right, and what it must be.
local function demand(operation, ...)
  local params = {}
  for i = 1, select("#", ...), 3 do
    local name, ok, must = select(i, ...)
    if not ok then
      params[#params + 1] = { path = name, code = "type", message = must }
    end
  end
  if params[1] then
    Error.raise { code = "ParamValidationError", kind = "client",
      operation = operation, message = Error.describe(params),
      params = params }
  end
end

---@param path string
---@param lines string
---@return true? ok
---@return integer|string cut bytes that were taken away; or why not
---@return string? warning what is not promised; or the name of an errno
function M.append_lines(path, lines)
  demand("append_lines", "path", is_path(path), PATH, "lines",
    are_lines(lines), "must be a string that ends with a line feed, or \"\"")
  if not nginx.is_here() then
    return core.append_lines(path, lines, MOST)
  end
  local stop = core.monotonic() + MOST
  while true do
    local ok, cut, code = core.append_lines(path, lines, AT_ONCE)
    if ok or code ~= "EAGAIN" or core.monotonic() >= stop or
      nginx.refusal() then
      return ok, cut, code
    end
    nginx.sleep(PAUSE)
  end
end

---@param path string
---@param text string
---@return true? ok
---@return string? warning what is not promised; or why not
---@return string? code the name of an errno
function M.write_private(path, text)
  demand("write_private", "path", is_path(path), PATH, "text",
    is_string(text), "must be a string")
  return core.write_private(path, text)
end

---@param from string
---@param to string
---@return true? ok
---@return string? warning what is not promised; or why not
---@return string? code the name of an errno
function M.rename_noreplace(from, to)
  demand("rename_noreplace", "from", is_path(from), PATH, "to", is_path(to),
    PATH)
  return core.rename_noreplace(from, to)
end

---@param path string
---@return personalize.Lock? lock
---@return string? warning what is not promised; or why not
---@return string? code the name of an errno
function M.lock_file(path)
  demand("lock_file", "path", is_path(path), PATH)
  return core.lock_file(path, 0)
end

return M
