/* The table of ids: what is there, what is nearly there, and nothing else,
   however many there are and however alike. */
#include "check.h"

#include "../../src/core/pz_id.h"
#include "../../src/core/pz_idtable.h"

static const unsigned char key[PZ_IDSET_KEY_LEN] = { 7, 1, 4 };

static struct pz_idtable *new_table(void)
{
    struct pz_idtable *table = pz_idtable_new(key, NULL);

    assert_non_null(table);
    return table;
}

static struct pz_idhash hash_of(const struct pz_idtable *table,
                                struct pz_slice id)
{
    uint64_t not_ascii = 0;

    return pz_idtable_hash(table, guard(0, id), &not_ascii);
}

static void put(struct pz_idtable *table, struct pz_slice id)
{
    struct pz_idhash hash = hash_of(table, id);

    assert_int_equal(pz_idtable_put(table, &hash, 1), PZ_OK);
}

static void settle(struct pz_idtable *table)
{
    int is_done = 0;

    while (!is_done)
        assert_int_equal(pz_idtable_settle(table, &is_done), PZ_OK);
}

static enum pz_idmatch find(struct pz_idtable *table, struct pz_slice id)
{
    struct pz_idhash hash = hash_of(table, id);

    pz_idtable_prepare(table, hash);
    return pz_idtable_find(table, hash);
}

