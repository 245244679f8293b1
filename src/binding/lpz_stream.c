/*
 * Standard input, pipes, terminals and files for Lua, read from beginning to
 * end. Reading waits, so nginx has no use for it.
 */
#include "lpz_stream.h"

#include <string.h>

#include "../io/pz_stream.h"
#include "lpz_sys.h"

#define READ_DEFAULT ((long long)64 << 10)
#define READ_MAX ((long long)8 << 20)

static int push_failure(lua_State *L, const struct pz_stream *stream)
{
    char copy[PZ_STREAM_MESSAGE];

    memcpy(copy, stream->message, sizeof copy);
    lua_pushnil(L);
    lua_pushstring(L, copy);
    return 2;
}

/* core.open_input(path | "-" for standard input) -> input | nil, message */
static int stream_open(lua_State *L)
{
    const char *path = lpz_checkpath(L, 1);
    struct pz_stream *stream;

    stream = lpz_newuserdata(L, sizeof *stream, LPZ_STREAM);
    if (pz_stream_open(stream, strcmp(path, "-") == 0 ? NULL : path) != 0)
        return push_failure(L, stream);
    return 1;
}

/* core.is_stream(path) -> whether it can be read only once | false, why
   where it is nothing that can be read */
static int stream_is(lua_State *L)
{
    const char *why;
    enum pz_stream_kind kind = pz_stream_kind(lpz_checkpath(L, 1), &why);

    lua_pushboolean(L, kind == PZ_STREAM_ONCE);
    lua_pushstring(L, why); /* NULL: nil */
    return 2;
}

/* input:read(n = 64 KiB) -> a block of 1 to n bytes | nil at the end
   | nil, message; the message is "interrupted" after Ctrl-C */
static int stream_read(lua_State *L)
{
    struct pz_stream *stream = lpz_checkudata(L, 1, LPZ_STREAM);
    long long len = READ_DEFAULT;
    enum pz_stream_result result;
    struct lpz_wait wait;
    struct pz_buf *block;
    size_t got;

    if (!lua_isnoneornil(L, 2) && (!lpz_tointeger(L, 2, &len) || len < 1))
        return luaL_error(L, "bad argument #2 (bytes, 1 or more, expected)");
    if (len > READ_MAX)
        len = READ_MAX;
    block = lpz_newbuffer(L);
    if (pz_buf_reserve(block, (size_t)len) != PZ_OK)
        return lpz_raise(L, PZ_ENOMEM);
    lpz_wait_begin(&wait, L);
    result = pz_stream_read(stream, block->data, (size_t)len, &got,
                            lpz_interrupted, &wait);
    if (result != PZ_STREAM_READ) {
        pz_buf_free(block);
        if (result == PZ_STREAM_FAILED)
            return push_failure(L, stream);
        lpz_wait_taken(&wait);
        lua_pushnil(L);
        lua_pushliteral(L, "interrupted");
        return 2;
    }
    if (got == 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, block->data, got);
    pz_buf_free(block);
    return 1;
}

static int stream_close(lua_State *L)
{
    pz_stream_close(lpz_checkudata(L, 1, LPZ_STREAM));
    return 0;
}

void lpz_stream_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "close", stream_close },
        { "read", stream_read },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", stream_close },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_STREAM, methods, meta);
}

const luaL_Reg lpz_stream_functions[] = {
    { "is_stream", stream_is },
    { "open_input", stream_open },
    { NULL, NULL }
};
