/*
 * Dates for Lua. See lpz_time.h.
 */
#include "lpz_time.h"

#include <math.h>

#include "../core/pz_time.h"

/* core.time(text) -> seconds since 1970 | nil; of ISO 8601 with a time and an
   offset */
static int time_read(lua_State *L)
{
    double epoch = 0;

    if (pz_time_parse_iso8601(&epoch, lpz_checkslice(L, 1)) == PZ_OK)
        lua_pushnumber(L, epoch);
    else
        lua_pushnil(L);
    return 1;
}

/* core.time_text(seconds) -> "2015-08-30T12:36:00Z" | nil; whole seconds, the
   rest cut off */
static int time_write(lua_State *L)
{
    char s[PZ_STAMP_LEN + 1];

    /* Not by lua_pushfstring: so many pieces make the stack grow, and Lua 5.3
       loses one when memory is short just then. */
    if (pz_time_stamp(s, floor(luaL_checknumber(L, 1))) == PZ_OK) {
        char text[] = { s[0], s[1], s[2], s[3], '-', s[4], s[5], '-', s[6],
                        s[7], 'T', s[9], s[10], ':', s[11], s[12], ':', s[13],
                        s[14], 'Z' };

        lua_pushlstring(L, text, sizeof text);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

const luaL_Reg lpz_time_functions[] = {
    { "time", time_read },
    { "time_text", time_write },
    { NULL, NULL }
};
