#ifndef LPZ_H
#define LPZ_H
/*
 * What every binding file shares: the differences between Lua 5.1 and 5.5
 * (LuaJIT included) and the helpers that check and push.
 *
 * Names: lpz_x may raise a Lua error; so it is called only while nothing is
 * owned outside Lua. Compat functions have names of our own, since LuaJIT's
 * headers define some of 5.2's and a library built with them would not load
 * in Lua 5.1.
 */
#include <lauxlib.h>
#include <lua.h>

#include "../core/pz_buf.h"

#if defined(__GNUC__)
#define LPZ_EXPORT __attribute__((visibility("default")))
#else
#define LPZ_EXPORT
#endif

/* A length without metamethods. */
size_t lpz_rawlen(lua_State *L, int index);
int lpz_absindex(lua_State *L, int index);
/* Pushes t[name] without metamethods; 'index' is absolute. */
void lpz_rawgetname(lua_State *L, int index, const char *name, size_t len);
/* Is the value a whole number that fits? Floats such as 3.0 are. */
int lpz_tointeger(lua_State *L, int index, long long *out);
/* Pushes a count, which may be more than Lua's integers hold before 5.3. */
void lpz_pushcount(lua_State *L, unsigned long long count);
/* Sets one as a member of the table on top. */
void lpz_setcount(lua_State *L, const char *name, unsigned long long count);

/* One Lua value kept alive by a userdata; pops it. */
void lpz_setanchor(lua_State *L, int index);
/* Lets 'to' keep what 'from' keeps: cheaper where many share one. */
void lpz_shareanchor(lua_State *L, int from, int to);

/* A module's table of functions; leaves it on the stack. */
void lpz_newlib(lua_State *L, const luaL_Reg *functions);
/*
 * A class: metatable 'name' with these methods behind __index and these
 * metamethods; a tostring that shows the name and nothing else; locked
 * against getmetatable. Pushes nothing.
 */
void lpz_newclass(lua_State *L, const char *name, const luaL_Reg *methods,
                  const luaL_Reg *metamethods);
/* Zeroed block with the class's metatable set, pushed. */
void *lpz_newuserdata(lua_State *L, size_t size, const char *name);
/* Like luaL_checkudata and luaL_testudata, in all versions. */
void *lpz_checkudata(lua_State *L, int index, const char *name);
void *lpz_testudata(lua_State *L, int index, const char *name);

/* Argument 'index' as a slice of a string (numbers refused). Borrowed from
   Lua for as long as the value stays on the stack. */
struct pz_slice lpz_checkslice(lua_State *L, int index);
/* A string for the system, which ends at the first NUL: one with a NUL in it is
   refused. */
const char *lpz_checkpath(lua_State *L, int index);
/* A slice, with nil or nothing as the empty slice and *present = 0. */
struct pz_slice lpz_optslice(lua_State *L, int index, int *present);
void lpz_pushslice(lua_State *L, struct pz_slice s);
/*
 * Members of the table at 'index', which is absolute, without metamethods;
 * absent ones are the empty slice and 0. What is no string raises. A text is
 * left on the stack, so that it lasts: a finalizer may empty the table
 * whenever Lua allocates.
 */
struct pz_slice lpz_textfield(lua_State *L, int index, const char *name);
int lpz_flagfield(lua_State *L, int index, const char *name);
/* Both parts of the pair of strings on top, which they replace; raises where
   there is none. */
void lpz_pair(lua_State *L, struct pz_slice *first, struct pz_slice *second);
/* A secret buffer that Lua collects, pushed; for what is built and pushed at
   once. Its class must have been registered in this state. */
struct pz_buf *lpz_newbuffer(lua_State *L);
void lpz_bufferclass(lua_State *L);
/* Raises what a status means: memory as Lua's own error, others by text. */
int lpz_raise(lua_State *L, enum pz_status status);

#endif
