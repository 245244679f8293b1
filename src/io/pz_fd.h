#ifndef PZ_FD_H
#define PZ_FD_H
/*
 * A file descriptor's number.
 *
 * A program may be started with its standard streams closed. The next file
 * that is opened then gets one of their numbers, and whoever prints a message
 * writes into that file.
 */

/*
 * Takes what open() or a similar call answered. Answers a descriptor of the
 * same file, from 3 up, that is closed when another program is started; or
 * -1 with errno set, and then nothing is left open.
 */
int pz_fd_lift(int fd);

#endif
