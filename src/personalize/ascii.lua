--- Texts read in one way, whatever the locale is: os.setlocale changes what
-- string.lower and %w make of letters, and what tonumber takes for a point.
-- Knows ASCII; refuses to know what is read.

local M = {}

local SMALL = {}
for byte = ("A"):byte(), ("Z"):byte() do
  SMALL[string.char(byte)] = string.char(byte + 32)
end

--- With A to Z as a to z; all else stays.
---@param text string
---@return string
function M.lower(text)
  return (text:gsub("[A-Z]", SMALL))
end

--- With a capital letter at its start.
---@param text string
---@return string
function M.capital(text)
  return (text:gsub("^[a-z]", function(letter)
    return string.char(letter:byte() - 32)
  end))
end

--- A decimal number without sign and exponent, such as "2.5"; nil for others.
---@param text string
---@return number?
function M.number(text)
  local whole, fraction = text:match "^([0-9]+)%.?([0-9]*)$"
  if not whole then
    return nil
  elseif fraction == "" then
    return tonumber(whole)
  end
  return tonumber(whole) + tonumber(fraction) / 10 ^ #fraction
end

return M
