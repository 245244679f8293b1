#include "pz_idset.h"

#include <string.h>

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch((p), 1)
#else
#define PREFETCH(p) ((void)(p))
#endif

enum {
    SLOT_BITS = 12,
    SLOTS = 1 << SLOT_BITS, /* of a table */
    FULL = SLOTS / 5 * 4,
    DEPTH_MAX = 20,         /* 2^31 ids, and a directory of 16 MiB */
    TABLE_BYTES = SLOTS * 16,
    FIRST_TABLES = 1,       /* in the first slab; each next has twice as many */
    MOST_TABLES = 128
};

/* Open addressing by the first bits of 'low'; a slot of zeros is free. */
struct table {
    struct pz_idhash *slots;
    unsigned used;
    unsigned depth; /* the first so many bits of 'high' are the same in it */
};

struct slab {
    void *data;
    size_t len;
};

/*
 * Extendible hashing (Fagin and others): a full table is split in two by one
 * more bit, and the directory tells by the first 'depth' bits of 'high' which
 * table it is.
 */
struct pz_idset {
    uint64_t key0, key1;
    const struct pz_idset_memory *memory;
    struct table *directory; /* tables of a smaller depth stand there often */
    unsigned depth;
    struct pz_idhash *scratch; /* a table being split */
    struct pz_buf slabs;       /* struct slab */
    size_t slab_left, bytes;   /* tables that the last slab still has */
};

/* -- SipHash (Aumasson and Bernstein) ----------------------------------- */

/* Written out, compilers make it the one load that it is. */
static inline uint64_t read64(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void one_round(uint64_t v[4])
{
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

static inline void two_rounds(uint64_t v[4])
{
    one_round(v);
    one_round(v);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    two_rounds(v);
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
    two_rounds(v);
    two_rounds(v);
    out.low = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xDD;
    two_rounds(v);
    two_rounds(v);
    out.high = v[0] ^ v[1] ^ v[2] ^ v[3];
    return out;
}

/* -- Memory ------------------------------------------------------------- */

static void *heap_get(size_t len)
{
    void *data = pz_alloc(len);

    if (data)
        memset(data, 0, len);
    return data;
}

static void heap_put(void *data, size_t len)
{
    (void)len;
    pz_free(data);
}

static const struct pz_idset_memory heap = { heap_get, heap_put };

static enum pz_status add_slab(struct pz_idset *set)
{
    size_t count = set->slabs.len / sizeof(struct slab);
    size_t tables = count < 7 ? (size_t)FIRST_TABLES << count : MOST_TABLES;
    struct slab slab = { NULL, tables * TABLE_BYTES };
    enum pz_status status = pz_buf_reserve(&set->slabs, sizeof slab);

    if (status != PZ_OK)
        return status;
    slab.data = set->memory->get(slab.len);
    if (slab.data == NULL)
        return PZ_ENOMEM;
    set->slab_left = tables;
    set->bytes += slab.len;
    return pz_buf_add(&set->slabs, &slab, sizeof slab); /* has its room */
}

static struct slab *slab_at(const struct pz_idset *set, size_t index)
{
    return (struct slab *)(void *)set->slabs.data + index;
}

/* Zeroed slots of a table, or NULL. */
static struct pz_idhash *new_slots(struct pz_idset *set)
{
    const struct slab *slab;

    if (set->slab_left == 0 && add_slab(set) != PZ_OK)
        return NULL;
    slab = slab_at(set, set->slabs.len / sizeof *slab - 1);
    set->slab_left--;
    return (struct pz_idhash *)slab->data + set->slab_left * SLOTS;
}

/* -- The set ------------------------------------------------------------ */

struct pz_idset *pz_idset_new(const unsigned char key[PZ_IDSET_KEY_LEN],
                              const struct pz_idset_memory *memory)
{
    struct pz_idset *set = pz_alloc(sizeof *set);

    if (set == NULL)
        return NULL;
    memset(set, 0, sizeof *set);
    set->key0 = read64(key);
    set->key1 = read64(key + 8);
    set->memory = memory ? memory : &heap;
    set->slabs.max = (size_t)-1 / 4;
    set->scratch = pz_alloc(TABLE_BYTES);
    set->directory = pz_alloc(sizeof *set->directory);
    if (set->scratch && set->directory) {
        memset(set->directory, 0, sizeof *set->directory);
        set->directory->slots = new_slots(set);
        if (set->directory->slots)
            return set;
    }
    pz_idset_free(set);
    return NULL;
}

void pz_idset_free(struct pz_idset *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->slabs.len / sizeof(struct slab); i++)
        set->memory->put(slab_at(set, i)->data, slab_at(set, i)->len);
    pz_buf_free(&set->slabs);
    pz_free(set->directory);
    pz_free(set->scratch);
    pz_wipe(set, sizeof *set);
    pz_free(set);
}

struct pz_idhash pz_idset_hash(const struct pz_idset *set, struct pz_slice id)
{
    struct pz_idhash hash = pz_siphash128(set->key0, set->key1, id);

    hash.high |= (hash.low | hash.high) == 0;
    return hash;
}

static size_t table_of(const struct pz_idset *set, struct pz_idhash hash)
{
    /* Shifted twice, since by all of its bits it cannot be. */
    return (size_t)(hash.high >> 1 >> (63 - set->depth));
}

/* Where the search begins: with the four slots of a cache line, so that most
   searches end in the line that was announced. */
static size_t home(struct pz_idhash hash)
{
    return (size_t)(hash.low >> (64 - SLOT_BITS + 2)) << 2;
}

static int is_free(const struct pz_idhash *slot)
{
    return (slot->low | slot->high) == 0;
}

/* The slot that has it, or the free one where it belongs. */
static struct pz_idhash *find(struct pz_idhash *slots, struct pz_idhash hash)
{
    size_t at = home(hash);

    while (!is_free(&slots[at]) &&
           (slots[at].low != hash.low || slots[at].high != hash.high))
        at = (at + 1) % SLOTS;
    return &slots[at];
}

static enum pz_status double_directory(struct pz_idset *set)
{
    size_t count = (size_t)1 << set->depth;
    struct table *more;

    if (set->depth == DEPTH_MAX)
        return PZ_ENOMEM;
    more = pz_alloc(2 * count * sizeof *more);
    if (more == NULL)
        return PZ_ENOMEM;
    for (size_t i = 0; i < 2 * count; i++)
        more[i] = set->directory[i / 2];
    pz_free(set->directory);
    set->directory = more;
    set->depth++;
    return PZ_OK;
}

/* Moves the ids of the scratch table to where they belong now. */
static void distribute(struct pz_idset *set, struct table halves[2])
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct pz_idhash hash = set->scratch[i];
        struct table *to = &halves[hash.high >> (64 - halves->depth) & 1];

        if (is_free(&hash))
            continue;
        *find(to->slots, hash) = hash;
        to->used++;
    }
}

