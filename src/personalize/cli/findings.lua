--- Findings as people read them: what was found, why it matters, what to do.
-- Refuses to know how anything was found.

local core = require "personalize.core"

local M = {}

local KINDS = { "blocker", "unknown", "warning" }
local INDENT = (" "):rep(9)

-- The lines of one, fit to be seen.
local function lines_of(finding)
  local lines = { ("%-9s%s"):format(finding.kind, finding.code) ..
    (finding.subject and "  " .. finding.subject or ""),
    INDENT .. finding.message .. "." }
  if finding.reason then
    lines[#lines + 1] = ("%sWhy: %s%s."):format(INDENT,
      (finding.reason:gsub("%.$", "")), finding.basis == "inferred" and " (inferred)" or "")
  end
  if finding.advice then
    lines[#lines + 1] = INDENT .. "Do:  " .. finding.advice
  end
  for i, line in ipairs(lines) do
    lines[i] = core.printable(line)
  end
  return lines
end

--- Findings as a text, those that matter most first.
---@param findings personalize.Finding[]
---@return string
function M.table(findings)
  local texts = {}
  for _, kind in ipairs(KINDS) do
    for _, finding in ipairs(findings) do
      if finding.kind == kind then
        texts[#texts + 1] = table.concat(lines_of(finding), "\n") .. "\n"
      end
    end
  end
  return table.concat(texts, "\n")
end

--- Tells on standard error what stands in the way, in full.
---@param run table
---@param findings personalize.Finding[]
function M.tell_blockers(run, findings)
  run:clear()
  for _, finding in ipairs(findings) do
    if finding.kind == "blocker" then
      run.world.err(table.concat(lines_of(finding), "\n") .. "\n")
    end
  end
end

--- Tells on standard error all else, a line each, unless --quiet.
---@param run table
---@param findings personalize.Finding[]
function M.tell_others(run, findings)
  for _, finding in ipairs(findings) do
    if finding.kind ~= "blocker" and not run.options.quiet then
      run:warn(("%s. %s"):format(finding.message, finding.advice or ""))
    end
  end
end

return M
