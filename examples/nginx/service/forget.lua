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

local function unavailable(why, message)
  ngx.log(ngx.ERR, "users/forget: ", why)
  ngx.header.retry_after = 10
  answer.refuse(503, "Unavailable", message)
end

local NOT_TAKEN = "the id was not taken down"

-- The line that the id of a request is in a list; or nil, and it is answered.
local function read_line()
  local body = answer.read()
  if not body then
    return nil
  elseif type(body.user_id) ~= "string" then
    return answer.refuse(400, "ParamValidationError",
      "user_id is missing: a string")
  end
  local line = body.user_id .. "\n"
  local ok, result = pcall(is_line, body.user_id, line)
  if ok and result then
    return line
  elseif not ok and not (personalize.is_error(result, "UserListError") and
    result.params) then
    -- Not the id's fault: no room to check it in, or the like.
    return unavailable(tostring(result), "the id could not be checked")
  end
  answer.refuse(400, "ParamValidationError", "user_id has to be " ..
    "1-256 characters of UTF-8 without zero bytes and line breaks")
end

local function add(line)
  local added, why = lists.add(line)
  health.note(added ~= nil)
  if not added then
    return unavailable(why, NOT_TAKEN)
  end
  answer.send(202, { status = "accepted" })
end

-- Seconds for which a sender is waited for.
local PATIENCE = 3

local function take_lock()
  local stop = ngx.now() + PATIENCE
  repeat
    local lock = lists.lock()
    if lock then
      return lock
    end
    ngx.sleep(0.02)
    ngx.update_time()
  until ngx.now() > stop
end

local function withdraw(line)
  local lock = take_lock()
  if not lock then
    ngx.header.retry_after = 10
    return answer.refuse(503, "Unavailable", "lists are being sent just now")
  end
  local ok, is_out, is_sent = xpcall(lists.withdraw, answer.trace, line)
  lock:release()
  if not ok then
    unavailable(is_out, "the lists could not be changed")
  elseif is_out then
    answer.send(200, { status = "withdrawn", sent = is_sent or nil })
  elseif is_sent then
    answer.refuse(409, "AlreadySent", "its list was sent, or may have been")
  else
    answer.refuse(404, "NotFound", "no list that is kept here has this id")
  end
end

local METHODS = { POST = add, DELETE = withdraw }

--- POST /users/forget {"user_id": "..."}: 202 once it is on the disk.
-- DELETE, the same body: 200 once it is out of every list of which nothing was
-- sent (`sent`: an earlier list has it, too); 409 where its list was sent, 404
-- where there is none.
M.serve = answer.handler(function()
  local serve = METHODS[ngx.req.get_method()]
  if not serve then
    ngx.header.allow = "POST, DELETE"
    return answer.refuse(405, "MethodNotAllowed", "only POST and DELETE")
  end
  local line = read_line()
  if line then
    serve(line)
  end
end)

return M
