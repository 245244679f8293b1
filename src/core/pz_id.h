#ifndef PZ_ID_H
#define PZ_ID_H
/*
 * One user id: whether it can be one, whether it looks like a mistake, and the
 * one form in which it is sent. And what a list of them can have wrong with it.
 *
 * Knows an id; refuses to know where it stands. No text here shows one.
 */
#include "pz_buf.h"

enum {
    PZ_ID_CHARACTERS = 256,
    PZ_ID_BYTES = 4 * PZ_ID_CHARACTERS,
    PZ_ID_WRITTEN = PZ_ID_BYTES + 3 /* two quotes and an LF */
};

#define PZ_BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define PZ_ID_TOO_LONG "the id has more than 256 characters"

enum pz_csv_code {
    PZ_CSV_BAD_HEADER, PZ_CSV_BAD_COLUMN, PZ_CSV_BLANK, PZ_CSV_EMPTY,
    PZ_CSV_LENGTH, PZ_CSV_NUL, PZ_CSV_UTF8, PZ_CSV_QUOTE, PZ_CSV_COLUMNS,
    PZ_CSV_TYPE, PZ_CSV_LINE_END, PZ_CSV_BOM, PZ_CSV_RANGE, PZ_CSV_CODES
};

/* "header", "column", ... */
const char *pz_csv_code_name(enum pz_csv_code code);

/* Whether an id can be one: NULL, or why not, with its code and the offset
   of the byte that is to blame. */
const char *pz_id_fault(enum pz_csv_code *code, size_t *at,
                        struct pz_slice id);
/*
 * What makes an id look like a mistake, although Personalize may hold such
 * ids. In the order in which they are told.
 */
enum pz_oddity {
    PZ_ODD_SPACE,       /* white space at its start or end */
    PZ_ODD_CONTROL_END, /* a control character there */
    PZ_ODD_CONTROL,     /* one inside */
    PZ_ODD_INVISIBLE,   /* an invisible character anywhere */
    PZ_ODD_BLANK,       /* nothing but such characters */
    PZ_ODD_QUOTES,      /* it is all in quotes, which are part of it */
    PZ_ODD_HEADER,      /* it is the header's name */
    PZ_ODD_REPEAT,      /* it was there before */
    PZ_ODDITIES
};

/* "white_space", "control_at_end", ... */
const char *pz_oddity_name(enum pz_oddity oddity);

/* What is odd about an id that can be one, a bit (1 << PZ_ODD_...) each; of
   the characters only. */
unsigned pz_id_oddities(struct pz_slice id);
/* Is the line UTF-8, with no character that pz_id_oddities looks for? Said of
   lines that are not ASCII; a 0 may be wrong. */
int pz_id_is_plain(struct pz_slice line);
/* The id without what is odd at its ends: white space, control characters,
   invisible ones. Perhaps nothing. */
struct pz_slice pz_id_strip(struct pz_slice id);
/* Is it the header's name, white space and case aside? */
int pz_id_is_header(struct pz_slice id, struct pz_slice name);
/* Is one of its columns so, whatever separates them? */
int pz_id_has_header(struct pz_slice id, struct pz_slice name);

/* The id as a line of the list that is sent; its length. */
size_t pz_id_write(char out[PZ_ID_WRITTEN], struct pz_slice id);

#endif
