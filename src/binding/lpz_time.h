#ifndef LPZ_TIME_H
#define LPZ_TIME_H
/*
 * Dates as text, to and from seconds since 1970, as functions of
 * personalize.core.
 */
#include "lpz.h"

/* time, time_text; NULL-ended. */
extern const luaL_Reg lpz_time_functions[];

#endif
