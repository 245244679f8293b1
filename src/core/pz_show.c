/* See pz_show.h. */
#include "pz_show.h"

#include "pz_text.h"

int pz_is_hidden(long point)
{
    /* In order. Unicode 16, DerivedCoreProperties.txt, for those that are
       default ignorable. */
    static const struct {
        long first, last;
    } ranges[] = {
        { 0x00, 0x1F },       { 0x7F, 0x9F },       { 0xAD, 0xAD },
        { 0x34F, 0x34F },     { 0x61C, 0x61C },     { 0x115F, 0x1160 },
        { 0x17B4, 0x17B5 },   { 0x180B, 0x180F },   { 0x200B, 0x200F },
        { 0x2028, 0x202E },   { 0x2060, 0x206F },   { 0x2800, 0x2800 },
        { 0x3164, 0x3164 },   { 0xFDD0, 0xFDEF },   { 0xFE00, 0xFE0F },
        { 0xFEFF, 0xFEFF },   { 0xFFA0, 0xFFA0 },   { 0xFFF0, 0xFFFB },
        { 0x13430, 0x1343F }, { 0x1BCA0, 0x1BCA3 }, { 0x1D173, 0x1D17A },
        { 0xE0000, 0xE0FFF },
    };

    for (size_t i = 0; i < PZ_COUNT(ranges) && point >= ranges[i].first; i++)
        if (point <= ranges[i].last)
            return 1;
    return (point & 0xFFFE) == 0xFFFE;
}

/* Lower-case digits of 'n', at least 'least' of them, at the end of 'room'. */
static struct pz_slice hex_digits(char room[8], unsigned long n, size_t least)
{
    size_t at = 8;

    for (; n > 0 || 8 - at < least; n >>= 4)
        room[--at] = "0123456789abcdef"[n & 15];
    return (struct pz_slice){ room + at, 8 - at };
}

/* Appends a character that is not shown as it is. */
static enum pz_status
add_escape(struct pz_buf *out, long point, struct pz_slice bytes)
{
    static const char letters[] = "abtnvfr"; /* from U+0007 on */
    unsigned long n = point < 0 ? (unsigned char)bytes.data[0]
                                : (unsigned long)point;
    char digits[8];
    struct pz_slice parts[3] = { PZ_LIT("\\x"), hex_digits(digits, n, 2),
                                 { NULL, 0 } };

    if (point >= 7 && point <= 13) {
        parts[0] = PZ_LIT("\\");
        parts[1] = (struct pz_slice){ letters + (point - 7), 1 };
    } else if (point >= 0x80) {
        parts[0] = PZ_LIT("\\u{");
        parts[2] = PZ_LIT("}");
    }
    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

static enum pz_status
add_shown(struct pz_buf *out, long point, struct pz_slice bytes)
{
    return point < 0 || pz_is_hidden(point) ? add_escape(out, point, bytes)
                                            : pz_buf_adds(out, bytes);
}

enum pz_status pz_show_value(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = PZ_OK;

    while (status == PZ_OK && text.len > 0) {
        struct pz_slice bytes;
        long point = pz_utf8_take(&text, &bytes);

        status = add_shown(out, point, bytes);
    }
    return status;
}

/* White space, line ends, and control characters: in a sentence these say
   nothing. */
static int is_gap(long point)
{
    return (point >= 0 && point <= ' ') || (point >= 0x7F && point <= 0x9F) ||
           point == 0x2028 || point == 0x2029;
}

enum pz_status
pz_show_prose(struct pz_buf *out, struct pz_slice text, size_t most)
{
    enum pz_status status = PZ_OK;
    size_t start = out->len, kept = start;
    int gap = 0;

    while (status == PZ_OK && text.len > 0) {
        struct pz_slice bytes;
        long point = pz_utf8_take(&text, &bytes);

        if (is_gap(point)) {
            gap = kept > start;
            continue;
        }
        if (gap)
            status = pz_buf_addc(out, ' ');
        gap = 0;
        if (status == PZ_OK)
            status = point < 0 ? pz_buf_addc(out, '?')
                               : add_shown(out, point, bytes);
        if (status == PZ_OK && out->len - start > most)
            break;
        kept = out->len;
    }
    out->len = kept;
    return status;
}

static enum pz_status add_json_escape(struct pz_buf *out, unsigned long unit)
{
    char digits[8];
    struct pz_slice parts[2] = { PZ_LIT("\\u"), hex_digits(digits, unit, 4) };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

static enum pz_status
add_json(struct pz_buf *out, long point, struct pz_slice bytes)
{
    static const char letters[] = "btn\0fr"; /* from U+0008 on */
    enum pz_status status;
    char pair[2] = { '\\', 0 };

    if (point == '"' || point == '\\')
        pair[1] = (char)point;
    else if (point >= '\b' && point <= '\r')
        pair[1] = letters[point - '\b'];
    if (pair[1])
        return pz_buf_add(out, pair, 2);
    if (point >= 0 && !pz_is_hidden(point))
        return pz_buf_adds(out, bytes);
    if (point < 0)
        return add_json_escape(out, 0xFFFD);
    if (point < 0x10000)
        return add_json_escape(out, (unsigned long)point);
    point -= 0x10000;
    status = add_json_escape(out, 0xD800 + ((unsigned long)point >> 10));
    return status == PZ_OK
        ? add_json_escape(out, 0xDC00 + ((unsigned long)point & 0x3FF))
        : status;
}

enum pz_status pz_show_json(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = pz_buf_reserve(out, text.len + 2);

    if (status == PZ_OK)
        status = pz_buf_addc(out, '"');
    while (status == PZ_OK && text.len > 0) {
        struct pz_slice bytes;
        long point = pz_utf8_take(&text, &bytes);

        status = add_json(out, point, bytes);
    }
    return status == PZ_OK ? pz_buf_addc(out, '"') : status;
}
