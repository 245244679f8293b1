--- Errors that nobody catches inside nginx, which would log "unknown reason"
-- alone: each is told once, in full.

local nginx = require "spec.support.nginx"

local file = assert(io.open "README.md")
local README = file:read "*a":match "```nginx\n(location = /job.-)```"
file:close()

local SERVER = ([[
  location = /uncaught { content_by_lua_block {
    local personalize = require "personalize"
    personalize.new { nonsense = "a\nb" }
  } }
  location = /thread { content_by_lua_block {
    local personalize = require "personalize"
    local ok = ngx.thread.wait(ngx.thread.spawn(function()
      personalize.check_users { users = {}, oddity = 1 }
    end))
    ngx.print(tostring(ok))
  } }
  location = /timer { content_by_lua_block {
    ngx.timer.at(0, function()
      require("personalize").call "no such thing"
    end)
  } }
  location = /service { content_by_lua_block {
    local client = require("personalize").new { region = "eu-west-1",
      credentials = { access_key_id = "A", secret_access_key = "s" },
      max_attempts = 1, transport = function()
        return { status = 400, headers = {},
          body = '{"__type":"TeapotException","message":"no coffee"}' }
      end }
    client:delete_users { users = { "a" }, name = "n", bucket = "erasure",
      datasetGroupArn =
        "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop",
      roleArn = "arn:aws:iam::123456789012:role/x" }
  } }
  $README
  location = /caught { content_by_lua_block {
    local personalize = require "personalize"
    local ok, e = pcall(personalize.new, { quietly = 1 })
    ngx.print(tostring(e))
    ok, e = xpcall(function() personalize.new { quietly = 2 } end, tostring)
    ngx.print(tostring(e))
  } }
]]):gsub("%$README", function() return README end)

describe("an error that nobody catches inside nginx", function()
  local web

  setup(function()
    web = nginx.start { server = SERVER, main =
      "env AWS_REGION=eu-west-1; env AWS_EC2_METADATA_DISABLED=true;" }
  end)
  teardown(function()
    if web then
      web:stop()
    end
  end)

  -- How often the log tells it.
  local function told(words)
    local log, count, at = web:whole_log(), 0, 1
    while true do
      local first, last = log:find(words, at, true)
      if not first then
        return count
      end
      count, at = count + 1, last + 1
    end
  end

  it("is told once, in full, with its line", function()
    local _, status = web:get "/uncaught"
    assert.equal(500, status)
    assert.equal(1, told "personalize: uncaught: ConfigError: ")
    assert.truthy(web:whole_log():find("uncaught: ConfigError: [^\n]*nonsense" ..
      "[^\n]*%(content_by_lua%([^\n]*:3%)"), web:whole_log())
  end)

  it("is told once where it ends a thread", function()
    assert.equal("false", (web:get "/thread"))
    assert.equal(1, told "oddity")
  end)

  it("is told once where it ends a timer", function()
    web:get "/timer"
    local stop = os.time() + 60
    while told "like DescribeDatasetGroup" == 0 and os.time() < stop do
      web:get "/caught" -- the worker turns to its timers meanwhile
    end
    assert.equal(1, told "like DescribeDatasetGroup")
  end)

  it("is told once where the service refused, through calls of ours", function()
    local _, status = web:get "/service"
    assert.equal(500, status)
    assert.equal(1, told "personalize: uncaught: TeapotException: ")
  end)

  it("is caught by the README's handler, and told", function()
    local text, status = web:get "/job"
    assert.equal(400, status)
    assert.truthy(text:find("dataDeletionJobArn missing", 1, true), text)
    assert.equal(1, told "ParamValidationError: dataDeletionJobArn missing")
    assert.equal(0, told "uncaught: ParamValidationError: dataDeletionJobArn")
  end)

  it("is not told where somebody does", function()
    assert.truthy(web:get("/caught"):find("quietly", 1, true))
    assert.equal(0, told "quietly")
  end)
end)
