--- Small encodings, hashes, and the signature that a login is refreshed with.
-- Expected values were computed with Python's base64, hashlib and urllib;
-- openssl(1) makes the keys and checks what is signed.

local core = require "personalize.core"

local ALL = {}
for i = 0, 255 do
  ALL[i + 1] = string.char(i)
end
ALL = table.concat(ALL)

describe("base64", function()
  local CASES = {
    { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
    { "\0", "AA==" }, { "\0\0\0", "AAAA" }, { "\255", "/w==" },
    { "\251\255\191", "+/+/" }, { "\251\239\190", "++++" },
    { "\20\251\156\3\217\126", "FPucA9l+" },
  }

  it("is written and read", function()
    for _, case in ipairs(CASES) do
      local url = case[2]:gsub("[+/=]", { ["+"] = "-", ["/"] = "_",
        ["="] = "" })
      assert.equal(case[2], core.base64(case[1]))
      assert.equal(url, core.base64url(case[1]))
      assert.equal(case[1], core.unbase64(case[2]))
      assert.equal(case[1], core.unbase64(url))
    end
  end)

  it("goes there and back with every byte and every length", function()
    for n = 0, 256 do
      local data = ALL:sub(-n, -1)
      if n == 0 then
        data = ""
      end
      assert.equal(data, core.unbase64(core.base64(data)))
      assert.equal(data, core.unbase64(core.base64url(data)))
      assert.equal(0, #core.base64(data) % 4)
    end
    local long = ALL:rep(1000)
    assert.equal(long, core.unbase64(core.base64(long)))
  end)

  it("that is none is refused", function()
    for _, text in ipairs { "A", "AAAAA", "=", "==", "===", "====", "A===",
      "AA=", "AAA==", "AA=A", "A=AA", "AAAA=", "AAAA==", "AAAA====", "AA==AA==",
      "AA AA", "AAAA\n", " AAAA", "AA*A", "\0AAA", "AAA\255", "AB==", "AP==",
      "AB", "AAB=", "AAD", "Zm9v.Zm9v" } do
      local data, message = core.unbase64(text)
      assert.is_nil(data, text)
      assert.equal("not base64", message)
    end
  end)
end)

describe("uri_encode", function()
  it("leaves what is unreserved and escapes all else", function()
    assert.equal("AZaz09-_.~", core.uri_encode "AZaz09-_.~")
    assert.equal("%20%2B%26%3D%2F%3F%23%25%0A%00%C3%A9",
      core.uri_encode " +&=/?#%\n\0\195\169")
    assert.equal("arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx",
      core.uri_encode "arn:aws:iam::1:role/x")
    assert.equal("a/b%20c", core.uri_encode("a/b c", true))
    assert.equal("", core.uri_encode "")
  end)
end)

describe("a hash", function()
  it("by SHA-256 is in lower-case digits", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb924" ..
      "27ae41e4649b934ca495991b7852b855", core.sha256_hex "")
    assert.equal("ba7816bf8f01cfea414140de5dae2223" ..
      "b00361a396177a9cb410ff61f20015ad", core.sha256_hex "abc")
    assert.equal("40aff2e9d2d8922e47afd4648e696749" ..
      "7158785fbd1da870e7110266bf944880", core.sha256_hex(ALL))
  end)

  it("by SHA-1 too", function()
    assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709",
      core.sha1_hex "")
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d",
      core.sha1_hex "abc")
    assert.equal("4916d6bdb7f78e6803698cab32d1586ea457dfc8",
      core.sha1_hex(ALL))
  end)
end)

-- Runs openssl(1) on `input`, in place of "@" in the arguments; its output.
local function openssl(arguments, input)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(input or "")
  file:close()
  local pipe = io.popen("openssl " .. arguments:gsub("@", name) ..
    " 2>/dev/null")
  local output = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return output
end

local function new_key(curve)
  return openssl("ecparam -genkey -noout -name " .. curve)
end

-- openssl(1) says whether it is a signature: it reads DER.
local function der_integer(bytes)
  bytes = bytes:gsub("^%z+", "")
  if bytes == "" or bytes:byte() > 127 then
    bytes = "\0" .. bytes
  end
  return "\2" .. string.char(#bytes) .. bytes
end

local function verify(public, signature, text)
  local body = der_integer(signature:sub(1, 32)) ..
    der_integer(signature:sub(33))
  local key, der = os.tmpname(), os.tmpname()
  for name, content in pairs { [key] = public,
    [der] = "0" .. string.char(#body) .. body } do
    local file = assert(io.open(name, "wb"))
    file:write(content)
    file:close()
  end
  local said = openssl(("dgst -sha256 -verify %s -signature %s @")
    :format(key, der), text)
  os.remove(key)
  os.remove(der)
  return said:find("Verified OK", 1, true) ~= nil
end

describe("es256", function()
  local sec1, pkcs8, public, point

  setup(function()
    sec1 = new_key "prime256v1"
    pkcs8 = openssl("pkcs8 -topk8 -nocrypt -in @", sec1)
    public = openssl("pkey -pubout -in @", sec1)
    point = openssl("pkey -pubout -outform DER -in @", sec1):sub(-64)
    assert(sec1:find "BEGIN EC PRIVATE KEY" and
      pkcs8:find "BEGIN PRIVATE KEY", "openssl(1) makes no keys")
  end)

  it("signs with a key in either form of PEM", function()
    for _, pem in ipairs { sec1, pkcs8, "# a note\n" .. sec1 .. "more\n" } do
      local signature, x, y = core.es256(pem, "head.claims")
      assert.equal(64, #signature)
      assert.equal(point, x .. y)
      assert.equal(32, #x)
      assert.is_true(verify(public, signature, "head.claims"))
      assert.is_false(verify(public, signature, "head.claim"))
    end
  end)

  it("signs anew each time, with numbers of 32 bytes", function()
    local seen, short = {}, 0
    for i = 1, 300 do
      local signature = core.es256(sec1, "")
      assert.equal(64, #signature)
      assert.is_nil(seen[signature])
      seen[signature] = i
      -- One in 128 has a number whose first byte is 0.
      if signature:byte(1) == 0 or signature:byte(33) == 0 then
        short = short + 1
        assert.is_true(verify(public, signature, ""))
      end
    end
    assert.is_true(short < 40)
  end)

  it("has a public point of 32 bytes a coordinate", function()
    for _ = 1, 20 do
      local _, x, y = core.es256(new_key "prime256v1", "")
      assert.equal(32, #x)
      assert.equal(32, #y)
    end
  end)

  it("refuses what is no private P-256 key", function()
    for _, pem in ipairs { "", "x", sec1:sub(1, 40), sec1:sub(1, -60), public,
      new_key "secp384r1", new_key "secp256k1",
      openssl("genpkey -algorithm ed25519"),
      openssl("pkcs8 -topk8 -passout pass:sesame -in @", sec1),
      (sec1:gsub("EC PRIVATE", "RSA PRIVATE")),
      (sec1:gsub("\nM", "\nN")) } do
      local signature, message = core.es256(pem, "text")
      assert.is_nil(signature)
      assert.equal("not a private P-256 key in PEM", message)
    end
  end)
end)

it("misuse raises", function()
  for _, name in ipairs { "base64", "base64url", "unbase64", "uri_encode",
    "sha256_hex", "sha1_hex", "es256" } do
    assert.has_error(function() core[name]() end)
    assert.has_error(function() core[name](5) end)
  end
  assert.has_error(function() core.es256("x") end)
end)
