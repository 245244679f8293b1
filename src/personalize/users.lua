--- A list of users as it was given: a table, an iterator, a file or text.
-- Feeds it to the core, which checks, counts, hashes and cuts it. Refuses to
-- know what an id may be, and what the list is for. No id becomes a key of a
-- table, or a part of an error: they are chosen by strangers, and are the
-- personal data that is to go.

local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local nginx = require "personalize.transport.nginx"

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

---@class personalize.Blocks what has a method like that of Lua's files
---@field read fun(self: any, count: integer): string?, string? up to so many
--- bytes; nil at the end; nil and a reason after a failure

---@class personalize.Users
---@field users? string[]|fun(): string?, string? ids: a list, or an iterator
--- that returns one at a time, nil at the end, and nil and a reason after a
--- failure; whole numbers are written in decimal
---@field file? string path of a file; outside nginx also of a pipe, terminal
--- or descriptor (/dev/stdin, /dev/fd/3), which is kept in a temporary file
---@field text? string|personalize.Blocks|fun(): string?, string? a file's
--- text, where to read it, or an iterator over its blocks, line ends included
---@field format? "csv"|"lines" of file and text; default csv: the first line
--- is the header USER_ID, then an id a line; lines: an id a line, no header
---@field column? string of a csv with several: the one that has the ids
---@field delimiter? ","|";"|"|"|"\t" between the columns of a csv; default ,
---@field unique? boolean default false; true drops repeats
---@field part_size? integer bytes a job's list may have, its header counted;
--- default 100 MB, AWS's quota

local function can_read(value)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" then
    return false
  end
  local ok, read = pcall(function() return value.read end)
  return ok and type(read) == "function"
end

-- Of a column's name, in bytes.
local COLUMN_MOST = 256

local DELIMITERS = { [","] = true, [";"] = true, ["|"] = true, ["\t"] = true }

--- What the options of a list are, each with its check.
M.OPTIONS = {
  column = function(value)
    return type(value) == "string" and value ~= "" and #value <= COLUMN_MOST
  end,
  delimiter = function(value) return DELIMITERS[value] == true end,
  file = function(value) return type(value) == "string" and value ~= "" end,
  format = function(value) return value == "csv" or value == "lines" end,
  part_size = function(value)
    return type(value) == "number" and value % 1 == 0 and
      value >= SMALLEST and value <= LARGEST
  end,
  text = function(value)
    return type(value) == "string" or type(value) == "function" or
      can_read(value)
  end,
  unique = function(value) return type(value) == "boolean" end,
  users = function(value)
    return type(value) == "table" or type(value) == "function"
  end,
}

M.MUST = {
  column = ("must be a column's name, at most %d bytes"):format(COLUMN_MOST),
  delimiter = "must be one of , ; | and a tab",
  file = "must be a path",
  format = 'must be "csv" or "lines"',
  part_size = ("must be a whole number of bytes, %d to %.0f"):format(
    SMALLEST, LARGEST),
  text = "must be a string, a file, or a function that returns the next block",
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
  for _, name in ipairs { "column", "delimiter" } do
    if given[name] ~= nil and (given.users ~= nil or given.format == "lines")
    then
      faults[#faults + 1] = { path = name, code = "type",
        message = "is for csv" }
    end
  end
end

local function list_error(message, more)
  more = more or {}
  Error.raise { code = "UserListError", kind = "client", message = message,
    params = more.params, fault_counts = more.fault_counts,
    warnings = more.warnings, cause = more.cause }
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

-- One step of the caller's iterator, or of what is read.
local function step(what, next_one)
  local ok, value = callback.call("UserListError", what, next_one)
  if not ok then
    error(value, 0)
  end
  return value
end

-- The blocks of a text as an iterator, and what it is in an error.
local function blocks_of(text)
  if type(text) == "function" then
    return text, "the iterator over text"
  elseif type(text) ~= "string" then
    return function() return text:read(BLOCK) end, "reading the text"
  end
  local from = 1
  return function()
    local block = from <= #text and text:sub(from, from + BLOCK - 1) or nil
    from = from + BLOCK
    return block
  end
end

-- Lines without their ends would make one long id of all of them, which is no
-- fault where they are few.
local function check_ends(text, count, has_end)
  if type(text) == "function" and count > 1 and not has_end then
    list_error("the iterator over text gave several blocks and no line end: " ..
      "lines need their ends (io.lines(path, \"L\")), and ids go into users")
  end
end

-- Where what comes once is kept for a second reading: the one that sends it,
-- and the one that leaves out repeats.
local function spool(list, given, hooks)
  if not hooks.is_check or given.unique then
    demand(list:spool())
  end
end

local function feed_text(list, given, text, hooks)
  spool(list, given, hooks)
  local next_block, what = blocks_of(text)
  local bytes, count, has_end = 0, 0, false
  for block in function() return step(what, next_block) end do
    if type(block) ~= "string" then
      list_error(what .. " returned something else than a string")
    end
    demand(list:write(block))
    bytes = bytes + #block
    count = count + (block ~= "" and 1 or 0)
    has_end = has_end or block:find("\n", 1, true) ~= nil
    turn(hooks, list, bytes)
  end
  check_ends(text, count, has_end)
end

local function refuse_file(why)
  Error.raise { code = "ParamValidationError", kind = "client",
    message = "file: " .. why,
    params = { { path = "file", code = "unreadable", message = why } } }
end

-- What can be read once only goes through a spool, as an iterator does.
local function feed_stream(list, given, hooks)
  local input, why = core.open_input(given.file)
  if not input then
    refuse_file(why)
  end
  local ok, raised = pcall(feed_text, list, given, { read = function(_, count)
    local block, reason = input:read(count)
    if reason == "interrupted" then
      Error.raise { code = "InterruptedError", kind = "client",
        message = "interrupted while reading the list" }
    end
    return block, reason
  end }, hooks)
  input:close()
  if not ok then
    error(raised, 0)
  end
end

local function feed_file(list, given, hooks)
  -- To wait for a pipe would stop a worker of nginx.
  if core.is_stream(given.file) and not nginx.is_here() then
    feed_stream(list, given, hooks)
    return
  end
  local ok, why = list:open(given.file)
  if not ok then
    refuse_file(why)
  end
end

-- Reads a file; then, of any list, what is left to do: to find the repeats, and
-- where there are some that are to go, to read it once more.
local function finish(list, hooks)
  repeat
    local done, bytes = list:check(BLOCK)
    demand(done ~= nil, bytes)
    if list:size() then
      turn(hooks, list, bytes)
    elseif not done then
      turn(hooks, list)
    end
  until done
  local summary, why = list:finish()
  demand(summary, why)
  return summary
end

local function feed_users(list, given, hooks)
  spool(list, given, hooks)
  local users, count = given.users, 0
  local next_one = users
  if type(users) == "table" then
    local at = 0
    next_one = function()
      at = at + 1
      return users[at]
    end
  end
  for id in function() return step("the iterator over users", next_one) end do
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
    fault_counts = summary.fault_counts, warnings = summary.warnings })
