--- A bucket of a local AWS, as a client would open it.
-- Knows how a client completes its settings, and the server's books; refuses to
-- know what is tried with it.

local aws = require "spec.support.aws"
local config = require "personalize.config"
local core = require "personalize.core"
local environment = require "spec.support.environment"
local s3 = require "personalize.s3"
local sources = require "spec.support.sources"

local bucket = {}

bucket.KEY = "lists/a b/users.csv"
bucket.TEXT = "USER_ID\nalice\n"
bucket.BIG = ("0123456789abcdef"):rep(256 * 1024) -- 4 MiB

--- A local AWS whose bucket keeps versions, with nothing of the machine's
-- environment in sight; until `stop`.
function bucket.start()
  environment.set {}
  sources.install()
  return aws.start "--versioning"
end

function bucket.stop(server)
  server:stop()
  sources.restore()
  environment.restore()
end

--- Complete settings, as a client has them, of these options and this text of a
-- config file.
function bucket.settings(options, text)
  local settings = config.resolve(options)
  local keys = settings.credentials
  local shared = assert(core.ini(text or "", "config"))
  shared.paths = { config = "config", credentials = "credentials" }
  config.complete(settings, shared)
  settings.get_credentials = function() return keys end
  settings.sleep = settings.sleep or core.sleep
  if not settings.transport then
    settings.transport, settings.close =
      require("personalize.transport.curl").new()
  end
  return settings
end

--- The bucket of this server, or the one named in `more`; `options` are a
-- client's.
function bucket.open(server, options, more)
  more = more or {}
  return assert(s3.open(bucket.settings(server:options(options)), {
    bucket = more.bucket or server.bucket,
    expected_bucket_owner = more.expected_bucket_owner }))
end

--- A put of a text, or of a source of it with these faults.
function bucket.put(opened, key, text, faults)
  return opened:put { key = key, sha256 = core.sha256_hex(text),
    body = faults and sources.new(text, faults) or text }
end

--- What lies under a key, told by the server's own books.
function bucket.versions(server, key)
  local found = {}
  for _, object in ipairs(server:admin("GET", "objects").objects) do
    if object.key == key then
      found[#found + 1] = object
    end
  end
  return found
end

--- The operations that the server was asked for, as one text.
function bucket.operations(server)
  local names = {}
  for i, request in ipairs(server:requests().requests) do
    names[i] = request.operation
  end
  return table.concat(names, " ")
end

return bucket
