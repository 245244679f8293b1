--- Each fault of the fault server against the fetching of credentials: from
-- STS, a container and an instance. The table is printed: how the call that
-- wanted them ends, and after what time. None hangs, none leaves a descriptor
-- behind, none lets a call go out, none shows a secret.

local child = require "spec.support.child"
local counts = require "spec.support.counts"
local cjson = require "cjson"
local environment = require "spec.support.environment"
local fault_table = require "spec.support.fault_table"
local patience = require "spec.support.patience"
local personalize = require "personalize"

local descriptors, sorted = counts.descriptors, counts.sorted
local now = patience.now

local ID, SECRET = "AKIDPLANTED", "planted-secret-key-0123456789"

local CONFIG = "[profile r]\nregion = eu-west-1\n" ..
  "credential_source = Environment\n" ..
  "role_arn = arn:aws:iam::123456789012:role/Eraser\n"

describe("a fault on the way to credentials", function()
  if _VERSION ~= "Lua 5.4" then
    pending "the same C and Lua as on 5.4, where it runs"
    return
  end

  local server, info, config
  local rows = {}

  setup(function()
    server = child.start("python3 spec/support/faults.py </dev/null")
    info = cjson.decode((assert(server:line(), "no fault server")))
    config = os.tmpname()
    local file = assert(io.open(config, "w"))
    file:write(CONFIG)
    file:close()
  end)
  teardown(function()
    environment.restore()
    os.remove(config)
    server:stop()
    print(("\n%-22s %s"):format("fault",
      "STS / container / instance: outcome, cause, attempts, seconds"))
    for _, row in ipairs(rows) do
      print(row)
    end
  end)
  after_each(environment.restore)

  -- What surrounds a client whose credentials come by way of `url`.
  local SOURCES = {
    function(url)
      return { AWS_ACCESS_KEY_ID = ID, AWS_SECRET_ACCESS_KEY = SECRET,
        AWS_CONFIG_FILE = config, AWS_ENDPOINT_URL_STS = url },
        { profile = "r" }
    end,
    function(url)
      return { AWS_CONTAINER_CREDENTIALS_FULL_URI = url,
        AWS_CONTAINER_AUTHORIZATION_TOKEN = SECRET }, {}
    end,
    function(url)
      return { AWS_EC2_METADATA_DISABLED = "false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT = url }, {}
    end,
  }

  local function run(source, case, url)
    local variables, options = source(url)
    variables.AWS_SHARED_CREDENTIALS_FILE = "/dev/null"
    variables.AWS_CONFIG_FILE = variables.AWS_CONFIG_FILE or "/dev/null"
    environment.set(variables)
    local asked, called = 0, 0
    options.region, options.ca_bundle = "eu-west-1", info.ca_bundle
    options.endpoints = { personalize = "http://127.0.0.1:9" }
    options.timeout = case.timeout or 60
    options.connect_timeout = case.connect_timeout
    options.sleep = function() end -- the waits are known
    options.on_event = function(event)
      if event.name ~= "attempt" then
        return
      elseif event.operation == "ListDataDeletionJobs" then
        called = called + 1
      else
        asked = asked + 1
      end
    end
    local client = personalize.new(options)
    local before = now()
    local ok, e = pcall(client.list_data_deletion_jobs, client)
    local elapsed = now() - before
    client:close()
    assert.is_false(ok)
    assert.is_true(personalize.is_error(e), tostring(e))
    assert.equal(0, called, "a call went out")
    -- A source that fails ends the chain; an instance without a metadata
    -- service is a machine without credentials.
    assert.is_true(e.code == "CredentialsError" or e.code ==
      "NoCredentialsError" and source == SOURCES[3], tostring(e))
    assert.equal("client", e.kind)
    for _, text in ipairs { tostring(e), e.cause and tostring(e.cause) or
      "" } do
      assert.falsy(text:find(SECRET, 1, true), text)
    end
    return ("%s%s %d %.2f"):format(e.code:gsub("Error$", ""),
      e.cause and " " .. (e.cause.code or "?") or "", asked, elapsed)
  end

  local function specify(name, case, url)
    it(name .. " ends as an error that names the source", function()
      local cells = {}
      for i, source in ipairs(SOURCES) do
        collectgarbage()
        local before = descriptors()
        cells[i] = run(source, case, url())
        assert.equal(before, descriptors(), "descriptors")
      end
      rows[#rows + 1] = ("%-22s %s"):format(name, table.concat(cells, " / "))
    end)
  end

  for _, name in ipairs(sorted(fault_table.FAULTS)) do
    specify(name, fault_table.FAULTS[name], function()
      return info.http .. "/" .. name
    end)
  end
  for _, name in ipairs(sorted(fault_table.PORTS)) do
    specify("port " .. name, fault_table.PORTS[name], function()
      return info.ports[name] .. "/ok"
    end)
  end
end)
