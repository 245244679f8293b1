#ifndef PZ_IDSET_H
#define PZ_IDSET_H
/*
 * Which ids of a list are there more than once: said when all of them are
 * known, so that each of them only has to be noted.
 *
 * An id is known by SipHash-1-3 with 128 bits under a random key: whoever
 * chooses ids cannot make them collide, and by chance no two of them do.
 *
 * About 17 bytes an id, in blocks that grow. Deciding takes a piece of memory
 * for the ids of one of 1024 parts; and, where there are repeats, 16 to 24
 * bytes for each id that is repeated.
 */
#include "pz_siphash.h"

enum { PZ_IDSET_KEY_LEN = 16, PZ_IDSET_LINES = 5 };

/* Where memory for many ids comes from. 'get' answers zeros, or NULL; 'put'
   is told the same length. */
struct pz_idset_memory {
    void *(*get)(size_t len);
    void (*put)(void *data, size_t len);
};

struct pz_idset;

/* NULL when memory is short; the caller owns it. 'memory' is a constant, or
   NULL for the heap. */
PZ_MUST_USE struct pz_idset *
pz_idset_new(const unsigned char key[PZ_IDSET_KEY_LEN],
             const struct pz_idset_memory *memory);
void pz_idset_free(struct pz_idset *set); /* takes NULL */

struct pz_idhash pz_idset_hash(const struct pz_idset *set, struct pz_slice id);
/* The same of 'count' lines, which end before 'ends'. */
void pz_idset_hash_lines(const struct pz_idset *set, struct pz_idhash *out,
                         const char *text, const size_t *ends, size_t count);

/*
 * Notes ids, in the order of the list. For a set that only counts, 'high' is
 * the number of an id's line, from 1: 64 bits of hash are enough for that.
 */
PZ_MUST_USE enum pz_status
pz_idset_put(struct pz_idset *set, const struct pz_idhash *hashes,
             size_t count);
unsigned long long pz_idset_count(const struct pz_idset *set);

/*
 * There are no more. Decides for about a millisecond and answers PZ_OK; to be
 * called again until *is_done.
 */
PZ_MUST_USE enum pz_status
pz_idset_decide(struct pz_idset *set, int *is_done);
/* The same for a set that only counts; 'lines' becomes the first lines of
   repeats, in order. */
PZ_MUST_USE enum pz_status
pz_idset_decide_lines(struct pz_idset *set, int *is_done,
                      unsigned long long lines[PZ_IDSET_LINES]);
/* How many ids had been noted before. */
unsigned long long pz_idset_repeats(const struct pz_idset *set);
/* Of each id once more, in the same order: is it a repeat? After
   pz_idset_decide. */
int pz_idset_is_repeat(struct pz_idset *set, struct pz_idhash hash);
/* Announces that question, so that the memory is there when it comes. */
void pz_idset_prepare(const struct pz_idset *set, struct pz_idhash hash);

/* Bytes of memory that it holds. */
size_t pz_idset_bytes(const struct pz_idset *set);

#endif
