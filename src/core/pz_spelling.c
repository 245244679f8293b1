/* See pz_spelling.h. */
#include "pz_spelling.h"

#include <string.h>

#include "pz_show.h"
#include "pz_text.h"

/* Room for so many units at once: a buffer that grows would leave some of a
   secret behind. */
static enum pz_status reserve(struct pz_buf *out, size_t count)
{
    return pz_buf_reserve(out, count * sizeof(struct pz_unit));
}

void pz_units_free(struct pz_buf *buf)
{
    pz_wipe(buf->data, buf->cap);
    pz_buf_free(buf);
}

static enum pz_status
add_unit(struct pz_buf *out, unsigned char c, size_t from, size_t to)
{
    struct pz_unit unit;

    memset(&unit, 0, sizeof unit);
    unit.from = from;
    unit.to = to;
    unit.c = c;
    return pz_buf_add(out, &unit, sizeof unit);
}

struct pz_units pz_units_of(const struct pz_buf *buf)
{
    struct pz_units u = { (const struct pz_unit *)(const void *)buf->data,
                       buf->len / sizeof(struct pz_unit) };

    return u;
}

enum pz_status pz_units_read(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = reserve(out, text.len);

    for (size_t i = 0; status == PZ_OK && i < text.len; i++)
        status = add_unit(out, (unsigned char)text.data[i], i, i + 1);
    return status;
}

static int is_at(struct pz_units u, size_t at, char c)
{
    return at < u.len && u.at[at].c == (unsigned char)c;
}

/* Digits at *at, which moves behind them: at least 'least', at most 'most';
   -1 where they are too few. */
static long take_number(struct pz_units u, size_t *at, int base, size_t least,
                        size_t most)
{
    long value = 0;
    size_t count = 0;

    while (count < most && *at + count < u.len) {
        int digit = pz_hex_digit((char)u.at[*at + count].c);

        if (digit < 0 || digit >= base)
            break;
        if (value <= 0x10FFFF) /* beyond, it is none in any case */
            value = value * base + digit;
        count++;
    }
    if (count < least)
        return -1;
    *at += count;
    return value;
}

/* The names of entities that a token or a text may be written with. */
static long entity(struct pz_slice name)
{
    static const struct {
        const char *name;
        unsigned char c;
    } known[] = {
        { "amp", '&' },      { "lt", '<' },        { "gt", '>' },
        { "quot", '"' },     { "apos", '\'' },     { "plus", '+' },
        { "sol", '/' },      { "equals", '=' },    { "lowbar", '_' },
        { "UnderBar", '_' }, { "hyphen", '-' },    { "dash", '-' },
        { "period", '.' },   { "comma", ',' },     { "colon", ':' },
        { "semi", ';' },     { "excl", '!' },      { "quest", '?' },
        { "num", '#' },      { "percnt", '%' },    { "dollar", '$' },
        { "commat", '@' },   { "ast", '*' },       { "midast", '*' },
        { "lpar", '(' },     { "rpar", ')' },      { "lsqb", '[' },
        { "lbrack", '[' },   { "rsqb", ']' },      { "rbrack", ']' },
        { "lcub", '{' },     { "lbrace", '{' },    { "rcub", '}' },
        { "rbrace", '}' },   { "verbar", '|' },    { "vert", '|' },
        { "bsol", '\\' },    { "Hat", '^' },       { "grave", '`' },
        { "tilde", '~' },    { "nbsp", ' ' },      { "Tab", ' ' },
        { "NewLine", ' ' },  { "shy", ' ' },
    };

    for (size_t i = 0; i < PZ_COUNT(known); i++)
        if (pz_slice_eq(name, pz_slice_of(known[i].name)))
            return known[i].c;
    return -1;
}

/* "&amp;", "&#43;", "&#x2b;": numbers also without their semicolon. */
static long take_entity(struct pz_units u, size_t *at)
{
    char name[10];
    size_t next = *at + 1, len = 0;
    long point;

    if (is_at(u, next, '#')) {
        int is_hex = is_at(u, next + 1, 'x') || is_at(u, next + 1, 'X');

        next += 1 + (size_t)is_hex;
        point = take_number(u, &next, is_hex ? 16 : 10, 1, 8);
    } else {
        while (len < sizeof name && next < u.len && u.at[next].c >= 'A' &&
               u.at[next].c <= 'z')
            name[len++] = (char)u.at[next++].c;
        point = is_at(u, next, ';')
            ? entity((struct pz_slice){ name, len }) : -1;
    }
    if (point >= 0)
        *at = next + (size_t)is_at(u, next, ';');
    return point;
}

