/* A service's parameters, the signed head, the judgement on an answer. */
#include "check.h"

#include "../../src/core/pz_attempt.h"
#include "../../src/core/pz_text.h"

#define SECRET "notReallyASecret/0123456789+abcdefghijkl"
#define NOW 1795515072.25 /* 20261124T101112Z */

static const unsigned char random_bytes[16] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
};

static struct pz_service_params usual(void)
{
    struct pz_service_params params;

    memset(&params, 0, sizeof params);
    params.endpoint = LIT("https://personalize.eu-west-1.amazonaws.com");
    params.region = LIT("eu-west-1");
    params.signing_name = LIT("personalize");
    params.target_prefix = LIT("AmazonPersonalize");
    params.user_agent = LIT("personalize-lua/1 ua/2.1");
    return params;
}

static void open_service(struct pz_service *service,
                         const struct pz_service_params *params)
{
    const char *error;

    memset(service, 0, sizeof *service);
    assert_int_equal(pz_service_init(service, &error, params), PZ_OK);
}

static struct pz_credentials keys(void)
{
    struct pz_credentials c = { LIT("AKIDEXAMPLE"), LIT(SECRET), { NULL, 0 } };

    return c;
}

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

/* The line stands in the head, whole and once. */
static void assert_line(const struct pz_service *service, const char *line)
{
    static char head[40000], whole[20000];
    const char *at;

    head[0] = '\n'; /* so that the first line has an end before it too */
    memcpy(head + 1, service->head.data, service->head.len);
    head[1 + service->head.len] = '\0';
    snprintf(whole, sizeof whole, "\n%s\r\n", line);
    at = strstr(head, whole);
    if (at == NULL)
        print_error("no \"%s\" in\n%s\n", line, head);
    assert_non_null(at);
    assert_null(strstr(at + 1, whole));
}

static size_t lines_of(const struct pz_service *service)
{
    struct pz_slice head = pz_buf_slice(&service->head);
    size_t lines = 0;

    for (size_t at = 0; at < head.len; lines++) {
        size_t end = pz_slice_find(head, '\n', at);

        /* Each ends in CR LF, and there is no other CR. */
        assert_true(end > at && end < head.len);
        assert_int_equal(pz_slice_find(head, '\r', at), end - 1);
        at = end + 1;
    }
    return lines;
}

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

/* ---- judgements -------------------------------------------------------- */

