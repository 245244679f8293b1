/* Signatures, stage by stage. */
#include "check.h"

#include "../../src/core/pz_sigv4.h"
#include "sigv4_cases.h"

static struct pz_scope scope_of(const char *region, const char *service,
                                const char *stamp)
{
    struct pz_scope scope;

    scope.region = pz_slice_of(region);
    scope.service = pz_slice_of(service);
    strcpy(scope.stamp, stamp);
    return scope;
}

static struct pz_sigv4_request
request_of(const struct signed_request *c, struct pz_header headers[8])
{
    struct pz_sigv4_request request;

    memset(&request, 0, sizeof request);
    for (size_t i = 0; i < c->header_count; i++) {
        headers[i].name = pz_slice_of(c->headers[i].name);
        headers[i].value = pz_slice_of(c->headers[i].value);
    }
    request.method = pz_slice_of(c->method);
    request.path = guard(0, pz_slice_of(c->path));
    request.query = guard(1, pz_slice_of(c->query));
    request.headers = headers;
    request.header_count = c->header_count;
    request.payload_hash = pz_slice_of(c->payload_hash);
    request.keep_dots = c->mode == KEEP_DOTS;
    request.keep_path = c->mode == KEEP_PATH;
    return request;
}

TEST(canonical_requests)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_header headers[8];
        struct pz_sigv4_request request = request_of(&cases[i], headers);
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_slice names;

        assert_int_equal(pz_sigv4_canonical_request(&out, &names, &request),
                         PZ_OK);
        assert_text(&out, cases[i].canonical);
        assert_slice(names, pz_slice_of(cases[i].names));
        pz_buf_free(&out);
    }
}

TEST(strings_to_sign)
{
    struct pz_signer *signer = pz_signer_new();

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        const struct signed_request *c = &cases[i];
        struct pz_scope scope = scope_of(c->region, c->service, c->stamp);
        struct pz_buf out = PZ_BUF_INIT(0);
        char expected[256];

        snprintf(expected, sizeof expected,
                 "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", c->stamp,
                 c->stamp, c->region, c->service, c->canonical_hash);
        assert_int_equal(
            pz_sigv4_string_to_sign(&out, signer, &scope,
                                    pz_slice_of(c->canonical)), PZ_OK);
        assert_text(&out, expected);
        pz_buf_free(&out);
    }
    pz_signer_free(signer);
}

TEST(authorizations)
{
    struct pz_signer *signer = pz_signer_new();

    BEGIN();
    /* Twice, and each after another: the kept key is the right one. */
    for (size_t i = 0; i < 2 * PZ_COUNT(cases); i++) {
        const struct signed_request *c = &cases[i % PZ_COUNT(cases)];
        struct pz_scope scope = scope_of(c->region, c->service, c->stamp);
        struct pz_header headers[8];
        struct pz_sigv4_request request = request_of(c, headers);
        struct pz_buf out = PZ_BUF_INIT(0), scratch = PZ_BUF_SECRET(0);
        char expected[600];

        snprintf(expected, sizeof expected,
                 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%.8s/%s/%s/"
                 "aws4_request, SignedHeaders=%s, Signature=%s", c->stamp,
                 c->region, c->service, c->names, c->signature);
        assert_int_equal(
            pz_sigv4_authorization(&out, &scratch, signer, &request, &scope,
                                   LIT("AKIDEXAMPLE"), LIT(SECRET)), PZ_OK);
        assert_text(&out, expected);
        pz_buf_free(&out);
        pz_buf_free(&scratch);
    }
    pz_signer_free(signer);
}

static void check_signature(struct pz_signer *signer, struct pz_slice secret,
                            const struct pz_scope *scope, const char *expected)
{
    char got[PZ_SIGNATURE_LEN + 1] = "";

    for (int i = 0; i < 2; i++) {
        assert_int_equal(pz_sigv4_signature(got, signer, secret, scope,
                                            LIT("the same text")), PZ_OK);
        assert_string_equal(got, expected);
    }
}

/*
 * The key is kept for its secret, date, region and service: each of them
 * changed alone, to a value of the same length, must give another one.
 */
