/* Text from outside as people see it. */
#include "check.h"

#include "../../src/core/pz_show.h"
#include "../../src/core/pz_text.h"

static const struct {
    struct pz_slice text;
    const char *value, *prose, *json;
} cases[] = {
    { { "", 0 }, "", "", "\"\"" },
    { { "plain", 5 }, "plain", "plain", "\"plain\"" },
    { { " a  b ", 6 }, " a  b ", "a b", "\" a  b \"" },
    { { "a\tb\r\nc", 6 }, "a\\tb\\r\\nc", "a b c", "\"a\\tb\\r\\nc\"" },
    { { "\a\b\v\f", 4 }, "\\a\\b\\v\\f", "",
      "\"\\u0007\\b\\u000b\\f\"" },
    { { "\0", 1 }, "\\x00", "", "\"\\u0000\"" },
    { { "\x1B[31mred\x7F", 9 }, "\\x1b[31mred\\x7f", "[31mred",
      "\"\\u001b[31mred\\u007f\"" },
    { { "\"\\/", 3 }, "\"\\/", "\"\\/", "\"\\\"\\\\/\"" },
    /* C1, as UTF-8 and as bytes; the first and the last beyond */
    { { "\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0", 8 },
      "\\u{80}\\u{9b}\\u{9f}\xC2\xA0", "\xC2\xA0",
      "\"\\u0080\\u009b\\u009f\xC2\xA0\"" },
    { { "\x9B" "1m", 3 }, "\\x9b1m", "?1m", "\"\\ufffd1m\"" },
    { { "a\xC2\x85" "b", 4 }, "a\\u{85}b", "a b", "\"a\\u0085b\"" },
    /* line and paragraph separator */
    { { "a\xE2\x80\xA8\xE2\x80\xA9" "b", 8 }, "a\\u{2028}\\u{2029}b", "a b",
      "\"a\\u2028\\u2029b\"" },
    /* direction: U+061C, U+200E, U+202E, U+2066, U+2069 */
    { { "\xD8\x9C\xE2\x80\x8E\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9", 14 },
      "\\u{61c}\\u{200e}\\u{202e}\\u{2066}\\u{2069}",
      "\\u{61c}\\u{200e}\\u{202e}\\u{2066}\\u{2069}",
      "\"\\u061c\\u200e\\u202e\\u2066\\u2069\"" },
    /* invisible: U+00AD, U+200B, U+2060, U+3164, U+FE0F, U+FEFF */
    { { "\xC2\xAD\xE2\x80\x8B\xE2\x81\xA0\xE3\x85\xA4\xEF\xB8\x8F"
        "\xEF\xBB\xBF", 17 },
      "\\u{ad}\\u{200b}\\u{2060}\\u{3164}\\u{fe0f}\\u{feff}",
      "\\u{ad}\\u{200b}\\u{2060}\\u{3164}\\u{fe0f}\\u{feff}",
      "\"\\u00ad\\u200b\\u2060\\u3164\\ufe0f\\ufeff\"" },
    /* a tag, a noncharacter beyond 16 bits */
    { { "\xF3\xA0\x81\x81\xF0\x9F\xBF\xBE", 8 }, "\\u{e0041}\\u{1fffe}",
      "\\u{e0041}\\u{1fffe}", "\"\\udb40\\udc41\\ud83f\\udffe\"" },
    /* letters of all lengths, and right-to-left ones */
    { { "z\xC3\xA9\xD7\x90\xE2\x82\xAC\xF0\x9F\x98\x80", 12 },
      "z\xC3\xA9\xD7\x90\xE2\x82\xAC\xF0\x9F\x98\x80",
      "z\xC3\xA9\xD7\x90\xE2\x82\xAC\xF0\x9F\x98\x80",
      "\"z\xC3\xA9\xD7\x90\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
    /* no UTF-8: cut, a surrogate, overlong */
    { { "\xE2\x82", 2 }, "\\xe2\\x82", "??", "\"\\ufffd\\ufffd\"" },
    { { "\xED\xA0\x80", 3 }, "\\xed\\xa0\\x80", "???",
      "\"\\ufffd\\ufffd\\ufffd\"" },
    { { "\xC0\xAE", 2 }, "\\xc0\\xae", "??", "\"\\ufffd\\ufffd\"" },
};

TEST(each_way)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice text = guard(0, cases[i].text);
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_show_value(&out, text), PZ_OK);
        assert_text(&out, cases[i].value);
        pz_buf_clear(&out);
        assert_int_equal(pz_show_prose(&out, text, 1024), PZ_OK);
        assert_text(&out, cases[i].prose);
        pz_buf_clear(&out);
        assert_int_equal(pz_show_json(&out, text), PZ_OK);
        assert_text(&out, cases[i].json);
        pz_buf_free(&out);
    }
}

