#ifndef LPZ_SOURCE_H
#define LPZ_SOURCE_H
/*
 * The class personalize.source: a body that is read while it is sent, and
 * again for every attempt. Made by personalize.core, read by whatever
 * transport there is; personalize.curl finds it by the class's name.
 */
#include "lpz.h"

#define LPZ_SOURCE "personalize.source"

/* To be raised when the struct changes: two libraries share it, and each may
   be of another build. */
#define LPZ_SOURCE_VERSION 1

/*
 * How the block of such a userdata begins. None of the functions touches Lua,
 * so they may be called from inside libcurl; the caller keeps the userdata
 * alive meanwhile. They block no longer than a file does.
 */
struct lpz_source {
    unsigned version;          /* LPZ_SOURCE_VERSION */
    unsigned long long length; /* bytes, all of it */
    /* Up to len bytes (1 or more); 0 at the end; -1 for a failure. */
    long (*read)(struct lpz_source *source, char *out, size_t len);
    /* To the first byte; 0 is success. A failure is forgotten. */
    int (*rewind)(struct lpz_source *source);
    /* Why, after a failure; never NULL. Lasts until the next call. */
    const char *(*fault)(struct lpz_source *source);
};

/* The rest is for personalize.core alone. */

/* Registers the class; pushes nothing. */
void lpz_source_class(lua_State *L);
/* Pushes a source of a part (from 0) of the finished personalize.userlist at
   'index', which it keeps alive; raises what goes wrong. */
void lpz_source_push(lua_State *L, int index, size_t part);

#endif
