/*
 * What libcurl is told, once: HTTP/1.1, verified TLS 1.2 or later, no
 * redirects, no cookies, no credentials of its own finding, no signals.
 * Per call: where, what, and how long. See pz_curl.h for what this file
 * knows and refuses to know.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dladdr */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_curl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../core/pz_text.h"
#include "pz_fork.h"

/* PREREQFUNCTION, told by libcurl whenever a request is about to go out. */
#if LIBCURL_VERSION_NUM >= 0x075000 && !defined(PZ_CURL_UNGUARDED)
#define HAVE_PREREQ 1
#endif

/* How libcurl is set up for the method. */
enum shape { SHAPE_NONE, SHAPE_PLAIN, SHAPE_HEAD, SHAPE_BODY };
/* And for the proxy. */
enum { PROXY_UNSET, PROXY_ENVIRONMENT, PROXY_GIVEN, PROXY_NEVER };

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

const char *pz_curl_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

void pz_curl_init(struct pz_curl *c)
{
    memset(c, 0, sizeof *c);
    c->head = (struct pz_buf)PZ_BUF_SECRET(PZ_CURL_HEAD_MAX);
    c->body = (struct pz_buf)PZ_BUF_SECRET(PZ_CURL_BODY_MAX);
    c->lines.secret = 1;
    c->proxy.secret = 1; /* its URL may hold a password */
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

/* Older libraries do not tell; they get the body through a reader that
   cannot be rewound, so that they cannot send it twice. */
static size_t on_read(char *out, size_t size, size_t count, void *arg)
{
    struct pz_curl *c = arg;
    size_t len = size * count;
    size_t left = c->request->body.len - c->body_read;

    if (len > left)
        len = left;
    if (len > 0)
        memcpy(out, c->request->body.data + c->body_read, len);
    c->body_read += len;
    return len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
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
    if (c->head_seen > PZ_CURL_HEAD_MAX ||
        c->head_lines > PZ_CURL_LINES_MAX) {
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

/*
 * Up to 7.86 libcurl wrote TLS with write(), and leaves SIGPIPE to whoever
 * forbids it signals. There it is held back, and taken if it came.
 */
struct pipe_guard {
    int held, pending;
    sigset_t mask;
};

static void hold_pipe(struct pipe_guard *guard)
{
    sigset_t pipe, now;

    guard->held = 0;
    if (runtime >= 0x075700)
        return;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&now);
    sigpending(&now);
    guard->pending = sigismember(&now, SIGPIPE);
    guard->held = pthread_sigmask(SIG_BLOCK, &pipe, &guard->mask) == 0;
}

static void release_pipe(struct pipe_guard *guard)
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
    c->timeout_ms = c->connect_ms = 0;
}

static void drop(struct pz_curl *c)
{
    struct pipe_guard guard;

    if (c->easy) {
        hold_pipe(&guard);
        curl_easy_cleanup(c->easy);
        release_pipe(&guard);
    }
    c->easy = NULL;
    c->socket_count = 0;
    untell(c);
}

/*
 * In a forked child: the connections are the parent's, and a polite end of
 * TLS would end them there. So the child's ends lead nowhere first.
 */
static void abandon(struct pz_curl *c)
{
    int null = open("/dev/null", O_RDWR);

    for (size_t i = 0; i < c->socket_count; i++) {
        if (null < 0 || dup2(null, c->sockets[i]) < 0)
            /* What is closed cannot be written to either. */
            close(c->sockets[i]);
    }
    if (null >= 0)
        close(null);
    drop(c);
}

/*
 * What lies unread on a kept connection is not our answer: the server said
 * goodbye (TLS's close_notify), or gave up waiting (an unasked 408), or is
 * out of step. libcurl up to 7.88 takes any byte for a sign of life, sends
 * the request after it and reads that byte as the answer. So such a
 * connection is ended here, before anything is sent over it: read empty, so
 * that libcurl finds its end. (A late TLS session ticket looks the same; it
 * costs a handshake.)
 */
static void end_stale(struct pz_curl *c)
{
    char scrap[1024];

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

static CURLcode ready(struct pz_curl *c)
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
        drop(c);
    return code;
}

/* ---- the request ------------------------------------------------------- */

/* A copy of what libcurl was told, to see when it is told the same. */
static CURLcode keep(struct pz_buf *kept, struct pz_slice s)
{
    pz_buf_clear(kept);
    return pz_buf_adds(kept, s) == PZ_OK ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static int same(const struct pz_buf *kept, struct pz_slice s)
{
    return kept->len > 0 && pz_slice_eq(pz_buf_slice(kept), s);
}

static int is_token(struct pz_slice s)
{
    return s.len > 0 && pz_is_visible(s) && pz_slice_find(s, ':', 0) == s.len;
}

static int is_text(struct pz_slice s) /* no NUL inside */
{
    return s.len == 0 || memchr(s.data, 0, s.len) == NULL;
}

/* What libcurl would add by itself, unless told not to. */
static char no_accept[] = "Accept:";
static char no_expect[] = "Expect:";
static char no_type[] = "Content-Type:";

enum { NO_ACCEPT, NO_EXPECT, NO_TYPE, NO_COUNT };

/* Looks at a header that libcurl takes to heart. */
static const char *
judge_header(struct pz_slice name, struct pz_slice value,
             const struct pz_exchange *request, char **missing)
{
    unsigned long len;

    switch (name.len) {
    case 6:
        if (pz_slice_ieq(name, PZ_LIT("accept")))
            missing[NO_ACCEPT] = NULL;
        else if (pz_slice_ieq(name, PZ_LIT("expect")))
            missing[NO_EXPECT] = NULL;
        break;
    case 12:
        if (pz_slice_ieq(name, PZ_LIT("content-type")))
            missing[NO_TYPE] = NULL;
        break;
    case 14:
        if (pz_slice_ieq(name, PZ_LIT("content-length")) &&
            (!pz_decimal(value, &len) || len != request->body.len))
            return "a Content-Length that is not the body's";
        break;
    case 17:
        if (pz_slice_ieq(name, PZ_LIT("transfer-encoding")))
            return "a Transfer-Encoding, which is the transport's own matter";
        break;
    }
    return NULL;
}

static enum pz_status want_nodes(struct pz_curl *c, size_t count)
{
    struct curl_slist *nodes;

    if (count <= c->node_count)
        return PZ_OK;
    nodes = pz_alloc(count * sizeof *nodes);
    if (nodes == NULL)
        return PZ_ENOMEM;
    pz_free(c->nodes);
    c->nodes = nodes;
    c->node_count = count;
    return PZ_OK;
}

/*
 * Lays the head out as the list that libcurl reads: one copy of the text,
 * cut in place, and an array of nodes, instead of two allocations a line.
 * Answers what is wrong with it, or NULL.
 */
static const char *
lay_head(struct pz_curl *c, const struct pz_exchange *request)
{
    char *missing[NO_COUNT] = { no_accept, no_expect, no_type };
    struct pz_slice all = request->head;
    size_t lines = 0, n = 0;

    for (size_t at = 0; at < all.len; lines++)
        at = pz_slice_find(all, '\n', at) + 1;
    pz_buf_clear(&c->lines);
    if (want_nodes(c, lines + NO_COUNT + 1) != PZ_OK ||
        pz_buf_adds(&c->lines, all) != PZ_OK)
        return "a head that there is no memory for";
    all = pz_buf_slice(&c->lines);
    if (!is_text(all))
        return "a NUL in its head";
    for (size_t at = 0; at < all.len;) {
        size_t eol = pz_slice_find(all, '\n', at);
        struct pz_slice line, name, value;
        const char *fault;

        if (eol == all.len || eol == at || all.data[eol - 1] != '\r')
            return "a line that does not end in CR LF in its head";
        line = pz_slice_sub(all, at, eol - 1);
        if (pz_slice_find(line, '\r', 0) < line.len)
            return "a CR inside a line of its head";
        name = pz_slice_sub(line, 0, pz_slice_find(line, ':', 0));
        if (!is_token(name) || name.len == line.len)
            return "a line that is no header in its head";
        value = pz_slice_trim(pz_slice_sub(line, name.len + 1, line.len));
        fault = judge_header(name, value, request, missing);
        if (fault)
            return fault;
        c->lines.data[eol - 1] = '\0';
        if (value.len == 0) {
            /* "Name:" would tell libcurl to leave its own header out;
               "Name;" is how it is told to send an empty one. */
            c->lines.data[at + name.len] = ';';
            c->lines.data[at + name.len + 1] = '\0';
        }
        c->nodes[n++].data = c->lines.data + at;
        at = eol + 1;
    }
    for (size_t i = 0; i < NO_COUNT; i++)
        if (missing[i])
            c->nodes[n++].data = missing[i];
    for (size_t i = 0; i < n; i++)
        c->nodes[i].next = i + 1 < n ? &c->nodes[i + 1] : NULL;
    return NULL;
}

static const char *
check(const struct pz_curl *c, const struct pz_exchange *request)
{
    struct pz_slice url = request->url;
    struct pz_slice method = request->method;

    if (method.len == 0 || method.len > 15)
        return "a method that is none";
    for (size_t i = 0; i < method.len; i++)
        if (method.data[i] < 'A' || method.data[i] > 'Z')
            return "a method that is none";
    if (same(&c->url, url))
        url = PZ_LIT("http://"); /* looked at before */
    if (!pz_slice_starts(url, PZ_LIT("https://")) &&
        !pz_slice_starts(url, PZ_LIT("http://")))
        return "a URL that begins neither with https:// nor http://";
    if (!pz_is_visible(url))
        return "a URL with spaces, control or non-ASCII characters";
    if (!is_text(request->ca_bundle) || !is_text(request->proxy))
        return "a NUL in ca_bundle or proxy";
    if (request->body.data && pz_slice_eq(method, PZ_LIT("HEAD")))
        return "a HEAD with a body";
    return NULL;
}

static CURLcode tell_method(struct pz_curl *c, const struct pz_exchange *r)
{
    int shape = SHAPE_PLAIN;
    const char *own = "GET";
    CURLcode code;

    if (r->body.data || pz_slice_eq(r->method, PZ_LIT("POST")) ||
        pz_slice_eq(r->method, PZ_LIT("PUT"))) {
        shape = SHAPE_BODY;
        own = "POST";
    } else if (pz_slice_eq(r->method, PZ_LIT("HEAD"))) {
        shape = SHAPE_HEAD;
        own = "HEAD";
    }
    if (c->shape != shape || !same(&c->method, r->method)) {
        c->shape = SHAPE_NONE;
        code = keep(&c->method, r->method);
        if (code == CURLE_OK)
            code = curl_easy_setopt(
                c->easy, shape == SHAPE_BODY ? CURLOPT_POST
                : shape == SHAPE_HEAD ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
        if (code == CURLE_OK)
            code = curl_easy_setopt(
                c->easy, CURLOPT_CUSTOMREQUEST,
                pz_slice_eq(r->method, pz_slice_of(own)) ? NULL
                                                         : r->method.data);
        if (code != CURLE_OK)
            return code;
        c->shape = shape;
    }
    if (shape != SHAPE_BODY)
        return CURLE_OK;
    code = curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)r->body.len);
    if (code == CURLE_OK && c->guarded)
        code = curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS,
                                r->body.data ? r->body.data : "");
    return code;
}

