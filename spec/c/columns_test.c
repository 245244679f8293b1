/* The reader of exports: which fields it takes, in every piece, and what it
   refuses to guess. */
#include "check.h"

#include "../../src/core/pz_columns.h"

static struct pz_buf seen;

static void say(const char *text)
{
    assert_int_equal(pz_buf_adds(&seen, pz_slice_of(text)), PZ_OK);
}

/* "2[field]": its line before it; "2'[field]" in the second column that is
   taken, and so on. */
static int take(void *arg, size_t index, struct pz_slice field,
                unsigned long long line)
{
    char where[64];

    (void)arg;
    (void)snprintf(where, sizeof where, "%llu", line);
    say(where);
    for (size_t i = 0; i < index; i++)
        say("'");
    say("[");
    if (field.len > 100)
        say("long");
    else
        assert_int_equal(pz_buf_adds(&seen, field), PZ_OK);
    say("]");
    return pz_slice_find(field, '\377', 0) == field.len;
}

static struct pz_columns columns;

/* All that it tells, of a file in pieces of so many bytes. */
static struct pz_slice read_file(struct pz_slice text, char delimiter,
                                 char escape, const char *name, size_t piece)
{
    struct pz_columns_options options = {
        pz_slice_of(name), delimiter, escape, take, NULL
    };
    char end[200];

    pz_buf_clear(&seen);
    pz_columns_start(&columns, &options);
    while (text.len > 0) {
        size_t len = piece < text.len ? piece : text.len;

        pz_columns_feed(&columns, guard(0, pz_slice_sub(text, 0, len)));
        text = pz_slice_sub(text, len, text.len);
    }
    pz_columns_end(&columns);
    if (columns.fault.message)
        (void)snprintf(end, sizeof end, "(%s %llu)",
                       pz_csv_code_name(columns.fault.code),
                       columns.fault.line);
    else
        (void)snprintf(end, sizeof end, "%s %llu of %llu",
                       columns.lacks_end ? " cut?" : "", columns.rows,
                       columns.columns);
    say(end);
    return pz_buf_slice(&seen);
}

struct file_case {
    const char *text, *told;
};

static void check_files(const struct file_case *cases, size_t count,
                        char delimiter, char escape, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        struct pz_slice text = pz_slice_of(cases[i].text);

        for (size_t piece = 1; piece <= text.len + 1; piece++)
            assert_slice(read_file(text, delimiter, escape, name, piece),
                         pz_slice_of(cases[i].told));
    }
}

#define X32 "0123456789abcdef0123456789abcdef"
#define X128 X32 X32 X32 X32

