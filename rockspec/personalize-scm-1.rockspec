rockspec_format = "3.0"
package = "personalize"
version = "scm-1"
-- Stands for the public address, which a release puts here.
source = { url = "git+https://example.invalid/personalize.git" }
description = {
  summary = "Amazon Personalize data deletion jobs",
  detailed = [[
    Signs, sends, retries and follows data deletion jobs of Amazon Personalize:
    in plain Lua over libcurl, in OpenResty over cosockets.
  ]],
  homepage = "https://example.invalid/personalize",
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson >= 2.1",
  "argparse >= 0.7",
}
-- curl without its header: Debian keeps it in a folder that luarocks does not
-- search and the compiler does. CURL_DIR and the like still lead elsewhere.
external_dependencies = {
  CURL = { library = "curl" },
  OPENSSL = { header = "openssl/evp.h", library = "crypto" },
}
-- By the Makefile, so that a rock is built as `make install` builds: with the
-- same flags, and nothing but the module's doors to be seen from outside.
build = {
  type = "make",
  variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LIBRARY = "$(LIBFLAG)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    CURL_INCDIR = "$(CURL_INCDIR)",
    CURL_LIBDIR = "$(CURL_LIBDIR)",
    OPENSSL_INCDIR = "$(OPENSSL_INCDIR)",
    OPENSSL_LIBDIR = "$(OPENSSL_LIBDIR)",
    -- Apart from what other flags and other versions of Lua have built.
    OUT = "build/rock/$(LUA_INCDIR)",
  },
  install_target = "install-rock",
  install_variables = {
    SHARE = "$(LUADIR)/personalize",
    LIB = "$(LIBDIR)/personalize",
    BIN = "$(BINDIR)",
  },
}
test = { type = "busted" }
