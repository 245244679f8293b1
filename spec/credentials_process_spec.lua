--- A command that prints credentials, and what of the machine that takes.

local core = require "personalize.core"
local patience = require "spec.support.patience"
local profile = require "personalize.credentials.profile"
local world = require "spec.support.world"

local function slurp(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

describe("a command", function()
  it("gives what it prints", function()
    assert.equal("a b\n", core.run("echo a b", 60))
    assert.equal("", core.run("true", 60))
    assert.equal(100000, #core.run(
      "head -c 100000 /dev/zero | tr '\\0' x", 60))
  end)

  it("reads nothing and says nothing on standard error", function()
    assert.equal("", core.run("cat", 60))
    assert.equal("out\n", core.run("echo err >&2; echo out", 60))
  end)

  it("fails by its status or signal, without its words", function()
    local output, why = core.run("echo s3cret; exit 3", 60)
    assert.is_nil(output)
    assert.truthy(why:find "status 3")
    assert.is_nil(why:find "s3cret")
    output, why = core.run("kill -9 $$", 60)
    assert.is_nil(output)
    assert.truthy(why:find "signal 9")
    why = select(2, core.run("/no/such/program", 60))
    assert.truthy(why:find "status 127")
  end)

  it("is killed with all it began when it takes too long", function()
    -- What it began holds a lock, until it is gone.
    local path = os.tmpname()
    local hold = ("(flock -x 9; echo >&9; sleep 3600) 9>%s & "):format(path)
    local output, why
    patience.long_enough(0.3, function(seconds)
      output, why = core.run(hold .. "sleep 3600", seconds)
      return slurp(path) ~= ""
    end)
    assert.is_nil(output)
    assert.equal("it took too long", why)
    patience.await("the end of what it began", function()
      return core.run("flock -n " .. path .. " true && echo", 60)
    end)
    os.remove(path)
  end)

  it("is not waited for beyond its end by what it left behind", function()
    local pid = core.run("sleep 3600 & echo $!", 60)
    assert.truthy(pid and pid:find "^%d+\n$", pid)
    os.execute("kill " .. pid)
  end)

  it("is killed when it prints without end", function()
    local output, why = core.run("cat /dev/zero", 60)
    assert.is_nil(output)
    assert.truthy(why:find "1 MiB")
  end)

  it("is refused with a zero byte", function()
    assert.is_false(pcall(core.run, "true\0", 1))
    assert.is_false(pcall(core.run, "true"))
  end)
end)

describe("a private file", function()
  it("is written whole, for its owner alone", function()
    local path = os.tmpname()
    assert.is_true(core.write_private(path, "one"))
    assert.is_true(core.write_private(path, ("two\0"):rep(10000)))
    assert.equal(("two\0"):rep(10000), slurp(path))
    local pipe = io.popen("ls -l " .. path .. "; ls " .. path .. "*")
    local listing = pipe:read "*a"
    pipe:close()
    assert.truthy(listing:find "^%-rw%-%-%-%-%-%-%-")
    assert.equal(path .. "\n", listing:match "\n(.*)$") -- and nothing beside it
    os.remove(path)
  end)

  it("stays as it was where writing fails", function()
    local ok, why = core.write_private("/no/such/folder/file", "x")
    assert.is_nil(ok)
    assert.equal("string", type(why))
  end)
end)

describe("a host", function()
  it("has addresses, in one form each", function()
    assert.same({ "127.0.0.1" }, core.resolve "127.0.0.1")
    assert.same({ "::1" }, core.resolve "0:0::0:1")
    assert.same({ "127.0.0.1" }, core.resolve "127.1")
  end)

  it("is an address itself, where it has to be one", function()
    assert.same({ "127.0.0.1" }, core.resolve("0x7f.1", true))
    assert.same({ "::1" }, core.resolve("::0:1", true))
    for _, host in ipairs { "localhost", "127.0.0.999", "", "[::1]" } do
      assert.is_nil((core.resolve(host, true)), host)
    end
  end)

  it("that is none has a reason", function()
    local found, why = core.resolve "not a host"
    assert.is_nil(found)
    assert.equal("string", type(why))
  end)
end)

