/* The limits of answers: each is reached, and passed by one. */
#include "check.h"

#include "../../src/core/pz_head.h"
#include "../../src/core/pz_http1.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY OK "Content-Length: 0\r\n\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define GO "HTTP/1.1 100 Go\r\n\r\n"

static char filler[1 << 16];

static enum pz_status feed(struct pz_http1 *r, const char *text)
{
    return pz_http1_feed(r, pz_slice_of(text));
}

/* 'count' bytes that can stand in any place. */
static enum pz_status fill(struct pz_http1 *r, size_t count)
{
    enum pz_status status = PZ_OK;

    memset(filler, 'x', sizeof filler);
    while (count > 0 && status == PZ_OK) {
        struct pz_slice part = { filler, count };

        if (part.len > sizeof filler)
            part.len = sizeof filler;
        status = pz_http1_feed(r, part);
        count -= part.len;
    }
    return status;
}

static void begin(struct pz_http1 *r)
{
    pz_http1_init(r, LIT("GET"));
}

static void assert_done(struct pz_http1 *r)
{
    assert_int_equal(r->part, PZ_HTTP1_DONE);
    pz_http1_free(r);
}

static void
assert_large(const struct pz_http1 *r, enum pz_status status, const char *word)
{
    assert_int_equal(status, PZ_ETOOBIG);
    assert_int_equal(r->fault, PZ_HTTP1_LARGE);
    assert_non_null(strstr(r->message, word));
    assert_null(r->bytes.data);
}

/* A text of which 'fixed' bytes count, and one run of filler. */
static enum pz_status
run(struct pz_http1 *r, const char *before, size_t count, const char *after)
{
    enum pz_status status;

    begin(r);
    status = feed(r, before);
    if (status == PZ_OK)
        status = fill(r, count);
    return status == PZ_OK ? feed(r, after) : status;
}

TEST(head_bytes)
{
    static const struct {
        const char *before, *after;
        size_t free; /* bytes of both that are no head */
    } cases[] = {
        { OK "X:", "\r\nContent-Length: 0\r\n\r\n", 0 },
        { OK "Content-Length: 0\r\n", ":\r\n\r\n", 0 },
        { "HTTP/1.1 200 ", "\r\nContent-Length: 0\r\n\r\n", 0 },
        { GO "HTTP/1.1 100 ", "\r\n\r\n" EMPTY, 0 },
        { CHUNKED "0\r\nX:", "\r\n\r\n", 3 },
        { CHUNKED "0\r\n", ":\r\n\r\n", 3 },
        { CHUNKED "1;", "\r\nx\r\n0\r\n\r\n", 8 },
        { CHUNKED "1;a\r\nx\r\n0;", "\r\n\r\n", 8 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        const char *before = cases[i].before, *after = cases[i].after;
        size_t room = PZ_ANSWER_HEAD_MAX -
            (strlen(before) + strlen(after) - cases[i].free);
        struct pz_http1 r;

        assert_case(run(&r, before, room, after) == PZ_OK, before);
        assert_done(&r);
        assert_large(&r, run(&r, before, room + 1, after), "head");
    }
}

/* A line that never ends is refused as soon as it is too long. */
TEST(endless_lines)
{
    static const char *const cases[] = { "HTTP/1.1 200 ", OK, OK "X:",
                                         CHUNKED, CHUNKED "1;",
                                         CHUNKED "0\r\n" };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_http1 r;

        assert_large(&r, run(&r, cases[i], PZ_ANSWER_HEAD_MAX + 1, ""),
                     "head");
    }
}

