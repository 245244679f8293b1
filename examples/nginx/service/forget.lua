--- The wish to be forgotten: taken down here, granted by service/sender.lua.

local answer = require "service.answer"
local health = require "service.health"
local lists = require "service.lists"
local personalize = require "personalize"

local M = {}

local function hash(list)
  return personalize.check_users(list).parts[1].sha256
end

-- Has the line, as the sender will read it, the id in it and nothing else? So
-- an id with a line break, or with a byte order mark, is refused.
local function is_line(id, line)
  return hash { users = { id } } == hash { text = line, format = "lines" }
end

local function unavailable(why)
  ngx.log(ngx.ERR, "an id could not be taken down: ", why)
  ngx.header.retry_after = 10
  answer.refuse(503, "Unavailable", "the id was not taken down")
end

--- POST /users/forget {"user_id": "..."}: 202 once it is on the disk.
M.add = answer.handler(function()
  local body = answer.read()
  if not body then
    return
  elseif type(body.user_id) ~= "string" then
    return answer.refuse(400, "ParamValidationError",
      "user_id is missing: a string")
  end
  local line = body.user_id .. "\n"
  local ok, result = pcall(is_line, body.user_id, line)
  if not ok and not (personalize.is_error(result, "UserListError") and
    result.params) then
    -- Not the id's fault: no room to check it in, or the like.
    return unavailable(tostring(result))
  elseif not ok or not result then
    return answer.refuse(400, "ParamValidationError", "user_id has to be " ..
      "1-256 characters of UTF-8 without zero bytes and line breaks")
  end
  local added, why = lists.add(line)
  health.note(added ~= nil)
  if not added then
    return unavailable(why)
  end
  answer.send(202, { status = "accepted" })
end)

return M
