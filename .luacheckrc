-- Every file runs on Lua 5.1 to 5.4 and on LuaJIT, so only what all have.
std = "min"
max_line_length = 100

-- OpenResty's own table; which file may use its sockets, spec/support/lint knows.
files["src/personalize"] = { read_globals = { "ngx" } }

files["spec"] = { std = "min+busted" }
files["**/*.rockspec"] = { std = "+rockspec" }
files[".busted"] = { std = "min" }
