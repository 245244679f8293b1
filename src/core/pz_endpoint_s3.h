#ifndef PZ_ENDPOINT_S3_H
#define PZ_ENDPOINT_S3_H
/*
 * From a bucket, a region and a few flags to the URL of the bucket, as S3's
 * endpoint rule set has it, for one purpose: objects in ordinary buckets.
 *
 * Refuses what else buckets can be (ARNs, access points, directory buckets,
 * Outposts, Object Lambda) and S3 Accelerate, by name: a list of users to be
 * deleted must not end up where nobody looks for it.
 */
#include "pz_endpoint.h"

enum pz_addressing {
    PZ_ADDRESSING_AUTO,    /* as the rules say; the path for "localhost",
                              below which there are no names */
    PZ_ADDRESSING_VIRTUAL, /* as the rules say: in the host wherever it can */
    PZ_ADDRESSING_PATH
};

struct pz_endpoint_s3 {
    struct pz_endpoint_params common;
    struct pz_slice bucket; /* data NULL: of the service, not of a bucket */
    enum pz_addressing addressing;
    /* Known only to be refused, not overlooked; the last two mark operations
       on no bucket. */
    int accelerate, object_lambda, express_control;
};

/*
 * Appends the URL of the bucket, without a key: "https://BUCKET.HOST" or
 * "https://HOST/BUCKET", with the port and path of a custom endpoint (which
 * may leave a '/' at the end). Otherwise like pz_endpoint_resolve.
 */
PZ_MUST_USE enum pz_status
pz_endpoint_s3(struct pz_buf *out, struct pz_signing *signing,
               const struct pz_endpoint_s3 *params);

enum { PZ_S3_KEY_MAX = 1024 };

/* Is it the name that an object may have: UTF-8 of 1 to PZ_S3_KEY_MAX bytes? */
int pz_is_s3_key(struct pz_slice key);

/*
 * Appends "/KEY" or, with a bucket, "/BUCKET/KEY": percent-encoded once, as
 * it is both sent and signed. Slashes and dot segments of the key stay, they
 * are part of its name.
 */
PZ_MUST_USE enum pz_status
pz_s3_path(struct pz_buf *out, struct pz_slice bucket, struct pz_slice key);

#endif
