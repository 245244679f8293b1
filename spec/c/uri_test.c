/* Endpoint URLs, percent-encoding, paths. */
#include "check.h"

#include "../../src/core/pz_uri.h"

TEST(endpoints_taken)
{
    static const struct {
        const char *text, *scheme, *host, *port, *path, *header;
    } cases[] = {
        { "https://a.example", "https", "a.example", "", "", "a.example" },
        { "http://a", "http", "a", "", "", "a" },
        { "HTTPS://A.Example", "https", "A.Example", "", "", "a.example" },
        { "https://a:443", "https", "a", "443", "", "a" },
        { "http://a:80/", "http", "a", "80", "/", "a" },
        { "http://a:443", "http", "a", "443", "", "a:443" },
        { "https://a:80", "https", "a", "80", "", "a:80" },
        { "https://a:1", "https", "a", "1", "", "a:1" },
        { "https://a:65535/x/y", "https", "a", "65535", "/x/y", "a:65535" },
        { "https://127.0.0.1:4000/p", "https", "127.0.0.1", "4000", "/p",
          "127.0.0.1:4000" },
        { "https://[::1]", "https", "[::1]", "", "", "[::1]" },
        { "http://[2001:DB8::1]:8080/", "http", "[2001:DB8::1]", "8080", "/",
          "[2001:db8::1]:8080" },
        { "http://[::ffff:127.0.0.1]/", "http", "[::ffff:127.0.0.1]", "", "/",
          "[::ffff:127.0.0.1]" },
        { "http://a_b.local/%20//..", "http", "a_b.local", "", "/%20//..",
          "a_b.local" },
        { "https://a/b:c@d", "https", "a", "", "/b:c@d", "a" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice text = guard(0, pz_slice_of(cases[i].text));
        struct pz_buf host = PZ_BUF_INIT(0);
        struct pz_uri uri;

        assert_case(pz_uri_parse(&uri, text) == PZ_OK, cases[i].text);
        assert_slice(uri.scheme, pz_slice_of(cases[i].scheme));
        assert_slice(uri.host, pz_slice_of(cases[i].host));
        assert_slice(uri.port, pz_slice_of(cases[i].port));
        assert_slice(uri.path, pz_slice_of(cases[i].path));
        assert_int_equal(pz_uri_host(&host, &uri), PZ_OK);
        assert_text(&host, cases[i].header);
        pz_buf_free(&host);
    }
}

TEST(endpoints_refused)
{
    static const char *const cases[] = {
        "", "https", "https:", "https:/", "https://", "https:///", "//a", "a",
        "ftp://a", "httpss://a", "https//a", "https:a", "file:///etc/passwd",
        "https://user@a", "https://user:pw@a", "https://a@b:1",
        "https://a?x=1", "https://a/?x", "https://a#f", "https://a/#f",
        "https://a/b\\c", "https://a\\b", "https://a b", "https://a/b c",
        "https://a\r\nX: y", "https://a/\r\nX: y", "https://a/\t",
        "https://a/\x7F", "https://\303\251", "https://a/\303\251",
        "https://a:", "https://a:0", "https://a:65536", "https://a:99999",
        "https://a:1234567890", "https://a:-1", "https://a:+1", "https://a: 1",
        "https://a:1a", "https://a:1:2", "https://:443", "https://a%2Fb",
        "https://[::1", "https://::1", "https://[::1]x", "https://[::1]:",
        "https://[::1]:0", "https://[]", "https://[1]", "https://[:]",
        "https://[::g]", "https://[fe80::1%25eth0]", "https://[a.b.c.d]",
        "https://[::1]]", "https://[[::1]]", " https://a", "https://a ",
        "https://a/ ", "https://*.a", "https://a,b", "https://$a",
    };
    struct pz_slice nul = LIT("https://a\0b"), nul_path = LIT("https://a/\0");
    struct pz_uri uri;

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_case(pz_uri_parse(&uri, guard(0, pz_slice_of(cases[i]))) ==
                    PZ_EINVAL, cases[i]);
    assert_int_equal(pz_uri_parse(&uri, guard(0, nul)), PZ_EINVAL);
    assert_int_equal(pz_uri_parse(&uri, guard(0, nul_path)), PZ_EINVAL);
}

TEST(host_of_253_characters)
{
    char text[300] = "https://";
    struct pz_uri uri;

    BEGIN();
    memset(text + 8, 'a', 254);
    assert_int_equal(pz_uri_parse(&uri, (struct pz_slice){ text, 8 + 253 }),
                     PZ_OK);
    assert_int_equal(pz_uri_parse(&uri, (struct pz_slice){ text, 8 + 254 }),
                     PZ_EINVAL);
}

/* No prefix of a URL makes the parser read on. */
TEST(cut_endpoints)
{
    struct pz_slice text = LIT("https://[2001:db8::1]:8443/path/x");
    struct pz_uri uri;

    BEGIN();
    for (size_t n = 0; n <= text.len; n++)
        (void)!pz_uri_parse(&uri, guard(0, pz_slice_sub(text, 0, n)));
}

TEST(encoding)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";

    BEGIN();
    for (int c = 0; c < 256; c++) {
        struct pz_buf out = PZ_BUF_INIT(0), back = PZ_BUF_INIT(0);
        char byte = (char)c, expected[8];

        if (c && strchr(unreserved, c))
            snprintf(expected, sizeof expected, "%c", c);
        else
            snprintf(expected, sizeof expected, "%%%02X", (unsigned)c);
        assert_int_equal(pz_uri_encode(&out, (struct pz_slice){ &byte, 1 }, 0),
                         PZ_OK);
        assert_text(&out, expected);
        assert_int_equal(pz_uri_decode(&back, pz_buf_slice(&out)), PZ_OK);
        assert_slice(pz_buf_slice(&back), ((struct pz_slice){ &byte, 1 }));
        pz_buf_free(&out);
        pz_buf_free(&back);
    }
    {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_uri_encode(&out, LIT("/a b/"), 1), PZ_OK);
        assert_int_equal(pz_uri_encode(&out, LIT("/%"), 0), PZ_OK);
        assert_text(&out, "/a%20b/%2F%25");
        pz_buf_free(&out);
    }
}

