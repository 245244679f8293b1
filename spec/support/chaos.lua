--- Creates through a lossy way to a local AWS, and what has to be true after
-- all of them. Used by a spec (some) and by the soak (ten thousand).

local aws = require "spec.support.aws"
local child = require "spec.support.child"
local core = require "personalize.core"
local json = require "spec.support.json"
local patience = require "spec.support.patience"
local personalize = require "personalize"

local chaos = {}

local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or "spec/support/"

--- A lossy way, started: endpoint, ca_bundle, process, ask(method, path).
function chaos.lossy(options)
  local process = child.start("python3 " .. child.quote(HERE .. "lossy.py") .. " " ..
    (options or ""))
  local way = json.decode((assert(process:line(), "lossy.py is silent")))
  way.process = process
  local handle = require("personalize.curl").handle()
  function way.ask(method, path)
    local response, failure = handle:perform { method = method,
      url = way.endpoint .. "/_lossy" .. (path or ""), direct = true,
      ca_bundle = way.ca_bundle, timeout = 60 }
    assert(response, failure and failure.message)
    return json.decode(response.body)
  end
  function way.stop()
    handle:close()
    process:stop()
  end
  return way
end

-- What the service has, all pages, asked on a way without losses.
local function jobs_of(server)
  local client = server:client { timeout = 60 }
  local by_name, token, twice = {}, nil, {}
  repeat
    local page = client:list_data_deletion_jobs { maxResults = 100,
      nextToken = token }
    for _, job in ipairs(page.dataDeletionJobs) do
      if by_name[job.jobName] then
        twice[#twice + 1] = job.jobName
      end
      by_name[job.jobName] = job.dataDeletionJobArn
    end
    token = page.nextToken
  until not token
  client:close()
  return by_name, twice
end

--- Makes `count` creates, with these seed and rate. Answers a report:
-- outcomes (name -> count), losses (name -> count), faults (texts of what is
-- not true), jobs (how many there are).
function chaos.run(count, seed, rate)
  local server = aws.start("--pending-quota 1000000 --job-seconds 3600 " ..
    "--list-lag 0.03")
  local way = chaos.lossy(("--upstream %s --rate %s --seed %d"):format(
    server.endpoint:match "//(.*)$", rate, seed))
  -- Waits are shortened: they are other specs' matter.
  local function new_client()
    return personalize.new(server:options { endpoint = way.endpoint,
      timeout = 2, sleep = function(seconds)
        return core.sleep(math.min(seconds, 0.05))
      end })
  end
  local client, results, outcomes = new_client(), {}, {}
  for i = 1, count do
    local name = ("chaos-%d-%d"):format(seed, i)
    local ok, out, meta = pcall(client.create_data_deletion_job, client,
      server:job(name))
    local kind
    if ok then
      kind = meta.reconciled and "ok, found by looking" or
        meta.attempts > 1 and "ok, at a later attempt" or "ok, at once"
      results[name] = { arn = out.dataDeletionJobArn }
    elseif personalize.is_error(out) then
      kind = out.code .. (out.unclear and ", unclear" or "")
      results[name] = { error = out }
    else
      error("no error of ours: " .. tostring(out), 0)
    end
    outcomes[kind] = (outcomes[kind] or 0) + 1
    if i % 25 == 0 then -- at such a rate a client's budget is soon used up
      client:close()
      client = new_client()
    end
  end
  client:close()
  patience.await("what was late", function()
    return way.ask "GET".late == 0
  end)
  server:admin("POST", "settings", { list_lag = 0 })

  local report = { outcomes = outcomes, faults = {}, jobs = 0 }
  local function fault(...)
    report.faults[#report.faults + 1] = string.format(...)
  end
  local seen = way.ask "GET"
  report.losses, report.requests = seen.losses, seen.requests
  local jobs, twice = jobs_of(server)
  for _, name in ipairs(twice) do
    fault("%s exists twice", name)
  end
  for name, result in pairs(results) do
    if result.arn and jobs[name] ~= result.arn then
      fault("%s: %s was returned, %s is there", name, result.arn,
        tostring(jobs[name]))
    elseif result.error and not result.error.unclear and jobs[name] then
      fault("%s: is there, but its error was clear: %s", name,
        tostring(result.error))
    end
  end
  for name in pairs(jobs) do
    report.jobs = report.jobs + 1
    if not results[name] then
      fault("%s: nobody made it", name)
    end
  end
  way.stop()
  server:stop()
  return report
end

--- Prints a set of counts, the largest first.
function chaos.print(title, counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  print(title)
  for _, name in ipairs(names) do
    print(("  %6d  %s"):format(counts[name], name))
  end
end

return chaos