/* The system's trust can only be had back from an untouched handle; a reset
   keeps the connections, and libcurl matches those by their trust. */
static CURLcode tell_trust(struct pz_curl *c, const struct pz_exchange *r)
{
    CURLcode code = CURLE_OK;

    if (r->ca_bundle.data ? same(&c->ca_bundle, r->ca_bundle) : !c->has_ca)
        return CURLE_OK;
    if (c->has_ca) {
        curl_easy_reset(c->easy);
        untell(c);
        code = configure(c);
    }
    if (code != CURLE_OK || r->ca_bundle.data == NULL)
        return code;
    c->has_ca = 1;
    code = keep(&c->ca_bundle, r->ca_bundle);
    /* In place of the system's trust, its folder of certificates included. */
    if (code == CURLE_OK)
        code = curl_easy_setopt(c->easy, CURLOPT_CAINFO, r->ca_bundle.data);
    if (code == CURLE_OK)
        (void)curl_easy_setopt(c->easy, CURLOPT_CAPATH, NULL);
    if (code == CURLE_OK)
        (void)curl_easy_setopt(c->easy, CURLOPT_PROXY_CAINFO,
                               r->ca_bundle.data);
    return code;
}

static CURLcode tell_proxy(struct pz_curl *c, const struct pz_exchange *r)
{
    int proxying = r->direct || (r->proxy.data && r->proxy.len == 0)
        ? PROXY_NEVER : r->proxy.data ? PROXY_GIVEN : PROXY_ENVIRONMENT;
    const char *proxy = NULL;
    CURLcode code;

    if (c->proxying == proxying &&
        (proxying != PROXY_GIVEN || same(&c->proxy, r->proxy)))
        return CURLE_OK;
    c->proxying = PROXY_UNSET;
    if (proxying == PROXY_GIVEN) {
        proxy = r->proxy.data;
        code = keep(&c->proxy, r->proxy);
        if (code != CURLE_OK)
            return code;
    } else if (proxying == PROXY_NEVER) {
        proxy = "";
    }
    code = curl_easy_setopt(c->easy, CURLOPT_PROXY, proxy);
    if (code == CURLE_OK)
        c->proxying = proxying;
    return code;
}

