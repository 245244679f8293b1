#ifndef PZ_IDSET_H
#define PZ_IDSET_H
/*
 * Which ids there were already. An id is known by SipHash-2-4 with 128 bits
 * under a random key: whoever chooses ids cannot make them collide, and by
 * chance no two of them do.
 *
 * 21 to 32 bytes an id once there are many of them (16 in slots of which half
 * to three quarters are taken), and 24 KiB to begin with. It grows by one part
 * in 1024 at a time, so that no single addition takes long.
 */
#include <stdint.h>

#include "pz_buf.h"

enum { PZ_IDSET_KEY_LEN = 16 };

struct pz_idhash {
    uint64_t low, high; /* the first eight bytes little-endian, the others */
};

struct pz_idset;

/* NULL when memory is short; the caller owns it. */
PZ_MUST_USE struct pz_idset *
pz_idset_new(const unsigned char key[PZ_IDSET_KEY_LEN]);
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
