#ifndef LPZ_SHOW_H
#define LPZ_SHOW_H
/*
 * Text from outside as people may see it, as functions of Lua.
 */
#include "lpz.h"

/* json_string, printable, prose, redact: NULL-ended. Each is explained where it
   stands. */
extern const luaL_Reg lpz_show_functions[];

#endif
