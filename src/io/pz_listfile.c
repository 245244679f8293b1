/* See pz_listfile.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* O_TMPFILE, mkstemp, pread under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif
#define _FILE_OFFSET_BITS 64

#include "pz_listfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "pz_fd.h"
#include "pz_file.h"
#include "pz_stream.h"
#include "pz_sys.h"

#if defined(__APPLE__)
#define CHANGED st_mtimespec
#else
#define CHANGED st_mtim
#endif

enum { SPOOL_PATH = 1024, READ_MAX = 1 << 30 };

/* Of a long path only the beginning. */
static void set_name(struct pz_listfile *file, const char *path)
{
    (void)snprintf(file->name, sizeof file->name, "%s", path);
}

static int fail(struct pz_listfile *file, const char *verb, const char *why)
{
    (void)snprintf(file->message, sizeof file->message, "cannot %s %s: %.120s",
                   verb, file->name, why);
    return -1;
}

static void remember(struct pz_listfile *file, const struct stat *seen)
{
    file->size = (unsigned long long)seen->st_size;
    file->device = (unsigned long long)seen->st_dev;
    file->inode = (unsigned long long)seen->st_ino;
    file->seconds = (long long)seen->CHANGED.tv_sec;
    file->nanoseconds = (long long)seen->CHANGED.tv_nsec;
}

int pz_listfile_open(struct pz_listfile *file, const char *path)
{
    const char *why;
    struct stat seen;
    enum pz_stream_kind kind;
    int fd;

    set_name(file, path);
    /* First by name: to open a device may already do something. */
    kind = pz_stream_kind(path, &why);
    if (kind == PZ_STREAM_ONCE)
        why = "it is a pipe or the like, which cannot be read twice (give "
              "its blocks as text)";
    if (kind != PZ_STREAM_FILE)
        return fail(file, "open", why);
    fd = pz_stream_open_path(path);
    if (fd < 0)
        return fail(file, "open", strerror(errno));
    if (fstat(fd, &seen) != 0 || !S_ISREG(seen.st_mode)) {
        (void)close(fd);
        return fail(file, "open", "it is no regular file any more");
    }
#if defined(POSIX_FADV_SEQUENTIAL)
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
    remember(file, &seen);
    file->fd = fd;
    file->is_open = 1;
    file->is_spool = 0;
    return 0;
}

/* A file without a name, or -1 with errno. */
static int open_nameless(const char *folder)
{
    char path[SPOOL_PATH];
    unsigned lacks = 0; /* without a name nobody else can open it anyway */
    int fd = -1, len, error;

#if defined(O_TMPFILE)
    fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC,
              S_IRUSR | S_IWUSR);
    if (fd >= 0)
        return pz_fd_lift(fd);
#endif
    /* Not every file system can do it. */
    len = snprintf(path, sizeof path, "%s/personalize-XXXXXX", folder);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    error = unlink(path) != 0 ? errno : pz_file_make_private(fd, &lacks);
    if (error != 0) {
        (void)close(fd);
        errno = error;
        return -1;
    }
    return pz_fd_lift(fd);
}

int pz_listfile_spool(struct pz_listfile *file, const char *folder)
{
    int fd;

    if (folder == NULL)
        folder = pz_sys_getenv("TMPDIR");
    if (folder == NULL)
        folder = "/tmp";
    set_name(file, folder);
    fd = open_nameless(folder);
    if (fd < 0)
        return fail(file, "keep the list in", strerror(errno));
    file->fd = fd;
    file->is_open = 1;
    file->is_spool = 1;
    file->size = 0;
    return 0;
}

void pz_listfile_close(struct pz_listfile *file)
{
    if (file->is_open)
        (void)close(file->fd);
    file->is_open = 0;
}

static int set_message(struct pz_listfile *file, const char *text)
{
    (void)snprintf(file->message, sizeof file->message, "%s", text);
    return -1;
}

int pz_listfile_read(struct pz_listfile *file, char *out, size_t len,
                     unsigned long long offset, size_t *got)
{
    ssize_t done;

    *got = 0;
    if (!file->is_open)
        return set_message(file, "the list is closed");
    if (len > READ_MAX)
        len = READ_MAX;
    do
        done = pread(file->fd, out, len, (off_t)offset);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return fail(file, "read", strerror(errno));
    *got = (size_t)done;
    return 0;
}

int pz_listfile_write(struct pz_listfile *file, struct pz_slice text)
{
    int error = 0;

    if (!file->is_open)
        return set_message(file, "the list is closed");
    while (text.len > 0 && error == 0) {
        ssize_t done;

        if (pz_file_exceeds_limit(file->size + text.len)) {
            error = EFBIG;
            break;
        }
        done = pwrite(file->fd, text.data, text.len, (off_t)file->size);
        if (done > 0) {
            file->size += (unsigned long long)done;
            text = pz_slice_sub(text, (size_t)done, text.len);
        } else if (done == 0 || errno != EINTR) {
            error = done == 0 ? EIO : errno;
        }
    }
    if (error != 0) {
        (void)snprintf(file->message, sizeof file->message,
                       "cannot keep the list in %s: %.100s (after %llu bytes)",
                       file->name, strerror(error), file->size);
        return -1;
    }
    return 0;
}

int pz_listfile_check(struct pz_listfile *file)
{
    struct stat seen;
    struct pz_listfile now;

    if (!file->is_open)
        return set_message(file, "the list is closed");
    if (file->is_spool)
        return 0;
    if (fstat(file->fd, &seen) != 0)
        return fail(file, "look at", strerror(errno));
    remember(&now, &seen);
    if (now.size != file->size || now.device != file->device ||
        now.inode != file->inode || now.seconds != file->seconds ||
        now.nanoseconds != file->nanoseconds)
        return set_message(file, "the file changed since it was checked");
    return 0;
}
