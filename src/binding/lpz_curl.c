/*
 * personalize.curl: an HTTP exchange as a method of a userdata.
 * Knows the request and response tables of a transport (README) and turns
 * them into pz_curl's; refuses to know what is asked, and libcurl.
 */
#include <stdio.h>
#include <string.h>

#include "../io/pz_curl.h"
#include "lpz.h"
#include "lpz_sys.h"

#define HANDLE "personalize.curl.handle"
#define EXCHANGE "personalize.curl.exchange"
#define KEPT_MAX ((size_t)64 << 10)
#define TIMEOUT 60.0
#define CONNECT_TIMEOUT 3.1

static const char *const codes[] = {
    [PZ_FAULT_CONFIG] = "ConfigError",
    [PZ_FAULT_CONNECTION] = "ConnectionError",
    [PZ_FAULT_TIMEOUT] = "TimeoutError",
    [PZ_FAULT_TLS] = "TlsError",
    [PZ_FAULT_RESPONSE] = "ResponseError",
    [PZ_FAULT_INTERRUPTED] = "InterruptedError"
};

/* ---- the request table ------------------------------------------------- */

/* Pushes a member, answers its type. By lua_pushstring, since from 5.3 on it
   finds a C literal again without hashing it. */
static int get_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, 2);
    return lua_type(L, -1);
}

/* A request that is not one is the caller's fault, but told like the other
   faults: by what perform returns. */
static const char *want_string(lua_State *L, const char *name, int needed,
                               struct pz_slice *out)
{
    int type;

    /* The value stays on the stack, and so the string stays alive. */
    type = get_field(L, name);
    if (type == LUA_TSTRING)
        out->data = lua_tolstring(L, -1, &out->len);
    else if (type != LUA_TNIL || needed)
        return name;
    return NULL;
}

static const char *want_seconds(lua_State *L, const char *name, double *out)
{
    int type = get_field(L, name);

    if (type == LUA_TNUMBER)
        *out = lua_tonumber(L, -1);
    else if (type != LUA_TNIL)
        return name;
    lua_pop(L, 1);
    return NULL;
}

/* A { name, value } pair of 'headers', as a line of the head. */
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

/* The list goes through a buffer that Lua owns, since reading it raises. */
static const char *want_headers(lua_State *L, struct pz_slice *head,
                                struct pz_buf *scratch)
{
    int type = get_field(L, "headers");

    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TTABLE)
        return "headers";
    for (int i = 1;; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_isnil(L, -1))
            break;
        if (!add_header(L, scratch))
            return "headers";
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    *head = pz_buf_slice(scratch);
    return NULL;
}

/* Answers the name of the member that is wrong, or NULL. */
static const char *
want_request(lua_State *L, struct pz_exchange *r, struct pz_buf *scratch)
{
    const char *wrong;

    if ((wrong = want_string(L, "method", 1, &r->method)) ||
        (wrong = want_string(L, "url", 1, &r->url)) ||
        (wrong = want_string(L, "head", 0, &r->head)) ||
        (wrong = want_string(L, "body", 0, &r->body)) ||
        (wrong = want_string(L, "ca_bundle", 0, &r->ca_bundle)) ||
        (wrong = want_string(L, "proxy", 0, &r->proxy)) ||
        (wrong = want_seconds(L, "timeout", &r->timeout)) ||
        (wrong = want_seconds(L, "connect_timeout", &r->connect_timeout)))
        return wrong;
    (void)get_field(L, "direct");
    r->direct = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return r->head.data ? NULL : want_headers(L, &r->head, scratch);
}

/* ---- the answer -------------------------------------------------------- */

/* Pops a value into a member of the table below it. */
static void set_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

