--- Functions that the caller gave, called in one way.
-- What such a function raises, or returns as `nil, reason`, becomes the message
-- of an error; the error's cause has it as it was. Errors of ours stay what
-- they are, and Ctrl-C is an InterruptedError. Knows how functions fail;
-- refuses to know what they are for.

local Error = require "personalize.error"
local core = require "personalize.core"

local M = {}

local protect = pcall

-- Lua 5.1's cannot be yielded across, LuaJIT's can. Not tried out: in nginx a
-- coroutine that starts here would need to yield across `require`.
local is_old = _VERSION == "Lua 5.1" and package.loaded.jit == nil

-- Is there no function of C between here and the coroutine's start, such as a
-- pcall of the caller's? Then nothing could be yielded across it.
local function is_yieldable()
  local level = 2
  while true do
    local frame = debug.getinfo(level, "S")
    if not frame then
      return true
    elseif frame.what == "C" then
      return false
    end
    level = level + 1
  end
end

-- What the coroutine of a function does: its yields are handed on.
local function follow(thread, ok, ...)
  if not ok or coroutine.status(thread) == "dead" then
    return ok, ...
  elseif not is_yieldable() then
    return false, "attempt to yield across pcall"
  end
  return follow(thread, coroutine.resume(thread, coroutine.yield(...)))
end

if is_old then
  protect = function(f, ...)
    if not coroutine.running() then
      return pcall(f, ...)
    end
    -- It takes no functions of C.
    local thread = coroutine.create(function(...) return f(...) end)
    return follow(thread, coroutine.resume(thread, ...))
  end
end

-- What a pcall caught, where it has to go on as it is: Ctrl-C is meant for
-- the whole program, so that no pcall may end its way.
local function interrupt_of(what, raised)
  if Error.is_error(raised, "InterruptedError") then
    return raised
  elseif Error.is_interrupt(raised) then
    return Error.new { code = "InterruptedError", kind = "client",
      cause = raised, message = "interrupted during " .. what }
  end
end

local function guard(what, ok, ...)
  local interrupt = not ok and interrupt_of(what, (...))
  if interrupt then
    Error.raise(interrupt)
  end
  return ok, ...
end

--- `pcall` that lets Ctrl-C through, as InterruptedError.
---@param what string what runs, for the message
---@param f function
---@param ... any its arguments
---@return boolean ok
---@return any ... what it returned, or what it raised
function M.pcall(what, f, ...)
  return guard(what, protect(f, ...))
end

-- What an object says of itself.
local function words_of(reason)
  local meta = getmetatable(reason)
  if type(meta) == "table" and meta.__tostring then
    return tostring(reason)
  end
  return type(reason) == "table" and reason.message
end

-- Lua's own words for a yield that cannot be.
local function is_yield(text)
  return text:find("attempt to yield across", 1, true) or
    text:find("attempt to yield from outside a coroutine", 1, true)
end

--- A reason that a function gave, as one line; nil where it says nothing.
---@param reason any raised or returned
---@return string?
function M.reason(reason)
  local kind = type(reason)
  if kind == "table" or kind == "userdata" then
    local ok, words = M.pcall("an error's __tostring", words_of, reason)
    reason = ok and type(words) == "string" and words or "a " .. kind
  elseif reason == nil then
    return nil
  end
  local text = core.prose(reason)
  if is_yield(text) then
    text = ("it yielded where nothing can wait for it (%s)%s"):format(text,
      is_old and ": make the call in a coroutine, and not in a pcall, across " ..
        "which Lua 5.1 cannot yield" or
      text:find("outside a coroutine", 1, true) and
      ": make the call in a coroutine" or "")
  end
  return text ~= "" and text or nil
end

-- The failure as an error with this code.
local function failure(code, what, verb, reason)
  local own = interrupt_of(what, reason) or Error.is_error(reason) and reason
  if own then
    return own
  end
  local text = M.reason(reason)
  return Error.new { code = code, kind = "client", cause = reason,
    message = ("%s %s%s"):format(what, verb, text and ": " .. text or "") }
end

local function judge_raised(code, what, ok, ...)
  if not ok then
    return false, failure(code, what, "raised an error", (...))
  end
  return true, ...
end

--- Calls a function of the caller's that fails by raising; what it returns is
--- judged elsewhere.
---@param code string of the error that a failure becomes
---@param what string the function's name in a message: "the credentials function"
---@param f function
---@param ... any its arguments
---@return boolean ok
---@return any ... what it returned; or the error, not raised
function M.try(code, what, f, ...)
  return judge_raised(code, what, protect(f, ...))
end

local function judge(code, what, ok, first, reason, ...)
  if ok and not first and reason ~= nil then
    return false, failure(code, what, "failed", reason)
  end
  return ok, first, reason, ...
end

--- The same for a function that also fails by returning nil or false and a
--- reason.
---@param code string
---@param what string
---@param f function
---@param ... any
---@return boolean ok
---@return any ...
function M.call(code, what, f, ...)
  return judge(code, what, M.try(code, what, f, ...))
end

return M
