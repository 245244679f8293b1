#ifndef LPZ_PROXY_H
#define LPZ_PROXY_H
/*
 * The rules about proxies, for transports whose sockets are Lua's.
 */
#include "lpz.h"

/* find_proxy and proxy_refusal; NULL-ended. Each is explained where it
   stands. */
extern const luaL_Reg lpz_proxy_functions[];

#endif