TEST(head_lines)
{
    static const struct {
        const char *before, *line, *after;
        int others;
    } cases[] = {
        { OK, "X: y\r\n", "Content-Length: 0\r\n\r\n", 3 },
        { GO OK, "X: y\r\n", "Content-Length: 0\r\n\r\n", 5 },
        { CHUNKED "0\r\n", "X: y\r\n", "\r\n", 4 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        enum pz_status status;
        struct pz_http1 r;
        int more = PZ_ANSWER_LINES_MAX - cases[i].others;

        for (int extra = 0; extra < 2; extra++) {
            begin(&r);
            status = feed(&r, cases[i].before);
            for (int n = 0; n < more + extra && status == PZ_OK; n++)
                status = feed(&r, cases[i].line);
            if (status == PZ_OK)
                status = feed(&r, cases[i].after);
            if (extra)
                assert_large(&r, status, "head");
            else
                assert_done(&r);
        }
    }
}

TEST(floods_of_1xx)
{
    enum pz_status status = PZ_OK;
    struct pz_http1 r;
    int heads = 0;

    BEGIN();
    begin(&r);
    for (; heads < 1000 && status == PZ_OK; heads++) {
        assert_true(r.bytes.len < 64);
        status = feed(&r, GO);
    }
    assert_large(&r, status, "head");
    assert_int_equal(heads, PZ_ANSWER_LINES_MAX / 2 + 1);
}

/* Chunks of a byte each are many, but not too many. */
TEST(many_chunks)
{
    enum pz_status status;
    struct pz_http1 r;

    BEGIN();
    begin(&r);
    status = feed(&r, CHUNKED);
    for (int i = 0; i < 100000 && status == PZ_OK; i++)
        status = feed(&r, "1\r\nx\r\n");
    assert_int_equal(status, PZ_OK);
    assert_int_equal(feed(&r, "0\r\n\r\n"), PZ_OK);
    assert_int_equal(pz_http1_body(&r).len, 100000);
    assert_done(&r);
}

TEST(body_bytes)
{
    struct pz_http1 r;
    size_t max = PZ_ANSWER_BODY_MAX;

    BEGIN();
    assert_int_equal(run(&r, OK "Content-Length: 8388608\r\n\r\n", max, ""),
                     PZ_OK);
    assert_int_equal(pz_http1_body(&r).len, max);
    assert_done(&r);
    assert_large(&r, run(&r, OK "Content-Length: 8388609\r\n\r\n", 0, ""),
                 "body");
    assert_large(&r, run(&r, OK "Content-Length: 18446744073709551615\r\n\r\n",
                         0, ""), "body");

    assert_int_equal(run(&r, CHUNKED "800000\r\n", max, "\r\n0\r\n\r\n"),
                     PZ_OK);
    assert_int_equal(pz_http1_body(&r).len, max);
    assert_done(&r);
    assert_large(&r, run(&r, CHUNKED "800001\r\n", 0, ""), "body");
    assert_large(&r, run(&r, CHUNKED "7FFFFF\r\n", max - 1, "\r\n2\r\n"),
                 "body");
    assert_large(&r, run(&r, CHUNKED "1\r\n", 1,
                         "\r\nFFFFFFFFFFFFFFFF\r\n"), "body");

    assert_int_equal(run(&r, OK "\r\n", max, ""), PZ_OK);
    assert_int_equal(pz_http1_finish(&r, 0), PZ_OK);
    assert_int_equal(pz_http1_body(&r).len, max);
    assert_done(&r);
    assert_large(&r, run(&r, OK "\r\n", max + 1, ""), "body");
}

/* The largest head and the largest body may come together, trailers last. */
TEST(all_at_once)
{
    struct pz_http1 r;
    size_t room = PZ_ANSWER_HEAD_MAX - 200;

    BEGIN();
    assert_int_equal(run(&r, OK "X:", room,
                         "\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n"),
                     PZ_OK);
    assert_int_equal(fill(&r, PZ_ANSWER_BODY_MAX), PZ_OK);
    assert_int_equal(feed(&r, "\r\n0\r\nX: y\r\n\r\n"), PZ_OK);
    assert_done(&r);
}

/* What is announced costs nothing until it comes. */
TEST(announced_bytes)
{
    static const char *const cases[] = {
        OK "Content-Length: 8388608\r\n\r\nx", CHUNKED "800000\r\nx",
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_http1 r;

        assert_int_equal(run(&r, cases[i], 0, ""), PZ_OK);
        for (size_t got = 1; got < (size_t)4 << 20; got += 100000) {
            assert_true(r.bytes.cap <= 2 * (got + 64) + (64 << 10));
            assert_int_equal(fill(&r, 100000), PZ_OK);
        }
        pz_http1_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_bytes),
        cmocka_unit_test(endless_lines),
        cmocka_unit_test(head_lines),
        cmocka_unit_test(floods_of_1xx),
        cmocka_unit_test(many_chunks),
        cmocka_unit_test(body_bytes),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(announced_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