static void push_headers(lua_State *L, struct pz_slice head)
{
    struct pz_slice name, value;
    char lower[64];

    lua_createtable(L, 0, 8);
    while (pz_curl_header(&head, &name, &value)) {
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

/* ---- the class --------------------------------------------------------- */

struct handle {
    struct pz_curl curl;
    struct pz_buf scratch; /* the head, where it came as a list */
};

/*
 * What an exchange works with, on the stack and so nobody else's: a finalizer
 * may run whenever Lua allocates, and use or close the very handle.
 */
struct exchange {
    struct pz_buf lines, head, body; /* the first goes, the others came */
    enum pz_fault fault;
    long status;
    int sent, retryable;
    char message[sizeof ((struct pz_curl *)NULL)->message];
};

static int exchange_gc(lua_State *L)
{
    struct exchange *x = lpz_checkudata(L, 1, EXCHANGE);

    pz_buf_free(&x->lines);
    pz_buf_free(&x->head);
    pz_buf_free(&x->body);
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

static void take_outcome(struct exchange *x, struct pz_curl *c)
{
    x->status = c->status;
    x->sent = c->sent;
    x->retryable = c->retryable;
    memcpy(x->message, c->message, sizeof x->message);
    move(&x->head, &c->head);
    move(&x->body, &c->body);
    pz_curl_forget(c);
}

static int push_response(lua_State *L, const struct exchange *x)
{
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)x->status);
    set_field(L, "status");
    push_headers(L, pz_buf_slice(&x->head));
    set_field(L, "headers");
    lpz_pushslice(L, pz_buf_slice(&x->body));
    set_field(L, "body");
    return 1;
}

static int push_error(lua_State *L, const struct exchange *x)
{
    lua_pushnil(L);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, codes[x->fault]);
    set_field(L, "code");
    lua_pushstring(L, x->message);
    set_field(L, "message");
    lua_pushboolean(L, x->sent);
    set_field(L, "sent");
    lua_pushboolean(L, x->retryable);
    set_field(L, "retryable");
    if (x->status) {
        lua_pushinteger(L, (lua_Integer)x->status);
        set_field(L, "status");
    }
    return 2;
}

static void perform(lua_State *L, struct handle *h, struct exchange *x)
{
    struct pz_exchange request;
    struct lpz_wait wait;
    const char *wrong;

    memset(&request, 0, sizeof request);
    request.timeout = TIMEOUT;
    request.connect_timeout = CONNECT_TIMEOUT;
    request.interrupted = lpz_interrupted;
    request.arg = &wait;
    wrong = want_request(L, &request, &x->lines);
    if (wrong) {
        x->fault = PZ_FAULT_CONFIG;
        snprintf(x->message, sizeof x->message,
                 "the request's %s is not what it has to be", wrong);
        return;
    }
    lpz_wait_begin(&wait, L);
    x->fault = pz_curl_perform(&h->curl, &request);
    take_outcome(x, &h->curl);
    if (x->fault == PZ_FAULT_INTERRUPTED)
        lpz_wait_taken(&wait);
}

static int handle_perform(lua_State *L)
{
    struct handle *h = lpz_checkudata(L, 1, HANDLE);
    struct exchange *x;
    int results;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    x = lpz_newuserdata(L, sizeof *x, EXCHANGE);
    move(&x->lines, &h->scratch);
    perform(L, h, x);
    results = x->fault == PZ_FAULT_NONE ? push_response(L, x)
                                        : push_error(L, x);
    give_back(&h->scratch, &x->lines);
    give_back(&h->curl.head, &x->head);
    give_back(&h->curl.body, &x->body);
    return results;
}

static int handle_close(lua_State *L)
{
    struct handle *h = lpz_checkudata(L, 1, HANDLE);

    pz_curl_close(&h->curl);
    pz_buf_free(&h->scratch);
    return 0;
}

static int curl_handle(lua_State *L)
{
    struct handle *h = lpz_newuserdata(L, sizeof *h, HANDLE);

    pz_curl_init(&h->curl);
    h->scratch.secret = 1;
    return 1;
}

static int curl_version_text(lua_State *L)
{
    lua_pushstring(L, pz_curl_version());
    return 1;
}

static const luaL_Reg handle_methods[] = {
    { "close", handle_close },
    { "perform", handle_perform },
    { NULL, NULL }
};

static const luaL_Reg handle_metamethods[] = {
    { "__gc", handle_close },
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
