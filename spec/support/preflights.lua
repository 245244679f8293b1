--- A look ahead at a local AWS whose world is made for it.
-- Knows the server's worlds; refuses to know what a look should find.

local aws = require "spec.support.aws"
local environment = require "spec.support.environment"

local preflights = {}

preflights.ACCOUNT = "123456789012"
preflights.ARN = "arn:aws:personalize:eu-west-1:123456789012:"
preflights.GROUP = preflights.ARN .. "dataset-group/shop"
preflights.BUCKET = "erasure"

--- The statement that AWS asks for in the bucket's policy.
function preflights.allow(more)
  local statement = { Effect = "Allow",
    Principal = { Service = "personalize.amazonaws.com" },
    Action = { "s3:GetObject", "s3:ListBucket" },
    Resource = { "arn:aws:s3:::erasure", "arn:aws:s3:::erasure/*" } }
  for name, value in pairs(more or {}) do
    statement[name] = value
  end
  return statement
end

function preflights.policy(...)
  return { Version = "2012-10-17", Statement = { ... } }
end

-- A world in which nothing is to be said of a dataset group without models.
local function quiet()
  return { datasetGroups = { { name = "shop", datasets = {
      { datasetType = "Interactions" } } } },
    buckets = { { name = preflights.BUCKET, policy = preflights.policy(
      preflights.allow()) } } }
end

--- One, with nothing of the machine's environment in sight; until `stop`.
function preflights.start(options)
  environment.set {}
  return aws.start(options)
end

function preflights.stop(server)
  server:stop()
  environment.restore()
end

--- Back to a world of which a look has nothing to say; with `world` on top.
function preflights.reset(server, world)
  server:reset()
  server:admin("POST", "world", quiet())
  if world then
    server:admin("POST", "world", world)
  end
end

--- The options of a look that finds nothing, with `more` over them.
function preflights.options(server, more)
  local options = { datasetGroupArn = preflights.GROUP,
    bucket = server.bucket, roleArn = server.role_arn }
  for name, value in pairs(more or {}) do
    options[name] = value
    if value == preflights.NONE then
      options[name] = nil
    end
  end
  return options
end
preflights.NONE = {}

--- Looks: the findings by their codes (the first of each), all of them, and the
-- summary.
function preflights.look(server, more, client_options)
  local client = server:client(client_options)
  local findings, summary = client:preflight(preflights.options(server, more))
  client:close()
  local by_code = {}
  for _, finding in ipairs(findings) do
    by_code[finding.code] = by_code[finding.code] or finding
  end
  return by_code, findings, summary
end

--- The codes of findings, sorted, each with its kind.
function preflights.codes(findings)
  local codes = {}
  for i, finding in ipairs(findings) do
    codes[i] = finding.kind .. " " .. finding.code
  end
  table.sort(codes)
  return codes
end

--- The operations that the server was asked for, counted.
function preflights.operations(server)
  return server:requests().operations
end

return preflights
