-- check_absent: what of a list stands in exports, what is refused, and that
-- nothing is called absent which was not read.

local cjson = require "cjson"
local child = require "spec.support.child"
local people = require "spec.support.people"
local personalize = require "personalize"
local script = require "spec.support.script"

local quote = child.quote
local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/[^/]*$") or ""

local folder

setup(function()
  local pipe = assert(io.popen "mktemp -d")
  folder = pipe:read "*l"
  pipe:close()
end)
teardown(function()
  os.execute("rm -r " .. quote(folder))
end)

local function write(name, text, mode)
  local path = folder .. "/" .. name
  local file = assert(io.open(path, mode or "wb"))
  assert(file:write(text))
  file:close()
  return path
end

local function sh(command)
  local process = child.start("bash -c " .. quote(
    "{ " .. command .. "\n} 2>&1; echo \"status $?\""))
  local text = process:rest()
  process:stop()
  local output, status = text:match "^(.*)status (%d+)\n$"
  return output or text, tonumber(status)
end

local function command(words)
  return script.command(ROOT .. "src/bin/personalize", "check-absent " .. words)
end

-- What check_absent says of exports of these texts.
local function look(ids, texts, more)
  local options = { users = ids, exports = {} }
  for i, text in ipairs(texts) do
    options.exports[i] = write(("export-%d.csv"):format(i), text)
  end
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return personalize.check_absent(options)
end

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

