/* Whole files: in the place of others, or where that cannot be, into them.
   See pz_file.h. */
#include "pz_file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pz_standard.h"

enum { LINKS_MOST = 40 };

/* Where a text goes, once links were followed. */
struct place {
    char path[PZ_FILE_PATH];
    int descriptor; /* -1 where it is a path */
    int is_there;
    struct stat seen; /* where it is there */
};

/* ---- following links --------------------------------------------------- */

/* The number behind a prefix, or -1. */
static int number_after(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);
    char *end;
    long n;

    if (strncmp(path, prefix, len) != 0 || path[len] < '0' || path[len] > '9')
        return -1;
    n = strtol(path + len, &end, 10);
    return *end == '\0' && n < 1 << 20 ? (int)n : -1;
}

/*
 * The descriptor that a path stands for, or -1. Opened by its path, a file
 * would be begun anew, and a pipe would not be the one that is meant.
 */
static int descriptor_of(const char *path)
{
    char own[64];
    int n = number_after(path, "/dev/fd/");

    if (n < 0)
        n = number_after(path, "/proc/self/fd/");
    if (n < 0) {
        (void)snprintf(own, sizeof own, "/proc/%ld/fd/", (long)getpid());
        n = number_after(path, own);
    }
    return n >= 0 ? n
        : strcmp(path, "/dev/stdin") == 0 ? STDIN_FILENO
        : strcmp(path, "/dev/stdout") == 0 ? STDOUT_FILENO
        : strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

/*
 * In a folder that all can write to, another user's link could lead anywhere.
 * The rule is Linux's for /tmp (protected_symlinks), which does not see links
 * that a program reads by itself.
 */
static int may_follow(const char *path, const struct stat *link)
{
    struct stat folder;
    int is_open = 0, error = pz_file_in_open_folder(&is_open, &folder, path);

    if (error != 0)
        return error;
    return !is_open || link->st_uid == geteuid() ||
           link->st_uid == folder.st_uid ? 0 : PZ_FILE_FOREIGN_LINK;
}

/* The path that the link has in it, in place of its own. */
static int follow(char path[PZ_FILE_PATH])
{
    char target[PZ_FILE_PATH], folder[PZ_FILE_PATH];
    ssize_t len = readlink(path, target, sizeof target);
    size_t before;
    int error;

    if (len < 0)
        return errno;
    if ((size_t)len >= sizeof target)
        return ENAMETOOLONG;
    error = pz_file_folder(folder, path);
    if (error != 0)
        return error;
    before = target[0] == '/' ? 0 : strlen(folder);
    if (before + (size_t)len >= PZ_FILE_PATH)
        return ENAMETOOLONG;
    memcpy(path, folder, before);
    memcpy(path + before, target, (size_t)len);
    path[before + (size_t)len] = '\0';
    return 0;
}

static int find_place(struct place *place, const char *path)
{
    int error;

    if (*path == '\0')
        return ENOENT;
    if (strlen(path) >= sizeof place->path)
        return ENAMETOOLONG;
    memcpy(place->path, path, strlen(path) + 1);
    for (int i = 0; i < LINKS_MOST; i++) {
        place->descriptor = descriptor_of(place->path);
        if (place->descriptor >= 0)
            return 0;
        place->is_there = lstat(place->path, &place->seen) == 0;
        if (!place->is_there)
            return errno == ENOENT ? 0 : errno;
        if (!S_ISLNK(place->seen.st_mode))
            return 0;
        error = may_follow(place->path, &place->seen);
        if (error == 0)
            error = follow(place->path);
        if (error != 0)
            return error;
    }
    return ELOOP;
}

/* ---- in the place of a file -------------------------------------------- */

static int replace(const char *path, struct pz_slice text, unsigned *lacks,
                   int *is_no_place)
{
    char beside[PZ_FILE_PATH];
    int fd = -1, error = pz_file_make_beside(&fd, beside, path, lacks);

    *is_no_place = pz_file_is_lack(error) || error == ENOENT;
    if (error != 0)
        return error;
    error = pz_file_exceeds_limit(text.len) ? EFBIG : 0;
    if (error == 0)
        error = pz_file_write_all(fd, text);
    if (error == 0)
        error = pz_file_sync(fd, lacks);
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(beside, path) != 0) {
        error = errno;
        *is_no_place = pz_file_is_lack(error) || error == EBUSY ||
                       error == EXDEV;
    }
    if (error != 0) {
        (void)unlink(beside);
        return error;
    }
    return pz_file_sync_name(path, lacks);
}

