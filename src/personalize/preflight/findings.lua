--- What a look can find: in which way it stands in the way of a deletion, why,
-- and what to do about it.
-- Knows the words; refuses to know how anything is found out.

local core = require "personalize.core"

local M = {}

---@alias personalize.FindingKind
---| "blocker" the deletion fails, or deletes what it should not
---| "warning" it may not hold, or something is left behind
---| "unknown" it could not be read, or nobody here can judge it

--- Texts are for people; `kind`, `code` and `action` are for programs.
---@class personalize.Finding
---@field kind personalize.FindingKind
---@field code string such as "training_running"
---@field subject? string what it is about: an ARN, "s3://bucket"
---@field dataset_group_arn? string where it is about something of one
---@field status? string of the subject, as AWS tells it
---@field message string what was found
---@field reason? string why it matters; where something could not be read, what
--- AWS said
---@field basis? "AWS"|"inferred" who says so: AWS's documentation, or reason
---@field advice? string what to do about it
---@field operation? string that could not be read
---@field error? string the code of its error
---@field action? string the IAM action that was missing
---@field began? string when it began, by AWS's clock
---@field ended? string when it ended

local X, W, UNKNOWN = "blocker", "warning", "unknown"
local AWS, INFERRED = "AWS", "inferred"

local NOT_GUARANTEED = "where training, an import or a batch job runs when a " ..
  "job is created or before it ends, AWS does not guarantee that the users " ..
  "are removed from models, and advises another job"
local BRINGS_BACK = "events and records that are sent later bring a user back"
local SURVIVES = "the list is personal data, and is to be gone in the end"
local ROLES = "README, Roles and policies to copy"

-- code -> kind, basis, reason, advice
local KNOWN = {
  group_missing = { X, AWS, "a create would be refused with " ..
    "ResourceNotFoundException", "Check the ARN, the region and the account " ..
    "(personalize identity)." },
  group_not_active = { X, INFERRED, "only an ACTIVE dataset group has data " ..
    "that a job can work on", "Wait until it is ACTIVE, or leave it out." },
  account_mismatch = { X, AWS, "a role is passed to a service only within its " ..
    "own account, and a dataset group is used from its own account and region",
    "Use credentials and a region of the dataset group (personalize " ..
    "identity), and a role of its account." },
  role_missing = { X, AWS, "Amazon Personalize reads the list as this role",
    "Create the role, or give one that exists (" .. ROLES .. ")." },
  role_untrusted = { X, AWS, "Amazon Personalize can take up only a role whose " ..
    "trust policy allows that", "Let the trust policy allow sts:AssumeRole to " ..
    "personalize.amazonaws.com (" .. ROLES .. ")." },
  bucket_missing = { X, AWS, "the list has to lie in it",
    "Create the bucket, or give one that exists." },
  bucket_vpc_only = { X, AWS, "Amazon Personalize cannot read a bucket that " ..
    "only a VPC can reach", "Take a bucket without such a condition." },
  bucket_directory = { X, INFERRED, "nothing says that Amazon Personalize " ..
    "can read directory buckets", "Take a general purpose bucket." },
  bucket_denies = { X, INFERRED, "what a policy denies, no other one allows",
    "Exempt Amazon Personalize and its role from the Deny, or take another " ..
    "bucket." },
  upload_denied = { X, INFERRED, "a list is put with S3's own encryption " ..
    "(AES256), since it must not lie under a key of yours",
    "Exempt the lists from the Deny, or take another bucket." },
  bucket_elsewhere = { X, INFERRED, "AWS says of the input of batch jobs that " ..
    "it has to be in the same region, and of these lists nothing",
    "Take a bucket of the region; or, if jobs have read lists from this one " ..
    "before, allow_other_region (--allow-other-region)." },
  list_missing = { X, INFERRED, "a job without a list FAILS",
    "Upload the list first, or correct the location." },
  list_under_key = { X, AWS, "a list of users to delete must not lie under a " ..
    "KMS key of yours", "Put it again with AES256." },
  folder_has_others = { X, AWS, "a job over a folder deletes the users of " ..
    "every .csv in it and in its sub folders", "Name the object, or take a " ..
    "folder of its own for each list." },
  list_too_large = { X, AWS, "a job takes at most 100 MB of lists",
    "Take a smaller part_size (--part-size)." },
  pending_quota = { X, AWS, "a dataset group can have 5 PENDING jobs, unless " ..
    "AWS has raised that", "Wait until one has started (personalize list), " ..
    "or give the quota that you have (max_pending)." },
  name_taken = { X, AWS, "names of jobs are unique in account and region",
    "Take another name for another list." },

  name_used = { W, INFERRED, "a run goes on with the jobs of its name that are " ..
    "over the same list, and refuses those over another",
    "Make sure that it is the same list." },
  bucket_default_key = { W, INFERRED, "AWS forbids keys of yours on the bucket " ..
    "of the list; a list that is put with AES256 does not lie under them",
    "Take a bucket that encrypts with S3's own key (SSE-S3)." },
  bucket_policy_lacks = { W, AWS, "AWS asks that the role's policy and the " ..
    "bucket's allow Amazon Personalize to read", "Add the statement to the " ..
    "bucket's policy (" .. ROLES .. ")." },
  role_denied = { W, INFERRED, "Amazon Personalize reads the list as this " ..
    "role; a simulation does not see the bucket's policy", "Let the role's " ..
    "policy allow s3:GetObject and s3:ListBucket (" .. ROLES .. ")." },
  import_running = { W, AWS, NOT_GUARANTEED, "Wait until it is over." },
  training_running = { W, AWS, NOT_GUARANTEED, "Wait until it is over." },
  batch_running = { W, AWS, NOT_GUARANTEED, "Wait until it is over." },
  export_running = { W, INFERRED, "what is exported holds the users",
    "Delete them from its output as well." },
  deletion_running = { W, INFERRED, "jobs that overlap wait for each other",
    "None needed, if both are meant." },
  group_has_key = { W, INFERRED, "Amazon Personalize works with the dataset " ..
    "group's data only as long as its KMS key can be used",
    "Make sure that the key is enabled, and stays so." },
  auto_training = { W, AWS, NOT_GUARANTEED, "Turn automatic training off " ..
    "until the jobs are over (UpdateSolution), or look again after them " ..
    "(personalize recheck)." },
  incremental_update = { W, AWS, NOT_GUARANTEED, "Look again after the jobs " ..
    "(personalize recheck)." },
  recommender_active = { W, AWS, "a recommender is trained anew every 7 days, " ..
    "some are updated more often, and nothing tells when; " .. NOT_GUARANTEED,
    "Stop it until the jobs are over (StopRecommender), or bear with it." },
  tracker_active = { W, INFERRED, BRINGS_BACK, "Make sure that your programs " ..
    "send no more events of these users." },
  bucket_versions = { W, INFERRED, SURVIVES .. ", with every version",
    "Let cleanup (--cleanup) remove every version." },
  bucket_mfa_delete = { W, INFERRED, SURVIVES .. "; versions cannot be removed " ..
    "without an MFA code", "Remove them yourself, or take another bucket." },
  bucket_lock = { W, INFERRED, SURVIVES .. "; Object Lock may forbid that",
    "Take another bucket, or one without a default retention." },
  bucket_public = { W, INFERRED, "the list is personal data",
    "Take a bucket that is not public." },
  other_groups = { W, AWS, "a job works on one dataset group: users are " ..
    "deleted from those that are named", "Name all that have these users, or " ..
    "take all_dataset_groups (--all-dataset-groups)." },

  unreadable = { UNKNOWN },
  bucket_policy_unjudged = { UNKNOWN, INFERRED, nil,
    "Make sure that the bucket's policy lets Amazon Personalize read." },
  role_trust_unjudged = { UNKNOWN, INFERRED, nil,
    "Make sure that the role trusts Amazon Personalize." },
  role_unjudged = { UNKNOWN, INFERRED, nil,
    "Make sure that the role may read the list." },

  training_ran = { W, AWS, NOT_GUARANTEED, "Delete once more: run the same " ..
    "call with again (--again)." },
  import_ran = { W, AWS, NOT_GUARANTEED, "Delete once more: run the same call " ..
    "with again (--again)." },
  batch_ran = { W, AWS, NOT_GUARANTEED, "Delete once more: run the same call " ..
    "with again (--again)." },
  export_ran = { W, INFERRED, "what was exported may hold the users",
    "Delete them from its output." },
  import_since = { W, INFERRED, "what was imported may hold the users",
    "If it does, delete again, under another name." },
  job_gone = { W, INFERRED, "the service does not know the job any more",
    "Keep this receipt: it is all there is." },
  job_differs = { W, INFERRED, "a receipt tells what the service does; this " ..
    "one was changed, or is of something else", "Do not rely on it." },
  events_unseen = { UNKNOWN, INFERRED, BRINGS_BACK .. ", and no call shows " ..
    "whether there were any", "Make sure that your programs send none." },
  recommender_unseen = { UNKNOWN, AWS, "a recommender is trained anew every 7 " ..
    "days, and nothing tells when", "Delete once more, if that matters: under " ..
    "another name." },
}

