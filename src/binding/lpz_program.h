#ifndef LPZ_PROGRAM_H
#define LPZ_PROGRAM_H
/*
 * What a program does with its own process, for the command: catch signals,
 * put the standard streams in place, write to them. Not for use inside a
 * program of somebody else's, nor in nginx: core.write may block.
 */
#include "lpz.h"

/* catch_signals, signalled, open_streams, write; NULL-ended. */
extern const luaL_Reg lpz_program_functions[];

/* To be called when the library is opened: registers what these need. */
void lpz_program_class(lua_State *L);

#endif
