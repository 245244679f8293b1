/* Strings written, texts checked, members picked. */
#include "check.h"

#include "../../src/core/pz_json.h"

static enum pz_status scan(struct pz_slice text, enum pz_json_kind *kind)
{
    return pz_json_scan(guard(0, text), kind, NULL, 0);
}

TEST(texts_taken)
{
    static const struct {
        const char *text;
        enum pz_json_kind kind;
    } cases[] = {
        { "{}", PZ_JSON_OBJECT }, { "[]", PZ_JSON_ARRAY },
        { "null", PZ_JSON_SCALAR }, { "true", PZ_JSON_SCALAR },
        { "false", PZ_JSON_SCALAR }, { "\"\"", PZ_JSON_SCALAR },
        { "0", PZ_JSON_SCALAR }, { "-0", PZ_JSON_SCALAR },
        { " \t\r\n{ \t\r\n} \t\r\n", PZ_JSON_OBJECT },
        { "{\"a\":1}", PZ_JSON_OBJECT },
        { "{ \"a\" : 1 , \"b\" : [ ] }", PZ_JSON_OBJECT },
        { "{\"\":0}", PZ_JSON_OBJECT },
        { "{\"a\":1,\"a\":2}", PZ_JSON_OBJECT },
        { "{\"a\\u0000b\":0}", PZ_JSON_OBJECT },
        { "[[],{},[{}],{\"a\":[]}]", PZ_JSON_ARRAY },
        { "[1,-1,0.1,-0.1,1e1,1E1,1e+1,1e-1,1.5e+10,123456789]",
          PZ_JSON_ARRAY },
        { "[0e1,0e+1,0E-0,1.0]", PZ_JSON_ARRAY },
        { "[1E400,-1e-400,123456789012345678901234567890]", PZ_JSON_ARRAY },
        { "[true,false,null]", PZ_JSON_ARRAY },
        { "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", PZ_JSON_ARRAY },
        { "[\"\\u0000\\u001F\\uFFFF\\uabCD\"]", PZ_JSON_ARRAY },
        { "[\"\\uD83D\\uDE00\\uDBFF\\uDFFF\\uD800\\uDC00\"]", PZ_JSON_ARRAY },
        { "[\"\x7F\"]", PZ_JSON_ARRAY },
        { "[\"\xC2\x80\xE2\x82\xAC\xF0\x9F\x98\x80\"]", PZ_JSON_ARRAY },
        { "[\"\xEF\xBB\xBF\"]", PZ_JSON_ARRAY },
        { "[\"a\",\n\"b\"]\n", PZ_JSON_ARRAY },
        { "[\"/* no comment */ // none\"]", PZ_JSON_ARRAY },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        enum pz_json_kind kind = PZ_JSON_SCALAR;

        assert_case(scan(pz_slice_of(cases[i].text), &kind) == PZ_OK,
                    cases[i].text);
        assert_case(kind == cases[i].kind, cases[i].text);
    }
}

