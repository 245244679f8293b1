--- The bucket of a scripted world: what is put, listed and deleted there.
-- Knows S3's requests as far as a list of users needs them; refuses to know
-- signatures.

local core = require "personalize.core"

local bucket = {}

local function all_of(body)
  if type(body) == "string" then
    return body
  end
  local parts = {}
  while true do
    local part, why = body:read(1024)
    if not part then
      return not why and table.concat(parts) or nil, why
    end
    parts[#parts + 1] = part
  end
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- The operation that a request is, and the key it is about.
function bucket.operation(request)
  local path, query = request.url:match "^%a+://[^/]*([^?]*)%??(.*)$"
  local key = path:gsub("^/", "")
  if request.method == "PUT" then
    return "PutObject", key
  elseif request.method == "DELETE" then
    return "DeleteObject", key, query:match "versionId=([^&]*)"
  elseif request.method == "HEAD" then
    return key == "" and "HeadBucket" or "HeadObject", key
  elseif key ~= "" then
    return "GetObject", key
  end
  return "ListObjectVersions", decoded(query:match "prefix=([^&]*)")
end

local serve = {}

function serve.PutObject(world, input, request, headers)
  local body, why = all_of(request.body)
  if not body then
    return nil, { code = "UserListError", message = why, sent = true,
      retryable = false }
  end
  if request.progress then
    request.progress(#body)
  end
  if core.sha256_hex(body) ~= headers["x-amz-content-sha256"] then
    return world:response(400, "<Error><Code>XAmzContentSHA256Mismatch" ..
      "</Code><Message>not its hash</Message></Error>")
  end
  world.versions = world.versions + 1
  local version = "v" .. world.versions
  table.insert(world.objects, { key = input.key, body = body,
    version = version, headers = headers })
  return world:response(200, "", { ["x-amz-version-id"] = version,
    ["x-amz-request-id"] = "s3-" .. world.versions,
    ["x-amzn-requestid"] = false,
    etag = ('"%s"'):format(core.sha1_hex(body)),
    ["x-amz-server-side-encryption"] = "AES256" })
end

function serve.ListObjectVersions(world, input)
  local xml = {}
  for _, object in ipairs(world.objects) do
    if object.key == input.key then
      xml[#xml + 1] = ("<Version><Key>%s</Key><VersionId>%s</VersionId>" ..
        "</Version>"):format(object.key, object.version)
    end
  end
  return world:response(200, "<ListVersionsResult><IsTruncated>false" ..
    "</IsTruncated>" .. table.concat(xml) .. "</ListVersionsResult>")
end

function serve.DeleteObject(world, input)
  for i = #world.objects, 1, -1 do
    local object = world.objects[i]
    if object.key == input.key and (input.version == nil or
      object.version == input.version) then
      table.remove(world.objects, i)
    end
  end
  return world:response(204, "")
end

function serve.HeadBucket(world)
  return world:response(200, "", { ["x-amz-bucket-region"] = "eu-west-1" })
end

-- The last version of a key, and its headers; or the answer that there is none.
local function find(world, key)
  for i = #world.objects, 1, -1 do
    local object = world.objects[i]
    if object.key == key then
      return object, { etag = ('"%s"'):format(core.sha1_hex(object.body)),
        ["x-amz-version-id"] = object.version,
        ["x-amz-server-side-encryption"] = object.encryption or "AES256",
        ["x-amz-checksum-sha256"] = object.checksum,
        ["content-length"] = tostring(#object.body) }
    end
  end
  return nil, world:response(404, "<Error><Code>NoSuchKey</Code></Error>")
end

function serve.HeadObject(world, input)
  local object, headers = find(world, input.key)
  if not object then
    headers.body = ""
  end
  return object and world:response(200, "", headers) or headers
end

function serve.GetObject(world, input, _, asked)
  local object, headers = find(world, input.key)
  if not object then
    return headers
  elseif asked["if-match"] ~= headers.etag then
    return world:response(412)
  end
  local first, last = asked.range:match "^bytes=(%d+)%-(%d+)$"
  local body = object.body:sub(first + 1, last + 1)
  headers["content-length"] = tostring(#body)
  return world:response(206, body, headers)
end

--- Answers a request of S3 when nothing goes wrong.
function bucket.serve(world, operation, input, request, headers)
  return serve[operation](world, input, request, headers)
end

--- The bytes that lie under a key, of the last version.
function bucket.body(world, key)
  for i = #world.objects, 1, -1 do
    if world.objects[i].key == key then
      return world.objects[i].body
    end
  end
end

return bucket
