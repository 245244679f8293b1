--- Ids that look like mistakes: counted by kind and told with their lines before
-- anything is sent, in every way that a list can come; and never shown.

local aws = require "spec.support.aws"
local cjson = require "cjson"
local people = require "spec.support.people"
local personalize = require "personalize"
local script = require "spec.support.script"

-- An id of each kind, and that kind.
local ODD = {
  { " alice", "white_space" }, { "alice\t", "white_space" },
  { "\194\160alice", "white_space" }, { "alice\227\128\128", "white_space" },
  { "alice\226\128\137", "white_space" }, { "\194\133alice", "white_space" },
  { "alice\1", "control_at_end" }, { "\127alice", "control_at_end" },
  { "al\27ice", "control_inside" }, { "al\tice", "control_inside" },
  { "al\194\155ice", "control_inside" },
  { "al\226\128\139ice", "invisible" }, { "alice\226\128\142", "invisible" },
  { "al\194\173ice", "invisible" }, { "al\239\187\191ice", "invisible" },
  { " ", "blank" }, { "\226\128\139\194\160", "blank" },
  { '"alice"', "quotes" },
  { "USER_ID", "header" }, { "user_id", "header" },
}

local function quoted(id)
  return '"' .. id:gsub('"', '""') .. '"'
end

-- The ways for such an id to come, as the third of a list.
local function ways(id)
  local at, ids = 0, { "bob", "carol", id, "dora" }
  return {
    users = { users = ids },
    iterator = { users = function()
      at = at + 1
      return ids[at]
    end },
    csv = { text = "USER_ID\nbob\ncarol\n" .. quoted(id) .. "\ndora\n" },
    columns = { text = "id,x\nbob,\ncarol,\n" .. quoted(id) .. ",\ndora,\n",
      column = "id" },
    lines = { text = "bob\ncarol\n" .. id .. "\ndora\n", format = "lines" },
  }
end