TEST(texts_refused)
{
    static const char *const cases[] = {
        "", " ", "\n", "{", "}", "[", "]", "[[", "]]", "{]", "[}", "{[}]",
        "{}{}", "[][]", "{} x", "[]]", "[],", "x", "nul", "nulll", "NULL",
        "True", "tru", "falsee", "truefalse", "undefined", "NaN", "Infinity",
        "-", "+1", "01", "-01", "00", "1.", ".1", "-.1", "1.e1", "1e", "1e+",
        "1E-", "1e1.5", "0x1", "1_000", "1,000", "1a", "--1", "1 2", "- 1",
        "0.", "-0.", "0.e1", "1ee1", "\xEF\xBC\x91",
        "\"", "\"a", "a\"", "'a'", "\"a\"b", "\"a\" \"b\"", "\"\\\"",
        "\"\\\\\\\"", "\"\\a\"", "\"\\'\"", "\"\\x41\"", "\"\\0\"", "\"\\",
        "\"\\ \"", "\"\\\n\"", "\"\\u\"", "\"\\u0\"", "\"\\u00\"",
        "\"\\u000\"", "\"\\u00g0\"", "\"\\u 000\"", "\"\\U0041\"",
        "\"\\u+041\"", "\"\\u-041\"", "\"\\u0x41\"",
        /* half a pair */
        "\"\\uD800\"", "\"\\uDBFF\"", "\"\\uDC00\"", "\"\\uDFFF\"",
        "\"\\uD800x\"", "\"\\uD800\\n\"", "\"\\uD800\\uD800\"",
        "\"\\uD800\\u0041\"", "\"\\uDC00\\uD800\"", "\"\\uD800\\",
        "\"\\uD800\\u", "\"\\uD800\\uDC0\"", "\"\\uD800\\uDC0g\"",
        "\"\\uD83D\\uE000\"", "\"\\uD83D\\uDBFF\"",
        /* control characters */
        "\"\n\"", "\"\t\"", "\"\x01\"", "\"\x1F\"", "\"a\r\"",
        /* not UTF-8 */
        "\"\x80\"", "\"\xC3\"", "\"\xC3(\"", "\"\xC0\x80\"", "\"\xE2\x82\"",
        "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xFF\"",
        "{\"\xFF\":1}", "\xEF\xBB\xBF{}", "\xFF\xFE{", "[\xFF]", "\xC3\xA9",
        /* white space that is none */
        "\v{}", "\f[]", "[\v]", "[1\xC2\xA0]", "{}\xE2\x80\xA8", "[]\x1A",
        /* lists */
        "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[1:2]", "[\"a\":1]",
        "[1,2", "[1,", "[,", "[1", "[\"a\",\"b\"", "[{}", "[1}", "[1]]",
        "[true false]", "[\"a\" \"b\"]", "[a]", "[-]", "[nul]", "[1,\n",
        /* objects */
        "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{\"a\":1,}", "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}",
        "{[]:1}", "{{}:1}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}",
        "{\"a\"::1}", "{\"a\":1:2}", "{\"a\":1]", "{\"a\":1", "{\"a\":",
        "{\"a\"", "{\"a", "{\"", "{\"a\":1,", "{\"a\":1,\"", "{\"a\":1}}",
        "{\"a\":1}]", "{\"a\":[1}", "{\"a\":{]}", "{\"a\",1}", "{:1}",
        "{\"a\"=1}", "{\"a\":'b'}", "{\"a\":b}", "{\"a\\\":1}",
        /* comments */
        "{}//", "/**/{}", "{\"a\":/**/1}", "{}#", "[1,//\n2]",
    };
    struct pz_slice nuls[] = {
        LIT("\0"), LIT("{}\0"), LIT("\0{}"), LIT("[\0]"), LIT("\"\0\""),
        LIT("[1\0]"), LIT("{\"a\0\":1}"), LIT("\"\\\0\""), LIT("\"\\u\0000\""),
        LIT("nul\0"), LIT("{\"a\":\0}")
    };
    enum pz_json_kind kind;

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_case(scan(pz_slice_of(cases[i]), &kind) == PZ_EINVAL, cases[i]);
    for (size_t i = 0; i < PZ_COUNT(nuls); i++)
        assert_case(scan(nuls[i], &kind) == PZ_EINVAL, nuls[i].data);
    assert_int_equal(pz_json_scan(pz_slice_of(NULL), &kind, NULL, 0),
                     PZ_EINVAL);
}

/* Any beginning of a text is none, and is not read past its end. */
TEST(cut_texts)
{
    struct pz_slice text = LIT(
        "{\"a\":[1,-2.5e+3,true,false,null,\"\\n\\u00e9\\uD83D\\uDE00"
        "\xF0\x9F\x98\x80\"],\"b\":{\"c\":{}},\"message\":\"m\"}");
    struct pz_json_member member = { "message", 0, { NULL, 0 } };
    enum pz_json_kind kind;

    BEGIN();
    for (size_t n = 0; n < text.len; n++) {
        member.found = 1;
        assert_int_equal(
            pz_json_scan(guard(0, pz_slice_sub(text, 0, n)), &kind, &member, 1),
            PZ_EINVAL);
        assert_false(member.found);
    }
    assert_int_equal(pz_json_scan(guard(0, text), &kind, &member, 1), PZ_OK);
    assert_true(member.found);
}

static struct pz_slice nested(char *room, size_t depth, const char *open,
                              const char *middle, const char *close)
{
    struct pz_slice s = { room, 0 };

    for (size_t i = 0; i < depth; i++)
        s.len += (size_t)sprintf(room + s.len, "%s", open);
    s.len += (size_t)sprintf(room + s.len, "%s", middle);
    for (size_t i = 0; i < depth; i++)
        s.len += (size_t)sprintf(room + s.len, "%s", close);
    return s;
}