static enum pz_status split(struct pz_idset *set, struct pz_idhash hash)
{
    struct table old = set->directory[table_of(set, hash)];
    struct table halves[2] = { { old.slots, 0, old.depth + 1 },
                               { NULL, 0, old.depth + 1 } };
    size_t first, each;

    if (old.depth == set->depth && double_directory(set) != PZ_OK)
        return PZ_ENOMEM;
    halves[1].slots = new_slots(set);
    if (halves[1].slots == NULL)
        return PZ_ENOMEM;
    memcpy(set->scratch, old.slots, TABLE_BYTES);
    memset(old.slots, 0, TABLE_BYTES);
    distribute(set, halves);
    each = (size_t)1 << (set->depth - old.depth - 1);
    first = table_of(set, hash) / (2 * each) * (2 * each);
    for (size_t i = 0; i < 2 * each; i++)
        set->directory[first + i] = halves[i / each];
    return PZ_OK;
}

void pz_idset_prepare(const struct pz_idset *set, struct pz_idhash hash)
{
    const struct pz_idhash *slots = set->directory[table_of(set, hash)].slots;

    /* A search that does not end in its line mostly ends in the next. */
    PREFETCH(&slots[home(hash)]);
    PREFETCH(&slots[(home(hash) + 4) % SLOTS]);
}

/* Counts one more in every place where the table stands. */
static void count_one(struct pz_idset *set, struct pz_idhash hash)
{
    size_t at = table_of(set, hash);
    size_t same = (size_t)1 << (set->depth - set->directory[at].depth);
    size_t first = at / same * same;

    for (size_t i = 0; i < same; i++)
        set->directory[first + i].used++;
}

enum pz_status
pz_idset_add(struct pz_idset *set, struct pz_idhash hash, int *is_new)
{
    struct pz_idhash *slot;

    while (set->directory[table_of(set, hash)].used >= FULL)
        if (split(set, hash) != PZ_OK)
            return PZ_ENOMEM;
    slot = find(set->directory[table_of(set, hash)].slots, hash);
    *is_new = is_free(slot);
    if (*is_new) {
        *slot = hash;
        count_one(set, hash);
    }
    return PZ_OK;
}

size_t pz_idset_bytes(const struct pz_idset *set)
{
    return sizeof *set + TABLE_BYTES + set->slabs.cap + set->bytes +
           (sizeof *set->directory << set->depth);
}
