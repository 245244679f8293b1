#ifndef PZ_SPELLING_H
#define PZ_SPELLING_H
/*
 * A text as it reads once its escapes are undone, byte by byte, with the
 * place where the text spells each.
 *
 * Knows percent escapes, HTML entities, backslash escapes, white space and
 * characters that are not seen. Refuses to know what is looked for.
 */
#include "pz_buf.h"

/* A byte as it is read, and where the text spells it: [from, to). */
struct pz_unit {
    size_t from, to;
    unsigned char c;
};

/* A view of a buffer of units, until it changes. */
struct pz_units {
    const struct pz_unit *at;
    size_t len;
};

struct pz_units pz_units_of(const struct pz_buf *buf);
/* Wipes what may be of a secret. Idempotent. */
void pz_units_free(struct pz_buf *buf);

/* Appends a unit for each byte. These and the next take an empty buffer. */
PZ_MUST_USE enum pz_status
pz_units_read(struct pz_buf *out, struct pz_slice text);

/* Appends the units with their escapes undone once; *count is how many. */
PZ_MUST_USE enum pz_status
pz_units_decode(struct pz_buf *out, struct pz_units u, size_t *count);

/* How texts are compared. */
enum pz_fold {
    PZ_FOLD_LOOSE, /* without white space, case, and signs that differ from
                      one spelling to another */
    PZ_FOLD_CLOSE  /* white space as one space */
};

/* Appends the units that count. What is not seen counts as white space. */
PZ_MUST_USE enum pz_status
pz_units_fold(struct pz_buf *out, struct pz_units u, enum pz_fold how);

/* Appends the bytes of 'text' as they are folded. */
PZ_MUST_USE enum pz_status
pz_fold_text(struct pz_buf *out, struct pz_slice text, enum pz_fold how);

#endif
