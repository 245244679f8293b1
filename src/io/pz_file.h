#ifndef PZ_FILE_H
#define PZ_FILE_H
/*
 * Files that somebody else could have a hand in: read, written as a whole,
 * added to, locked and renamed.
 *
 * Knows links, owners, modes, locks and what a file system may lack; refuses
 * to know what is in a file. A file is looked at by its name before it is
 * opened, since opening a pipe or a device already does something to it.
 * No file is opened as descriptor 0, 1 or 2, or passed on to a program.
 */
#include <sys/types.h>

#include "../core/pz_buf.h"

/* The longest path. A longer one is ENAMETOOLONG, as it is for the system. */
enum { PZ_FILE_PATH = 4096 };

/*
 * How a call ended: 0, an errno, or one of these where errno says too little.
 * ENOMEM is also what a refused allocation of ours is told as.
 */
enum pz_file_fault {
    PZ_FILE_INTERRUPTED = -1,
    PZ_FILE_LOCKED = -2,       /* another had the lock until the deadline */
    PZ_FILE_LINK = -3,         /* a symbolic link */
    PZ_FILE_FOREIGN_LINK = -4, /* one that another user put into the way */
    PZ_FILE_HARD_LINKS = -5,   /* it has other names */
    PZ_FILE_FOREIGN = -6,      /* another user's file */
    PZ_FILE_PIPE = -7,
    PZ_FILE_SOCKET = -8,
    PZ_FILE_DEVICE = -9,
    PZ_FILE_LONG_TAIL = -10,   /* too much without a line end */
    PZ_FILE_OPEN_TAIL = -11,   /* no line end, and no lock to cut under */
    PZ_FILE_TOO_LARGE = -12,
    PZ_FILE_CLOSED = -13       /* a descriptor that is not for writing to */
};

/* A sentence without a capital and a full stop; and the name of an errno
   ("ENOENT"), "" where it has none here. Constant texts, or strerror's. */
const char *pz_file_fault_text(int error);
const char *pz_file_fault_name(int error);

/* What a call that went well does not promise, because the file system, or the
   folder, does not have it. Bits. */
enum {
    PZ_FILE_NO_MODE = 1,      /* others may be able to read the file */
    PZ_FILE_NO_OWNER = 2,     /* files have no owner that could be checked */
    PZ_FILE_NO_SYNC = 4,      /* a power cut may lose the text */
    PZ_FILE_NO_NAME_SYNC = 8, /* a power cut may lose the name */
    PZ_FILE_NO_LOCK = 16,
    PZ_FILE_IN_PLACE = 32,    /* a power cut may have left half of it */
    PZ_FILE_OPEN_FOLDER = 64  /* others can take the file away */
};

enum { PZ_FILE_LACKS_TEXT = 1024 };

/* Sentences for these bits, joined by "; ". */
void pz_file_lacks_text(char out[PZ_FILE_LACKS_TEXT], unsigned lacks);

/* For how long another's lock is waited for; a descriptor's reader is waited
   for without an end. interrupted(arg) is asked several times a second; it may
   be NULL. */
struct pz_file_wait {
    double seconds;
    int (*interrupted)(void *arg);
    void *arg;
};

/*
 * Puts 'text' in the place of the file 'path', with mode 0600: those who read
 * it see the old text or the new. On the disk when it returns 0. After an
 * error the file is as it was, but for an error of the disk while it was told
 * of the new name (EIO): then it is the old or the new.
 *
 * A symbolic link is followed, unless another user made it in a folder that
 * all can write to. Where the name cannot be given to a new file (a bind
 * mount, a folder that may not be written to) the file is written in place.
 * A character device and an open descriptor (/dev/stdout, /dev/fd/N) are
 * written to; pipes, sockets and disks are refused by their name.
 */
PZ_MUST_USE int
pz_file_write_private(unsigned *lacks, const char *path, struct pz_slice text,
                      const struct pz_file_wait *wait);

/* Would pz_file_write_private have a place to write to? 0, or why not. Opens
   nothing that is there, and leaves nothing behind. */
PZ_MUST_USE int pz_file_writable(const char *path);

/* Room for a line of a list: an id has at most 256 characters of 4 bytes. */
enum { PZ_FILE_TAIL = 1024 };

/*
 * Adds lines, each with its LF, to the end of the file 'path', made with mode
 * 0600 where there is none; to add none makes none. On the disk when it
 * returns 0. After an error the file is as it was.
 *
 * An end of at most PZ_FILE_TAIL bytes without an LF is what a power cut left
 * of a line: it is taken away first, *cut is its length. A longer one is not
 * ours, and refused; so are links of both kinds and another user's file.
 *
 * Waits while another is at it, in this process or another. Nothing is added
 * to a file after it was renamed, whoever had it open: so whoever renames it,
 * and then adds no lines to it here, knows it as it will stay.
 */
PZ_MUST_USE int
pz_file_append_lines(unsigned *lacks, size_t *cut, const char *path,
                     struct pz_slice lines, const struct pz_file_wait *wait);

/* A lock, which others see as a file with its path. Ends with pz_file_unlock,
   or with the process. The zero value holds nothing. */
struct pz_file_lock {
    int is_held;
    int fd; /* only while held */
    dev_t device;
    ino_t inode;
};

/* Makes the file, which stays, where there is none. PZ_FILE_LOCKED where
   another has it until the deadline, even in this process. */
PZ_MUST_USE int
pz_file_take_lock(struct pz_file_lock *lock, unsigned *lacks,
                  const char *path, const struct pz_file_wait *wait);
/* Is it held, and is its file still the one that others would lock? */
int pz_file_has_lock(const struct pz_file_lock *lock, const char *path);
void pz_file_unlock(struct pz_file_lock *lock);

/*
 * Renames a file, unless the name 'to' is taken: then EEXIST. On the disk when
 * it returns 0. No link is followed.
 */
PZ_MUST_USE int
pz_file_rename_noreplace(unsigned *lacks, const char *from, const char *to);

/*
 * Adds a file's text to 'out'. Links are followed; reads regular files, and
 * devices as far as they have something at once. PZ_FILE_TOO_LARGE where it is
 * more than 'most' bytes.
 */
PZ_MUST_USE int
pz_file_read(struct pz_buf *out, const char *path, size_t most);

enum pz_file_kind { PZ_FILE_IS_REGULAR, PZ_FILE_IS_PIPE, PZ_FILE_IS_DEVICE };

/* May the file be read, and what is it? Opens nothing. A folder is EISDIR, a
   socket or a disk a fault. */
PZ_MUST_USE int pz_file_readable(enum pz_file_kind *kind, const char *path);

/* Are both the same file, whatever the paths? 0 where one is not there. */
int pz_file_same(const char *a, const char *b);

/* ---- for whoever opens files by itself --------------------------------- */

/* Would a file of this size end the program, by SIGXFSZ? */
int pz_file_exceeds_limit(unsigned long long size);

/* Mode 0600 for an open file; PZ_FILE_NO_MODE where it cannot have it. 0, or
   an errno. */
PZ_MUST_USE int pz_file_make_private(int fd, unsigned *lacks);

#endif
