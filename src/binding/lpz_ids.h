#ifndef LPZ_IDS_H
#define LPZ_IDS_H
/*
 * The class personalize.ids: the ids of a list, which a user list fills, and
 * which exports are searched for.
 */
#include "../core/pz_idtable.h"
#include "lpz.h"

#define LPZ_IDS "personalize.ids"

struct lpz_ids {
    struct pz_idtable *table; /* NULL once it is closed */
    int is_settled, has_failed;
};

/* Registers the class; pushes nothing. */
void lpz_ids_class(lua_State *L);

/* core.ids(key = 16 random bytes) -> ids */
int lpz_ids_new(lua_State *L);

/* Why no id can be noted any more, or NULL. */
const char *lpz_ids_full(const struct lpz_ids *ids);
/* Why they cannot be asked for, or NULL. */
const char *lpz_ids_unready(const struct lpz_ids *ids);
/* For pz_userlist, as what each id is told to; 'arg' is one of ours that is not
   full. */
enum pz_status lpz_ids_note(void *arg, const char *text, const size_t *ends,
                            size_t count);

#endif
