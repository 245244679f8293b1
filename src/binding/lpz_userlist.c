/*
 * User lists for Lua: from a file, a spool or neither. See lpz_userlist.h.
 */
#include "lpz_userlist.h"

#include <math.h>
#include <string.h>

#include "../core/pz_text.h"
#include "../io/pz_pages.h"
#include "lpz_source.h"

#define CHECK_DEFAULT (1LL << 20)
#define PART_SIZE 100000000LL /* what a job takes, with an MB of 10^6 bytes */

/* What Lua calls in between may close the list: nothing in it is relied on
   across such a call. */
static struct lpz_userlist *check_list(lua_State *L)
{
    struct lpz_userlist *list = lpz_checkudata(L, 1, LPZ_USERLIST);

    if (list->is_closed)
        luaL_error(L, "the list is closed");
    if (list->has_failed)
        luaL_error(L, "the list has failed before");
    if (list->ids && list->core.stage == PZ_LIST_READING &&
        lpz_ids_full(list->ids))
        luaL_error(L, "%s", lpz_ids_full(list->ids));
    return list;
}

static int is_untouched(const struct lpz_userlist *list)
{
    return !list->file.is_open && list->core.records == 0 &&
           list->core.csv.offset == 0 &&
           list->core.stage == PZ_LIST_READING;
}

static int userlist_close(lua_State *L)
{
    struct lpz_userlist *list = lpz_checkudata(L, 1, LPZ_USERLIST);

    list->is_closed = 1;
    pz_userlist_free(&list->core);
    pz_listfile_close(&list->file);
    pz_buf_free(&list->column);
    pz_buf_free(&list->block);
    return 0;
}

/* -- Making one --------------------------------------------------------- */

static enum pz_csv_format check_format(lua_State *L, int *is_ids)
{
    struct pz_slice name = lpz_textfield(L, 1, "format");

    *is_ids = pz_slice_eq(name, PZ_LIT("ids"));
    if (*is_ids || pz_slice_eq(name, PZ_LIT("lines")))
        return PZ_CSV_LINES;
    if (name.data && !pz_slice_eq(name, PZ_LIT("csv")))
        luaL_error(L, "format must be csv, lines or ids");
    return PZ_CSV_HEADED;
}

static unsigned long long check_part_size(lua_State *L)
{
    long long size = PART_SIZE;

    lpz_rawgetname(L, 1, "part_size", strlen("part_size"));
    if (!lua_isnil(L, -1) &&
        (!lpz_tointeger(L, -1, &size) || size < PZ_PART_MIN))
        luaL_error(L, "part_size must be a whole number of bytes, %d or more",
                   (int)PZ_PART_MIN);
    lua_pop(L, 1);
    return (unsigned long long)size;
}

char lpz_delimiterfield(lua_State *L, int index)
{
    struct pz_slice text = lpz_textfield(L, index, "delimiter");

    if (text.data == NULL)
        return '\0';
    if (text.len != 1 || text.data[0] == '\0' ||
        strchr(",;|\t", text.data[0]) == NULL)
        luaL_error(L, "delimiter must be one of , ; | and a tab");
    return text.data[0];
}

static void check_options(lua_State *L, struct pz_userlist_options *options,
                          int *is_ids)
{
    struct pz_slice key;

    luaL_checktype(L, 1, LUA_TTABLE);
    options->format = check_format(L, is_ids);
    options->part_size = check_part_size(L);
    options->column = lpz_textfield(L, 1, "column");
    if (options->column.data && options->format != PZ_CSV_HEADED)
        luaL_error(L, "only a list of the format csv has columns");
    if (options->column.data && (options->column.len == 0 ||
                                 options->column.len > PZ_COLUMN_BYTES))
        luaL_error(L, "column must have 1 to %d bytes", (int)PZ_COLUMN_BYTES);
    options->delimiter = lpz_delimiterfield(L, 1);
    if (options->delimiter && options->format != PZ_CSV_HEADED)
        luaL_error(L, "only a list of the format csv has a delimiter");
    options->unique = lpz_flagfield(L, 1, "unique");
    key = lpz_textfield(L, 1, "key");
    if ((options->unique || key.data) && key.len != sizeof options->key)
        luaL_error(L, "key must have %d bytes", (int)sizeof options->key);
    if (key.data)
        memcpy(options->key, key.data, sizeof options->key);
    options->count_repeats = key.data && !options->unique;
}