static const struct judged {
    int status;
    const char *error_type, *body, *code, *message;
} answers[] = {
    /* every spelling, in the header */
    { 500, "FooError", "", "FooError", "" },
    { 500, "FooError:http://internal.amazon.com/coral/com.amazon.coral."
      "validate/", "", "FooError", "" },
    { 500, "aws.protocoltests.json10#FooError:http://internal.amazon.com/"
      "coral/com.amazon.coral.validate/", "", "FooError", "" },
    { 500, "aws.protocoltests.json10#FooError", "{}", "FooError", "" },
    { 500, " FooError ", "{}", "FooError", "" },
    { 500, "FooError:http://x/#y", "{}", "FooError", "" },
    /* in the body */
    { 500, "", "{\"code\":\"FooError\"}", "FooError", "" },
    { 500, "", "{\"code\":\"FooError:http://internal.amazon.com/coral/com."
      "amazon.coral.validate/\"}", "FooError", "" },
    { 500, "", "{\"code\":\"aws.protocoltests.json10#FooError:http://internal."
      "amazon.com/coral/com.amazon.coral.validate/\"}", "FooError", "" },
    { 500, "", "{\"__type\":\"FooError\"}", "FooError", "" },
    { 500, "", "{\"__type\":\"aws.protocoltests.json10#FooError\"}",
      "FooError", "" },
    { 500, "", "{\"__type\":\"other.ns#FooError\"}", "FooError", "" },
    { 500, "", "{\"__type\":\"FooError:http://internal.amazon.com/coral/com."
      "amazon.coral.validate/\"}", "FooError", "" },
    { 500, "", "{\"__type\":\"ns#FooError:http://x/\"}", "FooError", "" },
    { 500, "", "{\"\\u005f\\u005ftype\":\"ns\\u0023FooError\"}", "FooError",
      "" },
    /* which of them counts */
    { 400, "A", "{\"code\":\"B\",\"__type\":\"C\"}", "A", "" },
    { 400, "", "{\"__type\":\"C\",\"code\":\"B\"}", "B", "" },
    { 400, "", "{\"__type\":\"C\",\"code\":null}", "C", "" },
    { 400, "", "{\"__type\":\"C\",\"code\":{}}", "C", "" },
    { 400, "", "{\"__type\":\"C\",\"code\":5}", "C", "" },
    { 400, "", "{\"__type\":\"C\",\"code\":\"\"}", "C", "" },
    { 400, "#", "{\"__type\":\"C\"}", "C", "" },
    { 400, ":http://x", "{\"__type\":\"C\"}", "C", "" },
    /* only at the top */
    { 400, "", "{\"nested\":{\"__type\":\"N\",\"message\":\"n\"},"
      "\"__type\":\"C\",\"list\":[{\"code\":\"N\"}]}", "C", "" },
    { 400, "", "{\"nested\":{\"__type\":\"N\",\"message\":\"n\"}}",
      "HTTP 400", "" },
    /* names that are none */
    { 400, "a b", "{\"__type\":\"C\"}", "C", "" },
    { 400, "", "{\"__type\":\"a\\nb\"}", "HTTP 400", "" },
    { 400, "", "{\"__type\":\"a\\u0000b\"}", "HTTP 400", "" },
    { 400, "", "{\"__type\":\"\\u00e9\"}", "HTTP 400", "" },
    { 400, "", "{\"__type\":[\"C\"]}", "HTTP 400", "" },
    /* messages */
    { 400, "", "{\"__type\":\"C\",\"message\":\"m\"}", "C", "m" },
    { 400, "", "{\"__type\":\"C\",\"Message\":\"M\"}", "C", "M" },
    { 400, "", "{\"__type\":\"C\",\"errorMessage\":\"E\"}", "C", "E" },
    { 400, "", "{\"errorMessage\":\"E\",\"Message\":\"M\",\"message\":\"m\"}",
      "HTTP 400", "m" },
    { 400, "", "{\"errorMessage\":\"E\",\"Message\":\"M\",\"message\":null}",
      "HTTP 400", "M" },
    { 400, "", "{\"message\":\" two\\r\\n\\tlines \\u0000 \\u00e9 \"}",
      "HTTP 400", "two lines \xC3\xA9" },
    { 400, "", "{\"message\":{\"a\":1}}", "HTTP 400", "" },
    { 400, "", "{\"message\":\"\\uD83D\\uDE00\\u2028x\"}", "HTTP 400",
      "\xF0\x9F\x98\x80\xE2\x80\xA8x" },
    /* no JSON */
    { 503, "", "", "HTTP 503", "" },
    { 502, "", "<html>\n <b>Bad\tGateway</b>\n</html>\n", "HTTP 502",
      "<html> <b>Bad Gateway</b> </html>" },
    { 404, "", "caf\xC3\xA9 \xFF\x80 \xE2\x82", "HTTP 404",
      "caf\xC3\xA9 ?? ??" },
    { 500, "", "{\"__type\":\"C\",\"message\":\"m\"", "HTTP 500",
      "{\"__type\":\"C\",\"message\":\"m\"" },
    { 500, "FooError", "{\"__type\":", "FooError", "{\"__type\":" },
    { 500, "", "[\"message\"]", "HTTP 500", "[\"message\"]" },
    { 500, "", "\"text\"", "HTTP 500", "\"text\"" },
    { 500, "", "null", "HTTP 500", "null" },
    { 500, "", "\x1B[31mred\x7F\x01", "HTTP 500", "[31mred" },
    { 500, "", "\xC2\x9B" "31mred\xC2\x85.\xC2\xA0.", "HTTP 500",
      "31mred .\xC2\xA0." },
    /* every status outside 2xx */
    { 100, "", "{}", "HTTP 100", "" }, { 199, "", "{}", "HTTP 199", "" },
    { 300, "", "{}", "HTTP 300", "" }, { 304, "", "", "HTTP 304", "" },
    { 301, "", "{\"__type\":\"C\"}", "C", "" },
    { 999, "", "{}", "HTTP 999", "" },
};

