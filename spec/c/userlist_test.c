/* Lists on their way: cut, hashed, without repeats; and made again. */
#include "check.h"

#include "../../src/core/pz_rewrite.h"
#include "../../src/core/pz_text.h"

static struct pz_buf sunk;

static enum pz_status sink(void *arg, struct pz_slice bytes)
{
    assert_ptr_equal(arg, &sunk);
    return pz_buf_adds(&sunk, bytes);
}

static struct pz_userlist_options lines(unsigned long long part_size)
{
    struct pz_userlist_options options = { .format = PZ_CSV_LINES };

    options.part_size = part_size;
    return options;
}

static void read_list(struct pz_userlist *list,
                      struct pz_userlist_options options, const char *text)
{
    assert_int_equal(pz_userlist_init(list, &options), PZ_OK);
    assert_int_equal(pz_userlist_feed(list, pz_slice_of(text)), PZ_OK);
    assert_int_equal(pz_userlist_finish(list), PZ_OK);
    if (list->stage == PZ_LIST_AGAIN) {
        assert_true(options.unique);
        assert_int_equal(pz_userlist_feed(list, options.sink
                                          ? pz_buf_slice(&sunk)
                                          : pz_slice_of(text)), PZ_OK);
        assert_int_equal(pz_userlist_finish(list), PZ_OK);
    }
    assert_int_equal(pz_userlist_finish(list), PZ_OK);
    assert_int_equal(list->stage, PZ_LIST_FINISHED);
}

/* The part as it is sent, from where it stands. */
static enum pz_status make_part(struct pz_buf *out, struct pz_userlist *list,
                                size_t index, struct pz_slice input)
{
    struct pz_rewrite rewrite;
    enum pz_status status = PZ_OK;

    assert_int_equal(pz_rewrite_init(&rewrite, list, index), PZ_OK);
    pz_buf_clear(out);
    rewrite.input = pz_slice_sub(input, (size_t)rewrite.part.offset,
                                 input.len);
    rewrite.is_last = 1;
    while (status == PZ_OK && rewrite.left > 0) {
        char room[3];
        size_t made;

        status = pz_rewrite_read(&rewrite, room, sizeof room, &made);
        assert_int_equal(pz_buf_add(out, room, made), PZ_OK);
    }
    pz_rewrite_free(&rewrite);
    return status;
}

static void check_part(struct pz_userlist *list, size_t index,
                       struct pz_slice input, const char *expected)
{
    const struct pz_part *part = pz_userlist_part(list, index);
    struct pz_crypto *crypto = pz_crypto_new();
    unsigned char sha256[PZ_SHA256_LEN];
    struct pz_buf out = PZ_BUF_INIT(0);

    assert_non_null(part);
    assert_non_null(crypto);
    assert_int_equal(pz_sha256(crypto, sha256, pz_slice_of(expected)), PZ_OK);
    assert_memory_equal(sha256, part->sha256, sizeof sha256);
    assert_int_equal(part->bytes, strlen(expected));
    assert_int_equal(make_part(&out, list, index, input), PZ_OK);
    assert_text(&out, expected);
    pz_buf_free(&out);
    pz_crypto_free(crypto);
}

TEST(parts_are_cut)
{
    const char *text = "a\nbb\nccc\ndddd\neeeee\nf,f";
    static const char *const parts[] = {
        "USER_ID\na\nbb\nccc\n", "USER_ID\ndddd\n", "USER_ID\neeeee\n",
        "USER_ID\n\"f,f\"\n",
    };
    struct pz_userlist list;

    BEGIN();
    for (int spooled = 0; spooled <= 1; spooled++) {
        struct pz_userlist_options options = lines(17);

        if (spooled) {
            options.sink = sink;
            options.sink_arg = &sunk;
        }
        read_list(&list, options, text);
        assert_int_equal(list.fault_count, 0);
        assert_int_equal(list.users, 6);
        assert_int_equal(list.bytes, 17 + 13 + 14 + 14);
        assert_int_equal(pz_userlist_part_count(&list), 4);
        for (size_t i = 0; i < 4; i++)
            check_part(&list, i, spooled ? pz_buf_slice(&sunk)
                                         : pz_slice_of(text), parts[i]);
        assert_null(pz_userlist_part(&list, 4));
        pz_userlist_free(&list);
        pz_userlist_free(&list);
    }
    assert_text(&sunk, "a\nbb\nccc\ndddd\neeeee\n\"f,f\"\n");
    pz_buf_free(&sunk);
}

