#include "pz_idset.h"

#include <string.h>

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch((p), 1)
#else
#define PREFETCH(p) ((void)(p))
#endif

/* SHARDS is a power of two; FIRST_SLOTS a whole number of growths. */
enum { SHARD_BITS = 10, SHARDS = 1 << SHARD_BITS, FIRST_SLOTS = 16 };

/* Open addressing, in the order of 'low'; a slot of zeros is free. */
struct shard {
    struct pz_idhash *slots;
    size_t used, count;
};

struct pz_idset {
    uint64_t key0, key1;
    struct shard shards[SHARDS];
};

/* -- SipHash (Aumasson and Bernstein) ----------------------------------- */

static uint64_t read64(const unsigned char *p)
{
    uint64_t word = 0;

    for (int i = 8; i-- > 0;)
        word = word << 8 | p[i];
    return word;
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void rounds(uint64_t v[4], int count)
{
    while (count-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

struct pz_idhash pz_siphash128(uint64_t key0, uint64_t key1,
                               struct pz_slice data)
{
    const unsigned char *p = (const unsigned char *)data.data;
    uint64_t last = (uint64_t)data.len << 56;
    uint64_t v[4] = {
        key0 ^ 0x736f6d6570736575ULL, key1 ^ 0x646f72616e646f6dULL ^ 0xEE,
        key0 ^ 0x6c7967656e657261ULL, key1 ^ 0x7465646279746573ULL
    };
    struct pz_idhash out;
    size_t at = 0;

    for (; data.len - at >= 8; at += 8)
        absorb(v, read64(p + at));
    for (size_t i = 0; i < data.len - at; i++)
        last |= (uint64_t)p[at + i] << (8 * i);
    absorb(v, last);
    v[2] ^= 0xEE;
    rounds(v, 4);
    out.low = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xDD;
    rounds(v, 4);
    out.high = v[0] ^ v[1] ^ v[2] ^ v[3];
    return out;
}

/* -- The set ------------------------------------------------------------ */

struct pz_idset *pz_idset_new(const unsigned char key[PZ_IDSET_KEY_LEN])
{
    struct pz_idset *set = pz_alloc(sizeof *set);

    if (set == NULL)
        return NULL;
    memset(set, 0, sizeof *set);
    set->key0 = read64(key);
    set->key1 = read64(key + 8);
    return set;
}

void pz_idset_free(struct pz_idset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        pz_free(set->shards[i].slots);
    pz_wipe(set, sizeof *set);
    pz_free(set);
}

struct pz_idhash pz_idset_hash(const struct pz_idset *set, struct pz_slice id)
{
    struct pz_idhash hash = pz_siphash128(set->key0, set->key1, id);

    hash.high |= (hash.low | hash.high) == 0;
    return hash;
}

static size_t shard_of(struct pz_idhash hash)
{
    return (size_t)(hash.high >> (64 - SHARD_BITS));
}

/* Where its search begins: in proportion, so that a larger table is in the
   same order. */
static size_t home(const struct shard *shard, struct pz_idhash hash)
{
    return (size_t)((hash.low >> 32) * shard->count >> 32);
}

static int is_free(const struct pz_idhash *slot)
{
    return (slot->low | slot->high) == 0;
}

/* The slot that has it, or the free one where it belongs. */
static struct pz_idhash *find(const struct shard *shard, struct pz_idhash hash)
{
    size_t at = home(shard, hash);

    while (!is_free(&shard->slots[at]) &&
           (shard->slots[at].low != hash.low ||
            shard->slots[at].high != hash.high))
        at = at + 1 < shard->count ? at + 1 : 0;
    return &shard->slots[at];
}

static enum pz_status grow(struct shard *shard)
{
    struct shard more = { NULL, shard->used, 0 };

    more.count = shard->count ? shard->count / 2 * 3 : FIRST_SLOTS;
    if (more.count > (size_t)-1 / sizeof *more.slots)
        return PZ_ENOMEM;
    more.slots = pz_alloc(more.count * sizeof *more.slots);
    if (more.slots == NULL)
        return PZ_ENOMEM;
    memset(more.slots, 0, more.count * sizeof *more.slots);
    for (size_t i = 0; i < shard->count; i++)
        if (!is_free(&shard->slots[i]))
            *find(&more, shard->slots[i]) = shard->slots[i];
    pz_free(shard->slots);
    *shard = more;
    return PZ_OK;
}

void pz_idset_prepare(const struct pz_idset *set, struct pz_idhash hash)
{
    const struct shard *shard = &set->shards[shard_of(hash)];

    if (shard->count > 0)
        PREFETCH(&shard->slots[home(shard, hash)]);
}

enum pz_status
pz_idset_add(struct pz_idset *set, struct pz_idhash hash, int *is_new)
{
    struct shard *shard = &set->shards[shard_of(hash)];
    struct pz_idhash *slot;

    if (shard->used >= shard->count / 4 * 3) {
        enum pz_status status = grow(shard);

        if (status != PZ_OK)
            return status;
    }
    slot = find(shard, hash);
    *is_new = is_free(slot);
    if (*is_new) {
        *slot = hash;
        shard->used++;
    }
    return PZ_OK;
}

size_t pz_idset_bytes(const struct pz_idset *set)
{
    size_t bytes = sizeof *set;

    for (size_t i = 0; i < SHARDS; i++)
        bytes += set->shards[i].count * sizeof *set->shards[i].slots;
    return bytes;
}
