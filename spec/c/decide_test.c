/* What follows an answer or the want of one; the peer's clock. */
#include "attempt_kit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),
        cmocka_unit_test(clocks),
        cmocka_unit_test(absurd_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
