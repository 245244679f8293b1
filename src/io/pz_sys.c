/* See pz_sys.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* clock_gettime, nanosleep, getrandom under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h> /* TIOCGWINSZ on some systems */
#include <time.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sys/random.h>)
#include <sys/random.h>
#endif
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "pz_fork.h"

#define SLICE 0.2

static double read_clock(clockid_t id)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double pz_sys_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

double pz_sys_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int pz_sys_sleep(double seconds, int (*interrupted)(void *arg), void *arg)
{
    double end = pz_sys_monotonic() + seconds;

    for (;;) {
        double left = end - pz_sys_monotonic();
        struct timespec t = { 0, 0 };

        if (interrupted && interrupted(arg))
            return 1;
        if (!(left > 0)) /* a NaN is no time either */
            return 0;
        /* A signal cuts a slice short; the loop then looks why. */
        t.tv_nsec = (long)((left < SLICE ? left : SLICE) * 1e9);
        (void)nanosleep(&t, NULL);
    }
}

/* Up to 256 bytes; 0, or -1 where this system call is not there. */
static int from_kernel(unsigned char *out, size_t len)
{
#if defined(__linux__) && defined(SYS_getrandom)
    /* By number: libc has a name for it only since glibc 2.25. */
    while (len > 0) {
        long got = syscall(SYS_getrandom, out, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        out += got;
        len -= (size_t)got;
    }
    return 0;
#elif defined(__APPLE__) || defined(__OpenBSD__) || defined(__FreeBSD__)
    return getentropy(out, len);
#else
    (void)out;
    (void)len;
    return -1;
#endif
}

static int from_device(unsigned char *out, size_t len)
{
    int fd = open("/dev/urandom", O_RDONLY
#if defined(O_CLOEXEC)
                                      | O_CLOEXEC
#endif
    );

    if (fd < 0)
        return -1;
    while (len > 0) {
        ssize_t got = read(fd, out, len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        out += got;
        len -= (size_t)got;
    }
    close(fd);
    return len == 0 ? 0 : -1;
}

static enum pz_status draw(void *out, size_t len)
{
    unsigned char *p = out;

    while (len > 0) {
        size_t part = len < 256 ? len : 256;

        if (from_kernel(p, part) != 0 && from_device(p, part) != 0)
            return PZ_EINVAL;
        p += part;
        len -= part;
    }
    return PZ_OK;
}

#if defined(__GNUC__)
enum { AHEAD = 1024, SHORT = 64 };

/* The kernel takes a microsecond to answer, which is a third of what it takes
   to sign a request. A thread's own, and a process's: see 'owner'. */
static __thread struct {
    unsigned char bytes[AHEAD];
    size_t left;
    unsigned long owner; /* a pz_fork_id */
} ahead;

enum pz_status pz_sys_random(void *out, size_t len)
{
    if (len > SHORT)
        return draw(out, len);
    if (ahead.left < len || ahead.owner != pz_fork_id()) {
        ahead.left = 0;
        if (draw(ahead.bytes, AHEAD) != PZ_OK)
            return PZ_EINVAL;
        ahead.left = AHEAD;
        ahead.owner = pz_fork_id();
    }
    ahead.left -= len;
    memcpy(out, ahead.bytes + ahead.left, len);
    pz_wipe(ahead.bytes + ahead.left, len);
    return PZ_OK;
}
#else
enum pz_status pz_sys_random(void *out, size_t len)
{
    return draw(out, len);
}
#endif

const char *pz_sys_getenv(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

int pz_sys_columns(int fd)
{
    struct winsize size = { 0, 0, 0, 0 };

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}
