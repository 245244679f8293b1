/* What went wrong with a file, and what is not promised of it, in words.
   See pz_file.h. */
#include "pz_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *pz_file_fault_text(int error)
{
    switch (error) {
    case PZ_FILE_INTERRUPTED:
        return "interrupted";
    case PZ_FILE_LOCKED:
        return "another process has locked it";
    case PZ_FILE_LINK:
        return "it is a symbolic link";
    case PZ_FILE_FOREIGN_LINK:
        return "it is another user's symbolic link, in a folder that all can "
               "write to";
    case PZ_FILE_HARD_LINKS:
        return "it has other names (hard links)";
    case PZ_FILE_FOREIGN:
        return "it belongs to another user";
    case PZ_FILE_PIPE:
        return "it is a named pipe";
    case PZ_FILE_SOCKET:
        return "it is a socket";
    case PZ_FILE_DEVICE:
        return "it is a device";
    case PZ_FILE_LONG_TAIL:
        return "its last line has no end and more than 1024 bytes: no list of "
               "ids ends so";
    case PZ_FILE_OPEN_TAIL:
        return "its last line has no end, and its file system has no locks to "
               "take it away under";
    case PZ_FILE_TOO_LARGE:
        return "it is too large";
    case PZ_FILE_CLOSED:
        return "no such descriptor was given to this program to write to";
    default:
        return strerror(error);
    }
}

#define NAMED(error) { error, #error }

const char *pz_file_fault_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        NAMED(EACCES), NAMED(EBADF), NAMED(EBUSY), NAMED(EDQUOT),
        NAMED(EEXIST), NAMED(EFBIG), NAMED(EINTR), NAMED(EINVAL), NAMED(EIO),
        NAMED(EISDIR), NAMED(ELOOP), NAMED(EMFILE), NAMED(EMLINK),
        NAMED(ENAMETOOLONG), NAMED(ENFILE), NAMED(ENODEV), NAMED(ENOENT),
        NAMED(ENOSPC), NAMED(ENOSYS), NAMED(ENOTDIR), NAMED(ENOTSUP),
        NAMED(ENXIO), NAMED(EPERM), NAMED(EPIPE), NAMED(EROFS), NAMED(ESTALE),
        NAMED(ETXTBSY), NAMED(EXDEV),
        { EAGAIN, "EAGAIN" },
        { PZ_FILE_INTERRUPTED, "EINTR" },
        { PZ_FILE_LOCKED, "EAGAIN" },
        { PZ_FILE_LINK, "ELOOP" },
        { PZ_FILE_FOREIGN_LINK, "EACCES" },
        { PZ_FILE_HARD_LINKS, "EMLINK" },
        { PZ_FILE_FOREIGN, "EPERM" },
        { PZ_FILE_PIPE, "EINVAL" },
        { PZ_FILE_SOCKET, "EINVAL" },
        { PZ_FILE_DEVICE, "EINVAL" },
        { PZ_FILE_LONG_TAIL, "EINVAL" },
        { PZ_FILE_OPEN_TAIL, "EINVAL" },
        { PZ_FILE_TOO_LARGE, "EFBIG" },
        { PZ_FILE_CLOSED, "EBADF" },
    };

    for (size_t i = 0; i < PZ_COUNT(names); i++)
        if (names[i].error == error)
            return names[i].name;
    return "";
}

void pz_file_lacks_text(char out[PZ_FILE_LACKS_TEXT], unsigned lacks)
{
    static const struct {
        unsigned bit;
        const char *text;
    } texts[] = {
        { PZ_FILE_NO_MODE, "others may be able to read it (its file system "
                           "does not take mode 0600)" },
        { PZ_FILE_NO_OWNER, "its file system keeps no owners, so another "
                            "user's file is not noticed" },
        { PZ_FILE_NO_SYNC, "a power cut may lose what was written (its file "
                           "system cannot sync)" },
        { PZ_FILE_NO_NAME_SYNC, "a power cut may lose its name (its folder "
                                "cannot be synced)" },
        { PZ_FILE_NO_LOCK, "nothing keeps two writers apart (its file system "
                           "has no locks)" },
        { PZ_FILE_IN_PLACE, "it was written in place, as no new file could "
                            "take its name: a power cut meanwhile would have "
                            "left a part of it" },
        { PZ_FILE_OPEN_FOLDER, "others can take it away (all may write to its "
                               "folder)" },
    };
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < PZ_COUNT(texts); i++)
        if (lacks & texts[i].bit) {
            int n = snprintf(out + len, PZ_FILE_LACKS_TEXT - len, "%s%s",
                             len > 0 ? "; " : "", texts[i].text);

            if (n > 0 && (size_t)n < PZ_FILE_LACKS_TEXT - len)
                len += (size_t)n;
        }
}
