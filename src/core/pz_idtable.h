#ifndef PZ_IDTABLE_H
#define PZ_IDTABLE_H
/*
 * The ids of a list, to be asked for: is this text one of them, or nearly?
 *
 * An id is known by two halves of SipHash-1-3 under a random key: 64 bits of
 * the id as it is, and 64 of the id as others may have written it, which is
 * without what pz_id_strip takes away, and with A-Z as a-z. So whoever chooses
 * ids cannot make them collide, and by chance no two of them do.
 *
 * 18 to 20 bytes an id, repeats too; and a few megabytes where 'memory' comes
 * in pages.
 */
#include "pz_idset.h"

struct pz_idtable;

enum pz_idmatch {
    PZ_ID_ABSENT,
    PZ_ID_NEAR, /* but for what stands at its ends, and letter case */
    PZ_ID_THERE
};

/* NULL when memory is short; the caller owns it. 'memory' is a constant, or
   NULL for the heap. */
PZ_MUST_USE struct pz_idtable *
pz_idtable_new(const unsigned char key[PZ_IDSET_KEY_LEN],
               const struct pz_idset_memory *memory);
void pz_idtable_free(struct pz_idtable *table); /* takes NULL */

/* *not_ascii gets bits where the id may have other bytes than ASCII's. */
struct pz_idhash pz_idtable_hash(const struct pz_idtable *table,
                                 struct pz_slice id, uint64_t *not_ascii);

/* Before it is settled: notes ids. On failure some may be noted. */
PZ_MUST_USE enum pz_status
pz_idtable_put(struct pz_idtable *table, const struct pz_idhash *hashes,
               size_t count);
/* There are no more ids. Works for about a millisecond and answers PZ_OK; to
   be called again until *is_done. */
PZ_MUST_USE enum pz_status
pz_idtable_settle(struct pz_idtable *table, int *is_done);

/* Once it is settled: announces that a hash will be asked for, so that the
   memory is there when it is. */
void pz_idtable_prepare(const struct pz_idtable *table, struct pz_idhash hash);
/* Notes of an id that is there that it was found. */
enum pz_idmatch pz_idtable_find(struct pz_idtable *table,
                                struct pz_idhash hash);

/* How many ids are there: all, until it is settled; then different ones. And
   how many of them were found. */
unsigned long long pz_idtable_count(const struct pz_idtable *table);
unsigned long long pz_idtable_found(const struct pz_idtable *table);
/* Bytes of memory that it holds. */
size_t pz_idtable_bytes(const struct pz_idtable *table);

#endif
