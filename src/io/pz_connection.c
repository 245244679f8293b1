/* See pz_connection.h for what this knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* SOCK_CLOEXEC under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/pz_head.h"
#include "../core/pz_text.h"
#include "../core/pz_uri.h"
#include "pz_connection_failure.h"
#include "pz_curl_library.h"
#include "pz_sys.h"

/* Between two looks at whether it is interrupted. */
enum { SLICE_MS = 250 };

/* ---- the socket -------------------------------------------------------- */

/* Is the descriptor still the socket that was opened? Another library may have
   closed it, and the number may be another file's by now. */
static int is_ours(const struct pz_connection *c)
{
    struct stat now;

    return fstat(c->socket, &now) == 0 && now.st_dev == c->device &&
           now.st_ino == c->inode;
}

/* For libcurl: a socket that is closed on exec; and why there is none. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct pz_connection *c = arg;
    int type = address->socktype;
    int s;

    (void)purpose;
#if defined(SOCK_CLOEXEC)
    type |= SOCK_CLOEXEC;
#endif
    s = socket(address->family, type, address->protocol);
    if (s < 0) {
        c->socket_error = errno;
        return CURL_SOCKET_BAD;
    }
#if !defined(SOCK_CLOEXEC)
    (void)fcntl(s, F_SETFD, FD_CLOEXEC);
#endif
    return s;
}

/* Which of the sockets that were tried it is. */
static CURLcode find_socket(struct pz_connection *c)
{
    curl_socket_t s = CURL_SOCKET_BAD;
    struct stat file;

    if (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &s) != CURLE_OK ||
        s == CURL_SOCKET_BAD || fstat(s, &file) != 0)
        return CURLE_COULDNT_CONNECT;
    c->socket = s;
    c->device = file.st_dev;
    c->inode = file.st_ino;
    return CURLE_OK;
}

/* ---- a proxy's answer -------------------------------------------------- */

/* "HTTP/1.1 200 ..." */
static long status_of(struct pz_slice line)
{
    size_t at = pz_slice_find(line, ' ', 0);
    unsigned long status;

    return pz_decimal(pz_slice_sub(line, at + 1, at + 4), &status)
        ? (long)status : 0;
}

/*
 * For libcurl: a line of the answer to CONNECT. What a proxy asks for when it
 * refuses is kept. libcurl would read on, and some versions without a limit
 * and without returning: so it is told to end after the head of a refusal, and
 * where a head does not end.
 */
static size_t on_head(char *data, size_t size, size_t count, void *arg)
{
    struct pz_connection *c = arg;
    struct pz_slice line = { data, size * count }, name, value, rest = line;

    c->head_seen += line.len;
    if (c->head_seen > PZ_ANSWER_HEAD_MAX ||
        ++c->head_lines > PZ_ANSWER_LINES_MAX)
        return 0;
    if (pz_slice_starts(line, PZ_LIT("HTTP/")))
        c->proxy_status = status_of(line);
    else if (pz_slice_trim(line).len == 0 && c->proxy_status >= 300)
        return 0;
    if (pz_head_next(&rest, &name, &value) &&
        pz_slice_ieq(name, PZ_LIT("proxy-authenticate"))) {
        struct pz_slice parts[] = { value, PZ_LIT(", ") };

        /* It has a ceiling; what is beyond it is not needed. */
        if (pz_buf_addv(&c->challenge, parts, PZ_COUNT(parts)) != PZ_OK)
            return line.len;
    }
    return line.len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

/* ---- libcurl's handle -------------------------------------------------- */

#define TRY(call) \
    do { \
        CURLcode try_code = (call); \
        if (try_code != CURLE_OK) \
            return try_code; \
    } while (0)

/* A libcurl that was built without proxies does not know their options, and
   takes none. */
static CURLcode if_known(CURLcode code)
{
    return code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN
        ? CURLE_OK : code;
}

/* What never changes. */
static CURLcode configure(struct pz_connection *c)
{
    CURL *e = c->easy;

    TRY(curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L));
    /* Up to 7.64.0 another's connection would be given out. */
    TRY(curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L));
    /* Else TLS might agree on HTTP/2. */
    TRY(curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                         (long)CURL_HTTP_VERSION_1_1));
    TRY(curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L));
    TRY(curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L));
    TRY(curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L));
    TRY(curl_easy_setopt(e, CURLOPT_SSLVERSION,
                         (long)CURL_SSLVERSION_TLSv1_2));
    TRY(if_known(curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYPEER, 1L)));
    TRY(if_known(curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYHOST, 2L)));
    TRY(if_known(curl_easy_setopt(e, CURLOPT_PROXY_SSLVERSION,
                                  (long)CURL_SSLVERSION_TLSv1_2)));
    TRY(curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open));
    TRY(curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, (void *)c));
    TRY(curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head));
    TRY(curl_easy_setopt(e, CURLOPT_HEADERDATA, (void *)c));
    TRY(curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body));
    TRY(curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->reason));
    pz_curl_library_configure(e);
    return CURLE_OK;
}

