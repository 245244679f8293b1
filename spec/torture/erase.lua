-- A whole deletion, over a transport that answers at once, with each allocation
-- of Lua's and the core's refused: it ends well, or with an error that has a
-- name and the receipt.

local core = require "personalize.core"
local instant = require "spec.support.instant"
local torture = require "spec.support.torture"

local run, same = torture.run, torture.same

local personalize = require "personalize"

-- Refusals that hit a pcall (of a JSON decoder, a caller's function) are told as
-- what failed there.
local function accept(e)
  return torture.is_memory(e) or personalize.is_error(e) and
    e.code ~= "InternalError" and e.receipt ~= nil
end

run("delete_users", function()
  local service = instant.service()
  local client = personalize.new(instant.client(service))
  local ok, result = pcall(client.delete_users, client, instant.options())
  client:close()
  if not ok and service.created > 0 and not personalize.is_error(result) then
    error("in the middle of a run, an error without a receipt", 0)
  elseif not ok then
    error(result, 0)
  end
  same("COMPLETED", result.status)
end, accept, true)

local client = personalize.new(instant.client(instant.service()))
local receipt = personalize.receipt_json(client:delete_users(
  instant.options()))

run("delete_users with the receipt that is there", function()
  same("COMPLETED", client:delete_users(instant.options { receipt = receipt,
    dry_run = true }).jobs[1].status)
end, accept, true)

-- Of a run that was killed before it created its job.
local begun = receipt:gsub('"arn": "[^"]*",%s*', ""):gsub('"COMPLETED"',
  '"NOT_STARTED"')
local digits = receipt:match '"sha256": "(%x+)"'

run("follow", function()
  local service = instant.service()
  service.checksum = core.base64((digits:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end)))
  local follower = personalize.new(instant.client(service))
  local ok, result = pcall(follower.follow, follower, begun)
  follower:close()
  if not ok then
    error(result, 0)
  end
  same("COMPLETED", result.status)
  same(1, service.created)
end, accept, true)

run("verify_receipt", function()
  same(true, personalize.verify_receipt(receipt, { users = { "a", "b" } }))
end, accept, true)

client:close()
torture.finish()
