#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pz_fd_lift(int fd)
{
    int above, error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    (void)close(fd);
    errno = error;
    return above;
}
