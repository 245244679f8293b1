--- How far a run has come: a bar that is redrawn on a terminal, lines now and
-- then elsewhere.
-- Knows columns and rates; refuses to know what is being done, and where its
-- text goes.

local core = require "personalize.core"
local text = require "personalize.cli.text"

---@class personalize.cli.Progress
local Progress = { __name = "personalize.cli.Progress" }
Progress.__index = Progress

local M = {}

local REDRAW = 0.1        -- seconds between two drawings, at least
local LINE_EVERY = 10     -- seconds between two lines, where there is no bar,
local LINE_SHARE = 0.1    -- growing with the wait: a day is no 8,640 lines
local LINE_RARELY = 600
local BAR_LEAST, BAR_MOST = 12, 40
local RATE_OVER = 3       -- seconds that a rate looks back, about
local CLEAR = "\r\27[K"

---@param world table write(text); now() in seconds; columns() of the terminal,
--- nil where there is none
---@return personalize.cli.Progress
function M.new(world)
  return setmetatable({ world = world, lined = world.now() }, Progress)
end

-- Of what a phase is told in bytes.
local IN_BYTES = { check = true, upload = true, export = true }

-- What is done of what, as a share, where that is known.
local function share_of(state)
  local done, all
  if IN_BYTES[state.phase] then
    done, all = state.bytes, state.total_bytes
  else
    done, all = state.jobs_done, state.jobs
  end
  if done and all and all > 0 then
    return math.max(0, math.min(done / all, 1))
  end
end

