/* Judgements on answers: names, messages, request ids. */
#include "check.h"

#include "../../src/core/pz_judge.h"
#include "../../src/core/pz_text.h"

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
      "\xF0\x9F\x98\x80 x" },
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

/* An object, or a policy: any body; a refusal's is XML. */
TEST(bytes)
{
    static const struct {
        int status;
        const char *body;
        enum pz_outcome outcome;
        const char *code;
    } cases[] = {
        { 200, "USER_ID\n", PZ_SUCCESS, "" }, { 206, "", PZ_SUCCESS, "" },
        { 200, "<Error><Code>X</Code></Error>", PZ_SUCCESS, "" },
        { 403, "<Error><Code>AccessDenied</Code></Error>", PZ_SERVICE_ERROR,
          "AccessDenied" },
        { 404, "{\"code\":\"X\"}", PZ_SERVICE_ERROR, "HTTP 404" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_response response;
        struct pz_verdict verdict;

        memset(&response, 0, sizeof response);
        memset(&verdict, 0, sizeof verdict);
        response.protocol = PZ_BYTES;
        response.status = cases[i].status;
        response.body = guard(1, pz_slice_of(cases[i].body));
        assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
        assert_case(verdict.outcome == cases[i].outcome, cases[i].body);
        assert_text(&verdict.code, cases[i].code);
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

/* An answer that would cost more than it can be worth: 8 MiB of nothing. */
TEST(swollen_answers)
{
    static char body[4 * 131072 + 32];
    static const struct {
        enum pz_protocol protocol;
        const char *before, *unit, *after;
    } shapes[] = {
        { PZ_JSON, "{\"a\":[[]", ",[]", "]}" },
        { PZ_XML, "<Error>", "<a/>", "</Error>" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(shapes); i++) {
        for (int code = 200; code <= 400; code += 200) {
            struct pz_response response;
            struct pz_verdict verdict;
            size_t len = strlen(shapes[i].before);

            memcpy(body, shapes[i].before, len);
            for (size_t n = 0; n < 131072; n++) {
                memcpy(body + len, shapes[i].unit, strlen(shapes[i].unit));
                len += strlen(shapes[i].unit);
            }
            memcpy(body + len, shapes[i].after, strlen(shapes[i].after));
            len += strlen(shapes[i].after);
            memset(&response, 0, sizeof response);
            memset(&verdict, 0, sizeof verdict);
            response.status = code;
            response.protocol = shapes[i].protocol;
            response.body = guard(0, (struct pz_slice){ body, len });
            assert_int_equal(pz_judge(&verdict, &response), PZ_OK);
            assert_int_equal(verdict.outcome, code == 200 ? PZ_BAD_RESPONSE
                                                          : PZ_SERVICE_ERROR);
            assert_text(&verdict.code, code == 200 ? "ResponseError"
                                                   : "HTTP 400");
            pz_verdict_free(&verdict);
        }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(bytes),
        cmocka_unit_test(successes),
        cmocka_unit_test(swollen_answers),
        cmocka_unit_test(request_ids),
        cmocka_unit_test(long_messages),
        cmocka_unit_test(long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
