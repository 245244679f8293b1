--- A bucket of a local AWS, as a client would open it.
-- Knows how a client completes its settings; refuses to know S3.

local config = require "personalize.config"
local core = require "personalize.core"
local s3 = require "personalize.s3"

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

return bucket
