/* Buckets in hosts and in paths, keys, pseudo regions: where memory ends and
   where it is refused. The rules themselves: spec/endpoint_spec.lua. */
#include "check.h"

#include "../../src/core/pz_endpoint_s3.h"

static const struct pz_slice NONE = { NULL, 0 };

/* A bucket as NULL is no bucket; 'words' instead of a URL is a refusal. */
static const struct {
    const char *region, *bucket, *endpoint;
    enum pz_addressing addressing;
    int fips, dual, global, accelerate;
    const char *url, *words, *signing_region;
} cases[] = {
#define AUTO PZ_ADDRESSING_AUTO
#define HOST PZ_ADDRESSING_VIRTUAL
#define PATH PZ_ADDRESSING_PATH
    { "eu-west-1", "lists", "", AUTO, 0, 0, 0, 0,
      "https://lists.s3.eu-west-1.amazonaws.com", NULL, "eu-west-1" },
    { "eu-west-1", "lists", "", PATH, 1, 1, 0, 0,
      "https://s3-fips.dualstack.eu-west-1.amazonaws.com/lists", NULL,
      "eu-west-1" },
    { "eu-west-1", NULL, "", AUTO, 0, 1, 0, 0,
      "https://s3.dualstack.eu-west-1.amazonaws.com", NULL, "eu-west-1" },
    { "aws-global", "lists", "", HOST, 0, 0, 0, 0,
      "https://lists.s3.amazonaws.com", NULL, "us-east-1" },
    { "us-east-1", "lists", "", HOST, 0, 0, 1, 0,
      "https://lists.s3.amazonaws.com", NULL, "us-east-1" },
    { "aws-global", "lists", "", HOST, 1, 0, 0, 0,
      "https://lists.s3-fips.us-east-1.amazonaws.com", NULL, "us-east-1" },
    { "eu-west-1", "a.b.c", "http://x:1/p", AUTO, 0, 0, 0, 0,
      "http://a.b.c.x:1/p", NULL, "eu-west-1" },
    { "eu-west-1", "a.b.c", "https://x:1/p", AUTO, 0, 0, 0, 0,
      "https://x:1/p/a.b.c", NULL, "eu-west-1" },
    { "eu-west-1", "lists", "http://localhost", AUTO, 0, 0, 0, 0,
      "http://localhost/lists", NULL, "eu-west-1" },
    { "eu-west-1", "lists", "http://localhost", HOST, 0, 0, 0, 0,
      "http://lists.localhost", NULL, "eu-west-1" },
    { "eu-west-1", "lists", "https://[::1]:1/", HOST, 0, 0, 0, 0,
      "https://[::1]:1/lists", NULL, "eu-west-1" },
    { "eu-west-1", "lists", "https://10.0.0.1", HOST, 0, 0, 0, 0,
      "https://10.0.0.1/lists", NULL, "eu-west-1" },
    { "eu-west-1", "1.2.3.4", "http://x", HOST, 0, 0, 0, 0,
      "http://x/1.2.3.4", NULL, "eu-west-1" },
    { "eu-west-1", "1.2.3", "http://x", HOST, 0, 0, 0, 0,
      "http://1.2.3.x", NULL, "eu-west-1" },
    { "eu-west-1", "...", "http://x", HOST, 0, 0, 0, 0,
      "http://x/...", NULL, "eu-west-1" },
    { "eu-west-1", "\303\251", "", AUTO, 0, 0, 0, 0,
      "https://s3.eu-west-1.amazonaws.com/%C3%A9", NULL, "eu-west-1" },
    { "", "lists", "", AUTO, 0, 0, 0, 0, NULL,
      "A region must be set when sending requests to S3.", NULL },
    { "eu.west", "lists", "", PATH, 0, 0, 0, 0, NULL,
      "Invalid region: region was not a valid DNS name.", NULL },
    { "cn-north-1", "lists", "", AUTO, 1, 0, 0, 0, NULL,
      "Partition does not support FIPS", NULL },
    { "eu-west-1", "", "", AUTO, 0, 0, 0, 0, NULL,
      "The name of the bucket is empty", NULL },
    { "eu-west-1", "..", "", AUTO, 0, 0, 0, 0, NULL,
      "The name of the bucket is made of dots", NULL },
    { "eu-west-1", "--x-s3", "", AUTO, 0, 0, 0, 0, NULL,
      "S3 Express directory buckets are not supported: name an ordinary "
      "bucket", NULL },
    { "eu-west-1", "arn:", "", AUTO, 0, 0, 0, 0, NULL,
      "ARNs of access points and the like are not supported: name an "
      "ordinary bucket", NULL },
    { "eu-west-1", "lists", "", AUTO, 0, 0, 0, 1, NULL,
      "S3 Accelerate is not supported", NULL },
    { "eu-west-1", "lists", "http://u:p@x", AUTO, 0, 0, 0, 0, NULL,
      "Custom endpoint was not a valid URI", NULL },
    { "eu-west-1", "lists", "x", AUTO, 0, 0, 0, 0, NULL,
      "Custom endpoint `x` was not a valid URI", NULL },
};

static struct pz_endpoint_s3 params_of(size_t i)
{
    struct pz_endpoint_s3 p = { { { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
                                { NULL, 0 }, AUTO, 0, 0, 0 };

