--- XML answers of S3 and STS: what is read of them and what is refused.

local core = require "personalize.core"

-- The value of the root "r" whose content is given.
local function content(text)
  local root, value = core.xml("<r>" .. text .. "</r>")
  assert.equal("r", root)
  return value
end

local function refused(text, words)
  local root, message = core.xml(text)
  assert.is_nil(root, text)
  assert.equal("string", type(message))
  if words then
    assert.truthy(message:find(words, 1, true), text .. ": " .. message)
  end
end

local STS = [[
<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <AssumedRoleId>AROA:session</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/erasure/session</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIA0000000000000000</AccessKeyId>
      <SecretAccessKey>abc/def+ghi</SecretAccessKey>
      <SessionToken>AAAA//BBBB==</SessionToken>
      <Expiration>2026-11-24T11:00:00Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>5a6b</RequestId></ResponseMetadata>
</AssumeRoleResponse>
]]

describe("an answer", function()
  it("of STS is tables and texts", function()
    local root, answer = core.xml(STS)
    assert.equal("AssumeRoleResponse", root)
    local keys = answer.AssumeRoleResult.Credentials
    assert.equal("ASIA0000000000000000", keys.AccessKeyId)
    assert.equal("abc/def+ghi", keys.SecretAccessKey)
    assert.equal("AAAA//BBBB==", keys.SessionToken)
    assert.equal("2026-11-24T11:00:00Z", keys.Expiration)
    assert.equal("5a6b", answer.ResponseMetadata.RequestId)
  end)

  it("of S3 may follow white space that kept the connection open", function()
    local root, answer = core.xml((" \r\n"):rep(500) ..
      '<?xml version="1.0" encoding="UTF-8"?>\n \n<Error>' ..
      "<Code>InternalError</Code><Message>Try &quot;again&quot;</Message>" ..
      "<HostId/></Error>\n")
    assert.equal("Error", root)
    assert.equal("InternalError", answer.Code)
    assert.equal('Try "again"', answer.Message)
    assert.equal("", answer.HostId)
  end)

  it("has lists in their order, kinds mixed", function()
    local _, answer = core.xml [[<ListVersionsResult><Name>b</Name>
      <Version><Key>1</Key></Version><DeleteMarker><Key>2</Key></DeleteMarker>
      <Version><Key>3</Key></Version><IsTruncated>false</IsTruncated>
      </ListVersionsResult>]]
    local seen = {}
    for i, child in ipairs(answer) do
      seen[i] = child.name .. (child.value.Key or child.value)
    end
    assert.same({ "Nameb", "Version1", "DeleteMarker2", "Version3",
      "IsTruncatedfalse" }, seen)
    assert.equal("1", answer.Version.Key)
    assert.equal(answer.Version, answer[2].value)
  end)

  it("may be a root alone", function()
    for _, text in ipairs { "<r/>", "<r />", "<r></r>", "<r ></r >",
      "<r a='1'/>", "\239\187\191<r/>", " <r/> ", "<?xml version='1.0'?><r/>",
      "<!-- a --><r/><!-- b -->", "<r/><?x?>", "<p:r xmlns:p='u'></p:r>",
      "<r\n\ta = \"1\"\n\tb='>'/>" } do
      local root, value = core.xml(text)
      assert.equal("r", root)
      assert.equal("", value)
    end
  end)
end)

describe("a text", function()
  it("has its references undone", function()
    for text, value in pairs {
      ["&amp;&lt;&gt;&quot;&apos;"] = "&<>\"'", ["&amp;lt;"] = "&lt;",
      ["&#65;&#x42;&#x63;"] = "ABc", ["&#233;"] = "\195\169",
      ["&#x20AC;"] = "\226\130\172", ["&#x1F600;"] = "\240\159\152\128",
      ["&#x10FFFF;"] = "\244\143\191\191", ["&#x7f;&#x80;"] = "\127\194\128",
      ["&#x7FF;&#x800;"] = "\223\191\224\160\128",
      ["&#xFFFF;&#x10000;"] = "\239\191\191\240\144\128\128",
      ["&#13;&#10;&#9;"] = "\r\n\t", ["&#x1;"] = "\1",
      ["a&#000065;b"] = "aAb", ["'\""] = "'\"", ["]]"] = "]]", [">"] = ">",
    } do
      assert.equal(value, content(text))
    end
  end)

  it("loses comments and instructions, and what CDATA is marked with",
    function()
      for text, value in pairs {
        ["<![CDATA[<a>&amp;]]>"] = "<a>&amp;", ["<![CDATA[]]>"] = "",
        ["<![CDATA[]]]]><![CDATA[>]]>"] = "]]>", ["a<!-- b -->c"] = "ac",
        ["<!---->x"] = "x", ["<!-- <x> & ]]> -->y"] = "y",
        ["a<?pi b?>c"] = "ac", ["<?pi??>"] = "", ["<![CDATA[ a ]]> b"] = " a  b",
        ["<![CDATA[<!-- -->]]>"] = "<!-- -->", ["<!-- <![CDATA[ -->x"] = "x",
      } do
        assert.equal(value, content(text))
      end
    end)

  it("keeps white space, with its line ends as LF", function()
    assert.equal(" a\n b\n\tc\n\n", content " a\r\n b\r\tc\n\r")
    assert.equal("\n\n", content "<![CDATA[\r\n\r]]>")
  end)

  it("beside elements is dropped", function()
    assert.same({ a = "1", { name = "a", value = "1" } },
      content "x<a>1</a>y &amp; z")
  end)
end)