local function statuses_of(state)
  local found = {}
  for status, count in pairs(state.statuses or {}) do
    found[#found + 1] = core.printable(status) .. " " .. count
  end
  table.sort(found)
  return #found > 0 and table.concat(found, ", ") or nil
end

-- What there is to say, in order; `rank` is what goes first where space lacks
-- (the highest). The bar has no text.
local function fields_of(progress)
  local state, now = progress.state, progress.world.now()
  local share, fields = share_of(state), {}
  local function add(rank, value)
    if value then
      fields[#fields + 1] = { rank = rank, text = value }
    end
  end
  add(0, state.phase)
  if IN_BYTES[state.phase] then
    local rate, left = progress.rate
    if share and rate and rate > 0 then
      left = text.duration((state.total_bytes - state.bytes) / rate) .. " left"
    end
    if share then
      fields[#fields + 1] = { rank = 3, share = share }
    end
    add(1, share and ("%3d%%"):format(math.floor(share * 100)) or
      text.bytes(state.bytes or 0))
    add(4, rate and text.bytes(rate) .. "/s")
    add(2, left)
    add(5, state.users and text.short(state.users) .. " users")
    add(6, state.parts and state.parts > 1 and
      ("part %d/%d"):format(state.part or 1, state.parts))
    add(6, state.exports and state.exports > 1 and
      ("export %d/%d"):format(state.export or 1, state.exports))
  else
    if share then
      fields[#fields + 1] = { rank = 3, share = share }
    end
    add(1, state.jobs and ("%d/%d %s"):format(state.jobs_done or 0,
      state.jobs, state.jobs == 1 and "job" or "jobs"))
    add(4, statuses_of(state))
    add(2, text.duration(now - progress.began))
  end
  return fields
end

local function width_of(fields)
  local width = 2 * (#fields - 1)
  for _, field in ipairs(fields) do
    width = width + (field.share and BAR_LEAST or #field.text)
  end
  return width
end

-- '[=====>    ]'
local function bar(share, width)
  local inside = width - 2
  local full = math.floor(share * inside)
  local head = full > 0 and full < inside and ">" or ""
  return "[" .. ("="):rep(full - #head) .. head ..
    (" "):rep(inside - full) .. "]"
end

-- One line, with room for the "^C" that a terminal writes behind it: what goes
-- on to the next line could not be taken back.
local function draw(progress, columns)
  local fields, room = fields_of(progress), math.max(columns - 3, 1)
  while #fields > 1 and width_of(fields) > room do
    local last = 1
    for i, field in ipairs(fields) do
      last = field.rank > fields[last].rank and i or last
    end
    table.remove(fields, last)
  end
  local spare, texts = math.max(room - width_of(fields), 0), {}
  for i, field in ipairs(fields) do
    texts[i] = field.text or
      bar(field.share, math.min(BAR_LEAST + spare, BAR_MOST))
  end
  return table.concat(texts, "  "):sub(1, room)
end

-- The same as a sentence.
local function line(progress)
  local texts = {}
  for _, field in ipairs(fields_of(progress)) do
    texts[#texts + 1] = field.text and field.text:match("^%s*(.*)$")
  end
  return table.remove(texts, 1) .. ": " .. table.concat(texts, ", ")
end

-- What a phase that is over came to.
local function summary(progress)
  local state = progress.state
  local seconds = progress.world.now() - progress.began
  local texts = {}
  if IN_BYTES[state.phase] then
    texts[1] = state.users and text.plural(state.users, "user")
    texts[#texts + 1] = state.bytes and text.bytes(state.bytes)
    if state.parts and state.parts > 1 then
      texts[#texts + 1] = text.plural(state.parts, "part")
    end
    if state.exports then
      texts[#texts + 1] = text.plural(state.exports, "export")
    end
  elseif state.jobs then
    texts[1] = ("%d of %s"):format(state.jobs_done or 0,
      text.plural(state.jobs, "job"))
    texts[#texts + 1] = statuses_of(state)
  end
  -- On a narrow terminal, what matters less goes first.
  local room = math.max((progress.world.columns() or 1e6) - 1, 1)
  local words
  repeat
    words = ("%s: %s%s in %s"):format(state.phase,
      table.concat(texts, ", "), #texts > 0 and "" or "done",
      text.duration(seconds))
    local is_last = #texts == 0
    table.remove(texts)
  until #words <= room or is_last
  return words:sub(1, room)
end

local function say(progress, words)
  progress.world.write((progress.is_drawn and CLEAR or "") .. words .. "\n")
  progress.is_drawn = false
  progress.lined = progress.world.now()
end

local function show(progress, is_new)
  local now = progress.world.now()
  if not is_new and now - progress.shown < REDRAW then
    return
  end
  progress.shown = now
  local columns = progress.world.columns()
  if columns then
    progress.world.write(CLEAR .. draw(progress, columns))
    progress.is_drawn = true
    return
  end
  local pause = LINE_EVERY
  if progress.state.phase == "wait" then
    pause = math.min(math.max(pause, (now - progress.began) * LINE_SHARE),
      LINE_RARELY)
  end
  if now - progress.lined >= pause then
    say(progress, line(progress))
  end
end

-- Bytes a second, of late.
local function measure(progress, bytes)
  local now, sample = progress.world.now(), progress.sample
  if not bytes then
    return
  elseif not sample or bytes < sample.bytes then
    progress.sample, progress.rate = { at = now, bytes = bytes }, nil
    return
  end
  local passed = now - sample.at
  if passed >= 2 * REDRAW then
    local rate = (bytes - sample.bytes) / passed
    local weight = 1 - math.exp(-passed / RATE_OVER)
    progress.rate = progress.rate and
      progress.rate + (rate - progress.rate) * weight or rate
    progress.sample = { at = now, bytes = bytes }
  end
end

--- Takes what `on_progress` is told.
---@param state table phase, bytes, total_bytes, users, part, parts, export,
--- exports, jobs, jobs_done; statuses, counts by status
function Progress:update(state)
  local is_new = not self.state or self.state.phase ~= state.phase
  if is_new then
    if self.state then
      say(self, summary(self))
    end
    self.began, self.sample, self.rate = self.world.now(), nil, nil
  end
  local kept = {} -- the table may be the caller's, and used again
  for name, value in pairs(state) do
    kept[name] = value
  end
  self.state = kept
  measure(self, state.bytes)
  show(self, is_new)
end

--- Shows that time passes.
function Progress:tick()
  if self.state then
    show(self)
  end
end

--- Makes way for other text; what comes after starts anew below it.
function Progress:clear()
  if self.is_drawn then
    self.world.write(CLEAR)
    self.is_drawn = false
  end
end

--- Ends: with a line for the last phase, where it came to its end.
---@param is_done boolean
function Progress:close(is_done)
  if self.state and is_done then
    say(self, summary(self))
  else
    self:clear()
  end
  self.state = nil
end

return M
