--- What a receipt says of a run however often it was killed and gone on with.

local json = require "spec.support.json"

--- The receipt in this JSON without what may differ between runs; and the same as
-- it is.
---@param text string
return function(text)
  local receipt, whole = json.decode(text), json.decode(text)
  receipt.started, receipt.finished = nil, nil
  for i, part in ipairs(receipt.parts) do
    -- The list's; what S3 said of a put is another's, or lost with a run.
    receipt.parts[i] = { part = part.part, users = part.users,
      bytes = part.bytes, sha256 = part.sha256, location = part.location }
  end
  for _, job in ipairs(receipt.jobs) do
    job.request_id = nil
    -- What it was in between is seen or not, by the time of a look.
    job.history = job.history[#job.history].status
  end
  return receipt, whole
end