TEST(errors)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(answers); i++) {
        struct pz_response response;
        struct pz_verdict verdict;

        memset(&response, 0, sizeof response);
        memset(&verdict, 0, sizeof verdict);
        response.status = answers[i].status;
        response.error_type = guard(0, pz_slice_of(answers[i].error_type));
        response.body = guard(1, pz_slice_of(answers[i].body));
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
        assert_int_equal(verdict.outcome, PZ_SERVICE_ERROR);
        assert_text(&verdict.code, answers[i].code);
        assert_text(&verdict.message, answers[i].message);
        pz_verdict_free(&verdict);
        pz_verdict_free(&verdict);
    }
}

TEST(successes)
{
    static const struct {
        int status;
        const char *body;
        enum pz_outcome outcome;
    } cases[] = {
        { 200, "{}", PZ_SUCCESS }, { 200, "", PZ_SUCCESS },
        { 200, " {\"a\":[1]}\n", PZ_SUCCESS }, { 299, "{}", PZ_SUCCESS },
        { 204, "", PZ_SUCCESS },
        { 200, "{\"__type\":\"FooError\"}", PZ_SUCCESS },
        { 200, "{", PZ_BAD_RESPONSE }, { 200, " ", PZ_BAD_RESPONSE },
        { 200, "[]", PZ_BAD_RESPONSE }, { 200, "null", PZ_BAD_RESPONSE },
        { 200, "<html></html>", PZ_BAD_RESPONSE },
        { 200, "{}{}", PZ_BAD_RESPONSE }, { 200, "{\"a\":1", PZ_BAD_RESPONSE },
        { 200, "{\"a\":\"\xFF\"}", PZ_BAD_RESPONSE },
        { 200, "\xEF\xBB\xBF{}", PZ_BAD_RESPONSE },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_response response;
        struct pz_verdict verdict;

        memset(&response, 0, sizeof response);
        memset(&verdict, 0, sizeof verdict);
        response.status = cases[i].status;
        /* An error's name in a header of a success is none. */
        response.error_type = LIT("FooError");
        response.body = guard(1, pz_slice_of(cases[i].body));
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
        assert_case(verdict.outcome == cases[i].outcome, cases[i].body);
        if (verdict.outcome == PZ_BAD_RESPONSE) {
            assert_text(&verdict.code, "ResponseError");
            assert_true(verdict.message.len > 0);
        } else {
            assert_int_equal(verdict.code.len, 0);
        }
        pz_verdict_free(&verdict);
    }
}

TEST(request_ids)
{
    static char longest[129];
    struct pz_slice cases[][2] = {
        { LIT("1b8f2c3d-0000"), LIT("1b8f2c3d-0000") },
        { LIT(" id \r\n"), LIT("id") }, { LIT(""), LIT("") },
        { LIT("a b"), LIT("") }, { LIT("a\nb"), LIT("") },
        { LIT("a\0b"), LIT("") }, { LIT("\xC3\xA9"), LIT("") },
        { { longest, 128 }, { longest, 128 } }, { { longest, 129 }, LIT("") },
    };

    BEGIN();
    memset(longest, 'x', sizeof longest);
    for (int status = 200; status <= 500; status += 300) {
        for (size_t i = 0; i < PZ_COUNT(cases); i++) {
            struct pz_response response;
            struct pz_verdict verdict;

            memset(&response, 0, sizeof response);
            memset(&verdict, 0, sizeof verdict);
            response.status = status;
            response.request_id = guard(0, cases[i][0]);
            assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
            assert_slice(verdict.request_id, cases[i][1]);
            pz_verdict_free(&verdict);
        }
    }
}

