/* See pz_exchange.h for what this knows and refuses to know. */
#include "pz_exchange.h"

#include <stdio.h>
#include <string.h>

#include "../core/pz_address.h"
#include "../core/pz_head.h"
#include "../core/pz_http1_request.h"
#include "pz_curl_library.h"
#include "pz_sys.h"

/* A body that is no longer goes out together with the head. */
#define SHORT_BODY ((size_t)16 << 10)
#define BLOCK ((size_t)64 << 10)
/* What TLS gives at once, at most. */
#define ROOM ((size_t)16 << 10)

/* What is longer waits for a word of the peer's, up to a second: a refusal or
   a redirect should not cost the sending of it. */
#define LONG_BODY ((unsigned long long)1 << 20)
#define WORD_SECONDS 1.0

/* Between two looks around, at most. TLS may hold what poll does not see, so
   every wait is short, and is followed by an attempt to read. */
enum { SLICE_MS = 500, PROGRESS_MS = 100, STUCK_MS = 10 };
#define LOOK_SECONDS 0.1

/* How a step went. */
enum step {
    STEP_DONE,     /* on to the next */
    STEP_ANSWERED, /* the answer is whole */
    STEP_FAILED    /* the failure says why */
};

/* An exchange under way. */
struct run {
    const struct pz_exchange *x;
    struct pz_outcome *out;
    struct pz_pool *pool;
    struct pz_connection *c;
    struct pz_patience patience;
    struct pz_wish wish;
    unsigned long long body_len, body_sent;
    int expects;         /* asks for a 100 */
    int is_for_proxy, has_expect; /* the request's bytes, as they are */
    int is_fresh;        /* the connection */
    int is_over;         /* the peer has ended it */
    int is_broken;       /* sending failed; the peer may have said why */
    int was_writable;    /* and yet nothing could be sent */
    double now, looked;  /* around */
    double slow_mark, slow_since; /* of the limit of speed */
    unsigned long long moved, moved_before;
};

/* ---- failures ---------------------------------------------------------- */

static enum step blame(struct run *r, enum pz_fault fault, int retryable,
                       const char *before, const char *after)
{
    pz_failure_blame(&r->out->failure, fault, retryable, before,
                     &r->wish.peer, after);
    return STEP_FAILED;
}

static enum step refuse(struct run *r, const char *what)
{
    pz_failure_refuse(&r->out->failure, "the request has ", what);
    return STEP_FAILED;
}

static enum step fail_memory(struct run *r)
{
    pz_failure_refuse(&r->out->failure, "not enough memory for ",
                      "the request");
    return STEP_FAILED;
}

static enum step fail_timeout(struct run *r)
{
    const char *missing = "no answer from ";
    char after[48];

    if (!r->out->failure.sent)
        missing = "no connection to ";
    else if (r->out->answer.status)
        missing = "no complete answer from ";
    snprintf(after, sizeof after, " within %.3f s", r->x->timeout);
    return blame(r, PZ_FAULT_TIMEOUT, 1, missing, after);
}

static enum step fail_slow(struct run *r)
{
    char after[80];

    snprintf(after, sizeof after, " moved less than %ld bytes a second "
             "for %ld s", r->x->slowest, r->x->slow_seconds);
    return blame(r, PZ_FAULT_TIMEOUT, 1, "the exchange with ", after);
}

static enum step fail_source(struct run *r, const char *why)
{
    struct pz_failure *f = &r->out->failure;

    f->fault = PZ_FAULT_SOURCE;
    f->retryable = 0;
    snprintf(f->message, sizeof f->message, "%s", why);
    return STEP_FAILED;
}

/* The reader found no answer. 'is_none': nothing of a final one came. */
static enum step fail_answer(struct run *r, enum pz_status status,
                             int is_none)
{
    struct pz_http1 *answer = &r->out->answer;
    char after[80];

    if (status == PZ_ENOMEM || answer->fault == PZ_HTTP1_LARGE) {
        /* An answer of this size would come again. */
        snprintf(after, sizeof after, ": %s", answer->message);
        return blame(r, PZ_FAULT_RESPONSE, 0, "", after);
    }
    if (answer->fault != PZ_HTTP1_NONE && !is_none)
        return blame(r, PZ_FAULT_RESPONSE, 1, "the answer of ",
                     " is cut or malformed");
    if (r->is_fresh &&
        pz_connection_is_refused(r->c, &r->wish.peer, &r->out->failure)) {
        r->out->failure.sent = 0; /* nobody looked at it */
        return STEP_FAILED;
    }
    return blame(r, PZ_FAULT_CONNECTION, 1, "",
                 " closed the connection without an answer");
}

