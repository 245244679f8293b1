#ifndef PZ_ID_H
#define PZ_ID_H
/*
 * One user id: whether it can be one, and the one form in which it is sent.
 * And what a list of them can have wrong with it.
 *
 * Knows an id; refuses to know where it stands. No text here shows one.
 */
#include "pz_buf.h"

enum {
    PZ_ID_CHARACTERS = 256,
    PZ_ID_BYTES = 4 * PZ_ID_CHARACTERS,
    PZ_ID_WRITTEN = PZ_ID_BYTES + 3 /* two quotes and an LF */
};

#define PZ_ID_TOO_LONG "the id has more than 256 characters"

enum pz_csv_code {
    PZ_CSV_BAD_HEADER, PZ_CSV_BAD_COLUMN, PZ_CSV_BLANK, PZ_CSV_EMPTY,
    PZ_CSV_LENGTH, PZ_CSV_NUL, PZ_CSV_UTF8, PZ_CSV_QUOTE, PZ_CSV_COLUMNS,
    PZ_CSV_TYPE, PZ_CSV_CODES
};

/* "header", "column", ... */
const char *pz_csv_code_name(enum pz_csv_code code);

/* Whether an id can be one: NULL, or why not, with its code and the offset
   of the byte that is to blame. */
const char *pz_id_fault(enum pz_csv_code *code, size_t *at,
                        struct pz_slice id);
/* The id as a line of the list that is sent; its length. */
size_t pz_id_write(char out[PZ_ID_WRITTEN], struct pz_slice id);

#endif
