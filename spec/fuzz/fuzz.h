#ifndef FUZZ_H
#define FUZZ_H
/*
 * What the fuzz targets share. A target is a LLVMFuzzerTestOneInput that
 * aborts where a promise is broken; spec/fuzz/run.c feeds it files where no
 * fuzzer does.
 */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS under C99; before any header */
#endif

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/pz_buf.h"
#include "../c/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
                    #what); \
            abort(); \
        } \
    } while (0)

/* The input, or a part of it, where a byte too many cannot be read. */
static inline struct pz_slice fuzz_slice(int slot, const uint8_t *data,
                                         size_t size)
{
    struct pz_slice s = { (const char *)data, size };

    return guard(slot, s);
}

/* Cuts the next part off, up to a line end; the last has the rest. */
static inline struct pz_slice fuzz_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
    struct pz_slice part = { (const char *)*data, 0 };

    part.len = end ? (size_t)(end - *data) : *size;
    *size -= part.len + (end != NULL);
    *data += part.len + (end != NULL);
    return part;
}

static inline int fuzz_is_text(struct pz_slice s, int low, int high)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < low || s.data[i] > high)
            return 0;
    return 1;
}

#endif