/* ---- time -------------------------------------------------------------- */

/* Does so little move, for so long, that it is no use? Seconds are looked at
   one by one, so that what came before does not count. */
static int is_too_slow(struct run *r, double now)
{
    double passed = now - r->slow_mark;

    if (r->x->slowest == 0 || passed < 1.0)
        return 0;
    if ((double)(r->moved - r->moved_before) >=
        (double)r->x->slowest * passed)
        r->slow_since = now;
    r->slow_mark = now;
    r->moved_before = r->moved;
    return now - r->slow_since >= (double)r->x->slow_seconds;
}

/* Tells how far the body got. */
static enum step tell(struct run *r)
{
    if (r->x->progress(r->x->arg, r->body_sent) != 0)
        return blame(r, PZ_FAULT_ENDED, 0, "ended while asking ", "");
    /* The exchange is the parent's. */
    if (pz_pool_is_foreign(r->pool))
        return blame(r, PZ_FAULT_INTERRUPTED, 0, "interrupted while asking ",
                     "");
    return STEP_DONE;
}

/* Is there a reason to end, whatever goes on? Asked every tenth of a second. */
static enum step look_around(struct run *r)
{
    r->now = pz_sys_monotonic();
    if (r->now >= r->patience.deadline)
        return fail_timeout(r);
    if (r->now - r->looked < LOOK_SECONDS)
        return STEP_DONE;
    if (r->x->interrupted && r->x->interrupted(r->x->arg))
        return blame(r, PZ_FAULT_INTERRUPTED, 0, "interrupted while asking ",
                     "");
    if (r->x->progress && tell(r) != STEP_DONE)
        return STEP_FAILED;
    r->now = r->looked = pz_sys_monotonic();
    return is_too_slow(r, r->now) ? fail_slow(r) : STEP_DONE;
}

/* Waits for either of the two, so long at most. */
static enum step wait_for(struct run *r, int what, int most_ms, int *seen)
{
    enum step step = look_around(r);
    double left = r->patience.deadline - r->now;
    int ms = r->x->progress && most_ms > PROGRESS_MS ? PROGRESS_MS : most_ms;

    if (left * 1000 < ms)
        ms = left > 0 ? (int)(left * 1000) + 1 : 0;
    *seen = step == STEP_DONE ? pz_connection_wait(r->c, what, ms) : 0;
    return step;
}

/* ---- the answer -------------------------------------------------------- */

/* Has the reader seen whole 1xx heads, and nothing since? */
static int is_between_heads(const struct pz_http1 *answer)
{
    return answer->part == PZ_HTTP1_STATUS_LINE && answer->head_lines > 0 &&
           answer->bytes.len == 0;
}

static enum step end_answer(struct run *r, int is_broken)
{
    struct pz_http1 *answer = &r->out->answer;
    /* The 100 that was waited for is no answer yet. */
    int is_none = r->expects && is_between_heads(answer);
    enum pz_status status = pz_http1_finish(answer, is_broken);

    r->is_over = 1;
    return status == PZ_OK ? STEP_ANSWERED
                           : fail_answer(r, status, is_none);
}

/* Takes what has come; STEP_DONE where more has to be waited for. */
static enum step receive(struct run *r)
{
    struct pz_http1 *answer = &r->out->answer;
    char room[ROOM];

    for (;;) {
        struct pz_slice bytes = { room, 0 };
        enum pz_status status;

        switch (pz_connection_receive(r->c, room, sizeof room, &bytes.len)) {
        case PZ_IO_AGAIN:
            return STEP_DONE;
        case PZ_IO_END:
            return end_answer(r, 0);
        case PZ_IO_BROKEN:
            return end_answer(r, 1);
        case PZ_IO_DONE:
            break;
        }
        r->moved += bytes.len;
        status = pz_http1_feed(answer, bytes);
        pz_wipe(room, bytes.len);
        if (status != PZ_OK)
            return fail_answer(r, status, 0);
        if (answer->part == PZ_HTTP1_DONE)
            return STEP_ANSWERED;
    }
}

