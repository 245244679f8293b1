/* A service's parameters, credentials, the signed head. */
#include "attempt_kit.h"

/* ---- the service ------------------------------------------------------- */

TEST(urls_of_a_service)
{
    static const char *const cases[][4] = { /* endpoint, url, host, path */
        { "https://A.example", "https://A.example/", "a.example", "/" },
        { "https://a.example/", "https://a.example/", "a.example", "/" },
        { "https://a:443/x", "https://a:443/x/", "a", "/x/" },
        { "http://[::1]:81/x/", "http://[::1]:81/x/", "[::1]:81", "/x/" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_service_params params = usual();
        struct pz_service service;

        params.endpoint = guard(0, pz_slice_of(cases[i][0]));
        open_service(&service, &params);
        assert_text(&service.url, cases[i][1]);
        assert_text(&service.host, cases[i][2]);
        assert_text(&service.path, cases[i][3]);
        pz_service_free(&service);
        pz_service_free(&service);
    }
}

/* Nothing that could end a line or a host name early gets into a request,
   whichever way it comes. */
static const struct pz_slice injections[] = {
    { "\r\nX-Evil: 1", 11 }, { "a\nb", 3 }, { "a\rb", 3 }, { "a\0b", 3 },
    { "a\tb", 3 }, { "a\x7F", 2 }, { "\x1F", 1 }, { "a\xC2\x85", 3 },
    { "\xE2\x80\xA8", 3 }, { "a\x80", 2 },
};

TEST(injection_by_the_service)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(injections); i++) {
        struct pz_service_params all[] = { usual(), usual(), usual(), usual(),
                                           usual(), usual() };
        char endpoint[64] = "https://a/";

        memcpy(endpoint + 10, injections[i].data, injections[i].len);
        all[0].endpoint = injections[i];
        all[1].endpoint = (struct pz_slice){ endpoint,
                                             10 + injections[i].len };
        all[2].region = injections[i];
        all[3].signing_name = injections[i];
        all[4].target_prefix = injections[i];
        all[5].user_agent = injections[i];
        for (size_t n = 0; n < PZ_COUNT(all); n++) {
            struct pz_service service;
            const char *error = NULL;

            memset(&service, 0, sizeof service);
            assert_int_equal(pz_service_init(&service, &error, &all[n]),
                             PZ_EINVAL);
            assert_non_null(error);
            pz_service_free(&service);
        }
    }
}

TEST(regions_refused)
{
    static const char *const regions[] = {
        "eu.west", "eu-west-1/", "eu west", "-a", "a-", "a@b", "eu-west-1#",
        "a:1", "a/../b", "a%2e"
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(regions); i++) {
        struct pz_service_params params = usual();
        struct pz_service service;
        const char *error = NULL;

        memset(&service, 0, sizeof service);
        params.region = pz_slice_of(regions[i]);
        assert_int_equal(pz_service_init(&service, &error, &params),
                         PZ_EINVAL);
        assert_non_null(strstr(error, "region"));
        pz_service_free(&service);
    }
}

/* ---- credentials ------------------------------------------------------- */

TEST(credentials)
{
    static char longest[16385];
    struct pz_credentials c = keys();

    BEGIN();
    memset(longest, 'a', sizeof longest);
    assert_null(pz_credentials_fault(&c));
    c.session_token = LIT("FwoGZXIvYXdzE/+=");
    assert_null(pz_credentials_fault(&c));
    c.session_token = (struct pz_slice){ longest, 16384 };
    assert_null(pz_credentials_fault(&c));
    c.session_token = (struct pz_slice){ longest, 16385 };
    assert_non_null(strstr(pz_credentials_fault(&c), "session_token"));
    c = keys();
    c.access_key_id = (struct pz_slice){ longest, 128 };
    assert_null(pz_credentials_fault(&c));
    c.access_key_id = (struct pz_slice){ longest, 129 };
    assert_non_null(strstr(pz_credentials_fault(&c), "access_key_id"));
    c.access_key_id = LIT("");
    assert_non_null(strstr(pz_credentials_fault(&c), "access_key_id"));
    c = keys();
    c.secret_access_key = LIT("");
    assert_non_null(strstr(pz_credentials_fault(&c), "secret_access_key"));
}

