/* Shared config files as a sequence of steps; bounds, cuts, memory. What the
   grammar makes of texts is in spec/ini_spec.lua. */
#include "check.h"

#include "../../src/core/pz_ini.h"

/* Each step as a line: kind, name, key, value, line; and the error. */
static void tell(struct pz_buf *out, struct pz_slice text,
                 enum pz_ini_file file)
{
    static const char *const kinds[] = { "ignored", "profile", "sso",
                                         "services" };
    struct pz_buf room = PZ_BUF_SECRET(0);
    enum pz_ini_event event = PZ_INI_SECTION_EVENT;
    struct pz_ini ini;

    pz_buf_clear(out);
    pz_ini_start(&ini, text, file);
    while (event != PZ_INI_END) {
        char line[256];

        if (pz_ini_next(&ini, &event, &room) != PZ_OK) {
            snprintf(line, sizeof line, "%lu: %s|", ini.line, ini.error);
            event = PZ_INI_END;
        } else if (event == PZ_INI_SECTION_EVENT) {
            snprintf(line, sizeof line, "%lu %s %.*s|", ini.line,
                     kinds[ini.section], (int)ini.name.len, ini.name.data);
        } else if (event == PZ_INI_PROPERTY_EVENT) {
            snprintf(line, sizeof line, "%lu %.*s=%.*s|", ini.line,
                     (int)ini.key.len, ini.key.data, (int)ini.value.len,
                     ini.value.data);
        } else {
            line[0] = '\0';
        }
        assert_int_equal(pz_buf_adds(out, pz_slice_of(line)), PZ_OK);
    }
    pz_buf_free(&room);
}

TEST(steps)
{
    static const struct {
        const char *text, *config, *credentials;
    } cases[] = {
        { "", "", "" },
        { "[a]\nx=1", "1 ignored a|", "1 profile a|2 x=1|" },
        { "[profile a]\nX = 1 #\n", "1 profile a|2 x=1|",
          "1 ignored profile a|" },
        { "[sso-session a]\n[services b]\n[default]",
          "1 sso a|2 services b|3 profile default|",
          "1 ignored sso-session a|2 ignored services b|3 profile default|" },
        { "[default]\nx=1\n[profile default]\ny=1\n 2\n\n\n 3\n[default]",
          "1 ignored default|3 profile default|4 y=1\n2\n3|9 ignored default|",
          "1 profile default|2 x=1|3 ignored profile default|"
          "9 profile default|" },
        { "[default]\na b=1\nb=2\n c\n c d", "1 profile default|3 b=2\nc\nc d|",
          "1 profile default|3 b=2\nc\nc d|" },
        { "[default]\ns =\n a=b\n =c", "1 profile default|"
          "4: a sub-property without a name|", "1 profile default|"
          "4: a sub-property without a name|" },
        { "[default]\n\n#\n[x", "1 profile default|"
          "4: a section's name must end with ']'|", "1 profile default|"
          "4: a section's name must end with ']'|" },
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice text = guard(0, pz_slice_of(cases[i].text));

        tell(&out, text, PZ_INI_CONFIG);
        assert_text(&out, cases[i].config);
        tell(&out, text, PZ_INI_CREDENTIALS);
        assert_text(&out, cases[i].credentials);
    }
    pz_buf_free(&out);
}

TEST(an_error_stays)
{
    struct pz_buf room = PZ_BUF_INIT(0);
    enum pz_ini_event event;
    struct pz_ini ini;
    const char *error;

    BEGIN();
    pz_ini_start(&ini, LIT("x\n[profile a]\ny=1"), PZ_INI_CONFIG);
    assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_EINVAL);
    error = ini.error;
    assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_EINVAL);
    assert_ptr_equal(ini.error, error);
    assert_int_equal(ini.line, 1);
    pz_buf_free(&room);
}

TEST(the_end_stays)
{
    struct pz_buf room = PZ_BUF_INIT(0);
    enum pz_ini_event event;
    struct pz_ini ini;

    BEGIN();
    pz_ini_start(&ini, LIT("\n# x\n"), PZ_INI_CREDENTIALS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_OK);
        assert_int_equal(event, PZ_INI_END);
    }
}

/* No prefix of a text makes the reader read on. */
TEST(cuts)
{
    static const char *const texts[] = {
        "\xEF\xBB\xBF[profile \xC3\xA9]\r\n#\n[profile a] # b\nx = 1 ; c\n 2\n",
        "[default]\ns3 =\n  a = b\n\n ; c\n[ profile\tdefault ]\ny=\n",
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(texts); i++) {
        struct pz_slice text = pz_slice_of(texts[i]);

        for (size_t n = 0; n <= text.len; n++) {
            struct pz_slice part = guard(0, pz_slice_sub(text, 0, n));

            tell(&out, part, PZ_INI_CONFIG);
            tell(&out, part, PZ_INI_CREDENTIALS);
        }
    }
    pz_buf_free(&out);
}

/* A buffer with a ceiling is not passed, and not taken for bad text. */
TEST(a_small_room)
{
    struct pz_buf room = PZ_BUF_INIT(4);
    enum pz_ini_event event;
    struct pz_ini ini;

    BEGIN();
    pz_ini_start(&ini, LIT("[a]\nx=123\ny=1234\n"), PZ_INI_CREDENTIALS);
    assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_OK);
    assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_OK);
    assert_slice(ini.key, LIT("x"));
    assert_slice(ini.value, LIT("123"));
    assert_int_equal(pz_ini_next(&ini, &event, &room), PZ_ETOOBIG);
    assert_null(ini.error);
    pz_buf_free(&room);
}

TEST(sub_properties)
{
    struct pz_slice rest = guard(0, LIT("\na = b\n# c\n\nd=e=f ; g\nh ="));
    struct pz_slice name, value;
    int found;

    BEGIN();
    assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_OK);
    assert_true(found);
    assert_slice(name, LIT("a"));
    assert_slice(value, LIT("b"));
    assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_OK);
    assert_slice(name, LIT("d"));
    assert_slice(value, LIT("e=f"));
    assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_OK);
    assert_slice(name, LIT("h"));
    assert_slice(value, LIT(""));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_OK);
        assert_false(found);
    }
    rest = guard(0, LIT("a = b"));
    assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_EINVAL);
    rest = guard(0, LIT("\nab"));
    assert_int_equal(pz_ini_sub(&rest, &found, &name, &value), PZ_EINVAL);
}

#ifdef PZ_TEST
static enum pz_status all_of_it(void *arg)
{
    struct pz_buf room = PZ_BUF_SECRET(0);
    enum pz_ini_event event = PZ_INI_SECTION_EVENT;
    enum pz_status status = PZ_OK;
    static char text[9000];
    struct pz_slice slice = { text, sizeof text };
    struct pz_ini ini;

    (void)arg;
    memset(text, 'x', sizeof text);
    memcpy(text, "[default]\na=", 12);
    memcpy(text + 6000, "\n b", 3);
    pz_ini_start(&ini, slice, PZ_INI_CONFIG);
    while (status == PZ_OK && event != PZ_INI_END)
        status = pz_ini_next(&ini, &event, &room);
    pz_buf_free(&room);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(all_of_it, NULL) >= 2);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(the_end_stays),
        cmocka_unit_test(cuts),
        cmocka_unit_test(a_small_room),
        cmocka_unit_test(sub_properties),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
