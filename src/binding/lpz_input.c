#include "lpz_input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/pz_json.h"
#include "../core/pz_text.h"

enum { FAULTS_MAX = 100, FREE_DEPTH = 64, NAME_SHOWN = 64 };

/* Where in the input we are; a chain on the C stack. */
struct path {
    const struct path *up;
    struct pz_slice name; /* of a member; empty for an element */
    size_t element;       /* from 1 */
};

struct walk {
    lua_State *L;
    struct pz_buf *out;
    int faults; /* stack index of their list, or of nil */
    int fault_count;
    int validate;
};

static void must(struct walk *w, enum pz_status status)
{
    if (status != PZ_OK)
        lpz_raise(w->L, status);
}

static void put(struct walk *w, struct pz_slice text)
{
    must(w, pz_buf_adds(w->out, text));
}

/* Only what looks like a member's name is shown: anything else might be a
   value that came to stand in the wrong place. */
static int is_showable(struct pz_slice s)
{
    if (s.len < 1 || s.len > NAME_SHOWN)
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return 1;
}

/* Pushes "dataSource.dataLocation", "tags[2].tagKey". */
static void push_path(lua_State *L, const struct path *path)
{
    if (path == NULL) {
        lua_pushliteral(L, "");
        return;
    }
    luaL_checkstack(L, 4, "path too deep");
    push_path(L, path->up);
    if (path->name.data == NULL) {
        lua_pushfstring(L, "[%d]", (int)path->element);
    } else {
        if (lpz_rawlen(L, -1) > 0)
            lua_pushliteral(L, ".");
        else
            lua_pushliteral(L, "");
        lpz_pushslice(L, is_showable(path->name) ? path->name : PZ_LIT("?"));
        lua_concat(L, 2);
    }
    lua_concat(L, 2);
}

/* Takes the message from the top of the stack. */
static void fault(struct walk *w, const struct path *path, const char *code)
{
    lua_State *L = w->L;

    if (lua_isnil(L, w->faults)) {
        lua_newtable(L);
        lua_replace(L, w->faults);
    }
    if (w->fault_count++ >= FAULTS_MAX) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    push_path(L, path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, code);
    lua_setfield(L, -2, "code");
    lua_rawseti(L, w->faults, w->fault_count);
}

static const char *type_name(lua_State *L, int index)
{
    /* cjson.null is a light userdata; "null" says more. */
    return lua_islightuserdata(L, index) && !lua_touserdata(L, index)
        ? "null" : luaL_typename(L, index);
}

static void type_fault(struct walk *w, const struct path *path,
                       const char *expected)
{
    lua_pushfstring(w->L, "expected %s, got %s", expected,
                    type_name(w->L, -1));
    fault(w, path, "type");
}

/* Such as a nextToken: it goes back to the service as it came from there. */
static int is_given_back(const struct pz_shape *shape)
{
    return shape && !shape->max && !shape->matches;
}

static void write_text(struct walk *w, const struct pz_shape *shape,
                       const struct path *path, struct pz_slice text)
{
    size_t points;

    if (!pz_utf8_count(text, &points)) {
        lua_pushfstring(w->L, "not valid UTF-8 at byte %d", (int)points + 1);
        fault(w, path, "utf8");
        return;
    }
    if (pz_slice_find(text, '\0', 0) < text.len && !is_given_back(shape)) {
        lua_pushfstring(w->L, "has a NUL at byte %d",
                        (int)pz_slice_find(text, '\0', 0) + 1);
        fault(w, path, "nul");
        return;
    }
    if (w->validate && shape) {
        int is_short = points < (size_t)shape->min;
        int is_long = shape->max > 0 && points > (size_t)shape->max;

        if (is_short || is_long) {
            lua_pushfstring(w->L, "must have at %s %d characters, has %d",
                            is_short ? "least" : "most",
                            (int)(is_short ? shape->min : shape->max),
                            (int)points);
            fault(w, path, "length");
        }
        /* Too short for any pattern is one fault, not two. */
        if (shape->matches && !(points == 0 && is_short) &&
            !shape->matches(text)) {
            lua_pushfstring(w->L, "does not match %s", shape->pattern);
            fault(w, path, "pattern");
        }
    }
    must(w, pz_json_string(w->out, text));
}

static void write_string(struct walk *w, const struct pz_shape *shape,
                         const struct path *path)
{
    struct pz_slice text;

    if (lua_type(w->L, -1) != LUA_TSTRING) {
        type_fault(w, path, "string");
        return;
    }
    text.data = lua_tolstring(w->L, -1, &text.len);
    write_text(w, shape, path, text);
}

static void put_integer(struct walk *w, long long n)
{
    char digits[24];

    must(w, pz_buf_add(w->out, digits,
                       (size_t)snprintf(digits, sizeof digits, "%lld", n)));
}

