#include "pz_retry.h"

#include <math.h>
#include <string.h>

#include "pz_text.h"
#include "pz_time.h"

#define MAX_BACKOFF 20.0
#define TRANSIENT_BASE 0.05
#define THROTTLING_BASE 1.0
#define SERVER_DELAY_SPAN 5.0 /* how much longer than ours a server may ask */
#define MAX_ROUND_TRIP 900.0
/* Years 2000 to 8999. Beyond, a signature's time might come to lie where it
   cannot be written, and then no answer would ever set it right. */
#define FIRST_DATE 946684800.0
#define LAST_DATE 221845391999.0

enum { TRANSIENT_COST = 14, THROTTLING_COST = 5 };

static const char *const throttling_codes[] = {
    "BandwidthLimitExceeded", "EC2ThrottledException",
    "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "RequestThrottled", "RequestThrottledException", "SlowDown",
    "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "TransactionInProgressException", NULL
};
static const char *const transient_codes[] = {
    "IDPCommunicationError", "InternalError", "RequestTimeout",
    "RequestTimeoutException", NULL
};
static const char *const skew_codes[] = {
    "AccessDeniedException", "AuthFailure", "InvalidSignatureException",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch", NULL
};

static int is_one_of(struct pz_slice code, const char *const *codes)
{
    for (; *codes; codes++)
        if (pz_slice_eq(code, pz_slice_of(*codes)))
            return 1;
    return 0;
}

enum pz_retry_class pz_retry_classify(struct pz_slice code, int status)
{
    if (is_one_of(code, throttling_codes))
        return PZ_RETRY_THROTTLING;
    if (is_one_of(code, transient_codes) || status == 500 || status == 502 ||
        status == 503 || status == 504)
        return PZ_RETRY_TRANSIENT;
    return PZ_RETRY_NEVER;
}

int pz_retry_is_skew_code(struct pz_slice code)
{
    return is_one_of(code, skew_codes);
}

/* The limiter's constants, as every AWS SDK has them. */
#define BETA 0.7
#define SCALE 0.4
#define SMOOTHING 0.8
#define WINDOW 0.5
#define MIN_FILL_RATE 0.5
#define MIN_CAPACITY 1.0

static double cubic_k(double rate)
{
    return cbrt(rate * (1 - BETA) / SCALE);
}

void pz_retry_init(struct pz_retry *retry, int adaptive)
{
    memset(retry, 0, sizeof *retry);
    retry->tokens = PZ_RETRY_CAPACITY;
    retry->transient_base = TRANSIENT_BASE;
    retry->max_backoff = MAX_BACKOFF;
    retry->adaptive = adaptive;
    retry->limiter.last_max = MIN_FILL_RATE;
    retry->limiter.k = cubic_k(MIN_FILL_RATE);
}

static void refill(struct pz_retry *retry, double now)
{
    double passed = now - retry->limiter.refilled;

    if (retry->limiter.refilled > 0 && passed > 0) {
        double tokens = retry->limiter.tokens +
                        passed * retry->limiter.fill_rate;

        retry->limiter.tokens = tokens < retry->limiter.capacity
            ? tokens : retry->limiter.capacity;
    }
    retry->limiter.refilled = now;
}

double pz_retry_admit(struct pz_retry *retry, double now, double time_left)
{
    double wait = 0;

    if (!retry->adaptive || !retry->limiter.enabled)
        return 0;
    refill(retry, now);
    if (retry->limiter.tokens < 1)
        wait = (1 - retry->limiter.tokens) / retry->limiter.fill_rate;
    if (wait > 0 && wait + PZ_RETRY_WORTHWHILE > time_left)
        return -1;
    /* Below zero it is reserved: whoever comes next waits longer. */
    retry->limiter.tokens -= 1;
    return wait;
}

/* Counts one answer; answers the smoothed rate of requests. */
static double measure(struct pz_retry *retry, double now)
{
    double window = floor(now / WINDOW) * WINDOW;

    retry->limiter.count += 1;
    if (window > retry->limiter.window) {
        double rate = retry->limiter.count / (window - retry->limiter.window);

        retry->limiter.measured = rate * SMOOTHING +
                                  retry->limiter.measured * (1 - SMOOTHING);
        retry->limiter.count = 0;
        retry->limiter.window = window;
    }
    return retry->limiter.measured;
}

