#include "pz_ini.h"

#include <string.h>

#include "pz_text.h"

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_comment_mark(char c)
{
    return c == '#' || c == ';';
}

/* Spaces and tabs alone: a stray CR is part of a value. */
static struct pz_slice trim(struct pz_slice s)
{
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

/* Trimmed, and without the comment at its end. Behind a value a mark begins
   one only after white space: "a;b" may well be a password. */
static struct pz_slice uncomment(struct pz_slice line, int after_space)
{
    line = trim(line);
    for (size_t i = 0; i < line.len; i++)
        if (is_comment_mark(line.data[i]) &&
            (!after_space || (i > 0 && is_blank(line.data[i - 1]))))
            return trim(pz_slice_sub(line, 0, i));
    return line;
}

static int is_name(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || (c && strchr("_-/.%@:+", c))))
            return 0;
    }
    return s.len > 0;
}

static enum pz_status fail(struct pz_ini *ini, const char *error)
{
    ini->error = error;
    return PZ_EINVAL;
}

/* The line at 'at', without its end; 'at' moves past it. */
static struct pz_slice take_line(struct pz_slice text, size_t *at)
{
    size_t end = pz_slice_find(text, '\n', *at);
    struct pz_slice line = pz_slice_sub(text, *at, end);

    *at = end < text.len ? end + 1 : end;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Takes the next line that says something, unless it is no continuation and
   one is asked for. 0 when there is none. */
static int take(struct pz_ini *ini, int continuation, struct pz_slice *line)
{
    while (ini->at < ini->text.len) {
        size_t at = ini->at;
        int says;

        *line = take_line(ini->text, &at);
        says = trim(*line).len > 0 && !is_comment_mark(line->data[0]);
        if (says && continuation && !is_blank(line->data[0]))
            return 0;
        ini->at = at;
        ini->lines++;
        if (says)
            return 1;
    }
    return 0;
}

/* What stands between the brackets, trimmed; 0 where one is lacking. */
static int inner(struct pz_slice line, struct pz_slice *name)
{
    line = uncomment(line, 0);
    if (line.len < 2 || line.data[line.len - 1] != ']')
        return 0;
    *name = trim(pz_slice_sub(line, 1, line.len - 1));
    return 1;
}

static enum pz_ini_section prefixed(struct pz_slice prefix)
{
    if (pz_slice_eq(prefix, PZ_LIT("profile")))
        return PZ_INI_PROFILE;
    if (pz_slice_eq(prefix, PZ_LIT("sso-session")))
        return PZ_INI_SSO_SESSION;
    if (pz_slice_eq(prefix, PZ_LIT("services")))
        return PZ_INI_SERVICES;
    return PZ_INI_IGNORED;
}

/* The section's kind; 'name' loses the prefix of one that counts. */
static enum pz_ini_section
classify(struct pz_slice *name, enum pz_ini_file file)
{
    enum pz_ini_section section;
    struct pz_slice rest;
    size_t end = 0;

    while (end < name->len && !is_blank(name->data[end]))
        end++;
    if (file == PZ_INI_CREDENTIALS)
        return is_name(*name) ? PZ_INI_PROFILE : PZ_INI_IGNORED;
    if (end == name->len)
        return pz_slice_eq(*name, PZ_LIT("default"))
            ? PZ_INI_PROFILE : PZ_INI_IGNORED;
    section = prefixed(pz_slice_sub(*name, 0, end));
    rest = trim(pz_slice_sub(*name, end, name->len));
    if (section == PZ_INI_IGNORED || !is_name(rest))
        return PZ_INI_IGNORED;
    *name = rest;
    return section;
}

/* Is there a [profile default] anywhere? Then a [default] counts for nothing,
   be it before or behind. */
static int has_prefixed_default(struct pz_slice text)
{
    for (size_t at = 0; at < text.len;) {
        struct pz_slice line = take_line(text, &at), name, full;

        if (line.len == 0 || line.data[0] != '[' || !inner(line, &full))
            continue;
        name = full;
        if (classify(&name, PZ_INI_CONFIG) == PZ_INI_PROFILE &&
            name.len < full.len && pz_slice_eq(name, PZ_LIT("default")))
            return 1;
    }
    return 0;
}

void pz_ini_start(struct pz_ini *ini, struct pz_slice text,
                  enum pz_ini_file file)
{
    size_t wrong;

    memset(ini, 0, sizeof *ini);
    if (pz_slice_starts(text, PZ_LIT("\xEF\xBB\xBF")))
        text = pz_slice_sub(text, 3, text.len);
    ini->text = text;
    ini->file = file;
    ini->line = 1;
    if (text.len > PZ_INI_MAX) {
        ini->error = "the file is too long";
    } else if (!pz_utf8_count(text, &wrong)) {
        for (size_t i = 0; i < wrong; i++)
            ini->line += text.data[i] == '\n';
        ini->error = "not UTF-8";
    } else if (file == PZ_INI_CONFIG) {
        ini->has_default = has_prefixed_default(text);
    }
}

static enum pz_status read_header(struct pz_ini *ini, struct pz_slice line)
{
    struct pz_slice full;