TEST(the_kept_key_is_never_anothers)
{
    static const struct {
        const char *secret, *stamp, *region, *service, *signature;
    } kept[] = {
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-1", "personalize",
          "807ecb829872dcdeea528eff2b508441460c016c34ef3839520f6b123fbb756a" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "20261124T101112Z",
          "eu-west-1", "personalize",
          "97297f93125ef2103b4e840896a11ce0beb5d12b51ab43376949f8984071cc81" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261125T101112Z",
          "eu-west-1", "personalize",
          "3385cabfb4e120e21bb98ad676f6c30de6f6a7ac2d15204d2ab1bf119135e40a" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-2", "personalize",
          "276d23e59e9be61a87ab25b0122f3563c64480c42309e736c8d7674f7a61cb09" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-1", "personalizf",
          "b31b316bbe79c575b2a9b80f849920460811a4aecf9aae744760f00d4cecbf4f" },
        /* The same bytes in a row, cut elsewhere. */
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-11", "ersonalize",
          "06c0b921867097062c3fc197ac279dedb76bc89670bc62caf0f9fcd8ef3401d3" },
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-1/", "ersonalize",
          "e113b75c8cd2d37cef4ec28fc7c853b9ef1083c621ec85ccead1580b479b4ba9" },
        /* A prefix of the secret. */
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T101112Z",
          "eu-west-1", "personalize",
          "e80a43bed65a6c1ab3a67fe835dde678e2f13b5ab47cfedefc60b3e7e8635c14" },
        /* Another hour of the same day: the same key. */
        { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "20261124T235959Z",
          "eu-west-1", "personalize",
          "807ecb829872dcdeea528eff2b508441460c016c34ef3839520f6b123fbb756a" },
    };
    struct pz_signer *signer = pz_signer_new();

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(kept); i++) {
        for (size_t j = 0; j < PZ_COUNT(kept); j++) {
            size_t both[] = { i, j };

            for (int n = 0; n < 2; n++) {
                struct pz_scope scope = scope_of(kept[both[n]].region,
                                                 kept[both[n]].service,
                                                 kept[both[n]].stamp);

                check_signature(signer, pz_slice_of(kept[both[n]].secret),
                                &scope, kept[both[n]].signature);
            }
        }
    }
    pz_signer_free(signer);
}

TEST(odd_secrets)
{
    struct pz_signer *signer = pz_signer_new();
    struct pz_scope scope = scope_of("a", "b", "20261124T000000Z");
    static char longest[4097];
    char out[PZ_SIGNATURE_LEN];

    BEGIN();
    check_signature(signer, LIT("\0\n"), &scope,
                    "69ea489b05e5df58b6dd0e75447c9f66"
                    "ad47c44acdb6bcd02c6685898ca79083");
    memset(longest, 'Z', sizeof longest);
    check_signature(signer, (struct pz_slice){ longest, 4096 }, &scope,
                    "5844d4d70aa8ce1d60c2cbd0f865e618"
                    "67d36b24804c0b85d3325dd09f486263");
    assert_int_equal(pz_sigv4_signature(out, signer,
                                        (struct pz_slice){ longest, 4097 },
                                        &scope, LIT("x")), PZ_ETOOBIG);
    assert_int_equal(pz_sigv4_signature(out, signer, LIT(""), &scope,
                                        LIT("x")), PZ_EINVAL);
    /* After a failure the key before it must not be taken for it. */
    check_signature(signer, LIT("\0\n"), &scope,
                    "69ea489b05e5df58b6dd0e75447c9f66"
                    "ad47c44acdb6bcd02c6685898ca79083");
    pz_signer_free(signer);
}

/* More than what is sorted on the stack, in the worst order. */
TEST(many_headers_and_parameters)
{
    static struct pz_header headers[4097];
    static char names[4097][8], query[4097 * 8];
    size_t counts[] = { 15, 16, 17, 300, 4096 };

    BEGIN();
    for (size_t c = 0; c < PZ_COUNT(counts); c++) {
        size_t count = counts[c], at = 0;
        struct pz_buf out = PZ_BUF_INIT(0);
        struct pz_sigv4_request request;
        struct pz_slice list, rest;

        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof names[i], "h%05u",
                     (unsigned)(count - i));
            headers[i].name = pz_slice_of(names[i]);
            headers[i].value = LIT("v");
            at += (size_t)sprintf(query + at, "%sp%05u", i ? "&" : "",
                                  (unsigned)(count - i));
        }
        memset(&request, 0, sizeof request);
        request.method = LIT("GET");
        request.headers = headers;
        request.header_count = count;
        request.query = pz_slice_of(query);
        assert_int_equal(pz_sigv4_canonical_request(&out, &list, &request),
                         PZ_OK);
        assert_int_equal(list.len, count * 7 - 1);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(atoi(list.data + i * 7 + 1), i + 1);
        rest = pz_slice_sub(pz_buf_slice(&out), 6, out.len);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(atoi(rest.data + i * 8 + 1), i + 1);
        pz_buf_free(&out);
    }
}

/* A value's white space in each place, since eight bytes are looked at at
   once. */
TEST(white_space_in_every_place)
{
    static const char blanks[] = " \t\n\v\f\r";
    struct pz_sigv4_request request;
    struct pz_header header;
    char text[20];

    BEGIN();
    memset(&request, 0, sizeof request);
    request.method = LIT("GET");
    request.headers = &header;
    request.header_count = 1;
    header.name = LIT("a");
    header.value.data = text;
    header.value.len = sizeof text;
    for (size_t at = 0; at < sizeof text; at++) {
        for (const char *blank = blanks; *blank; blank++) {
            struct pz_buf out = PZ_BUF_INIT(0);
            struct pz_slice names;
            char expected[40] = "", all[64];

            memset(text, 'x', sizeof text);
            text[at] = *blank;
            memset(expected, 'x', sizeof text);
            expected[at] = ' ';
            expected[sizeof text] = '\0';
            if (at == sizeof text - 1)
                expected[at] = '\0';
            sprintf(all, "GET\n/\n\na:%s\n\na\n", expected + (at == 0));
            assert_int_equal(pz_sigv4_canonical_request(&out, &names,
                                                        &request), PZ_OK);
            assert_text(&out, all);
            pz_buf_free(&out);
        }
    }
}

