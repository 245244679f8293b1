#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sigaction, clock_gettime under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_signal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../core/pz_buf.h"
#include "pz_sys.h"

/* One event often sends two signals: timeout(1) signals the process and its
   group, systemd sends SIGHUP behind SIGTERM, a terminal that closes both. */
#define SAME_EVENT 0.25

volatile sig_atomic_t pz_signal_first;

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
static int is_ours[PZ_COUNT(caught)];
static double came; /* when the first did; the handler's alone */

static void end_at_once(int number)
{
    sigset_t only;

    (void)signal(number, SIG_DFL);
    (void)sigemptyset(&only);
    (void)sigaddset(&only, number);
    (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
    (void)raise(number);
    _exit(128 + number); /* process 1 has no default action */
}

/* Calls only what a handler may call. */
static void note(int number)
{
    int error = errno;

    if (pz_signal_first == 0) {
        came = pz_sys_monotonic();
        pz_signal_first = number;
    } else if (pz_sys_monotonic() - came >= SAME_EVENT) {
        end_at_once(number);
    }
    errno = error;
}

void pz_signal_catch(void)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < PZ_COUNT(caught); i++)
        (void)sigaddset(&action.sa_mask, caught[i]);
    /* No SA_RESTART: a call that waits has to come back and look. */
    for (size_t i = 0; i < PZ_COUNT(caught); i++) {
        if (sigaction(caught[i], NULL, &before) != 0 ||
            before.sa_handler == SIG_IGN)
            continue;
        is_ours[i] = sigaction(caught[i], &action, NULL) == 0;
    }
    (void)signal(SIGPIPE, SIG_IGN);
#if defined(SIGXFSZ)
    (void)signal(SIGXFSZ, SIG_IGN);
#endif
}

void pz_signal_release(void)
{
    for (size_t i = 0; i < PZ_COUNT(caught); i++) {
        if (is_ours[i])
            (void)signal(caught[i], SIG_DFL);
        is_ours[i] = 0;
    }
}
