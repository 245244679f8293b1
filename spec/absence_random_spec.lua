-- check_absent on lists and exports made at random, of ids that are hard to
-- read and hard to tell apart, beside what a table of Lua says of the same.

local personalize = require "personalize"

local ROUNDS = 400

-- A generator of our own, so that a round is the same everywhere.
local function new_random(seed)
  local state = seed
  return function(most)
    state = (state * 16807) % 2147483647
    return state % most + 1
  end
end

local PIECES = { "a", "B", "\195\169", " ", ",", ";", "|", "\t", "\"", "\n",
  "'", "\\", "-", "0", "x1", "USER_ID", "\194\160", "A", "b",
  "0123456789-0123456789-0123456789-0123456789-0123456789-0123456789" }

local function new_text(random)
  local parts = {}
  for i = 1, random(4) do
    parts[i] = PIECES[random(#PIECES)]
  end
  return table.concat(parts)
end

-- The id without what may stand at its ends, in small letters.
local function plain(id)
  local before
  repeat
    before = id
    id = id:gsub("^%s+", "")
    id = id:gsub("%s+$", "")
    id = id:gsub("^\194\160", "")
    id = id:gsub("\194\160$", "")
  until id == before
  return (id:gsub("%u", string.lower))
end

-- Ids as a list of their own: an id with a line end at an end is a fault.
local function new_list(random)
  local list = { ids = {}, known = {}, near = {}, users = 0 }
  for _ = 1, random(20) do
    local id = new_text(random)
    if not id:find "^\n" and not id:find "\n$" then
      list.ids[#list.ids + 1] = id
      list.users = list.users + (list.known[id] and 0 or 1)
      list.known[id], list.near[plain(id)] = true, true
    end
  end
  if #list.ids == 0 then
    return new_list(random)
  end
  return list
end

-- One of the list, or nearly; or any; or none.
local function new_field(list, random)
  local what, id = random(10), list.ids[random(#list.ids)]
  return what == 1 and "" or what == 2 and id:gsub("%l", string.upper) or
    what == 3 and id .. " " or what == 4 and "\194\160" .. id or
    what == 5 and id .. "z" or what < 8 and new_text(random) or id
end

local function written(field, how, random)
  if not field:find('[%,%;%|\t"\n]') and random(4) > 1 then
    return field
  elseif how.export_escape == "\\" then
    return '"' .. field:gsub('[\\"]', "\\%0") .. '"'
  end
  return '"' .. field:gsub('"', '""') .. '"'
end

-- What is to be said of a field, added to that of its column.
local function count(column, list, met, field, line)
  if field == "" then
    return
  end
  column.fields = column.fields + 1
  if list.known[field] then
    column.found, met[field] = column.found + 1, true
    if column.found <= 5 then
      column.lines[column.found] = line
    end
  elseif list.near[plain(field)] then
    column.near = column.near + 1
  end
end

local NAMES = { "USER_ID", "user_id", " User_Id\t" }

-- The header, and what is counted of each column that is taken.
local function new_header(how, random)
  local names, columns = {}, {}
  for i = 1, random(5) do
    local is_taken = i == 1 or random(3) == 1
    names[i] = written(is_taken and NAMES[random(#NAMES)] or "X" .. i, how,
      random)
    columns[i] = is_taken and { column = "USER_ID", number = i, fields = 0,
      found = 0, near = 0, lines = {} } or false
  end
  return table.concat(names, how.export_delimiter), columns
end

-- A file's text, and what is to be said of it.
local function new_export(list, met, how, random)
  local header, columns = new_header(how, random)
  local ending = random(2) == 1 and "\n" or "\r\n"
  local lines, line, rows = { header }, 2, random(40) - 1
  for _ = 1, rows do
    local fields = {}
    for i, column in ipairs(columns) do
      local field = new_field(list, random)
      if column then
        count(column, list, met, field, line)
      end
      fields[i] = written(field, how, random)
      line = line + select(2, field:gsub("\n", ""))
    end
    local row = table.concat(fields, how.export_delimiter)
    -- A blank line is no row; a field in quotes is one.
    lines[#lines + 1], line = row == "" and '""' or row, line + 1
  end
  local text = (random(4) == 1 and "\239\187\191" or "") ..
    table.concat(lines, ending) .. (random(4) > 1 and ending or "")
  return text, rows, columns
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- As check_absent tells it, without what the messages say.
local function expected_file(path, text, rows, columns)
  local file = { file = path, rows = rows, bytes = #text, columns = {},
    near = 0 }
  for _, column in ipairs(columns) do
    if column then
      file.near, column.near = file.near + column.near, nil
      file.columns[#file.columns + 1] = column
    end
  end
  return file
end

local function simplified(file)
  file.near = 0
  for _, warning in ipairs(file.warnings) do
    file.near = warning.kind == "near" and warning.count or file.near
  end
  file.warnings = nil
  return file
end

local function try(seed, paths)
  local random = new_random(seed)
  local list, met, expected = new_list(random), {}, {}
  local how = { users = list.ids, exports = {},
    export_delimiter = (",;\t|"):sub(random(4)):sub(1, 1),
    export_escape = random(2) == 1 and "\\" or '"' }
  for i = 1, random(#paths) do
    local text, rows, columns = new_export(list, met, how, random)
    write(paths[i], text)
    how.exports[i] = paths[i]
    expected[i] = expected_file(paths[i], text, rows, columns)
  end
  local result = personalize.check_absent(how)
  for i, file in ipairs(expected) do
    assert.same(file, simplified(result.files[i]))
  end
  local found, ids_found = 0, 0
  for _, file in ipairs(expected) do
    for _, column in ipairs(file.columns) do
      found = found + column.found
    end
  end
  for _ in pairs(met) do
    ids_found = ids_found + 1
  end
  assert.same({ found, ids_found, list.users, #list.ids - list.users,
    found == 0 }, { result.found, result.ids_found, result.users,
    result.duplicates, result.absent })
  return found
end

describe("check_absent of anything", function()
  it("says what a count by hand says", function()
    local paths = { os.tmpname(), os.tmpname(), os.tmpname() }
    local found = 0
    for round = 1, ROUNDS do
      local ok, result = pcall(try, round * 7919, paths)
      if not ok then
        error(("round %d: %s"):format(round, type(result) == "table" and
          result.message or tostring(result)), 0)
      end
      found = found + result
    end
    for _, path in ipairs(paths) do
      os.remove(path)
    end
    assert.is_true(found > ROUNDS)
  end)
end)
