--- The module in a program that sets a locale: with another decimal point, or
-- with another small letter for "I".

local child = require "spec.support.child"
local script = require "spec.support.script"

local quote = child.quote

-- Made for the time of the spec, by their name, source and characters.
local LOCALES = {
  { "de_DE.UTF-8", "de_DE", "UTF-8" }, -- a comma
  { "tr_TR.UTF-8", "tr_TR", "UTF-8" }, -- "I" has no small letter of a byte
  { "tr_TR", "tr_TR", "ISO-8859-9" }, -- ... and here has one that is not "i"
}

local function shell(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- What every script begins with: `localize()` sets the locale, `new` makes a
-- client whose requests are in `requests` and whose answers are `answer`.
local HEAD = [[
  local requests, answer = {}, "{}"
  local function localize()
    if not os.setlocale(%q) then
      print "no locale"
      os.exit(0)
    end
  end
  local function new(more)
    local options = { region = "eu-west-1", credentials = {
      access_key_id = "AKID", secret_access_key = "s" },
      transport = function(request)
        requests[#requests + 1] = request
        return { status = 200, headers = {}, body = answer }
      end }
    for name, value in pairs(more or {}) do
      options[name] = value or nil
    end
    return require("personalize").new(options)
  end
]]

describe("a program that sets the locale", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    shell("mkdir " .. quote(folder))
    for _, locale in ipairs(LOCALES) do
      shell(("localedef -i %s -f %s %s/%s"):format(locale[2], locale[3],
        quote(folder), locale[1]))
    end
  end)
  teardown(function()
    shell("rm -r " .. quote(folder))
  end)

  for _, locale in ipairs(LOCALES) do
    -- Runs a script with variables (shell text); it must print just this.
    local function check(expected, text, variables)
      local printed = script.with_file(HEAD:format(locale[1]) .. text,
        function(name)
          return (shell(("LOCPATH=%s %s %s"):format(quote(folder),
            variables or "", script.command(name))))
        end)
      if printed:find "no locale\n$" then
        pending("this system cannot make the locale " .. locale[1])
        return
      end
      assert.equal(expected, printed)
    end

    describe(locale[1], function()
      local READ = [[
        answer = '{"dataDeletionJobs":[{"creationDateTime":1795478400.5,' ..
          '"lastUpdatedDateTime":1.7954784005e9}],"list":[1,5],' ..
          '"of":{"a":1,"b":2.25}}'
        local out = client:call("ListDataDeletionJobs")
        local job = out.dataDeletionJobs[1]
        print(job.creationDateTime * 2 == 3590956801,
          job.lastUpdatedDateTime == job.creationDateTime, #out.list,
          out.list[2] == 5, out.of.a == 1, out.of.b * 4 == 9)
      ]]
      local IS_READ = "true\ttrue\t2\ttrue\ttrue\ttrue\n"

      it("reads answers, set before or behind require", function()
        check(IS_READ, "local client = new() client:list_data_deletion_jobs() " ..
          "localize()" .. READ)
        check(IS_READ, "localize() local client = new()" .. READ)
      end)

      it("reads them in every locale that the program changes to", function()
        check(IS_READ:rep(4), [[
          local client = new()
          local function read()]] .. READ .. [[
          end
          read()
          localize()
          read()
          os.setlocale "C"
          read()
          -- Somebody else's instance has seen a locale that is gone.
          localize()
          require "cjson".new()
          os.setlocale "C"
          read()]])
      end)

      it("writes fractions into requests", function()
        check("true\ttrue\ttrue\n", [[
          local client = new()
          localize()
          client:call("CreateSolution", { a = 0.5, b = { 1.5, 2, -0.001 },
            c = 1e300 })
          local body = requests[1].body
          print(body:find('"a":0.5', 1, true) ~= nil,
            body:find('"b":[1.5,2,-0.001]', 1, true) ~= nil,
            body:find('"c":1e+300', 1, true) ~= nil)]])
      end)

      it("makes receipts that others read", function()
        check("true\ttrue\ttrue\n", [[
          local personalize = require "personalize"
          local client = new()
          localize()
          local list = { "alice", "bob" }
          local receipt = client:delete_users { users = list, name = "l",
            bucket = "erasure", dry_run = true, roleArn =
            "arn:aws:iam::123456789012:role/R", datasetGroupArn =
            "arn:aws:personalize:eu-west-1:123456789012:dataset-group/g" }
          local text = personalize.receipt_json(receipt)
          os.setlocale "C"
          local found = require "cjson".new().decode(text)
          print(found.users == 2, found.parts[1].bytes == 18,
            (personalize.verify_receipt(text, { users = list })))]])
      end)

      it("finds what a machine is configured with", function()
        check("instance metadata\teu-west-1\thttp://[fd00:ec2::254]/latest/" ..
          "api/token\ttrue\nadaptive\n", [[
          local client = new { credentials = false, region = false,
            transport = function(request)
              requests[#requests + 1] = request
              local path = request.url:match "//[^/]*(/.*)$"
              local document = '{"Code":"Success","AccessKeyId":"ASIA1",' ..
                '"SecretAccessKey":"s","Token":"t","Expiration":' ..
                '"2038-01-01T00:00:00.5Z"}'
              return { status = 200, headers = {}, body =
                path == "/latest/api/token" and "token" or
                path:find "region$" and "eu-west-1" or
                path:find "credentials/$" and "role" or
                path:find "/role$" and document or "{}" }
            end }
          localize()
          local identity = client:identity()
          print(identity.source, identity.region, requests[1].url,
            requests[1].connect_timeout > 2)
          client:list_data_deletion_jobs()
          local agent
          for _, header in ipairs(requests[#requests].headers) do
            agent = header[1]:find "^[Uu]ser" and header[2] or agent
          end
          print((agent:match "retry%-mode#(%a+)"))]],
          "env -u AWS_PROFILE HOME=/none AWS_EC2_METADATA_DISABLED=FALSE " ..
          "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPV6 " ..
          "AWS_METADATA_SERVICE_TIMEOUT=2.5 AWS_RETRY_MODE=ADAPTIVE " ..
          "AWS_STS_REGIONAL_ENDPOINTS=REGIONAL AWS_USE_FIPS_ENDPOINT=FALSE ")
      end)

      it("changes nothing of what is refused", function()
        check("false\tfalse\tfalse\n", [[
          localize()
          local function try(options)
            return (pcall(new, options))
          end
          print(try { app_id = "caf\233" }, try { max_attempts = 1.5 },
            try { retry_mode = "stand\253rd" })]])
      end)
    end)
  end
end)
