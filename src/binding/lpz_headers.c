/* See lpz_headers.h. */
#include "lpz_headers.h"

#include "../core/pz_head.h"

void lpz_setmember(lua_State *L, const char *name)
{
    /* From 5.3 on, lua_pushstring finds a C literal again without hashing. */
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

static void push_headers(lua_State *L, struct pz_slice head)
{
    struct pz_slice name, value;
    char lower[64];

    lua_createtable(L, 0, 8);
    while (pz_head_next(&head, &name, &value)) {
        if (name.len > sizeof lower)
            continue; /* none that anyone asks for */
        for (size_t i = 0; i < name.len; i++)
            lower[i] = (char)(name.data[i] >= 'A' && name.data[i] <= 'Z'
                              ? name.data[i] + ('a' - 'A') : name.data[i]);
        lua_pushlstring(L, lower, name.len);
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lpz_pushslice(L, value);
        } else {
            lua_pushliteral(L, ", ");
            lpz_pushslice(L, value);
            lua_concat(L, 3);
        }
        lua_rawset(L, -3);
    }
}

void lpz_pushanswer(lua_State *L, long status, struct pz_slice head,
                    struct pz_slice body)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)status);
    lpz_setmember(L, "status");
    push_headers(L, head);
    lpz_setmember(L, "headers");
    lpz_pushslice(L, body);
    lpz_setmember(L, "body");
}

/* A { name, value } pair, as a line. */
static int add_header(lua_State *L, struct pz_buf *head)
{
    struct pz_slice parts[4] = { { NULL, 0 }, PZ_LIT(": "), { NULL, 0 },
                                 PZ_LIT("\r\n") };
    enum pz_status status;

    if (!lua_istable(L, -1))
        return 0;
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
        return 0;
    parts[0].data = lua_tolstring(L, -2, &parts[0].len);
    parts[2].data = lua_tolstring(L, -1, &parts[2].len);
    /* Joined, these could not be told from two headers or another name. */
    if (pz_slice_find(parts[0], ':', 0) < parts[0].len ||
        pz_slice_find(parts[0], '\n', 0) < parts[0].len ||
        pz_slice_find(parts[2], '\n', 0) < parts[2].len)
        return 0;
    status = pz_buf_addv(head, parts, 4);
    if (status != PZ_OK)
        lpz_raise(L, status);
    lua_pop(L, 2);
    return 1;
}

int lpz_addheaders(lua_State *L, struct pz_buf *head)
{
    if (!lua_istable(L, -1))
        return 0;
    for (int i = 1;; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_isnil(L, -1))
            break;
        if (!add_header(L, head))
            return 0;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 1;
}
