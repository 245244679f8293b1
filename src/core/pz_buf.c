#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* MADV_DONTDUMP under C99 */
#endif

#include "pz_buf.h"

#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#ifdef PZ_TEST
int (*pz_alloc_refuse)(void);
size_t pz_alloc_live;
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
    void *data;

#ifdef PZ_TEST
    if (pz_alloc_refuse && pz_alloc_refuse())
        return NULL;
#endif
    data = malloc(len ? len : 1);
#ifdef PZ_TEST
    pz_alloc_live += data != NULL;
#endif
    return data;
}

void pz_free(void *data)
{
#ifdef PZ_TEST
    pz_alloc_live -= data != NULL;
#endif
    free(data);
}

#if defined(__linux__) && defined(MADV_DONTDUMP)
/* Pages of their own, since leaving out of a core dump goes by pages. */
static void *secret_alloc(size_t len)
{
    void *data;

#ifdef PZ_TEST
    if (pz_alloc_refuse && pz_alloc_refuse())
        return NULL;
#endif
    data = mmap(NULL, len, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return NULL;
    (void)madvise(data, len, MADV_DONTDUMP);
#ifdef PZ_TEST
    pz_alloc_live++;
#endif
    return data;
}

static void secret_free(void *data, size_t len)
{
    if (data == NULL)
        return;
#ifdef PZ_TEST
    pz_alloc_live--;
#endif
    munmap(data, len);
}

enum { SECRET_STEP = 4096 };
#else
#define secret_alloc(len) pz_alloc(len)
#define secret_free(data, len) pz_free(data)
enum { SECRET_STEP = 64 };
#endif

static void release(struct pz_buf *buf)
{
    if (buf->secret)
        secret_free(buf->data, buf->cap);
    else
        pz_free(buf->data);
}

void pz_wipe(void *data, size_t len)
{
    /* Through a volatile pointer, so that the stores are not dropped as
       dead even where the memory is freed next. */
    void *(*volatile set)(void *, int, size_t) = memset;

    if (len > 0)
        set(data, 0, len);
}

enum pz_status pz_buf_grow(struct pz_buf *buf, size_t more)
{
    size_t max = buf->max ? buf->max : PZ_BUF_MAX;
    size_t cap = buf->cap ? buf->cap : buf->secret ? SECRET_STEP : 64;
    char *data;

    if (more > max - buf->len)
        return PZ_ETOOBIG;
    while (cap - buf->len < more)
        cap *= 2;
    if (cap > max)
        cap = max; /* pz_buf_reserve looks at 'cap' alone */
    /* Not realloc: it may move the bytes and leave a copy behind. */
    data = buf->secret ? secret_alloc(cap) : pz_alloc(cap);
    if (data == NULL)
        return PZ_ENOMEM;
    if (buf->len > 0)
        memcpy(data, buf->data, buf->len);
    if (buf->secret && buf->data)
        pz_wipe(buf->data, buf->cap);
    release(buf);
    buf->data = data;
    buf->cap = cap;
    return PZ_OK;
}

enum pz_status
pz_buf_addv(struct pz_buf *buf, const struct pz_slice *parts, size_t count)
{
    size_t total = 0;
    enum pz_status status;

    for (size_t i = 0; i < count; i++)
        total += parts[i].len;
    status = pz_buf_reserve(buf, total);
    for (size_t i = 0; status == PZ_OK && i < count; i++) {
        if (parts[i].len > 0)
            memcpy(buf->data + buf->len, parts[i].data, parts[i].len);
        buf->len += parts[i].len;
    }
    return status;
}

void pz_buf_free(struct pz_buf *buf)
{
    pz_buf_clear(buf);
    release(buf);
    buf->data = NULL;
    buf->cap = 0;
}
