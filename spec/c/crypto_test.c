/* SHA-256 and HMAC-SHA-256, against values that Python's hashlib computed. */
#include "check.h"

#include "../../src/core/pz_crypto.h"
#include "../../src/core/pz_text.h"

static struct pz_crypto *crypto;

static int make(void **state)
{
    (void)state;
    crypto = pz_crypto_new();
    return crypto == NULL;
}

static int drop(void **state)
{
    (void)state;
    pz_crypto_free(crypto);
    crypto = NULL;
    return 0;
}

/* 'len' times the same byte. */
static struct pz_slice repeated(char *room, char c, size_t len)
{
    struct pz_slice s = { room, len };

    memset(room, c, len);
    return s;
}

TEST(sha256)
{
    static const struct {
        size_t len;
        const char *hex;
    } cases[] = {
        { 0, "e3b0c44298fc1c149afbf4c8996fb924"
             "27ae41e4649b934ca495991b7852b855" },
        { 55, "9f4390f8d30c2dd92ec9f095b65e2b9a"
              "e9b0a925a5258e241c9f1e910f734318" },
        { 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f"
              "590ce20f1bde7090ef7970686ec6738a" },
        { 64, "ffe054fe7ae0cb6dc65c3af9b61d5209"
              "f439851db43d0ba5997337df154668eb" },
        { 1000, "41edece42d63e8d9bf515a9ba6932e1c"
                "20cbc9f5a5d134645adb5db1b9737ea3" },
    };
    static char room[1000];
    char hex[PZ_SHA256_HEX_LEN + 1] = "";

    BEGIN();
    assert_int_equal(pz_sha256_hex(crypto, hex, LIT("abc")), PZ_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PZ_COUNT(cases); i++) {
            struct pz_slice data = repeated(room, 'a', cases[i].len);

            assert_int_equal(pz_sha256_hex(crypto, hex, guard(0, data)),
                             PZ_OK);
            assert_string_equal(hex, cases[i].hex);
        }
    }
    assert_int_equal(pz_sha256_hex(crypto, hex, pz_slice_of(NULL)), PZ_OK);
    assert_string_equal(hex, cases[0].hex);
}

static void check_hmac(struct pz_slice key, struct pz_slice data,
                       const char *expected)
{
    unsigned char mac[PZ_SHA256_LEN];
    char hex[PZ_SHA256_HEX_LEN + 1] = "";

    assert_int_equal(pz_hmac_key(crypto, guard(0, key)), PZ_OK);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(pz_hmac(crypto, mac, guard(1, data)), PZ_OK);
        pz_hex(hex, mac, sizeof mac);
        assert_string_equal(hex, expected);
        /* A hash in between leaves the key alone. */
        assert_int_equal(pz_sha256(crypto, mac, LIT("other")), PZ_OK);
    }
}

TEST(hmac)
{
    static char key[256], text[300];

    BEGIN();
    check_hmac(LIT(""), LIT(""), "b613679a0814d9ec772f95d778c35fc5"
                                 "ff1697c493715653c6c712144292c5ad");
    check_hmac(LIT("key"), LIT("The quick brown fox jumps over the lazy dog"),
               "f7bc83f430538424b13298e6aa6fb143"
               "ef4d59a14946175997479dbc2d1a3cd8");
    /* Around the block of 64 bytes. */
    check_hmac(repeated(key, 'k', 63), LIT("m"),
               "e458f5dd7e8afee6b774e5d451ae43f4"
               "d268bf11646030143d0b0231dcb02383");
    check_hmac(repeated(key, 'k', 64), LIT("m"),
               "3b7a8d453e76edb519238a515105a575"
               "08d0f169f480ebeee120a9e7803289fa");
    check_hmac(repeated(key, 'k', 65), LIT("m"),
               "c2d7d4c2256ddb097409ec0c67e1d58f"
               "a1a007fc6932cac0d892a525d08af7cc");
    check_hmac(repeated(key, 'k', 200), repeated(text, 'm', 300),
               "b232c078380bb17bdc3d4d4359919b99"
               "f2239f80e1dfd5c773c5c4a64b1b81a0");
    for (int i = 0; i < 256; i++)
        key[i] = (char)i;
    check_hmac((struct pz_slice){ key, 256 }, LIT("\x00\xff"),
               "29421526066564a456ad89fb21aac1d5"
               "1d026783d1b56e44fe129ba0631ee08a");
}

/* A longer key's rest must not shine through in a shorter one's place. */
TEST(keys_replace_each_other)
{
    BEGIN();
    check_hmac(LIT("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
                   "kkkkkk"), LIT("m"),
               "e458f5dd7e8afee6b774e5d451ae43f4"
               "d268bf11646030143d0b0231dcb02383");
    check_hmac(LIT(""), LIT(""), "b613679a0814d9ec772f95d778c35fc5"
                                 "ff1697c493715653c6c712144292c5ad");
}

TEST(free_takes_nothing)
{
    BEGIN();
    pz_crypto_free(NULL);
}

#ifdef PZ_TEST
static enum pz_status make_one(void *arg)
{
    struct pz_crypto *one = pz_crypto_new();

    (void)arg;
    pz_crypto_free(one);
    return one ? PZ_OK : PZ_ENOMEM;
}

TEST(refused_memory)
{
    BEGIN();
    assert_int_equal(check_refusals(make_one, NULL), 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(hmac),
        cmocka_unit_test(keys_replace_each_other),
        cmocka_unit_test(free_takes_nothing),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, make, drop);
}
