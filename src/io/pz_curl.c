/*
 * The request, checked and laid out for libcurl, which is told only what
 * changed since the last one; and the call itself.
 * See pz_curl.h for what this knows and refuses to know.
 */
#include "pz_curl_parts.h"

#include <string.h>

#include "../core/pz_head.h"

void pz_curl_init(struct pz_curl *c)
{
    memset(c, 0, sizeof *c);
    c->head = (struct pz_buf)PZ_BUF_SECRET(PZ_ANSWER_HEAD_MAX);
    c->body = (struct pz_buf)PZ_BUF_SECRET(PZ_ANSWER_BODY_MAX);
    c->lines.secret = 1;
    c->proxy.secret = 1; /* its URL may hold a password */
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

static int is_text(struct pz_slice s) /* no NUL inside */
{
    return s.len == 0 || memchr(s.data, 0, s.len) == NULL;
}

unsigned long long pz_curl_length(const struct pz_exchange *request)
{
    return request->source ? request->source->length : request->body.len;
}

/* What is longer waits for a word of the peer's, up to a second: a refusal or
   a redirect should not cost the sending of it. */
enum { LONG_BODY = 1 << 20 };

int pz_curl_expects(const struct pz_exchange *request)
{
    return request->source && request->source->length > LONG_BODY;
}

/* What libcurl would add by itself, unless told not to. */
static char no_accept[] = "Accept:";
static char no_expect[] = "Expect:";
static char an_expect[] = "Expect: 100-continue";
static char no_type[] = "Content-Type:";

enum { NO_ACCEPT, NO_EXPECT, NO_TYPE, NO_COUNT };

/* Notes a header that libcurl need not be told to leave out. */
static void strike(struct pz_slice name, char **missing)
{
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
    }
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
    char *missing[NO_COUNT] = {
        no_accept, pz_curl_expects(request) ? an_expect : no_expect, no_type
    };
    struct pz_slice all = request->head;
    size_t lines = 0, n = 0;

    for (size_t at = 0; at < all.len; lines++)
        at = pz_slice_find(all, '\n', at) + 1;
    pz_buf_clear(&c->lines);
    if (want_nodes(c, lines + NO_COUNT + 1) != PZ_OK ||
        pz_buf_adds(&c->lines, all) != PZ_OK)
        return "a head that there is no memory for";
    all = pz_buf_slice(&c->lines);
    while (all.len > 0) {
        char *line = c->lines.data + (c->lines.len - all.len);
        struct pz_slice name, value;
        const char *fault = pz_head_take(&all, &name, &value,
                                         pz_curl_length(request));

        if (fault)
            return fault;
        strike(name, missing);
        c->lines.data[c->lines.len - all.len - 2] = '\0'; /* its CR */
        if (value.len == 0) {
            /* "Name:" would tell libcurl to leave its own header out;
               "Name;" is how it is told to send an empty one. */
            line[name.len] = ';';
            line[name.len + 1] = '\0';
        }
        c->nodes[n++].data = line;
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
    const char *fault = pz_head_method_fault(request->method);

    if (fault == NULL && !same(&c->url, url)) /* else looked at before */
        fault = pz_head_url_fault(url);
    if (fault)
        return fault;
    if (!is_text(request->ca_bundle) || !is_text(request->proxy))
        return "a NUL in ca_bundle or proxy";
    if ((request->body.data || request->source) &&
        pz_slice_eq(request->method, PZ_LIT("HEAD")))
        return "a HEAD with a body";
    return NULL;
}

static CURLcode tell_method(struct pz_curl *c, const struct pz_exchange *r)
{
    int shape = SHAPE_PLAIN;
    const char *own = "GET";
    CURLcode code;

    if (r->body.data || r->source || pz_slice_eq(r->method, PZ_LIT("POST")) ||
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
                            (curl_off_t)pz_curl_length(r));
    if (code == CURLE_OK && c->guarded)
        code = curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS,
                                r->body.data ? r->body.data
                                : pz_curl_length(r) > 0 ? NULL : "");
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
        code = pz_curl_reset(c);
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
    /* The environment's exceptions are for the environment's proxy. */
    if (code == CURLE_OK)
        code = curl_easy_setopt(c->easy, CURLOPT_NOPROXY,
                                proxying == PROXY_GIVEN ? "" : NULL);
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
    if (code == CURLE_OK && (c->slowest != r->slowest ||
                             c->slow_seconds != r->slow_seconds)) {
        c->slowest = r->slowest;
        c->slow_seconds = r->slow_seconds;
        code = curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_LIMIT, r->slowest);
        if (code == CURLE_OK)
            code = curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_TIME,
                                    r->slow_seconds);
    }
    if (code == CURLE_OK)
        code = curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->nodes);
    return code;
}

/* ---- the call ---------------------------------------------------------- */

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
        pz_refuse(c, "the request has ", wrong);
    } else if (!(request->timeout > 0 && request->connect_timeout > 0)) {
        pz_blame(c, PZ_FAULT_TIMEOUT, 1, "no time left to ask ", "");
    } else {
        code = pz_curl_ready(c);
        if (code == CURLE_OK)
            code = tell(c, request);
        if (code == CURLE_OK)
            code = pz_curl_run(c);
        if (c->easy)
            pz_curl_judge(c, code);
        else
            pz_blame(c, PZ_FAULT_CONNECTION, 0, "libcurl cannot start, to ask ",
                     "");
    }
    pz_buf_clear(&c->lines); /* it held a signature, perhaps a token */
    c->request = NULL;
    return c->fault;
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
    c->body_read = 0;
    c->head_seen = c->head_lines = 0;
    c->requests = c->head_done = c->stopped = c->ended = 0;
    c->refused = c->broken = NULL;
    c->reason[0] = '\0';
}

void pz_curl_close(struct pz_curl *c)
{
    pz_curl_drop(c);
    pz_curl_forget(c);
    pz_buf_free(&c->head);
    pz_buf_free(&c->body);
    pz_buf_free(&c->lines);
    pz_free(c->nodes);
    c->nodes = NULL;
    c->node_count = 0;
}
