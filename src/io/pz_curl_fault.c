/*
 * What an exchange's end means: whose fault, whether to try again, and how to
 * say it without showing anything that was sent.
 * Knows libcurl's codes; refuses to know what is done about a fault.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* getaddrinfo, clock_gettime under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_curl_parts.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- names that do not exist ------------------------------------------- */

/*
 * libcurl has one word for a name that does not exist and a resolver that
 * does not answer; but only the second is worth another try. So after a
 * failure the resolver is asked once more, in a thread, since it may take
 * its time, and only so long: what it did not say by then is not known.
 */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int users, done, code;
    char host[256];
};

static void leave(struct lookup *look) /* with the lock held */
{
    int last = --look->users == 0;

    pthread_mutex_unlock(&look->lock);
    if (last) {
        pthread_cond_destroy(&look->answered);
        pthread_mutex_destroy(&look->lock);
        pz_free(look);
    }
}

static void *look_up(void *arg)
{
    struct lookup *look = arg;
    struct addrinfo hints, *found = NULL;
    int code;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    code = getaddrinfo(look->host, NULL, &hints, &found);
    if (code == 0)
        freeaddrinfo(found);
    pthread_mutex_lock(&look->lock);
    look->code = code;
    look->done = 1;
    pthread_cond_signal(&look->answered);
    leave(look);
    return NULL;
}

static int start_thread(struct lookup *look)
{
    sigset_t all, mask;
    pthread_t thread;
    int code;

    /* The program's signals are for its own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    code = pthread_create(&thread, NULL, look_up, look);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (code == 0)
        pthread_detach(thread);
    return code;
}

/* 1 when the resolver says within 'seconds' that there is no such name. */
static int is_unknown_name(struct pz_slice host, double seconds)
{
    struct lookup *look;
    struct timespec end;
    int unknown;

    if (host.len >= sizeof look->host ||
        (look = pz_alloc(sizeof *look)) == NULL)
        return 0;
    memset(look, 0, sizeof *look);
    memcpy(look->host, host.data, host.len);
    pthread_mutex_init(&look->lock, NULL);
    pthread_cond_init(&look->answered, NULL);
    look->users = 2;
    if (start_thread(look) != 0) {
        look->users = 1;
        look->done = 1;
    }
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += (long)(seconds * 1e9);
    end.tv_sec += end.tv_nsec / 1000000000L;
    end.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&look->lock);
    while (!look->done)
        if (pthread_cond_timedwait(&look->answered, &look->lock, &end) != 0)
            break;
    unknown = look->done && look->code == EAI_NONAME;
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    unknown = unknown || (look->done && look->code == EAI_NODATA);
#endif
    leave(look);
    return unknown;
}

/* ---- the outcome ------------------------------------------------------- */

/* Host and port of a URL, without user and password; 'port' is text that
   the scheme stands for where the URL names none. */
static struct pz_slice peer_of(struct pz_slice url, const char **port)
{
    size_t from = pz_slice_starts(url, PZ_LIT("https://")) ? 8 : 7;
    size_t to = from;
    struct pz_slice peer;
    size_t colon;

    while (to < url.len && !strchr("/?#", url.data[to])) {
        if (url.data[to] == '@')
            from = to + 1;
        to++;
    }
    peer = pz_slice_sub(url, from, to);
    /* In "[::1]:8443" only what follows the bracket is a port. */
    colon = pz_slice_find(peer, ']', 0);
    colon = pz_slice_find(peer, ':', colon == peer.len ? 0 : colon);
    *port = colon < peer.len ? ""
        : url.data[4] == 's' ? ":443" : ":80";
    if (peer.len > 128)
        peer.len = 128;
    return peer;
}

enum pz_fault
pz_blame(struct pz_curl *c, enum pz_fault fault, int retryable,
         const char *before, const char *after)
{
    const char *port;
    struct pz_slice peer = peer_of(c->request->url, &port);

    c->fault = fault;
    c->retryable = retryable;
    snprintf(c->message, sizeof c->message, "%s%.*s%s%s", before,
             (int)peer.len, peer.data, port, after);
    return fault;
}