/* "scheme://host:port", in a buffer that ends with a NUL. */
static enum pz_status
add_url(struct pz_buf *out, struct pz_slice scheme, struct pz_slice host,
        unsigned port)
{
    char digits[20];
    struct pz_slice parts[] = {
        scheme, PZ_LIT("://"), host, PZ_LIT(":"), pz_digits(digits, port),
        { "", 1 }
    };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

/* User or password, decoded; pz_proxy_parse saw that no NUL is in it. */
static enum pz_status add_decoded(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = pz_uri_decode(out, text);

    return status == PZ_OK ? pz_buf_addc(out, '\0') : status;
}

/* The proxy's URL, user and password, each with its NUL. */
static enum pz_status
lay_proxy(struct pz_buf *out, const struct pz_proxy *proxy, size_t *user,
          size_t *password)
{
    size_t colon = pz_slice_find(proxy->userinfo, ':', 0);
    enum pz_status status = add_url(out, proxy->scheme, proxy->host,
                                    proxy->port);

    *user = out->len;
    if (status == PZ_OK)
        status = add_decoded(out, pz_slice_sub(proxy->userinfo, 0, colon));
    *password = out->len;
    if (status == PZ_OK)
        status = add_decoded(out, pz_slice_sub(proxy->userinfo, colon + 1,
                                               proxy->userinfo.len));
    return status;
}

static CURLcode code_of(enum pz_status status)
{
    return status == PZ_OK ? CURLE_OK
        : status == PZ_ENOMEM ? CURLE_OUT_OF_MEMORY
        : CURLE_URL_MALFORMAT;
}

/* A tunnel for TLS, or whatever SOCKS does. */
static CURLcode tell_proxy(CURL *e, const struct pz_proxy *proxy)
{
    struct pz_buf text = PZ_BUF_SECRET(0);
    size_t user = 0, password = 0;
    CURLcode code = code_of(lay_proxy(&text, proxy, &user, &password));

    if (code == CURLE_OK)
        code = curl_easy_setopt(e, CURLOPT_PROXY, text.data);
    if (code == CURLE_OK && proxy->userinfo.data)
        code = curl_easy_setopt(e, CURLOPT_PROXYUSERNAME, text.data + user);
    if (code == CURLE_OK && proxy->userinfo.data)
        code = curl_easy_setopt(e, CURLOPT_PROXYPASSWORD,
                                text.data + password);
    pz_buf_free(&text);
    return code;
}

/* Does the proxy get whole requests, instead of a CONNECT? */
static int is_to_proxy(const struct pz_place *place)
{
    return !place->is_https && (place->proxy.kind == PZ_PROXY_HTTP ||
                                place->proxy.kind == PZ_PROXY_HTTPS);
}

static CURLcode tell_peer(struct pz_connection *c,
                          const struct pz_place *place)
{
    const struct pz_proxy *proxy = &place->proxy;
    struct pz_buf url = PZ_BUF_INIT(0);
    CURLcode code;

    c->is_to_proxy = is_to_proxy(place);
    if (c->is_to_proxy) {
        c->authorization.secret = 1;
        code = code_of(pz_proxy_authorization(&c->authorization, proxy));
        if (code == CURLE_OK)
            code = code_of(add_url(&url, proxy->scheme, proxy->host,
                                   proxy->port));
    } else {
        code = code_of(add_url(&url, place->is_https ? PZ_LIT("https")
                                                     : PZ_LIT("http"),
                               place->peer.host, place->peer.port));
    }
    if (code == CURLE_OK)
        code = curl_easy_setopt(c->easy, CURLOPT_URL, url.data);
    pz_buf_free(&url);
    /* No proxy but ours, and no exceptions to it. */
    if (code == CURLE_OK)
        code = if_known(curl_easy_setopt(c->easy, CURLOPT_PROXY, ""));
    if (code == CURLE_OK)
        code = if_known(curl_easy_setopt(c->easy, CURLOPT_NOPROXY, ""));
    if (code == CURLE_OK && proxy->kind != PZ_PROXY_NONE && !c->is_to_proxy)
        code = tell_proxy(c->easy, proxy);
    return code;
}

/* The list for CURLOPT_CONNECT_TO, as long as libcurl may read it. */
struct redirection {
    struct curl_slist node;
    char text[64];
};

static CURLcode tell_address(struct pz_connection *c,
                             const struct pz_place *place,
                             struct redirection *to)
{
    struct pz_slice address = place->address;
    int is_bare = address.len > 0 && address.data[0] != '[' &&
                  pz_slice_find(address, ':', 0) < address.len;

    if (address.data == NULL)
        return CURLE_OK;
    /* Of any host, any port: this address, the same port. */
    snprintf(to->text, sizeof to->text, is_bare ? "::[%.*s]:" : "::%.*s:",
             (int)address.len, address.data);
    to->node.data = to->text;
    to->node.next = NULL;
    return curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, &to->node);
}