/* ---- into a file ------------------------------------------------------- */

/* A file may be where another user wants it, or have another name. */
static int may_overwrite(const struct place *place)
{
    struct stat folder;
    int is_open = 0;
    int error = pz_file_in_open_folder(&is_open, &folder, place->path);

    if (error != 0 || !is_open)
        return error;
    if (place->seen.st_uid != geteuid() && place->seen.st_uid != folder.st_uid)
        return PZ_FILE_FOREIGN;
    return place->seen.st_nlink > 1 ? PZ_FILE_HARD_LINKS : 0;
}

static int overwrite(int fd, struct pz_slice text, unsigned *lacks)
{
    int error = lseek(fd, 0, SEEK_SET) == 0 ? pz_file_write_all(fd, text)
                                            : errno;

    if (error == 0 && ftruncate(fd, (off_t)text.len) != 0)
        error = errno;
    return error == 0 ? pz_file_sync(fd, lacks) : error;
}

static int read_all(int fd, struct pz_buf *out, off_t size)
{
    if (size > (off_t)PZ_BUF_MAX)
        return PZ_FILE_TOO_LARGE;
    if (pz_buf_reserve(out, (size_t)size + 1) != PZ_OK)
        return ENOMEM;
    while (out->len < (size_t)size) {
        ssize_t done = pread(fd, out->data + out->len,
                             (size_t)size - out->len, (off_t)out->len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        if (done == 0)
            break;
        out->len += (size_t)done;
    }
    return 0;
}

/* The old text is kept until the new one is on the disk. */
static int write_into(int fd, struct pz_slice text, unsigned *lacks)
{
    struct pz_buf old = PZ_BUF_SECRET(PZ_BUF_MAX);
    struct stat seen;
    int error = fstat(fd, &seen) == 0 ? 0 : errno;

    if (error == 0 && !S_ISREG(seen.st_mode))
        error = EBUSY;
    if (error == 0 && pz_file_exceeds_limit(text.len))
        error = EFBIG;
    if (error == 0)
        error = read_all(fd, &old, seen.st_size);
    if (error == 0)
        error = pz_file_make_private(fd, lacks);
    if (error == 0) {
        error = overwrite(fd, text, lacks);
        if (error != 0)
            (void)overwrite(fd, pz_buf_slice(&old), lacks);
    }
    pz_buf_free(&old);
    return error;
}

static int write_in_place(const struct place *place, struct pz_slice text,
                          unsigned *lacks)
{
    int fd = -1, error = may_overwrite(place);

    if (error == 0)
        error = pz_file_open(&fd, place->path, O_RDWR | O_NOFOLLOW);
    if (error != 0)
        return error;
    error = write_into(fd, text, lacks);
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0)
        *lacks |= PZ_FILE_IN_PLACE;
    return error;
}

static int write_file(const struct place *place, struct pz_slice text,
                      unsigned *lacks)
{
    int is_no_place = 0, error = replace(place->path, text, lacks,
                                         &is_no_place);

    if (!is_no_place || !place->is_there)
        return error;
    *lacks = 0;
    return write_in_place(place, text, lacks);
}

/* ---- into what is no file ---------------------------------------------- */

/* A reader that went away must not end the program: SIGPIPE is held back, and
   taken if it came. */
static int write_stream(int fd, struct pz_slice text,
                        const struct pz_file_wait *wait)
{
    sigset_t pipe, before, pending;
    int error, caught, was_pending;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)sigemptyset(&pending);
    (void)sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe, &before) != 0)
        return EINVAL;
    /* However long the reader takes: it may be a person. */
    error = pz_standard_write(fd, text, HUGE_VAL, wait->interrupted,
                              wait->arg);
    (void)sigpending(&pending);
    if (!was_pending && sigismember(&pending, SIGPIPE))
        (void)sigwait(&pipe, &caught);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == EINTR ? PZ_FILE_INTERRUPTED : error;
}

/* Was it given to this program, and for writing? What the program opened by
   itself, a connection say, is closed in the programs that it starts. */
