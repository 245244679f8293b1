/* Files as they are found: what they are, and their text. See pz_file.h. */
#include "pz_file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BLOCK = 65536 };

static int kind_of(enum pz_file_kind *kind, const struct stat *seen)
{
    mode_t mode = seen->st_mode;

    *kind = S_ISFIFO(mode) ? PZ_FILE_IS_PIPE
        : S_ISCHR(mode) ? PZ_FILE_IS_DEVICE : PZ_FILE_IS_REGULAR;
    return S_ISDIR(mode) ? EISDIR
        : S_ISSOCK(mode) ? PZ_FILE_SOCKET
        : S_ISBLK(mode) ? PZ_FILE_DEVICE : 0;
}

static int look(enum pz_file_kind *kind, unsigned long long *size,
                const char *path)
{
    struct stat seen;

    if (stat(path, &seen) != 0)
        return errno;
    *size = seen.st_size > 0 ? (unsigned long long)seen.st_size : 0;
    return kind_of(kind, &seen);
}

int pz_file_readable(enum pz_file_kind *kind, const char *path)
{
    unsigned long long size;
    int error = look(kind, &size, path);

    if (error == 0 && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
        error = errno;
    return error;
}

/* One block; *got is 0 at the end. */
static int read_block(int fd, struct pz_buf *out, size_t *got)
{
    ssize_t done;
    enum pz_status status = pz_buf_reserve(out, BLOCK);

    if (status != PZ_OK)
        return status == PZ_ETOOBIG ? PZ_FILE_TOO_LARGE : ENOMEM;
    do
        done = read(fd, out->data + out->len, BLOCK);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return errno;
    *got = (size_t)done;
    out->len += *got;
    return 0;
}

static int read_open(int fd, struct pz_buf *out, size_t most)
{
    size_t got, before = out->len;
    int error;

    do {
        error = read_block(fd, out, &got);
        if (error == 0 && out->len - before > most)
            error = PZ_FILE_TOO_LARGE;
    } while (error == 0 && got > 0);
    return error;
}

int pz_file_read(struct pz_buf *out, const char *path, size_t most)
{
    enum pz_file_kind kind;
    struct stat seen;
    unsigned long long size = 0;
    int fd = -1, error = look(&kind, &size, path);

    if (error == 0 && kind == PZ_FILE_IS_PIPE)
        error = PZ_FILE_PIPE;
    if (error == 0 && size > most)
        error = PZ_FILE_TOO_LARGE;
    if (error == 0)
        error = pz_file_open(&fd, path, O_RDONLY);
    if (error != 0)
        return error;
    /* Another may have the name by now. */
    error = fstat(fd, &seen) != 0 ? errno : kind_of(&kind, &seen);
    if (error == 0 && kind == PZ_FILE_IS_PIPE)
        error = PZ_FILE_PIPE;
    if (error == 0)
        error = read_open(fd, out, most);
    (void)close(fd);
    return error;
}
