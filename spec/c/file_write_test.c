/* Whole files: the old text or the new, wherever the path leads. And files as
   they are found, which nothing hangs at. */
#include "file_kit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

static unsigned lacks; /* of the last call */

static const struct pz_file_wait no_wait = { 0, NULL, NULL };

static int write_to(const char *name, const char *text)
{
    return pz_file_write_private(&lacks, name, pz_slice_of(text), &no_wait);
}

static int write_text(const char *text)
{
    return write_to(path, text);
}

/* Nothing was left beside the files. */
static void assert_tidy(void)
{
    char command[128];

    (void)snprintf(command, sizeof command,
                   "test -z \"$(ls -A %s | grep personalize)\"", folder);
    assert_int_equal(system(command), 0);
}

TEST(a_file_is_replaced_for_the_owner_alone)
{
    static const mode_t masks[] = { 0, 077, 0277, 0777 };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(masks); i++) {
        mode_t before = umask(masks[i]);

        assert_int_equal(pz_file_writable(path), 0);
        assert_int_equal(write_text("one"), 0);
        assert_int_equal(pz_file_writable(path), 0);
        assert_int_equal(chmod(path, 0664), 0);
        assert_int_equal(write_text("two"), 0);
        (void)umask(before);
        assert_int_equal(lacks, 0);
        assert_file(path, "two");
        assert_mode(path, 0600);
        assert_int_equal(unlink(path), 0);
    }
    assert_tidy();
}

TEST(it_is_on_the_disk_and_so_is_the_name)
{
    BEGIN();
    syncs = 0;
    assert_int_equal(write_text("one"), 0);
    assert_int_equal(syncs, 2);
}

TEST(a_name_may_be_as_long_as_names_can_be)
{
    char name[PZ_FILE_PATH + 2];
    size_t len;

    BEGIN();
    (void)snprintf(name, sizeof name, "%s/", folder);
    len = strlen(name);
    memset(name + len, 'n', 255);
    name[len + 255] = '\0';
    assert_int_equal(write_to(name, "one"), 0);
    assert_file(name, "one");
    assert_int_equal(unlink(name), 0);
    name[len + 255] = 'n';
    name[len + 256] = '\0';
    assert_int_equal(write_to(name, "one"), ENAMETOOLONG);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(write_to(name, "one"), ENAMETOOLONG);
    assert_int_equal(pz_file_writable(name), ENAMETOOLONG);
    assert_tidy();
}

TEST(the_old_text_stays_where_the_new_cannot_be)
{
    BEGIN();
    put("old");
    room = 2;
    assert_int_equal(write_text("new"), ENOSPC);
    room = (size_t)-1;
    fsync_refused = EIO;
    assert_int_equal(write_text("new"), EIO);
    fsync_refused = 0;
    rename_refused = EIO;
    assert_int_equal(write_text("new"), EIO);
    rename_refused = 0;
    assert_int_equal(with_limit(2, write_text, "new"), EFBIG);
    assert_file(path, "old");
    assert_tidy();
}

TEST(links_lead_to_what_is_written)
{
    BEGIN();
    put("old");
    assert_int_equal(symlink("list", other), 0);
    assert_int_equal(symlink(other, third), 0);
    assert_int_equal(pz_file_writable(third), 0);
    assert_int_equal(write_to(third, "new"), 0);
    assert_file(path, "new");
    /* To nothing: it comes to be there. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write_to(third, "newer"), 0);
    assert_file(path, "newer");
    /* In circles. */
    assert_int_equal(unlink(third), 0);
    assert_int_equal(symlink(third, third), 0);
    assert_int_equal(write_to(third, "x"), ELOOP);
    assert_int_equal(pz_file_writable(third), ELOOP);
    assert_tidy();
}

TEST(but_not_one_that_another_put_into_the_way)
{
    BEGIN();
    put("old");
    assert_int_equal(symlink(path, other), 0);
    if (lchown(other, 65533, (gid_t)-1) != 0) {
        print_message("skipped: only root can give a link away\n");
        skip();
    }
    assert_int_equal(chmod(folder, 01777), 0);
    assert_int_equal(write_to(other, "new"), PZ_FILE_FOREIGN_LINK);
    assert_int_equal(pz_file_writable(other), PZ_FILE_FOREIGN_LINK);
    assert_file(path, "old");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(write_to(other, "new"), 0);
    assert_file(path, "new");
}

TEST(a_hard_link_keeps_the_old_text)
{
    BEGIN();
    put("old");
    assert_int_equal(link(path, other), 0);
    assert_int_equal(write_text("new"), 0);
    assert_file(other, "old");
    assert_file(path, "new");
}

TEST(where_the_name_cannot_be_given_away_it_is_written_in_place)
{
    static const int said[] = { EBUSY, EXDEV, EPERM, EACCES };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(said); i++) {
        put("a longer old text");
        assert_int_equal(chmod(path, 0644), 0);
        rename_refused = said[i];
        syncs = 0;
        assert_int_equal(write_text("new"), 0);
        assert_int_equal(lacks, PZ_FILE_IN_PLACE);
        assert_true(syncs >= 1);
        assert_file(path, "new");
        assert_mode(path, 0600);
        assert_int_equal(write_text("a longer new text"), 0);
        assert_file(path, "a longer new text");
        /* There is no place. */
        assert_int_equal(write_to(other, "x"), said[i]);
        assert_gone(other);
        rename_refused = 0;
    }
    assert_tidy();
}