    p.common.region = guard(0, pz_slice_of(cases[i].region));
    p.common.endpoint = guard(1, pz_slice_of(cases[i].endpoint));
    p.common.use_fips = cases[i].fips;
    p.common.use_dualstack = cases[i].dual;
    p.common.use_global = cases[i].global;
    p.bucket = cases[i].bucket ? guard(2, pz_slice_of(cases[i].bucket)) : NONE;
    p.addressing = cases[i].addressing;
    p.accelerate = cases[i].accelerate;
    return p;
}

TEST(urls)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_endpoint_s3 p = params_of(i);
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_signing signing;
        enum pz_status status = pz_endpoint_s3(&out, &signing, &p);

        assert_text(&out, cases[i].url ? cases[i].url : cases[i].words);
        assert_int_equal(status, cases[i].url ? PZ_OK : PZ_EINVAL);
        if (status == PZ_OK) {
            assert_slice(signing.region, pz_slice_of(cases[i].signing_region));
            assert_slice(signing.name, LIT("s3"));
        }
        pz_buf_free(&out);
    }
}

/* Every text a case has, cut at every place: none is read past. */
TEST(cut_texts)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_endpoint_s3 whole = params_of(i), p;
        struct pz_slice *const texts[] = {
            &p.common.region, &p.common.endpoint, &p.bucket
        };

        for (size_t t = 0; t < PZ_COUNT(texts); t++) {
            struct pz_slice text;

            p = whole;
            text = *texts[t];
            for (size_t n = 0; n < text.len; n++) {
                struct pz_buf out = PZ_BUF_INIT(0);
                struct pz_signing signing;
                enum pz_status status;

                *texts[t] = guard(3, pz_slice_sub(text, 0, n));
                status = pz_endpoint_s3(&out, &signing, &p);
                assert_true(status == PZ_OK || status == PZ_EINVAL);
                assert_true(out.len > 0);
                pz_buf_free(&out);
            }
        }
    }
}

/* A bucket of any one byte more is in the host only where that may be. */
TEST(bytes_in_buckets)
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    BEGIN();
    for (int c = 0; c < 256; c++) {
        char name[] = "list?s";
        struct pz_endpoint_s3 p = { { { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
                                    { NULL, 0 }, AUTO, 0, 0, 0 };
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_signing signing;
        int in_path;

        name[4] = (char)c;
        p.common.region = LIT("eu-west-1");
        p.bucket = guard(0, (struct pz_slice){ name, sizeof name - 1 });
        assert_int_equal(pz_endpoint_s3(&out, &signing, &p), PZ_OK);
        in_path = pz_slice_starts(pz_buf_slice(&out), LIT("https://s3."));
        assert_int_equal(!in_path, c != 0 && strchr(may, c) != NULL);
        pz_buf_free(&out);
    }
}

TEST(keys)
{
    static const struct {
        const char *bucket, *key, *path;
    } table[] = {
        { NULL, "", "/" },
        { NULL, "a/b", "/a/b" },
        { NULL, "//./..", "///./.." },
        { NULL, "a%2F \303\251", "/a%252F%20%C3%A9" },
        { "b/c", "a", "/b%2Fc/a" },
        { "", "a", "//a" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(table); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_slice bucket = table[i].bucket
            ? guard(0, pz_slice_of(table[i].bucket)) : NONE;

        assert_int_equal(
            pz_s3_path(&out, bucket, guard(1, pz_slice_of(table[i].key))),
            PZ_OK);
        assert_text(&out, table[i].path);
        pz_buf_free(&out);
    }
}

TEST(pseudo_regions)
{
    static const struct {
        const char *text, *region;
        int fips;
    } table[] = {
        { "", "", 0 }, { "eu-west-1", "eu-west-1", 0 },
        { "fips-us-east-1", "us-east-1", 1 },
        { "us-east-1-fips", "us-east-1", 1 },
        { "fips-aws-global", "us-east-1", 1 },
        { "aws-fips", "us-east-1", 1 },
        { "fips-", "fips-", 0 }, { "-fips", "-fips", 0 },
        { "fips", "fips", 0 }, { "fip", "fip", 0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(table); i++) {
        int fips = 0, before = 1;
        struct pz_slice text = guard(0, pz_slice_of(table[i].text));

        assert_slice(pz_region_of(text, &fips), pz_slice_of(table[i].region));
        assert_int_equal(fips, table[i].fips);
        /* What asked for FIPS before is not taken back. */
        (void)pz_region_of(text, &before);
        assert_int_equal(before, 1);
    }
}

TEST(ceilings)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        const char *text = cases[i].url ? cases[i].url : cases[i].words;

        for (size_t max = 1; max < strlen(text); max++) {
            struct pz_endpoint_s3 p = params_of(i);
            struct pz_buf out = PZ_BUF_INIT(max);
            struct pz_signing signing;

            assert_int_equal(pz_endpoint_s3(&out, &signing, &p), PZ_ETOOBIG);
            assert_true(out.len <= max);
            pz_buf_free(&out);
        }
    }
}

#ifdef PZ_TEST
static enum pz_status make_one(void *arg)
{
    struct pz_endpoint_s3 p = params_of(*(size_t *)arg);
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_signing signing;
    enum pz_status status = pz_endpoint_s3(&out, &signing, &p);

    pz_buf_free(&out);
    return status == PZ_EINVAL ? PZ_OK : status;
}

static enum pz_status make_path(void *arg)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_status status = pz_s3_path(&out, LIT("lists"), LIT("a/b c"));

    (void)arg;
    pz_buf_free(&out);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_true(check_refusals(make_one, &i) >= 1);
    assert_true(check_refusals(make_path, NULL) >= 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(cut_texts),
        cmocka_unit_test(bytes_in_buckets),
        cmocka_unit_test(keys),
        cmocka_unit_test(pseudo_regions),
        cmocka_unit_test(ceilings),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