describe("check_absent", function()
  it("counts by file and column, with the first lines", function()
    local list = write("list.csv", "USER_ID\nalice\nBob\ncarol\nalice\n")
    local one = write("users.csv",
      "USER_ID,AGE\r\nalice,3\r\nbob,4\r\ndave,5")
    local two = write("interactions.csv", "ITEM_ID,user_id,X,User_Id\n" ..
      "1,alice,2,eve\n2,\"alice\",,\n3,,,carol\n4,eve,eve, carol\n")
    assert.same({ absent = false, found = 4, users = 3, duplicates = 1,
      ids_found = 2, warnings = {}, files = {
        { file = one, rows = 3, bytes = 35, columns = {
          { column = "USER_ID", number = 1, fields = 3, found = 1,
            lines = { 2 } } },
          warnings = {
            { kind = "near", count = 1, lines = { 3 }, message = "1 field " ..
              "equals an id of the list but for white space at its ends or " ..
              "letter case (line 3)" },
            { kind = "no_line_end", count = 1, lines = { 4 }, message =
              "the last line has no line end: the file may be cut (line 4)" },
          } },
        { file = two, rows = 4, bytes = 79, columns = {
          { column = "USER_ID", number = 2, fields = 3, found = 2,
            lines = { 2, 3 } },
          { column = "USER_ID", number = 4, fields = 3, found = 1,
            lines = { 4 } } },
          warnings = {
            { kind = "near", count = 1, lines = { 5 }, message = "1 field " ..
              "equals an id of the list but for white space at its ends or " ..
              "letter case (line 5)" },
          } },
      } }, personalize.check_absent { file = list, exports = { one, two } })
  end)

  it("says absent where nobody is", function()
    local result = look({ "alice", 4711 }, { "USER_ID\nbob\n47110\n4711.0\n",
      "X,USER_ID\nalice,\n" })
    assert.is_true(result.absent)
    assert.equal(0, result.found)
    assert.equal(0, result.ids_found)
    assert.equal(1, result.files[2].rows)
    assert.equal(0, result.files[2].columns[1].fields)
    result = look({ "alice", 4711 }, { "USER_ID\n4711\n" })
    assert.is_false(result.absent)
  end)

  it("takes one path, and lists as check_users does", function()
    local export = write("export.csv", "USER_ID\nalice\n")
    local taken = false
    for _, given in ipairs { { users = { "alice" } },
      { users = function()
        taken = not taken
        return taken and "alice" or nil
      end },
      { text = "USER_ID\nalice\n" },
      { text = "alice\n", format = "lines" },
      { file = write("other.csv", "ID;NAME\nalice;x\n"), column = "ID",
        delimiter = ";" } } do
      given.exports = export
      local result = personalize.check_absent(given)
      assert.equal(1, result.found)
      assert.equal(1, result.users)
    end
  end)

  it("reads other names, delimiters and escapes", function()
    local result = look({ "a;b", "c\"d" }, {
      "ID;user\n1;\"a;b\"\n2;\"c\\\"d\"\n3;\"\\\\\"\n" },
      { export_column = "USER", export_delimiter = ";", export_escape = "\\" })
    assert.equal(2, result.found)
    assert.equal("USER", result.files[1].columns[1].column)
    result = look({ "c\\" }, { "USER_ID\n\"c\\\"\n" }, { export_escape = '"' })
    assert.equal(1, result.found)
  end)

  it("tells of faults and oddities of the list as check_users does", function()
    local export = write("export.csv", "USER_ID\nalice\n")
    local given = { users = { "alice", "" }, exports = export }
    local ok, e = pcall(personalize.check_absent, given)
    assert.is_false(ok)
    assert.is_true(personalize.is_error(e, "UserListError"))
    assert.equal(2, e.params[1].line)
    given.users = { " alice", "alice" }
    local result = personalize.check_absent(given)
    assert.equal("white_space", result.warnings[1].kind)
    assert.equal(1, result.found)
    assert.same({}, result.files[1].warnings) -- it is there, not nearly
  end)

  it("tells lines and counts of many", function()
    local rows = { "USER_ID,X" }
    for i = 1, 5000 do
      rows[#rows + 1] = (i % 7 == 0 and "alice" or i % 7 == 1 and "ALICE" or
        "u" .. i) .. ",\"a\nb\""
    end
    local result = look({ "alice" }, { table.concat(rows, "\n") .. "\n" })
    assert.equal(714, result.found)
    assert.same({ 14, 28, 42, 56, 70 }, result.files[1].columns[1].lines)
    assert.equal(715, result.files[1].warnings[1].count)
    assert.same({ 2, 16, 30, 44, 58 }, result.files[1].warnings[1].lines)
    has(result.files[1].warnings[1].message, "(lines 2, 16, 30, 44, 58, ...)")
  end)

  it("refuses options that are wrong, all at once", function()
    for words, given in pairs {
      ["exports is missing"] = { users = { "a" } },
      ["exports must be a path or a list of them"] = { exports = { "a", 1 } },
      ["exports must be a path"] = { exports = { "a", nil, "b" } },
      ["exports must be a path or"] = { exports = { "a", x = "b" } },
      ["exports must be a path or a"] = { exports = {} },
      ["exports must be"] = { exports = "" },
      ["unique is no option"] = { unique = true },
      ["did you mean exports?"] = { export = "x" },
      ["export_delimiter must be"] = { export_delimiter = "x" },
      ["export_column must be"] = { export_column = "" },
      ["export_escape must be a quote or a backslash"] = { export_escape = "'" },
      ["on_progress must be a function"] = { on_progress = 1 },
      ["users is the list"] = { exports = "x" },
    } do
      local ok, e = pcall(personalize.check_absent, given)
      assert.is_false(ok)
      assert.is_true(personalize.is_error(e, "ParamValidationError"))
      has(e.message, words)
      assert.truthy(e.where:find "absence_spec.lua")
    end
    assert.is_false((pcall(personalize.check_absent)))
  end)
end)