enum pz_fault
pz_refuse(struct pz_curl *c, const char *before, const char *what)
{
    c->fault = PZ_FAULT_CONFIG;
    snprintf(c->message, sizeof c->message, "%s%s", before, what);
    return c->fault;
}

/* libcurl names whom it could not connect to; is that another than asked? */
static int is_proxy_to_blame(const struct pz_curl *c)
{
    static const char words[] = "Failed to connect to ";
    const char *named = strstr(c->reason, words);
    const char *port;
    struct pz_slice host = peer_of(c->request->url, &port);

    host.len = pz_slice_find(host, ':', 0);
    return named != NULL &&
        strncmp(named + sizeof words - 1, host.data, host.len) != 0;
}

static const char *why_unconnected(const struct pz_curl *c)
{
    long code = 0;

    (void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &code);
    switch ((int)code) {
    case ECONNREFUSED: return ": connection refused";
    case ENETUNREACH: return ": network unreachable";
    case EHOSTUNREACH: return ": host unreachable";
    case ECONNRESET: return ": connection reset";
    case EMFILE: case ENFILE: return ": too many open files";
    case EACCES: case EPERM: return ": not permitted";
    case EADDRNOTAVAIL: return ": no local address left";
    }
    return "";
}

static int says(const struct pz_curl *c, const char *words)
{
    return strstr(c->reason, words) != NULL;
}

static enum pz_fault fail_unverified(struct pz_curl *c)
{
    const char *why = " has a certificate of an unknown CA; name the CA file "
                      "with the ca_bundle option or AWS_CA_BUNDLE";
    long code = 0;

    (void)curl_easy_getinfo(c->easy, CURLINFO_SSL_VERIFYRESULT, &code);
    /* OpenSSL's numbers, which do not change. Of the other reasons the
       unknown CA is the one that needs a hint. */
    if (says(c, "target host name"))
        why = " has a certificate that is for another name";
    else if (code == 9)
        why = " has a certificate that is not valid yet";
    else if (code == 10)
        why = " has a certificate that has expired";
    return pz_blame(c, PZ_FAULT_TLS, 0, "", why);
}

static enum pz_fault fail_handshake(struct pz_curl *c)
{
    if (says(c, "SSL_ERROR_SYSCALL") || says(c, "unexpected eof") ||
        says(c, "Recv failure") || says(c, "Send failure"))
        return pz_blame(c, PZ_FAULT_CONNECTION, 1, "",
                        " closed the connection during the TLS handshake");
    if (says(c, "wrong version number") || says(c, "http request"))
        return pz_blame(c, PZ_FAULT_TLS, 0, "", " does not speak TLS");
    if (says(c, "protocol version") || says(c, "unsupported protocol"))
        return pz_blame(c, PZ_FAULT_TLS, 0, "",
                        " does not speak TLS 1.2 or later");
    return pz_blame(c, PZ_FAULT_TLS, 1, "the TLS handshake with ", " failed");
}

static enum pz_fault fail_lookup(struct pz_curl *c)
{
    const char *port;
    struct pz_slice host = peer_of(c->request->url, &port);
    double spent = 0, left;

    (void)curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME, &spent);
    left = c->request->timeout - spent;
    host.len = pz_slice_find(host, ':', 0);
    if (left > 0 && is_unknown_name(host, left < 1.0 ? left : 1.0))
        return pz_blame(c, PZ_FAULT_CONNECTION, 0, "there is no host ", "");
    return pz_blame(c, PZ_FAULT_CONNECTION, 1, "the name of ",
                    " could not be resolved");
}

static enum pz_fault fail_timeout(struct pz_curl *c)
{
    char after[80];
    int connecting = !c->sent && c->connect_ms < c->timeout_ms;
    long ms = connecting ? c->connect_ms : c->timeout_ms;
    const char *missing = "no answer from ";

