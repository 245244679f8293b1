#ifndef PZ_CURL_LIBRARY_H
#define PZ_CURL_LIBRARY_H
/*
 * The libcurl that is loaded, from 7.62 on: everything in which one version
 * of it differs from another, or one TLS library below it from another.
 *
 * Knows versions, options and words of libcurl; refuses to know what a
 * connection is for.
 */
#include <curl/curl.h>
#include <signal.h>

/* Starts libcurl, once for the process; 0 where it cannot be. */
int pz_curl_library_start(void);

/* Such as "7.88.1"; constant text. */
const char *pz_curl_library_version(void);

/*
 * May one multi handle have several connections? From 7.87 on it keeps the
 * certificates of a bundle read, which takes 40 ms of CPU otherwise; before
 * 7.85 a connection would outlive its easy handle in there.
 */
int pz_curl_library_shares(void);

/* Sets the options that not every version has. */
void pz_curl_library_configure(CURL *easy);

/* What to trust, the proxy included: 'file' in place of the system's. The
   system's folder of certificates is left out where its bundle will do, unless
   'with_folder'; answers 1 in *left_out then. */
CURLcode pz_curl_library_trust(CURL *easy, const char *file, int with_folder,
                               int *left_out);

/* Waits until something happens on one of the connections, or so long. */
CURLMcode pz_curl_library_wait(CURLM *multi, int ms);

/* SIGPIPE, held back around everything that may write to a connection. */
struct pz_pipe_guard {
    int held, pending;
    sigset_t mask;
};
void pz_curl_library_hold_pipe(struct pz_pipe_guard *guard);
void pz_curl_library_release_pipe(struct pz_pipe_guard *guard);

/* What a failure in TLS was, as far as libcurl tells. */
enum pz_tls_fault {
    PZ_TLS_NONE = 0,       /* it was none of TLS's */
    PZ_TLS_FAILED,         /* a handshake that failed otherwise */
    PZ_TLS_CLOSED,         /* the peer closed the connection meanwhile */
    PZ_TLS_PLAIN,          /* the peer does not speak TLS */
    PZ_TLS_OLD,            /* it does not speak TLS 1.2 or later */
    PZ_TLS_CLIENT,         /* it demands a certificate from the client */
    PZ_TLS_REFUSED,        /* it refused the handshake, perhaps for that */
    PZ_TLS_WRONG_NAME,
    PZ_TLS_NOT_YET,
    PZ_TLS_EXPIRED,
    PZ_TLS_UNTRUSTED,
    PZ_TLS_NO_CA           /* the file of trusted certificates is unreadable */
};

/* Of the code and libcurl's own words about it. */
enum pz_tls_fault
pz_curl_library_tls_fault(CURL *easy, CURLcode code, const char *reason);

/* The same where a connection ended before its first answer: with TLS 1.3 the
   peer refuses a handshake after it has ended for the client. PZ_TLS_CLIENT,
   PZ_TLS_REFUSED or PZ_TLS_NONE. */
enum pz_tls_fault
pz_curl_library_late_fault(CURL *easy, const char *reason);

#endif