/* The answer, when all that will be sent was. */
static enum step await_answer(struct run *r)
{
    double end = r->is_broken ? pz_sys_monotonic() + WORD_SECONDS : 0;
    enum step step = r->is_broken ? receive(r) : STEP_DONE;
    int seen;

    while (step == STEP_DONE) {
        step = wait_for(r, PZ_READABLE, SLICE_MS, &seen);
        if (step == STEP_DONE)
            step = receive(r);
        if (step == STEP_DONE && r->is_broken && pz_sys_monotonic() > end)
            step = end_answer(r, 1);
    }
    return step;
}

/* ---- the request ------------------------------------------------------- */

/* Nothing can be sent just now. An answer may come meanwhile: then the rest is
   not sent. */
static enum step wait_to_send(struct run *r)
{
    int what = PZ_READABLE | PZ_WRITABLE, ms = SLICE_MS, seen;
    enum step step;

    if (r->was_writable) {
        /* TLS wants to read first, and poll would return at once. */
        what = PZ_READABLE;
        ms = STUCK_MS;
    }
    step = wait_for(r, what, ms, &seen);
    r->was_writable = (seen & PZ_WRITABLE) != 0;
    return step == STEP_DONE && (seen & PZ_READABLE || !r->was_writable)
        ? receive(r) : step;
}

static enum step send_bytes(struct run *r, struct pz_slice bytes)
{
    while (bytes.len > 0) {
        size_t n = 0;
        enum step step;

        switch (pz_connection_send(r->c, bytes.data, bytes.len, &n)) {
        case PZ_IO_DONE:
            r->out->failure.sent = 1;
            r->was_writable = 0;
            r->moved += n;
            bytes = pz_slice_sub(bytes, n, bytes.len);
            continue;
        case PZ_IO_AGAIN:
            r->out->failure.sent = 1; /* TLS may have sent a part of it */
            step = wait_to_send(r);
            if (step != STEP_DONE)
                return step;
            continue;
        case PZ_IO_END:
        case PZ_IO_BROKEN:
            r->is_broken = 1;
            return STEP_DONE;
        }
    }
    return STEP_DONE;
}

/* A part of the body; then a look at whether an answer has come by now, and
   around. */
static enum step send_body(struct run *r, struct pz_slice part)
{
    enum step step = send_bytes(r, part);

    if (step != STEP_DONE || r->is_broken)
        return step;
    r->body_sent += part.len;
    if (r->body_sent < r->body_len &&
        pz_connection_wait(r->c, PZ_READABLE, 0))
        step = receive(r);
    return step == STEP_DONE ? look_around(r) : step;
}

static enum step send_string(struct run *r)
{
    struct pz_slice rest = r->x->body;
    enum step step = STEP_DONE;

    while (rest.len > 0 && step == STEP_DONE && !r->is_broken) {
        step = send_body(r, pz_slice_sub(rest, 0, BLOCK));
        rest = pz_slice_sub(rest, BLOCK, rest.len);
    }
    return step;
}

static enum step send_source(struct run *r)
{
    const struct pz_body_source *source = r->x->source;
    enum step step = STEP_DONE;
    char *block;

    if (r->body_len == 0)
        return STEP_DONE;
    block = pz_alloc(BLOCK);
    if (block == NULL)
        return fail_memory(r);
    while (r->body_sent < r->body_len && step == STEP_DONE &&
           !r->is_broken) {
        unsigned long long left = r->body_len - r->body_sent;
        size_t len = left < BLOCK ? (size_t)left : BLOCK;
        long got = source->read(source->arg, block, len);
        struct pz_slice part = { block, (size_t)got };

        if (got <= 0 || (size_t)got > len)
            step = fail_source(r, got < 0 ? source->fault(source->arg)
                               : "the body is shorter than it was said to be");
        else
            step = send_body(r, part);
    }
    pz_free(block);
    return step;
}

/* A second at most for a word before a long body. */
static enum step await_word(struct run *r)
{
    double end = pz_sys_monotonic() + WORD_SECONDS, left = WORD_SECONDS;
    enum step step = STEP_DONE;
    int seen;

    while (step == STEP_DONE && left > 0 &&
           !is_between_heads(&r->out->answer)) {
        step = wait_for(r, PZ_READABLE,
                        left * 1000 < SLICE_MS ? (int)(left * 1000) + 1
                                               : SLICE_MS, &seen);
        if (step == STEP_DONE)
            step = receive(r);
        left = end - pz_sys_monotonic();
    }
    return step;
}

