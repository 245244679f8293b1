/* The reader of lists: what an id is, where a fault is, in every piece. */
#include "check.h"

#include "../../src/core/pz_csv.h"

static struct pz_buf seen;

static void say(const char *text)
{
    assert_int_equal(pz_buf_adds(&seen, pz_slice_of(text)), PZ_OK);
}

/* An event as text: "[id]", or "code line:column" and "x" how often. */
static void tell(const struct pz_csv *csv, enum pz_csv_event event)
{
    char where[80];

    if (event == PZ_CSV_ID || event == PZ_CSV_RUN) {
        struct pz_slice text = csv->text;

        /* A run is so many ids with an LF each. */
        while (event == PZ_CSV_RUN && text.len > 0) {
            size_t end = pz_slice_find(text, '\n', 0);

            say("[");
            assert_int_equal(pz_buf_adds(&seen, pz_slice_sub(text, 0, end)),
                             PZ_OK);
            say("]");
            text = pz_slice_sub(text, end + 1, text.len);
        }
        if (event == PZ_CSV_ID) {
            say("[");
            assert_int_equal(pz_buf_adds(&seen, text), PZ_OK);
            say("]");
        }
        return;
    }
    (void)snprintf(where, sizeof where, "(%s %llu:%llu",
                   pz_csv_code_name(csv->fault.code), csv->fault.line,
                   csv->fault.column);
    say(where);
    if (csv->times > 1) {
        (void)snprintf(where, sizeof where, " x%llu", csv->times);
        say(where);
    }
    say(")");
}

/* Everything the reader tells, with the list in pieces of so many bytes. */
static struct pz_slice read_list(struct pz_slice list,
                                 enum pz_csv_format format,
                                 struct pz_slice column, size_t piece)
{
    struct pz_run run = { (size_t)-1, NULL, { NULL, 0 }, 0, 0 };
    enum pz_csv_event event;
    struct pz_csv csv;

    pz_buf_clear(&seen);
    pz_csv_start(&csv, format, column);
    while (list.len > 0) {
        size_t len = piece < list.len ? piece : list.len;
        struct pz_slice text = guard(0, pz_slice_sub(list, 0, len));

        while ((event = pz_csv_next(&csv, &text, &run, text.len)) !=
               PZ_CSV_MORE)
            tell(&csv, event);
        assert_int_equal(text.len, 0);
        list = pz_slice_sub(list, len, list.len);
    }
    while ((event = pz_csv_end(&csv)) != PZ_CSV_MORE)
        tell(&csv, event);
    return pz_buf_slice(&seen);
}

struct list_case {
    const char *text, *told;
};

static void check_all(const struct list_case *cases, size_t count,
                      enum pz_csv_format format, const char *column)
{
    for (size_t i = 0; i < count; i++) {
        struct pz_slice text = pz_slice_of(cases[i].text);

        for (size_t piece = 1; piece <= text.len + 1; piece++)
            assert_slice(read_list(text, format, pz_slice_of(column), piece),
                         pz_slice_of(cases[i].told));
    }
}

#define X32 "0123456789abcdef0123456789abcdef"
#define E32 "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251" \
            "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251" \
            "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251" \
            "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251"
#define X256 X32 X32 X32 X32 X32 X32 X32 X32
#define E256 E32 E32 E32 E32 E32 E32 E32 E32

