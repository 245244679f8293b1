#ifndef PZ_CONNECTION_H
#define PZ_CONNECTION_H
/*
 * One connection, opened by libcurl (names, proxies, TCP, verified TLS) and
 * then used byte by byte. It never blocks but in pz_connection_open and
 * pz_connection_wait.
 *
 * Knows sockets and libcurl's CURLOPT_CONNECT_ONLY; refuses to know what goes
 * over it, and when it is used again.
 *
 * A connection belongs to one thread at a time. A forked child must not use
 * it, or end it: pz_connection_abandon is for that.
 */
#include <sys/types.h>

#include "../core/pz_proxy.h"
#include "pz_failure.h"

/* Where it leads, and how. Borrowed for the call. */
struct pz_place {
    int is_https;
    struct pz_peer peer;
    struct pz_slice address;   /* connected to in place of what the name stands
                                  for; data NULL: looked up */
    struct pz_slice ca_bundle; /* followed by a NUL; data NULL: the system's */
    struct pz_proxy proxy;
};

/* How long, and who may end it before. */
struct pz_patience {
    double began, deadline; /* of all of it, on the monotonic clock */
    double timeout, connect_timeout; /* as they were asked for, in seconds */
    int (*interrupted)(void *arg); /* non-zero: end at once; may be NULL */
    void *arg;
};

struct pz_connection {
    void *easy, *multi;    /* libcurl's; its header stays out of this one */
    int has_multi;         /* of its own */
    int socket;            /* -1 until it is there */
    dev_t device;          /* which file that is */
    ino_t inode;
    /* For a request in absolute form: the peer is a proxy, which gets this
       header where it is not empty. */
    int is_to_proxy;
    struct pz_buf authorization;

    /* of its opening */
    int socket_error;      /* errno, where a socket could not be had */
    int left_out_folder;   /* of the system's certificates */
    long proxy_status;     /* of the answer to CONNECT; 0: none */
    struct pz_buf challenge; /* its Proxy-Authenticate */
    size_t head_seen, head_lines;
    char reason[256];      /* libcurl's own words; read, never shown */

    /* for who keeps it */
    struct pz_buf key;
    double idle_since;
};

/*
 * Opens one. 'multi' is a multi handle to share, or NULL. Answers NULL with
 * the failure; *wants_folder is set where it may be that the system's folder of
 * certificates, which was left out, has what is missing.
 */
struct pz_connection *
pz_connection_open(const struct pz_place *place, void *multi, int with_folder,
                   const struct pz_patience *patience,
                   struct pz_failure *failure, int *wants_folder);

enum pz_io {
    PZ_IO_DONE,   /* *n bytes were moved, at least one */
    PZ_IO_AGAIN,  /* none now: wait */
    PZ_IO_END,    /* the peer has ended it */
    PZ_IO_BROKEN
};

/* What is not sent at once must be offered again from the same place. */
enum pz_io pz_connection_send(struct pz_connection *c, const char *data,
                              size_t len, size_t *n);
enum pz_io
pz_connection_receive(struct pz_connection *c, char *out, size_t len,
                      size_t *n);

enum { PZ_READABLE = 1, PZ_WRITABLE = 2 };

/* Waits up to so many milliseconds; answers which of the two it is, or 0. TLS
   may hold bytes back that this does not see: receive first. */
int pz_connection_wait(struct pz_connection *c, int what, int ms);

/* Can a request go out over it? Not where there is news on it that nobody
   asked for: an end, a late answer. */
int pz_connection_is_alive(struct pz_connection *c);

/* Did the peer end it by refusing the handshake, after all? Then the failure
   says so. */
int pz_connection_is_refused(const struct pz_connection *c,
                             const struct pz_peer *peer,
                             struct pz_failure *failure);

/*
 * Ends it and frees it. 0: it cannot be, because its descriptor is another
 * file's by now, into which TLS would write its goodbye. Then it and its multi
 * handle are lost, which is better; neither may be used again.
 */
PZ_MUST_USE int pz_connection_end(struct pz_connection *c);

/*
 * In a forked child: closes this process's copy of the socket and frees the
 * struct. What libcurl and TLS hold is left alone, so that nothing of it is
 * sent over the parent's connection.
 */
void pz_connection_abandon(struct pz_connection *c);

#endif
