#include "lpz_endpoint.h"

#include "../core/pz_endpoint_s3.h"
#include "../core/pz_text.h"
#include "../core/pz_uri.h"

/* Of the field 'name', one of 'words' (NULL-ended) as its place; absent it
   is the first. The field is left on the stack. */
static int choice(lua_State *L, const char *name, const char *const *words)
{
    struct pz_slice text = lpz_textfield(L, 1, name);

    if (text.data == NULL)
        return 0;
    for (int i = 0; words[i]; i++)
        if (pz_slice_eq(text, pz_slice_of(words[i])))
            return i;
    return luaL_error(L, "unknown %s '%s'", name, text.data);
}

static void push_signing(lua_State *L, const struct pz_signing *signing)
{
    lua_createtable(L, 0, 2);
    if (signing->region.len > 0) {
        lpz_pushslice(L, signing->region);
        lua_setfield(L, -2, "signing_region");
    }
    lpz_pushslice(L, signing->name);
    lua_setfield(L, -2, "signing_name");
}

/*
 * core.endpoint{ service = "personalize" | "sts" | "sso" | "sso_oidc" |
 * "signin" | "iam" | "s3", region =, endpoint =, use_fips =, use_dualstack =,
 * use_global =; for s3 also bucket =, addressing = "auto" | "virtual" |
 * "path", accelerate =, object_lambda =, express_control = (all refused) }
 * -> url, { signing_region =, signing_name = } | nil, message
 *
 * Without 'service' it is Personalize, and the url comes alone.
 */
static int core_endpoint(lua_State *L)
{
    static const char *const services[] = { /* as enum pz_rules, then S3 */
        "personalize", "sts", "sso", "sso_oidc", "signin", "iam", "s3",
        NULL
    };
    enum { S3 = PZ_RULES_IAM + 1 };
    static const char *const addressings[] = { /* as enum pz_addressing */
        "auto", "virtual", "path", NULL
    };
    struct pz_endpoint_s3 s3;
    struct pz_endpoint_params *params = &s3.common;
    struct pz_signing signing;
    struct pz_buf *url;
    enum pz_status status;
    int service, told;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    service = choice(L, "service", services);
    told = !lua_isnil(L, -1);
    params->region = lpz_textfield(L, 1, "region");
    params->endpoint = lpz_textfield(L, 1, "endpoint");
    params->use_fips = lpz_flagfield(L, 1, "use_fips");
    params->use_dualstack = lpz_flagfield(L, 1, "use_dualstack");
    params->use_global = lpz_flagfield(L, 1, "use_global");
    s3.bucket = lpz_textfield(L, 1, "bucket");
    s3.addressing = (enum pz_addressing)choice(L, "addressing", addressings);
    s3.accelerate = lpz_flagfield(L, 1, "accelerate");
    s3.object_lambda = lpz_flagfield(L, 1, "object_lambda");
    s3.express_control = lpz_flagfield(L, 1, "express_control");
    url = lpz_newbuffer(L);
    if (service == S3) {
        status = pz_endpoint_s3(url, &signing, &s3);
    } else {
        status = pz_endpoint_resolve(url, &signing, (enum pz_rules)service,
                                     params);
    }
    if (status == PZ_EINVAL)
        lua_pushnil(L);
    else if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(url)); /* or the words of the refusal */
    pz_buf_free(url);
    if (status == PZ_EINVAL)
        return 2;
    if (!told)
        return 1;
    push_signing(L, &signing);
    return 2;
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void push_partition(lua_State *L, const struct pz_partition *p)
{
    lua_createtable(L, 0, 8);
    set_string(L, "id", p->id);
    set_string(L, "region_regex", p->region_regex);
    set_string(L, "dns_suffix", p->dns_suffix);
    set_string(L, "dual_stack_dns_suffix", p->dual_stack_dns_suffix);
    set_string(L, "implicit_global_region", p->implicit_global_region);
    lua_pushboolean(L, p->supports_fips);
    lua_setfield(L, -2, "supports_fips");
    lua_pushboolean(L, p->supports_dual_stack);
    lua_setfield(L, -2, "supports_dual_stack");
    lua_newtable(L);
    for (int i = 0; p->regions[i]; i++) {
        lua_pushstring(L, p->regions[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "regions");
}

/* core.partition(region) -> the partition any region belongs to */
static int core_partition(lua_State *L)
{
    push_partition(L, pz_partition_of(lpz_checkslice(L, 1)));
    return 1;
}

/* core.is_region(text) -> can it be part of a host name? */
static int core_is_region(lua_State *L)
{
    lua_pushboolean(L, pz_is_host_label(lpz_checkslice(L, 1)));
    return 1;
}

/* core.is_endpoint(text) -> is it a URL an endpoint may have? */
static int core_is_endpoint(lua_State *L)
{
    struct pz_uri uri;

    lua_pushboolean(L, pz_uri_parse(&uri, lpz_checkslice(L, 1)) == PZ_OK);
    return 1;
}

/* core.is_s3_key(text) -> may an object have this name? */
static int core_is_s3_key(lua_State *L)
{
    lua_pushboolean(L, pz_is_s3_key(lpz_checkslice(L, 1)));
    return 1;
}

/* core.pseudo_region(text) -> the region meant, does the name ask for FIPS?
   "fips-us-east-1" and "us-east-1-fips" give "us-east-1", true */
static int core_pseudo_region(lua_State *L)
{
    int fips = 0;
    struct pz_slice region = pz_region_of(lpz_checkslice(L, 1), &fips);

    lpz_pushslice(L, region);
    lua_pushboolean(L, fips);
    return 2;
}

/* core.s3_path(bucket | nil, key) -> "/bucket/key" | "/key", encoded */
static int core_s3_path(lua_State *L)
{
    int present;
    struct pz_slice bucket = lpz_optslice(L, 1, &present);
    struct pz_slice key = lpz_checkslice(L, 2);
    struct pz_buf *path = lpz_newbuffer(L);
    enum pz_status status = pz_s3_path(path, bucket, key);

    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(path));
    pz_buf_free(path);
    return 1;
}

const luaL_Reg lpz_endpoint_functions[] = {
    { "endpoint", core_endpoint },
    { "is_endpoint", core_is_endpoint },
    { "is_region", core_is_region },
    { "is_s3_key", core_is_s3_key },
    { "partition", core_partition },
    { "pseudo_region", core_pseudo_region },
    { "s3_path", core_s3_path },
    { NULL, NULL }
};
