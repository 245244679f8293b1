--- Shared config files: the grammar, the merging of two, and where a value
-- came from. What the SDKs' own cases say is in spec/vectors.

local core = require "personalize.core"

local function config(text)
  return core.ini(text, "config")
end

local function profiles(text, kind)
  local files, message, line = core.ini(text, kind or "config")
  assert.is_nil(message)
  assert.is_nil(line)
  return files.profiles
end

-- The value of x in a profile that holds these lines and nothing else.
local function value_of(lines)
  local found = profiles("[profile p]\n" .. lines).p
  local count = 0
  for _ in pairs(found) do
    count = count + 1
  end
  assert.equal(1, count)
  return found.x
end

local function refused(text, line, words, kind)
  local files, message, at = core.ini(text, kind or "config")
  assert.is_nil(files)
  assert.truthy(message:find(words, 1, true), message)
  assert.equal(line, at)
end

describe("a value", function()
  it("ends where a comment begins after white space", function()
    for lines, value in pairs {
      ["x = 1 # c"] = "1", ["x = 1\t; c"] = "1", ["x = 1 #"] = "1",
      ["x=1;c"] = "1;c", ["x=1# c"] = "1# c", ["x = #c"] = "",
      ["x = ;"] = "", ["x =;"] = ";", ["x=a;b # c ; d"] = "a;b",
      ["x = a ;b # c"] = "a", ["x=##"] = "##", ["x==#"] = "=#",
    } do
      assert.equal(value, value_of(lines))
    end
  end)

  it("keeps all else as it is", function()
    for lines, value in pairs {
      ["x=a=b=c"] = "a=b=c", ["x=[y]"] = "[y]", ["x = ]"] = "]",
      ['x = "q" '] = '"q"', ["x = a  b"] = "a  b", ["x=%d$HOME"] = "%d$HOME",
      ["X=A"] = "A", ["x = \195\169\226\130\172"] = "\195\169\226\130\172",
      ["x = a\rb"] = "a\rb", ["x = \\n"] = "\\n", ["x=\t"] = "",
    } do
      assert.equal(value, value_of(lines))
    end
  end)

  it("goes on in lines that begin with white space", function()
    for lines, value in pairs {
      ["x = a\n b\n\tc"] = "a\nb\nc",
      ["x = a\n\n \t\n b"] = "a\nb",
      ["x = a\n# between\n; them\n b"] = "a\nb",
      ["x = a\n [profile q]"] = "a\n[profile q]",
      ["x = a\n y = z"] = "a\ny = z",
      ["x = a\r\n b\r\n"] = "a\nb",
      ["x = a # c\n b # c"] = "a\nb # c",
      ["x =\n a = b\n\tc=d  "] = "\na = b\nc=d",
      ["x = # c\n a = b"] = "\na = b",
      ["x =\n a.b$c = d"] = "\na.b$c = d",
    } do
      assert.equal(value, value_of(lines))
    end
  end)

  it("never holds a line that is all comment", function()
    for lines, value in pairs {
      ["x = s3cret\n # all of it"] = "s3cret",
      ["x = s3cret\n\t; all of it"] = "s3cret",
      ["x = a\n # between\n b\n   ;;\n"] = "a\nb",
      ["x =\n # what\n a = 1\n ; b = 2\n c = 3 ; d\n"] =
        "\na = 1\nc = 3 ; d",
      ["  # before\nx = a\n#\n  # behind"] = "a",
      ["x = a\r\n # all of it\r\n"] = "a",
      ["x = a\n #"] = "a",
    } do
      assert.equal(value, value_of(lines))
    end
  end)

  it("counts as given last, with its own continuations alone", function()
    assert.equal("b", value_of "x = a\n more\nx = b")
    assert.equal("b\nmore", value_of "x = a\nX = b\n more")
  end)
end)

