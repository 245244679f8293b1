--- HTTP/1.1 requests as text, read by a second, independent reader.
-- Knows a request line, headers and a body; refuses to know sockets.

local http = {}

--- { method =, target =, headers = { { name, value } }, body = }. Lines end
-- with LF or CRLF; a line that begins with white space goes on with the header
-- before it. A target may hold spaces.
function http.parse(text)
  local line_end = text:match("\r?\n") or "\n"
  local head, body = text, ""
  local from, to = text:find(line_end .. line_end, 1, true)
  if from then
    head, body = text:sub(1, from - 1), text:sub(to + 1)
  end
  local found = { headers = {}, body = body }
  for line in (head .. "\n"):gmatch("(.-)\r?\n") do
    if not found.method then
      found.method, found.target = line:match("^(%S+) (.*) HTTP/1%.%d$")
      assert(found.method, "no request line: " .. line)
    elseif line:find("^[ \t]") then
      local last = found.headers[#found.headers]
      last[2] = last[2] .. " " .. line
    elseif line ~= "" then
      local name, value = line:match("^([^:]+):%s?(.*)$")
      assert(name, "no header: " .. line)
      found.headers[#found.headers + 1] = { name, value }
    end
  end
  return found
end

--- Headers without what HTTP lets vary: case of names, order, white space.
function http.header_set(headers)
  local lines = {}
  for i, header in ipairs(headers) do
    local value = header[2]:gsub("%s+", " "):match("^ ?(.-) ?$")
    lines[i] = header[1]:lower() .. ": " .. value
  end
  table.sort(lines)
  return lines
end

--- The value of a header, or nil; an error where it stands there twice.
function http.header(headers, name)
  local found
  for _, header in ipairs(headers) do
    if header[1]:lower() == name then
      assert(found == nil, name .. " twice")
      found = header[2]
    end
  end
  return found
end

--- Those headers that an Authorization header says are signed, as sent.
function http.signed(headers, authorization)
  local names, found = {}, {}
  for name in authorization:match("SignedHeaders=([^,]+)"):gmatch("[^;]+") do
    names[name] = true
  end
  for _, header in ipairs(headers) do
    if names[header[1]:lower()] then
      found[#found + 1] = header
    end
  end
  return found
end

return http
