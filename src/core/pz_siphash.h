#ifndef PZ_SIPHASH_H
#define PZ_SIPHASH_H
/*
 * SipHash-1-3 with 128 bits (Aumasson and Bernstein): under a random key, who
 * chooses what is hashed cannot make two hashes alike.
 *
 * Its steps stand here for whoever hashes something as it is made.
 */
#include <stdint.h>

#include "pz_buf.h"

struct pz_idhash {
    uint64_t low, high; /* the first eight bytes little-endian, the others */
};

struct pz_idhash pz_siphash128(uint64_t key0, uint64_t key1,
                               struct pz_slice data);

/* Eight bytes. Written out, compilers make it the one load that it is. */
static inline uint64_t pz_sip_word(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* The last, less than eight of 'len' bytes, in a word. */
static inline uint64_t pz_sip_rest(const unsigned char *p, size_t len)
{
    size_t at = len & ~(size_t)7;
    uint64_t word = 0;

    if (at == len)
        return 0;
    if (at > 0) /* of the last eight bytes, those after 'at' */
        return pz_sip_word(p + len - 8) >> (64 - 8 * (len - at));
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static inline uint64_t pz_sip_rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void pz_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = pz_sip_rotate(v[1], 13) ^ v[0];
    v[0] = pz_sip_rotate(v[0], 32);
    v[2] += v[3];
    v[3] = pz_sip_rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = pz_sip_rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = pz_sip_rotate(v[1], 17) ^ v[2];
    v[2] = pz_sip_rotate(v[2], 32);
}

static inline void pz_sip_start(uint64_t v[4], uint64_t key0, uint64_t key1)
{
    v[0] = key0 ^ 0x736f6d6570736575ULL;
    v[1] = key1 ^ 0x646f72616e646f6dULL ^ 0xEE;
    v[2] = key0 ^ 0x6c7967656e657261ULL;
    v[3] = key1 ^ 0x7465646279746573ULL;
}

static inline void pz_sip_add(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    pz_sip_round(v);
    v[0] ^= word;
}

static inline uint64_t pz_sip_half(uint64_t v[4])
{
    pz_sip_round(v);
    pz_sip_round(v);
    pz_sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* 'rest' is what pz_sip_rest says of the last of 'len' bytes. */
static inline struct pz_idhash
pz_sip_end(uint64_t v[4], uint64_t rest, size_t len)
{
    struct pz_idhash out;

    pz_sip_add(v, rest | (uint64_t)len << 56);
    v[2] ^= 0xEE;
    out.low = pz_sip_half(v);
    v[1] ^= 0xDD;
    out.high = pz_sip_half(v);
    return out;
}

#endif
