#ifndef PZ_ENDPOINT_H
#define PZ_ENDPOINT_H
/*
 * From a region and a few flags to the URL of a service: the partition table
 * and the endpoint rule set of Amazon Personalize (botocore's
 * endpoint-rule-set-1.json and partitions.json of August 2026).
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

struct pz_endpoint_params {
    struct pz_slice region;   /* empty: not set */
    struct pz_slice endpoint; /* empty: by the rules */
    int use_fips, use_dualstack;
};

/*
 * Appends the URL. Where the rules refuse, PZ_EINVAL with *error the rule
 * set's own words (static). A region that is no host label is refused before
 * it can become part of a host name.
 */
PZ_MUST_USE enum pz_status
pz_endpoint_personalize(struct pz_buf *url, const char **error,
                        const struct pz_endpoint_params *params);

#endif
