/*
 * The stages of pz_sigv4 as one function of tables; from a fresh key each
 * time. See lpz_sigv4.h.
 */
#include "lpz_sigv4.h"

#include <string.h>

#include "../core/pz_sigv4.h"

#define SIGNER "personalize.signer"

static int signer_gc(lua_State *L)
{
    struct pz_signer **box = lpz_checkudata(L, 1, SIGNER);

    pz_signer_free(*box);
    *box = NULL;
    return 0;
}

void lpz_sigv4_class(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__gc", signer_gc },
        { NULL, NULL }
    };

    lpz_newclass(L, SIGNER, NULL, meta);
}

static void must(lua_State *L, enum pz_status status)
{
    if (status != PZ_OK)
        lpz_raise(L, status);
}

/* The pairs of request.headers as headers, in a block that is pushed; before
   it a list of our own keeps their strings. */
static struct pz_header *push_headers(lua_State *L, int request, size_t *count)
{
    struct pz_header *headers;
    int list, kept;

    luaL_checkstack(L, 8, "no room for headers");
    lpz_rawgetname(L, request, "headers", 7);
    luaL_argcheck(L, lua_istable(L, -1), 1, "headers must be a list");
    list = lua_gettop(L);
    *count = lpz_rawlen(L, list);
    lua_createtable(L, 2 * (int)*count, 0);
    kept = lua_gettop(L);
    headers = lua_newuserdata(L, (*count + 1) * sizeof *headers);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        lpz_pair(L, &headers[i].name, &headers[i].value);
        lua_rawseti(L, kept, 2 * (int)i + 2);
        lua_rawseti(L, kept, 2 * (int)i + 1);
    }
    return headers;
}

static void read_request(lua_State *L, struct pz_sigv4_request *request)
{
    memset(request, 0, sizeof *request);
    request->method = lpz_textfield(L, 1, "method");
    request->path = lpz_textfield(L, 1, "path");
    request->query = lpz_textfield(L, 1, "query");
    request->payload_hash = lpz_textfield(L, 1, "payload_hash");
    request->keep_path = lpz_flagfield(L, 1, "keep_path");
    request->keep_dots = lpz_flagfield(L, 1, "keep_dots");
    request->headers = push_headers(L, 1, &request->header_count);
}

static void read_scope(lua_State *L, struct pz_scope *scope)
{
    struct pz_slice stamp = lpz_textfield(L, 3, "timestamp");

    scope->region = lpz_textfield(L, 3, "region");
    scope->service = lpz_textfield(L, 3, "service");
    luaL_argcheck(L, stamp.len == PZ_STAMP_LEN, 3,
                  "timestamp must be YYYYMMDDTHHMMSSZ");
    memcpy(scope->stamp, stamp.data, stamp.len);
    scope->stamp[PZ_STAMP_LEN] = '\0';
}

/* Sets a member of the result, which is on top. */
static void set(lua_State *L, const char *name, struct pz_slice value)
{
    lpz_pushslice(L, value);
    lua_setfield(L, -2, name);
}

struct keys {
    struct pz_slice id, secret;
};

/* The result is on top; 'out' and 'scratch' belong to Lua. */
static void sign(lua_State *L, struct pz_buf *out, struct pz_buf *scratch,
                 struct pz_signer *signer,
                 const struct pz_sigv4_request *request,
                 const struct pz_scope *scope, const struct keys *keys)
{
    struct pz_slice signature = { NULL, PZ_SIGNATURE_LEN }, names;
    char digits[PZ_SIGNATURE_LEN];

    must(L, pz_sigv4_canonical_request(out, &names, request));
    set(L, "canonical_request", pz_buf_slice(out));
    set(L, "signed_headers", names);

    must(L, pz_sigv4_string_to_sign(scratch, signer, scope,
                                    pz_buf_slice(out)));
    set(L, "string_to_sign", pz_buf_slice(scratch));

    must(L, pz_sigv4_signature(digits, signer, keys->secret, scope,
                               pz_buf_slice(scratch)));
    signature.data = digits;
    set(L, "signature", signature);

    pz_buf_clear(out);
    must(L, pz_sigv4_authorization(out, scratch, signer, request, scope,
                                   keys->id, keys->secret));
    set(L, "authorization", pz_buf_slice(out));
}

int lpz_sigv4_sign(lua_State *L)
{
    struct pz_sigv4_request request;
    struct pz_scope scope;
    struct pz_slice payload;
    struct keys keys;
    char hash[PZ_SHA256_HEX_LEN];
    struct pz_signer **signer;
    struct pz_buf *out, *scratch;

    for (int i = 1; i <= 3; i++)
        luaL_checktype(L, i, LUA_TTABLE);
    lua_settop(L, 3);
    read_request(L, &request);
    read_scope(L, &scope);
    keys.secret = lpz_textfield(L, 2, "secret_access_key");
    keys.id = lpz_textfield(L, 2, "access_key_id");
    payload = lpz_textfield(L, 1, "payload");
    signer = lpz_newuserdata(L, sizeof *signer, SIGNER);
    out = lpz_newbuffer(L);
    scratch = lpz_newbuffer(L);
    lua_newtable(L);
    *signer = pz_signer_new();
    if (*signer == NULL)
        return lpz_raise(L, PZ_ENOMEM);
    if (request.payload_hash.len == 0) {
        must(L, pz_sha256_hex(pz_signer_crypto(*signer), hash, payload));
        request.payload_hash.data = hash;
        request.payload_hash.len = sizeof hash;
    }
    set(L, "payload_hash", request.payload_hash);
    sign(L, out, scratch, *signer, &request, &scope, &keys);
    pz_buf_free(out);
    pz_buf_free(scratch);
    pz_signer_free(*signer);
    *signer = NULL;
    return 1;
}