TEST(repeats_are_dropped)
{
    struct pz_userlist_options options = lines(15);
    const char *text = "a\nb\na\n\"\nb\nc\nd\nb\na\n";
    struct pz_userlist list;

    BEGIN();
    options.unique = 1;
    for (int spooled = 0; spooled <= 1; spooled++) {
        struct pz_slice input = pz_slice_of(text);

        if (spooled) {
            options.sink = sink;
            options.sink_arg = &sunk;
        }
        read_list(&list, options, text);
        if (spooled)
            input = pz_buf_slice(&sunk);
        assert_int_equal(list.users, 5);
        assert_int_equal(list.duplicates, 4);
        assert_int_equal(pz_userlist_part_count(&list), 3);
        check_part(&list, 0, input, "USER_ID\na\nb\n");
        check_part(&list, 1, input, "USER_ID\n\"\"\"\"\nc\n");
        check_part(&list, 2, input, "USER_ID\nd\n");
        assert_false(pz_userlist_is_dropped(&list, 0));
        assert_true(pz_userlist_is_dropped(&list, 2));
        assert_true(pz_userlist_is_dropped(&list, 8));
        assert_false(pz_userlist_is_dropped(&list, 9));
        assert_false(pz_userlist_is_dropped(&list, (unsigned long long)-1));
        pz_userlist_free(&list);
    }
    assert_text(&sunk, "a\nb\na\n\"\"\"\"\nb\nc\nd\nb\na\n");
    pz_buf_free(&sunk);
}

