#ifndef PZ_WORD_H
#define PZ_WORD_H
/*
 * Eight bytes at a time: whether one of them is of a kind, without a look at
 * each. Byte order makes no difference.
 *
 * Knows bytes; refuses to know what they mean.
 */
#include <stdint.h>
#include <string.h>

enum { PZ_WORD = sizeof(uint64_t) };

/* Every byte 'c'. */
#define PZ_WORD_OF(c) (UINT64_MAX / 255 * (uint64_t)(c))
/* A byte's top bit is where each of the next functions says yes. */
#define PZ_WORD_TOPS PZ_WORD_OF(0x80)

static inline uint64_t pz_word_load(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Is a byte less than 'c', which is at most 0x80? Only whether there is any
   is certain, and all that lies below the first one. */
static inline uint64_t pz_word_has_less(uint64_t word, unsigned c)
{
    return (word - PZ_WORD_OF(c)) & ~word & PZ_WORD_TOPS;
}

/* Is a byte 'c'? */
static inline uint64_t pz_word_has(uint64_t word, unsigned c)
{
    return pz_word_has_less(word ^ PZ_WORD_OF(c), 1);
}

/* Is a byte not ASCII? */
static inline uint64_t pz_word_has_high(uint64_t word)
{
    return word & PZ_WORD_TOPS;
}

#endif
