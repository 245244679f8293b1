/*
 * The library personalize.core: what is decided in C, as functions of their
 * arguments. Beside the system's clock, sleep, random source and environment
 * (lpz_sys), a command or a name to look up (lpz_process), a program's signals
 * and streams (lpz_program), files (lpz_file), those of user lists
 * (lpz_userlist) and exports (lpz_export) and what is read once, such as a pipe
 * (lpz_stream), nothing here touches the world.
 */
#include "../core/pz_names.h"
#include "../core/pz_text.h"
#include "lpz.h"
#include "lpz_attempt.h"
#include "lpz_endpoint.h"
#include "lpz_export.h"
#include "lpz_file.h"
#include "lpz_hash.h"
#include "lpz_http1.h"
#include "lpz_ids.h"
#include "lpz_process.h"
#include "lpz_program.h"
#include "lpz_proxy.h"
#include "lpz_read.h"
#include "lpz_service.h"
#include "lpz_show.h"
#include "lpz_sigv4.h"
#include "lpz_source.h"
#include "lpz_stream.h"
#include "lpz_sys.h"
#include "lpz_time.h"
#include "lpz_userlist.h"

LPZ_EXPORT int luaopen_personalize_core(lua_State *L);

/* As AWS's SDKs name it in a User-Agent. */
#if defined(__linux__)
#define OS "linux"
#elif defined(__APPLE__)
#define OS "macos"
#else
#define OS "other"
#endif

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

/* core.operation(name) -> the service that has it, such as "personalize" |
   nil, the operation of Amazon Personalize that was most likely meant | nil */
static int core_operation(lua_State *L)
{
    struct pz_slice name = lpz_checkslice(L, 1);
    const char *service = pz_name_service(name);

    lua_pushstring(L, service);
    if (service)
        return 1;
    lua_pushstring(L, pz_name_nearest(name));
    return 2;
}

/* To the table on top. */
static void add_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

int luaopen_personalize_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "attempt", lpz_attempt_new },
        { "credentials_fault", lpz_credentials_fault },
        { "export", lpz_export_new },
        { "hash", lpz_hash_new },
        { "ids", lpz_ids_new },
        { "nearest", core_nearest },
        { "operation", core_operation },
        { "read_output", lpz_output_read },
        { "request", lpz_request_new },
        { "service", lpz_service_new },
        { "sigv4", lpz_sigv4_sign },
        { "userlist", lpz_userlist_new },
        { NULL, NULL }
    };

    /* Lua 5.1 tells its main thread only to who was loaded in it. */
    (void)lpz_mainthread(L);
    lpz_bufferclass(L);
    lpz_sigv4_class(L);
    lpz_service_class(L);
    lpz_attempt_class(L);
    lpz_source_class(L);
    lpz_stream_class(L);
    lpz_ids_class(L);
    lpz_userlist_class(L);
    lpz_export_class(L);
    lpz_http1_class(L);
    lpz_program_class(L);
    lpz_file_class(L);
    lpz_hash_class(L);
    lpz_newlib(L, functions);
    add_functions(L, lpz_endpoint_functions);
    add_functions(L, lpz_file_functions);
    add_functions(L, lpz_http1_functions);
    add_functions(L, lpz_process_functions);
    add_functions(L, lpz_program_functions);
    add_functions(L, lpz_proxy_functions);
    add_functions(L, lpz_read_functions);
    add_functions(L, lpz_show_functions);
    add_functions(L, lpz_stream_functions);
    add_functions(L, lpz_sys_functions);
    add_functions(L, lpz_time_functions);
    lua_pushliteral(L, OS);
    lua_setfield(L, -2, "os");
    return 1;
}
