/*
 * Commands and host names for Lua. See lpz_process.h.
 */
#include "lpz_process.h"

#include <string.h>

#include "../io/pz_home.h"
#include "../io/pz_process.h"
#include "../io/pz_resolve.h"
#include "lpz_sys.h"

#define OUTPUT_MAX ((size_t)1 << 20)

static int push_end(lua_State *L, const struct pz_process_result *result)
{
    lua_pushnil(L);
    switch (result->end) {
    case PZ_PROCESS_EXITED:
        lua_pushfstring(L, "it ended with status %d", result->status);
        break;
    case PZ_PROCESS_SIGNALLED:
        lua_pushfstring(L, "signal %d ended it", result->status);
        break;
    case PZ_PROCESS_UNKNOWN: /* that is no failure */
    case PZ_PROCESS_TIMEOUT:
        lua_pushliteral(L, "it took too long");
        break;
    case PZ_PROCESS_TOO_MUCH:
        lua_pushliteral(L, "it printed more than 1 MiB");
        break;
    case PZ_PROCESS_INTERRUPTED:
        lua_pushliteral(L, "interrupted");
        break;
    case PZ_PROCESS_REFUSED:
        lua_pushfstring(L, "the system did not start it: %s",
                        strerror(result->status));
        break;
    }
    return 2;
}

/*
 * core.run(command, timeout) -> output | nil, why
 *
 * By `sh -c`; nothing to read, standard error thrown away, unless it can ask
 * at a terminal: see pz_process_run. 'why' never holds a word of what it
 * printed; it is "interrupted" after Ctrl-C.
 */
static int process_run(lua_State *L)
{
    const char *command = lpz_checkpath(L, 1);
    double timeout = luaL_checknumber(L, 2);
    struct pz_buf *out = lpz_newbuffer(L);
    struct pz_process_result result;
    struct lpz_wait wait;
    enum pz_status status;

    out->max = OUTPUT_MAX;
    lpz_wait_begin(&wait, L);
    status = pz_process_run(out, &result, command, timeout, lpz_interrupted,
                            &wait);
    if (status != PZ_OK) {
        pz_buf_free(out);
        return lpz_raise(L, status);
    }
    if (result.end == PZ_PROCESS_INTERRUPTED)
        lpz_wait_taken(&wait);
    /* A program that ignores SIGCHLD never learns a status: what was printed
       has to tell. */
    if (result.end != PZ_PROCESS_UNKNOWN &&
        (result.end != PZ_PROCESS_EXITED || result.status != 0)) {
        pz_buf_free(out);
        return push_end(L, &result);
    }
    lpz_pushslice(L, pz_buf_slice(out));
    pz_buf_free(out);
    return 1;
}

/*
 * core.resolve(host [, is_address]) -> list of addresses | nil, message
 *
 * Blocks, unless 'host' has to be an address itself; then the list has that
 * one, in its canonical form.
 */
static int process_resolve(lua_State *L)
{
    const char *host = lpz_checkpath(L, 1);
    struct pz_buf *out = lpz_newbuffer(L);
    const char *error = NULL;
    enum pz_status status = pz_resolve(out, &error, host,
                                       lua_toboolean(L, 2));
    struct pz_slice all;
    int n = 0;

    if (status != PZ_OK)
        return lpz_raise(L, status);
    if (error) {
        lua_pushnil(L);
        lua_pushstring(L, error);
        return 2;
    }
    lua_newtable(L);
    all = pz_buf_slice(out);
    for (size_t from = 0; from < all.len;) {
        size_t end = pz_slice_find(all, '\n', from);

        lpz_pushslice(L, pz_slice_sub(all, from, end));
        lua_rawseti(L, -2, ++n);
        from = end + 1;
    }
    return 1;
}

/* core.home([user]) -> path | nil, of this process's user if not said
   Blocks where the system has to ask another machine. */
static int process_home(lua_State *L)
{
    const char *user = lua_isnoneornil(L, 1) ? NULL : lpz_checkpath(L, 1);
    struct pz_buf *out = lpz_newbuffer(L);
    enum pz_status status = pz_home(out, user);

    if (status != PZ_OK)
        return lpz_raise(L, status);
    if (out->len == 0)
        lua_pushnil(L);
    else
        lpz_pushslice(L, pz_buf_slice(out));
    pz_buf_free(out);
    return 1;
}

const luaL_Reg lpz_process_functions[] = {
    { "home", process_home },
    { "resolve", process_resolve },
    { "run", process_run },
    { NULL, NULL }
};
