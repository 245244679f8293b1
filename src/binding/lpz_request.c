/*
 * A request that is none of the model's, from its table to an attempt.
 * Knows the members of that table; refuses to know what they ask for.
 */
#include <string.h>

#include "lpz_attempt.h"
#include "lpz_service.h"

/* The pairs of request.headers, whose strings are left on the stack. */
static void read_headers(lua_State *L, int request, struct pz_plan *plan)
{
    size_t count;
    int list;

    lpz_rawgetname(L, request, "headers", 7);
    list = lua_gettop(L);
    count = lua_istable(L, list) ? lpz_rawlen(L, list) : 0;
    if (count > PZ_PLAN_HEADERS)
        luaL_error(L, "a request has at most %d headers", PZ_PLAN_HEADERS);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        lpz_pair(L, &plan->headers[i].name, &plan->headers[i].value);
    }
    plan->header_count = count;
}

/* request.length, 0 where it is absent. */
static unsigned long long length_field(lua_State *L, int request)
{
    long long length = 0;

    lpz_rawgetname(L, request, "length", 6);
    if (!lua_isnil(L, -1) && (!lpz_tointeger(L, -1, &length) || length < 0))
        luaL_error(L, "length must be a whole number");
    lua_pop(L, 1);
    return (unsigned long long)length;
}

/* What the plan's texts are of is left on the stack. */
static void read_plan(lua_State *L, int request, struct pz_plan *plan)
{
    static const char *const protocols[] = { "json", "xml", "text", "bytes",
                                             NULL };

    memset(plan, 0, sizeof *plan);
    plan->method = lpz_textfield(L, request, "method");
    plan->path = lpz_textfield(L, request, "path");
    plan->query = lpz_textfield(L, request, "query");
    plan->payload_hash = lpz_textfield(L, request, "payload_hash");
    plan->length = length_field(L, request);
    plan->is_unsigned = lpz_flagfield(L, request, "unsigned");
    plan->keep_path = lpz_flagfield(L, request, "keep_path");
    lpz_rawgetname(L, request, "protocol", 8);
    plan->protocol = (enum pz_protocol)luaL_checkoption(L, -1, "json",
                                                        protocols);
    lua_pop(L, 1);
    read_headers(L, request, plan);
}

int lpz_request_new(lua_State *L)
{
    struct lpz_service *service = lpz_checkservice(L, 1);
    struct pz_slice random, body;
    struct lpz_attempt *attempt;
    struct pz_plan plan;
    enum pz_status status;
    lua_Integer max_attempts;
    size_t size = 0;
    char *at;

    luaL_checktype(L, 2, LUA_TTABLE);
    random = lpz_checkslice(L, 3);
    if (random.len != 16)
        return luaL_error(L, "bad argument #3 (16 random bytes expected)");
    max_attempts = luaL_checkinteger(L, 4);
    read_plan(L, 2, &plan);
    body = lpz_textfield(L, 2, "body");
    size = body.len + plan.method.len + plan.path.len + plan.query.len +
           plan.payload_hash.len;
    for (size_t i = 0; i < plan.header_count; i++)
        size += plan.headers[i].name.len + plan.headers[i].value.len;

    attempt = lpz_newuserdata(L, sizeof *attempt + size, LPZ_ATTEMPT);
    lpz_shareanchor(L, 1, -1);
    (void)lpz_checkservice(L, 1); /* not closed meanwhile? */
    attempt->service = service;
    attempt->body_len = body.len;
    at = (char *)(attempt + 1);
    body = lpz_pack(&at, body); /* first, as struct lpz_attempt says */
    plan.method = lpz_pack(&at, plan.method);
    plan.path = lpz_pack(&at, plan.path);
    plan.query = lpz_pack(&at, plan.query);
    plan.payload_hash = lpz_pack(&at, plan.payload_hash);
    for (size_t i = 0; i < plan.header_count; i++) {
        plan.headers[i].name = lpz_pack(&at, plan.headers[i].name);
        plan.headers[i].value = lpz_pack(&at, plan.headers[i].value);
    }
    status = pz_attempt_begin(&attempt->core, &service->core, &plan, body,
                              (const unsigned char *)random.data,
                              (unsigned)max_attempts);
    if (status == PZ_EINVAL) {
        lua_pushnil(L);
        lua_pushliteral(L, "the request has a part that no request may have");
        return 2;
    }
    return status == PZ_OK ? 1 : lpz_raise(L, status);
}
