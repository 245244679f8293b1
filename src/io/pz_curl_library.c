/* See pz_curl_library.h for what this knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dladdr, pthread_sigmask, nanosleep under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_curl_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode started;
static unsigned int version; /* of the library at run time: 0x075800 */

/*
 * libcurl's state is global and its name look-ups run in threads that may
 * outlast a deadline. So it is set up once for the process, whatever the
 * number of Lua states, and its code stays mapped when the last of them
 * unloads this library.
 */
static void start(void)
{
#if defined(RTLD_NODELETE) && defined(RTLD_NOLOAD)
    Dl_info info;

    if (dladdr((void *)&once, &info) && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
    started = curl_global_init(CURL_GLOBAL_DEFAULT);
    version = curl_version_info(CURLVERSION_NOW)->version_num;
}

int pz_curl_library_start(void)
{
    (void)pthread_once(&once, start);
    return started == CURLE_OK;
}

const char *pz_curl_library_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

int pz_curl_library_shares(void)
{
    return version >= 0x075700;
}

/* ---- options ----------------------------------------------------------- */

void pz_curl_library_configure(CURL *easy)
{
    /* Improvements: an older library at run time does not know them. */
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name look-up that hangs is left to itself at the deadline. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* A bundle that was replaced is seen after ten minutes. */
    (void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 600L);
#else
    (void)easy;
#endif
}

/* Has the system a folder of certificates besides a bundle that can be
   read? */
static int has_needless_folder(CURL *easy)
{
    char *file = NULL, *folder = NULL;

#if LIBCURL_VERSION_NUM >= 0x075400
    (void)curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
    (void)curl_easy_getinfo(easy, CURLINFO_CAPATH, &folder);
#else
    (void)easy;
#endif
    return folder && file && access(file, R_OK) == 0;
}

CURLcode pz_curl_library_trust(CURL *easy, const char *file, int with_folder,
                               int *left_out)
{
    CURLcode code = CURLE_OK;

    *left_out = 0;
    if (file) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, file);
        /* Not every libcurl can speak to a proxy by TLS. */
        (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, file);
    } else if (with_folder || !pz_curl_library_shares() ||
               !has_needless_folder(easy)) {
        return CURLE_OK;
    } else {
        *left_out = 1;
    }
    /* Not every TLS library has folders. */
    (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    return code;
}

/* ---- waiting ----------------------------------------------------------- */

CURLMcode pz_curl_library_wait(CURLM *multi, int ms)
{
#if LIBCURL_VERSION_NUM >= 0x074200
    return curl_multi_poll(multi, NULL, 0, ms, NULL);
#else
    /* It returns at once where there is no descriptor yet to wait for. */
    struct timespec moment = { 0, 10000000 };
    CURLMcode code;
    int count = 0;

    code = curl_multi_wait(multi, NULL, 0, ms, &count);
    if (code == CURLM_OK && count == 0)
        (void)nanosleep(&moment, NULL);
    return code;
#endif
}

/*
 * Up to 7.86 libcurl wrote TLS with write(), and leaves SIGPIPE to whoever
 * forbids it signals. There it is held back, and taken if it came.
 */
void pz_curl_library_hold_pipe(struct pz_pipe_guard *guard)
{
    sigset_t pipe, now;

    guard->held = 0;
    if (version >= 0x075700)
        return;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&now);
    sigpending(&now);
    guard->pending = sigismember(&now, SIGPIPE);
    guard->held = pthread_sigmask(SIG_BLOCK, &pipe, &guard->mask) == 0;
}

void pz_curl_library_release_pipe(struct pz_pipe_guard *guard)
{
    sigset_t pipe, now;
    int caught;

    if (!guard->held)
        return;
    sigemptyset(&now);
    sigpending(&now);
    if (!guard->pending && sigismember(&now, SIGPIPE)) {
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigwait(&pipe, &caught);
    }
    pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
}

/* ---- what went wrong with TLS ------------------------------------------ */

static int says(const char *reason, const char *const *words)
{
    for (; *words; words++)
        if (strstr(reason, *words))
            return 1;
    return 0;
}

/* The peer's certificate. libcurl has one code for all that can be wrong
   with it, and older ones none that can be relied upon. */
static enum pz_tls_fault certificate_fault(CURL *easy, const char *reason)
{
    static const char *const names[] = {
        "subject name", "common name", "IP address mismatch",
        "hostname mismatch", NULL
    };
    static const char *const expired[] = {
        "certificate has expired", "expiration date has passed", NULL
    };
    static const char *const early[] = {
        "not yet valid", "not yet activated", "activation date", NULL
    };
    long number = 0; /* OpenSSL's, or GnuTLS's bits from 512 on */

    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &number);
    if (number == 10 || says(reason, expired) ||
        (number >= 512 && number & 1024))
        return PZ_TLS_EXPIRED;
    if (number == 9 || says(reason, early) || (number >= 512 && number & 512))
        return PZ_TLS_NOT_YET;
    if (says(reason, names))
        return PZ_TLS_WRONG_NAME;
    return PZ_TLS_UNTRUSTED;
}

/* OpenSSL's and GnuTLS's words, from 1.1.1 to 3.6 and 3.7. */
static enum pz_tls_fault handshake_fault(CURL *easy, const char *reason)
{
    static const char *const certificates[] = {
        "certificate verify failed", "certificate problem",
        "verification failed", NULL
    };
    static const char *const closed[] = {
        "SSL_ERROR_SYSCALL", "unexpected eof", "Recv failure", "Send failure",
        "SSL_ERROR_ZERO_RETURN", "Connection reset", "Broken pipe",
        "non-properly terminated", "Error in the pull function",
        "Error in the push function", NULL
    };
    static const char *const plain[] = {
        "wrong version number", "http request", "unknown protocol",
        "packet length too long", "unexpected TLS packet", NULL
    };
    static const char *const old[] = {
        "protocol version", "unsupported protocol", "unsupported version",
        NULL
    };
    static const char *const client[] = { "certificate required", NULL };
    static const char *const refused[] = {
        "alert handshake failure", "alert bad certificate",
        "alert access denied", "alert certificate unknown",
        "alert unknown ca", "Handshake failed",
        "fatal alert has been received", NULL
    };

    if (says(reason, certificates))
        return certificate_fault(easy, reason);
    if (says(reason, old))
        return PZ_TLS_OLD;
    if (says(reason, plain))
        return PZ_TLS_PLAIN;
    if (says(reason, client))
        return PZ_TLS_CLIENT;
    if (says(reason, refused))
        return PZ_TLS_REFUSED;
    return says(reason, closed) ? PZ_TLS_CLOSED : PZ_TLS_FAILED;
}

enum pz_tls_fault
pz_curl_library_tls_fault(CURL *easy, CURLcode code, const char *reason)
{
    switch ((int)code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case 51: /* the same, before 7.62 */
    case CURLE_SSL_ISSUER_ERROR:
        return certificate_fault(easy, reason);
    case CURLE_SSL_CACERT_BADFILE:
        return PZ_TLS_NO_CA;
    case 98: /* SSL_CLIENTCERT, since 7.77 */
        return PZ_TLS_CLIENT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return handshake_fault(easy, reason);
    default:
        return PZ_TLS_NONE;
    }
}

enum pz_tls_fault
pz_curl_library_late_fault(CURL *easy, const char *reason)
{
    enum pz_tls_fault fault = handshake_fault(easy, reason);

    return fault == PZ_TLS_CLIENT || fault == PZ_TLS_REFUSED
        ? fault : PZ_TLS_NONE;
}
