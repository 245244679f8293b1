--- The README keeps its word: its Lua is Lua, and the first example runs.

local script = require "spec.support.script"
local vectors = require "spec.support.vectors"

local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/[^/]*$") or ""
local README = assert(vectors.slurp(ROOT .. "README.md"))
local parse = rawget(_G, "loadstring") or load

-- Every block of Lua: { text =, first =, last = }, the numbers of its lines.
local function blocks()
  local found, open, number = {}, nil, 0
  for line in (README .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if open and line:find "^%s*```%s*$" then
      open.last, open.text = number, table.concat(open, "\n") .. "\n"
      found[#found + 1], open = open, nil
    elseif open then
      open[#open + 1] = line
    elseif line:find "^%s*```lua%s*$" then
      open = { first = number }
    end
  end
  assert(not open, "a block without an end")
  return found
end

describe("README.md", function()
  local all = blocks()

  it("has Lua in it", function()
    assert.is_true(#all >= 1)
  end)

  for _, block in ipairs(all) do
    it("line " .. block.first .. ": is Lua that loads", function()
      local chunk, reason = parse(block.text, "=README.md")
      assert.is_function(chunk, reason)
    end)
  end

  it("has its first runnable example by line 20", function()
    assert.is_true(all[1].last <= 20)
    local output, status = script.with_file(all[1].text, function(name)
      return script.beside_aws("--tls --region eu-west-1 --job-seconds 0 " ..
        "--account 123456789012 --dataset-group shop", script.command(name))
    end)
    assert.equal(0, status, output)
    assert.truthy(output:find("^COMPLETED\t2\tarn:aws:personalize:" ..
      "eu%-west%-1:123456789012:data%-deletion%-job/gdpr%-%S+\n$"), output)
  end)

  it("names every function", function()
    for _, name in ipairs { "delete_users", "upload_users", "check_users",
      "check_absent", "follow", "verify_receipt", "receipt_json", "data_deletion_jobs",
      "wait_for_data_deletion_job", "create_data_deletion_job",
      "describe_data_deletion_job", "list_data_deletion_jobs",
      "tag_resource", "untag_resource", "list_tags_for_resource" } do
      assert.truthy(README:find(name, 1, true), name)
    end
  end)

  it("shows how to catch an error", function()
    assert.truthy(README:find("pcall", 1, true))
    assert.truthy(README:find("is_error", 1, true))
  end)
end)
