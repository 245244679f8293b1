-- Every file runs on Lua 5.1 to 5.4 and on LuaJIT: so only what all have, and
-- what one asks for by name before using it. A global that not every Lua has is
-- asked for by rawget(_G, "jit"): under strict.lua and its like, reading one
-- that nobody has set is an error.
std = "min"
max_line_length = 100

-- Run inside nginx alone.
for _, name in ipairs { "log_ngx", "transport/cosocket", "transport/nginx" } do
  files["src/personalize/" .. name .. ".lua"] = { read_globals = { "ngx" } }
end
files["spec"] = {
  std = "min+busted",
  read_globals = { "jit", "newproxy", "ngx", "unpack",
    table = { fields = { "unpack" } } },
}
-- What spec/support/host.c adds for a script that it runs with --refuse.
files["spec/torture"] = { read_globals = { "refuse" } }
files["spec/support/torture.lua"] = { read_globals = { "refuse" } }
-- Handlers set ngx.status and fields of ngx.header.
files["examples/nginx"] = { globals = { "ngx" } }
files["**/*.rockspec"] = { std = "+rockspec" }
