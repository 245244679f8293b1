/* Lines of a file, all of them or none. See pz_file.h. */
#include "pz_file_parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* *end is the end of the last whole line. */
static int find_end(int fd, off_t size, unsigned lacks, off_t *end)
{
    char tail[PZ_FILE_TAIL + 1] = { 0 }; /* what may be cut, and an LF */
    size_t len = size < (off_t)sizeof tail ? (size_t)size : sizeof tail;
    size_t left = len;

    for (size_t got = 0; got < len;) {
        ssize_t done = pread(fd, tail + got, len - got,
                             size - (off_t)(len - got));

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : EIO;
        got += (size_t)done;
    }
    while (left > 0 && tail[left - 1] != '\n')
        left--;
    if (left == 0 && len == sizeof tail)
        return PZ_FILE_LONG_TAIL;
    /* Without locks somebody may be in the middle of writing it. */
    if (left < len && (lacks & PZ_FILE_NO_LOCK))
        return PZ_FILE_OPEN_TAIL;
    *end = size - (off_t)(len - left);
    return 0;
}

/* To an open file whose last whole line ends at 'end'. */
static int add(int fd, const char *path, off_t end, struct pz_slice lines,
               unsigned *lacks)
{
    /* Before the first byte: so a file with something in it has its name on the
       disk, also where whoever made it died in between. */
    int error = end == 0 ? pz_file_sync_name(path, lacks) : 0;

    if (error == 0)
        error = pz_file_write_all(fd, lines);
    if (error == 0)
        error = pz_file_sync(fd, lacks);
    /* Under the lock nobody can have added anything since. */
    if (error != 0 && !(*lacks & PZ_FILE_NO_LOCK) && ftruncate(fd, end) != 0)
        error = errno;
    return error;
}

static int append(int fd, const char *path, const struct stat *seen,
                  struct pz_slice lines, size_t *cut, unsigned *lacks)
{
    off_t end = 0;
    int error = find_end(fd, seen->st_size, *lacks, &end);

    if (error == 0 && lines.len > 0 &&
        pz_file_exceeds_limit((unsigned long long)end + lines.len))
        error = EFBIG;
    if (error == 0)
        error = pz_file_make_private(fd, lacks);
    if (error == 0 && end < seen->st_size) {
        if (ftruncate(fd, end) != 0)
            error = errno;
        else
            *cut = (size_t)(seen->st_size - end);
    }
    if (error == 0 && lines.len > 0)
        error = add(fd, path, end, lines, lacks);
    return error;
}

int pz_file_append_lines(unsigned *lacks, size_t *cut, const char *path,
                         struct pz_slice lines,
                         const struct pz_file_wait *wait)
{
    struct stat seen, folder;
    int fd = -1, made = 0, is_open = 0, error;

    *cut = 0;
    *lacks = 0;
    error = pz_file_open_locked(&fd, lines.len > 0 ? &made : NULL, path,
                                &seen, lacks, wait);
    if (error != 0)
        return error;
    error = append(fd, path, &seen, lines, cut, lacks);
    /* As it was: it was not there. Others who have opened it see that it has
       lost its name. */
    if (error != 0 && made && seen.st_size == 0 && !(*lacks & PZ_FILE_NO_LOCK))
        (void)unlink(path);
    (void)close(fd);
    if (error == 0 && pz_file_in_open_folder(&is_open, &folder, path) == 0 &&
        is_open && !(folder.st_mode & S_ISVTX))
        *lacks |= PZ_FILE_OPEN_FOLDER;
    return error;
}
