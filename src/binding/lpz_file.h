#ifndef LPZ_FILE_H
#define LPZ_FILE_H
/*
 * Files that others could have a hand in, as functions of personalize.core.
 * All answer nil, a message without the path, and the name of an errno
 * ("ENOENT") where they fail.
 */
#include "lpz.h"

/* append_lines, file_kind, lock_file, read_file, rename_noreplace, same_file,
   writable, write_private; NULL-ended. */
extern const luaL_Reg lpz_file_functions[];

/* The class of locks. */
void lpz_file_class(lua_State *L);

#endif