/* Of the list on top, at 'index' the ids that it fills, or nil. */
static void set_ids(lua_State *L, struct lpz_userlist *list, int index,
                    struct pz_userlist_options *options)
{
    if (lua_isnil(L, index))
        return;
    list->ids = lpz_checkudata(L, index, LPZ_IDS);
    options->each = lpz_ids_note;
    options->each_arg = list->ids;
    lua_pushvalue(L, index);
    lpz_setanchor(L, -2);
}

int lpz_userlist_new(lua_State *L)
{
    struct pz_userlist_options options = { .memory = &pz_pages };
    struct lpz_userlist *list;
    enum pz_status status;
    int is_ids;

    check_options(L, &options, &is_ids);
    lpz_rawgetname(L, 1, "ids", strlen("ids"));
    list = lpz_newuserdata(L, sizeof *list, LPZ_USERLIST);
    list->is_ids = is_ids;
    set_ids(L, list, lua_gettop(L) - 1, &options);
    status = pz_buf_adds(&list->column, options.column);
    options.column = pz_buf_slice(&list->column);
    if (status == PZ_OK)
        status = pz_userlist_init(&list->core, &options);
    pz_wipe(options.key, sizeof options.key);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    return 1;
}

/* -- Its file ----------------------------------------------------------- */

/* nil and the message; the list is of no more use. */
static int push_failure(lua_State *L, struct lpz_userlist *list,
                        const char *message)
{
    char copy[PZ_LISTFILE_MESSAGE];

    list->has_failed = 1;
    memcpy(copy, message, strlen(message) + 1);
    lua_pushnil(L);
    lua_pushstring(L, copy);
    return 2;
}

/* What a pass ended with. */
static int push_status(lua_State *L, struct lpz_userlist *list,
                       enum pz_status status)
{
    list->has_failed = 1;
    if (status == PZ_ETOOBIG && list->core.has_too_many_parts)
        return push_failure(L, list, "the list makes more than 9999 parts: "
                            "part_size is too small for it");
    if (status == PZ_EINVAL)
        return push_failure(L, list, list->file.message);
    return lpz_raise(L, status);
}

static int userlist_open(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    const char *path = lpz_checkpath(L, 2);

    if (list->is_ids)
        return luaL_error(L, "a list of the format ids has no file");
    if (!is_untouched(list))
        return luaL_error(L, "the list has its input already");
    if (pz_listfile_open(&list->file, path) != 0)
        return push_failure(L, list, list->file.message);
    lua_pushboolean(L, 1);
    return 1;
}

static enum pz_status sink(void *arg, struct pz_slice bytes)
{
    return pz_listfile_write(arg, bytes) == 0 ? PZ_OK : PZ_EINVAL;
}

static int userlist_spool(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    const char *folder = lua_isnoneornil(L, 2) ? NULL : lpz_checkpath(L, 2);

    if (!is_untouched(list))
        return luaL_error(L, "the list has its input already");
    if (pz_listfile_spool(&list->file, folder) != 0)
        return push_failure(L, list, list->file.message);
    list->core.options.sink = sink;
    list->core.options.sink_arg = &list->file;
    lua_pushboolean(L, 1);
    return 1;
}

static int userlist_size(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);

    if (list->file.is_open && !list->file.is_spool)
        lpz_pushcount(L, list->file.size);
    else
        lua_pushnil(L);
    return 1;
}

/* -- Input -------------------------------------------------------------- */

static const char CHANGED[] = "the file changed while it was checked";

/* The next block of the file, or of the spool once it is read. *message where
   that is to blame. */
