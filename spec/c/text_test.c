/* UTF-8, digits, names that look alike. */
#include "check.h"

#include "../../src/core/pz_text.h"

TEST(utf8_counts_code_points)
{
    static const struct {
        struct pz_slice text;
        size_t count;
    } cases[] = {
        { { "", 0 }, 0 },
        { { "\0", 1 }, 1 },
        { { "a", 1 }, 1 },
        { { "\x7F", 1 }, 1 },
        { { "\xC2\x80", 2 }, 1 },                /* U+0080, the first of two */
        { { "\xDF\xBF", 2 }, 1 },                /* U+07FF */
        { { "\xE0\xA0\x80", 3 }, 1 },            /* U+0800 */
        { { "\xED\x9F\xBF", 3 }, 1 },            /* U+D7FF */
        { { "\xEE\x80\x80", 3 }, 1 },            /* U+E000 */
        { { "\xEF\xBF\xBD", 3 }, 1 },            /* U+FFFD */
        { { "\xEF\xBF\xBF", 3 }, 1 },            /* U+FFFF */
        { { "\xF0\x90\x80\x80", 4 }, 1 },        /* U+10000 */
        { { "\xF4\x8F\xBF\xBF", 4 }, 1 },        /* U+10FFFF */
        { { "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", 11 }, 5 },
        /* Eight at a time, and what is left. */
        { { "12345678", 8 }, 8 },
        { { "123456789012345", 15 }, 15 },
        { { "1234567\xC3\xA9" "12345678", 17 }, 16 },
        { { "\xC3\xA9" "12345678\xC3\xA9", 12 }, 10 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        size_t count = 99;

        assert_true(pz_utf8_count(guard(0, cases[i].text), &count));
        assert_int_equal(count, cases[i].count);
    }
}

TEST(utf8_refuses)
{
    static const struct {
        struct pz_slice text;
        size_t at;
    } cases[] = {
        { { "\x80", 1 }, 0 },                 /* continues nothing */
        { { "\xBF", 1 }, 0 },
        { { "a\xC2", 2 }, 1 },                /* cut */
        { { "\xC2", 1 }, 0 },
        { { "\xC3(", 2 }, 0 },
        { { "\xE2\x82", 2 }, 0 },
        { { "\xE2(\xA1", 3 }, 0 },
        { { "\xE2\x82(", 3 }, 0 },
        { { "\xF0\x9F\x98", 3 }, 0 },
        { { "\xF0\x9F\x98(", 4 }, 0 },
        { { "\xF0(\x8C\xBC", 4 }, 0 },
        { { "\xC0\x80", 2 }, 0 },             /* overlong NUL */
        { { "\xC1\xBF", 2 }, 0 },             /* overlong DEL */
        { { "\xE0\x80\x80", 3 }, 0 },
        { { "\xE0\x9F\xBF", 3 }, 0 },         /* overlong U+07FF */
        { { "\xF0\x80\x80\x80", 4 }, 0 },
        { { "\xF0\x8F\xBF\xBF", 4 }, 0 },     /* overlong U+FFFF */
        { { "\xED\xA0\x80", 3 }, 0 },         /* U+D800 */
        { { "\xED\xBF\xBF", 3 }, 0 },         /* U+DFFF */
        { { "\xF4\x90\x80\x80", 4 }, 0 },     /* U+110000 */
        { { "\xF5\x80\x80\x80", 4 }, 0 },
        { { "\xF8\x88\x80\x80\x80", 5 }, 0 },
        { { "\xFE", 1 }, 0 },
        { { "\xFF", 1 }, 0 },
        { { "12345678\xFF", 9 }, 8 },
        { { "1234567\xFF", 8 }, 7 },
        { { "\xC3\xA9" "123456789\xE2\x82", 13 }, 11 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        size_t at = 99;

        assert_false(pz_utf8_count(guard(0, cases[i].text), &at));
        assert_int_equal(at, cases[i].at);
    }
}

/* Is the sequence UTF-8? By the numbers, not by a table of bytes. */
static int is_utf8(const unsigned char *p, size_t len)
{
    static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned long c = len == 1 ? p[0]
        : len == 2 ? (unsigned long)p[0] & 0x1F
        : len == 3 ? (unsigned long)p[0] & 0x0F : (unsigned long)p[0] & 0x07;
    static const unsigned char mark[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    static const unsigned char mask[] = { 0, 0x80, 0xE0, 0xF0, 0xF8 };

    if ((p[0] & mask[len]) != mark[len])
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c >= least[len] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

TEST(utf8_agrees_with_arithmetic)
{
    static const unsigned char tails[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                           0xA0, 0xBF, 0xC0, 0xFF };

    BEGIN();
    for (unsigned first = 0x80; first <= 0xFF; first++) {
        for (size_t len = 1; len <= 4; len++) {
            for (unsigned n = 0; n < 1000; n++) {
                unsigned char p[4] = {
                    (unsigned char)first, tails[n % 10], tails[n / 10 % 10],
                    tails[n / 100]
                };
                struct pz_slice s = { (char *)p, len };
                size_t count;
                int whole = is_utf8(p, len);

                if (p[1] < 0x80 && len > 1)
                    continue; /* two characters or none */
                assert_int_equal(pz_utf8_count(guard(0, s), &count) &&
                                 count == 1, whole);
            }
        }
    }
}

TEST(hex_digits)
{
    char out[7] = "......";

    BEGIN();
    pz_hex(out, (const unsigned char *)"\x00\xA9\xFF", 3);
    assert_string_equal(out, "00a9ff");
    for (int c = 0; c < 256; c++) {
        const char *all = "0123456789abcdefABCDEF";
        const char *at = c ? strchr(all, c) : NULL;
        long value = at ? at - all : -1;

        assert_int_equal(pz_hex_digit((char)c), value > 15 ? value - 6 : value);
    }
}

/* Of every length, since four bytes are written at once. */
TEST(hex_digits_of_every_length)
{
    unsigned char data[40];

    BEGIN();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof data; len++) {
        char out[81], expected[81] = "";

        for (size_t i = 0; i < len; i++)
            sprintf(expected + 2 * i, "%02x", data[i]);
        memset(out, 0, sizeof out);
        pz_hex(out, (const unsigned char *)guard(
                        0, (struct pz_slice){ (char *)data, len }).data, len);
        assert_string_equal(out, expected);
    }
}

TEST(decimals)
{
    static const struct {
        const char *text;
        long value; /* -1: refused */
    } cases[] = {
        { "0", 0 }, { "7", 7 }, { "007", 7 }, { "123456789", 123456789 },
        { "999999999", 999999999 }, { "1234567890", -1 }, { "", -1 },
        { "-1", -1 }, { "+1", -1 }, { " 1", -1 }, { "1 ", -1 }, { "1.0", -1 },
        { "0x1", -1 }, { "1a", -1 }, { "/", -1 }, { ":", -1 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        unsigned long value = 0;
        int ok = pz_decimal(guard(0, pz_slice_of(cases[i].text)), &value);

        assert_case(ok == (cases[i].value >= 0), cases[i].text);
        if (ok)
            assert_case((long)value == cases[i].value, cases[i].text);
    }
}

TEST(nearest_names)
{
    static const char *const names[] = {
        "jobName", "datasetGroupArn", "dataSource", "roleArn", "tags", NULL
    };
    static const struct {
        const char *given, *meant;
    } cases[] = {
        { "jobname", "jobName" }, { "job_name", "jobName" },
        { "jobNam", "jobName" }, { "jbName", "jobName" },
        { "JOBNAME", "jobName" }, { "rolearn", "roleArn" },
        { "role", "roleArn" }, { "tag", "tags" }, { "Tags", "tags" },
        { "tgas", "tags" }, { "datasource", "dataSource" },
        { "datasetGroup", "datasetGroupArn" }, { "", NULL },
        { "completely", NULL }, { "x", NULL },
        { "a-name-of-more-than-forty-eight-characters-is-none", NULL },
    };
    static const char *const none[] = { NULL };
    static const char *const odd[] = {
        "", "a-name-of-more-than-forty-eight-characters-is-none", NULL
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice given = guard(0, pz_slice_of(cases[i].given));
        const char *got = pz_nearest(given, names);

        assert_case(got ? cases[i].meant && !strcmp(got, cases[i].meant)
                        : !cases[i].meant, cases[i].given);
    }
    assert_null(pz_nearest(LIT("a"), none));
    assert_null(pz_nearest(LIT("abc"), odd));
}

TEST(visible_text)
{
    BEGIN();
    for (int c = 0; c < 256; c++) {
        char text[3] = { 'a', (char)c, 'b' };
        struct pz_slice s = { text, 3 };

        assert_int_equal(pz_is_visible(s), c >= 0x21 && c <= 0x7E);
    }
    assert_true(pz_is_visible(LIT("")));
}

/* Each byte in each place, since eight are looked at at once. */
TEST(printable_text_of_every_length)
{
    char text[21];

    BEGIN();
    for (size_t len = 1; len <= sizeof text; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                struct pz_slice s = { text, len };

                memset(text, '~', sizeof text);
                text[at] = (char)c;
                assert_int_equal(pz_is_printable(s, ' '),
                                 c >= ' ' && c <= '~');
                assert_int_equal(pz_is_printable(s, '!'),
                                 c >= '!' && c <= '~');
            }
        }
    }
}

TEST(host_labels)
{
    static const struct {
        const char *text;
        int ok;
    } cases[] = {
        { "eu-west-1", 1 }, { "a", 1 }, { "A9", 1 }, { "9", 1 }, { "a--b", 1 },
        { "", 0 }, { "-", 0 }, { "-a", 0 }, { "a-", 0 }, { "a.b", 0 },
        { "a_b", 0 }, { "a b", 0 }, { "a/b", 0 }, { "a@b", 0 }, { "a:1", 0 },
        { "a#", 0 }, { "a?", 0 }, { "a\\", 0 }, { "a%41", 0 }, { "a\r\n", 0 },
        { "\303\251", 0 },
        { "a23456789012345678901234567890123456789012345678901234567890123",
          1 },
        { "a234567890123456789012345678901234567890123456789012345678901234",
          0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_case(pz_is_host_label(guard(0, pz_slice_of(cases[i].text))) ==
                    cases[i].ok, cases[i].text);
    assert_false(pz_is_host_label(LIT("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_counts_code_points),
        cmocka_unit_test(utf8_refuses),
        cmocka_unit_test(utf8_agrees_with_arithmetic),
        cmocka_unit_test(hex_digits),
        cmocka_unit_test(hex_digits_of_every_length),
        cmocka_unit_test(decimals),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(visible_text),
        cmocka_unit_test(printable_text_of_every_length),
        cmocka_unit_test(host_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
