--- The folder of test vectors from outside: where it lies, what is in it.
-- Knows $PERSONALIZE_VECTORS and the folder beside the tree; refuses to know
-- what any vector says, and what a folder ought to hold.

local child = require "spec.support.child"
local json = require "spec.support.json"

local vectors = {}

local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/support/") or ""

--- The whole of a file, or nil where there is none.
function vectors.slurp(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a") -- nil for a folder
  if file then
    file:close()
  end
  return text
end

--- The names in a folder, sorted; none where there is no folder.
function vectors.names(path)
  local found, pipe = {}, io.popen("ls -1 " .. child.quote(path) ..
    " 2>/dev/null")
  for name in pipe:lines() do
    found[#found + 1] = name
  end
  pipe:close()
  table.sort(found)
  return found
end

--- The folder and whether it is there.
function vectors.folder()
  local given = os.getenv "PERSONALIZE_VECTORS"
  if given == nil or given == "" then
    given = ROOT .. "../shared/vectors"
  end
  return given, #vectors.names(given) > 0
end

--- The path of what is called `name` in the folder, or nil with a reason that
-- can be shown to people.
function vectors.find(name)
  local folder, is_there = vectors.folder()
  if not is_there then
    return nil, "no vectors: $PERSONALIZE_VECTORS names no folder and " ..
      "there is none beside the tree"
  end
  local path = folder .. "/" .. name
  if not vectors.slurp(path) and #vectors.names(path) == 0 then
    return nil, name .. " is absent from the vectors"
  end
  return path
end

--- The list of cases in a JSON file (its member `member`, or all of it), or
-- nil with a reason.
function vectors.cases(name, member)
  local path, absent = vectors.find(name)
  if not path then
    return nil, absent
  end
  local cases = json.decode(vectors.slurp(path))
  if member then
    cases = cases[member] or {}
  end
  if #cases == 0 then
    return nil, name .. " holds no case"
  end
  return cases
end

return vectors