TEST(lists_with_a_header)
{
    static const struct list_case cases[] = {
        { "USER_ID\n", "" },
        { "USER_ID", "" },
        { "USER_ID\r\n", "" },
        { "\357\273\277USER_ID\na\n", "[a]" },
        { "USER_ID\na\nb", "[a][b]" },
        { "USER_ID\r\na\r\nb\r\n\r\n\n", "[a][b]" },
        { "USER_ID\n\"a\"\n\"b,\"\"c\"\n", "[a][b,\"c]" },
        { "USER_ID\n\"a\r\nb\"\nc", "[a\r\nb][c]" },
        { "USER_ID\n a \n\ta\n", "[ a ][\ta]" },
        { "USER_ID\n" X32 "\n" X32 "\n" X32 "\n",
          "[" X32 "][" X32 "][" X32 "]" },
        { "USER_ID\n" X256 "\n", "[" X256 "]" },
        { "USER_ID\n" E256 "\n", "[" E256 "]" },
        { "USER_ID\n" X256 "x\na\n", "(length 2:1)[a]" },
        { "USER_ID\n\"" E256 "x\"\na\n", "(length 2:2)[a]" },
        { "USER_ID\n" E256 E256 E256 "\na\n", "(length 2:1)[a]" },
        { "USER_ID\n\n\na\n\r\nb\n\n", "(blank 2:1 x2)[a](blank 5:1)[b]" },
        { "USER_ID\n\"\"\na\n", "(empty 2:2)[a]" },
        { "USER_ID\na\"b\nc\n", "(quote 2:2)[c]" },
        { "USER_ID\n\"a\"b\nc\n", "(quote 2:4)[c]" },
        { "USER_ID\n\303\251\"a\nc\n", "(quote 2:2)[c]" },
        { "USER_ID\na\n\"b\nc\n", "[a](quote 3:1)" },
        { "USER_ID\na\rb\nc\r", "(quote 2:2)(quote 3:2)" },
        { "USER_ID\na\n\n\r", "[a](blank 3:1)(quote 4:1)" },
        { "USER_ID\na\n\n\rb", "[a](blank 3:1)(quote 4:1)" },
        { "USER_ID\na,b\nc,\n,\nd\n",
          "(columns 2:4)(columns 3:3)(empty 4:1)[d]" },
        { "USER_ID\nab\377c\nd\n", "(utf8 2:3)[d]" },
        { "USER_ID\nab\303\n\355\240\200\n", "(utf8 2:3)(utf8 3:1)" },
        { "USER_ID\n\"a\"\"\n\303\251\377\"\n", "(utf8 3:2)" },
        { "USER_ID\n\357\273\277a\na\357\273\277b\nab\357\273\277\n",
          "(bom 2:1)[a\357\273\277b](bom 4:3)" },
        { "USER_ID\n\"a\r\"\n\"\na\"\n\"a\n\"\n\"a\r\nb\"\n",
          "(line_end 2:3)(line_end 3:2)(line_end 5:3)[a\r\nb]" },
    };

    BEGIN();
    check_all(cases, PZ_COUNT(cases), PZ_CSV_HEADED, NULL);
    assert_slice(read_list(LIT("USER_ID\na\0b\n"), PZ_CSV_HEADED,
                           LIT(""), 3), LIT("(nul 2:2)"));
}

TEST(headers)
{
    static const struct list_case cases[] = {
        { "", "(header 1:1)" },
        { "\n", "(header 1:1)" },
        { "\357\273", "(header 1:1)" },
        { "\357\273\277", "(header 1:1)" },
        { "user_id\na\n", "(header 1:1)" },
        { "\"USER_ID\"\na\n", "(header 1:1)" },
        { "USER_ID \na\n\n\nb\n", "(header 1:1)" },
        { "USER_ID\ra\r", "(quote 1:8)" },
        { "\nUSER_ID\na\n", "(header 1:1)" },
        { "USER_ID,NAME\na,b\n", "(columns 1:1)" },
        { "a\nb\n", "(header 1:1)" },
        { X256 X256 X256 X256 X32 "\na\n", "(header 1:1)" },
        { "\377\376U", "(utf8 1:1)" },
        { "\376\377", "(utf8 1:1)" },
        { "ID;USER_ID;MAIL\n1;a;b\n", "(header 1:1)" },
        { "\"ID\";\"USER_ID\"\n\"1\";\"a\"\n", "(header 1:5)" },
    };

    BEGIN();
    check_all(cases, PZ_COUNT(cases), PZ_CSV_HEADED, NULL);
}

TEST(columns)
{
    static const struct list_case cases[] = {
        { "id\na\n", "[a]" },
        { "\"id\"\n\"a\"\n", "[a]" },
        { "x,id,y\n1,a,2\n\"3\n,\",\"b\"\"\",\n,c,", "[a][b\"][c]" },
        { "x,id\n1,\n,a\n", "(empty 2:3)[a]" },
        { "id,x\na\nb,1\nc,1,2\n\nd,\n",
          "(columns 2:2)[b](columns 4:6)(blank 5:1)[d]" },
        { "id,x\na,\"b\"c\nd,\377\n", "(quote 2:6)[d]" },
        { "x,ID\n1,a\n", "(column 1:1)" },
        { "x,y\n", "(column 1:1)" },
        { "", "(column 1:1)" },
        { "id,x,id\n", "(column 1:6)" },
        { "x\"y,id\n", "(quote 1:2)" },
    };

    BEGIN();
    check_all(cases, PZ_COUNT(cases), PZ_CSV_HEADED, "id");
}

