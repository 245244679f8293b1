#include "pz_idtable.h"

#include <string.h>

#include "pz_id.h"

enum {
    PART_BITS = 10,
    PARTS = 1 << PART_BITS,
    BUCKET = 4,       /* slots of a cache line */
    WINDOW = 3 * BUCKET,
    GROW_BY = 16,     /* slots, and an eighth of those there are */
    SPARE = 32,       /* slots behind the last bucket */
    PAGE = 4 << 10,   /* bytes; of them 'memory' is asked for whole ones */
    SLICE = 1 << 14   /* ids that are settled in one call */
};

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) ((void)(p))
#endif

/*
 * A part of the ids, by the first bits of ~low. Until it is settled they lie
 * one behind the other, as they came. Then each lies in the bucket to which
 * the next bits of ~low lead, or behind; from highest to lowest, so that a
 * search ends where an id would have to be. A slot of zeros is free, and the
 * last one always is. The lowest bit of 'high' tells whether the id was found.
 */
struct part {
    struct pz_idhash *slots; /* 'size' and SPARE, or the free ones below */
    uint32_t size, count;    /* 'size' in whole buckets */
};

#define FOUND ((uint64_t)1)

struct pz_idtable {
    uint64_t key0, key1;
    const struct pz_idset_memory *memory;
    unsigned long long count, found;
    size_t bytes;
    size_t settled;                /* parts */
    struct part copy;              /* of the one that is being settled */
    struct pz_idhash none[WINDOW]; /* the slots of parts without memory */
    struct part parts[PARTS];
};

/* -- Memory -------------------------------------------------------------- */

static size_t length_of(uint32_t size)
{
    return (size + SPARE) * sizeof(struct pz_idhash);
}

/* Free slots; NULL without memory. */
static struct pz_idhash *get(struct pz_idtable *table, uint32_t size)
{
    size_t len = length_of(size);
    void *slots;

    if (table->memory) {
        slots = table->memory->get(len);
    } else {
        slots = pz_alloc(len);
        if (slots)
            memset(slots, 0, len);
    }
    if (slots)
        table->bytes += len;
    return slots;
}

static void put_back(struct pz_idtable *table, struct part *part)
{
    size_t len = length_of(part->size);

    if (part->size == 0)
        return;
    table->bytes -= len;
    if (table->memory)
        table->memory->put(part->slots, len);
    else
        pz_free(part->slots);
    part->slots = table->none;
    part->size = part->count = 0;
}

struct pz_idtable *
pz_idtable_new(const unsigned char key[PZ_IDSET_KEY_LEN],
               const struct pz_idset_memory *memory)
{
    struct pz_idtable *table = pz_alloc(sizeof *table);

    if (table == NULL)
        return NULL;
    memset(table, 0, sizeof *table);
    table->key0 = pz_sip_word(key);
    table->key1 = pz_sip_word(key + 8);
    table->memory = memory;
    for (size_t i = 0; i < PARTS; i++)
        table->parts[i].slots = table->none;
    return table;
}

void pz_idtable_free(struct pz_idtable *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < PARTS; i++)
        put_back(table, &table->parts[i]);
    put_back(table, &table->copy);
    pz_wipe(table, sizeof *table);
    pz_free(table);
}

size_t pz_idtable_bytes(const struct pz_idtable *table)
{
    return sizeof *table + table->bytes;
}

unsigned long long pz_idtable_count(const struct pz_idtable *table)
{
    return table->count;
}

unsigned long long pz_idtable_found(const struct pz_idtable *table)
{
    return table->found;
}

/* -- Hashes -------------------------------------------------------------- */

#define EACH(byte) (0x0101010101010101ULL * (byte))

/* Eight bytes, A-Z as a-z. */
static inline uint64_t lower(uint64_t word)
{
    uint64_t rest = word & EACH(0x7F); /* so that nothing is carried */
    uint64_t from_a = rest + EACH(0x80 - 'A');
    uint64_t beyond_z = rest + EACH(0x7F - 'Z');
    uint64_t is_upper = (from_a ^ beyond_z) & ~word & EACH(0x80);

    return word | is_upper >> 2;
}

static int is_plain(char c)
{
    return c > ' ' && c < 0x7F;
}

struct pz_idhash pz_idtable_hash(const struct pz_idtable *table,
                                 struct pz_slice id, uint64_t *not_ascii)
{
    struct pz_slice text = id;
    struct pz_idhash hash;
    const unsigned char *p;
    uint64_t v[4], word, seen = 0, changed = 0;

