/*
 * The library personalize.core: what is decided in C, as functions of their
 * arguments. Beside the system's clock, sleep, random source and environment
 * (lpz_sys) nothing here touches the world.
 */
#include <string.h>

#include "../core/pz_endpoint.h"
#include "../core/pz_sigv4.h"
#include "../core/pz_text.h"
#include "../core/pz_uri.h"
#include "lpz.h"
#include "lpz_attempt.h"
#include "lpz_service.h"
#include "lpz_sys.h"

LPZ_EXPORT int luaopen_personalize_core(lua_State *L);

/* As AWS's SDKs name it in a User-Agent. */
#if defined(__linux__)
#define OS "linux"
#elif defined(__APPLE__)
#define OS "macos"
#else
#define OS "other"
#endif

/* A buffer that Lua collects; for what is built and pushed at once. */
#define BUFFER "personalize.buffer"

static int buffer_gc(lua_State *L)
{
    pz_buf_free(lpz_checkudata(L, 1, BUFFER));
    return 0;
}

static struct pz_buf *push_buffer(lua_State *L)
{
    struct pz_buf *buf = lpz_newuserdata(L, sizeof *buf, BUFFER);

    buf->secret = 1;
    return buf;
}

static int option(lua_State *L, int index, const char *name)
{
    int on;

    lpz_rawgetname(L, index, name, strlen(name));
    on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* A string member that stays in the table; absent is empty. */
static struct pz_slice text_option(lua_State *L, int index, const char *name)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, index, name, strlen(name));
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string", name);
    lua_pop(L, 1);
    return s;
}

/* core.endpoint{ region =, endpoint =, use_fips =, use_dualstack = }
   -> url | nil, message */