TEST(and_the_old_text_is_put_back_where_that_fails)
{
    BEGIN();
    put("old text");
    rename_refused = EBUSY;
    assert_int_equal(with_limit(2, write_text, "new"), EFBIG);
    assert_file(path, "old text");
    fsync_refused = EIO;
    assert_int_equal(write_text("new"), EIO);
    assert_int_equal(write_text("a much longer new text"), EIO);
    assert_file(path, "old text");
}

TEST(what_the_file_system_lacks_is_done_without)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(lacks_said); i++) {
        /* New files have their mode by themselves, unless the umask says
           otherwise, and then they have too little. */
        mode_t before = umask(0777);

        fchmod_refused = lacks_said[i];
        assert_int_equal(write_text("one"), 0);
        (void)umask(before);
        assert_int_equal(lacks, 0);
        fchmod_refused = 0;

        fsync_refused = lacks_said[i];
        assert_int_equal(write_text("two"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_SYNC | PZ_FILE_NO_NAME_SYNC);
        fsync_refused = 0;

        folder_refused = lacks_said[i];
        assert_int_equal(write_text("three"), 0);
        assert_int_equal(lacks, PZ_FILE_NO_NAME_SYNC);
        folder_refused = 0;
        assert_file(path, "three");
    }
    assert_tidy();
}

TEST(folders_pipes_and_sockets_are_refused_unopened)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    BEGIN();
    assert_int_equal(write_to(folder, "x"), EISDIR);
    assert_int_equal(pz_file_writable(folder), EISDIR);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(write_text("x"), PZ_FILE_PIPE);
    assert_int_equal(pz_file_writable(path), PZ_FILE_PIPE);
    assert_int_equal(symlink(path, third), 0);
    assert_int_equal(write_to(third, "x"), PZ_FILE_PIPE);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", other);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(write_to(other, "x"), PZ_FILE_SOCKET);
    assert_int_equal(pz_file_writable(other), PZ_FILE_SOCKET);
    assert_int_equal(close(fd), 0);
    assert_int_equal(write_to("", "x"), ENOENT);
    assert_int_equal(pz_file_writable(""), ENOENT);
    assert_int_equal(write_to("/nonexistent/file", "x"), ENOENT);
    assert_int_equal(pz_file_writable("/nonexistent/file"), ENOENT);
    assert_tidy();
}

TEST(devices_are_written_to)
{
    BEGIN();
    assert_int_equal(pz_file_writable("/dev/null"), 0);
    assert_int_equal(write_to("/dev/null", "x"), 0);
    assert_int_equal(write_to("/dev/full", "x"), ENOSPC);
    /* A file that has no folder in which another could be made. */
    assert_int_equal(pz_file_writable("/proc/self/comm"), 0);
    assert_int_equal(write_to("/proc/self/comm", "renamed"), 0);
    assert_file("/proc/self/comm", "renamed\n");
}

