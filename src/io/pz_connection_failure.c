/* See pz_connection_failure.h. */
#include "pz_connection_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pz_curl_library.h"
#include "pz_sys.h"
#include "pz_unknown_name.h"

#define TOO_MANY ": too many open files"

/* As many descriptors as a connection may need for a moment: its socket, those
   of a name look-up, a file of certificates. */
enum { NEEDED = 4 };

/* libcurl seldom tells when it gets no descriptor; so some are asked for. */
static int is_out_of_descriptors(void)
{
    int fds[NEEDED], have = 0, is_out = 0;

    while (have < NEEDED) {
        fds[have] = open("/dev/null", O_RDONLY);
        if (fds[have] < 0) {
            is_out = errno == EMFILE || errno == ENFILE;
            break;
        }
        have++;
    }
    while (have > 0)
        close(fds[--have]);
    return is_out;
}

/* The way there in words, for a fault that may be the proxy's. */
static const char *to_whom(const struct pz_place *place)
{
    return place->proxy.kind == PZ_PROXY_NONE
        ? "no connection to "
        : "no connection to the proxy on the way to ";
}

void pz_failure_unopened(struct pz_failure *f, const struct pz_peer *peer)
{
    pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, "no connection to ",
                     peer, is_out_of_descriptors()
                         ? TOO_MANY : ": not enough memory");
}

static const char *why_unconnected(const struct pz_connection *c)
{
    long code = c->socket_error;

    if (code == 0)
        (void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &code);
    switch ((int)code) {
    case ECONNREFUSED: return ": connection refused";
    case ENETUNREACH: return ": network unreachable";
    case EHOSTUNREACH: return ": host unreachable";
    case ECONNRESET: return ": connection reset";
    case EMFILE: case ENFILE: return TOO_MANY;
    case EACCES: case EPERM: return ": not permitted";
    case EADDRNOTAVAIL: return ": no local address left";
    }
    return is_out_of_descriptors() ? TOO_MANY : "";
}

static void fail_timeout(struct pz_failure *f, const struct pz_place *place,
                         const struct pz_patience *patience)
{
    double limit = patience->connect_timeout < patience->timeout
        ? patience->connect_timeout : patience->timeout;
    char after[48];

    snprintf(after, sizeof after, " within %.3f s", limit);
    pz_failure_blame(f, PZ_FAULT_TIMEOUT, 1, "no connection to ",
                     &place->peer, after);
}

static void fail_lookup(struct pz_failure *f, const struct pz_place *place,
                        const struct pz_patience *patience)
{
    double left = patience->deadline - pz_sys_monotonic();

    if (is_out_of_descriptors())
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, "no connection to ",
                         &place->peer, TOO_MANY);
    else if (left > 0 &&
             pz_unknown_name(place->peer.host, left < 1.0 ? left : 1.0))
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 0, "there is no host ",
                         &place->peer, "");
    else
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, "the name of ",
                         &place->peer, " could not be resolved");
}

/* ---- TLS --------------------------------------------------------------- */

/* About the TLS of a proxy that is spoken to by TLS itself, nothing tells
   whether it failed there or behind it. */
static void blame_tls(struct pz_failure *f, const struct pz_place *place,
                      int retryable, const char *words)
{
    pz_failure_blame(f, PZ_FAULT_TLS, retryable,
                     place->proxy.kind == PZ_PROXY_HTTPS
                         ? "the proxy, or " : "", &place->peer, words);
}

void pz_failure_refused(struct pz_failure *f, const struct pz_peer *peer,
                        int demands_certificate)
{
    pz_failure_blame(f, PZ_FAULT_TLS, 0, "", peer, demands_certificate
        ? " demands a certificate of the client, and this client has none"
        : " refused the TLS handshake by an alert; it may demand a "
          "certificate of the client, and this client has none");
}

