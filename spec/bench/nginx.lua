--- Creates inside nginx, over kept-alive TLS connections, beside a bare pooled
-- cosocket that sends and reads as many bytes from constants; in one worker, in
-- turns, the service a second nginx on the same core. Prints lines of JSON, and
-- the ratio of CPU that the worker took: median and best of the rounds.
-- BENCH_N, BENCH_ROUNDS: calls a round, rounds (15000, 7). BENCH_PIN: what pins.

local nginx = require "spec.support.nginx"

local n = tonumber(os.getenv "BENCH_N" or 15000)
local rounds = tonumber(os.getenv "BENCH_ROUNDS" or 7)
local pin = os.getenv "BENCH_PIN" or ""

local SERVICE = [[
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $folder/server.pem;
    ssl_certificate_key $folder/server.key;
    keepalive_requests 1000000000;
    add_header x-amzn-RequestId 23a65077-c173-4a61-9dd8-52c77a199e5a;
    default_type application/x-amz-json-1.1;
    set $job arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/gdpr;
    location / { return 200 '{"dataDeletionJobArn":"$job"}'; }
  }
]]

local CLIENT = [[
  init_by_lua_block {
    port = $port
    local personalize = require "personalize"
    local core = require "personalize.core"
    client = personalize.new { endpoint = "https://localhost:" .. port,
      region = "eu-west-1", credentials = { access_key_id = "AKIDEXAMPLE",
        secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" } }
    input = function(i)
      return { jobName = "bench-12345-1795516800-" .. i,
        datasetGroupArn = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
        dataSource = { dataLocation = "s3://erasure/2026-11-24/users.csv" },
        roleArn = "arn:aws:iam::123456789012:role/PersonalizeS3" }
    end
    calls = {}
    function calls.personalize(i)
      client:create_data_deletion_job(input(i))
    end

    -- The same bytes: what a call of the client sends, and what comes back.
    local head, body
    local watched = personalize.new { endpoint = "https://localhost:" .. port,
      region = "eu-west-1", credentials = { access_key_id = "AKIDEXAMPLE",
        secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
      max_attempts = 1,
      transport = function(request)
        head = core.http1_request { method = request.method, url = request.url,
          headers = request.headers, length = #request.body }
        body = request.body
        return { status = 200, headers = {}, body =
          '{"dataDeletionJobArn":"arn"}' }
      end }
    local answer_length
    function calls.bare()
      if not head then
        watched:create_data_deletion_job(input(1000))
      end
      local socket = ngx.socket.tcp()
      socket:settimeouts(60000, 60000, 60000)
      assert(socket:connect("127.0.0.1", port, { pool = "bare" }))
      if socket:getreusedtimes() == 0 then
        assert(socket:sslhandshake(nil, "localhost", true))
      end
      assert(socket:send { head, body })
      local got = 0
      repeat
        local bytes = assert(socket:receiveany(65536))
        got = got + #bytes
      until got >= (answer_length or 0)
      answer_length = answer_length or got
      assert(socket:setkeepalive(20000, 100))
    end
  }
]]

-- `count` calls over `at_once` connections, and what they took.
local SERVER = [[
  location = /run { content_by_lua_block {
    local call, left = calls[ngx.var.arg_what], tonumber(ngx.var.arg_count)
    local function work()
      while left > 0 do
        left = left - 1
        call(left)
      end
    end
    local threads, at_once = {}, tonumber(ngx.var.arg_at_once)
    collectgarbage()
    ngx.update_time()
    local cpu, wall = os.clock(), ngx.now()
    for i = 1, at_once do
      threads[i] = ngx.thread.spawn(work)
    end
    for i = 1, at_once do
      assert(ngx.thread.wait(threads[i]))
    end
    ngx.update_time()
    ngx.say(os.clock() - cpu, " ", ngx.now() - wall)
  } }
]]

-- What is not in `values` stays: nginx's own variables.
local function fill(text, values)
  return (text:gsub("%$(%l+)", values))
end

local service, web

local function run(what, count, at_once)
  local text = web:get(("/run?what=%s&count=%d&at_once=%d"):format(what, count,
    at_once), 300)
  local cpu, wall = text:match "^(%S+) (%S+)\n"
  if not cpu then
    error(text .. web:log(), 0)
  end
  return tonumber(cpu), tonumber(wall)
end

-- A round: us of CPU a call, by who made them.
local function measure(at_once)
  local us = {}
  for _, what in ipairs { "bare", "personalize" } do
    local cpu, wall = run(what, n, at_once)
    us[what] = cpu / n * 1e6
    print(('{"bench":"create in nginx","peer":"%s","connections":%d,' ..
      '"n":%d,"us_cpu_per_call":%.2f,"calls_per_s":%.0f}'):format(what,
      at_once, n, us[what], n / wall))
  end
  return us.personalize / us.bare
end

local function bench(folder)
  local trust = nginx.make_authority(folder)
  nginx.make_certificate(folder)
  local port = nginx.free_port()
  service = nginx.start { env = pin,
    http = fill(SERVICE, { port = port, folder = folder }) }
  web = nginx.start { env = pin, trust = trust, level = "warn",
    server = SERVER, http = fill(CLIENT, { port = port }) }
  for _, at_once in ipairs { 1, 32 } do
    for _, what in ipairs { "bare", "personalize" } do
      run(what, 2000, at_once) -- handshakes, and what is made once
    end
    local ratios = {}
    for round = 1, rounds do
      ratios[round] = measure(at_once)
    end
    table.sort(ratios)
    print(('{"bench":"create in nginx over a bare cosocket",' ..
      '"connections":%d,"rounds":%d,"median":%.3f,"best":%.3f}'):format(
      at_once, rounds, ratios[math.floor(rounds / 2) + 1], ratios[1]))
  end
end

local folder = nginx.folder()
local ok, why = pcall(bench, folder)
for _, process in pairs { web, service } do
  process:stop()
end
nginx.remove(folder)
assert(ok, why)
