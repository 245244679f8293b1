#ifndef PZ_RUN_H
#define PZ_RUN_H
/*
 * The fast look at a list: how many whole lines from here are already as we
 * would write them, so that they can be hashed and sent where they lie.
 *
 * Knows what a plain line is; refuses to know what is wrong with another.
 */
#include "pz_buf.h"

/* Below so many bytes nothing is looked at; the same is left at the end. */
enum { PZ_RUN_BLOCK = 64, PZ_RUN_ID_MAX = 256 };

/*
 * Lines, each of 1 to PZ_RUN_ID_MAX bytes of UTF-8 and an LF, without quote,
 * comma, control or invisible character, and without white space at an end.
 */
struct pz_run {
    size_t max_lines; /* in: no more than so many */
    size_t *ends;     /* in: NULL, or room for where each line's LF stands */
    struct pz_slice header; /* in: a line like that is no plain one */
    size_t lines;     /* out */
    size_t len;       /* out: bytes, LFs too */
};

/* The run that 'text' begins with; it may be empty. */
void pz_run_scan(struct pz_run *run, struct pz_slice text);

#endif