/* A long message is cut, at a whole character and within the limit. */
TEST(long_messages)
{
    static const char *const units[] = {
        "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xFF", "a ",
        " \xF0\x9F\x98\x80", "\xC3\xA9 a"
    };
    static char body[9000];

    BEGIN();
    for (size_t u = 0; u < PZ_COUNT(units); u++) {
        for (size_t shift = 0; shift < 6; shift++) {
            struct pz_response response;
            struct pz_verdict verdict;
            size_t len = shift, count;

            memset(&response, 0, sizeof response);
            memset(&verdict, 0, sizeof verdict);
            memset(body, 'x', shift);
            while (len < 4000) {
                memcpy(body + len, units[u], strlen(units[u]));
                len += strlen(units[u]);
            }
            response.status = 500;
            response.body = guard(0, (struct pz_slice){ body, len });
            assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
            assert_true(verdict.message.len <= PZ_MESSAGE_MAX);
            assert_true(verdict.message.len > PZ_MESSAGE_MAX - 8);
            assert_true(pz_utf8_count(pz_buf_slice(&verdict.message), &count));
            pz_verdict_free(&verdict);
        }
    }
}

TEST(long_names)
{
    static char name[129], body[200];
    struct pz_response response;

    BEGIN();
    memset(name, 'N', sizeof name);
    for (size_t len = 128; len <= 129; len++) {
        struct pz_verdict verdict;

        memset(&response, 0, sizeof response);
        memset(&verdict, 0, sizeof verdict);
        response.status = 400;
        response.error_type = (struct pz_slice){ name, len };
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
        assert_int_equal(verdict.code.len, len == 128 ? 128 : 8);
        pz_verdict_free(&verdict);
        memset(&response, 0, sizeof response);
        response.status = 400;
        snprintf(body, sizeof body, "{\"__type\":\"%.*s\"}", (int)len, name);
        response.body = pz_slice_of(body);
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
        assert_int_equal(verdict.code.len, len == 128 ? 128 : 8);
        pz_verdict_free(&verdict);
    }
}

/* ---- what follows ------------------------------------------------------ */

struct step {
    int status;              /* 0: no answer */
    int sent, retryable;     /* then */
    const char *code, *date; /* of the answer */
    enum pz_retry_end end;   /* expected, unless it is a success */
    int unclear, kind_retryable;
};

static struct pz_decision decide(struct pz_attempt *attempt,
                                 struct pz_service *service,
                                 const struct step *step)
{
    struct pz_moment moment = { NOW + 2, 0.5, 60 };
    struct pz_no_response none = { step->sent, step->retryable };
    struct pz_response response;
    struct pz_verdict verdict;
    struct pz_decision decision;

    memset(&response, 0, sizeof response);
    memset(&verdict, 0, sizeof verdict);
    response.status = step->status;
    response.error_type = pz_slice_of(step->code);
    response.date = pz_slice_of(step->date);
    if (step->status == 201)
        response.body = LIT("{");
    if (step->status)
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
    pz_attempt_decide(&decision, attempt, service,
                      step->status ? &verdict : NULL,
                      step->status ? &response : NULL,
                      step->status ? NULL : &none, &moment);
    pz_verdict_free(&verdict);
    return decision;
}

