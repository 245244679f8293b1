/*
 * The parts of user lists as bodies: the bytes that were checked are made
 * again while they are sent, and held against what was checked.
 */
#include "lpz_source.h"

#include <string.h>

#include "../core/pz_rewrite.h"
#include "lpz_userlist.h"

#define READ_DEFAULT ((long long)64 << 10)
#define READ_MAX ((long long)8 << 20)

static const char CHANGED[] = "the file changed since it was checked";
static const char CLOSED[] = "the list is closed";

struct list_source {
    struct lpz_source base; /* first: this is what others see */
    struct lpz_userlist *list; /* kept by our anchor; may be closed */
    struct pz_rewrite rewrite;
    struct pz_buf block;
    unsigned long long offset; /* of what is to be read next */
    int is_checked;            /* the file, before the first byte */
    const char *fault;
};

static struct list_source *of(struct lpz_source *base)
{
    return (struct list_source *)(void *)base;
}

/* 0, or -1 with the fault. */
static int fill(struct list_source *source)
{
    struct lpz_userlist *list = source->list;
    size_t got = 0;

    source->block.max = LPZ_LIST_BLOCK;
    if (pz_buf_reserve(&source->block, LPZ_LIST_BLOCK) != PZ_OK) {
        source->fault = pz_status_text(PZ_ENOMEM);
        return -1;
    }
    if (pz_listfile_read(&list->file, source->block.data, LPZ_LIST_BLOCK,
                         source->offset, &got) != 0) {
        source->fault = list->file.message;
        return -1;
    }
    source->offset += got;
    source->rewrite.input.data = source->block.data;
    source->rewrite.input.len = got;
    source->rewrite.is_last = got == 0;
    return 0;
}

/* The file as the system shows it, before the first and the last byte. */
static int check_file(struct list_source *source)
{
    int is_end = source->rewrite.left == 0;

    if ((source->is_checked && !is_end) ||
        pz_listfile_check(&source->list->file) == 0) {
        source->is_checked = 1;
        return 0;
    }
    source->fault = source->list->file.message;
    return -1;
}

static long source_read(struct lpz_source *base, char *out, size_t len)
{
    struct list_source *source = of(base);
    struct pz_rewrite *rewrite = &source->rewrite;
    size_t total = 0;

    if (source->fault == NULL && !source->list->file.is_open)
        source->fault = CLOSED;
    if (source->fault)
        return -1;
    if (rewrite->left == 0)
        return 0;
    if (len > (size_t)READ_MAX)
        len = (size_t)READ_MAX;
    if (check_file(source) != 0)
        return -1;
    while (total < len && rewrite->left > 0) {
        size_t made = 0;
        enum pz_status status = pz_rewrite_read(rewrite, out + total,
                                                len - total, &made);

        total += made;
        if (status != PZ_OK)
            source->fault = status == PZ_EINVAL ? CHANGED
                                                : pz_status_text(status);
        if (source->fault || (total < len && rewrite->left > 0 &&
                              fill(source) != 0))
            return -1;
    }
    return check_file(source) == 0 ? (long)total : -1;
}

static int source_rewind(struct lpz_source *base)
{
    struct list_source *source = of(base);

    source->fault = NULL;
    if (!source->list->file.is_open || source->rewrite.hash == NULL)
        source->fault = CLOSED;
    else if (pz_rewrite_start(&source->rewrite) != PZ_OK)
        source->fault = pz_status_text(PZ_ECRYPTO);
    source->offset = source->rewrite.part.offset;
    source->is_checked = 0;
    return source->fault ? -1 : 0;
}

static const char *source_fault(struct lpz_source *base)
{
    const struct list_source *source = of(base);

    return source->fault ? source->fault : "nothing has failed";
}

/* -- For Lua ------------------------------------------------------------ */

static struct lpz_source *check_source(lua_State *L)
{
    return lpz_checkudata(L, 1, LPZ_SOURCE);
}

static int push_fault(lua_State *L, struct lpz_source *source)
{
    char copy[PZ_LISTFILE_MESSAGE] = { 0 };

    strncpy(copy, source->fault(source), sizeof copy - 1);
    lua_pushnil(L);
    lua_pushstring(L, copy);
    return 2;
}

/* source:read(n = 64 KiB) -> string | nil at the end | nil, message */
static int lua_read(lua_State *L)
{
    struct lpz_source *source = check_source(L);
    long long len = READ_DEFAULT;
    struct pz_buf *out;
    long got = -1;

    if (!lua_isnoneornil(L, 2) && (!lpz_tointeger(L, 2, &len) || len < 1))
        return luaL_error(L, "bad argument #2 (bytes, 1 or more, expected)");
    if (len > READ_MAX)
        len = READ_MAX;
    out = lpz_newbuffer(L);
    out->secret = 0;
    if (pz_buf_reserve(out, (size_t)len) != PZ_OK)
        return lpz_raise(L, PZ_ENOMEM);
    got = source->read(source, out->data, (size_t)len);
    if (got < 0) {
        pz_buf_free(out);
        return push_fault(L, source);
    }
    if (got == 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, out->data, (size_t)got);
    pz_buf_free(out);
    return 1;
}

/* source:rewind() -> true | nil, message */
static int lua_rewind(lua_State *L)
{
    struct lpz_source *source = check_source(L);

    if (source->rewind(source) != 0)
        return push_fault(L, source);
    lua_pushboolean(L, 1);
    return 1;
}

static int lua_index(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "read", lua_read },
        { "rewind", lua_rewind },
        { NULL, NULL }
    };
    struct lpz_source *source = check_source(L);
    struct pz_slice name = { NULL, 0 };

    if (lua_type(L, 2) == LUA_TSTRING)
        name = lpz_checkslice(L, 2);
    if (pz_slice_eq(name, PZ_LIT("length"))) {
        lpz_pushcount(L, source->length);
        return 1;
    }
    for (const luaL_Reg *method = methods; method->name; method++) {
        if (pz_slice_eq(name, pz_slice_of(method->name))) {
            lua_pushcfunction(L, method->func);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

static int source_gc(lua_State *L)
{
    struct list_source *source = of(check_source(L));

    /* Whoever still reads it finds no list and no bytes left. */
    source->fault = CLOSED;
    pz_rewrite_free(&source->rewrite);
    pz_buf_free(&source->block);
    return 0;
}

void lpz_source_push(lua_State *L, int index, size_t part)
{
    struct lpz_userlist *list = lpz_checkudata(L, index, LPZ_USERLIST);
    struct list_source *source;
    enum pz_status status;

    index = lpz_absindex(L, index);
    source = lpz_newuserdata(L, sizeof *source, LPZ_SOURCE);
    source->list = list;
    source->fault = CLOSED; /* until it is whole */
    lua_pushvalue(L, index);
    lpz_setanchor(L, -2);
    if (pz_userlist_part(&list->core, part) == NULL)
        luaL_error(L, "%s", CLOSED); /* by a finalizer, just now */
    status = pz_rewrite_init(&source->rewrite, &list->core, part);
    if (status != PZ_OK)
        lpz_raise(L, status);
    source->base.version = LPZ_SOURCE_VERSION;
    source->base.length = source->rewrite.part.bytes;
    source->base.read = source_read;
    source->base.rewind = source_rewind;
    source->base.fault = source_fault;
    (void)source_rewind(&source->base);
}

void lpz_source_class(lua_State *L)
{
    static const luaL_Reg meta[] = {
        { "__gc", source_gc },
        { "__index", lua_index },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_SOURCE, NULL, meta);
}
