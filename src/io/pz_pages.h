#ifndef PZ_PAGES_H
#define PZ_PAGES_H
/*
 * Large blocks of memory straight from the system, in huge pages where it has
 * them: for tables that are read at random, and given back as a whole.
 */
#include "../core/pz_idset.h"

extern const struct pz_idset_memory pz_pages;
/* In small pages only, so that none is larger than it has to be: for many
   tables of which each grows. */
extern const struct pz_idset_memory pz_small_pages;

#endif