static enum pz_status read_block(struct lpz_userlist *list,
                                 const char **message)
{
    struct pz_slice text = { list->block.data, 0 };
    unsigned long long left = list->file.size - list->read;
    size_t len = left < LPZ_LIST_BLOCK ? (size_t)left : LPZ_LIST_BLOCK;
    enum pz_status status;

    if (len > 0 && pz_listfile_read(&list->file, list->block.data, len,
                                    list->read, &text.len) != 0) {
        *message = list->file.message;
        return PZ_OK;
    }
    list->read += text.len;
    list->is_read = len == 0 || list->read == list->file.size;
    if (text.len < len)
        list->is_read |= text.len == 0;
    if (list->is_read && (text.len < len ||
                          pz_listfile_check(&list->file) != 0)) {
        *message = CHANGED;
        return PZ_OK;
    }
    status = pz_userlist_feed(&list->core, text);
    if (!list->file.is_spool)
        pz_userlist_expect(&list->core, list->file.size);
    list->is_read |= pz_userlist_is_over(&list->core);
    return status;
}

/* Is there something to be read before the stage can change? */
static int must_read(const struct lpz_userlist *list)
{
    return !list->is_read && list->file.is_open &&
           (list->core.stage == PZ_LIST_AGAIN ||
            (list->core.stage == PZ_LIST_READING && !list->file.is_spool));
}

/* One step: a block, or a millisecond of what has to be decided. */
static enum pz_status step(struct lpz_userlist *list, const char **message)
{
    enum pz_userlist_stage before = list->core.stage;
    enum pz_status status;

    if (must_read(list)) {
        list->block.max = LPZ_LIST_BLOCK;
        status = pz_buf_reserve(&list->block, LPZ_LIST_BLOCK);
        return status == PZ_OK ? read_block(list, message) : status;
    }
    status = before == PZ_LIST_DECIDING ? pz_userlist_decide(&list->core)
                                        : pz_userlist_end(&list->core);
    if (list->core.stage == PZ_LIST_AGAIN && before != PZ_LIST_AGAIN) {
        list->read = 0;
        list->is_read = 0;
    }
    return status;
}

/*
 * list:check(max = 1 MiB) -> whether that was all, bytes read so far
 * | nil, message
 *
 * Reads up to about 'max' bytes of the file; then, and for a list that was
 * written, does what is left to do when all is read: which may be to read it
 * once more, from its beginning. Never takes longer than reading would.
 */
static int userlist_check(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    long long max = CHECK_DEFAULT;
    unsigned long long from;
    const char *message = NULL;
    enum pz_status status = PZ_OK;

    if (!lua_isnoneornil(L, 2) && (!lpz_tointeger(L, 2, &max) || max < 1))
        return luaL_error(L, "bad argument #2 (bytes, 1 or more, expected)");
    if (list->core.stage == PZ_LIST_DECIDING)
        status = step(list, &message);
    from = list->read;
    while (status == PZ_OK && message == NULL && must_read(list) &&
           list->read - from < (unsigned long long)max)
        status = step(list, &message);
    /* The end takes no time. */
    if (status == PZ_OK && message == NULL && !must_read(list) &&
        list->core.stage != PZ_LIST_DECIDING)
        status = step(list, &message);
    if (message)
        return push_failure(L, list, message);
    if (status != PZ_OK)
        return push_status(L, list, status);
    from = list->read;
    lua_pushboolean(L, list->core.stage == PZ_LIST_FINISHED);
    lpz_pushcount(L, from);
    return 2;
}

static int push_result(lua_State *L, struct lpz_userlist *list,
                       enum pz_status status)
{
    if (status != PZ_OK)
        return push_status(L, list, status);
    lua_pushboolean(L, 1);
    return 1;
}

static void check_input(lua_State *L, const struct lpz_userlist *list,
                        int is_ids)
{
    if (list->is_ids != is_ids)
        luaL_error(L, is_ids ? "only a list of the format ids takes ids"
                             : "a list of the format ids takes no text");
    if (list->core.stage != PZ_LIST_READING ||
        (list->file.is_open && !list->file.is_spool))
        luaL_error(L, "the list has its input already");
    if (list->core.options.unique && !list->file.is_open)
        luaL_error(L, "a list without repeats needs a file or a spool");
}

