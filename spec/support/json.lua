--- JSON read by a second, independent reader.
-- Knows the difference between [] and {}, and between 100 and 100.0, which
-- lua-cjson does not tell; refuses to be fast.

local json = {}

--- The metatables of what was an array or an object.
json.array = { __name = "spec.json.array" }
json.object = { __name = "spec.json.object" }
--- What was null, where `keep_null` was asked for.
json.null = setmetatable({}, { __name = "spec.json.null" })

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8(code)
  if code < 0x80 then
    return string.char(code)
  end
  local bytes, first = {}, 0x3F
  repeat
    table.insert(bytes, 1, string.char(0x80 + code % 64))
    code = math.floor(code / 64)
    first = math.floor(first / 2)
  until code <= first
  return string.char(0xFE - 2 * first + code) .. table.concat(bytes)
end

local function fail(at, what)
  error(("JSON, byte %d: %s"):format(at, what), 0)
end

local function read_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find('["\\%z\1-\31]', at) or fail(at, "endless string")
    parts[#parts + 1] = text:sub(at, stop - 1)
    local c = text:sub(stop, stop)
    if c == '"' then
      return table.concat(parts), stop + 1
    elseif c ~= "\\" then
      fail(stop, "control character")
    end
    c = text:sub(stop + 1, stop + 1)
    at = stop + 2
    if c == "u" then
      local code = tonumber(text:match("^%x%x%x%x", at), 16)
      at = at + 4
      if code >= 0xD800 and code <= 0xDBFF then
        local low = tonumber(text:match("^\\u(%x%x%x%x)", at), 16)
        code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
        at = at + 6
      end
      parts[#parts + 1] = utf8(code)
    else
      parts[#parts + 1] = ESCAPES[c] or fail(stop, "unknown escape")
    end
  end
end

-- `number` makes a number of its text.
local function read_value(text, at, keep_null, number)
  local function skip(from)
    return text:find("[^ \t\r\n]", from) or #text + 1
  end

  at = skip(at)
  local c = text:sub(at, at)
  if c == '"' then
    return read_string(text, at)
  elseif c == "{" or c == "[" then
    local closing = c == "{" and "}" or "]"
    local found = setmetatable({}, c == "{" and json.object or json.array)
    at = skip(at + 1)
    if text:sub(at, at) == closing then
      return found, at + 1
    end
    local count = 0
    repeat
      local key, value
      count = count + 1
      if c == "{" then
        at = skip(at)
        if text:sub(at, at) ~= '"' then
          fail(at, "a member's name expected")
        end
        key, at = read_string(text, at)
        at = skip(at)
        if text:sub(at, at) ~= ":" then
          fail(at, "':' expected")
        end
        at = at + 1
      else
        key = count
      end
      value, at = read_value(text, at, keep_null, number)
      found[key] = value
      at = skip(at)
      local after = text:sub(at, at)
      if after ~= "," and after ~= closing then
        fail(at, "',' or '" .. closing .. "' expected")
      end
      at = at + 1
    until after == closing
    return found, at
  end
  local word = text:match("^[%w+.-]+", at) or fail(at, "a value expected")
  at = at + #word
  if word == "true" then
    return true, at
  elseif word == "false" then
    return false, at
  elseif word == "null" then
    if keep_null then
      return json.null, at
    end
    return nil, at
  end
  if not word:find("^%-?%d") or not tonumber(word) then
    fail(at, "no number: " .. word)
  end
  return number(word), at
end

local function read_all(text, keep_null, number)
  local value, at = read_value(text, 1, keep_null, number)
  if text:find("[^ \t\r\n]", at) then
    fail(at, "something follows")
  end
  return value
end

--- A text's value; null is nil, or json.null where `keep_null` is true.
function json.decode(text, keep_null)
  return (read_all(text, keep_null, tonumber))
end

-- A number that is spelled as it came.
local DIGITS = {}

local function quote(text)
  text = text:gsub('[%c"\\]', function(c)
    return ("\\u%04x"):format(c:byte())
  end)
  return '"' .. text .. '"'
end

local function spell(value)
  local parts = {}
  if value == json.null then
    return "null"
  elseif type(value) == "string" then
    return quote(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif getmetatable(value) == json.array then
    for i, element in ipairs(value) do
      parts[i] = spell(element)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  elseif getmetatable(value) == DIGITS then
    return value[1]
  end
  for key, member in pairs(value) do
    parts[#parts + 1] = quote(key) .. ":" .. spell(member)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A text in one spelling: two texts are equal as values when their
-- spellings are. Numbers keep their own: 100 and 100.0 differ.
function json.canonical(text)
  return spell(read_all(text, true, function(word)
    return setmetatable({ word }, DIGITS)
  end))
end

return json
