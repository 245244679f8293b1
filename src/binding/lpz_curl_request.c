/*
 * The request table of a transport (README), read into pz_exchange's.
 * Knows its members; refuses to know what becomes of them.
 */
#include "lpz_curl_request.h"

#include <string.h>

#include "lpz_headers.h"
#include "lpz_source.h"

#define TABLE 2
#define TIMEOUT 60.0
#define CONNECT_TIMEOUT 3.1
/* Of an exchange with a source, which has a long timeout: bytes a second, and
   for how long. The time has to cover what the peer does before it answers. */
#define SLOWEST 1024
#define SLOW_SECONDS 30

/* Pushes a member, answers its type. By lua_pushstring, since from 5.3 on it
   finds a C literal again without hashing it. */
static int get_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, TABLE);
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

/* The list goes through a buffer that Lua owns, since reading it raises. */
static const char *want_headers(lua_State *L, struct pz_slice *head,
                                struct pz_buf *scratch)
{
    int type = get_field(L, "headers");

    if (type == LUA_TNIL)
        return NULL;
    if (!lpz_addheaders(L, scratch))
        return "headers";
    lua_pop(L, 1);
    *head = pz_buf_slice(scratch);
    return NULL;
}

static long read_source(void *arg, char *out, size_t len)
{
    struct lpz_source *source = arg;

    return source->read(source, out, len);
}

static const char *source_fault(void *arg)
{
    struct lpz_source *source = arg;

    return source->fault(source);
}

/* A string or a source, which stays on the stack like a string. */
static const char *want_body(lua_State *L, struct lpz_curl_request *r)
{
    struct lpz_source *source;

    if (get_field(L, "body") != LUA_TUSERDATA) {
        lua_pop(L, 1);
        return want_string(L, "body", 0, &r->exchange.body);
    }
    source = lpz_testudata(L, -1, LPZ_SOURCE);
    if (source == NULL || source->version != LPZ_SOURCE_VERSION)
        return "body";
    r->source.length = source->length;
    r->source.read = read_source;
    r->source.fault = source_fault;
    r->source.arg = source;
    r->exchange.source = &r->source;
    r->exchange.slowest = SLOWEST;
    r->exchange.slow_seconds = SLOW_SECONDS;
    return NULL;
}

static const char *want_progress(lua_State *L, struct lpz_curl_request *r)
{
    int type = get_field(L, "progress");

    if (type == LUA_TFUNCTION)
        r->progress = lua_gettop(L);
    else if (type != LUA_TNIL)
        return "progress";
    return NULL;
}

/* A whole number from 1 on, which every long can hold. */
static const char *want_count(lua_State *L, const char *name, long *out)
{
    long long n = *out;
    int is_absent = get_field(L, name) == LUA_TNIL;

    if (!is_absent && (!lpz_tointeger(L, -1, &n) || n < 1 || n > 1000000000))
        return name;
    *out = (long)n;
    lua_pop(L, 1);
    return NULL;
}

const char *lpz_read_request(lua_State *L, struct lpz_curl_request *request,
                             struct pz_buf *scratch)
{
    struct pz_exchange *r = &request->exchange;
    const char *wrong;

    memset(request, 0, sizeof *request);
    r->timeout = TIMEOUT;
    r->connect_timeout = CONNECT_TIMEOUT;
    luaL_checkstack(L, 20, "no room for a request");
    if ((wrong = want_string(L, "method", 1, &r->method)) ||
        (wrong = want_string(L, "url", 1, &r->url)) ||
        (wrong = want_string(L, "head", 0, &r->head)) ||
        (wrong = want_body(L, request)) ||
        (wrong = want_progress(L, request)) ||
        (wrong = want_string(L, "ca_bundle", 0, &r->ca_bundle)) ||
        (wrong = want_string(L, "proxy", 0, &r->proxy)) ||
        (wrong = want_string(L, "address", 0, &r->address)) ||
        (wrong = want_seconds(L, "timeout", &r->timeout)) ||
        (wrong = want_seconds(L, "connect_timeout", &r->connect_timeout)))
        return wrong;
    if (r->source &&
        ((wrong = want_count(L, "low_speed_limit", &r->slowest)) ||
         (wrong = want_count(L, "low_speed_time", &r->slow_seconds))))
        return wrong;
    (void)get_field(L, "direct");
    r->direct = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return r->head.data ? NULL : want_headers(L, &r->head, scratch);
}
