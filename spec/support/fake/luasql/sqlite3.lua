--- As much of LuaSQL as examples/from_database.lua asks for, over a text file:
-- a user a line, "id" or "id RUN". Knows the example's three statements and
-- refuses others. LUASQL_BREAKS=N breaks the connection after N rows.

local function read(path)
  local users = {}
  for line in io.lines(path) do
    local id, run = line:match "^(%S+) ?(%S*)$"
    users[#users + 1] = { id = id, run = run ~= "" and run or nil }
  end
  return users
end

local function write(path, users)
  local file = assert(io.open(path, "w"))
  for _, user in ipairs(users) do
    file:write(user.id, user.run and " " .. user.run or "", "\n")
  end
  file:close()
end

local statements = {}

function statements.UPDATE(path, run)
  local users = read(path)
  for _, user in ipairs(users) do
    if user.run == run then
      return 0
    end
  end
  for _, user in ipairs(users) do
    user.run = user.run or run
  end
  write(path, users)
end

function statements.SELECT(path, run)
  local ids = {}
  for _, user in ipairs(read(path)) do
    ids[#ids + 1] = user.run == run and user.id or nil
  end
  local left = tonumber(os.getenv "LUASQL_BREAKS") or math.huge
  return { fetch = function()
    left = left - 1
    if left < 0 then
      return nil, "LuaSQL: connection lost"
    end
    return table.remove(ids, 1)
  end }
end

function statements.DELETE(path, run)
  local left = {}
  for _, user in ipairs(read(path)) do
    left[#left + 1] = user.run ~= run and user or nil
  end
  write(path, left)
end

local function connect(_, path)
  return {
    close = function() end,
    escape = function(_, text) return (text:gsub("'", "''")) end,
    execute = function(_, text)
      local run = text:match "erase_run = '(.-)'"
      return statements[text:match "%u+"](path, run) or 0
    end,
  }
end

return { sqlite3 = function() return { connect = connect } end }
