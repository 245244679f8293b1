--- A private nginx for a spec: its configuration written into a folder of its
-- own, started on a loopback port, asked, signalled, ended by pid.
-- Knows nginx's directives; refuses to know what the Lua in it does.

local child = require "spec.support.child"
local core = require "personalize.core"
local patience = require "spec.support.patience"

local nginx = {}

local methods = {}
local mt = { __name = "spec.nginx", __index = methods }

local quote = child.quote

local function output_of(command)
  local process = child.start(command)
  local text = process:rest()
  process:stop()
  return text
end

local ROOT = output_of("pwd"):match "[^\n]+"
local MODULES = { "ndk_http_module.so", "ngx_http_lua_module.so" }
local FOLDERS = { "/usr/lib/nginx/modules/", "/usr/share/nginx/modules/",
  "/usr/lib64/nginx/modules/" }

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close() and true
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

-- An nginx with Lua built in has no module to load.
local function load_modules()
  local lines = {}
  for _, name in ipairs(MODULES) do
    for _, folder in ipairs(FOLDERS) do
      if exists(folder .. name) then
        lines[#lines + 1] = ("load_module %s%s;"):format(folder, name)
        break
      end
    end
  end
  return table.concat(lines, "\n")
end

--- A folder that is removed with `nginx.remove`.
function nginx.folder()
  return (output_of "mktemp -d":match "[^\n]+")
end

function nginx.remove(folder)
  assert(folder:find "^/[^/]+/.")
  os.execute("rm -rf " .. quote(folder))
end

--- Makes an authority (ca.pem, ca.key) that local-aws and the fault server
-- take for theirs when SPEC_CA names the folder: nginx reads what it trusts
-- when it starts, and so before they do.
function nginx.make_authority(folder)
  local status = os.execute(("openssl req -x509 -newkey ec -pkeyopt " ..
    "ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=spec authority' " ..
    "-addext keyUsage=critical,keyCertSign,cRLSign -keyout %s/ca.key " ..
    "-out %s/ca.pem 2>/dev/null"):format(folder, folder))
  assert(status == true or status == 0, "openssl made no authority")
  return folder .. "/ca.pem"
end

--- Makes a certificate of that authority for localhost: server.pem and its key.
function nginx.make_certificate(folder)
  write(folder .. "/server.ext", "subjectAltName=DNS:localhost\n")
  local status = os.execute(("cd %s && openssl req -newkey ec -pkeyopt " ..
    "ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key " ..
    "-out server.csr 2>/dev/null && openssl x509 -req -in server.csr -days 2 " ..
    "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext " ..
    "-out server.pem 2>/dev/null"):format(quote(folder)))
  assert(status == true or status == 0, "openssl made no certificate")
end

local TEMPLATE = [[
$modules
daemon off;
$user
worker_processes $workers;
pid $folder/pid;
error_log $folder/error.log $level;
worker_rlimit_nofile 4096;
$main
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  lua_package_path "$root/src/?.lua;$root/src/?/init.lua;$root/?.lua;;";
  lua_package_cpath "$root/build/5.1/?.so;;";
  lua_ssl_protocols TLSv1.2 TLSv1.3;
  lua_ssl_verify_depth 5;
  $trust
  $http
  server {
    listen $listen;
    location = /ready { return 200 ready; }
    $server
  }
}
]]

--- The text of a configuration. `given` may have: main, http, server (text in
-- these blocks), trust (a file of certificates), workers, level (of the log).
function nginx.configuration(folder, listen, given)
  local values = {
    folder = folder, listen = listen, root = ROOT, modules = load_modules(),
    user = output_of "id -u":match "^0\n" and "user root;" or "",
    workers = given.workers or 1, level = given.level or "notice",
    main = given.main or "", http = given.http or "",
    server = given.server or "",
    trust = given.trust and
      ("lua_ssl_trusted_certificate %s;"):format(given.trust) or "",
  }
  return (TEMPLATE:gsub("%$(%l+)", values))
