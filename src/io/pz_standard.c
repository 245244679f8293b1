#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* poll and PIPE_BUF under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_standard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "pz_sys.h"

/* What a pipe that has room is sure to take without blocking. */
#if !defined(PIPE_BUF)
#define PIPE_BUF _POSIX_PIPE_BUF
#endif

enum { SLICE_MS = 100 };
#define GRACE 0.5

void pz_standard_open(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
            continue;
        /* The lowest free number is this one: those below are taken. */
        if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
            return;
    }
}

/* Waits until there is room: 0, or why not. */
static int await_room(int fd, double patience,
                      int (*interrupted)(void *arg), void *arg)
{
    double start = pz_sys_monotonic();
    struct pollfd room = { .fd = fd, .events = POLLOUT };

    for (;;) {
        int slice = patience > 0 ? SLICE_MS : 0;
        int found = poll(&room, 1, slice);
        double waited = pz_sys_monotonic() - start;

        if (found > 0)
            return room.revents & POLLNVAL ? EBADF : 0;
        if (found < 0 && errno != EINTR && errno != EAGAIN)
            return errno;
        if (waited >= patience)
            return EAGAIN;
        if (waited >= GRACE && interrupted && interrupted(arg))
            return EINTR;
    }
}

int pz_standard_write(int fd, struct pz_slice text, double patience,
                      int (*interrupted)(void *arg), void *arg)
{
    while (text.len > 0) {
        ssize_t done;
        int why = await_room(fd, patience, interrupted, arg);

        if (why != 0)
            return why;
        done = write(fd, text.data, text.len < PIPE_BUF ? text.len : PIPE_BUF);
        if (done > 0)
            text = pz_slice_sub(text, (size_t)done, text.len);
        else if (done == 0)
            return EIO;
        else if (errno != EINTR && errno != EAGAIN)
            return errno;
    }
    return 0;
}
