/* Ids of a list in an export: counts, lines, and what only looks alike. */
#include "check.h"

#include "../../src/core/pz_absence.h"

static const unsigned char key[PZ_IDSET_KEY_LEN] = { 1, 9 };
static struct pz_absence absence;

static struct pz_idtable *table_of(const char *const *ids)
{
    struct pz_idtable *table = pz_idtable_new(key, NULL);
    int is_done = 0;

    assert_non_null(table);
    for (; *ids; ids++) {
        uint64_t not_ascii = 0;
        struct pz_idhash hash = pz_idtable_hash(table, pz_slice_of(*ids),
                                                &not_ascii);

        assert_int_equal(pz_idtable_put(table, &hash, 1), PZ_OK);
    }
    while (!is_done)
        assert_int_equal(pz_idtable_settle(table, &is_done), PZ_OK);
    return table;
}

static void read_file(struct pz_idtable *table, struct pz_slice text,
                      size_t piece)
{
    struct pz_columns_options options = { { NULL, 0 }, 0, 0, NULL, NULL };

    pz_absence_start(&absence, table, &options);
    for (; text.len > 0; text = pz_slice_sub(text, piece, text.len))
        pz_absence_feed(&absence, guard(0, pz_slice_sub(text, 0, piece)));
    pz_absence_end(&absence);
}

static void check_matches(const struct pz_matches *got,
                          unsigned long long count,
                          const unsigned long long *lines)
{
    assert_int_equal(got->count, count);
    for (size_t i = 0; i < PZ_ABSENCE_LINES && i < count; i++)
        assert_int_equal(got->lines[i], lines[i]);
}

TEST(counts)
{
    static const char *const ids[] = { "alice", "Bob", "c,d", NULL };
    static const unsigned long long first[] = { 2, 4, 9 }, second[] = { 3 },
                                    near[] = { 5, 6, 7 };
    struct pz_slice text = LIT("USER_ID,X,user_id\n"
                               "alice,alice,eve\n"      /* 2 */
                               "eve,,\"Bob\"\n"         /* 3 */
                               "\"c,d\",,\n"            /* 4 */
                               "bob,,\n"                /* 5 */
                               " alice,,\n"             /* 6 */
                               "\"Alice\n\",,\n"        /* 7, 8 */
                               "alice,,bo");            /* 9 */
    struct pz_idtable *table = table_of(ids);

    BEGIN();
    for (size_t piece = 1; piece < text.len; piece++) {
        read_file(table, text, piece);
        assert_null(absence.reader.fault.message);
        assert_int_equal(absence.reader.rows, 7);
        assert_int_equal(absence.reader.taken, 2);
        assert_int_equal(absence.counts[0].fields, 7);
        check_matches(&absence.counts[0].found, 3, first);
        check_matches(&absence.counts[0].near, 3, near);
        assert_int_equal(absence.counts[1].fields, 3);
        check_matches(&absence.counts[1].found, 1, second);
        assert_int_equal(absence.counts[1].near.count, 0);
    }
    assert_int_equal(pz_idtable_found(table), 3);
    pz_idtable_free(table);
}

/* More than are looked up together, and more than there are lines for. */
TEST(many_fields)
{
    static const char *const ids[] = { "u7", NULL };
    static const unsigned long long lines[] = { 9, 19, 29, 39, 49 };
    struct pz_buf text = PZ_BUF_INIT(0);
    struct pz_idtable *table = table_of(ids);
    char row[32];

    BEGIN();
    assert_int_equal(pz_buf_adds(&text, LIT("USER_ID\n")), PZ_OK);
    for (int n = 0; n < 1000; n++) {
        (void)snprintf(row, sizeof row, "u%d\n", n % 10);
        assert_int_equal(pz_buf_adds(&text, pz_slice_of(row)), PZ_OK);
    }
    read_file(table, pz_buf_slice(&text), 500);
    assert_int_equal(absence.counts[0].fields, 1000);
    check_matches(&absence.counts[0].found, 100, lines);
    assert_int_equal(pz_idtable_found(table), 1);
    pz_buf_free(&text);
    pz_idtable_free(table);
}

TEST(what_is_no_utf8)
{
    static const char *const ids[] = { "\303\251mile", NULL };
    struct pz_idtable *table = table_of(ids);

    BEGIN();
    read_file(table, LIT("USER_ID\n\303\251mile\n\303\211mile\n"), 4);
    assert_null(absence.reader.fault.message);
    assert_int_equal(absence.counts[0].found.count, 1);
    read_file(table, LIT("USER_ID\nalice\n\351mile\n"), 4);
    assert_int_equal(absence.reader.fault.code, PZ_CSV_UTF8);
    assert_int_equal(absence.reader.fault.line, 3);
    read_file(table, LIT("USER_ID\nalice\n\303\n"), 4);
    assert_int_equal(absence.reader.fault.code, PZ_CSV_UTF8);
    read_file(table, LIT("USER_ID\n \355\240\200 \n"), 4);
    assert_int_equal(absence.reader.fault.code, PZ_CSV_UTF8);
    pz_idtable_free(table);
}

/* Ids that are as long as they may be, in quotes, escaped, cut anywhere. */
TEST(the_longest_ids)
{
    char id[PZ_ID_BYTES + 1], text[3 * PZ_ID_BYTES];
    const char *ids[] = { id, NULL };
    struct pz_idtable *table;
    int len;

    BEGIN();
    for (size_t i = 0; i < PZ_ID_BYTES; i += 4)
        memcpy(id + i, "\360\237\230\200", 4);
    id[PZ_ID_BYTES] = '\0';
    table = table_of(ids);
    for (int turn = 0; turn < 3; turn++) {
        static const char *const formats[] = {
            "USER_ID,X\n%s,1\n", "USER_ID,X\n\"%s\",1\n", "X,USER_ID\n1,%s"
        };

        len = snprintf(text, sizeof text, formats[turn], id);
        for (size_t piece = 1; piece < 1200; piece += 13) {
            struct pz_slice all = { text, (size_t)len };

            read_file(table, all, piece);
            assert_null(absence.reader.fault.message);
            assert_int_equal(absence.counts[0].found.count, 1);
        }
    }
    len = snprintf(text, sizeof text, "USER_ID\n%sx\n", id);
    read_file(table, (struct pz_slice){ text, (size_t)len }, 100);
    assert_null(absence.reader.fault.message);
    assert_int_equal(absence.counts[0].fields, 1);
    assert_int_equal(absence.counts[0].found.count, 0);
    pz_idtable_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(many_fields),
        cmocka_unit_test(what_is_no_utf8),
        cmocka_unit_test(the_longest_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
