#include "pz_text.h"

#include <string.h>

#include "pz_word.h"

/* Length of the sequence at 'p', or 0 where it is not UTF-8. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    unsigned char low = 0x80, high = 0xBF;
    size_t len;

    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (len > left)
        return 0;
    /* The second byte alone tells overlong forms, surrogates and values
       beyond Unicode apart (Unicode standard, table 3-7). */
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xF4)
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

int pz_utf8_count(struct pz_slice text, size_t *count)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t at = 0, points = 0;

    while (at < text.len) {
        size_t len;

        /* Most text is ASCII: eight bytes at a time. */
        while (text.len - at >= PZ_WORD &&
               !pz_word_has_high(pz_word_load(text.data + at))) {
            at += PZ_WORD;
            points += PZ_WORD;
        }
        if (at == text.len)
            break;
        len = utf8_sequence(p + at, text.len - at);
        if (len == 0) {
            *count = at;
            return 0;
        }
        at += len;
        points++;
    }
    *count = points;
    return 1;
}

long pz_utf8_take(struct pz_slice *text, struct pz_slice *taken)
{
    const unsigned char *p = (const unsigned char *)text->data;
    size_t len = utf8_sequence(p, text->len);
    long point = len == 0 ? -1 : len == 1 ? p[0] : p[0] & (0x7F >> len);

    for (size_t i = 1; i < len; i++)
        point = point << 6 | (p[i] & 0x3F);
    *taken = pz_slice_sub(*text, 0, len ? len : 1);
    *text = pz_slice_sub(*text, taken->len, text->len);
    return point;
}

enum pz_status pz_utf8_add(struct pz_buf *out, unsigned long c)
{
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(len == 1 ? c : (0xF00UL >> len & 0xFF) | c);
    return pz_buf_add(out, bytes, len);
}

enum pz_status pz_lower(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = pz_buf_adds(out, text);
    char *p = status == PZ_OK && text.len > 0
        ? out->data + out->len - text.len : NULL;

    for (size_t i = 0; p && i < text.len; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + ('a' - 'A'));
    return status;
}

enum pz_status
pz_base64(struct pz_buf *out, struct pz_slice data, enum pz_base64 alphabet)
{
    static const char usual[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz0123456789+/";
    enum pz_status status = pz_buf_reserve(out, (data.len + 2) / 3 * 4);

    for (size_t i = 0; status == PZ_OK && i < data.len; i += 3) {
        size_t count = data.len - i < 3 ? data.len - i : 3;
        unsigned long group = 0;
        char digits[4] = { '=', '=', '=', '=' };

        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < count ? (unsigned char)data.data[i + j]
                                            : 0UL);
        for (size_t j = 0; j <= count; j++) {
            size_t digit = group >> (18 - 6 * j) & 63;

            digits[j] = digit < 62 || alphabet == PZ_BASE64
                ? usual[digit] : "-_"[digit - 62];
        }
        status = pz_buf_add(out, digits,
                            alphabet == PZ_BASE64 ? 4 : count + 1);
    }
    return status;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

enum pz_status pz_unbase64(struct pz_buf *out, struct pz_slice text)
{
    size_t start = out->len, rest;
    enum pz_status status;
    unsigned long bits = 0;

    if (text.len > 0 && text.len % 4 == 0 && text.data[text.len - 1] == '=')
        text.len -= text.data[text.len - 2] == '=' ? 2 : 1;
    rest = text.len % 4;
    status = rest == 1 ? PZ_EINVAL : pz_buf_reserve(out, text.len / 4 * 3 + 2);
    for (size_t i = 0; status == PZ_OK && i < text.len; i++) {
        int digit = base64_digit(text.data[i]);

        bits = (bits << 6 | (unsigned long)(digit & 63)) & 0xFFFF;
        if (digit < 0)
            status = PZ_EINVAL;
        else if (i % 4 > 0)
            status = pz_buf_addc(out, (char)(bits >> (6 - 2 * (i % 4)) & 0xFF));
    }
    /* Two spare bits after three digits, four after two. */
    if (status == PZ_OK && rest > 0 && (bits & (rest == 2 ? 15 : 3)))
        status = PZ_EINVAL;
    if (status != PZ_OK && out->len > start) {
        pz_wipe(out->data + start, out->len - start);
        out->len = start;
    }
    return status;
}

/* The digits of four bytes, one a byte, the first in the highest. */
static uint64_t hex_word(const unsigned char *p)
{
    uint64_t n = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 |
                 (uint64_t)p[2] << 8 | p[3], letters;

    n = (n | n << 16) & 0x0000FFFF0000FFFF;
    n = (n | n << 8) & 0x00FF00FF00FF00FF;
    n = (n | n << 4) & 0x0F0F0F0F0F0F0F0F;
    letters = (n + PZ_WORD_OF(6)) >> 4 & PZ_WORD_OF(1); /* from ten on */
    return n + PZ_WORD_OF('0') + letters * ('a' - '0' - 10);
}

void pz_hex(char *out, const unsigned char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;

    for (; len - i >= 4; i += 4) {
        uint64_t word = hex_word(data + i);

        for (size_t j = 0; j < 8; j++)
            out[2 * i + j] = (char)(word >> (56 - 8 * j) & 0xFF);
    }
    for (; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
}

int pz_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int pz_decimal(struct pz_slice s, unsigned long *out)
{
    unsigned long value = 0;

    if (s.len < 1 || s.len > 9)
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return 0;
        value = value * 10 + (unsigned long)(s.data[i] - '0');
    }
    *out = value;
    return 1;
}

struct pz_slice pz_digits(char room[20], unsigned long long n)
{
    size_t at = 20;
    struct pz_slice s;

    do {
        room[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    s.data = room + at;
    s.len = 20 - at;
    return s;
}

enum { NEAREST_MAX = 48 };

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c == '_' ? '-' : c;
}

/* Levenshtein distance, case and underscores aside; both at most
   NEAREST_MAX long. */
static size_t distance(struct pz_slice a, struct pz_slice b)
{
    size_t row[NEAREST_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal +
                            (fold(a.data[i - 1]) != fold(b.data[j - 1]));

            diagonal = row[j];
            if (row[j] + 1 < change)
                change = row[j] + 1;
            if (row[j - 1] + 1 < change)
                change = row[j - 1] + 1;
            row[j] = change;
        }
    }
    return row[b.len];
}

const char *pz_nearest(struct pz_slice name, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = 0;

    if (name.len == 0 || name.len > NEAREST_MAX)
        return NULL;
    for (; *names; names++) {
        struct pz_slice candidate = pz_slice_of(*names);
        size_t d;

        if (candidate.len > NEAREST_MAX)
            continue;
        d = distance(name, candidate);
        if (3 * d <= candidate.len + 2 && (!best || d < best_distance)) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}

int pz_is_printable(struct pz_slice s, char first)
{
    size_t i = 0;

    for (; s.len - i >= PZ_WORD; i += PZ_WORD) {
        uint64_t word = pz_word_load(s.data + i);

        /* 0x7F, and nothing else that is ASCII, is high with one more. */
        if (pz_word_has_high(word | (word + PZ_WORD_OF(1))) ||
            pz_word_has_less(word, (unsigned char)first))
            return 0;
    }
    for (; i < s.len; i++)
        if (s.data[i] < first || s.data[i] > '~')
            return 0;
    return 1;
}

int pz_is_host_label(struct pz_slice s)
{
    if (s.len < 1 || s.len > 63 || s.data[0] == '-' ||
        s.data[s.len - 1] == '-')
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-'))
            return 0;
    }
    return 1;
}
