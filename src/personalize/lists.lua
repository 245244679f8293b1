--- A list of users on its way: read, checked, uploaded; and proved afterwards
-- to be the one that a receipt speaks of.
-- Knows what a run shares with its caller (progress, the receipt in an error);
-- refuses to know jobs.

local Client = require "personalize.client"
local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local evidence = require "personalize.evidence"
local nginx = require "personalize.transport.nginx"
local pace = require "personalize.pace"
local plan = require "personalize.plan"
local receipts = require "personalize.receipt"
local s3 = require "personalize.s3"
local users = require "personalize.users"

local M = {}

---@class personalize.Progress
---@field phase "check"|"preflight"|"upload"|"create"|"wait"|"cleanup"|"export"
--- the last one of `check_absent`
---@field bytes? integer read or sent so far
---@field total_bytes? integer
---@field users? integer of the whole list, once it is checked
---@field warnings? personalize.UserWarning[] at the end of phase check, before
--- anything is sent, where ids look like mistakes
---@field requests? integer made so far, of phase preflight
---@field findings? personalize.Finding[] at the end of phase preflight
---@field export? integer at which it is, of `exports`
---@field exports? integer
---@field part? integer at which it is
---@field parts? integer
---@field jobs? integer to be created in all
---@field jobs_done? integer of them: created (phase create), else COMPLETED or
--- FAILED
---@field statuses? table<string, integer> how many jobs have which status

