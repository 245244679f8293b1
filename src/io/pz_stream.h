#ifndef PZ_STREAM_H
#define PZ_STREAM_H
/*
 * What is read once, from its beginning to its end: standard input, a pipe,
 * a terminal, a socket, or a file.
 *
 * Waits until there is something to read, however the descriptor is set, and
 * asks meanwhile whether it should go on. The end is the end and a failure is
 * a failure: one is never taken for the other.
 */
#include "../core/pz_buf.h"

enum { PZ_STREAM_NAME = 300, PZ_STREAM_MESSAGE = 512 };

/* What a path leads to. */
enum pz_stream_kind {
    PZ_STREAM_FILE,  /* a regular file, which can be read again */
    PZ_STREAM_ONCE,  /* a pipe, a terminal or a socket */
    PZ_STREAM_WRONG  /* something else, or nothing */
};

/* The zero value is closed. */
struct pz_stream {
    int is_open, fd; /* fd only while open */
    int is_at_end;
    char name[PZ_STREAM_NAME];
    char message[PZ_STREAM_MESSAGE]; /* after a failure: why */
};

/*
 * Opens nothing. *why is a constant or from strerror(), where the kind is
 * PZ_STREAM_WRONG. /dev/stdin and /dev/fd/N mean the descriptor.
 */
enum pz_stream_kind pz_stream_kind(const char *path, const char **why);

/* A descriptor for reading, from 3 up, or -1 with errno. Waits for nobody: a
   named pipe may have no writer yet. NULL is standard input. */
int pz_stream_open_path(const char *path);

/*
 * 0, or -1 with 'message' set. Opens as above. Standard input, and what else
 * was open already, is read from where it stands.
 */
PZ_MUST_USE int pz_stream_open(struct pz_stream *stream, const char *path);
/* Takes a closed one. Keeps the message. */
void pz_stream_close(struct pz_stream *stream);

enum pz_stream_result {
    PZ_STREAM_READ,        /* *got bytes; 0 at the end only */
    PZ_STREAM_FAILED,      /* 'message' tells why */
    PZ_STREAM_INTERRUPTED
};

/*
 * Reads what there is, up to 'len' bytes (1 or more), or waits for it.
 * interrupted(arg) is asked at least five times a second; it may be NULL.
 */
PZ_MUST_USE enum pz_stream_result
pz_stream_read(struct pz_stream *stream, char *out, size_t len, size_t *got,
               int (*interrupted)(void *arg), void *arg);

#endif
