--- What one nginx worker has left for others while it is busy: the time of a
-- request that does nothing, idle, beside 200 calls of half a second, and
-- beside a list of 800,000 users. Prints lines of JSON; it wants a quiet
-- machine.

local aws = require "spec.support.aws"
local nginx = require "spec.support.nginx"
local patience = require "spec.support.patience"

local now = patience.now
local USERS = 400000 -- and as many again that are dropped

local SERVICE = [[
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $folder/server.pem;
    ssl_certificate_key $folder/server.key;
    location / { content_by_lua_block {
      ngx.sleep(0.5)
      ngx.print '{"dataDeletionJobArn":"arn:aws:personalize:::data-deletion-job/a"}'
    } }
  }
]]

local CLIENT = [[
  init_by_lua_block {
    local personalize = require "personalize"
    state, jobs = {}, {}
    local calls = personalize.new { region = "eu-west-1",
      endpoint = "https://localhost:$port",
      credentials = { access_key_id = "AKID", secret_access_key = "s" } }
    -- All at once, and a handshake each, would stall any client.
    function jobs.calls()
      local threads = {}
      for i = 1, 200 do
        threads[i] = ngx.thread.spawn(function()
          ngx.sleep(i / 400)
          calls:create_data_deletion_job { jobName = "bench", roleArn =
            "arn:aws:iam::123456789012:role/PersonalizeS3",
            datasetGroupArn = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
            dataSource = { dataLocation = "s3://erasure/users.csv" } }
        end)
      end
      for i = 1, 200 do
        assert(ngx.thread.wait(threads[i]))
      end
    end
    local service = personalize.new { region = "$region",
      endpoint = "$endpoint",
      credentials = { access_key_id = "$id", secret_access_key = "$secret" } }
    function jobs.list()
      service:delete_users { file = "$folder/list.csv", unique = true,
        bucket = "$bucket", name = "bench", datasetGroupArn = "$group",
        roleArn = "$role", poll = 0.05, part_size = 5000000 }
    end
  }
]]

local SERVER = [[
  location = /ping { return 200 pong; }
  location = /start { content_by_lua_block {
    local job = jobs[ngx.var.arg_job]
    state.over = nil
    ngx.timer.at(0, function()
      ngx.update_time()
      local begun = ngx.now()
      local ok, why = pcall(job)
      ngx.update_time()
      state.over = ok and ngx.now() - begun or tostring(why)
    end)
  } }
  location = /over { content_by_lua_block { ngx.print(state.over or "") } }
]]

local function fill(text, values)
  return (text:gsub("%$(%l+)", values))
end

local function write_list(path)
  local file = assert(io.open(path, "w"))
  file:write "USER_ID\n"
  for _ = 1, 2 do
    for i = 1, USERS do
      file:write(("%08x-0000-4000-8000-%012x\n"):format(i * 7919, i))
    end
  end
  file:close()
end

-- Asks until `is_over`, and prints the percentiles in ms.
local function measure(web, what, is_over)
  local times, over = {}, nil
  repeat
    local before = now()
    web:get "/ping"
    times[#times + 1] = (now() - before) * 1000
    if #times % 20 == 0 then
      over = is_over(#times)
    end
  until over
  table.sort(times)
  print(('{"bench":"a worker beside %s","requests":%d,"p50_ms":%.3f,' ..
    '"p99_ms":%.3f,"most_ms":%.3f%s}'):format(what, #times,
    times[math.ceil(#times / 2)], times[math.ceil(#times * 0.99)],
    times[#times], tonumber(over) and (',"seconds":%.2f'):format(over) or ""))
end

local started = {}

local function bench(folder)
  local trust = nginx.make_authority(folder)
  nginx.make_certificate(folder)
  write_list(folder .. "/list.csv")
  local server = aws.start("--tls --job-seconds 0.2",
    "env SPEC_CA=" .. folder .. " ")
  started[1] = server
  local values = { folder = folder, port = nginx.free_port(),
    region = server.region, id = server.access_key_id,
    secret = server.secret_access_key, bucket = server.bucket,
    group = server.dataset_group_arn, role = server.role_arn,
    endpoint = server.endpoint:gsub("127%.0%.0%.1", "localhost") }
  started[2] = nginx.start { http = fill(SERVICE, values) }
  local web = nginx.start { trust = trust, level = "warn", server = SERVER,
    http = fill(CLIENT, values) }
  started[3] = web
  measure(web, "nothing", function(count) return count >= 2000 end)
  for _, job in ipairs { { "calls", "200 calls of 0.5 s, begun over 0.5 s" },
    { "list", ("a list of %d users"):format(2 * USERS) } } do
    web:get("/start?job=" .. job[1])
    measure(web, job[2], function()
      local over = web:get "/over"
      return over ~= "" and (tonumber(over) or error(over))
    end)
  end
end

local folder = nginx.folder()
local ok, why = pcall(bench, folder)
for i = #started, 1, -1 do
  started[i]:stop()
end
nginx.remove(folder)
assert(ok, why)
