--- What there is in dataset groups, and what runs in it: read, one call after the
-- other.
-- Knows the service's lists; refuses to know what follows from them.

local activity = require "personalize.preflight.activity"

local M = {}

-- Gone, or not yet shown: it is left out.
local GONE = { ResourceNotFoundException = true }
-- Lists of batch jobs may want a solution version: AWS does not say.
local WANTS_FILTER = { InvalidInputException = true, ValidationException = true }

--- What is known of a dataset group; what is nil could not be read.
---@class personalize.GroupInventory
---@field arn string
---@field activities personalize.Activity[]
---@field solutions? table[] described, or as listed
---@field versions table<string, table[]> by the solution's ARN, where listed
---@field recommenders? table[] described, or as listed
---@field trackers? table[]

---@param arn string
---@return personalize.GroupInventory
function M.new(arn)
  return { arn = arn, activities = {}, versions = {} }
end

-- Adds the jobs of a list; each is called "PREFIX its name SUFFIX".
local function add(group, what, prefix, suffix, jobs, arn_member)
  for _, job in ipairs(jobs or {}) do
    table.insert(group.activities, activity.of(what, ("%s %s%s"):format(
      prefix, job.jobName or "", suffix), job, arn_member))
  end
end

local function last_of(arn)
  return type(arn) == "string" and arn:match "[^/]*$" or "?"
end

--- Reads the imports and exports of a group's datasets.
---@param reader personalize.Reader
---@param group personalize.GroupInventory
function M.read_datasets(reader, group)
  local more = { dataset_group_arn = group.arn }
  local datasets = reader:list("ListDatasets", "datasets",
    { datasetGroupArn = group.arn },
    "the datasets, and so imports and exports,", more)
  for _, dataset in ipairs(datasets or {}) do
    local arn = dataset.datasetArn
    local kind = dataset.datasetType or last_of(arn)
    if arn then
      add(group, "import", "the import", " of the dataset " .. kind,
        reader:list("ListDatasetImportJobs", "datasetImportJobs",
          { datasetArn = arn }, "the imports of the dataset " .. kind, more),
        "datasetImportJobArn")
      add(group, "export", "the export", " of the dataset " .. kind,
        reader:list("ListDatasetExportJobs", "datasetExportJobs",
          { datasetArn = arn }, "the exports of the dataset " .. kind, more),
        "datasetExportJobArn")
    end
  end
end

--- Reads the versions of a solution, once.
---@param reader personalize.Reader
---@param group personalize.GroupInventory
---@param arn string of the solution
---@return table[]? versions
function M.versions(reader, group, arn)
  if not group.versions[arn] then
    group.versions[arn] = reader:list("ListSolutionVersions",
      "solutionVersions", { solutionArn = arn }, "the versions of the " ..
      "solution " .. last_of(arn), { dataset_group_arn = group.arn }, GONE)
  end
  return group.versions[arn]
end

local function add_training(group, solution, version)
  if type(version) ~= "table" then
    return
  end
  local how = version.trainingType == "AUTOMATIC" and "automatic training" or
    "training"
  table.insert(group.activities, activity.of("training", ("the %s of the " ..
    "solution %s"):format(how, last_of(solution.solutionArn)), version,
    "solutionVersionArn"))
end

--- Reads a group's solutions and what trains: their latest versions, or with
-- `all` every version.
---@param reader personalize.Reader
---@param group personalize.GroupInventory
---@param options { describe: boolean?, all: boolean? }
function M.read_solutions(reader, group, options)
  group.solutions = reader:list("ListSolutions", "solutions",
    { datasetGroupArn = group.arn }, "the solutions, and so training and " ..
    "batch jobs,", { dataset_group_arn = group.arn })
  for i, solution in ipairs(group.solutions or {}) do
    local arn = solution.solutionArn
    local output = arn and options.describe and reader:describe(
      "DescribeSolution", { solutionArn = arn }, "the solution " ..
      last_of(arn), { subject = arn, dataset_group_arn = group.arn })
    if output then
      solution = output.solution
      solution.is_described = true
      solution.solutionArn = arn
      group.solutions[i] = solution
    end
    local versions = arn and options.all and M.versions(reader, group, arn)
    for _, version in ipairs(versions or { solution.latestSolutionVersion }) do
      add_training(group, solution, version)
    end
  end
