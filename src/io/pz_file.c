/*
 * The steps with which files are opened, written and synced.
 * See pz_file.h and pz_file_parts.h.
 */
#include "pz_file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pz_fd.h"

int pz_file_exceeds_limit(unsigned long long size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}

int pz_file_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int pz_file_is_lack(int error)
{
    return error == EINVAL || error == ENOSYS || error == ENOTSUP ||
           error == EOPNOTSUPP || error == EPERM || error == EACCES ||
           error == ENOTTY || error == EROFS || error == ENOLCK;
}

/* ---- paths ------------------------------------------------------------- */

int pz_file_folder(char out[PZ_FILE_PATH], const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;

    if (len >= PZ_FILE_PATH)
        return ENAMETOOLONG;
    memcpy(out, path, len);
    out[len] = '\0';
    if (len == 0)
        memcpy(out, "./", 3);
    return 0;
}

int pz_file_in_open_folder(int *is_open, struct stat *seen, const char *path)
{
    char folder[PZ_FILE_PATH];
    int error = pz_file_folder(folder, path);

    if (error != 0)
        return error;
    if (stat(folder, seen) != 0)
        return errno;
    *is_open = (seen->st_mode & S_IWOTH) != 0;
    return 0;
}

/* ---- opening ----------------------------------------------------------- */

int pz_file_open(int *fd, const char *path, int flags)
{
    do
        *fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                   S_IRUSR | S_IWUSR);
    while (*fd < 0 && errno == EINTR);
    *fd = pz_fd_lift(*fd);
    return *fd < 0 ? errno : 0;
}

int pz_file_make_private(int fd, unsigned *lacks)
{
    struct stat seen;

    if (fstat(fd, &seen) != 0)
        return errno;
    if ((seen.st_mode & 07777) == (S_IRUSR | S_IWUSR))
        return 0;
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 && !pz_file_is_lack(errno))
        return errno;
    /* Some file systems only say that they did it. */
    if (fstat(fd, &seen) != 0)
        return errno;
    if (seen.st_mode & (S_IRWXG | S_IRWXO))
        *lacks |= PZ_FILE_NO_MODE;
    return 0;
}

int pz_file_make_beside(int *fd, char beside[PZ_FILE_PATH], const char *path,
                        unsigned *lacks)
{
    /* Not made of the file's own name, which may be as long as names can be. */
    static const char name[] = ".personalize-XXXXXX";
    int error = pz_file_folder(beside, path);

    if (error != 0)
        return error;
    if (strlen(beside) + sizeof name > PZ_FILE_PATH)
        return ENAMETOOLONG;
    memcpy(beside + strlen(beside), name, sizeof name);
    *fd = mkstemp(beside);
    if (*fd < 0)
        return errno;
    *fd = pz_fd_lift(*fd);
    error = *fd < 0 ? errno : 0;
    if (error == 0) {
        (void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
        error = pz_file_make_private(*fd, lacks);
        if (error != 0)
            (void)close(*fd);
    }
    if (error != 0)
        (void)unlink(beside);
    return error;
}

/* ---- writing ----------------------------------------------------------- */

int pz_file_write_all(int fd, struct pz_slice text)
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

int pz_file_sync(int fd, unsigned *lacks)
{
    while (fsync(fd) != 0) {
        if (errno == EINTR)
            continue;
        if (!pz_file_is_lack(errno))
            return errno;
        *lacks |= PZ_FILE_NO_SYNC;
        break;
    }
    return 0;
}

int pz_file_sync_name(const char *path, unsigned *lacks)
{
    char folder[PZ_FILE_PATH];
    unsigned no_sync = 0;
    int fd = -1, error = pz_file_folder(folder, path);

    if (error != 0)
        return error;
    error = pz_file_open(&fd, folder, O_RDONLY | O_DIRECTORY);
    if (error == 0) {
        error = pz_file_sync(fd, &no_sync);
        (void)close(fd);
    } else if (pz_file_is_lack(error)) {
        no_sync = 1; /* a folder that may be written, but not read */
        error = 0;
    }
    if (no_sync)
        *lacks |= PZ_FILE_NO_NAME_SYNC;
    return error;
}
