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
}
-- curl without its header: Debian keeps it in a folder that luarocks does not
-- search and the compiler does. CURL_DIR and the like still lead elsewhere.
external_dependencies = {
  CURL = { library = "curl" },
  OPENSSL = { header = "openssl/evp.h", library = "crypto" },
}
build = {
  type = "builtin",
  modules = {
    ["personalize"] = "src/personalize/init.lua",
    ["personalize.call"] = "src/personalize/call.lua",
    ["personalize.client"] = "src/personalize/client.lua",
    ["personalize.config"] = "src/personalize/config.lua",
    ["personalize.core"] = {
      sources = {
        "src/binding/lpz.c",
        "src/binding/lpz_attempt.c",
        "src/binding/lpz_core.c",
        "src/binding/lpz_endpoint.c",
        "src/binding/lpz_input.c",
        "src/binding/lpz_output.c",
        "src/binding/lpz_process.c",
        "src/binding/lpz_read.c",
        "src/binding/lpz_request.c",
        "src/binding/lpz_service.c",
        "src/binding/lpz_sigv4.c",
        "src/binding/lpz_source.c",
        "src/binding/lpz_sys.c",
        "src/binding/lpz_time.c",
        "src/binding/lpz_userlist.c",
        "src/core/pz_attempt.c",
        "src/core/pz_buf.c",
        "src/core/pz_crypto.c",
        "src/core/pz_csv.c",
        "src/core/pz_endpoint.c",
        "src/core/pz_endpoint_s3.c",
        "src/core/pz_idset.c",
        "src/core/pz_ini.c",
        "src/core/pz_json.c",
        "src/core/pz_judge.c",
        "src/core/pz_model.c",
        "src/core/pz_retry.c",
        "src/core/pz_rewrite.c",
        "src/core/pz_run.c",
        "src/core/pz_sigv4.c",
        "src/core/pz_text.c",
        "src/core/pz_time.c",
        "src/core/pz_uri.c",
        "src/core/pz_userlist.c",
        "src/core/pz_xml.c",
        "src/io/pz_file.c",
        "src/io/pz_fork.c",
        "src/io/pz_listfile.c",
        "src/io/pz_process.c",
        "src/io/pz_resolve.c",
        "src/io/pz_sys.c",
      },
      libraries = { "crypto", "m", "pthread" },
      incdirs = { "$(OPENSSL_INCDIR)" },
      libdirs = { "$(OPENSSL_LIBDIR)" },
    },
    ["personalize.create"] = "src/personalize/create.lua",
    ["personalize.credentials.assume_role"] = "src/personalize/credentials/assume_role.lua",
    ["personalize.credentials.cache"] = "src/personalize/credentials/cache.lua",
    ["personalize.credentials.chain"] = "src/personalize/credentials/chain.lua",
    ["personalize.credentials.container"] = "src/personalize/credentials/container.lua",
    ["personalize.credentials.environment"] = "src/personalize/credentials/environment.lua",
    ["personalize.credentials.instance"] = "src/personalize/credentials/instance.lua",
    ["personalize.credentials.login"] = "src/personalize/credentials/login.lua",
    ["personalize.credentials.process"] = "src/personalize/credentials/process.lua",
    ["personalize.credentials.profile"] = "src/personalize/credentials/profile.lua",
    ["personalize.credentials.source"] = "src/personalize/credentials/source.lua",
    ["personalize.credentials.sso"] = "src/personalize/credentials/sso.lua",
    ["personalize.credentials.static"] = "src/personalize/credentials/static.lua",
    ["personalize.credentials.sts"] = "src/personalize/credentials/sts.lua",
    ["personalize.credentials.web_identity"] = "src/personalize/credentials/web_identity.lua",
    ["personalize.credentials.world"] = "src/personalize/credentials/world.lua",
    ["personalize.curl"] = {
      sources = {
        "src/binding/lpz.c",
        "src/binding/lpz_curl.c",
        "src/binding/lpz_curl_request.c",
        "src/core/pz_buf.c",
        "src/core/pz_text.c",
        "src/io/pz_curl.c",
        "src/io/pz_curl_fault.c",
        "src/io/pz_curl_run.c",
        "src/io/pz_curl_session.c",
        "src/io/pz_fork.c",
      },
      libraries = { "curl", "m", "pthread" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
    ["personalize.error"] = "src/personalize/error.lua",
    ["personalize.files"] = "src/personalize/files.lua",
    ["personalize.jobs"] = "src/personalize/jobs.lua",
    ["personalize.redact"] = "src/personalize/redact.lua",
    ["personalize.transport.curl"] = "src/personalize/transport/curl.lua",
    ["personalize.s3"] = "src/personalize/s3.lua",
    ["personalize.version"] = "src/personalize/version.lua",
  },
}
test = { type = "busted" }
