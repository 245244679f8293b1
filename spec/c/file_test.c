/* Lines of a private file: all of them or none, whatever the disk does and
   whoever else has a hand in it. And locks, and names given to files. */
#include "file_kit.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static size_t cut;     /* of the last append */
static unsigned lacks; /* of the last call */

static int append_to(const char *name, const char *lines)
{
    static const struct pz_file_wait wait = { 0, NULL, NULL };

    return pz_file_append_lines(&lacks, &cut, name, pz_slice_of(lines), &wait);
}

static int append(const char *lines)
{
    return append_to(path, lines);
}

TEST(lines_are_added_for_the_owner_alone)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(append("two\nthree\n"), 0);
    assert_int_equal(lacks, 0);
    assert_file(path, "one\ntwo\nthree\n");
    assert_mode(path, 0600);
}

TEST(whatever_the_umask_is_and_the_mode_was)
{
    static const mode_t masks[] = { 0, 077, 0177, 0277, 0777 };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(masks); i++) {
        mode_t before = umask(masks[i]);

        assert_int_equal(append("one\n"), 0);
        assert_int_equal(append("two\n"), 0);
        (void)umask(before);
        assert_mode(path, 0600);
        assert_file(path, "one\ntwo\n");
        assert_int_equal(unlink(path), 0);
    }
    put("old\n");
    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(append("new\n"), 0);
    assert_mode(path, 0600);
}

TEST(they_are_on_the_disk_and_so_is_the_name)
{
    BEGIN();
    syncs = 0;
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(syncs, 2);
    assert_int_equal(append("two\n"), 0);
    assert_int_equal(syncs, 3);
    /* Whoever made it may have died before the name was on the disk; then
       there is nothing in it. */
    put("");
    syncs = 0;
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(syncs, 2);
    put("");
    folder_refused = EIO;
    assert_int_equal(append("one\n"), EIO);
    assert_file(path, "");
    assert_int_equal(append_to(other, "one\n"), EIO);
    assert_gone(other);
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
    room = 2;
    assert_int_equal(append_to(other, "x\ny\n"), ENOSPC);
    assert_gone(other);
}

TEST(what_may_not_be_on_the_disk_is_not_in_the_file)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    fsync_refused = EIO;
    assert_int_equal(append("two\n"), EIO);
    assert_file(path, "one\n");
    assert_int_equal(append_to(other, "x\n"), EIO);
    assert_gone(other);
}

TEST(half_a_line_is_taken_away)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "alice\nbo", "alice\nnew\n" }, { "bo", "new\n" },
        { "alice\n\n", "alice\n\nnew\n" }, { "", "new\n" },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        put(cases[i].before);
        assert_int_equal(append("new\n"), 0);
        assert_int_equal(cut, strlen(cases[i].before) + 4 -
                              strlen(cases[i].after));
        assert_file(path, cases[i].after);
    }
}

TEST(as_long_as_an_id_may_be_and_no_more)
{
    static const struct {
        size_t before, len;
        int error;
    } cases[] = {
        { 0, 1023, 0 }, { 0, 1024, 0 }, { 4, 1023, 0 }, { 4, 1024, 0 },
        { 0, 1025, PZ_FILE_LONG_TAIL }, { 4, 1025, PZ_FILE_LONG_TAIL },
        { 0, 5000, PZ_FILE_LONG_TAIL }, { 4, 5000, PZ_FILE_LONG_TAIL },
    };
    char text[6000];

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        struct stat seen;
        size_t all = cases[i].before + cases[i].len;

        memset(text, 'x', all);
        text[all] = '\0';
        memcpy(text, "one\n", cases[i].before);
        put(text);
        assert_int_equal(chmod(path, 0644), 0);
        assert_int_equal(append(""), cases[i].error);
        assert_int_equal(cut, cases[i].error ? 0 : cases[i].len);
        assert_int_equal(append("two\n"), cases[i].error);
        assert_int_equal(stat(path, &seen), 0);
        assert_int_equal(seen.st_size,
                         cases[i].error ? all : cases[i].before + 4);
        /* What is refused is left alone. */
        assert_mode(path, cases[i].error ? 0644 : 0600);
    }
}

TEST(no_lines_make_no_file)
{
    BEGIN();
    assert_int_equal(append(""), ENOENT);
    assert_gone(path);
}

TEST(only_a_regular_file_is_written_to)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    BEGIN();
    assert_int_equal(append_to(folder, "x\n"), EISDIR);
    assert_int_equal(append_to("/dev/null", "x\n"), PZ_FILE_DEVICE);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(append("x\n"), PZ_FILE_PIPE);
    assert_int_equal(append_to("/nonexistent/file", "x\n"), ENOENT);
    assert_int_equal(append_to("", "x\n"), ENOENT);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", other);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(append_to(other, "x\n"), PZ_FILE_SOCKET);
    assert_int_equal(close(fd), 0);
}