/* Seconds as libcurl's milliseconds: at least 1, since 0 means no limit. */
static long to_ms(double seconds)
{
    if (!(seconds > 0.001))
        return 1;
    return seconds < 2000000.0 ? (long)(seconds * 1000.0) : 2000000000L;
}

static CURLcode tell(struct pz_curl *c, const struct pz_exchange *r)
{
    long timeout = to_ms(r->timeout), connect = to_ms(r->connect_timeout);
    CURLcode code = tell_trust(c, r); /* first: it may reset the rest */

    if (code == CURLE_OK)
        code = tell_method(c, r);
    if (code == CURLE_OK)
        code = tell_proxy(c, r);
    if (code == CURLE_OK && !same(&c->url, r->url)) {
        code = keep(&c->url, r->url);
        if (code == CURLE_OK)
            code = curl_easy_setopt(c->easy, CURLOPT_URL, r->url.data);
        if (code != CURLE_OK)
            pz_buf_clear(&c->url);
    }
    if (code == CURLE_OK && c->timeout_ms != timeout) {
        c->timeout_ms = timeout;
        code = curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, timeout);
    }
    if (code == CURLE_OK && c->connect_ms != connect) {
        c->connect_ms = connect;
        code = curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, connect);
    }
    if (code == CURLE_OK)
        code = curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->nodes);
    return code;
}

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

