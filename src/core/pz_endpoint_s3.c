#include "pz_endpoint_s3.h"

#include "pz_text.h"
#include "pz_uri.h"

static int ends(struct pz_slice s, struct pz_slice tail)
{
    return s.len >= tail.len &&
           pz_slice_eq(pz_slice_sub(s, s.len - tail.len, s.len), tail);
}

static int is_number(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return 0;
    return s.len > 0;
}

/* Four numbers of up to three digits. */
static int is_ipv4(struct pz_slice s)
{
    int count = 0;

    for (size_t at = 0; at <= s.len; count++) {
        size_t end = pz_slice_find(s, '.', at);

        if (end - at > 3 || !is_number(pz_slice_sub(s, at, end)))
            return 0;
        at = end + 1;
    }
    return count == 4;
}

/*
 * Is the host an address? No top-level domain is a number, so what ends in
 * one is read as an IPv4 address by resolvers, however it is written.
 */
static int is_address(struct pz_slice host)
{
    size_t at;

    if (host.len > 0 && host.data[0] == '[')
        return 1;
    if (ends(host, PZ_LIT("."))) /* of the root, which nobody writes */
        host.len--;
    at = host.len;
    while (at > 0 && host.data[at - 1] != '.')
        at--;
    return is_number(pz_slice_sub(host, at, host.len));
}

/* Can the name stand in a host? With dots it can where no certificate is
   asked for: a wildcard covers one label. */
static int is_hostable(struct pz_slice bucket, int dots)
{
    if (bucket.len < 3 || bucket.len > 63 || is_ipv4(bucket))
        return 0;
    for (size_t i = 0; i < bucket.len; i++)
        if (bucket.data[i] >= 'A' && bucket.data[i] <= 'Z')
            return 0;
    for (size_t at = 0; at <= bucket.len;) {
        size_t end = pz_slice_find(bucket, '.', at);

        if (!pz_is_host_label(pz_slice_sub(bucket, at, end)) ||
            (end < bucket.len && !dots))
            return 0;
        at = end + 1;
    }
    return 1;
}

static int is_virtual(const struct pz_endpoint_s3 *p, const struct pz_uri *uri)
{
    int http = pz_slice_eq(uri->scheme, PZ_LIT("http"));

    if (p->addressing == PZ_ADDRESSING_PATH || is_address(uri->host))
        return 0;
    if (p->addressing == PZ_ADDRESSING_AUTO &&
        pz_slice_ieq(uri->host, PZ_LIT("localhost")))
        return 0;
    return is_hostable(p->bucket, http);
}

/* Settings that exclude each other, in the words and the order of the rule
   set; NULL where there are none. */
static const char *conflict(const struct pz_endpoint_s3 *p,
                            const struct pz_partition *partition)
{
    const struct pz_endpoint_params *c = &p->common;
    int custom = c->endpoint.len > 0;

    if (c->region.len == 0)
        return "A region must be set when sending requests to S3.";
    if (p->accelerate && c->use_fips)
        return "Accelerate cannot be used with FIPS";
    if (custom && c->use_dualstack)
        return "Cannot set dual-stack in combination with a custom endpoint.";
    if (custom && c->use_fips)
        return "A custom endpoint cannot be combined with FIPS";
    if (custom && p->accelerate)
        return "A custom endpoint cannot be combined with S3 Accelerate";
    if (c->use_fips && pz_slice_eq(pz_slice_of(partition->id),
                                   PZ_LIT("aws-cn")))
        return "Partition does not support FIPS";
    return NULL;
}

/* Why this is not about an ordinary bucket, or NULL. */
static const char *foreign(const struct pz_endpoint_s3 *p)
{
    struct pz_slice bucket = p->bucket;

    if (p->object_lambda && !bucket.data)
        return "S3 Object Lambda is not supported: only objects in ordinary "
               "buckets are";
    if ((p->express_control && !bucket.data) ||
        ends(bucket, PZ_LIT("--x-s3")) || ends(bucket, PZ_LIT("--xa-s3")))
        return "S3 Express directory buckets are not supported: name an "
               "ordinary bucket";
    /* Shorter names cannot be such an alias, and so are buckets. */
    if (ends(bucket, PZ_LIT("--op-s3")) && bucket.len >= 50)
        return "S3 on Outposts is not supported: name an ordinary bucket";
    if (pz_slice_starts(bucket, PZ_LIT("arn:")))
        return p->addressing == PZ_ADDRESSING_PATH
            ? "Path-style addressing cannot be used with ARN buckets"
            : "ARNs of access points and the like are not supported: name an "
              "ordinary bucket";
    if (bucket.data && bucket.len == 0)
        return "The name of the bucket is empty";
    /* In a path they would name the folder itself, or the one above. */
    if (pz_slice_eq(bucket, PZ_LIT(".")) || pz_slice_eq(bucket, PZ_LIT("..")))
        return "The name of the bucket is made of dots";
    return NULL;
}

