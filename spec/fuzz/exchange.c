/*
 * An exchange against a scripted peer, on a scripted clock: whatever the peer
 * does and whenever, the request goes out once, in order and never past its
 * end; what comes back is an answer or a failure that says why; a connection
 * is kept only where nothing is left on it; and there is an end.
 *
 * In place of pz_pool and pz_connection stands the script: a byte an act.
 */
#include "fuzz.h"

#include "../../src/io/pz_exchange.h"
#include "../../src/io/pz_sys.h"

#define CONNECTIONS 8

/* ---- the script -------------------------------------------------------- */

static struct {
    const uint8_t *acts; /* what happens next */
    size_t len;
    struct pz_slice answer; /* what the peer sends, in pieces */
    double now;

    struct pz_connection connections[CONNECTIONS];
    size_t taken, kept, dropped;
    int is_over;            /* the peer has ended the connection */

    unsigned long long sent; /* over this connection */
    size_t head_len;         /* of which this is no body */
    int is_refused;          /* by a proxy, or for want of a certificate */
    unsigned long long told; /* of the body's progress */
} script;

static struct {
    struct pz_exchange x;
    struct pz_body_source source;
    unsigned long long read; /* of the source */
} asked;

static unsigned act(void)
{
    if (script.len == 0)
        return 0;
    script.len--;
    return *script.acts++;
}

double pz_sys_monotonic(void)
{
    script.now += 1e-6;
    return script.now;
}

const char *pz_curl_library_version(void);
const char *pz_curl_library_version(void)
{
    return "none";
}

/* The byte that has to stand at 'at' in the body. */
static char body_byte(unsigned long long at)
{
    return (char)('a' + at % 23);
}

/* ---- the pool ---------------------------------------------------------- */

struct pz_connection *
pz_pool_take(struct pz_pool *pool, const struct pz_wish *wish,
             const struct pz_patience *patience, struct pz_failure *failure,
             int *is_fresh)
{
    unsigned a = act();
    struct pz_connection *c;

    (void)pool;
    PROMISE(wish->peer.host.len > 0 && wish->peer.port > 0);
    PROMISE(patience->deadline > patience->began);
    /* Nothing was sent before, unless that was refused. */
    script.sent = 0;
    script.told = 0;
    script.is_over = 0;
    if (a % 8 == 1 || script.taken == CONNECTIONS) {
        pz_failure_blame(failure, PZ_FAULT_CONNECTION, 1, "no connection to ",
                         &wish->peer, "");
        return NULL;
    }
    c = &script.connections[script.taken++];
    c->is_to_proxy = !wish->is_https && a % 8 == 2;
    script.is_refused = c->is_to_proxy;
    *is_fresh = a % 2 == 0 || script.taken == CONNECTIONS;
    script.now += (a >> 4) * 0.01;
    return c;
}

void pz_pool_keep(struct pz_pool *pool, struct pz_connection *c, double now)
{
    (void)pool;
    PROMISE(c == &script.connections[script.taken - 1]);
    PROMISE(now >= 0 && !script.is_over);
    script.kept++;
}

void pz_pool_drop(struct pz_pool *pool, struct pz_connection *c)
{
    (void)pool;
    PROMISE(c == &script.connections[script.taken - 1]);
    script.dropped++;
}

int pz_pool_is_foreign(const struct pz_pool *pool)
{
    (void)pool;
    return act() == 255;
}

/* ---- the connection ---------------------------------------------------- */

static unsigned long long body_len(void)
{
    return asked.x.source ? asked.source.length : asked.x.body.len;
}

/* Are these the request's bytes, from where the last ones ended? What a head
   is, pz_http1_request has to know. */
static void check_sent(const char *data, size_t len)
{
    struct pz_slice text = { data, len };

    if (script.sent == 0) {
        PROMISE(pz_slice_starts(text, asked.x.method));
        for (script.head_len = 4; script.head_len <= len; script.head_len++)
            if (memcmp(data + script.head_len - 4, "\r\n\r\n", 4) == 0)
                break;
        PROMISE(script.head_len <= len);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned long long at = script.sent + i;

        if (at < script.head_len)
            continue;
        PROMISE(at - script.head_len < body_len());
        PROMISE(data[i] == body_byte(at - script.head_len));
    }
}

enum pz_io pz_connection_send(struct pz_connection *c, const char *data,
                              size_t len, size_t *n)
{
    unsigned a = act();

    PROMISE(c == &script.connections[script.taken - 1] && len > 0);
    *n = 0;
    check_sent(data, len);
    if (a % 16 == 1)
        return PZ_IO_BROKEN;
    if (a % 16 == 2)
        return PZ_IO_END;
    if (a % 8 == 3)
        return PZ_IO_AGAIN;
    *n = a % 8 == 4 && len > 1 ? len / 2 : len;
    script.sent += *n;
    return PZ_IO_DONE;
}

