#include "pz_idset.h"

#include <string.h>

#include "pz_siphash.h"

enum {
    PART_BITS = 10,
    PARTS = 1 << PART_BITS,   /* by the first bits of 'low' */
    CHUNK_FIRST = 8,          /* ids of a part's first chunk and its header; */
    CHUNK_MOST = 256,         /* each next has twice as many */
    SLAB_FIRST = 1 << 16,     /* bytes; each next has twice as many */
    SLAB_MOST = 1 << 23,
    SLOTS_EACH = 2,           /* of a table, for each entry there is room for */
    SLICE = 1 << 15           /* ids that are decided in one call */
};

#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch((p), 1)
#else
#define PREFETCH(p) ((void)(p))
#endif

/* Takes the place of a chunk's first entry. */
struct chunk {
    struct chunk *next;
    size_t room; /* entries behind it */
};

struct part {
    struct pz_idhash *at, *end; /* where the next entry goes */
    struct chunk *first, *last;
};

struct slab {
    void *data;
    size_t len;
};

/*
 * The ids of a part that are different, while it is decided: a table of
 * numbers (from 1) of entries, so that it is small. The number of an entry
 * that was met again has the mark.
 */
struct distinct {
    struct pz_idhash *entries;
    uint32_t *slots;
    size_t count, room; /* of entries */
};

#define MET_AGAIN ((uint32_t)1 << 31)

struct pz_idset {
    uint64_t key0, key1;
    const struct pz_idset_memory *memory;
    struct part *parts;
    struct pz_buf slabs; /* struct slab */
    char *free_at, *free_end;
    size_t bytes;
    unsigned long long count, repeats;

    size_t deciding;      /* the part, or PARTS */
    struct distinct distinct;
    struct part doubles;  /* hashes that were met again */
    size_t double_count;
    struct chunk *spare;  /* of parts that are decided */

    /* Of the doubles: open addressing, a slot of zeros is free; a bit a slot
       tells whether one was met in the second round. */
    struct pz_idhash *table;
    unsigned char *met;
    size_t table_size;
    int is_decided;
};

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

static struct slab *slab_at(const struct pz_idset *set, size_t index)
{
    return (struct slab *)(void *)set->slabs.data + index;
}

/* Zeros that are given back by free_slabs; NULL where there are none. */
static void *get(struct pz_idset *set, size_t len)
{
    struct slab slab = { NULL, len };

    if (pz_buf_reserve(&set->slabs, sizeof slab) != PZ_OK)
        return NULL;
    slab.data = set->memory->get(len);
    if (slab.data == NULL)
        return NULL;
    set->bytes += len;
    /* Its room is there. */
    return pz_buf_add(&set->slabs, &slab, sizeof slab) == PZ_OK ? slab.data
                                                                : NULL;
}

static void free_slabs(struct pz_idset *set)
{
    for (size_t i = 0; i < set->slabs.len / sizeof(struct slab); i++)
        set->memory->put(slab_at(set, i)->data, slab_at(set, i)->len);
    pz_buf_clear(&set->slabs);
    set->free_at = set->free_end = NULL;
    set->bytes = 0;
}

struct pz_idset *pz_idset_new(const unsigned char key[PZ_IDSET_KEY_LEN],
                              const struct pz_idset_memory *memory)
{
    struct pz_idset *set = pz_alloc(sizeof *set);

    if (set == NULL)
        return NULL;
    memset(set, 0, sizeof *set);
    set->key0 = pz_sip_word(key);
    set->key1 = pz_sip_word(key + 8);
    set->memory = memory ? memory : &heap;
    set->slabs.max = (size_t)-1 / 4;
    set->parts = heap_get(PARTS * sizeof *set->parts);
    if (set->parts)
        return set;
    pz_idset_free(set);
    return NULL;
}

static void free_distinct(struct distinct *distinct)
{
    pz_free(distinct->entries);
    pz_free(distinct->slots);
    memset(distinct, 0, sizeof *distinct);
}

void pz_idset_free(struct pz_idset *set)
{
    if (set == NULL)
        return;
    free_slabs(set);
    free_distinct(&set->distinct);
    pz_buf_free(&set->slabs);
    pz_free(set->parts);
    pz_free(set->met);
    pz_wipe(set, sizeof *set);
    pz_free(set);
}

