--- Deletes users from Amazon Personalize.
--
--     local personalize = require "personalize"
--     local out = personalize.create_data_deletion_job{ ... }
--
-- Knows the module's face; everything behind it is in other files.

local Client = require "personalize.client"
local Error = require "personalize.error"
local callback = require "personalize.callback"
local core = require "personalize.core"
local jobs = require "personalize.jobs"

---@class personalize
local M = {
  _VERSION = require "personalize.version",
  Error = Error,
  is_error = Error.is_error,
  log_ngx = require "personalize.log_ngx",
  new = Client.new,
}

--- A value from outside (a job's failureReason, a receipt's sentence) for a
--- terminal or a log: control characters, marks of direction, invisible
--- characters and what is not UTF-8 are escapes, such as \n, \x1b and \u{202e}.
---@type fun(value: any): string
M.printable = core.printable

for name, method in pairs(jobs) do
  Client[name] = method
end

-- What only some programs need is loaded when they do.
local function later(file, name)
  return function(...)
    return require("personalize." .. file)[name](...)
  end
end

---@type fun(self: personalize.Client, options: personalize.DeleteUsersOptions): personalize.Receipt
Client.delete_users = later("erase", "delete_users")
---@param receipt personalize.Receipt|string
---@param options? personalize.FollowOptions
---@return personalize.Receipt
function Client:follow(receipt, options)
  return require("personalize.follow").follow(self, receipt, options)
end
---@type personalize.PreflightMethod
Client.preflight = later("preflight", "preflight")
---@type fun(self: personalize.Client, options: personalize.UploadUsersOptions): table
Client.upload_users = later("lists", "upload_users")
---@type fun(options: personalize.Users): personalize.UserSummary
M.check_users = later("lists", "check_users")
---@type fun(options: personalize.CheckAbsentOptions): personalize.Absence
M.check_absent = later("absence", "check_absent")
---@type fun(receipt: personalize.Receipt|string, list: personalize.Users): boolean, string?
M.verify_receipt = later("lists", "verify_receipt")
---@type fun(receipt: personalize.Receipt): string
M.receipt_json = function(receipt)
  local ok, text = callback.pcall("receipt_json",
    require("personalize.receipt").json, receipt)
  if not ok then
    Error.refuse { { path = "receipt", code = "type",
      message = "is no receipt of delete_users" } }
  end
  return text
end

--- Adds lines, each with its line feed, to the end of a file for its owner
--- alone, which is made where there is none. True once they are on the disk,
--- how many bytes were taken away before (the start of a line, at most 1 KB,
--- that a power cut left), and what is not promised there (a file system
--- without locks, say), or nil; or nil, why and the name of an errno, and the
--- file is as it was. Other processes may add to it at the same time. To a file
--- that was renamed, and to which no lines ("") are then added, nothing is added
--- any more. Symbolic links, hard links and other users' files are refused.
--- A lock that another holds is waited for, up to 10 seconds; inside nginx the
--- worker goes on meanwhile, in phases in which it can.
---@type fun(path: string, lines: string): true?, integer|string, string?
M.append_lines = later("private", "append_lines")

--- Puts a text in the place of a file, for its owner alone. True once it is on
--- the disk, and what is not promised there, or nil; or nil, why and the name of
--- an errno, and the file is as it was. Symbolic links are followed; where no
--- new file can take the name (a bind mount), it is written in place. For
--- receipts.
---@type fun(path: string, text: string): true?, string?, string?
M.write_private = later("private", "write_private")

--- Renames a file, unless the new name is taken: that is nil, why and "EEXIST".
--- True once it is on the disk, and what is not promised there, or nil.
---@type fun(from: string, to: string): true?, string?, string?
M.rename_noreplace = later("private", "rename_noreplace")

---@class personalize.Lock
---@field is_held fun(self: personalize.Lock): boolean false, too, where
--- somebody took its file away
---@field release fun(self: personalize.Lock)

--- Takes a lock: a file, which is made where there is none, and stays. It ends
--- with release(), with the process, or when nobody has the lock any more that
--- this returns. Beside it what is not promised there, or nil; or nil, why and
--- the name of an errno: "EAGAIN" where another has it. Does not wait.
---@type fun(path: string): personalize.Lock?, string?, string?
M.lock_file = later("private", "lock_file")

-- Made on first use, from the environment as it is then.
local default

local function on_default(method)
  return function(...)
    default = default or Client.new()
    return method(default, ...)
  end
end

M.call = on_default(Client.call)
M.create_data_deletion_job = on_default(Client.create_data_deletion_job)
M.data_deletion_jobs = on_default(Client.data_deletion_jobs)
M.describe_data_deletion_job = on_default(Client.describe_data_deletion_job)
M.list_data_deletion_jobs = on_default(Client.list_data_deletion_jobs)
---@type fun(options: personalize.DeleteUsersOptions): personalize.Receipt
M.delete_users = on_default(Client.delete_users)
---@type fun(receipt: personalize.Receipt|string, options: table?): personalize.Receipt
M.follow = on_default(Client.follow)
M.list_tags_for_resource = on_default(Client.list_tags_for_resource)
---@type personalize.PreflightFunction
M.preflight = on_default(Client.preflight)
M.tag_resource = on_default(Client.tag_resource)
M.untag_resource = on_default(Client.untag_resource)
---@type fun(options: personalize.UploadUsersOptions): table
M.upload_users = on_default(Client.upload_users)
M.wait_for_data_deletion_job = on_default(Client.wait_for_data_deletion_job)

-- A colon would hand the module in as the first argument.
for name, f in pairs(M) do
  if type(f) == "function" and name ~= "log_ngx" then
    M[name] = function(first, ...)
      if rawequal(first, M) then
        Error.refuse { { path = "", code = "type", message = ("functions of " ..
          "the module are called with a dot: personalize.%s(...)"):format(
          name) } }
      end
      return f(first, ...)
    end
  end
end

return M
