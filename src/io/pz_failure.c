/* See pz_failure.h. */
#include "pz_failure.h"

#include <stdio.h>

#define HOST_MAX 128

enum pz_fault
pz_failure_blame(struct pz_failure *f, enum pz_fault fault, int retryable,
                 const char *before, const struct pz_peer *peer,
                 const char *after)
{
    size_t len = peer->host.len < HOST_MAX ? peer->host.len : HOST_MAX;

    f->fault = fault;
    f->retryable = retryable;
    snprintf(f->message, sizeof f->message, "%s%.*s:%u%s", before, (int)len,
             len > 0 ? peer->host.data : "", peer->port, after);
    return fault;
}

enum pz_fault pz_failure_refuse(struct pz_failure *f, const char *before,
                                const char *what)
{
    f->fault = PZ_FAULT_CONFIG;
    f->retryable = 0;
    snprintf(f->message, sizeof f->message, "%s%s", before, what);
    return f->fault;
}
