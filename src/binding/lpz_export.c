/* See lpz_export.h. */
#include "lpz_export.h"

#include <string.h>

#include "../core/pz_absence.h"
#include "../io/pz_listfile.h"
#include "../io/pz_stream.h"
#include "lpz_ids.h"
#include "lpz_sys.h"
#include "lpz_userlist.h"

static const char CHANGED[] = "the file changed while it was read";

struct export {
    struct pz_absence absence;
    struct lpz_ids *ids;     /* kept by our anchor; may be closed; or NULL */
    struct pz_listfile file; /* one of the two is open */
    struct pz_stream stream;
    struct pz_buf column;    /* the name that the options show */
    struct pz_buf block;
    unsigned long long read;
    int is_opened, is_done, has_failed;
};

static struct export *check_export(lua_State *L)
{
    return lpz_checkudata(L, 1, LPZ_EXPORTED);
}

static int export_close(lua_State *L)
{
    struct export *export = check_export(L);

    pz_listfile_close(&export->file);
    pz_stream_close(&export->stream);
    pz_buf_free(&export->column);
    pz_buf_free(&export->block);
    export->has_failed |= !export->is_done;
    return 0;
}

/* -- Making one ---------------------------------------------------------- */

static char check_escape(lua_State *L)
{
    struct pz_slice text = lpz_textfield(L, 1, "escape");

    if (text.data == NULL)
        return '\0';
    if (text.len != 1 || (text.data[0] != '"' && text.data[0] != '\\'))
        luaL_error(L, "escape must be a quote or a backslash");
    return text.data[0];
}

static void check_options(lua_State *L, struct pz_columns_options *options)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    options->name = lpz_textfield(L, 1, "column");
    if (options->name.data && (options->name.len == 0 ||
                               options->name.len > PZ_COLUMN_BYTES))
        luaL_error(L, "column must have 1 to %d bytes", (int)PZ_COLUMN_BYTES);
    options->delimiter = lpz_delimiterfield(L, 1);
    options->escape = check_escape(L);
}

int lpz_export_new(lua_State *L)
{
    struct pz_columns_options options = { { NULL, 0 }, 0, 0, NULL, NULL };
    struct lpz_ids *ids = NULL;
    struct export *export;
    enum pz_status status;
    int at;

    check_options(L, &options);
    lpz_rawgetname(L, 1, "ids", strlen("ids"));
    at = lua_gettop(L);
    if (!lua_isnil(L, at))
        ids = lpz_checkudata(L, at, LPZ_IDS);
    export = lpz_newuserdata(L, sizeof *export, LPZ_EXPORTED);
    lua_pushvalue(L, at);
    lpz_setanchor(L, -2);
    export->ids = ids;
    status = pz_buf_adds(&export->column, options.name);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    options.name = pz_buf_slice(&export->column);
    pz_absence_start(&export->absence, ids ? ids->table : NULL, &options);
    return 1;
}

/* -- Its file ------------------------------------------------------------ */

/* nil and the message; the export is of no more use. */
static int push_failure(lua_State *L, struct export *export,
                        const char *message)
{
    char copy[PZ_LISTFILE_MESSAGE];

    export->has_failed = 1;
    memcpy(copy, message, strlen(message) + 1);
    lua_pushnil(L);
    lua_pushstring(L, copy);
    return 2;
}

/* export:open(path | "-" for standard input) -> true | nil, message */
static int export_open(lua_State *L)
{
    struct export *export = check_export(L);
    const char *path = lpz_checkpath(L, 2), *why;
    int is_input = strcmp(path, "-") == 0;
    int failed;

    if (export->is_opened || export->has_failed)
        return luaL_error(L, "the export was opened before");
    export->is_opened = 1;
    if (!is_input && pz_stream_kind(path, &why) == PZ_STREAM_FILE) {
        failed = pz_listfile_open(&export->file, path);
        why = export->file.message;
    } else {
        failed = pz_stream_open(&export->stream, is_input ? NULL : path);
        why = export->stream.message;
    }
    if (failed)
        return push_failure(L, export, why);
    lua_pushboolean(L, 1);
    return 1;
}

