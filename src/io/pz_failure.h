#ifndef PZ_FAILURE_H
#define PZ_FAILURE_H
/*
 * Why there is no answer: what kind of fault it was, whether bytes were sent,
 * and a sentence that names the peer and nothing that was sent.
 *
 * Knows how faults are told; refuses to know where they come from.
 */
#include "../core/pz_buf.h"

enum pz_fault {
    PZ_FAULT_NONE = 0,
    PZ_FAULT_CONFIG,      /* the request cannot be sent as it is */
    PZ_FAULT_CONNECTION,  /* no connection, or it ended without an answer */
    PZ_FAULT_TIMEOUT,
    PZ_FAULT_TLS,
    PZ_FAULT_RESPONSE,    /* an answer began, and is not one */
    PZ_FAULT_INTERRUPTED,
    PZ_FAULT_SOURCE,      /* the body's source failed */
    PZ_FAULT_ENDED        /* the caller's progress function said so */
};

struct pz_failure {
    enum pz_fault fault;
    int sent;      /* bytes of the request may have reached the peer */
    int retryable; /* the same request may succeed if sent again */
    char message[360];
};

/* Whom a failure names: a host as its URL has it, and the port. */
struct pz_peer {
    struct pz_slice host;
    unsigned port;
};

/* A fault of the peer's or of the way there: 'before', host and port, then
   'after'. Answers the fault. */
enum pz_fault
pz_failure_blame(struct pz_failure *f, enum pz_fault fault, int retryable,
                 const char *before, const struct pz_peer *peer,
                 const char *after);

/* The request itself is at fault: no host is to blame. */
enum pz_fault pz_failure_refuse(struct pz_failure *f, const char *before,
                                const char *what);

#endif
