#include "lpz_input.h"

#include "../core/pz_json.h"
#include "../core/pz_time.h"

/* More than any answer of the size that is read can have. */
#define TABLES_MOST (PZ_JSON_VALUES + 1)

/*
 * What lua-cjson decoded, as the model says. A fault is told as a text about
 * the member, pushed; without one nothing is pushed.
 */

static int is_null(lua_State *L, int index)
{
    return lua_islightuserdata(L, index) && !lua_touserdata(L, index);
}

static int wrong(lua_State *L, const char *name, const char *expected)
{
    lua_pushfstring(L, "%s is not %s", name, expected);
    return 1;
}

/* Each reader leaves the value on top as it should be; 1: a fault is pushed
   above it. */
static int read_value(lua_State *L, const struct pz_shape *shape,
                      const char *name);

static int read_integer(lua_State *L, const char *name)
{
    long long n;

    if (!lpz_tointeger(L, -1, &n))
        return wrong(L, name, "a whole number");
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)n);
    return 0;
}

/* Numbers stay; texts are read, as AWS's own SDKs do. */
static int read_date(lua_State *L, const char *name)
{
    struct pz_slice text;
    double epoch;

    if (lua_type(L, -1) == LUA_TNUMBER)
        return 0;
    if (lua_type(L, -1) != LUA_TSTRING)
        return wrong(L, name, "a date");
    text.data = lua_tolstring(L, -1, &text.len);
    if (pz_time_parse_iso8601(&epoch, text) != PZ_OK)
        return wrong(L, name, "a date");
    lua_pop(L, 1);
    lua_pushnumber(L, (lua_Number)epoch);
    return 0;
}

/* Decoded, an empty list and an empty object look the same. */
static int is_list(lua_State *L)
{
    if (!lua_istable(L, -1))
        return 0;
    lua_pushnil(L);
    if (!lua_next(L, -2))
        return 1;
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
        lua_pop(L, 1);
        return 0;
    }
    lua_pop(L, 1);
    return 1;
}

static int read_list(lua_State *L, const struct pz_shape *shape,
                     const char *name)
{
    size_t kept = 0, count;

    if (!is_list(L))
        return wrong(L, name, "a list");
    count = lpz_rawlen(L, -1);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (int)i);
        if (is_null(L, -1) || lua_isnil(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        if (read_value(L, shape->element, name)) {
            lua_remove(L, -2);
            return 1;
        }
        lua_rawseti(L, -2, (int)++kept);
    }
    for (size_t i = kept + 1; i <= count; i++) {
        lua_pushnil(L);
        lua_rawseti(L, -2, (int)i);
    }
    return 0;
}

static int read_structure(lua_State *L, const struct pz_shape *shape,
                          const char *name)
{
    int table = lua_gettop(L);

    if (!lua_istable(L, table) || lpz_rawlen(L, table) > 0)
        return wrong(L, name, "an object");
    for (size_t i = 0; i < shape->member_count; i++) {
        struct pz_slice member = pz_slice_of(shape->members[i].name);

        lpz_rawgetname(L, table, member.data, member.len);
        if (is_null(L, -1)) {
            lua_pop(L, 1);
            lua_pushnil(L);
        } else if (!lua_isnil(L, -1) &&
                   read_value(L, shape->members[i].shape, member.data)) {
            lua_remove(L, -2);
            return 1;
        }
        if (lua_isnil(L, -1) && shape->members[i].required) {
            lua_pop(L, 1);
            return wrong(L, member.data, "there");
        }
        lua_pushlstring(L, member.data, member.len);
        lua_insert(L, -2);
        lua_rawset(L, table);
    }
    return 0;
}

/* Takes the nulls out of a table, where the model says nothing: 1, or 0 with
   a table on top that is too deep, or one too many. No answer is such: these
   go in circles. */
static int drop_nulls(lua_State *L, int depth, long *tables)
{
    if (depth == PZ_JSON_DEPTH || --*tables < 0)
        return 0;
    luaL_checkstack(L, 6, "answer too deep");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_istable(L, -1)) {
            if (!drop_nulls(L, depth + 1, tables))
                return 0;
        } else if (is_null(L, -1)) {
            /* Clearing a field is allowed while a table is walked. */
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, -5);
        }
    }
    return 1;
}

static int read_value(lua_State *L, const struct pz_shape *shape,
                      const char *name)
{
    luaL_checkstack(L, 8, "answer too deep");
    switch (shape->kind) {
    case PZ_STRING:
        return lua_type(L, -1) == LUA_TSTRING ? 0 : wrong(L, name, "a string");
    case PZ_INTEGER: return read_integer(L, name);
    case PZ_BOOLEAN:
        return lua_isboolean(L, -1) ? 0 : wrong(L, name, "true or false");
    case PZ_TIMESTAMP: return read_date(L, name);
    case PZ_LIST: return read_list(L, shape, name);
    case PZ_STRUCTURE: return read_structure(L, shape, name);
    }
    return 0;
}

void lpz_read_output(lua_State *L, int index, const struct pz_shape *shape)
{
    long tables = TABLES_MOST;
    int top;

    lua_pushvalue(L, index);
    top = lua_gettop(L);
    /* The model's members first: a null taken out of a list would leave a
       hole that hides what follows. */
    if (!shape || !read_structure(L, shape, "the answer")) {
        int fits = !lua_istable(L, top) || drop_nulls(L, 0, &tables);

        lua_settop(L, top);
        if (fits)
            lua_pushnil(L);
        else
            lua_pushliteral(L, "the answer is nested too deeply");
    }
    lua_remove(L, -2);
}
