--- The transport of plain Lua: one libcurl handle, made on first use.
-- Knows that personalize.curl exists; refuses to know what is asked.

local M = {}

--- A transport, and a function that ends its connections.
-- Neither loads libcurl before the first request; a request after the end
-- opens connections anew.
---@return fun(request: table): table?, table? transport
---@return fun() close
function M.new()
  local handle

  local function transport(request)
    if not handle then
      handle = require("personalize.curl").handle()
    end
    return handle:perform(request)
  end

  local function close()
    if handle then
      handle:close()
      handle = nil
    end
  end

  return transport, close
end

return M