end

--- A port that nobody has at this moment.
function nginx.free_port()
  local taken = read "/proc/net/tcp"
  while true do
    local high, low = core.random(2):byte(1, 2)
    local port = 10000 + (high * 256 + low) % 20000
    if not taken:find((":%04X "):format(port), 1, true) then
      return port
    end
  end
end

--- The shell text that runs nginx in the foreground.
-- `env` is shell text before it, such as "env A=b".
function nginx.command(folder, env)
  return ("%s nginx -p %s -c %s/nginx.conf -e %s/error.log"):format(env or "",
    quote(folder), quote(folder), quote(folder))
end

--- Starts one and waits until it answers. `given` as for `configuration`, and
-- env (shell text before the command); or else `command`, a function of folder
-- and port that answers the shell text for one with a configuration of its own.
function nginx.start(given)
  local self = setmetatable({ folder = given.folder or nginx.folder(),
    is_guest = given.folder ~= nil,
    handle = require("personalize.curl").handle() }, mt)
  for attempt = 1, 5 do
    self.port = nginx.free_port()
    self.url = "http://127.0.0.1:" .. self.port
    local command = given.command and given.command(self.folder, self.port)
    if not command then
      write(self.folder .. "/nginx.conf",
        nginx.configuration(self.folder, "127.0.0.1:" .. self.port, given))
      command = nginx.command(self.folder, given.env)
    end
    self.process = child.start(command .. " 2>&1 </dev/null")
    if self:await(given.command and 404 or 200) then
      return self
    end
    local said = self.process:rest()
    self.process:stop()
    -- Another process may have taken the port meanwhile.
    if attempt == 5 or not (said .. self:log()):find("in use", 1, true) then
      self:remove()
      error("nginx did not start: " .. said .. self:log(), 0)
    end
  end
end

-- Until it answers with a status; false where it ended instead.
function methods:await(status)
  local stat = ("/proc/%d/stat"):format(self.process.pid)
  return patience.await("nginx", function()
    local response = self.handle:perform { method = "GET",
      url = self.url .. "/ready", timeout = patience.LAST, direct = true }
    return response and response.status == status and "it answers" or
      (not exists(stat) or read(stat):find "%) Z ") and "it ended"
  end) == "it answers"
end

--- The answer to a GET of a path (or a POST of `body`).
function methods:get(path, timeout, body)
  local response, failure = self.handle:perform {
    method = body and "POST" or "GET", url = self.url .. path, body = body,
    timeout = timeout or patience.LAST, direct = true }
  assert(response, failure and failure.message .. "\n" .. self:log())
  return response.body, response.status
end

--- The error log of a folder's nginx, without what it notices about itself.
function nginx.log(folder)
  return (read(folder .. "/error.log"):gsub("[^\n]*%[notice%][^\n]*\n", ""))
end

function methods:log()
  return nginx.log(self.folder)
end

--- All of the error log.
function methods:whole_log()
  return read(self.folder .. "/error.log")
end

function methods:signal(name)
  self.process:signal(name)
end

--- The pids of the worker processes.
function methods:workers()
  -- A bare system has no ps.
  local pids = {}
  for pid in output_of "ls /proc":gmatch "%f[%d](%d+)%f[^%d]" do
    local parent = read("/proc/" .. pid .. "/stat"):match "%) %a (%d+)"
    if tonumber(parent) == self.process.pid then
      pids[#pids + 1] = tonumber(pid)
    end
  end
  table.sort(pids)
  return pids
end

function methods:remove()
  self.handle:close()
  if not self.is_guest then
    nginx.remove(self.folder)
  end
end

--- Ends it and takes its folder away. Idempotent.
function methods:stop()
  if self.process then
    self.process:stop()
    self.process = nil
    self:remove()
  end
end

return nginx
