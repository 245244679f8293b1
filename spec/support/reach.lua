--- Everything that a value can be made to say.
-- Knows tables, their metatables and tostring; refuses to open functions,
-- which takes the debug library.

local reach = {}

local function walk(value, found, seen)
  if type(value) == "string" then
    found[#found + 1] = value
    return
  end
  if value == nil or seen[value] then
    return
  end
  seen[value] = true
  found[#found + 1] = tostring(value)
  if type(value) == "table" then
    for key, inner in pairs(value) do
      walk(key, found, seen)
      walk(inner, found, seen)
    end
  end
  local mt = getmetatable(value)
  if type(mt) == "table" then
    walk(mt, found, seen)
  end
end

--- The list of all strings in and of these values.
function reach.strings(...)
  local found, seen = {}, {}
  for i = 1, select("#", ...) do
    walk((select(i, ...)), found, seen)
  end
  return found
end

return reach
