-- Every file runs on Lua 5.1 to 5.4 and on LuaJIT: so only what all have, and
-- what one asks for by name before using it.
std = "min"
max_line_length = 100
read_globals = { "jit", "ngx" }

files["spec"] = {
  std = "min+busted",
  read_globals = { "newproxy", "unpack", table = { fields = { "unpack" } } },
}
-- What spec/support/host.c adds for a script that it runs with --refuse.
files["spec/torture"] = { read_globals = { "refuse" } }
files["spec/support/torture.lua"] = { read_globals = { "refuse" } }
-- Handlers set ngx.status and fields of ngx.header.
files["examples/nginx"] = { globals = { "ngx" } }
files["**/*.rockspec"] = { std = "+rockspec" }