static void write_integer(struct walk *w, const struct pz_shape *shape,
                          const struct path *path)
{
    long long n;

    if (lua_type(w->L, -1) != LUA_TNUMBER) {
        type_fault(w, path, "integer");
        return;
    }
    if (!lpz_tointeger(w->L, -1, &n)) {
        lua_pushliteral(w->L, "must be a whole number");
        fault(w, path, "type");
        return;
    }
    if (w->validate && (n < shape->min || (shape->max && n > shape->max))) {
        lua_pushfstring(w->L, "must be between %d and %d", (int)shape->min,
                        (int)shape->max);
        fault(w, path, "range");
    }
    put_integer(w, n);
}

/*
 * The number of elements when the table on top is a list: keys 1 to n and
 * no other. -1 when it is none, with the fault told.
 */
static long list_length(struct walk *w, const struct path *path)
{
    lua_State *L = w->L;
    size_t len = lpz_rawlen(L, -1), seen = 0;

    lua_pushnil(L);
    while (lua_next(L, -2)) {
        long long key;

        lua_pop(L, 1);
        if (!lpz_tointeger(L, -1, &key) || key < 1) {
            lua_pop(L, 1);
            lua_pushliteral(L, "expected a list, but it has keys that are "
                               "no positions");
            fault(w, path, "type");
            return -1;
        }
        if ((unsigned long long)key > len) {
            lua_pop(L, 1);
            lua_pushliteral(L, "the list has a hole");
            fault(w, path, "type");
            return -1;
        }
        seen++;
    }
    if (seen != len) {
        lua_pushliteral(L, "the list has a hole");
        fault(w, path, "type");
        return -1;
    }
    return (long)len;
}

static void check_count(struct walk *w, const struct pz_shape *shape,
                        const struct path *path, size_t count)
{
    if (!w->validate || shape->max == 0 || count <= (size_t)shape->max)
        return;
    lua_pushfstring(w->L, "must have at most %d elements, has %d",
                    (int)shape->max, (int)count);
    fault(w, path, "length");
}

static int by_text(const void *left, const void *right)
{
    const struct pz_slice *a = left, *b = right;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = len ? memcmp(a->data, b->data, len) : 0;

    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/*
 * Strings out of the caller's table, as slices. They are kept in a table of
 * our own: a finalizer may change the caller's whenever Lua allocates.
 */
struct strings {
    struct pz_slice *all;
    size_t count, room;
    int kept; /* stack index of that table */
};

/* Pushes two values: the table and the block. */
static struct strings push_strings(lua_State *L, size_t room)
{
    struct strings s = { NULL, 0, room, 0 };

    lua_createtable(L, (int)room, 0);
    s.kept = lua_gettop(L);
    s.all = lua_newuserdata(L, (room ? room : 1) * sizeof *s.all);
    return s;
}

/* Adds the value on top, if it is a string and there is room; pops it. The
   table has the room too: nothing is allocated. */
static void add_string(lua_State *L, struct strings *s)
{
    if (lua_type(L, -1) != LUA_TSTRING || s->count == s->room) {
        lua_pop(L, 1);
        return;
    }
    s->all[s->count].data = lua_tolstring(L, -1, &s->all[s->count].len);
    lua_rawseti(L, s->kept, (int)++s->count);
}

static void sort_strings(struct strings *s)
{
    qsort(s->all, s->count, sizeof *s->all, by_text);
}

static void write_value(struct walk *w, const struct pz_shape *shape,
                        const struct path *path);

/* { ticket = "GDPR-42" }, in the order of the keys' bytes: the same table
   gives the same bytes each time. The table is on top. */
static void write_tag_map(struct walk *w, const struct pz_shape *shape,
                          const struct path *path)
{
    lua_State *L = w->L;
    const struct pz_member *members = shape->element->members;
    int table = lua_gettop(L);
    struct strings keys;
    size_t count = 0;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_pop(L, 2);
            lua_pushliteral(L, "expected { key = value } or a list of tags, "
                               "not a mixture");
            fault(w, path, "type");
            return;
        }
        count++;
    }
    check_count(w, shape, path, count);
    keys = push_strings(L, count);
    for (lua_pushnil(L); lua_next(L, table);) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        add_string(L, &keys);
    }
    sort_strings(&keys);

    put(w, PZ_LIT("["));
    for (size_t i = 0; i < keys.count; i++) {
        struct path at = { path, { NULL, 0 }, i + 1 };
        struct path key = { &at, pz_slice_of(members[0].name), 0 };
        struct path value = { &at, pz_slice_of(members[1].name), 0 };

        put(w, i ? PZ_LIT(",{\"tagKey\":") : PZ_LIT("{\"tagKey\":"));
        write_text(w, members[0].shape, &key, keys.all[i]);
        put(w, PZ_LIT(",\"tagValue\":"));
        lpz_rawgetname(L, table, keys.all[i].data, keys.all[i].len);
        write_string(w, members[1].shape, &value);
        lua_pop(L, 1);
        put(w, PZ_LIT("}"));
    }
    put(w, PZ_LIT("]"));
    lua_pop(L, 2);
}

