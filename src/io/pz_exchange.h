#ifndef PZ_EXCHANGE_H
#define PZ_EXCHANGE_H
/*
 * One HTTP/1.1 exchange over a connection of a pool: a request goes out once,
 * and its answer, or the reason why there is none, comes back.
 *
 * Knows when to send, to read and to give up; refuses to know how an answer is
 * read (pz_http1), what is asked, whether it is asked again, and Lua.
 */
#include "../core/pz_http1.h"
#include "pz_pool.h"

/* A body that is read while it goes out, once and in order. The functions may
   block as a file does. */
struct pz_body_source {
    unsigned long long length;
    /* 1 to len bytes; 0 at the end, which is a fault before 'length'; -1 for
       a fault. */
    long (*read)(void *arg, char *out, size_t len);
    const char *(*fault)(void *arg); /* never NULL */
    void *arg;
};

/* A request. Everything is borrowed for the call; ca_bundle and proxy are
   followed by a NUL, as Lua's strings are. */
struct pz_exchange {
    struct pz_slice method, url;
    struct pz_slice head;      /* "name: value\r\n" lines, goes out as it is */
    struct pz_slice body;      /* data NULL: none */
    const struct pz_body_source *source; /* in place of 'body'; or NULL */
    struct pz_slice ca_bundle; /* a file; data NULL: the system's */
    struct pz_slice proxy;     /* data NULL: the environment's; "": none */
    struct pz_slice address;   /* to connect to, in place of what the URL's
                                  host stands for, and by no proxy; data NULL:
                                  the name is looked up */
    int direct;                /* never a proxy */
    double timeout, connect_timeout; /* seconds */
    /* Less than 'slowest' bytes a second, either way, for so many seconds are
       a timeout. 0: no such limit. */
    long slowest, slow_seconds;
    /* Asked at least once a second; non-zero ends the exchange. May be NULL. */
    int (*interrupted)(void *arg);
    /* Told at least four times a second, and after the end of an exchange that
       went well, how many bytes of the body are on their way. It may take its
       time; but it has to return. Non-zero ends the exchange. May be NULL. */
    int (*progress)(void *arg, unsigned long long sent);
    void *arg;
};

/* What became of it: where failure.fault is PZ_FAULT_NONE, an answer that is
   done. The zero value is an empty one. */
struct pz_outcome {
    struct pz_failure failure;
    struct pz_http1 answer; /* its status is known even of one that is cut */
    struct pz_buf bytes;    /* that went out; secret */
};

/* Makes the exchange. The outcome is the caller's to free. */
enum pz_fault pz_exchange_make(struct pz_pool *pool, struct pz_outcome *out,
                               const struct pz_exchange *exchange);

/* The version of the libcurl in use, such as "7.88.1"; constant text. */
const char *pz_exchange_library(void);

/* Wipes and gives back all bytes. Idempotent. */
void pz_outcome_free(struct pz_outcome *out);

#endif