TEST(injection_by_credentials)
{
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;

    BEGIN();
    open_service(&service, &params);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("TagResource"),
                                      LIT("{}"), random_bytes, 1), PZ_OK);
    for (size_t i = 0; i < PZ_COUNT(injections); i++) {
        struct pz_credentials id = keys(), token = keys();

        id.access_key_id = guard(0, injections[i]);
        token.session_token = guard(1, injections[i]);
        assert_non_null(strstr(pz_credentials_fault(&id), "access_key_id"));
        assert_non_null(strstr(pz_credentials_fault(&token),
                               "session_token"));
        assert_int_equal(pz_attempt_sign(&attempt, &service, &id, NOW),
                         PZ_EINVAL);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &token, NOW),
                         PZ_EINVAL);
        assert_int_equal(service.head.len, 0);
    }
    /* A space is none either: it could end the Credential early. */
    {
        struct pz_credentials id = keys();

        id.access_key_id = LIT("AKID EXAMPLE");
        assert_non_null(pz_credentials_fault(&id));
    }
    pz_service_free(&service);
}

TEST(operations_refused)
{
    static char longest[66] = "";
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;

    BEGIN();
    open_service(&service, &params);
    memset(longest, 'a', 65);
    for (size_t i = 0; i < PZ_COUNT(injections); i++)
        assert_int_equal(pz_attempt_start(&attempt, &service, injections[i],
                                          LIT("{}"), random_bytes, 1),
                         PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT(""), LIT("{}"),
                                      random_bytes, 1), PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("9a"),
                                      LIT("{}"), random_bytes, 1), PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("a b"),
                                      LIT("{}"), random_bytes, 1), PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("a.b"),
                                      LIT("{}"), random_bytes, 1), PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service,
                                      (struct pz_slice){ longest, 65 },
                                      LIT("{}"), random_bytes, 1), PZ_EINVAL);
    assert_int_equal(pz_attempt_start(&attempt, &service,
                                      (struct pz_slice){ longest, 64 },
                                      LIT("{}"), random_bytes, 1), PZ_OK);
    pz_service_free(&service);
}

/* ---- the head ---------------------------------------------------------- */

TEST(heads)
{
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;
    struct pz_credentials c = keys();

    BEGIN();
    open_service(&service, &params);
    assert_int_equal(pz_attempt_start(&attempt, &service,
                                      LIT("CreateDataDeletionJob"),
                                      guard(0, LIT("{\"jobName\":\"a\"}")),
                                      random_bytes, 3), PZ_OK);
    assert_memory_equal(attempt.payload_hash,
                        "d0737704cb51a4fa3bd73f10278d3ee3"
                        "b509053e8f0b77be7bdc65627c52c9a8", 64);
    assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
    assert_int_equal(lines_of(&service), 9);
    assert_line(&service, "amz-sdk-invocation-id: "
                          "00112233-4455-4677-8899-aabbccddeeff");
    assert_line(&service, "amz-sdk-request: attempt=1; max=3");
    assert_line(&service, "content-length: 15");
    assert_line(&service, "content-type: application/x-amz-json-1.1");
    assert_line(&service, "host: personalize.eu-west-1.amazonaws.com");
    assert_line(&service, "x-amz-date: 20261124T101112Z");
    assert_line(&service, "x-amz-target: "
                          "AmazonPersonalize.CreateDataDeletionJob");
    assert_line(&service, "user-agent: personalize-lua/1 ua/2.1");
    assert_line(&service, "authorization: AWS4-HMAC-SHA256 Credential="
        "AKIDEXAMPLE/20261124/eu-west-1/personalize/aws4_request, "
        "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;"
        "content-type;host;x-amz-date;x-amz-target, Signature="
        "40d16228743959499e2ce777a81abc098becf22b8baeee4acd454f6063396ec4");

    /* A second attempt: the same id, counted, signed anew. */
    assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW + 1), PZ_OK);
    assert_int_equal(lines_of(&service), 9);
    assert_line(&service, "amz-sdk-invocation-id: "
                          "00112233-4455-4677-8899-aabbccddeeff");
    assert_line(&service, "amz-sdk-request: attempt=2; max=3");
    assert_line(&service, "authorization: AWS4-HMAC-SHA256 Credential="
        "AKIDEXAMPLE/20261124/eu-west-1/personalize/aws4_request, "
        "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;"
        "content-type;host;x-amz-date;x-amz-target, Signature="
        "25f0bf6832cfa524476882d5ddc77a3df4a890f4cfc03f3e05c892961e7a66d7");
    /* The canonical request, which may hold a token, is gone. */
    assert_int_equal(service.scratch.len, 0);
    pz_service_free(&service);
}