-- Those after which AWS advises another job.
local AGAIN = { training_ran = true, import_ran = true, batch_ran = true }

--- Does AWS advise another job for it?
---@param finding personalize.Finding
---@return boolean
function M.is_again(finding)
  return AGAIN[finding.code] or false
end

---@class personalize.Findings
---@field list personalize.Finding[]
---@field blockers integer
---@field warnings integer
---@field unknown integer
local Findings = { __name = "personalize.Findings" }
Findings.__index = Findings

local COUNTERS = { [X] = "blockers", [W] = "warnings", [UNKNOWN] = "unknown" }

--- Adds one. What the service says in it is made fit to be seen.
---@param code string
---@param fields table of the finding, beside what follows from its code
---@return personalize.Finding
function Findings:add(code, fields)
  local known = assert(KNOWN[code], code)
  local finding = { code = code, kind = known[1], basis = known[2],
    reason = known[3], advice = known[4] }
  for name, value in pairs(fields) do
    finding[name] = type(value) == "string" and core.printable(value) or value
  end
  self.list[#self.list + 1] = finding
  local counter = COUNTERS[finding.kind]
  self[counter] = self[counter] + 1
  return finding
end

--- The blockers in one line.
---@return string
function Findings:blocked()
  local texts = {}
  for _, finding in ipairs(self.list) do
    if finding.kind == X then
      texts[#texts + 1] = finding.message
    end
  end
  local more = #texts - 5
  return table.concat(texts, "; ", 1, math.min(#texts, 5)) ..
    (more > 0 and ("; and %d more"):format(more) or "")
end

--- An empty list of findings.
---@return personalize.Findings
function M.new()
  return setmetatable({ list = {}, blockers = 0, warnings = 0, unknown = 0 },
    Findings)
end

return M
