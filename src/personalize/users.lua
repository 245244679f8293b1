--- A list of users as it was given: a table, an iterator, a file or text.
-- Feeds it to the core, which checks, counts, hashes and cuts it. Refuses to
-- know what an id may be, and what the list is for. No id becomes a key of a
-- table, or a part of an error: they are chosen by strangers, and are the
-- personal data that is to go.

local Error = require "personalize.error"
local core = require "personalize.core"

local M = {}

--- Bytes of a job's input by AWS's quota ("100 MB", taken as the smaller).
M.PART_SIZE = 100 * 1000 * 1000
-- One PutObject takes 5 GiB; the smallest still has room for any one id.
local LARGEST, SMALLEST = 5 * 1024 ^ 3, 4096

-- Between two blocks others get their turn: in nginx, the worker's other
-- requests. A block takes about a millisecond.
local BLOCK = 256 * 1024
-- Ids of a table or an iterator that count as a block.
local BATCH = 1000

---@class personalize.Users
---@field users? string[]|fun(): string? ids: a list, or an iterator that
--- returns one at a time and nil at the end; whole numbers are written in
--- decimal
---@field file? string path of a regular file
---@field text? string|fun(): string? a file's text, or an iterator over its
--- blocks
---@field format? "csv"|"lines" of file and text; default csv: the first line
--- is the header USER_ID, then an id a line; lines: an id a line, no header
---@field column? string of a csv with several: the one that has the ids
---@field unique? boolean default false; true drops repeats
---@field part_size? integer bytes a job's list may have, its header counted;
--- default 100 MB, AWS's quota

--- What the options of a list are, each with its check.
M.OPTIONS = {
  column = function(value) return type(value) == "string" and value ~= "" end,
  file = function(value) return type(value) == "string" and value ~= "" end,
  format = function(value) return value == "csv" or value == "lines" end,
  part_size = function(value)
    return type(value) == "number" and value % 1 == 0 and
      value >= SMALLEST and value <= LARGEST
  end,
  text = function(value)
    return type(value) == "string" or type(value) == "function"
  end,
  unique = function(value) return type(value) == "boolean" end,
  users = function(value)
    return type(value) == "table" or type(value) == "function"
  end,
}

M.MUST = {
  column = "must be a column's name",
  file = "must be a path",
  format = 'must be "csv" or "lines"',
  part_size = ("must be a whole number of bytes, %d to %.0f"):format(
    SMALLEST, LARGEST),
  text = "must be a string, or a function that returns the next block",
  unique = "must be true or false",
  users = "must be a list of ids, or a function that returns the next one",
}

--- Adds what the options lack together.
---@param given personalize.Users
---@param faults personalize.ParamFault[]
function M.check(given, faults)
  local sources = 0
  for _, name in ipairs { "users", "file", "text" } do
    sources = sources + (given[name] ~= nil and 1 or 0)
  end
  if sources ~= 1 then
    faults[#faults + 1] = { path = "users", code = sources == 0 and "missing"
      or "duplicate", message = "is the list: give it, or file, or text" }
  end
  if given.users ~= nil and given.format ~= nil then
    faults[#faults + 1] = { path = "format", code = "type",
      message = "is for file and text" }
  end
  if given.column ~= nil and (given.users ~= nil or given.format == "lines")
  then
    faults[#faults + 1] = { path = "column", code = "type",
      message = "is for csv" }
  end
end

local function list_error(message, more)
  more = more or {}
  Error.raise { code = "UserListError", kind = "client", message = message,
    params = more.params, fault_counts = more.fault_counts,
    cause = more.cause }
end

-- What pass one of a list is told on its way.
local function turn(hooks, list, bytes)
  if hooks.progress then
    hooks.progress(bytes, list:size())
  end
  if hooks.pause and not hooks.pause(0) then
    Error.raise { code = "InterruptedError", kind = "client",
      message = "interrupted while reading the list" }
  end
end

local function demand(ok, why)
  if not ok then
    list_error(why)
  end
end

local function feed_file(list, given, hooks)
  local ok, why = list:open(given.file)
  if not ok then
    Error.raise { code = "ParamValidationError", kind = "client",
      message = "file: " .. why,
      params = { { path = "file", code = "unreadable", message = why } } }
  end
  repeat
    local done, bytes = list:check(BLOCK)
    demand(done ~= nil, bytes)
    turn(hooks, list, bytes)
  until done
