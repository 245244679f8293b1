/*
 * The file that has a name, and nobody else at it. See pz_file.h and
 * pz_file_parts.h.
 */
#include "pz_file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "pz_sys.h"

enum { OPENINGS_MOST = 100 };

static int lock(int fd, double stop, unsigned *lacks,
                const struct pz_file_wait *wait)
{
    double pause = 0.001;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        double left = stop - pz_sys_monotonic();

        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) {
            if (!pz_file_is_lack(errno))
                return errno;
            *lacks |= PZ_FILE_NO_LOCK;
            return 0;
        }
        if (!(left > 0))
            return PZ_FILE_LOCKED;
        if (pz_sys_sleep(pause < left ? pause : left, wait->interrupted,
                         wait->arg))
            return PZ_FILE_INTERRUPTED;
        if (pause < 0.05)
            pause *= 2;
    }
    return 0;
}

/* Is it a file of which one may be sure? 'seen' is what its name or the open
   file tells. */
static int check_kind(const struct stat *seen)
{
    return S_ISREG(seen->st_mode) ? seen->st_nlink > 1 ? PZ_FILE_HARD_LINKS : 0
        : S_ISLNK(seen->st_mode) ? PZ_FILE_LINK
        : S_ISDIR(seen->st_mode) ? EISDIR
        : S_ISFIFO(seen->st_mode) ? PZ_FILE_PIPE
        : S_ISSOCK(seen->st_mode) ? PZ_FILE_SOCKET
        : PZ_FILE_DEVICE;
}

/*
 * Some file systems give every file to one user, whoever makes it. There a file
 * of our own tells who that is.
 */
static int check_owner(const char *path, const struct stat *seen,
                       unsigned *lacks)
{
    char beside[PZ_FILE_PATH];
    struct stat ours;
    unsigned ignored = 0;
    int fd, error;

    if (seen->st_uid == geteuid())
        return 0;
    if (pz_file_make_beside(&fd, beside, path, &ignored) != 0)
        return PZ_FILE_FOREIGN;
    error = fstat(fd, &ours) == 0 && ours.st_uid == seen->st_uid
        ? 0 : PZ_FILE_FOREIGN;
    if (error == 0)
        *lacks |= PZ_FILE_NO_OWNER;
    (void)close(fd);
    (void)unlink(beside);
    return error;
}

static int has_name(const char *path, const struct stat *open_one)
{
    struct stat named;

    return lstat(path, &named) == 0 && named.st_dev == open_one->st_dev &&
           named.st_ino == open_one->st_ino;
}

/* The file of that name, not locked yet. EAGAIN where it came or went in
   between. */
static int open_named(int *fd, int *made, const char *path)
{
    struct stat seen;
    int error, flags = O_RDWR | O_APPEND | O_NOFOLLOW;

    if (made)
        *made = 0;
    if (lstat(path, &seen) != 0) {
        if (errno != ENOENT || !made)
            return errno;
        *made = 1;
        flags |= O_CREAT | O_EXCL;
    } else if ((error = check_kind(&seen)) != 0) {
        return error;
    }
    error = pz_file_open(fd, path, flags);
    return made && error == (*made ? EEXIST : ENOENT) ? EAGAIN : error;
}

int pz_file_open_locked(int *fd, int *made, const char *path,
                        struct stat *seen, unsigned *lacks,
                        const struct pz_file_wait *wait)
{
    double stop = pz_sys_monotonic() + wait->seconds;

    for (int i = 0; i < OPENINGS_MOST; i++) {
        int error = open_named(fd, made, path);

        if (error == EAGAIN)
            continue;
        if (error != 0)
            return error;
        error = lock(*fd, stop, lacks, wait);
        if (error == 0 && fstat(*fd, seen) != 0)
            error = errno;
        if (error == 0 && has_name(path, seen)) {
            error = check_kind(seen);
            if (error == 0 && !(made && *made))
                error = check_owner(path, seen, lacks);
            if (error == 0)
                return 0;
        }
        (void)close(*fd);
        if (error != 0)
            return error;
    }
    return EBUSY;
}

int pz_file_take_lock(struct pz_file_lock *held, unsigned *lacks,
                      const char *path, const struct pz_file_wait *wait)
{
    struct stat seen;
    int fd = -1, made = 0, error;

    *lacks = 0;
    error = pz_file_open_locked(&fd, &made, path, &seen, lacks, wait);
    if (error != 0)
        return error;
    error = pz_file_make_private(fd, lacks);
    if (error != 0) {
        (void)close(fd);
        return error;
    }
    held->is_held = 1;
    held->fd = fd;
    held->device = seen.st_dev;
    held->inode = seen.st_ino;
    return 0;
}

int pz_file_has_lock(const struct pz_file_lock *held, const char *path)
{
    struct stat seen;

    return held->is_held && lstat(path, &seen) == 0 &&
           seen.st_dev == held->device && seen.st_ino == held->inode;
}

/* By closing alone: a child that was forked meanwhile has the same lock. */
void pz_file_unlock(struct pz_file_lock *held)
{
    if (held->is_held)
        (void)close(held->fd);
    held->is_held = 0;
}
