--- The files that AWS's tools share: where they lie and what they say
-- together. Knows paths and merging; the grammar is the core's. Refuses to
-- know what a key means.

local ascii = require "personalize.ascii"
local core = require "personalize.core"

local M = {}

-- More is none of these files.
local READ_MOST = 4 * 1024 * 1024

--- The whole of a file. Never waits: a named pipe is refused, unopened.
---@param path string
---@return string? text
---@return string? why "absent", or what is wrong
---@return string? code of what is wrong: the name of an errno, such as "EACCES"
function M.read(path)
  local text, why, code = core.read_file(path, READ_MOST)
  if text then
    return text
  end
  return nil, code == "ENOENT" and "absent" or why, code
end

local function is_absolute(path)
  return path:find "^/" ~= nil or path:find "^[A-Za-z]:[/\\]" ~= nil
end

--- The user's home folder: HOME, or what the system has on the user. Without
-- HOME the system is asked, which may have to ask others (LDAP) and blocks.
---@param env fun(name: string): string?
---@return string? path
function M.home(env)
  for _, name in ipairs { "HOME", "USERPROFILE" } do
    local home = env(name)
    -- One that is not absolute would be a folder of wherever this runs.
    if home and is_absolute(home) then
      return home
    end
  end
  return core.home()
end

--- A path with "~" or "~user" at its start as that user's home folder; nil
-- where there is none: "~" never is the name of a folder.
---@param path string
---@param env fun(name: string): string?
---@return string?
function M.expand(path, env)
  local user, rest = path:match "^~([^/\\]*)(.*)$"
  if not user then
    return path
  end
  local home
  if user == "" then
    home = M.home(env)
  elseif not user:find "%z" then
    home = core.home(user)
  end
  return home and home .. rest
end

local PLACES = {
  { kind = "config", variable = "AWS_CONFIG_FILE", usual = "~/.aws/config" },
  { kind = "credentials", variable = "AWS_SHARED_CREDENTIALS_FILE",
    usual = "~/.aws/credentials" },
}

-- How each kind of section is written.
local PREFIXES = { profiles = "profile ", sso_sessions = "sso-session ",
  services = "services " }

---@class personalize.Files
---@field profiles table<string, table<string, string>>
---@field sso_sessions table<string, table<string, string>>
---@field services table<string, table<string, string>>
---@field lines table by kind of file, then as above: where a key stands
---@field ignored table<string, table<string, integer>> by kind of file:
--- headers whose names do not count, and their lines
---@field paths table<string, string> by kind of file
---@field unread table<string, string> by kind of file: why it was not read,
--- although it may be there
---@field warnings string[]

-- A file that may not be read counts as absent: HOME may be another user's,
-- and all that is needed may be in the environment. With other errors (of the
-- disk, descriptors used up) the file would say something: those are told.
local COUNTS_AS_ABSENT = { EACCES = true, EINVAL = true, EISDIR = true,
  ELOOP = true, ENAMETOOLONG = true, ENODEV = true, ENOTDIR = true,
  ENXIO = true, EPERM = true }

local function config_error(message)
  return nil, { code = "ConfigError", kind = "client", message = message }
end

-- Somebody may just be writing: so much later the file is whole.
local MOMENT = 0.02

-- The file's sections, added to those of `files`. A file that is malformed or
-- empty is read once more.
local function read_place(place, path, files, read, pause)
  local found, wrong, line, text
  for look = 1, pause and 2 or 1 do
    if look > 1 then
      local ok, e = pause(MOMENT)
      if not ok then
        return nil, e or { code = "InterruptedError", kind = "client",
          message = "interrupted while reading " .. path }
      end
    end
    local why, code
    text, why, code = read(path)
    if not text and why ~= "absent" and not COUNTS_AS_ABSENT[code] then
      return config_error(("%s cannot be read: %s"):format(path, why))
    end
    found, wrong, line = core.ini(text or "", place.kind, files)
    if found and text ~= "" then
      return found, nil, not text and why ~= "absent" and why or nil
    end
  end
  if not found then
    return config_error(("%s, line %d: %s"):format(path, line, wrong))
  end
  return found