/* The ends of each range, and their neighbours. */
TEST(hidden_characters)
{
    static const long hidden[] = {
        0, 0x1F, 0x7F, 0x9F, 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4,
        0x17B5, 0x180B, 0x180F, 0x200B, 0x200F, 0x2028, 0x202E, 0x2060,
        0x206F, 0x2800, 0x3164, 0xFDD0, 0xFDEF, 0xFE00, 0xFE0F, 0xFEFF,
        0xFFA0, 0xFFF0, 0xFFFB, 0xFFFE, 0xFFFF, 0x13430, 0x1343F, 0x1BCA0,
        0x1BCA3, 0x1D173, 0x1D17A, 0x1FFFE, 0xE0000, 0xE0001, 0xE007F,
        0xE0100, 0xE01EF, 0xE0FFF, 0x10FFFF
    };
    static const long shown[] = {
        0x20, 0x7E, 0xA0, 0xAC, 0xAE, 0x34E, 0x350, 0x61B, 0x61D, 0x115E,
        0x1161, 0x17B3, 0x17B6, 0x180A, 0x1810, 0x200A, 0x2010, 0x2027,
        0x202F, 0x205F, 0x2070, 0x27FF, 0x2801, 0x3163, 0x3165, 0xFDCF,
        0xFDF0, 0xFDFF, 0xFE10, 0xFEFE, 0xFF00, 0xFF9F, 0xFFA1, 0xFFEF,
        0xFFFC, 0xFFFD, 0x10000, 0x1342F, 0x13440, 0x1BC9F, 0x1BCA4,
        0x1D172, 0x1D17B, 0x1FFFD, 0xDFFFD, 0xE1000, 0x10FFFD
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(hidden); i++)
        assert_true(pz_is_hidden(hidden[i]));
    for (size_t i = 0; i < PZ_COUNT(shown); i++)
        assert_false(pz_is_hidden(shown[i]));
}

/* Cut at a whole character or escape, with no space at the end. */
TEST(long_sentences)
{
    static const struct {
        const char *text;
        size_t most;
        const char *expected;
    } cut[] = {
        { "abcdef", 6, "abcdef" }, { "abcdef", 5, "abcde" },
        { "abc def", 4, "abc" }, { "abc def", 3, "abc" },
        { "a\xC3\xA9", 3, "a\xC3\xA9" }, { "a\xC3\xA9", 2, "a" },
        { "a\xC2\xAD", 7, "a\\u{ad}" }, { "a\xC2\xAD", 6, "a" },
        { "a", 0, "" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cut); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_buf_add(&out, "12", 2), PZ_OK);
        assert_int_equal(pz_show_prose(&out,
            guard(0, pz_slice_of(cut[i].text)), cut[i].most), PZ_OK);
        assert_slice(pz_slice_sub(pz_buf_slice(&out), 2, out.len),
                     pz_slice_of(cut[i].expected));
        pz_buf_free(&out);
    }
}

TEST(one_code_point_at_a_time)
{
    struct pz_slice text = guard(0, LIT("a\xC3\xA9\xFF\xF0\x9F\x98\x80"));
    static const long points[] = { 'a', 0xE9, -1, 0x1F600 };
    static const size_t lens[] = { 1, 2, 1, 4 };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(points); i++) {
        struct pz_slice bytes;

        assert_int_equal(pz_utf8_take(&text, &bytes), points[i]);
        assert_int_equal(bytes.len, lens[i]);
    }
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way),
        cmocka_unit_test(hidden_characters),
        cmocka_unit_test(long_sentences),
        cmocka_unit_test(one_code_point_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
