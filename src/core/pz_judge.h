#ifndef PZ_JUDGE_H
#define PZ_JUDGE_H
/*
 * What an answer says: success, the service's error by name and message, or
 * nothing that can be read.
 *
 * Knows where AWS's protocols put an error's name. Refuses to know whether a
 * failure is tried again.
 */
#include "pz_buf.h"

enum {
    PZ_CODE_MAX = 128,    /* a name that is longer is none */
    PZ_MESSAGE_MAX = 1024 /* of an error's text; the rest is cut */
};

/* Where an answer's error stands. */
enum pz_protocol {
    PZ_JSON, /* headers and members: Personalize, SSO, container metadata */
    PZ_XML,  /* Error/Code: S3, STS */
    PZ_TEXT, /* nowhere: instance metadata; any body is whole */
    PZ_BYTES /* as PZ_XML; what says success is S3's to keep, and whole */
};

/* An answer as the transport gave it; borrowed. Headers that are absent are
   empty. */
struct pz_response {
    enum pz_protocol protocol;
    int status;
    struct pz_slice body;
    struct pz_slice error_type;  /* x-amzn-errortype */
    struct pz_slice request_id;  /* x-amzn-requestid or x-amz-request-id */
    struct pz_slice retry_after; /* x-amz-retry-after */
    struct pz_slice date, age;
};

enum pz_outcome {
    PZ_SUCCESS,       /* 2xx, and the body is whole, or empty */
    PZ_SERVICE_ERROR, /* the service, or something before it, refused */
    PZ_BAD_RESPONSE   /* 2xx that says success and cannot be read */
};

/* Zeroed before use; freed with pz_verdict_free. */
struct pz_verdict {
    enum pz_outcome outcome;
    struct pz_buf code;    /* the exception's name; "HTTP 503" for none */
    struct pz_buf message; /* UTF-8, one line, at most PZ_MESSAGE_MAX */
    struct pz_slice request_id; /* of the response; cut if it is not plain */
    int late; /* an error inside a 200: to be treated as a 500 */
};

/* In XML a 200 whose root is Error is a failure of the service, as S3 sends
   it when its work fails after the head. */
PZ_MUST_USE enum pz_status
pz_judge(struct pz_verdict *verdict, const struct pz_response *response);
void pz_verdict_free(struct pz_verdict *verdict);

#endif
