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

static int is_quote(char c)
{
    return c == '\'' || c == '"';
}

static int is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F;
}

static int is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("_-/.%@:+", c));
}

static int is_key(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_key_char(s.data[i]))
            return 0;
    return s.len > 0;
}

/* A section's name without quotes. The text is UTF-8: what is beyond ASCII is
   taken for letters. */
static int is_plain_name(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_key_char(s.data[i]) && (unsigned char)s.data[i] < 0x80)
            return 0;
    return s.len > 0;
}

/* Quotes as in a shell. */
struct quotes {
    char open;   /* the mark that the next character is between, or 0 */
    int escaped; /* a backslash stands before the next character */
};

/* Does the next character stand for itself? A blank or bracket between quotes
   does, a quote or backslash that opens, closes or escapes does not. */
static int is_literal(struct quotes *q, char c)
{
    if (q->escaped) {
        q->escaped = 0;
        return 1;
    }
    if (c == '\\' && q->open != '\'') {
        q->escaped = 1;
        return 0;
    }
    if (q->open ? c == q->open : is_quote(c)) {
        q->open = q->open ? '\0' : c;
        return 0;
    }
    return 1;
}

/* Reads a name in quotes, as the AWS CLI writes one with spaces: the rules of
   a shell, and just one word. It is kept in the reader. */
static int
unquote(struct pz_ini *ini, struct pz_slice text, struct pz_slice *name)
{
    struct quotes q = { 0, 0 };
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int is_bare = !q.open && !q.escaped;

        if (is_control(c) || (is_bare && is_blank(c)) ||
            len + 2 > sizeof ini->unquoted)
            return 0;
        /* Between double quotes a backslash escapes but these two. */
        if (q.open && q.escaped && c != '\\' && c != q.open)
            ini->unquoted[len++] = '\\';
        if (is_literal(&q, c))
            ini->unquoted[len++] = c;
    }
    *name = (struct pz_slice){ ini->unquoted, len };
    return len > 0 && !q.open && !q.escaped;
}

/* Is it a name that counts? Then 'name' becomes it, without its quotes. */
static int
read_name(struct pz_ini *ini, struct pz_slice text, struct pz_slice *name)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_quote(text.data[i]) || text.data[i] == '\\')
            return unquote(ini, text, name);
    *name = text;
    return is_plain_name(text);
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

static size_t indent_of(struct pz_slice line)
{
    size_t n = 0;

    while (n < line.len && is_blank(line.data[n]))
        n++;
    return n;
}

/* Takes the next line that says something: one that is blank or all comment
   does not, wherever it begins. Without its indentation, which goes to
   'indent'. Where 'deeper' is set, only one that goes on with the property
   before it. 0 when there is none. */
static int
take(struct pz_ini *ini, int deeper, struct pz_slice *line, size_t *indent)
{
    while (ini->at < ini->text.len) {
        size_t at = ini->at;
        int says;

        *line = take_line(ini->text, &at);
        *indent = indent_of(*line);
        *line = pz_slice_sub(*line, *indent, line->len);
        says = line->len > 0 && !is_comment_mark(line->data[0]);
        if (says && deeper && *indent <= ini->indent)
            return 0;
        ini->at = at;
        ini->lines++;
        if (says)
            return 1;
    }
    return 0;
}

/* Where the bracket is that closes a header with quotes in it; the length of
   the line where there is none. A bracket or a mark between quotes is part of
   the name. */
static size_t closing(struct pz_slice line)
{
    struct quotes q = { 0, 0 };

    for (size_t i = 1; i < line.len; i++) {
        char c = line.data[i];
        int is_bare = !q.open && !q.escaped;

        if (is_bare && c == ']') {
            struct pz_slice rest = trim(pz_slice_sub(line, i + 1, line.len));

            if (rest.len > 0 && !is_comment_mark(rest.data[0]))
                i = line.len;
            return i;
        }
        if (is_bare && is_comment_mark(c))
            break;
        (void)is_literal(&q, c);
    }
    return line.len;
}

