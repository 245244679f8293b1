#ifndef PZ_STANDARD_H
#define PZ_STANDARD_H
/*
 * The three standard streams of a program.
 * Knows descriptors 0, 1 and 2; refuses to know what is written to them.
 */
#include "../core/pz_buf.h"

/*
 * Puts /dev/null in the place of each that is closed, so that no file and no
 * socket gets its number. Opened the wrong way round: to read from 0 or to
 * write to 1 or 2 still fails, with EBADF. To be called before anything else
 * is opened.
 */
void pz_standard_open(void);

/*
 * Writes all of a text, whatever mode the descriptor is in. Answers 0 or an
 * errno: EAGAIN where nothing could be written for 'patience' seconds; EINTR
 * where that lasts half a second and interrupted(arg), which may be NULL, is
 * non-zero. Never longer than that without a look; regular files excepted.
 */
PZ_MUST_USE int pz_standard_write(int fd, struct pz_slice text,
                                  double patience,
                                  int (*interrupted)(void *arg), void *arg);

#endif