TEST(fields)
{
    static const struct file_case cases[] = {
        { "USER_ID\n", " 0 of 1" },
        { "USER_ID", " cut? 0 of 1" },
        { "USER_ID\na\n", "2[a] 1 of 1" },
        { "USER_ID\na", "2[a] cut? 1 of 1" },
        { "user_id,X\na,b\nc,d\n", "2[a]3[c] 2 of 2" },
        { "X,User_Id\na,b\nc,d\n", "2[b]3[d] 2 of 2" },
        { "X,USER_ID,Y\r\na,b,c\r\nd,e,f\r\n", "2[b]3[e] 2 of 3" },
        { "\357\273\277USER_ID,X\na,b\n", "2[a] 1 of 2" },
        { "\357\273\277\"USER_ID\",X\na,b\n", "2[a] 1 of 2" },
        { "\"X\",\"user_id\"\n\"a\",\"b\"\n", "2[b] 1 of 2" },
        { "X, USER_ID \n1, a \n", "2[ a ] 1 of 2" },
        { "USER_ID,USER_ID,Z,user_id\na,b,c,d\n", "2[a]2'[b]2''[d] 1 of 4" },
        { "X,USER_ID\n,\n1,\n", "2[]3[] 2 of 2" },
        { "USER_ID,X\n,1\n\"\",\"\"\n", "2[]3[] 2 of 2" },
        { "USER_ID,X\n\"a,b\",1\n", "2[a,b] 1 of 2" },
        { "USER_ID,X\n\"a\"\"b\",\"\"\"\"\n", "2[a\"b] 1 of 2" },
        { "USER_ID,X\n\"\"\"\",1\n\"\"\"a\"\"\",2\n",
          "2[\"]3[\"a\"] 2 of 2" },
        { "X,USER_ID\n\"a\nb\r\nc\",\"d\ne\"\nf,g\n",
          "4[d\ne]6[g] 2 of 2" },
        { "USER_ID,X\n\"a\"\r\n", "2[a](columns 2)" },
        { "X,USER_ID\n1,\"a\"\r\n2,b\r\n", "2[a]3[b] 2 of 2" },
        /* blank lines are no rows; but a field in quotes is one */
        { "USER_ID,X\n\na,b\n\r\n\n", "2[]3[a]4[]5[] 1 of 2" },
        { "USER_ID\n\n\"\"\na\n", "2[]3[]4[a] 2 of 1" },
        { "X,USER_ID\n\n\n1,a\n", "4[a] 1 of 2" },
        /* a quote where no field begins in another column is a fault, too */
        { "X,USER_ID\n1,a\n2,b\"\n", "2[a](quote 3)" },
        { "X,USER_ID\n5\" disk,a\n", "(quote 2)" },
        { "X,USER_ID\n\"1\" ,a\n", "(quote 2)" },
        { "X,USER_ID\n1,\"a\"b\n", "(quote 2)" },
        { "X,USER_ID\n1, \"a\"\n", "(quote 2)" },
        { "X,USER_ID\n1,\"a\n2,b\n", "(quote 2)" },
        { "X,USER_ID\n1,\"", "(quote 2)" },
        { "USER_ID\na\rb\n", "(quote 2)" },
        { "USER_ID\na\r", "(quote 2)" },
        { "X,USER_ID\n\"a\"\rb,c\n", "(quote 2)" },
        { "USER_ID,X\na,1\nb,2,3\n", "2[a]3[b](columns 3)" },
        { "USER_ID,X\na,1\nb\n", "2[a]3[b](columns 3)" },
        { "USER_ID,X\na,1\nb", "2[a]3[b](columns 3)" },
        { "X,Y,USER_ID\n1,2,a\n1,\n", "2[a](columns 3)" },
        { "USER_ID,X\n\377,1\na,2\n", "2[\377](utf8 2)" },
        { "USER_ID,X\n\"a\n\377\n\",1\na,2\n", "2[a\n\377\n](utf8 2)" },
        { "X,USER_ID\n\377,a\n", "2[a] 1 of 2" },
        /* the header */
        { "", "(empty 1)" },
        { "\357\273\277", "(empty 1)" },
        { "\n", "(header 1)" },
        { "\nUSER_ID\na\n", "(header 1)" },
        { "\r\n", "(header 1)" },
        { "\"\"\n", "(column 1)" },
        { "X,Y\n1,2\n", "(column 1)" },
        { "USER ID\na\n", "(column 1)" },
        { "USER_ID;X\na;b\n", "(column 1)" },
        { "a\nb\n", "(column 1)" },
        { "\"USER_ID\na\n", "(quote 1)" },
        { "\037\213\010\000", "(header 1)" },
        { "\037\213", "(header 1)" },
        { "\377\376U\n", "(utf8 1)" },
        { "\376\377", "(utf8 1)" },
        { "\357\273USER_ID\na\n", "(column 1)" },
        /* long ones */
        { "USER_ID,X\n" X128 ",1\n\"" X128 "\",\"" X128 X128 "\"\na,b\n",
          "2[long]3[long]4[a] 3 of 2" },
        { "X,USER_ID\n" X32 X32 "," X32 X32 "\n" X32 ",a\n",
          "2[" X32 X32 "]3[a] 2 of 2" },
    };

    BEGIN();
    check_files(cases, PZ_COUNT(cases), '\0', '\0', NULL);
    check_files(cases, PZ_COUNT(cases), ',', '"', "uSER_id");
}