TEST(strip)
{
    static const struct {
        const char *id, *stripped;
    } cases[] = {
        { "alice", "alice" },
        { "", "" },
        { " \t\r\n", "" },
        { " alice\t", "alice" },
        { "a b", "a b" },
        { "\302\240alice\342\200\213", "alice" },      /* NBSP, ZWSP */
        { "\357\273\277alice\302\205", "alice" },      /* BOM, NEL */
        { "\343\200\200\343\201\202\343\200\200", "\343\201\202" },
        { "\303\251", "\303\251" },
        { "\303\251 ", "\303\251" },
        { "\240alice\240", "\240alice\240" },          /* no UTF-8 */
        { "\200\200\200\200\200", "\200\200\200\200\200" },
        { " \357\273", "\357\273" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_slice(pz_id_strip(guard(0, pz_slice_of(cases[i].id))),
                     pz_slice_of(cases[i].stripped));
}

TEST(there_near_absent)
{
    static const struct {
        const char *id;
        enum pz_idmatch match;
    } cases[] = {
        { "alice", PZ_ID_THERE }, { "Bob-Smith_01", PZ_ID_THERE },
        { " eve", PZ_ID_THERE }, { "\303\211mile", PZ_ID_THERE },
        { " ", PZ_ID_THERE }, { "a,\"b\nc", PZ_ID_THERE },
        { "ALICE", PZ_ID_NEAR }, { "alicE", PZ_ID_NEAR },
        { " alice", PZ_ID_NEAR }, { "alice\r", PZ_ID_NEAR },
        { "alice\302\240", PZ_ID_NEAR }, { "bob-smith_01", PZ_ID_NEAR },
        { "\tBOB-SMITH_01 ", PZ_ID_NEAR }, { "eve", PZ_ID_NEAR },
        { "eve ", PZ_ID_NEAR }, { "\t", PZ_ID_NEAR },
        { "\303\211MILE", PZ_ID_NEAR },
        { "\303\251mile", PZ_ID_ABSENT }, /* no letter of ASCII's */
        { "alic", PZ_ID_ABSENT }, { "alicea", PZ_ID_ABSENT },
        { "al ice", PZ_ID_ABSENT }, { "\"alice\"", PZ_ID_ABSENT },
        { "bob-smith-01", PZ_ID_ABSENT },
        { "bob-smith\177" "01", PZ_ID_ABSENT },
        { "a,\"b c", PZ_ID_ABSENT }, { "-", PZ_ID_ABSENT },
    };
    struct pz_idtable *table = new_table();

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        if (cases[i].match == PZ_ID_THERE)
            put(table, pz_slice_of(cases[i].id));
    assert_int_equal(pz_idtable_count(table), 6);
    settle(table);
    assert_int_equal(pz_idtable_count(table), 6);
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < PZ_COUNT(cases); i++)
            assert_case(find(table, pz_slice_of(cases[i].id)) ==
                        cases[i].match, cases[i].id);
    assert_int_equal(pz_idtable_found(table), 6);
    pz_idtable_free(table);
}

/* In all places of a word: no other bytes than letters are taken for one
   another. */
TEST(letters)
{
    char id[13] = "a@A[`z{Z\300\340/0";
    size_t len = 12;

    BEGIN();
    for (size_t at = 0; at < len; at++) {
        for (int c = 1; c < 256; c++) {
            char other[13];
            struct pz_idtable *table = new_table();
            struct pz_slice text = { other, len }, own = { id, len };
            int is_letter = (id[at] | 0x20) >= 'a' && (id[at] | 0x20) <= 'z';
            enum pz_idmatch expected = PZ_ID_ABSENT;

            memcpy(other, id, sizeof other);
            other[at] = (char)c;
            if (other[at] == id[at])
                expected = PZ_ID_THERE;
            else if (is_letter && other[at] == (id[at] ^ 0x20))
                expected = PZ_ID_NEAR;
            put(table, own);
            settle(table);
            assert_int_equal(find(table, text), expected);
            pz_idtable_free(table);
        }
    }
}

TEST(what_is_not_ascii_is_told)
{
    struct pz_idtable *table = new_table();
    char id[20] = "abcdefghijklmnopqrs";

    BEGIN();
    for (size_t len = 1; len <= 19; len++) {
        for (size_t at = 0; at < len; at++) {
            struct pz_slice text = { id, len };
            uint64_t not_ascii = 0;
            char was = id[at];

            (void)pz_idtable_hash(table, guard(0, text), &not_ascii);
            assert_true(not_ascii == 0);
            id[at] = '\200';
            (void)pz_idtable_hash(table, guard(0, text), &not_ascii);
            assert_true(not_ascii != 0);
            id[at] = was;
        }
    }
    pz_idtable_free(table);
}

static struct pz_slice number(char room[24], unsigned long n)
{
    struct pz_slice s = { room, 0 };

    s.len = (size_t)snprintf(room, 24, "user-%lu", n);
    return s;
}

static void check_many(unsigned long many, unsigned long times)
{
    struct pz_idtable *table = new_table();
    char room[24];

    for (unsigned long i = 0; i < many * times; i++)
        put(table, number(room, 2 * (i * 7919 % many)));
    assert_int_equal(pz_idtable_count(table), many * times);
    settle(table);
    assert_int_equal(pz_idtable_count(table), many);
    /* What the header promises, and small tables. */
    assert_true(pz_idtable_bytes(table) < 21 * many * times + 800000);
    for (unsigned long n = 0; n < 2 * many; n++)
        assert_int_equal(find(table, number(room, n)),
                         n % 2 == 0 ? PZ_ID_THERE : PZ_ID_ABSENT);
    assert_int_equal(pz_idtable_found(table), many);
    pz_idtable_free(table);
}

TEST(each_of_many)
{
    BEGIN();
    check_many(1, 1);
    check_many(3, 2);
    check_many(100000, 1);
    check_many(20000, 3);
    check_many(1, 30000);
}

TEST(an_empty_table)
{
    struct pz_idtable *table = new_table();

    BEGIN();
    settle(table);
    assert_int_equal(find(table, LIT("alice")), PZ_ID_ABSENT);
    assert_int_equal(pz_idtable_count(table), 0);
    pz_idtable_free(table);
    pz_idtable_free(NULL);
}

/* The n-th way to write an id. */
static struct pz_slice variant(char room[24], unsigned long n)
{
    struct pz_slice s = { room, 17 };

    memcpy(room, "abcdefghijklmnopq", s.len);
    for (size_t i = 0; i < s.len; i++)
        if (n >> i & 1)
            room[i] = (char)(room[i] - 'a' + 'A');
    return s;
}

/* They are all in one place. This takes as long as other ids, or it takes an
   hour. */
TEST(nearly_alike_ids)
{
    enum { MANY = 1 << 17 };
    struct pz_idtable *table = new_table();
    char room[24];

    BEGIN();
    for (unsigned long n = 0; n < MANY; n += 2) {
        put(table, variant(room, n));
        put(table, number(room, n));
    }
    settle(table);
    assert_int_equal(pz_idtable_count(table), MANY);
    for (unsigned long n = 0; n < MANY; n++) {
        assert_int_equal(find(table, variant(room, n)),
                         n % 2 == 0 ? PZ_ID_THERE : PZ_ID_NEAR);
        assert_int_equal(find(table, number(room, n)),
                         n % 2 == 0 ? PZ_ID_THERE : PZ_ID_ABSENT);
    }
    assert_int_equal(pz_idtable_found(table), MANY);
    pz_idtable_free(table);
}

#ifdef PZ_TEST
static enum pz_status fill(void *arg)
{
    struct pz_idtable *table = pz_idtable_new(key, NULL);
    enum pz_status status = table ? PZ_OK : PZ_ENOMEM;
    char room[24];
    int is_done = 0;

    (void)arg;
    for (unsigned long n = 0; status == PZ_OK && n < 300; n++) {
        struct pz_idhash hash = hash_of(table, variant(room, n));

        status = pz_idtable_put(table, &hash, 1);
    }
    while (status == PZ_OK && !is_done)
        status = pz_idtable_settle(table, &is_done);
    pz_idtable_free(table);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_in_range(check_refusals(fill, NULL), 10, 1000);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strip),
        cmocka_unit_test(there_near_absent),
        cmocka_unit_test(letters),
        cmocka_unit_test(what_is_not_ascii_is_told),
        cmocka_unit_test(each_of_many),
        cmocka_unit_test(an_empty_table),
        cmocka_unit_test(nearly_alike_ids),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
