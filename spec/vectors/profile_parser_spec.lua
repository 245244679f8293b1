--- The SDKs' cases of the shared config files: both texts read, the
-- credentials file over the config file.

local core = require "personalize.core"
local vectors = require "spec.support.vectors"

-- What the SDKs' words for an error have to be in ours.
local REASONS = {
  { "must end with ']'", "must end with ']'" },
  { "Expected a profile definition", "before the first section" },
  { "Expected an '=' sign defining a sub-property",
    "a sub-property without '='" },
  { "Expected an '=' sign defining a property", "a property without '='" },
  { "Expected a property definition", "without a property before it" },
  { "did not have a name in sub-property",
    "a sub-property without a name" },
  { "did not have a name", "a property without a name" },
}

local function reason_of(theirs)
  for _, reason in ipairs(REASONS) do
    if theirs:find(reason[1], 1, true) then
      return reason[2]
    end
  end
end

-- An absent file is no file.
local function read(input)
  local files, message, line = core.ini(input.configFile or "", "config")
  if files then
    files, message, line = core.ini(input.credentialsFile or "",
      "credentials", files)
  end
  return files, message, line
end

local function check_failure(case)
  local files, message, line = read(case.input)
  assert.is_nil(files)
  assert.equal("string", type(message))
  assert.is_true(line >= 1)
  local ours = reason_of(case.output.errorContaining)
  if ours then
    assert.truthy(message:find(ours, 1, true), message)
  end
end

local function check_success(case)
  local expected = case.output.config
  local files, message = read(case.input)
  assert.is_nil(message)
  assert.same(expected.profiles or {}, files.profiles)
  assert.same(expected.sso_sessions or {}, files.sso_sessions)
end

describe("the SDKs' cases of the shared config files:", function()
  local cases, absent = vectors.cases("profile-parser-tests.json", "tests")
  if not cases then
    pending(absent)
    return
  end
  for i, case in ipairs(cases) do
    it(("%d, %s"):format(i, case.name), function()
      if case.output.errorContaining then
        check_failure(case)
      else
        check_success(case)
      end
    end)
  end
end)