static int is_short(const struct run *r)
{
    return r->x->source == NULL && r->body_len <= SHORT_BODY;
}

static enum step send_request(struct run *r)
{
    enum step step = send_bytes(r, pz_buf_slice(&r->out->bytes));

    if (step != STEP_DONE || r->is_broken)
        return step;
    if (is_short(r)) {
        r->body_sent = r->body_len;
        return STEP_DONE;
    }
    if (r->expects)
        step = await_word(r);
    if (step != STEP_DONE)
        return step;
    return r->x->source ? send_source(r) : send_string(r);
}

/* ---- what is asked ----------------------------------------------------- */

/* The request's bytes: the head, and a short body behind it. */
static enum step write_request(struct run *r)
{
    struct pz_http1_request request;
    struct pz_buf *out = &r->out->bytes;
    const char *fault = NULL;
    enum pz_status status;
    struct pz_uri uri;

    memset(&request, 0, sizeof request);
    request.method = r->x->method;
    request.url = r->x->url;
    request.head = r->x->head;
    request.has_body = r->x->body.data != NULL || r->x->source != NULL;
    request.length = r->body_len;
    request.expects = r->expects;
    if (r->c && r->c->is_to_proxy) {
        request.is_for_proxy = 1;
        request.proxy_authorization = pz_buf_slice(&r->c->authorization);
    }
    pz_buf_clear(out);
    status = pz_http1_request(out, &uri, &fault, &request);
    if (status == PZ_EINVAL)
        return refuse(r, fault);
    if (status == PZ_OK && is_short(r))
        status = pz_buf_adds(out, r->x->body);
    if (status != PZ_OK)
        return fail_memory(r);
    r->is_for_proxy = request.is_for_proxy;
    r->has_expect = r->expects;
    r->wish.is_https = pz_slice_eq(uri.scheme, PZ_LIT("https"));
    r->wish.peer.host = uri.host;
    r->wish.peer.port = pz_http1_port(&uri);
    return STEP_DONE;
}

static int is_text(struct pz_slice s) /* no NUL inside */
{
    return s.len == 0 || memchr(s.data, 0, s.len) == NULL;
}

/* Checks the request, and writes it as it most often goes out. */
static enum step prepare(struct run *r)
{
    const struct pz_exchange *x = r->x;
    struct pz_address address;
    enum step step = write_request(r);

    if (step != STEP_DONE)
        return step;
    if (!is_text(x->ca_bundle) || !is_text(x->proxy))
        return refuse(r, "a NUL in ca_bundle or proxy");
    if (x->address.data && !pz_address_parse(&address, x->address))
        return refuse(r, "an address that is none");
    if (!(x->timeout > 0 && x->connect_timeout > 0))
        return blame(r, PZ_FAULT_TIMEOUT, 1, "no time left to ask ", "");
    r->wish.address = x->address;
    r->wish.ca_bundle = x->ca_bundle;
    r->wish.proxy = x->proxy;
    r->wish.direct = x->direct;
    return STEP_DONE;
}

/* ---- the exchange ------------------------------------------------------ */

/* Keeps the memory that was lent for the answer. */
static void begin_answer(struct run *r)
{
    struct pz_http1 *answer = &r->out->answer;
    struct pz_buf memory = answer->bytes;

    pz_buf_clear(&memory);
    pz_http1_init(answer, r->x->method);
    answer->bytes.data = memory.data;
    answer->bytes.cap = memory.cap;
}

/* A proxy that got the whole request can refuse it, too. */
static enum step check_proxy(struct run *r)
{
    struct pz_http1 *answer = &r->out->answer;
    struct pz_slice rest = pz_http1_head(answer), name, value;
    struct pz_buf challenge = PZ_BUF_INIT(1024);
    char after[240] = " is refused: ";
    size_t start = strlen(after);