TEST(descriptors_are_those_that_were_given)
{
    char name[64], found[16];
    int ends[2];

    BEGIN();
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    assert_int_equal(symlink(name, third), 0);
    assert_int_equal(pz_file_writable(third), 0);
    assert_int_equal(write_to(third, "text"), 0);
    assert_int_equal(read(ends[0], found, sizeof found), 4);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(write_to(name, "more"), 0);
    assert_int_equal(read(ends[0], found, sizeof found), 4);
    (void)snprintf(name, sizeof name, "/proc/%ld/fd/%d", (long)getpid(),
                   ends[1]);
    assert_int_equal(write_to(name, "most"), 0);
    assert_int_equal(read(ends[0], found, sizeof found), 4);
    /* The other end is for reading. */
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    assert_int_equal(write_to(name, "x"), PZ_FILE_CLOSED);
    assert_int_equal(pz_file_writable(name), PZ_FILE_CLOSED);
    /* What this program opened for itself is a connection, say. */
    assert_int_equal(fcntl(ends[1], F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(write_to(third, "x"), PZ_FILE_CLOSED);
    assert_int_equal(pz_file_writable(third), PZ_FILE_CLOSED);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(write_to(third, "x"), PZ_FILE_CLOSED);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(pz_file_writable("/dev/fd/1048575"), PZ_FILE_CLOSED);
}

TEST(a_file_that_is_open_goes_on_where_it_is)
{
    char name[64];
    int fd;

    BEGIN();
    put("before ");
    fd = open(path, O_WRONLY | O_APPEND);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", fd);
    assert_int_equal(write_to(name, "after"), 0);
    assert_file(path, "before after");
    assert_int_equal(with_limit(13, write_text, ""), 0);
    assert_int_equal(close(fd), 0);
}

static int at_once(void *arg)
{
    (void)arg;
    return 1;
}

TEST(a_reader_that_is_gone_or_asleep_holds_up_nobody)
{
    static char text[200000];
    const struct pz_file_wait wait = { 0, at_once, NULL };
    struct pz_slice all = { text, sizeof text };
    char name[64];
    int ends[2];

    BEGIN();
    memset(text, 'x', sizeof text);
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    /* A pipe takes 64 KiB; then it is asked whether to go on. */
    assert_int_equal(pz_file_write_private(&lacks, name, all, &wait),
                     PZ_FILE_INTERRUPTED);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(write_to(name, "x"), EPIPE); /* and no SIGPIPE */
    assert_int_equal(close(ends[1]), 0);
}

TEST(no_file_gets_the_number_of_a_closed_stream)
{
    int error, kept = dup(STDIN_FILENO);
    struct pz_file_lock lock = { 0 };

    BEGIN();
    assert_int_equal(close(STDIN_FILENO), 0);
    error = pz_file_take_lock(&lock, &lacks, path, &no_wait);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(kept), 0);
    assert_int_equal(error, 0);
    assert_true(lock.fd > STDERR_FILENO);
    assert_true(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC);
    pz_file_unlock(&lock);
}

/* ---- files as they are found ------------------------------------------- */

static int read_from(const char *name, size_t most, struct pz_buf *out)
{
    pz_buf_clear(out);
    return pz_file_read(out, name, most);
}

TEST(a_text_is_read_whole_or_not_at_all)
{
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    put("text");
    assert_int_equal(read_from(path, 4, &out), 0);
    assert_text(&out, "text");
    assert_int_equal(read_from(path, 3, &out), PZ_FILE_TOO_LARGE);
    assert_int_equal(read_from("/dev/zero", 100000, &out), PZ_FILE_TOO_LARGE);
    assert_int_equal(read_from("/dev/null", 10, &out), 0);
    assert_text(&out, "");
    /* Some have a text, but no size. */
    assert_int_equal(read_from("/proc/self/status", 100000, &out), 0);
    assert_true(out.len > 100);
    put("");
    assert_int_equal(read_from(path, 0, &out), 0);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(read_from(other, 0, &out), 0);
    pz_buf_free(&out);
}

TEST(and_nothing_hangs)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_file_kind kind;

    BEGIN();
    assert_int_equal(read_from(folder, 10, &out), EISDIR);
    assert_int_equal(pz_file_readable(&kind, folder), EISDIR);
    assert_int_equal(read_from(path, 10, &out), ENOENT);
    assert_int_equal(pz_file_readable(&kind, path), ENOENT);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_from(path, 10, &out), PZ_FILE_PIPE);
    assert_int_equal(pz_file_readable(&kind, path), 0);
    assert_int_equal(kind, PZ_FILE_IS_PIPE);
    assert_int_equal(pz_file_readable(&kind, "/dev/null"), 0);
    assert_int_equal(kind, PZ_FILE_IS_DEVICE);
    assert_int_equal(symlink(third, third), 0);
    assert_int_equal(read_from(third, 10, &out), ELOOP);
    assert_int_equal(read_from("/dev/null/x", 10, &out), ENOTDIR);
    pz_buf_free(&out);
}

#ifdef PZ_TEST
static enum pz_status status_of(int error)
{
    return error == 0 ? PZ_OK : error == ENOMEM ? PZ_ENOMEM : PZ_EINVAL;
}

static enum pz_status try_read(void *arg)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_status status = status_of(pz_file_read(&out, arg, 100));

    pz_buf_free(&out);
    return status;
}

static enum pz_status try_in_place(void *arg)
{
    return status_of(write_to(arg, "text"));
}

TEST(memory_may_be_refused)
{
    BEGIN();
    put("text");
    assert_true(check_refusals(try_read, path) > 0);
    rename_refused = EBUSY;
    assert_true(check_refusals(try_in_place, path) > 0);
    assert_file(path, "text");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_teardown(f, remove_files)
        CASE(a_file_is_replaced_for_the_owner_alone),
        CASE(it_is_on_the_disk_and_so_is_the_name),
        CASE(a_name_may_be_as_long_as_names_can_be),
        CASE(the_old_text_stays_where_the_new_cannot_be),
        CASE(links_lead_to_what_is_written),
        CASE(but_not_one_that_another_put_into_the_way),
        CASE(a_hard_link_keeps_the_old_text),
        CASE(where_the_name_cannot_be_given_away_it_is_written_in_place),
        CASE(and_the_old_text_is_put_back_where_that_fails),
        CASE(what_the_file_system_lacks_is_done_without),
        CASE(folders_pipes_and_sockets_are_refused_unopened),
        CASE(devices_are_written_to),
        CASE(descriptors_are_those_that_were_given),
        CASE(a_file_that_is_open_goes_on_where_it_is),
        CASE(a_reader_that_is_gone_or_asleep_holds_up_nobody),
        CASE(no_file_gets_the_number_of_a_closed_stream),
        CASE(a_text_is_read_whole_or_not_at_all),
        CASE(and_nothing_hangs),
#ifdef PZ_TEST
        CASE(memory_may_be_refused),
#endif
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
