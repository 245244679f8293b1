/*
 * What all calls of a client to one service share, as a userdata: endpoint,
 * signing key, retry budget, the peer's clock.
 */
#include "lpz_service.h"

#include <string.h>

static int service_gc(lua_State *L)
{
    struct lpz_service *service = lpz_checkudata(L, 1, LPZ_SERVICE);

    pz_service_free(&service->core);
    pz_buf_free(&service->input);
    return 0;
}

/* Wipes what is secret; the rest stays until nobody can be reading it. */
static int service_close(lua_State *L)
{
    struct lpz_service *service = lpz_checkudata(L, 1, LPZ_SERVICE);

    pz_signer_free(service->core.signer);
    service->core.signer = NULL;
    pz_buf_free(&service->core.scratch);
    pz_buf_free(&service->core.head);
    if (!service->input_taken)
        pz_buf_free(&service->input);
    return 0;
}

struct lpz_service *lpz_checkservice(lua_State *L, int index)
{
    struct lpz_service *service = lpz_checkudata(L, index, LPZ_SERVICE);

    if (service->core.signer == NULL)
        luaL_error(L, "the service is closed");
    return service;
}

/* A member that has to be there, left on the stack. */
static struct pz_slice field(lua_State *L, int index, const char *name)
{
    struct pz_slice s = lpz_textfield(L, index, name);

    if (s.data == NULL)
        luaL_error(L, "%s must be a string", name);
    return s;
}

static double number_field(lua_State *L, int index, const char *name,
                           double otherwise)
{
    double n;

    lpz_rawgetname(L, index, name, strlen(name));
    n = lua_isnil(L, -1) ? otherwise : lua_tonumber(L, -1);
    lua_pop(L, 1);
    return n;
}

/* The members of core.service's table that are numbers and flags. */
static void set_policy(lua_State *L, int index, struct pz_service *service)
{
    struct pz_retry *retry = &service->retry;

    pz_retry_init(retry, lpz_flagfield(L, index, "adaptive"));
    retry->tokens = (int)number_field(L, index, "retry_tokens",
                                      retry->tokens);
    retry->max_backoff = number_field(L, index, "max_backoff",
                                      retry->max_backoff);
    retry->transient_base = number_field(L, index, "transient_base",
                                         retry->transient_base);
    service->correct_skew = !lpz_flagfield(L, index, "keep_clock");
}

int lpz_service_new(lua_State *L)
{
    struct pz_service_params params;
    struct lpz_service *service;
    enum pz_status status;
    const char *error;

    luaL_checktype(L, 1, LUA_TTABLE);
    params.endpoint = field(L, 1, "endpoint");
    params.region = field(L, 1, "region");
    params.signing_name = field(L, 1, "signing_name");
    params.target_prefix = field(L, 1, "target_prefix");
    params.user_agent = field(L, 1, "user_agent");
    service = lpz_newuserdata(L, sizeof *service, LPZ_SERVICE);
    /* It is its own anchor, which attempts then share: see lpz.h. */
    lua_pushvalue(L, -1);
    lpz_setanchor(L, -2);
    status = pz_service_init(&service->core, &error, &params);
    if (status == PZ_OK) {
        set_policy(L, 1, &service->core);
        return 1;
    }
    pz_service_free(&service->core);
    if (status != PZ_EINVAL)
        return lpz_raise(L, status);
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
}

/* service:state() -> { retry_tokens =, skew = }: what it has learnt */
static int service_state(lua_State *L)
{
    const struct pz_service *service = &lpz_checkservice(L, 1)->core;

    lua_createtable(L, 0, 2);
    lua_pushinteger(L, service->retry.tokens);
    lua_setfield(L, -2, "retry_tokens");
    lua_pushnumber(L, service->skew);
    lua_setfield(L, -2, "skew");
    return 1;
}

static int service_url(lua_State *L)
{
    lpz_pushslice(L, pz_buf_slice(&lpz_checkservice(L, 1)->core.url));
    return 1;
}

void lpz_service_class(lua_State *L)
{
    static const luaL_Reg service_methods[] = {
        { "close", service_close },
        { "state", service_state },
        { "url", service_url },
        { NULL, NULL }
    };
    static const luaL_Reg service_meta[] = {
        { "__gc", service_gc },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_SERVICE, service_methods, service_meta);
}
