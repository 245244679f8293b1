#include "pz_crypto.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
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

struct pz_hash {
    md_type *md;
    EVP_MD_CTX *ctx;
};

struct pz_hash *pz_hash_new(void)
{
    struct pz_hash *hash = pz_alloc(sizeof *hash);

    if (hash == NULL)
        return NULL;
    hash->md = fetch_sha256();
    hash->ctx = EVP_MD_CTX_new();
    if (hash->md && hash->ctx && pz_hash_start(hash) == PZ_OK)
        return hash;
    pz_hash_free(hash);
    return NULL;
}

void pz_hash_free(struct pz_hash *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->ctx);
    drop_sha256(hash->md);
    pz_free(hash);
}

enum pz_status pz_hash_start(struct pz_hash *hash)
{
    return EVP_DigestInit_ex(hash->ctx, hash->md, NULL) == 1
        ? PZ_OK : PZ_ECRYPTO;
}

enum pz_status pz_hash_add(struct pz_hash *hash, struct pz_slice data)
{
    return EVP_DigestUpdate(hash->ctx, data.data, data.len) == 1
        ? PZ_OK : PZ_ECRYPTO;
}

enum pz_status
pz_hash_end(struct pz_hash *hash, unsigned char out[PZ_SHA256_LEN])
{
    return EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1
        ? PZ_OK : PZ_ECRYPTO;
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

enum pz_status
pz_sha1_hex(char out[PZ_SHA1_HEX_LEN], struct pz_slice data)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;

    if (EVP_Digest(data.data, data.len, digest, &len, EVP_sha1(), NULL) != 1 ||
        2 * len != PZ_SHA1_HEX_LEN)
        return PZ_ECRYPTO;
    pz_hex(out, digest, len);
    return PZ_OK;
}

/* An encrypted key is refused: without this, OpenSSL asks the terminal. */
static int no_password(char *room, int size, int writing, void *arg)
{
    (void)room;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static EVP_PKEY *read_key(struct pz_slice pem)
{
    EVP_PKEY *key;
    BIO *bio;

    if (pem.len == 0 || pem.len > INT_MAX)
        return NULL;
    bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio == NULL)
        return NULL;
    key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    return key;
}

/* The public key's DER names the curve and ends in its point. To compare that
   works with each OpenSSL, and tells every other kind of key apart. */
static enum pz_status read_point(struct pz_es256 *out, EVP_PKEY *key)
{
    static const unsigned char p256[] = {
        0x30, 0x59, 0x30, 0x13, /* the key's kind: */
        0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, /* EC */
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, /* P-256 */
        0x03, 0x42, 0x00, 0x04 /* its point, both coordinates: */
    };
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    int same = len == (int)(sizeof p256 + sizeof out->x + sizeof out->y) &&
               memcmp(der, p256, sizeof p256) == 0;

    if (same) {
        memcpy(out->x, der + sizeof p256, sizeof out->x);
        memcpy(out->y, der + sizeof p256 + sizeof out->x, sizeof out->y);
    }
    OPENSSL_free(der);
    return same ? PZ_OK : PZ_EINVAL;
}

/* From the DER that OpenSSL signs into. */
static int read_signature(struct pz_es256 *out, const unsigned char *der,
                          size_t len)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    const BIGNUM *r, *s;
    int ok;

    if (sig == NULL)
        return 0;
    ECDSA_SIG_get0(sig, &r, &s);
    ok = BN_bn2binpad(r, out->signature, 32) == 32 &&
         BN_bn2binpad(s, out->signature + 32, 32) == 32;
    ECDSA_SIG_free(sig);
    return ok;
}

static enum pz_status
sign_with(struct pz_es256 *out, EVP_PKEY *key, struct pz_slice text)
{
    unsigned char der[80]; /* 72 at most */
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    if (ctx == NULL)
        return PZ_ENOMEM;
    ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
         EVP_DigestSignUpdate(ctx, text.data, text.len) == 1 &&
         EVP_DigestSignFinal(ctx, der, &len) == 1 &&
         read_signature(out, der, len);
    EVP_MD_CTX_free(ctx);
    return ok ? PZ_OK : PZ_ECRYPTO;
}

enum pz_status
pz_es256_sign(struct pz_es256 *out, struct pz_slice pem, struct pz_slice text)
{
    enum pz_status status = PZ_EINVAL;
    EVP_PKEY *key;

    /* What OpenSSL notes about a bad key is not for whoever uses it next in
       this thread, which may be nginx. */
    ERR_set_mark();
    key = read_key(pem);
    if (key)
        status = read_point(out, key);
    if (status == PZ_OK)
        status = sign_with(out, key, text);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return status;
}
