/* Answers of any status, headers and body. */
#include "fuzz.h"

#include "../../src/core/pz_attempt.h"
#include "../../src/core/pz_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pz_service service;
    static struct pz_attempt attempt;
    struct pz_moment moment = { 1795515073, 0.5, 60 };
    struct pz_decision decision;
    struct pz_response response;
    struct pz_verdict verdict;
    enum pz_status status;
    size_t count;

    if (size < 3 || size > 1 << 16)
        return 0;
    if (service.signer == NULL) {
        struct pz_service_params params;
        const char *error;
        static const unsigned char zeros[16];

        memset(&params, 0, sizeof params);
        params.endpoint = PZ_LIT("https://a");
        params.region = PZ_LIT("eu-west-1");
        params.signing_name = PZ_LIT("personalize");
        params.target_prefix = PZ_LIT("AmazonPersonalize");
        PROMISE(pz_service_init(&service, &error, &params) == PZ_OK);
        PROMISE(pz_attempt_start(&attempt, &service, PZ_LIT("TagResource"),
                                 PZ_LIT("{}"), zeros, 1000000) == PZ_OK);
        attempt.sent = 1795515072;
        attempt.number = 1;
    }
    memset(&response, 0, sizeof response);
    memset(&verdict, 0, sizeof verdict);
    /* Three digits: as text, so that seeds can be read. */
    response.status = 100 + (data[0] * 100 + data[1] * 10 + data[2]) % 900;
    data += 3;
    size -= 3;
    response.error_type = guard(1, fuzz_part(&data, &size));
    response.request_id = guard(2, fuzz_part(&data, &size));
    response.date = guard(3, fuzz_part(&data, &size));
    response.body = fuzz_slice(0, data, size);
    response.retry_after = response.request_id;

    status = pz_judge(&verdict, &response);
    PROMISE(status == PZ_OK);
    PROMISE(verdict.request_id.len <= 128 &&
            pz_is_visible(verdict.request_id));
    PROMISE(verdict.message.len <= PZ_MESSAGE_MAX);
    PROMISE(pz_utf8_count(pz_buf_slice(&verdict.message), &count));
    for (size_t i = 0; i < verdict.message.len; i++) {
        unsigned char c = (unsigned char)verdict.message.data[i];

        PROMISE(c >= ' ' && c != 0x7F);
    }
    if (verdict.outcome == PZ_SUCCESS) {
        PROMISE(response.status >= 200 && response.status <= 299);
        PROMISE(verdict.code.len == 0);
    } else {
        PROMISE(verdict.code.len > 0 && verdict.code.len <= 128);
        PROMISE(fuzz_is_text(pz_buf_slice(&verdict.code), ' ', '~'));
    }
    service.retry.tokens = PZ_RETRY_CAPACITY;
    pz_attempt_decide(&decision, &attempt, &service, &verdict, &response,
                      NULL, &moment);
    PROMISE(decision.delay >= 0 && decision.delay <= 25);
    /* Whatever the peer's clock says, the next request can be signed. */
    {
        struct pz_credentials keys = { PZ_LIT("A"), PZ_LIT("s"),
                                       { NULL, 0 } };

        PROMISE(pz_attempt_sign(&attempt, &service, &keys, 1795515072) ==
                PZ_OK);
        attempt.number = 1;
        attempt.sent = 1795515072;
    }
    pz_verdict_free(&verdict);
    return 0;
}
