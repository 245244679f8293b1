#ifndef PZ_RETRY_H
#define PZ_RETRY_H
/*
 * Whether and when to try again: AWS's standard mode as of November 2026,
 * the adaptive mode's rate limiter, and the clock skew of a peer. Arithmetic
 * on what it is given: refuses to know the time, a random source and what a
 * request was.
 */
#include "pz_buf.h"

enum pz_retry_class {
    PZ_RETRY_NEVER,
    PZ_RETRY_TRANSIENT,
    PZ_RETRY_THROTTLING
};

/*
 * By error code first, then by HTTP status: a 503 with a throttling code is
 * throttling. 'code' may be empty.
 */
enum pz_retry_class pz_retry_classify(struct pz_slice code, int status);
/* Can this code mean that the signature's time was wrong? */
int pz_retry_is_skew_code(struct pz_slice code);

enum { PZ_RETRY_CAPACITY = 500 };

/* A client's budget for retries, and its rate limiter. The zero value is
   not ready: pz_retry_init. */
struct pz_retry {
    int tokens;
    double transient_base, max_backoff; /* seconds */
    int adaptive;
    struct {
        int enabled;
        double fill_rate, capacity, tokens, refilled; /* a token a request */
        double measured, window; /* requests a second; start of the window */
        double count;
        double last_max, last_throttle, k;
    } limiter;
};

void pz_retry_init(struct pz_retry *retry, int adaptive);

/*
 * Adaptive mode: takes a token for one request and answers the seconds to
 * wait before it; 0 in standard mode and until the first throttling. Takes
 * none, and answers less than 0, where the wait would outlast 'time_left'.
 */
double pz_retry_admit(struct pz_retry *retry, double now, double time_left);

enum pz_retry_end {
    PZ_RETRY_AGAIN,
    PZ_RETRY_REFUSED,      /* the failure is not one to try again */
    PZ_RETRY_MAX_ATTEMPTS,
    PZ_RETRY_QUOTA,        /* the budget is used up */
    PZ_RETRY_DEADLINE      /* too little time is left to try again in */
};

/* A failed attempt. */
struct pz_retry_failure {
    enum pz_retry_class class;
    unsigned attempt, max_attempts; /* this one's number, from 1 */
    double random;                  /* [0, 1] */
    struct pz_slice retry_after;    /* x-amz-retry-after; empty: none */
    double time_left;               /* seconds for delay and next attempt */
};

/* What a retry needs after its delay to have a chance of an answer. */
#define PZ_RETRY_WORTHWHILE 0.05

/*
 * Decides; on PZ_RETRY_AGAIN takes tokens, sets *delay (seconds) and adds
 * nothing to *cost but replaces it: what a later success gives back.
 */
enum pz_retry_end
pz_retry_decide(struct pz_retry *retry, double *delay, int *cost,
                const struct pz_retry_failure *failure);

/* A success gives back what the last retry took, or one token. */
void pz_retry_success(struct pz_retry *retry, int cost);

/* Adaptive mode: every answer changes the rate. */
void pz_retry_observe(struct pz_retry *retry, int throttled, double now);

/*
 * A peer's clock, as seconds to add to ours. A client has one, and each call
 * starts from it.
 */
struct pz_skew_sample {
    double sent, received;      /* our raw clock */
    struct pz_slice date, age;  /* headers; empty: absent */
};

/*
 * 1 and *skew where the answer tells the peer's time: it has a Date, no Age
 * (no cache's answer), was at most 15 minutes under way, and the time is one
 * that a clock may show (2000 to 8999).
 */
int pz_skew_measure(double *skew, const struct pz_skew_sample *sample);

/* Beyond this difference a refused signature is put down to the clock. */
#define PZ_SKEW_TOLERANCE 240.0

#endif