/* What the fault says that a list's first line gives. */
static const char *header_message(const char *text, const char *column,
                                  char delimiter)
{
    struct pz_slice rest = guard(0, pz_slice_of(text));
    struct pz_csv csv;
    enum pz_csv_event event;

    pz_csv_start(&csv, PZ_CSV_HEADED, pz_slice_of(column));
    csv.delimiter = delimiter;
    event = pz_csv_next(&csv, &rest, NULL, 0);
    if (event == PZ_CSV_MORE)
        event = pz_csv_end(&csv);
    assert_int_equal(event, PZ_CSV_FAULT);
    return csv.fault.message;
}

TEST(headers_of_other_programs)
{
    static const struct {
        const char *text, *column;
        char delimiter;
        const char *words;
    } cases[] = {
        { "ID;USER_ID;MAIL\n", NULL, ',', "separated by ';'" },
        { "USER_ID;\n", NULL, ',', "separated by ';'" },
        { "ID;USER_ID", NULL, ',', "separated by ';'" },
        { "ID\tUSER_ID\n", NULL, ',', "separated by tabs" },
        { "ID|USER_ID\n", NULL, ',', "separated by '|'" },
        { "ID,USER_ID\n", NULL, ';', "separated by ','" },
        { "ID,USER_ID\n", NULL, ',', "more than one column" },
        { "ID;USER_ID\n", NULL, ';', "more than one column" },
        { "ID;USER_ID\n", "USER_ID", ',', "separated by ';'" },
        { "\"ID\";\"USER_ID\"\n", "USER_ID", ',', "separated by ';'" },
        { "\"ID\"\t\"USER_ID\"\n", NULL, '|', "separated by tabs" },
        { "ID,USER_ID\n", "USER_ID", ';', "separated by ','" },
        { "a;b,c\n", "USER_ID", ',', "does not have it" },
        { "sep=;\nUSER_ID\n", NULL, ',', "spreadsheet" },
        { "SEP=;\nUSER_ID\n", "USER_ID", ';', "does not have it" },
        { "\t\n", NULL, ',', "separated by tabs" },
        { "", NULL, ',', "the list is empty" },
        { "", "id", ',', "the list is empty" },
        { "\r\n", NULL, ',', "begins with a blank line" },
        { "alice\n", NULL, ',', "of the format lines" },
        { " User_Id\n", NULL, ',', "in upper case" },
        { "a;" X256 X256 X256 X256 X32 "\n", NULL, ',', "separated by ';'" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        const char *message = header_message(cases[i].text, cases[i].column,
                                             cases[i].delimiter);

        assert_case(strstr(message, cases[i].words), cases[i].text);
    }
}

TEST(other_delimiters)
{
    struct pz_slice text = LIT("x;id\n1;a,b\n2;\"c;d\"\n3|4;e\tf\n");
    struct pz_csv csv;
    enum pz_csv_event event;

    BEGIN();
    pz_buf_clear(&seen);
    pz_csv_start(&csv, PZ_CSV_HEADED, LIT("id"));
    csv.delimiter = ';';
    while ((event = pz_csv_next(&csv, &text, NULL, 0)) != PZ_CSV_MORE)
        tell(&csv, event);
    assert_slice(pz_buf_slice(&seen), LIT("[a,b][c;d][e\tf]"));
}

TEST(lists_of_lines)
{
    static const struct list_case cases[] = {
        { "", "" },
        { "\n\r\n", "" },
        { "a\nb", "[a][b]" },
        { "a;b|c\td\n", "[a;b|c\td]" },
        { X32 "\n\357\273\277" X32 "\n" X32 "\n",
          "[" X32 "](bom 2:1)[" X32 "]" },
        { "\357\273\277a\r\n", "[a]" },
        { "\357\273a\n", "(utf8 1:1)" },
        { "\"a\"\nb,c\n", "[\"a\"][b,c]" },
        { "a\n\nb\n", "[a](blank 2:1)[b]" },
        { "a\rb\nc\n", "(quote 1:2)[c]" },
        { X256 "x\n", "(length 1:1)" },
        { X32 "\n" X32 "\n" E32 "\n\377\n" X32 "\n" X32 "\n" X32 "\n",
          "[" X32 "][" X32 "][" E32 "](utf8 4:1)[" X32 "][" X32 "][" X32 "]" },
    };

    BEGIN();
    check_all(cases, PZ_COUNT(cases), PZ_CSV_LINES, NULL);
}

/* Each byte at each place of a block: the fast look and the slow one agree. */
TEST(every_byte_in_a_run)
{
    char text[200];

    BEGIN();
    for (int c = 1; c < 256; c++) {
        for (size_t at = 0; at < 72; at++) {
            struct pz_slice list = { text, sizeof text }, told;
            struct pz_buf slow = PZ_BUF_INIT(0);

            memset(text, 'x', sizeof text);
            for (size_t i = 20; i < sizeof text; i += 21)
                text[i] = '\n';
            text[at] = (char)c;
            told = read_list(list, PZ_CSV_LINES, LIT(""), 1);
            assert_int_equal(pz_buf_adds(&slow, told), PZ_OK);
            told = read_list(list, PZ_CSV_LINES, LIT(""), sizeof text);
            assert_slice(told, pz_buf_slice(&slow));
            pz_buf_free(&slow);
        }
    }
}

TEST(a_run_is_bounded)
{
    struct pz_slice text = guard(0, LIT(
        "a\nbb\nccc\ndddd\neeeee\nffffff\nggggggg\nhhhhhhhh\niiiiiiiii\n"
        "jjjjjjjjjj\nkkkkkkkkkkk\n"));
    size_t ends[4];
    struct pz_run run = { 4, ends, LIT("USER_ID"), 0, 0 };

    BEGIN();
    pz_run_scan(&run, text);
    assert_int_equal(run.lines, 4);
    assert_int_equal(run.len, 14);
    assert_int_equal(ends[0], 1);
    assert_int_equal(ends[3], 13);
    run.max_lines = 0;
    pz_run_scan(&run, text);
    assert_int_equal(run.lines + run.len, 0);
    run.max_lines = 100;
    run.ends = NULL;
    pz_run_scan(&run, pz_slice_sub(text, 0, 63));
    assert_int_equal(run.lines + run.len, 0);
    pz_run_scan(&run, pz_slice_sub(text, 0, 64));
    assert_int_equal(run.lines, 9);
    assert_int_equal(run.len, 54);
}

TEST(ids_that_look_like_mistakes)
{
    enum {
        SPACE = 1 << PZ_ODD_SPACE, END = 1 << PZ_ODD_CONTROL_END,
        INSIDE = 1 << PZ_ODD_CONTROL, INVISIBLE = 1 << PZ_ODD_INVISIBLE,
        BLANK = 1 << PZ_ODD_BLANK, QUOTES = 1 << PZ_ODD_QUOTES
    };
    static const struct {
        const char *id;
        unsigned found;
    } cases[] = {
        { "a", 0 }, { "a b", 0 }, { "a|b;c", 0 }, { "\303\251", 0 },
        { "a\"b\"", 0 }, { "\"", 0 }, { "\346\227\245", 0 },
        { "\360\237\230\200", 0 }, { "a\302\240b", 0 },
        { " a", SPACE }, { "a ", SPACE }, { "a\t", SPACE }, { "\va", SPACE },
        { "\302\240a", SPACE }, { "a\343\200\200", SPACE },
        { "a\342\200\211", SPACE }, { "\302\205a", SPACE },
        { "a\342\200\250", SPACE },
        { "a\001", END }, { "\033a", END }, { "a\177", END },
        { "\302\200a", END }, { "\001 a", END },
        { "a\tb", INSIDE }, { "a\nb", INSIDE }, { "a\302\237b", INSIDE },
        { "a\342\200\251b", INSIDE }, { "a\177b", INSIDE },
        { "a\342\200\213", INVISIBLE }, { "\342\200\216a", INVISIBLE },
        { "a\302\255b", INVISIBLE }, { "a\357\273\277b", INVISIBLE },
        { "a\342\201\240b", INVISIBLE }, { "a\330\234b", INVISIBLE },
        { "a\343\205\244b", INVISIBLE }, { "\363\240\201\201a", INVISIBLE },
        { " a\001b\302\255", SPACE | INSIDE | INVISIBLE },
        { " ", BLANK }, { "\t \302\240", BLANK }, { "\342\200\213", BLANK },
        { "\001", BLANK }, { "\342\240\200", BLANK },
        { "\"a\"", QUOTES }, { "\"\"", QUOTES },
        { "\" a\302\255\"", QUOTES | INVISIBLE },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice id = guard(0, pz_slice_of(cases[i].id));
        unsigned found = pz_id_oddities(id);

        assert_case(found == cases[i].found, cases[i].id);
        /* What is said to be plain is, but for what a block tells. */
        if (found & (INVISIBLE | BLANK) && id.data[0] & 0x80)
            assert_case(!pz_id_is_plain(id), cases[i].id);
    }
    assert_true(pz_id_is_header(LIT(" user_id\t"), LIT("USER_ID")));
    assert_true(pz_id_is_header(LIT("\"USER_ID\""), LIT("USER_ID")));
    assert_false(pz_id_is_header(LIT("USER_IDS"), LIT("USER_ID")));
    assert_true(pz_id_has_header(LIT("id;\"User_Id\";x"), LIT("USER_ID")));
    assert_true(pz_id_has_header(LIT("USER_ID"), LIT("USER_ID")));
    assert_false(pz_id_has_header(LIT("a,USER_IDS,"), LIT("USER_ID")));
    assert_false(pz_id_has_header(LIT(""), LIT("USER_ID")));
}

TEST(ids_are_written)
{
    static const char *const cases[][2] = {
        { "a", "a\n" }, { " a ", " a \n" }, { "a,b", "\"a,b\"\n" },
        { "a\"b", "\"a\"\"b\"\n" }, { "\"", "\"\"\"\"\n" },
        { "a\nb", "\"a\nb\"\n" }, { "a\r", "\"a\r\"\n" },
        { "'a';b\t", "'a';b\t\n" },
    };
    static char quotes[PZ_ID_BYTES];
    char out[PZ_ID_WRITTEN];

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice got = { out, pz_id_write(out, guard(0, pz_slice_of(
            cases[i][0]))) };

        assert_slice(got, pz_slice_of(cases[i][1]));
    }
    memset(quotes, '"', PZ_ID_CHARACTERS);
    assert_int_equal(pz_id_write(out, (struct pz_slice){
        quotes, PZ_ID_CHARACTERS }), 2 * PZ_ID_CHARACTERS + 3);
    memset(quotes, ',', sizeof quotes);
    assert_int_equal(pz_id_write(out, (struct pz_slice){
        quotes, sizeof quotes }), PZ_ID_WRITTEN);
}

