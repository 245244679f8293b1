#ifndef LPZ_READ_H
#define LPZ_READ_H
/*
 * What configuration and credentials are read with: shared config files, XML
 * answers, and the encodings, hashes and the signature that go with them.
 * What of it is secret passes through buffers that are wiped, and then is a
 * Lua string, which nothing can wipe.
 */
#include "lpz.h"

/* base64, base64url, es256, ini, ini_sub, json_kind, sha1_hex, sha256_hex,
   unbase64, uri_encode, xml: NULL-ended. Each is explained where it stands. */
extern const luaL_Reg lpz_read_functions[];

#endif