size_t pz_idset_bytes(const struct pz_idset *set)
{
    return sizeof *set + (set->parts ? PARTS * sizeof *set->parts : 0) +
           set->slabs.cap + set->bytes + set->table_size / 8 +
           set->distinct.room * (sizeof *set->distinct.entries +
                                 SLOTS_EACH * sizeof *set->distinct.slots);
}

/* -- Noting ------------------------------------------------------------- */

struct pz_idhash pz_idset_hash(const struct pz_idset *set, struct pz_slice id)
{
    struct pz_idhash hash = pz_siphash128(set->key0, set->key1, id);

    hash.high |= (hash.low | hash.high) == 0;
    return hash;
}

void pz_idset_hash_lines(const struct pz_idset *set, struct pz_idhash *out,
                         const char *text, const size_t *ends, size_t count)
{
    size_t start = 0;

    for (size_t i = 0; i < count; i++) {
        struct pz_slice id = { text + start, ends[i] - start };

        out[i] = pz_idset_hash(set, id);
        start = ends[i] + 1;
    }
}

static enum pz_status add_slab(struct pz_idset *set)
{
    size_t len = SLAB_FIRST;

    for (size_t i = 0; i < set->slabs.len / sizeof(struct slab); i++)
        len = len < SLAB_MOST ? 2 * len : len;
    set->free_at = get(set, len);
    if (set->free_at == NULL)
        return PZ_ENOMEM;
    set->free_end = set->free_at + len;
    return PZ_OK;
}

/* A chunk of so many entries, its own among them; NULL without memory. */
static struct chunk *new_chunk(struct pz_idset *set, size_t size)
{
    size_t len = size * sizeof(struct pz_idhash);
    struct chunk *chunk;

    if ((size_t)(set->free_end - set->free_at) < len &&
        add_slab(set) != PZ_OK)
        return NULL;
    chunk = (struct chunk *)(void *)set->free_at;
    set->free_at += len;
    chunk->room = size - 1;
    return chunk;
}

static struct pz_idhash *entries_of(struct chunk *chunk)
{
    return (struct pz_idhash *)(void *)chunk + 1;
}

static void add_chunk(struct part *part, struct chunk *chunk)
{
    chunk->next = NULL;
    if (part->last)
        part->last->next = chunk;
    else
        part->first = chunk;
    part->last = chunk;
    part->at = entries_of(chunk);
    part->end = part->at + chunk->room;
}

static enum pz_status extend(struct pz_idset *set, struct part *part)
{
    size_t size = part->last ? 2 * (part->last->room + 1) : CHUNK_FIRST;
    struct chunk *chunk = new_chunk(set, size < CHUNK_MOST ? size : CHUNK_MOST);

    if (chunk == NULL)
        return PZ_ENOMEM;
    add_chunk(part, chunk);
    return PZ_OK;
}

static inline struct part *part_of(const struct pz_idset *set, uint64_t low)
{
    return &set->parts[low >> (64 - PART_BITS)];
}

enum pz_status pz_idset_put(struct pz_idset *set,
                            const struct pz_idhash *hashes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct part *part = part_of(set, hashes[i].low);

        if (part->at == part->end && extend(set, part) != PZ_OK)
            return PZ_ENOMEM;
        *part->at++ = hashes[i];
        set->count++;
    }
    return PZ_OK;
}

unsigned long long pz_idset_count(const struct pz_idset *set)
{
    return set->count;
}

/* -- Deciding a part ----------------------------------------------------- */

static size_t slot_count(const struct distinct *distinct)
{
    return SLOTS_EACH * distinct->room;
}

static void clear(struct distinct *distinct)
{
    if (distinct->count > 0)
        memset(distinct->slots, 0,
               slot_count(distinct) * sizeof *distinct->slots);
    distinct->count = 0;
}

/* The slot that has the hash, or the free one where it belongs. */
static inline uint32_t *
find(const struct distinct *distinct, struct pz_idhash hash, int is_exact)
{
    size_t mask = slot_count(distinct) - 1;
    size_t at = (size_t)(hash.low >> 16) & mask;

    while (distinct->slots[at] != 0) {
        const struct pz_idhash *entry =
            &distinct->entries[(distinct->slots[at] & ~MET_AGAIN) - 1];

        if (entry->low == hash.low && (!is_exact || entry->high == hash.high))
            break;
        at = (at + 1) & mask;
    }
    return &distinct->slots[at];
}

