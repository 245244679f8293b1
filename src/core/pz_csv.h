#ifndef PZ_CSV_H
#define PZ_CSV_H
/*
 * The reader of lists of user ids, fed in pieces cut anywhere: RFC 4180 with
 * a header, or an id a line.
 *
 * Knows where an id begins and ends and whether it can be one; refuses to
 * know how often there is one, and where the bytes come from. What it says
 * about a fault never holds a word of the list.
 */
#include "pz_id.h"
#include "pz_run.h"

#define PZ_CSV_COLUMN "USER_ID"
#define PZ_CSV_HEADER PZ_CSV_COLUMN "\n"

enum { PZ_COLUMN_BYTES = 256 };

enum pz_csv_format { PZ_CSV_HEADED, PZ_CSV_LINES };

/* Where a fault is. Lines and columns count from 1; a column is a character
   of its line, bytes that are no UTF-8 aside. */
struct pz_csv_fault {
    enum pz_csv_code code;
    unsigned long long line, column;
    const char *message; /* a constant */
};

enum pz_csv_event {
    PZ_CSV_MORE,  /* the piece is used up; or at the end: there is no more */
    PZ_CSV_RUN,   /* 'lines' ids as they are to be written, in 'text' */
    PZ_CSV_ID,    /* one id, decoded, in 'text' */
    PZ_CSV_FAULT  /* 'fault', and so in 'times' lines one after the other */
};

/* Borrows its column's name; owns nothing, so a copy of it goes on from
   there. */
struct pz_csv {
    enum pz_csv_format format;
    struct pz_slice column; /* the name of the one to take; empty: USER_ID */
    char delimiter;         /* between columns; the caller may change it from
                               ',' before the first byte */
    int state;
    int is_over;            /* the header is wrong: the rest is not read */

    /* The last event. 'text' lasts until the next call. */
    struct pz_slice text;
    size_t lines;
    struct pz_csv_fault fault;
    unsigned long long times;
    unsigned long long start; /* offset of its first byte in the list */

    /* Where the reader is. */
    unsigned long long offset, line, column_at;
    unsigned long long blanks;   /* blank lines just before */
    size_t mark;                 /* bytes of a byte order mark */
    int header, header_found;    /* in it; of the column that is asked for */
    size_t columns, wanted;      /* as the header says */
    size_t field;
    int was_quoted, is_faulty, is_blank;
    unsigned long long field_line, field_column;
    size_t room_len;             /* one more than there is room: too long */
    char room[PZ_ID_BYTES];
};

/* 'column' needs format PZ_CSV_HEADED, and PZ_COLUMN_BYTES at most. */
void pz_csv_start(struct pz_csv *csv, enum pz_csv_format format,
                  struct pz_slice column);
/* Goes on as 'csv' would, but at the record at 'offset'. */
void pz_csv_resume(struct pz_csv *to, const struct pz_csv *csv,
                   unsigned long long offset);

/*
 * Reads on in *text, of which it takes away what it used. 'run' bounds a run
 * and may ask for its lines; NULL for no runs. 'room' is the longest run in
 * bytes.
 */
enum pz_csv_event pz_csv_next(struct pz_csv *csv, struct pz_slice *text,
                              struct pz_run *run, size_t room);
/* The same when there is nothing more to read; to be called until it answers
   PZ_CSV_MORE. */
enum pz_csv_event pz_csv_end(struct pz_csv *csv);

#endif
