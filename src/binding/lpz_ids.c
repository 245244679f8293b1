/* See lpz_ids.h. */
#include "lpz_ids.h"

#include <string.h>

#include "../core/pz_userlist.h"
#include "../io/pz_pages.h"

static const char CLOSED[] = "the ids are closed";

int lpz_ids_new(lua_State *L)
{
    struct pz_slice key = lpz_checkslice(L, 1);
    struct lpz_ids *ids;

    if (key.len != PZ_IDSET_KEY_LEN)
        return luaL_error(L, "key must have %d bytes", (int)PZ_IDSET_KEY_LEN);
    ids = lpz_newuserdata(L, sizeof *ids, LPZ_IDS);
    ids->table = pz_idtable_new((const unsigned char *)key.data,
                                &pz_small_pages);
    if (ids->table == NULL)
        return lpz_raise(L, PZ_ENOMEM);
    return 1;
}

const char *lpz_ids_full(const struct lpz_ids *ids)
{
    return ids->table == NULL ? CLOSED
        : ids->has_failed ? "the ids have failed before"
        : ids->is_settled ? "the ids are settled" : NULL;
}

const char *lpz_ids_unready(const struct lpz_ids *ids)
{
    return ids->table == NULL ? CLOSED
        : ids->is_settled ? NULL : "the ids are not settled";
}

enum pz_status lpz_ids_note(void *arg, const char *text, const size_t *ends,
                            size_t count)
{
    struct lpz_ids *ids = arg;
    struct pz_idhash hashes[PZ_LIST_BATCH];
    uint64_t not_ascii = 0;
    enum pz_status status;
    size_t from = 0;

    for (size_t i = 0; i < count; i++) {
        struct pz_slice id = { text + from, ends[i] - from };

        hashes[i] = pz_idtable_hash(ids->table, id, &not_ascii);
        from = ends[i] + 1;
    }
    status = pz_idtable_put(ids->table, hashes, count);
    ids->has_failed |= status != PZ_OK;
    return status;
}

static struct lpz_ids *check_open(lua_State *L)
{
    struct lpz_ids *ids = lpz_checkudata(L, 1, LPZ_IDS);

    if (ids->table == NULL)
        luaL_error(L, "%s", CLOSED);
    return ids;
}

/* ids:settle() -> whether that was all
   There are no more ids. Works for about a millisecond. */
static int ids_settle(lua_State *L)
{
    struct lpz_ids *ids = check_open(L);
    enum pz_status status;
    int is_done = 1;

    if (ids->has_failed)
        return luaL_error(L, "%s", lpz_ids_full(ids));
    status = pz_idtable_settle(ids->table, &is_done);
    ids->has_failed = status != PZ_OK;
    if (status != PZ_OK)
        return lpz_raise(L, status);
    ids->is_settled = is_done;
    lua_pushboolean(L, is_done);
    return 1;
}

/* ids:count() -> how many there are; different ones, once they are settled */
static int ids_count(lua_State *L)
{
    lpz_pushcount(L, pz_idtable_count(check_open(L)->table));
    return 1;
}

/* ids:found() -> how many of them were found in an export */
static int ids_found(lua_State *L)
{
    lpz_pushcount(L, pz_idtable_found(check_open(L)->table));
    return 1;
}

static int ids_close(lua_State *L)
{
    struct lpz_ids *ids = lpz_checkudata(L, 1, LPZ_IDS);

    pz_idtable_free(ids->table);
    ids->table = NULL;
    return 0;
}

void lpz_ids_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "close", ids_close },
        { "count", ids_count },
        { "found", ids_found },
        { "settle", ids_settle },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", ids_close },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_IDS, methods, meta);
}
