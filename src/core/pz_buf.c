#include "pz_buf.h"

#include <stdlib.h>
#include <string.h>

#ifdef PZ_TEST
int (*pz_alloc_refuse)(void);
#endif

const char *pz_status_text(enum pz_status status)
{
    switch (status) {
    case PZ_OK: return "no error";
    case PZ_ENOMEM: return "not enough memory";
    case PZ_ETOOBIG: return "too much data";
    case PZ_EINVAL: return "invalid data";
    case PZ_ECRYPTO: return "the cryptographic library refused";
    }
    return "unknown error";
}

struct pz_slice pz_slice_of(const char *text)
{
    struct pz_slice s = { text, text ? strlen(text) : 0 };

    return s;
}

int pz_slice_eq(struct pz_slice a, struct pz_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int pz_slice_ieq(struct pz_slice a, struct pz_slice b)
{
    if (a.len != b.len)
        return 0;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return 0;
    return 1;
}

int pz_slice_starts(struct pz_slice s, struct pz_slice prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

size_t pz_slice_find(struct pz_slice s, char c, size_t from)
{
    const char *hit = from < s.len
        ? memchr(s.data + from, c, s.len - from) : NULL;

    return hit ? (size_t)(hit - s.data) : s.len;
}

struct pz_slice pz_slice_sub(struct pz_slice s, size_t from, size_t to)
{
    struct pz_slice part = { s.data, 0 };

    if (to > s.len)
        to = s.len;
    if (from < to) {
        part.data = s.data + from;
        part.len = to - from;
    }
    return part;
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct pz_slice pz_slice_trim(struct pz_slice s)
{
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

void *pz_alloc(size_t len)
{
#ifdef PZ_TEST
    if (pz_alloc_refuse && pz_alloc_refuse())
        return NULL;
#endif
    return malloc(len ? len : 1);
}

void pz_free(void *data)
{
    free(data);
}

void pz_wipe(void *data, size_t len)
{
    /* Through a volatile pointer, so that the stores are not dropped as
       dead even where the memory is freed next. */
    void *(*volatile set)(void *, int, size_t) = memset;

    if (len > 0)
        set(data, 0, len);
}

enum pz_status pz_buf_reserve(struct pz_buf *buf, size_t more)
{
    size_t max = buf->max ? buf->max : PZ_BUF_MAX;
    size_t cap = buf->cap ? buf->cap : 64;
    char *data;

    if (more <= buf->cap - buf->len)
        return PZ_OK;
    if (more > max - buf->len)
        return PZ_ETOOBIG;
    while (cap - buf->len < more)
        cap = cap > max / 2 ? max : cap * 2;
    /* Not realloc: it may move the bytes and leave a copy behind. */
    data = pz_alloc(cap);
    if (data == NULL)
        return PZ_ENOMEM;
    if (buf->len > 0)
        memcpy(data, buf->data, buf->len);
    if (buf->secret && buf->data)
        pz_wipe(buf->data, buf->cap);
    pz_free(buf->data);
    buf->data = data;
    buf->cap = cap;
    return PZ_OK;
}

enum pz_status pz_buf_add(struct pz_buf *buf, const void *data, size_t len)
{
    enum pz_status status = pz_buf_reserve(buf, len);

    if (status == PZ_OK && len > 0) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    }
    return status;
}

enum pz_status pz_buf_addc(struct pz_buf *buf, char c)
{
    return pz_buf_add(buf, &c, 1);
}

enum pz_status pz_buf_adds(struct pz_buf *buf, struct pz_slice s)
{
    return pz_buf_add(buf, s.data, s.len);
}

enum pz_status
pz_buf_addv(struct pz_buf *buf, const struct pz_slice *parts, size_t count)
{
    size_t total = 0;
    enum pz_status status;

    for (size_t i = 0; i < count; i++)
        total += parts[i].len;
    status = pz_buf_reserve(buf, total);
    for (size_t i = 0; status == PZ_OK && i < count; i++)
        status = pz_buf_adds(buf, parts[i]);
    return status;
}

struct pz_slice pz_buf_slice(const struct pz_buf *buf)
{
    struct pz_slice s = { buf->data, buf->len };

    return s;
}

void pz_buf_clear(struct pz_buf *buf)
{
    if (buf->secret && buf->data)
        pz_wipe(buf->data, buf->cap);
    buf->len = 0;
}

void pz_buf_free(struct pz_buf *buf)
{
    pz_buf_clear(buf);
    pz_free(buf->data);
    buf->data = NULL;
    buf->cap = 0;
}
