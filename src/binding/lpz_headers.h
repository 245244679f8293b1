#ifndef LPZ_HEADERS_H
#define LPZ_HEADERS_H
/*
 * Requests and answers as the tables of a transport (README): what every
 * transport reads and pushes in the same way.
 */
#include "lpz.h"

/* Pops a value into a member of the table below it. */
void lpz_setmember(lua_State *L, const char *name);

/* Pushes the table of an answer: its status, its headers (names in lower case,
   repeated ones joined with ", ") and its body. */
void lpz_pushanswer(lua_State *L, long status, struct pz_slice head,
                    struct pz_slice body);

/*
 * Appends the list of { name, value } pairs on top of the stack as the lines
 * of a head to a buffer that Lua owns; 0 where it is no such list. What it
 * left on the stack is the caller's to pop.
 */
int lpz_addheaders(lua_State *L, struct pz_buf *head);

#endif
