#ifndef LPZ_STREAM_H
#define LPZ_STREAM_H
/*
 * The class personalize.input: what is read once, in blocks, and waited for.
 */
#include "lpz.h"

#define LPZ_STREAM "personalize.input"

/* Registers the class; pushes nothing. */
void lpz_stream_class(lua_State *L);

/* open_input and is_stream; NULL-ended. */
extern const luaL_Reg lpz_stream_functions[];

#endif
