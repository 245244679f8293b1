#include "pz_run.h"

#include <stdint.h>
#include <string.h>

#include "pz_id.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What stands in a block, a bit a byte, the first byte's the lowest. */
struct look {
    uint64_t lines;  /* LF */
    uint64_t odd;    /* what no plain line has */
    uint64_t high;   /* not ASCII */
    uint64_t blanks; /* what it has inside only */
};

/*
 * Most ids are of letters, digits, hyphens, dots and the like, all of which
 * come after ',' in ASCII and before DEL; so one comparison tells whether a
 * block needs a closer look.
 */
#if defined(__SSE2__)
#define VECTORS 4

static uint64_t gather(const __m128i found[VECTORS])
{
    uint64_t bits = 0;

    for (int i = 0; i < VECTORS; i++)
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(found[i]) << (16 * i);
    return bits;
}

static uint64_t find(const __m128i v[VECTORS], char c)
{
    __m128i found[VECTORS];

    for (int i = 0; i < VECTORS; i++)
        found[i] = _mm_cmpeq_epi8(v[i], _mm_set1_epi8(c));
    return gather(found);
}

/* Control characters, LF too, and what has to be quoted. */
static __m128i odd_bytes(__m128i v)
{
    /* Unsigned: what is below 0x20 is the smaller one. */
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
    __m128i quoted = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')),
                                  _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));

    return _mm_or_si128(_mm_or_si128(control, quoted),
                        _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7F)));
}

static void look_at(struct look *look, const char *p)
{
    __m128i v[VECTORS], lines[VECTORS], odd[VECTORS];
    __m128i low = _mm_setzero_si128();

    for (int i = 0; i < VECTORS; i++) {
        __m128i next;

        v[i] = _mm_loadu_si128((const void *)(p + 16 * i));
        lines[i] = _mm_cmpeq_epi8(v[i], _mm_set1_epi8('\n'));
        /* Signed: what is not ASCII is below zero, and so is DEL + 1. */
        next = _mm_add_epi8(v[i], _mm_set1_epi8(1));
        low = _mm_or_si128(low, _mm_andnot_si128(
            lines[i], _mm_cmplt_epi8(next, _mm_set1_epi8(',' + 2))));
    }
    look->lines = gather(lines);
    look->odd = look->high = look->blanks = 0;
    if (_mm_movemask_epi8(low) == 0)
        return;
    look->high = gather(v);
    look->blanks = find(v, ' ');
    for (int i = 0; i < VECTORS; i++)
        odd[i] = odd_bytes(v[i]);
    look->odd = gather(odd) & ~look->lines;
}
#else
#define EACH(byte) (0x0101010101010101ULL * (byte))

/* The high bits of eight bytes, gathered in one; the lowest is the first. */
static uint64_t gather(uint64_t bits)
{
    return ((bits & EACH(0x80)) >> 7) * 0x0102040810204080ULL >> 56;
}

static uint64_t find(uint64_t word, unsigned char c)
{
    uint64_t x = word ^ EACH(c);

    return gather(~(((x & EACH(0x7F)) + EACH(0x7F)) | x));
}

static void look_at(struct look *look, const char *p)
{
    memset(look, 0, sizeof *look);
    for (int i = 0; i < 8; i++) {
        const unsigned char *b = (const unsigned char *)p + 8 * i;
        uint64_t word = 0, lines, high, control;

        for (int j = 8; j-- > 0;)
            word = word << 8 | b[j];
        lines = find(word, '\n');
        look->lines |= lines << (8 * i);
        if ((word & EACH(0x80)) == 0 &&
            (gather(word + EACH(0x80 - (',' + 1))) | lines) == 0xFF &&
            gather(word + EACH(1)) == 0)
            continue;
        high = gather(word);
        look->high |= high << (8 * i);
        look->blanks |= find(word, ' ') << (8 * i);
        /* Without the high bits, so that nothing is carried. */
        control = ~gather((word & EACH(0x7F)) + EACH(0x80 - ' ')) & 0xFF;
        look->odd |= ((control & ~high & ~lines) | find(word, ',') |
                      find(word, '"') | find(word, 0x7F)) << (8 * i);
    }
}
#endif

static unsigned lowest(uint64_t bits)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned n = 0;

    while (!(bits >> n & 1))
        n++;
    return n;
#endif
}

/* Is it plain, as far as its blocks do not tell? */
static int is_plain(struct pz_slice line, int high, int blanks)
{
    if (blanks && (line.data[0] == ' ' || line.data[line.len - 1] == ' '))
        return 0;
    return !high || pz_id_is_plain(line);
}

/* Bits below the one given. */
static uint64_t below(unsigned bit)
{
    return ((uint64_t)1 << bit) - 1;
}

void pz_run_scan(struct pz_run *run, struct pz_slice text)
{
    size_t start = 0, lines = 0;
    int high = 0, blanks = 0; /* what the line has in the blocks before */

    for (size_t at = 0; text.len - at >= PZ_RUN_BLOCK; at += PZ_RUN_BLOCK) {
        struct look look;

        look_at(&look, text.data + at);
        /* Lines from the first odd byte on are none of ours. */
        if (look.odd)
            look.lines &= (look.odd & (0 - look.odd)) - 1;
        for (; look.lines; look.lines &= look.lines - 1) {
            unsigned bit = lowest(look.lines);
            size_t end = at + bit;
            struct pz_slice line = { text.data + start, end - start };

            if (line.len - 1 >= PZ_RUN_ID_MAX || lines == run->max_lines ||
                (line.len == run->header.len &&
                 pz_id_is_header(line, run->header)))
                goto done;
            if (look.high | look.blanks | (unsigned)(high | blanks)) {
                if (!is_plain(line, high || (look.high & below(bit)),
                              blanks || (look.blanks & below(bit))))
                    goto done;
                look.high &= ~below(bit);
                look.blanks &= ~below(bit);
                high = blanks = 0;
            }
            if (run->ends)
                run->ends[lines] = end;
            lines++;
            start = end + 1;
        }
        high |= look.high != 0;
        blanks |= look.blanks != 0;
        if (look.odd || at + PZ_RUN_BLOCK - start > PZ_RUN_ID_MAX)
            break;
    }
done:
    run->lines = lines;
    run->len = start;
}
