#ifndef PZ_LISTFILE_H
#define PZ_LISTFILE_H
/*
 * The files of a user list: one that is read, and has to stay as it is from
 * the first look to the last; or a spool, which nobody else can open.
 *
 * Knows the file system; refuses to know what stands in a file. Messages name
 * the file or folder and never a word of what is in it.
 */
#include "../core/pz_buf.h"

enum { PZ_LISTFILE_NAME = 300, PZ_LISTFILE_MESSAGE = 512 };

/* The zero value is closed. */
struct pz_listfile {
    int is_open;
    int fd; /* only while open */
    int is_spool;
    unsigned long long size; /* of a spool: what was written so far */
    unsigned long long device, inode;
    long long seconds, nanoseconds; /* when it was changed last */
    char name[PZ_LISTFILE_NAME]; /* the file, or the folder of a spool */
    char message[PZ_LISTFILE_MESSAGE]; /* after a failure: why */
};

/*
 * All answer 0, or -1 with 'message' set. Only a regular file is opened;
 * opening waits for nobody. TMPDIR, or else /tmp, is the spool's folder where
 * 'folder' is NULL; the spool has mode 0600 and no name. Neither is passed on
 * to a program that is started.
 */
PZ_MUST_USE int pz_listfile_open(struct pz_listfile *file, const char *path);
PZ_MUST_USE int pz_listfile_spool(struct pz_listfile *file,
                                  const char *folder);
/* Takes a closed one. Keeps the message. */
void pz_listfile_close(struct pz_listfile *file);

/* Up to 'len' bytes from 'offset', whatever else reads at the same time;
   *got is 0 at the end only. */
PZ_MUST_USE int pz_listfile_read(struct pz_listfile *file, char *out,
                                 size_t len, unsigned long long offset,
                                 size_t *got);
/* Appends to a spool. */
PZ_MUST_USE int pz_listfile_write(struct pz_listfile *file,
                                  struct pz_slice text);
/* Is the file still what was opened, as far as the system tells? */
PZ_MUST_USE int pz_listfile_check(struct pz_listfile *file);

#endif