describe("dates", function()
  it("are read and written", function()
    assert.equal(1795521600, core.time "2026-11-24T12:00:00Z")
    assert.equal("2026-11-24T12:00:00Z", core.time_text(1795521600.9))
    assert.is_nil(core.time "yesterday")
    assert.is_nil(core.time_text(-1))
    assert.is_nil(core.time_text(0 / 0))
  end)
end)

describe("credential_process", function()
  local function fetch(command, run, more)
    return profile.fetch(world.new { env = { HOME = "/home" }, profile = "a",
      run = run, files = { ["/home/.aws/config"] = "[profile a]\n" ..
        "credential_process = " .. command .. "\n" .. (more or "") } })
  end

  local function printing(text)
    return fetch("any", function() return text end)
  end

  local WHOLE = '{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":' ..
    '"s3cret","SessionToken":"token","Expiration":"2026-11-24T12:00:00Z",' ..
    '"AccountId":"123456789012"}'

  it("gives what the command prints", function()
    local found, fault = fetch("echo '" .. WHOLE .. "'")
    assert.is_nil(fault)
    assert.same({ access_key_id = "AKID", secret_access_key = "s3cret",
      session_token = "token", expiration = 1795521600,
      account_id = "123456789012", source = "credential process" }, found)
  end)

  it("needs no token, expiration or account", function()
    local found = fetch("any", function()
      return '{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"s3cret",' ..
        '"SessionToken":null}'
    end, "aws_account_id = 210987654321")
    assert.same({ access_key_id = "AKID", secret_access_key = "s3cret",
      account_id = "210987654321", source = "credential process" }, found)
  end)

  it("may leave empty what it need not have", function()
    for name, value in pairs { SessionToken = '""', Expiration = '""',
      AccountId = '""' } do
      local text = WHOLE:gsub(('("%s":)"[^"]*"'):format(name), "%1" .. value)
      local found, fault = printing(text)
      assert.is_nil(fault, name)
      assert.equal("AKID", found.access_key_id)
      local ours = ({ SessionToken = "session_token",
        Expiration = "expiration", AccountId = "account_id" })[name]
      assert.is_nil(found[ours])
    end
    assert.is_nil((printing(WHOLE:gsub('"s3cret"', '""'))))
  end)

  it("may write its date with an offset", function()
    for _, date in ipairs { "2026-11-24T12:00:00+0000",
      "2026-11-24T12:00:00+00:00", "2026-11-24T13:00:00.000+0100",
      "2026-11-24 06:30:00-0530", "2026-11-24T12:00:00UTC" } do
      local found = printing(WHOLE:gsub("2026%-11%-24T12:00:00Z", date))
      assert.equal(1795521600, found and found.expiration, date)
    end
  end)

  it("is given a minute", function()
    local given
    fetch("any thing", function(command, timeout)
      given = { command, timeout }
      return nil, "it took too long"
    end)
    assert.same({ "any thing", 60 }, given)
  end)

  it("fails without a word of the command's", function()
    for _, text in ipairs { "", "s3cret", "[]", "null", "{}",
      (WHOLE:gsub('"Version":1', '"Version":2')),
      (WHOLE:gsub('"Version":1', '"Version":"1"')),
      (WHOLE:gsub('"AccessKeyId":"AKID",', "")),
      (WHOLE:gsub('"SecretAccessKey":"s3cret",', "")),
      (WHOLE:gsub("2026%-", "s3cret-")), (WHOLE:gsub("AKID", "AK\\nID")),
      WHOLE .. WHOLE, (WHOLE:gsub('"token"', "7")) } do
      local found, fault = printing(text)
      assert.is_nil(found, text)
      assert.equal("CredentialsError", fault.code)
      assert.is_nil(fault.message:find "s3cret")
    end
    local _, fault = fetch "echo s3cret; exit 1"
    assert.truthy(fault.message:find "status 1")
    assert.is_nil(fault.message:find "s3cret")
  end)

  it("may be interrupted", function()
    local _, fault = fetch("any", function() return nil, "interrupted" end)
    assert.equal("InterruptedError", fault.code)
  end)
end)
