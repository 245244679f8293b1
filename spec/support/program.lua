--- The command as a process of its own, beside a local AWS, with a folder for its
-- files.
-- Knows the environment that leads to the server; refuses to know what the specs
-- try with it.

local child = require "spec.support.child"
local script = require "spec.support.script"

local quote = child.quote

local program = {}

local methods = {}
local mt = { __name = "spec.program", __index = methods }

--- For this server; until `remove`.
function program.new(server)
  local pipe = io.popen "mktemp -d"
  local folder = pipe:read "*l"
  pipe:close()
  return setmetatable({ server = server, folder = folder }, mt)
end

function methods:remove()
  os.execute("rm -r " .. quote(self.folder))
end

--- Empties the folder.
function methods:clear()
  os.execute("rm -f " .. quote(self.folder) .. "/*")
end

function methods:path(name)
  return self.folder .. "/" .. name
end

function methods:write(name, text)
  local file = assert(io.open(self:path(name), "wb"))
  file:write(text)
  file:close()
end

--- What is in a file; nil where there is none.
function methods:read(name)
  local file = io.open(self:path(name), "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

--- The shell text of a command line; `more` are variables, false to leave out one
-- of ours.
function methods:command(words, more)
  local server = self.server
  local variables = { AWS_REGION = server.region,
    AWS_ACCESS_KEY_ID = server.access_key_id,
    AWS_SECRET_ACCESS_KEY = server.secret_access_key,
    AWS_ENDPOINT_URL = server.endpoint, AWS_EC2_METADATA_DISABLED = "true",
    AWS_CONFIG_FILE = "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE = "/dev/null", no_proxy = "127.0.0.1" }
  for name, value in pairs(more or {}) do
    variables[name] = value
  end
  local set = {}
  for name, value in pairs(variables) do
    set[#set + 1] = value and name .. "=" .. quote(value) or nil
  end
  return "env " .. table.concat(set, " ") .. " " ..
    script.command("src/bin/personalize", words)
end

--- Runs a command line. Answers its status, standard output, standard error;
-- `shape` is shell text around it, at its "%s".
function methods:run(words, more, shape)
  local process = child.start("sh -c " .. quote((shape or "%s"):format(
    ("{ %s; echo $? >%s; } 2>%s"):format(self:command(words, more),
    quote(self:path "status"), quote(self:path "stderr")))))
  local out = process:rest()
  process:stop()
  return tonumber(self:read "status"), out, self:read "stderr"
end

return program
