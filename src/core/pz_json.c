#include "pz_json.h"

#include <string.h>

#include "pz_text.h"
#include "pz_word.h"

/* How many bytes at 'at' stand in a string as they are. */
static size_t plain_len(struct pz_slice text, size_t at)
{
    size_t i = at;

    while (text.len - i >= PZ_WORD) {
        uint64_t word = pz_word_load(text.data + i);

        if (pz_word_has_less(word, 0x20) || pz_word_has(word, '"') ||
            pz_word_has(word, '\\'))
            break;
        i += PZ_WORD;
    }
    while (i < text.len && (unsigned char)text.data[i] >= 0x20 &&
           text.data[i] != '"' && text.data[i] != '\\')
        i++;
    return i - at;
}

/* The letter after the backslash, 'u' for the long form. */
static char escape_letter(unsigned char c)
{
    switch (c) {
    case '"': case '\\': return (char)c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 'u';
    }
}

static enum pz_status add_escape(struct pz_buf *out, unsigned char c)
{
    char letter = escape_letter(c);
    char text[6] = { '\\', letter, '0', '0', 0, 0 };

    if (letter != 'u')
        return pz_buf_add(out, text, 2);
    pz_hex(text + 4, &c, 1);
    return pz_buf_add(out, text, 6);
}

enum pz_status pz_json_string(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = pz_buf_reserve(out, text.len + 2);
    size_t at = 0;

    if (status == PZ_OK)
        status = pz_buf_addc(out, '"');
    while (status == PZ_OK && at < text.len) {
        size_t len = plain_len(text, at);

        status = pz_buf_add(out, text.data + at, len);
        at += len;
        if (status == PZ_OK && at < text.len)
            status = add_escape(out, (unsigned char)text.data[at++]);
    }
    return status == PZ_OK ? pz_buf_addc(out, '"') : status;
}

struct reader {
    struct pz_slice text;
    size_t at;
};

static int peek(const struct reader *r)
{
    return r->at < r->text.len ? (unsigned char)r->text.data[r->at] : -1;
}

static int take(struct reader *r, char c)
{
    if (peek(r) != (unsigned char)c)
        return 0;
    r->at++;
    return 1;
}

static void skip_space(struct reader *r)
{
    for (int c = peek(r); c == ' ' || c == '\n' || c == '\r' || c == '\t';
         c = peek(r))
        r->at++;
}

static int take_digits(struct reader *r)
{
    size_t start = r->at;

    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > start;
}

static int take_number(struct reader *r)
{
    take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return 0;
    if (take(r, '.') && !take_digits(r))
        return 0;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        return take_digits(r);
    }
    return 1;
}