    if (id.len > 0 && (!is_plain(id.data[0]) ||
                       !is_plain(id.data[id.len - 1])))
        text = pz_id_strip(id);
    p = (const unsigned char *)text.data;
    pz_sip_start(v, table->key0, table->key1);
    for (size_t left = text.len; left >= 8; left -= 8) {
        uint64_t lowered;

        word = pz_sip_word(p);
        lowered = lower(word);
        seen |= word;
        changed |= word ^ lowered;
        pz_sip_add(v, lowered);
        p += 8;
    }
    word = pz_sip_rest((const unsigned char *)text.data, text.len);
    seen |= word;
    changed |= word ^ lower(word);
    hash = pz_sip_end(v, lower(word), text.len);
    if (changed != 0 || text.len != id.len)
        hash.high = pz_siphash128(table->key0, table->key1, id).high;
    hash.low += hash.low == 0; /* that of free slots */
    *not_ascii |= (seen & EACH(0x80)) | (text.len != id.len);
    return hash;
}

/* -- Noting -------------------------------------------------------------- */

static inline size_t part_of(uint64_t low)
{
    return (size_t)(~low >> (64 - PART_BITS));
}

/* By an eighth, or somewhat more. 0 where that is too much. */
static uint32_t grown(const struct pz_idtable *table, uint32_t size)
{
    size_t len = length_of(size + size / 8 + GROW_BY);

    if (size > UINT32_MAX / 2)
        return 0;
    if (table->memory)
        len = (len + PAGE - 1) / PAGE * PAGE;
    return (uint32_t)(len / sizeof(struct pz_idhash) - SPARE) / BUCKET *
           BUCKET;
}

/* Another one, empty, that is larger. */
static enum pz_status make_larger(struct pz_idtable *table, struct part *part,
                                  uint32_t size)
{
    part->size = grown(table, size);
    part->count = 0;
    part->slots = part->size > 0 ? get(table, part->size) : NULL;
    if (part->slots)
        return PZ_OK;
    part->size = 0;
    part->slots = table->none;
    return PZ_ENOMEM;
}

static enum pz_status extend(struct pz_idtable *table, struct part *part)
{
    struct part more;
    enum pz_status status = make_larger(table, &more, part->size);

    if (status != PZ_OK)
        return status;
    memcpy(more.slots, part->slots, part->count * sizeof *more.slots);
    more.count = part->count;
    put_back(table, part);
    *part = more;
    return PZ_OK;
}

enum pz_status
pz_idtable_put(struct pz_idtable *table, const struct pz_idhash *hashes,
               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct part *part = &table->parts[part_of(hashes[i].low)];
        enum pz_status status = PZ_OK;

        if (part->count >= part->size - part->size / 10)
            status = extend(table, part);
        if (status != PZ_OK)
            return status;
        part->slots[part->count] = hashes[i];
        part->slots[part->count++].high &= ~FOUND;
        table->count++;
    }
    return PZ_OK;
}

/* -- Settling ------------------------------------------------------------ */

/* Where the search begins. */
static inline struct pz_idhash *home(const struct part *part, uint64_t low)
{
    uint64_t bits = ~low << PART_BITS >> 32;

    return &part->slots[(bits * (part->size / BUCKET) >> 32) * BUCKET];
}

/* Is 'a' the higher one? Whether it was found is no part of that. */
static inline int is_before(struct pz_idhash a, struct pz_idhash b)
{
    return (a.low > b.low) |
           ((a.low == b.low) & ((a.high & ~FOUND) > (b.high & ~FOUND)));
}

static inline int is_same(struct pz_idhash a, struct pz_idhash b)
{
    return a.low == b.low && ((a.high ^ b.high) & ~FOUND) == 0;
}

/* The first 'left' of 'from' and the others, up to 'count', both in order. */
static void merge(struct pz_idhash *to, const struct pz_idhash *from,
                  size_t left, size_t count)
{
    const struct pz_idhash *a = from, *b = from + left;
    const struct pz_idhash *end = from + count;

    while (a < from + left && b < end) {
        int is_second = is_before(*b, *a);

        *to++ = is_second ? *b : *a;
        a += !is_second;
        b += is_second;
    }
    memcpy(to, a, (size_t)(from + left - a) * sizeof *to);
    to += from + left - a;
    memcpy(to, b, (size_t)(end - b) * sizeof *to);
}

/*
 * Answers which of the two has them in order. Who chooses ids can choose many
 * that are nearly alike, whose 'low' is the same; merging takes no longer for
 * that.
 */
static struct pz_idhash *sort(struct pz_idhash *ids, struct pz_idhash *room,
                              size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        struct pz_idhash *sorted = room;

        for (size_t at = 0; at < count; at += 2 * width) {
            size_t left = count - at < width ? count - at : width;
            size_t both = count - at < 2 * width ? count - at : 2 * width;

            merge(room + at, ids + at, left, both);
        }
        room = ids;
        ids = sorted;
    }
    return ids;
}

