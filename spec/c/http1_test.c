/* Answers out of pieces: where they end, what is refused, what they cost. */
#include "check.h"

#include "../../src/core/pz_head.h"
#include "../../src/core/pz_http1.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* In pieces of 'step' bytes, each of which ends where memory ends. */
static enum pz_status
read_in(struct pz_http1 *r, const char *method, struct pz_slice text,
        size_t step)
{
    enum pz_status status = PZ_OK;

    pz_http1_init(r, pz_slice_of(method));
    for (size_t at = 0; at < text.len && status == PZ_OK; at += step)
        status = pz_http1_feed(r, guard(0, pz_slice_sub(text, at, at + step)));
    return status;
}

static const size_t steps[] = { 1, 2, 3, 7, 16, 1000000 };

/* ---- sound ones -------------------------------------------------------- */

TEST(sound_answers)
{
    static const struct {
        const char *method, *text, *body;
        int status, to_close, reusable;
    } cases[] = {
        { "GET", OK "Content-Length: 5\r\n\r\nhello", "hello", 200, 0, 1 },
        { "GET", OK "content-LENGTH:5\r\n\r\nhello", "hello", 200, 0, 1 },
        { "GET", OK "Content-Length: \t 0005 \t\r\n\r\nhello", "hello", 200,
          0, 1 },
        { "GET", OK "Content-Length: 0\r\n\r\n", "", 200, 0, 1 },
        { "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, 0, 1 },
        { "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "", 200, 0, 1 },
        { "GET", "HTTP/1.1 599 \xC3\xA9\ta\r\nContent-Length: 0\r\n\r\n", "",
          599, 0, 1 },
        { "GET", OK "X:\r\nY: \r\nContent-Length: 1\r\n\r\n:", ":", 200, 0,
          1 },
        { "GET", OK "X: a\tb\xFF\r\nContent-Length: 1\r\n\r\n\n", "\n", 200,
          0, 1 },
        { "GET", OK "\r\nto the end\r\n\r\n", "to the end\r\n\r\n", 200, 1,
          0 },
        { "GET", OK "\r\n", "", 200, 1, 0 },
        { "GET", "HTTP/1.0 200 OK\r\n\r\nold", "old", 200, 1, 0 },
        { "GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", "old",
          200, 0, 0 },
        { "GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n"
          "Connection: Keep-Alive\r\n\r\nold", "old", 200, 0, 1 },
        { "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nold", "old",
          200, 1, 0 },
        /* The connection's end, by what it says. */
        { "GET", OK "Connection: close\r\nContent-Length: 0\r\n\r\n", "", 200,
          0, 0 },
        { "GET", OK "Connection: x, CLOSE\t,y\r\nContent-Length: 0\r\n\r\n",
          "", 200, 0, 0 },
        { "GET", OK "Connection: keep-alive\r\nconnection: close\r\n"
          "Content-Length: 0\r\n\r\n", "", 200, 0, 0 },
        { "GET", OK "Connection: closed\r\nContent-Length: 0\r\n\r\n", "", 200,
          0, 1 },
        { "GET", OK "Connection:\r\nContent-Length: 0\r\n\r\n", "", 200, 0,
          1 },
        /* Chunks. */
        { "GET", CHUNKED "5\r\nhello\r\n0\r\n\r\n", "hello", 200, 0, 1 },
        { "GET", CHUNKED "0\r\n\r\n", "", 200, 0, 1 },
        { "GET", CHUNKED "a\r\n0123456789\r\n1\r\n\r\r\n0B\r\n0123456789\n\r\n"
          "000\r\n\r\n", "0123456789\r0123456789\n", 200, 0, 1 },
        { "GET", CHUNKED "5;a=b;c=\"d\"\r\nhello\r\n0 \t;e\r\n\r\n", "hello",
          200, 0, 1 },
        { "GET", CHUNKED "0000000000000005\r\nhello\r\n0\r\nX: 1\r\n"
          "Content-Length: 9\r\nContent-Length: x\r\n"
          "Transfer-Encoding: gzip\r\nConnection: close\r\n\r\n", "hello", 200,
          0, 1 },
        { "GET", OK "TRANSFER-ENCODING:CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n",
          "x", 200, 0, 1 },
        { "GET", OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1F"
          "\x8B", "\x1F\x8B", 200, 0, 1 },
        /* None. */
        { "HEAD", OK "Content-Length: 99999999999\r\n\r\n", "", 200, 0, 1 },
        { "HEAD", CHUNKED, "", 200, 0, 1 },
        { "HEAD", OK "\r\n", "", 200, 0, 1 },
        { "GET", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "", 204, 0,
          1 },
        { "GET", "HTTP/1.1 204 No\r\n\r\n", "", 204, 0, 1 },
        { "GET", "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", "",
          304, 0, 1 },
        { "CONNECT", OK "\r\n", "", 200, 0, 1 },
        { "CONNECT", "HTTP/1.0 200 OK\r\nConnection: close\r\n"
          "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "", 200,
          0, 1 },
        { "CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nwho", "who",
          407, 0, 1 },
        /* Before the answer. */
        { "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n"
          "Content-Length: 7\r\nConnection: close\r\nX: y\r\n\r\n"
          OK "Content-Length: 2\r\n\r\nhi", "hi", 200, 0, 1 },
        { "HEAD", "HTTP/1.1 100 Continue\r\n\r\n" OK "\r\n", "", 200, 0, 1 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        for (size_t k = 0; k < PZ_COUNT(steps); k++) {
            struct pz_http1 r;
            const char *text = cases[i].text;

            assert_case(read_in(&r, cases[i].method, pz_slice_of(text),
                                steps[k]) == PZ_OK, text);
            assert_case(r.part == (cases[i].to_close ? PZ_HTTP1_TO_CLOSE
                                                     : PZ_HTTP1_DONE), text);
            assert_int_equal(pz_http1_finish(&r, 0), PZ_OK);
            assert_int_equal(r.part, PZ_HTTP1_DONE);
            assert_case(r.status == cases[i].status, text);
            assert_slice(pz_http1_body(&r), pz_slice_of(cases[i].body));
            assert_case(pz_http1_is_reusable(&r) == cases[i].reusable, text);
            assert_true(pz_slice_starts(pz_http1_head(&r), LIT("HTTP/1.")));
            pz_http1_free(&r);
            pz_http1_free(&r);
        }
}

TEST(the_head_is_the_final_one)
{
    struct pz_http1 r;
    struct pz_slice head, name, value;

    BEGIN();
    assert_int_equal(
        read_in(&r, "GET", LIT("HTTP/1.1 103 Hints\r\nX-Early: 1\r\n\r\n" OK
                               "Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
                               "1;X-Ext: 1\r\nx\r\n0\r\nX-Late: 1\r\n\r\n"), 1),
        PZ_OK);
    head = pz_http1_head(&r);
    assert_slice(head, LIT(OK "Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n"));
    assert_true(pz_head_next(&head, &name, &value));
    assert_slice(name, LIT("Transfer-Encoding"));
    assert_slice(value, LIT("chunked"));
    assert_true(pz_head_next(&head, &name, &value));
    assert_slice(value, LIT("b"));
    assert_false(pz_head_next(&head, &name, &value));
    /* What was passed over is not left behind either. */
    for (size_t i = r.bytes.len; i < r.bytes.cap; i++)
        assert_int_equal(r.bytes.data[i], 0);
    pz_http1_free(&r);
}

/* ---- refused ones ------------------------------------------------------ */

#define BODY "\r\n{}"
#define LENGTH(value) OK "Content-Length:" value "\r\n" BODY
#define ENCODING(value) OK "Transfer-Encoding:" value "\r\n\r\n0\r\n\r\n"

TEST(refused_answers)
{
    const struct {
        struct pz_slice text;
        const char *words;
    } cases[] = {
        /* Lengths. */
        { LIT(LENGTH("2\r\nContent-Length: 3")), "two Content-Lengths" },
        { LIT(LENGTH("2\r\nContent-Length: 2")), "two Content-Lengths" },
        { LIT(LENGTH("2\r\ncontent-length:")), "two Content-Lengths" },
        { LIT(LENGTH("2, 2")), "no length" },
        { LIT(LENGTH("2,")), "no length" },
        { LIT(LENGTH("")), "no length" },
        { LIT(LENGTH("+2")), "no length" },
        { LIT(LENGTH("-2")), "no length" },
        { LIT(LENGTH("2 0")), "no length" },
        { LIT(LENGTH("0x2")), "no length" },
        { LIT(LENGTH("2.0")), "no length" },
        { LIT(LENGTH("2e0")), "no length" },
        { LIT(LENGTH("18446744073709551616")), "no length" },
        { LIT(LENGTH("18446744073709551618")), "no length" },
        { LIT(LENGTH("99999999999999999999999")), "no length" },
        { LIT(OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
          "both" },
        { LIT(OK "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"),
          "both" },
        { LIT("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n"
              "Content-Length: 2\r\n\r\n"), "both" },
        { LIT(ENCODING("gzip")), "other than chunked" },
        { LIT(ENCODING("gzip, chunked")), "other than chunked" },
        { LIT(ENCODING("chunked, gzip")), "other than chunked" },
        { LIT(ENCODING("chunked,")), "other than chunked" },
        { LIT(ENCODING("xchunked")), "other than chunked" },
        { LIT(ENCODING("chunked;q=1")), "other than chunked" },
        { LIT(ENCODING("\"chunked\"")), "other than chunked" },
        { LIT(ENCODING("identity")), "other than chunked" },
        { LIT(ENCODING("")), "other than chunked" },
        { LIT(ENCODING("chunked\r\nTransfer-Encoding: chunked")),
          "other than chunked" },
        { LIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
          "HTTP/1.0" },
        /* Chunks. */
        { LIT(CHUNKED "\r\n"), "chunk size" },
        { LIT(CHUNKED "x\r\n"), "chunk size" },
        { LIT(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "-5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "5 5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "5,\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED ";5\r\nhello\r\n0\r\n\r\n"), "chunk size" },
        { LIT(CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n"),
          "chunk size" },
        { LIT(CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n"),
          "chunk size" },
        { LIT(CHUNKED "5\nhello\r\n0\r\n\r\n"), "CR LF" },
        { LIT(CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n"), "control" },
        { LIT(CHUNKED "5;\0\r\nhello\r\n0\r\n\r\n"), "control" },
        { LIT(CHUNKED "5\r\nhello0\r\n\r\n"), "its size says" },
        { LIT(CHUNKED "5\r\nhello\n0\r\n\r\n"), "its size says" },
        { LIT(CHUNKED "5\r\nhello\r0\r\n\r\n"), "its size says" },
        { LIT(CHUNKED "4\r\nhello\r\n0\r\n\r\n"), "its size says" },
        { LIT(CHUNKED "5\r\nhello\r\n0\r\nX\r\n\r\n"), "no header" },
        { LIT(CHUNKED "5\r\nhello\r\n0\r\nX: y\n\r\n"), "CR LF" },
        { LIT(CHUNKED "5\r\nhello\r\n0\r\n x\r\n\r\n"), "several lines" },
        /* Lines. */
        { LIT("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"), "CR LF" },
        { LIT(OK "Content-Length: 2\n\r\n{}"), "CR LF" },
        { LIT(OK "Content-Length: 2\r\n\n{}"), "CR LF" },
        { LIT(OK "X: a\rb\r\n" BODY), "control" },
        { LIT(OK "X: a\r\r\n" BODY), "control" },
        { LIT(OK "\r\r\n" BODY), "control" },
        { LIT(OK "X: a\0b\r\n" BODY), "control" },
        { LIT(OK "X: a\x01" "b\r\n" BODY), "control" },
        { LIT(OK "X: a\x7F\r\n" BODY), "control" },
        { LIT(OK "X-Long-Enough: for\teight\x1F\tat once\r\n" BODY),
          "control" },
        { LIT("HTTP/1.1 200 O\x1BK\r\n" BODY), "control" },
        { LIT(OK "Content-Length : 2\r\n" BODY), "no header" },
        { LIT(OK "Content-Length\t: 2\r\n" BODY), "no header" },
        { LIT(OK "Content\xC3Length: 2\r\n" BODY), "no header" },
        { LIT(OK "Content(Length: 2\r\n" BODY), "no header" },
        { LIT(OK "no header at all\r\n" BODY), "no header" },
        { LIT(OK ": 2\r\n" BODY), "no header" },
        { LIT(OK "X: a\r\n b\r\n" BODY), "several lines" },
        { LIT(OK "X: a\r\n\tContent-Length: 2\r\n" BODY), "several lines" },
        { LIT(OK " X: a\r\n" BODY), "several lines" },
        /* Beginnings. */
        { LIT("{\"ok\":true}"), "does not begin" },
        { LIT("\r\nHTTP/1.1 200 OK\r\n\r\n"), "does not begin" },
        { LIT("http/1.1 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/2 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTT\x01 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HT\nTP/1.1 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.2 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.10 200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1  200 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 2x0 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 20 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 2000 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 099 OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 200OK\r\n\r\n"), "does not begin" },
        { LIT("HTTP/1.1 101 Now\r\nUpgrade: x\r\n\r\n"), "protocol" },
        { LIT("HTTP/1.1 100 Go\r\nContent-Length: x\r\n\r\n"), "no length" },
        /* What nothing asked for. */
        { LIT(LENGTH("1")), "nothing asked for" },
        { LIT(LENGTH("0")), "nothing asked for" },
        { LIT(CHUNKED "0\r\n\r\n\r\n"), "nothing asked for" },
        { LIT("HTTP/1.1 204 No\r\nContent-Length: 2\r\n" BODY),
          "nothing asked for" },
        { LIT(OK "Content-Length: 0\r\n\r\n" OK "Content-Length: 0\r\n\r\n"),
          "nothing asked for" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        for (size_t k = 0; k < PZ_COUNT(steps); k++) {
            struct pz_http1 r;
            const char *text = cases[i].text.data;

            assert_case(read_in(&r, "GET", cases[i].text, steps[k]) ==
                        PZ_EINVAL, text);
            assert_case(r.fault == PZ_HTTP1_MALFORMED, text);
            assert_case(strstr(r.message, cases[i].words), text);
            assert_null(r.bytes.data);
            /* And so it stays. */
            assert_int_equal(pz_http1_feed(&r, LIT("x")), PZ_EINVAL);
            assert_int_equal(pz_http1_feed(&r, LIT("")), PZ_EINVAL);
            assert_int_equal(pz_http1_finish(&r, 0), PZ_EINVAL);
            assert_case(strstr(r.message, cases[i].words), text);
            assert_false(pz_http1_is_reusable(&r));
        }
}

TEST(surplus_of_a_head_and_a_tunnel)
{
    struct pz_http1 r;

    BEGIN();
    assert_int_equal(read_in(&r, "HEAD", LIT(LENGTH("2")), 100), PZ_EINVAL);
    assert_non_null(strstr(r.message, "nothing asked for"));
    assert_int_equal(read_in(&r, "CONNECT", LIT(OK "\r\n\x15"), 100),
                     PZ_EINVAL);
    assert_non_null(strstr(r.message, "nothing asked for"));
}

/* Another protocol shows before the first line ends. */
TEST(early_refusal)
{
    struct pz_http1 r;

    BEGIN();
    assert_int_equal(read_in(&r, "GET", LIT("HTTP/1."), 1), PZ_OK);
    pz_http1_free(&r);
    assert_int_equal(read_in(&r, "GET", LIT("HTTP/2"), 6), PZ_EINVAL);
    assert_int_equal(read_in(&r, "GET", LIT("S"), 1), PZ_EINVAL);
}

/* ---- ends -------------------------------------------------------------- */

TEST(cut_answers)
{
    const struct pz_slice texts[] = {
        LIT(OK "Content-Length: 5\r\n\r\nhello"),
        LIT(CHUNKED "5;a\r\nhello\r\n0\r\nX: y\r\n\r\n"),
        LIT("HTTP/1.1 100 Go\r\n\r\n" OK "Content-Length: 0\r\n\r\n"),
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(texts); i++)
        for (size_t n = 0; n < texts[i].len; n++) {
            size_t line = pz_slice_find(texts[i], '\n', 0);
            struct pz_http1 r;

            assert_int_equal(read_in(&r, "GET", pz_slice_sub(texts[i], 0, n),
                                     5), PZ_OK);
            assert_int_not_equal(r.part, PZ_HTTP1_DONE);
            assert_int_equal(pz_http1_finish(&r, 0), PZ_EINVAL);
            assert_int_equal(r.fault, n <= line ? PZ_HTTP1_NONE
                                                : PZ_HTTP1_CUT);
            assert_null(r.bytes.data);
        }
}

/* Only an end that the peer made is the end of a body without a length. */
TEST(broken_connections)
{
    struct pz_http1 r;

    BEGIN();
    assert_int_equal(read_in(&r, "GET", LIT(OK "\r\nhello"), 9), PZ_OK);
    assert_int_equal(pz_http1_finish(&r, 1), PZ_EINVAL);
    assert_int_equal(r.fault, PZ_HTTP1_CUT);
    assert_int_equal(r.status, 200);
    assert_int_equal(read_in(&r, "GET", LIT(LENGTH("2")), 9), PZ_OK);
    assert_int_equal(pz_http1_finish(&r, 1), PZ_OK);
    assert_slice(pz_http1_body(&r), LIT("{}"));
    pz_http1_free(&r);
}

/* ---- memory ------------------------------------------------------------ */

#ifdef PZ_TEST
static enum pz_status all_of_it(void *arg)
{
    static char text[20000];
    struct pz_slice big = { text, sizeof text };
    struct pz_http1 r;
    enum pz_status status;

    (void)arg;
    memset(text, 'x', sizeof text);
    pz_http1_init(&r, LIT("GET"));
    status = pz_http1_feed(&r, LIT("HTTP/1.1 100 Go\r\n\r\n" CHUNKED));
    for (int i = 0; i < 5 && status == PZ_OK; i++) {
        status = pz_http1_feed(&r, LIT("4e20\r\n"));
        if (status == PZ_OK)
            status = pz_http1_feed(&r, big);
        if (status == PZ_OK)
            status = pz_http1_feed(&r, LIT("\r\n"));
    }
    if (status == PZ_OK)
        status = pz_http1_feed(&r, LIT("0\r\nX: y\r\n\r\n"));
    if (status == PZ_ENOMEM)
        assert_int_equal(pz_http1_feed(&r, LIT("x")), PZ_EINVAL);
    else
        assert_int_equal(pz_http1_body(&r).len, 5 * sizeof text);
    pz_http1_free(&r);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(all_of_it, NULL) >= 4);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_answers),
        cmocka_unit_test(the_head_is_the_final_one),
        cmocka_unit_test(refused_answers),
        cmocka_unit_test(surplus_of_a_head_and_a_tunnel),
        cmocka_unit_test(early_refusal),
        cmocka_unit_test(cut_answers),
        cmocka_unit_test(broken_connections),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
