--- The module and the command where reading or setting a global that nobody has
-- declared is an error: strict.lua and its kin.

local child = require "spec.support.child"
local script = require "spec.support.script"

local STRICT = {
  ["a strict table of globals"] = [[
    setmetatable(_G, {
      __index = function(_, name)
        error("the undeclared global " .. tostring(name) .. " is read", 2)
      end,
      __newindex = function(globals, name, value)
        if name == "arg" then -- which some interpreters set behind LUA_INIT
          return rawset(globals, name, value)
        end
        error("the undeclared global " .. tostring(name) .. " is set", 2)
      end })]],
  ["Penlight's strict"] = [[
    local strict = require "pl.strict"
    strict.make_all_strict(_G)]],
}

-- The output of a script that runs so, beside a local AWS.
local function run(strict, text)
  return script.with_file(strict, function(first)
    return script.with_file(text, function(name)
      return script.beside_aws("", ("LUA_INIT=@%s %s"):format(first,
        script.command(name)))
    end)
  end)
end

-- Every module that does not run inside nginx alone.
local function modules()
  local names = {}
  local pipe = io.popen "find src/personalize -name '*.lua'"
  for path in pipe:lines() do
    local name = path:match "^src/(.*)%.lua$":gsub("/init$", ""):gsub("/", ".")
    names[#names + 1] = ("%q"):format(name)
  end
  pipe:close()
  return "{ " .. table.concat(names, ", ") .. " }"
end

for what, strict in pairs(STRICT) do
  describe("under " .. what, function()
    it("every module is loaded", function()
      assert.equal("done\n", (run(strict, [[
        for _, name in ipairs(]] .. modules() .. [[) do
          require(name)
        end
        print "done"]])))
    end)

    it("calls are made, and fail", function()
      local output = run(strict, [[
        local personalize = require "personalize"
        local group = os.getenv "PERSONALIZE_DATASET_GROUP_ARN"
        local events = {}
        local client = personalize.new { retry_mode = "adaptive",
          on_event = function(event)
            events[event.name] = true
          end }
        print(client:identity().source)
        local list = { "alice", "bob" }
        local receipt = client:delete_users { users = list, name = "strict",
          bucket = os.getenv "PERSONALIZE_BUCKET", datasetGroupArn = group,
          roleArn = os.getenv "PERSONALIZE_ROLE_ARN", wait = false,
          on_progress = function() end }
        print(receipt.users, #personalize.receipt_json(receipt) > 100)
        print((personalize.verify_receipt(receipt, { users = list })))
        for job in client:data_deletion_jobs() do
          print((job.jobName:match "^strict"))
        end
        local ok, e = pcall(client.wait_for_data_deletion_job, client,
          receipt.jobs[1].arn, { max_wait = 0.01 })
        print(ok, e.code)
        ok, e = pcall(client.create_data_deletion_job, client, {})
        print(ok, e.code, #tostring(e) > 0)
        ok, e = pcall(client.describe_data_deletion_job, client,
          { dataDeletionJobArn = receipt.jobs[1].arn .. "-not" })
        print(ok, e.code)
        ok, e = pcall(personalize.delete_users, { users = { "" } })
        print(ok, e.kind)
        ok, e = pcall(personalize.new, { regon = "x" })
        print(ok, e.message)
        ok, e = pcall(personalize.new { endpoint = "http://127.0.0.1:1",
          max_attempts = 2 }.list_data_deletion_jobs, client)
        print(ok)
        print(events.attempt, events.call, events.credentials)
        client:close()]])
      assert.equal("environment\n2\ttrue\ntrue\nstrict\nfalse\t" ..
        "WaitTimeoutError\nfalse\tParamValidationError\ttrue\nfalse\t" ..
        "ResourceNotFoundException\nfalse\tclient\nfalse\tunknown option " ..
        "regon; did you mean region?\ntrue\ntrue\ttrue\ttrue\n", output)
    end)

    it("the command runs", function()
      script.with_file(strict, function(first)
        local function command(words)
          local output, status = script.beside_aws("", ("LUA_INIT=@%s %s")
            :format(first, script.command("src/bin/personalize", words)))
          assert.is_nil(output:find "undeclared" or output:find "declared in",
            output)
          return output, status
        end
        local _, status = command "identity --json"
        assert.equal(0, status)
        _, status = command "list"
        assert.equal(0, status)
        _, status = command "--help"
        assert.equal(0, status)
        _, status = command "describe none"
        assert.equal(252, status)
        script.with_file("USER_ID\nalice\n", function(list)
          local words = child.quote(list) .. " --name strict --role " ..
            "$PERSONALIZE_ROLE_ARN --bucket $PERSONALIZE_BUCKET " ..
            "--dataset-group $PERSONALIZE_DATASET_GROUP_ARN --dry-run"
          _, status = command("delete-users " .. words)
          assert.equal(0, status)
          _, status = command("check-list " .. child.quote(list))
          assert.equal(0, status)
        end)
      end)
    end)
  end)
end
