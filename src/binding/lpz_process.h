#ifndef LPZ_PROCESS_H
#define LPZ_PROCESS_H
/*
 * What the sources of credentials need of the machine: a command's output, a
 * host's addresses. As functions of personalize.core.
 */
#include "lpz.h"

/* resolve, run; NULL-ended. */
extern const luaL_Reg lpz_process_functions[];

#endif