TEST(heads_with_a_token)
{
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;
    struct pz_credentials c = keys();

    BEGIN();
    params.endpoint = LIT("http://127.0.0.1:4000/a%20b");
    open_service(&service, &params);
    c.session_token = guard(1, LIT("TOKEN/+="));
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("TagResource"),
                                      LIT("{}"), random_bytes, 1), PZ_OK);
    assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
    assert_int_equal(lines_of(&service), 10);
    assert_line(&service, "x-amz-security-token: TOKEN/+=");
    assert_line(&service, "host: 127.0.0.1:4000");
    assert_line(&service, "authorization: AWS4-HMAC-SHA256 Credential="
        "AKIDEXAMPLE/20261124/eu-west-1/personalize/aws4_request, "
        "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;"
        "content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
        "Signature="
        "13abd02df288f655a5b6859c99e2a55f5124ed04fd4e440ffa990a3e4087f9d4");
    pz_service_free(&service);
}

/* What would end a line, a path or a query, or make another request of it. */
TEST(requests_refused)
{
    static const struct {
        struct pz_slice method, path, query, name, value;
        int is_fine;
    } table[] = {
        { { "GET", 3 }, { "/a", 2 }, { "b=c", 3 }, { "x-a", 3 }, { "v w", 3 },
          1 },
        { { "PUT", 3 }, { "/%20/", 5 }, { "", 0 }, { "x_1", 3 }, { "", 0 },
          1 },
        /* methods */
        { { "", 0 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "get", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET /", 5 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GE\r\n", 4 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v", 1 },
          0 },
        /* paths */
        { { "GET", 3 }, { "", 0 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "a", 1 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a b", 4 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a\n", 3 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a\0", 3 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/\xC3\xA9", 3 }, { "", 0 }, { "x-a", 3 },
          { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a?b", 4 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a#b", 4 }, { "", 0 }, { "x-a", 3 }, { "v", 1 }, 0 },
        /* queries */
        { { "GET", 3 }, { "/a", 2 }, { "b c", 3 }, { "x-a", 3 }, { "v", 1 },
          0 },
        { { "GET", 3 }, { "/a", 2 }, { "b\r\n", 3 }, { "x-a", 3 }, { "v", 1 },
          0 },
        { { "GET", 3 }, { "/a", 2 }, { "b#c", 3 }, { "x-a", 3 }, { "v", 1 },
          0 },
        /* names of headers */
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "", 0 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "X-A", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x:a", 3 }, { "v", 1 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x\n", 2 }, { "v", 1 }, 0 },
        /* values */
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v\r", 2 },
          0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 },
          { "v\r\nx: y", 7 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "v\0", 2 },
          0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "\t", 1 }, 0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "\x7F", 1 },
          0 },
        { { "GET", 3 }, { "/a", 2 }, { "", 0 }, { "x-a", 3 }, { "\x80", 1 },
          0 },
    };
    struct pz_service_params params = usual();

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(table); i++) {
        struct pz_service service;
        struct pz_attempt attempt;
        struct pz_plan plan;

        open_service(&service, &params);
        memset(&plan, 0, sizeof plan);
        plan.method = guard(0, table[i].method);
        plan.path = guard(1, table[i].path);
        plan.query = guard(2, table[i].query);
        /* Not the first header alone is looked at. */
        plan.headers[0].name = LIT("x-0");
        plan.headers[0].value = LIT("0");
        plan.headers[1].name = table[i].name;
        plan.headers[1].value = table[i].value;
        plan.header_count = 2;
        if (pz_attempt_begin(&attempt, &service, &plan, LIT(""), random_bytes,
                             1) != (table[i].is_fine ? PZ_OK : PZ_EINVAL))
            fail_msg("line %lu of the table", (unsigned long)i);
        plan.header_count = PZ_PLAN_HEADERS + 1;
        assert_int_equal(pz_attempt_begin(&attempt, &service, &plan, LIT(""),
                                          random_bytes, 1), PZ_EINVAL);
        pz_service_free(&service);
    }
}

