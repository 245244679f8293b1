#include "pz_endpoint.h"

#include "pz_text.h"
#include "pz_uri.h"

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

struct pz_slice pz_region_of(struct pz_slice text, int *fips)
{
    static const char mark[] = "fips";
    const size_t len = sizeof mark - 1;
    struct pz_slice region = text;

    if (pz_slice_starts(text, PZ_LIT("fips-")))
        region = pz_slice_sub(text, len + 1, text.len);
    else if (text.len > len + 1 &&
             pz_slice_eq(pz_slice_sub(text, text.len - len - 1, text.len),
                         PZ_LIT("-fips")))
        region = pz_slice_sub(text, 0, text.len - len - 1);
    if (region.len == text.len || region.len == 0)
        return text;
    *fips = 1;
    /* The names of the time before regions had FIPS hosts of their own. */
    if (pz_slice_eq(region, PZ_LIT("aws-global")) ||
        pz_slice_eq(region, PZ_LIT("aws")))
        return PZ_LIT("us-east-1");
    return region;
}

/* One line a service, in the order of enum pz_rules. */
static const struct rules {
    const char *host, *fips_host; /* what stands before ".REGION." */
    const char *signing_name;
    int gov_is_fips; /* in GovCloud the plain host is the FIPS host */
} services[] = {
    { "personalize", "personalize-fips", "personalize", 0 },
    { "sts", "sts-fips", "sts", 1 },
    { "portal.sso", "portal.sso-fips", "awsssoportal", 1 },
    { "oidc", "oidc-fips", "sso-oauth", 1 },
    { "signin", "signin-fips", "signin", 0 },
    { NULL, NULL, "iam", 0 }, /* see iam_places */
};

/* Where sts.amazonaws.com once served all; later regions never had it. */
static const char *const sts_global[] = {
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "aws-global", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1",
    "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2"
};

/* The console's domains, which signin shares, are not the partition's. */
static const struct {
    const char *partition, *domain;
} signin_domains[] = {
    { "aws", ".signin.aws.amazon.com" },
    { "aws-cn", ".signin.amazonaws.cn" },
    { "aws-eusc", ".signin.amazonaws-eusc.eu" },
    { "aws-iso", ".signin.c2shome.ic.gov" },
    { "aws-iso-b", ".signin.sc2shome.sgov.gov" },
    { "aws-iso-e", ".signin.csphome.adc-e.uk" },
    { "aws-iso-f", ".signin.csphome.hci.ic.gov" },
    { "aws-us-gov", ".signin.amazonaws-us-gov.com" },
};

/* Hosts: plain, FIPS, dual-stack, both. */
static const struct {
    const char *partition, *region, *hosts[4];
} iam_places[] = {
    { "aws", "us-east-1",
      { "iam.amazonaws.com", "iam-fips.amazonaws.com",
        "iam.global.api.aws", "iam-fips.global.api.aws" } },
    { "aws-cn", "cn-north-1",
      { "iam.cn-north-1.amazonaws.com.cn", "iam-fips.amazonaws.com.cn",
        "iam.global.api.amazonwebservices.com.cn",
        "iam-fips.api.amazonwebservices.com.cn" } },
    { "aws-eusc", "eusc-de-east-1",
      { "iam.eusc-de-east-1.amazonaws.eu", "iam-fips.amazonaws.eu",
        "iam.global.api.amazonwebservices.eu",
        "iam-fips.api.amazonwebservices.eu" } },
    { "aws-iso", "us-iso-east-1",
      { "iam.us-iso-east-1.c2s.ic.gov", "iam-fips.us-iso-east-1.c2s.ic.gov",
        "iam.api.aws.ic.gov", "iam-fips.api.aws.ic.gov" } },
    { "aws-iso-b", "us-isob-east-1",
      { "iam.us-isob-east-1.sc2s.sgov.gov",
        "iam-fips.us-isob-east-1.sc2s.sgov.gov",
        "iam.api.aws.scloud", "iam-fips.api.aws.scloud" } },
    { "aws-iso-e", "eu-isoe-west-1",
      { "iam.eu-isoe-west-1.cloud.adc-e.uk", "iam-fips.cloud.adc-e.uk",
        "iam.api.cloud-aws.adc-e.uk", "iam-fips.api.cloud-aws.adc-e.uk" } },
    { "aws-iso-f", "us-isof-south-1",
      { "iam.us-isof-south-1.csp.hci.ic.gov", "iam-fips.csp.hci.ic.gov",
        "iam.api.aws.hci.ic.gov", "iam-fips.api.aws.hci.ic.gov" } },
    { "aws-us-gov", "us-gov-west-1",
      { "iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com",
        "iam.us-gov.api.aws", "iam.us-gov.api.aws" } },
};

static int is(const char *a, const char *b)
{
    return pz_slice_eq(pz_slice_of(a), pz_slice_of(b));
}

static int is_sts_global(const struct pz_endpoint_params *p)
{
    if (p->use_fips || p->use_dualstack)
        return 0;
    if (!p->use_global)
        return pz_slice_eq(p->region, PZ_LIT("aws-global"));
    for (size_t i = 0; i < PZ_COUNT(sts_global); i++)
        if (pz_slice_eq(p->region, pz_slice_of(sts_global[i])))
            return 1;
    return 0;
}