static int core_endpoint(lua_State *L)
{
    struct pz_endpoint_params params;
    struct pz_buf *url;
    enum pz_status status;
    const char *error;

    luaL_checktype(L, 1, LUA_TTABLE);
    params.region = text_option(L, 1, "region");
    params.endpoint = text_option(L, 1, "endpoint");
    params.use_fips = option(L, 1, "use_fips");
    params.use_dualstack = option(L, 1, "use_dualstack");
    url = push_buffer(L);
    status = pz_endpoint_personalize(url, &error, &params);
    if (error) {
        lua_pushnil(L);
        lua_pushstring(L, error);
        return 2;
    }
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(url));
    pz_buf_free(url);
    return 1;
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_partition(lua_State *L, const struct pz_partition *p)
{
    lua_createtable(L, 0, 8);
    set_string(L, "id", p->id);
    set_string(L, "region_regex", p->region_regex);
    set_string(L, "dns_suffix", p->dns_suffix);
    set_string(L, "dual_stack_dns_suffix", p->dual_stack_dns_suffix);
    set_string(L, "implicit_global_region", p->implicit_global_region);
    lua_pushboolean(L, p->supports_fips);
    lua_setfield(L, -2, "supports_fips");
    lua_pushboolean(L, p->supports_dual_stack);
    lua_setfield(L, -2, "supports_dual_stack");
    lua_newtable(L);
    for (int i = 0; p->regions[i]; i++) {
        lua_pushstring(L, p->regions[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "regions");
}

/* core.partition(region) -> the partition any region belongs to */
static int core_partition(lua_State *L)
{
    push_partition(L, pz_partition_of(lpz_checkslice(L, 1)));
    return 1;
}

/* core.is_region(text) -> can it be part of a host name? */
static int core_is_region(lua_State *L)
{
    lua_pushboolean(L, pz_is_host_label(lpz_checkslice(L, 1)));
    return 1;
}

/* core.is_endpoint(text) -> is it a URL an endpoint may have? */
static int core_is_endpoint(lua_State *L)
{
    struct pz_uri uri;

    lua_pushboolean(L, pz_uri_parse(&uri, lpz_checkslice(L, 1)) == PZ_OK);
    return 1;
}

/* core.nearest(name, names) -> the one that was most likely meant | nil */
static int core_nearest(lua_State *L)
{
    struct pz_slice name = lpz_checkslice(L, 1);
    const char *names[65] = { NULL };
    size_t count;

    luaL_checktype(L, 2, LUA_TTABLE);
    count = lpz_rawlen(L, 2);
    for (size_t i = 0; i < count && i + 1 < PZ_COUNT(names); i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        names[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        lua_pop(L, 1); /* the table keeps it */
    }
    lua_pushstring(L, pz_nearest(name, names));
    return 1;
}

#define SIGNER "personalize.signer"

static int signer_gc(lua_State *L)
{
    struct pz_signer **box = lpz_checkudata(L, 1, SIGNER);

    pz_signer_free(*box);
    *box = NULL;
    return 0;
}

/* The pairs of request.headers as headers, in a block that is pushed. */
static struct pz_header *push_headers(lua_State *L, int request, size_t *count)
{
    struct pz_header *headers;
    int list;

    lpz_rawgetname(L, request, "headers", 7);
    luaL_argcheck(L, lua_istable(L, -1), 1, "headers must be a list");
    list = lua_gettop(L);
    *count = lpz_rawlen(L, list);
    headers = lua_newuserdata(L, (*count + 1) * sizeof *headers);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        luaL_argcheck(L, lua_istable(L, -1), 1, "a header must be a pair");
        for (int part = 1; part <= 2; part++) {
            struct pz_slice *to = part == 1 ? &headers[i].name
                                            : &headers[i].value;

            lua_rawgeti(L, -1, part);
            luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1,
                          "a header's name and value must be strings");
            to->data = lua_tolstring(L, -1, &to->len);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    return headers;
}

/* Pushes buf[from..] as the field 'name' of the table at 'index'. */
static void set_part(lua_State *L, int index, const char *name,
                     const struct pz_buf *buf, size_t from)
{
    lpz_pushslice(L, pz_slice_sub(pz_buf_slice(buf), from, buf->len));
    lua_setfield(L, index, name);
}

/*
 * core.sigv4({ method =, path =, query =, headers = { { name, value } },
 * payload = | payload_hash =, keep_path =, keep_dots = }, { access_key_id =,
 * secret_access_key = }, { region =, service =, timestamp = })
 * -> { canonical_request =, string_to_sign =, signed_headers =, signature =,
 *      authorization =, payload_hash = }
 *
 * Every stage of a signature for any service, from a fresh key.
 */
static int core_sigv4(lua_State *L)
{
    struct pz_sigv4_request request;
    struct pz_scope scope;
    struct pz_slice id, secret, stamp, payload, names;
    char hash[PZ_SHA256_HEX_LEN], signature[PZ_SIGNATURE_LEN];
    struct pz_signer **signer;
    struct pz_buf *out;
    enum pz_status status;
    int result;
    size_t from;

    for (int i = 1; i <= 3; i++)
        luaL_checktype(L, i, LUA_TTABLE);
    memset(&request, 0, sizeof request);
    request.method = text_option(L, 1, "method");
    request.path = text_option(L, 1, "path");
    request.query = text_option(L, 1, "query");
    request.payload_hash = text_option(L, 1, "payload_hash");
    request.keep_path = option(L, 1, "keep_path");
    request.keep_dots = option(L, 1, "keep_dots");
    payload = text_option(L, 1, "payload");
    id = text_option(L, 2, "access_key_id");
    secret = text_option(L, 2, "secret_access_key");
    scope.region = text_option(L, 3, "region");
    scope.service = text_option(L, 3, "service");
    stamp = text_option(L, 3, "timestamp");
    luaL_argcheck(L, stamp.len == PZ_STAMP_LEN, 3,
                  "timestamp must be YYYYMMDDTHHMMSSZ");
    memcpy(scope.stamp, stamp.data, stamp.len);
    scope.stamp[PZ_STAMP_LEN] = '\0';
    request.headers = push_headers(L, 1, &request.header_count);

    signer = lpz_newuserdata(L, sizeof *signer, SIGNER);
    out = push_buffer(L);
    lua_newtable(L);
    result = lua_gettop(L);
    *signer = pz_signer_new();
    if (*signer == NULL)
        return lpz_raise(L, PZ_ENOMEM);
    if (request.payload_hash.len == 0) {
        status = pz_sha256_hex(pz_signer_crypto(*signer), hash, payload);
        if (status != PZ_OK)
            return lpz_raise(L, status);
        request.payload_hash.data = hash;
        request.payload_hash.len = sizeof hash;
    }
    lpz_pushslice(L, request.payload_hash);
    lua_setfield(L, result, "payload_hash");

    status = pz_sigv4_canonical_request(out, &names, &request);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    set_part(L, result, "canonical_request", out, 0);
    lpz_pushslice(L, names);
    lua_setfield(L, result, "signed_headers");

    from = out->len;
    status = pz_sigv4_string_to_sign(out, *signer, &scope, pz_buf_slice(out));
    if (status == PZ_OK)
        status = pz_sigv4_signature(
            signature, *signer, secret, &scope,
            pz_slice_sub(pz_buf_slice(out), from, out->len));
    if (status != PZ_OK)
        return lpz_raise(L, status);
    set_part(L, result, "string_to_sign", out, from);
    lua_pushlstring(L, signature, sizeof signature);
    lua_setfield(L, result, "signature");

    {
        struct pz_buf *scratch = push_buffer(L);

        pz_buf_clear(out);
        status = pz_sigv4_authorization(out, scratch, *signer, &request,
                                        &scope, id, secret);
        if (status != PZ_OK)
            return lpz_raise(L, status);
        pz_buf_free(scratch);
        lua_pop(L, 1);
    }
    set_part(L, result, "authorization", out, 0);
    pz_buf_free(out);
    pz_signer_free(*signer);
    *signer = NULL;
    return 1;
}

int luaopen_personalize_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "attempt", lpz_attempt_new },
        { "credentials_fault", lpz_credentials_fault },
        { "endpoint", core_endpoint },
        { "is_endpoint", core_is_endpoint },
        { "is_region", core_is_region },
        { "nearest", core_nearest },
        { "partition", core_partition },
        { "read_output", lpz_output_read },
        { "service", lpz_service_new },
        { "sigv4", core_sigv4 },
        { NULL, NULL }
    };
    static const luaL_Reg buffer_meta[] = {
        { "__gc", buffer_gc }, { NULL, NULL }
    };
    static const luaL_Reg signer_meta[] = {
        { "__gc", signer_gc }, { NULL, NULL }
    };

    lpz_newclass(L, BUFFER, NULL, buffer_meta);
    lpz_newclass(L, SIGNER, NULL, signer_meta);
    lpz_service_class(L);
    lpz_attempt_class(L);
    lpz_newlib(L, functions);
    for (const luaL_Reg *f = lpz_sys_functions; f->name; f++) {
        lua_pushcfunction(L, f->func);
        lua_setfield(L, -2, f->name);
    }
    lua_pushliteral(L, OS);
    lua_setfield(L, -2, "os");
    return 1;
}
