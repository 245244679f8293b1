/* Slices and buffers: bounds, ceilings, wiping, refused memory. */
#include "check.h"

TEST(slices_compare)
{
    static const struct {
        const char *a, *b;
        int equal, equal_but_case, starts;
    } cases[] = {
        { "", "", 1, 1, 1 },         { "a", "", 0, 0, 1 },
        { "", "a", 0, 0, 0 },        { "abc", "abc", 1, 1, 1 },
        { "abc", "abd", 0, 0, 0 },   { "abc", "ab", 0, 0, 1 },
        { "aBc", "AbC", 0, 1, 0 },   { "[", "{", 0, 0, 0 },
        { "@", "`", 0, 0, 0 },       { "Z", "z", 0, 1, 0 },
        { "\303\251", "\303\211", 0, 0, 0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice a = guard(0, pz_slice_of(cases[i].a));
        struct pz_slice b = guard(1, pz_slice_of(cases[i].b));

        assert_case(pz_slice_eq(a, b) == cases[i].equal, cases[i].a);
        assert_case(pz_slice_ieq(a, b) == cases[i].equal_but_case, cases[i].a);
        assert_case(pz_slice_starts(a, b) == cases[i].starts, cases[i].a);
    }
    assert_true(pz_slice_eq(pz_slice_of(NULL), LIT("")));
    assert_true(pz_slice_starts(pz_slice_of(NULL), pz_slice_of(NULL)));
    assert_false(pz_slice_eq(LIT("a\0b"), LIT("a\0c")));
}

TEST(find_and_sub_stay_inside)
{
    struct pz_slice s = guard(0, LIT("a:b:c"));
    static const struct {
        char c;
        size_t from, at;
    } finds[] = {
        { 'a', 0, 0 }, { ':', 0, 1 }, { ':', 1, 1 }, { ':', 2, 3 },
        { ':', 4, 5 }, { 'x', 0, 5 }, { 'c', 5, 5 }, { 'c', 6, 5 },
        { 'c', (size_t)-1, 5 },
    };
    static const struct {
        size_t from, to;
        const char *part;
    } subs[] = {
        { 0, 5, "a:b:c" }, { 0, 6, "a:b:c" }, { 1, 3, ":b" }, { 3, 3, "" },
        { 4, 3, "" }, { 5, 5, "" }, { 6, 9, "" },
        { (size_t)-1, (size_t)-1, "" }, { 0, (size_t)-1, "a:b:c" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(finds); i++)
        assert_int_equal(pz_slice_find(s, finds[i].c, finds[i].from),
                         finds[i].at);
    for (size_t i = 0; i < PZ_COUNT(subs); i++)
        assert_slice(pz_slice_sub(s, subs[i].from, subs[i].to),
                     pz_slice_of(subs[i].part));
    assert_int_equal(pz_slice_find(pz_slice_of(NULL), 'a', 0), 0);
    assert_int_equal(pz_slice_sub(pz_slice_of(NULL), 0, 9).len, 0);
}

TEST(trim_takes_both_ends)
{
    static const char *const cases[][2] = {
        { "", "" }, { " ", "" }, { "\t\r\n ", "" }, { "a", "a" },
        { " a ", "a" }, { "\r\na b\t", "a b" }, { "\v a", "\v a" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_slice(pz_slice_trim(guard(0, pz_slice_of(cases[i][0]))),
                     pz_slice_of(cases[i][1]));
    assert_int_equal(pz_slice_trim(pz_slice_of(NULL)).len, 0);
}

TEST(zero_buffer_works)
{
    struct pz_buf buf = { NULL, 0, 0, 0, 0 };

    BEGIN();
    assert_int_equal(pz_buf_slice(&buf).len, 0);
    pz_buf_clear(&buf);
    pz_buf_free(&buf);
    assert_int_equal(pz_buf_add(&buf, NULL, 0), PZ_OK);
    assert_int_equal(pz_buf_add(&buf, "ab", 2), PZ_OK);
    assert_int_equal(pz_buf_addc(&buf, 'c'), PZ_OK);
    assert_int_equal(pz_buf_adds(&buf, LIT("\0d")), PZ_OK);
    assert_slice(pz_buf_slice(&buf), LIT("abc\0d"));
    pz_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_true(buf.cap >= 5);
    pz_buf_free(&buf);
    pz_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.cap, 0);
}

TEST(ceiling_holds)
{
    static const size_t ceilings[] = { 1, 10, 63, 64, 65, 1000, 4096, 5000 };

    BEGIN();
    for (int secret = 0; secret <= 1; secret++) {
        for (size_t i = 0; i < PZ_COUNT(ceilings); i++) {
            struct pz_buf buf = { NULL, 0, 0, ceilings[i], secret };
            struct pz_slice ab[] = { LIT("a"), LIT("b") };

            while (buf.len + 1 < ceilings[i])
                assert_int_equal(pz_buf_addc(&buf, 'x'), PZ_OK);
            /* All of the parts or none. */
            assert_int_equal(pz_buf_addv(&buf, ab, 2), PZ_ETOOBIG);
            assert_int_equal(buf.len, ceilings[i] - 1);
            assert_int_equal(pz_buf_add(&buf, "ab", 2), PZ_ETOOBIG);
            assert_int_equal(pz_buf_addc(&buf, 'y'), PZ_OK);
            assert_int_equal(pz_buf_addc(&buf, 'z'), PZ_ETOOBIG);
            assert_int_equal(pz_buf_reserve(&buf, 0), PZ_OK);
            assert_int_equal(pz_buf_reserve(&buf, (size_t)-1), PZ_ETOOBIG);
            assert_int_equal(buf.len, ceilings[i]);
            assert_int_equal(buf.data[buf.len - 1], 'y');
            pz_buf_free(&buf);
        }
    }
}

TEST(default_ceiling_is_16_mib)
{
    struct pz_buf buf = PZ_BUF_INIT(0);

    BEGIN();
    assert_int_equal(pz_buf_reserve(&buf, PZ_BUF_MAX + 1), PZ_ETOOBIG);
    assert_int_equal(pz_buf_reserve(&buf, PZ_BUF_MAX), PZ_OK);
    pz_buf_free(&buf);
}

/* A buffer on the stack that may not grow. */
TEST(fixed_room_is_never_freed)
{
    char room[8];
    struct pz_buf buf = { room, 0, sizeof room, sizeof room, 0 };

    BEGIN();
    assert_int_equal(pz_buf_add(&buf, "12345678", 8), PZ_OK);
    assert_int_equal(pz_buf_addc(&buf, '9'), PZ_ETOOBIG);
    assert_ptr_equal(buf.data, room);
}

TEST(secret_is_wiped_when_cleared)
{
    struct pz_buf buf = PZ_BUF_SECRET(0);

    BEGIN();
    assert_int_equal(pz_buf_add(&buf, "secret", 6), PZ_OK);
    pz_buf_clear(&buf);
    /* Still its own memory, and nothing in it. */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(buf.data[i], 0);
    pz_buf_free(&buf);
    assert_int_equal(buf.secret, 1);
}

TEST(secret_survives_growing)
{
    struct pz_buf buf = PZ_BUF_SECRET(0);

    BEGIN();
    for (int i = 0; i < 20000; i++)
        assert_int_equal(pz_buf_addc(&buf, (char)('a' + i % 26)), PZ_OK);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    pz_buf_free(&buf);
}

TEST(wipe_overwrites)
{
    char text[] = "secret";

    BEGIN();
    pz_wipe(text, 0);
    assert_string_equal(text, "secret");
    pz_wipe(text, 6);
    assert_memory_equal(text, "\0\0\0\0\0\0", 7);
}

TEST(every_status_has_a_text)
{
    BEGIN();
    for (int i = PZ_OK; i <= PZ_ECRYPTO; i++) {
        assert_non_null(pz_status_text((enum pz_status)i));
        assert_string_not_equal(pz_status_text((enum pz_status)i),
                                "unknown error");
    }
    assert_string_equal(pz_status_text((enum pz_status)99), "unknown error");
}

#ifdef PZ_TEST
static enum pz_status grow_both(void *arg)
{
    struct pz_buf plain = PZ_BUF_INIT(0), secret = PZ_BUF_SECRET(0);
    enum pz_status status = PZ_OK;

    (void)arg;
    for (int i = 0; status == PZ_OK && i < 9000; i++) {
        size_t before = secret.len;

        status = pz_buf_addc(&plain, 'p');
        if (status == PZ_OK)
            status = pz_buf_addc(&secret, 's');
        if (status != PZ_OK) {
            /* An append that fails leaves the buffer as it was. */
            assert_int_equal(secret.len, before);
            for (size_t n = 0; n < before; n++)
                assert_int_equal(secret.data[n], 's');
        }
    }
    pz_buf_free(&plain);
    pz_buf_free(&secret);
    return status;
}

TEST(refused_memory_changes_nothing)
{
    BEGIN();
    assert_true(check_refusals(grow_both, NULL) >= 8);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare),
        cmocka_unit_test(find_and_sub_stay_inside),
        cmocka_unit_test(trim_takes_both_ends),
        cmocka_unit_test(zero_buffer_works),
        cmocka_unit_test(ceiling_holds),
        cmocka_unit_test(default_ceiling_is_16_mib),
        cmocka_unit_test(fixed_room_is_never_freed),
        cmocka_unit_test(secret_is_wiped_when_cleared),
        cmocka_unit_test(secret_survives_growing),
        cmocka_unit_test(wipe_overwrites),
        cmocka_unit_test(every_status_has_a_text),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory_changes_nothing),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
