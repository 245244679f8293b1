/*
 * personalize.curl: an HTTP exchange as a method of a userdata.
 * Knows the response table of a transport (README), and who may touch the
 * handle when; refuses to know what is asked, and libcurl.
 */
#include <stdio.h>
#include <string.h>

#include "../io/pz_exchange.h"
#include "lpz.h"
#include "lpz_curl_request.h"
#include "lpz_headers.h"
#include "lpz_sys.h"

#define HANDLE "personalize.curl.handle"
#define EXCHANGE "personalize.curl.exchange"
#define KEPT_MAX ((size_t)64 << 10)

static const char *const codes[] = {
    [PZ_FAULT_CONFIG] = "ConfigError",
    [PZ_FAULT_CONNECTION] = "ConnectionError",
    [PZ_FAULT_TIMEOUT] = "TimeoutError",
    [PZ_FAULT_TLS] = "TlsError",
    [PZ_FAULT_RESPONSE] = "ResponseError",
    [PZ_FAULT_INTERRUPTED] = "InterruptedError",
    [PZ_FAULT_SOURCE] = "UserListError"
};

/* ---- the class --------------------------------------------------------- */

struct handle {
    struct pz_pool pool;
    struct pz_buf lines, bytes, answer; /* memory for the next exchange */
    int at_work;  /* an exchange is, and may be calling Lua */
    int unwanted; /* closed meanwhile: to be done at its end */
    int is_over;  /* finalized, and of no more use */
};

/*
 * What an exchange works with, apart from the handle: a finalizer may run
 * whenever Lua allocates, and use or close the very handle.
 */
struct exchange {
    struct pz_buf lines; /* the head, where it came as a list */
    struct pz_outcome out;
};

static void exchange_free(struct exchange *x)
{
    pz_buf_free(&x->lines);
    pz_outcome_free(&x->out);
}

static int exchange_gc(lua_State *L)
{
    exchange_free(lpz_checkudata(L, 1, EXCHANGE));
    return 0;
}

/* Moves a buffer with its memory; 'from' becomes an empty one of its kind. */
static void move(struct pz_buf *to, struct pz_buf *from)
{
    struct pz_buf empty = { NULL, 0, 0, from->max, from->secret };

    pz_buf_free(to);
    *to = *from;
    *from = empty;
}

/* Gives memory back to be used again, unless there is other by now, or it is
   much. */
static void give_back(struct pz_buf *to, struct pz_buf *from)
{
    pz_buf_clear(from);
    if (to->data == NULL && from->cap <= KEPT_MAX)
        move(to, from);
    else
        pz_buf_free(from);
}

static int push_error(lua_State *L, const struct exchange *x)
{
    const struct pz_failure *f = &x->out.failure;

    lua_pushnil(L);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, codes[f->fault]);
    lpz_setmember(L, "code");
    lua_pushstring(L, f->message);
    lpz_setmember(L, "message");
    lua_pushboolean(L, f->sent);
    lpz_setmember(L, "sent");
    lua_pushboolean(L, f->retryable);
    lpz_setmember(L, "retryable");
    if (x->out.answer.status) {
        lua_pushinteger(L, x->out.answer.status);
        lpz_setmember(L, "status");
    }
    return 2;
}

/* What an exchange's callbacks work with. */
struct callbacks {
    struct lpz_wait wait;
    lua_State *L;
    int progress; /* where the function is on the stack */
};

static int is_interrupted(void *arg)
{
    return lpz_interrupted(&((struct callbacks *)arg)->wait);
}

/* Calls the request's 'progress'. What it raises stays on top of the stack. */
static int call_progress(void *arg, unsigned long long sent)
{
    struct callbacks *callbacks = arg;
    lua_State *L = callbacks->L;

    lua_pushvalue(L, callbacks->progress);
    lpz_pushcount(L, sent);
    return lua_pcall(L, 1, 0, 0) != 0;
}

static void refuse(struct exchange *x, const char *before, const char *name,
                   const char *after)
{
    struct pz_failure *f = &x->out.failure;

    f->fault = PZ_FAULT_CONFIG;
    snprintf(f->message, sizeof f->message, "%s%s%s", before, name, after);
}

