--- Calls as lines of nginx's error log: given as `on_event`.
-- Knows events and nginx's levels; refuses to log what an event does not say.

local core = require "personalize.core"
local surroundings = require "personalize.surroundings"

local function plural(count, noun)
  return count == 1 and "1 " .. noun or count .. " " .. noun .. "s"
end

local function line(event)
  local where = {}
  if event.status then
    where[1] = "HTTP " .. event.status
  end
  if event.request_id then
    where[#where + 1] = "request " .. event.request_id
  end
  where[#where + 1] = plural(event.attempts or 0, "attempt")
  where[#where + 1] = ("%.3f s"):format(event.elapsed or 0)
  if event.reconciled then
    where[#where + 1] = "found by its name"
  end
  return core.printable(("personalize: %s %s (%s)"):format(event.operation,
    event.code or "ok", table.concat(where, ", ")))
end

-- What somebody should look at, and what went well after all.
local function level(ngx, event)
  if not event.code then
    return (event.attempts > 1 or event.reconciled) and ngx.WARN or ngx.INFO
  end
  -- By the service, or by us because of what the caller gave.
  local is_refusal = event.code == "ParamValidationError" or
    event.kind == "service" and event.status and event.status < 500
  return is_refusal and ngx.WARN or ngx.ERR
end

--- One short line for each finished call: info where it went well, warn where
--- it took more than one attempt or its input was refused, else err.
--- Warnings are logged, too.
---@param event personalize.Event
return function(event)
  local ngx = surroundings.nginx()
  if event.name == "call" then
    ngx.log(level(ngx, event), line(event))
  elseif event.name == "warning" then
    ngx.log(ngx.WARN, "personalize: ", core.printable(event.message))
  end
end