describe("a name", function()
  it("loses its prefix", function()
    local root, value = core.xml "<s:r xmlns:s='u'><t:a>1</t:a><b/></s:r>"
    assert.equal("r", root)
    assert.equal("1", value.a)
    assert.equal("", value.b)
  end)

  it("may have letters of any kind", function()
    assert.equal("1", content("<\195\169-1._>1</\195\169-1._>")["\195\169-1._"])
  end)

  it("must be one", function()
    for _, name in ipairs { "1", "-a", ".", ":", ":a", "a:", "a:b:c", "", " a",
      "a$", "=", "&", "(" } do
      refused("<" .. name .. "></" .. name .. ">")
    end
  end)
end)

describe("what is not well-formed is refused:", function()
  for text, words in pairs {
    [""] = "cut", [" \n"] = "cut", ["x"] = "outside", ["{}"] = "outside",
    ["<r/>x"] = "outside", ["x<r/>"] = "outside", ["&amp;<r/>"] = "outside",
    ["<r/><s/>"] = "second root", ["<r></r></r>"] = "ends nothing",
    ["<r></s>"] = "ends nothing", ["<a><b></a></b>"] = "ends nothing",
    ["</r>"] = "ends nothing", ["<p:r></q:r>"] = "ends nothing",
    ["<p:r></r>"] = "ends nothing", ["<r></r x='1'>"] = "without end",
    ["<r a></r>"] = "without '='", ["<r a=1></r>"] = "without quotes",
    ["<r a='1'b='2'/>"] = "without end", ["<r a='<'/>"] = "attribute",
    ["<r / >"] = "without end", ["<r></r/>"] = "without end",
    ["<r>&</r>"] = "reference", ["<r>&;</r>"] = "reference",
    ["<r>& amp;</r>"] = "reference", ["<r>&nbsp;</r>"] = "reference",
    ["<r>&AMP;</r>"] = "reference", ["<r>&amp</r>"] = "reference",
    ["<r>&#;</r>"] = "reference", ["<r>&#x;</r>"] = "reference",
    ["<r>&#0;</r>"] = "reference", ["<r>&#xD800;</r>"] = "reference",
    ["<r>&#xDFFF;</r>"] = "reference", ["<r>&#x110000;</r>"] = "reference",
    ["<r>&#4294967361;</r>"] = "reference", ["<r>&#-1;</r>"] = "reference",
    ["<r>&#1a;</r>"] = "reference", ["<r>&#X41;</r>"] = "reference",
    ["<r>&#x00000000041;</r>"] = "reference", ["<r>&#xFFFFFFFF;</r>"] =
      "reference", ["<r><!-- a -- b --></r>"] = "'--'",
    ["<r><!-- a ---></r>"] = "'--'", ["<![CDATA[x]]><r/>"] = "document type",
    ["<r><?xml version='1.0'?></r>"] = "declaration",
    ["<r><? x?></r>"] = "name", ["<r>\0</r>"] = "control character",
    ["<r>\1</r>"] = "control character", ["<r>\255</r>"] = "UTF-8",
    ["<r>\237\160\128</r>"] = "UTF-8", ["<r><a<b/></r>"] = "without end",
    ["<r>a < b</r>"] = "name", ["\255\254<\0r\0/\0>\0"] = "UTF-8",
  } do
    it(("%q"):format(text), function()
      refused(text, words)
    end)
  end
end)

describe("what is meant to harm is refused:", function()
  it("a document type, with entities or without", function()
    for _, text in ipairs {
      '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>',
      '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
      "<!DOCTYPE r><r/>", "<!doctype r><r/>", "<r><!ENTITY a 'b'></r>",
      "<r><!ELEMENT a></r>", "<r><![INCLUDE[x]]></r>",
    } do
      refused(text, "document type")
    end
  end)

  it("nesting without end", function()
    local function nested(depth)
      return ("<a>"):rep(depth) .. ("</a>"):rep(depth)
    end
    local _, value = core.xml(nested(32))
    for _ = 1, 31 do
      value = value.a
    end
    assert.equal("", value)
    refused(nested(33), "too deeply")
    refused(("<a>"):rep(100000), "too deeply")
    refused(("<a>"):rep(32) .. "<b/>" .. ("</a>"):rep(32), "too deeply")
  end)

  it("length without end", function()
    local longest = 8 * 1024 * 1024
    assert.equal(longest - 7, #content(("x"):rep(longest - 7)))
    refused("<r>" .. ("x"):rep(longest - 6) .. "</r>", "too long")
  end)
end)

it("what is cut anywhere is refused", function()
  local text = "<?xml version='1.0'?><!-- c --><r a='1'><b>x&amp;y</b><c/>" ..
    "<![CDATA[z]]><?p q?></r>"
  assert.equal("r", (core.xml(text)))
  for n = 0, #text - 1 do
    refused(text:sub(1, n))
  end
end)

it("many elements are read in a time that grows with them alone", function()
  local function time(count)
    local text = "<r>" .. ("<a>1</a>"):rep(count) .. "</r>"
    local start = os.clock()
    local _, value = core.xml(text)
    assert.equal(count, #value)
    return os.clock() - start
  end
  -- Time of the processor, which no other program takes; the best of a few.
  local function best(count)
    local least = math.huge
    for _ = 1, 5 do
      least = math.min(least, time(count))
    end
    return least
  end
  -- Ten times as many take ten times as long; a hundred times, if each were
  -- looked for among all.
  assert.is_true(best(100000) < 40 * best(10000))
end)

it("no error shows what was refused", function()
  for _, text in ipairs { "sesame", "<sesame", "<a>sesame", "<a>&sesame;</a>",
    "<a></sesame>", "<a sesame></a>", "<!sesame>" } do
    local _, message = core.xml(text)
    assert.is_nil(message:find "sesame")
  end
end)

it("misuse raises", function()
  assert.has_error(function() core.xml() end)
  assert.has_error(function() core.xml {} end)
end)
