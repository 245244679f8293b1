/*
 * A clock that can be set forward, to be preloaded into a process: the seconds
 * in the file that SPEC_AHEAD names are added to the clock that never goes
 * back. So no spec has to wait until something is old.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *path = getenv("SPEC_AHEAD");
    FILE *file = id == CLOCK_MONOTONIC && path ? fopen(path, "r") : NULL;
    long seconds = 0;
    int result;

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    result = real(id, t);
    if (file) {
        if (fscanf(file, "%ld", &seconds) == 1)
            t->tv_sec += seconds;
        fclose(file);
    }
    return result;
}
