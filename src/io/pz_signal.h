#ifndef PZ_SIGNAL_H
#define PZ_SIGNAL_H
/*
 * The signals that ask a program to end. A program that catches them goes on
 * running: whatever waits looks here and ends in order.
 *
 * Knows SIGINT, SIGTERM and SIGHUP; refuses to know what is ended. For
 * programs only: a library must leave a process's signals alone.
 */
#include <signal.h>

/*
 * The first of these signals that came, 0 as long as none has. It stays set:
 * the program is to end. Its address is handed from library to library, since
 * each would have a copy of its own.
 */
extern volatile sig_atomic_t pz_signal_first;

/*
 * Catches the three, except those that this process was started to ignore
 * (nohup). A second one ends the process at once, also where the system has
 * no default action (process 1 of a container). SIGPIPE and SIGXFSZ are
 * ignored, so that a write fails instead of ending the process.
 */
void pz_signal_catch(void);

/* Gives what was caught its default action again. May be called twice. */
void pz_signal_release(void);

#endif
