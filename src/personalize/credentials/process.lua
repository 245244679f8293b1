--- Credentials that a command prints (credential_process).
-- Knows the JSON it prints; refuses to show a word of it.

local core = require "personalize.core"
local source = require "personalize.credentials.source"

local M = {}

local TIMEOUT = 60 -- seconds, as AWS's SDK for Go has it

local NAMES = { access_key_id = "AccessKeyId", session_token = "SessionToken",
  secret_access_key = "SecretAccessKey", expiration = "Expiration" }
local OPTIONAL = { session_token = true, expiration = true }

---@param world personalize.World
---@param base { command: string, account_id: string?, profile: string }
---@return personalize.Credentials?
---@return table? failure
function M.fetch(world, base)
  local what = "credential_process of profile " .. base.profile
  if base.command:find "%z" then
    return source.misconfigured(what .. " has a zero byte in it")
  end
  local output, why = (world.run or core.run)(base.command, TIMEOUT)
  if not output then
    if why == "interrupted" then
      return nil, { code = "InterruptedError", kind = "client",
        message = what .. " was interrupted" }
    end
    return source.fail(("%s failed: %s"):format(what, why))
  end
  local document = source.decode(output)
  if not document then
    return source.fail(what .. " did not print a JSON object")
  elseif document.Version ~= 1 then
    return source.fail(what .. ' must print "Version": 1')
  end
  local found
  found, why = source.credentials(document, NAMES, OPTIONAL)
  if not found then
    return source.fail(("what %s printed cannot be used: %s"):format(what,
      why))
  end
  found.account_id = source.text(document, "AccountId") or base.account_id
  found.source = "credential process"
  return found
end

return M