/* export:size() -> bytes of the file | nil where nobody knows */
static int export_size(lua_State *L)
{
    const struct export *export = check_export(L);

    if (export->file.is_open)
        lpz_pushcount(L, export->file.size);
    else
        lua_pushnil(L);
    return 1;
}

/* -- Reading ------------------------------------------------------------- */

/* The next block of the file, which has to stay as it was; NULL, or what is
   wrong. */
static const char *read_file(struct export *export, size_t *got)
{
    struct pz_listfile *file = &export->file;
    unsigned long long left = file->size - export->read;
    size_t len = left < LPZ_LIST_BLOCK ? (size_t)left : LPZ_LIST_BLOCK;

    *got = 0;
    if (len > 0 && pz_listfile_read(file, export->block.data, len,
                                    export->read, got) != 0)
        return file->message;
    if ((len > 0 && *got == 0) ||
        (*got == left && pz_listfile_check(file) != 0))
        return CHANGED;
    export->is_done = *got == left;
    return NULL;
}

static const char *read_stream(struct export *export, size_t *got,
                               struct lpz_wait *wait)
{
    switch (pz_stream_read(&export->stream, export->block.data,
                           LPZ_LIST_BLOCK, got, lpz_interrupted, wait)) {
    case PZ_STREAM_INTERRUPTED:
        lpz_wait_taken(wait);
        return "interrupted";
    case PZ_STREAM_FAILED:
        return export->stream.message;
    case PZ_STREAM_READ:
        break;
    }
    export->is_done = *got == 0;
    return NULL;
}

static void take(struct export *export, size_t got)
{
    struct pz_slice text = { export->block.data, got };

    export->read += got;
    pz_absence_feed(&export->absence, text);
    if (export->is_done)
        pz_absence_end(&export->absence);
    export->is_done |= export->absence.reader.fault.message != NULL;
    if (export->is_done)
        pz_buf_free(&export->block);
}

static void check_ready(lua_State *L, const struct export *export)
{
    const char *why = export->ids ? lpz_ids_unready(export->ids) : NULL;

    if (why)
        luaL_error(L, "%s", why);
    if (export->has_failed || (!export->file.is_open &&
                               !export->stream.is_open))
        luaL_error(L, "the export is closed, or has failed before");
}

/*
 * export:check() -> whether that was all, bytes read so far | nil, message
 * Reads a block, or as much as there is. The message is "interrupted" after
 * Ctrl-C. It was all, too, where there is a fault.
 */
static int export_check(lua_State *L)
{
    struct export *export = check_export(L);
    const char *message = NULL;
    struct lpz_wait wait;
    size_t got = 0;

    check_ready(L, export);
    lpz_wait_begin(&wait, L);
    /* Now that nothing raises: what Lua calls may close the export. */
    check_ready(L, export);
    if (!export->is_done) {
        export->block.max = LPZ_LIST_BLOCK;
        if (pz_buf_reserve(&export->block, LPZ_LIST_BLOCK) != PZ_OK)
            return lpz_raise(L, PZ_ENOMEM);
        message = export->file.is_open ? read_file(export, &got)
                                       : read_stream(export, &got, &wait);
        if (message == NULL)
            take(export, got);
    }
    if (message)
        return push_failure(L, export, message);
    lua_pushboolean(L, export->is_done);
    lpz_pushcount(L, export->read);
    return 2;
}

/* -- What came of it ----------------------------------------------------- */

/* Where another delimiter is to blame for a column that is missing: NULL where
   none is. */
