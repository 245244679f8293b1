#include "pz_endpoint.h"

#include "pz_text.h"

static const char *const aws_regions[] = {
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1",
    "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
    "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
    "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "aws-global",
    "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
    "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", NULL
};
static const char *const cn_regions[] = {
    "aws-cn-global", "cn-north-1", "cn-northwest-1", NULL
};
static const char *const eusc_regions[] = { "eusc-de-east-1", NULL };
static const char *const iso_regions[] = {
    "aws-iso-global", "us-iso-east-1", "us-iso-west-1", NULL
};
static const char *const isob_regions[] = {
    "aws-iso-b-global", "us-isob-east-1", "us-isob-west-1", NULL
};
static const char *const isoe_regions[] = {
    "aws-iso-e-global", "eu-isoe-west-1", NULL
};
static const char *const isof_regions[] = {
    "aws-iso-f-global", "us-isof-east-1", "us-isof-south-1", NULL
};
static const char *const gov_regions[] = {
    "aws-us-gov-global", "us-gov-east-1", "us-gov-west-1", NULL
};

static const struct pz_partition partitions[] = {
    { "aws", "^(us|eu|ap|sa|ca|me|af|il|mx)\\-\\w+\\-\\d+$",
      "amazonaws.com", "api.aws", "us-east-1", 1, 1, aws_regions },
    { "aws-cn", "^cn\\-\\w+\\-\\d+$",
      "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1",
      1, 1, cn_regions },
    { "aws-eusc", "^eusc\\-(de)\\-\\w+\\-\\d+$",
      "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1",
      1, 1, eusc_regions },
    { "aws-iso", "^us\\-iso\\-\\w+\\-\\d+$",
      "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1", 1, 1, iso_regions },
    { "aws-iso-b", "^us\\-isob\\-\\w+\\-\\d+$",
      "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1",
      1, 1, isob_regions },
    { "aws-iso-e", "^eu\\-isoe\\-\\w+\\-\\d+$",
      "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1",
      1, 1, isoe_regions },
    { "aws-iso-f", "^us\\-isof\\-\\w+\\-\\d+$",
      "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1",
      1, 1, isof_regions },
    { "aws-us-gov", "^us\\-gov\\-\\w+\\-\\d+$",
      "amazonaws.com", "api.aws", "us-gov-west-1", 1, 1, gov_regions },
};

const struct pz_partition *pz_partitions(size_t *count)
{
    *count = PZ_COUNT(partitions);
    return partitions;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           c == '_';
}

/* Bytes of 's' from 'at' that the class takes; for \w and \d. */
static size_t run_of(struct pz_slice s, size_t at, int (*in_class)(char))
{
    size_t end = at;

    while (end < s.len && in_class(s.data[end]))
        end++;
    return end - at;
}

/* The alternative of "(a|b|c)" that stands at 'at'; *regex moves past the
   group. Answers its length, 0 for none. */
static size_t take_group(const char **regex, struct pz_slice s, size_t at)
{
    size_t taken = 0;
    const char *p = *regex + 1;

    while (*p && *p != ')') {
        size_t len = 0;
        struct pz_slice word;

        while (p[len] && p[len] != '|' && p[len] != ')')
            len++;
        word.data = p;
        word.len = len;
        if (!taken && pz_slice_starts(pz_slice_sub(s, at, s.len), word))
            taken = len;
        p += len + (p[len] == '|');
    }
    *regex = *p ? p + 1 : p;
    return taken;
}

/*
 * Matches the dialect that AWS's region patterns are written in: literals,
 * "\-", "\w+", "\d+" and groups of literals. No part can give back what it
 * took, as \w has no hyphen: so no backtracking.
 */
static int matches(const char *regex, struct pz_slice s)
{
    size_t at = 0;

    while (*regex) {
        size_t taken;

        if (*regex == '^') {
            regex++;
            continue;
        }
        if (*regex == '$')
            return at == s.len;
        if (*regex == '(') {
            taken = take_group(&regex, s, at);
        } else if (*regex == '\\' && regex[1] != '-') {
            taken = run_of(s, at, regex[1] == 'd' ? is_digit : is_word);
            regex += 3;
        } else {
            regex += *regex == '\\';
            taken = at < s.len && s.data[at] == *regex;
            regex++;
        }
        if (taken == 0)
            return 0;
        at += taken;
    }
    return 1;
}

const struct pz_partition *pz_partition_of(struct pz_slice region)
{
    for (size_t i = 0; i < PZ_COUNT(partitions); i++)
        for (const char *const *r = partitions[i].regions; *r; r++)
            if (pz_slice_eq(region, pz_slice_of(*r)))
                return &partitions[i];
    for (size_t i = 0; i < PZ_COUNT(partitions); i++)
        if (matches(partitions[i].region_regex, region))
            return &partitions[i];
    return &partitions[0];
}

static const char *refusal(const struct pz_endpoint_params *p,
                           const struct pz_partition *partition)
{
    int fips = !p->use_fips || partition->supports_fips;
    int dual = !p->use_dualstack || partition->supports_dual_stack;

    if (fips && dual)
        return NULL;
    if (p->use_fips && p->use_dualstack)
        return "FIPS and DualStack are enabled, but this partition does not "
               "support one or both";
    if (p->use_fips)
        return "FIPS is enabled but this partition does not support FIPS";
    return "DualStack is enabled but this partition does not support "
           "DualStack";
}

enum pz_status
pz_endpoint_personalize(struct pz_buf *url, const char **error,
                        const struct pz_endpoint_params *p)
{
    const struct pz_partition *partition;

    *error = NULL;
    if (p->endpoint.len > 0) {
        if (p->use_fips)
            *error = "Invalid Configuration: FIPS and custom endpoint are "
                     "not supported";
        else if (p->use_dualstack)
            *error = "Invalid Configuration: Dualstack and custom endpoint "
                     "are not supported";
        return *error ? PZ_EINVAL : pz_buf_adds(url, p->endpoint);
    }
    if (p->region.len == 0) {
        *error = "Invalid Configuration: Missing Region";
        return PZ_EINVAL;
    }
    if (!pz_is_host_label(p->region)) {
        *error = "Invalid Configuration: the region is not a valid host "
                 "label";
        return PZ_EINVAL;
    }
    partition = pz_partition_of(p->region);
    *error = refusal(p, partition);
    if (*error)
        return PZ_EINVAL;
    {
        struct pz_slice parts[] = {
            PZ_LIT("https://personalize"),
            p->use_fips ? PZ_LIT("-fips.") : PZ_LIT("."),
            p->region, PZ_LIT("."),
            pz_slice_of(p->use_dualstack ? partition->dual_stack_dns_suffix
                                         : partition->dns_suffix)
        };

        return pz_buf_addv(url, parts, PZ_COUNT(parts));
    }
}
