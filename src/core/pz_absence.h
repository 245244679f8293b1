#ifndef PZ_ABSENCE_H
#define PZ_ABSENCE_H
/*
 * How often the ids of a list stand in a CSV file, column by column.
 *
 * Knows counts and lines; refuses to know files. No id of the list or the file
 * is kept but as its hash.
 */
#include "pz_columns.h"
#include "pz_idtable.h"

enum { PZ_ABSENCE_LINES = 5, PZ_ABSENCE_BATCH = 64 };

/* Fields, and the lines of the first ones. */
struct pz_matches {
    unsigned long long count, lines[PZ_ABSENCE_LINES];
};

struct pz_absence_column {
    unsigned long long fields; /* those that are empty not counted */
    struct pz_matches found;   /* they are an id of the list */
    struct pz_matches near;    /* nearly; see pz_idtable */
};

/* Members up to 'counts' are for reading. */
struct pz_absence {
    struct pz_columns reader;
    struct pz_absence_column counts[PZ_COLUMNS_TAKEN];

    struct pz_idtable *table;
    /* Fields that are looked up together, so that memory is waited for once. */
    size_t waiting;
    struct {
        struct pz_idhash hash;
        unsigned long long line;
        size_t index;
    } batch[PZ_ABSENCE_BATCH];
};

/* 'options' of pz_columns, whose 'take' is filled in. The table is borrowed;
   with NULL nothing is looked for. The struct must not be moved. */
void pz_absence_start(struct pz_absence *absence, struct pz_idtable *table,
                      const struct pz_columns_options *options);
/* The next piece of the file; counts are complete after each. */
void pz_absence_feed(struct pz_absence *absence, struct pz_slice text);
/* There is no more. */
void pz_absence_end(struct pz_absence *absence);

#endif
