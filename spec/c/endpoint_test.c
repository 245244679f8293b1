/* Regions, partitions and the URLs that come of them. */
#include "check.h"

#include "../../src/core/pz_endpoint.h"

TEST(partitions)
{
    static const struct {
        const char *region, *id;
    } cases[] = {
        /* listed */
        { "us-east-1", "aws" }, { "eu-west-3", "aws" },
        { "ap-southeast-7", "aws" }, { "mx-central-1", "aws" },
        { "aws-global", "aws" }, { "cn-northwest-1", "aws-cn" },
        { "aws-cn-global", "aws-cn" }, { "eusc-de-east-1", "aws-eusc" },
        { "us-iso-west-1", "aws-iso" }, { "aws-iso-global", "aws-iso" },
        { "us-isob-east-1", "aws-iso-b" }, { "aws-iso-b-global", "aws-iso-b" },
        { "eu-isoe-west-1", "aws-iso-e" }, { "aws-iso-e-global", "aws-iso-e" },
        { "us-isof-south-1", "aws-iso-f" }, { "aws-iso-f-global", "aws-iso-f" },
        { "us-gov-west-1", "aws-us-gov" },
        { "aws-us-gov-global", "aws-us-gov" },
        /* by their pattern */
        { "us-mars-9", "aws" }, { "il-x_y-123", "aws" }, { "af-A-0", "aws" },
        { "cn-mars-1", "aws-cn" }, { "eusc-de-mars-2", "aws-eusc" },
        { "us-iso-mars-3", "aws-iso" }, { "us-isob-mars-4", "aws-iso-b" },
        { "eu-isoe-mars-5", "aws-iso-e" }, { "us-isof-mars-6", "aws-iso-f" },
        { "us-gov-mars-7", "aws-us-gov" },
        /* no pattern's: what none has is aws's */
        { "", "aws" }, { "mars", "aws" }, { "xx-mars-1", "aws" },
        { "cn-mars-", "aws" }, { "cn--1", "aws" }, { "cn-mars", "aws" },
        { "cn-mars-1x", "aws" }, { "cn-mars-x1", "aws" },
        { "xcn-mars-1", "aws" }, { "cn-north-1 ", "aws" },
        { "CN-north-1", "aws" }, { "cn-north-1-a", "aws" },
        { "cn-a-b-1", "aws" }, { "us-gov-1", "aws" }, { "eusc-xx-a-1", "aws" },
        { "eusc-d-a-1", "aws" }, { "us-isog-a-1", "aws" },
        { "cn-\303\251-1", "aws" }, { "cn-mars-\331\241", "aws" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice region = guard(0, pz_slice_of(cases[i].region));

        assert_case(!strcmp(pz_partition_of(region)->id, cases[i].id),
                    cases[i].region);
    }
    assert_string_equal(pz_partition_of(LIT("cn-north-1\0"))->id, "aws");
}

/* A region of every partition, cut at every place: none is read past. */
TEST(cut_regions)
{
    size_t count;
    const struct pz_partition *all = pz_partitions(&count);

    BEGIN();
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++) {
        for (const char *const *r = all[i].regions; *r; r++) {
            struct pz_slice region = pz_slice_of(*r);

            assert_ptr_equal(pz_partition_of(guard(0, region)), &all[i]);
            for (size_t n = 0; n < region.len; n++)
                assert_non_null(
                    pz_partition_of(guard(0, pz_slice_sub(region, 0, n))));
        }
        assert_ptr_equal(
            pz_partition_of(pz_slice_of(all[i].implicit_global_region)),
            &all[i]);
    }
}

