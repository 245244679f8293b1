--- AWS's own test suite for Signature Version 4, header form: every stage of
-- every case that is there, byte for byte.

local clock = require "spec.support.clock"
local core = require "personalize.core"
local http = require "spec.support.http"
local json = require "spec.support.json"
local vectors = require "spec.support.vectors"

-- What is signed: the case's headers and those that signing adds.
local function to_sign(request, context, stamp)
  local headers = {}
  for i, header in ipairs(request.headers) do
    headers[i] = header
  end
  headers[#headers + 1] = { "X-Amz-Date", stamp }
  local token = context.credentials.token
  if token and not context.omit_session_token then
    headers[#headers + 1] = { "X-Amz-Security-Token", token }
  end
  return headers
end

local function sign(request, context)
  local stamp = clock.stamp(context.timestamp)
  local headers = to_sign(request, context, stamp)
  local path, query = request.target:match("^([^?]*)%??(.*)$")
  local function run(payload_hash)
    return core.sigv4(
      { method = request.method, path = path, query = query,
        headers = headers, payload = request.body,
        payload_hash = payload_hash,
        keep_dots = context.normalize == false },
      { access_key_id = context.credentials.access_key_id,
        secret_access_key = context.credentials.secret_access_key },
      { region = context.region, service = context.service,
        timestamp = stamp })
  end
  if context.sign_body then
    headers[#headers + 1] = { "x-amz-content-sha256", run().payload_hash }
  end
  local stages = run()
  headers[#headers + 1] = { "Authorization", stages.authorization }
  if context.credentials.token and context.omit_session_token then
    headers[#headers + 1] = { "X-Amz-Security-Token",
      context.credentials.token }
  end
  return stages, headers
end

-- One case: a test for each of its files that tells a stage.
local function try(folder, name)
  local request_text = vectors.slurp(folder .. "/request.txt")
  local context_text = vectors.slurp(folder .. "/context.json")
  if not request_text or not context_text then
    pending(name .. ": no request.txt with a context.json in it")
    return
  end
  local request = http.parse(request_text)
  local context = json.decode(context_text)

  local function stage(file, check)
    local expected = vectors.slurp(folder .. "/header-" .. file .. ".txt")
    if expected then
      it(name .. ": " .. file, function()
        check(expected, sign(request, context))
      end)
    end
    return expected ~= nil
  end

  local any = false
  for _, one in ipairs {
    { "canonical-request", "canonical_request" },
    { "string-to-sign", "string_to_sign" },
    { "signature", "signature" },
  } do
    any = stage(one[1], function(expected, stages)
      assert.equal(expected, stages[one[2]])
    end) or any
  end
  any = stage("signed-request", function(expected, _, headers)
    local signed = http.parse(expected)
    assert.equal(signed.method, request.method)
    assert.equal(signed.target, request.target)
    assert.equal(signed.body, request.body)
    assert.same(http.header_set(signed.headers), http.header_set(headers))
  end) or any
  if not any then
    pending(name .. ": has no header-*.txt")
  end
end

describe("the suite of AWS for Signature Version 4", function()
  local folder, absent = vectors.find "sigv4"
  if not folder then
    pending(absent)
    return
  end
  local cases, presigned = 0, 0
  for _, name in ipairs(vectors.names(folder)) do
    local case = folder .. "/" .. name
    -- A licence or a note may lie beside the cases.
    if #vectors.names(case .. "/") > 0 then
      cases = cases + 1
      try(case, name)
      for _, file in ipairs(vectors.names(case)) do
        presigned = presigned + (file:find "^query%-" and 1 or 0)
      end
    end
  end
  if cases == 0 then
    pending "sigv4 holds no case"
  end
  if presigned > 0 then
    pending(presigned .. " query-*.txt files: this module makes no " ..
      "presigned URLs")
  end
end)