TEST(bodies_told_by_length)
{
    static const struct {
        unsigned long long length;
        const char *hash, *body, *line; /* line NULL: refused */
    } table[] = {
        { 0, "h", "", "content-length: 0" },
        { 1, "h", "", "content-length: 1" },
        { 5368709120ull, "h", "", "content-length: 5368709120" },
        { 0, "", "{}", "content-length: 2" },
        { 0, "h", "{}", "content-length: 2" },
        { 1, "h", "{}", NULL },
        { 1, "", "", NULL },
    };
    struct pz_service_params params = usual();

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(table); i++) {
        struct pz_credentials c = keys();
        struct pz_service service;
        struct pz_attempt attempt;
        struct pz_plan plan;

        open_service(&service, &params);
        memset(&plan, 0, sizeof plan);
        plan.method = LIT("PUT");
        plan.path = LIT("/a");
        plan.length = table[i].length;
        plan.payload_hash = pz_slice_of(table[i].hash);
        assert_int_equal(
            pz_attempt_begin(&attempt, &service, &plan,
                             guard(0, pz_slice_of(table[i].body)),
                             random_bytes, 1),
            table[i].line ? PZ_OK : PZ_EINVAL);
        if (table[i].line) {
            assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW),
                             PZ_OK);
            assert_line(&service, table[i].line);
        }
        pz_service_free(&service);
    }
}

TEST(times_refused)
{
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;
    struct pz_credentials c = keys();
    double times[] = { -1, 253402300800.0, 1e300, 0 };

    BEGIN();
    times[3] = times[2] * 1e300 * 0; /* not a number */
    open_service(&service, &params);
    assert_int_equal(pz_attempt_start(&attempt, &service, LIT("TagResource"),
                                      LIT("{}"), random_bytes, 1), PZ_OK);
    for (size_t i = 0; i < PZ_COUNT(times); i++)
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, times[i]),
                         PZ_EINVAL);
    assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
    assert_line(&service, "amz-sdk-request: attempt=1; max=1");
    pz_service_free(&service);
}

/* RFC 9562: version 4 and its variant, whatever the bytes. */
TEST(invocation_ids)
{
    struct pz_service_params params = usual();
    struct pz_service service;
    struct pz_attempt attempt;

    BEGIN();
    open_service(&service, &params);
    for (int b = 0; b < 256; b++) {
        unsigned char bytes[16];

        memset(bytes, b, sizeof bytes);
        assert_int_equal(pz_attempt_start(&attempt, &service,
                                          LIT("TagResource"), LIT("{}"), bytes,
                                          1), PZ_OK);
        for (int i = 0; i < PZ_UUID_LEN; i++) {
            char c = attempt.invocation_id[i];

            if (i == 8 || i == 13 || i == 18 || i == 23)
                assert_int_equal(c, '-');
            else if (i == 14)
                assert_int_equal(c, '4');
            else if (i == 19)
                assert_non_null(strchr("89ab", c));
            else
                assert_non_null(strchr("0123456789abcdef", c));
        }
    }
    pz_service_free(&service);
}

#ifdef PZ_TEST
static enum pz_status whole_way(void *arg)
{
    struct pz_service_params params = usual();
    struct pz_credentials c = keys();
    struct pz_service service;
    struct pz_attempt attempt;
    struct pz_verdict verdict;
    struct pz_response response;
    const char *error;
    enum pz_status status;

    (void)arg;
    memset(&service, 0, sizeof service);
    memset(&verdict, 0, sizeof verdict);
    memset(&response, 0, sizeof response);
    response.status = 400;
    response.body = LIT("{\"\\u005f_type\":\"a-name-that-is-longer-than-the-"
                        "first-step-of-a-buffer-which-is-64#NotFound\","
                        "\"message\":\"\\u00e9\"}");
    if ((status = pz_service_init(&service, &error, &params)) != PZ_OK ||
        (status = pz_attempt_start(&attempt, &service, LIT("TagResource"),
                                   LIT("{}"), random_bytes, 1)) != PZ_OK ||
        (status = pz_attempt_sign(&attempt, &service, &c, NOW)) != PZ_OK ||
        (status = pz_judge(&verdict, &response)) != PZ_OK)
        goto done;
    assert_text(&verdict.code, "NotFound");
done:
    pz_verdict_free(&verdict);
    pz_service_free(&service);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(whole_way, NULL) >= 12);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_a_service),
        cmocka_unit_test(injection_by_the_service),
        cmocka_unit_test(regions_refused),
        cmocka_unit_test(credentials),
        cmocka_unit_test(injection_by_credentials),
        cmocka_unit_test(operations_refused),
        cmocka_unit_test(heads),
        cmocka_unit_test(heads_with_a_token),
        cmocka_unit_test(requests_refused),
        cmocka_unit_test(bodies_told_by_length),
        cmocka_unit_test(times_refused),
        cmocka_unit_test(invocation_ids),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
