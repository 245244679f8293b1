/* See pz_home.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* getpwuid_r under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_home.h"

#include <errno.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

/* Room for what the system has on a user; it has no bound of its own. */
enum { ROOM = 1024, ROOM_MOST = 1 << 20 };

/* 0, or an errno. */
static int look_up(struct passwd *entry, struct passwd **found,
                   const char *user, struct pz_buf *room)
{
    int error;

    do
        error = user
            ? getpwnam_r(user, entry, room->data, room->cap, found)
            : getpwuid_r(getuid(), entry, room->data, room->cap, found);
    while (error == EINTR);
    return error;
}

enum pz_status pz_home(struct pz_buf *out, const char *user)
{
    struct pz_buf room = PZ_BUF_INIT(0);
    struct passwd entry, *found = NULL;
    enum pz_status status = PZ_OK;
    int error = ERANGE;

    for (size_t size = ROOM; error == ERANGE && size <= ROOM_MOST; size *= 2) {
        status = pz_buf_reserve(&room, size);
        if (status != PZ_OK)
            break;
        error = look_up(&entry, &found, user, &room);
    }
    if (status == PZ_OK && error == 0 && found && found->pw_dir &&
        found->pw_dir[0] == '/')
        status = pz_buf_adds(out, pz_slice_of(found->pw_dir));
    pz_buf_free(&room);
    return status;
}