static const char *delimiter_fault(const struct pz_columns *reader)
{
    static const struct {
        char c;
        const char *message;
    } others[] = {
        { ',', "the columns are separated by ',': the option "
               "'export_delimiter' says so" },
        { ';', "the columns are separated by ';': the option "
               "'export_delimiter' says so" },
        { '\t', "the columns are separated by tabs: the option "
                "'export_delimiter' says so" },
        { '|', "the columns are separated by '|': the option "
               "'export_delimiter' says so" },
    };

    for (size_t i = 0; i < PZ_COUNT(others); i++)
        if (reader->fault.code == PZ_CSV_BAD_COLUMN &&
            reader->other == others[i].c)
            return others[i].message;
    return NULL;
}

/*
 * export:fault() -> nil | { code, message, line, fields, columns, names,
 * is_header }: fields of the line, where these are too many or too few; names
 * of columns, where the one is missing, with whether they are names for sure
 */
static int export_fault(lua_State *L)
{
    struct export *export = check_export(L);
    const struct pz_columns *reader = &export->absence.reader;
    const char *other = delimiter_fault(reader);

    if (reader->fault.message == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 7);
    lua_pushstring(L, pz_csv_code_name(reader->fault.code));
    lua_setfield(L, -2, "code");
    lua_pushstring(L, other ? other : reader->fault.message);
    lua_setfield(L, -2, "message");
    lpz_setcount(L, "line", reader->fault.line);
    lpz_setcount(L, "columns", reader->columns);
    if (reader->fault.fields > 0)
        lpz_setcount(L, "fields", reader->fault.fields);
    if (reader->fault.code == PZ_CSV_BAD_COLUMN && other == NULL) {
        lua_pushlstring(L, reader->names, reader->names_len);
        lua_setfield(L, -2, "names");
        lua_pushboolean(L, reader->is_header);
        lua_setfield(L, -2, "is_header");
    }
    return 1;
}

/* Sets 'count' fields and their first lines in the table on top. */
static void set_matches(lua_State *L, const char *count, const char *lines,
                        const struct pz_matches *matches)
{
    struct pz_matches copy = *matches;

    lpz_setcount(L, count, copy.count);
    lua_newtable(L);
    for (int i = 0; i < PZ_ABSENCE_LINES && copy.lines[i] > 0; i++) {
        lpz_pushcount(L, copy.lines[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, lines);
}

/* export:summary() -> { rows, bytes, lacks_end, line = the last one,
   columns = { { number, fields, found, lines, near, near_lines } } }
   Once all of it was read, without a fault. */
static int export_summary(lua_State *L)
{
    struct export *export = check_export(L);
    const struct pz_absence *absence = &export->absence;

    if (!export->is_done || export->has_failed ||
        absence->reader.fault.message)
        return luaL_error(L, "the export was not read to its end");
    lua_createtable(L, 0, 5);
    lpz_setcount(L, "rows", absence->reader.rows);
    lpz_setcount(L, "bytes", export->read);
    /* Behind its end the reader is at the next line. */
    lpz_setcount(L, "line", absence->reader.line - 1);
    lua_pushboolean(L, absence->reader.lacks_end);
    lua_setfield(L, -2, "lacks_end");
    lua_newtable(L);
    for (size_t i = 0; i < absence->reader.taken; i++) {
        const struct pz_absence_column *column = &absence->counts[i];

        lua_createtable(L, 0, 6);
        lpz_setcount(L, "number", absence->reader.numbers[i] + 1);
        lpz_setcount(L, "fields", column->fields);
        set_matches(L, "found", "lines", &column->found);
        set_matches(L, "near", "near_lines", &column->near);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "columns");
    return 1;
}

void lpz_export_class(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "check", export_check },
        { "close", export_close },
        { "fault", export_fault },
        { "open", export_open },
        { "size", export_size },
        { "summary", export_summary },
        { NULL, NULL }
    };
    static const luaL_Reg meta[] = {
        { "__gc", export_close },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_EXPORTED, methods, meta);
}
