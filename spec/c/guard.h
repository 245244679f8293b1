#ifndef GUARD_H
#define GUARD_H
/*
 * Bytes that end where readable memory ends: whoever reads one byte too many
 * is killed, with sanitizers or without.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/core/pz_buf.h"

enum { GUARD_ROOM = 1 << 20, GUARD_SLOTS = 4 };

/*
 * A copy of 's' before a page that cannot be read. There are GUARD_SLOTS
 * places; a second use of one overwrites the first.
 */
static inline struct pz_slice guard(int slot, struct pz_slice s)
{
    static char *rooms[GUARD_SLOTS];
    struct pz_slice copy;

    if (slot < 0 || slot >= GUARD_SLOTS || s.len > GUARD_ROOM)
        abort();
    if (rooms[slot] == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (room == MAP_FAILED ||
            mprotect(room + GUARD_ROOM, page, PROT_NONE) != 0)
            abort();
        rooms[slot] = room;
    }
    copy.data = rooms[slot] + GUARD_ROOM - s.len;
    copy.len = s.len;
    if (s.len > 0)
        memcpy(rooms[slot] + GUARD_ROOM - s.len, s.data, s.len);
    return copy;
}

#endif