/* A line without end needs no more room than any other. */
TEST(an_endless_line)
{
    static char block[1 << 16];
    struct pz_slice text = { block, sizeof block };
    enum pz_csv_event event = PZ_CSV_MORE;
    struct pz_csv csv;

    BEGIN();
    memset(block, 'x', sizeof block);
    pz_csv_start(&csv, PZ_CSV_LINES, LIT(""));
    for (int i = 0; i < 4096; i++) {
        struct pz_run run = { (size_t)-1, NULL, { NULL, 0 }, 0, 0 };
        struct pz_slice piece = text;

        assert_int_equal(pz_csv_next(&csv, &piece, &run, piece.len),
                         PZ_CSV_MORE);
    }
    event = pz_csv_end(&csv);
    assert_int_equal(event, PZ_CSV_FAULT);
    assert_int_equal(csv.fault.code, PZ_CSV_LENGTH);
    assert_int_equal(pz_csv_end(&csv), PZ_CSV_MORE);
}

static int drop(void **state)
{
    (void)state;
    pz_buf_free(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_with_a_header),
        cmocka_unit_test(headers),
        cmocka_unit_test(columns),
        cmocka_unit_test(headers_of_other_programs),
        cmocka_unit_test(other_delimiters),
        cmocka_unit_test(lists_of_lines),
        cmocka_unit_test(every_byte_in_a_run),
        cmocka_unit_test(a_run_is_bounded),
        cmocka_unit_test(ids_that_look_like_mistakes),
        cmocka_unit_test(ids_are_written),
        cmocka_unit_test(an_endless_line),
    };

    return cmocka_run_group_tests(tests, NULL, drop);
}
