/* See lpz_show.h. */
#include "lpz_show.h"

#include "../core/pz_show.h"

/* A sentence in an error, a log line or a table's cell. */
enum { PROSE_MOST = 1024 };

/* Argument 1 as text: what is no string, number, boolean or nil is shown by
   the name of its type. No metamethod runs. */
static struct pz_slice check_shown(lua_State *L)
{
    struct pz_slice text;

    luaL_checkany(L, 1);
    lua_settop(L, 1);
    switch (lua_type(L, 1)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        break;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
        lua_replace(L, 1);
        break;
    default:
        lua_pushstring(L, luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    text.data = lua_tolstring(L, 1, &text.len);
    return text;
}

/* Pushes what was made. */
static int push_shown(lua_State *L, struct pz_buf *out, enum pz_status status)
{
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(out));
    pz_buf_free(out);
    return 1;
}

/* A buffer that holds the text even if all of it is escaped. */
static struct pz_buf *new_buffer(lua_State *L, struct pz_slice text)
{
    struct pz_buf *out = lpz_newbuffer(L);

    out->secret = 0;
    out->max = 8 * text.len + 64;
    return out;
}

/*
 * core.printable(value) -> text
 *
 * A value from outside (a name, a path, a status) for a terminal, a log or
 * an error: one line of UTF-8 in which control characters, marks of
 * direction, invisible characters and what is not UTF-8 are escapes, such as
 * \n, \x1b and \u{202e}.
 */
static int core_printable(lua_State *L)
{
    struct pz_slice text = check_shown(L);
    struct pz_buf *out = new_buffer(L, text);

    return push_shown(L, out, pz_show_value(out, text));
}

/*
 * core.prose(value) -> text
 *
 * The same for sentences: white space and line ends are one space, and it is
 * cut to 1024 bytes.
 */
static int core_prose(lua_State *L)
{
    struct pz_slice text = check_shown(L);
    struct pz_buf *out = new_buffer(L, text);

    return push_shown(L, out, pz_show_prose(out, text, PROSE_MOST));
}

/*
 * core.json_string(text) -> text
 *
 * A string as JSON has it, in its quotes: what core.printable would escape
 * is \uXXXX. Bytes that are not UTF-8 become \ufffd.
 */
static int core_json_string(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    struct pz_buf *out = new_buffer(L, text);

    return push_shown(L, out, pz_show_json(out, text));
}

const luaL_Reg lpz_show_functions[] = {
    { "json_string", core_json_string },
    { "printable", core_printable },
    { "prose", core_prose },
    { NULL, NULL }
};
