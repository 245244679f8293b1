--- Text from outside as people see it: core.printable, core.prose and
-- core.json_string. Characters in full are spec/c/show_test.c's.

local cjson = require "cjson"
local core = require "personalize.core"

describe("core.printable", function()
  it("escapes what is not seen, and keeps the rest", function()
    assert.equal("a\\tb\\r\\n\\x1b[2J\\x7f\\u{9b}\\u{202e}\\xff \195\169",
      core.printable "a\tb\r\n\27[2J\127\194\155\226\128\174\255 \195\169")
  end)

  it("takes any value, without its metamethods", function()
    local odd = setmetatable({}, { __tostring = function() error "no" end })
    for text, value in pairs { ["true"] = true, ["false"] = false,
      ["7"] = 7, ["table"] = odd, ["function"] = print } do
      assert.equal(text, core.printable(value))
    end
    assert.equal("nil", core.printable(nil))
    assert.has_error(core.printable)
    local number = 5
    core.printable(number)
    assert.equal("number", type(number))
  end)

  it("has no limit", function()
    assert.equal(4 * 5000000, #core.printable(("\27"):rep(5000000)))
  end)
end)

describe("core.prose", function()
  it("is one line without needless spaces, of 1024 bytes at most", function()
    assert.equal("one two [31mthree\\u{202e} ?",
      core.prose "  one\r\n\ttwo \27[31mthree\226\128\174\226\128\168 \255")
    assert.equal(1024, #core.prose(("x"):rep(5000)))
    assert.equal("", core.prose " \n ")
  end)
end)

describe("core.json_string", function()
  it("is plain to see, and read as what it was", function()
    for _, text in ipairs { "", 'a "b" \\ /', "\0\1\27\127\n", "\194\155",
      "\226\128\174\239\187\191", "\243\160\129\129", "\195\169\240\159\152\128"
    } do
      local json = core.json_string(text)
      assert.equal(text, cjson.decode("[" .. json .. "]")[1])
      assert.is_nil(json:find "%c")
    end
    assert.equal('"\\u009b\\u202e\\ufffd"',
      core.json_string "\194\155\226\128\174\255")
  end)
end)
