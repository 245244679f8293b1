#ifndef ATTEMPT_KIT_H
#define ATTEMPT_KIT_H
/* A service, an attempt's credentials, and a look at the head it signs. */
#include "check.h"

#include "../../src/core/pz_attempt.h"

#define SECRET "notReallyASecret/0123456789+abcdefghijkl"
#define NOW 1795515072.25 /* 20261124T101112Z */

static const unsigned char random_bytes[16] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
};

static inline struct pz_service_params usual(void)
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

static inline void open_service(struct pz_service *service,
                                const struct pz_service_params *params)
{
    const char *error;

    memset(service, 0, sizeof *service);
    assert_int_equal(pz_service_init(service, &error, params), PZ_OK);
}

static inline struct pz_credentials keys(void)
{
    struct pz_credentials c = { LIT("AKIDEXAMPLE"), LIT(SECRET), { NULL, 0 } };

    return c;
}

/* The line stands in the head, whole and once. */
static inline void
assert_line(const struct pz_service *service, const char *line)
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

static inline size_t lines_of(const struct pz_service *service)
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

#endif