/* Tells the first key that a list of tags on top has twice. */
static void check_tag_twice(struct walk *w, const struct path *path,
                            size_t count)
{
    lua_State *L = w->L;
    int table = lua_gettop(L);
    struct strings keys = push_strings(L, count);

    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, table, (int)i);
        if (lua_istable(L, -1)) {
            lpz_rawgetname(L, lua_gettop(L), "tagKey", 6);
            add_string(L, &keys);
        }
        lua_pop(L, 1);
    }
    sort_strings(&keys);
    for (size_t i = 1; i < keys.count; i++) {
        if (by_text(&keys.all[i - 1], &keys.all[i]) == 0) {
            lua_pushliteral(L, "the same tagKey stands in it twice");
            fault(w, path, "duplicate");
            break;
        }
    }
    lua_pop(L, 2);
}

static int is_tag_map(lua_State *L)
{
    int is_map;

    if (lpz_rawlen(L, -1) > 0)
        return 0;
    lua_pushnil(L);
    if (!lua_next(L, -2))
        return 0;
    is_map = lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, 2);
    return is_map;
}

static void write_list(struct walk *w, const struct pz_shape *shape,
                       const struct path *path)
{
    lua_State *L = w->L;
    long count;

    if (!lua_istable(L, -1)) {
        type_fault(w, path, "list");
        return;
    }
    if (shape->is_tags && is_tag_map(L)) {
        write_tag_map(w, shape, path);
        return;
    }
    count = list_length(w, path);
    if (count < 0)
        return;
    check_count(w, shape, path, (size_t)count);
    put(w, PZ_LIT("["));
    for (long i = 1; i <= count; i++) {
        struct path at = { path, { NULL, 0 }, (size_t)i };

        if (i > 1)
            put(w, PZ_LIT(","));
        lua_rawgeti(L, -1, (int)i);
        write_value(w, shape->element, &at);
        lua_pop(L, 1);
    }
    put(w, PZ_LIT("]"));
    if (shape->is_tags)
        check_tag_twice(w, path, (size_t)count);
}

static void unknown_fault(struct walk *w, const struct pz_shape *shape,
                          const struct path *path, struct pz_slice name)
{
    struct path at = { path, name, 0 };
    const char *nearest = pz_member_nearest(shape, name);

    if (nearest)
        lua_pushfstring(w->L, "unknown member; did you mean %s?", nearest);
    else
        lua_pushfstring(w->L, "unknown member of %s", shape->name);
    fault(w, &at, "unknown");
}

/* Tells the members that the model does not have. */
static void check_names(struct walk *w, const struct pz_shape *shape,
                        const struct path *path)
{
    lua_State *L = w->L;

    lua_pushnil(L);
    while (lua_next(L, -2)) {
        struct pz_slice name;

        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pushfstring(L, "%s has a key that is no member name (a %s)",
                            shape->name, luaL_typename(L, -1));
            fault(w, path, "unknown");
            continue;
        }
        name.data = lua_tolstring(L, -1, &name.len);
        if (!pz_member_find(shape, name))
            unknown_fault(w, shape, path, name);
    }
}

static size_t count_keys(lua_State *L)
{
    size_t count = 0;

    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        count++;
    return count;
}

static void write_structure(struct walk *w, const struct pz_shape *shape,
                            const struct path *path)
{
    lua_State *L = w->L;
    int table = lua_gettop(L);
    size_t found = 0;

    if (!lua_istable(L, -1)) {
        type_fault(w, path, "table");
        return;
    }
    put(w, PZ_LIT("{"));
    for (size_t i = 0; i < shape->member_count; i++) {
        const struct pz_member *member = &shape->members[i];
        struct path at = { path, pz_slice_of(member->name), 0 };
        struct pz_slice key[] = { PZ_LIT(",\""), at.name, PZ_LIT("\":") };

        lpz_rawgetname(L, table, at.name.data, at.name.len);
        if (!lua_isnil(L, -1)) {
            if (found++ == 0)
                key[0] = PZ_LIT("\"");
            must(w, pz_buf_addv(w->out, key, PZ_COUNT(key)));
            write_value(w, member->shape, &at);
        } else if (member->required) {
            lua_pushliteral(L, "missing");
            fault(w, &at, "missing");
        }
        lua_pop(L, 1);
    }
    put(w, PZ_LIT("}"));
    if (count_keys(L) != found)
        check_names(w, shape, path);
}

