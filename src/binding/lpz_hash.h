#ifndef LPZ_HASH_H
#define LPZ_HASH_H
/*
 * SHA-256 of what comes in pieces, as a class of personalize.core.
 */
#include "lpz.h"

void lpz_hash_class(lua_State *L);
/* core.hash() -> hash; hash:add(data) -> hash; hash:finish() -> 64 lower-case
   digits, once. */
int lpz_hash_new(lua_State *L);

#endif
