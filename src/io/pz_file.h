#ifndef PZ_FILE_H
#define PZ_FILE_H
/*
 * Writes files that only their owner may read: whole ones, which others see
 * either as they were or as they are to be; and lines, one after the other.
 *
 * Knows the file system; refuses to know what stands in a file.
 */
#include "../core/pz_buf.h"

/*
 * Puts 'text' in the place of the file 'path', with mode 0600. *error is 0 or
 * an errno, after which the file is as it was. Fails for memory only.
 */
PZ_MUST_USE enum pz_status
pz_file_write_private(int *error, const char *path, struct pz_slice text);

/*
 * Adds lines, each with its LF, to the end of the file 'path', made with mode
 * 0600 where there is none. *error is 0 once they are on the disk; or an errno,
 * after which the file is as it was. What a power cut has left of a line, or
 * anybody else has not ended, is taken away first: *cut is its length. Fails
 * for memory only.
 *
 * Waits while another is at it, in this process or another. Nothing is added
 * to a file after it was renamed, whoever had it open: so whoever renames it,
 * and then adds no lines to it here, knows it as it will stay.
 */
PZ_MUST_USE enum pz_status
pz_file_append_lines(int *error, size_t *cut, const char *path,
                     struct pz_slice lines);

/* Are both the same file, whatever the paths? 0 where one is not there. */
int pz_file_same(const char *a, const char *b);

/* Would a file of this size end the program, by SIGXFSZ? */
int pz_file_exceeds_limit(unsigned long long size);

#endif
