#ifndef PZ_FORK_H
#define PZ_FORK_H
/*
 * Is this still the process that something was made in? Asked before every
 * request, where a getpid() would be a system call each time.
 */

/*
 * A number that differs in a process and in every child it forks. Never 0,
 * so that 0 can stand for "not made yet". A child of vfork or of a raw clone
 * is not seen; such children do not run Lua.
 */
unsigned long pz_fork_id(void);

#endif