/* The four digits after "\u", or -1. */
static long hex4(struct pz_slice text, size_t at)
{
    long value = 0;

    if (text.len < at + 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = pz_hex_digit(text.data[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The code point of the "\uXXXX" (or pair) at 'at', which moves past it; -1
   where there is none. */
static long take_unicode(struct pz_slice text, size_t *at)
{
    long high = hex4(text, *at + 2), low;

    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return -1;
    *at += 6;
    if (high < 0xD800 || high > 0xDBFF)
        return high;
    if (text.len < *at + 6 || text.data[*at] != '\\' ||
        text.data[*at + 1] != 'u')
        return -1;
    low = hex4(text, *at + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    *at += 6;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static int take_escape(struct reader *r)
{
    int c = r->at + 1 < r->text.len ? r->text.data[r->at + 1] : 0;

    if (c == 'u')
        return take_unicode(r->text, &r->at) >= 0;
    if (c == 0 || strchr("\"\\/bfnrt", c) == NULL)
        return 0;
    r->at += 2;
    return 1;
}

/* A string; 'raw' receives what stands between its quotes. */
static int take_string(struct reader *r, struct pz_slice *raw)
{
    size_t start = r->at + 1, ignored;

    if (!take(r, '"'))
        return 0;
    for (;;) {
        int c;

        r->at += plain_len(r->text, r->at);
        c = peek(r);
        if (c == '"')
            break;
        /* The end, a control character or a backslash. */
        if (c != '\\' || !take_escape(r))
            return 0;
    }
    *raw = pz_slice_sub(r->text, start, r->at);
    r->at++;
    return pz_utf8_count(*raw, &ignored);
}

static int take_word(struct reader *r, struct pz_slice word)
{
    if (!pz_slice_starts(pz_slice_sub(r->text, r->at, r->text.len), word))
        return 0;
    r->at += word.len;
    return 1;
}

static enum pz_status is_named(int *same, struct pz_slice raw,
                               const char *name)
{
    struct pz_buf key = PZ_BUF_INIT(0);
    enum pz_status status = PZ_OK;

    if (pz_slice_find(raw, '\\', 0) == raw.len) {
        *same = pz_slice_eq(raw, pz_slice_of(name));
        return PZ_OK;
    }
    status = pz_json_unescape(&key, raw);
    *same = pz_slice_eq(pz_buf_slice(&key), pz_slice_of(name));
    pz_buf_free(&key);
    return status;
}

/* Which containers are open: a bit each, set for an object. */
struct nesting {
    unsigned char objects[PZ_JSON_DEPTH / 8];
    size_t depth;
};

static int in_object(const struct nesting *n)
{
    size_t top = n->depth - 1;

    return n->depth > 0 && (n->objects[top / 8] >> (top % 8) & 1);
}

static int enter(struct nesting *n, int is_object)
{
    unsigned char bit = (unsigned char)(1u << (n->depth % 8));

    if (n->depth == PZ_JSON_DEPTH)
        return 0;
    if (is_object)
        n->objects[n->depth / 8] |= bit;
    else
        n->objects[n->depth / 8] &= (unsigned char)~bit;
    n->depth++;
    return 1;
}

struct scan {
    struct reader reader;
    struct nesting nesting;
    struct pz_json_member *members;
    size_t count;
    struct pz_json_member *wanted; /* the member whose value comes next */
    size_t values;
};

/* In an object: a name and its colon. */
static enum pz_status take_name(struct scan *s)
{
    struct pz_slice raw;

    s->wanted = NULL;
    if (!take_string(&s->reader, &raw))
        return PZ_EINVAL;
    for (size_t i = 0; s->nesting.depth == 1 && i < s->count; i++) {
        int same;
        enum pz_status status = is_named(&same, raw, s->members[i].name);

        if (status != PZ_OK)
            return status;
        if (same)
            s->wanted = &s->members[i];
    }
    skip_space(&s->reader);
    if (!take(&s->reader, ':'))
        return PZ_EINVAL;
    skip_space(&s->reader);
    return PZ_OK;
}

static int take_scalar(struct scan *s)
{
    struct reader *r = &s->reader;
    struct pz_slice raw;

    switch (peek(r)) {
    case '"':
        if (!take_string(r, &raw))
            return 0;
        if (s->wanted && !s->wanted->found) {
            s->wanted->found = 1;
            s->wanted->raw = raw;
        }
        return 1;
    case 't': return take_word(r, PZ_LIT("true"));
    case 'f': return take_word(r, PZ_LIT("false"));
    case 'n': return take_word(r, PZ_LIT("null"));
    default: return take_number(r);
    }
}

/* After a value: closes what ends here, up to the next value's start.
   *more tells whether there is one. */
static enum pz_status after_value(struct scan *s, int *more)
{
    struct reader *r = &s->reader;

    for (;;) {
        skip_space(r);
        *more = s->nesting.depth > 0;
        if (!*more)
            return PZ_OK;
        if (take(r, ',')) {
            skip_space(r);
            return in_object(&s->nesting) ? take_name(s) : PZ_OK;
        }
        if (!take(r, in_object(&s->nesting) ? '}' : ']'))
            return PZ_EINVAL;
        s->nesting.depth--;
    }
}

/* One value's start: opens containers down to the first scalar or the first
   empty container. */
static enum pz_status take_value(struct scan *s)
{
    struct reader *r = &s->reader;

    for (;;) {
        int is_object = peek(r) == '{';

        if (s->values++ == PZ_JSON_VALUES)
            return PZ_ETOOBIG;
        if (!is_object && peek(r) != '[')
            return take_scalar(s) ? PZ_OK : PZ_EINVAL;
        r->at++;
        s->wanted = NULL;
        skip_space(r);
        if (take(r, is_object ? '}' : ']'))
            return PZ_OK;
        if (!enter(&s->nesting, is_object))
            return PZ_EINVAL;
        if (is_object) {
            enum pz_status status = take_name(s);

            if (status != PZ_OK)
                return status;
        }
    }
}

enum pz_status
pz_json_scan(struct pz_slice text, enum pz_json_kind *kind,
             struct pz_json_member *members, size_t count)
{
    struct scan s;
    enum pz_status status;
    int more = 1;

    memset(&s.nesting, 0, sizeof s.nesting);
    s.reader.text = text;
    s.reader.at = 0;
    s.members = members;
    s.count = count;
    s.wanted = NULL;
    s.values = 0;
    for (size_t i = 0; i < count; i++)
        members[i].found = 0;
    skip_space(&s.reader);
    *kind = peek(&s.reader) == '{' ? PZ_JSON_OBJECT
          : peek(&s.reader) == '[' ? PZ_JSON_ARRAY : PZ_JSON_SCALAR;
    do {
        status = take_value(&s);
        if (status == PZ_OK)
            status = after_value(&s, &more);
    } while (status == PZ_OK && more);
    if (status == PZ_OK && s.reader.at != text.len)
        status = PZ_EINVAL;
    for (size_t i = 0; status != PZ_OK && i < count; i++)
        members[i].found = 0;
    return status;
}

enum pz_status pz_json_unescape(struct pz_buf *out, struct pz_slice raw)
{
    static const char letters[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    enum pz_status status = PZ_OK;

    for (size_t at = 0; status == PZ_OK && at < raw.len;) {
        size_t end = pz_slice_find(raw, '\\', at);
        const char *letter;

        status = pz_buf_adds(out, pz_slice_sub(raw, at, end));
        at = end;
        if (status != PZ_OK || at >= raw.len)
            break;
        if (at + 1 >= raw.len)
            return PZ_EINVAL;
        if (raw.data[at + 1] == 'u') {
            long c = take_unicode(raw, &at);

            status = c < 0 ? PZ_EINVAL : pz_utf8_add(out, (unsigned long)c);
            continue;
        }
        letter = strchr(letters, raw.data[at + 1]);
        if (letter == NULL || *letter == '\0')
            return PZ_EINVAL;
        status = pz_buf_addc(out, plain[letter - letters]);
        at += 2;
    }
    return status;
}
