#ifndef PZ_CONNECTION_FAILURE_H
#define PZ_CONNECTION_FAILURE_H
/*
 * Why a connection could not be opened, out of what libcurl tells.
 */
#include "pz_connection.h"

/* There was no memory, or no descriptor, to begin with. */
void pz_failure_unopened(struct pz_failure *f, const struct pz_peer *peer);

/* 'code' is a CURLcode. *wants_folder: see pz_connection_open. */
void pz_failure_unconnected(struct pz_failure *f,
                            const struct pz_connection *c,
                            const struct pz_place *place,
                            const struct pz_patience *patience, int code,
                            int *wants_folder);

/* A demand for a client's certificate, which there is none of. */
void pz_failure_no_certificate(struct pz_failure *f,
                               const struct pz_peer *peer);

#endif
