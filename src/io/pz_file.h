#ifndef PZ_FILE_H
#define PZ_FILE_H
/*
 * Writes a file that only its owner may read, and that others see either as
 * it was or as it is to be.
 *
 * Knows the file system; refuses to know what stands in the file.
 */
#include "../core/pz_buf.h"

/*
 * Puts 'text' in the place of the file 'path', with mode 0600. *error is 0 or
 * an errno, after which the file is as it was. Fails for memory only.
 */
PZ_MUST_USE enum pz_status
pz_file_write_private(int *error, const char *path, struct pz_slice text);

#endif
