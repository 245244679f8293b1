--- Lists deletion jobs with the single sign-on of a laptop.
--
--     aws sso login --profile erasure
--     lua sso.lua erasure
--
-- The profile has sso_session, sso_account_id and sso_role_name. The token is
-- renewed while it can be; after that the error says to log in again.

local personalize = require "personalize"

if not arg[1] then
  io.stderr:write("usage: sso.lua PROFILE\n")
  os.exit(2)
end

local client = personalize.new { profile = arg[1] }
local ok, e = pcall(function()
  local identity = client:identity()
  print("as    " .. identity.source .. ", in " .. identity.region)
  local jobs = client:list_data_deletion_jobs().dataDeletionJobs or {}
  print("jobs  " .. #jobs)
end)
if not ok then
  print(tostring(e))
  os.exit(1)
end