/* More parts than there may be: but not without the repeats. */
TEST(repeats_do_not_count_as_parts)
{
    struct pz_userlist_options options = lines(10);
    struct pz_userlist list;

    BEGIN();
    options.unique = 1;
    options.sink = sink;
    options.sink_arg = &sunk;
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    for (int i = 0; i < 2 * PZ_PARTS_MAX; i++)
        assert_int_equal(pz_userlist_feed(&list, i % 2 ? LIT("a\n")
                                                       : LIT("b\n")), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(list.stage, PZ_LIST_AGAIN);
    assert_int_equal(sunk.len, 4 * PZ_PARTS_MAX);
    assert_int_equal(pz_userlist_feed(&list, pz_buf_slice(&sunk)), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(list.users, 2);
    assert_int_equal(pz_userlist_part_count(&list), 2);
    check_part(&list, 1, pz_buf_slice(&sunk), "USER_ID\na\n");
    pz_userlist_free(&list);
    pz_buf_clear(&sunk);

    /* And too many of them all the same, of which one is a repeat or none. */
    options.part_size = 14;
    for (int repeats = 0; repeats <= 1; repeats++) {
        char line[16];

        assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
        for (int i = 0; i <= PZ_PARTS_MAX + repeats; i++) {
            (void)snprintf(line, sizeof line, "%05d\n",
                           i <= PZ_PARTS_MAX ? i : 1);
            assert_int_equal(pz_userlist_feed(&list, pz_slice_of(line)),
                             PZ_OK);
        }
        if (repeats) {
            assert_int_equal(pz_userlist_finish(&list), PZ_OK);
            assert_int_equal(list.stage, PZ_LIST_AGAIN);
            assert_int_equal(pz_userlist_feed(&list, pz_buf_slice(&sunk)),
                             PZ_ETOOBIG);
        } else {
            assert_int_equal(pz_userlist_finish(&list), PZ_ETOOBIG);
        }
        assert_true(list.has_too_many_parts);
        pz_userlist_free(&list);
        pz_buf_free(&sunk);
    }
}

TEST(repeats_are_counted)
{
    struct pz_userlist_options options = lines(1000);
    struct pz_userlist list;
    struct pz_warning *warning = &list.warnings[PZ_ODD_REPEAT];

    BEGIN();
    options.count_repeats = 1;
    read_list(&list, options, "a\nb\na\n\"\nb\nc\n\"\nb\na\n");
    assert_int_equal(list.users, 9);
    assert_int_equal(list.duplicates, 0);
    assert_int_equal(warning->count, 5);
    assert_int_equal(warning->lines[0], 3);
    assert_int_equal(warning->lines[1], 5);
    assert_int_equal(warning->lines[4], 9);
    assert_false(list.has_uncounted_repeats);
    pz_userlist_free(&list);

    /* As the first bytes show, the rest is too long for that. */
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    assert_int_equal(pz_userlist_feed(&list, LIT("a\nb\na\n")), PZ_OK);
    pz_userlist_expect(&list, 2 * PZ_COUNTED_MOST);
    assert_false(list.has_uncounted_repeats);
    pz_userlist_expect(&list, 5 * PZ_COUNTED_MOST);
    assert_true(list.has_uncounted_repeats);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(warning->count, 0);
    pz_userlist_free(&list);
}

TEST(other_bytes_are_refused)
{
    static const char *const others[] = {
        "", "a\nb\nc", "a\nb\nx\n", "a\n\nb\nc\n", "ab\n\nc\n", "a\nb\n",
        "a\n\"b\nc\n", "a\nb\n\377\n",
    };
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_userlist list;

    BEGIN();
    read_list(&list, lines(100), "a\nb\nc\n");
    for (size_t i = 0; i < PZ_COUNT(others); i++) {
        enum pz_status status = make_part(&out, &list, 0,
                                          pz_slice_of(others[i]));

        /* The LF at the end is ours in any case. */
        assert_case(status == (i == 1 ? PZ_OK : PZ_EINVAL), others[i]);
        assert_case(i == 1 || out.len < 14, others[i]);
    }
    pz_buf_free(&out);
    pz_userlist_free(&list);
}

TEST(faults_are_kept_in_bounds)
{
    struct pz_userlist_options options = lines(100);
    struct pz_userlist list;

    BEGIN();
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    for (int i = 0; i < 250; i++)
        assert_int_equal(pz_userlist_feed(&list, LIT("a\n\n\n\rb\n")), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(list.fault_counts[PZ_CSV_BLANK], 500);
    assert_int_equal(list.fault_counts[PZ_CSV_QUOTE], 250);
    assert_int_equal(list.fault_count, 750);
    assert_int_equal(list.users, 250);
    assert_int_equal(pz_userlist_faults_kept(&list), 200);
    assert_int_equal(pz_userlist_fault(&list, 0)->line, 2);
    assert_int_equal(pz_userlist_fault(&list, 1)->line, 3);
    assert_int_equal(pz_userlist_fault(&list, 2)->line, 4);
    assert_null(pz_userlist_fault(&list, 200));
    assert_int_equal(pz_userlist_part_count(&list), 0);
    assert_int_equal(list.bytes, 0);
    pz_userlist_free(&list);
}

/* An oddity is found wherever the list is cut, in a run or beside one. */
TEST(warnings_in_every_piece)
{
    static const char *const odd[] = {
        " ", "\t", "\001", "\177", "\302\240", "\302\200", "\342\200\213",
        "\342\200\250", "\343\200\200", "\357\273\277", "\"", "\303\251",
        "\363\240\201\201",
    };
    static const char line[] = "0123456789abcdef0123456789abcdef\n";

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(odd); i++) {
        for (size_t at = 0; at < 2 * sizeof line; at++) {
            struct pz_buf text = PZ_BUF_INIT(0);
            struct pz_userlist whole, cut;
            struct pz_userlist_options options = lines(1000);

            for (int j = 0; j < 6; j++)
                assert_int_equal(pz_buf_add(&text, line, sizeof line - 1),
                                 PZ_OK);
            text.len = sizeof line - 1 + at;
            assert_int_equal(pz_buf_adds(&text, pz_slice_of(odd[i])), PZ_OK);
            for (int j = 0; j < 5; j++)
                assert_int_equal(pz_buf_add(&text, line, sizeof line - 1),
                                 PZ_OK);
            assert_int_equal(pz_userlist_init(&whole, &options), PZ_OK);
            assert_int_equal(pz_userlist_init(&cut, &options), PZ_OK);
            assert_int_equal(pz_userlist_feed(&whole, pz_buf_slice(&text)),
                             PZ_OK);
            for (size_t j = 0; j < text.len; j++)
                assert_int_equal(pz_userlist_feed(
                    &cut, pz_slice_sub(pz_buf_slice(&text), j, j + 1)), PZ_OK);
            assert_int_equal(pz_userlist_finish(&whole), PZ_OK);
            assert_int_equal(pz_userlist_finish(&cut), PZ_OK);
            assert_int_equal(whole.fault_count, cut.fault_count);
            for (int j = 0; j < PZ_ODDITIES; j++)
                assert_case(memcmp(&whole.warnings[j], &cut.warnings[j],
                                   sizeof cut.warnings[j]) == 0, odd[i]);
            pz_userlist_free(&whole);
            pz_userlist_free(&cut);
            pz_buf_free(&text);
        }
    }
}

TEST(warnings_are_counted)
{
    struct pz_userlist list;
    struct pz_warning *warning = list.warnings;

    BEGIN();
    read_list(&list, lines(1000), "ID;USER_ID\na \nb\nuser_id\nx;USER_ID\n"
              " c\n d\n e \n f\n \n\"g\"\n");
    assert_int_equal(list.fault_count, 0);
    assert_int_equal(list.users, 11);
    assert_int_equal(warning[PZ_ODD_HEADER].count, 2);
    assert_int_equal(warning[PZ_ODD_HEADER].lines[0], 1);
    assert_int_equal(warning[PZ_ODD_HEADER].lines[1], 4);
    assert_int_equal(warning[PZ_ODD_SPACE].count, 5);
    assert_int_equal(warning[PZ_ODD_SPACE].lines[0], 2);
    assert_int_equal(warning[PZ_ODD_SPACE].lines[4], 9);
    assert_int_equal(warning[PZ_ODD_BLANK].count, 1);
    assert_int_equal(warning[PZ_ODD_BLANK].lines[0], 10);
    assert_int_equal(warning[PZ_ODD_QUOTES].lines[0], 11);
    assert_int_equal(warning[PZ_ODD_INVISIBLE].count, 0);
    pz_userlist_free(&list);
}

TEST(no_user)
{
    struct pz_userlist list;

    BEGIN();
    read_list(&list, lines(100), "\n\n");
    assert_int_equal(list.fault_count, 1);
    assert_int_equal(pz_userlist_fault(&list, 0)->code, PZ_CSV_EMPTY);
    pz_userlist_free(&list);
}

TEST(ids_one_by_one)
{
    struct pz_userlist_options options = lines(20);
    struct pz_userlist list;

    BEGIN();
    options.sink = sink;
    options.sink_arg = &sunk;
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("a")), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("b\nb")), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("0123456789a")), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(list.fault_count, 0);
    check_part(&list, 0, pz_buf_slice(&sunk), "USER_ID\na\n\"b\nb\"\n");
    check_part(&list, 1, pz_buf_slice(&sunk), "USER_ID\n0123456789a\n");
    pz_userlist_free(&list);

    /* None of these is one, and the last does not fit. */
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("")), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("a\0")), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("\377")), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("0123456789ab")), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_OK);
    assert_int_equal(list.fault_count, 4);
    assert_int_equal(pz_userlist_fault(&list, 3)->line, 4);
    assert_int_equal(pz_userlist_fault(&list, 3)->code, PZ_CSV_LENGTH);
    pz_userlist_free(&list);
    pz_buf_free(&sunk);
}