static int check_descriptor(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    int mode = fcntl(fd, F_GETFL);

    return flags < 0 || mode < 0 || (flags & FD_CLOEXEC) ||
           (mode & O_ACCMODE) == O_RDONLY ? PZ_FILE_CLOSED : 0;
}

static int write_descriptor(int fd, struct pz_slice text,
                            const struct pz_file_wait *wait, unsigned *lacks)
{
    struct stat seen;
    int error = check_descriptor(fd);

    if (error != 0)
        return error;
    if (fstat(fd, &seen) != 0)
        return errno;
    if (S_ISREG(seen.st_mode)) {
        off_t at = lseek(fd, 0, SEEK_CUR);

        if (at >= 0 &&
            pz_file_exceeds_limit((unsigned long long)at + text.len))
            return EFBIG;
    }
    error = write_stream(fd, text, wait);
    return error == 0 && S_ISREG(seen.st_mode) ? pz_file_sync(fd, lacks)
                                               : error;
}

static int write_device(const char *path, struct pz_slice text,
                        const struct pz_file_wait *wait)
{
    struct stat seen;
    int fd = -1, error = pz_file_open(&fd, path, O_WRONLY | O_NOFOLLOW);

    if (error != 0)
        return error;
    error = fstat(fd, &seen) != 0 ? errno
        : S_ISCHR(seen.st_mode) ? write_stream(fd, text, wait) : EBUSY;
    if (close(fd) != 0 && error == 0)
        error = errno;
    return error;
}

/* ---- doors ------------------------------------------------------------- */

/* What a text cannot be written to. */
static int check_kind(const struct place *place)
{
    mode_t mode = place->seen.st_mode;

    return !place->is_there || S_ISREG(mode) || S_ISCHR(mode) ? 0
        : S_ISDIR(mode) ? EISDIR
        : S_ISFIFO(mode) ? PZ_FILE_PIPE
        : S_ISSOCK(mode) ? PZ_FILE_SOCKET
        : PZ_FILE_DEVICE;
}

int pz_file_write_private(unsigned *lacks, const char *path,
                          struct pz_slice text,
                          const struct pz_file_wait *wait)
{
    struct place place;
    int error;

    *lacks = 0;
    error = find_place(&place, path);
    if (error != 0)
        return error;
    if (place.descriptor >= 0)
        return write_descriptor(place.descriptor, text, wait, lacks);
    error = check_kind(&place);
    if (error != 0)
        return error;
    if (place.is_there && S_ISCHR(place.seen.st_mode))
        return write_device(place.path, text, wait);
    return write_file(&place, text, lacks);
}

static int may_write(const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Is something mounted just there? Then the name cannot be given away. */
static int is_mount(const char *path)
{
#if defined(STATX_ATTR_MOUNT_ROOT)
    struct statx seen;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &seen) == 0 &&
           (seen.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
    (void)path;
    return 0;
#endif
}

/* In a folder such as /tmp only its own, and the file's, user may rename. */
static int is_kept(const struct place *place)
{
    struct stat folder;
    int is_open = 0;

    return pz_file_in_open_folder(&is_open, &folder, place->path) == 0 &&
           (folder.st_mode & S_ISVTX) && geteuid() != 0 &&
           folder.st_uid != geteuid() && place->seen.st_uid != geteuid();
}

/* What write_file would come to. */
static int check_file(const struct place *place)
{
    char beside[PZ_FILE_PATH];
    unsigned ignored = 0;
    int fd = -1, error;

    error = pz_file_make_beside(&fd, beside, place->path, &ignored);
    if (error == 0) {
        (void)close(fd);
        (void)unlink(beside);
        if (!place->is_there || (!is_mount(place->path) && !is_kept(place)))
            return 0;
    } else if (!place->is_there ||
               (!pz_file_is_lack(error) && error != ENOENT)) {
        return error;
    }
    error = may_overwrite(place);
    return error == 0 ? may_write(place->path) : error;
}

int pz_file_writable(const char *path)
{
    struct place place;
    int error = find_place(&place, path);

    if (error != 0)
        return error;
    if (place.descriptor >= 0)
        return check_descriptor(place.descriptor);
    error = check_kind(&place);
    if (error != 0)
        return error;
    if (place.is_there && S_ISCHR(place.seen.st_mode))
        return may_write(place.path);
    return check_file(&place);
}
