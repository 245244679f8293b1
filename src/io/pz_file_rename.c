/* A name given to a file, unless it is taken. See pz_file.h. */
#include "pz_file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

/* In one step, where system and file system have it. */
static int rename_at_once(const char *from, const char *to)
{
#if defined(RENAME_NOREPLACE) && defined(__GLIBC__)
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0
        ? 0 : errno;
#elif defined(SYS_renameat2)
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1) == 0
        ? 0 : errno;
#elif defined(RENAME_EXCL)
    return renamex_np(from, to, RENAME_EXCL) == 0 ? 0 : errno;
#else
    (void)from;
    (void)to;
    return ENOSYS;
#endif
}

/*
 * The name is taken first, by an empty file that only one can make, and then
 * given to the other. An empty file is what a power cut between the two leaves.
 */
static int rename_in_two(const char *from, const char *to)
{
    struct stat seen;
    int fd = -1, error;

    if (lstat(from, &seen) != 0)
        return errno;
    if (S_ISDIR(seen.st_mode))
        return EISDIR;
    error = pz_file_open(&fd, to, O_WRONLY | O_CREAT | O_EXCL);
    if (error != 0)
        return error;
    (void)close(fd);
    if (rename(from, to) == 0)
        return 0;
    error = errno;
    (void)unlink(to);
    return error;
}

int pz_file_rename_noreplace(unsigned *lacks, const char *from, const char *to)
{
    char old[PZ_FILE_PATH], new[PZ_FILE_PATH];
    int error = rename_at_once(from, to);

    *lacks = 0;
    if (error == EINVAL || error == ENOSYS || error == ENOTSUP ||
        error == EOPNOTSUPP)
        error = rename_in_two(from, to);
    if (error == 0)
        error = pz_file_sync_name(to, lacks);
    if (error == 0 && pz_file_folder(old, from) == 0 &&
        pz_file_folder(new, to) == 0 && strcmp(old, new) != 0)
        error = pz_file_sync_name(from, lacks);
    return error;
}