/* Puts what is in order into slots, each id once; 0 where they do not suffice,
   by chance. */
static int spread(struct part *part, const struct part *ids)
{
    struct pz_idhash *next = part->slots;
    struct pz_idhash *last = part->slots + part->size + SPARE - 1;

    for (uint32_t i = 0; i < ids->count; i++) {
        struct pz_idhash *first = home(part, ids->slots[i].low);

        if (i > 0 && is_same(ids->slots[i], ids->slots[i - 1]))
            continue;
        next = next < first ? first : next;
        if (next == last)
            return 0;
        *next++ = ids->slots[i];
        part->count++;
    }
    return 1;
}

/* The part's ids in order, in table->copy. */
static enum pz_status sort_part(struct pz_idtable *table,
                                const struct part *part)
{
    enum pz_status status = PZ_OK;
    struct pz_idhash *sorted;

    if (table->copy.size < part->size) {
        put_back(table, &table->copy);
        status = make_larger(table, &table->copy, part->size);
    }
    if (status != PZ_OK)
        return status;
    sorted = sort(part->slots, table->copy.slots, part->count);
    if (sorted != table->copy.slots)
        memcpy(table->copy.slots, sorted, part->count * sizeof *sorted);
    table->copy.count = part->count;
    return PZ_OK;
}

static enum pz_status settle_part(struct pz_idtable *table, struct part *part)
{
    enum pz_status status = sort_part(table, part);
    uint32_t size = part->size;

    if (status != PZ_OK)
        return status;
    memset(part->slots, 0, part->count * sizeof *part->slots);
    part->count = 0;
    while (!spread(part, &table->copy)) {
        put_back(table, part);
        status = make_larger(table, part, size);
        if (status != PZ_OK)
            return status;
        size = part->size;
    }
    table->count -= table->copy.count - part->count;
    return PZ_OK;
}

enum pz_status pz_idtable_settle(struct pz_idtable *table, int *is_done)
{
    enum pz_status status = PZ_OK;

    for (size_t count = 0; status == PZ_OK && table->settled < PARTS &&
                           count < SLICE; table->settled++) {
        struct part *part = &table->parts[table->settled];

        count += part->count;
        if (part->count > 0)
            status = settle_part(table, part);
    }
    *is_done = table->settled == PARTS;
    if (*is_done)
        put_back(table, &table->copy);
    return status;
}

/* -- Asking -------------------------------------------------------------- */

void pz_idtable_prepare(const struct pz_idtable *table, struct pz_idhash hash)
{
    const struct pz_idhash *slot =
        home(&table->parts[part_of(hash.low)], hash.low);

    PREFETCH(slot);
    PREFETCH(slot + BUCKET);
    PREFETCH(slot + 2 * BUCKET);
}

/* The first of the slots that is not before the hash. It looks further and
   further, so that a long run of ids that are nearly alike does no harm. */
static struct pz_idhash *search(const struct part *part,
                                struct pz_idhash *slot, struct pz_idhash hash)
{
    size_t left = part->size + SPARE - (size_t)(slot - part->slots);
    size_t reach = 1;

    while (reach < left && is_before(slot[reach - 1], hash)) {
        slot += reach;
        left -= reach;
        reach *= 2;
    }
    left = reach < left ? reach : left;
    while (left > 0) {
        size_t half = left / 2;
        int is_behind = is_before(slot[half], hash);

        slot += is_behind ? half + 1 : 0;
        left = is_behind ? left - half - 1 : half;
    }
    return slot;
}

/* Where the first slots do not tell. */
static enum pz_idmatch find_further(struct pz_idtable *table,
                                    const struct part *part,
                                    struct pz_idhash *first,
                                    struct pz_idhash hash)
{
    struct pz_idhash *slot = search(part, first, hash);

    if (is_same(*slot, hash)) {
        table->found += !(slot->high & FOUND);
        slot->high |= FOUND;
        return PZ_ID_THERE;
    }
    return slot->low == hash.low ||
           (slot > first && slot[-1].low == hash.low) ? PZ_ID_NEAR
                                                      : PZ_ID_ABSENT;
}

enum pz_idmatch pz_idtable_find(struct pz_idtable *table,
                                struct pz_idhash hash)
{
    const struct part *part = &table->parts[part_of(hash.low)];
    struct pz_idhash *first = home(part, hash.low);
    int is_there = 0;

    /* Most are absent, and most of these are told by the first slots: without
       a jump that depends on what is in them. */
    for (int i = 0; i < WINDOW; i++)
        is_there |= first[i].low == hash.low;
    if (!is_there && first[WINDOW - 1].low < hash.low)
        return PZ_ID_ABSENT;
    return find_further(table, part, first, hash);
}
