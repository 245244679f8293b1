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

/* The peer refused the handshake: because it demands a certificate of the
   client, or perhaps for that. */
void pz_failure_refused(struct pz_failure *f, const struct pz_peer *peer,
                        int demands_certificate);

#endif
