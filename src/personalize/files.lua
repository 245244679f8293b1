--- The files that AWS's tools share: where they lie and what they say
-- together. Knows paths and merging; the grammar is the core's. Refuses to
-- know what a key means.

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

--- A path with "~" at its start as the home directory.
---@param path string
---@param env fun(name: string): string?
---@return string
function M.expand(path, env)
  local rest = path:match("^~([/\\].*)$") or path == "~" and ""
  local home = rest and (env "HOME" or env "USERPROFILE")
  return home and home .. rest or path
end

local PLACES = {
  { kind = "config", variable = "AWS_CONFIG_FILE", usual = "~/.aws/config" },
  { kind = "credentials", variable = "AWS_SHARED_CREDENTIALS_FILE",
    usual = "~/.aws/credentials" },
}

---@class personalize.Files
---@field profiles table<string, table<string, string>>
---@field sso_sessions table<string, table<string, string>>
---@field services table<string, table<string, string>>
---@field lines table by kind of file, then as above: where a key stands
---@field paths table<string, string> by kind of file

--- Reads both files; one that is absent says nothing.
---@param env fun(name: string): string?
---@param read fun(path: string): string?, string?
---@return personalize.Files? files
---@return table? failure an error's fields
function M.load(env, read)
  local files, paths
  paths = {}
  for _, place in ipairs(PLACES) do
    local path = M.expand(env(place.variable) or place.usual, env)
    local text, why = read(path)
    if not text and why ~= "absent" then
      return nil, { code = "ConfigError", kind = "client",
        message = ("%s cannot be read: %s"):format(path, why) }
    end
    local found, wrong, line = core.ini(text or "", place.kind, files)
    if not found then
      return nil, { code = "ConfigError", kind = "client",
        message = ("%s, line %d: %s"):format(path, line, wrong) }
    end
    files, paths[place.kind] = found, path
  end
  files.paths = paths
  return files
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
