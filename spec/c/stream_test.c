/* Reading once: whatever the system answers, bytes are kept in order, and the
   end is told only where it is. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/io/pz_fd.h"
#include "../../src/io/pz_stream.h"

/* What the next calls of read and poll answer: an errno each, until the
   first 0; then the system's own answers. */
static int read_faults[8], poll_faults[8];
static size_t read_at, poll_at;

static int next_fault(const int *faults, size_t *at)
{
    errno = faults[*at];
    return faults[*at] == 0 ? 0 : faults[(*at)++];
}

ssize_t read(int fd, void *data, size_t len)
{
    return next_fault(read_faults, &read_at) != 0
        ? -1 : (ssize_t)syscall(SYS_read, fd, data, len);
}

/* A pipe that is empty is not waited for here. */
int poll(struct pollfd *fds, nfds_t count, int ms)
{
    struct timespec none = { 0, 0 };

    (void)ms;
    return next_fault(poll_faults, &poll_at) != 0
        ? -1 : (int)syscall(SYS_ppoll, fds, count, &none, NULL, (size_t)0);
}

static void set_faults(int faults[8], size_t *at, int a, int b, int c)
{
    memset(faults, 0, 8 * sizeof *faults);
    faults[0] = a;
    faults[1] = b;
    faults[2] = c;
    *at = 0;
}

static int no_faults(void **state)
{
    (void)state;
    set_faults(read_faults, &read_at, 0, 0, 0);
    set_faults(poll_faults, &poll_at, 0, 0, 0);
    return 0;
}

static int ends[2];
static struct pz_stream stream;

/* A pipe as its path leads to it; our own end of it is closed. */
static void open_pipe(void)
{
    char path[32];

    assert_int_equal(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    memset(&stream, 0, sizeof stream);
    assert_int_equal(pz_stream_open(&stream, path), 0);
    assert_int_equal(close(ends[0]), 0);
}

static void put(const char *text)
{
    size_t len = strlen(text);

    assert_true(write(ends[1], text, len) == (ssize_t)len);
}

static int asked;

/* Says yes when asked for the fifth time. */
static int at_last(void *arg)
{
    assert_ptr_equal(arg, &asked);
    return ++asked >= 5;
}

static enum pz_stream_result read_some(char *out, size_t *got)
{
    asked = 0;
    return pz_stream_read(&stream, out, 4, got, at_last, &asked);
}

static void expect(const char *text)
{
    char out[4];
    size_t got;

    assert_int_equal(read_some(out, &got), PZ_STREAM_READ);
    assert_int_equal(got, strlen(text));
    assert_memory_equal(out, text, got);
}

TEST(passing_faults_are_passed_over)
{
    BEGIN();
    open_pipe();
    put("abcdef");
    set_faults(read_faults, &read_at, EINTR, EAGAIN, 0);
    expect("abcd");
    set_faults(poll_faults, &poll_at, EINTR, EAGAIN, 0);
    set_faults(read_faults, &read_at, 0, 0, 0);
    expect("ef");
    assert_int_equal(close(ends[1]), 0);
    expect("");
    expect("");
    pz_stream_close(&stream);
    pz_stream_close(&stream);
}

TEST(a_failure_is_no_end)
{
    static const int faults[] = { EIO, EBADF, ECONNRESET, ENXIO };
    char out[4];
    size_t got;

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(faults); i++) {
        open_pipe();
        put("ab");
        set_faults(read_faults, &read_at, faults[i], 0, 0);
        assert_int_equal(read_some(out, &got), PZ_STREAM_FAILED);
        assert_int_equal(got, 0);
        assert_non_null(strstr(stream.message, strerror(faults[i])));
        assert_non_null(strstr(stream.message, "cannot read /dev/fd/"));
        expect("ab"); /* nothing was lost by it */
        pz_stream_close(&stream);
        assert_int_equal(close(ends[1]), 0);
    }
    assert_int_equal(read_some(out, &got), PZ_STREAM_FAILED);
    assert_non_null(strstr(stream.message, "it is closed"));
}

TEST(a_wait_is_interrupted)
{
    char out[4];
    size_t got;

    BEGIN();
    open_pipe();
    assert_int_equal(read_some(out, &got), PZ_STREAM_INTERRUPTED);
    assert_int_equal(asked, 5);
    put("ab");
    expect("ab");
    assert_int_equal(close(ends[1]), 0);
    pz_stream_close(&stream);
}

TEST(a_named_pipe_waits_for_its_writer)
{
    char folder[] = "/tmp/personalize-stream-XXXXXX", path[64], out[4];
    size_t got;

    BEGIN();
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, S_IRUSR | S_IWUSR), 0);
    memset(&stream, 0, sizeof stream);
    assert_int_equal(pz_stream_open(&stream, path), 0);
    assert_int_equal(read_some(out, &got), PZ_STREAM_INTERRUPTED);
    ends[1] = open(path, O_WRONLY);
    assert_true(ends[1] >= 0);
    assert_int_equal(read_some(out, &got), PZ_STREAM_INTERRUPTED);
    put("ab");
    expect("ab");
    assert_int_equal(read_some(out, &got), PZ_STREAM_INTERRUPTED);
    assert_int_equal(close(ends[1]), 0);
    expect("");
    pz_stream_close(&stream);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

TEST(kinds)
{
    char path[32];
    const char *why;
    int pair[2];

    BEGIN();
    assert_int_equal(pz_stream_kind("/dev/null", &why), PZ_STREAM_WRONG);
    assert_string_equal(why, "it is a device");
    assert_int_equal(pz_stream_kind("/", &why), PZ_STREAM_WRONG);
    assert_string_equal(why, "it is a directory");
    assert_int_equal(pz_stream_kind("/dev/fd/1x", &why), PZ_STREAM_WRONG);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", pair[0]);
    assert_int_equal(pz_stream_kind(path, &why), PZ_STREAM_ONCE);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(pz_stream_kind(path, &why), PZ_STREAM_WRONG);
    assert_string_equal(why, "it is closed");
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(pipe(pair), 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", pair[1]);
    assert_int_equal(pz_stream_kind(path, &why), PZ_STREAM_WRONG);
    memset(&stream, 0, sizeof stream);
    assert_int_equal(pz_stream_open(&stream, path), -1);
    assert_non_null(strstr(stream.message, "it is closed"));
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
}

TEST(no_standard_number)
{
    int fd = dup(STDIN_FILENO), lifted;

    BEGIN();
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(pz_fd_lift(fd), fd);
    assert_int_equal(close(STDIN_FILENO), 0);
    lifted = pz_fd_lift(open("/dev/null", O_RDONLY));
    assert_true(lifted > STDERR_FILENO);
    assert_true(fcntl(lifted, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(lifted), 0);
    errno = EMFILE;
    assert_int_equal(pz_fd_lift(-1), -1);
    assert_int_equal(errno, EMFILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(passing_faults_are_passed_over, no_faults),
        cmocka_unit_test_teardown(a_failure_is_no_end, no_faults),
        cmocka_unit_test(a_wait_is_interrupted),
        cmocka_unit_test(a_named_pipe_waits_for_its_writer),
        cmocka_unit_test(kinds),
        cmocka_unit_test(no_standard_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
