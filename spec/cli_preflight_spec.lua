--- The command that looks ahead, and delete-users that does so first: options,
-- what is shown, exit statuses.

local child = require "spec.support.child"
local cjson = require "cjson"
local preflights = require "spec.support.preflights"
local script = require "spec.support.script"

local quote = child.quote
local GROUP = preflights.GROUP

local function has(text, part)
  assert.truthy(text:find(part, 1, true), text)
end

describe("the command", function()
  local server, folder
  setup(function()
    server = preflights.start "--job-seconds 0.2"
    local pipe = io.popen "mktemp -d"
    folder = pipe:read "*l"
    pipe:close()
  end)
  teardown(function()
    preflights.stop(server)
    os.execute("rm -r " .. quote(folder))
  end)
  before_each(function()
    preflights.reset(server)
    os.execute("rm -f " .. quote(folder) .. "/*")
  end)

  local function path(name)
    return folder .. "/" .. name
  end

  local function write(name, text)
    local file = assert(io.open(path(name), "wb"))
    file:write(text)
    file:close()
    return path(name)
  end

  local function read(name)
    local file = io.open(path(name), "rb")
    local text = file and file:read "*a"
    if file then
      file:close()
    end
    return text
  end

  -- Status, standard output, standard error.
  local function program(words, input)
    local variables = ("AWS_REGION=%s AWS_ACCESS_KEY_ID=%s " ..
      "AWS_SECRET_ACCESS_KEY=%s AWS_ENDPOINT_URL=%s " ..
      "AWS_EC2_METADATA_DISABLED=true no_proxy=127.0.0.1 "):format(
      server.region, server.access_key_id, server.secret_access_key,
      server.endpoint)
    local process = child.start("sh -c " .. quote(
      ("printf %%s %s | %s %s 2>%s; echo \"status $?\""):format(
      quote(input or ""), variables, script.command("src/bin/personalize",
      words), quote(path "stderr"))))
    local out, status = process:rest():match "^(.*)status (%d+)\n$"
    process:stop()
    return tonumber(status), out, read "stderr"
  end

  local function look(more)
    return ("preflight --dataset-group %s --bucket %s --role %s %s"):format(
      GROUP, server.bucket, server.role_arn, more or "")
  end

  local function erase(more)
    return ("delete-users - --format lines --name night --dataset-group %s " ..
      "--bucket %s --role %s --poll 0.05 %s"):format(GROUP, server.bucket,
      server.role_arn, more or "")
  end

  local function block()
    server:admin("POST", "world", { datasetGroups = { { name = "shop",
      status = "CREATE FAILED", failureReason = "no space" } } })
  end

  it("says that nothing stands in the way", function()
    local status, out, err = program(look())
    assert.equal(0, status, err)
    assert.equal("0 blockers, 0 warnings, 0 unknown (19 requests, dataset " ..
      "groups: 1)\n", out)
  end)

  it("shows what was found, blockers first, and ends with 6", function()
    server:admin("POST", "world", { datasetGroups = { { name = "shop",
      eventTrackers = { { name = "clicks" } } } }, buckets = { {
      name = server.bucket, region = "eu-central-1" } },
      deny = { "personalize:ListRecommenders" } })
    local status, out = program(look())
    assert.equal(6, status)
    has(out, "1 blocker, 1 warning, 1 unknown (")
    local blocker = out:find("\nblocker  bucket_elsewhere  s3://erasure\n", 1,
      true)
    local unknown = out:find("\nunknown  unreadable\n", 1, true)
    local warning = out:find("\nwarning  tracker_active  ", 1, true)
    assert.truthy(blocker and unknown and warning, out)
    assert.truthy(blocker < unknown and unknown < warning)
    has(out, "         The recommenders could not be read.\n")
    has(out, "         Do:  Allow personalize:ListRecommenders to the caller, " ..
      "or look yourself.\n")
    has(out, "(inferred).\n")
    assert.equal(0, (program(look "--allow-other-region")))
  end)

  it("prints JSON", function()
    block()
    local status, out = program(look "--json")
    assert.equal(6, status)
    local found = cjson.decode(out)
    assert.equal(1, found.blockers)
    assert.equal("group_not_active", found.findings[1].code)
    assert.equal(preflights.ACCOUNT, found.caller.account)
    assert.same({ GROUP }, found.dataset_group_arns)
    assert.is_number(found.requests)
  end)

  it("takes the whole command line of delete-users", function()
    local status, _, err = program((erase("--wait --max-wait 60 --tag a=b " ..
      "--ticket T1 --requester R --received 2026-11-20 --due 2026-12-01 " ..
      "--cleanup --max-pending 5 --preflight --receipt " .. path "r.json"))
      :gsub("^delete%-users", "preflight"), "alice\n")
    assert.equal(0, status, err)
    assert.is_nil(read "r.json")
    local _, out = program "help preflight"
    assert.falsy(out:find("--ticket", 1, true))
  end)

  it("reads the list only where it is given", function()
    local list = write("list.csv", "USER_ID\nalice\n\nbob\n")
    assert.equal(3, (program(look(list))))
    assert.equal(252, (program(look(path "none.csv"))))
    write("list.csv", "USER_ID\nalice\n")
    assert.equal(0, (program(look(list .. " --name night"))))
  end)

  it("takes dataset groups from a file", function()
    server:admin("POST", "world", { datasetGroups = { { name = "films" } } })
    local films = preflights.ARN .. "dataset-group/films"
    local file = write("groups", ("# ours\n%s\r\n\n  %s  \n"):format(GROUP,
      films))
    local base = ("preflight --dataset-groups-from %s --bucket %s --role %s " ..
      "--json"):format(file, server.bucket, server.role_arn)
    local status, out = program(base)
    assert.equal(0, status)
    assert.same({ GROUP, films }, cjson.decode(out).dataset_group_arns)
    for text, expected in pairs { [""] = "no dataset group in it",
      ["# nobody\n"] = "no dataset group in it",
      [GROUP .. " " .. films .. "\n"] = ":1: is no ARN",
      [GROUP .. "\n\narn:aws:iam::1:x\n"] = ":3: is no ARN of a dataset group",
      [GROUP .. "\n" .. GROUP .. "\n"] = ":2: is there twice" } do
      write("groups", text)
      local _, _, err = program(base)
      has(err, file .. (expected:find "^:" and "" or ": ") .. expected)
      assert.equal(252, (program(base)))
    end
    assert.equal(252, (program(("preflight --dataset-groups-from %s --bucket " ..
      "%s --role %s"):format(path "none", server.bucket, server.role_arn))))
  end)

  it("takes all dataset groups, but for some", function()
    server:admin("POST", "world", { datasetGroups = { { name = "films" },
      { name = "music" } } })
    local function all(except)
      return ("preflight --all-dataset-groups %s --bucket %s --role %s " ..
        "--json"):format(except, server.bucket, server.role_arn)
    end
    local films = preflights.ARN .. "dataset-group/films"
    local status, out = program(all("--except " .. films))
    assert.equal(0, status)
    assert.same({ GROUP, preflights.ARN .. "dataset-group/music" },
      cjson.decode(out).dataset_group_arns)
    local refused = all("--except " .. films .. "s")
    assert.equal(252, (program(refused)))
    local err = select(3, program(refused))
    has(err, "--except is none of the account's dataset groups")
    assert.equal(252, (program(all("--dataset-group " .. GROUP))))
    assert.equal(252, (program(look("--except " .. films))))
  end)

  describe("delete-users --preflight", function()
    it("sends nothing where there is a blocker, and ends with 6", function()
      block()
      local status, out, err = program(erase("--preflight --receipt " ..
        path "r.json"), "alice\n")
      assert.equal(6, status)
      assert.equal("", out)
      has(err, "blocker  group_not_active  " .. GROUP .. "\n")
      has(err, "error: PreflightError: 1 blocker: The dataset group shop is " ..
        "CREATE FAILED: no space\nnothing was sent\n")
      assert.is_nil(read "r.json")
      assert.same({}, server:admin("GET", "jobs").jobs)
      assert.same({}, server:admin("GET", "objects").objects)
      status, out = program(erase "--preflight --json", "alice\n")
      assert.equal(6, status)
      local receipt = cjson.decode(out)
      assert.equal("FAILED", receipt.status)
      assert.equal("group_not_active", receipt.preflight.findings[1].code)
      assert.equal("NOT_STARTED", receipt.jobs[1].status)
    end)

    it("goes on where there is none, and says what was found", function()
      server:admin("POST", "world", { datasetGroups = { { name = "shop",
        eventTrackers = { { name = "clicks" } } } },
        deny = { "personalize:ListRecommenders" } })
      local status, out, err = program(erase "--preflight --wait --json",
        "alice\n")
      assert.equal(0, status, err)
      has(err, "warning: The event tracker clicks takes events. ")
      has(err, "warning: The recommenders could not be read. ")
      local receipt = cjson.decode(out)
      assert.equal("COMPLETED", receipt.status)
      assert.equal(2, #receipt.preflight.findings)
      assert.equal("tracker_active", receipt.preflight.findings[2].code)
      assert.is_string(receipt.preflight.time)
      local _, _, quiet = program(erase "--preflight --wait --json --quiet",
        "alice\n")
      assert.equal("", quiet)
    end)

    it("and --dry-run do not go together, nor looks without it", function()
      for _, more in ipairs { "--preflight --dry-run", "--strict",
        "--simulate", "--allow-other-region",
        "--dry-run --all-dataset-groups" } do
        assert.equal(252, (program(erase(more), "alice\n")), more)
      end
      assert.equal(0, server:requests().count)
    end)
  end)
end)
