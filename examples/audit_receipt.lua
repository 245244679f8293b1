--- Answers an auditor: was this list deleted, when, and by which jobs? Needs
-- the receipt and the list; asks nobody.
--
--     lua audit_receipt.lua RECEIPT.json LIST

local cjson = require "cjson"
local personalize = require "personalize"

if not arg[2] then
  io.stderr:write "usage: audit_receipt.lua RECEIPT.json LIST\n"
  os.exit(252)
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Whoever wrote the file may have written what a terminal obeys.
local shown = personalize.printable

local receipt = cjson.decode(read(arg[1]))
local ok, why = personalize.verify_receipt(receipt, { file = arg[2] })
if not ok then
  print("The receipt is not that of this list: " .. why)
  os.exit(1)
end

print(("The receipt %s is that of this list: %d users."):format(
  shown(receipt.name), receipt.users))
for _, job in ipairs(receipt.jobs) do
  print(("%s, part %d, %s"):format(shown(job.status), job.part,
    shown(job.dataset_group_arn)))
  for _, step in ipairs(job.history) do
    print(("  %-12s %s"):format(shown(step.status),
      shown(step.time or "not seen")))
  end
  if job.num_deleted then
    print(("  %d records deleted"):format(job.num_deleted))
  end
end
print "Left to do:"
for _, duty in ipairs(receipt.remaining) do
  print("- " .. shown(duty))
end
