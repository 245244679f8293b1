/*
 * The core's readers and encodings as functions of strings. See lpz_read.h.
 */
#include "lpz_read.h"

#include "../core/pz_crypto.h"
#include "../core/pz_ini.h"
#include "../core/pz_json.h"
#include "../core/pz_text.h"
#include "../core/pz_uri.h"
#include "../core/pz_xml.h"

static int push_fault(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

/* Pushes what is in the buffer and gives its memory back. */
static int push_buffer(lua_State *L, struct pz_buf *buf, enum pz_status status)
{
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(buf));
    pz_buf_free(buf);
    return 1;
}

/* ---- ini ---------------------------------------------------------------- */

/* Pushes the table t[name], made where there is none; 't' is absolute. */
static void push_member(lua_State *L, int t, struct pz_slice name)
{
    lpz_pushslice(L, name);
    lua_rawget(L, t);
    if (lua_istable(L, -1))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lpz_pushslice(L, name);
    lua_pushvalue(L, -2);
    lua_rawset(L, t);
}

static struct pz_slice section_name(enum pz_ini_section section)
{
    return section == PZ_INI_PROFILE ? PZ_LIT("profiles")
         : section == PZ_INI_SSO_SESSION ? PZ_LIT("sso_sessions")
         : PZ_LIT("services");
}

/* Pushes t[name][kind], made where it is not there; 't' is absolute. */
static void push_of_kind(lua_State *L, int t, struct pz_slice name,
                         struct pz_slice kind)
{
    push_member(L, t, name);
    push_member(L, lua_gettop(L), kind);
    lua_remove(L, -2);
}

/* Makes all that the answer, at 'files', always has; leaves
   files.ignored[kind] and, on top, files.lines[kind]. */
static void push_frame(lua_State *L, int files, struct pz_slice kind)
{
    int lines;

    push_of_kind(L, files, PZ_LIT("ignored"), kind);
    push_of_kind(L, files, PZ_LIT("lines"), kind);
    lines = lua_gettop(L);
    for (int s = PZ_INI_PROFILE; s <= PZ_INI_SERVICES; s++) {
        push_member(L, files, section_name((enum pz_ini_section)s));
        push_member(L, lines, section_name((enum pz_ini_section)s));
        lua_pop(L, 2);
    }
}

/* Pushes t's table for the section that the reader is in. */
static void push_section(lua_State *L, int t, const struct pz_ini *ini)
{
    push_member(L, t, section_name(ini->section));
    push_member(L, lua_gettop(L), ini->name);
    lua_remove(L, -2);
}

static void set_line(lua_State *L, int t, struct pz_slice name,
                     const struct pz_ini *ini)
{
    lpz_pushslice(L, name);
    lua_pushinteger(L, (lua_Integer)ini->line);
    lua_rawset(L, t);
}

/* One section or property into the tables at the three indices. */
static void store(lua_State *L, const struct pz_ini *ini,
                  enum pz_ini_event event, int files, int lines, int ignored)
{
    if (ini->section == PZ_INI_IGNORED) {
        set_line(L, ignored, ini->name, ini);
        return;
    }
    push_section(L, files, ini);
    push_section(L, lines, ini);
    if (event == PZ_INI_PROPERTY_EVENT) {
        lpz_pushslice(L, ini->key);
        lpz_pushslice(L, ini->value);
        lua_rawset(L, -4);
        set_line(L, lua_gettop(L), ini->key, ini);
    }
    lua_pop(L, 2);
}

/* Is there a profile of that name already? */
static int has_profile(lua_State *L, int files, struct pz_slice name)
{
    int found;

    push_member(L, files, section_name(PZ_INI_PROFILE));
    lpz_pushslice(L, name);
    lua_rawget(L, -2);
    found = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return found;
}

/* Goes through the text without Lua: PZ_OK when all of it is well-formed. */
static enum pz_status check_ini(struct pz_ini *ini, struct pz_buf *room)
{
    enum pz_ini_event event;
    enum pz_status status;

    do
        status = pz_ini_next(ini, &event, room);
    while (status == PZ_OK && event != PZ_INI_END);
    return status;
}

/*
 * core.ini(text, kind [, into]) -> files | nil, message, line
 *
 * kind is "config" or "credentials". The tables of the answer:
 *   profiles, sso_sessions, services   [name][key] = value
 *   lines[kind].profiles and so on     [name][key] = line of that file
 *   ignored[kind]                      [header] = line of that file
 * Keys are in lower case. 'into', an earlier answer, is added to and
 * returned: what is read now wins key by key, so the config file comes first.
 * A file that is malformed changes nothing.
 *
 * A name with spaces counts in the credentials file where the config file has
 * it in quotes: the AWS CLI writes both so.
 */
