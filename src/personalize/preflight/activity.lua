--- What runs, ran, or is over, by the statuses and times of the service.
-- Knows statuses, whose names AWS may add to; refuses to know what it is that
-- runs.

local ascii = require "personalize.ascii"

local M = {}

---@class personalize.Activity
---@field what "import"|"export"|"training"|"batch"|"update"
---@field name string for people: "the import nightly"
---@field arn? string
---@field status? string
---@field created? number seconds since 1970, by AWS's clock
---@field updated? number the same: when it last changed

local IDLE = { ACTIVE = true, INACTIVE = true, COMPLETED = true }

--- "running", "idle", or "unknown" for a status that is not known here, which is
-- to be taken for running. Some services write IN PROGRESS, others IN_PROGRESS.
---@param status any
---@return "running"|"idle"|"unknown"
function M.state(status)
  if type(status) ~= "string" then
    return "unknown"
  end
  local text = status:gsub("_", " ")
  if IDLE[text] or text:find "FAILED$" or text:find "STOPPED$" then
    return "idle"
  elseif text:find "PENDING" or text:find "IN PROGRESS" or
    text:find "STOPPING" then
    return "running"
  end
  return "unknown"
end

--- Is it running, or may it be?
---@param status any
---@return boolean
function M.is_running(status)
  return M.state(status) ~= "idle"
end

--- Is something being removed, or gone?
---@param status any
---@return boolean
function M.is_leaving(status)
  return type(status) == "string" and status:find "^DELETE" ~= nil
end

--- A status for people.
---@param status any
---@return string
function M.words(status)
  if type(status) ~= "string" then
    return "without a status, which counts as running"
  elseif M.state(status) == "unknown" then
    return status .. ", which is not known here and counts as running"
  end
  return status
end

--- An item of a list as an activity.
---@param what string
---@param name string
---@param item table a summary
---@param arn_member? string
---@return personalize.Activity
function M.of(what, name, item, arn_member)
  return { what = what, name = name, arn = arn_member and item[arn_member],
    status = item.status, created = item.creationDateTime,
    updated = item.lastUpdatedDateTime }
end

-- ---- spans of time -----------------------------------------------------------

---@class personalize.Span
---@field from number
---@field to number math.huge for one that is not over

--- Spans in order, those that touch made one.
---@param spans personalize.Span[] changed
---@return personalize.Span[]
function M.merged(spans)
  table.sort(spans, function(a, b) return a.from < b.from end)
  local found = {}
  for _, span in ipairs(spans) do
    local last = found[#found]
    if last and span.from <= last.to then
      last.to = math.max(last.to, span.to)
    else
      found[#found + 1] = { from = span.from, to = span.to }
    end
  end
  return found
end

-- Until when it ran, as far as that is known.
local function end_of(activity)
  if M.is_running(activity.status) then
    return math.huge
  end
  return activity.updated or math.huge
end

--- Did it run in one of these spans? What has no times may have.
---@param activity personalize.Activity
---@param spans personalize.Span[] in order
---@return boolean
function M.ran_in(activity, spans)
  local from, to = activity.created or -math.huge, end_of(activity)
  for _, span in ipairs(spans) do
    if from <= span.to and to >= span.from then
      return true
    end
  end
  return false
end

--- Did it begin after the last of these spans?
---@param activity personalize.Activity
---@param spans personalize.Span[] in order
---@return boolean
function M.began_after(activity, spans)
  local last = spans[#spans]
  return last ~= nil and activity.created ~= nil and activity.created > last.to
end

--- The days of "rate(3 days)"; nil for what is no such text.
---@param expression any
---@return integer?
function M.days(expression)
  local count = type(expression) == "string" and
    expression:match "^rate%(([0-9]+) days?%)$"
  return count and ascii.number(count) or nil
end

return M
