#ifndef PZ_CRYPTO_H
#define PZ_CRYPTO_H
/*
 * SHA-256 and HMAC-SHA-256, and what the SSO and login caches want beside
 * them: names by SHA-1 and a signature over P-256. The only file that knows
 * OpenSSL; SHA-256 is fetched once and kept, since every implicit fetch costs
 * more than the hash of a short text.
 */
#include "pz_buf.h"

enum { PZ_SHA256_LEN = 32, PZ_SHA256_HEX_LEN = 64, PZ_SHA1_HEX_LEN = 40 };

/* The fetched algorithm, its working state and one HMAC key. Not for two
   threads at once. */
struct pz_crypto;

/* NULL when memory is short or OpenSSL has no SHA-256; the caller owns it. */
PZ_MUST_USE struct pz_crypto *pz_crypto_new(void);
/* Wipes the key; takes NULL. */
void pz_crypto_free(struct pz_crypto *crypto);

PZ_MUST_USE enum pz_status
pz_sha256(struct pz_crypto *crypto, unsigned char out[PZ_SHA256_LEN],
          struct pz_slice data);
/* The same as 64 lower-case digits, without a NUL. */
PZ_MUST_USE enum pz_status
pz_sha256_hex(struct pz_crypto *crypto, char out[PZ_SHA256_HEX_LEN],
              struct pz_slice data);

/* SHA-256 of what comes in pieces. */
struct pz_hash;

/* Started; NULL as pz_crypto_new. The caller owns it. */
PZ_MUST_USE struct pz_hash *pz_hash_new(void);
void pz_hash_free(struct pz_hash *hash); /* takes NULL */
PZ_MUST_USE enum pz_status pz_hash_start(struct pz_hash *hash);
PZ_MUST_USE enum pz_status
pz_hash_add(struct pz_hash *hash, struct pz_slice data);
/* Then to be started again. */
PZ_MUST_USE enum pz_status
pz_hash_end(struct pz_hash *hash, unsigned char out[PZ_SHA256_LEN]);

/* Makes 'key' the one that pz_hmac uses, in place of an earlier one. */
PZ_MUST_USE enum pz_status
pz_hmac_key(struct pz_crypto *crypto, struct pz_slice key);
PZ_MUST_USE enum pz_status
pz_hmac(struct pz_crypto *crypto, unsigned char out[PZ_SHA256_LEN],
        struct pz_slice data);

/* 40 lower-case digits, without a NUL. A name for a file, no protection. */
PZ_MUST_USE enum pz_status
pz_sha1_hex(char out[PZ_SHA1_HEX_LEN], struct pz_slice data);

/* ES256 (RFC 7518): r and s one after the other, and the public key's point,
   all numbers big-endian. */
struct pz_es256 {
    unsigned char signature[64], x[32], y[32];
};

/*
 * Signs with a private P-256 key in PEM, be it "EC PRIVATE KEY" or "PRIVATE
 * KEY". PZ_EINVAL where 'pem' is no such key, PZ_ECRYPTO where OpenSSL does
 * not sign with it. Another signature each time.
 */
PZ_MUST_USE enum pz_status
pz_es256_sign(struct pz_es256 *out, struct pz_slice pem, struct pz_slice text);

#endif
