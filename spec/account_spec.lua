--- What a receipt says of the account: who sent what was sent, and which dataset
-- groups nobody asked for; and deletions from all that there are.

local personalize = require "personalize"
local preflights = require "spec.support.preflights"

local ARN, GROUP, NONE = preflights.ARN, preflights.GROUP, preflights.NONE
local CALLER = { account = preflights.ACCOUNT,
  arn = "arn:aws:iam::123456789012:user/eraser" }

local server

setup(function() server = preflights.start "--job-seconds 0.1" end)
teardown(function() preflights.stop(server) end)

local function options(more)
  local given = { name = "night", users = { "alice" }, poll = 0.02 }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return preflights.options(server, given)
end

local function erase(more, client_options)
  local client = server:client(client_options)
  local receipt = client:delete_users(options(more))
  client:close()
  return receipt
end

local function group(name)
  return ARN .. "dataset-group/" .. name
end

local function count(operation)
  return preflights.operations(server)[operation] or 0
end

describe("a receipt", function()
  it("says who ran it: who sent something, or else who looked", function()
    preflights.reset(server)
    local receipt = erase()
    assert.same(CALLER, receipt.caller)
    assert.same({}, receipt.other_groups)
    assert.same(CALLER, erase().caller)
    assert.equal(2, count "GetCallerIdentity")
    -- Who only looks does not take the place of who sent.
    receipt.caller.arn = "arn:aws:iam::123456789012:user/first"
    assert.same(receipt.caller, erase({ receipt = receipt }).caller)
    assert.equal(2, count "GetCallerIdentity")
    server:admin("POST", "world", { datasetGroups = { { name = "films" } } })
    assert.same(CALLER, erase({ receipt = receipt,
      datasetGroupArn = { GROUP, group "films" } }).caller)
  end)

  it("does without, where that is refused, or STS cannot be reached",
    function()
      preflights.reset(server)
      server:admin("POST", "deny", { "sts:GetCallerIdentity",
        "personalize:ListDatasetGroups" })
      local receipt = erase()
      assert.equal("COMPLETED", receipt.status)
      assert.is_nil(receipt.caller)
      assert.is_nil(receipt.other_groups)
      preflights.reset(server)
      local attempts = 0
      receipt = erase(nil, { endpoints = { sts = "http://127.0.0.1:1" },
        on_event = function(event)
          if event.name == "attempt" and
            event.operation == "GetCallerIdentity" then
            attempts = attempts + 1
          end
        end })
      assert.equal("COMPLETED", receipt.status)
      assert.equal(1, attempts)
      assert.is_nil(receipt.caller)
    end)

  it("names the dataset groups that nobody asked for", function()
    preflights.reset(server, { datasetGroups = { { name = "films" },
      { name = "broken", status = "CREATE FAILED" },
      { name = "gone", status = "DELETE PENDING" } } })
    local receipt = erase()
    assert.same({ { dataset_group_arn = group "films", status = "ACTIVE" },
      { dataset_group_arn = group "broken", status = "CREATE FAILED" } },
      receipt.other_groups)
    local last = receipt.remaining[#receipt.remaining]
    assert.equal("1 dataset group of this account and region is ACTIVE and " ..
      "not named: " .. group "films" .. ". Delete from it as well, if these " ..
      "users are in it.", last)
    local text = personalize.receipt_json(receipt)
    assert.truthy(text:find('"other_groups": [\n    {\n      ' ..
      '"dataset_group_arn": "' .. group "films" .. '",\n      "status": ' ..
      '"ACTIVE"\n    }', 1, true), text)
    assert.equal(text, personalize.receipt_json(erase { receipt = text }))
  end)

  it("has what a look ahead has found, in place of a look of its own",
    function()
      preflights.reset(server, { datasetGroups = { { name = "films" } } })
      local receipt = erase { preflight = true }
      assert.same(CALLER, receipt.caller)
      assert.equal(1, #receipt.other_groups)
      assert.equal("other_groups", receipt.preflight.findings[1].code)
      assert.equal(1, count "GetCallerIdentity")
      assert.equal(1, count "ListDatasetGroups")
      assert.equal(1, count "ListDataDeletionJobs" - 1) -- looked for, looked at
      -- There is nothing to look ahead of any more.
      local text = personalize.receipt_json(receipt)
      assert.equal(text, personalize.receipt_json(erase { receipt = text,
        preflight = true }))
      assert.equal(1, count "GetCallerIdentity")
    end)

  it("of a look that found a blocker says so, and nothing is sent", function()
    preflights.reset(server, { datasetGroups = { { name = "shop",
      status = "CREATE PENDING" } } })
    local ok, e = pcall(erase, { preflight = true })
    assert.is_false(ok)
    assert.equal("PreflightError", e.code)
    assert.equal("client", e.kind)
    assert.equal("group_not_active", e.findings[1].code)
    assert.same(e.findings, e.receipt.preflight.findings)
    assert.equal("NOT_STARTED", e.receipt.jobs[1].status)
    assert.same({}, server:admin("GET", "objects").objects)
    -- A receipt as it is kept is read again.
    server:admin("POST", "world", { datasetGroups = { { name = "shop",
      status = "ACTIVE" } } })
    local receipt = erase { receipt = personalize.receipt_json(e.receipt),
      preflight = true }
    assert.equal("COMPLETED", receipt.status)
  end)

  it("of a run that goes on does not count its own jobs as in the way",
    function()
      preflights.reset(server)
      server:admin("POST", "settings", { job_seconds = 60 })
      local ids = {}
      for i = 1, 2000 do
        ids[i] = ("user-%010d"):format(i)
      end
      local more = { users = ids, part_size = 4096, wait = false }
      local first = erase(more)
      assert.equal("PENDING", first.jobs[5].status)
      assert.equal("NOT_STARTED", first.jobs[6].status)
      more.preflight = true
      local second = erase(more)
      assert.same({}, second.preflight.findings)
      assert.equal("NOT_STARTED", second.jobs[6].status)
    end)
end)

describe("a deletion from all dataset groups", function()
  it("takes those that there are, but for the exceptions", function()
    preflights.reset(server, { datasetGroups = { { name = "films" },
      { name = "music" }, { name = "broken", status = "CREATE FAILED" } } })
    local receipt = erase { datasetGroupArn = NONE, all_dataset_groups = true,
      except = { group "music" } }
    assert.same({ GROUP, group "films" }, receipt.dataset_group_arns)
    assert.equal(2, #receipt.jobs)
    assert.equal("COMPLETED", receipt.status)
    assert.equal(group "music", receipt.other_groups[1].dataset_group_arn)
  end)

  it("needs to know them", function()
    preflights.reset(server)
    server:admin("POST", "deny", { "personalize:ListDatasetGroups" })
    local ok, e = pcall(erase, { datasetGroupArn = NONE,
      all_dataset_groups = true })
    assert.is_false(ok)
    assert.equal("AccessDeniedException", e.code)
    assert.same({}, server:admin("GET", "objects").objects)
    for path, more in pairs {
      ["except[1]"] = { datasetGroupArn = NONE, all_dataset_groups = true,
        except = group "none" },
      all_dataset_groups = { datasetGroupArn = NONE, all_dataset_groups = true,
        dry_run = true },
      datasetGroupArn = { all_dataset_groups = true },
      except = { except = GROUP },
    } do
      server:admin("DELETE", "deny")
      ok, e = pcall(erase, more)
      assert.is_false(ok, path)
      assert.equal("ParamValidationError", e.code)
      assert.equal(path, e.params[1].path)
    end
    assert.same({}, server:admin("GET", "objects").objects)
  end)

  it("may be one from many", function()
    local many = {}
    for i = 1, 30 do
      many[i] = { name = ("group-%03d"):format(i) }
    end
    preflights.reset(server, { datasetGroups = many })
    server:admin("POST", "settings", { list_page_size = 7 })
    local receipt = erase { datasetGroupArn = NONE, all_dataset_groups = true,
      wait = false }
    assert.equal(31, #receipt.jobs)
    assert.equal(31, #server:admin("GET", "jobs").jobs)
    assert.equal(1, count "PutObject")
  end)
end)
