--- A local AWS for a spec: started, steered while it runs, and ended.
-- Knows local-aws's ready line and its /_local paths; refuses to know what
-- the specs try with it.

local child = require "spec.support.child"
local json = require "spec.support.json"
local personalize = require "personalize"
local surroundings = require "spec.support.surroundings"
local write = require("cjson").encode

local aws = {}

local methods = {}
local mt = { __name = "spec.aws", __index = methods }

local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or "spec/support/"

--- Starts one with these options (shell text), and `env` (text before the
-- command, such as "env A=b "). The answer has the members of
-- its ready line: endpoint, ca_bundle, region, bucket, role_arn ...
function aws.start(options, env)
  local process = child.start((env or "") .. child.quote(HERE .. "local-aws") .. " " ..
    (options or ""))
  local line = process:line()
  if not line then
    process:stop()
    error("the local AWS did not start", 0)
  end
  local server = json.decode(line)
  server.endpoint = surroundings.endpoint(server.endpoint)
  server.process = process
  server.admin_handle = require("personalize.curl").handle()
  return setmetatable(server, mt)
end

function methods:stop()
  self.admin_handle:close()
  self.process:stop()
end

--- Asks one of the /_local paths; `value` is sent as JSON.
function methods:admin(method, path, value)
  local response, failure = self.admin_handle:perform {
    method = method,
    url = self.endpoint .. "/_local/" .. path,
    headers = {},
    body = value and write(value) or nil,
    ca_bundle = self.ca_bundle,
    timeout = 60,
    connect_timeout = 60,
    direct = true,
  }
  assert(response, failure and failure.message)
  assert(response.status == 200, response.body)
  return json.decode(response.body)
end

--- Back to the state of the start: no jobs, faults, requests.
function methods:reset()
  self:admin("POST", "reset")
end

--- A fault, as local-aws --help describes them.
function methods:fault(fault)
  self:admin("POST", "fault", fault)
end

--- { count =, requests = { { operation =, status =, request_id = } ... } }
function methods:requests()
  return self:admin("GET", "requests")
end

function methods:last_request()
  local requests = self:requests().requests
  return requests[#requests]
end

--- The options of a client of this server, with `more` over them.
function methods:options(more)
  local options = {
    endpoint = self.endpoint,
    region = self.region,
    ca_bundle = surroundings.ca_bundle(self.ca_bundle),
    credentials = { access_key_id = self.access_key_id,
      secret_access_key = self.secret_access_key },
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

function methods:client(more)
  return personalize.new(self:options(more))
end

--- The input of a create that succeeds, with `more` over it.
function methods:job(name, more)
  local input = {
    jobName = name,
    datasetGroupArn = self.dataset_group_arn,
    dataSource = { dataLocation = "s3://" .. self.bucket .. "/users.csv" },
    roleArn = self.role_arn,
  }
  for member, value in pairs(more or {}) do
    input[member] = value
  end
  return input
end

return aws
