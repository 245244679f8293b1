/* The set of ids: SipHash against openssl's, and many additions against what
   must be true of them. */
#include "check.h"

#include <stdlib.h>

#include "../../src/core/pz_idset.h"

static const unsigned char key[PZ_IDSET_KEY_LEN] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
};

TEST(siphash)
{
    /* `openssl mac -macopt hexkey:0001..0f -macopt size:16 -macopt c-rounds:1
       -macopt d-rounds:3 SIPHASH` of the bytes 0, 1, 2, ... */
    static const struct {
        size_t len;
        uint64_t low, high;
    } cases[] = {
        { 0, 0xbea58827b2bc7ee7ULL, 0x013030dd6adb62fdULL },
        { 1, 0xa8edd36004376ffcULL, 0x63f02f2bcc73055eULL },
        { 7, 0xc3e0aaf223b98410ULL, 0x77ab4808c82e2fa6ULL },
        { 8, 0xb4dae3d5e1fe12aaULL, 0x99c7f935ab164f72ULL },
        { 15, 0x6c52bdb205557ec1ULL, 0x09017e1eeccd2129ULL },
        { 16, 0xeb8e511557d9a8d0ULL, 0x93179e3df8b013b5ULL },
        { 36, 0xda8e7102f010a137ULL, 0x40f153e49e3f4bd2ULL },
    };
    char bytes[36];

    BEGIN();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct pz_slice text = { bytes, cases[i].len };
        struct pz_idhash hash = pz_siphash128(0x0706050403020100ULL,
                                              0x0f0e0d0c0b0a0908ULL,
                                              guard(0, text));

        assert_true(hash.low == cases[i].low && hash.high == cases[i].high);
    }
}

static struct pz_slice number(char room[8], unsigned long n)
{
    struct pz_slice s = { room, 8 };

    for (int i = 0; i < 8; i++)
        room[i] = (char)(n >> (8 * i) & 0xFF);
    return s;
}

static struct pz_idhash hash_of(const struct pz_idset *set, unsigned long n)
{
    char room[8];

    return pz_idset_hash(set, number(room, n));
}

static void put(struct pz_idset *set, struct pz_idhash hash)
{
    assert_int_equal(pz_idset_put(set, &hash, 1), PZ_OK);
}

static void decide(struct pz_idset *set)
{
    int is_done = 0;

    while (!is_done)
        assert_int_equal(pz_idset_decide(set, &is_done), PZ_OK);
    assert_int_equal(pz_idset_decide(set, &is_done), PZ_OK);
    assert_true(is_done);
}

/* A list: so many numbers, each 'times' times, in an order of its own. */
static void check_list(unsigned long many, unsigned long times)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    unsigned char *seen = calloc(many, 1);

    assert_non_null(set);
    assert_non_null(seen);
    for (unsigned long i = 0; i < many * times; i++)
        put(set, hash_of(set, i * 7919 % many));
    /* What the header promises; the last block may be empty. */
    assert_true(pz_idset_bytes(set) < 2 * 18 * many * times + 200000);
    assert_int_equal(pz_idset_count(set), many * times);
    decide(set);
    assert_int_equal(pz_idset_repeats(set), many * (times - 1));
    for (unsigned long i = 0; i < many * times; i++) {
        unsigned long n = i * 7919 % many;

        pz_idset_prepare(set, hash_of(set, n));
        assert_int_equal(pz_idset_is_repeat(set, hash_of(set, n)), seen[n]);
        seen[n] = 1;
    }
    free(seen);
    pz_idset_free(set);
}

TEST(each_is_new_once)
{
    BEGIN();
    check_list(1, 1);
    check_list(3, 2);
    check_list(100000, 1);
    check_list(100000, 3);
    check_list(7, 30000);
}

TEST(one_repeat_among_many)
{
    enum { MANY = 200000 };
    struct pz_idset *set = pz_idset_new(key, NULL);

    BEGIN();
    assert_non_null(set);
    for (unsigned long n = 0; n < MANY; n++)
        put(set, hash_of(set, n));
    put(set, hash_of(set, 4711));
    decide(set);
    assert_int_equal(pz_idset_repeats(set), 1);
    for (unsigned long n = 0; n < MANY; n++)
        assert_int_equal(pz_idset_is_repeat(set, hash_of(set, n)), 0);
    assert_int_equal(pz_idset_is_repeat(set, hash_of(set, 4711)), 1);
    pz_idset_free(set);
}

TEST(an_empty_set)
{
    struct pz_idset *set = pz_idset_new(key, NULL);

    BEGIN();
    assert_non_null(set);
    decide(set);
    assert_int_equal(pz_idset_repeats(set), 0);
    assert_int_equal(pz_idset_is_repeat(set, hash_of(set, 1)), 0);
    pz_idset_free(set);
    pz_idset_free(NULL);
}

/* Hashes may be alike in one half, by mere chance or in a test; all of these
   are in one part. */
TEST(alike_hashes)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    struct pz_idhash hash = { 0, 0 };

    BEGIN();
    assert_non_null(set);
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t n = 1; n < 3000; n++) {
            hash.low = 1;
            hash.high = n;
            put(set, hash);
            hash.low = n << 20;
            hash.high = 1;
            put(set, hash);
        }
    }
    decide(set);
    assert_int_equal(pz_idset_repeats(set), 2 * 2999);
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t n = 1; n < 3000; n++) {
            hash.low = 1;
            hash.high = n;
            assert_int_equal(pz_idset_is_repeat(set, hash), turn);
            hash.low = n << 20;
            hash.high = 1;
            assert_int_equal(pz_idset_is_repeat(set, hash), turn);
        }
    }
    pz_idset_free(set);
}

TEST(lines_of_repeats)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    unsigned long long lines[PZ_IDSET_LINES] = { 9, 9, 9, 9, 9 };
    int is_done = 0;

    BEGIN();
    assert_non_null(set);
    for (unsigned long line = 1; line <= 50000; line++) {
        struct pz_idhash hash = hash_of(set, line % 40000);

        hash.high = line;
        put(set, hash);
    }
    while (!is_done)
        assert_int_equal(pz_idset_decide_lines(set, &is_done, lines), PZ_OK);
    assert_int_equal(pz_idset_repeats(set), 10000);
    for (unsigned i = 0; i < PZ_IDSET_LINES; i++)
        assert_int_equal(lines[i], 40001 + i);
    pz_idset_free(set);

    is_done = 0;
    set = pz_idset_new(key, NULL);
    assert_non_null(set);
    while (!is_done)
        assert_int_equal(pz_idset_decide_lines(set, &is_done, lines), PZ_OK);
    assert_int_equal(lines[0], 0);
    pz_idset_free(set);
}

#ifdef PZ_TEST
static enum pz_status fill(void *arg)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    enum pz_status status = set ? PZ_OK : PZ_ENOMEM;
    int is_done = 0;

    (void)arg;
    for (unsigned long n = 0; status == PZ_OK && n < 40000; n++) {
        struct pz_idhash hash = hash_of(set, n % 30000);

        status = pz_idset_put(set, &hash, 1);
    }
    while (status == PZ_OK && !is_done)
        status = pz_idset_decide(set, &is_done);
    pz_idset_free(set);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_in_range(check_refusals(fill, NULL), 8, 100);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash),
        cmocka_unit_test(each_is_new_once),
        cmocka_unit_test(one_repeat_among_many),
        cmocka_unit_test(an_empty_set),
        cmocka_unit_test(alike_hashes),
        cmocka_unit_test(lines_of_repeats),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
