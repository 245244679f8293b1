--- How far a run has come, on terminals wide and narrow, and on none.

local people = require "spec.support.people"
local progress = require "personalize.cli.progress"
local text = require "personalize.cli.text"

describe("the progress", function()
  local written, time, width, bar

  local function begin(columns)
    written, time, width = "", 1000, columns
    bar = progress.new { write = function(words)
      written = written .. words
    end,
      now = function() return time end, columns = function() return width end }
  end

  local function upload(share)
    bar:update { phase = "upload", bytes = share * 100e6, total_bytes = 100e6,
      users = 1200000, part = 1, parts = 3 }
  end

  local function last()
    local lines = people.screen(written)
    return lines[#lines]
  end

  it("fits any terminal, dropping what matters least", function()
    for columns = 1, 200 do
      begin(columns)
      for i = 0, 10 do
        time = time + 1
        upload(i / 10)
        assert.is_true(#last() <= math.max(columns - 3, 1), last())
        assert.is_true(#last() > 0)
      end
    end
    begin(80)
    upload(0)
    time = time + 5
    upload(0.5)
    assert.equal("upload  [=======>         ]   50%  10.0 MB/s  0:05 left" ..
      "  1.2M users  part 1/3", last())
    width, time = 40, time + 1
    bar:tick()
    assert.equal("upload  [====>     ]   50%  0:05 left", last())
    width, time = 20, time + 1
    bar:tick()
    assert.equal("upload   50%", last())
  end)

  it("leaves lines that fit as well", function()
    for columns = 1, 120 do
      begin(columns)
      bar:update { phase = "check", bytes = 5e9, users = 123456789, parts = 50 }
      time = time + 3661
      bar:update { phase = "wait", jobs = 100, jobs_done = 99,
        statuses = { COMPLETED = 98, FAILED = 1, PENDING = 1 } }
      time = time + 1e6
      bar:close(true)
      local lines = people.screen(written)
      assert.equal(3, #lines)
      for _, line in ipairs(lines) do
        assert.is_true(#line < math.max(columns, 2), line)
      end
    end
    begin(30)
    bar:update { phase = "check", bytes = 5e9, users = 123456789 }
    time = time + 12
    bar:update { phase = "wait", jobs = 1, jobs_done = 0 }
    assert.equal("wait  0/1 job  0:00", last())
    bar:update { phase = "wait", jobs = 1, jobs_done = 1 }
    bar:close(true)
    assert.same({ "check: done in 0:12", "wait: 1 of 1 job in 0:00", "" },
      people.screen(written))
  end)

  it("is drawn ten times a second at most", function()
    begin(80)
    for i = 0, 1000 do
      time = 1000 + i / 1000
      upload(i / 1000)
    end
    local count = select(2, written:gsub("\r", "\r"))
    assert.is_true(count > 5 and count <= 11, count)
  end)

  it("leaves a line for each phase, and nothing half drawn", function()
    begin(80)
    bar:update { phase = "check", bytes = 5, users = 1 }
    time = time + 65
    upload(0.5)
    bar:update { phase = "create", jobs = 3, jobs_done = 3 }
    bar:update { phase = "wait", jobs = 3, jobs_done = 1,
      statuses = { COMPLETED = 1, PENDING = 2 } }
    time = time + 3600
    bar:tick()
    assert.truthy(last():find("%] +1/3 jobs  COMPLETED 1, PENDING 2  1:00:00$"),
      last())
    bar:close(true)
    assert.same({ "check: 1 user, 5 B in 1:05",
      "upload: 1,200,000 users, 50.0 MB, 3 parts in 0:00",
      "create: 3 of 3 jobs in 0:00",
      "wait: 1 of 3 jobs, COMPLETED 1, PENDING 2 in 1:00:00", "" },
      people.screen(written))
    begin(80)
    upload(0.1)
    bar:close(false)
    assert.same({ "" }, people.screen(written))
  end)

  it("is a line now and then where there is no terminal", function()
    begin()
    for i = 0, 25 do
      time = 1000 + i
      upload(i / 25)
    end
    bar:close(true)
    assert.equal("upload: 40%, 4.0 MB/s, 0:15 left, 1.2M users, part 1/3\n" ..
      "upload: 80%, 4.0 MB/s, 0:05 left, 1.2M users, part 1/3\n" ..
      "upload: 1,200,000 users, 100.0 MB, 3 parts in 0:25\n", written)
    assert.is_nil(written:find("\27", 1, true))

    begin()
    bar:update { phase = "wait", jobs = 1, jobs_done = 0 }
    for _ = 1, 86400 do
      time = time + 1
      bar:tick()
    end
    local lines = select(2, written:gsub("\n", "\n"))
    assert.is_true(lines > 100 and lines < 250, lines)
  end)
end)

describe("a number", function()
  it("is written for people", function()
    for number, words in pairs { [0] = "0 B", [999] = "999 B",
      [1000] = "1.0 kB", [999949] = "999.9 kB", [999950] = "1.0 MB",
      [5e9] = "5.0 GB", [5e15] = "5000.0 TB" } do
      assert.equal(words, text.bytes(number))
    end
    for number, words in pairs { [0] = "0", [12] = "12", [999] = "999",
      [1000] = "1,000", [123456] = "123,456", [1234567] = "1,234,567" } do
      assert.equal(words, text.count(number))
    end
    for number, words in pairs { [0] = "0:00", [59.4] = "0:59",
      [59.6] = "1:00", [3599] = "59:59", [3600] = "1:00:00",
      [360000] = "100:00:00" } do
      assert.equal(words, text.duration(number))
    end
    assert.equal("9999", text.short(9999))
    assert.equal("10.0k", text.short(10000))
    assert.equal("1.0M", text.short(999950))
    assert.equal("1 job", text.plural(1, "job"))
    assert.equal("1,000 jobs", text.plural(1000, "job"))
    assert.equal("2026-11-24T00:00:00Z", text.time(1795478400.9))
    assert.equal("-", text.time(nil))
  end)
end)

describe("JSON", function()
  it("has its members in the order of their names", function()
    local receipt = { zeta = 1, alpha = { "x" }, jobs = {}, version = 1,
      name = "run", fault_counts = {}, parts = { { sha256 = "s", part = 1 } } }
    assert.equal([[
{
  "alpha": [
    "x"
  ],
  "fault_counts": {},
  "jobs": [],
  "name": "run",
  "parts": [
    {
      "part": 1,
      "sha256": "s"
    }
  ],
  "version": 1,
  "zeta": 1
}]], text.json(receipt, true))
    assert.equal('{"alpha":["x"],"fault_counts":{},"jobs":[],"name":"run",' ..
      '"parts":[{"part":1,"sha256":"s"}],"version":1,"zeta":1}',
      text.json(receipt))
  end)

  it("has texts and numbers as they are", function()
    for json, value in pairs {
      ['"a\\"b\\\\c/\\n\\u0001\\u007f"'] = 'a"b\\c/\n\1\127',
      ['"\195\164"'] = "\195\164",
      ["1795527346.445"] = 1795527346.445,
      ["100000000000000"] = 1e14,
      ["-3"] = -3,
      ["0.1"] = 0.1,
      ["true"] = true,
    } do
      assert.equal(json, text.json(value))
    end
    assert.equal("null", text.json(nil))
    assert.equal("null", text.json(0 / 0))
    assert.equal("null", text.json(math.huge))
  end)
end)
