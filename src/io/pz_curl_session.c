/*
 * libcurl's handle: made once for each process, told once what never changes
 * (HTTP/1.1, verified TLS 1.2 or later, no redirects, no cookies, no
 * credentials of its own finding, no signals), and what it calls back.
 * Knows libcurl's habits; refuses to know requests and what faults mean.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dladdr; clock_gettime under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_curl_parts.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../core/pz_head.h"
#include "pz_fork.h"

/* PREREQFUNCTION, told by libcurl whenever a request is about to go out. */
#if LIBCURL_VERSION_NUM >= 0x075000 && !defined(PZ_CURL_UNGUARDED)
#define HAVE_PREREQ 1
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global;
static unsigned int runtime; /* libcurl's version number */

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
    global = curl_global_init(CURL_GLOBAL_DEFAULT);
    runtime = curl_version_info(CURLVERSION_NOW)->version_num;
}

unsigned int pz_curl_runtime(void)
{
    return runtime;
}

const char *pz_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

/* ---- what libcurl calls ------------------------------------------------ */

/*
 * Sockets are opened here so that they are known (see 'abandon'), and closed
 * on exec. None is opened once a request of this exchange went out: that
 * would be libcurl's silent second try.
 */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct pz_curl *c = arg;
    int type = address->socktype;
    int s;

    (void)purpose;
    if (c->requests > 0 || c->socket_count == PZ_CURL_SOCKETS)
        return CURL_SOCKET_BAD;
#if defined(SOCK_CLOEXEC)
    type |= SOCK_CLOEXEC;
#endif
    s = socket(address->family, type, address->protocol);
    if (s < 0)
        return CURL_SOCKET_BAD;
#if !defined(SOCK_CLOEXEC)
    (void)fcntl(s, F_SETFD, FD_CLOEXEC);
#endif
    c->sockets[c->socket_count++] = s;
    return s;
}

static int on_close(void *arg, curl_socket_t s)
{
    struct pz_curl *c = arg;

    for (size_t i = 0; i < c->socket_count; i++) {
        if (c->sockets[i] == s) {
            c->sockets[i] = c->sockets[--c->socket_count];
            break;
        }
    }
    return close(s);
}

#if defined(HAVE_PREREQ)
/*
 * libcurl sends a request again by itself when a kept connection ends before
 * the answer; but the service may have done the first. Only one goes out.
 */
static int
on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct pz_curl *c = arg;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    return c->requests++ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
#endif

/*
 * Older libraries do not tell; they get every body through this reader, which
 * cannot be rewound, so that they cannot send it twice. What has no body they
 * may send twice; no create is among that.
 */
static size_t on_read(char *out, size_t size, size_t count, void *arg)
{
    struct pz_curl *c = arg;
    const struct pz_curl_source *source = c->request->source;
    unsigned long long left = pz_curl_length(c->request) - c->body_read;
    size_t len = size * count;
    long got;

    if (len > left)
        len = (size_t)left;
    if (len == 0)
        return 0;
    if (source) {
        got = source->read(source->arg, out, len);
        if (got <= 0 || (size_t)got > len) {
            c->broken = got < 0 ? source->fault(source->arg)
                                : "the body is shorter than it was said to be";
            return CURL_READFUNC_ABORT;
        }
        len = (size_t)got;
    } else {
        memcpy(out, c->request->body.data + (size_t)c->body_read, len);
    }
    c->body_read += len;
    return len;
}

/* To the start, where it still stands there. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    const struct pz_curl *c = arg;

    return origin == SEEK_SET && offset == 0 && c->body_read == 0
        ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static long status_of(struct pz_slice line)
{
    size_t at = pz_slice_find(line, ' ', 0);
    long status = 0;

    for (size_t i = at + 1; i < at + 4; i++) {
        if (i >= line.len || line.data[i] < '0' || line.data[i] > '9')
            return 0;
        status = status * 10 + (line.data[i] - '0');
    }
    return status;
}

/* One line of a head, of a 1xx head before it, or of the trailers. */
static size_t on_head(char *data, size_t size, size_t count, void *arg)
{
    struct pz_curl *c = arg;
    struct pz_slice line = { data, size * count };

    c->head_seen += line.len;
    c->head_lines++;
    if (c->head_seen > PZ_ANSWER_HEAD_MAX ||
        c->head_lines > PZ_ANSWER_LINES_MAX) {
        c->refused = "the answer's head is too large";
        return 0;
    }
    if (c->head_done)
        return line.len;
    if (pz_slice_starts(line, PZ_LIT("HTTP/"))) {
        pz_buf_clear(&c->head);
        c->status = status_of(line);
    }
    if (c->status < 200) {
        c->status = 0; /* not the answer yet */
        return line.len;
    }
    if (pz_slice_trim(line).len == 0) {
        c->head_done = 1;
        return line.len;
    }
    if (pz_buf_adds(&c->head, line) != PZ_OK) {
        c->refused = "not enough memory for the answer";
        return 0;
    }
    return line.len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct pz_curl *c = arg;
    struct pz_slice part = { data, size * count };
    enum pz_status status = pz_buf_adds(&c->body, part);

    if (status == PZ_OK)
        return part.len;
    c->refused = status == PZ_ETOOBIG ? "the answer's body is over 8 MiB"
                                      : "not enough memory for the answer";
    return 0;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    struct pz_curl *c = arg;
    const struct pz_exchange *request = c->request;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    if (request->interrupted && request->interrupted(request->arg))
        c->stopped = 1;
    return c->stopped;
}

