#ifndef PZ_URI_H
#define PZ_URI_H
/*
 * URLs of endpoints, percent-encoding and path normalisation (RFC 3986).
 *
 * Knows syntax; refuses to know which service a URL belongs to.
 */
#include "pz_buf.h"

/* Parts of a URL, borrowed from its text. */
struct pz_uri {
    struct pz_slice scheme; /* "http" or "https" */
    struct pz_slice host;   /* IPv6 addresses keep their brackets */
    struct pz_slice port;   /* digits, or empty */
    struct pz_slice path;   /* empty, or from its '/' on */
};

/*
 * Takes http and https URLs with a host and no user, query or fragment: what
 * an endpoint may be. Everything that could end a header line or a host name
 * early is refused (PZ_EINVAL).
 */
PZ_MUST_USE enum pz_status pz_uri_parse(struct pz_uri *uri,
                                        struct pz_slice text);
/* The Host header: lower-case, the port left out where it is the default. */
PZ_MUST_USE enum pz_status
pz_uri_host(struct pz_buf *out, const struct pz_uri *uri);

/* Percent-encodes all but A-Z a-z 0-9 - _ . ~ and, on wish, '/'. */
PZ_MUST_USE enum pz_status
pz_uri_encode(struct pz_buf *out, struct pz_slice text, int keep_slash);
/* Decodes %XX; a lone '%' stays. */
PZ_MUST_USE enum pz_status
pz_uri_decode(struct pz_buf *out, struct pz_slice text);
/* Removes dot segments and repeated slashes; begins with '/'. */
PZ_MUST_USE enum pz_status
pz_uri_normalize(struct pz_buf *out, struct pz_slice path);

#endif