void pz_retry_observe(struct pz_retry *retry, int throttled, double now)
{
    double measured, rate;

    if (!retry->adaptive)
        return;
    measured = measure(retry, now);
    if (throttled) {
        rate = measured;
        if (retry->limiter.enabled && retry->limiter.fill_rate < rate)
            rate = retry->limiter.fill_rate;
        retry->limiter.last_max = rate;
        retry->limiter.k = cubic_k(rate);
        retry->limiter.last_throttle = now;
        retry->limiter.enabled = 1;
        rate *= BETA;
    } else {
        double since = now - retry->limiter.last_throttle;

        rate = SCALE * pow(since - retry->limiter.k, 3) +
               retry->limiter.last_max;
    }
    if (rate > 2 * measured)
        rate = 2 * measured;
    refill(retry, now);
    retry->limiter.fill_rate = rate > MIN_FILL_RATE ? rate : MIN_FILL_RATE;
    retry->limiter.capacity = rate > MIN_CAPACITY ? rate : MIN_CAPACITY;
    if (retry->limiter.tokens > retry->limiter.capacity)
        retry->limiter.tokens = retry->limiter.capacity;
}

/* Digits and nothing else, as seconds; -1 for anything else. However many
   there are: so long a time is cut by whoever asked. */
static double seconds_of(struct pz_slice milliseconds)
{
    double value = 0;

    for (size_t i = 0; i < milliseconds.len; i++) {
        char c = milliseconds.data[i];

        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    return milliseconds.len > 0 ? value / 1000 : -1;
}

/* Full jitter under an exponential ceiling; a server may ask for more. */
static double delay_of(const struct pz_retry *retry,
                       const struct pz_retry_failure *failure)
{
    double base = failure->class == PZ_RETRY_THROTTLING
        ? THROTTLING_BASE : retry->transient_base;
    unsigned doublings = failure->attempt - 1;
    double ceiling = base * (double)(1ul << (doublings < 30 ? doublings : 30));
    double delay = failure->random * (ceiling < retry->max_backoff
                                          ? ceiling : retry->max_backoff);
    double asked = seconds_of(pz_slice_trim(failure->retry_after));

    if (asked > delay + SERVER_DELAY_SPAN)
        asked = delay + SERVER_DELAY_SPAN;
    if (asked > delay)
        delay = asked;
    return delay;
}

enum pz_retry_end
pz_retry_decide(struct pz_retry *retry, double *delay, int *cost,
                const struct pz_retry_failure *failure)
{
    int price = failure->class == PZ_RETRY_THROTTLING ? THROTTLING_COST
                                                      : TRANSIENT_COST;

    if (failure->class == PZ_RETRY_NEVER)
        return PZ_RETRY_REFUSED;
    if (failure->attempt >= failure->max_attempts)
        return PZ_RETRY_MAX_ATTEMPTS;
    if (retry->tokens < price)
        return PZ_RETRY_QUOTA;
    *delay = delay_of(retry, failure);
    if (*delay + PZ_RETRY_WORTHWHILE > failure->time_left)
        return PZ_RETRY_DEADLINE;
    retry->tokens -= price;
    *cost = price;
    return PZ_RETRY_AGAIN;
}

void pz_retry_success(struct pz_retry *retry, int cost)
{
    retry->tokens += cost > 0 ? cost : 1;
    if (retry->tokens > PZ_RETRY_CAPACITY)
        retry->tokens = PZ_RETRY_CAPACITY;
}

int pz_skew_measure(double *skew, const struct pz_skew_sample *sample)
{
    double server;

    if (sample->date.len == 0 || sample->age.len > 0 ||
        sample->received - sample->sent > MAX_ROUND_TRIP ||
        pz_time_parse_http(&server, pz_slice_trim(sample->date)) != PZ_OK ||
        server < FIRST_DATE || server > LAST_DATE)
        return 0;
    *skew = server - (sample->sent + sample->received) / 2;
    return 1;
}