TEST(depth)
{
    static char room[800000];
    enum pz_json_kind kind;

    BEGIN();
    assert_int_equal(scan(nested(room, 512, "[", "1", "]"), &kind), PZ_OK);
    assert_int_equal(scan(nested(room, 513, "[", "1", "]"), &kind), PZ_EINVAL);
    assert_int_equal(scan(nested(room, 512, "{\"a\":", "1", "}"), &kind),
                     PZ_OK);
    assert_int_equal(scan(nested(room, 513, "{\"a\":", "1", "}"), &kind),
                     PZ_EINVAL);
    assert_int_equal(scan(nested(room, 256, "[{\"a\":", "1", "}]"), &kind),
                     PZ_OK);
    assert_int_equal(scan(nested(room, 257, "[{\"a\":", "1", "}]"), &kind),
                     PZ_EINVAL);
    /* Empty ones at the bottom open nothing. */
    assert_int_equal(scan(nested(room, 512, "[", "[]", "]"), &kind), PZ_OK);
    assert_int_equal(scan(nested(room, 511, "[", "{}", "]"), &kind), PZ_OK);
    /* No recursion to run out of stack, and what is open is remembered. */
    assert_int_equal(scan(nested(room, 100000, "[", "", ""), &kind),
                     PZ_EINVAL);
    assert_int_equal(scan(nested(room, 100000, "{\"a\":", "", ""), &kind),
                     PZ_EINVAL);
    assert_int_equal(scan(nested(room, 100, "[{\"a\":", "1", "]}"), &kind),
                     PZ_EINVAL);
    /* Wide is not deep. */
    assert_int_equal(scan(nested(room, 0, "", "[[],[[]],[{}],{\"a\":[[]]}]",
                                 ""), &kind), PZ_OK);
}

TEST(members)
{
    static const struct {
        const char *text, *a, *b; /* what is picked, NULL: not found */
    } cases[] = {
        { "{\"a\":\"x\",\"b\":\"y\"}", "x", "y" },
        { "{ \"b\" : \"y\" , \"a\" : \"x\" }", "x", "y" },
        { "{\"a\":\"\"}", "", NULL },
        { "{\"A\":\"x\",\"aa\":\"x\",\"\":\"x\"}", NULL, NULL },
        /* only strings */
        { "{\"a\":1,\"b\":null}", NULL, NULL },
        { "{\"a\":true,\"b\":{}}", NULL, NULL },
        { "{\"a\":[\"x\"],\"b\":{\"b\":\"y\"}}", NULL, NULL },
        /* only at the top */
        { "{\"c\":{\"a\":\"x\"},\"b\":\"y\"}", NULL, "y" },
        { "{\"c\":[{\"a\":\"x\"}],\"d\":{\"e\":{\"b\":\"y\"}}}", NULL, NULL },
        { "[{\"a\":\"x\"}]", NULL, NULL },
        { "\"a\"", NULL, NULL },
        { "[\"a\",\"x\"]", NULL, NULL },
        { "{\"c\":\"a\",\"d\":\"x\"}", NULL, NULL },
        /* the first string counts */
        { "{\"a\":\"x\",\"a\":\"z\"}", "x", NULL },
        { "{\"a\":1,\"a\":\"x\",\"a\":\"z\"}", "x", NULL },
        /* other spellings of a name */
        { "{\"\\u0061\":\"x\",\"\\u0062\":\"y\"}", "x", "y" },
        { "{\"\\u0061\":\"x\",\"a\":\"z\"}", "x", NULL },
        { "{\"\\u0061\\u0000\":\"x\"}", NULL, NULL },
        { "{\"\\u00610\":\"x\"}", NULL, NULL },
        /* values stay as they came */
        { "{\"a\":\"\\u0041\\n\\\"\"}", "\\u0041\\n\\\"", NULL },
        { "{\"a\":\"\xE2\x82\xAC\"}", "\xE2\x82\xAC", NULL },
        /* the scalar after a container is no member's */
        { "{\"a\":[],\"c\":\"x\"}", NULL, NULL },
        { "{\"a\":{},\"c\":\"x\"}", NULL, NULL },
        { "{\"a\":[[]],\"b\":\"y\"}", NULL, "y" },
        { "{\"a\":[\"x\",\"z\"],\"b\":\"y\"}", NULL, "y" },
        /* none when the text is no whole one */
        { "{\"a\":\"x\"", NULL, NULL },
        { "{\"a\":\"x\"}}", NULL, NULL },
        { "{\"a\":\"x\",\"b\":\"\xFF\"}", NULL, NULL },
        { "{\"a\":\"x\",}", NULL, NULL },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_json_member m[] = { { "a", 0, { NULL, 0 } },
                                      { "b", 0, { NULL, 0 } } };
        enum pz_json_kind kind;

        (void)!pz_json_scan(guard(0, pz_slice_of(cases[i].text)), &kind, m, 2);
        assert_case(m[0].found == (cases[i].a != NULL), cases[i].text);
        assert_case(m[1].found == (cases[i].b != NULL), cases[i].text);
        if (m[0].found)
            assert_slice(m[0].raw, pz_slice_of(cases[i].a));
        if (m[1].found)
            assert_slice(m[1].raw, pz_slice_of(cases[i].b));
    }
}

