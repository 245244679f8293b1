-- The ids of a list and the exports that they are looked for in, with each
-- allocation refused; and what becomes of them when they are used in the wrong
-- order.

local torture = require "spec.support.torture"

local core = require "personalize.core"

local run, same = torture.run, torture.same

local KEY = ("k"):rep(16)
local path = os.tmpname()

local function write(text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function settle(ids)
  repeat
    local done = ids:settle()
  until done
end

local lines = {}
for i = 1, 400 do
  lines[i] = ("%08X-0000-4000-8000-%012x"):format(i, i)
end
local text = table.concat(lines, "\n") .. "\n"

local function new_ids()
  local ids = core.ids(KEY)
  local list = core.userlist { ids = ids, format = "lines" }
  same(true, list:write(text .. lines[1]))
  same(401, list:finish().users)
  list:close()
  same(401, ids:count())
  settle(ids)
  same(400, ids:count())
  return ids
end

local function read(export)
  repeat
    local done, message = export:check()
    if done == nil then
      error(message, 0)
    end
  until done
end

run("ids", function()
  local ids = new_ids()
  same(0, ids:found())
  ids:close()
end)

run("an export", function()
  write("X,user_id\n1," .. lines[7] .. "\n2," .. lines[10]:lower() ..
    "\n3,none\n4," .. lines[7])
  local ids = new_ids()
  local export = core.export { ids = ids, column = "USER_ID", delimiter = ",",
    escape = "\\" }
  same(true, export:open(path))
  same(133, export:size())
  read(export)
  same(nil, export:fault())
  same({ rows = 4, bytes = 133, line = 5, lacks_end = true, columns = {
    { number = 2, fields = 4, found = 2, lines = { 2, 5 }, near = 1,
      near_lines = { 3 } } } }, export:summary())
  same(1, ids:found())
  export:close()
  ids:close()
end)

run("an export with a fault", function()
  write("ITEM_ID;PRICE\n1;2\n")
  local export = core.export { delimiter = ";" }
  same(true, export:open(path))
  read(export)
  same({ code = "column", line = 1, columns = 2, is_header = true,
    message = "the header does not have it", names = "ITEM_ID, PRICE" },
    export:fault())
  export:close()
end)

run("an export without its file", function()
  local export = core.export {}
  local ok, message = export:open "/nonexistent"
  same(nil, ok)
  same("cannot open /nonexistent: No such file or directory", message)
end)

-- ---- in the wrong order --------------------------------------------------------

local function fails(words, f, ...)
  local ok, message = pcall(f, ...)
  same(false, ok)
  assert(tostring(message):find(words, 1, true), message)
end

run("what is closed or not ready", function()
  write "USER_ID\nalice\n"
  local ids = core.ids(KEY)
  local export = core.export { ids = ids }
  same(true, export:open(path))
  fails("the ids are not settled", export.check, export)
  fails("was not read to its end", export.summary, export)
  fails("was opened before", export.open, export, path)
  settle(ids)
  local list = core.userlist { ids = ids }
  fails("the ids are settled", list.write, list, "USER_ID\n")
  ids:close()
  ids:close()
  fails("the ids are closed", export.check, export)
  fails("the ids are closed", ids.count, ids)
  export:close()
  export:close()
  export = core.export {}
  fails("is closed, or has failed", export.check, export)
  fails("key must have 16 bytes", core.ids, "k")
  fails("delimiter must be one of", core.export, { delimiter = "\0" })
  fails("escape must be", core.export, { escape = "'" })
  fails("column must have 1 to 256 bytes", core.export, { column = "" })
end, function(err)
  -- What a refusal says is none of the words above.
  return torture.is_memory(err) or tostring(err):find "memory"
end)

os.remove(path)
torture.finish()
