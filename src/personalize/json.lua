--- JSON by lua-cjson, whatever the locale is.
-- lua-cjson reads and writes numbers by C, which goes by the locale's decimal
-- point, and keeps the point that it saw last when it was loaded or `new` was
-- called. After os.setlocale it would write 0.5 as 0,5 and read [1,5] as one
-- number.
-- Refuses to know what the documents mean.

local cjson = require "cjson"

local M = { null = cjson.null }

local encode, decode

-- Instances of our own: others may change the settings of the shared one. To
-- make one tells lua-cjson of today's locale.
local function renew()
  local json = cjson.new()
  json.decode_invalid_numbers(false)
  encode, decode = json.encode, json.decode
end

renew()

-- A point that is not today's shows in what is written.
local function look()
  if encode(0.5) ~= "0.5" then
    renew()
  end
end

--- Raises an error where the text is not JSON.
---@param text string
---@return any value objects and arrays are tables, null is `null`
function M.decode(text)
  look()
  local ok, value = pcall(decode, text)
  if not ok then
    -- Another point than today's does not always show in what is written.
    renew()
    return decode(text)
  end
  return value
end

--- Raises an error where a value has no form in JSON.
---@param value any
---@return string
function M.encode(value)
  look()
  return encode(value)
end

return M