describe("an export that cannot be read in one way", function()
  -- Each has the id; none may be called absent, and no error may show it.
  local CASES = {
    { "", "empty", ": it is empty: it has no header" },
    { "\n", "header", ": it begins with a blank line" },
    { "alice\nbob\n", "column", "no column is called USER_ID (there is 1;" },
    { "ITEM_ID,PRICE\nalice,1\n", "column",
      "no column is called USER_ID; there are ITEM_ID, PRICE" },
    { "alice,ITEM\nalice,1\n", "column", "(there are 2; if the first line is " ..
      "a header, the option 'export_column' names the one with user ids)" },
    { "USER_ID;X\nalice;1\n", "column", "the columns are separated by ';': " ..
      "the option 'export_delimiter' says so" },
    { "X\tuser_id\nalice\talice\n", "column", "separated by tabs" },
    { "\31\139\8\0alice", "header", "it is compressed by gzip" },
    { "\255\254U\0S\0E\0R\0", "utf8", "UTF-16" },
    { "U\0S\0E\0R\0_\0I\0D\0\n\0", "nul", "line 1: a zero byte" },
    { "USER_ID\nbob\n\0\0\0\0", "nul", "line 3: a zero byte" },
    { "X,USER_ID\n1,alice\n2,\"bob\n3,eve\n", "quote",
      "line 3: a quote that is not closed" },
    { "X,USER_ID\n1,alice\n2,bo\"b\n", "quote", "line 3: a quote in a field" },
    { "X,USER_ID\n1, \"alice\"\n", "quote", "line 2: a quote in a field" },
    { "X,USER_ID\n1,\"alice\" \n", "quote", "line 2: text after the quote" },
    { "USER_ID\nbob\ralice\n", "quote", "line 2: a carriage return" },
    { "USER_ID,X\nalice,\"5\\\" disk\"\n", "quote", "line 2: in quotes a " ..
      "backslash before a quote or another one, which can be read in two " ..
      "ways: the option 'export_escape' tells in which" },
    { "USER_ID,X\n\"alice\\\\\",1\n", "quote", "line 2: in quotes a " ..
      "backslash before a quote or another one" },
    { "USER_ID,X\nalice,1\nbob\n", "columns",
      "line 3: the line has fewer fields than the header (1 of 2)" },
    { "USER_ID,X\nbob,1,alice\n", "columns",
      "line 2: the line has more fields than the header (3 of 2)" },
    { "USER_ID\nbob\nalic\233\n", "utf8", "line 3: the field is not UTF-8" },
    { ("x"):rep(1200000) .. "alice", "header", "more than 1 MiB" },
  }

  for i, case in ipairs(CASES) do
    it(("is an error: %d, %s"):format(i, case[2]), function()
      local ok, e = pcall(look, { "alice" }, { "USER_ID\nalice\n", case[1] })
      assert.is_false(ok)
      assert.is_true(personalize.is_error(e, "ParamValidationError"))
      assert.equal(1, #e.params)
      assert.equal("exports[2]", e.params[1].path)
      assert.equal(case[2], e.params[1].code)
      has(e.message, "export-2.csv: ")
      has(e.message, case[3])
      assert.is_nil(tostring(e):find("alice", 1, true))
      assert.is_nil(cjson.encode(e.params):find("bob", 1, true))
    end)

    it(("from a pipe, too: %d"):format(i), function()
      local list = write("list.csv", "USER_ID\nalice\n")
      local path = write("case", case[1])
      local output, status = sh(command(("%s <(cat %s 2>/dev/null)"):format(quote(list),
        quote(path))))
      assert.equal(252, status, output)
      local words = case[3]:match "'export_" and
        case[3]:match "^.*the option" or case[3]
      has(output, (words:gsub("the option$", "")))
      assert.is_nil(output:find("alice", 1, true))
    end)
  end

  it("is told before the list is read, all of them at once", function()
    local ok, e = pcall(personalize.check_absent, {
      users = function() error "is asked for" end,
      exports = { write("items.csv", "ITEM_ID\n1\n"), folder .. "/none",
        write("good.csv", "USER_ID\n"), folder, "/dev/null" } })
    assert.is_false(ok)
    assert.equal(4, #e.params, e.message)
    for i, words in ipairs { "items.csv: no column is called",
      "cannot open " .. folder .. "/none: No such file or directory",
      "cannot open " .. folder .. ": it is a directory",
      "cannot open /dev/null: it is a device" } do
      has(e.params[i].message, words)
    end
    assert.equal("exports[5]", e.params[4].path)
  end)

  it("is told where it comes late", function()
    local text = "USER_ID\n" .. ("bob\n"):rep(200000) .. "a\"lice\n"
    local ok, e = pcall(look, { "alice" }, { "USER_ID\n", text })
    assert.is_false(ok)
    assert.equal("exports[2]", e.params[1].path)
    assert.equal(200002, e.params[1].line)
  end)
end)

describe("an export that changes while it is read", function()
  local function changing(change)
    local path = write("export.csv", "USER_ID\n" .. ("bob\n"):rep(400000))
    local is_changed = false
    local ok, e = pcall(personalize.check_absent, { users = { "alice" },
      exports = path, on_progress = function(progress)
        if progress.phase == "export" and progress.bytes > 0 and
          not is_changed then
          is_changed = true
          change(path)
        end
      end })
    assert.is_true(is_changed)
    assert.is_false(ok)
    assert.equal("unreadable", e.params[1].code)
    has(e.message, "export.csv: the file changed while it was read")
  end

  it("is refused where it grows", function()
    changing(function() write("export.csv", "alice\n", "ab") end)
  end)
  it("is refused where it is cut", function()
    changing(function() write("export.csv", "USER_ID\n") end)
  end)
end)

describe("check_absent on its way", function()
  it("tells of the list, then of each export, in bytes", function()
    local text = "USER_ID\n" .. ("bob\n"):rep(150000)
    local seen = {}
    look({ "alice" }, { text, text, "USER_ID\n" }, {
      on_progress = function(progress) seen[#seen + 1] = progress end })
    local all, last = 2 * #text + 8, { bytes = 0, export = 1 }
    assert.equal("check", seen[1].phase)
    for _, progress in ipairs(seen) do
      if progress.phase == "export" then
        assert.equal(3, progress.exports)
        assert.equal(1, progress.users)
        assert.equal(all, progress.total_bytes)
        assert.is_true(progress.bytes >= last.bytes)
        assert.is_true(progress.export >= last.export)
        last = progress
      else
        assert.equal(1, last.export)
      end
    end
    assert.equal(all, last.bytes)
    assert.equal(3, last.export)
    assert.is_true(#seen > 8)
  end)

  it("ends where a watcher raises", function()
    local ok, e = pcall(look, { "alice" }, { "USER_ID\nalice\n" }, {
      on_progress = function(progress)
        if progress.phase == "export" then
          error("enough", 0)
        end
      end })
    assert.is_false(ok)
    assert.is_true(personalize.is_error(e, "InterruptedError"))
    has(e.message, "enough")
  end)

  it("is ended by Ctrl-C, also while it waits for a pipe", function()
    local list = write("list.csv", "USER_ID\nalice\n")
    local pipe = folder .. "/pipe"
    os.execute("mkfifo " .. quote(pipe))
    -- The shell has the pipe open once the program has.
    local output, status = sh(("set -m; %s & p=$!\nexec 3>%s; " ..
      "echo USER_ID >&3; kill -INT $p; wait $p"):format(command(
      quote(list) .. " " .. quote(pipe)), quote(pipe)))
    assert.equal(130, status, output)
    has(output, "interrupted while reading")
    assert.is_nil(output:find("exports", 1, true))
  end)
end)

describe("the command check-absent", function()
  local list, one, two
  setup(function()
    list = write("list.csv", "USER_ID\nalice\nbob\n")
    one = write("one.csv", "USER_ID\nalice\nBob\n")
    two = write("two.csv", "X,USER_ID\n1,eve\n")
  end)

  it("ends with 1 where somebody is found, with 0 where nobody is", function()
    local output, status = sh(command("-q " .. quote(list) .. " " ..
      quote(one) .. " " .. quote(two)))
    assert.equal(1, status)
    assert.equal(("%s: 2 rows\n  column 1 (USER_ID): 1 of 2 fields (line 2)\n" ..
      "  warning: 1 field equals an id of the list but for white space at its " ..
      "ends or letter case (line 3)\n%s: 1 row\n  column 2 (USER_ID): 0 of 1 " ..
      "field\n1 of 2 users is in the exports, in 1 field\n"):format(one, two),
      output)
    output, status = sh(command("-q " .. quote(list) .. " " .. quote(two)))
    assert.equal(0, status)
    has(output, "\nnone of the 2 users is in the exports\n")
  end)

  it("prints the result as JSON", function()
    local output, status = sh(command("-q --json " .. quote(list) .. " " ..
      quote(one)))
    assert.equal(1, status)
    local result = cjson.decode(output)
    assert.same(personalize.check_absent { file = list, exports = one }, result)
  end)

  it("reads the list or an export from standard input", function()
    local output, status = sh(command("-q - " .. quote(one)) .. " <" ..
      quote(list))
    assert.equal(1, status, output)
    output, status = sh("cat " .. quote(one) .. " | " .. command("-q " ..
      quote(list) .. " -"))
    assert.equal(1, status)
    has(output, "(standard input): 2 rows\n")
    output, status = sh("echo alice | " .. command("-q " .. quote(list) .. " -"))
    assert.equal(252, status)
    has(output, "error: standard input: no column is called USER_ID")
    has(output, "--export-column")
    output, status = sh("printf 'USER_ID\\n\\0' | " .. command("-q " ..
      quote(list) .. " -"))
    assert.equal(252, status)
    has(output, "error: standard input: line 2: a zero byte: it is no text in")
    output, status = sh(command("-q " .. quote(list) .. " -") .. " <" ..
      quote(folder))
    assert.equal(252, status)
    has(output, "error: cannot read standard input: Is a directory")
    output, status = sh(command("-q " .. quote(list) .. " -") .. " <&-")
    assert.equal(252, status)
    has(output, "standard input: it is closed")
    for _, words in ipairs { "- -", quote(list) .. " - -" } do
      output, status = sh(command(words) .. " </dev/null")
      assert.equal(252, status)
      has(output, "standard input can be read only once")
    end
  end)

  it("reads compressed exports through a pipe", function()
    local output, status = sh(("gzip -c %s >%s.gz; %s"):format(quote(one),
      quote(one), command(("-q %s <(zcat %s.gz) %s"):format(quote(list),
      quote(one), quote(two)))))
    assert.equal(1, status, output)
    has(output, "/dev/fd/63: 2 rows\n")
    output, status = sh(command("-q " .. quote(list) .. " " .. quote(one) ..
      ".gz"))
    assert.equal(252, status)
    has(output, "it is compressed by gzip")
  end)

  it("tells what is wrong with files and lists", function()
    local output, status = sh(command(quote(list) .. " " .. quote(folder) ..
      " " .. quote(folder) .. "/none"))
    assert.equal(252, status)
    has(output, "2 faults")
    has(output, "/none: No such file or directory")
    output, status = sh(command(quote(two) .. " " .. quote(one)))
    assert.equal(3, status)
    has(output, "more than one column")
    output, status = sh(command(quote(list)))
    assert.equal(252, status)
    has(output, "EXPORT is missing")
    output, status = sh(command(("-q %s %s --export-column id " ..
      "--export-delimiter tab --export-escape backslash"):format(quote(list),
      quote(write("tabs", "ID\tX\nbob\t\"\\\"\"\n")))))
    assert.equal(1, status, output)
    output, status = sh(command(quote(list) .. " " .. quote(one) ..
      " --export-delimiter x --export-escape y"))
    assert.equal(252, status)
    has(output, "--export-delimiter must be one of , ; | and tab")
    has(output, "--export-escape must be one of quote and backslash")
  end)

  it("tells how far it is", function()
    local world = people.world { width = 79, files = { list = "", one = "" } }
    world.personalize.check_absent = function(given)
      given.on_progress { phase = "check", bytes = 10, total_bytes = 10,
        users = 2 }
      for export = 1, 2 do
        world.time = world.time + 1
        given.on_progress { phase = "export", bytes = 10 * export,
          total_bytes = 30, export = export, exports = 2, users = 2 }
      end
      return { absent = true, found = 0, users = 2, ids_found = 0,
        files = {}, warnings = {} }
    end
    local status, out, err = people.run(world, "check-absent", "list", "one")
    assert.equal(0, status)
    assert.equal("none of the 2 users is in the exports\n", out)
    has(err, "check: 2 users, 10 B in 0:01\n")
    has(err, " 66%")
    has(err, "export 2/2")
    has(err, "export: 2 users, 20 B, 2 exports in 0:01\n")
  end)
end)