/* Seconds as libcurl's milliseconds: at least 1, since 0 means no limit. */
static long to_ms(double seconds)
{
    if (!(seconds > 0.001))
        return 1;
    return seconds < 2000000.0 ? (long)(seconds * 1000.0) : 2000000000L;
}

/* ---- opening ----------------------------------------------------------- */

static void free_handles(struct pz_connection *c)
{
    struct pz_pipe_guard guard;

    pz_curl_library_hold_pipe(&guard);
    curl_easy_cleanup(c->easy); /* leaves the multi handle first */
    if (c->has_multi)
        (void)curl_multi_cleanup(c->multi);
    pz_curl_library_release_pipe(&guard);
    c->easy = c->multi = NULL;
}

static void free_struct(struct pz_connection *c)
{
    pz_buf_free(&c->authorization);
    pz_buf_free(&c->challenge);
    pz_buf_free(&c->key);
    pz_free(c);
}

static struct pz_connection *new_connection(void *multi)
{
    struct pz_connection *c = pz_alloc(sizeof *c);

    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof *c);
    c->challenge.max = 1024;
    c->key.secret = 1; /* the proxy's URL may hold a password */
    c->socket = -1;
    c->has_multi = multi == NULL;
    c->multi = multi ? multi : curl_multi_init();
    c->easy = curl_easy_init();
    if (c->easy && c->multi)
        return c;
    free_handles(c);
    free_struct(c);
    return NULL;
}

static CURLcode outcome(struct pz_connection *c)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE && message->easy_handle == c->easy)
            return message->data.result;
    return CURLE_AGAIN;
}

/* Steps until the connection is there, or will not be. */
static CURLcode connect_by(struct pz_connection *c, double deadline,
                           const struct pz_patience *patience)
{
    struct pz_pipe_guard guard;
    CURLMcode multi_code;
    CURLcode code;
    double left;
    int running;

    for (;;) {
        pz_curl_library_hold_pipe(&guard);
        multi_code = curl_multi_perform(c->multi, &running);
        pz_curl_library_release_pipe(&guard);
        if (multi_code != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
        code = outcome(c);
        if (code != CURLE_AGAIN)
            return code;
        if (patience->interrupted && patience->interrupted(patience->arg))
            return CURLE_ABORTED_BY_CALLBACK;
        left = deadline - pz_sys_monotonic();
        if (!(left > 0))
            return CURLE_OPERATION_TIMEDOUT;
        if (pz_curl_library_wait(c->multi, left * 1000 < SLICE_MS
                                     ? (int)(left * 1000) + 1 : SLICE_MS) !=
            CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
    }
}

static CURLcode
open_it(struct pz_connection *c, const struct pz_place *place,
        int with_folder, const struct pz_patience *patience)
{
    double now = pz_sys_monotonic(), left = patience->deadline - now;
    double most = patience->connect_timeout < left
        ? patience->connect_timeout : left;
    struct redirection to;

    TRY(configure(c));
    TRY(tell_peer(c, place));
    TRY(tell_address(c, place, &to));
    TRY(pz_curl_library_trust(c->easy, place->ca_bundle.data, with_folder,
                              &c->left_out_folder));
    /* Of the handshakes, too. Nothing of libcurl's limits what follows. */
    TRY(curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, to_ms(most)));
    if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    TRY(connect_by(c, now + most, patience));
    (void)curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, NULL);
    return find_socket(c);
}

