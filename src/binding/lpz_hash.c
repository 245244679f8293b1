/*
 * SHA-256 in pieces for Lua. See lpz_hash.h.
 */
#include "lpz_hash.h"

#include "../core/pz_crypto.h"
#include "../core/pz_text.h"

#define HASH "personalize.hash"

static int hash_gc(lua_State *L)
{
    struct pz_hash **box = lpz_checkudata(L, 1, HASH);

    pz_hash_free(*box);
    *box = NULL;
    return 0;
}

static struct pz_hash **check_open(lua_State *L)
{
    struct pz_hash **box = lpz_checkudata(L, 1, HASH);

    luaL_argcheck(L, *box != NULL, 1, "the hash is finished");
    return box;
}

static int hash_add(lua_State *L)
{
    struct pz_hash **box = check_open(L);
    struct pz_slice data = lpz_checkslice(L, 2);
    enum pz_status status = pz_hash_add(*box, data);

    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_settop(L, 1);
    return 1;
}

static int hash_finish(lua_State *L)
{
    struct pz_hash **box = check_open(L);
    unsigned char digest[PZ_SHA256_LEN];
    char digits[PZ_SHA256_HEX_LEN];
    enum pz_status status = pz_hash_end(*box, digest);

    pz_hash_free(*box);
    *box = NULL;
    if (status != PZ_OK)
        return lpz_raise(L, status);
    pz_hex(digits, digest, sizeof digest);
    lua_pushlstring(L, digits, sizeof digits);
    return 1;
}

int lpz_hash_new(lua_State *L)
{
    struct pz_hash **box = lpz_newuserdata(L, sizeof *box, HASH);

    *box = pz_hash_new();
    return *box ? 1 : lpz_raise(L, PZ_ENOMEM);
}

void lpz_hash_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "add", hash_add },
        { "finish", hash_finish },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", hash_gc },
        { NULL, NULL }
    };

    lpz_newclass(L, HASH, methods, meta);
}
