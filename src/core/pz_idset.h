#ifndef PZ_IDSET_H
#define PZ_IDSET_H
/*
 * Which ids there were already. An id is known by SipHash-2-4 with 128 bits
 * under a random key: whoever chooses ids cannot make them collide, and by
 * chance no two of them do.
 *
 * 20 to 40 bytes an id once there are many of them (16 in slots of which two
 * to four fifths are taken), and 128 KiB to begin with. It grows by 64 KiB at
 * a time, so that no single addition takes long and nothing is copied twice.
 */
#include <stdint.h>

#include "pz_buf.h"

enum { PZ_IDSET_KEY_LEN = 16 };

struct pz_idhash {
    uint64_t low, high; /* the first eight bytes little-endian, the others */
};

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
/* Announces an addition, so that memory is there when it comes. */
void pz_idset_prepare(const struct pz_idset *set, struct pz_idhash hash);
/* *is_new is 0 where it was there already. Without memory nothing changes. */
PZ_MUST_USE enum pz_status
pz_idset_add(struct pz_idset *set, struct pz_idhash hash, int *is_new);

/* Bytes of memory that it holds. */
size_t pz_idset_bytes(const struct pz_idset *set);

/* The hash itself, under any key. */
struct pz_idhash pz_siphash128(uint64_t key0, uint64_t key1,
                               struct pz_slice data);

#endif
