/*
 * Other certificates in the place of the system's, to be preloaded into a
 * process: files below the folder SPEC_TRUST_OF are those of SPEC_TRUST.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *place(const char *path, char room[4096])
{
    const char *of = getenv("SPEC_TRUST_OF"), *to = getenv("SPEC_TRUST");
    size_t len = of ? strlen(of) : 0;

    if (of == NULL || to == NULL || path == NULL ||
        strncmp(path, of, len) != 0)
        return path;
    snprintf(room, 4096, "%s%s", to, path + len);
    return room;
}

#define INSTEAD(result, name, before, after) \
    result name before \
    { \
        static result (*real) before; \
        char room[4096]; \
        if (real == NULL) \
            *(void **)&real = dlsym(RTLD_NEXT, #name); \
        return real after; \
    }

INSTEAD(FILE *, fopen, (const char *path, const char *mode),
        (place(path, room), mode))
INSTEAD(FILE *, fopen64, (const char *path, const char *mode),
        (place(path, room), mode))
INSTEAD(int, access, (const char *path, int how), (place(path, room), how))
INSTEAD(int, stat, (const char *path, struct stat *out),
        (place(path, room), out))
INSTEAD(int, lstat, (const char *path, struct stat *out),
        (place(path, room), out))
/* What these are called by programs that were built before glibc 2.33. */
INSTEAD(int, __xstat, (int version, const char *path, struct stat *out),
        (version, place(path, room), out))
INSTEAD(int, __lxstat, (int version, const char *path, struct stat *out),
        (version, place(path, room), out))