static int core_ini(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    struct pz_slice kind = lpz_checkslice(L, 2);
    int is_config = pz_slice_eq(kind, PZ_LIT("config"));
    enum pz_ini_file file = is_config ? PZ_INI_CONFIG : PZ_INI_CREDENTIALS;
    enum pz_ini_event event = PZ_INI_END;
    enum pz_status status;
    struct pz_buf *room;
    struct pz_ini ini;

    luaL_argcheck(L, is_config || pz_slice_eq(kind, PZ_LIT("credentials")), 2,
                  "\"config\" or \"credentials\" expected");
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {
        lua_newtable(L);
        lua_replace(L, 3);
    }
    luaL_checktype(L, 3, LUA_TTABLE);
    room = lpz_newbuffer(L);
    pz_ini_start(&ini, text, file);
    status = check_ini(&ini, room);
    if (status == PZ_EINVAL) {
        pz_buf_free(room);
        push_fault(L, ini.error);
        lua_pushinteger(L, (lua_Integer)ini.line);
        return 3;
    }
    push_frame(L, 3, kind);
    pz_ini_start(&ini, text, file);
    while (status == PZ_OK &&
           (status = pz_ini_next(&ini, &event, room)) == PZ_OK &&
           event != PZ_INI_END) {
        if (event == PZ_INI_SECTION_EVENT && ini.section == PZ_INI_IGNORED &&
            file == PZ_INI_CREDENTIALS && has_profile(L, 3, ini.name))
            ini.section = PZ_INI_PROFILE;
        store(L, &ini, event, 3, lua_gettop(L), lua_gettop(L) - 1);
    }
    pz_buf_free(room);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_settop(L, 3);
    return 1;
}

/* core.ini_sub(value) -> { [name] = value } | nil, message
   The sub-properties that are a property's value; names in lower case. */
static int core_ini_sub(lua_State *L)
{
    struct pz_slice value = lpz_checkslice(L, 1), name, text;
    struct pz_buf *room = lpz_newbuffer(L);
    int found;

    lua_newtable(L);
    for (;;) {
        enum pz_status status = pz_ini_sub(&value, &found, &name, &text);

        pz_buf_clear(room);
        if (status == PZ_OK && found)
            status = pz_lower(room, name);
        if (status == PZ_EINVAL)
            return push_fault(L, "not a list of sub-properties");
        if (status != PZ_OK)
            return lpz_raise(L, status);
        if (!found)
            break;
        lpz_pushslice(L, pz_buf_slice(room));
        lpz_pushslice(L, text);
        lua_rawset(L, -3);
    }
    pz_buf_free(room);
    return 1;
}

/* ---- XML ---------------------------------------------------------------- */

/* An element opens: its parent, if any, is on top and becomes a table. Pushes
   what stands for a value that is not known yet. */
static void open_value(lua_State *L, const struct pz_xml *xml)
{
    if (xml->depth > 1 && lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    lua_pushnil(L);
}

/* Adds the value on top, which it pops, to the parent below. */
static void add_child(lua_State *L, struct pz_slice name)
{
    int parent = lua_gettop(L) - 1;

    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "name");
    lpz_pushslice(L, name);
    lua_rawset(L, -3);
    lua_pushliteral(L, "value");
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_rawseti(L, parent, (int)lpz_rawlen(L, parent) + 1);

    lpz_pushslice(L, name);
    lua_rawget(L, parent);
    if (lua_isnil(L, -1)) {
        lpz_pushslice(L, name);
        lua_pushvalue(L, -3);
        lua_rawset(L, parent);
    }
    lua_pop(L, 2);
}

/* An element closes: its value is on top, or nil where it is text. */
static enum pz_status
close_value(lua_State *L, const struct pz_xml *xml, struct pz_buf *room)
{
    if (xml->is_leaf) {
        enum pz_status status;

        pz_buf_clear(room);
        status = pz_xml_text(room, xml->raw);
        if (status != PZ_OK)
            return status;
        lua_pop(L, 1);
        lpz_pushslice(L, pz_buf_slice(room));
    }
    if (xml->depth > 0) {
        add_child(L, xml->name);
    } else {
        lpz_pushslice(L, xml->name);
        lua_insert(L, -2);
    }
    return PZ_OK;
}

/*
 * core.xml(text) -> root's name, value | nil, message
 *
 * The value of an element without elements inside is its text; of others it
 * is a table: [name] is the value of the first child of that name, and the
 * list part has every child as { name =, value = }, in order.
 */
static int core_xml(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    struct pz_buf *room = lpz_newbuffer(L);
    enum pz_xml_event event = PZ_XML_OPEN;
    struct pz_xml xml;
    enum pz_status status;

    luaL_checkstack(L, PZ_XML_DEPTH + 8, "too many elements");
    pz_xml_start(&xml, text);
    do {
        status = pz_xml_next(&xml, &event);
        if (status == PZ_OK && event == PZ_XML_OPEN)
            open_value(L, &xml);
        else if (status == PZ_OK && event == PZ_XML_CLOSE)
            status = close_value(L, &xml, room);
    } while (status == PZ_OK && event != PZ_XML_END);
    pz_buf_free(room);
    if (xml.error)
        return push_fault(L, xml.error);
    return status == PZ_OK ? 2 : lpz_raise(L, status);
}

