/*
 * Sources that fail as they are told, of the class that the transport knows.
 * A module for specs; built by the spec that needs it.
 */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "../../src/binding/lpz_source.h"

/* The text follows the struct. */
struct source {
    struct lpz_source base;
    size_t size, at;      /* of the text, and how far it was read */
    size_t fails, ends;   /* where reading does so; SIZE_MAX: nowhere */
    size_t most;          /* a read gives no more than this */
    int rewinds, refuses; /* rewinds so far, and how many are allowed */
};

static long source_read(struct lpz_source *base, char *out, size_t len)
{
    struct source *s = (struct source *)base;
    size_t end = s->ends < s->size ? s->ends : s->size;

    if (s->at >= s->fails)
        return -1;
    if (len > end - s->at)
        len = end - s->at;
    if (len > s->most)
        len = s->most;
    memcpy(out, (const char *)(s + 1) + s->at, len);
    s->at += len;
    return (long)len;
}

static int source_rewind(struct lpz_source *base)
{
    struct source *s = (struct source *)base;

    if (s->rewinds >= s->refuses)
        return -1;
    s->rewinds++;
    s->at = 0;
    return 0;
}

static const char *source_fault(struct lpz_source *base)
{
    (void)base;
    return "the source fails as it was told";
}

static size_t place(lua_State *L, const char *name)
{
    size_t n = (size_t)-1;

    lua_getfield(L, 2, name);
    if (!lua_isnil(L, -1))
        n = (size_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return n;
}

/* new(text, { fails =, ends =, most =, refuses =, version =, length = }) */
static int new_source(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct source *s;

    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    s = lua_newuserdata(L, sizeof *s + len);
    memset(s, 0, sizeof *s);
    memcpy(s + 1, text, len);
    s->size = len;
    s->fails = place(L, "fails");
    s->ends = place(L, "ends");
    s->most = place(L, "most");
    s->refuses = (int)(place(L, "refuses") & 0xFFFF);
    s->base.version = LPZ_SOURCE_VERSION;
    if (place(L, "version") != (size_t)-1)
        s->base.version = (unsigned)place(L, "version");
    s->base.length = len;
    if (place(L, "length") != (size_t)-1)
        s->base.length = place(L, "length");
    s->base.read = source_read;
    s->base.rewind = source_rewind;
    s->base.fault = source_fault;
    lua_getfield(L, LUA_REGISTRYINDEX, LPZ_SOURCE);
    lua_setmetatable(L, -2);
    return 1;
}

static struct source *check(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TUSERDATA);
    return lua_touserdata(L, 1);
}

static int method_rewind(lua_State *L)
{
    if (source_rewind(&check(L)->base) == 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, source_fault(NULL));
    return 2;
}

/* source:read(n) -> text, nil at the end, or nil and why */
static int method_read(lua_State *L)
{
    struct source *s = check(L);
    size_t len = (size_t)luaL_checknumber(L, 2);
    char *room = lua_newuserdata(L, len + 1);
    long got;

    got = source_read(&s->base, room, len);
    if (got > 0) {
        lua_pushlstring(L, room, (size_t)got);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, got < 0 ? source_fault(NULL) : NULL);
    return got < 0 ? 2 : 1;
}

/* length, rewinds, at; or a method */
static int source_index(lua_State *L)
{
    struct source *s = check(L);
    const char *name = luaL_checkstring(L, 2);

    if (strcmp(name, "length") == 0)
        lua_pushnumber(L, (lua_Number)s->base.length);
    else if (strcmp(name, "rewinds") == 0)
        lua_pushinteger(L, s->rewinds);
    else if (strcmp(name, "at") == 0)
        lua_pushinteger(L, (lua_Integer)s->at);
    else if (strcmp(name, "rewind") == 0)
        lua_pushcfunction(L, method_rewind);
    else
        lua_pushcfunction(L, method_read);
    return 1;
}

/* install(): from now on the class is this one. Answers what it was. */
static int install(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LPZ_SOURCE);
    lua_newtable(L);
    lua_pushcfunction(L, source_index);
    lua_setfield(L, -2, "__index");
    lua_setfield(L, LUA_REGISTRYINDEX, LPZ_SOURCE);
    return 1;
}

/* restore(class): what install answered */
static int restore(lua_State *L)
{
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, LPZ_SOURCE);
    return 0;
}

int luaopen_spec_source(lua_State *L);

int luaopen_spec_source(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, new_source);
    lua_setfield(L, -2, "new");
    lua_pushcfunction(L, install);
    lua_setfield(L, -2, "install");
    lua_pushcfunction(L, restore);
    lua_setfield(L, -2, "restore");
    return 1;
}
