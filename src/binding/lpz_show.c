/* See lpz_show.h. */
#include "lpz_show.h"

#include "../core/pz_redact.h"
#include "../core/pz_show.h"

/* A sentence in an error, a log line or a table's cell. */
enum { PROSE_MOST = 1024, SECRETS_MOST = 1000 };

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
 * The same for sentences: white space, line ends and control characters are
 * one space, what is not UTF-8 is '?', and it is cut to 1024 bytes.
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

/* Takes the strings of the list at 'index' into secrets[*count] and on, and
   leaves them on the stack. What is no string raises: a secret that is
   overlooked is shown. */
static void take_secrets(lua_State *L, int index, struct pz_secret *secrets,
                         size_t *count, int is_private)
{
    luaL_checktype(L, index, LUA_TTABLE);
    for (int i = 1;; i++) {
        struct pz_slice text;

        lua_rawgeti(L, index, i);
        if (lua_isnil(L, -1))
            break;
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "bad argument #%d (strings expected)", index);
        if (*count == SECRETS_MOST)
            luaL_error(L, "too many secrets");
        text.data = lua_tolstring(L, -1, &text.len);
        secrets[*count].text = text;
        secrets[*count].is_private = is_private;
        ++*count;
    }
}

/*
 * core.redact(text, secrets, privates [, is_cut]) -> text
 *
 * A text that may quote secrets, with "[redacted]" in their places, however
 * they are spelled. Both lists have strings: true secrets, such as tokens, of
 * which no part may be seen; and private texts, such as tags, of which short
 * ones count as words only. 1000 in all are the most.
 */
static int core_redact(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    int is_cut = lua_toboolean(L, 4);
    struct pz_secret *secrets;
    struct pz_buf *out;
    enum pz_status status;
    size_t count = 0;

    lua_settop(L, 4);
    luaL_checkstack(L, SECRETS_MOST + 20, "no room for secrets");
    secrets = lua_newuserdata(L, SECRETS_MOST * sizeof *secrets);
    out = lpz_newbuffer(L);
    out->secret = 0;
    take_secrets(L, 2, secrets, &count, 0);
    take_secrets(L, 3, secrets, &count, 1);
    status = pz_redact(out, text, secrets, count, is_cut);
    return push_shown(L, out, status);
}

const luaL_Reg lpz_show_functions[] = {
    { "json_string", core_json_string },
    { "printable", core_printable },
    { "prose", core_prose },
    { "redact", core_redact },
    { NULL, NULL }
};
