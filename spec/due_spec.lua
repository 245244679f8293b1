--- When a deletion was asked for and is due, who does it, and with what: what a
-- receipt says beside what was done.

local due = require "personalize.due"
local personalize = require "personalize"
local scripted = require "spec.support.scripted"

describe("a date", function()
  it("is a day or a time, with its zone", function()
    for text, seconds in pairs { ["2026-11-24"] = 1795478400,
      ["2026-11-24T10:00:00Z"] = 1795514400,
      ["2026-11-24T10:00:00.5+02:00"] = 1795507200.5 } do
      assert.equal(seconds, due.seconds(text))
      assert.is_true(due.is_date(text))
    end
    for _, value in ipairs { "", "yesterday", "2026-02-30", "24.11.2026",
      "2026-11-24T10:00:00", "20261124", "2026-11-24 10:00", 1795478400, {},
      true } do
      assert.is_false(due.is_date(value))
    end
  end)

  it("is written in UTC; what is due follows where nobody says", function()
    assert.same({ "2026-11-24T00:00:00Z", "2026-12-24T00:00:00Z" },
      { due.of "2026-11-24" })
    assert.same({ "2026-11-24T08:00:00Z", "2026-12-01T00:00:00Z" },
      { due.of("2026-11-24T10:00:00+02:00", "2026-12-01") })
    assert.equal("2026-12-01T00:00:00Z", (select(2, due.of(nil, "2026-12-01"))))
    assert.is_nil((due.of()))
  end)
end)

describe("a receipt", function()
  local world, client
  before_each(function()
    world = scripted.world()
    client = world:client()
    local add = world.add
    world.add = function(self, ...)
      local job = add(self, ...)
      self:course(job, { 60, { status = "COMPLETED", numDeleted = 1 } })
      return job
    end
  end)
  after_each(function() world:restore() end)

  local function erase(more)
    local options = { users = { "a" }, bucket = "erasure", name = "night",
      datasetGroupArn = scripted.GROUP, roleArn = scripted.ROLE }
    for name, value in pairs(more) do
      options[name] = value
    end
    return client:delete_users(options)
  end

  it("says when the deletion was asked for, when it is due, and what did it",
    function()
      local receipt = erase { received = "2026-11-20" }
      assert.equal("2026-11-20T00:00:00Z", receipt.received)
      assert.equal("2026-12-20T00:00:00Z", receipt.due)
      assert.equal("personalize-lua/" .. personalize._VERSION, receipt.tool)
      local text = personalize.receipt_json(receipt)
      local at = 0
      for _, member in ipairs { "version", "name", "received", "due", "tool",
        "region", "etag", "encryption" } do
        local found = text:find(('"%s": '):format(member), at + 1, true)
        assert.truthy(found, member)
        at = found
      end
    end)

  it("keeps what an earlier run was told", function()
    local first = erase { received = "2026-11-20", due = "2026-12-01" }
    local second = erase { receipt = personalize.receipt_json(first) }
    assert.equal(personalize.receipt_json(first),
      personalize.receipt_json(second))
    local third = erase { receipt = first, due = "2026-12-05" }
    assert.equal("2026-12-05T00:00:00Z", third.due)
    assert.equal(first.received, third.received)
  end)

  it("takes no dates that are none, and no due before received", function()
    for given, path in pairs { [{ received = "soon" }] = "received",
      [{ due = 5 }] = "due", [{ received = "2026-11-24",
      due = "2026-11-23" }] = "due" } do
      local ok, e = pcall(erase, given)
      assert.is_false(ok)
      assert.equal("ParamValidationError", e.code)
      assert.equal(path, e.params[1].path)
    end
    assert.equal(0, world:count())
  end)

  it("with members that are none is no receipt", function()
    local first = erase {}
    for member, value in pairs { received = "2026-11-20", due = "x",
      caller = "me", tool = 5 } do
      first[member] = value
      local ok, e = pcall(erase, { receipt = first })
      assert.is_false(ok, member)
      assert.equal("receipt", e.params[1].path)
      assert.truthy(e.message:find(member, 1, true))
      first[member] = nil
    end
  end)
end)