TEST(decoding)
{
    static const char *const cases[][2] = {
        { "", "" }, { "a", "a" }, { "%41", "A" }, { "%4a%4A", "JJ" },
        { "%", "%" }, { "%4", "%4" }, { "%%41", "%A" }, { "%4%41", "%4A" },
        { "%zz", "%zz" }, { "%4z", "%4z" }, { "a+b", "a+b" },
        { "%2541", "%41" }, { "%E2%82%AC", "\xE2\x82\xAC" }, { "x%", "x%" },
        { "x%2", "x%2" }, { "%-1", "%-1" }, { "% 1", "% 1" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_uri_decode(&out,
                                       guard(0, pz_slice_of(cases[i][0]))),
                         PZ_OK);
        assert_text(&out, cases[i][1]);
        pz_buf_free(&out);
    }
    {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_uri_decode(&out, LIT("a%00b")), PZ_OK);
        assert_slice(pz_buf_slice(&out), LIT("a\0b"));
        pz_buf_free(&out);
    }
}

TEST(normalizing)
{
    static const char *const cases[][2] = {
        { "", "/" }, { "/", "/" }, { "//", "/" }, { "/a", "/a" },
        { "/a/", "/a/" }, { "/a//b", "/a/b" }, { "//a//b//", "/a/b/" },
        { "/.", "/" }, { "/./", "/" }, { "/a/.", "/a/" }, { "/a/./b", "/a/b" },
        { "/..", "/" }, { "/../..", "/" }, { "/a/..", "/" },
        { "/a/../", "/" }, { "/a/b/..", "/a/" }, { "/a/b/../", "/a/" },
        { "/a/b/../c", "/a/c" }, { "/a/../../b", "/b" }, { "/../a", "/a" },
        { "/...", "/..." }, { "/a/.../b", "/a/.../b" }, { "/.a", "/.a" },
        { "/a.", "/a." }, { "/..a/", "/..a/" }, { "/%2E%2E/a", "/%2E%2E/a" },
        { "a", "/a" }, { "a/..", "/" }, { "/a//..//b", "/b" },
        { "/ab/cd/../../ef", "/ef" }, { "/a/b/c/../../../..", "/" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        /* What stood there before is none of its business. */
        assert_int_equal(pz_buf_add(&out, "x/y", 3), PZ_OK);
        assert_int_equal(pz_uri_normalize(&out,
                                          guard(0, pz_slice_of(cases[i][0]))),
                         PZ_OK);
        assert_slice(pz_slice_sub(pz_buf_slice(&out), 0, 3), LIT("x/y"));
        assert_slice(pz_slice_sub(pz_buf_slice(&out), 3, out.len),
                     pz_slice_of(cases[i][1]));
        pz_buf_free(&out);
    }
}

#ifdef PZ_TEST
static enum pz_status all_of_it(void *arg)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_uri uri;
    enum pz_status status;
    static char path[400];

    (void)arg;
    memset(path, '/', sizeof path);
    for (size_t i = 1; i < sizeof path; i += 3)
        path[i] = '%';
    status = pz_uri_parse(&uri, LIT("http://a-long-name.example.org:8080/"));
    if (status == PZ_OK)
        status = pz_uri_host(&out, &uri);
    if (status == PZ_OK)
        status = pz_uri_normalize(&out, (struct pz_slice){ path, 400 });
    if (status == PZ_OK)
        status = pz_uri_encode(&out, (struct pz_slice){ path, 400 }, 0);
    if (status == PZ_OK)
        status = pz_uri_decode(&out, (struct pz_slice){ path, 400 });
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
        cmocka_unit_test(endpoints_taken),
        cmocka_unit_test(endpoints_refused),
        cmocka_unit_test(host_of_253_characters),
        cmocka_unit_test(cut_endpoints),
        cmocka_unit_test(encoding),
        cmocka_unit_test(decoding),
        cmocka_unit_test(normalizing),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