    if (!inner(line, &full))
        return fail(ini, "a section's name must end with ']'");
    ini->name = full;
    ini->section = classify(&ini->name, ini->file);
    if (ini->has_default && pz_slice_eq(full, PZ_LIT("default")))
        ini->section = PZ_INI_IGNORED;
    ini->in_section = 1;
    return PZ_OK;
}

/* Splits at the first '='. 0 where there is none. */
static int split(struct pz_slice line, struct pz_slice *key,
                 struct pz_slice *value)
{
    size_t equals;

    line = uncomment(line, 1);
    equals = pz_slice_find(line, '=', 0);
    *key = trim(pz_slice_sub(line, 0, equals));
    *value = trim(pz_slice_sub(line, equals + 1, line.len));
    return equals < line.len;
}

/* An indented line below "key =" that is all comment stays in the value, as
   in AWS's SDKs; unlike them we do not mind that it lacks a '='. */
static enum pz_status check_sub(struct pz_ini *ini, struct pz_slice line)
{
    struct pz_slice key, value;

    if (is_comment_mark(line.data[0]))
        return PZ_OK;
    if (!split(line, &key, &value))
        return fail(ini, "a sub-property without '='");
    return key.len > 0 ? PZ_OK : fail(ini, "a sub-property without a name");
}

/* The lines that go on with a property; each adds LF and itself to 'room'. */
static enum pz_status
read_continuations(struct pz_ini *ini, int is_sub, struct pz_buf *room)
{
    unsigned long first = ini->line;
    enum pz_status status = PZ_OK;
    struct pz_slice line;

    while (status == PZ_OK && take(ini, 1, &line)) {
        struct pz_slice parts[2] = { PZ_LIT("\n"), trim(line) };

        ini->line = ini->lines;
        if (is_sub)
            status = check_sub(ini, parts[1]);
        if (status == PZ_OK)
            status = pz_buf_addv(room, parts, PZ_COUNT(parts));
    }
    if (status == PZ_OK)
        ini->line = first;
    return status;
}

/* *told is whether the property counts. */
static enum pz_status read_property(struct pz_ini *ini, struct pz_slice line,
                                    struct pz_buf *room, int *told)
{
    struct pz_slice key, value, all;
    enum pz_status status;

    if (!ini->in_section)
        return fail(ini, "a property before the first section");
    if (!split(line, &key, &value))
        return fail(ini, "a property without '='");
    if (key.len == 0)
        return fail(ini, "a property without a name");
    pz_buf_clear(room);
    status = pz_lower(room, key);
    if (status == PZ_OK)
        status = pz_buf_adds(room, value);
    if (status == PZ_OK)
        status = read_continuations(ini, value.len == 0, room);
    if (status != PZ_OK)
        return status;
    all = pz_buf_slice(room);
    ini->key = pz_slice_sub(all, 0, key.len);
    ini->value = pz_slice_sub(all, key.len, all.len);
    *told = ini->section != PZ_INI_IGNORED && is_name(key);
    return PZ_OK;
}

enum pz_status
pz_ini_next(struct pz_ini *ini, enum pz_ini_event *event, struct pz_buf *room)
{
    enum pz_status status = ini->error ? PZ_EINVAL : PZ_OK;
    struct pz_slice line;
    int told = 0;

    while (status == PZ_OK && !told) {
        if (!take(ini, 0, &line)) {
            *event = PZ_INI_END;
            return PZ_OK;
        }
        ini->line = ini->lines;
        if (line.data[0] == '[') {
            *event = PZ_INI_SECTION_EVENT;
            status = read_header(ini, line);
            told = 1;
        } else if (is_blank(line.data[0])) {
            /* Those of a property were taken along with it. */
            status = fail(ini, ini->in_section
                ? "an indented line without a property before it"
                : "a line before the first section");
        } else {
            *event = PZ_INI_PROPERTY_EVENT;
            status = read_property(ini, line, room, &told);
        }
    }
    return status;
}

enum pz_status
pz_ini_sub(struct pz_slice *value, int *found, struct pz_slice *sub_name,
           struct pz_slice *sub_value)
{
    *found = 0;
    while (value->len > 0) {
        /* Up to the next LF, with which the rest then begins. */
        size_t end = pz_slice_find(*value, '\n', 1);
        struct pz_slice line = trim(pz_slice_sub(*value, 1, end));

        if (value->data[0] != '\n')
            return PZ_EINVAL;
        *value = pz_slice_sub(*value, end, value->len);
        if (line.len == 0 || is_comment_mark(line.data[0]))
            continue;
        if (!split(line, sub_name, sub_value) || sub_name->len == 0)
            return PZ_EINVAL;
        *found = 1;
        return PZ_OK;
    }
    return PZ_OK;
}
