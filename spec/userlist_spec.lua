-- User lists: what core.userlist says of a list and sends of it, against a
-- model that reads it byte by byte; files and spools are in listfile_spec.

local core = require "personalize.core"

local KEY = ("k"):rep(16)
local HEADER = "USER_ID\n"

local function list_of(options)
  options.key = KEY
  return core.userlist(options)
end

-- All that a source gives, in pieces of n bytes.
local function read_source(source, n)
  local pieces = {}
  while true do
    local piece, message = source:read(n)
    if not piece then
      assert.is_nil(message)
      return table.concat(pieces)
    end
    assert.is_true(#piece >= 1 and #piece <= (n or 65536))
    pieces[#pieces + 1] = piece
  end
end

-- Spooled in pieces of n bytes: the summary, and the parts as they are sent.
local function spooled(text, options, n)
  local list = list_of(options)
  assert.is_true(list:spool())
  for i = 1, #text, n or #text do
    assert.is_true(list:write(text:sub(i, i + (n or #text) - 1)))
  end
  local summary = assert(list:finish())
  local parts = {}
  for i = 1, #summary.parts do
    parts[i] = read_source(list:part(i))
  end
  list:close()
  return summary, parts
end

-- ---- the model -------------------------------------------------------------

local function written(id)
  if id:find '[,"\r\n]' then
    return '"' .. id:gsub('"', '""') .. '"\n'
  end
  return id .. "\n"
end

-- The parts that a list of ids makes.
local function model(ids, part_size, unique)
  local parts, seen, dropped, kept = {}, {}, 0, 0
  for _, id in ipairs(ids) do
    local line = written(id)
    if unique and seen[id] then
      dropped = dropped + 1
    else
      seen[id] = true
      kept = kept + 1
      if #parts == 0 or #parts[#parts] + #line > part_size then
        parts[#parts + 1] = HEADER
      end
      parts[#parts] = parts[#parts] .. line
    end
  end
  return parts, kept, dropped
end

-- A generator of our own, so that a failure comes again.
local function randomizer(seed)
  local state = seed
  return function(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end
end

local PIECES = { "a", "B", "7", "-", "_", " ", "\t", "'", ";", ",", '"',
  "\n", "\r", "\195\169", "\226\130\172", "\240\159\152\128", "user-",
  "0123456789abcdef", "=" }

-- No id begins or ends with a line end.
local function random_id(random, pieces)
  local id = {}
  for i = 1, random(random(3) == 1 and 12 or 3) do
    id[i] = PIECES[random(pieces)]
  end
  id = table.concat(id)
  return (id:find "^[\r\n]" or id:find "[\r\n]$") and "x" .. id .. "x" or id
end

local function random_ids(random, count, pieces)
  local ids = {}
  for i = 1, count do
    ids[i] = random(4) == 1 and i > 1 and ids[random(i - 1)]
      or random(3) == 1 and random_id(random, pieces)
      or ("%08x-%04x"):format(random(2 ^ 30), random(65536))
  end
  return ids
end

-- The ids as a CSV file that means them: quoted by whim, either line end.
local function as_csv(random, ids)
  local text = { random(2) == 1 and "\239\187\191" or "", HEADER }
  for i, id in ipairs(ids) do
    local line = random(6) == 1 and '"' .. id:gsub('"', '""') .. '"'
      or written(id):sub(1, -2)
    text[#text + 1] = line ..
      (i == #ids and random(2) == 1 and "" or random(5) == 1 and "\r\n" or "\n")
  end
  return table.concat(text)
end

local function check(ids, part_size, unique, summary, parts)
  local expected, kept, dropped = model(ids, part_size, unique)
  assert.same({}, summary.faults)
  assert.same(expected, parts)
  assert.equal(kept, summary.users)
  assert.equal(dropped, summary.duplicates)
  local bytes = 0
  for i, part in ipairs(expected) do
    bytes = bytes + #part
    assert.equal(#part, summary.parts[i].bytes)
    assert.equal(core.sha256_hex(part), summary.parts[i].sha256)
  end
  assert.equal(bytes, summary.bytes)
end

describe("a user list", function()
  it("is what a naive reader makes of it", function()
    local random = randomizer(20261124)
    for round = 1, 60 do
      local ids = random_ids(random, random(120), #PIECES)
      local unique = round % 2 == 0
      local part_size = round % 3 == 0 and 220 + random(300) or 100000
      local text = as_csv(random, ids)
      local options = { unique = unique, part_size = part_size }
      check(ids, part_size, unique, spooled(text, options, random(#text)))
    end
  end)

  it("may be of lines, where a quote is a character", function()
    local random = randomizer(7)
    for round = 1, 20 do
      -- No line ends in them; those come first in the file.
      local ids = random_ids(random, 50, 11)
      local text = table.concat(ids, "\n")
      local options = { format = "lines", unique = round % 2 == 0 }
      check(ids, 1e8, options.unique, spooled(text, options, random(#text)))
    end
  end)

  it("is the same wherever its pieces end", function()
    local random = randomizer(11)
    local ids = random_ids(random, 12, #PIECES)
    local text = as_csv(random, ids)
    for n = 1, #text do
      check(ids, 150, true, spooled(text, { unique = true, part_size = 150 },
        n))
    end
  end)

  it("is what comes out when a part is read again", function()
    local random = randomizer(5)
    local ids = random_ids(random, 400, #PIECES)
    local _, parts = spooled(as_csv(random, ids), {})
    local summary, again = spooled(parts[1], {})
    assert.same({}, summary.faults)
    assert.same(parts, again)
  end)

  it("may be of ids one by one", function()
    local random = randomizer(3)
    local ids = random_ids(random, 300, #PIECES)
    local list = list_of { format = "ids", part_size = 500, unique = true }
    assert.is_true(list:spool())
    for _, id in ipairs(ids) do
      assert.is_true(list:add(id))
    end
    local summary = list:finish()
    local parts = {}
    for i = 1, #summary.parts do
      parts[i] = read_source(list:part(i))
    end
    check(ids, 500, true, summary, parts)
    assert.same(summary, list:finish())
  end)

  it("takes whole numbers as ids, in decimal", function()
    local list = list_of { format = "ids" }
    assert.is_true(list:spool())
    for _, id in ipairs { 7, -12, 3.0, 2 ^ 53 - 1, 1 - 2 ^ 53, 0 } do
      assert.is_true(list:add(id))
    end
    list:finish()
    assert.equal(HEADER .. "7\n-12\n3\n9007199254740991\n-9007199254740991\n" ..
      "0\n", read_source(list:part(1)))
  end)

  it("takes no float that may have been rounded", function()
    local list = list_of { format = "ids" }
    for _, id in ipairs { 2 ^ 53, -2 ^ 53, 2 ^ 63, 1e300 } do
      assert.is_true(list:add(id))
    end
    local summary = list:finish()
    assert.same({ range = 4 }, summary.fault_counts)
    assert.truthy(summary.faults[1].message:find("as a string", 1, true))
  end)

  it("takes whole numbers of any size where Lua has them", function()
    local to_integer = rawget(math, "tointeger")
    if not to_integer then
      pending "before Lua 5.3 every number is a float"
      return
    end
    local most = rawget(math, "maxinteger")
    local list = list_of { format = "ids" }
    assert.is_true(list:spool())
    for _, id in ipairs { most, -most - 1, to_integer(2 ^ 53) } do
      assert.is_true(list:add(id))
    end
    assert.same({}, list:finish().faults)
    assert.equal(HEADER .. "9223372036854775807\n-9223372036854775808\n" ..
      "9007199254740992\n", read_source(list:part(1)))
  end)

  it("can be checked without being kept", function()
    local list = list_of { format = "ids" }
    assert.is_true(list:add "a")
    local summary = list:finish()
    assert.equal(core.sha256_hex(HEADER .. "a\n"), summary.parts[1].sha256)
    assert.has_error(function() list:part(1) end,
      "the list kept nothing: it has neither file nor spool")
  end)
end)

-- ---- faults ----------------------------------------------------------------

describe("faults of a user list", function()
  local function faults(text, options)
    local summary, parts = spooled(text, options or {}, #text > 0 and 7 or nil)
    assert.same({}, parts)
    assert.equal(0, summary.bytes)
    assert.is_true(summary.fault_count > 0)
    return summary
  end

  it("tell where and what, and not one id", function()
    local secret = "Zq9"
    local text = HEADER .. table.concat({ secret .. "1", "", '""',
      secret .. '"2', '"' .. secret .. '"3', secret .. "\0004",
      secret .. "\2555", secret .. "," .. secret, secret:rep(100),
      secret .. "\r" .. secret, '"' .. secret }, "\n")
    local summary = faults(text)
    local found = {}
    for i, fault in ipairs(summary.faults) do
      found[i] = { fault.code, fault.line, fault.column }
      assert.is_nil(fault.message:find(secret, 1, true))
    end
    assert.same({ { "blank", 3, 1 }, { "empty", 4, 2 }, { "quote", 5, 4 },
      { "quote", 6, 6 }, { "nul", 7, 4 }, { "utf8", 8, 4 },
      { "columns", 9, 8 }, { "length", 10, 1 }, { "quote", 11, 4 },
      { "quote", 12, 1 } }, found)
    assert.same({ blank = 1, empty = 1, quote = 4, nul = 1, utf8 = 1,
      columns = 1, length = 1 }, summary.fault_counts)
    assert.equal(10, summary.fault_count)
    assert.equal(1, summary.users)
  end)

  it("are all counted, and a hundred of each kept", function()
    local summary = faults(HEADER .. ("a,b\n"):rep(150) .. ("\n"):rep(250) ..
      "c\n" .. ('""\n'):rep(3))
    assert.equal(203, #summary.faults)
    assert.equal(403, summary.fault_count)
    assert.same({ columns = 150, blank = 250, empty = 3 },
      summary.fault_counts)
    assert.equal(152, summary.faults[101].line)
    assert.equal(251, summary.faults[200].line)
  end)

  it("of a header say what is expected, and end there", function()
    for text, words in pairs {
      ["user_id\nb\n\n\nc"] = "in upper case",
      ['"USER_ID"\nb\n'] = "without quotes",
      ["USER_ID \nb\n"] = "without spaces",
      ["alice\nbob\n"] = "format lines",
      ["ID;USER_ID;MAIL\n1;alice;x\n"] = "separated by ';'",
      ['"ID"\t"USER_ID"\n'] = "separated by tabs",
      ["USER_ID,NAME\nb,c,d\n"] = "'column'",
      ["\255\254U\0S\0"] = "UTF-16",
      ["U\0S\0E\0R\0_\0I\0D\0\n\0"] = "UTF-16",
      ["PK\3\4\20\0\n\0"] = "no text",
    } do
      local summary = faults(text)
      assert.equal(1, summary.fault_count)
      assert.equal(1, summary.faults[1].line)
      assert.truthy(summary.faults[1].message:find(words, 1, true))
      assert.is_nil(summary.faults[1].message:find("alice", 1, true))
    end
  end)

  it("name the column that was asked for", function()
    local summary = faults("secret,name\n1,2\n", { column = "user id" })
    assert.equal('column "user id": the header does not have it',
      summary.faults[1].message)
    assert.equal("column", summary.faults[1].code)
    summary = faults("USER ID,name\n1,2\n", { column = "user id" })
    assert.equal('column "user id": the header has it in other letters only',
      summary.faults[1].message)
  end)

  it("are there where there is no user", function()
    for _, text in ipairs { HEADER, HEADER .. "\n\r\n" } do
      local summary = faults(text)
      assert.equal("empty", summary.faults[1].code)
      assert.equal("the list has no user", summary.faults[1].message)
    end
  end)

  it("are what ids of a wrong type are", function()
    local list = list_of { format = "ids" }
    for _, id in ipairs { "a", true, 1.5, {}, 0 / 0, 1 / 0, "" } do
      assert.is_true(list:add(id))
    end
    assert.is_true(list:add(nil))
    local summary = list:finish()
    assert.same({ type = 6, empty = 1 }, summary.fault_counts)
    assert.equal(2, summary.faults[1].line)
    assert.equal("an id must be a string or a whole number",
      summary.faults[1].message)
  end)

  it("are ids that do not fit into a part", function()
    local summary = faults(HEADER .. "123\n1234\n", { part_size = 12 })
    assert.same({ length = 1 }, summary.fault_counts)
    assert.equal(3, summary.faults[1].line)
  end)
end)

-- ---- misuse ----------------------------------------------------------------

describe("a wrong use of a user list", function()
  it("is an error", function()
    for words, options in pairs {
      ["format must be csv, lines or ids"] = { format = "tsv" },
      ["format must be a string"] = { format = 1 },
      ["only a list of the format csv has columns"] =
        { format = "lines", column = "x" },
      ["column must have 1 to 256 bytes"] = { column = "" },
      ["delimiter must be one of , ; | and a tab"] = { delimiter = ":" },
      ["only a list of the format csv has a delimiter"] =
        { format = "lines", delimiter = ";" },
      ["key must have 16 bytes"] = { unique = true, key = "short" },
      ["part_size must be a whole number of bytes, 9 or more"] =
        { part_size = 8.5 },
    } do
      assert.has_error(function() core.userlist(options) end, words)
    end
  end)

  it("in another order is an error", function()
    local list = list_of {}
    assert.has_error(function() list:add "a" end,
      "only a list of the format ids takes ids")
    assert.has_error(function() list:part(1) end, "the list is not finished")
    list:write(HEADER .. "a\n")
    assert.has_error(function() list:spool() end,
      "the list has its input already")
    list:finish()
    assert.has_error(function() list:write "b\n" end,
      "the list has its input already")
    list:close()
    list:close()
    assert.has_error(function() list:finish() end, "the list is closed")
    list = list_of { format = "ids" }
    assert.has_error(function() list:write "a" end,
      "a list of the format ids takes no text")
    list = list_of { format = "ids", unique = true }
    assert.has_error(function() list:add "a" end,
      "a list without repeats needs a file or a spool")
    list = list_of { format = "ids" }
    assert.has_error(function() list:open "/dev/null" end,
      "a list of the format ids has no file")
  end)

  it("with more parts than names can tell is told", function()
    local list = list_of { format = "lines", part_size = 10 }
    assert.is_true(list:write(("a\n"):rep(9999)))
    local ok, message = list:write "a\n"
    assert.is_nil(ok)
    assert.truthy(message:find("more than 9999 parts", 1, true))
    assert.has_error(function() list:finish() end,
      "the list has failed before")
  end)

  it("shows nothing", function()
    assert.equal("personalize.userlist", tostring(list_of {}))
  end)
end)
