--- Numbers and times as people read them, and JSON of small answers.
-- Knows how things are written; refuses to know what they are.

local core = require "personalize.core"

local M = {}

local UNITS = { "kB", "MB", "GB", "TB" }

--- 1234567 as "1.2 MB"
---@param count number
---@return string
function M.bytes(count)
  if count < 1000 then
    return ("%d B"):format(count)
  end
  local unit = 0
  repeat
    count, unit = count / 1000, unit + 1
  until count < 999.95 or unit == #UNITS
  return ("%.1f %s"):format(count, UNITS[unit])
end

--- 1234567 as "1,234,567"
---@param count number
---@return string
function M.count(count)
  local text = ("%.0f"):format(count)
  local head, tail = text:match("^(%-?%d%d?%d?)(.*)$")
  while #tail % 3 ~= 0 do
    head, tail = head:sub(1, -2), head:sub(-1) .. tail
  end
  return head .. tail:gsub("%d%d%d", ",%0")
end

--- 1234567 as "1.2M"
---@param count number
---@return string
function M.short(count)
  if count < 10000 then
    return ("%d"):format(count)
  elseif count < 999950 then
    return ("%.1fk"):format(count / 1e3)
  end
  return ("%.1fM"):format(count / 1e6)
end

--- "3 jobs"
---@param count number
---@param noun string
---@return string
function M.plural(count, noun)
  return M.count(count) .. " " .. noun .. (count == 1 and "" or "s")
end

--- Warnings by their kinds as "header 1, white_space 3"
---@param counts table<string, integer>
---@return string
function M.warnings(counts)
  local found = {}
  for kind, count in pairs(counts) do
    found[#found + 1] = ("%s %s"):format(kind, M.count(count))
  end
  table.sort(found)
  return table.concat(found, ", ")
end

--- 3725 seconds as "1:02:05", 65 as "1:05"
---@param seconds number
---@return string
function M.duration(seconds)
  seconds = math.floor(seconds + 0.5)
  local minutes = math.floor(seconds / 60)
  local hours = math.floor(minutes / 60)
  if hours > 0 then
    return ("%d:%02d:%02d"):format(hours, minutes % 60, seconds % 60)
  end
  return ("%d:%02d"):format(minutes, seconds % 60)
end

--- Seconds since 1970 as RFC 3339 has them, UTC; "-" for none.
---@param seconds? number
---@return string
function M.time(seconds)
  return seconds and core.time_text(seconds) or "-"
end

-- -- JSON ---------------------------------------------------------------------
-- Members come in the order of their names; lua-cjson has whatever order a
-- table has.

-- Of the tables that may be empty, those that are no lists.
local OBJECTS = { fault_counts = true, tags = true }

local function number(value)
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return ("%.0f"):format(value)
  end
  local written
  for digits = 15, 17 do -- the fewest that are read as the same number
    written = ("%." .. digits .. "g"):format(value)
    if tonumber(written) == value then
      break
    end
  end
  return (written:gsub(",", ".")) -- some locales
end

local function members(value)
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local encode

local function add_table(out, value, indent, name)
  local deeper = indent and indent .. "  "
  local is_list = value[1] ~= nil or next(value) == nil and not OBJECTS[name]
  local separator = ""
  local function add(key, inner)
    out[#out + 1] = separator .. (deeper and "\n" .. deeper or "")
    if key then
      out[#out + 1] = core.json_string(key) .. (deeper and ": " or ":")
    end
    encode(out, inner, deeper, key)
    separator = ","
  end
  out[#out + 1] = is_list and "[" or "{"
  if is_list then
    for _, inner in ipairs(value) do
      add(nil, inner)
    end
  else
    for _, key in ipairs(members(value)) do
      add(tostring(key), value[key])
    end
  end
  out[#out + 1] = (separator ~= "" and deeper and "\n" .. indent or "") ..
    (is_list and "]" or "}")
end

function encode(out, value, indent, name)
  local kind = type(value)
  if kind == "table" then
    add_table(out, value, indent, name)
  elseif kind == "string" then
    out[#out + 1] = core.json_string(value)
  elseif kind == "number" and value == value and
    math.abs(value) ~= math.huge then
    out[#out + 1] = number(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  else
    out[#out + 1] = "null"
  end
end

--- A value as JSON: on one line, or (`is_tall`) a member a line.
---@param value any
---@param is_tall? boolean
---@return string
function M.json(value, is_tall)
  local out = {}
  encode(out, value, is_tall and "" or nil)
  return table.concat(out)
end

return M
