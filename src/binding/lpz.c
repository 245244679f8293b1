#include "lpz.h"

#include <math.h>
#include <string.h>

size_t lpz_rawlen(lua_State *L, int index)
{
#if LUA_VERSION_NUM >= 502
    return (size_t)lua_rawlen(L, index);
#else
    return lua_objlen(L, index);
#endif
}

int lpz_absindex(lua_State *L, int index)
{
    return index > 0 || index <= LUA_REGISTRYINDEX
        ? index : lua_gettop(L) + index + 1;
}

void lpz_rawgetname(lua_State *L, int index, const char *name, size_t len)
{
    lua_pushlstring(L, name, len);
    lua_rawget(L, index);
}

int lpz_tointeger(lua_State *L, int index, long long *out)
{
    lua_Number n;

    if (lua_type(L, index) != LUA_TNUMBER)
        return 0;
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index)) {
        *out = (long long)lua_tointeger(L, index);
        return 1;
    }
#endif
    n = lua_tonumber(L, index);
    /* Doubles are exact to 2^53; beyond, a "whole" one may be a rounded one. */
    if (!(n >= -9007199254740992.0 && n <= 9007199254740992.0) ||
        n < floor(n) || n > floor(n))
        return 0;
    *out = (long long)n;
    return 1;
}

void lpz_pushcount(lua_State *L, unsigned long long count)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)count);
#else
    lua_pushnumber(L, (lua_Number)count);
#endif
}

void lpz_setcount(lua_State *L, const char *name, unsigned long long count)
{
    lpz_pushcount(L, count);
    lua_setfield(L, -2, name);
}

void lpz_setanchor(lua_State *L, int index)
{
    index = lpz_absindex(L, index);
#if LUA_VERSION_NUM >= 504
    lua_setiuservalue(L, index, 1);
#elif LUA_VERSION_NUM == 503
    lua_setuservalue(L, index);
#else
    /* Before 5.3 only a table can be attached: hence always a table. */
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
#if LUA_VERSION_NUM == 502
    lua_setuservalue(L, index);
#else
    lua_setfenv(L, index);
#endif
#endif
}

void lpz_shareanchor(lua_State *L, int from, int to)
{
    to = lpz_absindex(L, to);
#if LUA_VERSION_NUM >= 504
    lua_getiuservalue(L, from, 1);
    lua_setiuservalue(L, to, 1);
#elif LUA_VERSION_NUM >= 502
    lua_getuservalue(L, from);
    lua_setuservalue(L, to);
#else
    lua_getfenv(L, from);
    lua_setfenv(L, to);
#endif
}

static void set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions && functions->name; functions++) {
        lua_pushstring(L, functions->name);
        lua_pushcfunction(L, functions->func);
        lua_rawset(L, -3);
    }
}

void lpz_newlib(lua_State *L, const luaL_Reg *functions)
{
    lua_newtable(L);
    set_functions(L, functions);
}

static int object_tostring(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

void lpz_newclass(lua_State *L, const char *name, const luaL_Reg *methods,
                  const luaL_Reg *metamethods)
{
    /* Filled again where it exists: an earlier load may have run out of
       memory half-way. */
    luaL_newmetatable(L, name);
    lua_pushliteral(L, "__index");
    lpz_newlib(L, methods);
    lua_rawset(L, -3);
    lua_pushliteral(L, "__name");
    lua_pushstring(L, name);
    lua_rawset(L, -3);
    lua_pushliteral(L, "__metatable");
    lua_pushstring(L, name);
    lua_rawset(L, -3);
    lua_pushliteral(L, "__tostring");
    lua_pushstring(L, name);
    lua_pushcclosure(L, object_tostring, 1);
    lua_rawset(L, -3);
    set_functions(L, metamethods);
    lua_pop(L, 1);
}

void *lpz_newuserdata(lua_State *L, size_t size, const char *name)
{
#if LUA_VERSION_NUM >= 504
    void *block = lua_newuserdatauv(L, size, 1);
#else
    void *block = lua_newuserdata(L, size);
#endif

    memset(block, 0, size);
    lua_pushstring(L, name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_setmetatable(L, -2);
    return block;
}

void *lpz_testudata(lua_State *L, int index, const char *name)
{
    void *block = lua_touserdata(L, index);
    int same;

    if (block == NULL || !lua_getmetatable(L, index))
        return NULL;
    lua_pushstring(L, name);
    lua_rawget(L, LUA_REGISTRYINDEX);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? block : NULL;
}

void *lpz_checkudata(lua_State *L, int index, const char *name)
{
    void *block = lpz_testudata(L, index, name);

    if (block == NULL)
        luaL_error(L, "bad argument #%d (%s expected, got %s)", index, name,
                   luaL_typename(L, index));
    return block;
}

struct pz_slice lpz_checkslice(lua_State *L, int index)
{
    struct pz_slice s;

    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "bad argument #%d (string expected, got %s)", index,
                   luaL_typename(L, index));
    s.data = lua_tolstring(L, index, &s.len);
    return s;
}

const char *lpz_checkpath(lua_State *L, int index)
{
    struct pz_slice text = lpz_checkslice(L, index);

    luaL_argcheck(L, memchr(text.data, '\0', text.len) == NULL, index,
                  "no zero byte expected");
    return text.data;
}

struct pz_slice lpz_optslice(lua_State *L, int index, int *present)
{
    struct pz_slice none = { NULL, 0 };

    *present = !lua_isnoneornil(L, index);
    return *present ? lpz_checkslice(L, index) : none;
}

void lpz_pushslice(lua_State *L, struct pz_slice s)
{
    lua_pushlstring(L, s.data ? s.data : "", s.len);
}

struct pz_slice lpz_textfield(lua_State *L, int index, const char *name)
{
    struct pz_slice s = { NULL, 0 };

    luaL_checkstack(L, 2, "no room for a member");
    lpz_rawgetname(L, index, name, strlen(name));
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string", name);
    return s;
}

int lpz_flagfield(lua_State *L, int index, const char *name)
{
    int on;

    lpz_rawgetname(L, index, name, strlen(name));
    on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

void lpz_pair(lua_State *L, struct pz_slice *first, struct pz_slice *second)
{
    luaL_checkstack(L, 2, "no room for a header");
    if (!lua_istable(L, -1))
        luaL_error(L, "a header must be a pair of strings");
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_remove(L, -3);
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "a header must be a pair of strings");
    first->data = lua_tolstring(L, -2, &first->len);
    second->data = lua_tolstring(L, -1, &second->len);
}

#define BUFFER "personalize.buffer"

static int buffer_gc(lua_State *L)
{
    pz_buf_free(lpz_checkudata(L, 1, BUFFER));
    return 0;
}

struct pz_buf *lpz_newbuffer(lua_State *L)
{
    struct pz_buf *buf = lpz_newuserdata(L, sizeof *buf, BUFFER);

    buf->secret = 1;
    return buf;
}

void lpz_bufferclass(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__gc", buffer_gc },
        { NULL, NULL }
    };

    lpz_newclass(L, BUFFER, NULL, meta);
}

int lpz_raise(lua_State *L, enum pz_status status)
{
    return luaL_error(L, "%s", pz_status_text(status));
}
