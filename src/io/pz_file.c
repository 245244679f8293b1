/* See pz_file.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mkstemp, fchmod, flock, pread and fsync under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#define _FILE_OFFSET_BITS 64

#include "pz_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
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

/* ---- lines ------------------------------------------------------------- */

enum { OPENINGS_MOST = 100, TAIL = 1024 };

int pz_file_exceeds_limit(unsigned long long size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}

/* Is an open file, of which this is known, the one that has the name? */
static int has_name(const char *path, const struct stat *open_one)
{
    struct stat named;

    return stat(path, &named) == 0 && named.st_dev == open_one->st_dev &&
           named.st_ino == open_one->st_ino;
}

/* 0, or an errno. Waits for whoever has the lock. */
static int lock(int fd, struct stat *seen)
{
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return errno;
    if (fstat(fd, seen) != 0)
        return errno;
    return S_ISREG(seen->st_mode) ? 0 : EINVAL;
}

/* 0, or an errno. The file that has the name, locked until it is closed. */
static int open_locked(int *out, const char *path, struct stat *seen)
{
    for (int i = 0; i < OPENINGS_MOST; i++) {
        int error, fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK |
                             O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);

        if (fd < 0 && errno == EINTR)
            continue;
        if (fd < 0)
            return errno;
        error = lock(fd, seen);
        if (error == 0 && has_name(path, seen)) {
            *out = fd;
            return 0;
        }
        (void)close(fd);
        if (error != 0)
            return error;
    }
    return EBUSY;
}

/* 0, or an errno. *size comes down to the end of the last whole line. */
static int find_end(int fd, off_t *size)
{
    char tail[TAIL];

    while (*size > 0) {
        size_t len = *size < TAIL ? (size_t)*size : (size_t)TAIL;
        off_t from = *size - (off_t)len;
        ssize_t got = pread(fd, tail, len, from);

        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)len)
            return got < 0 ? errno : EIO;
        while (len > 0 && tail[len - 1] != '\n')
            len--;
        *size = from + (off_t)len;
        if (len > 0)
            break;
    }
    return 0;
}

/* 0, or an errno. So that the name of a new file is on the disk, too. */
static int sync_folder(const char *folder)
{
    int error = 0, fd = open(folder, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno;
    /* Not every file system can do it. */
    if (fsync(fd) != 0 && errno != EINVAL)
        error = errno;
    (void)close(fd);
    return error;
}

/* 0, or an errno. An older file may be open to others. */
static int make_private(int fd, const struct stat *seen)
{
    if ((seen->st_mode & (S_IRWXG | S_IRWXO)) == 0 ||
        fchmod(fd, S_IRUSR | S_IWUSR) == 0)
        return 0;
    return errno;
}

/* 0, or an errno. */
static int append(size_t *cut, const char *path, const char *folder,
                  struct pz_slice lines)
{
    struct stat seen;
    int fd = -1, error = open_locked(&fd, path, &seen);
    off_t end = error == 0 ? seen.st_size : 0;

    if (error != 0)
        return error;
    error = make_private(fd, &seen);
    if (error == 0)
        error = find_end(fd, &end);
    if (error == 0 && end < seen.st_size && ftruncate(fd, end) != 0)
        error = errno;
    if (error == 0)
        *cut = (size_t)(seen.st_size - end);
    if (error == 0 &&
        pz_file_exceeds_limit((unsigned long long)end + lines.len))
        error = EFBIG;
    if (error == 0 && lines.len > 0) {
        error = write_all(fd, lines);
        if (error == 0 && fsync(fd) != 0)
            error = errno;
        if (error == 0 && end == 0)
            error = sync_folder(folder);
        /* Under the lock nobody can have added anything since. */
        if (error != 0 && ftruncate(fd, end) != 0)
            error = errno;
    }
    (void)close(fd);
    return error;
}

int pz_file_same(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

enum pz_status
pz_file_append_lines(int *error, size_t *cut, const char *path,
                     struct pz_slice lines)
{
    struct pz_buf folder = PZ_BUF_INIT(0);
    const char *slash = strrchr(path, '/');
    const struct pz_slice parts[] = {
        slash ? pz_slice_sub(pz_slice_of(path), 0, (size_t)(slash - path) + 1)
              : PZ_LIT("."),
        { "", 1 }
    };
    enum pz_status status = pz_buf_addv(&folder, parts, PZ_COUNT(parts));

    *cut = 0;
    *error = status == PZ_OK ? append(cut, path, folder.data, lines) : 0;
    pz_buf_free(&folder);
    return status;
}
