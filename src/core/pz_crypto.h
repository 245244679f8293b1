#ifndef PZ_CRYPTO_H
#define PZ_CRYPTO_H
/*
 * SHA-256 and HMAC-SHA-256. The only file that knows OpenSSL; the algorithm
 * is fetched once and kept, since every implicit fetch costs more than the
 * hash of a short text.
 */
#include "pz_buf.h"

enum { PZ_SHA256_LEN = 32, PZ_SHA256_HEX_LEN = 64 };

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

/* Makes 'key' the one that pz_hmac uses, in place of an earlier one. */
PZ_MUST_USE enum pz_status
pz_hmac_key(struct pz_crypto *crypto, struct pz_slice key);
PZ_MUST_USE enum pz_status
pz_hmac(struct pz_crypto *crypto, unsigned char out[PZ_SHA256_LEN],
        struct pz_slice data);

#endif