TEST(strings_written)
{
    static const struct {
        struct pz_slice text;
        const char *json;
    } cases[] = {
        { { "", 0 }, "\"\"" },
        { { "a", 1 }, "\"a\"" },
        { { "\"", 1 }, "\"\\\"\"" },
        { { "\\", 1 }, "\"\\\\\"" },
        { { "/", 1 }, "\"/\"" },
        { { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
        { { "\0\1\x1F", 3 }, "\"\\u0000\\u0001\\u001f\"" },
        { { "\x7F", 1 }, "\"\x7F\"" },
        { { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9 },
          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
        { { "a\"b\"c", 5 }, "\"a\\\"b\\\"c\"" },
        { { "\n\n", 2 }, "\"\\n\\n\"" },
        { { "s3://b/k?x=1&y=<>'", 18 }, "\"s3://b/k?x=1&y=<>'\"" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_json_string(&out, guard(0, cases[i].text)), PZ_OK);
        assert_text(&out, cases[i].json);
        pz_buf_free(&out);
    }
}

/* Each byte in each place, since eight are looked at at once. */
TEST(escapes_in_every_place)
{
    char text[20];
    struct pz_slice s = { text, sizeof text };

    BEGIN();
    for (size_t at = 0; at < sizeof text; at++) {
        for (int c = 0; c < 0x80; c++) {
            struct pz_buf json = PZ_BUF_INIT(0), back = PZ_BUF_INIT(0);
            int is_plain = c >= 0x20 && c != '"' && c != '\\';
            enum pz_json_kind kind;

            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            assert_int_equal(pz_json_string(&json, guard(0, s)), PZ_OK);
            assert_int_equal(json.len == sizeof text + 2, is_plain);
            assert_int_equal(scan(pz_buf_slice(&json), &kind), PZ_OK);
            assert_int_equal(pz_json_unescape(
                &back, pz_slice_sub(pz_buf_slice(&json), 1, json.len - 1)),
                PZ_OK);
            assert_slice(pz_buf_slice(&back), s);
            /* As it is, it is a text only where nothing needs an escape. */
            pz_buf_clear(&json);
            assert_int_equal(pz_buf_addv(&json, (struct pz_slice[]){
                LIT("\""), s, LIT("\"") }, 3), PZ_OK);
            assert_int_equal(scan(pz_buf_slice(&json), &kind) == PZ_OK,
                             is_plain);
            pz_buf_free(&json);
            pz_buf_free(&back);
        }
    }
}

/* What is written is a text, and read back it is what was written. */
TEST(strings_come_back)
{
    unsigned long seed = 1;

    BEGIN();
    for (int round = 0; round < 3000; round++) {
        struct pz_buf json = PZ_BUF_INIT(0), back = PZ_BUF_INIT(0);
        char text[40];
        struct pz_slice s = { text, (size_t)round % 40 };
        enum pz_json_kind kind;

        for (size_t i = 0; i < s.len; i++) {
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF;
            text[i] = (char)(seed >> 16 & 0x7F);
        }
        assert_int_equal(pz_json_string(&json, guard(1, s)), PZ_OK);
        assert_int_equal(scan(pz_buf_slice(&json), &kind), PZ_OK);
        assert_int_equal(
            pz_json_unescape(&back, guard(0, pz_slice_sub(
                pz_buf_slice(&json), 1, json.len - 1))), PZ_OK);
        assert_slice(pz_buf_slice(&back), s);
        pz_buf_free(&json);
        pz_buf_free(&back);
    }
}

TEST(escapes_undone)
{
    static const struct {
        const char *raw;
        struct pz_slice text;
    } cases[] = {
        { "", { "", 0 } },
        { "plain", { "plain", 5 } },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", { "\"\\/\b\f\n\r\t", 8 } },
        { "a\\nb\\nc", { "a\nb\nc", 5 } },
        { "\\u0000", { "\0", 1 } },
        { "\\u0041\\u007f", { "A\x7F", 2 } },
        { "\\u0080\\u07FF", { "\xC2\x80\xDF\xBF", 4 } },
        { "\\u0800\\ud7ff\\uE000\\uffff",
          { "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", 12 } },
        { "\\uD800\\uDC00\\uDBFF\\uDFFF\\ud83d\\ude00",
          { "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\xF0\x9F\x98\x80", 12 } },
        { "\\u00e9\xC3\xA9", { "\xC3\xA9\xC3\xA9", 4 } },
    };
    static const char *const refused[] = {
        "\\", "a\\", "\\a", "\\u", "\\u1", "\\u12", "\\u123", "\\u123g",
        "\\uD800", "\\uDC00", "\\uD800\\", "\\uD800\\u", "\\uD800\\uD800",
        "\\uD800x", "\\x", "\\u00\\n",
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_json_unescape(&out,
                                          guard(0, pz_slice_of(cases[i].raw))),
                         PZ_OK);
        assert_slice(pz_buf_slice(&out), cases[i].text);
        pz_buf_free(&out);
    }
    for (size_t i = 0; i < PZ_COUNT(refused); i++) {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_case(pz_json_unescape(&out,
                                     guard(0, pz_slice_of(refused[i]))) ==
                    PZ_EINVAL, refused[i]);
        pz_buf_free(&out);
    }
    {
        struct pz_buf out = PZ_BUF_INIT(0);

        assert_int_equal(pz_json_unescape(&out, LIT("\\\0")), PZ_EINVAL);
        pz_buf_free(&out);
    }
}

