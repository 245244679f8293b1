/* See pz_pages.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* MAP_ANONYMOUS and madvise under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_pages.h"

#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

static void *map(size_t len)
{
    void *data = mmap(NULL, len, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return data == MAP_FAILED ? NULL : data;
}

/* Where a huge page may begin; what was mapped before and after goes back. */
static void *map_aligned(size_t len)
{
    char *data = map(len + HUGE_PAGE);
    size_t before;

    if (data == NULL)
        return NULL;
    before = (HUGE_PAGE - (uintptr_t)data % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        (void)munmap(data, before);
    (void)munmap(data + before + len, HUGE_PAGE - before);
#if defined(MADV_HUGEPAGE)
    (void)madvise(data + before, len, MADV_HUGEPAGE);
#endif
    return data + before;
}

/* What is large takes whole huge pages. */
static size_t whole(size_t len)
{
    return len < HUGE_PAGE ? len
                           : (len + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

static void *get(size_t len, void *(*map_it)(size_t len))
{
    void *data;

#ifdef PZ_TEST
    if (pz_alloc_refuse && pz_alloc_refuse())
        return NULL;
#endif
    data = map_it(len);
#ifdef PZ_TEST
    pz_alloc_live += data != NULL;
#endif
    return data;
}

static void put(void *data, size_t len)
{
#ifdef PZ_TEST
    pz_alloc_live--;
#endif
    (void)munmap(data, len);
}

static void *pages_get(size_t len)
{
    return len < HUGE_PAGE ? get(len, map) : get(whole(len), map_aligned);
}

static void pages_put(void *data, size_t len)
{
    put(data, whole(len));
}

const struct pz_idset_memory pz_pages = { pages_get, pages_put };

static void *small_pages_get(size_t len)
{
    return get(len, map);
}

const struct pz_idset_memory pz_small_pages = { small_pages_get, put };