/* The decimal digits of a whole number. */
static struct pz_slice write_number(char room[21], long long n)
{
    /* Negated in the type that can hold the result. */
    unsigned long long size = (unsigned long long)n;
    char digits[20];
    struct pz_slice out = pz_digits(digits, n < 0 ? 0 - size : size);

    room[0] = '-';
    memcpy(room + 1, out.data, out.len);
    out.data = n < 0 ? room : room + 1;
    out.len += n < 0;
    return out;
}

/* Is the number a float from 2^53 up, of which nobody knows whether it is the
   one that was meant or the nearest that a float can be? */
static int is_rounded(lua_State *L, int index)
{
    double size = fabs((double)lua_tonumber(L, index));

#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index))
        return 0;
#endif
    return size >= 9007199254740992.0 && size < HUGE_VAL;
}

static int userlist_add(lua_State *L)
{
    static const char no_id[] = "an id must be a string or a whole number";
    static const char rounded[] = "a number of 2^53 or more may be a rounded "
        "one: give the id as a string";
    struct lpz_userlist *list = check_list(L);
    int is_number = lua_type(L, 2) == LUA_TNUMBER;
    char digits[21];
    struct pz_slice id;
    long long n;

    check_input(L, list, 1);
    if (is_number && is_rounded(L, 2))
        return push_result(L, list, pz_userlist_add_fault(
            &list->core, PZ_CSV_RANGE, rounded));
    if (is_number && lpz_tointeger(L, 2, &n))
        id = write_number(digits, n);
    else if (lua_type(L, 2) == LUA_TSTRING)
        id = lpz_checkslice(L, 2);
    else
        return push_result(L, list, pz_userlist_add_fault(
            &list->core, PZ_CSV_TYPE, no_id));
    return push_result(L, list, pz_userlist_add(&list->core, id));
}

static int userlist_write(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    struct pz_slice text = lpz_checkslice(L, 2);

    check_input(L, list, 0);
    return push_result(L, list, pz_userlist_feed(&list->core, text));
}

/* -- What came of it ---------------------------------------------------- */

