#ifndef PZ_SIGV4_H
#define PZ_SIGV4_H
/*
 * AWS Signature Version 4, header form: bytes in, bytes out.
 *
 * Reads no clock, no environment and no socket; refuses to know which
 * service it signs for and which headers should be signed: the caller passes
 * all of it. The stages are public so that each can be tested by itself; they
 * run in the order of this file.
 */
#include "pz_buf.h"
#include "pz_crypto.h"
#include "pz_time.h"

enum { PZ_SIGNATURE_LEN = PZ_SHA256_HEX_LEN };

/* Borrowed; the value may have outer and repeated white space. */
struct pz_header {
    struct pz_slice name, value;
};

/* What is signed. All slices are borrowed for the call. */
struct pz_sigv4_request {
    struct pz_slice method;
    struct pz_slice path;         /* as sent; empty means "/" */
    struct pz_slice query;        /* as sent, without '?' */
    const struct pz_header *headers; /* those to sign, in the order sent */
    size_t header_count;
    struct pz_slice payload_hash; /* 64 digits or a value such as
                                     UNSIGNED-PAYLOAD */
    int keep_path;                /* S3: the path is encoded once and never
                                     normalised */
    int keep_dots;                /* no normalisation, but encoded again */
};

/* Where and when a signature is valid. */
struct pz_scope {
    struct pz_slice region, service;
    char stamp[PZ_STAMP_LEN + 1];
};

/* A secret's derived key, kept for its (secret, date, region, service). */
struct pz_signer;

/* NULL when memory is short or OpenSSL refuses; the caller owns it. */
PZ_MUST_USE struct pz_signer *pz_signer_new(void);
/* Wipes secret and key; takes NULL. */
void pz_signer_free(struct pz_signer *signer);
/* For hashing payloads; owned by the signer. */
struct pz_crypto *pz_signer_crypto(struct pz_signer *signer);

/* 1. Appends the canonical request; '*names' receives the signed headers'
   list, a slice of 'out' until 'out' changes. */
PZ_MUST_USE enum pz_status
pz_sigv4_canonical_request(struct pz_buf *out, struct pz_slice *names,
                           const struct pz_sigv4_request *request);

/* 2. Appends the string to sign. The canonical request may lie in 'out': it
   is hashed before anything is appended. */
PZ_MUST_USE enum pz_status
pz_sigv4_string_to_sign(struct pz_buf *out, struct pz_signer *signer,
                        const struct pz_scope *scope,
                        struct pz_slice canonical_request);

/* 3. The signature; the key is derived only when it is not the kept one. */
PZ_MUST_USE enum pz_status
pz_sigv4_signature(char out[PZ_SIGNATURE_LEN], struct pz_signer *signer,
                   struct pz_slice secret, const struct pz_scope *scope,
                   struct pz_slice string_to_sign);

/* All three, then the value of the Authorization header appended to 'out'.
   'scratch' is cleared first; it holds every signed header until it is
   cleared again, so make it a secret one. */
PZ_MUST_USE enum pz_status
pz_sigv4_authorization(struct pz_buf *out, struct pz_buf *scratch,
                       struct pz_signer *signer,
                       const struct pz_sigv4_request *request,
                       const struct pz_scope *scope,
                       struct pz_slice access_key_id, struct pz_slice secret);

#endif