describe("a key", function()
  it("is lower-cased, and left out where its letters are none", function()
    assert.same({ a_key = "1", ["b-%./:@+"] = "2" }, profiles(
      "[profile p]\nA_Key=1\nb-%./:@+ = 2\nc d = 3\n\195\169 = 4\n" ..
      "e!=5\n continued\n f = no property\n").p)
  end)

  it("may not be empty, and needs a '='", function()
    refused("[profile p]\n= 1", 2, "without a name")
    refused("[profile p]\n\n#\n  \nkey", 5, "without '='")
    refused("[profile p]\nkey ; = 1", 2, "without '='")
    refused("[profile p]\nkey : 1\n", 2, "a property without '='")
  end)
end)

describe("a section", function()
  it("of the config file has a prefix, but for the default", function()
    local files = config(
      "[a]\nx=1\n[profile b]\nx=2\n[profilec]\nx=3\n[profile]\nx=4\n" ..
      "[default]\nx=5\n[Profile d]\nx=6\n[plugins]\nx=7\n[profile e f]\nx=8\n" ..
      "[profile\tg]\n[profile]h]\n[]\n[ ]\n[sso-session]\n[preview x]\n")
    assert.same({ b = { x = "2" }, default = { x = "5" }, g = {} },
      files.profiles)
    assert.same({ a = 1, profilec = 5, profile = 7, ["Profile d"] = 11,
      plugins = 13, ["profile e f"] = 15, ["profile]h"] = 18, [""] = 20,
      ["sso-session"] = 21, ["preview x"] = 22 }, files.ignored.config)
  end)

  it("may have letters beyond ASCII in its name", function()
    assert.same({ ["\195\169quipe"] = { x = "1" }, ["\230\151\165-1"] = {} },
      profiles "[profile \195\169quipe]\nx=1\n[profile \230\151\165-1]")
    assert.same({ ["\195\169quipe"] = { x = "1" } },
      profiles("[\195\169quipe]\nx=1\n", "credentials"))
    assert.same({ ["\195\169"] = { x = "1" } },
      config "[sso-session \195\169]\nx=1\n".sso_sessions)
  end)

  it("may have its name in quotes", function()
    for text, name in pairs {
      ["'My Corp'"] = "My Corp", ['"My Corp"'] = "My Corp",
      ["'a'"] = "a", ['"a#b;c]d[e"'] = "a#b;c]d[e", ["'#'"] = "#",
      [ [['Bob'"'"'s Corp']] ] = "Bob's Corp", [ [["Bob's"]] ] = "Bob's",
      [ [["a\"b\\c\d"]] ] = [[a"b\c\d]], [ [['a\b']] ] = [[a\b]],
      [ [[My\ Corp]] ] = "My Corp", ["My' 'Corp"] = "My Corp",
      ["'\195\169quipe 1'"] = "\195\169quipe 1", ["'foo!bar'"] = "foo!bar",
      ["  'a b' \t"] = "a b", ["' a '"] = " a ",
      ["'" .. ("x"):rep(255) .. "'"] = ("x"):rep(255),
    } do
      assert.same({ [name] = { x = "1" } }, profiles("[profile " .. text ..
        "]\nx=1"), text)
      assert.same({ [name] = { x = "1" } }, profiles("[profile " .. text ..
        "] # it's a comment [x]\nx=1"), text)
      local files = config("[sso-session " .. text .. "]\nx=1\n[services " ..
        text .. "];c\ny=2")
      assert.same({ [name] = { x = "1" } }, files.sso_sessions)
      assert.same({ [name] = { y = "2" } }, files.services)
    end
    assert.same({ ["My Corp"] = { x = "1" } },
      profiles("['My Corp']\nx=1", "credentials"))
  end)

  it("is ignored where its quotes make no name", function()
    for _, text in ipairs { "''", '""', "'a", "a'", "Bob's", "'a' b",
      "'a' 'b'", '"a', "a\\", "'" .. ("x"):rep(257) .. "'", "'a\tb'",
      "'a\127b'" } do
      local files = config("[profile " .. text .. "]\nx=1")
      assert.same({}, files.profiles, text)
      assert.same({ config = { ["profile " .. text] = 1 } }, files.ignored)
    end
    assert.same({}, profiles "['profile a']\n['default']\n[profile'a']")
  end)

  it("without quotes has no spaces, but for what the config file has in them",
    function()
      local files = config "[profile 'My Corp']\nx=1\n[profile in valid]\nx=2"
      core.ini("[My Corp]\ny=3\n[in valid]\ny=4\n[My  Corp]\ny=5",
        "credentials", files)
      assert.same({ ["My Corp"] = { x = "1", y = "3" } }, files.profiles)
      assert.same({ config = { ["profile in valid"] = 3 },
        credentials = { ["in valid"] = 3, ["My  Corp"] = 5 } }, files.ignored)
      assert.same({ x = 2 }, files.lines.config.profiles["My Corp"])
      assert.same({ y = 2 }, files.lines.credentials.profiles["My Corp"])
    end)

  it("of the credentials file has none", function()
    local files = core.ini(
      "[a]\nx=1\n[profile b]\nx=2\n[default]\nx=3\n[profile]\nx=4\n" ..
      "[sso-session s]\nx=5\n[services t]\nx=6\n[a b]\n[a!]", "credentials")
    assert.same({ a = { x = "1" }, default = { x = "3" },
      profile = { x = "4" } }, files.profiles)
    assert.same({}, files.sso_sessions)
    assert.same({}, files.services)
    assert.equal(9, files.ignored.credentials["sso-session s"])
  end)

  it("may be an SSO session or the services of one name", function()
    local files = config(
      "[sso-session s]\nsso_region = eu-west-1\n[ services  s ]\n" ..
      "personalize =\n  endpoint_url = http://localhost:1\n[profile s]\nx=1")
    assert.same({ s = { sso_region = "eu-west-1" } }, files.sso_sessions)
    assert.same({ s = { personalize =
      "\nendpoint_url = http://localhost:1" } }, files.services)
    assert.same({ s = { x = "1" } }, files.profiles)
  end)

  it("may be followed by a comment", function()
    assert.same({ a = {}, b = {}, c = {} },
      profiles "[profile a]#\n[profile b];[x\n[profile c] \t # ]\n")
    refused("[profile a#b]", 1, "end with ']'")
  end)

  it("must end", function()
    refused("[profile a]\n[profile b", 2, "end with ']'")
    refused("[profile a] x", 1, "end with ']'")
    refused("[", 1, "end with ']'")
    refused("[;]", 1, "end with ']'")
  end)

  it("given again goes on", function()
    assert.same({ a = { x = "3", y = "2" }, b = {} },
      profiles "[profile a]\nx=1\ny=2\n[profile b]\n[profile a]\nx=3")
  end)

  it("is told of errors though it is ignored", function()
    refused("[a]\nx", 2, "without '='")
    refused("[a]\nx =\n y", 3, "a sub-property without '='")
  end)
end)

describe("[profile default]", function()
  it("stands for [default], which then counts for nothing", function()
    local texts = {
      "[default]\nx=1\n[profile default]\ny=2\n",
      "[profile default]\ny=2\n[default]\nx=1\n",
      "[default]\nx=1\n[ profile \t default ] # c\ny=2\n[default]\nz=3",
    }
    for _, text in ipairs(texts) do
      local files = config(text)
      assert.same({ default = { y = "2" } }, files.profiles)
      assert.is_number(files.ignored.config.default)
    end
  end)

  it("does so for the config file alone", function()
    local files = config "[profile default]\nx=1\ny=1"
    core.ini("[default]\ny=2\n[profile default]\nz=3", "credentials", files)
    assert.same({ default = { x = "1", y = "2" } }, files.profiles)
  end)

  it("counts only where it is a section", function()
    assert.same({ default = { x = "1\n[profile default]" } },
      profiles "[default]\nx=1\n [profile default]\n#[profile default]")
  end)
end)

describe("a line", function()
  it("counts for nothing when it is empty or a comment", function()
    assert.same({ p = {} }, profiles "\n \t\n# x\n;y = z\n#\n[profile p]\n;\n")
  end)

  it("may end in CR LF", function()
    assert.same({ p = { x = "1", y = "" } },
      profiles "# c\r\n\r\n[profile p]\r\nx = 1\r\ny =\r\n \t\r\n")
  end)

  it("must not stand before the first section", function()
    refused("x = 1", 1, "before the first section")
    refused("\n\n x = 1", 3, "before the first section")
    refused("# c\nx\n[profile a]", 2, "before the first section")
  end)

  it("that is indented and no property needs one before it", function()
    refused("[profile a]\n x", 2, "without a property")
    refused("[profile a]\nx = 1\n[profile b]\n\n y", 5, "without a property")
    refused("  [profile a]\n  x", 2, "without a property")
    refused("  [profile a]\n  x = 1\n  y", 3, "a property without '='")
    refused("  x = 1\n  [profile a]", 1, "before the first section")
  end)
end)

describe("a file that is indented", function()
  local PLAIN = "[default]\nregion = eu-west-1\ns3 =\n  a = 1\n  b = 2\n" ..
    "more = 1\n  2\n\n# c\n[profile b]\nx = 3\n[sso-session s]\ny = 4\n"
  local expected = config(PLAIN)

  local function same(text)
    local files = config(text)
    assert.same(expected.profiles, files.profiles)
    assert.same(expected.sso_sessions, files.sso_sessions)
    assert.same(expected.lines, files.lines)
  end

  it("as a whole is as one that is not", function()
    for _, by in ipairs { " ", "    ", "\t", "\t\t", " \t " } do
      same(by .. PLAIN:gsub("\n", "\n" .. by))
      same((by .. PLAIN:gsub("\n", "\r\n" .. by)))
      same("\239\187\191" .. by .. PLAIN:gsub("\n", "\n" .. by))
    end
    same("    " .. PLAIN:gsub("\n(.)", "\n    %1"))
  end)

  it("below its headers is so, too", function()
    same((PLAIN:gsub("\n([^%[\n])", "\n  %1")))
    same((PLAIN:gsub("\n([^%[\n])", "\n\t%1")))
  end)

  it("differently from section to section is so, too", function()
    assert.same({ a = { x = "1", y = "2" }, b = { x = "3\n4", y = "5" },
      c = { z = "6" } }, profiles("[profile a]\n    x = 1\n  y = 2\n" ..
      "  [profile b]\n x = 3\n  4\ny = 5\n[profile c]\nz = 6\n"))
  end)

  it("may have its [profile default] anywhere", function()
    assert.same({ default = { y = "2" } },
      profiles "  [default]\n  x=1\n  [profile default]\n  y=2\n")
    assert.same({ default = { x = "1\n[profile default]" } },
      profiles "  [default]\n  x=1\n    [profile default]\n")
    assert.same({ default = { y = "2" } },
      profiles "[default]\nx=1\n[profile 'default']\ny=2\n")
  end)

  it("may be the credentials file", function()
    assert.same({ default = { x = "1", y = "2" }, b = { z = "3" } }, profiles(
      "   [default]\n   x = 1\n   # c\n   y = 2\n   [b]\n   z = 3\n",
      "credentials"))
  end)
end)

describe("sub-properties", function()
  it("need a '=' and a name", function()
    refused("[profile a]\ns3 =\n x = 1\n y", 4, "a sub-property without '='")
    refused("[profile a]\ns3 =\n = 1", 3, "a sub-property without a name")
    refused("[profile a]\ns3 =\n x # = 1", 3, "a sub-property without '='")
  end)

  it("may have comments of their own", function()
    local value = value_of "x =\n # what\n a = 1\n ; b = 2\n c = 3 ; d\n"
    assert.same({ a = "1", c = "3" }, core.ini_sub(value))
    assert.same({ a = "1" }, core.ini_sub "\n# what\na = 1")
  end)

  it("are read from a value", function()
    assert.same({}, core.ini_sub "")
    assert.same({}, core.ini_sub "\n\n \n")
    assert.same({ ["endpoint_url"] = "http://a/?b=c", ["a b!"] = "",
      last = "2" }, core.ini_sub
      "\nEndpoint_URL = http://a/?b=c\na b! =\nlast=1\nlast = 2")
    for _, value in ipairs { "a = b", "x\na = b", "\na", "\n= b", "\na = b\nc" }
    do
      local sub, message = core.ini_sub(value)
      assert.is_nil(sub)
      assert.equal("not a list of sub-properties", message)
    end
  end)
end)

describe("a text", function()
  it("may begin with a byte order mark", function()
    assert.same({ p = {} }, profiles "\239\187\191[profile p]")
    assert.same({ p = {} }, profiles("\239\187\191[p]", "credentials"))
    assert.same({}, profiles "\239\187\191")
  end)

  it("must be UTF-8", function()
    refused("[profile a]\nx = \233t\233\n", 2, "not UTF-8")
    refused("\255", 1, "not UTF-8", "credentials")
  end)

  it("has its bound", function()
    refused(("#"):rep(4 * 1024 * 1024 + 1), 1, "too long")
    assert.same({}, profiles(("#"):rep(4 * 1024 * 1024)))
    local long = ("v"):rep(1000000)
    assert.equal(long .. "\n" .. long, value_of("x=" .. long .. "\n " .. long))
  end)

  it("that is cut anywhere is read or refused", function()
    local text = "[profile a]\nx = 1\n 2\n[sso-session s]\ny =\n z = 3\n"
    for n = 0, #text do
      local files, message, line = config(text:sub(1, n))
      assert.is_true(files ~= nil or (message ~= nil and line >= 1))
    end
  end)

  it("never shows in an error", function()
    for _, text in ipairs { "sesame", "[sesame", "[profile a]\nsesame",
      "[profile a]\n sesame", "[profile a]\nx =\n sesame", "sesame\255" } do
      local _, message = config(text)
      assert.is_nil(message:find "sesame")
    end
  end)
end)

describe("two files", function()
  local CONFIG = "[profile a]\nx=1\ny=1\n\n[default]\nx=2\n[profile c]\n"
  local CREDENTIALS = "# keys\n[a]\ny=3\nz=4\n[b]\nx=5\n[default]\n"

  it("make one, the later over the earlier, key by key", function()
    local files = config(CONFIG)
    assert.equal(files, core.ini(CREDENTIALS, "credentials", files))
    assert.same({ a = { x = "1", y = "3", z = "4" }, b = { x = "5" }, c = {},
      default = { x = "2" } }, files.profiles)
  end)

  it("tell in which of them and where a value stands", function()
    local files = core.ini(CREDENTIALS, "credentials", config(CONFIG))
    assert.same({
      config = { sso_sessions = {}, services = {}, profiles = {
        a = { x = 2, y = 3 }, default = { x = 6 }, c = {} } },
      credentials = { sso_sessions = {}, services = {}, profiles = {
        a = { y = 3, z = 4 }, b = { x = 6 }, default = {} } },
    }, files.lines)
  end)

  it("stay as they were when the second is malformed", function()
    local files = config(CONFIG)
    local again, message, line = core.ini("[a]\ny=3\n[b", "credentials", files)
    assert.is_nil(again)
    assert.is_string(message)
    assert.equal(3, line)
    assert.same(config(CONFIG), files)
  end)

  it("tell of a property with continuations where it begins", function()
    local files = config "[profile a]\n\nx =\n y = 1\n\n z = 2\nlast = 3"
    assert.same({ x = 3, last = 7 }, files.lines.config.profiles.a)
  end)
end)

it("misuse raises", function()
  assert.has_error(function() core.ini() end)
  assert.has_error(function() core.ini("x") end)
  assert.has_error(function() core.ini("", "other") end)
  assert.has_error(function() core.ini("", "config", "into") end)
  assert.has_error(function() core.ini(5, "config") end)
  assert.has_error(function() core.ini_sub() end)
end)
