#ifndef PZ_PROCESS_H
#define PZ_PROCESS_H
/*
 * Runs a command and keeps what it prints.
 *
 * Knows processes; refuses to know what a command is for. What it prints may
 * be secret: it is in the caller's buffer alone.
 */
#include "../core/pz_buf.h"

enum pz_process_end {
    PZ_PROCESS_EXITED,      /* by itself, with the status */
    PZ_PROCESS_SIGNALLED,   /* by a signal, the status */
    PZ_PROCESS_UNKNOWN,     /* it did, but the status went to somebody else */
    PZ_PROCESS_TIMEOUT,     /* the rest: it was killed */
    PZ_PROCESS_TOO_MUCH,    /* it printed more than the buffer may hold */
    PZ_PROCESS_INTERRUPTED,
    PZ_PROCESS_REFUSED      /* not begun: the status is an errno */
};

struct pz_process_result {
    enum pz_process_end end;
    int status;
};

/*
 * Runs `sh -c command` and appends its standard output to 'out'. It is killed,
 * with what it began, when 'timeout' seconds are over or interrupted(arg) is
 * non-zero (asked at least five times a second; may be NULL). No file that
 * this process has open is open to it. Fails for memory only.
 *
 * It reads nothing, its standard error is thrown away, and it is a process
 * group of its own. But where this process is in the foreground of a terminal
 * the command may have something to ask there (a PIN, a touch of a key): it
 * then stays in the foreground, which it may not read from else, and has the
 * terminal as standard input and error, as far as this process has.
 */
PZ_MUST_USE enum pz_status
pz_process_run(struct pz_buf *out, struct pz_process_result *result,
               const char *command, double timeout,
               int (*interrupted)(void *arg), void *arg);

#endif
