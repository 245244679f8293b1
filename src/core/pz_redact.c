/* See pz_redact.h. */
#include "pz_redact.h"

#include <string.h>

#include "pz_spelling.h"
#include "pz_text.h"

enum {
    DEPTH = 3,      /* escapes inside of escapes that are undone */
    GRAM = 8,       /* characters of a secret that are too many */
    HEX_GRAM = 16,  /* the same of its digits */
    WHOLE = 12,     /* a private text of so many may be spelled in any way */
    ANYWHERE = 4,   /* and of so many may stand inside of a word */
    BITS = 8192     /* of the filter of grams; a power of 2 */
};

/* One run: the text's bytes that are to go. */
struct search {
    struct pz_units text; /* folded */
    char *marks;       /* one a byte of the text as it came */
};

static void mark(const struct search *s, size_t at, size_t len)
{
    size_t from = s->text.at[at].from, to = s->text.at[at + len - 1].to;

    memset(s->marks + from, 1, to - from);
}

static int stands_at(const struct search *s, size_t at, struct pz_slice what)
{
    if (what.len == 0 || s->text.len - at < what.len)
        return 0;
    for (size_t i = 0; i < what.len; i++)
        if (s->text.at[at + i].c != (unsigned char)what.data[i])
            return 0;
    return 1;
}

static int is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* A word of its own; what is none is told by its quotes. */
static int is_apart(const struct search *s, size_t at, size_t len)
{
    unsigned char before = at > 0 ? s->text.at[at - 1].c : '\0';
    unsigned char after = at + len < s->text.len ? s->text.at[at + len].c
                                                 : '\0';

    if (is_alnum(s->text.at[at].c) && is_alnum(s->text.at[at + len - 1].c))
        return !is_alnum(before) && !is_alnum(after);
    return before == after && (before == '"' || before == '\'');
}

static void find_whole(const struct search *s, struct pz_slice what)
{
    for (size_t at = 0; at + what.len <= s->text.len; at++)
        if (stands_at(s, at, what) &&
            (what.len >= ANYWHERE || is_apart(s, at, what.len)))
            mark(s, at, what.len);
}

/* Where the text was cut: its end may be a beginning. */
static void find_cut(const struct search *s, struct pz_slice what)
{
    size_t len = what.len < s->text.len ? what.len : s->text.len;

    for (; len >= ANYWHERE; len--) {
        if (stands_at(s, s->text.len - len, pz_slice_sub(what, 0, len))) {
            mark(s, s->text.len - len, len);
            return;
        }
    }
}

static size_t gram_bit(unsigned long long gram)
{
    return (size_t)((gram * 0x9E3779B97F4A7C15ULL) >> 32) & (BITS - 1);
}

static int has_gram(struct pz_slice what, const char *gram, size_t len)
{
    for (size_t at = pz_slice_find(what, gram[0], 0); at + len <= what.len;
         at = pz_slice_find(what, gram[0], at + 1))
        if (memcmp(what.data + at, gram, len) == 0)
            return 1;
    return 0;
}

/* Every 'len' characters in a row that are the secret's, too. A filter of its
   grams spares looking for each of the text's. */
static void find_grams(const struct search *s, struct pz_slice what,
                       size_t len)
{
    unsigned char filter[BITS / 8] = { 0 };
    unsigned long long word;
    char gram[HEX_GRAM];

    for (size_t at = 0; at + GRAM <= what.len; at++) {
        memcpy(&word, what.data + at, sizeof word);
        filter[gram_bit(word) / 8] |=
            (unsigned char)(1u << (gram_bit(word) % 8));
    }
    for (size_t at = 0; at + len <= s->text.len; at++) {
        for (size_t i = 0; i < len; i++)
            gram[i] = (char)s->text.at[at + i].c;
        memcpy(&word, gram, sizeof word);
        if ((filter[gram_bit(word) / 8] >> (gram_bit(word) % 8) & 1) &&
            has_gram(what, gram, len))
            mark(s, at, len);
    }
    pz_wipe(gram, sizeof gram);
    pz_wipe(filter, sizeof filter);
}