enum pz_io
pz_connection_receive(struct pz_connection *c, char *out, size_t len,
                      size_t *n)
{
    unsigned a = act();

    PROMISE(c == &script.connections[script.taken - 1] && len > 0);
    PROMISE(!script.is_over);
    *n = 0;
    if (a % 8 == 1 || (script.answer.len == 0 && a % 2 == 1)) {
        script.is_over = 1;
        return a % 16 == 1 ? PZ_IO_BROKEN : PZ_IO_END;
    }
    if (a % 8 == 2 || script.answer.len == 0)
        return PZ_IO_AGAIN;
    *n = 1 + a % 64;
    if (a > 200 || *n > script.answer.len)
        *n = script.answer.len;
    if (*n > len)
        *n = len;
    memcpy(out, script.answer.data, *n);
    script.answer = pz_slice_sub(script.answer, *n, script.answer.len);
    return PZ_IO_DONE;
}

int pz_connection_wait(struct pz_connection *c, int what, int ms)
{
    unsigned a = act();

    PROMISE(c == &script.connections[script.taken - 1]);
    PROMISE(ms >= 0 && ms <= 1000 && (what & ~3) == 0);
    script.now += a % 4 == 1 ? 0 : ms / 1000.0;
    return (int)(a >> 2) & what;
}

int pz_connection_is_refused(const struct pz_connection *c,
                             const struct pz_peer *peer,
                             struct pz_failure *failure)
{
    (void)c;
    script.is_refused = act() == 77;
    if (script.is_refused)
        pz_failure_blame(failure, PZ_FAULT_TLS, 0, "", peer, " refuses");
    return script.is_refused;
}

/* ---- the caller -------------------------------------------------------- */

static long read_source(void *arg, char *out, size_t len)
{
    unsigned a = act();

    PROMISE(arg == &asked && len > 0);
    PROMISE(asked.read + len <= asked.source.length);
    if (a == 1)
        return -1;
    if (a == 2)
        return 0;
    if (a % 4 == 3 && len > 1)
        len /= 2;
    for (size_t i = 0; i < len; i++)
        out[i] = body_byte(asked.read + i);
    asked.read += len;
    return (long)len;
}

static const char *source_fault(void *arg)
{
    (void)arg;
    return "the source fails";
}

static int interrupted(void *arg)
{
    (void)arg;
    return act() == 99;
}

static int progress(void *arg, unsigned long long sent)
{
    (void)arg;
    PROMISE(sent >= script.told);
    PROMISE(sent <= body_len());
    script.told = sent;
    return act() == 98;
}

/* The first line: method, sizes and limits, of the rest of which the script
   and the answer are made. */
static void lay_request(struct pz_slice line, char *body)
{
    static const char *const methods[] = { "GET", "PUT", "POST", "HEAD" };
    unsigned char b[8] = { 0 };

    memset(&asked, 0, sizeof asked);
    memcpy(b, line.data, line.len < sizeof b ? line.len : sizeof b);
    asked.x.method = pz_slice_of(methods[b[0] % 4]);
    asked.x.url = b[0] & 4 ? PZ_LIT("https://a/b") : PZ_LIT("http://a/b?c");
    asked.x.head = PZ_LIT("x-a: b\r\n");
    asked.x.timeout = b[1] % 16;
    asked.x.connect_timeout = 3;
    if (b[0] & 8) {
        asked.source.length = (unsigned long long)b[2] << (b[3] % 14);
        asked.source.read = read_source;
        asked.source.fault = source_fault;
        asked.source.arg = &asked;
        asked.x.source = &asked.source;
        asked.x.slowest = b[4];
        asked.x.slow_seconds = 1 + b[5] % 4;
    } else if (b[0] & 16) {
        asked.x.body.data = body;
        asked.x.body.len = (size_t)b[2] * b[3];
    }
    asked.x.interrupted = interrupted;
    asked.x.progress = b[0] & 32 ? progress : NULL;
}

static void check(const struct pz_outcome *out, enum pz_fault fault)
{
    const struct pz_failure *f = &out->failure;

    PROMISE(f->fault == fault);
    PROMISE(script.kept + script.dropped == script.taken);
    PROMISE(script.kept <= 1);
    PROMISE(f->sent || script.sent == 0 || script.is_refused);
    if (fault == PZ_FAULT_NONE) {
        PROMISE(out->answer.part == PZ_HTTP1_DONE);
        PROMISE(out->answer.status >= 200);
    } else {
        PROMISE(f->message[0] != '\0');
        PROMISE(script.kept == 0 || fault == PZ_FAULT_ENDED ||
                fault == PZ_FAULT_INTERRUPTED);
    }
    if (script.kept)
        PROMISE(script.sent == script.head_len + body_len());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char body[65536];
    struct pz_outcome out;
    struct pz_pool pool;
    struct pz_slice line, acts;
    double began;

    if (body[0] == 0)
        for (size_t i = 0; i < sizeof body; i++)
            body[i] = body_byte(i);
    memset(&script, 0, sizeof script);
    memset(&out, 0, sizeof out);
    memset(&pool, 0, sizeof pool);
    line = fuzz_part(&data, &size);
    lay_request(line, body);
    acts = fuzz_part(&data, &size);
    script.acts = (const uint8_t *)acts.data;
    script.len = acts.len;
    script.answer.data = (const char *)data;
    script.answer.len = size;
    began = script.now = 1000;
    check(&out, pz_exchange_make(&pool, &out, &asked.x));
    /* An end in time, give or take a wait after sending has failed. */
    PROMISE(script.now - began < asked.x.timeout + 5);
    pz_outcome_free(&out);
    return 0;
}
