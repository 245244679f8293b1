#ifndef PZ_ATTEMPT_H
#define PZ_ATTEMPT_H
/*
 * A call's attempts: the head of the request, signed, and whether another
 * attempt follows an answer.
 *
 * Speaks awsJson1.1, and sends what else it is given as it is. Refuses to
 * know how bytes travel, what time it is and where credentials came from.
 */
#include "pz_buf.h"
#include "pz_judge.h"
#include "pz_retry.h"
#include "pz_sigv4.h"

enum {
    PZ_UUID_LEN = 36,
    PZ_OPERATION_MAX = 64
};

/* What stays the same for every call of a client to one service. */
struct pz_service {
    struct pz_buf url;    /* the endpoint with its path, "/" at its end */
    struct pz_buf host;   /* the Host header */
    struct pz_buf path;   /* the endpoint's own, "/" at its end */
    struct pz_buf region, signing_name;
    struct pz_buf target_prefix; /* "AmazonPersonalize" */
    struct pz_buf user_agent;
    struct pz_signer *signer;
    struct pz_buf scratch, head; /* secret; of no meaning between calls */
    struct pz_retry retry;
    double skew;      /* seconds by which the service's clock is ahead */
    int correct_skew; /* sign by the service's clock, not by ours */
};

struct pz_service_params {
    struct pz_slice endpoint;
    struct pz_slice region, signing_name; /* empty: nothing is signed */
    struct pz_slice target_prefix;        /* empty: no awsJson */
    struct pz_slice user_agent;
};

/*
 * 'service' is zeroed memory. Everything is copied. PZ_EINVAL with *error a
 * static text when a part could not stand in a request: a URL that is none,
 * a region that is no host label, control characters. On failure free it.
 */
PZ_MUST_USE enum pz_status
pz_service_init(struct pz_service *service, const char **error,
                const struct pz_service_params *params);
/* Wipes and frees; takes a zeroed or freed one. */
void pz_service_free(struct pz_service *service);

enum { PZ_PLAN_HEADERS = 12, PZ_TARGET_MAX = 160 };

/* A request beside what every request has. Names are lower-case; everything
   is borrowed for as long as the attempt lives. */
struct pz_plan {
    struct pz_slice method;
    struct pz_slice path;   /* encoded, from its '/' on; below the endpoint's */
    struct pz_slice query;  /* encoded, without '?' */
    struct pz_header headers[PZ_PLAN_HEADERS];
    size_t header_count;
    struct pz_slice payload_hash; /* empty: the body's */
    unsigned long long length;    /* of a body that only its hash stands for */
    int is_unsigned;
    int keep_path; /* as in pz_sigv4_request */
    enum pz_protocol protocol; /* of the answer */
};

/* A call on its way through its attempts. Owns nothing; does not move. */
struct pz_attempt {
    struct pz_plan plan;
    char target[PZ_TARGET_MAX]; /* "AmazonPersonalize.TagResource" */
    char invocation_id[PZ_UUID_LEN];
    char payload_hash[PZ_SHA256_HEX_LEN];
    unsigned long long body_len;
    unsigned number, max_attempts; /* number: attempts signed so far */
    double skew;    /* the clock's, as this call knows it */
    double sent;    /* when the last attempt was signed, by our clock */
    int cost;       /* tokens the last retry took */
    int unclear;    /* an attempt ended so that it may have been done */
};

/* Hashes the body, which is empty where the plan has a length and a hash
   instead, and makes the invocation id of 16 random bytes. PZ_EINVAL for a
   plan with a part that could not stand in a request. */
PZ_MUST_USE enum pz_status
pz_attempt_begin(struct pz_attempt *attempt, struct pz_service *service,
                 const struct pz_plan *plan, struct pz_slice body,
                 const unsigned char random[16], unsigned max_attempts);

/* The same for an operation of awsJson; PZ_EINVAL for a name that is no
   identifier. */
PZ_MUST_USE enum pz_status
pz_attempt_start(struct pz_attempt *attempt, struct pz_service *service,
                 struct pz_slice operation, struct pz_slice body,
                 const unsigned char random[16], unsigned max_attempts);

struct pz_credentials {
    struct pz_slice access_key_id, secret_access_key;
    struct pz_slice session_token; /* empty: none */
};

/* NULL when they can be signed with, or a static text that says what about
   them cannot: missing parts, and bytes that would break a header line. */
const char *pz_credentials_fault(const struct pz_credentials *credentials);

/*
 * Counts the attempt and leaves its header lines ("name: value\r\n", no
 * empty line) in service->head, which keeps secrets until the next call or
 * pz_buf_clear. PZ_EINVAL when credentials or time cannot be signed with;
 * 'credentials' is not looked at for an unsigned plan.
 */
PZ_MUST_USE enum pz_status
pz_attempt_sign(struct pz_attempt *attempt, struct pz_service *service,
                const struct pz_credentials *credentials, double now);

/* Appends the attempt's URL. PZ_EINVAL where the service was freed. */
PZ_MUST_USE enum pz_status
pz_attempt_url(struct pz_buf *out, const struct pz_attempt *attempt,
               const struct pz_service *service);

/* Why a transport has no answer. */
struct pz_no_response {
    int sent;      /* bytes of the request may have reached the peer */
    int retryable; /* the same request may succeed if sent again */
};

/* When an answer (or the want of one) is judged. */
struct pz_moment {
    double now;       /* our clock, as it was when the answer had come */
    double random;    /* [0, 1] */
    double time_left; /* of the call, seconds */
};

struct pz_decision {
    enum pz_retry_end end; /* of no meaning after a success */
    double delay;          /* seconds, for PZ_RETRY_AGAIN */
    int retryable;         /* the kind of failure is one to try again */
};

/*
 * What follows an answer that was judged: learns the peer's clock, pays and
 * gives back tokens, marks the call unclear. Either 'verdict' and 'response'
 * or 'none' is given.
 */
void pz_attempt_decide(struct pz_decision *decision,
                       struct pz_attempt *attempt, struct pz_service *service,
                       const struct pz_verdict *verdict,
                       const struct pz_response *response,
                       const struct pz_no_response *none,
                       const struct pz_moment *moment);

#endif
