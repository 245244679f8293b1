/*
 * Requests as text, and answers out of pieces. See lpz_http1.h.
 * What is secret in a request or an answer passes through buffers that are
 * wiped, and then is a Lua string, which nothing can wipe.
 */
#include "lpz_http1.h"

#include <string.h>

#include "../core/pz_http1.h"
#include "../core/pz_http1_request.h"
#include "../core/pz_tls_hello.h"
#include "lpz_headers.h"

#define READER "personalize.http1"
#define SPARE "personalize.http1.spare"
#define KEPT "personalize.http1.kept"
#define KEPT_MAX ((size_t)64 << 10)

/* ---- memory ------------------------------------------------------------ */

/*
 * Memory of a secret buffer, wiped, for the next request or answer: to get
 * pages for one alone takes longer than all that is done with it. One for each
 * Lua state, in the registry.
 */
struct spare {
    struct pz_buf buf;
    int closed; /* by the end of the state: other finalizers may follow */
};

static int spare_gc(lua_State *L)
{
    struct spare *spare = lpz_checkudata(L, 1, SPARE);

    pz_buf_free(&spare->buf);
    spare->closed = 1;
    return 0;
}

static struct spare *find_spare(lua_State *L)
{
    struct spare *spare;

    lua_pushliteral(L, KEPT);
    lua_rawget(L, LUA_REGISTRYINDEX);
    spare = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return spare;
}

static void move(struct pz_buf *to, struct pz_buf *from)
{
    to->data = from->data;
    to->cap = from->cap;
    from->data = NULL;
    from->len = from->cap = 0;
}

/* To a secret buffer without memory. */
static void take_memory(lua_State *L, struct pz_buf *to)
{
    struct spare *spare = find_spare(L);

    if (spare->buf.data)
        move(to, &spare->buf);
}

/* Of a secret buffer, which is empty then. */
static void give_memory(lua_State *L, struct pz_buf *from)
{
    struct spare *spare = find_spare(L);

    pz_buf_clear(from);
    if (spare->buf.data == NULL && !spare->closed && from->cap <= KEPT_MAX)
        move(&spare->buf, from);
    else
        pz_buf_free(from);
}

/* ---- requests ---------------------------------------------------------- */

static int push_fault(lua_State *L, const char *before, const char *what,
                      const char *after)
{
    lua_pushnil(L);
    lua_pushfstring(L, "the request%s%s%s", before, what, after);
    return 2;
}

static int push_wrong(lua_State *L, const char *name)
{
    return push_fault(L, "'s ", name, " is not what it has to be");
}

/* A member of the table at 1, left on the stack, which keeps the string. */
static int get_text(lua_State *L, const char *name, struct pz_slice *out)
{
    int type;

    lpz_rawgetname(L, 1, name, strlen(name));
    type = lua_type(L, -1);
    if (type == LUA_TSTRING)
        out->data = lua_tolstring(L, -1, &out->len);
    return type == LUA_TSTRING || type == LUA_TNIL;
}

/* A count that is exact in every Lua; absent ones leave *present 0. */
static int get_count(lua_State *L, const char *name, long long *out,
                     int *present)
{
    lpz_rawgetname(L, 1, name, strlen(name));
    *present = !lua_isnil(L, -1);
    return !*present || (lpz_tointeger(L, -1, out) && *out >= 0);
}

/* Answers the name of the member that is wrong, or NULL. */
static const char *want_request(lua_State *L, struct pz_http1_request *r)
{
    struct pz_buf *head;
    long long length = 0;

    memset(r, 0, sizeof *r);
    if (!get_text(L, "method", &r->method))
        return "method";
    if (!get_text(L, "url", &r->url))
        return "url";
    if (!get_text(L, "head", &r->head))
        return "head";
    if (!get_count(L, "length", &length, &r->has_body))
        return "length";
    r->length = (unsigned long long)length;
    if (!get_text(L, "proxy_authorization", &r->proxy_authorization))
        return "proxy_authorization";
    lpz_rawgetname(L, 1, "is_for_proxy", 12);
    r->is_for_proxy = lua_toboolean(L, -1);
    if (r->head.data)
        return NULL;
    head = lpz_newbuffer(L);
    lpz_rawgetname(L, 1, "headers", 7);
    if (!lua_isnil(L, -1) && !lpz_addheaders(L, head))
        return "headers";
    r->head = pz_buf_slice(head);
    return NULL;
}

static void push_host(lua_State *L, const struct pz_uri *uri,
                      struct pz_buf *room)
{
    enum pz_status status;