/* Twice the room, a power of 2. */
static enum pz_status grow(struct distinct *distinct)
{
    struct distinct more = { NULL, NULL, distinct->count,
                             distinct->room ? 2 * distinct->room : 1024 };

    if (more.room >= MET_AGAIN)
        return PZ_ENOMEM;
    more.entries = pz_alloc(more.room * sizeof *more.entries);
    more.slots = heap_get(slot_count(&more) * sizeof *more.slots);
    if (more.entries == NULL || more.slots == NULL) {
        free_distinct(&more);
        return PZ_ENOMEM;
    }
    if (distinct->count > 0)
        memcpy(more.entries, distinct->entries,
               distinct->count * sizeof *more.entries);
    for (size_t i = 0; i < slot_count(distinct); i++) {
        uint32_t slot = distinct->slots[i];

        /* All are different, so that each comes into a free one. */
        if (slot != 0)
            *find(&more, more.entries[(slot & ~MET_AGAIN) - 1], 1) = slot;
    }
    free_distinct(distinct);
    *distinct = more;
    return PZ_OK;
}

/* Keeps the least of them, in order. */
static void note_line(unsigned long long lines[PZ_IDSET_LINES],
                      unsigned long long line)
{
    for (int i = 0; i < PZ_IDSET_LINES; i++) {
        unsigned long long other = lines[i];

        if (other == 0 || line < other) {
            lines[i] = line;
            line = other;
            if (other == 0)
                return;
        }
    }
}

/* In the memory of parts that are decided; there are more than enough. */
static enum pz_status add_double(struct pz_idset *set, struct pz_idhash hash)
{
    struct part *doubles = &set->doubles;

    if (doubles->at == doubles->end && set->spare) {
        struct chunk *chunk = set->spare;

        set->spare = chunk->next;
        add_chunk(doubles, chunk);
    } else if (doubles->at == doubles->end && extend(set, doubles) != PZ_OK) {
        return PZ_ENOMEM;
    }
    *doubles->at++ = hash;
    set->double_count++;
    return PZ_OK;
}

static enum pz_status decide_one(struct pz_idset *set, struct pz_idhash hash,
                                 unsigned long long *lines)
{
    struct distinct *distinct = &set->distinct;
    uint32_t *slot = find(distinct, hash, lines == NULL);

    if (*slot == 0) {
        distinct->entries[distinct->count++] = hash;
        *slot = (uint32_t)distinct->count;
        return distinct->count < distinct->room ? PZ_OK : grow(distinct);
    }
    set->repeats++;
    if (lines) {
        note_line(lines, hash.high);
    } else if (!(*slot & MET_AGAIN)) {
        *slot |= MET_AGAIN;
        return add_double(set, hash);
    }
    return PZ_OK;
}

/* How many entries of a chunk are taken. */
static size_t used(const struct part *part, struct chunk *chunk)
{
    return chunk == part->last ? (size_t)(part->at - entries_of(chunk))
                               : chunk->room;
}

/* The part's first chunk, which is taken off it. */
static enum pz_status decide_chunk(struct pz_idset *set, struct part *part,
                                   unsigned long long *lines)
{
    struct chunk *chunk = part->first;
    size_t count = used(part, chunk);

    for (size_t i = 0; i < count; i++) {
        enum pz_status status = decide_one(set, entries_of(chunk)[i], lines);

        if (status != PZ_OK)
            return status;
    }
    part->first = chunk->next;
    chunk->next = set->spare;
    set->spare = chunk;
    return PZ_OK;
}

/* As much as takes no more than about a millisecond. */
static enum pz_status decide_parts(struct pz_idset *set,
                                   unsigned long long *lines)
{
    enum pz_status status = PZ_OK;

    for (size_t looked = 0; status == PZ_OK && looked < SLICE &&
                            set->deciding < PARTS; looked += CHUNK_FIRST) {
        struct part *part = &set->parts[set->deciding];

        if (part->first == NULL) {
            set->deciding++;
            clear(&set->distinct);
        } else {
            looked += part->first->room;
            status = decide_chunk(set, part, lines);
        }
    }
    return status;
}

