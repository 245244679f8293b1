/* Classes of failures, tokens, delays, deadlines, clocks. */
#include "check.h"

#include <math.h>

#include "../../src/core/pz_retry.h"

TEST(classes)
{
    static const struct {
        const char *code;
        int status;
        enum pz_retry_class class;
    } cases[] = {
        { "ThrottlingException", 400, PZ_RETRY_THROTTLING },
        { "LimitExceededException", 400, PZ_RETRY_THROTTLING },
        { "SlowDown", 503, PZ_RETRY_THROTTLING },
        { "RequestTimeout", 400, PZ_RETRY_TRANSIENT },
        { "InternalError", 400, PZ_RETRY_TRANSIENT },
        { "", 500, PZ_RETRY_TRANSIENT }, { "", 502, PZ_RETRY_TRANSIENT },
        { "", 503, PZ_RETRY_TRANSIENT }, { "", 504, PZ_RETRY_TRANSIENT },
        { "InvalidInputException", 503, PZ_RETRY_TRANSIENT },
        { "", 501, PZ_RETRY_NEVER }, { "", 505, PZ_RETRY_NEVER },
        { "", 429, PZ_RETRY_NEVER }, { "", 400, PZ_RETRY_NEVER },
        { "InvalidInputException", 400, PZ_RETRY_NEVER },
        { "throttlingException", 400, PZ_RETRY_NEVER },
        { "ThrottlingExceptions", 400, PZ_RETRY_NEVER },
        { "ResourceInUseException", 400, PZ_RETRY_NEVER },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_case(pz_retry_classify(guard(0, pz_slice_of(cases[i].code)),
                                      cases[i].status) == cases[i].class,
                    cases[i].code);
    assert_true(pz_retry_is_skew_code(LIT("RequestTimeTooSkewed")));
    assert_false(pz_retry_is_skew_code(LIT("RequestExpired")));
    assert_false(pz_retry_is_skew_code(LIT("RequestInTheFuture")));
}

static struct pz_retry_failure failure(enum pz_retry_class class,
                                       unsigned attempt, double random)
{
    struct pz_retry_failure f;

    memset(&f, 0, sizeof f);
    f.class = class;
    f.attempt = attempt;
    f.max_attempts = 100;
    f.random = random;
    f.time_left = 1e6;
    return f;
}

/* At the top of their range: doubled each time, up to 20 seconds. */
TEST(delays)
{
    static const double transient[] = { 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2,
                                        6.4, 12.8, 20, 20, 20 };
    static const double throttling[] = { 1, 2, 4, 8, 16, 20, 20, 20, 20, 20,
                                         20, 20 };

    BEGIN();
    for (unsigned n = 0; n < PZ_COUNT(transient); n++) {
        struct pz_retry_failure f = failure(PZ_RETRY_TRANSIENT, n + 1, 1);
        struct pz_retry retry;
        double delay = -1;
        int cost = 0;

        pz_retry_init(&retry, 0);
        assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                         PZ_RETRY_AGAIN);
        assert_true(fabs(delay - transient[n]) < 1e-9);
        assert_int_equal(cost, 14);
        f = failure(PZ_RETRY_THROTTLING, n + 1, 1);
        assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                         PZ_RETRY_AGAIN);
        assert_true(fabs(delay - throttling[n]) < 1e-9);
        assert_int_equal(cost, 5);
        assert_int_equal(retry.tokens, 500 - 14 - 5);
        f = failure(PZ_RETRY_TRANSIENT, n + 1, 0);
        assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                         PZ_RETRY_AGAIN);
        assert_true(!(delay > 0) && !(delay < 0));
    }
}

/* The server may ask for more than we chose, up to five seconds more. */
TEST(server_delays)
{
    static const struct {
        const char *asked;
        double delay; /* ours is 0.025 */
    } cases[] = {
        { "", 0.025 }, { "0", 0.025 }, { "24", 0.025 }, { "26", 0.026 },
        { "1000", 1 }, { "5025", 5.025 }, { "5026", 5.025 },
        { "999999999", 5.025 }, { "99999999999999999999", 5.025 },
        { " 1000 ", 1 }, { "-1", 0.025 }, { "1.5", 0.025 }, { "1s", 0.025 },
        { "soon", 0.025 }, { "0x10", 0.025 }, { "1 0", 0.025 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_retry_failure f = failure(PZ_RETRY_TRANSIENT, 1, 0.5);
        struct pz_retry retry;
        double delay = -1;
        int cost;

        pz_retry_init(&retry, 0);
        f.retry_after = guard(0, pz_slice_of(cases[i].asked));
        assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                         PZ_RETRY_AGAIN);
        assert_case(fabs(delay - cases[i].delay) < 1e-9, cases[i].asked);
    }
}