    if (says(c, "too slow")) {
        snprintf(after, sizeof after, " moved less than %ld bytes a second "
                 "for %ld s", c->slowest, c->slow_seconds);
        return pz_blame(c, PZ_FAULT_TIMEOUT, 1, "the exchange with ", after);
    }
    if (!c->sent)
        missing = "no connection to ";
    else if (c->status)
        missing = "no complete answer from ";
    snprintf(after, sizeof after, " within %ld.%03ld s", ms / 1000, ms % 1000);
    return pz_blame(c, PZ_FAULT_TIMEOUT, 1, missing, after);
}

/* Before the request went out. */
static enum pz_fault fail_early(struct pz_curl *c, CURLcode code)
{
    long connect = 0;

    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return fail_timeout(c);
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail_lookup(c);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return pz_blame(c, PZ_FAULT_CONNECTION, 0, "no way to ",
                        ": the proxy's name could not be resolved");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return fail_unverified(c);
    case CURLE_SSL_CACERT_BADFILE:
        return pz_refuse(c, "the ca_bundle cannot be read: ",
                         c->has_ca ? c->request->ca_bundle.data
                                   : "the system's");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return fail_handshake(c);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return pz_refuse(c, "the request has ", "a URL that is none");
    case CURLE_LOGIN_DENIED:
        return pz_refuse(c, "the request has ", "a user name in its URL");
    default:
        break;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
    if (connect == 407)
        return pz_blame(c, PZ_FAULT_CONNECTION, 0, "the way to ",
                        " is refused: the proxy wants a password");
    if (connect >= 300)
        return pz_blame(c, PZ_FAULT_CONNECTION, connect >= 500, "the way to ",
                        " is refused by the proxy");
    if (is_proxy_to_blame(c))
        return pz_blame(c, PZ_FAULT_CONNECTION, 1,
                        "no connection to the proxy on the way to ",
                        why_unconnected(c));
    return pz_blame(c, PZ_FAULT_CONNECTION, 1, "no connection to ",
                    why_unconnected(c));
}

/* Did an answer begin? The 100 that was waited for is none. */
static int has_answered(const struct pz_curl *c)
{
    return c->status || (c->head_seen > 0 && !pz_curl_expects(c->request));
}

enum pz_fault pz_curl_judge(struct pz_curl *c, CURLcode code)
{
    if (c->ended)
        return pz_blame(c, PZ_FAULT_ENDED, 0, "ended while asking ", "");
    if (code == CURLE_OK && c->head_done)
        return PZ_FAULT_NONE;
    if (c->broken) {
        c->fault = PZ_FAULT_SOURCE;
        snprintf(c->message, sizeof c->message, "%s", c->broken);
        return c->fault;
    }
    if (c->stopped)
        return pz_blame(c, PZ_FAULT_INTERRUPTED, 0, "interrupted while asking ",
                        "");
    if (!c->sent && code == CURLE_OUT_OF_MEMORY)
        return pz_blame(c, PZ_FAULT_CONNECTION, 0, "not enough memory to ask ",
                        "");
    if (!c->sent)
        return fail_early(c, code);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail_timeout(c);
    if (c->refused) {
        /* An answer of this size would come again. */
        pz_blame(c, PZ_FAULT_RESPONSE, 0, "", ": ");
        strncat(c->message, c->refused,
                sizeof c->message - strlen(c->message) - 1);
        return c->fault;
    }
    switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK:
        if (!has_answered(c))
            return pz_blame(c, PZ_FAULT_CONNECTION, 1, "",
                            " closed the connection without an answer");
        break;
    case CURLE_OUT_OF_MEMORY:
        return pz_blame(c, PZ_FAULT_RESPONSE, 0, "",
                        ": the answer's head is too large");
    default:
        break;
    }
    return pz_blame(c, PZ_FAULT_RESPONSE, 1, "the answer of ",
                    " is cut or malformed");
}
