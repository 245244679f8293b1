#ifndef PZ_ATTEMPT_H
#define PZ_ATTEMPT_H
/*
 * A call's attempts: the head of the request, signed; the judgement on the
 * answer; whether another attempt follows.
 *
 * Speaks awsJson1.1. Refuses to know how bytes travel, what time it is and
 * where credentials came from.
 */
#include "pz_buf.h"
#include "pz_retry.h"
#include "pz_sigv4.h"

enum {
    PZ_UUID_LEN = 36,
    PZ_OPERATION_MAX = 64,
    PZ_MESSAGE_MAX = 1024 /* of an error's text; what is longer is cut */
};

/* What stays the same for every call of a client to one service. */
struct pz_service {
    struct pz_buf url;  /* of the request: the endpoint with its path */
    struct pz_buf host; /* the Host header */
    struct pz_buf path;
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
    struct pz_slice endpoint, region, signing_name, target_prefix, user_agent;
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

/* A call on its way through its attempts. Owns nothing. */
struct pz_attempt {
    char operation[PZ_OPERATION_MAX + 1];
    char invocation_id[PZ_UUID_LEN];
    char payload_hash[PZ_SHA256_HEX_LEN];
    size_t body_len;
    unsigned number, max_attempts; /* number: attempts signed so far */
    double skew;    /* the clock's, as this call knows it */
    double sent;    /* when the last attempt was signed, by our clock */
    int cost;       /* tokens the last retry took */
    int unclear;    /* an attempt ended so that it may have been done */
};

/* Hashes the body and makes the invocation id of 16 random bytes; PZ_EINVAL
   for an operation name that is no identifier. */
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
 * pz_buf_clear. PZ_EINVAL when credentials or time cannot be signed with.
 */
PZ_MUST_USE enum pz_status
pz_attempt_sign(struct pz_attempt *attempt, struct pz_service *service,
                const struct pz_credentials *credentials, double now);

/* An answer as the transport gave it; borrowed. Headers that are absent are
   empty. */
struct pz_response {
    int status;
    struct pz_slice body;
    struct pz_slice error_type;  /* x-amzn-errortype */
    struct pz_slice request_id;  /* x-amzn-requestid or x-amz-request-id */
    struct pz_slice retry_after; /* x-amz-retry-after */
    struct pz_slice date, age;
};

/* Why a transport has no answer. */
struct pz_no_response {
    int sent;      /* bytes of the request may have reached the peer */
    int retryable; /* the same request may succeed if sent again */
};

enum pz_outcome {
    PZ_SUCCESS,       /* 2xx, and the body is a whole JSON object (or empty) */
    PZ_SERVICE_ERROR, /* the service, or something before it, refused */
    PZ_BAD_RESPONSE   /* 2xx that says success and cannot be read */
};

/* Zeroed before use; freed with pz_verdict_free. */
struct pz_verdict {
    enum pz_outcome outcome;
    struct pz_buf code;    /* the exception's name; "HTTP 503" for none */
    struct pz_buf message; /* UTF-8, one line, at most PZ_MESSAGE_MAX */
    struct pz_slice request_id; /* of the response; cut if it is not plain */
    int has_body;
};

PZ_MUST_USE enum pz_status
pz_judge(struct pz_verdict *verdict, const struct pz_response *response);
void pz_verdict_free(struct pz_verdict *verdict);

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