static enum pz_status collect(void *arg, const char *text, const size_t *ends,
                              size_t count)
{
    size_t from = 0;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pz_buf_add(arg, text + from, ends[i] - from), PZ_OK);
        assert_int_equal(pz_buf_addc(arg, '|'), PZ_OK);
        from = ends[i] + 1;
    }
    return PZ_OK;
}

/* Whoever asks for the ids gets each of them once, in any pieces; repeats, too,
   which are dropped in a second reading. */
TEST(each_id_is_told)
{
    static const char told[] =
        "alice|0123456789-0123456789-0123456789|\303\251mile|a,\"b|"
        "c\nd|alice|0123456789-0123456789|0123456789-9876543210|bob|";
    const char *text = "USER_ID\nalice\n0123456789-0123456789-0123456789\n"
                       "\303\251mile\r\n\"a,\"\"b\"\n\"c\nd\"\nalice\n"
                       "0123456789-0123456789\n0123456789-9876543210\nbob";
    size_t len = strlen(text);

    BEGIN();
    for (int unique = 0; unique < 2; unique++) {
        for (size_t piece = 1; piece <= len; piece++) {
            struct pz_userlist_options options = lines(1000);
            struct pz_buf ids = PZ_BUF_INIT(0);
            struct pz_userlist list;

            options.format = PZ_CSV_HEADED;
            options.unique = unique;
            options.each = collect;
            options.each_arg = &ids;
            assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
            for (int turn = 0; turn <= unique; turn++) {
                for (size_t at = 0; at < len; at += piece)
                    assert_int_equal(pz_userlist_feed(&list, pz_slice_sub(
                        pz_slice_of(text), at, at + piece)), PZ_OK);
                assert_int_equal(pz_userlist_finish(&list), PZ_OK);
            }
            assert_int_equal(list.users, 9 - unique);
            assert_text(&ids, told);
            pz_userlist_free(&list);
            pz_buf_free(&ids);
        }
    }
}