/* As many values as may be, and one more: elements, members, containers. */
TEST(many_values)
{
    static const struct {
        const char *before, *unit, *after;
        size_t rest; /* values that are no units */
    } shapes[] = {
        { "[0", ",0", "]", 2 }, { "[[]", ",[]", "]", 2 },
        { "{\"m\":0", ",\"m\":0", "}", 2 }, { "[{}", ",{}", "]", 2 },
    };
    static char text[PZ_JSON_VALUES * 7 + 16];

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(shapes); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct pz_json_member member = { "m", 0, { NULL, 0 } };
            enum pz_json_kind kind;
            size_t len = strlen(shapes[i].before);

            memcpy(text, shapes[i].before, len);
            for (size_t n = shapes[i].rest; n < PZ_JSON_VALUES + more; n++) {
                memcpy(text + len, shapes[i].unit, strlen(shapes[i].unit));
                len += strlen(shapes[i].unit);
            }
            memcpy(text + len, shapes[i].after, 1);
            assert_int_equal(pz_json_scan(guard(0, (struct pz_slice){ text,
                len + 1 }), &kind, &member, 1), more ? PZ_ETOOBIG : PZ_OK);
            assert_false(member.found);
        }
    }
}

#ifdef PZ_TEST
static enum pz_status pick(void *arg)
{
    struct pz_slice text = LIT("{\"\\u0061aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":\"\\u0062\"}");
    struct pz_json_member member = { "a", 0, { NULL, 0 } };
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_json_kind kind;
    enum pz_status status = pz_json_scan(text, &kind, &member, 1);

    (void)arg;
    assert_false(member.found);
    if (status == PZ_OK)
        status = pz_json_string(&out, text);
    pz_buf_free(&out);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(pick, NULL) >= 3);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_taken),
        cmocka_unit_test(texts_refused),
        cmocka_unit_test(cut_texts),
        cmocka_unit_test(depth),
        cmocka_unit_test(many_values),
        cmocka_unit_test(members),
        cmocka_unit_test(strings_written),
        cmocka_unit_test(escapes_in_every_place),
        cmocka_unit_test(strings_come_back),
        cmocka_unit_test(escapes_undone),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
