/* See pz_address.h. */
#include "pz_address.h"

#include <string.h>

#include "pz_text.h"

/* Four decimal numbers up to 255, without leading zeros, which some read as
   octal. */
static int parse_ipv4(unsigned char out[4], struct pz_slice text)
{
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        size_t end = i < 3 ? pz_slice_find(text, '.', at) : text.len;
        struct pz_slice part = pz_slice_sub(text, at, end);
        unsigned long n;

        if (part.len > 3 || (part.len > 1 && part.data[0] == '0') ||
            !pz_decimal(part, &n) || n > 255)
            return 0;
        out[i] = (unsigned char)n;
        at = end + 1;
    }
    return 1;
}

/* One to four hexadecimal digits. */
static int parse_group(unsigned char out[2], struct pz_slice text)
{
    unsigned n = 0;

    if (text.len < 1 || text.len > 4)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = pz_hex_digit(text.data[i]);

        if (digit < 0)
            return 0;
        n = n << 4 | (unsigned)digit;
    }
    out[0] = (unsigned char)(n >> 8);
    out[1] = (unsigned char)(n & 255);
    return 1;
}

/* Groups with colons between them, the last perhaps an IPv4 address. Answers
   how many bytes that makes, or -1. */
static int parse_groups(unsigned char *out, int room, struct pz_slice text)
{
    int len = 0;

    for (size_t at = 0; text.len > 0 && at <= text.len;) {
        size_t end = pz_slice_find(text, ':', at);
        struct pz_slice group = pz_slice_sub(text, at, end);

        if (end == text.len && room - len >= 4 &&
            pz_slice_find(group, '.', 0) < group.len) {
            if (!parse_ipv4(out + len, group))
                return -1;
            len += 4;
        } else {
            if (room - len < 2 || !parse_group(out + len, group))
                return -1;
            len += 2;
        }
        at = end + 1;
    }
    return len;
}

/* Where "::" stands, or the text's length. */
static size_t find_gap(struct pz_slice text)
{
    for (size_t at = 0; (at = pz_slice_find(text, ':', at)) < text.len; at++)
        if (at + 1 < text.len && text.data[at + 1] == ':')
            return at;
    return text.len;
}

static int parse_ipv6(unsigned char out[16], struct pz_slice text)
{
    size_t gap = find_gap(text);
    unsigned char tail[16];
    int before, after = 0;

    memset(out, 0, 16);
    before = parse_groups(out, 16, pz_slice_sub(text, 0, gap));
    if (gap == text.len)
        return before == 16;
    if (before < 0)
        return 0;
    after = parse_groups(tail, 14 - before,
                         pz_slice_sub(text, gap + 2, text.len));
    if (after < 0)
        return 0;
    memcpy(out + 16 - after, tail, (size_t)after);
    return 1;
}

int pz_address_parse(struct pz_address *out, struct pz_slice text)
{
    memset(out, 0, sizeof *out);
    if (text.len > 2 && text.data[0] == '[' &&
        text.data[text.len - 1] == ']') {
        text = pz_slice_sub(text, 1, text.len - 1);
    } else if (parse_ipv4(out->bytes, text)) {
        out->bits = 32;
        return 1;
    }
    out->bits = 128;
    return pz_slice_find(text, ':', 0) < text.len &&
           parse_ipv6(out->bytes, text);
}

int pz_address_shares(const struct pz_address *a, const struct pz_address *b,
                      unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (a->bits != b->bits || bits > a->bits ||
        memcmp(a->bytes, b->bytes, whole) != 0)
        return 0;
    return rest == 0 ||
           (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}