/* What stands between the brackets, trimmed; 0 where one is lacking. */
static int inner(struct pz_slice line, struct pz_slice *name)
{
    size_t end = closing(line);

    if (end == line.len) {
        line = uncomment(line, 0);
        if (line.len < 2 || line.data[line.len - 1] != ']')
            return 0;
        end = line.len - 1;
    }
    *name = trim(pz_slice_sub(line, 1, end));
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

/* Sets section and name for what stands between the brackets. */
static void classify(struct pz_ini *ini, struct pz_slice full)
{
    enum pz_ini_section section = PZ_INI_IGNORED;
    struct pz_slice name = full;
    size_t end = 0;

    while (end < full.len && !is_blank(full.data[end]))
        end++;
    if (ini->file == PZ_INI_CREDENTIALS) {
        if (read_name(ini, full, &name))
            section = PZ_INI_PROFILE;
    } else if (end == full.len) {
        if (pz_slice_eq(full, PZ_LIT("default")))
            section = PZ_INI_PROFILE;
    } else {
        section = prefixed(pz_slice_sub(full, 0, end));
        if (!read_name(ini, trim(pz_slice_sub(full, end, full.len)), &name))
            section = PZ_INI_IGNORED;
    }
    ini->section = section;
    ini->name = section == PZ_INI_IGNORED ? full : name;
}

/* Is there a [profile default] anywhere? Then a [default] counts for nothing,
   be it before or behind. */
static int has_prefixed_default(struct pz_ini ini)
{
    struct pz_slice line, full;
    size_t indent;

    while (take(&ini, 0, &line, &indent)) {
        ini.indent = indent;
        if (line.data[0] != '[') {
            while (take(&ini, 1, &line, &indent))
                continue; /* with a property */
        } else if (inner(line, &full)) {
            classify(&ini, full);
            if (ini.section == PZ_INI_PROFILE &&
                !pz_slice_eq(full, PZ_LIT("default")) &&
                pz_slice_eq(ini.name, PZ_LIT("default")))
                return 1;
        }
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
        ini->has_default = has_prefixed_default(*ini);
    }
}

static enum pz_status read_header(struct pz_ini *ini, struct pz_slice line)
{
    struct pz_slice full;

    if (!inner(line, &full))
        return fail(ini, "a section's name must end with ']'");
    classify(ini, full);
    if (ini->has_default && pz_slice_eq(full, PZ_LIT("default")))
        ini->section = PZ_INI_IGNORED;
    ini->in_section = 1;
    ini->in_property = 0;
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

static enum pz_status check_sub(struct pz_ini *ini, struct pz_slice line)
{
    struct pz_slice key, value;

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
    size_t indent;

    while (status == PZ_OK && take(ini, 1, &line, &indent)) {
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
static enum pz_status
read_property(struct pz_ini *ini, struct pz_slice line, size_t indent,
              struct pz_buf *room, int *told)
{
    struct pz_slice key, value, all;
    enum pz_status status;

    if (!ini->in_section)
        return fail(ini, indent > 0 ? "a line before the first section"
                                    : "a property before the first section");
    if (!split(line, &key, &value))
        return fail(ini, indent > 0 && !ini->in_property
            ? "an indented line without a property before it"
            : "a property without '='");
    if (key.len == 0)
        return fail(ini, "a property without a name");
    ini->in_property = 1;
    ini->indent = indent;
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
    *told = ini->section != PZ_INI_IGNORED && is_key(key);
    return PZ_OK;
}

enum pz_status
pz_ini_next(struct pz_ini *ini, enum pz_ini_event *event, struct pz_buf *room)
{
    enum pz_status status = ini->error ? PZ_EINVAL : PZ_OK;
    struct pz_slice line;
    size_t indent;
    int told = 0;

    while (status == PZ_OK && !told) {
        if (!take(ini, 0, &line, &indent)) {
            *event = PZ_INI_END;
            return PZ_OK;
        }
        ini->line = ini->lines;
        if (line.data[0] == '[') {
            *event = PZ_INI_SECTION_EVENT;
            status = read_header(ini, line);
            told = 1;
        } else {
            *event = PZ_INI_PROPERTY_EVENT;
            status = read_property(ini, line, indent, room, &told);
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