end

-- Of an id, and of several: what makes it look like a mistake.
local ODD = {
  white_space = { "begins or ends with white space",
    "begin or end with white space" },
  control_at_end = { "begins or ends with a control character",
    "begin or end with a control character" },
  control_inside = { "has a control character inside",
    "have a control character inside" },
  invisible = { "has an invisible character", "have an invisible character" },
  blank = { "is made of blanks alone", "are made of blanks alone" },
  quotes = { "has quotes around it, which count as part of it",
    "have quotes around them, which count as part of them" },
  header = { "looks like the header", "look like the header" },
  repeats = { "is there once more", "are there once more" },
}

-- "3 ids begin or end with white space (lines 2, 5, 9)"
local function describe(warning, unit)
  if warning.kind == "repeats_not_counted" then
    return ("repeats were not counted: %.0f ids are too many for that (the " ..
      "option 'unique' drops them)"):format(warning.count)
  end
  local is_one, more = warning.count == 1,
    warning.count > #warning.lines and ", ..." or ""
  return ("%.0f %s %s (%s %s%s)"):format(warning.count, is_one and "id" or "ids",
    ODD[warning.kind][is_one and 1 or 2], unit .. (is_one and "" or "s"),
    table.concat(warning.lines, ", "), more)
end

-- Tells what looks like a mistake; before faults, which end the run.
local function warn(given, summary, hooks)
  for _, warning in ipairs(summary.warnings) do
    warning.message = describe(warning, given.users ~= nil and "user" or "line")
  end
  if hooks.warn and #summary.warnings > 0 then
    hooks.warn(summary.warnings)
  end
end

local function read(list, given, hooks)
  if given.file then
    feed_file(list, given, hooks)
  elseif given.text then
    feed_text(list, given, given.text, hooks)
  else
    feed_users(list, given, hooks)
  end
  local summary = finish(list, hooks)
  warn(given, summary, hooks)
  if summary.fault_count > 0 then
    refuse(given, summary)
  end
  return summary
end

---@alias personalize.UserWarningKind
---| "white_space" at the start or end
---| "control_at_end" a control character at the start or end
---| "control_inside"
---| "invisible" an invisible character anywhere
---| "blank" nothing but such characters
---| "quotes" around it, which are part of it
---| "header" the header's name, or a header
---| "repeats" there before; not with `unique`, which drops them
---| "repeats_not_counted" the ids are too many for that

--- Ids that look like a mistake. They are sent all the same, since Personalize
--- may hold such ids; where it does not, nobody is deleted by them.
---@class personalize.UserWarning
---@field kind personalize.UserWarningKind
---@field count integer ids; of the last kind, all of them
---@field lines integer[] of the first of them, five at most; of ids that came
--- one by one, which they are
---@field message string all of it in a sentence, without an id

---@class personalize.UserSummary
---@field users integer as they will be sent
---@field duplicates integer repeats that `unique` dropped
---@field bytes integer of all parts
---@field parts { users: integer, bytes: integer, sha256: string }[]
---@field warnings personalize.UserWarning[] empty where nothing looks wrong

--- Reads, checks and cuts a list. Raises UserListError (its `params` are the
--- faults, by line), or ParamValidationError where there is no such file.
---@param given personalize.Users checked
---@param hooks? { progress: fun(bytes?: integer, total?: integer)?, pause:
--- fun(seconds: number)?, warn: fun(warnings: personalize.UserWarning[])?,
--- is_check: boolean?, ids: table? } between blocks; a pause without a true
--- result ends it; what is only checked is kept nowhere; the core's ids get each
--- id, and then repeats are not counted
---@return table list the core's; closed by the caller
---@return personalize.UserSummary
function M.read(given, hooks)
  hooks = hooks or {}
  local list = core.userlist {
    format = given.users ~= nil and "ids" or given.format or "csv",
    column = given.column,
    delimiter = given.delimiter,
    unique = given.unique or false,
    part_size = given.part_size or M.PART_SIZE,
    key = not hooks.ids and core.random(16) or nil,
    ids = hooks.ids,
  }
  local ok, summary = pcall(read, list, given, hooks)
  if not ok then
    list:close()
    error(summary, 0)
  end
  return list, summary
end

return M
