#ifndef PZ_HTTP1_H
#define PZ_HTTP1_H
/*
 * The answer to one HTTP/1.1 request (RFC 9112), read from whatever pieces
 * arrive: how they are cut changes nothing about the outcome.
 *
 * Knows where an answer ends, and refuses one about which two readers could
 * be of two minds; refuses to know sockets, time and what was asked for,
 * except by which method.
 */
#include "pz_buf.h"

/* What is wrong with an answer. */
enum pz_http1_fault {
    PZ_HTTP1_SOUND = 0,
    PZ_HTTP1_NONE,      /* the connection ended before any line of one */
    PZ_HTTP1_CUT,
    PZ_HTTP1_MALFORMED,
    PZ_HTTP1_LARGE      /* over a limit of pz_head.h; it would come again */
};

/* Which part of the answer comes next. */
enum pz_http1_part {
    PZ_HTTP1_STATUS_LINE = 0, PZ_HTTP1_HEADER, PZ_HTTP1_BODY,
    PZ_HTTP1_TO_CLOSE, PZ_HTTP1_CHUNK_SIZE, PZ_HTTP1_CHUNK,
    PZ_HTTP1_CHUNK_END, PZ_HTTP1_TRAILER, PZ_HTTP1_DONE, PZ_HTTP1_FAILED
};

/* pz_http1_init makes one; everything in it is the reader's own. */
struct pz_http1 {
    enum pz_http1_part part;
    enum pz_http1_fault fault;
    const char *message;  /* of the fault: constant text about "the answer",
                             without a byte of it */
    int status;           /* of the final head; 0: none was seen whole */

    /* The final head, then the body, then the line under way. */
    struct pz_buf bytes;
    size_t head_len, line_from;

    unsigned long long left; /* of the body, of the chunk, of its line end */
    size_t head_seen, head_lines; /* of all heads and trailers */
    int is_head, is_connect;

    /* of the head under way */
    int code, minor, has_length, is_chunked, says_close, says_keep;
    unsigned long long length;
};

/* 'method' is looked at and not kept. */
void pz_http1_init(struct pz_http1 *r, struct pz_slice method);

/*
 * The next bytes. PZ_OK: all were taken, and part tells whether the answer is
 * done; PZ_ENOMEM; else fault and message tell why it is none. Bytes after the
 * end of an answer make it none. A reader that failed stays failed.
 */
PZ_MUST_USE enum pz_status
pz_http1_feed(struct pz_http1 *r, struct pz_slice bytes);

/* The connection ended; 'broken' where that was no end that the peer made.
   PZ_OK where the answer is done. */
PZ_MUST_USE enum pz_status pz_http1_finish(struct pz_http1 *r, int broken);

/* Of an answer that is done: borrowed until the next call. */
struct pz_slice pz_http1_head(const struct pz_http1 *r);
struct pz_slice pz_http1_body(const struct pz_http1 *r);
/* Can the connection be used on? For another request, or as the tunnel that
   was asked for. */
int pz_http1_is_reusable(const struct pz_http1 *r);

/* Wipes and gives back the bytes; what else is known stays. Idempotent. */
void pz_http1_free(struct pz_http1 *r);

#endif
