--- Deletes the users that a database has marked, straight from the cursor: the
-- list is never in memory, nor in a file with a name.
--
--     lua from_database.lua app.sqlite RUN_NAME
--
-- Here with LuaSQL and SQLite; any function that returns the next id will do.
-- BUCKET, ROLE_ARN and DATASET_GROUP_ARN come from the environment, as does
-- what leads to AWS.

local personalize = require "personalize"

if not arg[2] then
  io.stderr:write "usage: from_database.lua DATABASE RUN_NAME\n"
  os.exit(252)
end

local sqlite = require "luasql.sqlite3"
local database = assert(sqlite.sqlite3():connect(arg[1]))
local run = "'" .. database:escape(arg[2]) .. "'"

-- A run has the users that were marked when it first began. Those marked since
-- are the next one's: the same name must mean the same list, and no row may go
-- whose user was not on it. A NULL would look like the end of the list.
assert(database:execute(([[
  UPDATE users SET erase_run = %s
  WHERE erase_requested = 1 AND erase_run IS NULL AND id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM users WHERE erase_run = %s)]])
  :format(run, run)))
local cursor = assert(database:execute("SELECT id FROM users WHERE " ..
  "erase_run = " .. run .. " AND id IS NOT NULL ORDER BY id"))

local ok, receipt = pcall(personalize.delete_users, {
  -- All that it returns: a fetch that fails returns nil and the reason, which
  -- is an error and not the end of the list.
  users = function()
    return cursor:fetch()
  end,
  -- The same name and the same ids in the same order (hence ORDER BY) go on
  -- with a run that ended early.
  name = arg[2],
  bucket = os.getenv "BUCKET",
  datasetGroupArn = os.getenv "DATASET_GROUP_ARN",
  roleArn = os.getenv "ROLE_ARN",
  poll = tonumber(os.getenv "POLL_SECONDS"),
  on_progress = function(progress)
    if progress.phase == "wait" then
      print(("%d of %d jobs done"):format(progress.jobs_done, progress.jobs))
    end
  end,
})
if not ok then
  io.stderr:write(tostring(receipt), "\n")
  os.exit(1)
end

-- Only now may the rows go: until here they are what the run is made of.
assert(receipt.status == "COMPLETED", receipt.status)
assert(database:execute("DELETE FROM users WHERE erase_run = " .. run ..
  " AND id IS NOT NULL"))
database:close()
print(receipt.status, receipt.users .. " users")
