/* See pz_file.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mkstemp, fchmod and fsync under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* 0, or an errno. */
static int write_all(int fd, struct pz_slice text)
{
    while (text.len > 0) {
        ssize_t done = write(fd, text.data, text.len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : EIO;
        text = pz_slice_sub(text, (size_t)done, text.len);
    }
    return 0;
}

/* 0, or an errno. 'beside' becomes the name of a new file. */
static int replace(const char *path, char *beside, struct pz_slice text)
{
    int error, fd = mkstemp(beside);

    if (fd < 0)
        return errno;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    error = fchmod(fd, S_IRUSR | S_IWUSR) == 0 ? write_all(fd, text) : errno;
    if (error == 0 && fsync(fd) != 0)
        error = errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(beside, path) != 0)
        error = errno;
    if (error != 0)
        (void)unlink(beside);
    return error;
}

enum pz_status
pz_file_write_private(int *error, const char *path, struct pz_slice text)
{
    struct pz_buf beside = PZ_BUF_INIT(0);
    const struct pz_slice parts[] = { pz_slice_of(path), PZ_LIT(".XXXXXX"),
                                      { "", 1 } };
    enum pz_status status = pz_buf_addv(&beside, parts, PZ_COUNT(parts));

    *error = status == PZ_OK ? replace(path, beside.data, text) : 0;
    pz_buf_free(&beside);
    return status;
}
