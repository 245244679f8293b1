#ifndef PZ_FILE_PARTS_H
#define PZ_FILE_PARTS_H
/*
 * The steps that the files of this room (pz_file_*.c) share. Each answers 0, an
 * errno or a pz_file_fault, and adds to *lacks what the file system refuses.
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* flock, mkstemp, pread, O_NOFOLLOW under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif
#if !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64
#endif

#include "pz_file.h"

#include <sys/stat.h>

/* Is this what a file system says that does not have a feature? */
int pz_file_is_lack(int error);

/* A path's folder, with the slash at its end; "./" where it names none. */
int pz_file_folder(char out[PZ_FILE_PATH], const char *path);

/* "beside" with a name of its own, for mkstemp. */
int pz_file_beside(char out[PZ_FILE_PATH], const char *path);

/* A new file beside 'path', for the owner alone; 'beside' is its name. */
int pz_file_make_beside(int *fd, char beside[PZ_FILE_PATH], const char *path,
                        unsigned *lacks);

/* open(2) with the flags that every file here has, and a number above 2. */
int pz_file_open(int *fd, const char *path, int flags);

int pz_file_write_all(int fd, struct pz_slice text);
int pz_file_sync(int fd, unsigned *lacks);
/* Of the folder in which 'path' lies: so that its name is on the disk. */
int pz_file_sync_name(const char *path, unsigned *lacks);

/* Can all write to the folder in which 'path' lies? *seen is the folder. */
int pz_file_in_open_folder(int *is_open, struct stat *seen, const char *path);

/*
 * The file that has the name, open for adding to and locked until it is
 * closed. Made where there is none and *made is not NULL; then *made tells
 * whether it was. A link, another user's file, or what is no file is refused.
 */
int pz_file_open_locked(int *fd, int *made, const char *path,
                        struct stat *seen, unsigned *lacks,
                        const struct pz_file_wait *wait);

#endif
