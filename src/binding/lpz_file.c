/*
 * Files and locks for Lua. See lpz_file.h.
 */
#include "lpz_file.h"

#include <errno.h>
#include <string.h>

#include "../io/pz_file.h"
#include "lpz_sys.h"

#define LOCK "personalize.lock"
#define LOCK_SECONDS 10.0
#define READ_MAX (1LL << 30)
#define READ_ROOM ((size_t)1 << 17) /* the block in which its end shows */

/* nil, message, name. Memory is raised. */
static int push_fault(lua_State *L, int error, struct lpz_wait *wait)
{
    if (error == ENOMEM)
        return lpz_raise(L, PZ_ENOMEM);
    if (error == PZ_FILE_INTERRUPTED && wait)
        lpz_wait_taken(wait);
    lua_pushnil(L);
    lua_pushstring(L, pz_file_fault_text(error));
    lua_pushstring(L, pz_file_fault_name(error));
    return 3;
}

/* What is not promised, in words; nil where all is. */
static void push_lacks(lua_State *L, unsigned lacks)
{
    char text[PZ_FILE_LACKS_TEXT];

    if (lacks == 0) {
        lua_pushnil(L);
        return;
    }
    pz_file_lacks_text(text, lacks);
    lua_pushstring(L, text);
}

static struct pz_file_wait begin_wait(lua_State *L, struct lpz_wait *wait,
                                      double seconds)
{
    struct pz_file_wait file_wait = { 0, lpz_interrupted, NULL };

    file_wait.seconds = seconds;
    file_wait.arg = wait;
    lpz_wait_begin(wait, L);
    return file_wait;
}

/* core.write_private(path, text) -> true, warning | nil, message, name */
static int file_write_private(lua_State *L)
{
    const char *path = lpz_checkpath(L, 1);
    struct pz_slice text = lpz_checkslice(L, 2);
    struct lpz_wait wait;
    struct pz_file_wait file_wait = begin_wait(L, &wait, 0);
    unsigned lacks;
    int error = pz_file_write_private(&lacks, path, text, &file_wait);

    if (error != 0)
        return push_fault(L, error, &wait);
    lua_pushboolean(L, 1);
    push_lacks(L, lacks);
    return 2;
}

/* core.writable(path) -> true | nil, message, name */
static int file_writable(lua_State *L)
{
    int error = pz_file_writable(lpz_checkpath(L, 1));

    if (error != 0)
        return push_fault(L, error, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

/* core.append_lines(path, lines, seconds) -> true, bytes of a line without an
   end that were taken away, warning | nil, message, name */
static int file_append_lines(lua_State *L)
{
    const char *path = lpz_checkpath(L, 1);
    struct pz_slice lines = lpz_checkslice(L, 2);
    double seconds = luaL_optnumber(L, 3, LOCK_SECONDS);
    struct lpz_wait wait;
    struct pz_file_wait file_wait;
    unsigned lacks;
    size_t cut;
    int error;

    luaL_argcheck(L, lines.len == 0 || lines.data[lines.len - 1] == '\n', 2,
                  "a line ends with a line feed");
    file_wait = begin_wait(L, &wait, seconds);
    error = pz_file_append_lines(&lacks, &cut, path, lines, &file_wait);
    if (error != 0)
        return push_fault(L, error, &wait);
    lua_pushboolean(L, 1);
    lpz_pushcount(L, cut);
    push_lacks(L, lacks);
    return 3;
}

/* core.rename_noreplace(from, to) -> true, warning | nil, message, name */
static int file_rename_noreplace(lua_State *L)
{
    const char *from = lpz_checkpath(L, 1);
    unsigned lacks;
    int error = pz_file_rename_noreplace(&lacks, from, lpz_checkpath(L, 2));

    if (error != 0)
        return push_fault(L, error, NULL);
    lua_pushboolean(L, 1);
    push_lacks(L, lacks);
    return 2;
}

/* core.read_file(path, most) -> text | nil, message, name */
static int file_read(lua_State *L)
{
    const char *path = lpz_checkpath(L, 1);
    struct pz_buf *out;
    long long most = 0;
    int error;

    luaL_argcheck(L, lpz_tointeger(L, 2, &most) && most >= 0 &&
                  most <= READ_MAX, 2, "0 to 1 GiB expected");
    out = lpz_newbuffer(L);
    out->max = (size_t)most + READ_ROOM;
    error = pz_file_read(out, path, (size_t)most);
    if (error != 0) {
        pz_buf_free(out);
        return push_fault(L, error, NULL);
    }
    lpz_pushslice(L, pz_buf_slice(out));
    pz_buf_free(out);
    return 1;
}

/* core.file_kind(path) -> "file", "pipe" or "device", of what may be read
   | nil, message, name */
static int file_kind(lua_State *L)
{
    static const char *const names[] = { "file", "pipe", "device" };
    enum pz_file_kind kind;
    int error = pz_file_readable(&kind, lpz_checkpath(L, 1));

    if (error != 0)
        return push_fault(L, error, NULL);
    lua_pushstring(L, names[kind]);
    return 1;
}

/* core.same_file(path, path) -> boolean */
static int file_same(lua_State *L)
{
    const char *a = lpz_checkpath(L, 1);

    lua_pushboolean(L, pz_file_same(a, lpz_checkpath(L, 2)));
    return 1;
}

/* ---- locks ------------------------------------------------------------- */

struct lock {
    struct pz_file_lock file;
    char path[1]; /* as long as it is */
};

/* core.lock_file(path, seconds) -> lock, warning | nil, message, name */
static int file_lock(lua_State *L)
{
    const char *path = lpz_checkpath(L, 1);
    struct lpz_wait wait;
    struct pz_file_wait file_wait =
        begin_wait(L, &wait, luaL_optnumber(L, 2, LOCK_SECONDS));
    struct lock *lock = lpz_newuserdata(L, sizeof *lock + strlen(path), LOCK);
    unsigned lacks;
    int error;

    memcpy(lock->path, path, strlen(path) + 1);
    error = pz_file_take_lock(&lock->file, &lacks, path, &file_wait);
    if (error != 0)
        return push_fault(L, error, &wait);
    push_lacks(L, lacks);
    return 2;
}

/* lock:is_held() -> boolean: false also where its file lost its name */
static int lock_is_held(lua_State *L)
{
    const struct lock *lock = lpz_checkudata(L, 1, LOCK);

    lua_pushboolean(L, pz_file_has_lock(&lock->file, lock->path));
    return 1;
}

/* lock:release(); takes a released one */
static int lock_release(lua_State *L)
{
    struct lock *lock = lpz_checkudata(L, 1, LOCK);

    pz_file_unlock(&lock->file);
    return 0;
}

void lpz_file_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "is_held", lock_is_held },
        { "release", lock_release },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", lock_release },
        { "__close", lock_release },
        { NULL, NULL }
    };

    lpz_newclass(L, LOCK, methods, meta);
}

const luaL_Reg lpz_file_functions[] = {
    { "append_lines", file_append_lines },
    { "file_kind", file_kind },
    { "lock_file", file_lock },
    { "read_file", file_read },
    { "rename_noreplace", file_rename_noreplace },
    { "same_file", file_same },
    { "writable", file_writable },
    { "write_private", file_write_private },
    { NULL, NULL }
};