TEST(too_many)
{
    static struct pz_header headers[4097];
    static char query[2 * 4097];
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_sigv4_request request;
    struct pz_slice names;

    BEGIN();
    memset(&request, 0, sizeof request);
    request.headers = headers;
    request.header_count = 4097;
    for (size_t i = 0; i < 4097; i++)
        headers[i].name = headers[i].value = LIT("a");
    assert_int_equal(pz_sigv4_canonical_request(&out, &names, &request),
                     PZ_ETOOBIG);
    request.header_count = 1;
    memset(query, 'a', sizeof query);
    for (size_t i = 1; i < sizeof query; i += 2)
        query[i] = '&';
    request.query = (struct pz_slice){ query, sizeof query };
    assert_int_equal(pz_sigv4_canonical_request(&out, &names, &request),
                     PZ_ETOOBIG);
    pz_buf_free(&out);
}

/* The canonical request may lie in the buffer that grows. */
TEST(string_to_sign_in_the_same_buffer)
{
    struct pz_signer *signer = pz_signer_new();
    struct pz_scope scope = scope_of("eu-west-1", "personalize",
                                     "20261124T101112Z");

    BEGIN();
    for (size_t len = 0; len < 300; len++) {
        struct pz_buf same = PZ_BUF_INIT(0), other = PZ_BUF_INIT(0);

        for (size_t i = 0; i < len; i++)
            assert_int_equal(pz_buf_addc(&same, (char)('a' + i % 26)), PZ_OK);
        assert_int_equal(pz_sigv4_string_to_sign(&other, signer, &scope,
                                                 pz_buf_slice(&same)), PZ_OK);
        assert_int_equal(pz_sigv4_string_to_sign(&same, signer, &scope,
                                                 pz_buf_slice(&same)), PZ_OK);
        assert_slice(pz_slice_sub(pz_buf_slice(&same), len, same.len),
                     pz_buf_slice(&other));
        pz_buf_free(&same);
        pz_buf_free(&other);
    }
    pz_signer_free(signer);
}

TEST(free_takes_nothing)
{
    BEGIN();
    pz_signer_free(NULL);
}

#ifdef PZ_TEST
static enum pz_status sign_all(void *arg)
{
    struct pz_signer *signer = pz_signer_new();
    struct pz_buf out = PZ_BUF_INIT(0), scratch = PZ_BUF_SECRET(0);
    enum pz_status status = signer ? PZ_OK : PZ_ENOMEM;
    struct pz_header headers[40];
    struct pz_scope scope = scope_of("eu-west-1", "personalize",
                                     "20261124T101112Z");
    struct pz_sigv4_request request;

    (void)arg;
    for (size_t i = 0; i < PZ_COUNT(headers); i++) {
        headers[i].name = i % 2 ? LIT("X-Header-B") : LIT("X-Header-A");
        headers[i].value = LIT("a value of some length, to make it grow");
    }
    memset(&request, 0, sizeof request);
    request.path = LIT("/a/../b/%20");
    request.query = LIT("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s=%20&t&u&v");
    request.headers = headers;
    request.header_count = PZ_COUNT(headers);
    if (status == PZ_OK)
        status = pz_sigv4_authorization(&out, &scratch, signer, &request,
                                        &scope, LIT("id"), LIT("secret"));
    pz_buf_free(&out);
    pz_buf_free(&scratch);
    pz_signer_free(signer);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(sign_all, NULL) >= 8);
}

/* A key that could not be kept is derived again, not half kept. */
TEST(refused_memory_while_a_key_is_kept)
{
    struct pz_scope scope = scope_of("eu-west-1", "personalize",
                                     "20261124T101112Z");

    BEGIN();
    for (unsigned long n = 1; n < 10; n++) {
        struct pz_signer *signer = pz_signer_new();
        char out[PZ_SIGNATURE_LEN];

        check_left = n;
        pz_alloc_refuse = check_refuse;
        (void)!pz_sigv4_signature(out, signer,
                                  LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                      "B"), &scope, LIT("the same text"));
        pz_alloc_refuse = NULL;
        check_signature(signer,
                        LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &scope,
                        "807ecb829872dcdeea528eff2b508441"
                        "460c016c34ef3839520f6b123fbb756a");
        pz_signer_free(signer);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_requests),
        cmocka_unit_test(strings_to_sign),
        cmocka_unit_test(authorizations),
        cmocka_unit_test(the_kept_key_is_never_anothers),
        cmocka_unit_test(odd_secrets),
        cmocka_unit_test(many_headers_and_parameters),
        cmocka_unit_test(white_space_in_every_place),
        cmocka_unit_test(too_many),
        cmocka_unit_test(string_to_sign_in_the_same_buffer),
        cmocka_unit_test(free_takes_nothing),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
        cmocka_unit_test(refused_memory_while_a_key_is_kept),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
