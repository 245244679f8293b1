--- Where this runs: in an nginx worker, or elsewhere.
-- Knows how nginx shows itself to Lua; refuses to know what follows from that.

local M = {}

--- nginx's interface to Lua; nil where this is not nginx. A thread of
--- ngx.run_worker_thread has only a part of it, and is none: it may block.
--- Not the global `ngx`: with a LuaJIT that is not OpenResty's each request has
--- globals of its own, which only inherit it.
---@return table?
function M.nginx()
  local ngx = package.loaded.ngx
  return type(ngx) == "table" and ngx.sleep and ngx or nil
end

--- Is this an nginx worker that is to end (a reload, a stop)?
---@return boolean
function M.is_ending()
  local ngx = M.nginx()
  local worker = ngx and ngx.worker
  return worker and worker.exiting and worker.exiting() or false
end

return M