/* 1 when the resolver says within a second that there is no such name. */
static int is_unknown_name(struct pz_slice host)
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
    end.tv_sec++;
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

static enum pz_fault
fail(struct pz_curl *c, enum pz_fault fault, int retryable,
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

/* The request itself is at fault: nothing was sent, no host is to blame. */
static enum pz_fault
refuse(struct pz_curl *c, const char *before, const char *what)
{
    c->fault = PZ_FAULT_CONFIG;
    snprintf(c->message, sizeof c->message, "%s%s", before, what);
    return c->fault;
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
    return fail(c, PZ_FAULT_TLS, 0, "", why);
}

static enum pz_fault fail_handshake(struct pz_curl *c)
{
    if (says(c, "SSL_ERROR_SYSCALL") || says(c, "unexpected eof") ||
        says(c, "Recv failure") || says(c, "Send failure"))
        return fail(c, PZ_FAULT_CONNECTION, 1, "",
                    " closed the connection during the TLS handshake");
    if (says(c, "wrong version number") || says(c, "http request"))
        return fail(c, PZ_FAULT_TLS, 0, "", " does not speak TLS");
    if (says(c, "protocol version") || says(c, "unsupported protocol"))
        return fail(c, PZ_FAULT_TLS, 0, "",
                    " does not speak TLS 1.2 or later");
    return fail(c, PZ_FAULT_TLS, 1, "the TLS handshake with ", " failed");
}

static enum pz_fault fail_lookup(struct pz_curl *c)
{
    const char *port;
    struct pz_slice host = peer_of(c->request->url, &port);

    host.len = pz_slice_find(host, ':', 0);
    if (is_unknown_name(host))
        return fail(c, PZ_FAULT_CONNECTION, 0, "there is no host ", "");
    return fail(c, PZ_FAULT_CONNECTION, 1, "the name of ",
                " could not be resolved");
}

static enum pz_fault fail_timeout(struct pz_curl *c)
{
    char after[64];
    int connecting = !c->sent && c->connect_ms < c->timeout_ms;
    long ms = connecting ? c->connect_ms : c->timeout_ms;

    snprintf(after, sizeof after, " within %ld.%03ld s", ms / 1000, ms % 1000);
    return fail(c, PZ_FAULT_TIMEOUT, 1,
                !c->sent ? "no connection to "
                : c->status ? "no complete answer from " : "no answer from ",
                after);
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
        return fail(c, PZ_FAULT_CONNECTION, 0, "no way to ",
                    ": the proxy's name could not be resolved");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return fail_unverified(c);
    case CURLE_SSL_CACERT_BADFILE:
        return refuse(c, "the ca_bundle cannot be read: ",
                      c->request->ca_bundle.data ? c->request->ca_bundle.data
                                                 : "the system's");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return fail_handshake(c);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return refuse(c, "the request has ", "a URL that is none");
    case CURLE_LOGIN_DENIED:
        return refuse(c, "the request has ", "a user name in its URL");
    default:
        break;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
    if (connect >= 300)
        return fail(c, PZ_FAULT_CONNECTION, connect >= 500, "the way to ",
                    connect == 407 ? " is refused: the proxy wants a password"
                                   : " is refused by the proxy");
    return fail(c, PZ_FAULT_CONNECTION, 1, "no connection to ",
                why_unconnected(c));
}

static enum pz_fault outcome(struct pz_curl *c, CURLcode code)
{
    if (code == CURLE_OK && c->head_done)
        return PZ_FAULT_NONE;
    if (c->stopped)
        return fail(c, PZ_FAULT_INTERRUPTED, 0, "interrupted while asking ",
                    "");
    if (!c->sent && code == CURLE_OUT_OF_MEMORY)
        return fail(c, PZ_FAULT_CONNECTION, 0, "not enough memory to ask ",
                    "");
    if (!c->sent)
        return fail_early(c, code);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail_timeout(c);
    if (c->refused) {
        /* An answer of this size would come again. */
        fail(c, PZ_FAULT_RESPONSE, 0, "", ": ");
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
        if (c->head_seen == 0)
            return fail(c, PZ_FAULT_CONNECTION, 1, "",
                        " closed the connection without an answer");
        break;
    case CURLE_OUT_OF_MEMORY:
        return fail(c, PZ_FAULT_RESPONSE, 0, "",
                    ": the answer's head is too large");
    default:
        break;
    }
    return fail(c, PZ_FAULT_RESPONSE, 1, "the answer of ",
                " is cut or malformed");
}

static CURLcode run(struct pz_curl *c)
{
    struct pipe_guard guard;
    CURLcode code;
    long sent = 0;

    hold_pipe(&guard);
    code = curl_easy_perform(c->easy);
    release_pipe(&guard);
    if (!c->guarded)
        (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
    c->sent = c->requests > 0 || c->body_read > 0 || sent > 0;
    return code;
}

enum pz_fault
pz_curl_perform(struct pz_curl *c, const struct pz_exchange *request)
{
    const char *wrong;
    CURLcode code;

    pz_curl_forget(c);
    c->request = request;
    wrong = check(c, request);
    if (wrong == NULL)
        wrong = lay_head(c, request);
    if (wrong) {
        refuse(c, "the request has ", wrong);
    } else if (!(request->timeout > 0 && request->connect_timeout > 0)) {
        fail(c, PZ_FAULT_TIMEOUT, 1, "no time left to ask ", "");
    } else {
        code = ready(c);
        if (code == CURLE_OK)
            code = tell(c, request);
        if (code == CURLE_OK)
            code = run(c);
        if (c->easy)
            outcome(c, code);
        else
            fail(c, PZ_FAULT_CONNECTION, 0, "libcurl cannot start, to ask ",
                 "");
    }
    pz_buf_clear(&c->lines); /* it held a signature, perhaps a token */
    c->request = NULL;
    return c->fault;
}

int pz_curl_header(struct pz_slice *rest, struct pz_slice *name,
                   struct pz_slice *value)
{
    while (rest->len > 0) {
        size_t eol = pz_slice_find(*rest, '\n', 0);
        struct pz_slice line = pz_slice_sub(*rest, 0, eol);
        size_t colon = pz_slice_find(line, ':', 0);

        *rest = pz_slice_sub(*rest, eol + 1, rest->len);
        *name = pz_slice_sub(line, 0, colon);
        if (colon == line.len || !is_token(*name))
            continue;
        *value = pz_slice_trim(pz_slice_sub(line, colon + 1, line.len));
        return 1;
    }
    return 0;
}

static void forget(struct pz_buf *buf)
{
    if (buf->cap > (size_t)64 << 10)
        pz_buf_free(buf);
    else
        pz_buf_clear(buf);
}

void pz_curl_forget(struct pz_curl *c)
{
    forget(&c->head);
    forget(&c->body);
    c->fault = PZ_FAULT_NONE;
    c->status = 0;
    c->sent = c->retryable = 0;
    c->message[0] = '\0';
    c->body_read = c->head_seen = c->head_lines = 0;
    c->requests = c->head_done = c->stopped = 0;
    c->refused = NULL;
    c->reason[0] = '\0';
}

void pz_curl_close(struct pz_curl *c)
{
    if (c->easy && c->owner != pz_fork_id())
        abandon(c);
    else
        drop(c);
    pz_curl_forget(c);
    pz_buf_free(&c->head);
    pz_buf_free(&c->body);
    pz_buf_free(&c->lines);
    pz_free(c->nodes);
    c->nodes = NULL;
    c->node_count = 0;
}