static void fail_tls(struct pz_failure *f, const struct pz_place *place,
                     enum pz_tls_fault fault)
{
    switch (fault) {
    case PZ_TLS_CLOSED:
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, "", &place->peer,
                         " closed the connection during the TLS handshake");
        return;
    case PZ_TLS_PLAIN:
        blame_tls(f, place, 0, " does not speak TLS");
        return;
    case PZ_TLS_OLD:
        blame_tls(f, place, 0, " does not speak TLS 1.2 or later");
        return;
    case PZ_TLS_CLIENT:
    case PZ_TLS_REFUSED:
        pz_failure_refused(f, &place->peer, fault == PZ_TLS_CLIENT);
        return;
    case PZ_TLS_WRONG_NAME:
        blame_tls(f, place, 0, " has a certificate that is for another name");
        return;
    case PZ_TLS_NOT_YET:
        blame_tls(f, place, 0, " has a certificate that is not valid yet");
        return;
    case PZ_TLS_EXPIRED:
        blame_tls(f, place, 0, " has a certificate that has expired");
        return;
    case PZ_TLS_UNTRUSTED:
        blame_tls(f, place, 0, " has a certificate of an unknown CA; name "
                  "the CA file with the ca_bundle option or AWS_CA_BUNDLE");
        return;
    case PZ_TLS_NO_CA:
        if (is_out_of_descriptors())
            pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, "no connection to ",
                             &place->peer, TOO_MANY);
        else
            pz_failure_refuse(f, "the ca_bundle cannot be read: ",
                              place->ca_bundle.data ? place->ca_bundle.data
                                                    : "the system's");
        return;
    case PZ_TLS_FAILED:
    case PZ_TLS_NONE:
        pz_failure_blame(f, PZ_FAULT_TLS, 1, "the TLS handshake with ",
                         &place->peer, " failed");
        return;
    }
}

/* ---- what is left ------------------------------------------------------ */

/* A proxy answered to CONNECT, and not with 2xx. */
static void fail_refused(struct pz_failure *f, const struct pz_connection *c,
                         const struct pz_place *place)
{
    char after[240] = " is refused: ";
    size_t start = strlen(after);

    if (c->proxy_status == 407) {
        pz_proxy_refusal(after + start, sizeof after - start,
                         pz_buf_slice(&c->challenge),
                         place->proxy.userinfo.data != NULL);
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 0, "the way to ",
                         &place->peer, after);
        return;
    }
    pz_failure_blame(f, PZ_FAULT_CONNECTION, c->proxy_status >= 500,
                     "the way to ",
                     &place->peer, " is refused by the proxy");
}

void pz_failure_unconnected(struct pz_failure *f,
                            const struct pz_connection *c,
                            const struct pz_place *place,
                            const struct pz_patience *patience, int code,
                            int *wants_folder)
{
    enum pz_tls_fault tls = pz_curl_library_tls_fault(c->easy,
                                                      (CURLcode)code,
                                                      c->reason);

    *wants_folder = tls == PZ_TLS_UNTRUSTED && c->left_out_folder;
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        pz_failure_blame(f, PZ_FAULT_INTERRUPTED, 0,
                         "interrupted while connecting to ", &place->peer, "");
        return;
    case CURLE_OPERATION_TIMEDOUT:
        fail_timeout(f, place, patience);
        return;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        pz_failure_unopened(f, &place->peer);
        return;
    case CURLE_COULDNT_RESOLVE_HOST:
        if (!c->is_to_proxy) {
            fail_lookup(f, place, patience);
            return;
        }
        /* fall through */
    case CURLE_COULDNT_RESOLVE_PROXY:
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 0, "no way to ",
                         &place->peer,
                         ": the proxy's name could not be resolved");
        return;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        pz_failure_refuse(f, "the request has ", "a URL that is none");
        return;
    }
    if (c->proxy_status >= 300)
        fail_refused(f, c, place);
    else if (tls != PZ_TLS_NONE)
        fail_tls(f, place, tls);
    else
        pz_failure_blame(f, PZ_FAULT_CONNECTION, 1, to_whom(place),
                         &place->peer, why_unconnected(c));
}
