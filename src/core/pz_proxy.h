#ifndef PZ_PROXY_H
#define PZ_PROXY_H
/*
 * Which proxy lies on the way to a host, and what its refusal means. Every
 * transport goes by these rules.
 *
 * Knows URLs of proxies, the variables that name them and NO_PROXY; refuses to
 * know the environment and how a proxy is spoken to.
 */
#include "pz_buf.h"

enum pz_proxy_kind {
    PZ_PROXY_NONE = 0, /* the host is connected to directly */
    PZ_PROXY_HTTP,
    PZ_PROXY_HTTPS,
    PZ_PROXY_SOCKS
};

/* Borrowed from the text that names it. */
struct pz_proxy {
    enum pz_proxy_kind kind;
    struct pz_slice scheme;   /* constant text: "http", "socks5h", ... */
    struct pz_slice host;     /* IPv6 addresses keep their brackets */
    unsigned port;
    struct pz_slice userinfo; /* percent-encoded; data NULL: none */
};

/* Values of variables; data NULL: not set. That one is set to nothing makes a
   difference. */
struct pz_proxy_variables {
    struct pz_slice http_proxy; /* HTTP_PROXY is not read: in CGI, it is a
                                   header that a client sends */
    struct pz_slice https_proxy, HTTPS_PROXY;
    struct pz_slice all_proxy, ALL_PROXY;
    struct pz_slice no_proxy, NO_PROXY;
};

/* Whom a request is for. */
struct pz_proxy_target {
    int is_https;
    struct pz_slice host; /* as a URL has it */
    unsigned port;
};

/*
 * Reads the URL of a proxy. The scheme may be missing, white space may stand
 * around it, and nothing at all is no proxy. PZ_EINVAL: it is none that can
 * be used.
 */
#define PZ_PROXY_WRONG \
    "the proxy is none: it has to be a URL like http://HOST:PORT"
PZ_MUST_USE enum pz_status
pz_proxy_parse(struct pz_proxy *proxy, struct pz_slice text);

/* Appends "Basic ..." for a proxy with a user; nothing for another. */
PZ_MUST_USE enum pz_status
pz_proxy_authorization(struct pz_buf *out, const struct pz_proxy *proxy);

/* The text that the variables give for a target; the empty slice for none. A
   variable in small letters goes before the same one in capitals, even where
   it is set to nothing: so the AWS CLI does. */
struct pz_slice
pz_proxy_choose(const struct pz_proxy_target *target,
                const struct pz_proxy_variables *variables);

/*
 * Is the target among the exceptions of a NO_PROXY list? An entry is "*", a
 * domain (with all below it), an address, or a network such as 10.0.0.0/8;
 * domains and addresses may have a port. Commas or white space divide them.
 */
int pz_proxy_is_excepted(const struct pz_proxy_target *target,
                         struct pz_slice list);

/*
 * Why a proxy answered 407, as text that goes on from "the way to HOST is
 * refused: ". 'challenge' is its Proxy-Authenticate header, of which only the
 * names of known schemes are shown; 'given' where it had been sent a user and
 * a password.
 */
void pz_proxy_refusal(char *out, size_t size, struct pz_slice challenge,
                      int given);

#endif
