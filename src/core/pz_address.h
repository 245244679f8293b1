#ifndef PZ_ADDRESS_H
#define PZ_ADDRESS_H
/*
 * Internet addresses as text and as bytes, and the networks they are in.
 *
 * Knows how IPv4 and IPv6 addresses are written; refuses to know names.
 */
#include "pz_buf.h"

struct pz_address {
    unsigned char bytes[16];
    unsigned bits; /* 32 or 128 */
};

/* Reads "127.0.0.1", "::1" or "[::1]"; 0 where the text is no address. */
int pz_address_parse(struct pz_address *out, struct pz_slice text);

/* Are the first 'bits' of both the same? */
int pz_address_shares(const struct pz_address *a, const struct pz_address *b,
                      unsigned bits);

#endif
