#ifndef PZ_ENDPOINT_H
#define PZ_ENDPOINT_H
/*
 * From a region and a few flags to the URL of a service: the partition table
 * and the endpoint rule sets of Amazon Personalize, STS, IAM, the SSO portal,
 * SSO OIDC and signin (AWS's rules and partitions.json of August 2026). S3 has
 * rules of its own kind: pz_endpoint_s3.
 *
 * Refuses to know where region and flags came from.
 */
#include "pz_buf.h"

struct pz_partition {
    const char *id;
    const char *region_regex; /* as AWS publishes it */
    const char *dns_suffix, *dual_stack_dns_suffix;
    const char *implicit_global_region;
    int supports_fips, supports_dual_stack;
    const char *const *regions; /* NULL-ended */
};

/* The partition table, in AWS's order. */
const struct pz_partition *pz_partitions(size_t *count);

/*
 * The partition of any region: listed there, else matched by its pattern,
 * else "aws". Never NULL.
 */
const struct pz_partition *pz_partition_of(struct pz_slice region);

/*
 * A region as people may write it, "fips-REGION" and "REGION-fips" included:
 * answers the region meant, and sets *fips where the name asks for FIPS
 * (*fips is left alone otherwise).
 */
struct pz_slice pz_region_of(struct pz_slice text, int *fips);

/* The services whose rules are alike. */
enum pz_rules {
    PZ_RULES_PERSONALIZE,
    PZ_RULES_STS,
    PZ_RULES_SSO,      /* the portal, which gives credentials of a role */
    PZ_RULES_SSO_OIDC, /* which gives tokens */
    PZ_RULES_SIGNIN,   /* which gives tokens to "aws login" */
    PZ_RULES_IAM       /* one for all regions of a partition */
};

struct pz_endpoint_params {
    struct pz_slice region;   /* empty: not set */
    struct pz_slice endpoint; /* empty: by the rules */
    int use_fips, use_dualstack;
    int use_global; /* the old way of STS and S3: one host for all regions
                       that it was meant for (legacy settings) */
};

/* What requests to an endpoint are signed for; borrowed from the parameters
   or constant. The region is empty where none is known. IAM is signed for the
   region in which its partition has it, also at a custom endpoint. */
struct pz_signing {
    struct pz_slice region, name;
};

/*
 * Appends the URL; a custom endpoint stays as it is. Where the rules refuse,
 * PZ_EINVAL with their words appended instead. A region that is no host label
 * and an endpoint that is no plain URL are refused before they can become
 * part of a request.
 */
PZ_MUST_USE enum pz_status
pz_endpoint_resolve(struct pz_buf *out, struct pz_signing *signing,
                    enum pz_rules rules,
                    const struct pz_endpoint_params *params);

/* Appends a refusal: PZ_EINVAL, or why it could not be appended. */
PZ_MUST_USE enum pz_status
pz_endpoint_refuse(struct pz_buf *out, const char *words);

#endif
