--- What a receipt says of the account: who calls, and which dataset groups were
-- not asked for. It does without, where that is refused.

local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local groups = require "personalize.groups"
local sts = require "personalize.sts"

local M = {}

-- Where STS cannot be reached (from a VPC without an endpoint for it), this is what
-- it costs.
local ONCE = { max_attempts = 1, timeout = 5 }

--- A caller as a receipt has it.
---@param caller personalize.Caller
---@return personalize.Caller
function M.shown(caller)
  return { account = core.printable(caller.account),
    arn = core.printable(caller.arn) }
end

--- Notes in a receipt who calls, and which dataset groups nobody asked for.
---@param client personalize.Client
---@param settings table the client's, complete
---@param receipt personalize.Receipt changed
function M.note(client, settings, receipt)
  local caller, failure = sts.caller(settings, ONCE)
  if caller then
    receipt.caller = M.shown(caller)
  elseif failure.code == "InterruptedError" then
    Error.raise(failure)
  end
  local ok, found = callback.pcall("a look", groups.list, client)
  if ok then
    receipt.other_groups = groups.others(found, receipt.dataset_group_arns)
  elseif not Error.is_error(found) then
    error(found, 0)
  end
end

return M