/* "\u002b" or a pair of them, "\u{2b}", "\x2b", "\n", "\/" */
static long take_backslash(struct pz_units u, size_t *at)
{
    size_t next = *at + 2;
    long point = -1;
    char c = *at + 1 < u.len ? (char)u.at[*at + 1].c : '\0';

    if (c == 'x') {
        point = take_number(u, &next, 16, 2, 2);
    } else if (c == 'u' && is_at(u, next, '{')) {
        next++;
        point = take_number(u, &next, 16, 1, 8);
        next += (size_t)is_at(u, next, '}');
    } else if (c == 'u') {
        point = take_number(u, &next, 16, 4, 4);
        if (point >= 0xD800 && point <= 0xDBFF && is_at(u, next, '\\') &&
            is_at(u, next + 1, 'u')) {
            size_t second = next + 2;
            long low = take_number(u, &second, 16, 4, 4);

            if (low >= 0xDC00 && low <= 0xDFFF) {
                point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
                next = second;
            }
        }
    } else if (c != '\0' && strchr("abfnrtv", c)) {
        point = ' ';
    } else if (c != '\0' && strchr("\"'/\\", c)) {
        point = c;
    }
    if (point >= 0)
        *at = next;
    return point;
}

/* Reads the escape at *at, which moves behind it. -1 for none; 'is_byte' says
   that the value is one of UTF-8's bytes. */
static long take_escape(struct pz_units u, size_t *at, int *is_byte)
{
    size_t next = *at + 1;
    long value = -1;

    *is_byte = 0;
    switch (u.at[*at].c) {
    case '%':
        *is_byte = 1;
        value = take_number(u, &next, 16, 2, 2);
        if (value >= 0)
            *at = next;
        return value;
    case '&': return take_entity(u, at);
    case '\\': return take_backslash(u, at);
    default: return value;
    }
}

enum pz_status
pz_units_decode(struct pz_buf *out, struct pz_units u, size_t *count)
{
    enum pz_status status = reserve(out, u.len);

    *count = 0;
    for (size_t at = 0; status == PZ_OK && at < u.len;) {
        size_t next = at;
        int is_byte;
        long value = take_escape(u, &next, &is_byte);
        size_t from = u.at[at].from;

        if (value < 0) {
            status = add_unit(out, u.at[at].c, from, u.at[at].to);
            at++;
            continue;
        }
        ++*count;
        if (is_byte || value < 0x80) {
            status = add_unit(out, (unsigned char)value, from,
                              u.at[next - 1].to);
        } else if (value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF)) {
            char room[4];
            struct pz_buf bytes = { room, 0, sizeof room, sizeof room, 0 };

            status = pz_utf8_add(&bytes, (unsigned long)value);
            for (size_t i = 0; status == PZ_OK && i < bytes.len; i++)
                status = add_unit(out, (unsigned char)room[i], from,
                                  u.at[next - 1].to);
        }
        at = next;
    }
    return status;
}

/* Length of what is not seen at 'at': white space, and characters that are
   hidden; 0 where there is none. */
static size_t unseen(struct pz_units u, size_t at)
{
    char room[4];
    struct pz_slice text = { room, 0 }, taken;
    long point;

    if (u.at[at].c > ' ' && u.at[at].c < 0x7F)
        return 0;
    while (text.len < sizeof room && at + text.len < u.len) {
        room[text.len] = (char)u.at[at + text.len].c;
        text.len++;
    }
    point = pz_utf8_take(&text, &taken);
    return point == ' ' || point == 0xA0 ||
           (point >= 0x2000 && point <= 0x200A) || point == 0x202F ||
           point == 0x205F || point == 0x3000 ||
           (point >= 0 && pz_is_hidden(point)) ? taken.len : 0;
}

enum pz_status
pz_units_fold(struct pz_buf *out, struct pz_units u, enum pz_fold how)
{
    enum pz_status status = reserve(out, u.len);
    size_t gap = 0, is_gap = 0;

    for (size_t at = 0; status == PZ_OK && at < u.len;) {
        size_t len = unseen(u, at);
        unsigned char c = u.at[at].c;

        if (len > 0) {
            gap = is_gap ? gap : u.at[at].from;
            is_gap = 1;
            at += len;
            continue;
        }
        if (how == PZ_FOLD_CLOSE && is_gap && out->len > 0)
            status = add_unit(out, ' ', gap, u.at[at].from);
        is_gap = 0;
        if (how == PZ_FOLD_LOOSE && c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + ('a' - 'A'));
        if (status == PZ_OK && (how == PZ_FOLD_CLOSE || !strchr("+/=-_\\", c)))
            status = add_unit(out, c, u.at[at].from, u.at[at].to);
        at++;
    }
    return status;
}

enum pz_status
pz_fold_text(struct pz_buf *out, struct pz_slice text, enum pz_fold how)
{
    struct pz_buf plain = PZ_BUF_INIT(0), folded = PZ_BUF_INIT(0);
    enum pz_status status = pz_units_read(&plain, text);
    struct pz_units u;

    if (status == PZ_OK)
        status = pz_units_fold(&folded, pz_units_of(&plain), how);
    u = pz_units_of(&folded);
    if (status == PZ_OK)
        status = pz_buf_reserve(out, u.len);
    for (size_t i = 0; status == PZ_OK && i < u.len; i++)
        status = pz_buf_addc(out, (char)u.at[i].c);
    pz_units_free(&plain);
    pz_units_free(&folded);
    return status;
}