    pz_buf_clear(room);
    status = pz_uri_host(room, uri);
    if (status != PZ_OK)
        lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(room));
}

/* Pushes whom the request is for. */
static void push_where(lua_State *L, const struct pz_uri *uri,
                       struct pz_buf *room)
{
    struct pz_uri bare = *uri;

    bare.port.len = 0;
    lua_createtable(L, 0, 4);
    lpz_pushslice(L, uri->scheme);
    lpz_setmember(L, "scheme");
    push_host(L, &bare, room);
    lpz_setmember(L, "host");
    lua_pushinteger(L, (lua_Integer)pz_http1_port(uri));
    lpz_setmember(L, "port");
    push_host(L, uri, room);
    lpz_setmember(L, "authority");
}

/*
 * core.http1_request{ method =, url =, head = lines | headers = list of
 * { name, value }, length = bytes of the body | nil, is_for_proxy = boolean,
 * proxy_authorization = text | nil }
 * -> text, { scheme =, host =, port =, authority = } | nil, message
 *
 * The text ends where the body begins. Host, unless the head has one, and
 * Content-Length are added. For a proxy its first line has the whole URL. host
 * is in lower case, an IPv6 address in its brackets; authority leaves the
 * scheme's own port out.
 */
static int core_http1_request(lua_State *L)
{
    struct pz_http1_request request;
    const char *fault = NULL, *wrong;
    enum pz_status status;
    struct pz_buf *out;
    struct pz_uri uri;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    wrong = want_request(L, &request);
    if (wrong)
        return push_wrong(L, wrong);
    out = lpz_newbuffer(L);
    take_memory(L, out);
    status = pz_http1_request(out, &uri, &fault, &request);
    if (status == PZ_EINVAL)
        return push_fault(L, " has ", fault, "");
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(out));
    push_where(L, &uri, out);
    give_memory(L, out);
    return 2;
}

/*
 * core.http1_connect{ host =, port =, authorization = text | nil }
 * -> text | nil, message
 *
 * For a proxy; the text is all of the request.
 */
static int core_http1_connect(lua_State *L)
{
    struct pz_slice host = { NULL, 0 }, authorization = { NULL, 0 };
    const char *fault = NULL;
    enum pz_status status;
    struct pz_buf *out;
    long long port = 0;
    int present;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (!get_text(L, "host", &host))
        return push_wrong(L, "host");
    if (!get_text(L, "authorization", &authorization))
        return push_wrong(L, "authorization");
    if (!get_count(L, "port", &port, &present) || port > 65535)
        return push_wrong(L, "port");
    out = lpz_newbuffer(L);
    status = pz_http1_connect(out, &fault, host, (unsigned)port,
                              authorization);
    if (status == PZ_EINVAL)
        return push_fault(L, " has ", fault, "");
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(out));
    pz_buf_free(out);
    return 1;
}

/* ---- answers ----------------------------------------------------------- */

/* core.http1(method) -> a reader of the answer to such a request */
static int core_http1(lua_State *L)
{
    struct pz_slice method = lpz_checkslice(L, 1);
    struct pz_http1 *r = lpz_newuserdata(L, sizeof *r, READER);

    pz_http1_init(r, method);
    return 1;
}

static int push_progress(lua_State *L, const struct pz_http1 *r,
                         enum pz_status status)
{
    static const char *const kinds[] = {
        [PZ_HTTP1_NONE] = "none",
        [PZ_HTTP1_CUT] = "cut",
        [PZ_HTTP1_MALFORMED] = "malformed",
        [PZ_HTTP1_LARGE] = "large"
    };

    if (status == PZ_ENOMEM)
        return lpz_raise(L, status);
    if (status != PZ_OK) {
        lua_pushnil(L);
        lua_pushstring(L, r->message);
        lua_pushstring(L, kinds[r->fault]);
        return 3;
    }
    lua_pushstring(L, r->part == PZ_HTTP1_DONE ? "done" : "more");
    return 1;
}

/*
 * reader:feed(bytes) -> "more" | "done" | nil, message, kind
 *
 * kind is "malformed" or "large" (over a limit: it would come again); from
 * finish also "none" (the connection ended before any line) and "cut". The
 * message holds nothing of the answer. A reader that failed stays failed.
 */
static int reader_feed(lua_State *L)
{
    struct pz_http1 *r = lpz_checkudata(L, 1, READER);
    struct pz_slice bytes = lpz_checkslice(L, 2);

    /* Not before there is something to keep: many wait for an answer. */
    if (r->bytes.data == NULL)
        take_memory(L, &r->bytes);
    return push_progress(L, r, pz_http1_feed(r, bytes));
}

