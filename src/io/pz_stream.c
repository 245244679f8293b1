#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* O_CLOEXEC, F_DUPFD_CLOEXEC under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif
#define _FILE_OFFSET_BITS 64

#include "pz_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "../core/pz_text.h"
#include "pz_fd.h"

enum { SLICE_MS = 200, READ_MAX = 1 << 30 };

static const char CLOSED[] = "it is closed";

/* -- What a path leads to ------------------------------------------------ */

/* A standard input that was closed may be open for writing, to keep its
   number from other files (pz_standard_open). */
static int is_write_only(int fd)
{
    return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

/* The descriptor that a path means, or -1. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
    struct pz_slice rest = { NULL, 0 };
    unsigned long fd;

    if (path == NULL || strcmp(path, "/dev/stdin") == 0)
        return STDIN_FILENO;
    for (size_t i = 0; i < PZ_COUNT(folders); i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            rest = pz_slice_of(path + strlen(folders[i]));
    return pz_decimal(rest, &fd) ? (int)fd : -1;
}

static int is_terminal(const char *path, int fd, mode_t mode)
{
    return S_ISCHR(mode) &&
           (fd >= 0 ? isatty(fd) : strcmp(path, "/dev/tty") == 0);
}

enum pz_stream_kind pz_stream_kind(const char *path, const char **why)
{
    struct stat seen;
    int fd = descriptor_of(path);

    *why = NULL;
    /* By the descriptor: a socket has no path that could be looked at. */
    if ((fd >= 0 ? fstat(fd, &seen) : stat(path, &seen)) != 0) {
        *why = fd >= 0 && errno == EBADF ? CLOSED : strerror(errno);
        return PZ_STREAM_WRONG;
    }
    if (fd >= 0 && is_write_only(fd)) {
        *why = CLOSED;
        return PZ_STREAM_WRONG;
    }
    if (S_ISREG(seen.st_mode))
        return PZ_STREAM_FILE;
    if (S_ISFIFO(seen.st_mode) || (S_ISSOCK(seen.st_mode) && fd >= 0) ||
        is_terminal(path, fd, seen.st_mode))
        return PZ_STREAM_ONCE;
    *why = S_ISDIR(seen.st_mode) ? "it is a directory"
        : S_ISSOCK(seen.st_mode) ? "it is a socket"
        : S_ISCHR(seen.st_mode) || S_ISBLK(seen.st_mode) ? "it is a device"
        : "it is no regular file";
    return PZ_STREAM_WRONG;
}

/* -- Opening --------------------------------------------------------------- */

static int fail(struct pz_stream *stream, const char *verb, const char *why)
{
    (void)snprintf(stream->message, sizeof stream->message,
                   "cannot %s %s: %.100s", verb, stream->name, why);
    return -1;
}

int pz_stream_open_path(const char *path)
{
    int fd = descriptor_of(path);

    /* A copy: a socket cannot be opened by its name, and a file or a pipe may
       be one that another user had to open. */
    if (fd >= 0)
        return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    /* A named pipe without a writer would otherwise be waited for here. */
    do
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return pz_fd_lift(fd);
}

int pz_stream_open(struct pz_stream *stream, const char *path)
{
    const char *why;
    enum pz_stream_kind kind = path ? pz_stream_kind(path, &why)
                                    : PZ_STREAM_ONCE;
    int fd;

    stream->is_at_end = 0;
    (void)snprintf(stream->name, sizeof stream->name, "%s",
                   path ? path : "standard input");
    if (kind == PZ_STREAM_WRONG)
        return fail(stream, "open", why);
    fd = pz_stream_open_path(path);
    if (fd < 0)
        return fail(stream, "open", errno == EBADF ? CLOSED : strerror(errno));
    if (is_write_only(fd)) {
        (void)close(fd);
        return fail(stream, "open", CLOSED);
    }
    stream->fd = fd;
    stream->is_open = 1;
    return 0;
}

void pz_stream_close(struct pz_stream *stream)
{
    if (stream->is_open)
        (void)close(stream->fd);
    stream->is_open = 0;
}

/* -- Reading --------------------------------------------------------------- */

/* Waits for a slice of time at most. 1 where reading may tell something. */
static int is_ready(int fd)
{
    struct pollfd look = { fd, POLLIN, 0 };
    int found = poll(&look, 1, SLICE_MS);

    /* What cannot be waited for is read: that tells why. */
    return found > 0 || (found < 0 && errno != EINTR && errno != EAGAIN);
}

enum pz_stream_result
pz_stream_read(struct pz_stream *stream, char *out, size_t len, size_t *got,
               int (*interrupted)(void *arg), void *arg)
{
    *got = 0;
    if (!stream->is_open) {
        (void)fail(stream, "read", CLOSED);
        return PZ_STREAM_FAILED;
    }
    /* A terminal would begin anew behind the end. */
    while (!stream->is_at_end) {
        ssize_t done;

        if (interrupted && interrupted(arg))
            return PZ_STREAM_INTERRUPTED;
        if (!is_ready(stream->fd))
            continue;
        done = read(stream->fd, out, len < READ_MAX ? len : READ_MAX);
        if (done > 0) {
            *got = (size_t)done;
            break;
        }
        stream->is_at_end = done == 0;
        if (done < 0 && errno != EINTR && errno != EAGAIN &&
            errno != EWOULDBLOCK) {
            (void)fail(stream, "read", strerror(errno));
            return PZ_STREAM_FAILED;
        }
    }
    return PZ_STREAM_READ;
}
