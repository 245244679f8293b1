/*
 * The library personalize.core: what is decided in C, as functions of their
 * arguments. Beside the system's clock, sleep, random source and environment
 * (lpz_sys) nothing here touches the world.
 */
#include "../core/pz_endpoint.h"
#include "../core/pz_text.h"
#include "../core/pz_uri.h"
#include "lpz.h"
#include "lpz_attempt.h"
#include "lpz_service.h"
#include "lpz_sigv4.h"
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

/* core.endpoint{ region =, endpoint =, use_fips =, use_dualstack = }
   -> url | nil, message */
static int core_endpoint(lua_State *L)
{
    struct pz_endpoint_params params;
    struct pz_buf *url;
    enum pz_status status;
    const char *error;

    luaL_checktype(L, 1, LUA_TTABLE);
    params.region = lpz_textfield(L, 1, "region");
    params.endpoint = lpz_textfield(L, 1, "endpoint");
    params.use_fips = lpz_flagfield(L, 1, "use_fips");
    params.use_dualstack = lpz_flagfield(L, 1, "use_dualstack");
    url = lpz_newbuffer(L);
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
        { "sigv4", lpz_sigv4_sign },
        { NULL, NULL }
    };

    lpz_bufferclass(L);
    lpz_sigv4_class(L);
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
