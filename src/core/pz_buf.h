#ifndef PZ_BUF_H
#define PZ_BUF_H
/*
 * Slices and growing buffers: the two shapes in which bytes move here.
 *
 * A slice borrows; whoever made it says for how long. A buffer owns its
 * bytes and has a ceiling, so that nothing from outside can make it grow
 * without end. A buffer marked 'secret' never leaves old bytes behind: they
 * are wiped when it grows, is cleared or is freed.
 *
 * Knows memory; refuses to know what the bytes mean.
 */
#include <stddef.h>
#include <string.h>

#if defined(__GNUC__)
#define PZ_MUST_USE __attribute__((warn_unused_result))
#define PZ_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PZ_MUST_USE
#define PZ_PRINTF(f, a)
#endif

#define PZ_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What every core function that may fail answers with. */
enum pz_status {
    PZ_OK = 0,
    PZ_ENOMEM,   /* an allocation was refused */
    PZ_ETOOBIG,  /* a buffer would pass its ceiling */
    PZ_EINVAL,   /* the input is not what the function takes */
    PZ_ECRYPTO   /* OpenSSL refused (a provider without the algorithm, say) */
};

/* A constant text for a status; never NULL. */
const char *pz_status_text(enum pz_status status);

/* Borrowed bytes, not NUL-terminated. The zero value is the empty slice. */
struct pz_slice {
    const char *data;
    size_t len;
};

/* A slice of a string literal. */
#define PZ_LIT(text) ((struct pz_slice){ "" text, sizeof(text) - 1 })

/* What follows is short and called everywhere: hence inline. */

/* NULL gives the empty slice. */
static inline struct pz_slice pz_slice_of(const char *text)
{
    struct pz_slice s = { text, text ? strlen(text) : 0 };

    return s;
}

static inline int pz_slice_eq(struct pz_slice a, struct pz_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline int pz_slice_starts(struct pz_slice s, struct pz_slice prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* Offset of the first 'c' at or after 'from', or s.len. */
static inline size_t pz_slice_find(struct pz_slice s, char c, size_t from)
{
    const char *hit = from < s.len
        ? (const char *)memchr(s.data + from, c, s.len - from) : NULL;

    return hit ? (size_t)(hit - s.data) : s.len;
}

/* Bytes [from, to), both cut to the length. */
static inline struct pz_slice
pz_slice_sub(struct pz_slice s, size_t from, size_t to)
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

int pz_slice_ieq(struct pz_slice a, struct pz_slice b); /* ASCII case aside */
/* Without spaces, tabs, CR and LF at either end. */
struct pz_slice pz_slice_trim(struct pz_slice s);

#define PZ_BUF_MAX ((size_t)16 << 20)

/*
 * Invariants: len <= cap <= max; data is NULL only while cap is 0. The zero
 * value is a valid empty buffer with the ceiling PZ_BUF_MAX.
 */
struct pz_buf {
    char *data;
    size_t len, cap;
    size_t max; /* 0 means PZ_BUF_MAX */
    int secret;
};

#define PZ_BUF_INIT(ceiling) { NULL, 0, 0, (ceiling), 0 }
#define PZ_BUF_SECRET(ceiling) { NULL, 0, 0, (ceiling), 1 }

/* Overwrites in a way the compiler may not leave out. */
void pz_wipe(void *data, size_t len);

/* For pz_buf_reserve, where there is no room yet. */
PZ_MUST_USE enum pz_status pz_buf_grow(struct pz_buf *buf, size_t more);

/* Room for so many bytes more. */
PZ_MUST_USE static inline enum pz_status
pz_buf_reserve(struct pz_buf *buf, size_t more)
{
    return more <= buf->cap - buf->len ? PZ_OK : pz_buf_grow(buf, more);
}

/* An append that fails leaves the buffer as it was. */
PZ_MUST_USE static inline enum pz_status
pz_buf_add(struct pz_buf *buf, const void *data, size_t len)
{
    enum pz_status status = pz_buf_reserve(buf, len);

    if (status == PZ_OK && len > 0) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    }
    return status;
}

PZ_MUST_USE static inline enum pz_status
pz_buf_addc(struct pz_buf *buf, char c)
{
    return pz_buf_add(buf, &c, 1);
}

PZ_MUST_USE static inline enum pz_status
pz_buf_adds(struct pz_buf *buf, struct pz_slice s)
{
    return pz_buf_add(buf, s.data, s.len);
}

/* Appends slices in order; on failure none of them. */
PZ_MUST_USE enum pz_status
pz_buf_addv(struct pz_buf *buf, const struct pz_slice *parts, size_t count);

static inline struct pz_slice pz_buf_slice(const struct pz_buf *buf)
{
    struct pz_slice s = { buf->data, buf->len };

    return s;
}

/* Empties, keeps the memory. */
static inline void pz_buf_clear(struct pz_buf *buf)
{
    if (buf->secret && buf->len > 0)
        pz_wipe(buf->data, buf->len);
    buf->len = 0;
}

/* Gives the memory back, wiped if secret; ceiling and mark stay.
   Idempotent. */
void pz_buf_free(struct pz_buf *buf);

/* The core's only doors to the heap. 'pz_free' takes NULL. */
PZ_MUST_USE void *pz_alloc(size_t len);
void pz_free(void *data);

#ifdef PZ_TEST
/* Answers non-zero when this allocation is to be refused. */
extern int (*pz_alloc_refuse)(void);
/* Blocks that pz_alloc gave and pz_free has not had back. */
extern size_t pz_alloc_live;
#endif

#endif