TEST(no_link_is_followed)
{
    BEGIN();
    put("target\n");
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(append_to(other, "x\n"), PZ_FILE_LINK);
    assert_int_equal(append_to(other, ""), PZ_FILE_LINK);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink(third, other), 0); /* to nothing */
    assert_int_equal(append_to(other, "x\n"), PZ_FILE_LINK);
    assert_gone(third);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(append_to(other, "x\n"), PZ_FILE_HARD_LINKS);
    assert_int_equal(append("x\n"), PZ_FILE_HARD_LINKS);
    assert_file(path, "target\n");
    assert_mode(path, 0644);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(append("x\n"), 0);
}

TEST(another_users_file_is_refused)
{
    BEGIN();
    put("theirs\n");
    assert_int_equal(chmod(path, 0644), 0);
    if (chown(path, 65533, (gid_t)-1) != 0) {
        print_message("skipped: only root can give a file away\n");
        skip();
    }
    assert_int_equal(append("x\n"), PZ_FILE_FOREIGN);
    assert_int_equal(append(""), PZ_FILE_FOREIGN);
    assert_file(path, "theirs\n");
    assert_mode(path, 0644);
}

TEST(unless_all_files_there_are_of_one_user)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    user = geteuid() + 1;
    assert_int_equal(append("two\n"), 0);
    assert_int_equal(lacks, PZ_FILE_NO_OWNER);
    assert_file(path, "one\ntwo\n");
}

TEST(a_folder_that_all_may_write_to_is_told_of)
{
    BEGIN();
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(append("one\n"), 0);
    assert_int_equal(lacks, PZ_FILE_OPEN_FOLDER);
    /* As /tmp is: nobody else can take away what is there. */
    assert_int_equal(chmod(folder, 01777), 0);
    assert_int_equal(append("two\n"), 0);
    assert_int_equal(lacks, 0);
}

TEST(what_the_file_system_lacks_is_done_without)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(lacks_said); i++) {
        put("one\n");
        assert_int_equal(chmod(path, 0644), 0);
        fchmod_refused = lacks_said[i];
        assert_int_equal(append("two\n"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_MODE);
        fchmod_refused = 0;
        assert_int_equal(append("three\n"), 0);
        assert_int_equal(lacks, 0);

        fsync_refused = lacks_said[i];
        assert_int_equal(append("four\n"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_SYNC);
        assert_int_equal(append_to(other, "one\n"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_SYNC | PZ_FILE_NO_NAME_SYNC);
        fsync_refused = 0;
        assert_int_equal(unlink(other), 0);

        folder_refused = lacks_said[i];
        assert_int_equal(append_to(other, "one\n"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_NAME_SYNC);
        folder_refused = 0;
        assert_int_equal(unlink(other), 0);

        flock_refused = lacks_said[i];
        assert_int_equal(append("six\n"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_LOCK);
        flock_refused = 0;
        assert_file(path, "one\ntwo\nthree\nfour\nsix\n");
    }
}

TEST(what_goes_wrong_there_is_no_lack)
{
    BEGIN();
    assert_int_equal(append("one\n"), 0);
    folder_refused = EMFILE;
    assert_int_equal(append_to(other, "two\n"), EMFILE);
    folder_refused = 0;
    flock_refused = EIO;
    assert_int_equal(append("two\n"), EIO);
    flock_refused = 0;
    assert_int_equal(chmod(path, 0644), 0);
    fchmod_refused = EIO;
    assert_int_equal(append("two\n"), EIO);
    assert_file(path, "one\n");
}

TEST(without_a_lock_nothing_is_taken_away)
{
    BEGIN();
    put("one\ntw");
    flock_refused = ENOLCK;
    assert_int_equal(append("three\n"), PZ_FILE_OPEN_TAIL);
    assert_file(path, "one\ntw");
    put("one\n");
    room = 2; /* others may have added to the file since */
    assert_int_equal(append("two\n"), ENOSPC);
    assert_file(path, "one\ntw");
}

static int append_within(const char *lines)
{
    return append(lines);
}

TEST(a_limit_on_files_is_an_error_and_no_signal)
{
    BEGIN();
    put("one\nha");
    assert_int_equal(with_limit(6, append_within, "two\n"), EFBIG);
    assert_file(path, "one\nha");
    assert_int_equal(with_limit(8, append_within, "two\n"), 0);
    assert_file(path, "one\ntwo\n");
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

/* ---- locks ------------------------------------------------------------- */

static int asked;

static int after_three(void *arg)
{
    (void)arg;
    return ++asked > 3;
}

TEST(a_lock_that_another_has_is_waited_for_until_the_deadline)
{
    const struct pz_file_wait some = { 0.05, NULL, NULL };
    const struct pz_file_wait long_one = { 1000, after_three, NULL };
    int fd;

    BEGIN();
    assert_int_equal(append("one\n"), 0);
    fd = open(path, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(append("two\n"), PZ_FILE_LOCKED);
    assert_int_equal(pz_file_append_lines(&lacks, &cut, path, LIT("two\n"),
                                          &some), PZ_FILE_LOCKED);
    assert_int_equal(pz_file_append_lines(&lacks, &cut, path, LIT("two\n"),
                                          &long_one), PZ_FILE_INTERRUPTED);
    assert_file(path, "one\n");
    assert_int_equal(close(fd), 0);
    assert_int_equal(append("two\n"), 0);
}

TEST(a_lock_is_one_holders)
{
    const struct pz_file_wait wait = { 0, NULL, NULL };
    struct pz_file_lock one = { 0 }, two = { 0 };

    BEGIN();
    assert_int_equal(pz_file_take_lock(&one, &lacks, path, &wait), 0);
    assert_mode(path, 0600);
    assert_true(pz_file_has_lock(&one, path));
    assert_int_equal(pz_file_take_lock(&two, &lacks, path, &wait),
                     PZ_FILE_LOCKED);
    assert_false(pz_file_has_lock(&two, path));
    pz_file_unlock(&two);
    pz_file_unlock(&one);
    pz_file_unlock(&one);
    assert_false(pz_file_has_lock(&one, path));
    assert_int_equal(pz_file_take_lock(&two, &lacks, path, &wait), 0);
    /* Whoever takes the file away takes the lock away. */
    assert_int_equal(unlink(path), 0);
    assert_false(pz_file_has_lock(&two, path));
    assert_int_equal(pz_file_take_lock(&one, &lacks, path, &wait), 0);
    assert_false(pz_file_has_lock(&two, path));
    pz_file_unlock(&one);
    pz_file_unlock(&two);
    assert_int_equal(symlink(other, third), 0);
    assert_int_equal(pz_file_take_lock(&one, &lacks, third, &wait),
                     PZ_FILE_LINK);
    flock_refused = ENOSYS;
    assert_int_equal(pz_file_take_lock(&one, &lacks, path, &wait), 0);
    assert_int_equal(lacks, PZ_FILE_NO_LOCK);
    pz_file_unlock(&one);
}

TEST(a_lock_ends_with_its_process)
{
    const struct pz_file_wait wait = { 0, NULL, NULL };
    struct pz_file_lock lock = { 0 };
    int ready[2], status;
    char byte;
    pid_t child;

    BEGIN();
    assert_int_equal(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ready[0]);
        byte = pz_file_take_lock(&lock, &lacks, path, &wait) == 0;
        (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_int_equal(pz_file_take_lock(&lock, &lacks, path, &wait),
                     PZ_FILE_LOCKED);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(pz_file_take_lock(&lock, &lacks, path, &wait), 0);
    pz_file_unlock(&lock);
    assert_int_equal(close(ready[0]), 0);
}

/* ---- names ------------------------------------------------------------- */

static void try_rename(void)
{
    put("one\n");
    syncs = 0;
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, other), 0);
    assert_int_equal(lacks, 0);
    assert_int_equal(syncs, 1);
    assert_file(other, "one\n");
    assert_gone(path);
    put("two\n");
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, other), EEXIST);
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, path), EEXIST);
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, folder), EEXIST);
    assert_int_equal(symlink(third, third), 0);
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, third), EEXIST);
    assert_int_equal(unlink(third), 0);
    assert_file(path, "two\n");
    assert_file(other, "one\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, third), ENOENT);
    assert_gone(third);
    assert_int_equal(unlink(other), 0);
}

