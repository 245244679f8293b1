#ifndef LPZ_USERLIST_H
#define LPZ_USERLIST_H
/*
 * The class personalize.userlist: a list of user ids and the file or spool
 * behind it. Its sources point into it and keep it alive.
 */
#include "../core/pz_userlist.h"
#include "../io/pz_listfile.h"
#include "lpz.h"
#include "lpz_ids.h"

#define LPZ_USERLIST "personalize.userlist"
#define LPZ_LIST_BLOCK ((size_t)256 << 10) /* read at a time */

/* 'core' and 'file' stay where they are until the list is collected; closed
   they hold nothing, which 'file.is_open' tells its sources. */
struct lpz_userlist {
    struct pz_userlist core;
    struct pz_listfile file;
    struct pz_buf column; /* the name that core.options.column shows */
    struct pz_buf block;
    struct lpz_ids *ids; /* that it fills, kept by our anchor; or NULL */
    unsigned long long read; /* bytes of the file, in this pass */
    int is_ids, is_read;     /* of ids one by one; to its end */
    int has_failed, is_closed;
};

/* Registers the class; pushes nothing. */
void lpz_userlist_class(lua_State *L);

/* core.userlist{ format = "csv" | "lines" | "ids", column = name of the one
   to take, delimiter = "," | ";" | "|" | "\t", unique = boolean, part_size =
   bytes (100,000,000), key = 16 random bytes, ids = ids that get its ids }
   -> list
   Without a key repeats are not counted, and 'unique' needs one. */
int lpz_userlist_new(lua_State *L);

/* The member 'delimiter' of the table at 'index': one of those that other
   programs write, or 0 where there is none. */
char lpz_delimiterfield(lua_State *L, int index);

#endif