/* Quotes the endpoint where that is harmless: it may hold a password. */
static enum pz_status
refuse_endpoint(struct pz_buf *out, struct pz_slice endpoint)
{
    int shown = endpoint.len <= 200 && pz_is_visible(endpoint) &&
                pz_slice_find(endpoint, '@', 0) == endpoint.len;
    struct pz_slice parts[] = {
        PZ_LIT("Custom endpoint "),
        shown ? PZ_LIT("`") : PZ_LIT(""),
        shown ? endpoint : PZ_LIT(""),
        shown ? PZ_LIT("` ") : PZ_LIT(""),
        PZ_LIT("was not a valid URI")
    };
    enum pz_status status = pz_buf_addv(out, parts, PZ_COUNT(parts));

    return status == PZ_OK ? PZ_EINVAL : status;
}

static const char *
refuse_accelerate(const struct pz_endpoint_s3 *p,
                  const struct pz_partition *partition, int in_host)
{
    if (!in_host)
        return "Path-style addressing cannot be used with S3 Accelerate";
    if (pz_slice_eq(pz_slice_of(partition->id), PZ_LIT("aws-cn")))
        return "S3 Accelerate cannot be used in this region";
    if (!pz_is_host_label(p->common.region))
        return NULL; /* which is the graver fault */
    return "S3 Accelerate is not supported";
}

/* The host of the rules, from "s3" on: in 'parts', at most 6 of them. */
static size_t
host_parts(struct pz_slice *parts, const struct pz_endpoint_params *c,
           const struct pz_partition *partition, struct pz_slice region)
{
    int plain = !c->use_fips && !c->use_dualstack;
    int global = plain && (pz_slice_eq(c->region, PZ_LIT("aws-global")) ||
                           (c->use_global &&
                            pz_slice_eq(region, PZ_LIT("us-east-1"))));
    size_t n = 0;

    parts[n++] = c->use_fips ? PZ_LIT("s3-fips") : PZ_LIT("s3");
    if (c->use_dualstack)
        parts[n++] = PZ_LIT(".dualstack");
    if (!global) {
        parts[n++] = PZ_LIT(".");
        parts[n++] = region;
    }
    parts[n++] = PZ_LIT(".");
    /* Dual-stack hosts too have the plain suffix here. */
    parts[n++] = pz_slice_of(partition->dns_suffix);
    return n;
}

static enum pz_status
write_url(struct pz_buf *out, const struct pz_endpoint_s3 *p,
          const struct pz_uri *uri, int in_host, const struct pz_slice *host,
          size_t count)
{
    struct pz_slice head[] = {
        uri->scheme, PZ_LIT("://"),
        in_host ? p->bucket : PZ_LIT(""), in_host ? PZ_LIT(".") : PZ_LIT("")
    };
    enum pz_status status;

    if ((status = pz_buf_addv(out, head, PZ_COUNT(head))) != PZ_OK ||
        (status = pz_buf_addv(out, host, count)) != PZ_OK ||
        (status = pz_buf_adds(out, uri->path)) != PZ_OK ||
        p->bucket.data == NULL || in_host)
        return status;
    if (!ends(uri->path, PZ_LIT("/")) &&
        (status = pz_buf_addc(out, '/')) != PZ_OK)
        return status;
    return pz_uri_encode(out, p->bucket, 0);
}

enum pz_status
pz_endpoint_s3(struct pz_buf *out, struct pz_signing *signing,
               const struct pz_endpoint_s3 *p)
{
    const struct pz_endpoint_params *c = &p->common;
    const struct pz_partition *partition = pz_partition_of(c->region);
    struct pz_uri uri = { PZ_LIT("https"), { NULL, 0 }, { NULL, 0 },
                          { NULL, 0 } };
    struct pz_slice host[6];
    size_t count;
    int in_host;
    const char *wrong = conflict(p, partition);

    signing->name = PZ_LIT("s3");
    signing->region = pz_slice_eq(c->region, PZ_LIT("aws-global"))
        ? PZ_LIT("us-east-1") : c->region;
    if (wrong || (wrong = foreign(p)) != NULL)
        return pz_endpoint_refuse(out, wrong);
    if (c->endpoint.len > 0 && pz_uri_parse(&uri, c->endpoint) != PZ_OK)
        return refuse_endpoint(out, c->endpoint);
    in_host = p->bucket.data != NULL && is_virtual(p, &uri);
    if (p->accelerate && p->bucket.data &&
        (wrong = refuse_accelerate(p, partition, in_host)) != NULL)
        return pz_endpoint_refuse(out, wrong);
    if (!pz_is_host_label(c->region))
        return pz_endpoint_refuse(out, "Invalid region: region was not a "
                                  "valid DNS name.");
    if (c->endpoint.len > 0) {
        host[0] = uri.host;
        host[1] = uri.port.len > 0 ? PZ_LIT(":") : PZ_LIT("");
        host[2] = uri.port;
        count = 3;
    } else {
        count = host_parts(host, c, partition, signing->region);
    }
    return write_url(out, p, &uri, in_host, host, count);
}

int pz_is_s3_key(struct pz_slice key)
{
    size_t count;

    return key.len > 0 && key.len <= PZ_S3_KEY_MAX &&
           pz_utf8_count(key, &count);
}

enum pz_status
pz_s3_path(struct pz_buf *out, struct pz_slice bucket, struct pz_slice key)
{
    enum pz_status status = pz_buf_addc(out, '/');

    if (status == PZ_OK && bucket.data) {
        if ((status = pz_uri_encode(out, bucket, 0)) == PZ_OK)
            status = pz_buf_addc(out, '/');
    }
    return status == PZ_OK ? pz_uri_encode(out, key, 1) : status;
}
