--- What of a dataset group's inventory stands in the way just now: what runs,
-- what will run by itself, what brings users back.
-- Refuses to know how it was read.

local activity = require "personalize.preflight.activity"
local ascii = require "personalize.ascii"
local core = require "personalize.core"

local M = {}

local CODES = { import = "import_running", export = "export_running",
  training = "training_running", batch = "batch_running",
  update = "training_running" }

local function add_running(findings, group)
  for _, found in ipairs(group.activities) do
    if activity.is_running(found.status) and
      not activity.is_leaving(found.status) then
      findings:add(CODES[found.what], { subject = found.arn,
        dataset_group_arn = group.arn, status = found.status,
        message = ("%s is %s"):format(ascii.capital(found.name),
          activity.words(found.status)),
        began = found.created and core.time_text(found.created) or nil })
    end
  end
end

-- AWS trains a solution by itself every 7 days, unless it was told otherwise.
local DEFAULT_DAYS = 7

-- What a solution does by itself: the schedule in days, and whether it is updated
-- incrementally. What UpdateSolution has changed counts once it is ACTIVE.
local function habits_of(solution)
  local update = solution.latestSolutionUpdate or {}
  if update.status ~= "ACTIVE" then
    update = {}
  end
  local function latest(member)
    if update[member] ~= nil then
      return update[member]
    end
    return solution[member]
  end
  local is_automatic = latest "performAutoTraining" ~= false
  local config = (update.solutionUpdateConfig or {}).autoTrainingConfig or
    (solution.solutionConfig or {}).autoTrainingConfig or {}
  return is_automatic and (activity.days(config.schedulingExpression) or
    DEFAULT_DAYS) or nil, latest "performIncrementalUpdate" == true
end

local function add_habits(findings, group)
  for _, solution in ipairs(group.solutions or {}) do
    if solution.is_described and not activity.is_leaving(solution.status) and
      solution.status ~= "CREATE FAILED" then
      local days, is_incremental = habits_of(solution)
      local fields = { subject = solution.solutionArn,
        dataset_group_arn = group.arn }
      local last = (solution.latestSolutionVersion or {}).creationDateTime
      if days then
        fields.message = ("The solution %s is trained by itself every %s%s"):
          format(solution.name or solution.solutionArn, days == 1 and "day" or
          ("%d days"):format(days), last and ", last on " ..
          core.time_text(last) or "")
        findings:add("auto_training", fields)
      end
      if is_incremental then
        fields.message = ("The solution %s is updated incrementally as data " ..
          "comes in"):format(solution.name or solution.solutionArn)
        findings:add("incremental_update", fields)
      end
    end
  end
end

-- A recommender that is being made, started or updated is trained.
local function add_recommenders(findings, group)
  for _, recommender in ipairs(group.recommenders or {}) do
    local name = recommender.name or recommender.recommenderArn or ""
    local fields = { subject = recommender.recommenderArn,
      dataset_group_arn = group.arn, status = recommender.status,
      message = ("The recommender %s is %s"):format(name,
        activity.words(recommender.status)) }
    if recommender.status == "ACTIVE" then
      findings:add("recommender_active", fields)
    elseif activity.is_running(recommender.status) and
      not activity.is_leaving(recommender.status) then
      findings:add("training_running", fields)
    end
  end
end

local function add_trackers(findings, group)
  for _, tracker in ipairs(group.trackers or {}) do
    if tracker.status == "ACTIVE" or
      activity.state(tracker.status) == "unknown" then
      findings:add("tracker_active", { subject = tracker.eventTrackerArn,
        dataset_group_arn = group.arn, status = tracker.status,
        message = ("The event tracker %s takes events"):format(
          tracker.name or tracker.eventTrackerArn or "") })
    end
  end
end

--- Adds what stands in the way.
---@param findings personalize.Findings
---@param group personalize.GroupInventory
function M.judge(findings, group)
  add_running(findings, group)
  add_habits(findings, group)
  add_recommenders(findings, group)
  add_trackers(findings, group)
end

return M
