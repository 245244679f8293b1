--- The command with a role that asks for a code (mfa_serial): at a terminal,
-- and where there is none.

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local script = require "spec.support.script"

local quote = child.quote

describe("a role with an MFA device", function()
  local server, role, home

  setup(function()
    server = aws.start()
    role = server:admin("GET", "sources").assume_role
    home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. quote(home) .. "/.aws")
    local file = assert(io.open(home .. "/.aws/config", "w"))
    file:write("[profile r]\nregion = ", server.region, "\nrole_arn = ",
      role.mfa_role_arn, "\nmfa_serial = ", role.mfa_serial,
      "\nsource_profile = base\n[profile base]\naws_access_key_id = ",
      server.access_key_id, "\naws_secret_access_key = ",
      server.secret_access_key, "\n")
    file:close()
  end)
  teardown(function()
    server:stop()
    os.execute("rm -r " .. quote(home))
  end)

  local function environment()
    return ("env HOME=%s AWS_PROFILE=r AWS_ENDPOINT_URL=%s " ..
      "AWS_EC2_METADATA_DISABLED=true no_proxy=127.0.0.1 TERM=dumb "):format(
      quote(home), server.endpoint)
  end

  local function output_of(command)
    local process = child.start(command .. " 2>&1 </dev/null")
    local text = process:rest()
    process:stop()
    return text
  end

  local function command(words)
    return environment() .. script.command("src/bin/personalize", words)
  end

  -- What a terminal shows on which the shell runs this.
  local function on_terminal(line, ...)
    local words = {}
    for i, word in ipairs { ... } do
      words[i] = quote(word)
    end
    return output_of(("python3 spec/support/terminal.py %s -- sh -c %s")
      :format(table.concat(words, " "), quote(line)))
  end

  local function has(text, part)
    assert.truthy(text:find(part, 1, true), text)
  end

  it("is asked for at the terminal", function()
    local question = ("MFA code for %s: "):format(role.mfa_serial)
    local shown = on_terminal(command "identity", question,
      role.token_code .. "\\n")
    has(shown, question)
    has(shown, "assumed role")
    has(shown, "\nstatus 0\n")
  end)

  it("is asked for there also when standard input is a list", function()
    local shown = on_terminal("echo arn:aws:personalize:" .. server.region ..
      ":123456789012:data-deletion-job/none | " .. command "describe -",
      "MFA code for", role.token_code .. "\\n")
    has(shown, "ResourceNotFoundException")
    has(shown, "\nstatus 254\n")
  end)

  it("is asked for again after what cannot be a code", function()
    local code = role.token_code
    local shown = on_terminal(command "identity", "MFA code for", "yes\\n",
      "six digits", "", "MFA code for",
      code:sub(1, 3) .. " " .. code:sub(4) .. "\\n")
    has(shown, "A code has six digits.\n")
    has(shown, "assumed role")
    shown = on_terminal(command "identity", "MFA code for", "1\\n",
      "MFA code for", "\\n", "MFA code for", "1234567\\n")
    has(shown, "a code has six digits")
    has(shown, "\nstatus 253\n")
  end)

  it("may be left without a code", function()
    local shown = on_terminal(command "identity", "MFA code for", "\\x04")
    has(shown, "no code of the MFA device " .. role.mfa_serial)
    has(shown, "\nstatus 253\n")
    shown = on_terminal(command "identity", "MFA code for", "\\x03")
    has(shown, "interrupted")
    -- By the signal itself, as a shell has to see it.
    assert.truthy(shown:find "\nstatus %-2\n" or
      shown:find "\nstatus 130\n", shown)
  end)

  it("is refused with a code that is wrong", function()
    local wrong = role.token_code == "000000" and "000001" or "000000"
    local shown = on_terminal(command "identity", "MFA code for",
      wrong .. "\\n")
    has(shown, "AccessDenied")
    has(shown, "\nstatus 253\n")
  end)

  it("says what to do where there is no terminal", function()
    -- In a session of its own, a process has none.
    local shown = output_of("python3 -c " .. quote("import subprocess, sys; " ..
      "print('status', subprocess.run(sys.argv[1:], " ..
      "start_new_session=True).returncode)") .. " " .. command "identity")
    has(shown, "no terminal to ask for it at")
    has(shown, role.mfa_serial)
    has(shown, "AWS_SESSION_TOKEN")
    has(shown, "status 253\n")
  end)
end)
