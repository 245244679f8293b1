/* Lines of a private file: all of them or none, whatever the disk does. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/io/pz_file.h"

/* The disk's faults: calls go through here instead of the C library. */
static size_t room = (size_t)-1; /* bytes until it is full */
static int syncs_fail, syncs;

ssize_t write(int fd, const void *data, size_t len)
{
    if (room == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (len > room)
        len = room;
    if (room != (size_t)-1)
        room -= len;
    return (ssize_t)syscall(SYS_write, fd, data, len);
}

int fsync(int fd)
{
    syncs++;
    if (!syncs_fail)
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

static char folder[] = "/tmp/personalize-file-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/list", folder);
    (void)snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_files(void **state)
{
    (void)state;
    room = (size_t)-1;
    syncs_fail = 0;
    (void)unlink(path);
    (void)unlink(other);
    return 0;
}

static void put(const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *name, const char *text)
{
    char found[256];
    FILE *file = fopen(name, "rb");
    size_t len;

    assert_non_null(file);
    len = fread(found, 1, sizeof found - 1, file);
    found[len] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(found, text);
}

static size_t cut; /* of the last append */

static int append_to(const char *name, const char *lines)
{
    int error = -1;

    assert_int_equal(
        pz_file_append_lines(&error, &cut, name, pz_slice_of(lines)), PZ_OK);
    return error;
}

static int append(const char *lines)
{
    return append_to(path, lines);
}

TEST(lines_are_added_for_the_owner_alone)
{
    struct stat seen;

    BEGIN();
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(append("two\nthree\n"), 0);
    assert_file(path, "one\ntwo\nthree\n");
    assert_int_equal(stat(path, &seen), 0);
    assert_int_equal(seen.st_mode & 0777, 0600);
}

TEST(they_are_on_the_disk_and_so_is_the_name)
{
    BEGIN();
    syncs = 0;
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(syncs, 2);
    assert_int_equal(append("two\n"), 0);
    assert_int_equal(syncs, 3);
}

TEST(a_full_disk_leaves_the_file_as_it_was)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    for (size_t left = 0; left < 4; left++) {
        room = left;
        assert_int_equal(append("two\n"), ENOSPC);
        assert_file(path, "one\n");
    }
    room = 4;
    assert_int_equal(append("two\n"), 0);
    assert_file(path, "one\ntwo\n");
}

TEST(what_may_not_be_on_the_disk_is_not_in_the_file)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    syncs_fail = 1;
    assert_int_equal(append("two\n"), EIO);
    assert_file(path, "one\n");
}

TEST(half_a_line_is_taken_away)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "alice\nbo", "alice\nnew\n" }, { "bo", "new\n" },
        { "alice\n\n", "alice\n\nnew\n" }, { "", "new\n" },
    };
    char longer[3000];

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        put(cases[i].before);
        assert_int_equal(append("new\n"), 0);
        assert_int_equal(cut, strlen(cases[i].before) + 4 -
                              strlen(cases[i].after));
        assert_file(path, cases[i].after);
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memcpy(longer, "one\n", 4);
    put(longer);
    assert_int_equal(append(""), 0);
    assert_file(path, "one\n");
}

TEST(only_a_regular_file_is_written_to)
{
    BEGIN();
    assert_int_equal(append_to(folder, "x\n"), EISDIR);
    assert_int_equal(append_to("/dev/null", "x\n"), EINVAL);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(append("x\n"), EINVAL);
    assert_int_equal(append_to("/nonexistent/file", "x\n"), ENOENT);
}

TEST(a_limit_on_files_is_an_error_and_no_signal)
{
    struct rlimit before, now;

    BEGIN();
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    now = before;
    now.rlim_cur = 6;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    assert_int_equal(append("two\n"), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_file(path, "one\n");
}

TEST(nothing_is_added_after_a_file_was_renamed)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(append_to(other, ""), 0);
    assert_int_equal(append("two\n"), 0);
    assert_file(other, "one\n");
    assert_file(path, "two\n");
}

#ifdef PZ_TEST
static enum pz_status try_append(void *arg)
{
    int error;

    return pz_file_append_lines(&error, &cut, arg, LIT("x\n"));
}

TEST(memory_may_be_refused)
{
    BEGIN();
    assert_true(check_refusals(try_append, path) > 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_teardown(f, remove_files)
        CASE(lines_are_added_for_the_owner_alone),
        CASE(they_are_on_the_disk_and_so_is_the_name),
        CASE(a_full_disk_leaves_the_file_as_it_was),
        CASE(what_may_not_be_on_the_disk_is_not_in_the_file),
        CASE(half_a_line_is_taken_away),
        CASE(only_a_regular_file_is_written_to),
        CASE(a_limit_on_files_is_an_error_and_no_signal),
        CASE(nothing_is_added_after_a_file_was_renamed),
#ifdef PZ_TEST
        CASE(memory_may_be_refused),
#endif
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
