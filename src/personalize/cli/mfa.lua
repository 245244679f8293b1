--- Asks the person at the terminal for the code of an MFA device.
-- Knows terminals; refuses to know what the code is for.

local Error = require "personalize.error"
local core = require "personalize.core"

local M = {}

local TERMINAL = "/dev/tty"
-- Lines that are no code, before that is an error.
local TRIES = 3

local function fail(code, message)
  Error.raise { code = code, kind = "client", message = message }
end

-- The terminal to read from, and a function that shows text on it. It is not
-- standard input, which may be a list. Its echo stays on: a code is good for
-- once, and a terminal without echo has to be mended on every way out.
local function open()
  local input = core.open_input(TERMINAL)
  local output = input and io.open(TERMINAL, "w")
  if not output then
    return nil
  end
  output:setvbuf "no"
  return input, function(words) output:write(words) end, function()
    input:close()
    output:close()
  end
end

local function read_code(input, show, serial)
  for try = 1, TRIES do
    show(("MFA code for %s: "):format(core.printable(serial)))
    local line, why = input:read()
    if why == "interrupted" then
      show "\n"
      fail("InterruptedError", "interrupted while asking for an MFA code")
    elseif not line then
      show "\n"
      fail("CredentialsError", ("no code of the MFA device %s was given%s")
        :format(serial, why and ": " .. why or ""))
    end
    local code = line:gsub("%s", "")
    if #code == 6 and not code:find "[^0-9]" then
      return code
    elseif try < TRIES then
      show "A code has six digits.\n"
    end
  end
  fail("CredentialsError", "no code of the MFA device " .. serial ..
    " was given: a code has six digits")
end

--- For the option mfa_token.
---@param serial string
---@return string code
function M.ask(serial)
  local input, show, close = open()
  if not input then
    fail("CredentialsError", ("the role asks for a code of the MFA device " ..
      "%s, and there is no terminal to ask for it at. Run this in a terminal, " ..
      "or get temporary credentials there and pass them on in " ..
      "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
      :format(serial))
  end
  local ok, code = pcall(read_code, input, show, serial)
  close()
  if not ok then
    error(code, 0)
  end
  return code
end

return M