/*
 * reader:finish(broken) -> "done" | nil, message, kind
 *
 * The connection is over; 'broken' where the peer did not end it: then a body
 * that goes on to the end is cut.
 */
static int reader_finish(lua_State *L)
{
    struct pz_http1 *r = lpz_checkudata(L, 1, READER);

    return push_progress(L, r, pz_http1_finish(r, lua_toboolean(L, 2)));
}

/* reader:response() -> { status =, headers =, body = } once; then, and while
   the answer is not done, nil */
static int reader_response(lua_State *L)
{
    struct pz_http1 *r = lpz_checkudata(L, 1, READER);
    struct pz_buf *bytes = lpz_newbuffer(L);
    struct pz_slice head, body;
    long status = r->status;

    if (r->part != PZ_HTTP1_DONE || r->head_len == 0) {
        lua_pushnil(L);
        return 1;
    }
    /* Out of the reader's hands: a finalizer may use it meanwhile. */
    head = pz_http1_head(r);
    body = pz_http1_body(r);
    move(bytes, &r->bytes);
    pz_http1_free(r);
    lpz_pushanswer(L, status, head, body);
    give_memory(L, bytes);
    return 1;
}

/* reader:status() -> of the final head, as soon as it was seen | nil */
static int reader_status(lua_State *L)
{
    struct pz_http1 *r = lpz_checkudata(L, 1, READER);

    if (r->status)
        lua_pushinteger(L, r->status);
    else
        lua_pushnil(L);
    return 1;
}

/* reader:is_reusable() -> may the connection carry another request (or, after
   a CONNECT, what the tunnel is for)? */
static int reader_is_reusable(lua_State *L)
{
    struct pz_http1 *r = lpz_checkudata(L, 1, READER);

    lua_pushboolean(L, pz_http1_is_reusable(r));
    return 1;
}

static int reader_gc(lua_State *L)
{
    pz_http1_free(lpz_checkudata(L, 1, READER));
    return 0;
}

void lpz_http1_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "feed", reader_feed },
        { "finish", reader_finish },
        { "is_reusable", reader_is_reusable },
        { "response", reader_response },
        { "status", reader_status },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", reader_gc },
        { NULL, NULL }
    };

    static const luaL_Reg spare_meta[] = {
        { "__gc", spare_gc },
        { NULL, NULL }
    };
    struct spare *spare;

    lpz_newclass(L, READER, methods, meta);
    lpz_newclass(L, SPARE, NULL, spare_meta);
    spare = lpz_newuserdata(L, sizeof *spare, SPARE);
    spare->buf.secret = 1;
    lua_pushliteral(L, KEPT);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* ---- TLS --------------------------------------------------------------- */

/* core.tls_hello(host, 32 random bytes) -> text to begin a handshake with, of
   which the answer tells something | nil */
static int core_tls_hello(lua_State *L)
{
    struct pz_slice host = lpz_checkslice(L, 1);
    struct pz_slice random = lpz_checkslice(L, 2);
    struct pz_buf *out = lpz_newbuffer(L);
    enum pz_status status = pz_tls_hello(out, host, random);

    if (status == PZ_ENOMEM)
        return lpz_raise(L, status);
    if (status == PZ_OK)
        lpz_pushslice(L, pz_buf_slice(out));
    else
        lua_pushnil(L);
    pz_buf_free(out);
    return 1;
}

/* core.tls_answer(text) -> "tls", "none", "plain", "old" or "refused": what
   the first 7 bytes of the answer mean, or as many as came */
static int core_tls_answer(lua_State *L)
{
    static const char *const names[] = {
        [PZ_TLS_ANSWER_TLS] = "tls",
        [PZ_TLS_ANSWER_NONE] = "none",
        [PZ_TLS_ANSWER_PLAIN] = "plain",
        [PZ_TLS_ANSWER_OLD] = "old",
        [PZ_TLS_ANSWER_REFUSED] = "refused"
    };

    lua_pushstring(L, names[pz_tls_answer(lpz_checkslice(L, 1))]);
    return 1;
}

const luaL_Reg lpz_http1_functions[] = {
    { "http1", core_http1 },
    { "http1_connect", core_http1_connect },
    { "http1_request", core_http1_request },
    { "tls_answer", core_tls_answer },
    { "tls_hello", core_tls_hello },
    { NULL, NULL }
};
