#include "pz_run.h"

#include <stdint.h>
#include <string.h>

#include "pz_text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What stands in a block, a bit a byte, the first byte's the lowest. */
struct look {
    uint64_t lines; /* LF */
    uint64_t odd;   /* what no plain line has */
    uint64_t high;  /* not ASCII */
};

/*
 * Most ids are of letters, digits, hyphens, dots and the like, all of which
 * come after ',' in ASCII; so one comparison tells whether a block needs a
 * closer look.
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

static void look_at(struct look *look, const char *p)
{
    __m128i v[VECTORS], low[VECTORS];

    for (int i = 0; i < VECTORS; i++) {
        v[i] = _mm_loadu_si128((const void *)(p + 16 * i));
        /* Signed: what is not ASCII is below zero. */
        low[i] = _mm_cmplt_epi8(v[i], _mm_set1_epi8(',' + 1));
    }
    look->lines = find(v, '\n');
    look->odd = gather(low) & ~look->lines;
    look->high = 0;
    if (look->odd == 0)
        return;
    look->high = gather(v);
    look->odd = find(v, ',') | find(v, '"') | find(v, '\r') | find(v, '\0');
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
        uint64_t word = 0, lines;

        for (int j = 8; j-- > 0;)
            word = word << 8 | b[j];
        lines = find(word, '\n');
        look->lines |= lines << (8 * i);
        if ((word & EACH(0x80)) == 0 &&
            (gather(word + EACH(0x80 - (',' + 1))) | lines) == 0xFF)
            continue;
        look->high |= gather(word) << (8 * i);
        look->odd |= (find(word, ',') | find(word, '"') | find(word, '\r') |
                      find(word, '\0')) << (8 * i);
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

static int is_utf8(const char *from, size_t len)
{
    struct pz_slice line = { from, len };
    size_t count;

    return pz_utf8_count(line, &count);
}

void pz_run_scan(struct pz_run *run, struct pz_slice text)
{
    size_t start = 0, lines = 0;
    int high = 0; /* has the line something that is not ASCII? */

    for (size_t at = 0; text.len - at >= PZ_RUN_BLOCK; at += PZ_RUN_BLOCK) {
        struct look look;

        look_at(&look, text.data + at);
        /* Lines from the first odd byte on are none of ours. */
        if (look.odd)
            look.lines &= (look.odd & (0 - look.odd)) - 1;
        for (; look.lines; look.lines &= look.lines - 1) {
            unsigned bit = lowest(look.lines);
            size_t end = at + bit;

            if (end - start - 1 >= PZ_RUN_ID_MAX || lines == run->max_lines)
                goto done;
            if (look.high || high) {
                uint64_t before = look.high & (((uint64_t)1 << bit) - 1);

                if ((before || high) &&
                    !is_utf8(text.data + start, end - start))
                    goto done;
                look.high &= ~before;
                high = 0;
            }
            if (run->ends)
                run->ends[lines] = end;
            lines++;
            start = end + 1;
        }
        high |= look.high != 0;
        if (look.odd || at + PZ_RUN_BLOCK - start > PZ_RUN_ID_MAX)
            break;
    }
done:
    run->lines = lines;
    run->len = start;
}