static void perform(lua_State *L, struct handle *h, struct exchange *x)
{
    struct lpz_curl_request request;
    struct callbacks callbacks;
    const char *wrong;

    if (h->at_work) {
        refuse(x, "the transport is at work: ", "a progress function",
               " cannot make requests by it");
        return;
    }
    if (h->is_over) {
        refuse(x, "the transport is gone: ", "the Lua state", " ends");
        return;
    }
    wrong = lpz_read_request(L, &request, &x->lines);
    if (wrong) {
        refuse(x, "the request's ", wrong, " is not what it has to be");
        return;
    }
    luaL_checkstack(L, 4, "no room for a call");
    callbacks.L = L;
    callbacks.progress = request.progress;
    request.exchange.interrupted = is_interrupted;
    request.exchange.progress = request.progress ? call_progress : NULL;
    request.exchange.arg = &callbacks;
    lpz_wait_begin(&callbacks.wait, L);
    h->at_work = 1;
    (void)pz_exchange_make(&h->pool, &x->out, &request.exchange);
    h->at_work = 0;
    if (x->out.failure.fault == PZ_FAULT_INTERRUPTED)
        lpz_wait_taken(&callbacks.wait);
}

static int handle_close(lua_State *L)
{
    struct handle *h = lpz_checkudata(L, 1, HANDLE);

    h->unwanted = h->at_work;
    if (h->at_work)
        return 0;
    h->unwanted = 0;
    pz_pool_close(&h->pool);
    pz_buf_free(&h->lines);
    pz_buf_free(&h->bytes);
    pz_buf_free(&h->answer);
    return 0;
}

/* Finalizers that come later may still hold it: what they would open, nobody
   would close. */
static int handle_gc(lua_State *L)
{
    struct handle *h = lpz_checkudata(L, 1, HANDLE);

    h->is_over = 1;
    return handle_close(L);
}

/* handle:perform(request) -> response | nil, err: see README, "transport" */
static int handle_perform(lua_State *L)
{
    struct handle *h = lpz_checkudata(L, 1, HANDLE);
    struct exchange *x;
    int results;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    x = lpz_newuserdata(L, sizeof *x, EXCHANGE);
    if (!h->at_work) {
        move(&x->lines, &h->lines);
        move(&x->out.bytes, &h->bytes);
        move(&x->out.answer.bytes, &h->answer);
    }
    perform(L, h, x);
    if (h->unwanted)
        (void)handle_close(L);
    if (x->out.failure.fault == PZ_FAULT_ENDED) {
        exchange_free(x);
        return lua_error(L);
    }
    if (x->out.failure.fault == PZ_FAULT_NONE) {
        lpz_pushanswer(L, x->out.answer.status,
                       pz_http1_head(&x->out.answer),
                       pz_http1_body(&x->out.answer));
        results = 1;
    } else {
        results = push_error(L, x);
    }
    if (!h->at_work) {
        give_back(&h->lines, &x->lines);
        give_back(&h->bytes, &x->out.bytes);
        give_back(&h->answer, &x->out.answer.bytes);
    }
    return results;
}

static int curl_handle(lua_State *L)
{
    struct handle *h = lpz_newuserdata(L, sizeof *h, HANDLE);

    h->lines.secret = h->bytes.secret = h->answer.secret = 1;
    return 1;
}

static int curl_version_text(lua_State *L)
{
    lua_pushstring(L, pz_exchange_library());
    return 1;
}

static const luaL_Reg handle_methods[] = {
    { "close", handle_close },
    { "perform", handle_perform },
    { NULL, NULL }
};

static const luaL_Reg handle_metamethods[] = {
    { "__gc", handle_gc },
    { "__close", handle_close },
    { NULL, NULL }
};

static const luaL_Reg exchange_metamethods[] = {
    { "__gc", exchange_gc },
    { NULL, NULL }
};

static const luaL_Reg functions[] = {
    { "handle", curl_handle },
    { "version", curl_version_text },
    { NULL, NULL }
};

LPZ_EXPORT int luaopen_personalize_curl(lua_State *L);

int luaopen_personalize_curl(lua_State *L)
{
    (void)lpz_mainthread(L); /* where 5.1 is opened by it, it is known */
    lpz_newclass(L, HANDLE, handle_methods, handle_metamethods);
    lpz_newclass(L, EXCHANGE, NULL, exchange_metamethods);
    lpz_newlib(L, functions);
    return 1;
}
