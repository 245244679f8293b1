--- The way to one more service for a client: its endpoint, what requests to it
-- are signed for, and what they share with the client.
-- Knows endpoints; refuses to know operations.

local core = require "personalize.core"

local M = {}

--- What `call` needs of a service.
---@class personalize.Channel
---@field service userdata of the core; closed by whoever opened the channel
---@field url string
---@field region string
---@field transport function
---@field sleep function
---@field on_event? function
---@field max_attempts integer
---@field connect_timeout number
---@field ca_bundle? string
---@field proxy? string
---@field invalidate? fun(access_key_id: string)

---@class personalize.ChannelOptions
---@field service "s3"|"sts"|"iam"
---@field region string
---@field bucket? string of S3
---@field use_global? boolean the old way of STS

--- Opens a channel.
---@param settings table a client's, complete
---@param options personalize.ChannelOptions
---@return personalize.Channel?
---@return string? wrong
function M.open(settings, options)
  local url, signing = core.endpoint { service = options.service,
    region = options.region, bucket = options.bucket,
    endpoint = settings.endpoint_of(options.service),
    addressing = options.bucket and settings.s3_addressing,
    use_fips = settings.use_fips, use_dualstack = settings.use_dualstack,
    use_global = options.use_global }
  if not url then
    return nil, signing
  end
  local service, wrong = core.service { endpoint = url,
    region = signing.signing_region or options.region,
    signing_name = signing.signing_name, target_prefix = "",
    user_agent = settings.user_agent,
    adaptive = settings.retry_mode == "adaptive",
    keep_clock = settings.disable_clock_skew_correction }
  if not service then
    return nil, wrong
  end
  return { service = service, url = service:url(), region = options.region,
    transport = settings.transport, sleep = settings.sleep,
    on_event = settings.on_event, max_attempts = settings.max_attempts,
    connect_timeout = settings.connect_timeout,
    ca_bundle = settings.ca_bundle, proxy = settings.proxy,
    invalidate = settings.invalidate }
end

return M
