/*
 * The exchange under way: in one go, or in slices between which the caller is
 * told how far it got. And no SIGPIPE meanwhile.
 * Knows how libcurl is driven; refuses to know requests and what faults mean.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* pthread_sigmask under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_curl_parts.h"

#include <pthread.h>
#include <signal.h>

#include "pz_fork.h"

/* Before 7.66 there is only what returns at once where libcurl has nothing to
   wait for. */
#if LIBCURL_VERSION_NUM < 0x074200
#define curl_multi_poll curl_multi_wait
#endif

enum { SLICE_MS = 250 };

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
    if (pz_curl_runtime() >= 0x075700)
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

void pz_curl_free(struct pz_curl *c)
{
    struct pipe_guard guard;

    if (c->easy == NULL && c->multi == NULL)
        return;
    hold_pipe(&guard);
    curl_easy_cleanup(c->easy);
    if (c->multi)
        (void)curl_multi_cleanup(c->multi);
    release_pipe(&guard);
    c->easy = NULL;
    c->multi = NULL;
}

/* ---- in slices --------------------------------------------------------- */

/* What is under way of the body. A string libcurl has all of, from when the
   request goes out. */
static unsigned long long sent_of(const struct pz_curl *c)
{
    return c->request->source || c->requests == 0 ? c->body_read
                                                  : c->request->body.len;
}

/* Is it to end, whatever libcurl says? */
static int is_over(struct pz_curl *c, double *told)
{
    const struct pz_exchange *request = c->request;
    double now = pz_curl_moment();

    if (request->interrupted && request->interrupted(request->arg))
        c->stopped = 1;
    if (!c->stopped && request->between && now - *told >= 0.1) {
        c->ended = request->between(request->arg, sent_of(c));
        *told = pz_curl_moment();
        if (c->owner != pz_fork_id()) { /* the exchange is the parent's */
            pz_curl_unplug(c);
            c->stopped = 1;
        }
    }
    return c->stopped || c->ended;
}

static CURLcode outcome(struct pz_curl *c)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return CURLE_OUT_OF_MEMORY; /* it never began */
}

/* Steps until the exchange is done, or has to be. */
static CURLcode step(struct pz_curl *c)
{
    double told = pz_curl_moment();
    struct pipe_guard guard;
    CURLMcode code;
    int running = 0;

    for (;;) {
        hold_pipe(&guard);
        code = curl_multi_perform(c->multi, &running);
        release_pipe(&guard);
        if (code != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
        if (!running)
            return outcome(c);
        if (is_over(c, &told))
            return CURLE_ABORTED_BY_CALLBACK;
        code = curl_multi_poll(c->multi, NULL, 0, SLICE_MS, NULL);
        if (code != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
    }
}

static CURLcode run_sliced(struct pz_curl *c)
{
    const struct pz_exchange *request = c->request;
    struct pipe_guard guard;
    CURLcode code;

    if (c->multi == NULL) {
        c->multi = curl_multi_init();
        if (c->multi == NULL)
            return CURLE_OUT_OF_MEMORY;
        (void)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, 5L);
    }
    if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    code = step(c);
    hold_pipe(&guard); /* what is not done is hung up on */
    (void)curl_multi_remove_handle(c->multi, c->easy);
    release_pipe(&guard);
    if (code == CURLE_OK && c->head_done && request->between)
        c->ended = request->between(request->arg, sent_of(c));
    return code;
}

/*
 * Once one exchange was made in slices all are: the connections belong to what
 * drives them, and would be ended by a change.
 */
CURLcode pz_curl_run(struct pz_curl *c)
{
    struct pipe_guard guard;
    CURLcode code;
    long sent = 0;

    if (c->multi || c->request->source || c->request->between) {
        code = run_sliced(c);
    } else {
        hold_pipe(&guard);
        code = curl_easy_perform(c->easy);
        release_pipe(&guard);
    }
    c->idle_since = pz_curl_moment();
    if (!c->guarded)
        (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
    c->sent = c->requests > 0 || c->body_read > 0 || sent > 0;
    return code;
}
