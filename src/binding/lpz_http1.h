#ifndef LPZ_HTTP1_H
#define LPZ_HTTP1_H
/*
 * HTTP/1.1 as functions of strings and a reader of pieces, for transports
 * whose sockets are Lua's.
 */
#include "lpz.h"

/* http1, http1_connect, http1_request, tls_hello, tls_answer: NULL-ended. Each
   is explained where it stands. */
extern const luaL_Reg lpz_http1_functions[];

/* Registers the reader's class; pushes nothing. */
void lpz_http1_class(lua_State *L);

#endif