/* The digits behind each "Signature=". */
static void find_signatures(const struct search *s)
{
    static const char name[] = "signature=";
    size_t len = sizeof name - 1;

    for (size_t at = 0; at + len < s->text.len; at++) {
        size_t i = 0, end;

        while (i < len && (s->text.at[at + i].c | 0x20) == (name[i] | 0x20))
            i++;
        for (end = at + len; end < s->text.len &&
             pz_hex_digit((char)s->text.at[end].c) >= 0;)
            end++;
        if (i == len && end > at + len)
            mark(s, at + len, end - at - len);
    }
}

/* The text with its escapes undone so and so often, folded in both ways. */
struct level {
    struct pz_buf loose, close;
};

struct levels {
    struct level at[DEPTH + 1];
    size_t count;
};

static enum pz_status
read_levels(struct levels *levels, struct pz_slice text)
{
    struct pz_buf plain = PZ_BUF_INIT(0), next = PZ_BUF_INIT(0);
    enum pz_status status = pz_units_read(&plain, text);
    size_t escapes = 1;

    while (status == PZ_OK && escapes > 0 && levels->count <= DEPTH) {
        struct level *level = &levels->at[levels->count++];
        struct pz_buf spent = plain; /* its room is the next one's */

        status = pz_units_fold(&level->loose, pz_units_of(&plain),
                               PZ_FOLD_LOOSE);
        if (status == PZ_OK)
            status = pz_units_fold(&level->close, pz_units_of(&plain),
                                   PZ_FOLD_CLOSE);
        pz_buf_clear(&next);
        if (status == PZ_OK)
            status = pz_units_decode(&next, pz_units_of(&plain), &escapes);
        plain = next;
        next = spent;
    }
    pz_units_free(&plain);
    pz_units_free(&next);
    return status;
}

static void free_levels(struct levels *levels)
{
    for (size_t i = 0; i < levels->count; i++) {
        pz_units_free(&levels->at[i].loose);
        pz_units_free(&levels->at[i].close);
    }
}

enum look { FOR_WHOLE, FOR_GRAMS, FOR_DIGITS };

/* Looks for one spelling of a secret in all readings of the text. */
static void
look_for(const struct levels *levels, char *marks, const struct pz_buf *what,
         enum pz_fold how, enum look look, int is_cut)
{
    struct pz_slice bytes = pz_buf_slice(what);

    for (size_t i = 0; bytes.len > 0 && i < levels->count; i++) {
        struct search s = { { NULL, 0 }, marks };

        s.text = pz_units_of(how == PZ_FOLD_LOOSE ? &levels->at[i].loose
                                                  : &levels->at[i].close);
        if (look == FOR_WHOLE)
            find_whole(&s, bytes);
        else
            find_grams(&s, bytes, look == FOR_GRAMS ? GRAM : HEX_GRAM);
        if (is_cut)
            find_cut(&s, bytes);
    }
}

/* The secret in base64, where it begins at the first, second or third byte
   of a group: the digits that are its own. */
static enum pz_status
add_base64(struct pz_buf *out, struct pz_slice secret, size_t shift)
{
    static const size_t foreign[] = { 0, 2, 3 };
    struct pz_buf bytes = PZ_BUF_INIT(0), digits = PZ_BUF_INIT(0);
    enum pz_status status = pz_buf_reserve(&bytes, shift + secret.len);

    if (status == PZ_OK)
        status = pz_buf_add(&bytes, "\0\0", shift);
    if (status == PZ_OK)
        status = pz_buf_adds(&bytes, secret);
    if (status == PZ_OK)
        status = pz_base64(&digits, pz_buf_slice(&bytes), PZ_BASE64);
    if (status == PZ_OK)
        status = pz_fold_text(out, pz_slice_sub(pz_buf_slice(&digits),
            foreign[shift], bytes.len * 8 / 6), PZ_FOLD_LOOSE);
    pz_units_free(&bytes);
    pz_units_free(&digits);
    return status;
}