TEST(parts_have_an_end)
{
    struct pz_userlist_options options = lines(10);
    struct pz_userlist list;

    BEGIN();
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    for (int i = 0; i < PZ_PARTS_MAX; i++)
        assert_int_equal(pz_userlist_feed(&list, LIT("a\n")), PZ_OK);
    assert_int_equal(pz_userlist_feed(&list, LIT("a\n")), PZ_ETOOBIG);
    assert_true(list.has_too_many_parts);
    pz_userlist_free(&list);
}

static enum pz_status refuse(void *arg, struct pz_slice bytes)
{
    (void)arg;
    (void)bytes;
    return PZ_EINVAL;
}

TEST(a_sink_that_fails)
{
    struct pz_userlist_options options = lines(1000);
    struct pz_userlist list;

    BEGIN();
    options.sink = refuse;
    assert_int_equal(pz_userlist_init(&list, &options), PZ_OK);
    assert_int_equal(pz_userlist_add(&list, LIT("a")), PZ_OK);
    assert_int_equal(pz_userlist_finish(&list), PZ_EINVAL);
    pz_userlist_free(&list);
}

#ifdef PZ_TEST
/* Feeds and ends it, once more if it has repeats. */
static enum pz_status feed_all(struct pz_userlist *list, struct pz_slice text,
                               int times)
{
    enum pz_status status = PZ_OK;

    do {
        for (int i = 0; i < times && status == PZ_OK; i++)
            status = pz_userlist_feed(list, text);
        if (status == PZ_OK)
            status = pz_userlist_finish(list);
    } while (status == PZ_OK && list->stage == PZ_LIST_AGAIN);
    return status;
}

static enum pz_status whole(void *arg)
{
    struct pz_userlist_options options = lines(12);
    struct pz_rewrite rewrite = { { NULL, 0 }, 0, NULL, { 0 }, NULL, 0, 0, 0,
                                  { 0 }, 0, 0, { 0 } };
    struct pz_userlist list;
    enum pz_status status;

    (void)arg;
    options.unique = 1;
    status = pz_userlist_init(&list, &options);
    if (status == PZ_OK)
        status = feed_all(&list, LIT("a\nb\nc\nd\ne\n\n"), 300);
    pz_userlist_free(&list);
    if (status == PZ_OK)
        status = pz_userlist_init(&list, &options);
    if (status == PZ_OK)
        status = feed_all(&list, LIT("a\nb\na\nc\n"), 1);
    if (status == PZ_OK)
        status = pz_rewrite_init(&rewrite, &list, 1);
    pz_rewrite_free(&rewrite);
    pz_userlist_free(&list);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_in_range(check_refusals(whole, NULL), 12, 100);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_cut),
        cmocka_unit_test(repeats_are_dropped),
        cmocka_unit_test(repeats_do_not_count_as_parts),
        cmocka_unit_test(repeats_are_counted),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(faults_are_kept_in_bounds),
        cmocka_unit_test(warnings_in_every_piece),
        cmocka_unit_test(warnings_are_counted),
        cmocka_unit_test(no_user),
        cmocka_unit_test(ids_one_by_one),
        cmocka_unit_test(each_id_is_told),
        cmocka_unit_test(parts_have_an_end),
        cmocka_unit_test(a_sink_that_fails),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
