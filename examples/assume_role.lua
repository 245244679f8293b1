--- Lists the deletion jobs of another account, through a role there.
--
--     lua assume_role.lua PROFILE
--
-- All that is needed stands in ~/.aws/config:
--
--     [profile erasure]
--     role_arn = arn:aws:iam::210987654321:role/Eraser
--     source_profile = default
--     external_id = ...      # where the role demands one
--     mfa_serial = ...       # where it demands a code: it is asked for below
--     region = eu-west-1

local personalize = require "personalize"

if not arg[1] then
  io.stderr:write("usage: assume_role.lua PROFILE\n")
  os.exit(2)
end

local client = personalize.new {
  profile = arg[1],
  mfa_token = function(serial)
    io.write("code of ", serial, ": ")
    return io.read()
  end,
}
local ok, e = pcall(function()
  local identity = client:identity()
  print(("as    %s, key ...%s"):format(identity.source,
    identity.access_key_id))
  local jobs = client:list_data_deletion_jobs().dataDeletionJobs or {}
  print("jobs  " .. #jobs)
end)
if not ok then
  print(tostring(e))
  os.exit(1)
end