static void write_value(struct walk *w, const struct pz_shape *shape,
                        const struct path *path)
{
    luaL_checkstack(w->L, 12, "input too deep");
    switch (shape->kind) {
    case PZ_STRING: write_string(w, shape, path); break;
    case PZ_INTEGER: write_integer(w, shape, path); break;
    case PZ_BOOLEAN:
    case PZ_TIMESTAMP:
        type_fault(w, path, "nothing: no input has such a member");
        break;
    case PZ_LIST: write_list(w, shape, path); break;
    case PZ_STRUCTURE: write_structure(w, shape, path); break;
    }
}

/* With '.' in the place of a locale's decimal point, of whatever bytes. */
static const char *unlocalize(char *digits)
{
    char *end = digits;

    for (const char *p = digits; *p; p++)
        if (memchr("0123456789+-e", *p, 13))
            *end++ = *p;
        else if (end == digits || end[-1] != '.')
            *end++ = '.';
    *end = '\0';
    return digits;
}

static void write_number(struct walk *w, const struct path *path)
{
    lua_Number n = lua_tonumber(w->L, -1);
    long long whole;
    char digits[40];

    if (lpz_tointeger(w->L, -1, &whole)) {
        put_integer(w, whole);
        return;
    }
    if (!isfinite((double)n)) {
        lua_pushliteral(w->L, "is no number that JSON has");
        fault(w, path, "type");
        return;
    }
    /* The shortest form that reads back as the same number. */
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)n);
        if (strtod(digits, NULL) == (double)n)
            break;
    }
    put(w, pz_slice_of(unlocalize(digits)));
}

static void write_free(struct walk *w, const struct path *path, int depth);

static void write_free_list(struct walk *w, const struct path *path, int depth)
{
    long count = list_length(w, path);

    put(w, PZ_LIT("["));
    for (long i = 1; i <= count; i++) {
        struct path at = { path, { NULL, 0 }, (size_t)i };

        if (i > 1)
            put(w, PZ_LIT(","));
        lua_rawgeti(w->L, -1, (int)i);
        write_free(w, &at, depth + 1);
        lua_pop(w->L, 1);
    }
    put(w, PZ_LIT("]"));
}

static void write_free_table(struct walk *w, const struct path *path,
                             int depth)
{
    lua_State *L = w->L;
    int first = 1;

    put(w, PZ_LIT("{"));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        struct path at = { path, { "", 0 }, 0 };

        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_pop(L, 2);
            lua_pushliteral(L, "has keys of more than one kind");
            fault(w, path, "type");
            return;
        }
        at.name.data = lua_tolstring(L, -2, &at.name.len);
        if (!first)
            put(w, PZ_LIT(","));
        first = 0;
        write_text(w, NULL, &at, at.name);
        put(w, PZ_LIT(":"));
        write_free(w, &at, depth + 1);
    }
    put(w, PZ_LIT("}"));
}

/* Any value that JSON has. An empty table is an object: a list without
   elements has to be left out. */
static void write_free(struct walk *w, const struct path *path, int depth)
{
    lua_State *L = w->L;

    luaL_checkstack(L, 12, "input too deep");
    switch (lua_type(L, -1)) {
    case LUA_TSTRING: write_string(w, NULL, path); break;
    case LUA_TNUMBER: write_number(w, path); break;
    case LUA_TBOOLEAN:
        put(w, lua_toboolean(L, -1) ? PZ_LIT("true") : PZ_LIT("false"));
        break;
    case LUA_TTABLE:
        if (depth >= FREE_DEPTH) {
            lua_pushliteral(L, "is nested too deeply");
            fault(w, path, "type");
        } else if (lpz_rawlen(L, -1) > 0) {
            write_free_list(w, path, depth);
        } else {
            write_free_table(w, path, depth);
        }
        break;
    default: type_fault(w, path, "a value that JSON has"); break;
    }
}

void lpz_write_input(lua_State *L, int index, struct pz_buf *out,
                     const struct pz_shape *shape, int validate)
{
    struct walk w = { L, out, 0, 0, validate };

    index = lpz_absindex(L, index);
    luaL_checkstack(L, 8, "no room for an input");
    lua_pushnil(L);
    w.faults = lua_gettop(L);
    if (lua_isnoneornil(L, index))
        lua_newtable(L);
    else
        lua_pushvalue(L, index);
    if (shape)
        write_structure(&w, shape, NULL);
    else if (lua_istable(L, -1) && lpz_rawlen(L, -1) == 0)
        write_free_table(&w, NULL, 0);
    else
        type_fault(&w, NULL, "table of members");
    lua_pop(L, 1);
}