enum pz_status
pz_idset_decide_lines(struct pz_idset *set, int *is_done,
                      unsigned long long lines[PZ_IDSET_LINES])
{
    enum pz_status status = PZ_OK;

    if (set->distinct.room == 0) {
        memset(lines, 0, PZ_IDSET_LINES * sizeof *lines);
        status = grow(&set->distinct);
    }
    if (status == PZ_OK)
        status = decide_parts(set, lines);
    *is_done = set->deciding == PARTS;
    return status;
}

/* -- The repeats --------------------------------------------------------- */

/* Room for all that are repeated. The ids are needed no more. */
static enum pz_status make_table(struct pz_idset *set)
{
    size_t size = set->double_count + set->double_count / 4 + 8;

    free_distinct(&set->distinct);
    set->table = get(set, size * sizeof *set->table);
    set->met = heap_get(size / 8 + 1);
    if (set->table == NULL || set->met == NULL)
        return PZ_ENOMEM;
    set->table_size = size;
    return PZ_OK;
}

/* Where the search begins: the higher half of a product, so that any size
   will do. */
static size_t table_home(const struct pz_idset *set, struct pz_idhash hash)
{
    return (size_t)((hash.high >> 32) * (uint64_t)set->table_size >> 32);
}

static size_t table_find(const struct pz_idset *set, struct pz_idhash hash)
{
    size_t at = table_home(set, hash);
    const struct pz_idhash *slot = &set->table[at];

    while ((slot->low | slot->high) != 0 &&
           (slot->low != hash.low || slot->high != hash.high)) {
        at = at + 1 < set->table_size ? at + 1 : 0;
        slot = &set->table[at];
    }
    return at;
}

static void fill_table(struct pz_idset *set)
{
    struct part *doubles = &set->doubles;

    for (size_t looked = 0; looked < SLICE && doubles->first;) {
        struct chunk *chunk = doubles->first;
        size_t count = used(doubles, chunk);

        for (size_t i = 0; i < count; i++)
            PREFETCH(&set->table[table_home(set, entries_of(chunk)[i])]);
        for (size_t i = 0; i < count; i++)
            set->table[table_find(set, entries_of(chunk)[i])] =
                entries_of(chunk)[i];
        doubles->first = chunk->next;
        looked += 4 * chunk->room;
    }
}

/* All slabs but the table's, which is the last one. */
static void free_ids(struct pz_idset *set)
{
    size_t last = set->slabs.len / sizeof(struct slab) - 1;
    struct slab table = *slab_at(set, last);

    set->slabs.len -= sizeof table;
    free_slabs(set);
    *slab_at(set, 0) = table;
    set->slabs.len = sizeof table;
    set->bytes = table.len;
    pz_free(set->parts);
    set->parts = NULL;
}

enum pz_status pz_idset_decide(struct pz_idset *set, int *is_done)
{
    enum pz_status status = PZ_OK;

    *is_done = set->is_decided;
    if (set->is_decided)
        return PZ_OK;
    if (set->deciding < PARTS) {
        if (set->distinct.room == 0)
            status = grow(&set->distinct);
        return status == PZ_OK ? decide_parts(set, NULL) : status;
    }
    if (set->table_size == 0)
        status = make_table(set);
    if (status == PZ_OK)
        fill_table(set);
    if (status == PZ_OK && set->doubles.first == NULL) {
        free_ids(set);
        *is_done = set->is_decided = 1;
    }
    return status;
}

unsigned long long pz_idset_repeats(const struct pz_idset *set)
{
    return set->repeats;
}

void pz_idset_prepare(const struct pz_idset *set, struct pz_idhash hash)
{
    PREFETCH(&set->table[table_home(set, hash)]);
}

int pz_idset_is_repeat(struct pz_idset *set, struct pz_idhash hash)
{
    size_t at = table_find(set, hash);
    int bit = 1 << (at % 8);

    if ((set->table[at].low | set->table[at].high) == 0)
        return 0; /* there is only one of it */
    if (set->met[at / 8] & bit)
        return 1;
    set->met[at / 8] |= (unsigned char)bit;
    return 0;
}