/* summary.parts */
static void push_parts(lua_State *L, struct lpz_userlist *list)
{
    const struct pz_part *found;

    lua_newtable(L);
    for (int i = 0; (found = pz_userlist_part(&list->core, (size_t)i)); i++) {
        struct pz_part part = *found;
        char hex[PZ_SHA256_HEX_LEN];

        lua_createtable(L, 0, 3);
        lpz_setcount(L, "users", part.users);
        lpz_setcount(L, "bytes", part.bytes);
        pz_hex(hex, part.sha256, sizeof part.sha256);
        lua_pushlstring(L, hex, sizeof hex);
        lua_setfield(L, -2, "sha256");
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_message(lua_State *L, const struct lpz_userlist *list,
                         const struct pz_csv_fault *fault)
{
    char column[PZ_COLUMN_BYTES + 1] = { 0 };

    if (fault->code != PZ_CSV_BAD_COLUMN) {
        lua_pushstring(L, fault->message);
        return;
    }
    if (list->column.len > 0)
        memcpy(column, list->column.data, list->column.len);
    lua_pushfstring(L, "column \"%s\": %s", column, fault->message);
}

/* summary.faults */
static void push_faults(lua_State *L, struct lpz_userlist *list)
{
    const struct pz_csv_fault *found;

    lua_newtable(L);
    for (int i = 0; (found = pz_userlist_fault(&list->core, (size_t)i)); i++) {
        struct pz_csv_fault fault = *found;

        lua_createtable(L, 0, 4);
        lua_pushstring(L, pz_csv_code_name(fault.code));
        lua_setfield(L, -2, "code");
        lpz_setcount(L, "line", fault.line);
        lpz_setcount(L, "column", fault.column);
        push_message(L, list, &fault);
        lua_setfield(L, -2, "message");
        lua_rawseti(L, -2, i + 1);
    }
}

/* summary.fault_counts */
static void push_fault_counts(lua_State *L, struct lpz_userlist *list)
{
    lua_newtable(L);
    for (int i = 0; i < PZ_CSV_CODES; i++)
        if (list->core.fault_counts[i] > 0)
            lpz_setcount(L, pz_csv_code_name((enum pz_csv_code)i),
                      list->core.fault_counts[i]);
}

/* Appends { kind, count, lines } to the table on top. */
static void push_warning(lua_State *L, const char *kind,
                         const struct pz_warning *warning)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    lpz_setcount(L, "count", warning->count);
    lua_newtable(L);
    for (int i = 0; i < PZ_LINES_KEPT && warning->lines[i] > 0; i++) {
        lpz_pushcount(L, warning->lines[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "lines");
    lua_rawseti(L, -2, (int)lpz_rawlen(L, -2) + 1);
}

/* summary.warnings, of each kind that there is */
static void push_warnings(lua_State *L, struct lpz_userlist *list)
{
    struct pz_warning uncounted = { list->core.records, { 0 } };
    int has_uncounted = list->core.has_uncounted_repeats;

    lua_newtable(L);
    for (int i = 0; i < PZ_ODDITIES; i++) {
        struct pz_warning warning = list->core.warnings[i];

        if (warning.count > 0)
            push_warning(L, pz_oddity_name((enum pz_oddity)i), &warning);
    }
    if (has_uncounted)
        push_warning(L, "repeats_not_counted", &uncounted);
}

/* list:finish() -> summary | nil, message; the same each time. Does what
   list:check would, in one go. */
static int userlist_finish(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    const char *message = NULL;
    enum pz_status status = PZ_OK;

    if (list->file.is_open && !list->file.is_spool && !list->is_read &&
        list->core.stage == PZ_LIST_READING)
        return luaL_error(L, "the file is not read to its end");
    while (list->core.stage != PZ_LIST_FINISHED && status == PZ_OK &&
           message == NULL)
        status = step(list, &message);
    if (message)
        return push_failure(L, list, message);
    if (status != PZ_OK)
        return push_status(L, list, status);
    pz_buf_free(&list->block);
    lua_createtable(L, 0, 8);
    lpz_setcount(L, "users", list->core.users);
    lpz_setcount(L, "duplicates", list->core.duplicates);
    lpz_setcount(L, "bytes", list->core.bytes);
    lpz_setcount(L, "fault_count", list->core.fault_count);
    push_parts(L, list);
    lua_setfield(L, -2, "parts");
    push_faults(L, list);
    lua_setfield(L, -2, "faults");
    push_fault_counts(L, list);
    lua_setfield(L, -2, "fault_counts");
    push_warnings(L, list);
    lua_setfield(L, -2, "warnings");
    return 1;
}

/* list:part(n) -> source */
static int userlist_part(lua_State *L)
{
    struct lpz_userlist *list = check_list(L);
    long long n = 0;

    if (list->core.stage != PZ_LIST_FINISHED)
        return luaL_error(L, "the list is not finished");
    if (!list->file.is_open)
        return luaL_error(L, "the list kept nothing: it has neither file nor "
                             "spool");
    if (!lpz_tointeger(L, 2, &n) || n < 1 ||
        n > (long long)pz_userlist_part_count(&list->core))
        return luaL_error(L, "bad argument #2 (the number of a part expected)");
    lpz_source_push(L, 1, (size_t)n - 1);
    return 1;
}

void lpz_userlist_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "add", userlist_add },
        { "check", userlist_check },
        { "close", userlist_close },
        { "finish", userlist_finish },
        { "open", userlist_open },
        { "part", userlist_part },
        { "size", userlist_size },
        { "spool", userlist_spool },
        { "write", userlist_write },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", userlist_close },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_USERLIST, methods, meta);
}
