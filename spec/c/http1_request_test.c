/* Requests as bytes, and the rules of heads that both transports keep. */
#include "check.h"

#include "../../src/core/pz_head.h"
#include "../../src/core/pz_http1_request.h"

#define NO_BODY (-1)

static enum pz_status
write_it(struct pz_buf *out, struct pz_uri *uri, const char **fault,
      const char *method, struct pz_slice url, struct pz_slice head,
      long long length)
{
    struct pz_http1_request request;

    memset(&request, 0, sizeof request);
    request.method = pz_slice_of(method);
    request.url = guard(0, url);
    request.head = guard(1, head);
    request.has_body = length != NO_BODY;
    if (request.has_body)
        request.length = (unsigned long long)length;
    return pz_http1_request(out, uri, fault, &request);
}

TEST(requests)
{
    static const struct {
        const char *method, *url, *head;
        long long length;
        const char *text;
    } cases[] = {
        { "GET", "http://a", "", NO_BODY, "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "GET", "https://A.b:443/c?d=e%20f", "X: y\r\n", NO_BODY,
          "GET /c?d=e%20f HTTP/1.1\r\nHost: a.b\r\nX: y\r\n\r\n" },
        { "GET", "https://a?b", "", NO_BODY,
          "GET /?b HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "GET", "https://a/?b?c=/d", "", NO_BODY,
          "GET /?b?c=/d HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "GET", "https://a//b/../c", "", NO_BODY,
          "GET //b/../c HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "GET", "http://[::FF]:8080/", "", NO_BODY,
          "GET / HTTP/1.1\r\nHost: [::ff]:8080\r\n\r\n" },
        { "GET", "http://a/", "hOST: other\r\n", NO_BODY,
          "GET / HTTP/1.1\r\nhOST: other\r\n\r\n" },
        { "POST", "http://a/", "", 12,
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n" },
        { "POST", "http://a/", "", NO_BODY,
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
        { "PUT", "http://a/", "", NO_BODY,
          "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
        { "PUT", "http://a/", "", 5368709120,
          "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5368709120\r\n\r\n" },
        { "DELETE", "http://a/", "", NO_BODY,
          "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "DELETE", "http://a/", "", 0,
          "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" },
        { "HEAD", "http://a/", "", NO_BODY,
          "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" },
        { "POST", "http://a/", "content-length: 3\r\nHost: a\r\n", 3,
          "POST / HTTP/1.1\r\ncontent-length: 3\r\nHost: a\r\n\r\n" },
        { "GET", "http://a/", "X:\r\nY: a:b\t\xFF \r\n", NO_BODY,
          "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: a:b\t\xFF \r\n\r\n" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);
        const char *fault = "x";
        struct pz_uri uri;

        assert_case(write_it(&out, &uri, &fault, cases[i].method,
                          pz_slice_of(cases[i].url),
                          pz_slice_of(cases[i].head), cases[i].length) ==
                    PZ_OK, cases[i].url);
        assert_null(fault);
        assert_text(&out, cases[i].text);
        pz_buf_free(&out);
    }
}

/* What a transport adds of its own accord. */
TEST(requests_with_more)
{
    struct pz_http1_request request;
    struct pz_buf out = PZ_BUF_INIT(0);
    const char *fault = NULL;
    struct pz_uri uri;

    BEGIN();
    memset(&request, 0, sizeof request);
    request.method = LIT("PUT");
    request.url = LIT("http://A.b:8080?c");
    request.has_body = request.expects = 1;
    request.length = 3;
    assert_int_equal(pz_http1_request(&out, &uri, &fault, &request), PZ_OK);
    assert_text(&out, "PUT /?c HTTP/1.1\r\nHost: a.b:8080\r\n"
                "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    pz_buf_clear(&out);

    request.head = LIT("expect: x\r\n"); /* the caller's own goes before */
    request.is_for_proxy = 1;
    request.proxy_authorization = LIT("Basic dTpw");
    assert_int_equal(pz_http1_request(&out, &uri, &fault, &request), PZ_OK);
    assert_text(&out, "PUT http://a.b:8080/?c HTTP/1.1\r\nHost: a.b:8080\r\n"
                "expect: x\r\nContent-Length: 3\r\n"
                "Proxy-Authorization: Basic dTpw\r\n\r\n");
    pz_buf_clear(&out);

    request.proxy_authorization = LIT("x\r\ny: z");
    assert_int_equal(pz_http1_request(&out, &uri, &fault, &request),
                     PZ_EINVAL);
    assert_string_equal(fault, "a Proxy-Authorization that is none");
    assert_int_equal(out.len, 0);
    pz_buf_free(&out);
}

TEST(requests_refused)
{
    const struct {
        const char *method;
        struct pz_slice url, head;
        long long length;
        const char *words;
    } cases[] = {
        { "", LIT("http://a/"), LIT(""), NO_BODY, "method" },
        { "get", LIT("http://a/"), LIT(""), NO_BODY, "method" },
        { "GET /x", LIT("http://a/"), LIT(""), NO_BODY, "method" },
        { "GET\r\nX", LIT("http://a/"), LIT(""), NO_BODY, "method" },
        { "ABCDEFGHIJKLMNOP", LIT("http://a/"), LIT(""), NO_BODY, "method" },
        { "GET", LIT(""), LIT(""), NO_BODY, "a URL that begins" },
        { "GET", LIT("ftp://a/"), LIT(""), NO_BODY, "a URL that begins" },
        { "GET", LIT("http:/a/"), LIT(""), NO_BODY, "a URL that begins" },
        { "GET", LIT("http://a/ HTTP/1.1"), LIT(""), NO_BODY, "spaces" },
        { "GET", LIT("http://a/\r\nX: y"), LIT(""), NO_BODY, "control" },
        { "GET", LIT("http://a/?\n"), LIT(""), NO_BODY, "control" },
        { "GET", LIT("http://a/\0"), LIT(""), NO_BODY, "control" },
        { "GET", LIT("http://a/?\xC3"), LIT(""), NO_BODY, "non-ASCII" },
        { "GET", LIT("http://"), LIT(""), NO_BODY, "a URL that is none" },
        { "GET", LIT("http://u@a/"), LIT(""), NO_BODY, "a URL that is none" },
        { "GET", LIT("http://?a@b/"), LIT(""), NO_BODY, "a URL that is none" },
        { "GET", LIT("http://a/#f"), LIT(""), NO_BODY, "a URL that is none" },
        { "GET", LIT("http://a/?q#f"), LIT(""), NO_BODY,
          "a URL that is none" },
        { "GET", LIT("http://a:70000/"), LIT(""), NO_BODY,
          "a URL that is none" },
        { "HEAD", LIT("http://a/"), LIT(""), 0, "a HEAD with a body" },
        { "GET", LIT("http://a/"), LIT("X: y"), NO_BODY, "CR LF" },
        { "GET", LIT("http://a/"), LIT("X: y\r"), NO_BODY, "CR LF" },
        { "GET", LIT("http://a/"), LIT("X: y\n"), NO_BODY, "CR LF" },
        { "GET", LIT("http://a/"), LIT("\n"), NO_BODY, "CR LF" },
        { "GET", LIT("http://a/"), LIT("X: y\nZ: a\r\n"), NO_BODY, "CR LF" },
        { "GET", LIT("http://a/"), LIT("X: y\rZ: a\r\n"), NO_BODY,
          "a CR inside" },
        { "GET", LIT("http://a/"), LIT("X: a\0b\r\n"), NO_BODY, "a NUL" },
        { "GET", LIT("http://a/"), LIT("\r\n"), NO_BODY, "no header" },
        { "GET", LIT("http://a/"), LIT("X: y\r\n\r\nGET / HTTP/1.1\r\n"),
          NO_BODY, "no header" },
        { "GET", LIT("http://a/"), LIT("X\r\n"), NO_BODY, "no header" },
        { "GET", LIT("http://a/"), LIT(": y\r\n"), NO_BODY, "no header" },
        { "GET", LIT("http://a/"), LIT("X : y\r\n"), NO_BODY, "no header" },
        { "GET", LIT("http://a/"), LIT(" X: y\r\n"), NO_BODY, "no header" },
        { "POST", LIT("http://a/"), LIT("Transfer-Encoding: chunked\r\n"), 3,
          "Transfer-Encoding" },
        { "POST", LIT("http://a/"), LIT("transfer-encoding:\r\n"), NO_BODY,
          "Transfer-Encoding" },
        { "POST", LIT("http://a/"), LIT("Content-Length: 2\r\n"), 3,
          "Content-Length" },
        { "GET", LIT("http://a/"), LIT("Content-Length: 1\r\n"), NO_BODY,
          "Content-Length" },
        { "POST", LIT("http://a/"), LIT("Content-Length: +3\r\n"), 3,
          "Content-Length" },
        { "POST", LIT("http://a/"),
          LIT("Content-Length: 3\r\ncontent-length: 3\r\n"), 3,
          "two Content-Lengths" },
        { "GET", LIT("http://a/"), LIT("Host: a\r\nhost: b\r\n"), NO_BODY,
          "two Host headers" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);
        const char *fault = NULL;
        struct pz_uri uri;

        assert_case(write_it(&out, &uri, &fault, cases[i].method, cases[i].url,
                          cases[i].head, cases[i].length) == PZ_EINVAL,
                    cases[i].words);
        assert_case(fault && strstr(fault, cases[i].words), cases[i].words);
        assert_int_equal(out.len, 0);
        pz_buf_free(&out);
    }
}

TEST(ports)
{
    static const struct {
        const char *url;
        unsigned port;
    } cases[] = {
        { "http://a", 80 }, { "https://a/", 443 }, { "http://a:443", 443 },
        { "https://[::1]:65535/?x", 65535 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);
        const char *fault;
        struct pz_uri uri;

        assert_int_equal(write_it(&out, &uri, &fault, "GET",
                               pz_slice_of(cases[i].url), LIT(""), NO_BODY),
                         PZ_OK);
        assert_int_equal(pz_http1_port(&uri), cases[i].port);
        pz_buf_free(&out);
    }
}

TEST(connects)
{
    static const struct {
        const char *host;
        unsigned port;
        const char *authorization, *text;
    } cases[] = {
        { "a.b", 443, "", "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n" },
        { "[::1]", 65535, "Basic dTpw",
          "CONNECT [::1]:65535 HTTP/1.1\r\nHost: [::1]:65535\r\n"
          "Proxy-Authorization: Basic dTpw\r\n\r\n" },
        { "a", 0, "", NULL }, { "a", 65536, "", NULL }, { "", 1, "", NULL },
        { "a b", 1, "", NULL }, { "a:1", 1, "", NULL }, { "a/", 1, "", NULL },
        { "a\r\nX: y", 1, "", NULL }, { "u@a", 1, "", NULL },
        { "::1", 1, "", NULL }, { "[::1]x", 1, "", NULL },
        { "a", 1, "x\r\ny: z", NULL }, { "a", 1, "x\ny", NULL },
        { "a", 1, "\x7F", NULL }, { "a", 1, "\xC3\xA9", NULL },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);
        const char *fault = NULL;
        enum pz_status status = pz_http1_connect(
            &out, &fault, guard(0, pz_slice_of(cases[i].host)), cases[i].port,
            guard(1, pz_slice_of(cases[i].authorization)));

        assert_case(status == (cases[i].text ? PZ_OK : PZ_EINVAL),
                    cases[i].host);
        assert_text(&out, cases[i].text);
        assert_true((fault == NULL) == (cases[i].text != NULL));
        pz_buf_free(&out);
    }
}

TEST(lengths)
{
    static const struct {
        const char *text;
        int good;
        unsigned long long length;
    } cases[] = {
        { "0", 1, 0 }, { "007", 1, 7 }, { "8388608", 1, 8388608 },
        { "18446744073709551615", 1, 18446744073709551615ULL },
        { "000000000000000000000000000001", 1, 1 },
        { "18446744073709551616", 0, 0 }, { "18446744073709551625", 0, 0 },
        { "28446744073709551615", 0, 0 }, { "184467440737095516150", 0, 0 },
        { "", 0, 0 }, { "-1", 0, 0 }, { "+1", 0, 0 }, { " 1", 0, 0 },
        { "1 ", 0, 0 }, { "1,1", 0, 0 }, { "0x1", 0, 0 }, { "1/", 0, 0 },
        { "1:", 0, 0 }, { "\xB1", 0, 0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        unsigned long long got = 0;

        assert_case(pz_head_length(guard(0, pz_slice_of(cases[i].text)),
                                   &got) == cases[i].good, cases[i].text);
        assert_case(got == cases[i].length, cases[i].text);
    }
}

/* Each byte in each place of words of eight, and of what follows them. */
TEST(bytes_of_lines)
{
    static const char others[] = "-_.!#$%&'*+^`|~";
    char text[19];

    BEGIN();
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof text; at++) {
            int is_text = (c >= ' ' && c != 0x7F) || c == '\t';
            int is_token = c > 0 && c < 0x80 &&
                ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                 (c >= 'a' && c <= 'z') || strchr(others, c));
            struct pz_slice s = { text, sizeof text };

            memset(text, at % 2 ? 'x' : '~', sizeof text);
            text[at] = (char)c;
            s = guard(0, s);
            assert_int_equal(pz_head_is_text(s), is_text);
            assert_int_equal(pz_head_is_token(s), is_token);
        }
    assert_true(pz_head_is_text(LIT("")));
    assert_false(pz_head_is_token(LIT("")));
}

#ifdef PZ_TEST
static enum pz_status all_of_it(void *arg)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    const char *fault;
    struct pz_uri uri;
    enum pz_status status = write_it(&out, &uri, &fault, "POST",
                                  LIT("http://a.example.org/"),
                                  LIT("X-Somewhat-Longer: y\r\n"), 3);

    (void)arg;
    if (status == PZ_OK)
        status = pz_http1_connect(&out, &fault, LIT("a.example.org"), 443,
                                  LIT("Basic dTpw"));
    pz_buf_free(&out);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(all_of_it, NULL) >= 3);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(requests_with_more),
        cmocka_unit_test(requests_refused),
        cmocka_unit_test(ports),
        cmocka_unit_test(connects),
        cmocka_unit_test(lengths),
        cmocka_unit_test(bytes_of_lines),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