describe("a warning about ids", function()
  it("is given in every way that a list can come", function()
    for _, case in ipairs(ODD) do
      local id, kind = case[1], case[2]
      for way, given in pairs(ways(id)) do
        local name = way .. ", " .. kind .. ", " .. ("%q"):format(id)
        local summary = personalize.check_users(given)
        if kind == "header" and way == "columns" then
          assert.same({}, summary.warnings, name) -- another name
        else
          assert.equal(1, #summary.warnings, name)
          local warning = summary.warnings[1]
          local line = (way == "csv" or way == "columns") and 4 or 3
          assert.equal(kind, warning.kind, name)
          assert.equal(1, warning.count, name)
          assert.same({ line }, warning.lines, name)
          assert.is_nil(warning.message:find("alice", 1, true), name)
        end
        assert.equal(4, summary.users, name)
      end
    end
  end)

  it("is not given for ids as people have them", function()
    for _, id in ipairs { "alice", "Alice B. Smith", "auth0|5f7c", "a;b", "a,b",
      "\195\169t\195\169", "\230\151\165\230\156\172", "a\"b", "'alice'", "-",
      "a\194\160b", "\240\159\152\128", "00000000-0000-4000-8000-000000000000" } do
      for way, given in pairs(ways(id)) do
        assert.same({}, personalize.check_users(given).warnings, way .. id)
      end
    end
  end)

  it("may be one of several about the same id", function()
    local kinds = {}
    for _, warning in ipairs(personalize.check_users { users = {
      " a\1b\226\128\139" } }.warnings) do
      kinds[#kinds + 1] = warning.kind
    end
    assert.same({ "white_space", "control_inside", "invisible" }, kinds)
  end)

  it("tells the first five lines, and how many there are", function()
    local warning = personalize.check_users { format = "lines",
      text = (" a\n"):rep(7) .. "b\n" .. (" c\n"):rep(1000) }.warnings[1]
    assert.equal(1007, warning.count)
    assert.same({ 1, 2, 3, 4, 5 }, warning.lines)
    assert.equal("1007 ids begin or end with white space (lines 1, 2, 3, 4, " ..
      "5, ...)", warning.message)
  end)

  it("is told of a list read with the wrong format", function()
    local warnings = personalize.check_users { format = "lines",
      text = "ID;USER_ID;MAIL\n1;alice;a@x\n" }.warnings
    assert.equal("header", warnings[1].kind)
    assert.same({ 1 }, warnings[1].lines)
    warnings = personalize.check_users { format = "lines",
      text = '"USER_ID"\n"alice"\n"bob"\n' }.warnings
    assert.equal("quotes", warnings[1].kind)
    assert.equal(3, warnings[1].count)
    assert.equal("header", warnings[2].kind)
  end)

  it("is told of files that were put together with their headers", function()
    local warnings = personalize.check_users {
      text = "id\na\nid\nb\n", column = "id" }.warnings
    assert.equal("header", warnings[1].kind)
    assert.same({ 3 }, warnings[1].lines)
  end)

  it("is given beside faults", function()
    local told
    local ok, e = pcall(personalize.check_users, { users = { " a", "", " a" },
      on_progress = function(progress)
        told = progress.warnings or told
      end })
    assert.is_false(ok)
    for _, warnings in ipairs { told, e.warnings } do
      assert.equal("white_space", warnings[1].kind)
      assert.equal("repeats", warnings[2].kind)
      assert.same({ 3 }, warnings[2].lines)
    end
    assert.equal("empty", e.params[1].code)
  end)
end)

describe("a warning about repeats", function()
  local IDS = { "a", "b", "a", "c,d", "b", "c,d", "a", "e" }

  local function given_as(ids)
    local at, lines = 0, {}
    for i, id in ipairs(ids) do
      lines[i] = id:find "," and '"' .. id .. '"' or id
    end
    return {
      [0] = { users = ids }, { users = function()
        at = at + 1
        return ids[at]
      end },
      { text = "USER_ID\n" .. table.concat(lines, "\n") },
    }
  end

  it("counts them, and tells the lines of the later ones", function()
    for first, given in pairs(given_as(IDS)) do
      first = first == 2 and 1 or 0
      local summary = personalize.check_users(given)
      assert.equal(8, summary.users)
      assert.is_nil(summary.duplicates)
      assert.equal(1, #summary.warnings)
      local warning = summary.warnings[1]
      assert.equal("repeats", warning.kind)
      assert.equal(4, warning.count)
      assert.same({ first + 3, first + 5, first + 6, first + 7 }, warning.lines)
      assert.truthy(warning.message:find("^4 ids are there once more"))
    end
  end)

  it("is not given where they are dropped", function()
    for _, given in pairs(given_as(IDS)) do
      given.unique = true
      local summary = personalize.check_users(given)
      assert.equal(4, summary.users)
      assert.equal(4, summary.duplicates)
      assert.same({}, summary.warnings)
    end
  end)

  it("is not given where there are none", function()
    for _, given in pairs(given_as { "a", "A", "a.", "b", "aa" }) do
      assert.same({}, personalize.check_users(given).warnings)
    end
  end)

  -- 1024 blocks of 1024 different lines, and what comes after.
  local MOST = 2 ^ 20

  local function million(more)
    local lines, at = {}, 0
    for i = 1, 1024 do
      lines[i] = ("_-%d\n"):format(i)
    end
    local block = table.concat(lines)
    return function()
      at = at + 1
      return at <= 1024 and block:gsub("_", tostring(at)) or
        at == 1025 and more or nil
    end
  end

  it("is about all ids, up to a million", function()
    local summary = personalize.check_users { format = "lines",
      text = million() }
    assert.equal(MOST, summary.users)
    assert.same({}, summary.warnings)
  end)

  it("says that more were not counted, and unique takes them all", function()
    local summary = personalize.check_users { format = "lines",
      text = million "7-7\n" }
    assert.equal(1, #summary.warnings)
    assert.equal("repeats_not_counted", summary.warnings[1].kind)
    assert.equal(MOST + 1, summary.warnings[1].count)
    summary = personalize.check_users { format = "lines", unique = true,
      text = million "7-7\n" }
    assert.same({}, summary.warnings)
    assert.equal(1, summary.duplicates)
    assert.equal(MOST, summary.users)
  end)
end)

describe("delete_users", function()
  local server
  setup(function() server = aws.start "--job-seconds 0.1" end)
  teardown(function() server:stop() end)

  it("tells warnings before anything is sent, and in its receipt", function()
    local client = server:client()
    local told = {}
    local receipt = client:delete_users { users = { "bob", " alice ", "USER_ID",
      " alice", " alice" }, name = "odd", bucket = server.bucket, poll = 0.05,
      datasetGroupArn = server.dataset_group_arn, roleArn = server.role_arn,
      on_progress = function(progress)
        if progress.warnings then
          told[#told + 1] = progress
          assert.equal("check", progress.phase)
          assert.equal(0, server:requests().count)
        end
      end }
    assert.equal(1, #told)
    assert.equal(3, #told[1].warnings)
    assert.same({ white_space = 3, header = 1, repeats = 1 }, receipt.warnings)
    assert.equal("COMPLETED", receipt.status)
    local text = personalize.receipt_json(receipt)
    assert.truthy(text:find('"warnings": {\n    "white_space": 3,\n    ' ..
      '"header": 1,\n    "repeats": 1\n  },\n  "status"', 1, true), text)
    assert.is_nil(text:find("alice", 1, true))
    assert.is_true(personalize.verify_receipt(text,
      { users = { "bob", " alice ", "USER_ID", " alice", " alice" } }))
    client:close()
  end)

  it("keeps the delimiter in the receipt, for who verifies it", function()
    local client = server:client()
    local text = "n;USER_ID\n1;bob\n"
    local receipt = client:delete_users { text = text, column = "USER_ID",
      delimiter = ";", name = "separated", bucket = server.bucket,
      datasetGroupArn = server.dataset_group_arn, roleArn = server.role_arn,
      dry_run = true }
    assert.equal(";", receipt.delimiter)
    assert.is_nil(receipt.warnings)
    assert.is_true(personalize.verify_receipt(personalize.receipt_json(receipt),
      { text = text }))
    client:close()
  end)
end)

describe("the command", function()
  local LIST = "USER_ID\nalice \nbob\n"

  it("warns on the screen, counts on standard output", function()
    script.with_file(LIST, function(path)
      local world = people.world()
      world.files[path] = LIST
      local status, out, err = people.run(world, "check-list", path)
      assert.equal(0, status)
      assert.truthy(err:find("warning: " .. path .. ": 1 id begins or ends " ..
        "with white space (line 2)\n", 1, true), err)
      assert.truthy(out:find("\nwarnings    white_space 1\n", 1, true), out)
      status, out, err = people.run(world, "check-list", path, "--json", "-q")
      assert.equal(0, status)
      assert.equal("", err)
      assert.equal("white_space", cjson.decode(out).warnings[1].kind)
    end)
  end)

  it("takes the delimiter, and its names for a tab", function()
    for name, delimiter in pairs { [";"] = ";", ["|"] = "|", [","] = ",",
      tab = "\t", ["\\t"] = "\t", ["\t"] = "\t" } do
      local world = people.world()
      world.blocks = { "n", delimiter, "USER_ID\n1", delimiter, "bob\n" }
      local status, out, err = people.run(world, "check-list", "-",
        "--delimiter", name, "--column", "USER_ID")
      assert.equal(0, status, err)
      assert.truthy(out:find "users%s+1\n", out)
    end
    local world = people.world()
    local status, _, err = people.run(world, "check-list", "-", "--delimiter",
      ":")
    assert.equal(252, status)
    assert.truthy(err:find("one of , ; | and tab", 1, true), err)
  end)

  it("speaks of its own options", function()
    local world = people.world()
    world.blocks = { "ID;USER_ID\n1;bob\n" }
    local status, _, err = people.run(world, "check-list", "-")
    assert.equal(3, status)
    assert.truthy(err:find("the columns are separated by ';': --delimiter and " ..
      "--column say so", 1, true), err)
    world.blocks = { "bob\n" }
    status, _, err = people.run(world, "check-list", "-")
    assert.equal(3, status)
    assert.truthy(err:find("--column takes another name", 1, true), err)
    assert.truthy(err:find("--format lines", 1, true), err)
  end)
end)