end

-- -- Batch jobs: of the account, or of each solution version --------------------

local BATCHES = {
  { "ListBatchInferenceJobs", "batchInferenceJobs", "batchInferenceJobArn",
    "the batch inference job" },
  { "ListBatchSegmentJobs", "batchSegmentJobs", "batchSegmentJobArn",
    "the batch segment job" },
}

-- The group that a solution version is of. Neither ARNs nor lists of batch jobs
-- name it.
local function owners(groups)
  local found = {}
  for _, group in ipairs(groups) do
    for _, solution in ipairs(group.solutions or {}) do
      if solution.solutionArn then
        found[solution.solutionArn] = group
      end
    end
  end
  return found
end

local function assign(groups, kind, jobs)
  local owner = owners(groups)
  for _, job in ipairs(jobs) do
    local version = job.solutionVersionArn
    local solution = type(version) == "string" and version:match "^(.*)/[^/]*$"
    local group = solution and owner[solution]
    if group then
      add(group, "batch", kind[4], "", { job }, kind[3])
    end
  end
end

local function read_by_version(reader, groups, kind)
  for _, group in ipairs(groups) do
    for _, solution in ipairs(group.solutions or {}) do
      local arn = solution.solutionArn
      for _, version in ipairs(arn and M.versions(reader, group, arn) or {}) do
        if version.solutionVersionArn then
          add(group, "batch", kind[4], "", reader:list(kind[1], kind[2],
            { solutionVersionArn = version.solutionVersionArn },
            "batch jobs", { dataset_group_arn = group.arn }, GONE), kind[3])
        end
      end
    end
  end
end

--- Reads the batch jobs of groups whose solutions are known: all of the account's
-- at once, or where that is refused, or `by_version` is wanted, version by version.
---@param reader personalize.Reader
---@param groups personalize.GroupInventory[]
---@param by_version? boolean
function M.read_batches(reader, groups, by_version)
  for _, kind in ipairs(BATCHES) do
    local jobs, refused
    if not by_version then
      jobs, refused = reader:list(kind[1], kind[2], {}, "batch jobs", {},
        WANTS_FILTER)
    end
    if jobs then
      assign(groups, kind, jobs)
    elseif by_version or refused then
      read_by_version(reader, groups, kind)
    end
  end
end

-- -- What serves ----------------------------------------------------------------

local function read_recommender(reader, group, arn)
  if not arn then
    return nil
  end
  return reader:describe("DescribeRecommender", { recommenderArn = arn },
    "the recommender " .. last_of(arn), { subject = arn,
      dataset_group_arn = group.arn })
end

local function add_update(group, arn, update)
  if type(update) == "table" then
    local found = activity.of("update", "the update of the recommender " ..
      last_of(arn), update)
    found.arn = arn
    table.insert(group.activities, found)
  end
end

--- Reads a group's recommenders, and updates of them, which train.
---@param reader personalize.Reader
---@param group personalize.GroupInventory
function M.read_recommenders(reader, group)
  local more = { dataset_group_arn = group.arn }
  group.recommenders = reader:list("ListRecommenders", "recommenders",
    { datasetGroupArn = group.arn }, "the recommenders", more)
  local found = {}
  for _, recommender in ipairs(group.recommenders or {}) do
    local arn = recommender.recommenderArn
    local output, is_gone = read_recommender(reader, group, arn)
    if output then
      recommender = output.recommender
      recommender.recommenderArn = arn
    end
    if not is_gone then
      found[#found + 1] = recommender
    end
    add_update(group, arn, recommender.latestRecommenderUpdate)
  end
  group.recommenders = group.recommenders and found
end

--- Reads a group's event trackers.
---@param reader personalize.Reader
---@param group personalize.GroupInventory
function M.read_trackers(reader, group)
  group.trackers = reader:list("ListEventTrackers", "eventTrackers",
    { datasetGroupArn = group.arn }, "the event trackers",
    { dataset_group_arn = group.arn })
end

return M
