/*
 * A program's own process for Lua. See lpz_program.h.
 */
#include "lpz_program.h"

#include <errno.h>
#include <float.h>
#include <string.h>

#include "../io/pz_signal.h"
#include "../io/pz_standard.h"
#include "lpz_sys.h"

/* Stands in the registry while signals are caught: a state that is closed
   takes this library away, and the handler with it. */
#define CATCHER "personalize.catcher"

static int catcher_gc(lua_State *L)
{
    (void)lpz_checkudata(L, 1, CATCHER);
    pz_signal_release();
    return 0;
}

/* core.catch_signals(): from now on SIGINT, SIGTERM and SIGHUP end waits
   instead of the process; see pz_signal.h. */
static int program_catch_signals(lua_State *L)
{
    lua_pushliteral(L, CATCHER " in use");
    lua_pushvalue(L, -1);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) { /* else an earlier one would release them */
        lua_pop(L, 1);
        (void)lpz_newuserdata(L, 1, CATCHER);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    pz_signal_catch();
    return 0;
}

/* core.signalled() -> number of the first signal that was caught | nil */
static int program_signalled(lua_State *L)
{
    int number = pz_signal_first;

    if (number == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, number);
    return 1;
}

/* core.open_streams(): /dev/null in the place of each standard stream that is
   closed. */
static int program_open_streams(lua_State *L)
{
    (void)L;
    pz_standard_open();
    return 0;
}

static const char *name_of(int error)
{
    switch (error) {
    case EPIPE:
        return "gone";
    case EBADF:
        return "closed";
    case EINTR:
        return "interrupted";
    case EAGAIN:
        return "busy";
    default:
        return "failed";
    }
}

/*
 * core.write(descriptor, text, patience = for ever)
 *   -> true | nil, message, "gone", "closed", "interrupted", "busy" or "failed"
 *
 * Descriptor 1 or 2. "busy": the reader took nothing for so many seconds.
 */
static int program_write(lua_State *L)
{
    struct lpz_wait wait;
    struct pz_slice text = lpz_checkslice(L, 2);
    double patience = luaL_optnumber(L, 3, DBL_MAX);
    long long fd = 0;
    int error;

    if (!lpz_tointeger(L, 1, &fd) || fd < 1 || fd > 2)
        return luaL_error(L, "bad argument #1 (1 or 2 expected)");
    lpz_wait_begin(&wait, L);
    error = pz_standard_write((int)fd, text, patience, lpz_interrupted, &wait);
    if (error == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (error == EINTR)
        lpz_wait_taken(&wait);
    lua_pushnil(L);
    lua_pushstring(L, strerror(error));
    lua_pushstring(L, name_of(error));
    return 3;
}

const luaL_Reg lpz_program_functions[] = {
    { "catch_signals", program_catch_signals },
    { "open_streams", program_open_streams },
    { "signalled", program_signalled },
    { "write", program_write },
    { NULL, NULL }
};

void lpz_program_class(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__gc", catcher_gc },
        { NULL, NULL }
    };

    lpz_newclass(L, CATCHER, NULL, meta);
    lua_pushliteral(L, LPZ_SIGNAL);
    lua_pushlightuserdata(L, (void *)&pz_signal_first);
    lua_rawset(L, LUA_REGISTRYINDEX);
}