TEST(a_name_that_is_taken_stays_taken)
{
    BEGIN();
    try_rename();
}

TEST(also_where_the_file_system_has_no_such_rename)
{
    static const int said[] = { EINVAL, ENOSYS, ENOTSUP };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(said); i++) {
        noreplace_refused = said[i];
        try_rename();
    }
    /* What cannot be renamed leaves no name behind. */
    put("one\n");
    rename_refused = EIO;
    assert_int_equal(pz_file_rename_noreplace(&lacks, path, other), EIO);
    assert_gone(other);
    assert_file(path, "one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_teardown(f, remove_files)
        CASE(lines_are_added_for_the_owner_alone),
        CASE(whatever_the_umask_is_and_the_mode_was),
        CASE(they_are_on_the_disk_and_so_is_the_name),
        CASE(a_full_disk_leaves_the_file_as_it_was),
        CASE(what_may_not_be_on_the_disk_is_not_in_the_file),
        CASE(half_a_line_is_taken_away),
        CASE(as_long_as_an_id_may_be_and_no_more),
        CASE(no_lines_make_no_file),
        CASE(only_a_regular_file_is_written_to),
        CASE(no_link_is_followed),
        CASE(another_users_file_is_refused),
        CASE(unless_all_files_there_are_of_one_user),
        CASE(a_folder_that_all_may_write_to_is_told_of),
        CASE(what_the_file_system_lacks_is_done_without),
        CASE(what_goes_wrong_there_is_no_lack),
        CASE(without_a_lock_nothing_is_taken_away),
        CASE(a_limit_on_files_is_an_error_and_no_signal),
        CASE(nothing_is_added_after_a_file_was_renamed),
        CASE(a_lock_that_another_has_is_waited_for_until_the_deadline),
        CASE(a_lock_is_one_holders),
        CASE(a_lock_ends_with_its_process),
        CASE(a_name_that_is_taken_stays_taken),
        CASE(also_where_the_file_system_has_no_such_rename),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
