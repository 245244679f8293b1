--- What a value may be, where options are checked.
-- Knows values; refuses to know options.

local M = {}

function M.is_text(value)
  return type(value) == "string" and value ~= ""
end

function M.is_boolean(value)
  return type(value) == "boolean"
end

function M.is_function(value)
  return type(value) == "function"
end

function M.is_positive(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

--- An AWS account: 12 digits.
function M.is_account(value)
  return type(value) == "string" and
    value:find "^%d%d%d%d%d%d%d%d%d%d%d%d$" ~= nil
end

return M
