/* The set of ids: SipHash against openssl's, and many additions against what
   must be true of them. */
#include "check.h"

#include "../../src/core/pz_idset.h"

static const unsigned char key[PZ_IDSET_KEY_LEN] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
};

TEST(siphash)
{
    /* `openssl mac -macopt hexkey:0001..0f -macopt size:16 SIPHASH` of the
       bytes 0, 1, 2, ... */
    static const struct {
        size_t len;
        uint64_t low, high;
    } cases[] = {
        { 0, 0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL },
        { 1, 0x44af996bd8c187daULL, 0x45fc229b11597634ULL },
        { 7, 0x53c1dbd8beebf1a1ULL, 0x3982f01fa64ab8c0ULL },
        { 8, 0x61f55862baa9623bULL, 0xb49714f364e2830fULL },
        { 15, 0x11a8b03399e99354ULL, 0xd9c3cf970fec087eULL },
        { 16, 0xbb54b067caa4e26eULL, 0x77052385bf1533fdULL },
        { 36, 0x4648c4291f7dc43dULL, 0x11674f90ed769e1eULL },
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

static int add(struct pz_idset *set, unsigned long n)
{
    char room[8];
    int is_new = -1;

    assert_int_equal(
        pz_idset_add(set, pz_idset_hash(set, number(room, n)), &is_new),
        PZ_OK);
    return is_new;
}

TEST(each_is_new_once)
{
    enum { MANY = 300000 };
    struct pz_idset *set = pz_idset_new(key, NULL);

    BEGIN();
    assert_non_null(set);
    for (unsigned long n = 0; n < MANY; n++) {
        assert_int_equal(add(set, n), 1);
        assert_int_equal(add(set, n * 7919 % (n + 1)), 0);
    }
    for (unsigned long n = 0; n < MANY; n++)
        assert_int_equal(add(set, n), 0);
    /* What the header promises, and what the tables begin with. */
    assert_true(pz_idset_bytes(set) < 2 * 40 * (size_t)MANY);
    pz_idset_free(set);
}

/* Hashes may begin alike without end, by mere chance or in a test. */
TEST(alike_hashes)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    struct pz_idhash hash = { 0, 0 };
    int is_new;

    BEGIN();
    assert_non_null(set);
    for (int turn = 0; turn < 2; turn++) {
        for (uint64_t n = 1; n < 3000; n++) {
            hash.low = n;
            hash.high = 0;
            pz_idset_prepare(set, hash);
            assert_int_equal(pz_idset_add(set, hash, &is_new), PZ_OK);
            assert_int_equal(is_new, turn == 0);
            /* At the end of a table the search goes on at its start. */
            hash.low = ~(uint64_t)0 - n;
            hash.high = ~(uint64_t)0;
            assert_int_equal(pz_idset_add(set, hash, &is_new), PZ_OK);
            assert_int_equal(is_new, turn == 0);
        }
    }
    pz_idset_free(set);
}

TEST(no_room_is_told)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    struct pz_idhash hash = { 0, 0 };
    enum pz_status status = PZ_OK;
    size_t added = 0;
    int is_new;

    BEGIN();
    assert_non_null(set);
    while (status == PZ_OK && added < 10000) {
        hash.low = added + 1;
        status = pz_idset_add(set, hash, &is_new);
        added += status == PZ_OK;
    }
    /* One table cannot hold them and no bit tells them apart. */
    assert_int_equal(status, PZ_ENOMEM);
    hash.low = 1;
    hash.high = ~(uint64_t)0;
    assert_int_equal(pz_idset_add(set, hash, &is_new), PZ_OK);
    assert_int_equal(is_new, 1);
    pz_idset_free(set);
    pz_idset_free(NULL);
}

#ifdef PZ_TEST
static enum pz_status fill(void *arg)
{
    struct pz_idset *set = pz_idset_new(key, NULL);
    enum pz_status status = set ? PZ_OK : PZ_ENOMEM;

    (void)arg;
    for (unsigned long n = 0; status == PZ_OK && n < 20000; n++) {
        char room[8];
        int is_new;

        status = pz_idset_add(set, pz_idset_hash(set, number(room, n)),
                              &is_new);
    }
    pz_idset_free(set);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_in_range(check_refusals(fill, NULL), 6, 100);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash),
        cmocka_unit_test(each_is_new_once),
        cmocka_unit_test(alike_hashes),
        cmocka_unit_test(no_room_is_told),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