/* ---- json --------------------------------------------------------------- */

/* core.json_kind(text) -> "object" | "array" | "scalar" | nil, message
   Whether it is whole, and small enough that tables can be made of it. */
static int core_json_kind(lua_State *L)
{
    static const char *const kinds[] = {
        [PZ_JSON_OBJECT] = "object",
        [PZ_JSON_ARRAY] = "array",
        [PZ_JSON_SCALAR] = "scalar"
    };
    enum pz_json_kind kind;
    enum pz_status status = pz_json_scan(lpz_checkslice(L, 1), &kind, NULL, 0);

    if (status == PZ_ETOOBIG)
        return push_fault(L, "it has too many values");
    if (status != PZ_OK)
        return push_fault(L, "it is not JSON");
    lua_pushstring(L, kinds[kind]);
    return 1;
}

/* ---- encodings ---------------------------------------------------------- */

/* core.base64(data) -> text */
static int core_base64(lua_State *L)
{
    struct pz_slice data = lpz_checkslice(L, 1);
    struct pz_buf *out = lpz_newbuffer(L);

    return push_buffer(L, out, pz_base64(out, data, PZ_BASE64));
}

/* core.base64url(data) -> text, unpadded */
static int core_base64url(lua_State *L)
{
    struct pz_slice data = lpz_checkslice(L, 1);
    struct pz_buf *out = lpz_newbuffer(L);

    return push_buffer(L, out, pz_base64(out, data, PZ_BASE64URL));
}

/* core.unbase64(text) -> data | nil, message; of either alphabet */
static int core_unbase64(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    struct pz_buf *out = lpz_newbuffer(L);
    enum pz_status status = pz_unbase64(out, text);

    if (status == PZ_EINVAL) {
        pz_buf_free(out);
        return push_fault(L, "not base64");
    }
    return push_buffer(L, out, status);
}

/* core.uri_encode(text [, keep_slash]) -> text */
static int core_uri_encode(lua_State *L)
{
    struct pz_slice text = lpz_checkslice(L, 1);
    int keep_slash = lua_toboolean(L, 2);
    struct pz_buf *out = lpz_newbuffer(L);

    return push_buffer(L, out, pz_uri_encode(out, text, keep_slash));
}

/* ---- hashes and the signature ------------------------------------------- */

/* core.sha256_hex(data) -> digits */
static int core_sha256_hex(lua_State *L)
{
    struct pz_slice data = lpz_checkslice(L, 1);
    char digits[PZ_SHA256_HEX_LEN];
    /* Held over nothing that can raise. */
    struct pz_crypto *crypto = pz_crypto_new();
    enum pz_status status = crypto ? pz_sha256_hex(crypto, digits, data)
                                   : PZ_ENOMEM;

    pz_crypto_free(crypto);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_pushlstring(L, digits, sizeof digits);
    return 1;
}

/* core.sha1_hex(data) -> digits */
static int core_sha1_hex(lua_State *L)
{
    char digits[PZ_SHA1_HEX_LEN];
    enum pz_status status = pz_sha1_hex(digits, lpz_checkslice(L, 1));

    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_pushlstring(L, digits, sizeof digits);
    return 1;
}

static void push_bytes(lua_State *L, const unsigned char *bytes, size_t len)
{
    lua_pushlstring(L, (const char *)bytes, len);
}

/* core.es256(pem, data) -> signature, x, y | nil, message
   64, 32 and 32 bytes: r and s; the public key's point. */
static int core_es256(lua_State *L)
{
    struct pz_slice pem = lpz_checkslice(L, 1), text = lpz_checkslice(L, 2);
    struct pz_es256 made;
    enum pz_status status = pz_es256_sign(&made, pem, text);

    if (status == PZ_EINVAL)
        return push_fault(L, "not a private P-256 key in PEM");
    if (status != PZ_OK)
        return lpz_raise(L, status);
    push_bytes(L, made.signature, sizeof made.signature);
    push_bytes(L, made.x, sizeof made.x);
    push_bytes(L, made.y, sizeof made.y);
    return 3;
}

const luaL_Reg lpz_read_functions[] = {
    { "base64", core_base64 },
    { "base64url", core_base64url },
    { "es256", core_es256 },
    { "ini", core_ini },
    { "ini_sub", core_ini_sub },
    { "json_kind", core_json_kind },
    { "sha1_hex", core_sha1_hex },
    { "sha256_hex", core_sha256_hex },
    { "unbase64", core_unbase64 },
    { "uri_encode", core_uri_encode },
    { "xml", core_xml },
    { NULL, NULL }
};
