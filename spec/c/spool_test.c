/* Spools on file systems that have less than others. */
#include "file_kit.h"

#include "../../src/io/pz_listfile.h"

/* What the next calls that read or write a spool answer: an errno each, until
   the first 0; then the system's own answers, of so many bytes at most. */
static int faults[4];
static size_t fault_at, most;

static int next_fault(size_t *len)
{
    if (most > 0 && *len > most)
        *len = most;
    errno = faults[fault_at];
    return errno == 0 ? 0 : faults[fault_at++];
}

/* glibc has names of their own for calls with 64 bits of offset. */
#if defined(__GLIBC__)
#define OFFSET __off64_t
#define PWRITE pwrite64
#define PREAD pread64
#else
#define OFFSET off_t
#define PWRITE pwrite
#define PREAD pread
#endif

ssize_t PWRITE(int fd, const void *data, size_t len, OFFSET at);
ssize_t PREAD(int fd, void *data, size_t len, OFFSET at);

ssize_t PWRITE(int fd, const void *data, size_t len, OFFSET at)
{
    return next_fault(&len) != 0
        ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t PREAD(int fd, void *data, size_t len, OFFSET at)
{
    return next_fault(&len) != 0
        ? -1 : (ssize_t)syscall(SYS_pread64, fd, data, len, at);
}

static void say(int first, int second, size_t bytes)
{
    memset(faults, 0, sizeof faults);
    faults[0] = first;
    faults[1] = second;
    fault_at = 0;
    most = bytes;
}

static void check_spool(void)
{
    struct pz_listfile spool = { 0 };
    struct stat seen;
    char found[8];
    size_t got;

    assert_int_equal(pz_listfile_spool(&spool, folder), 0);
    assert_true(spool.fd > STDERR_FILENO);
    assert_true(fcntl(spool.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstat(spool.fd, &seen), 0);
    assert_int_equal(seen.st_nlink, 0);
    assert_int_equal(seen.st_mode & 077, 0);
    assert_int_equal(pz_listfile_write(&spool, LIT("text")), 0);
    assert_int_equal(pz_listfile_read(&spool, found, sizeof found, 0, &got), 0);
    assert_int_equal(got, 4);
    assert_memory_equal(found, "text", 4);
    pz_listfile_close(&spool);
}

TEST(they_do_without_files_that_never_had_a_name)
{
    static const int said[] = { ENOTSUP, EISDIR, EINVAL, ENOENT };

    BEGIN();
    check_spool();
    for (size_t i = 0; i < PZ_COUNT(said); i++) {
        nameless_refused = said[i];
        check_spool();
    }
    assert_int_equal(rmdir(folder), 0); /* nothing is left in it */
    assert_int_equal(mkdir(folder, 0700), 0);
}

TEST(they_do_without_modes_and_whatever_the_umask)
{
    mode_t before = umask(0777);

    BEGIN();
    nameless_refused = ENOTSUP;
    for (size_t i = 0; i < PZ_COUNT(lacks_said); i++) {
        fchmod_refused = lacks_said[i];
        check_spool();
    }
    (void)umask(before);
}

TEST(they_do_with_a_folder_that_may_be_written_but_not_read)
{
    BEGIN();
    assert_int_equal(chmod(folder, 0300), 0);
    check_spool();
    nameless_refused = ENOTSUP;
    check_spool();
}

TEST(all_of_it_is_written_and_read)
{
    struct pz_listfile spool = { 0 };
    char found[8];
    size_t got;

    BEGIN();
    assert_int_equal(pz_listfile_spool(&spool, folder), 0);
    say(EINTR, EINTR, 3);
    assert_int_equal(pz_listfile_write(&spool, LIT("a text of some length")),
                     0);
    assert_int_equal(spool.size, 21);
    say(EINTR, 0, 5);
    assert_int_equal(pz_listfile_read(&spool, found, sizeof found, 2, &got), 0);
    assert_int_equal(got, 5); /* less is no end */
    assert_memory_equal(found, "text ", 5);
    say(EIO, 0, 0);
    assert_int_equal(pz_listfile_read(&spool, found, sizeof found, 0, &got),
                     -1);
    assert_int_equal(got, 0);
    assert_non_null(strstr(spool.message, strerror(EIO)));
    pz_listfile_close(&spool);
    say(0, 0, 0);
}

TEST(a_full_disk_is_told)
{
    static const int said[] = { ENOSPC, EDQUOT, EFBIG, EIO };
    struct pz_listfile spool = { 0 };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(said); i++) {
        assert_int_equal(pz_listfile_spool(&spool, folder), 0);
        assert_int_equal(pz_listfile_write(&spool, LIT("alice\n")), 0);
        say(said[i], 0, 0);
        assert_int_equal(pz_listfile_write(&spool, LIT("bob\n")), -1);
        assert_non_null(strstr(spool.message, strerror(said[i])));
        assert_non_null(strstr(spool.message, "(after 6 bytes)"));
        assert_null(strstr(spool.message, "bob"));
        pz_listfile_close(&spool);
        say(0, 0, 0);
    }
}

TEST(what_goes_wrong_is_told)
{
    struct pz_listfile spool = { 0 };

    BEGIN();
    nameless_refused = ENOTSUP;
    /* The umask leaves nothing, and the disk fails. */
    fchmod_refused = EIO;
    (void)umask(0777);
    assert_int_equal(pz_listfile_spool(&spool, folder), -1);
    (void)umask(022);
    assert_false(spool.is_open);
    assert_non_null(strstr(spool.message, strerror(EIO)));
    fchmod_refused = 0;
    assert_int_equal(pz_listfile_spool(&spool, path), -1);
    assert_non_null(strstr(spool.message, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_teardown(f, remove_files)
        CASE(they_do_without_files_that_never_had_a_name),
        CASE(they_do_without_modes_and_whatever_the_umask),
        CASE(they_do_with_a_folder_that_may_be_written_but_not_read),
        CASE(all_of_it_is_written_and_read),
        CASE(a_full_disk_is_told),
        CASE(what_goes_wrong_is_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
