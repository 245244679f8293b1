--- The dataset groups of an account in a region: all that a deletion may be for,
-- and those that it forgets.
-- Refuses to know what is in a group.

local Error = require "personalize.error"
local core = require "personalize.core"
local pages = require "personalize.pages"

local M = {}

--- A dataset group that nobody asked for.
---@class personalize.OtherGroup
---@field dataset_group_arn string
---@field status? string

--- All of them. Errors: those of ListDatasetGroups.
---@param client personalize.Client
---@param on_page? fun(meta: personalize.Meta)
---@return table[] summaries
function M.list(client, on_page)
  local found = {}
  for group in pages.each(client, "ListDatasetGroups", "datasetGroups",
    { maxResults = 100 }, on_page) do
    found[#found + 1] = group
  end
  return found
end

local function set_of(list)
  local found = {}
  for _, value in ipairs(list or {}) do
    found[value] = true
  end
  return found
end

--- The ARNs of all that have data, the ACTIVE ones, but for the exceptions. Raises
-- ParamValidationError where an exception is none of them: a mistyped one would be
-- deleted from.
---@param summaries table[]
---@param except? string[] ARNs
---@param operation? string for the error
---@return string[]
function M.choose(summaries, except, operation)
  local is_excepted, known, found = set_of(except), {}, {}
  for _, group in ipairs(summaries) do
    local arn = group.datasetGroupArn
    known[arn or ""] = true
    if arn and group.status == "ACTIVE" and not is_excepted[arn] then
      found[#found + 1] = arn
    end
  end
  local faults = {}
  for i, arn in ipairs(except or {}) do
    if not known[arn] then
      faults[#faults + 1] = { path = ("except[%d]"):format(i),
        code = "mismatch", message = "is none of the account's dataset " ..
        "groups in this region" }
    end
  end
  if #faults == 0 and #found == 0 then
    faults[1] = { path = "all_dataset_groups", code = "mismatch", message =
      "finds no dataset group in this account and region that is ACTIVE" ..
      (except and ", but for those of except" or "") }
  end
  if #faults > 0 then
    Error.refuse(faults, operation)
  end
  return found
end

--- Those that are not asked for, but for those that are going away.
---@param summaries table[]
---@param asked string[] ARNs
---@return personalize.OtherGroup[]
function M.others(summaries, asked)
  local is_asked, found = set_of(asked), {}
  for _, group in ipairs(summaries) do
    local arn, status = group.datasetGroupArn, group.status
    if arn and not is_asked[arn] and
      not (status and status:find "^DELETE") then
      found[#found + 1] = { dataset_group_arn = core.printable(arn),
        status = status and core.printable(status) }
    end
  end
  return found
end

--- What there is to say of others that have data, for a sentence: "a, b and 3
-- more"; nil where there is none.
---@param others personalize.OtherGroup[]
---@return string?
---@return integer count
function M.forgotten(others)
  local names, most = {}, 5
  for _, group in ipairs(others) do
    if group.status == "ACTIVE" then
      names[#names + 1] = group.dataset_group_arn
    end
  end
  local text = table.concat(names, ", ", 1, math.min(#names, most))
  return #names > most and ("%s and %d more"):format(text, #names - most) or
    #names > 0 and text or nil, #names
end

return M
