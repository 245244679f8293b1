--- What specs count and put in order.

local lfs = require "lfs"

local counts = {}

--- Open descriptors of this process; 0 where the system does not tell.
function counts.descriptors()
  local count = 0
  if lfs.attributes "/proc/self/fd" then
    for _ in lfs.dir "/proc/self/fd" do
      count = count + 1
    end
  end
  return count
end

--- The keys of a table, sorted.
function counts.sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

return counts
