#include "pz_crypto.h"

#include <openssl/evp.h>
#include <string.h>

#include "pz_text.h"

enum { BLOCK_LEN = 64 };

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define fetch_sha256() EVP_MD_fetch(NULL, "SHA256", NULL)
#define drop_sha256(md) EVP_MD_free(md)
typedef EVP_MD md_type;
#else
#define fetch_sha256() EVP_sha256()
#define drop_sha256(md) ((void)(md))
typedef const EVP_MD md_type;
#endif

/* 'inner' and 'outer' have absorbed the key's two pads: a MAC then starts
   from a copy of each, which is half the work of a keyed start. */
struct pz_crypto {
    md_type *md;
    EVP_MD_CTX *plain, *work, *inner, *outer;
};

struct pz_crypto *pz_crypto_new(void)
{
    struct pz_crypto *crypto = pz_alloc(sizeof *crypto);

    if (crypto == NULL)
        return NULL;
    crypto->md = fetch_sha256();
    crypto->plain = EVP_MD_CTX_new();
    crypto->work = EVP_MD_CTX_new();
    crypto->inner = EVP_MD_CTX_new();
    crypto->outer = EVP_MD_CTX_new();
    if (crypto->md && crypto->plain && crypto->work && crypto->inner &&
        crypto->outer &&
        EVP_DigestInit_ex(crypto->plain, crypto->md, NULL) == 1)
        return crypto;
    pz_crypto_free(crypto);
    return NULL;
}

void pz_crypto_free(struct pz_crypto *crypto)
{
    if (crypto == NULL)
        return;
    /* OpenSSL cleanses a digest's state as it frees it. */
    EVP_MD_CTX_free(crypto->plain);
    EVP_MD_CTX_free(crypto->work);
    EVP_MD_CTX_free(crypto->inner);
    EVP_MD_CTX_free(crypto->outer);
    drop_sha256(crypto->md);
    pz_free(crypto);
}

/* Continues a copy of 'start' with 'data'. */
static enum pz_status finish(struct pz_crypto *crypto, const EVP_MD_CTX *start,
                             unsigned char out[PZ_SHA256_LEN],
                             struct pz_slice data)
{
    if (EVP_MD_CTX_copy_ex(crypto->work, start) != 1 ||
        EVP_DigestUpdate(crypto->work, data.data, data.len) != 1 ||
        EVP_DigestFinal_ex(crypto->work, out, NULL) != 1)
        return PZ_ECRYPTO;
    return PZ_OK;
}

enum pz_status
pz_sha256(struct pz_crypto *crypto, unsigned char out[PZ_SHA256_LEN],
          struct pz_slice data)
{
    return finish(crypto, crypto->plain, out, data);
}

enum pz_status
pz_sha256_hex(struct pz_crypto *crypto, char out[PZ_SHA256_HEX_LEN],
              struct pz_slice data)
{
    unsigned char digest[PZ_SHA256_LEN];
    enum pz_status status = pz_sha256(crypto, digest, data);

    if (status == PZ_OK)
        pz_hex(out, digest, sizeof digest);
    return status;
}

static int absorb_pad(EVP_MD_CTX *ctx, md_type *md,
                      const unsigned char key[BLOCK_LEN], unsigned char mask)
{
    unsigned char pad[BLOCK_LEN];
    int ok;

    for (size_t i = 0; i < BLOCK_LEN; i++)
        pad[i] = key[i] ^ mask;
    ok = EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
         EVP_DigestUpdate(ctx, pad, BLOCK_LEN) == 1;
    pz_wipe(pad, sizeof pad);
    return ok;
}

enum pz_status pz_hmac_key(struct pz_crypto *crypto, struct pz_slice key)
{
    unsigned char block[BLOCK_LEN] = { 0 };
    enum pz_status status = PZ_OK;

    if (key.len > BLOCK_LEN)
        status = pz_sha256(crypto, block, key);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    if (status == PZ_OK &&
        !(absorb_pad(crypto->inner, crypto->md, block, 0x36) &&
          absorb_pad(crypto->outer, crypto->md, block, 0x5C)))
        status = PZ_ECRYPTO;
    pz_wipe(block, sizeof block);
    return status;
}

enum pz_status
pz_hmac(struct pz_crypto *crypto, unsigned char out[PZ_SHA256_LEN],
        struct pz_slice data)
{
    struct pz_slice inner = { (const char *)out, PZ_SHA256_LEN };
    enum pz_status status = finish(crypto, crypto->inner, out, data);

    return status == PZ_OK ? finish(crypto, crypto->outer, out, inner) : status;
}