TEST(ends)
{
    struct pz_retry_failure f = failure(PZ_RETRY_TRANSIENT, 3, 1);
    struct pz_retry retry;
    double delay;
    int cost = 7;

    BEGIN();
    pz_retry_init(&retry, 0);
    f.max_attempts = 3;
    assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                     PZ_RETRY_MAX_ATTEMPTS);
    f.max_attempts = 4;
    f.time_left = 0.2 + PZ_RETRY_WORTHWHILE - 0.001;
    assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                     PZ_RETRY_DEADLINE);
    /* None of these took a token. */
    assert_int_equal(retry.tokens, 500);
    assert_int_equal(cost, 7);
    f.class = PZ_RETRY_NEVER;
    assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                     PZ_RETRY_REFUSED);
    f.class = PZ_RETRY_TRANSIENT;
    f.time_left = 1e6;
    for (int n = 0; n < 35; n++)
        assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                         PZ_RETRY_AGAIN);
    assert_int_equal(retry.tokens, 500 - 35 * 14);
    assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                     PZ_RETRY_QUOTA);
    f.class = PZ_RETRY_THROTTLING; /* still affordable */
    assert_int_equal(pz_retry_decide(&retry, &delay, &cost, &f),
                     PZ_RETRY_AGAIN);
}

TEST(tokens_come_back)
{
    struct pz_retry retry;

    BEGIN();
    pz_retry_init(&retry, 0);
    pz_retry_success(&retry, 0);
    assert_int_equal(retry.tokens, 500);
    retry.tokens = 100;
    pz_retry_success(&retry, 0);
    assert_int_equal(retry.tokens, 101);
    pz_retry_success(&retry, 14);
    assert_int_equal(retry.tokens, 115);
    retry.tokens = 495;
    pz_retry_success(&retry, 14);
    assert_int_equal(retry.tokens, 500);
}

TEST(skews)
{
    static const struct {
        double sent, received;
        const char *date, *age;
        double skew; /* NAN: none */
    } cases[] = {
        { 1795515072, 1795515072, "Tue, 24 Nov 2026 10:11:12 GMT", "", 0 },
        { 1795515070, 1795515074, "Tue, 24 Nov 2026 10:11:12 GMT", "", 0 },
        { 1795515072, 1795515073, "Tue, 24 Nov 2026 10:11:12 GMT", "", -0.5 },
        { 1795511472, 1795511472, " Tue, 24 Nov 2026 10:11:12 GMT ", "",
          3600 },
        { 0, 900, "Tue, 24 Nov 2026 10:11:12 GMT", "", 1795514622 },
        { 0, 900.5, "Tue, 24 Nov 2026 10:11:12 GMT", "", NAN },
        { 1795515072, 1795515072, "Tue, 24 Nov 2026 10:11:12 GMT", "0", NAN },
        { 1795515072, 1795515072, "", "", NAN },
        { 1795515072, 1795515072, "now", "", NAN },
        { 1795515072, 1795515072, "Fri, 31 Dec 1999 23:59:59 GMT", "", NAN },
        { 1795515072, 1795515072, "Sat, 01 Jan 2000 00:00:00 GMT", "",
          946684800.0 - 1795515072 },
        { 1795515072, 1795515072, "Tue, 31 Dec 8999 23:59:59 GMT", "",
          221845391999.0 - 1795515072 },
        { 1795515072, 1795515072, "Wed, 01 Jan 9000 00:00:00 GMT", "", NAN },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_skew_sample sample;
        double skew = 77;
        int known;

        sample.sent = cases[i].sent;
        sample.received = cases[i].received;
        sample.date = guard(0, pz_slice_of(cases[i].date));
        sample.age = guard(1, pz_slice_of(cases[i].age));
        known = pz_skew_measure(&skew, &sample);
        assert_case(known == !isnan(cases[i].skew), cases[i].date);
        assert_case(fabs(skew - (known ? cases[i].skew : 77)) < 1e-6,
                    cases[i].date);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(delays),
        cmocka_unit_test(server_delays),
        cmocka_unit_test(ends),
        cmocka_unit_test(tokens_come_back),
        cmocka_unit_test(skews),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
