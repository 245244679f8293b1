/* See pz_process.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* kill, setpgid and sigaction under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "pz_sys.h"

/* Of what a command began, so many processes are killed with it; and so many
   descriptors are closed one by one. */
enum { SLICE_MS = 100, FAMILY_MOST = 256, MOST_OPEN = 1 << 20 };

#if defined(__linux__) && !defined(SYS_close_range)
#define SYS_close_range 436 /* by libraries older than it */
#endif

/* A child under way. */
struct child {
    pid_t pid;
    int output; /* its standard output, not blocking */
    int at_end; /* ... has ended */
    int is_gone;
    int has_group; /* it is the leader of a process group */
};

/* Marks both, since other threads may start programs at any time. Where one
   does so just before, it keeps a pipe open that nobody reads. */
static int open_pipe(int ends[2])
{
#if defined(__linux__)
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
#else
    if (pipe(ends) != 0)
        return -1;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void close_all(int a, int b, int c)
{
    if (a >= 0)
        (void)close(a);
    if (b >= 0)
        (void)close(b);
    if (c >= 0)
        (void)close(c);
}

/* Puts 'fd' where the command has it; there, it survives exec. */
static int place(int fd, int to)
{
    if (fd == to)
        return fcntl(fd, F_SETFD, 0);
    return dup2(fd, to) < 0 ? -1 : 0;
}

/* Is this process in the foreground of its terminal? */
static int is_in_foreground(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int is_so = fd >= 0 && tcgetpgrp(fd) == getpgrp();

    if (fd >= 0)
        (void)close(fd);
    return is_so;
}

/* In the child, as is the next: only what is safe between fork and exec.
   Other libraries do not mark what they open. */
static void close_above(int last)
{
    struct rlimit limit = { 0, 0 };
    int most = MOST_OPEN;

#if defined(__linux__)
    if (syscall(SYS_close_range, (unsigned)last + 1, ~0U, 0) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MOST_OPEN)
        most = (int)limit.rlim_cur;
    for (int fd = last + 1; fd < most; fd++)
        (void)close(fd);
}

static void become(const char *command, int nothing, int output, int asks)
{
    static const int ours[] = { SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGXFSZ };
    sigset_t none;

    if (!asks)
        (void)setpgid(0, 0);
    for (size_t i = 0; i < PZ_COUNT(ours); i++)
        (void)signal(ours[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* The output first: it may lie where the others go. */
    if (output < 3)
        output = fcntl(output, F_DUPFD, 3);
    if (nothing < 3)
        nothing = fcntl(nothing, F_DUPFD, 3);
    if (output >= 0 && nothing >= 0 &&
        ((asks && isatty(0)) || place(nothing, 0) == 0) &&
        ((asks && isatty(2)) || place(nothing, 2) == 0) &&
        place(output, 1) == 0) {
        close_above(2);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    _exit(127);
}

/* 0, or an errno. */
static int start(struct child *child, const char *command)
{
    int ends[2] = { -1, -1 }, nothing, why;

    nothing = open("/dev/null", O_RDWR
#if defined(O_CLOEXEC)
                                    | O_CLOEXEC
#endif
    );
    if (nothing < 0 || open_pipe(ends) != 0) {
        why = errno;
        close_all(nothing, -1, -1);
        return why;
    }
    child->has_group = !is_in_foreground();
    child->pid = fork();
    if (child->pid == 0)
        become(command, nothing, ends[1], !child->has_group);
    why = errno;
    close_all(nothing, ends[1], child->pid < 0 ? ends[0] : -1);
    if (child->pid < 0)
        return why;
    /* Here as well: which of the two runs first is not known. */
    if (child->has_group)
        (void)setpgid(child->pid, child->pid);
    child->output = ends[0];
    return 0;
}

/* What there is to read now. */
static enum pz_status take_output(struct child *child, struct pz_buf *out)
{
    char bytes[4096];
    enum pz_status status = PZ_OK;

    while (status == PZ_OK && !child->at_end) {
        ssize_t got = read(child->output, bytes, sizeof bytes);

        if (got > 0)
            status = pz_buf_add(out, bytes, (size_t)got);
        else if (got == 0)
            child->at_end = 1;
        else if (errno != EINTR)
            break; /* nothing more as yet */
    }
    pz_wipe(bytes, sizeof bytes);
    return status;
}

/* Did it end? */
static int look(struct child *child, struct pz_process_result *result,
                int options)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(child->pid, &status, options);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    child->is_gone = 1;
    if (got < 0) {
        result->end = PZ_PROCESS_UNKNOWN;
    } else if (WIFEXITED(status)) {
        result->end = PZ_PROCESS_EXITED;
        result->status = WEXITSTATUS(status);
    } else {
        result->end = PZ_PROCESS_SIGNALLED;
        result->status = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
    return 1;
}

/* Adds the children of a process, as far as the system tells. */
static void add_children(pid_t *family, size_t *count, pid_t parent)
{
    char text[4096], *at = text;
    ssize_t got = 0;
    int fd;

    (void)snprintf(text, sizeof text, "/proc/%ld/task/%ld/children",
                   (long)parent, (long)parent);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, text, sizeof text - 1);
        (void)close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    while (got > 0 && *count < FAMILY_MOST) {
        char *end;
        long pid = strtol(at, &end, 10);

        if (end == at || pid <= 1)
            break;
        family[(*count)++] = (pid_t)pid;
        at = end;
    }
}

/* Kills the child and what it began. Where that has no group of its own, it
   is what descends from it; who was left by its parent is not found. */
static void kill_family(const struct child *child)
{
    pid_t family[FAMILY_MOST];
    size_t count = 0;

    if (child->has_group)
        (void)kill(-child->pid, SIGKILL);
    family[count++] = child->pid;
    for (size_t i = 0; !child->has_group && i < count; i++) {
        /* Stopped, it begins nothing more while its children are listed. */
        (void)kill(family[i], SIGSTOP);
        add_children(family, &count, family[i]);
    }
    for (size_t i = 0; i < count; i++)
        (void)kill(family[i], SIGKILL);
}

static void end_family(struct child *child, struct pz_process_result *result,
                       enum pz_process_end end)
{
    if (!child->is_gone && !look(child, result, WNOHANG)) {
        kill_family(child);
        (void)look(child, result, 0);
    }
    result->end = end;
}

/* Waits for output or, where there will be none, for a moment. */
static void pause_for(const struct child *child)
{
    struct pollfd event = { -1, POLLIN, 0 };

    if (!child->at_end)
        event.fd = child->output;
    (void)poll(&event, 1, child->at_end ? SLICE_MS / 10 : SLICE_MS);
}

enum pz_status
pz_process_run(struct pz_buf *out, struct pz_process_result *result,
               const char *command, double timeout,
               int (*interrupted)(void *arg), void *arg)
{
    double end = pz_sys_monotonic() + timeout;
    struct child child = { -1, -1, 0, 0, 0 };
    enum pz_status status = PZ_OK;

    memset(result, 0, sizeof *result);
    result->status = start(&child, command);
    if (result->status != 0) {
        result->end = PZ_PROCESS_REFUSED;
        return PZ_OK;
    }
    while (status == PZ_OK && !child.is_gone) {
        if (interrupted && interrupted(arg)) {
            end_family(&child, result, PZ_PROCESS_INTERRUPTED);
        } else if (!(pz_sys_monotonic() < end)) {
            end_family(&child, result, PZ_PROCESS_TIMEOUT);
        } else {
            pause_for(&child);
            status = take_output(&child, out);
            /* It may have gone while something it left behind keeps the pipe
               open; what it said is in there by then. */
            if (status == PZ_OK && look(&child, result, WNOHANG))
                status = take_output(&child, out);
        }
    }
    if (status != PZ_OK)
        end_family(&child, result, PZ_PROCESS_TOO_MUCH);
    else if (result->end != PZ_PROCESS_TIMEOUT && interrupted &&
             interrupted(arg))
        result->end = PZ_PROCESS_INTERRUPTED; /* Ctrl-C was for both */
    (void)close(child.output);
    return status == PZ_ETOOBIG ? PZ_OK : status;
}
