/* Spools on file systems that have less than others. */
#include "file_kit.h"

#include "../../src/io/pz_listfile.h"

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
        CASE(what_goes_wrong_is_told),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
