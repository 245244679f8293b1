--- Times as text, read and written by a second, independent implementation.

local clock = {}

--- Seconds since 1970 of YYYY-MM-DDTHH:MM:SS[.F]Z, dashes and colons or none.
function clock.epoch(text)
  local year, month, day, hour, minute, second, fraction = text:match(
    "^(%d%d%d%d)%-?(%d%d)%-?(%d%d)T(%d%d):?(%d%d):?(%d%d)(%.?%d*)Z$")
  assert(year, "no time: " .. text)
  -- Days from the civil calendar, a year beginning in March.
  local m = (month + 9) % 12
  local y = year - (m > 9 and 1 or 0)
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) +
    math.floor(y / 400) + math.floor((153 * m + 2) / 5) + day - 1 - 719468
  return ((days * 24 + hour) * 60 + minute) * 60 + second +
    (tonumber(fraction) or 0)
end

--- The form of X-Amz-Date; a fraction is cut off.
function clock.stamp(text)
  return (text:gsub("%.%d+", ""):gsub("[-:]", ""))
end

--- The form of HTTP's Date header.
function clock.http(epoch)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", epoch)
end

return clock
