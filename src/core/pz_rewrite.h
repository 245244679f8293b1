#ifndef PZ_REWRITE_H
#define PZ_REWRITE_H
/*
 * Makes the bytes of a part again, from the input that it was checked in or
 * from what the sink had, and holds them against the hash that was taken then.
 *
 * The last bytes only come when the whole agrees: a body that ends early is no
 * body, so nothing else than what was checked can be sent. Knows a part and
 * how to read a list; refuses to know files.
 */
#include "pz_userlist.h"

/* The zero value may be freed. */
struct pz_rewrite {
    struct pz_slice input;     /* the caller's: what is to be read next */
    int is_last;               /* the caller's: nothing comes after it */
    const struct pz_userlist *list; /* borrowed */
    struct pz_part part;
    struct pz_hash *hash;
    unsigned long long left;   /* bytes to come, the header too */
    unsigned long long record; /* of the next line */
    int is_raw;                /* from the sink: the bytes as they are */
    struct pz_csv csv;
    size_t line_at, line_len;  /* what of 'line' is still to go out */
    char line[PZ_ID_WRITTEN];
};

/* Part 'index' from 0, which must be there, of a list that is finished; to be
   read only while that is as it is. Fails for memory. */
PZ_MUST_USE enum pz_status
pz_rewrite_init(struct pz_rewrite *rewrite, const struct pz_userlist *list,
                size_t index);
void pz_rewrite_free(struct pz_rewrite *rewrite);
/* To the first byte; the input then has to come from part.offset on. */
PZ_MUST_USE enum pz_status pz_rewrite_start(struct pz_rewrite *rewrite);

/*
 * Writes up to 'len' bytes, of which *made tells how many; takes from 'input'
 * what it used. Less than 'len' while 'left' is not 0 means that more input
 * is wanted. PZ_EINVAL: this is not what was checked; *made is 0.
 */
PZ_MUST_USE enum pz_status
pz_rewrite_read(struct pz_rewrite *rewrite, char *out, size_t len,
                size_t *made);

#endif