/* NULs end C's strings, so that these stand apart. */
TEST(zero_bytes)
{
    static const struct {
        struct pz_slice text;
        const char *told;
    } cases[] = {
        { { "U\0S\0E\0", 6 }, "(nul 1)" },
        { { "USER_ID\na\0b\n", 12 }, "(nul 2)" },
        { { "X,USER_ID\na\0,b\n", 16 }, "(nul 2)" },
        { { "USER_ID\n\"a\n\0\"\n", 15 }, "(nul 3)" },
        { { "USER_ID\na\n\0\0\0", 13 }, "2[a](nul 3)" },
        { { "USER_ID\n\"a\"\0\n", 13 }, "(nul 2)" },
        { { "USER_ID\na\r\0\n", 12 }, "(nul 2)" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        for (size_t piece = 1; piece <= cases[i].text.len; piece++)
            assert_slice(read_file(cases[i].text, ',', '\0', NULL, piece),
                         pz_slice_of(cases[i].told));
}

TEST(other_names_and_delimiters)
{
    static const struct file_case semicolons[] = {
        { "ID;Kunde;kunde \n1;a,b;\"c;d\"\n", "2[a,b]2'[c;d] 1 of 3" },
        { "KUNDE\na,b;c\n", "2[a,b](columns 2)" },
        { "KUNDE,X\na,b\n", "(column 1)" },
        { "KUNDE\tX\na,b\n", "(column 1)" },
    };
    static const struct file_case tabs[] = {
        { "USER_ID\tX\na,\tb\n\"c\t\"\td\n", "2[a,]3[c\t] 2 of 2" },
    };

    BEGIN();
    check_files(semicolons, PZ_COUNT(semicolons), ';', '\0', "KUNDE");
    check_files(tabs, PZ_COUNT(tabs), '\t', '\0', NULL);
}

/* Which delimiter has the column, and what it has in its place. */
TEST(what_the_header_has)
{
    static const struct {
        const char *header, *names;
        char other;
        int is_header;
    } cases[] = {
        { "USER_ID;X\n", "USER_ID;X", ';', 0 },
        { "\"USER_ID\tX\"\n", "USER_ID\tX", '\t', 0 },
        { "X|user_id\n", "X|user_id", '|', 0 },
        { "X,Y|user_id|Z,1\n", "X, Y|user_id|Z, 1", '|', 0 },
        { "ITEM_ID,PRICE\n", "ITEM_ID, PRICE", '\0', 1 },
        { "price,item-id\n", "price, item-id", '\0', 1 },
        { "USERID,Timestamp\n", "USERID, Timestamp", '\0', 1 },
        { "alice,17\n", "alice, 17", '\0', 0 },
        { "USER_ID_2,XUSER_ID,USER,ITEM_IDS\n",
          "USER_ID_2, XUSER_ID, USER, ITEM_IDS", '\0', 0 },
        { X128 ",EVENT_TYPE\n", X32 "01234567, EVENT_TYPE", '\0', 1 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice names;

        (void)read_file(pz_slice_of(cases[i].header), ',', '\0', NULL, 3);
        assert_int_equal(columns.fault.code, PZ_CSV_BAD_COLUMN);
        names.data = columns.names;
        names.len = columns.names_len;
        assert_slice(names, pz_slice_of(cases[i].names));
        assert_int_equal(columns.other, cases[i].other);
        assert_int_equal(columns.is_header, cases[i].is_header);
    }
}

/* Names that are many are not all told, and a column is taken all the same. */
TEST(wide_files)
{
    struct pz_buf text = PZ_BUF_INIT(0);
    char name[32];

    BEGIN();
    for (int n = 0; n < 5000; n++) {
        (void)snprintf(name, sizeof name, "COLUMN_%d,", n);
        assert_int_equal(pz_buf_adds(&text, pz_slice_of(name)), PZ_OK);
    }
    assert_int_equal(pz_buf_adds(&text, LIT("X\n")), PZ_OK);
    (void)read_file(pz_buf_slice(&text), ',', '\0', NULL, 1000);
    assert_int_equal(columns.fault.code, PZ_CSV_BAD_COLUMN);
    assert_in_range(columns.names_len, 450, PZ_COLUMNS_NAMES);
    assert_memory_equal(columns.names + columns.names_len - 5, ", ...", 5);
    assert_slice(read_file(pz_buf_slice(&text), ',', '\0', "column_4999", 99),
                 LIT(" 0 of 5001"));
    pz_buf_free(&text);
}

/* There is always room to say that there are more. */
TEST(names_of_all_lengths)
{
    BEGIN();
    for (size_t len = 1; len <= 45; len++) {
        struct pz_buf text = PZ_BUF_INIT(0);

        for (int n = 0; n < 600; n++) {
            for (size_t i = 0; i < len; i++)
                assert_int_equal(pz_buf_addc(&text, 'x'), PZ_OK);
            assert_int_equal(pz_buf_addc(&text, n < 599 ? ',' : '\n'), PZ_OK);
        }
        (void)read_file(pz_buf_slice(&text), ',', '\0', NULL, 5000);
        assert_in_range(columns.names_len, 450, PZ_COLUMNS_NAMES);
        assert_memory_equal(columns.names + columns.names_len - 5, ", ...", 5);
        pz_buf_free(&text);
    }
}

TEST(columns_of_one_name)
{
    struct pz_buf text = PZ_BUF_INIT(0);

    BEGIN();
    for (int n = 1; n < PZ_COLUMNS_TAKEN; n++)
        assert_int_equal(pz_buf_adds(&text, LIT("USER_ID,")), PZ_OK);
    assert_int_equal(pz_buf_adds(&text, LIT("USER_ID\n")), PZ_OK);
    assert_slice(read_file(pz_buf_slice(&text), ',', '\0', NULL, 7),
                 LIT(" 0 of 64"));
    text.data[text.len - 1] = ',';
    assert_int_equal(pz_buf_adds(&text, LIT("USER_ID\n")), PZ_OK);
    assert_slice(read_file(pz_buf_slice(&text), ',', '\0', NULL, 7),
                 LIT("(header 1)"));
    pz_buf_free(&text);
}

TEST(a_first_line_without_end)
{
    static char block[1 << 16];
    struct pz_slice text = { block, sizeof block };
    struct pz_columns_options options = { { NULL, 0 }, 0, 0, take, NULL };

    BEGIN();
    memset(block, 'x', sizeof block);
    pz_columns_start(&columns, &options);
    for (int i = 0; i < 17 && columns.fault.message == NULL; i++)
        pz_columns_feed(&columns, text);
    assert_non_null(columns.fault.message);
    assert_int_equal(columns.fault.code, PZ_CSV_BAD_HEADER);
}

/* A backslash before a quote: a fault, or what the option says. */
TEST(escapes)
{
    static const struct file_case unsaid[] = {
        { "USER_ID,X\na\\,\\b\n", "2[a\\] 1 of 2" },
        { "USER_ID,X\n\"a\\b\",1\n", "2[a\\b] 1 of 2" },
        { "USER_ID,X\n\"a\\\\\",1\n", "(quote 2)" },
        { "X,USER_ID\n\"a\\\\\",1\n", "2[1] 1 of 2" },
        { "USER_ID,X\na\\\\,1\n", "2[a\\\\] 1 of 2" },
        { "USER_ID,X\n\"a\\b\\c\",1\n", "2[a\\b\\c] 1 of 2" },
        { "USER_ID,X\n\"\nb\\\\c\",1\n", "(quote 2)" },
        { "USER_ID,X\n\"a\\\",1\n", "(quote 2)" },
        { "USER_ID,X\na,\"5\\\" disk\"\n", "2[a](quote 2)" },
        { "USER_ID,X\na,\"\\\\\\\"\"\n", "2[a](quote 2)" },
        { "USER_ID,X\n\"a\"\"\\\\\",1\n", "(quote 2)" },
        { "USER_ID,X\n\"a\"\"\\b\",1\n", "2[a\"\\b] 1 of 2" },
        { "USER_ID,X\n\"\\\"\"\",1\n", "(quote 2)" },
    };
    static const struct file_case quotes[] = {
        { "USER_ID,X\n\"a\\\",1\n", "2[a\\] 1 of 2" },
        { "USER_ID,X\n\"\\\"\"\",1\n", "2[\\\"] 1 of 2" },
        { "USER_ID,X\na,\"5\\\" disk\"\n", "2[a](quote 2)" },
    };
    static const struct file_case backslashes[] = {
        { "USER_ID,X\n\"a\\\"b\",1\n", "2[a\"b] 1 of 2" },
        { "USER_ID,X\n\"a\\\\\",1\n", "2[a\\] 1 of 2" },
        { "USER_ID,X\n\"a\\\\\\\"\",1\n", "2[a\\\"] 1 of 2" },
        { "USER_ID,X\n\"\\\\\\\\\",1\n", "2[\\\\] 1 of 2" },
        { "USER_ID,X\n\"a\\b\\n\",1\n", "2[a\\b\\n] 1 of 2" },
        { "USER_ID,X\na\\\\b,1\n", "2[a\\\\b] 1 of 2" },
        { "USER_ID,X\na,\"5\\\" disk\"\n", "2[a] 1 of 2" },
        { "USER_ID,X\n\"a\\\",1\nb,2\n", "(quote 2)" },
        { "USER_ID,X\n\"a\"\"b\",1\n", "(quote 2)" },
        { "USER_ID,X\n\"\",1\n\"\\\"\",2\n", "2[]3[\"] 2 of 2" },
        { "USER_ID,X\n\"\\", "(quote 2)" },
    };

    BEGIN();
    check_files(unsaid, PZ_COUNT(unsaid), ',', '\0', NULL);
    check_files(quotes, PZ_COUNT(quotes), ',', '"', NULL);
    check_files(backslashes, PZ_COUNT(backslashes), ',', '\\', NULL);
}

/* A field that is too long to be an id is told as one that is, and never cut
   to something shorter. */
static size_t longest;

static int measure(void *arg, size_t index, struct pz_slice field,
                   unsigned long long line)
{
    (void)arg;
    (void)index;
    (void)line;
    longest = field.len;
    return 1;
}

TEST(long_fields)
{
    static const char escapes[] = { '"', '\\' };
    struct pz_columns_options options = { { NULL, 0 }, 0, 0, measure, NULL };

    BEGIN();
    for (size_t len = 1000; len < 5000; len += 14) {
        for (size_t turn = 0; turn < 4; turn++) {
            struct pz_buf text = PZ_BUF_INIT(0);
            char fill = turn < 2 ? 'x' : '\\';
            size_t expected = turn == 3 ? len / 2 : len;

            options.escape = escapes[turn % 2];
            assert_int_equal(pz_buf_adds(&text, LIT("USER_ID\n\"")), PZ_OK);
            for (size_t i = 0; i < len; i++)
                assert_int_equal(pz_buf_addc(&text, fill), PZ_OK);
            assert_int_equal(pz_buf_adds(&text, LIT("\"\n")), PZ_OK);
            for (size_t piece = 900; piece < 6000; piece += 1700) {
                struct pz_slice left = pz_buf_slice(&text);

                longest = 0;
                pz_columns_start(&columns, &options);
                for (; left.len > 0; left = pz_slice_sub(left, piece, left.len))
                    pz_columns_feed(&columns, pz_slice_sub(left, 0, piece));
                pz_columns_end(&columns);
                assert_null(columns.fault.message);
                if (expected <= PZ_ID_BYTES)
                    assert_int_equal(longest, expected);
                else
                    assert_true(longest > PZ_ID_BYTES);
            }
            pz_buf_free(&text);
        }
    }
}

/* Beyond what 32 bits count. */
TEST(large_counts)
{
    struct pz_columns_options options = { { NULL, 0 }, 0, 0, take, NULL };

    BEGIN();
    pz_buf_clear(&seen);
    pz_columns_start(&columns, &options);
    pz_columns_feed(&columns, LIT("USER_ID,X\n"));
    columns.line = columns.field_line = 4294967295ULL;
    columns.rows = 4294967294ULL;
    pz_columns_feed(&columns, LIT("\"a\n\",1\nb,2\nc\n"));
    assert_text(&seen, "4294967295[a\n]4294967297[b]4294967298[c]");
    assert_true(columns.rows == 4294967297ULL);
    assert_true(columns.fault.line == 4294967298ULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(zero_bytes),
        cmocka_unit_test(other_names_and_delimiters),
        cmocka_unit_test(what_the_header_has),
        cmocka_unit_test(wide_files),
        cmocka_unit_test(names_of_all_lengths),
        cmocka_unit_test(columns_of_one_name),
        cmocka_unit_test(a_first_line_without_end),
        cmocka_unit_test(escapes),
        cmocka_unit_test(long_fields),
        cmocka_unit_test(large_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