    if (!r->c->is_to_proxy || answer->status != 407)
        return STEP_ANSWERED;
    while (pz_head_next(&rest, &name, &value)) {
        struct pz_slice parts[] = { value, PZ_LIT(", ") };

        if (pz_slice_ieq(name, PZ_LIT("proxy-authenticate")) &&
            pz_buf_addv(&challenge, parts, PZ_COUNT(parts)) != PZ_OK)
            break;
    }
    pz_proxy_refusal(after + start, sizeof after - start,
                     pz_buf_slice(&challenge), r->c->authorization.len > 0);
    pz_buf_free(&challenge);
    answer->status = 0;
    r->out->failure.sent = 0; /* to the peer itself */
    return blame(r, PZ_FAULT_CONNECTION, 0, "the way to ", after);
}

/* Whether the connection is kept, and the last word about progress. */
static void settle(struct run *r, enum step step)
{
    if (step == STEP_ANSWERED)
        step = check_proxy(r);
    if (step == STEP_ANSWERED && !r->is_over && !r->is_broken &&
        r->body_sent == r->body_len && pz_http1_is_reusable(&r->out->answer))
        pz_pool_keep(r->pool, r->c, pz_sys_monotonic());
    else
        pz_pool_drop(r->pool, r->c);
    r->c = NULL;
    if (step == STEP_ANSWERED && r->x->progress)
        (void)tell(r);
}

/* What is to be done about how it ended. */
enum verdict { VERDICT_END, VERDICT_FRESH, VERDICT_UNASKED };

static enum verdict judge(const struct run *r, enum step step)
{
    /* A kept connection ended just now, before anything went out over it. */
    if (r->is_broken && !r->out->failure.sent && !r->is_fresh)
        return VERDICT_FRESH;
    /* A peer that knows no Expect gets the same without it (RFC 9110,
       10.1.1). */
    if (step == STEP_ANSWERED && r->expects && r->body_sent == 0 &&
        r->out->answer.status == 417)
        return VERDICT_UNASKED;
    return VERDICT_END;
}

/* As this connection needs it? */
static int is_written(const struct run *r)
{
    return !r->c->is_to_proxy && !r->is_for_proxy &&
           r->expects == r->has_expect;
}

static void attempt(struct run *r, enum verdict *verdict)
{
    enum step step;

    *verdict = VERDICT_END;
    begin_answer(r);
    r->is_over = r->is_broken = r->was_writable = 0;
    r->body_sent = r->moved = r->moved_before = 0;
    r->out->failure.sent = 0;
    r->c = pz_pool_take(r->pool, &r->wish, &r->patience, &r->out->failure,
                        &r->is_fresh);
    if (r->c == NULL)
        return;
    r->looked = r->slow_mark = r->slow_since =
        r->is_fresh ? pz_sys_monotonic() : r->patience.began;
    step = is_written(r) ? STEP_DONE : write_request(r);
    if (step == STEP_DONE)
        step = send_request(r);
    *verdict = judge(r, step);
    if (step == STEP_DONE && *verdict == VERDICT_END)
        step = await_answer(r);
    if (*verdict == VERDICT_END) {
        settle(r, step);
        return;
    }
    pz_pool_drop(r->pool, r->c);
    r->c = NULL;
    r->expects = r->expects && *verdict != VERDICT_UNASKED;
}

static void begin(struct run *r, struct pz_pool *pool, struct pz_outcome *out,
                  const struct pz_exchange *x)
{
    memset(r, 0, sizeof *r);
    memset(&out->failure, 0, sizeof out->failure);
    out->bytes.secret = 1;
    r->x = x;
    r->out = out;
    r->pool = pool;
    r->body_len = x->source ? x->source->length : x->body.len;
    r->expects = x->source && r->body_len > LONG_BODY;
    r->patience.began = pz_sys_monotonic();
    r->patience.deadline = r->patience.began + x->timeout;
    r->patience.timeout = x->timeout;
    r->patience.connect_timeout = x->connect_timeout;
    r->patience.interrupted = x->interrupted;
    r->patience.arg = x->arg;
}

enum pz_fault pz_exchange_make(struct pz_pool *pool, struct pz_outcome *out,
                               const struct pz_exchange *exchange)
{
    enum verdict verdict;
    struct run r;

    begin(&r, pool, out, exchange);
    if (prepare(&r) == STEP_DONE)
        do
            attempt(&r, &verdict);
        while (verdict != VERDICT_END);
    return out->failure.fault;
}

const char *pz_exchange_library(void)
{
    return pz_curl_library_version();
}

void pz_outcome_free(struct pz_outcome *out)
{
    pz_http1_free(&out->answer);
    pz_buf_free(&out->bytes);
}
