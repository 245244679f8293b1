#ifndef PZ_SYS_H
#define PZ_SYS_H
/*
 * The system: two clocks, a sleep that can be interrupted, the kernel's
 * random numbers, the environment, the terminal's width.
 *
 * Knows the operating system; refuses to know what its answers are for.
 * Keeps no state but random bytes drawn ahead, for one thread of one process.
 */
#include <stddef.h>

#include "../core/pz_buf.h"

/* Seconds since 1970, as the system's clock has it. */
double pz_sys_now(void);
/* Seconds since some moment; never set back. */
double pz_sys_monotonic(void);

/*
 * Sleeps. Answers 0, or 1 as soon as interrupted(arg) is non-zero; that is
 * asked at least five times a second, and may be NULL.
 */
int pz_sys_sleep(double seconds, int (*interrupted)(void *arg), void *arg);

/*
 * Random bytes from the kernel, so that forked workers share none. PZ_EINVAL
 * where it has none to give; then 'out' holds nothing to be used. Short
 * requests are served from bytes drawn ahead and given out once.
 */
PZ_MUST_USE enum pz_status pz_sys_random(void *out, size_t len);

/* A variable's value; NULL where it is not set, or empty. Borrowed until the
   environment changes. */
const char *pz_sys_getenv(const char *name);

/* The columns of the terminal behind a descriptor, 80 where it does not tell;
   0 where there is no terminal. */
int pz_sys_columns(int fd);

#endif
