--- A bucket of a local AWS, as a client would open it.
-- Knows how a client completes its settings, and the server's books; refuses to
-- know what is tried with it.

local config = require "personalize.config"
local core = require "personalize.core"
local s3 = require "personalize.s3"
local sources = require "spec.support.sources"

local bucket = {}

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
function bucket.open(aws, options, more)
  more = more or {}
  return assert(s3.open(bucket.settings(aws:options(options)), {
    bucket = more.bucket or aws.bucket,
    expected_bucket_owner = more.expected_bucket_owner }))
end

--- A put of a text, or of a source of it with these faults.
function bucket.put(opened, key, text, faults)
  return opened:put { key = key, sha256 = core.sha256_hex(text),
    body = faults and sources.new(text, faults) or text }
end

--- What lies under a key, told by the server's own books.
function bucket.versions(aws, key)
  local found = {}
  for _, object in ipairs(aws:admin("GET", "objects").objects) do
    if object.key == key then
      found[#found + 1] = object
    end
  end
  return found
end

--- The operations that the server was asked for, as one text.
function bucket.operations(aws)
  local names = {}
  for i, request in ipairs(aws:requests().requests) do
    names[i] = request.operation
  end
  return table.concat(names, " ")
end

return bucket
