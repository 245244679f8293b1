--- What the sources of credentials share: how they fail, and how they read
-- what others wrote.
-- Knows the shape of credentials and of an error's fields; refuses to know any
-- source.

local Error = require "personalize.error"
local callback = require "personalize.callback"
local ascii = require "personalize.ascii"
local core = require "personalize.core"
local json = require "personalize.json"
local redact = require "personalize.redact"

local M = {}

-- What a world may have beside what world.lua gives each.
---@class personalize.World
---@field run? fun(command: string, timeout: number): string?, string? in place
--- of core.run
---@field resolve? fun(host: string): string[]?, string? in place of
--- core.resolve
---@field hint? string for an error about what was not found
---@field warn? fun(message: string) told of what went wrong on the side
---@field renewed? table<string, { text: string, instead_of: string }> by path:
--- documents that could not be written, and what the file has

--- A failure of a source that is configured.
---@param message string without values that are secret
---@param more? { cause: any, unrecoverable: boolean?, retryable: boolean? }
---@return nil
---@return table failure
function M.fail(message, more)
  more = more or {}
  return nil, { code = "CredentialsError", kind = "client", message = message,
    cause = more.cause, unrecoverable = more.unrecoverable or nil,
    retryable = more.retryable }
end

--- A failure that only another configuration mends.
---@param message string
---@return nil
---@return table failure
function M.misconfigured(message)
  return nil, { code = "ConfigError", kind = "client", message = message }
end

-- Ours, and not the source's: they go up as they are.
local PASSED_ON = { InterruptedError = true, PhaseError = true }

-- What an answer of OAuth says is wrong (RFC 6749): the core knows AWS's
-- members alone.
local function add_oauth(failure, refusal, secrets)
  local document = M.decode(refusal and refusal.body)
  local code = M.text(document, "error")
  local words = M.text(document, "error_description")
  if code and tostring(failure.code):find "^HTTP %d+$" and #code <= 64 and
    not code:find "[^A-Za-z0-9_]" and
    redact.text(code, nil, { secrets = secrets }) == code then
    failure.code = code
  end
  if words and not M.text(document, "message") and
    not M.text(document, "Message") then
    failure.message = core.prose(words)
  end
end

--- A request of a source that failed.
---@param what string what was asked, for people
---@param failure table the error's fields
---@param secrets? table what was sent: an answer may quote it
---@param unrecoverable? boolean
---@param refusal? personalize.Response the answer, where it is one of OAuth
---@return nil
---@return table failure
function M.refused(what, failure, secrets, unrecoverable, refusal)
  if PASSED_ON[failure.code] then
    return nil, failure
  end
  add_oauth(failure, refusal, secrets)
  local message = redact.text(tostring(failure.message or
    "no reason given"), nil, { secrets = secrets })
  failure.message = message
  return M.fail(("%s: %s: %s"):format(what, tostring(failure.code), message),
    { cause = Error.new(failure), unrecoverable = unrecoverable,
      retryable = failure.retryable })
end

--- Is it one that the same request will meet again?
---@param failure table
---@return boolean
function M.is_final(failure)
  local status = failure.status
  return status ~= nil and status >= 400 and status < 500 and
    not failure.retryable
end

--- The members of a JSON object, or nil where the text is none. Anybody may
--- answer in place of a metadata service: what has too many values is none.
---@param text string?
---@return table?
function M.decode(text)
  if type(text) ~= "string" or core.json_kind(text) ~= "object" then
    return nil
  end
  local ok, found = callback.pcall("a source of credentials", json.decode, text)
  if not ok or type(found) ~= "table" then
    return nil
  end
  return found
end

---@param value table
---@return string
function M.encode(value)
  return json.encode(value)
end

--- The same with names in lower case: metadata services are not of one mind.
---@param text string?
---@return table?
function M.document(text)
  local found = M.decode(text)
  if not found then
    return nil
  end
  local lower = {}
  for name, value in pairs(found) do
    lower[type(name) == "string" and ascii.lower(name) or name] = value
  end
  return lower
end

--- A member that is text, and not empty.
---@param found any
---@param name string
---@return string?
function M.text(found, name)
  local value = type(found) == "table" and found[name]
  if type(value) == "string" and value ~= "" then
    return value
  end
