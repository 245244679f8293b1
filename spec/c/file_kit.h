#ifndef FILE_KIT_H
#define FILE_KIT_H
/*
 * What the tests of files share: a folder of their own, and a disk that is
 * full, or a file system that refuses what it is asked for.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* O_TMPFILE; before any header */
#endif
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/io/pz_file.h"

/* Calls go through these instead of the C library. Errnos; 0 lets them be. */
static size_t room = (size_t)-1; /* bytes until the disk is full */
static int fsync_refused, fchmod_refused, flock_refused, rename_refused;
static int folder_refused, noreplace_refused, nameless_refused, syncs;
static uid_t user = (uid_t)-1; /* whom the program takes itself for */

static ssize_t take_room(size_t *len)
{
    if (room == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (*len > room)
        *len = room;
    if (room != (size_t)-1)
        room -= *len;
    return 0;
}

ssize_t write(int fd, const void *data, size_t len)
{
    return take_room(&len) != 0 ? -1
        : (ssize_t)syscall(SYS_write, fd, data, len);
}

#define REFUSE(error) \
    do { \
        if (error) { \
            errno = (error); \
            return -1; \
        } \
    } while (0)

int fsync(int fd)
{
    syncs++;
    REFUSE(fsync_refused);
    return (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode)
{
    REFUSE(fchmod_refused);
    return (int)syscall(SYS_fchmod, fd, mode);
}

int flock(int fd, int operation)
{
    REFUSE(flock_refused);
    return (int)syscall(SYS_flock, fd, operation);
}

int rename(const char *from, const char *to)
{
    REFUSE(rename_refused);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int at, const char *from, int to_at, const char *to,
              unsigned flags)
{
    REFUSE(noreplace_refused);
    return (int)syscall(SYS_renameat2, at, from, to_at, to, flags);
}

uid_t geteuid(void)
{
    return user == (uid_t)-1 ? (uid_t)syscall(SYS_geteuid) : user;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    if ((flags & O_DIRECTORY) && (flags & O_ACCMODE) == O_RDONLY)
        REFUSE(folder_refused);
    if ((flags & O_TMPFILE) == O_TMPFILE)
        REFUSE(nameless_refused);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    return open_any(path, flags, 0600);
}

int open64(const char *path, int flags, ...)
{
    return open_any(path, flags, 0600);
}

static char folder[] = "/tmp/personalize-file-XXXXXX";
static char path[64], other[64], third[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/list", folder);
    (void)snprintf(other, sizeof other, "%s/other", folder);
    (void)snprintf(third, sizeof third, "%s/third", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_files(void **state)
{
    (void)state;
    room = (size_t)-1;
    fsync_refused = fchmod_refused = flock_refused = rename_refused = 0;
    folder_refused = noreplace_refused = nameless_refused = 0;
    user = (uid_t)-1;
    (void)chmod(folder, 0700);
    (void)unlink(path);
    (void)unlink(other);
    (void)unlink(third);
    return 0;
}

static inline void put(const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static inline void assert_file(const char *name, const char *text)
{
    char found[256];
    FILE *file = fopen(name, "rb");
    size_t len;

    assert_non_null(file);
    len = fread(found, 1, sizeof found - 1, file);
    found[len] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(found, text);
}

static inline void assert_mode(const char *name, mode_t mode)
{
    struct stat seen;

    assert_int_equal(stat(name, &seen), 0);
    assert_int_equal(seen.st_mode & 07777, mode);
}

static inline void assert_gone(const char *name)
{
    struct stat seen;

    assert_int_equal(lstat(name, &seen), -1);
    assert_int_equal(errno, ENOENT);
}

/* Is a limit of so many bytes on files an error of f, and no signal? */
static inline int with_limit(rlim_t bytes, int (*f)(const char *text),
                             const char *text)
{
    struct rlimit before, now;
    int error;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    now = before;
    now.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    error = f(text);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    return error;
}

/* What a file system says that does not have what it is asked for. */
static const int lacks_said[] = { EPERM, ENOTSUP, EINVAL, ENOSYS, EACCES };

#endif