struct pz_connection *
pz_connection_open(const struct pz_place *place, void *multi, int with_folder,
                   const struct pz_patience *patience,
                   struct pz_failure *failure, int *wants_folder)
{
    struct pz_connection *c = new_connection(multi);
    CURLcode code;

    *wants_folder = 0;
    if (c == NULL) {
        pz_failure_unopened(failure, &place->peer);
        return NULL;
    }
    code = open_it(c, place, with_folder, patience);
    if (code == CURLE_OK)
        return c;
    pz_failure_unconnected(failure, c, place, patience, (int)code,
                           wants_folder);
    free_handles(c);
    free_struct(c);
    return NULL;
}

/* ---- bytes ------------------------------------------------------------- */

static enum pz_io io_of(CURLcode code, size_t n)
{
    return code == CURLE_AGAIN ? PZ_IO_AGAIN
        : code != CURLE_OK ? PZ_IO_BROKEN
        : n > 0 ? PZ_IO_DONE : PZ_IO_END;
}

/* For libcurl: what it says besides its first complaint. */
static int
on_text(CURL *easy, curl_infotype type, char *text, size_t len, void *arg)
{
    struct pz_connection *c = arg;
    size_t had = strlen(c->reason), room = sizeof c->reason - 1 - had;

    (void)easy;
    if (type == CURLINFO_TEXT)
        strncat(c->reason, text, len < room ? len : room);
    return 0;
}

/* Sending failed, and that is noted as the reason; but the peer's alert, which
   may have come before, tells more. */
static void listen_on(struct pz_connection *c)
{
    (void)curl_easy_setopt(c->easy, CURLOPT_DEBUGFUNCTION, on_text);
    (void)curl_easy_setopt(c->easy, CURLOPT_DEBUGDATA, (void *)c);
    (void)curl_easy_setopt(c->easy, CURLOPT_VERBOSE, 1L);
}

enum pz_io pz_connection_send(struct pz_connection *c, const char *data,
                              size_t len, size_t *n)
{
    struct pz_pipe_guard guard;
    CURLcode code;

    *n = 0;
    pz_curl_library_hold_pipe(&guard);
    code = curl_easy_send(c->easy, data, len, n);
    pz_curl_library_release_pipe(&guard);
    if (code != CURLE_OK && code != CURLE_AGAIN)
        listen_on(c);
    /* Before 7.73 nothing sent was no error. */
    return code == CURLE_OK && *n == 0 ? PZ_IO_AGAIN : io_of(code, *n);
}

enum pz_io
pz_connection_receive(struct pz_connection *c, char *out, size_t len,
                      size_t *n)
{
    struct pz_pipe_guard guard;
    CURLcode code;

    *n = 0;
    pz_curl_library_hold_pipe(&guard); /* TLS may write to answer */
    code = curl_easy_recv(c->easy, out, len, n);
    pz_curl_library_release_pipe(&guard);
    return io_of(code, *n);
}

int pz_connection_wait(struct pz_connection *c, int what, int ms)
{
    struct pollfd p;
    int seen = 0;

    p.fd = c->socket;
    p.events = (short)((what & PZ_READABLE ? POLLIN : 0) |
                       (what & PZ_WRITABLE ? POLLOUT : 0));
    p.revents = 0;
    if (poll(&p, 1, ms) <= 0) /* a signal is a reason to look around, too */
        return 0;
    if (p.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
        seen |= PZ_READABLE;
    if (p.revents & (POLLOUT | POLLERR | POLLNVAL))
        seen |= PZ_WRITABLE;
    return seen;
}

int pz_connection_is_alive(struct pz_connection *c)
{
    char byte;
    size_t n;

    return is_ours(c) &&
           pz_connection_receive(c, &byte, 1, &n) == PZ_IO_AGAIN;
}

int pz_connection_is_refused(const struct pz_connection *c,
                             const struct pz_peer *peer,
                             struct pz_failure *failure)
{
    enum pz_tls_fault fault = pz_curl_library_late_fault(c->easy, c->reason);

    if (fault == PZ_TLS_NONE)
        return 0;
    pz_failure_refused(failure, peer, fault == PZ_TLS_CLIENT);
    return 1;
}

/* ---- the end ----------------------------------------------------------- */

int pz_connection_end(struct pz_connection *c)
{
    if (!is_ours(c))
        return 0;
    free_handles(c);
    free_struct(c);
    return 1;
}

void pz_connection_abandon(struct pz_connection *c)
{
    if (is_ours(c))
        close(c->socket);
    free_struct(c);
}