/* ---- the session ------------------------------------------------------- */

/* Forgets what libcurl was told. */
static void untell(struct pz_curl *c)
{
    pz_buf_free(&c->method);
    pz_buf_free(&c->url);
    pz_buf_free(&c->ca_bundle);
    pz_buf_free(&c->proxy);
    c->shape = SHAPE_NONE;
    c->has_ca = 0;
    c->proxying = PROXY_UNSET;
    c->timeout_ms = c->connect_ms = c->slowest = c->slow_seconds = 0;
}

static void end(struct pz_curl *c)
{
    pz_curl_free(c);
    c->socket_count = 0;
    untell(c);
}

/*
 * In a forked child: the connections are the parent's, and a polite end of
 * TLS would end them there. So the child's ends lead nowhere first.
 */
void pz_curl_unplug(struct pz_curl *c)
{
    int null = open("/dev/null", O_RDWR);

    for (size_t i = 0; i < c->socket_count; i++) {
        if (null < 0 || dup2(null, c->sockets[i]) < 0)
            /* What is closed cannot be written to either. */
            close(c->sockets[i]);
    }
    if (null >= 0)
        close(null);
}

static void abandon(struct pz_curl *c)
{
    pz_curl_unplug(c);
    end(c);
}

double pz_curl_moment(void)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/*
 * What lies unread on a kept connection is not our answer: the server said
 * goodbye (TLS's close_notify), or gave up waiting (an unasked 408), or is
 * out of step. libcurl up to 7.88 takes any byte for a sign of life, sends
 * the request after it and reads that byte as the answer. So such a
 * connection is ended here, before anything is sent over it: read empty, so
 * that libcurl finds its end. (A late TLS session ticket looks the same; it
 * costs a handshake.) One that was used a moment ago is not looked at, which
 * saves a system call: such news would mostly be still under way.
 */
static void end_stale(struct pz_curl *c)
{
    char scrap[1024];

    if (pz_curl_moment() - c->idle_since < 0.01)
        return;
    for (size_t i = 0; i < c->socket_count; i++) {
        int s = c->sockets[i];

        if (recv(s, scrap, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
            continue;
        shutdown(s, SHUT_RDWR);
        for (int n = 0; n < 1024; n++)
            if (recv(s, scrap, sizeof scrap, MSG_DONTWAIT) <= 0)
                break;
    }
}

/* Everything that never changes. The strings and numbers behind these
   options are small; a refusal for want of memory shows in perform. */
static CURLcode configure(struct pz_curl *c)
{
    CURL *e = c->easy;
    CURLcode code = CURLE_OK;

#define SET(option, value) \
    do { \
        if (code == CURLE_OK) \
            code = curl_easy_setopt(e, option, value); \
    } while (0)

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x074000
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
#endif
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, (void *)c);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
    SET(CURLOPT_CLOSESOCKETDATA, (void *)c);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, (void *)c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, (void *)c);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, (void *)c);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_ERRORBUFFER, c->reason);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, (void *)c);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, (void *)c);
    SET(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
#undef SET
    if (code != CURLE_OK)
        return code;
    /* These may be unknown to an older library at run time. */
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name look-up that hangs is left to itself at the deadline. */
    (void)curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
    c->guarded = 0;
#if defined(HAVE_PREREQ)
    c->guarded =
        curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
        curl_easy_setopt(e, CURLOPT_PREREQDATA, (void *)c) == CURLE_OK;
#endif
    return CURLE_OK;
}

CURLcode pz_curl_ready(struct pz_curl *c)
{
    CURLcode code;

    if (c->easy && c->owner != pz_fork_id())
        abandon(c);
    if (c->easy) {
        end_stale(c);
        return CURLE_OK;
    }
    pthread_once(&once, start);
    if (global != CURLE_OK)
        return global;
    c->easy = curl_easy_init();
    if (c->easy == NULL)
        return CURLE_OUT_OF_MEMORY;
    c->owner = pz_fork_id();
    code = configure(c);
    if (code != CURLE_OK)
        end(c);
    return code;
}

void pz_curl_drop(struct pz_curl *c)
{
    if (c->easy && c->owner != pz_fork_id())
        abandon(c);
    else
        end(c);
}

CURLcode pz_curl_reset(struct pz_curl *c)
{
    curl_easy_reset(c->easy);
    untell(c);
    return configure(c);
}