TEST(decisions)
{
    static const struct step steps[] = {
        { 400, 0, 0, "InvalidInputException", NULL, PZ_RETRY_REFUSED, 0, 0 },
        { 400, 0, 0, "ThrottlingException", NULL, PZ_RETRY_AGAIN, 0, 1 },
        { 400, 0, 0, "LimitExceededException", NULL, PZ_RETRY_AGAIN, 0, 1 },
        { 503, 0, 0, NULL, NULL, PZ_RETRY_AGAIN, 1, 1 },
        { 500, 0, 0, "InvalidInputException", NULL, PZ_RETRY_AGAIN, 1, 1 },
        { 501, 0, 0, NULL, NULL, PZ_RETRY_REFUSED, 1, 0 },
        { 201, 0, 0, NULL, NULL, PZ_RETRY_AGAIN, 1, 1 }, /* unreadable */
        { 0, 0, 1, NULL, NULL, PZ_RETRY_AGAIN, 0, 1 },
        { 0, 1, 1, NULL, NULL, PZ_RETRY_AGAIN, 1, 1 },
        { 0, 1, 0, NULL, NULL, PZ_RETRY_REFUSED, 1, 0 },
        { 0, 0, 0, NULL, NULL, PZ_RETRY_REFUSED, 0, 0 },
        /* a clock that is right, and one that is not */
        { 403, 0, 0, "SignatureDoesNotMatch", "Tue, 24 Nov 2026 10:15:12 GMT",
          PZ_RETRY_REFUSED, 0, 0 },
        { 403, 0, 0, "SignatureDoesNotMatch", "Tue, 24 Nov 2026 10:15:14 GMT",
          PZ_RETRY_AGAIN, 0, 1 },
        { 403, 0, 0, "SomethingElse", "Tue, 24 Nov 2026 11:15:14 GMT",
          PZ_RETRY_REFUSED, 0, 0 },
        { 403, 0, 0, "SignatureDoesNotMatch", "yesterday", PZ_RETRY_REFUSED, 0,
          0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(steps); i++) {
        struct pz_service_params params = usual();
        struct pz_service service;
        struct pz_attempt attempt;
        struct pz_credentials c = keys();
        struct pz_decision decision;

        open_service(&service, &params);
        assert_int_equal(pz_attempt_start(&attempt, &service,
                                          LIT("TagResource"), LIT("{}"),
                                          random_bytes, 3), PZ_OK);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
        decision = decide(&attempt, &service, &steps[i]);
        assert_int_equal(decision.end, steps[i].end);
        assert_int_equal(attempt.unclear, steps[i].unclear);
        assert_int_equal(decision.retryable, steps[i].kind_retryable);
        assert_true(decision.delay >= 0 && decision.delay <= 20);
        pz_service_free(&service);
    }
}

/* The peer's clock is taken over, and given up where that is not wanted. */
TEST(clocks)
{
    static const struct step ahead = {
        403, 0, 0, "SignatureDoesNotMatch", "Tue, 24 Nov 2026 11:11:13 GMT",
        PZ_RETRY_AGAIN, 0, 1
    };

    BEGIN();
    for (int corrected = 0; corrected <= 1; corrected++) {
        struct pz_service_params params = usual();
        struct pz_service service;
        struct pz_attempt attempt;
        struct pz_credentials c = keys();
        struct pz_decision decision;

        open_service(&service, &params);
        service.correct_skew = corrected;
        assert_int_equal(pz_attempt_start(&attempt, &service,
                                          LIT("TagResource"), LIT("{}"),
                                          random_bytes, 3), PZ_OK);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
        decision = decide(&attempt, &service, &ahead);
        assert_int_equal(decision.end, corrected ? PZ_RETRY_AGAIN
                                                 : PZ_RETRY_REFUSED);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
        assert_line(&service, corrected ? "x-amz-date: 20261124T111112Z"
                                        : "x-amz-date: 20261124T101112Z");
        pz_service_free(&service);
    }
}

/* An answer with an absurd date must not end all signing for good: no
   request could bring a better one. */
TEST(absurd_clocks)
{
    static const char *const dates[] = {
        "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sat, 01 Jan 0000 00:00:00 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(dates); i++) {
        struct step odd = { 400, 0, 0, "AccessDeniedException", NULL,
                            PZ_RETRY_REFUSED, 0, 0 };
        struct pz_service_params params = usual();
        struct pz_service service;
        struct pz_attempt attempt;
        struct pz_credentials c = keys();

        odd.date = dates[i];
        open_service(&service, &params);
        assert_int_equal(pz_attempt_start(&attempt, &service,
                                          LIT("TagResource"), LIT("{}"),
                                          random_bytes, 3), PZ_OK);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW), PZ_OK);
        (void)decide(&attempt, &service, &odd);
        /* Our clock goes on, and may be set back a little. */
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c,
                                         NOW + 86400), PZ_OK);
        assert_int_equal(pz_attempt_sign(&attempt, &service, &c, NOW - 60),
                         PZ_OK);
        pz_service_free(&service);
    }
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
        cmocka_unit_test(times_refused),
        cmocka_unit_test(invocation_ids),
        cmocka_unit_test(errors),
        cmocka_unit_test(successes),
        cmocka_unit_test(request_ids),
        cmocka_unit_test(long_messages),
        cmocka_unit_test(long_names),
        cmocka_unit_test(decisions),
        cmocka_unit_test(clocks),
        cmocka_unit_test(absurd_clocks),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
