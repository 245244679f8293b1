#ifndef CHECK_H
#define CHECK_H
/*
 * What the C tests share: cmocka, slices that end where memory ends, and
 * allocations that are refused in turn.
 */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS under C99; before any header */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/core/pz_buf.h"
#include "guard.h"

#define TEST(name) static void name(void **state)
#define BEGIN() (void)state

/* A slice of a literal that may hold NULs. */
#define LIT(text) PZ_LIT(text)

static inline void
check_slice(struct pz_slice got, struct pz_slice expected, const char *file,
            int line)
{
    if (pz_slice_eq(got, expected))
        return;
    print_error("expected \"%.*s\" (%lu), got \"%.*s\" (%lu)\n",
                (int)expected.len, expected.data ? expected.data : "",
                (unsigned long)expected.len, (int)got.len,
                got.data ? got.data : "", (unsigned long)got.len);
    _fail(file, line);
}

#define assert_slice(got, expected) \
    check_slice((got), (expected), __FILE__, __LINE__)
#define assert_text(buf, text) \
    check_slice(pz_buf_slice(buf), pz_slice_of(text), __FILE__, __LINE__)

/* For tables: tells which line of it is the one. */
static inline void
check_case(int good, const char *name, const char *file, int line)
{
    if (good)
        return;
    print_error("case: %s\n", name);
    _fail(file, line);
}

#define assert_case(good, name) \
    check_case((good) != 0, (name), __FILE__, __LINE__)

#ifdef PZ_TEST
static unsigned long check_left;

static inline int check_refuse(void)
{
    return check_left > 0 && --check_left == 0;
}

/*
 * Calls f(arg) with the first, the second, ... allocation refused until none
 * is: each time it must say that memory is short, and give back what it has.
 * Answers the number of refusals.
 */
static inline unsigned long
check_refusals(enum pz_status (*f)(void *arg), void *arg)
{
    size_t held = pz_alloc_live;

    for (unsigned long n = 1; n < 100000; n++) {
        enum pz_status status;
        int refused;

        check_left = n;
        pz_alloc_refuse = check_refuse;
        status = f(arg);
        refused = check_left == 0;
        pz_alloc_refuse = NULL;
        assert_int_equal(pz_alloc_live, held);
        if (!refused) {
            assert_int_equal(status, PZ_OK);
            return n - 1;
        }
        assert_int_equal(status, PZ_ENOMEM);
    }
    fail_msg("no end of allocations");
    return 0;
}
#endif

#endif
