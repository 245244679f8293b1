--- From a Lua table to the checked, written and signed request.
-- Prints one line of JSON; the best of many rounds, since everything else on
-- the machine only adds.

local core = require "personalize.core"

local ROUNDS, CALLS = 100, 1000
local service = assert(core.service {
  endpoint = "https://personalize.eu-west-1.amazonaws.com",
  region = "eu-west-1",
  signing_name = "personalize",
  target_prefix = "AmazonPersonalize",
  user_agent = "personalize-lua/0.1.0 ua/2.1 os/linux lang/lua#5.4",
})
local credentials = {
  access_key_id = "AKIDEXAMPLE",
  secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}
local input = {
  jobName = "gdpr-2026-11-24",
  datasetGroupArn =
    "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
  dataSource = { dataLocation = "s3://erasure/2026-11-24/users.csv" },
  roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3",
}
local random = ("x"):rep(16)

local best = math.huge
for _ = 1, ROUNDS do
  local start = os.clock()
  for i = 1, CALLS do
    local attempt = core.attempt(service, "CreateDataDeletionJob", input,
      random, 3, true)
    assert(attempt:sign(credentials, 1795516500 + i))
  end
  best = math.min(best, os.clock() - start)
end
print(('{"bench":"sign","where":"%s","us_from_table":%.2f}'):format(
  jit and "LuaJIT" or _VERSION, best / CALLS * 1e6))
