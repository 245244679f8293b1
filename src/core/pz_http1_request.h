#ifndef PZ_HTTP1_REQUEST_H
#define PZ_HTTP1_REQUEST_H
/*
 * The head of an HTTP/1.1 request as bytes, and whom it is for.
 *
 * Knows what may not be sent; refuses to know bodies, except how long they
 * are, and who carries all that.
 */
#include "pz_buf.h"
#include "pz_uri.h"

/* Borrowed for the call. */
struct pz_http1_request {
    struct pz_slice method, url;
    struct pz_slice head;      /* "name: value\r\n" lines, goes out as it is */
    int has_body;
    unsigned long long length; /* of the body */
    int expects;               /* asks for a 100 before the body goes out */
    int is_for_proxy;          /* the request line names the whole URL */
    struct pz_slice proxy_authorization; /* and the proxy gets this; or empty */
};

/*
 * Appends the request's head, with its empty line, to 'out'. PZ_EINVAL: *fault
 * goes on from "the request has ". On PZ_OK the parts in 'uri' are borrowed
 * from the URL; pz_uri_host tells the authority.
 */
PZ_MUST_USE enum pz_status
pz_http1_request(struct pz_buf *out, struct pz_uri *uri, const char **fault,
                 const struct pz_http1_request *request);

/*
 * Appends a CONNECT for host (an IPv6 address in brackets) and port, with a
 * Proxy-Authorization where 'authorization' is not empty.
 */
PZ_MUST_USE enum pz_status
pz_http1_connect(struct pz_buf *out, const char **fault, struct pz_slice host,
                 unsigned port, struct pz_slice authorization);

/* The port of a URL that was parsed: its own, or its scheme's. */
unsigned pz_http1_port(const struct pz_uri *uri);

#endif
