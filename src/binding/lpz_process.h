#ifndef LPZ_PROCESS_H
#define LPZ_PROCESS_H
/*
 * What the sources of credentials need of the machine, and a service that keeps
 * lists: a command's output, private files, a host's addresses. As functions
 * of personalize.core.
 */
#include "lpz.h"

/* append_lines, resolve, run, write_private; NULL-ended. */
extern const luaL_Reg lpz_process_functions[];

#endif
