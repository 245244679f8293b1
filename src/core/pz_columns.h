#ifndef PZ_COLUMNS_H
#define PZ_COLUMNS_H
/*
 * The reader of a large CSV file of which a few columns matter: RFC 4180 with
 * a header, fed in pieces cut anywhere. It takes every column of one name.
 *
 * What could be read in two ways is a fault, and a fault ends the reading: a
 * field that went by unseen would be worse. Knows no id; asks for no memory.
 * What it says about a fault holds no word of the file but names of columns,
 * and these only where the first line is a header for sure.
 */
#include <stdint.h>

#include "pz_id.h"

enum {
    PZ_COLUMNS_TAKEN = 64,                /* of one name */
    PZ_COLUMNS_ROOM = 2 * PZ_ID_BYTES + 1,
    PZ_COLUMNS_NAMES = 512,               /* bytes */
    PZ_COLUMNS_HEADER_MOST = 1 << 20      /* bytes */
};

struct pz_columns_options {
    struct pz_slice name; /* kept by the caller; letter case and what
                             pz_id_strip takes away aside. Empty: USER_ID */
    char delimiter;       /* 0 means ',' */
    char escape;          /* of a quote in quotes: '"' or '\\'. With 0 it is
                             '"', and what would be another text with '\\'
                             is a fault */
    /*
     * A field of the index-th column that is taken, from 0, and the line in
     * which it begins. It lasts for the call. One of more than PZ_ID_BYTES
     * may be cut, to more than these. Answers 0 where it is not UTF-8, which
     * is a fault.
     */
    int (*take)(void *arg, size_t index, struct pz_slice field,
                unsigned long long line);
    void *take_arg;
};

struct pz_columns_fault {
    enum pz_csv_code code;
    unsigned long long line;
    const char *message; /* a constant; NULL: there is no fault */
    unsigned long long fields; /* of the line, where that is the fault */
};

/* Members up to 'fault' are for reading. */
struct pz_columns {
    unsigned long long rows; /* behind the header, blank lines not counted */
    unsigned long long line; /* where it is, from 1 */
    unsigned long long columns; /* of the header, once it was read */
    unsigned long long numbers[PZ_COLUMNS_TAKEN + 1]; /* of those that are
                                                         taken, from 0 */
    size_t taken;
    int lacks_end;    /* the last line has no LF */
    char other;       /* a delimiter with which it would have the column */
    char names[PZ_COLUMNS_NAMES]; /* of columns, where it lacks the one */
    size_t names_len;
    int has_more_names;
    int is_header;    /* one of them is a name that nobody else has */
    struct pz_columns_fault fault;

    struct pz_columns_options options;
    int is_over;      /* at the end, or because of a fault */
    int state, is_in_header;
    char head[3];     /* bytes; they tell what kind of file it is */
    size_t head_len;
    unsigned long long header_len;
    /* The field. */
    unsigned long long field, field_line, quote_line;
    size_t next;      /* of 'numbers', the next one to come */
    int is_taken, was_quoted;
    size_t from;      /* where it goes on in this piece */
    size_t stop;      /* where it ended, once that is known */
    size_t expected;  /* where its quote or CR has to be followed */
    int is_begun;     /* it has bytes in earlier pieces */
    unsigned slashes; /* '\\' at the end of the earlier pieces: odd or even */
    size_t room_len;
    int is_cut;       /* there were more than the room has */
    char room[PZ_COLUMNS_ROOM];
};

void pz_columns_start(struct pz_columns *columns,
                      const struct pz_columns_options *options);
/* The next piece; nothing is done once there was a fault. */
void pz_columns_feed(struct pz_columns *columns, struct pz_slice text);
/* There is no more. */
void pz_columns_end(struct pz_columns *columns);

#endif
