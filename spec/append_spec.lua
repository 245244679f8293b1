--- Lines that several processes add to one file, which is renamed meanwhile.

local child = require "spec.support.child"
local core = require "personalize.core"
local script = require "spec.support.script"

local WRITER = [[
  local core = require "personalize.core"
  for i = 1, 50 do
    assert(core.append_lines(arg[1], arg[2] .. ("x"):rep(i) .. i .. "\n"))
  end
]]

local function lines_of(path)
  local found = {}
  for line in io.lines(path) do
    found[#found + 1] = line
  end
  return found
end

describe("lines of a private file", function()
  local folder, list

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -m 700 " .. child.quote(folder))
    list = folder .. "/list"
  end)
  after_each(function()
    os.execute("rm -r " .. child.quote(folder))
  end)

  it("are all there, once and whole, whoever adds them", function()
    local closed = {}
    script.with_file(WRITER, function(file)
      local writers = {}
      for i = 1, 4 do
        writers[i] = child.start(script.command(file,
          child.quote(list) .. " " .. i) .. " 2>&1")
      end
      -- Meanwhile it is taken away, as often as there is something in it; what
      -- was taken must not grow any more.
      for i = 1, 50 do
        local path = list .. i
        if os.rename(list, path) then
          assert.is_true(core.append_lines(path, ""))
          closed[path] = #lines_of(path)
        end
        core.sleep(0.001)
      end
      for i = 1, 4 do
        assert.equal("", writers[i]:rest())
        writers[i]:stop()
      end
    end)
    local seen, count = {}, 0
    if os.rename(list, list .. 0) then -- or all of it was taken away already
      closed[list .. 0] = #lines_of(list .. 0)
    end
    for path, length in pairs(closed) do
      local lines = lines_of(path)
      assert.equal(length, #lines)
      for _, line in ipairs(lines) do
        local middle, number = line:match "^[1-4](x+)(%d+)$"
        assert.equal(tonumber(number), #middle)
        assert.is_nil(seen[line])
        seen[line] = true
        count = count + 1
      end
    end
    assert.equal(200, count)
  end)

  it("end with a line feed, and their file has a name", function()
    assert.is_false(pcall(core.append_lines, list, "half a line"))
    assert.is_false(pcall(core.append_lines, list .. "\0", "x\n"))
    assert.is_nil(io.open(list))
  end)

  it("that cannot be added have a reason", function()
    local ok, why = core.append_lines(folder .. "/no/list", "x\n")
    assert.is_nil(ok)
    assert.equal("string", type(why))
  end)
end)