static const struct {
    const char *region, *endpoint;
    int fips, dual;
    const char *url, *error;
} cases[] = {
    { "eu-west-1", "", 0, 0,
      "https://personalize.eu-west-1.amazonaws.com", NULL },
    { "eu-west-1", "", 1, 0,
      "https://personalize-fips.eu-west-1.amazonaws.com", NULL },
    { "eu-west-1", "", 0, 1, "https://personalize.eu-west-1.api.aws", NULL },
    { "eu-west-1", "", 1, 1,
      "https://personalize-fips.eu-west-1.api.aws", NULL },
    { "cn-north-1", "", 0, 0,
      "https://personalize.cn-north-1.amazonaws.com.cn", NULL },
    { "cn-north-1", "", 1, 1, "https://personalize-fips.cn-north-1."
      "api.amazonwebservices.com.cn", NULL },
    { "eusc-de-east-1", "", 0, 1, "https://personalize.eusc-de-east-1."
      "api.amazonwebservices.eu", NULL },
    { "us-iso-east-1", "", 0, 0,
      "https://personalize.us-iso-east-1.c2s.ic.gov", NULL },
    { "us-isob-east-1", "", 1, 0,
      "https://personalize-fips.us-isob-east-1.sc2s.sgov.gov", NULL },
    { "eu-isoe-west-1", "", 0, 1, "https://personalize.eu-isoe-west-1."
      "api.cloud-aws.adc-e.uk", NULL },
    { "us-isof-east-1", "", 0, 0,
      "https://personalize.us-isof-east-1.csp.hci.ic.gov", NULL },
    { "us-gov-west-1", "", 0, 1,
      "https://personalize.us-gov-west-1.api.aws", NULL },
    { "mars", "", 0, 0, "https://personalize.mars.amazonaws.com", NULL },
    { "", "https://x.example/p", 0, 0, "https://x.example/p", NULL },
    { "eu-west-1", "http://127.0.0.1:1", 0, 0, "http://127.0.0.1:1", NULL },
    { "eu-west-1", "https://x\r\nA: b", 0, 0, NULL,
      "Invalid Configuration: the custom endpoint is no URL of http or https, "
      "host, port and path" },
    { "eu-west-1", "ftp://x", 0, 0, NULL,
      "Invalid Configuration: the custom endpoint is no URL of http or https, "
      "host, port and path" },
    { "eu-west-1", "https://x", 1, 0, NULL,
      "Invalid Configuration: FIPS and custom endpoint are not supported" },
    { "eu-west-1", "https://x", 1, 1, NULL,
      "Invalid Configuration: FIPS and custom endpoint are not supported" },
    { "eu-west-1", "https://x", 0, 1, NULL,
      "Invalid Configuration: Dualstack and custom endpoint are not "
      "supported" },
    { "", "", 0, 0, NULL, "Invalid Configuration: Missing Region" },
    { "", "", 1, 1, NULL, "Invalid Configuration: Missing Region" },
#define BAD_REGION NULL, \
    "Invalid Configuration: the region is not a valid host label"
    { "eu.west", "", 0, 0, BAD_REGION },
    { "eu-west-1/", "", 0, 0, BAD_REGION },
    { "eu-west-1#", "", 0, 0, BAD_REGION },
    { "eu-west-1?", "", 0, 0, BAD_REGION },
    { "eu-west-1@evil.example", "", 0, 0, BAD_REGION },
    { "evil.example/", "", 0, 0, BAD_REGION },
    { "eu-west-1:443", "", 0, 0, BAD_REGION },
    { "-eu-west-1", "", 0, 0, BAD_REGION },
    { "eu-west-", "", 0, 0, BAD_REGION },
    { "eu west 1", "", 0, 0, BAD_REGION },
    { "eu-west-1\r\nHost: x", "", 1, 1, BAD_REGION },
    { "eu_west_1", "", 0, 0, BAD_REGION },
    { "\303\251", "", 0, 0, BAD_REGION },
    { "a234567890123456789012345678901234567890123456789012345678901234", "",
      0, 0, BAD_REGION },
};

TEST(urls)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_endpoint_params params = { { NULL, 0 }, { NULL, 0 }, 0, 0,
                                             0 };
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_signing signing;
        enum pz_status status;

        params.region = guard(0, pz_slice_of(cases[i].region));
        params.endpoint = guard(1, pz_slice_of(cases[i].endpoint));
        params.use_fips = cases[i].fips;
        params.use_dualstack = cases[i].dual;
        status = pz_endpoint_resolve(&out, &signing, PZ_RULES_PERSONALIZE,
                                     &params);
        /* The URL, or the words of the refusal. */
        assert_text(&out, cases[i].url ? cases[i].url : cases[i].error);
        assert_int_equal(status, cases[i].url ? PZ_OK : PZ_EINVAL);
        if (status == PZ_OK) {
            assert_slice(signing.region, params.region);
            assert_slice(signing.name, LIT("personalize"));
        }
        pz_buf_free(&out);
    }
}

#ifdef PZ_TEST
static enum pz_status make_url(void *arg)
{
    struct pz_endpoint_params params = { LIT("eu-west-1"), { NULL, 0 }, 1, 1,
                                         0 };
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_signing signing;
    enum pz_status status = pz_endpoint_resolve(&out, &signing,
                                                PZ_RULES_PERSONALIZE, &params);

    (void)arg;
    pz_buf_free(&out);
    return status;
}

static enum pz_status refuse_region(void *arg)
{
    struct pz_endpoint_params params = { LIT("eu.west"), { NULL, 0 }, 0, 0,
                                         0 };
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_signing signing;
    enum pz_status status = pz_endpoint_resolve(&out, &signing,
                                                PZ_RULES_PERSONALIZE, &params);

    (void)arg;
    pz_buf_free(&out);
    return status == PZ_EINVAL ? PZ_OK : status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_int_equal(check_refusals(make_url, NULL), 1);
    assert_int_equal(check_refusals(refuse_region, NULL), 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions),
        cmocka_unit_test(cut_regions),
        cmocka_unit_test(urls),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
