#ifndef PZ_USERLIST_H
#define PZ_USERLIST_H
/*
 * A list of user ids on its way to be sent: checked, freed of repeats where
 * asked, cut into parts, each with its SHA-256, in one pass over input that
 * may come in any pieces. Only a list that has repeats to be dropped is read
 * once more, since the last id may be a repeat of the first.
 *
 * A part is its header USER_ID and an id a line; where its ids come from in
 * the input is noted, so that pz_rewrite can make the same bytes again.
 * Knows ids and parts; refuses to know files.
 */
#include "pz_crypto.h"
#include "pz_csv.h"
#include "pz_idset.h"

enum {
    PZ_FAULTS_KEPT = 100, /* of each code */
    PZ_LINES_KEPT = PZ_IDSET_LINES, /* of each oddity */
    PZ_COUNTED_MOST = 1 << 20, /* ids among which repeats are counted */
    PZ_LIST_BATCH = 256,       /* lines that are hashed at a time */
    PZ_PARTS_MAX = 9999,  /* as many as a job's name has digits for */
    PZ_PART_MIN = sizeof PZ_CSV_HEADER /* header and one byte */
};

struct pz_userlist_options {
    enum pz_csv_format format;
    struct pz_slice column; /* kept by the caller; see pz_csv_start */
    char delimiter;         /* of columns; 0 means ',' */
    int unique;             /* drop repeats */
    int count_repeats;      /* or only count them */
    unsigned char key[PZ_IDSET_KEY_LEN]; /* random, for either */
    const struct pz_idset_memory *memory; /* see pz_idset_new */
    unsigned long long part_size; /* bytes, its header too; from PZ_PART_MIN */
    /* Where what is to be sent goes, without headers; NULL: nowhere, as it can
       be made again. What it answers but PZ_OK ends the pass. */
    enum pz_status (*sink)(void *arg, struct pz_slice bytes);
    void *sink_arg;
    /* Gets the ids, repeats too, once each: 'count' of them, which end before
       'ends' and have a byte in between. Those of a list with faults may be
       missing. NULL where nobody wants them. */
    enum pz_status (*each)(void *arg, const char *text, const size_t *ends,
                           size_t count);
    void *each_arg;
};

struct pz_part {
    unsigned long long users, bytes;
    unsigned char sha256[PZ_SHA256_LEN];
    /* Of its first id: the offset in the input (or in what the sink had), and
       how many ids, repeats too, stand before it. */
    unsigned long long offset, record;
};

/* Ids that look like a mistake: how many, and the first lines (of ids one by
   one: which of them) that have one. */
struct pz_warning {
    unsigned long long count, lines[PZ_LINES_KEPT];
};

enum pz_userlist_stage {
    PZ_LIST_READING,  /* takes input */
    PZ_LIST_DECIDING, /* has it, and finds out about repeats */
    PZ_LIST_AGAIN,    /* takes the same input once more */
    PZ_LIST_FINISHED
};

/* The zero value is an empty list that takes no input. Members up to 'csv'
   are for reading. */
struct pz_userlist {
    enum pz_userlist_stage stage;
    unsigned long long users, duplicates, bytes;
    struct pz_buf parts;  /* struct pz_part */
    struct pz_buf faults; /* struct pz_csv_fault, as they come in the list */
    unsigned long long fault_count, fault_counts[PZ_CSV_CODES];
    struct pz_warning warnings[PZ_ODDITIES];
    struct pz_buf dropped; /* a bit a record, 1 for a repeat; may end early */
    int has_uncounted_repeats; /* there are too many ids, or no memory */
    int has_too_many_parts;

    struct pz_csv csv;
    struct pz_userlist_options options;
    struct pz_hash *hash;
    struct pz_idset *set;
    struct pz_buf pending; /* written, not yet hashed or sunk */
    size_t ends[PZ_LIST_BATCH]; /* of the lines of a run */
    unsigned long long records, sunk;
    int has_part; /* the last of 'parts' is being filled */
    int is_overfull; /* more parts than there may be, with repeats in them */
};

/* Fails for memory or PZ_ECRYPTO; then as freed. */
PZ_MUST_USE enum pz_status
pz_userlist_init(struct pz_userlist *list,
                 const struct pz_userlist_options *options);
void pz_userlist_free(struct pz_userlist *list);

/*
 * The next piece of a list in the format. What is wrong with the list is no
 * failure but noted in 'faults'; PZ_ETOOBIG is more than PZ_PARTS_MAX parts.
 */
PZ_MUST_USE enum pz_status
pz_userlist_feed(struct pz_userlist *list, struct pz_slice text);
/* One id, whatever the format. */
PZ_MUST_USE enum pz_status
pz_userlist_add(struct pz_userlist *list, struct pz_slice id);
/* In the place of an id that is none. */
PZ_MUST_USE enum pz_status
pz_userlist_add_fault(struct pz_userlist *list, enum pz_csv_code code,
                      const char *message);
/* How many bytes the whole input has, once some were fed: repeats are then
   not counted in what is too much for it. */
void pz_userlist_expect(struct pz_userlist *list, unsigned long long total);

/* There is no more input. */
PZ_MUST_USE enum pz_status pz_userlist_end(struct pz_userlist *list);
/* Goes on for about a millisecond while the stage is PZ_LIST_DECIDING. */
PZ_MUST_USE enum pz_status pz_userlist_decide(struct pz_userlist *list);
/*
 * All of that, for a caller who has the time. With faults there are no parts
 * once the stage is PZ_LIST_FINISHED. If it is PZ_LIST_AGAIN, all input has to
 * be fed once more, or what the sink had in its place, and then this called.
 */
PZ_MUST_USE enum pz_status pz_userlist_finish(struct pz_userlist *list);

/* Nothing more will be read: the header is wrong. */
int pz_userlist_is_over(const struct pz_userlist *list);

size_t pz_userlist_part_count(const struct pz_userlist *list);
/* From 0; NULL where there is none. Lasts until the list is used. */
const struct pz_part *
pz_userlist_part(const struct pz_userlist *list, size_t index);
size_t pz_userlist_faults_kept(const struct pz_userlist *list);
const struct pz_csv_fault *
pz_userlist_fault(const struct pz_userlist *list, size_t index);

/* Is the record of that number, from 0, a repeat? */
int pz_userlist_is_dropped(const struct pz_userlist *list,
                           unsigned long long record);

#endif
