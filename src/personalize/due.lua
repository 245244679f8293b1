--- When a deletion was asked for, and until when it is due.
-- Knows dates as people write them; refuses to know what day it is.

local core = require "personalize.core"

local M = {}

-- Seconds. GDPR gives a month, and most months are longer.
local TERM = 30 * 24 * 3600

--- Seconds since 1970 of "2026-11-24" (its first second, UTC) or
-- "2026-11-24T10:00:00Z"; nil for what is neither.
---@param value any
---@return number?
function M.seconds(value)
  if type(value) ~= "string" then
    return nil
  elseif value:find "^[0-9]+%-[0-9]+%-[0-9]+$" then
    value = value .. "T00:00:00Z"
  end
  return core.time(value)
end

--- Is it such a date?
---@param value any
---@return boolean
function M.is_date(value)
  return M.seconds(value) ~= nil
end

--- Both, as a receipt has times. What is due follows from when it was asked for,
-- where nobody says otherwise.
---@param received? string
---@param due? string
---@return string? received
---@return string? due
function M.of(received, due)
  local since, ends = M.seconds(received), M.seconds(due)
  ends = ends or since and since + TERM
  return since and core.time_text(since) or nil,
    ends and core.time_text(ends) or nil
end

--- Is it due before it was asked for?
---@param received? string
---@param due? string
---@return boolean
function M.is_reversed(received, due)
  local since, ends = M.seconds(received), M.seconds(due)
  return since ~= nil and ends ~= nil and ends < since
end

return M
