--- Ctrl-C while a function of the caller's runs, in an interpreter of its own:
-- no pcall of ours keeps it.

local child = require "spec.support.child"

-- The function says that it is there, and goes on until the signal comes. The
-- signal is Lua's to raise: the function calls nothing that would notice.
local SCRIPT = [[
  if rawget(_G, "jit") then jit.off() end -- compiled loops look for no signal
  local personalize = require "personalize"
  local function stay()
    io.write "here\n"
    io.flush()
    while true do os.getenv "PERSONALIZE_SPEC" end
  end
  local count = 0
  local given = { region = "eu-west-1", max_attempts = 3,
    credentials = { access_key_id = "A", secret_access_key = "s" },
    sleep = function() end, transport = function()
      count = count + 1
      return { status = %d, headers = {}, body =
        '{"dataDeletionJob":{"status":"PENDING"}}' }
    end }
  local options = {}
  %s
  local client = personalize.new(given)
  local arn = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/a"
  local function call()
    if options.on_status then
      return client:wait_for_data_deletion_job(arn, options)
    elseif options.users then
      return client:upload_users(options)
    end
    return client:describe_data_deletion_job { dataDeletionJobArn = arn }
  end
  local ok, e = pcall(call)
  io.write(tostring(ok), " ", personalize.is_error(e) and e.code or
    tostring(e), " ", count, "\n")
]]

describe("Ctrl-C ends", function()
  for what, this in pairs {
    on_event = { 503, "given.on_event = stay", 1 },
    ["on_event, at the end of a call,"] = { 200,
      "given.on_event = function(e) if e.name == 'call' then stay() end end",
      1 },
    ["a credentials function"] = { 200, "given.credentials = stay", 0 },
    ["a transport"] = { 200, "given.transport = stay", 0 },
    ["a sleep"] = { 503, "given.sleep = stay", 1 },
    on_status = { 200, "options.on_status = stay", 1 },
    on_progress = { 200, "options = { users = { 'a' }, name = 'n', " ..
      "bucket = 'erasure', on_progress = stay }", 0 },
    ["an iterator over users"] = { 200, "options = { users = stay, " ..
      "name = 'n', bucket = 'erasure' }", 0 },
  } do
    it(what .. " and the call with it", function()
      local run = child.start(("env LUA_PATH=%s LUA_CPATH=%s %s -e %s 2>&1")
        :format(child.quote(package.path), child.quote(package.cpath),
        child.interpreter(), child.quote(SCRIPT:format(this[1], this[2]))))
      assert.equal("here", run:line())
      run:signal "INT"
      assert.equal("false InterruptedError " .. this[3], run:line())
      run:stop()
    end)
  end
end)