end

--- Seconds since 1970 of a member that is a date.
---@param found any
---@param name string
---@return number?
function M.time(found, name)
  local value = M.text(found, name)
  return value and core.time(value)
end

--- Credentials out of what a service wrote.
---@param found table
---@param names { access_key_id: string, secret_access_key: string,
--- session_token: string, expiration: string? } its members
---@param optional? table<string, true> of ours: what may be absent
---@return table? credentials
---@return string? why
function M.credentials(found, names, optional)
  local made = {}
  optional = optional or {}
  for ours, theirs in pairs(names) do
    local value = M.text(found, theirs)
    if value and ours == "expiration" then
      value = M.time(found, theirs)
      if not value then
        return nil, theirs .. " is no date"
      end
    end
    local is_absent = found[theirs] == nil or found[theirs] == json.null or
      found[theirs] == ""
    if value == nil and not (optional[ours] and is_absent) then
      return nil, theirs .. " is missing"
    end
    made[ours] = value
  end
  local fault = core.credentials_fault(made)
  if fault then
    return nil, fault
  end
  return made
end

--- A token as a file or variable has it, without the end of its last line.
---@param text string
---@return string? token
---@return string? why
function M.token(text)
  local token = text:gsub("\r?\n$", "")
  if token == "" then
    return nil, "is empty"
  elseif token:find "[\r\n]" then
    return nil, "has more than one line"
  elseif token:find "%c" then
    return nil, "has a control character in it"
  end
  return token
end

--- The token in a file that others renew.
---@param world personalize.World
---@param path string
---@return string? token
---@return string? why
---@return table? failure where waiting was interrupted
function M.token_in(world, path)
  return M.read(world, path, function(text)
    local token, why = M.token(text)
    return token, why and "it " .. why
  end)
end

--- What a path that cannot be read is answered with.
---@param why string? of `world.read`
---@return string
function M.unread(why)
  return why == "absent" and "there is no such file" or why or "unreadable"
end

-- Seconds between two looks at a file that others rewrite: one that is empty
-- or cut was caught between two steps of a writer, and is whole soon after.
local MOMENTS = { 0, 0.01, 0.05, 0.2 }

--- Reads a file that others rewrite, until it is whole or was not for too long.
---@generic T
---@param world personalize.World
---@param path string
---@param parse fun(text: string): T?, string? nil and why, where the text is not
--- whole
---@return T? value
---@return string? text where it was whole; else why it is not
---@return table? failure where waiting was interrupted
function M.read(world, path, parse)
  local why
  for _, moment in ipairs(MOMENTS) do
    local ok, e = true, nil
    if moment > 0 then
      ok, e = (world.pause or core.sleep)(moment)
    end
    if not ok then
      return nil, why, type(e) == "table" and e or { code = "InterruptedError",
        kind = "client", message = "interrupted while reading " .. path }
    end
    local text, unread = world.read(path)
    local value
    if text then
      value, why = parse(text)
    else
      why = M.unread(unread)
    end
    if value ~= nil then
      return value, text
    end
  end
  return nil, why
end

--- The same for a document that this client renews. What could not be written
--- counts as long as the file stays as it was.
---@generic T
---@param world personalize.World
---@param path string
---@param parse fun(text: string): T?, string?
---@return T? value
---@return string? text of the file; or why there is no value
---@return table? failure
function M.load(world, path, parse)
  local value, text, failure = M.read(world, path, parse)
  local renewed = value and world.renewed and world.renewed[path]
  if renewed and renewed.instead_of == text then
    value = parse(renewed.text)
  end
  return value, text, failure
end

--- Writes a renewed document to where it was loaded from, and warns where that
--- did not go well: then this client remembers it.
---@param world personalize.World
---@param what string
---@param path string
---@param document table
---@param instead_of string what `load` read there
---@return boolean? ok
function M.keep(world, what, path, document, instead_of)
  local text = M.encode(document)
  local ok, why = world.write(path, text)
  if world.renewed then
    world.renewed[path] = not ok and { text = text,
      instead_of = instead_of } or nil
  end
  if why and world.warn then
    world.warn(("the renewed %s was %s %s: %s"):format(what,
      ok and "written to" or "not written to", path, why))
  end
  return ok
end

return M
