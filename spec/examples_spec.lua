--- Every example runs, against a local AWS.

local script = require "spec.support.script"
local vectors = require "spec.support.vectors"

local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/[^/]*$") or ""
local LIST = "USER_ID\nalice\nbob\n4711\n"

-- The shell text that runs an example with what its head says it takes.
local function command(example, location)
  return "POLL_SECONDS=0.05 " .. script.command(
    ROOT .. "examples/" .. example,
    'demo "$PERSONALIZE_DATASET_GROUP_ARN" "$PERSONALIZE_ROLE_ARN" ' ..
    (location or '"s3://$PERSONALIZE_BUCKET/erasure/users.csv"'))
end

-- Its output and status, with a list lying in the bucket.
local function run(options, text)
  return script.with_file(LIST, function(list)
    return script.beside_aws(
      ("--job-seconds 0.3 --object erasure/users.csv=%s %s"):format(list,
        options), text)
  end)
end

-- Examples that take a profile, with the shared config file it is in (made
-- by the shell, beside the local AWS) and what their output shows.
local PROFILES = {
  ["assume_role.lua"] = { shows = "as    assumed role", config =
    "[profile p]\\nrole_arn=arn:aws:iam::123456789012:role/Eraser\\n" ..
    "credential_source=Environment\\n" },
  ["sso.lua"] = { shows = "as    single sign-on", config =
    "[profile p]\\nsso_session=s\\nsso_account_id=123456789012\\n" ..
    "sso_role_name=Eraser\\n[sso-session s]\\nsso_region=eu-west-1\\n" ..
    "sso_start_url=https://local.awsapps.com/start\\n" },
}

-- Writes the token cache that `aws sso login` would have left.
local LOG_IN = "import hashlib, json, os, urllib.request as u\n" ..
  "at = os.environ['AWS_ENDPOINT_URL_PERSONALIZE']\n" ..
  "sso = json.load(u.urlopen(at + '/_local/sources'))['sso']\n" ..
  "to = os.environ['HOME'] + '/.aws/sso/cache'\n" ..
  "os.makedirs(to)\n" ..
  "name = hashlib.sha1(b's').hexdigest() + '.json'\n" ..
  "json.dump(sso['cache'], open(to + '/' + name, 'w'))\n"

local function with_profile(name)
  return table.concat({ "HOME=$(mktemp -d); export HOME",
    "AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL_PERSONALIZE; export AWS_ENDPOINT_URL",
    "python3 -c \"" .. LOG_IN .. "\"",
    "printf '" .. PROFILES[name].config .. "' >$HOME/.aws/config",
    script.command(ROOT .. "examples/" .. name, "p"),
    "code=$?; rm -r $HOME; exit $code" }, "\n")
end

-- Those that go from a list to a receipt have tests of their own.
local ERASE = { ["nightly.lua"] = true, ["from_database.lua"] = true,
  ["audit_receipt.lua"] = true }

describe("example", function()
  for _, name in ipairs(vectors.names(ROOT .. "examples")) do
    if name:find "%.lua$" then
      local test = it
      if ERASE[name] then -- tried below
        test = function() end
      end
      test(name .. " succeeds", function()
        local profile = PROFILES[name]
        local output, status = run(profile and "" or "--tls",
          profile and with_profile(name) or command(name))
        assert.equal(0, status, output)
        assert.truthy(output:find(profile and profile.shows or
          "data-deletion-job/demo", 1, true), output)
        assert.is_nil(output:find("traceback", 1, true), output)
      end)

      it(name .. " says what is wrong", function()
        local output, status = script.run(ROOT .. "examples/" .. name)
        assert.not_equal(0, status)
        assert.truthy(output ~= "")
        assert.is_nil(output:find("traceback", 1, true), output)
      end)
    end
  end
end)

describe("create_data_deletion_job.lua", function()
  local EXAMPLE = "create_data_deletion_job.lua"

  it("follows the job to its end", function()
    local output, status = run("", command(EXAMPLE))
    assert.equal(0, status, output)
    assert.truthy(output:find "COMPLETED", output)
    assert.truthy(output:find "deleted%s+3 records", output)
  end)

  it("tells why a job failed", function()
    local output, status = run("", command(EXAMPLE, "s3://nowhere/users.csv"))
    assert.equal(1, status, output)
    assert.truthy(output:find "FAILED", output)
    assert.truthy(output:find "reason", output)
  end)
end)

