--- Where a spec runs: in plain Lua, or inside nginx (busted-in-nginx.lua).
-- Knows what a client cannot be given there; refuses to know specs.

local surroundings = {}

surroundings.in_nginx = type(rawget(_G, "ngx")) == "table"

--- What to give as ca_bundle: inside nginx its configuration names the file.
function surroundings.ca_bundle(path)
  return not surroundings.in_nginx and path or nil
end

--- An endpoint on this machine, by a name where nginx cannot check addresses.
function surroundings.endpoint(url)
  return surroundings.in_nginx and url:gsub("^https://127%.0%.0%.1",
    "https://localhost") or url
end

return surroundings