end

-- The caller's iterator, one step; what it raises may name a user and is kept
-- apart from the message.
local function step(next_one, what)
  local ok, value = pcall(next_one)
  if not ok and (Error.is_interrupt(value) or
    Error.is_error(value, "InterruptedError")) then
    Error.raise { code = "InterruptedError", kind = "client", cause = value,
      message = "interrupted while reading the list" }
  elseif not ok then
    list_error(("the iterator over %s raised an error"):format(what),
      { cause = value })
  end
  return value
end

local function feed_text(list, given, hooks)
  if not hooks.is_check then
    demand(list:spool())
  end
  local text, bytes = given.text, 0
  if type(text) == "string" then
    local from = 1
    text = function()
      local block = from <= #given.text and
        given.text:sub(from, from + BLOCK - 1) or nil
      from = from + BLOCK
      return block
    end
  end
  for block in function() return step(text, "text") end do
    if type(block) ~= "string" then
      list_error "the iterator over text returned something else than a string"
    end
    demand(list:write(block))
    bytes = bytes + #block
    turn(hooks, list, bytes)
  end
end

local function feed_users(list, given, hooks)
  if not hooks.is_check then
    demand(list:spool())
  end
  local users, count = given.users, 0
  local next_one = users
  if type(users) == "table" then
    local at = 0
    next_one = function()
      at = at + 1
      return users[at]
    end
  end
  for id in function() return step(next_one, "users") end do
    demand(list:add(id))
    count = count + 1
    if count % BATCH == 0 then
      turn(hooks, list)
    end
  end
  if type(users) == "table" then
    local all = 0
    for _ in pairs(users) do
      all = all + 1
    end
    if all ~= count then
      list_error(("users is no list: it has a hole behind user %d, or other " ..
        "keys than numbers"):format(count))
    end
  end
end

-- Where a fault stands; "user 3" where there are no lines.
local function place(given, fault)
  local where = (given.users ~= nil and "user %d" or "line %d"):format(
    fault.line)
  if fault.column and given.users == nil then
    where = ("%s, column %d"):format(where, fault.column)
  end
  return where
end

-- Raises what is wrong with the list; all of it, by its lines.
local function refuse(given, summary)
  local params, texts = {}, {}
  for i, fault in ipairs(summary.faults) do
    local where = fault.line and place(given, fault) or "the list"
    params[i] = { path = where, code = fault.code, message = fault.message,
      line = fault.line, column = fault.column }
    if i <= 5 then
      texts[i] = where .. ": " .. fault.message
    end
  end
  if summary.fault_count > #texts then
    texts[#texts + 1] = ("and %d more"):format(summary.fault_count - #texts)
  end
  list_error(table.concat(texts, "; "), { params = params,
    fault_counts = summary.fault_counts })
end

local function read(list, given, hooks)
  if given.file then
    feed_file(list, given, hooks)
  elseif given.text then
    feed_text(list, given, hooks)
  else
    feed_users(list, given, hooks)
  end
  local summary, why = list:finish()
  demand(summary, why)
  if summary.fault_count > 0 then
    refuse(given, summary)
  end
  return summary
end

---@class personalize.UserSummary
---@field users integer as they will be sent
---@field duplicates integer repeats: dropped with `unique`, else not counted
---@field bytes integer of all parts
---@field parts { users: integer, bytes: integer, sha256: string }[]

--- Reads, checks and cuts a list. Raises UserListError (its `params` are the
--- faults, by line), or ParamValidationError where there is no such file.
---@param given personalize.Users checked
---@param hooks? { progress: fun(bytes?: integer, total?: integer)?, pause:
--- fun(seconds: number)?, is_check: boolean? } between blocks; a pause without a
--- true result ends it; what is only checked is kept nowhere
---@return table list the core's; closed by the caller
---@return personalize.UserSummary
function M.read(given, hooks)
  local list = core.userlist {
    format = given.users ~= nil and "ids" or given.format or "csv",
    column = given.column,
    unique = given.unique or false,
    part_size = given.part_size or M.PART_SIZE,
    key = core.random(16),
  }
  local ok, summary = pcall(read, list, given, hooks or {})
  if not ok then
    list:close()
    error(summary, 0)
  end
  return list, summary
end

return M