describe("handle_errors.lua", function()
  local EXAMPLE = "handle_errors.lua"

  it("says what each error means, and whether to come again", function()
    local codes = { InvalidInputException = "1",
      ResourceAlreadyExistsException = "1", ResourceNotFoundException = "1",
      TooManyTagsException = "1", ResourceInUseException = "75",
      AccessDeniedException = "1" }
    local options, commands, expected = {}, {}, {}
    for code, status in pairs(codes) do
      options[#options + 1] = ("--fault %s:1"):format(code)
      commands[#commands + 1] = command(EXAMPLE) .. '; echo "exit $?"'
      expected[#expected + 1] = { code, status }
    end
    local output = run(table.concat(options, " "),
      table.concat(commands, "; "))
    local at = 0
    for part, status in output:gmatch "(.-)exit (%d+)\n" do
      at = at + 1
      assert.equal(expected[at][2], status, part)
      assert.truthy(part:find(expected[at][1], 1, true), part)
    end
    assert.equal(#expected, at, output)
  end)

  it("lists the faults of an input", function()
    local output, status = run("", script.command(
      ROOT .. "examples/" .. EXAMPLE, "'no good name' x y z"))
    assert.equal(1, status)
    for _, name in ipairs { "jobName", "datasetGroupArn", "roleArn",
      "dataSource.dataLocation" } do
      assert.truthy(output:find("  " .. name .. ": ", 1, true), output)
    end
  end)
end)

describe("from a list to a receipt", function()
  local VARIABLES = 'export POLL_SECONDS=0.05 BUCKET="$PERSONALIZE_BUCKET" ' ..
    'ROLE_ARN="$PERSONALIZE_ROLE_ARN" ' ..
    'DATASET_GROUP_ARN="$PERSONALIZE_DATASET_GROUP_ARN" ' ..
    'DATASET_GROUP_ARNS="$PERSONALIZE_DATASET_GROUP_ARN"\n'

  local function example(name, arguments)
    return script.command(ROOT .. "examples/" .. name, arguments)
  end

  -- Beside a local AWS, in a folder that goes in the end.
  local function in_folder(lines, options)
    return script.beside_aws("--tls --versioning --job-seconds 0.2 " ..
      (options or ""),
      VARIABLES .. "D=$(mktemp -d)\n" .. table.concat(lines, "\n") ..
        '\ncode=$?; rm -r "$D"; exit $code')
  end

  local AUDIT = example("audit_receipt.lua",
    "$D/2026-11-23.json $D/2026-11-23.txt")

  it("nightly.lua keeps a receipt, which audit_receipt.lua verifies",
    function()
      local output, status = in_folder {
        "printf 'alice\\nbob\\nalice\\n' >$D/2026-11-23.txt",
        example("nightly.lua", "$D/2026-11-23.txt $D"), AUDIT,
        "cp $D/2026-11-23.json $D/first",
        example("nightly.lua", "$D/2026-11-23.txt $D"),
        "cmp $D/2026-11-23.json $D/first && rm $D/first",
        "echo carol >>$D/2026-11-23.txt",
        AUDIT .. " && exit 9",
        "ls $D; grep -c alice $D/*.json; true",
      }
      assert.equal(0, status, output)
      assert.truthy(output:find "COMPLETED\t%S+/2026%-11%-23%.json", output)
      assert.truthy(output:find("that of this list: 2 users", 1, true), output)
      assert.truthy(output:find("3 users, in the receipt 2", 1, true), output)
      assert.truthy(output:find "\n2026%-11%-23%.json\n2026%-11%-23%.txt\n0\n$", output)
    end)

  it("nightly.lua keeps a receipt of what failed, and goes on", function()
    local output, status = in_folder({
      "printf 'alice\\n' >$D/day.txt",
      example("nightly.lua", "$D/day.txt $D") .. ' ; echo "exit $?"',
      "cat $D/day.json",
      example("nightly.lua", "$D/day.txt $D"),
    }, "--fault CreateDataDeletionJob=job-fails:1")
    assert.equal(0, status, output)
    assert.truthy(output:find("exit 1", 1, true), output)
    assert.truthy(output:find('"status": "FAILED"', 1, true), output)
    assert.truthy(output:find "COMPLETED\t%S+/day%.json\n$", output)
  end)

  local function from_database(before)
    return before .. example("from_database.lua", "$D/app.sqlite night")
      :gsub("LUA_PATH='", ("LUA_PATH='%sspec/support/fake/?.lua;"):format(ROOT))
  end

  it("from_database.lua deletes the rows of its users, and no others",
    function()
      local output, status = in_folder {
        "printf 'alice\\nbob\\ncarol earlier\\n' >$D/app.sqlite",
        from_database "",
        "cat $D/app.sqlite",
      }
      assert.equal(0, status, output)
      assert.truthy(output:find("COMPLETED\t2 users\ncarol earlier\n", 1,
        true), output)
    end)

  it("from_database.lua deletes no row where its cursor breaks", function()
    for rows = 0, 2 do
      local output = in_folder {
        "printf 'alice\\nbob\\ncarol\\n' >$D/app.sqlite",
        from_database("LUASQL_BREAKS=" .. rows .. " ") .. "; echo \"exit $?\"",
        "cat $D/app.sqlite",
      }
      assert.truthy(output:find("LuaSQL: connection lost", 1, true), output)
      assert.truthy(output:find("exit 1\nalice night\nbob night\n" ..
        "carol night\n$"), output)
    end
  end)
end)