end

--- Reads both files. One that is absent says nothing; one that may not be read
-- leaves a warning.
---@param env fun(name: string): string?
---@param read fun(path: string): string?, string?, string? text; or nil,
--- "absent" or a reason, and the name of an errno
---@param pause? fun(seconds: number): boolean, table? false and why where it
--- was interrupted
---@return personalize.Files? files
---@return table? failure an error's fields
function M.load(env, read, pause)
  local files, failure, why
  local paths, unread, warnings = {}, {}, {}
  for _, place in ipairs(PLACES) do
    local named = env(place.variable)
    local given = named or place.usual
    local path = M.expand(given, env)
    paths[place.kind] = path or given
    if path then
      files, failure, why = read_place(place, path, files, read, pause)
    else
      files, failure = core.ini("", place.kind, files)
      why = "there is no home folder to find it in"
    end
    if not files then
      return nil, failure
    end
    unread[place.kind] = why
    if why and (path or named) then
      warnings[#warnings + 1] = ("%s%s cannot be read and counts as absent: " ..
        "%s"):format(named and place.variable .. ": " or "", path or given, why)
    end
  end
  files.paths, files.unread, files.warnings = paths, unread, warnings
  return files
end

-- A header or name with the differences gone that people overlook.
local function normal(name)
  return ascii.lower((name:gsub("[\"'\\%s]", "")))
end

-- As the section has to be written.
local function header(prefix, name)
  if name:find "[^A-Za-z0-9_/.%%@:+\128-\255-]" then
    local quote = name:find("'", 1, true) and '"' or "'"
    name = quote .. name .. quote
  end
  return ("[%s%s]"):format(prefix, name)
end

--- Why a section may be missing: files that were not read, and headers that do
-- not count and may be meant. "" or "; ..." for the end of a message.
---@param files table
---@param kind "profiles"|"sso_sessions"|"services"
---@param name string
---@return string
function M.missing(files, kind, name)
  local notes = {}
  local prefix = PREFIXES[kind]
  for _, place in ipairs(PLACES) do
    local path = files.paths and files.paths[place.kind] or place.usual
    local why = files.unread and files.unread[place.kind]
    if why then
      notes[#notes + 1] = ("%s could not be read: %s"):format(path, why)
    end
    local wanted = header(place.kind == "config" and prefix or "", name)
    for given, line in pairs(files.ignored and
      files.ignored[place.kind] or {}) do
      local bare = normal(given)
      if (bare == normal(name) or bare == normal(prefix .. name)) and
        (place.kind == "config" or kind == "profiles") then
        notes[#notes + 1] = ("%s, line %d: [%s] does not count; write %s")
          :format(path, line, given, wanted)
      end
    end
  end
  table.sort(notes)
  return #notes > 0 and "; " .. table.concat(notes, "; ") or ""
end

--- What to say of a profile that is not there.
---@param files personalize.Files
---@param name string
---@return string
function M.no_profile(files, name)
  local names = {}
  for known in pairs(files.profiles) do
    names[#names + 1] = known
  end
  table.sort(names)
  local nearest = core.nearest(name, names)
  local paths = files.paths
  return ("there is no profile %s in %s%s%s"):format(name, paths and
    paths.config .. " or " .. paths.credentials or "the shared files",
    nearest and ("; did you mean %s?"):format(nearest) or "",
    M.missing(files, "profiles", name))
end

--- Where a profile's key stands, as "FILE, line N".
---@param files personalize.Files
---@param profile string
---@param key string
---@return string
function M.where(files, profile, key)
  for i = #PLACES, 1, -1 do
    local kind = PLACES[i].kind
    local lines = files.lines and files.lines[kind]
    lines = lines and lines.profiles and lines.profiles[profile]
    if lines and lines[key] then
      return ("%s, line %d (%s)"):format(files.paths[kind], lines[key], key)
    end
  end
  return ("%s of profile %s"):format(key, profile)
end

return M
