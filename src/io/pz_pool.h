#ifndef PZ_POOL_H
#define PZ_POOL_H
/*
 * Connections that are kept, each for exactly the place that it was opened to.
 *
 * Knows when one may be used again, and what a fork changes; refuses to know
 * what goes over them.
 *
 * A pool belongs to one thread at a time. It may be taken over a fork: the
 * child then opens connections of its own and leaves the parent's alone.
 */
#include "pz_connection.h"

#define PZ_POOL_MAX 8

/* The zero value is an empty pool. */
struct pz_pool {
    struct pz_connection *kept[PZ_POOL_MAX]; /* the last used one first */
    size_t count;
    void *multi;         /* libcurl's, that they share; NULL: each its own */
    unsigned long owner; /* a pz_fork_id */
    int with_folder;     /* of certificates: the bundle did not do once */
};

/* A request's wish for a connection; its texts are followed by a NUL. */
struct pz_wish {
    int is_https;
    struct pz_peer peer;
    struct pz_slice address;   /* data NULL: looked up; else no proxy either */
    struct pz_slice ca_bundle; /* data NULL: the system's */
    struct pz_slice proxy;     /* data NULL: the environment's; "": none */
    int direct;                /* never a proxy */
};

/*
 * A connection for the wish: a kept one that is alive, with *is_fresh 0, or
 * one that is opened now. It is the caller's until pz_pool_keep or
 * pz_pool_drop. NULL with the failure.
 */
struct pz_connection *
pz_pool_take(struct pz_pool *pool, const struct pz_wish *wish,
             const struct pz_patience *patience, struct pz_failure *failure,
             int *is_fresh);

/* Keeps a connection over which another request can go; ends the one that was
   kept longest where there are too many. 'now' is of the monotonic clock. */
void pz_pool_keep(struct pz_pool *pool, struct pz_connection *c, double now);
/* Ends one. */
void pz_pool_drop(struct pz_pool *pool, struct pz_connection *c);

/* Was the pool taken over a fork? Then what is kept in it was the parent's,
   and so is a connection that was taken before. */
int pz_pool_is_foreign(const struct pz_pool *pool);

/* Ends all that are kept; the pool may be used again. Idempotent; harmless in
   a forked child. */
void pz_pool_close(struct pz_pool *pool);

#endif
