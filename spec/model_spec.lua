--- The operations that there are, by name, and what is known of them; compared
-- with AWS's own description where botocore is installed.

local child = require "spec.support.child"
local core = require "personalize.core"
local json = require "spec.support.json"
local stub = require "spec.support.stub"

-- The version of botocore whose description our model was written after.
local KNOWN = { 1, 43, 67 }

local function refused(operation, options)
  local client, sent = stub.client("{}", options)
  local e = stub.failure(function() client:call(operation, {}) end)
  assert.equal("ParamValidationError", e.code)
  assert.equal(0, #sent)
  return e
end

describe("an operation by its name", function()
  it("is sent where Amazon Personalize has it", function()
    local client, sent = stub.client "{}"
    assert.same({}, (client:call("DescribeCampaign", {})))
    local target
    for _, header in ipairs(sent[1].headers) do
      target = header[1] == "x-amz-target" and header[2] or target
    end
    assert.equal("AmazonPersonalize.DescribeCampaign", target)
  end)

  it("names the nearest that there is", function()
    for given, meant in pairs { DescribeDatasetGrop = "DescribeDatasetGroup",
      listSolutionVersion = "ListSolutionVersions",
      create_data_deletion_job = "CreateDataDeletionJob",
      UPDATESOLUTION = "UpdateSolution" } do
      local e = refused(given)
      assert.truthy(e.message:find("did you mean " .. meant .. "?", 1, true),
        e.message)
      assert.equal("operation", e.params[1].path)
    end
  end)

  it("says how to call one that is newer than this module", function()
    local e = refused "ForgetEverybodyEverywhere"
    assert.truthy(e.message:find("parameter_validation", 1, true))
    local client, sent = stub.client("{}", { parameter_validation = false })
    client:call("ForgetEverybodyEverywhere", {})
    assert.equal(1, #sent)
  end)

  it("says so where another service has it, checked or not", function()
    for name, service in pairs { PutEvents = "personalize-events",
      PutUsers = "personalize-events", PutItems = "personalize-events",
      PutActions = "personalize-events",
      PutActionInteractions = "personalize-events",
      GetRecommendations = "personalize-runtime",
      GetPersonalizedRanking = "personalize-runtime",
      GetActionRecommendations = "personalize-runtime" } do
      for _, options in ipairs { {}, { parameter_validation = false } } do
        local e = refused(name, options)
        assert.truthy(e.message:find(name .. ", which belongs to another " ..
          "service, " .. service .. ":", 1, true), e.message)
      end
    end
  end)

  it("is refused where it is no name", function()
    for _, name in ipairs { "", "no such thing", ("A"):rep(65), "9Lives",
      "List\nSolutions" } do
      local e = refused(name)
      assert.truthy(e.message:find("is named like", 1, true))
      refused(name, { parameter_validation = false })
    end
  end)
end)

-- What botocore says of the service, as JSON: its version, the names of its
-- operations, and of each input the members with their limits. Status 3 where
-- there is no botocore.
local DESCRIBE = [==[
import gzip, json, os, sys
try:
    import botocore
except ImportError:
    sys.exit(3)
folder = os.path.join(os.path.dirname(botocore.__file__), "data", "personalize", "2018-05-22")
model = None
for name, opener in (("service-2.json", open), ("service-2.json.gz", gzip.open)):
    path = os.path.join(folder, name)
    if os.path.exists(path):
        with opener(path, "rb") as file:
            model = json.loads(file.read().decode("utf-8"))
if model is None:
    sys.exit(3)
shapes = model["shapes"]
def member(structure, name):
    shape = shapes[structure["members"][name]["shape"]]
    return {"type": shape["type"], "max": shape.get("max", 0),
            "required": name in structure.get("required", ())}
out = {}
for name, operation in model["operations"].items():
    structure = shapes[operation["input"]["shape"]]
    out[name] = {"members": {m: member(structure, m) for m in structure["members"]}}
print(json.dumps({"version": botocore.__version__, "operations": out}))
]==]

local function describe_service()
  local process = child.start("python3 -c " .. child.quote(DESCRIBE) ..
    " 2>/dev/null")
  local text = process:rest()
  process:stop()
  return text ~= "" and json.decode(text) or nil
end

-- Is a version of botocore newer than the one that was read?
local function is_newer(version)
  local at = 0
  for number in version:gmatch "%d+" do
    at = at + 1
    local known = KNOWN[at] or 0
    if tonumber(number) ~= known then
      return tonumber(number) > known
    end
  end
  return false
end

-- The names of an array in our source.
local function names_of(array)
  local file = assert(io.open "src/core/pz_names.c")
  local text = file:read "*a"
  file:close()
  local found = {}
  for name in text:match(array .. "%[%] = (%b{})"):gmatch '"(%a+)"' do
    found[#found + 1] = name
  end
  return found
end

local function faults_of(operation, input)
  local service = core.service { endpoint = "https://localhost",
    region = "eu-west-1", signing_name = "personalize",
    target_prefix = "AmazonPersonalize", user_agent = "spec" }
  local attempt, faults = core.attempt(service, operation, input,
    ("x"):rep(16), 1, true)
  local found = {}
  for _, fault in ipairs(not attempt and faults or {}) do
    found[fault.path] = found[fault.path] or {}
    found[fault.path][fault.code] = fault.message
  end
  return found
end

-- The operations whose input the model has: they refuse an unknown member.
local function is_modelled(operation)
  return faults_of(operation, { noSuchMember = 1 }).noSuchMember ~= nil
end

-- What a member of an input says of a value that is too long, or too large.
local function limit_of(operation, name, kind)
  if kind == "integer" then
    local fault = faults_of(operation, { [name] = 2 ^ 31 - 1 })[name]
    return fault and tonumber(fault.range:match "and (%d+)$") or 0
  end
  local fault = faults_of(operation, { [name] = ("a"):rep(100000) })[name]
  return fault and fault.length and
    tonumber(fault.length:match "at most (%d+)") or 0
end

-- What our model and a description differ in, as sentences.
local function compare(described)
  local ours, found = {}, {}
  local function add(...)
    found[#found + 1] = string.format(...)
  end
  for _, name in ipairs(names_of "personalize") do
    ours[name] = true
    if not described.operations[name] then
      add("the service has no %s any more", name)
    end
  end
  for name, operation in pairs(described.operations) do
    if not ours[name] then
      add("the service has an operation %s", name)
    elseif is_modelled(name) then
      local missing = faults_of(name, {})
      for member, its in pairs(operation.members) do
        local fault = faults_of(name, { [member] = true })[member]
        if fault and fault.unknown then
          add("%s takes a member %s", name, member)
        elseif its.required ~= (missing[member] ~= nil) then
          add("%s.%s is %srequired", name, member, its.required and "" or
            "not ")
        elseif its.type == "string" or its.type == "integer" then
          local limit = limit_of(name, member, its.type)
          -- Tokens go back as they came, whatever their length.
          if member ~= "nextToken" and limit ~= its.max then
            add("%s.%s has a limit of %d, ours is %d", name, member, its.max,
              limit)
          end
        end
      end
    end
  end
  table.sort(found)
  return found
end

describe("the model", function()
  it("has 71 operations, and describes those that are called here",
    function()
      local names, modelled = names_of "personalize", 0
      assert.equal(71, #names)
      for i, name in ipairs(names) do
        assert.equal("personalize", core.operation(name))
        assert.is_true(i == 1 or names[i - 1] < name, name)
        modelled = modelled + (is_modelled(name) and 1 or 0)
      end
      assert.equal(19, modelled)
    end)

  it("sees where a description differs", function()
    local members = { datasetGroupArn = { type = "string", max = 256,
      required = true } }
    local found = compare { operations = {
      DescribeDatasetGroup = { members = members },
      ListDatasetGroups = { members = { maxResults = { type = "integer",
        max = 99, required = false }, filter = { type = "string", max = 0,
        required = true } } },
      ForgetEverybody = { members = {} } } }
    local text = table.concat(found, "\n")
    for _, part in ipairs { "the service has an operation ForgetEverybody",
      "the service has no ListSolutions any more",
      "ListDatasetGroups.maxResults has a limit of 99, ours is 100",
      "ListDatasetGroups takes a member filter" } do
      assert.truthy(text:find(part, 1, true), part .. "\n" .. text)
    end
    assert.falsy(text:find("DescribeDatasetGroup", 1, true))
  end)

  it("is that of botocore, or the service has moved", function()
    local described = describe_service()
    if not described then
      return pending "no botocore is installed, so there is nothing to compare"
    end
    local found = compare(described)
    if #found > 0 and is_newer(described.version) then
      return pending(("the service has moved, says botocore %s: %s"):format(
        described.version, table.concat(found, "; ")))
    end
    local rest = {}
    for _, sentence in ipairs(found) do
      -- An older description lacks what was added since.
      if not sentence:find "any more$" then
        rest[#rest + 1] = sentence
      end
    end
    assert.same({}, rest)
  end)
end)
