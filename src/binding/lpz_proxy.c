/* See lpz_proxy.h. */
#include "lpz_proxy.h"

#include <string.h>

#include "../core/pz_proxy.h"
#include "../core/pz_uri.h"
#include "lpz_headers.h"

static int push_wrong(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

/* A text of the table at 1, left on the stack, which keeps it whatever becomes
   of the table. */
static struct pz_slice text_of(lua_State *L, const char *name)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, 1, name, strlen(name));
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string", name);
    return s;
}

static void read_variables(lua_State *L, struct pz_proxy_variables *v)
{
    v->http_proxy = text_of(L, "http_proxy");
    v->https_proxy = text_of(L, "https_proxy");
    v->HTTPS_PROXY = text_of(L, "HTTPS_PROXY");
    v->all_proxy = text_of(L, "all_proxy");
    v->ALL_PROXY = text_of(L, "ALL_PROXY");
    v->no_proxy = text_of(L, "no_proxy");
    v->NO_PROXY = text_of(L, "NO_PROXY");
}

/* What is made of the user and the password, in a buffer that Lua owns. */
static struct pz_buf *
new_text(lua_State *L, const struct pz_proxy *proxy, int is_header)
{
    struct pz_buf *text = lpz_newbuffer(L);
    enum pz_status status = is_header
        ? pz_proxy_authorization(text, proxy)
        : pz_uri_decode(text, proxy->userinfo);

    if (status != PZ_OK)
        lpz_raise(L, status);
    return text;
}

static int push_proxy(lua_State *L, const struct pz_proxy *proxy)
{
    struct pz_buf *userinfo = new_text(L, proxy, 0);
    struct pz_buf *authorization = new_text(L, proxy, 1);

    lua_createtable(L, 0, 5);
    lpz_pushslice(L, proxy->scheme);
    lpz_setmember(L, "scheme");
    lpz_pushslice(L, proxy->host);
    lpz_setmember(L, "host");
    lua_pushinteger(L, (lua_Integer)proxy->port);
    lpz_setmember(L, "port");
    if (proxy->userinfo.data) {
        lpz_pushslice(L, pz_buf_slice(userinfo));
        lpz_setmember(L, "userinfo");
        lpz_pushslice(L, pz_buf_slice(authorization));
        lpz_setmember(L, "authorization");
    }
    pz_buf_free(userinfo);
    pz_buf_free(authorization);
    return 1;
}

/*
 * core.find_proxy{ scheme =, host =, port =, given = text | nil,
 *     http_proxy =, https_proxy =, HTTPS_PROXY =, all_proxy =, ALL_PROXY =,
 *     no_proxy =, NO_PROXY = }
 * -> { scheme =, host =, port =, userinfo = "user:password" | nil,
 *      authorization = "Basic ..." | nil } | nil | nil, message
 *
 * 'given' goes before the variables; "" is none. The message shows nothing of
 * the proxy.
 */
static int core_find_proxy(lua_State *L)
{
    struct pz_proxy_variables variables;
    struct pz_proxy_target target;
    struct pz_proxy proxy;
    struct pz_slice text;
    long long port = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 20, "no room for a proxy");
    target.is_https = pz_slice_eq(text_of(L, "scheme"), PZ_LIT("https"));
    target.host = text_of(L, "host");
    lpz_rawgetname(L, 1, "port", 4);
    (void)lpz_tointeger(L, -1, &port);
    target.port = (unsigned)port;
    text = text_of(L, "given");
    if (text.data == NULL) {
        read_variables(L, &variables);
        text = pz_proxy_choose(&target, &variables);
    }
    if (pz_proxy_parse(&proxy, text) != PZ_OK)
        return push_wrong(L, PZ_PROXY_WRONG);
    if (proxy.kind != PZ_PROXY_NONE)
        return push_proxy(L, &proxy);
    lua_pushnil(L);
    return 1;
}

/* core.proxy_refusal(challenge, given) -> text that goes on from "the way to
   HOST is refused: "; the Proxy-Authenticate header may be nil. */
static int core_proxy_refusal(lua_State *L)
{
    int present = 0;
    struct pz_slice challenge = lpz_optslice(L, 1, &present);
    char text[200];

    pz_proxy_refusal(text, sizeof text, challenge, lua_toboolean(L, 2));
    lua_pushstring(L, text);
    return 1;
}

const luaL_Reg lpz_proxy_functions[] = {
    { "find_proxy", core_find_proxy },
    { "proxy_refusal", core_proxy_refusal },
    { NULL, NULL }
};