static enum pz_status add_hex(struct pz_buf *out, struct pz_slice secret)
{
    enum pz_status status = pz_buf_reserve(out, 2 * secret.len);
    char digits[2];

    for (size_t i = 0; status == PZ_OK && i < secret.len; i++) {
        unsigned char byte = (unsigned char)secret.data[i];

        pz_hex(digits, &byte, 1);
        status = pz_buf_add(out, digits, 2);
    }
    return status;
}

/* A true secret that is long enough to be told by a part of it. */
static enum pz_status
look_for_parts(const struct levels *levels, char *marks,
               struct pz_slice secret, struct pz_buf *what, int is_cut)
{
    enum pz_status status = PZ_OK;

    look_for(levels, marks, what, PZ_FOLD_LOOSE, FOR_GRAMS, is_cut);
    for (size_t shift = 0; status == PZ_OK && shift < 3; shift++) {
        pz_units_free(what);
        status = add_base64(what, secret, shift);
        if (status == PZ_OK)
            look_for(levels, marks, what, PZ_FOLD_LOOSE, FOR_GRAMS, is_cut);
    }
    pz_units_free(what);
    if (status == PZ_OK)
        status = add_hex(what, secret);
    if (status == PZ_OK)
        look_for(levels, marks, what, PZ_FOLD_LOOSE, FOR_DIGITS, is_cut);
    return status;
}

static enum pz_status
look_for_secret(const struct levels *levels, char *marks,
                const struct pz_secret *secret, int is_cut)
{
    struct pz_buf what = PZ_BUF_INIT(0);
    enum pz_status status = pz_fold_text(&what, secret->text, PZ_FOLD_LOOSE);

    if (status == PZ_OK && !secret->is_private && what.len >= GRAM) {
        status = look_for_parts(levels, marks, secret->text, &what, is_cut);
    } else if (status == PZ_OK && what.len >= WHOLE) {
        look_for(levels, marks, &what, PZ_FOLD_LOOSE, FOR_WHOLE, is_cut);
    } else if (status == PZ_OK) {
        pz_units_free(&what);
        status = pz_fold_text(&what, secret->text, PZ_FOLD_CLOSE);
        if (status == PZ_OK)
            look_for(levels, marks, &what, PZ_FOLD_CLOSE, FOR_WHOLE, is_cut);
    }
    pz_units_free(&what);
    return status;
}

/* The text, and a word for each run of marks. */
static enum pz_status
add_unmarked(struct pz_buf *out, struct pz_slice text, const char *marks)
{
    enum pz_status status = PZ_OK;

    for (size_t at = 0; status == PZ_OK && at < text.len;) {
        size_t end = at;

        while (end < text.len && marks[end] == marks[at])
            end++;
        status = pz_buf_adds(out, marks[at] ? PZ_LIT("[redacted]")
                                            : pz_slice_sub(text, at, end));
        at = end;
    }
    return status;
}

enum pz_status
pz_redact(struct pz_buf *out, struct pz_slice text,
          const struct pz_secret *secrets, size_t count, int is_cut)
{
    struct levels levels;
    enum pz_status status;
    char *marks = pz_alloc(text.len);

    if (marks == NULL)
        return PZ_ENOMEM;
    memset(marks, 0, text.len);
    memset(&levels, 0, sizeof levels);
    status = read_levels(&levels, text);
    for (size_t i = 0; status == PZ_OK && i < levels.count; i++) {
        struct search s = { pz_units_of(&levels.at[i].close), marks };

        find_signatures(&s);
    }
    for (size_t i = 0; status == PZ_OK && i < count; i++)
        status = look_for_secret(&levels, marks, &secrets[i], is_cut);
    if (status == PZ_OK)
        status = add_unmarked(out, text, marks);
    free_levels(&levels);
    pz_free(marks);
    return status;
}