static enum pz_status
signin_url(struct pz_buf *out, const struct pz_endpoint_params *p,
           const struct pz_partition *partition)
{
    struct pz_slice parts[] = {
        PZ_LIT("https://"), p->region, { NULL, 0 }
    };

    if (!p->use_fips) {
        for (size_t i = 0; i < PZ_COUNT(signin_domains); i++)
            if (is(partition->id, signin_domains[i].partition))
                parts[2] = pz_slice_of(signin_domains[i].domain);
    } else if (pz_slice_eq(p->region, PZ_LIT("us-gov-west-1"))) {
        /* This one carries no region. */
        parts[1] = PZ_LIT("signin-fips.amazonaws-us-gov.com");
    } else {
        parts[2] = PZ_LIT(".signin-fips.amazonaws-us-gov.com");
    }
    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

static enum pz_status
regional_url(struct pz_buf *out, const struct rules *rules,
             const struct pz_endpoint_params *p,
             const struct pz_partition *partition)
{
    int fips = p->use_fips &&
               (p->use_dualstack || !rules->gov_is_fips ||
                !is(partition->id, "aws-us-gov"));
    struct pz_slice parts[] = {
        PZ_LIT("https://"),
        pz_slice_of(fips ? rules->fips_host : rules->host), PZ_LIT("."),
        p->region, PZ_LIT("."),
        pz_slice_of(p->use_dualstack ? partition->dual_stack_dns_suffix
                                     : partition->dns_suffix)
    };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

/* The place of IAM in a partition: its row in iam_places. */
static size_t iam_place(const struct pz_partition *partition)
{
    size_t i = 0;

    while (i + 1 < PZ_COUNT(iam_places) &&
           !is(partition->id, iam_places[i].partition))
        i++;
    return i;
}

static enum pz_status
iam_url(struct pz_buf *out, const struct pz_endpoint_params *p,
        const struct pz_partition *partition)
{
    int host = (p->use_fips ? 1 : 0) + (p->use_dualstack ? 2 : 0);
    struct pz_slice parts[] = {
        PZ_LIT("https://"),
        pz_slice_of(iam_places[iam_place(partition)].hosts[host])
    };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

enum pz_status pz_endpoint_refuse(struct pz_buf *out, const char *words)
{
    enum pz_status status = pz_buf_adds(out, pz_slice_of(words));

    return status == PZ_OK ? PZ_EINVAL : status;
}

static enum pz_status
custom_url(struct pz_buf *out, const struct pz_endpoint_params *p)
{
    struct pz_uri uri;

    if (p->use_fips)
        return pz_endpoint_refuse(out, "Invalid Configuration: FIPS and "
                                  "custom endpoint are not supported");
    if (p->use_dualstack)
        return pz_endpoint_refuse(out, "Invalid Configuration: Dualstack and "
                                  "custom endpoint are not supported");
    /* The rules take whatever it is; here it might end a line early. */
    if (pz_uri_parse(&uri, p->endpoint) != PZ_OK)
        return pz_endpoint_refuse(out, "Invalid Configuration: the custom "
                                  "endpoint is no URL of http or https, host, "
                                  "port and path");
    return pz_buf_adds(out, p->endpoint);
}

/* What the partition lacks, or NULL. */
static const char *lacks(const struct pz_endpoint_params *p,
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
pz_endpoint_resolve(struct pz_buf *out, struct pz_signing *signing,
                    enum pz_rules rules, const struct pz_endpoint_params *p)
{
    const struct rules *service = &services[rules];
    const struct pz_partition *partition;
    const char *lacking;

    signing->region = p->region;
    signing->name = pz_slice_of(service->signing_name);
    if (rules == PZ_RULES_IAM && p->region.len > 0)
        signing->region = pz_slice_of(
            iam_places[iam_place(pz_partition_of(p->region))].region);
    if (p->endpoint.len > 0)
        return custom_url(out, p);
    if (p->region.len == 0)
        return pz_endpoint_refuse(out,
                                  "Invalid Configuration: Missing Region");
    if (!pz_is_host_label(p->region))
        return pz_endpoint_refuse(out, "Invalid Configuration: the region is "
                                  "not a valid host label");
    partition = pz_partition_of(p->region);
    if ((lacking = lacks(p, partition)) != NULL)
        return pz_endpoint_refuse(out, lacking);
    if (rules == PZ_RULES_IAM)
        return iam_url(out, p, partition);
    if (rules == PZ_RULES_STS && is_sts_global(p)) {
        signing->region = PZ_LIT("us-east-1");
        return pz_buf_adds(out, PZ_LIT("https://sts.amazonaws.com"));
    }
    if (rules == PZ_RULES_SIGNIN && !p->use_dualstack &&
        (!p->use_fips || is(partition->id, "aws-us-gov")))
        return signin_url(out, p, partition);
    return regional_url(out, service, p, partition);
}