-- Tells how far a run is; what that raises ends the run.
function M.tell(run, phase, more)
  local watcher = run.options.on_progress
  if not watcher then
    return
  end
  local progress = { phase = phase, users = run.receipt.users,
    parts = run.parts and #run.parts, jobs = run.slots and #run.slots }
  for name, value in pairs(more or {}) do
    progress[name] = value
  end
  local ok, e = callback.call("InterruptedError", "on_progress", watcher,
    progress)
  if not ok then
    Error.raise(e)
  end
end

-- The same with what is known of the jobs.
function M.tell_jobs(run, phase, part)
  local statuses = {}
  for status, count in pairs(run.statuses or {}) do
    local name = core.printable(status) -- it is the service's word
    statuses[name] = (statuses[name] or 0) + count
  end
  M.tell(run, phase, { part = part, statuses = statuses,
    jobs_done = phase == "create" and run.created or run.done })
end

-- Of a run's time, what its receipts may take: to write one of thousands of jobs
-- takes long.
local RECEIPT_SHARE = 0.1

--- Hands the receipt to the caller, with all that was done by now. One that
-- comes too soon after the last is left out, unless it is `due`: it is made up for
-- before the run sleeps.
function M.record(run, is_due)
  local watcher = run.options.on_receipt
  if not watcher or not run.is_news then
    return
  end
  local began = core.monotonic()
  run.is_unrecorded = not is_due and began < (run.next_record or 0)
  if run.is_unrecorded then
    return
  end
  run.settle(run)
  local ok, e = callback.call("InterruptedError", "on_receipt", watcher,
    receipts.copy(run.receipt))
  if not ok then
    Error.raise(e)
  end
  local now = core.monotonic()
  run.next_record = now + (now - began) / RECEIPT_SHARE
end

-- A time of the monotonic clock, or now, as the receipt has it: by AWS's clock
-- once an answer has told it, since the machine's may be years off.
function M.time(run, moment)
  local service = run.settings.service -- none, if closed meanwhile
  run.skew = service and service:state().skew or run.skew or 0
  local age = moment and core.monotonic() - moment or 0
  return core.time_text(core.now() + run.skew - age)
end

-- Sleeps; raises where the run is to end now.
function M.rest(run, seconds)
  if run.is_unrecorded then
    M.record(run, true)
  end
  local ok, e = pace.rest(run.settings.sleep, seconds)
  if not ok then
    Error.raise(e or { code = "InterruptedError", kind = "client", message =
      (pace.is_ending() and "nginx ends this worker" or "interrupted") ..
      "; the same call goes on where this one ended" })
  end
end

-- Names in an error's fields what it is about.
function M.about(e, what, ...)
  e.message = what:format(...) .. ": " .. tostring(e.message)
  return e
end

-- The same, raised.
function M.fail(e, what, ...)
  Error.raise(M.about(e, what, ...))
end

-- Between blocks a worker of nginx turns to its other requests; elsewhere a
-- sleep notices Ctrl-C.
function M.reader(run)
  local read, all
  return {
    pause = run.settings and run.settings.sleep or
      nginx.is_here() and nginx.sleep or core.sleep,
    is_check = run.is_check,
    progress = function(bytes, total)
      read, all = bytes or read, total or all
      M.tell(run, "check", { bytes = read, total_bytes = all })
    end,
    warn = function(warnings)
      run.receipt.warnings = {}
      for _, warning in ipairs(warnings) do
        run.receipt.warnings[warning.kind] = warning.count
      end
      M.tell(run, "check", { warnings = warnings, bytes = read,
        total_bytes = all })
    end,
  }
end

function M.read(run)
  local options, receipt = run.options, run.receipt
  local summary
  M.tell(run, "check")
  run.list, summary = users.read(options, M.reader(run))
  receipt.users, receipt.bytes = summary.users, summary.bytes
  receipt.duplicates = options.unique and summary.duplicates or nil
  run.parts, run.keys = plan.parts(options, summary)
  receipt.parts = run.parts
  run.total = 0
  for _, part in ipairs(run.parts) do
    run.total = run.total + part.bytes
  end
end

-- The bucket that the list goes into.
function M.open_bucket(run)
  local bucket, failure = s3.open(run.settings, { bucket = run.options.bucket,
    expected_bucket_owner = run.options.expected_bucket_owner })
  if not bucket then
    Error.raise(failure)
  end
  run.bucket = bucket
end

-- A put that is about to begin: whatever becomes of it, its object may lie there.
-- Answers what undoes that, where it does not.
local function announce(run, part)
  local is_begun, is_news = run.is_put_begun, run.is_news
  local removed_at = part.removed_at
  local function undo()
    run.is_put_begun, run.is_news = is_begun, is_news
    part.removed_at = removed_at
  end
  run.is_put_begun, run.is_news, part.removed_at = true, true, nil
  -- The first one in any case: so no list is forgotten in the bucket.
  local ok, raised = pcall(M.record, run, not is_begun)
  if not ok then
    undo()
    error(raised, 0)
  end
  return undo
end

-- What a put that failed leaves behind. Where the answer does not tell, the
-- object may lie there all the same.
local function note_failure(run, part, undo, failure)
  run.has_sent = run.has_sent or (failure.attempts or 0) > 0
  if failure.unclear or failure.version_id then
    part.version_id = failure.version_id or part.version_id
    part.request_id = failure.request_id or part.request_id
    failure.unclear = nil -- that word is of creates
  else
    undo()
  end
end

-- Puts a part into the bucket, once a run. Nil and an error's fields where
-- that failed.
function M.put(run, number)
  local part = run.parts[number]
  if run.uploaded[number] then
    return true
  end
  local before = run.sent
  local undo = announce(run, part)
  local function progress(bytes)
    M.tell(run, "upload", { part = number, bytes = before + bytes,
      total_bytes = run.total })
  end
  progress(0)
  local put, failure = run.bucket:put { key = run.keys[number],
    body = run.list:part(number), sha256 = part.sha256,
    on_progress = progress }
  if not put then
    note_failure(run, part, undo, failure)
    return nil, M.about(failure, "part %d of %d, to %s", number, #run.parts,
      part.location)
  end
  run.uploaded[number], run.has_sent = true, true
  run.sent = before + part.bytes
  part.version_id, part.request_id = put.version_id, put.request_id
  part.etag, part.encryption = put.etag, put.encryption
  part.checksum_sha256 = put.checksum_sha256
  M.record(run)
  return true
end

function M.copy(given)
  local options = {}
  for name, value in pairs(given) do
    options[name] = value
  end
  return options
end

-- What ended a run, as an error of ours.
local function as_error(raised)
  if Error.is_error(raised) then
    return raised
  end
  local e = { kind = "client", cause = raised }
  if Error.is_interrupt(raised) then
    e.code, e.message = "InterruptedError", "interrupted"
  elseif Error.is_memory(raised) then
    e.code, e.message = "MemoryError", "not enough memory"
  else
    e.code, e.message = "InternalError", "an error that nobody expected: " ..
      (callback.reason(raised) or "it says nothing")
  end
  return Error.new(e)
end

-- Brings the receipt up to date; once more where memory was short, of which
-- the run that ended has left some by now.
local function settle(run, is_over)
  if not run.settle then
    return true
  end
  local ok, raised = pcall(run.settle, run, is_over)
  if not ok then
    collectgarbage()
    ok, raised = pcall(run.settle, run, true)
  end
  return ok, raised
end

-- Runs something with a list, which is closed in the end, and gives an error
-- the receipt.
function M.guarded(run, body)
  local ok, raised = pcall(body, run)
  if run.list then
    run.list:close()
  end
  if run.bucket then
    run.bucket:close()
  end
  local is_settled, why = settle(run, not ok)
  if ok and is_settled then
    return
  end
  raised = as_error(ok and why or raised)
  raised.receipt = run.settle and run.receipt or nil
  Error.raise(raised)
end

---@class personalize.UploadUsersOptions: personalize.Users
---@field name string
---@field bucket string
---@field prefix? string
---@field expected_bucket_owner? string
---@field on_progress? fun(progress: personalize.Progress) may raise to abort

--- Uploads a list and no more, in as many parts as the quota asks for: for
--- jobs that you create yourself.
---
--- Errors: UserListError, and those of S3.
---@param options personalize.UploadUsersOptions
---@return { parts: personalize.ReceiptPart[], users: integer, bytes: integer }
function M.upload_users(client, options)
  plan.check(options, plan.UPLOAD, "PutObject", Client.given(client))
  local settings = Client.settings_of(client, "PutObject")
  local run = { settings = settings, options = M.copy(options), uploaded = {},
    sent = 0, receipt = {} }
  M.guarded(run, function()
    M.read(run)
    M.open_bucket(run)
    for number in ipairs(run.parts) do
      local ok, failure = M.put(run, number)
      if not ok then
        Error.raise(failure)
      end
    end
  end)
  return run.receipt
end

--- Checks a list, and tells how it would be cut. Sends nothing.
---
--- Errors: UserListError.
---@param options personalize.Users
---@return personalize.UserSummary
function M.check_users(options)
  plan.check(options, plan.READ)
  local run = { options = M.copy(options), receipt = {}, is_check = true }
  local summary
  M.guarded(run, function()
    run.list, summary = users.read(run.options, M.reader(run))
  end)
  return { users = summary.users, bytes = summary.bytes, parts = summary.parts,
    warnings = summary.warnings,
    duplicates = run.options.unique and summary.duplicates or nil }
end

--- Is the receipt that of this list? Needs nothing but the two. How the list
--- was cut (part_size, unique) is taken from the receipt, how it is read (format,
--- column) as well where `list` does not say.
---
--- Errors: ParamValidationError where the one is no receipt of version 1, or the
--- other no list.
---@param receipt personalize.Receipt|string a string is its JSON
---@param list personalize.Users
---@return boolean
---@return string? why where it is not
function M.verify_receipt(receipt, list)
  local read, wrong = evidence.read(receipt)
  if not read then
    Error.refuse { { path = "receipt", code = "type", message = wrong } }
  end
  plan.check(list, plan.READ)
  local given = M.copy(list)
  given.part_size, given.unique = read.part_size, read.unique
  if given.users == nil and given.format == nil and read.format ~= "ids" then
    given.format = read.format
  end
  if given.users == nil and given.format ~= "lines" then
    given.column = given.column or read.column
    given.delimiter = given.delimiter or read.delimiter
  end
  local ok, summary = pcall(M.check_users, given)
  if ok then
    local is_same, why = evidence.compare(read, summary)
    return is_same, why and core.printable(why)
  elseif Error.is_error(summary, "UserListError") then
    return false, "the list has faults: " .. summary.message
  end
  Error.again(summary)
end

return M
