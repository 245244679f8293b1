--- What a first client costs: time and Lua memory of require and new.
-- Prints one line of JSON.

collectgarbage()
collectgarbage()
local before, start = collectgarbage "count", os.clock()
local client = require "personalize".new {
  region = "eu-west-1",
  credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
}
local spent = os.clock() - start
collectgarbage()
collectgarbage()
local kept = collectgarbage "count" - before
print(('{"bench":"start","where":"%s","ms":%.2f,"lua_kb":%.0f}'):format(
  jit and "LuaJIT" or _VERSION, spent * 1000, kept))
client:close()
