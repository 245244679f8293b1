/*
 * Clocks, sleep, random bytes, the environment and the terminal for Lua.
 * Knows pz_sys; refuses to know what they are used for.
 */
#include "lpz_sys.h"

#include <unistd.h>

#include "../io/pz_sys.h"

#define RANDOM_MAX 1024

static int sys_now(lua_State *L)
{
    lua_pushnumber(L, pz_sys_now());
    return 1;
}

static int sys_monotonic(lua_State *L)
{
    lua_pushnumber(L, pz_sys_monotonic());
    return 1;
}

static int sys_sleep(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    struct lpz_wait wait;

    lpz_wait_begin(&wait, L);
    if (pz_sys_sleep(seconds, lpz_interrupted, &wait)) {
        lpz_wait_taken(&wait);
        lua_pushnil(L);
        lua_pushliteral(L, "interrupted");
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int sys_random(lua_State *L)
{
    long long n = 0;
    char bytes[RANDOM_MAX];
    enum pz_status status;

    if (!lpz_tointeger(L, 1, &n) || n < 0 || n > RANDOM_MAX)
        return luaL_error(L, "bad argument #1 (0 to %d expected)",
                          RANDOM_MAX);
    status = pz_sys_random(bytes, (size_t)n);
    if (status != PZ_OK)
        return luaL_error(L, "the system has no random bytes to give");
    lua_pushlstring(L, bytes, (size_t)n);
    pz_wipe(bytes, (size_t)n);
    return 1;
}

/* A number from 0 up to and without 1, with 32 random bits. */
static int sys_uniform(lua_State *L)
{
    unsigned char b[4];

    if (pz_sys_random(b, sizeof b) != PZ_OK)
        return luaL_error(L, "the system has no random bytes to give");
    lua_pushnumber(L, ((double)b[0] * 16777216 + (double)b[1] * 65536 +
                       (double)b[2] * 256 + (double)b[3]) / 4294967296.0);
    return 1;
}

static int sys_getenv(lua_State *L)
{
    lua_pushstring(L, pz_sys_getenv(luaL_checkstring(L, 1))); /* NULL: nil */
    return 1;
}

static int sys_getpid(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)getpid());
    return 1;
}

/* core.terminal() -> columns, where standard error is a terminal | nil */
static int sys_terminal(lua_State *L)
{
    int columns = pz_sys_columns(STDERR_FILENO);

    if (columns == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, columns);
    return 1;
}

const luaL_Reg lpz_sys_functions[] = {
    { "getenv", sys_getenv },
    { "getpid", sys_getpid },
    { "monotonic", sys_monotonic },
    { "now", sys_now },
    { "random", sys_random },
    { "sleep", sys_sleep },
    { "terminal", sys_terminal },
    { "uniform", sys_uniform },
    { NULL, NULL }
};
