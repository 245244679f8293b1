/* See pz_head.h for what this knows and refuses to know. */
#include "pz_head.h"

#include <string.h>

#include "pz_text.h"
#include "pz_word.h"

const char *pz_head_method_fault(struct pz_slice method)
{
    static const char fault[] = "a method that is none";

    if (method.len == 0 || method.len > 15)
        return fault;
    for (size_t i = 0; i < method.len; i++)
        if (method.data[i] < 'A' || method.data[i] > 'Z')
            return fault;
    return NULL;
}

const char *pz_head_url_fault(struct pz_slice url)
{
    if (!pz_slice_starts(url, PZ_LIT("https://")) &&
        !pz_slice_starts(url, PZ_LIT("http://")))
        return "a URL that begins neither with https:// nor http://";
    if (!pz_is_visible(url))
        return "a URL with spaces, control or non-ASCII characters";
    return NULL;
}

/* Of what stands before the first colon. */
static int is_name(struct pz_slice s)
{
    return s.len > 0 && pz_is_visible(s);
}

/* Looks at a header that decides where a request ends. */
static const char *judge_length(struct pz_slice name, struct pz_slice value,
                                unsigned long long body_len)
{
    unsigned long long len;

    if (name.len == 14 && pz_slice_ieq(name, PZ_LIT("content-length")) &&
        (!pz_head_length(value, &len) || len != body_len))
        return "a Content-Length that is not the body's";
    if (name.len == 17 && pz_slice_ieq(name, PZ_LIT("transfer-encoding")))
        return "a Transfer-Encoding, which is the transport's own matter";
    return NULL;
}

const char *
pz_head_take(struct pz_slice *rest, struct pz_slice *name,
             struct pz_slice *value, unsigned long long body_len)
{
    size_t eol = pz_slice_find(*rest, '\n', 0);
    struct pz_slice line;

    if (eol == rest->len || eol == 0 || rest->data[eol - 1] != '\r')
        return "a line that does not end in CR LF in its head";
    line = pz_slice_sub(*rest, 0, eol - 1);
    if (pz_slice_find(line, '\0', 0) < line.len)
        return "a NUL in its head";
    if (pz_slice_find(line, '\r', 0) < line.len)
        return "a CR inside a line of its head";
    *name = pz_slice_sub(line, 0, pz_slice_find(line, ':', 0));
    if (!is_name(*name) || name->len == line.len)
        return "a line that is no header in its head";
    *value = pz_slice_trim(pz_slice_sub(line, name->len + 1, line.len));
    *rest = pz_slice_sub(*rest, eol + 1, rest->len);
    return judge_length(*name, *value, body_len);
}

int pz_head_has_length(struct pz_slice method, int has_body)
{
    return has_body || pz_slice_eq(method, PZ_LIT("POST")) ||
           pz_slice_eq(method, PZ_LIT("PUT"));
}

int pz_head_next(struct pz_slice *rest, struct pz_slice *name,
                 struct pz_slice *value)
{
    while (rest->len > 0) {
        size_t eol = pz_slice_find(*rest, '\n', 0);
        struct pz_slice line = pz_slice_sub(*rest, 0, eol);
        size_t colon = pz_slice_find(line, ':', 0);

        *rest = pz_slice_sub(*rest, eol + 1, rest->len);
        *name = pz_slice_sub(line, 0, colon);
        if (colon == line.len || !is_name(*name))
            continue;
        *value = pz_slice_trim(pz_slice_sub(line, colon + 1, line.len));
        return 1;
    }
    return 0;
}

int pz_head_length(struct pz_slice s, unsigned long long *out)
{
    const unsigned long long most = ~0ULL;
    unsigned long long n = 0;

    if (s.len == 0)
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.data[i] - '0';

        if (digit > 9 || n > (most - digit) / 10)
            return 0;
        n = n * 10 + digit;
    }
    *out = n;
    return 1;
}

static int is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7F;
}

int pz_head_is_text(struct pz_slice s)
{
    size_t i = 0;

    while (i < s.len) {
        size_t end = i + 1;

        if (s.len - i >= PZ_WORD) {
            uint64_t word = pz_word_load(s.data + i);

            end = i + PZ_WORD;
            if (!pz_word_has_less(word, 0x20) && !pz_word_has(word, 0x7F))
                i = end;
        }
        for (; i < end; i++)
            if (is_control(s.data[i]))
                return 0;
    }
    return 1;
}

int pz_head_is_value(struct pz_slice s)
{
    return pz_is_printable(s, ' ');
}

int pz_head_is_token(struct pz_slice s)
{
    static const char others[] = "-_.!#$%&'*+^`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9')) &&
            (c == '\0' || strchr(others, c) == NULL))
            return 0;
    }
    return s.len > 0;
}
